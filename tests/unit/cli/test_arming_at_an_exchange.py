"""From `chloe live arm` to the first live tick, over HTTP, at the test exchange: its clock is the wall's."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine_alpha.loop.arming import FILE_NAME
from tests.exchange.bybit_signing import BybitKey
from tests.exchange.bybit_trading import BybitTrading
from tests.exchange.candles import HOUR_MS, generated_listing
from tests.exchange.clock import ExchangeClock
from tests.exchange.market import Market
from tests.exchange.running import RunningExchange, running
from tests.exchange.trading.book import TradingBook
from tests.unit.cli.conftest import Run
from tests.unit.cli.live_homes import KEY, PLANTED, SECRET, choose_environment, plant_keys


@pytest.fixture
def exchange(home: Path) -> Iterator[RunningExchange]:
    """Serve two coins and an account of 100,000 USDT, which the home's keys open."""
    now_ms = time.time_ns() // 1_000_000
    symbols = ("ETHUSDT", "BTCUSDT")  # the adapter looks at the account's mode through the second
    listings = [generated_listing(7, symbol, HOUR_MS, now_ms + 10 * HOUR_MS, 1_500) for symbol in symbols]
    market = Market(listings, ExchangeClock())
    account = BybitTrading(TradingBook(market, "bybit", 100_000.0), [BybitKey(key=KEY, secret=SECRET)])
    with running(market, [account]) as exchange:
        choose_environment(home, "loopback")
        lead_to(home, exchange.url)
        plant_keys(home)
        yield exchange


def lead_to(home: Path, url: str) -> None:
    file = home / "config" / "engine.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "venue_urls": {"bybit": url}}))


def test_an_armed_coin_is_stepped_live_and_a_disarmed_one_on_paper(
    home: Path, run: Run, exchange: RunningExchange
) -> None:
    assert run("instruments", "refresh", "--venue", "bybit", "--accept-settled").exit_code == 0
    made = run("live", "arm", "ETHUSDT", "--yes")
    assert made.exit_code == 0, made.output
    assert exchange.paths("/set-leverage") == ["/v5/position/set-leverage"]
    run("halt", "--account", "live-loopback")  # whatever the hour, nothing is entered
    ticked = run("tick", "--json")
    assert ticked.exit_code == 0, ticked.output
    assert "REAL ORDERS on loopback: ETHUSDT" in ticked.stderr
    assert [row["stage"] for row in json.loads(run("live", "status", "--json").stdout)["assets"]] == ["flat"]
    assert run("reconcile").exit_code == 0
    assert run("journal", "check", "--account", "live-loopback").exit_code == 0
    assert run("live", "disarm", "ETHUSDT").exit_code == 0
    after = run("tick")
    assert "REAL ORDERS" not in after.stderr, "a flat coin that is disarmed is paper's again"
    shown = (made, ticked, after)
    assert [part for part in PLANTED for result in shown if part in result.output] == []


def test_a_wrong_secret_is_told_and_not_shown(home: Path, run: Run, exchange: RunningExchange) -> None:
    plant_keys(home, text=json.dumps({"key": KEY, "secret": SECRET[::-1]}))
    result = run("live", "arm", "ETHUSDT", "--yes")
    assert result.exit_code == 2 and "ETHUSDT is not armed: bybit says no" in result.stderr, result.output
    assert [part for part in (*PLANTED, SECRET[::-1]) if part in result.output] == []
    assert not (home / "state" / "live-loopback" / FILE_NAME).exists()


def test_a_key_of_somebody_else_is_told_and_not_shown(
    home: Path, run: Run, exchange: RunningExchange
) -> None:
    plant_keys(home, text=json.dumps({"key": "PlantedOther", "secret": SECRET}))
    result = run("live", "arm", "ETHUSDT", "--yes")
    assert result.exit_code == 2 and "ETHUSDT is not armed: bybit says no" in result.stderr, result.output
    assert [part for part in PLANTED if part in result.output] == []


def test_an_exchange_that_is_gone_arms_nothing(home: Path, run: Run, exchange: RunningExchange) -> None:
    lead_to(home, "http://127.0.0.1:1")
    result = run("live", "arm", "ETHUSDT", "--yes")
    assert result.exit_code == 4 and result.stderr.count("\n") == 1, result.output
    assert [part for part in PLANTED if part in result.output] == []
    assert not (home / "state" / "live-loopback" / FILE_NAME).exists()
