"""The command line as a whole: help, options in any place, errors as one line, nothing heavy too early."""

import os
import subprocess
import sys
import time
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from engine_alpha import __version__
from engine_alpha.cli.root import COMMANDS, Root, chloe
from engine_alpha.errors import ConfigError, JournalError, LockHeld
from tests.unit.cli.conftest import Run

ROOT = Path(__file__).resolve().parents[3]
HEAVY = ("numpy", "talib", "sqlalchemy", "rich", "ccxt", "polars")


def process(*arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "engine_alpha", *arguments]
    return subprocess.run(
        command,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        env={**os.environ, **variables},
    )


def test_help_lists_every_command_and_loads_none() -> None:
    program = "import sys; from engine_alpha.cli import main\ntry: main()\nexcept SystemExit: pass\n"
    program += f"print([m for m in {(*HEAVY, 'pydantic')} if m in sys.modules], file=sys.stderr)"
    started = time.perf_counter()
    run = subprocess.run(
        [sys.executable, "-c", program, "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    assert time.perf_counter() - started < 3.0  # 0.1 s on an idle machine
    assert run.stderr.strip() == "[]"
    assert [name for name in COMMANDS if f"\n  {name} " not in run.stdout] == []
    assert "Exit codes:" in run.stdout


@pytest.mark.parametrize("command", ["feed", "assets", "halt", "resume"])
def test_these_commands_load_no_heavy_library(command: str, home: Path) -> None:
    program = "import sys; from engine_alpha.cli import main\ntry: main()\nexcept SystemExit: pass\n"
    program += f"print([m for m in {HEAVY} if m in sys.modules], file=sys.stderr)"
    run = subprocess.run(
        [sys.executable, "-c", program, command, "--home", str(home)],
        cwd=ROOT, capture_output=True, text=True, check=True, timeout=30,
    )  # fmt: skip
    assert run.stderr.strip() == "[]" and run.stdout


def leaves(group: click.Group, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    context = click.Context(group)
    found: list[tuple[str, ...]] = []
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        found += leaves(command, (*path, name)) if isinstance(command, click.Group) else [(*path, name)]
    return found


@pytest.mark.parametrize("path", leaves(chloe), ids=" ".join)
def test_every_command_shows_examples_and_takes_the_home_behind_its_name(
    path: tuple[str, ...], run: Run
) -> None:
    result = run(*path, "-h")
    assert result.exit_code == 0
    assert "Examples:" in result.stdout and f"chloe {' '.join(path)}" in result.stdout
    assert "--home" in result.stdout or path == ("version",)
    assert max(map(len, result.stdout.splitlines())) <= 100


def test_the_module_is_the_command_and_says_its_version() -> None:
    assert process("--version").stdout == f"chloe {__version__}\n"


def test_the_version_command_names_what_runs_underneath(run: Run) -> None:
    assert f"chloe       {__version__}" in run("version").stdout


def test_the_home_may_stand_before_or_behind_the_command(home: Path, run: Run, tmp_path: Path) -> None:
    other = tmp_path / "other"
    assert run("init", str(other)).exit_code == 0
    for arguments in (["--home", str(other), "feed"], ["feed", "--home", str(other)]):
        assert f"home {other} ·" in run(*arguments).stdout
    assert f"home {home} ·" in CliRunner().invoke(chloe, ["feed"], env={"CHLOE_HOME": str(home)}).stdout


def test_an_unknown_command_names_the_nearest(run: Run) -> None:
    result = run("statu")
    assert result.exit_code == 2 and "did you mean status?" in result.stderr


def test_a_folder_that_is_no_home_is_one_line_with_the_remedy(run: Run, tmp_path: Path) -> None:
    result = run("status", "--home", str(tmp_path / "nowhere"))
    assert result.exit_code == 2
    assert result.stderr.count("\n") == 1 and "chloe init --home" in result.stderr


def failing(fault: BaseException) -> Root:
    group = Root("chloe")

    @group.command()
    def boom() -> None:
        raise fault

    return group


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (ConfigError("a"), 2),
        (JournalError("a"), 4),
        (LockHeld("a"), 5),
        (KeyboardInterrupt(), 130),
        (BrokenPipeError(), 141),
    ],
)
def test_each_kind_of_error_has_its_exit_code_and_no_traceback(fault: BaseException, code: int) -> None:
    result = CliRunner().invoke(failing(fault), ["boom"])
    assert result.exit_code == code
    assert result.stdout == "" and "Traceback" not in result.stderr


def test_a_bug_is_one_line_that_asks_for_a_report(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CHLOE_DEBUG", raising=False)
    result = CliRunner().invoke(failing(ZeroDivisionError("twice\ntwo")), ["boom"])
    assert result.exit_code == 1 and result.stderr.count("\n") == 1
    assert "ZeroDivisionError: twice two" in result.stderr and "please report" in result.stderr
    monkeypatch.setenv("CHLOE_DEBUG", "1")
    assert "Traceback" in CliRunner().invoke(failing(ZeroDivisionError("x")), ["boom"]).stderr


def test_a_reader_that_goes_away_is_no_error(traded: Path) -> None:
    pipe = f"{sys.executable} -m engine_alpha journal export | head -n 1"
    run = subprocess.run(
        ["bash", "-c", pipe],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
        env=dict(os.environ),
    )
    assert run.stdout.startswith("{") and run.stderr == ""
