"""`chloe data download` from the test exchange: the venue's bits, only what is missing, what goes wrong."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner, Result

from engine_alpha.cli.root import chloe
from engine_alpha.config.editing import set_value
from engine_alpha.domain.bars import Bars
from engine_alpha.feeds import ccxt_history
from engine_alpha.home import init_home
from engine_alpha.store.months import read_bars, read_funding, read_manifest, write_bars
from tests.contract.conftest import NOW_MS
from tests.exchange.candles import HOUR_MS, Series
from tests.exchange.running import RunningExchange

ROOT = Path(__file__).resolve().parents[2]
CLOSED_MS = NOW_MS // HOUR_MS * HOUR_MS
KLINES = {"bybit": "/kline", "binance": "/klines"}
COLUMNS = ("open", "high", "low", "close", "volume")
FROM = "2023-08-01"
FROM_MS = 1_690_848_000_000

Run = Callable[..., Result]
both_venues = pytest.mark.parametrize("venue", ["bybit", "binance"])


@pytest.fixture
def home(tmp_path: Path, exchange: RunningExchange, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "home"
    init_home(path)
    set_value(path / "config" / "engine.json", "venue_urls", {"bybit": exchange.url, "binance": exchange.url})
    monkeypatch.setenv("CHLOE_HOME", str(path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return path


@pytest.fixture
def run(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    monkeypatch.setattr(ccxt_history, "FIRST_PAUSE_S", 0.01)

    def invoke(venue: str, *more: str, symbols: str = "ETHUSDT", timeframe: str = "1h") -> Result:
        return CliRunner().invoke(chloe, words(venue, symbols, timeframe, *more), prog_name="chloe")

    yield invoke


def words(venue: str, symbols: str, timeframe: str, *more: str) -> list[str]:
    return ["data", "download", "--venue", venue, "--symbols", symbols, "--timeframe", timeframe, *more]


def source(exchange: RunningExchange, symbol: str = "ETHUSDT") -> Series:
    return exchange.market.listings[symbol].series[HOUR_MS]


def bars_of(series: Series, first_ms: int, end_ms: int) -> Bars:
    inside = (series.open_ms >= first_ms) & (series.open_ms < end_ms)
    columns = {name: series.values[inside][:, at].copy() for at, name in enumerate(COLUMNS)}
    return Bars(timeframe_ms=HOUR_MS, open_ms=series.open_ms[inside], **columns)


def same_bits(bars: Bars, other: Bars, but_volume: bool = False) -> bool:
    names = ("open_ms", *COLUMNS[: 4 if but_volume else 5])
    return all(getattr(bars, name).tobytes() == getattr(other, name).tobytes() for name in names)


def files_in(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def asked(exchange: RunningExchange) -> int:
    """Return how many requests for candles there were."""
    return len(exchange.paths("kline") + exchange.paths("klines"))


def settlements_asked(exchange: RunningExchange) -> int:
    """Return how many requests for funding there were."""
    return len(exchange.paths("funding/history") + exchange.paths("fundingRate"))


@both_venues
def test_all_closed_bars_of_the_span_are_stored_bit_for_bit(
    run: Run, home: Path, exchange: RunningExchange, venue: str
) -> None:
    result = run(venue, "--from", FROM, symbols="ETHUSDT,SOLUSDT")
    assert result.exit_code == 0, result.output
    for symbol in ("ETHUSDT", "SOLUSDT"):
        stored = read_bars(home / "data", venue, symbol, "1h")
        assert same_bits(stored, bars_of(source(exchange, symbol), FROM_MS, CLOSED_MS))
    assert int(stored.close_ms[-1]) == CLOSED_MS, "the forming bar is not among them"
    assert "ETHUSDT" in result.stdout and "absent" in result.stdout


@both_venues
def test_again_nothing_is_asked_for_and_no_byte_changes(
    run: Run, home: Path, exchange: RunningExchange, venue: str
) -> None:
    run(venue, "--from", FROM)
    before, requests = files_in(home / "data"), asked(exchange)
    assert run(venue, "--from", FROM).exit_code == 0
    assert files_in(home / "data") == before and asked(exchange) == requests


def test_later_it_goes_on_after_the_last_stored_bar(run: Run, home: Path, exchange: RunningExchange) -> None:
    run("bybit", "--from", FROM)
    exchange.market.clock.set(NOW_MS + 3 * HOUR_MS)
    exchange.market.requests.clear()
    result = run("bybit", "--json")
    (series,) = json.loads(result.stdout)["series"]
    assert (series["new_rows"], series["last_ms"]) == (3, CLOSED_MS + 2 * HOUR_MS)
    (request,) = [each for each in exchange.market.requests if each["path"].endswith("/kline")]
    assert int(request["query"]["start"]) == CLOSED_MS
    assert int(request["query"]["end"]) == CLOSED_MS + 3 * HOUR_MS - 1


def test_holes_in_the_span_are_filled_and_nothing_else_is_asked_for(
    run: Run, home: Path, exchange: RunningExchange
) -> None:
    whole = bars_of(source(exchange), FROM_MS, CLOSED_MS)
    for first, end in ((0, 300), (310, 900), (901, len(whole))):
        part = whole.between(int(whole.open_ms[first]), int(whole.close_ms[end - 1]))
        write_bars(home / "data", "bybit", "ETHUSDT", "1h", part)
    assert len(read_manifest(home / "data/bybit/ETHUSDT/1h").gaps) == 2
    (series,) = json.loads(run("bybit", "--json").stdout)["series"]
    assert (series["new_rows"], series["absent_bars"], series["gaps"]) == (11, 0, [])
    assert asked(exchange) == 2
    assert same_bits(read_bars(home / "data", "bybit", "ETHUSDT", "1h"), whole)


def test_an_earlier_beginning_is_added_in_front(run: Run, home: Path, exchange: RunningExchange) -> None:
    run("binance", "--from", "2023-10-01")
    run("binance", "--from", FROM)
    stored = read_bars(home / "data", "binance", "ETHUSDT", "1h")
    assert same_bits(stored, bars_of(source(exchange), FROM_MS, CLOSED_MS))


def test_a_span_is_cut_to_the_hour(run: Run, home: Path) -> None:
    run("bybit", "--from", "2023-08-01T12:30", "--to", "2023-08-02T01:30")
    stored = read_bars(home / "data", "bybit", "ETHUSDT", "1h")
    assert (int(stored.open_ms[0]), len(stored)) == (FROM_MS + 13 * HOUR_MS, 12)


def test_without_a_beginning_it_starts_with_the_listing(
    run: Run, home: Path, exchange: RunningExchange
) -> None:
    first_ms = int(source(exchange).open_ms[0])
    exchange.market.listings["ETHUSDT"].listed_ms = first_ms + 5 * HOUR_MS + 1
    run("bybit")
    assert int(read_bars(home / "data", "bybit", "ETHUSDT", "1h").open_ms[0]) == first_ms + 6 * HOUR_MS


def test_a_settled_contract_ends_with_its_settlement(run: Run, home: Path, exchange: RunningExchange) -> None:
    exchange.market.listings["ETHUSDT"].settled_ms = CLOSED_MS - 100 * HOUR_MS
    assert run("bybit", "--from", FROM).exit_code == 0
    assert int(read_bars(home / "data", "bybit", "ETHUSDT", "1h").close_ms[-1]) == CLOSED_MS - 100 * HOUR_MS


@both_venues
def test_funding_and_mark_prices_come_along(
    run: Run, home: Path, exchange: RunningExchange, venue: str
) -> None:
    assert run(venue, "--from", FROM, "--funding", "--mark").exit_code == 0
    mark = read_bars(home / "data", venue, "ETHUSDT", "mark_1h")
    assert same_bits(mark, bars_of(source(exchange), FROM_MS, CLOSED_MS), but_volume=True)
    assert not mark.volume.any()
    funding = read_funding(home / "data", venue, "ETHUSDT")
    listed = exchange.market.listings["ETHUSDT"].funding
    told = [(at, rate) for at, rate in listed if FROM_MS <= at <= NOW_MS]
    assert list(zip(funding.settled_ms.tolist(), funding.rate_frac.tolist(), strict=True)) == told
    assert len(told) > 300
    before, requests = files_in(home / "data"), settlements_asked(exchange)
    assert run(venue, "--from", FROM, "--funding", "--mark").exit_code == 0
    assert files_in(home / "data") == before
    assert settlements_asked(exchange) == requests + 1, "only what may have been settled since the last one"


@both_venues
def test_a_busy_venue_is_asked_again(run: Run, home: Path, exchange: RunningExchange, venue: str) -> None:
    exchange.market.faults.add(
        kind="status", path="kline" if venue == "bybit" else "klines", value=503, times=3
    )
    assert run(venue, "--from", FROM).exit_code == 0
    stored = read_bars(home / "data", venue, "ETHUSDT", "1h")
    assert same_bits(stored, bars_of(source(exchange), FROM_MS, CLOSED_MS))


def test_a_venue_that_stays_away_ends_it_and_what_came_before_is_kept(
    run: Run, home: Path, exchange: RunningExchange
) -> None:
    exchange.market.faults.add(kind="status", path="kline", symbol="SOLUSDT", value=503)
    result = run("bybit", "--from", FROM, symbols="ETHUSDT,SOLUSDT")
    assert result.exit_code == 4 and "HTTP 503" in result.stderr
    assert len(read_bars(home / "data", "bybit", "ETHUSDT", "1h")) > 2_000
    exchange.market.faults.clear()
    assert run("bybit", "--from", FROM, symbols="ETHUSDT,SOLUSDT").exit_code == 0


@pytest.mark.parametrize("kind", ["nan", "zero", "duplicate", "out_of_order", "high_below_low", "short_row"])
def test_pages_that_can_not_be_true_are_not_stored_and_the_next_coin_is(
    run: Run, home: Path, exchange: RunningExchange, kind: str
) -> None:
    exchange.market.faults.add(kind=kind, path="kline", symbol="ETHUSDT")
    result = run("bybit", "--from", FROM, "--json", symbols="ETHUSDT,SOLUSDT")
    broken, whole = json.loads(result.stdout)["series"]
    assert result.exit_code == 3
    assert broken["fault"] and (broken["rows"], broken["new_rows"]) == (0, 0)
    assert whole["fault"] is None and whole["rows"] > 2_000
    assert not (home / "data/bybit/ETHUSDT").exists()


def test_a_bad_page_after_good_ones_costs_only_what_follows(
    run: Run, home: Path, exchange: RunningExchange
) -> None:
    series = source(exchange)
    spoiled = series.values.copy()
    spoiled[series.open_ms == CLOSED_MS - 50 * HOUR_MS, 1] = 0.0  # a high of zero in the last page
    listing = exchange.market.listings["ETHUSDT"]
    listing.series[HOUR_MS] = Series(HOUR_MS, series.open_ms, spoiled, series.decimals)
    assert run("bybit", "--from", FROM).exit_code == 3
    assert len(read_bars(home / "data", "bybit", "ETHUSDT", "1h")) == 2_000
    listing.series[HOUR_MS] = series
    assert run("bybit", "--from", FROM).exit_code == 0
    stored = read_bars(home / "data", "bybit", "ETHUSDT", "1h")
    assert same_bits(stored, bars_of(series, FROM_MS, CLOSED_MS))


def test_bars_that_the_venue_leaves_out_are_said_and_asked_for_again(
    run: Run, home: Path, exchange: RunningExchange
) -> None:
    exchange.market.faults.add(kind="hole", path="kline", value=(5, 2), times=1)
    result = run("bybit", "--from", FROM, "--json")
    (series,) = json.loads(result.stdout)["series"]
    assert (series["absent_bars"], series["gaps"]) == (2, [[FROM_MS + 5 * HOUR_MS, 2]])
    assert "the venue has no 2 bars of the span" in run_table(run, exchange)
    assert json.loads(run("bybit", "--from", FROM, "--json").stdout)["series"][0]["absent_bars"] == 0


def run_table(run: Run, exchange: RunningExchange) -> str:
    """Return what is said for people while the venue still leaves the bars out."""
    exchange.market.faults.add(kind="empty", path="kline", times=1)
    return run("bybit", "--from", FROM).stderr


@pytest.mark.parametrize(
    ("more", "words_wanted"),
    [
        (("--symbols", "ETHUSD"), "bybit has no perpetual ETHUSD; did you mean"),
        (("--symbols", ","), "--symbols names no coin"),
        (("--from", "2024-01-01", "--to", "2023-01-01"), "--from lies at or after the end"),
        (("--from", "yesterday"), "is no ISO time"),
        (("--timeframe", "7m"), "7m"),
        (("--venue", "kraken"), "kraken"),
    ],
)
def test_wrong_arguments_are_named_before_anything_is_stored(
    run: Run, home: Path, more: tuple[str, ...], words_wanted: str
) -> None:
    result = run("bybit", *more)
    assert result.exit_code == 2 and words_wanted in result.stderr
    assert not (home / "data").exists()


def test_a_span_without_bars_says_so(run: Run, home: Path) -> None:
    result = run("bybit", "--from", "2021-01-01", "--to", "2021-02-01")
    assert result.exit_code == 3 and "the venue has none of that time" in result.stderr
    assert not (home / "data").exists()


def test_a_flat_file_is_not_hidden_behind_new_months(run: Run, home: Path, exchange: RunningExchange) -> None:
    flat = home / "data/candles/BYBIT_ETHUSDT_1h.parquet"
    flat.parent.mkdir(parents=True)
    pl.DataFrame({"timestamp": np.array([FROM_MS])}).write_parquet(flat)
    result = run("bybit", "--from", FROM)
    assert result.exit_code == 2 and f"chloe data import {flat}" in result.stderr
    assert asked(exchange) == 0


def test_a_disk_that_refuses_is_a_matter_of_configuration(run: Run, home: Path) -> None:
    (home / "data").write_text("a file in the way")
    assert run("bybit", "--from", FROM).exit_code == 2


@pytest.mark.parametrize(
    ("venue", "ending", "code"), [("bybit", signal.SIGKILL, -9), ("binance", signal.SIGINT, 130)]
)
def test_stopped_half_way_and_begun_again_it_ends_with_the_same_bits(
    run: Run, home: Path, exchange: RunningExchange, venue: str, ending: signal.Signals, code: int
) -> None:
    assert run(venue, "--from", FROM, "--funding").exit_code == 0
    whole = files_in(home / "data")
    (home / "data").rename(home / "in one go")
    exchange.market.requests.clear()
    exchange.market.faults.add(kind="delay", path=KLINES[venue], value=400)
    process = stopped(home, exchange, venue, ending)
    assert process.returncode == code
    kept = len(read_bars(home / "data", venue, "ETHUSDT", "1h"))
    if ending == signal.SIGINT:
        assert "what is done is kept: the same command goes on from there" in process.stderr
        assert kept == 1_500, "the whole page before"
    else:
        assert kept == 31 * 24, "the month that was complete"
    exchange.market.faults.clear()
    exchange.market.requests.clear()
    assert run(venue, "--from", FROM, "--funding").exit_code == 0
    assert files_in(home / "data") == whole
    assert all(int(first) >= FROM_MS + kept * HOUR_MS for first in starts(exchange))


def starts(exchange: RunningExchange) -> list[str]:
    """Return since when candles were asked for."""
    queries = [
        each["query"] for each in exchange.market.requests if each["path"].endswith(("kline", "klines"))
    ]
    return [query.get("start") or query["startTime"] for query in queries]


def stopped(
    home: Path, exchange: RunningExchange, venue: str, ending: signal.Signals
) -> "subprocess.CompletedProcess[str]":
    """Run the command as a process, and end it while its second page of candles is under way."""
    command = [
        sys.executable,
        "-m",
        "engine_alpha",
        *words(venue, "ETHUSDT", "1h", "--from", FROM, "--funding"),
    ]
    environment: dict[str, Any] = {**os.environ, "CHLOE_HOME": str(home)}
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    give_up_s = time.monotonic() + 30.0
    while asked(exchange) < 2 and time.monotonic() < give_up_s:
        time.sleep(0.01)
    process.send_signal(ending)
    out, err = process.communicate(timeout=30)
    return subprocess.CompletedProcess(command, process.returncode, out, err)
