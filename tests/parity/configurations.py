"""Two hundred seeded random configurations: homes and histories in which every rule has something to say.

`configuration(seed, data)` writes the history into the folder `data` and returns how to make the home, and
the history to play. About 250 bars each, so that all of them can be rehearsed; most are loose enough to
trade often, and every limit is drawn tight now and then.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from engine_alpha.config.instruments import load_instruments
from engine_alpha.domain.asset import TIMEFRAME_MS
from engine_alpha.domain.bars import Bars
from engine_alpha.domain.resampling import resample
from engine_alpha.home import Home
from engine_alpha.plans.history import History
from tests.makers import HOUR_MS
from tests.parity import drawn_series as drawn
from tests.parity.drawn_homes import made_home
from tests.parity.drawn_series import Shelved
from tests.parity.plots import CATCH_UP_BARS, Coin, Plot, Random, Span, plot_of, topic

CONFIGURATIONS = 200
LOOK_BACK_BARS = 1_000
INSTRUMENTS = load_instruments(Path(__file__).resolve().parents[2] / "config" / "instruments", "bybit")
LOT_QUOTE = (0.02, 3.0)  # what the smallest order is worth
FEWEST_TICKS = 300  # in a price at the start

MakeHome = Callable[[Path], Home]


def configuration(seed: int, data: Path) -> tuple[MakeHome, History]:
    """Write the seed's history into `data`; return the maker of its home, and the history."""
    plot = plot_of(topic(seed, 0))
    data.mkdir(parents=True, exist_ok=True)
    for place, coin in enumerate(plot.coins):
        store_coin(topic(seed, 100 + place), plot, coin, data)
    symbols = tuple(coin.symbol for coin in plot.coins)
    history = History(data=data, venue=plot.venue, symbols=symbols, from_ms=plot.from_ms, to_ms=plot.to_ms)
    return lambda path: made_home(seed, plot, path), history


def store_coin(random: Random, plot: Plot, coin: Coin, data: Path) -> None:
    """Draw and store a coin's bars, minutes, funding and marks, with what is wrong with them."""
    span, shelf = coin.span, Shelved(data=data, venue=plot.venue, symbol=coin.symbol, flat=plot.flat)
    if random.random() < 0.01:
        return  # nothing stored at all
    walk = spoiled(random, plot, coin)
    bars = resample(walk, TIMEFRAME_MS[coin.stored])
    if plot.flat and random.random() < 0.08:
        bars = drawn.with_error(random, bars, span)
    if len(bars) == 0:
        return
    shelf.put(coin.stored, bars)
    if plot.detail:
        minutes = walk.between(span.from_ms - 24 * HOUR_MS, span.to_ms + HOUR_MS)
        missing_frac = 0.005 if random.random() < 0.5 else 0.0
        minutes = drawn.kept(minutes, random.random(len(minutes)) >= missing_frac)
        if len(minutes):
            shelf.put("1m", minutes)
    funding, marks = drawn.funding_of(random, bars, span), drawn.marks_of(random, walk, plot.flat)
    if funding is not None and len(funding.settled_ms):
        shelf.put_funding(funding)
    if marks is not None and len(marks):
        shelf.put("mark_1h", marks)
    if plot.flat and random.random() < 0.07:
        has_funding = funding is not None and len(funding.settled_ms) > 0
        shelf.damage(random, "funding" if has_funding and random.random() < 0.5 else coin.stored)


def spoiled(random: Random, plot: Plot, coin: Coin) -> Bars:
    """Return the coin's finest bars, with holes, a jump, a standstill, or all of them."""
    span = coin.span
    fine = "1m" if plot.detail else min(coin.stored, "1h", key=TIMEFRAME_MS.__getitem__)
    first_ms, end_ms = ends_of(random, coin)
    rules = INSTRUMENTS[coin.symbol]
    tick, lot = float(rules.tick_quote), float(rules.lot_base)
    price = max(FEWEST_TICKS * tick, LOT_QUOTE[0] / lot * (LOT_QUOTE[1] / LOT_QUOTE[0]) ** random.random())
    walk = drawn.walk(random, Span(timeframe=fine, from_ms=first_ms, to_ms=end_ms), price, tick)
    if plot.paused:
        walk = paused(random, walk, span)
    elif random.random() < 0.25:
        walk = drawn.with_holes(random, walk, span)
    if random.random() < 0.1:
        walk = drawn.with_jump(random, walk, span)
    if random.random() < 0.1:
        walk = drawn.with_standstill(random, walk, span)
    if random.random() < 0.03:
        walk = replace(walk, volume=np.zeros(len(walk)))
    return walk


def ends_of(random: Random, coin: Coin) -> tuple[int, int]:
    """Return where the stored series begins and ends: mostly long before and after the run."""
    span, look_back, lot = coin.span, LOOK_BACK_BARS, random.random()
    if lot < 0.1:
        look_back = int(random.integers(400, 640))  # not warm at first
    coarse_ms = 4 * HOUR_MS
    first_ms = (span.from_ms - look_back * span.frame_ms) // coarse_ms * coarse_ms
    if 0.1 <= lot < 0.13:
        first_ms = span.within(random) // coarse_ms * coarse_ms  # begins inside the run
    end_ms = span.to_ms + 4 * coarse_ms if coin.ends_ms is None else coin.ends_ms // coarse_ms * coarse_ms
    return first_ms, max(end_ms, first_ms + coarse_ms)


def paused(random: Random, walk: Bars, span: Span) -> Bars:
    """Leave out, or let stand still, more bars than a flat asset catches up with, from early in the run."""
    early = Span(timeframe=span.timeframe, from_ms=span.from_ms, to_ms=span.from_ms + 60 * span.frame_ms)
    if random.random() < 0.5:
        return drawn.with_standstill(random, walk, early, CATCH_UP_BARS)
    start = early.within(random)
    gone = (walk.open_ms >= start) & (walk.open_ms < start + CATCH_UP_BARS * span.frame_ms)
    return drawn.kept(walk, ~gone)
