"""What a history lacks is said: bars, minutes, funding, listing, cards that can't be read."""

import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("numba", reason="numba is absent: the backtest extra is not installed")

from engine_alpha.backtest import Overrides
from engine_alpha.backtest.notes import history_notes
from engine_alpha.backtest.request import backtest_setup, gathered
from engine_alpha.backtest.run import road_of
from engine_alpha.home import Home
from engine_alpha.plans.history import History
from engine_alpha.store.months import write_bars
from tests.makers import HOUR_MS, random_bars
from tests.parity.stored import series, store, wanted
from tests.unit.loop.runs import QUICK, START_MS, a_home, edit

PAIR = ("ETHUSDT", "BTCUSDT")
NEEDS_FUNDING = {**QUICK, "entry": [{"signal": "funding_pressure", "at_least": -1000.0}]}
LEAVES_BY_FUNDING = {**QUICK, "exits": {"stop": {"atr": 2.0}, "when": NEEDS_FUNDING["entry"]}}


@pytest.fixture(autouse=True)
def no_cache_of_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep generated columns out of the developer's cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return 1,000 hours of two coins before START_MS and 100 after it, with funding."""
    return store(tmp_path_factory.mktemp("stored") / "data", series(PAIR, bars=1_100, before=1_000))


def notes(home: Home, history: History, **overrides: Any) -> tuple[str, ...]:
    setup = backtest_setup(home, history, Overrides(**overrides))
    found = gathered(setup, history)
    return history_notes(setup, history, found, road_of(setup, history, found).columns)


def change_contract(home: Home, **changes: Any) -> None:
    for file in home.instruments.glob("*.json"):
        edit(file, lambda found: found["instruments"]["ETHUSDT"].update(changes))


def test_a_history_that_has_everything_needs_no_note(data: Path, tmp_path: Path) -> None:
    assert notes(a_home(tmp_path / "home"), wanted(data, PAIR)) == ()


def test_bars_that_begin_late_or_end_early_are_told_once_for_all_coins_of_one_fate(
    data: Path, tmp_path: Path
) -> None:
    home = a_home(tmp_path / "home")
    late, unknown = notes(home, wanted(data, PAIR, first=-1_100, hours=200))
    assert late == "ETHUSDT, BTCUSDT: bars begin 2023-09-16 16:00, 101 bars after --from"
    assert unknown.endswith("card quick never enters: it asks for momentum_24, unknown on every bar")
    (early,) = notes(home, wanted(data, PAIR, first=50, hours=100))
    assert early.startswith("ETHUSDT, BTCUSDT: bars end 2023-11-01 12:00, 49 bars before --to; ")


def test_listing_and_settlement_are_told_and_explain_where_the_bars_end(data: Path, tmp_path: Path) -> None:
    home = a_home(tmp_path / "home")
    change_contract(home, listed_ms=START_MS + 10 * HOUR_MS)
    assert notes(home, wanted(data, PAIR)) == ("ETHUSDT: listed 2023-10-28 18:00; nothing is decided before",)
    change_contract(home, listed_ms=None, settled_ms=START_MS + 100 * HOUR_MS, successor="ETH2USDT")
    assert notes(home, wanted(data, ("ETHUSDT",), first=50, hours=100)) == (
        "ETHUSDT: settled 2023-11-01, successor ETH2USDT; a position is left before that",
    )


@pytest.mark.parametrize(
    ("card", "fate"), [(NEEDS_FUNDING, "never enters"), (LEAVES_BY_FUNDING, "never leaves by its conditions")]
)
def test_a_card_whose_input_is_missing_is_named(card: dict[str, Any], fate: str, tmp_path: Path) -> None:
    for symbol, bars in series(PAIR, bars=1_100, before=1_000).items():
        write_bars(tmp_path / "data", "bybit", symbol, "1h", bars)
    home = a_home(tmp_path / "home", cards=(card,))
    (note,) = notes(home, wanted(tmp_path / "data", PAIR))
    assert note == (
        f"ETHUSDT, BTCUSDT: card quick {fate}: it asks for funding_pressure, unknown on every bar;"
        " there is no funding in the data"
    )


def test_minutes_that_are_missing_are_counted(data: Path, tmp_path: Path) -> None:
    (note,) = notes(a_home(tmp_path / "home"), wanted(data, ("ETHUSDT",)), detail="1m")
    assert note == "ETHUSDT: no 1m bars inside 60 of 60 bars: there the stop counts first"


def test_a_card_that_can_not_be_read_is_named(data: Path, tmp_path: Path) -> None:
    (tmp_path / "cards").mkdir()
    (tmp_path / "cards" / "torn.json").write_text(json.dumps(QUICK)[:-5], encoding="utf-8")
    (note,) = notes(a_home(tmp_path / "home"), wanted(data, ("ETHUSDT",)), cards=tmp_path / "cards")
    assert note.startswith(f"a card is left out: {tmp_path / 'cards' / 'torn.json'}:") and "\n" not in note


def test_a_signal_that_is_known_on_the_first_bars_alone_is_known(tmp_path: Path) -> None:
    """Funding that stops early is unknown on the newest bar, but the card did see it."""
    bars = random_bars(1_100, first_index=START_MS // HOUR_MS - 1_000)
    data = store(tmp_path / "data", {"ETHUSDT": bars.between(0, START_MS + 10 * HOUR_MS)})
    write_bars(data, "bybit", "ETHUSDT", "1h", bars)
    home = a_home(tmp_path / "home", cards=(NEEDS_FUNDING,))
    assert notes(home, wanted(data, ("ETHUSDT",), hours=90)) == ()
