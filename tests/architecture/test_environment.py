"""Started outside its environment, Chloe says what to run."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from engine_alpha import environment

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("module", ["engine_alpha", "engine_alpha.loop.multi_asset_runner"])
def test_without_the_libraries_one_line_names_the_missing_module_and_the_remedy(module: str) -> None:
    command = [sys.executable, "-S", "-m", module]  # -S: without site-packages
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)
    assert run.returncode == 2
    assert run.stderr.count("\n") == 1
    assert "numpy is missing" in run.stderr and "make run" in run.stderr


@pytest.mark.parametrize(
    "name", ["__init__", "__main__", "environment", "loop/__init__", "loop/wiring", "loop/multi_asset_runner"]
)
def test_an_old_python_can_read_what_complains(name: str) -> None:
    source = (ROOT / "engine_alpha" / f"{name}.py").read_text(encoding="utf-8")
    ast.parse(source, feature_version=(3, 8))


def test_an_old_python_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 9, 2))
    assert "Python 3.11 or newer is needed, this is 3.9" in (environment.missing_from_environment() or "")


def test_inside_the_environment_nothing_is_missing() -> None:
    assert environment.missing_from_environment() is None


def test_every_needed_module_is_a_declared_dependency() -> None:
    declared = (ROOT / "pyproject.toml").read_text(encoding="utf-8").lower().replace("ta-lib", "talib")
    assert [name for name in environment.NEEDED_MODULES if f'"{name}>=' not in declared] == []
