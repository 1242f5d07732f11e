"""`chloe assets diff`: the configuration beside what the engine read last, or beside a fresh home's."""

import json
from pathlib import Path

from engine_alpha.config.editing import set_enabled, set_value
from engine_alpha.home import Home
from engine_alpha.loop.last_good import keep
from tests.unit.cli.conftest import Run


def test_an_edit_since_the_engine_read_last_is_shown(home: Path, run: Run) -> None:
    set_value(home / "config" / "risk.json", "pf_floor", 0.9)
    keep(Home(home))
    set_enabled(home / "config" / "asset_registry.json", "BTCUSDT", True)
    result = run("assets", "diff")
    assert result.exit_code == 3
    assert result.stdout.splitlines() == [
        "since the engine read its configuration last:",
        "BTCUSDT enabled",
    ]


def test_nothing_edited_is_no_difference(home: Path, run: Run) -> None:
    keep(Home(home))
    result = run("assets", "diff", "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout) == {
        "home": str(home),
        "against": "last_good",
        "same": True,
        "differences": [],
    }


def test_fresh_compares_with_the_files_of_a_new_home(home: Path, run: Run) -> None:
    set_enabled(home / "config" / "asset_registry.json", "BTCUSDT", True)
    keep(Home(home))
    result = run("assets", "diff", "--fresh")
    assert result.exit_code == 3
    assert result.stdout.splitlines() == ["beside a fresh home:", "BTCUSDT enabled"]


def test_without_a_kept_copy_a_fresh_home_is_compared_with_and_that_is_said(home: Path, run: Run) -> None:
    result = run("assets", "diff")
    assert result.exit_code == 0
    first, second = result.stdout.splitlines()
    assert "no engine (chloe run) has read this configuration yet" in first
    assert second == "no difference"
    assert json.loads(run("assets", "diff", "--json").stdout)["against"] == "nothing_kept"


def test_a_configuration_that_cannot_be_read_is_said_with_its_place(home: Path, run: Run) -> None:
    keep(Home(home))
    (home / "config" / "risk.json").write_text("{")
    result = run("assets", "diff")
    assert result.exit_code == 2
    assert "risk.json" in result.stderr
