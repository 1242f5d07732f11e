"""`chloe research run` fetches the newest candles from the test exchange: what is missing, and what fails."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from engine_alpha.cli.research_fetching import Fetched, fetch_newest
from engine_alpha.cli.root import chloe
from engine_alpha.config.editing import set_enabled, set_value
from engine_alpha.feeds import ccxt_history
from engine_alpha.home import Home, init_home
from engine_alpha.plans.history import History
from engine_alpha.research.night import NightRequest, one_at_a_time
from engine_alpha.store.months import read_bars, read_funding
from tests.contract.conftest import NOW_MS
from tests.exchange.candles import HOUR_MS, generated_listing
from tests.exchange.clock import ExchangeClock
from tests.exchange.market import Market
from tests.exchange.running import RunningExchange, running
from tests.unit.cli.conftest import edit

SYMBOLS = ("ETHUSDT", "BTCUSDT", "SOLUSDT")
BARS = 2_600
DAY_MS = 24 * HOUR_MS
MIDNIGHT_MS = NOW_MS // DAY_MS * DAY_MS
NIGHT, NEXT_NIGHT = "2023-11-14", "2023-11-15"
REFUSAL = (10001, "Symbol Is Invalid")
SEARCH = {
    "cards": {"momentum-long": ["exits.stop.range=4,8"]},
    "confidence_min": [0.2],
    "extra_cost_bps": 2.0,
    "complexity_penalty": 0.05,
}


@pytest.fixture
def exchange() -> Iterator[RunningExchange]:
    """Serve generated candles; the exchange's clock stands at NOW_MS, 30 hours before their end."""
    listings = [generated_listing(7, symbol, HOUR_MS, NOW_MS + 30 * HOUR_MS, BARS) for symbol in SYMBOLS]
    with running(Market(listings, ExchangeClock(NOW_MS))) as exchange:
        yield exchange


@pytest.fixture
def home(tmp_path: Path, exchange: RunningExchange, monkeypatch: pytest.MonkeyPatch) -> Home:
    """Return a home on real prices, with two coins enabled and a small search."""
    monkeypatch.setattr(ccxt_history, "FIRST_PAUSE_S", 0.001)
    home = Home(tmp_path / "home")
    init_home(home.path)
    set_value(home.engine, "venue_urls", {"bybit": exchange.url, "binance": exchange.url})
    set_value(home.engine, "feed", "venue")
    set_enabled(home.registry, "BTCUSDT", True)
    edit(home.config / "research.json", search=SEARCH)
    terms = {"folds": 2, "first_train_frac": 0.6, "embargo_days": 14}
    edit(home.config / "research.json", walk_forward=terms)
    return home


def run(home: Home, night: str, *more: str) -> Result:
    words = ["--home", str(home.path), "research", "run", "--night", night, "--jobs", "1", "--twins", "0"]
    return CliRunner().invoke(chloe, [*words, *more], prog_name="chloe")


def fetched(home: Home, night: str = NIGHT, **more: Any) -> Fetched:
    found = fetch_newest(
        home, NightRequest(night=night, at_ms=NOW_MS, **more), lambda what, done, total: None
    )
    assert found is not None
    return found


def last_line(home: Home) -> dict[str, Any]:
    """Return the newest line of the run log."""
    line: dict[str, Any] = json.loads((home.state / "research/runs.jsonl").read_text().splitlines()[-1])
    return line


def asked(exchange: RunningExchange) -> list[tuple[str, int]]:
    """Return the candles asked for: symbol, and since when."""
    told = [each["query"] for each in exchange.market.requests if each["path"].endswith("/kline")]
    return [(query["symbol"], int(query["start"])) for query in told]


def cut_off(home: Home) -> None:
    """Leave the home without a network: nothing listens on port 9."""
    set_value(home.engine, "venue_urls", {"bybit": "http://127.0.0.1:9"})


