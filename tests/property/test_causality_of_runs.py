"""A run knows nothing of the future: cut or garble what comes after any bar, and no earlier record changes.

Whole backtests over three coins and one account with caps that bind: a leak anywhere between the store and
the ledger would show. What is compared are the records' bytes, settlements and decisions alike.
"""

import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("numba", reason="numba is absent: the backtest extra is not installed, nothing to run")

from engine_alpha.backtest import run
from engine_alpha.domain.bars import Bars, Funding
from engine_alpha.home import Home
from engine_alpha.plans.history import History
from engine_alpha.store.shelf import open_shelf
from tests.makers import HOUR_MS
from tests.parity.drawn_series import PRICES, Shelved, kept, without_column_cache
from tests.parity.stored import THREE, series
from tests.unit.loop.runs import QUICK, ROOMY, START_MS, a_home, set_asset

RUN_HOURS = 500
LOOK_BACK = 1_000
CARDS = (
    {**QUICK, "scope": {"priority": -1}},
    {
        **QUICK,
        "name": "breakout",
        "scope": {"follows": "entry"},
        "entry": [{"signal": "channel_48", "crosses_above": 0.8}],
        "exits": {
            "stop": {"range": 2.0},
            "trailing": {"atr": 3.0},
            "when": [{"signal": "ema_spread_12_26", "at_most": 0.0}],
        },
    },
    {**QUICK, "name": "watched", "status": "shadow", "entry": [{"signal": "bollinger_z", "at_most": -1.0}]},
)
CAPS = {**ROOMY, "max_positions": 2, "exposure_cap_frac": 0.5, "daily_loss_frac": 0.01}


@dataclass(frozen=True, slots=True, kw_only=True)
class Coin:
    """One coin's series as they are."""

    bars: Bars
    funding: Funding
    marks: Bars | None


Change = Callable[[Coin, int, np.random.Generator], Coin]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A home, a span and the coins to run there; `records` of the run with nothing changed."""

    home: Home
    folder: Path
    venue: str
    from_ms: int
    to_ms: int
    coins: Mapping[str, Coin]
    records: dict[str, np.ndarray]

    def play(self, coins: Mapping[str, Coin], name: str) -> dict[str, np.ndarray]:
        """Store these coins, run, and return every coin's records."""
        data = self.folder / name
        for symbol, coin in coins.items():
            shelf = Shelved(data=data, venue=self.venue, symbol=symbol, flat=True)
            shelf.put("1h", coin.bars)
            shelf.put_funding(coin.funding)
            if coin.marks is not None:
                shelf.put("mark_1h", coin.marks)
        history = History(
            data=data, venue=self.venue, symbols=tuple(coins), from_ms=self.from_ms, to_ms=self.to_ms
        )
        result = run(self.home, history, keep_records=True)
        shutil.rmtree(data)
        return {symbol: result.records(symbol) for symbol in coins}


# ------------------------------------------------------------------ what is done to the future


def truncated(coin: Coin, cut_ms: int, random: np.random.Generator) -> Coin:
    """Return the coin without the bars and marks that open from `cut_ms` on, and the settlements after it."""
    marks = None if coin.marks is None else kept(coin.marks, coin.marks.open_ms < cut_ms)
    funding = other_funding(coin.funding, cut_ms, np.zeros(len(coin.funding.settled_ms), np.bool_), random)
    return Coin(bars=kept(coin.bars, coin.bars.open_ms < cut_ms), funding=funding, marks=marks)


def garbled(coin: Coin, cut_ms: int, random: np.random.Generator) -> Coin:
    """Return the coin with every number from `cut_ms` on another one, some of them impossible."""
    funding = other_funding(coin.funding, cut_ms, random.random(len(coin.funding.settled_ms)) < 0.7, random)
    marks = None if coin.marks is None else scrambled(coin.marks, cut_ms, random, 0.0)
    return Coin(bars=scrambled(coin.bars, cut_ms, random, 0.3), funding=funding, marks=marks)


def other_funding(funding: Funding, cut_ms: int, wanted: np.ndarray, random: np.random.Generator) -> Funding:
    """Return other rates after `cut_ms`, and only the `wanted` settlements; those at a close are known then.

    The last one stays: a stored series is known up to its last settlement, and that far it must reach.
    """
    late = funding.settled_ms > cut_ms
    keep = ~late | wanted
    keep[-1] = True
    rates = np.where(late, random.normal(0.0, 0.01, len(late)), funding.rate_frac)
    return Funding(settled_ms=funding.settled_ms[keep], rate_frac=rates[keep])


def scrambled(bars: Bars, cut_ms: int, random: np.random.Generator, impossible_frac: float) -> Bars:
    """Return the bars with another walk from `cut_ms` on, now and then with bars that can't be true."""
    late = np.flatnonzero(bars.open_ms >= cut_ms)
    columns = {name: getattr(bars, name).copy() for name in (*PRICES, "volume")}
    factor = np.cumprod(1.0 + random.normal(0.0, 0.05, len(late))) * random.choice([0.3, 1.0, 4.0])
    for name in PRICES:
        columns[name][late] *= factor
    columns["volume"][late] = random.gamma(2.0, 500.0, len(late))
    if len(late) and random.random() < impossible_frac:
        columns["close"][random.choice(late)] = np.nan
    return replace(bars, **columns)


