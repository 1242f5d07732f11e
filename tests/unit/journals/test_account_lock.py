"""One runner per account, whatever becomes of the runner."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from engine_alpha.errors import JournalError, LockHeld
from engine_alpha.loop.lock import LOCK_NAME, account_lock

HOLD = """
import sys
from pathlib import Path
from engine_alpha.loop.lock import account_lock
with account_lock(Path(sys.argv[1])):
    print("locked", flush=True)
    sys.stdin.read()
"""


def holder(folder: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "locked\n"
    return process


def test_a_second_runner_is_refused_with_the_pid_of_the_first(tmp_path: Path) -> None:
    with (
        account_lock(tmp_path / "paper"),
        pytest.raises(LockHeld, match=rf"pid {os.getpid()}, since 20.*stop it"),
        account_lock(tmp_path / "paper"),
    ):
        pytest.fail("two runners on one account")


def test_the_lock_is_let_go_at_the_end_and_after_a_fault(tmp_path: Path) -> None:
    for _ in range(2):
        with pytest.raises(ZeroDivisionError), account_lock(tmp_path):
            raise ZeroDivisionError
    with account_lock(tmp_path):
        pass
    assert (tmp_path / LOCK_NAME).exists()


def test_two_accounts_do_not_know_each_other(tmp_path: Path) -> None:
    with account_lock(tmp_path / "paper"), account_lock(tmp_path / "live"):
        pass


def test_a_killed_runner_leaves_no_lock_behind(tmp_path: Path) -> None:
    with holder(tmp_path) as runner:
        with pytest.raises(LockHeld, match=f"pid {runner.pid}"), account_lock(tmp_path):
            pytest.fail("two runners on one account")
        runner.send_signal(signal.SIGKILL)
        runner.wait(timeout=20)
        with account_lock(tmp_path):
            pass


def test_a_holder_that_has_not_written_its_name_yet_is_still_refused(tmp_path: Path) -> None:
    with account_lock(tmp_path):
        (tmp_path / LOCK_NAME).write_text("")
        with pytest.raises(LockHeld, match="another runner works on"), account_lock(tmp_path):
            pytest.fail("two runners on one account")


def test_a_child_does_not_inherit_the_lock(tmp_path: Path) -> None:
    with account_lock(tmp_path):
        child = subprocess.Popen(["sleep", "30"], close_fds=False)
    try:
        with account_lock(tmp_path):
            pass
    finally:
        child.kill()
        child.wait(timeout=20)


def test_a_folder_that_can_not_be_used_is_explained(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(JournalError, match=r"can't be used.*write access"),
        account_lock(tmp_path / "file" / "paper"),
    ):
        pytest.fail("locked a folder in a file")
