"""Coins that can not be run, in a backtest as in a rehearsal: the others go on, every bar is counted."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip(
    "numba", reason="numba is absent: the backtest extra is not installed, nothing to compare"
)

from engine_alpha.backtest import run
from engine_alpha.home import Home
from engine_alpha.loop.rehearse import rehearse
from engine_alpha.plans.history import History
from tests.parity.differences import compared
from tests.parity.drawn_series import without_column_cache
from tests.parity.stored import series, store, wanted
from tests.unit.loop.runs import QUICK, a_home, close_ms, edit, put_card, with_prices

TWO = ("ETHUSDT", "BTCUSDT")
HOURS = 30


@pytest.fixture(autouse=True)
def no_cache_of_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without_column_cache(monkeypatch, tmp_path)


@pytest.fixture
def asked(tmp_path: Path) -> History:
    """Two coins with a day and a bit of bars."""
    bars = series(TWO, bars=1_500, before=1_400)
    return wanted(store(tmp_path / "data", bars), TWO, hours=HOURS)


def instruments(home: Home, symbol: str, **changes: object) -> None:
    """Change a contract in every snapshot; without changes take it out."""
    for file in home.instruments.glob("*.json"):
        if changes:
            edit(file, lambda found: found["instruments"][symbol].update(changes))
        else:
            edit(file, lambda found: found["instruments"].pop(symbol))


def alike(home: Home, history: History) -> dict[tuple[str, str], int]:
    """Play both ways, check that nothing differs, and return the bars without decision."""
    found = compared(home, history)
    assert found.difference is None
    result = run(home, history)
    return {(symbol, reason): count for symbol, reason, count in result.no_decisions}


def test_a_coin_without_a_contract_stops_neither(tmp_path: Path, asked: History) -> None:
    home = a_home(tmp_path / "home")
    instruments(home, "ETHUSDT")
    assert alike(home, asked) == {("ETHUSDT", "config"): HOURS}


def test_a_coin_with_broken_parameters_stops_neither(tmp_path: Path, asked: History) -> None:
    home = a_home(tmp_path / "home")
    (home.parameters / "ETHUSDT.json").write_text('{"version": "broken-1"}', encoding="utf-8")
    assert alike(home, asked) == {("ETHUSDT", "config"): HOURS}


def test_a_coin_named_by_a_broken_card_stops_neither(tmp_path: Path, asked: History) -> None:
    home = a_home(tmp_path / "home")
    put_card(home, {**QUICK, "name": "broken", "scope": {"symbols": ["ETHUSDT"]}, "entry": []})
    assert alike(home, asked) == {("ETHUSDT", "config"): HOURS}


def test_a_broken_card_that_names_nobody_is_left_out(tmp_path: Path, asked: History) -> None:
    home = a_home(tmp_path / "home")
    put_card(home, {**QUICK, "name": "broken", "entry": []})
    assert alike(home, asked) == {}


@pytest.mark.parametrize("changes", [{"listed_ms": close_ms(10)}, {"settled_ms": close_ms(10)}])
def test_bars_outside_of_a_listing_are_counted_as_such_even_without_data(
    tmp_path: Path, asked: History, changes: dict[str, int]
) -> None:
    """A rehearsal asks first whether the contract trades, then for its bars."""
    home = a_home(tmp_path / "home")
    instruments(home, "ETHUSDT", **changes)
    (next((asked.data / "bybit" / "ETHUSDT" / "1h").glob("*.parquet"))).write_bytes(b"spoiled")
    unlisted = 10 if "listed_ms" in changes else HOURS - 10
    assert alike(home, asked) == {
        ("ETHUSDT", "config"): unlisted,
        ("ETHUSDT", "hash_mismatch"): HOURS - unlisted,
    }


def test_bars_of_which_none_can_be_trusted_come_to_no_decision(tmp_path: Path) -> None:
    bars = series(("ETHUSDT",), bars=1_500, before=1_400)
    still = with_prices(bars["ETHUSDT"], close_ms(-20), 100.0)
    quiet = replace(still, volume=np.where(still.open_ms >= close_ms(-20), 0.0, still.volume))
    history = wanted(store(tmp_path / "data", {"ETHUSDT": quiet}), ("ETHUSDT",), hours=HOURS)
    home = a_home(tmp_path / "home")
    assert alike(home, history) == {("ETHUSDT", "frozen"): HOURS}
    result = run(home, history, keep_records=True)
    assert (result.decisions, result.trades, len(result.records("ETHUSDT"))) == (0, (), 0)
    report = rehearse(home, history)
    assert (result.decisions_sha256, result.ledger_sha256) == (report.decisions_sha256, report.ledger_sha256)


def test_a_coin_that_is_passed_over_changes_nothing_for_the_others(tmp_path: Path, asked: History) -> None:
    """Beside a coin that refuses, the other one's records are those it has alone."""
    home = a_home(tmp_path / "home")
    put_card(home, {**QUICK, "name": "broken", "scope": {"symbols": ["ETHUSDT"]}, "entry": []})
    beside = run(home, asked, keep_records=True).records("BTCUSDT")
    alone = run(home, replace(asked, symbols=("BTCUSDT",)), keep_records=True).records("BTCUSDT")
    assert len(beside) == HOURS
    assert beside.tobytes() == alone.tobytes()