def assert_blind(stage: Stage, changes: tuple[Change, ...], cuts: int, seed: int) -> int:
    """Change the future at random bars; return how many earlier records were compared."""
    random = np.random.default_rng(seed)
    compared = 0
    for turn in range(cuts):
        cut_ms = stage.from_ms + int(random.integers(1, (stage.to_ms - stage.from_ms) // HOUR_MS)) * HOUR_MS
        change = changes[turn % len(changes)]
        coins = {symbol: change(coin, cut_ms, random) for symbol, coin in stage.coins.items()}
        changed = stage.play(coins, f"{change.__name__}-{turn}")
        for symbol, whole in stage.records.items():
            before, after = (rows[rows["close_ms"] <= cut_ms] for rows in (whole, changed[symbol]))
            unchanged = before.tobytes() == after.tobytes()
            assert unchanged, first_change(symbol, before, after, cut_ms)
            compared += len(before)
    return compared


def first_change(symbol: str, before: np.ndarray, after: np.ndarray, cut_ms: int) -> str:
    """Say which record changed first, and in which fields."""
    if len(before) != len(after):
        return f"{symbol}: {len(before)} records before {cut_ms}, {len(after)} after the change"
    at = next(i for i in range(len(before)) if before[i].tobytes() != after[i].tobytes())
    names = before.dtype.names or ()
    fields = [name for name in names if before[name][at].tobytes() != after[name][at].tobytes()]
    return f"{symbol}: the record closing at {before['close_ms'][at]} knew of {cut_ms}: {', '.join(fields)}"


# ------------------------------------------------------------------ generated bars


@pytest.fixture(scope="module")
def no_cache_of_the_user(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        without_column_cache(patch, tmp_path_factory.mktemp("cache"))
        yield


def staged(folder: Path, venue: str, from_ms: int, coins: Mapping[str, Coin]) -> Stage:
    """Return the stage with its unchanged run played."""
    home = a_home(folder / "home", enabled=(), cards=CARDS, risk=CAPS)
    set_asset(home, next(iter(coins)), base_timeframe="4h")
    to_ms = from_ms + RUN_HOURS * HOUR_MS
    stage = Stage(
        home=home, folder=folder, venue=venue, from_ms=from_ms, to_ms=to_ms, coins=coins, records={}
    )
    return replace(stage, records=stage.play(coins, "whole"))


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory, no_cache_of_the_user: None) -> Stage:
    """Three random coins, one of them on four-hour bars, with funding and marks."""
    random = np.random.default_rng(5)
    coins = {}
    for symbol, bars in series(THREE, bars=4 * LOOK_BACK + RUN_HOURS, before=4 * LOOK_BACK).items():
        times = bars.open_ms[bars.open_ms % (8 * HOUR_MS) == 0]
        funding = Funding(settled_ms=times, rate_frac=np.round(random.normal(1e-4, 3e-4, len(times)), 8))
        coins[symbol] = Coin(bars=bars, funding=funding, marks=replace(bars, high=bars.high * 1.001))
    return staged(tmp_path_factory.mktemp("causal"), "bybit", START_MS, coins)


def test_the_run_has_something_to_hide(generated: Stage) -> None:
    rows = list(generated.records.values())
    assert sum(len(each) for each in rows) >= 1_000
    assert sum(int(np.count_nonzero(each["settlement.trade.side"])) for each in rows) >= 50


def test_no_record_changes_when_its_future_is_cut_or_garbled(generated: Stage) -> None:
    assert assert_blind(generated, (truncated, garbled), cuts=30, seed=1) >= 5_000


@pytest.mark.slow
@pytest.mark.timeout(1_800)
def test_no_record_changes_at_a_thousand_bars(generated: Stage) -> None:
    assert assert_blind(generated, (truncated, garbled), cuts=1_000, seed=2) >= 100_000


# ------------------------------------------------------------------ real candles


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory, shared_data: Path, no_cache_of_the_user: None) -> Stage:
    """Three coins in the spring of 2023, the first on four-hour bars."""
    from_ms = int(datetime(2023, 3, 1, tzinfo=UTC).timestamp()) * 1_000
    shelf = open_shelf(shared_data)
    coins = {}
    for symbol in THREE:
        bars, funding = shelf.bars("BINANCEUM", symbol, "1h"), shelf.funding("BINANCEUM", symbol)
        marks = shelf.mark("BINANCEUM", symbol, "1h")
        assert bars is not None and funding is not None
        first_ms, end_ms = from_ms - 4 * LOOK_BACK * HOUR_MS, from_ms + RUN_HOURS * HOUR_MS
        coins[symbol] = Coin(
            bars=bars.between(first_ms, end_ms),
            funding=funding.between(first_ms, end_ms),
            marks=None if marks is None else marks.between(first_ms, end_ms),
        )
    return staged(tmp_path_factory.mktemp("real"), "BINANCEUM", from_ms, coins)


def test_no_record_of_real_candles_changes_when_its_future_does(real: Stage) -> None:
    assert assert_blind(real, (truncated, garbled), cuts=30, seed=3) >= 5_000


@pytest.mark.slow
@pytest.mark.timeout(1_800)
def test_no_record_of_real_candles_changes_at_a_thousand_bars(real: Stage) -> None:
    assert assert_blind(real, (truncated, garbled), cuts=1_000, seed=4) >= 100_000