def end_of(home: Home, symbol: str) -> int:
    return int(read_bars(home.data, "bybit", symbol, "1h").close_ms[-1])


def test_a_home_without_candles_gets_them_and_the_night_works_on_them(
    home: Home, exchange: RunningExchange
) -> None:
    result = run(home, NIGHT, "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["symbols"] == ["ETHUSDT", "BTCUSDT"]
    first_ms = int(exchange.market.listings["ETHUSDT"].series[HOUR_MS].open_ms[0])
    bars = (MIDNIGHT_MS - first_ms) // HOUR_MS
    assert end_of(home, "ETHUSDT") == end_of(home, "BTCUSDT") == MIDNIGHT_MS
    assert int(read_funding(home.data, "bybit", "ETHUSDT").settled_ms[-1]) == MIDNIGHT_MS - 8 * HOUR_MS
    line = last_line(home)
    assert line["fetched"]["bars"] == {"ETHUSDT": bars, "BTCUSDT": bars}
    assert line["fetched"]["settlements"]["ETHUSDT"] > 300
    assert (line["fetched"]["faults"], line["fetched"]["away"]) == ({}, None)
    assert line["stages"]["fetching candles from bybit"]["done"] == 2

    # Later on the same day it works on the same bars, and goes on where it was.
    exchange.market.requests.clear()
    exchange.market.clock.set(NOW_MS + HOUR_MS)
    again = run(home, NIGHT, "--json")
    assert asked(exchange) == [] and last_line(home)["fetched"]["bars"] == {"ETHUSDT": 0, "BTCUSDT": 0}
    assert "0 units of work played, 2 kept from before" in json.loads(again.stdout)["notes"][0]


def test_the_next_night_asks_for_the_day_between_alone(home: Home, exchange: RunningExchange) -> None:
    fetched(home)
    exchange.market.requests.clear()
    exchange.market.clock.set(MIDNIGHT_MS + DAY_MS + HOUR_MS)
    assert fetched(home, NEXT_NIGHT).bars == {"ETHUSDT": 24, "BTCUSDT": 24}
    assert asked(exchange) == [("ETHUSDT", MIDNIGHT_MS), ("BTCUSDT", MIDNIGHT_MS)]
    assert not exchange.paths("risk-limit"), "no request a coin for what the download has no use for"


def test_a_coin_that_is_refused_leaves_the_others_and_is_looked_at_as_it_is_stored(
    home: Home, exchange: RunningExchange
) -> None:
    fetched(home)
    exchange.market.clock.set(MIDNIGHT_MS + DAY_MS + HOUR_MS)
    exchange.market.faults.add(kind="refuse", path="kline", symbol="ETHUSDT", value=REFUSAL)
    result = run(home, NEXT_NIGHT, "--json")
    assert result.exit_code == 0, result.output
    assert (end_of(home, "ETHUSDT"), end_of(home, "BTCUSDT")) == (MIDNIGHT_MS, MIDNIGHT_MS + DAY_MS)
    warning = next(line for line in result.stderr.splitlines() if line.startswith("ETHUSDT: 1h: "))
    assert "Symbol Is Invalid" in warning and warning.endswith("going on with what is stored")
    document = json.loads(result.stdout)
    assert document["symbols"] == ["ETHUSDT", "BTCUSDT"] and warning in document["notes"]
    assert list(last_line(home)["fetched"]["faults"]) == ["ETHUSDT"]


def test_no_download_asks_nothing_of_the_venue(home: Home, exchange: RunningExchange) -> None:
    result = run(home, NIGHT, "--no-download")
    assert result.exit_code == 2 and "no candles of bybit for any coin: chloe data download" in result.stderr
    assert exchange.market.requests == [] and last_line(home)["fetched"] is None


@pytest.mark.parametrize("feed", ["embedded", "files"])
def test_other_feeds_fetch_nothing(home: Home, exchange: RunningExchange, feed: str) -> None:
    set_value(home.engine, "feed", feed)
    assert run(home, NIGHT).exit_code == 2
    assert exchange.market.requests == [] and last_line(home)["fetched"] is None


def test_given_candles_and_spot_prices_fetch_nothing(home: Home, exchange: RunningExchange) -> None:
    history = History(data=home.data, venue="bybit", symbols=("ETHUSDT",), from_ms=0, to_ms=1)
    for more in ({"history": history}, {"venue": "BINANCE"}):
        wanted = NightRequest(night=NIGHT, at_ms=NOW_MS, **more)
        assert fetch_newest(home, wanted, lambda what, done, total: None) is None
    assert exchange.market.requests == []


def test_without_a_network_it_warns_once_and_goes_on_with_what_is_stored(
    home: Home, exchange: RunningExchange
) -> None:
    fetched(home)
    cut_off(home)
    result = run(home, NEXT_NIGHT)
    assert result.exit_code == 0, result.output
    assert result.stderr.count("going on with what is stored") == 1
    assert result.stderr.startswith("bybit gives no candles (") and last_line(home)["fetched"]["away"]


def test_without_a_network_and_candles_it_says_how_to_get_them(home: Home, exchange: RunningExchange) -> None:
    cut_off(home)
    result = run(home, NIGHT)
    assert result.exit_code == 2 and "no candles of bybit for any coin: chloe data download" in result.stderr


def test_a_venue_that_goes_away_half_way_is_not_asked_for_every_coin(
    home: Home, exchange: RunningExchange
) -> None:
    exchange.market.faults.add(kind="status", path="kline", value=503)
    found = fetched(home, symbols=SYMBOLS)
    assert list(found.faults) == ["ETHUSDT", "BTCUSDT"] and found.away is not None and "503" in found.away
    assert {symbol for symbol, _ in asked(exchange)} == {"ETHUSDT", "BTCUSDT"}


def test_a_venue_too_busy_for_one_coin_is_asked_for_the_next(home: Home, exchange: RunningExchange) -> None:
    exchange.market.faults.add(kind="status", path="kline", symbol="BTCUSDT", value=503)
    found = fetched(home, symbols=SYMBOLS)
    assert list(found.faults) == ["BTCUSDT"] and found.away is None
    assert end_of(home, "ETHUSDT") == end_of(home, "SOLUSDT") == MIDNIGHT_MS


def test_coins_that_are_off_but_have_candles_are_brought_up_to_date_too(
    home: Home, exchange: RunningExchange
) -> None:
    fetched(home, symbols=("SOLUSDT",))
    assert list(fetched(home).bars) == ["ETHUSDT", "BTCUSDT", "SOLUSDT"]


def test_a_coin_that_the_venue_has_not_or_the_disk_takes_not_is_named(
    home: Home, exchange: RunningExchange
) -> None:
    (home.data / "bybit").mkdir(parents=True)
    (home.data / "bybit" / "BTCUSDT").write_text("a file in the way")
    found = fetched(home, symbols=("ETHUSDT", "BTCUSDT", "ADAUSDT"))
    assert "can't be written" in found.faults["BTCUSDT"]
    assert end_of(home, "ETHUSDT") == MIDNIGHT_MS
    assert found.faults["ADAUSDT"]


def test_a_coin_that_the_registry_has_not_is_refused(home: Home, exchange: RunningExchange) -> None:
    result = run(home, NIGHT, "--symbols", "ETHUSDT,NOPEUSDT")
    assert result.exit_code == 2 and "NOPEUSDT is not in" in result.stderr
    assert exchange.market.requests == []


def test_while_another_night_runs_nothing_is_fetched(home: Home, exchange: RunningExchange) -> None:
    with one_at_a_time(home.account("research")):
        result = run(home, NIGHT)
    assert result.exit_code == 5 and "another night of research" in result.stderr
    assert exchange.market.requests == []
