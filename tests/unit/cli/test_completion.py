"""Shell completion: what is offered, from the registry that is there, and without loading the engine."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from engine_alpha.cli.lazy import COMPLETING
from engine_alpha.cli.root import COMMANDS
from tests.unit.cli.conftest import Run

Offer = Callable[[str], list[str]]


@pytest.fixture
def offer(home: Path, monkeypatch: pytest.MonkeyPatch, run: Run) -> Offer:
    """Ask as bash does, with the cursor at the end of the line."""

    def ask(line: str) -> list[str]:
        words = line.split(" ")
        monkeypatch.setenv("COMP_WORDS", line)
        monkeypatch.setenv("COMP_CWORD", str(len(words) - 1))
        monkeypatch.setenv(COMPLETING, "bash_complete")
        found = run().stdout.splitlines()
        monkeypatch.delenv(COMPLETING)
        return [item.partition(",")[2] for item in found if item]

    return ask


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_script_is_printed_for_each_shell(run: Run, shell: str) -> None:
    result = run("completion", shell)
    assert result.exit_code == 0
    assert f"{COMPLETING}={shell}_complete" in result.stdout
    assert result.stderr == ""


def test_another_shell_is_refused(run: Run) -> None:
    assert run("completion", "csh").exit_code == 2


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_shell_itself_can_read_the_script(run: Run, shell: str, tmp_path: Path) -> None:
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"no {shell} here")
    script = tmp_path / "script"
    script.write_text(run("completion", shell).stdout)
    subprocess.run([program, "-n", str(script)], check=True)


def test_commands_and_their_parts_are_offered(offer: Offer) -> None:
    assert offer("chloe ") == list(COMMANDS)
    assert offer("chloe ba") == ["backtest", "backup"]
    assert offer("chloe assets d") == ["diff", "disable"]
    assert "--follow" in offer("chloe logs --")


def test_coins_come_from_the_registry_in_its_order(offer: Offer, home: Path) -> None:
    assert offer("chloe why ")[:2] == ["ETHUSDT", "BTCUSDT"]
    assert offer("chloe assets enable SO") == ["SOLUSDT"]
    assert offer("chloe live arm so") == ["SOLUSDT"], "typed in small letters it is the same coin"
    (home / "config" / "asset_registry.json").write_text('{ // mine\n "AUSDT": {"enabled": 1}, "BUSDT": 0, }')
    assert offer("chloe logs ") == ["AUSDT", "BUSDT"]


def test_of_a_list_of_coins_the_last_one_is_completed(offer: Offer) -> None:
    assert offer("chloe rehearse --symbols ETHUSDT,SO") == ["ETHUSDT,SOLUSDT"]


def test_feeds_and_accounts_are_offered(offer: Offer, home: Path) -> None:
    for name in ("rehearse-1", "simulated"):
        (home / "state" / name).mkdir(parents=True)
        (home / "state" / name / "journal.sqlite").touch()
    assert offer("chloe status --account ") == ["simulated", "rehearse-1"]
    assert offer("chloe feed v") == ["venue"]


def test_the_home_on_the_line_is_the_one_that_is_asked(
    offer: Offer, tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(home, tmp_path / "other")
    (tmp_path / "other" / "config" / "asset_registry.json").write_text('{"ONLYUSDT": {}}')
    assert offer(f"chloe --home {tmp_path / 'other'} why ") == ["ONLYUSDT"]


@pytest.mark.parametrize("content", ["{", "[]", ""])
def test_a_broken_registry_offers_nothing_and_says_nothing(offer: Offer, home: Path, content: str) -> None:
    (home / "config" / "asset_registry.json").write_text(content)
    assert offer("chloe why ") == []


def test_the_engine_is_not_loaded_to_complete(home: Path) -> None:
    probe = (
        "import sys\n"
        "from engine_alpha.cli.root import chloe\n"
        "try: chloe(prog_name='chloe')\n"
        "except SystemExit: pass\n"
        "print(sorted({'numpy', 'talib', 'ccxt', 'sqlalchemy', 'polars'} & sys.modules.keys()))\n"
    )
    for line in ("chloe ", "chloe why E", "chloe live arm E", "chloe assets enable E", "chloe pf --symbol E"):
        environment = {
            **os.environ,
            "COMP_WORDS": line,
            "COMP_CWORD": str(len(line.split(" ")) - 1),
            COMPLETING: "bash_complete",
        }
        asked = subprocess.run(
            [sys.executable, "-c", probe], env=environment, capture_output=True, text=True, check=True
        )
        assert asked.stdout.splitlines()[-1] == "[]", line
