"""`chloe research run` on made-up candles: documents, pages, a run log; a coin's fault leaves the others."""

import fcntl
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from engine_alpha.cli.root import chloe
from engine_alpha.research.documents import sha256_of
from engine_alpha.research.markets.homes import written
from engine_alpha.research.markets.market import VENUE, Wanted
from engine_alpha.research.markets.walk import random_walk
from tests.unit.cli.conftest import Run, edit

SYMBOLS = ["ETHUSDT", "BTCUSDT"]
NIGHT = "2026-11-28"
CARDS = {"momentum-long": ["exits.stop.range=4,8"], "volatility-breakout": []}
CALL = ("research", "run", "--venue", VENUE, "--night", NIGHT, "--jobs", "1", "--twins", "0")


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a home with a year of candles of two coins, and a small search."""
    folder = tmp_path_factory.mktemp("researched") / "home"
    home, _ = written(random_walk(Wanted(seed=11, number=0, coins=2, hours=9_600)), folder)
    search = {"cards": CARDS, "confidence_min": [0.2], "extra_cost_bps": 2.0, "complexity_penalty": 0.05}
    edit(home.config / "research.json", search=search)
    edit(
        home.config / "research.json", walk_forward={"folds": 2, "first_train_frac": 0.6, "embargo_days": 14}
    )
    return folder


@pytest.fixture(scope="module")
def night(template: Path) -> tuple[Path, Result]:
    """Run one night."""
    result = CliRunner().invoke(chloe, ["--home", str(template), *CALL], prog_name="chloe")
    return template, result


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def test_a_night_leaves_documents_and_pages(night: tuple[Path, Result]) -> None:
    home, result = night
    assert result.exit_code == 0, result.output
    folder = home / "reports" / "research" / NIGHT
    wanted = ["index.html", "night.json", *(f"{name}.{end}" for name in SYMBOLS for end in ("html", "json"))]
    assert sorted(path.name for path in folder.iterdir()) == sorted(wanted)
    for name in ("night", *SYMBOLS):
        document = read(folder / f"{name}.json")
        assert document["sha256"] == sha256_of(document)
    assert f"wrote {folder / 'index.html'} and 2 pages of coins" in result.stdout
    for symbol in SYMBOLS:
        page = (folder / f"{symbol}.html").read_text(encoding="utf-8")
        assert f"Research on {symbol}" in page and "Where the edge is" in page


def test_without_twins_nothing_passes(night: tuple[Path, Result]) -> None:
    home, result = night
    assert "Nothing is proposed" in result.stdout and "not known yet" in result.stdout
    refused = CliRunner().invoke(chloe, ["--home", str(home), "research", "adopt", "ETHUSDT", "--yes"])
    assert refused.exit_code == 2 and "null rate" in refused.stderr


def test_the_night_is_shown_and_listed_from_what_it_left(night: tuple[Path, Result]) -> None:
    home, _ = night
    shown = CliRunner().invoke(chloe, ["--home", str(home), "research", "show", "ETHUSDT"])
    assert shown.exit_code == 0 and "page: " in shown.stdout
    listed = json.loads(CliRunner().invoke(chloe, ["--home", str(home), "research", "list", "--json"]).stdout)
    assert [each["night"] for each in listed["nights"]] == [NIGHT] and listed["adopted"] == {}


def test_the_run_log_has_a_line_with_what_took_how_long(night: tuple[Path, Result]) -> None:
    lines = (night[0] / "state" / "research" / "runs.jsonl").read_text().splitlines()
    line = json.loads(lines[0])
    assert (line["night"], line["fault"], line["proposed"], line["faults"]) == (NIGHT, None, [], {})
    played = line["stages"]["playing trials"]
    assert played["done"] == played["total"] == len(CARDS) * len(SYMBOLS)
    assert 0.0 <= played["from_s"] <= played["to_s"] <= line["seconds"]


def test_a_coin_with_a_fault_leaves_the_others(template: Path, tmp_path: Path, run: Run) -> None:
    home = tmp_path / "home"
    shutil.copytree(template, home, ignore=shutil.ignore_patterns("reports", "state"))
    shutil.rmtree(home / "data" / VENUE / "BTCUSDT")
    result = run("--home", str(home), *CALL, "--symbols", "ETHUSDT,BTCUSDT", "--json")
    assert result.exit_code == 3, result.output
    found = json.loads(result.stdout)
    assert list(found["faults"]) == ["BTCUSDT"] and found["symbols"] == ["ETHUSDT"]
    assert (home / "reports" / "research" / NIGHT / "ETHUSDT.html").is_file()
    logged = json.loads((home / "state" / "research" / "runs.jsonl").read_text())
    assert list(logged["faults"]) == ["BTCUSDT"]


def test_what_keeps_a_night_from_beginning_is_logged_too(home: Path, run: Run) -> None:
    result = run("research", "run", "--twins", "0")
    assert result.exit_code == 2 and "prices are simulated" in result.stderr
    logged = json.loads((home / "state" / "research" / "runs.jsonl").read_text())
    assert "prices are simulated" in logged["fault"] and logged["stages"] == {}


def test_a_second_night_waits_for_the_first(night: tuple[Path, Result]) -> None:
    home, _ = night
    with (home / "state" / "research" / "night.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        result = CliRunner().invoke(chloe, ["--home", str(home), *CALL], prog_name="chloe")
    assert result.exit_code == 5 and "another night of research runs" in result.stderr
