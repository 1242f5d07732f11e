"""What is known of a history before any set of parameters is played, and of a set before its first bar.

Regimes and scores are computed once a history; on which bars a card may fire once for every set of entry
rules. All of it holds for plain histories only, without holes or refusals: see `plain_spans`.
"""

from typing import Any, NamedTuple

import numpy as np

from engine_alpha.backtest.compiling import compiled, inlined
from engine_alpha.backtest.loop import stands_still
from engine_alpha.backtest.stepping import (
    World,
    rules_at,
)
from engine_alpha.backtest.world import Columns, Settings
from engine_alpha.domain.bar_checks import FROZEN_BARS, JUMP_FACTOR
from engine_alpha.domain.bars import Ints
from engine_alpha.domain.lookback import BLOCK, WARMUP
from engine_alpha.kernel.cards import entry_side
from engine_alpha.kernel.codes import ACTIVE
from engine_alpha.kernel.confidence import confidence_of, view_of
from engine_alpha.kernel.gates import regime_allowed
from engine_alpha.kernel.regime import regime_of
from engine_alpha.kernel.values import Bar, Facts, Features, Rules, View, Votes
from engine_alpha.step.asset_step import SETTLE_EXIT_MS

NAN = float("nan")
NO_VOTES = Votes(NAN, NAN, NAN, NAN, NAN)
NO_FACTS = Facts(0, 0, 0.0, 0, 0, 0, 0, 0, 0.0)


class Skim(NamedTuple):
    """What is known of each bar before any set of parameters is played; an asset's are rows [first, end).

    What is read together lies together: most of the time of a sweep goes into waiting for memory.
    """

    first: Any
    end: Any
    number: Any  # of the bar that would be row 0 of its asset
    window: Any  # number of the oldest bar that is there
    prices: Any  # row x (open, high, low, close, mark high, mark low, funding at the open, inside)
    unknown: Any  # 1 where no funding is known
    regime: Any
    direction: Any
    score: Any
    covered: Any  # 1 where some vote could be cast


class Signals(NamedTuple):
    """The signals that a set's conditions read and no others."""

    seen: Any  # row x signal
    before: Any  # row x signal, of the bar before
    conditions: Any  # asset x condition, as in `Settings`, with the signals' places here


class Fires(NamedTuple):
    """Rows on which a card may fire, ascending; an asset's are rows[first[a]:end[a]]."""

    rows: Any
    first: Any
    end: Any
    here: Any  # by row, 1 where a card may fire


class Known(NamedTuple):
    """All that is known before a set is played."""

    skim: Skim
    signals: Signals
    fires: Fires


def plain_spans(bars: Columns, settings: Settings, due: Ints) -> Ints | None:
    """Return the rows [first, end) of each asset that are stepped, one a tick; None if that is not so plain.

    It is where bars have no holes, none is refused as impossible, a jump or frozen, and no contract settles.
    """
    spans = [_plain_span(bars, settings, due, a) for a in range(len(settings.frame_ms))]
    found = [span for span in spans if span is not None]
    return np.array(found, np.int64) if len(found) == len(spans) else None


def _plain_span(bars: Columns, settings: Settings, due: Ints, a: int) -> tuple[int, int] | None:
    start, stop = int(bars.first[a]), int(bars.end[a])
    frame_ms, rows = int(settings.frame_ms[a]), slice(start, stop)
    if settings.settled_ms[a] - SETTLE_EXIT_MS <= due[a, 1] * frame_ms:
        return None
    if start == stop:
        return start, start
    number, close = bars.number[rows], bars.close[rows]
    jumps = (close[1:] > close[:-1] * JUMP_FACTOR) | (close[1:] * JUMP_FACTOR < close[:-1])
    holes = number[-1] - number[0] != len(number) - 1
    if holes or bars.wrong[rows].any() or jumps.any() or _stands_still_anywhere(bars, rows):
        return None
    listed = -(-int(settings.listed_ms[a]) // frame_ms) - 1  # the first bar that closes then or later
    edges = number.searchsorted([max(int(due[a, 0]), listed), int(due[a, 1])])
    first, end = (start + int(edge) for edge in edges)
    return first, max(first, end)


def _stands_still_anywhere(bars: Columns, rows: slice) -> bool:
    quiet = np.flatnonzero(bars.volume[rows] <= 0.0) + rows.start + 1
    return any(stands_still(bars, end) for end in quiet.tolist() if end - rows.start >= FROZEN_BARS)


def skim_of(world: World, spans: Ints) -> Skim:
    """Return what is known of all bars, computed once."""
    bars, count = world.bars, len(world.bars.open_ms)
    prices = (bars.open, bars.high, bars.low, bars.close, bars.mark_high, bars.mark_low)
    oldest = np.array([bars.number[first] if first < count else 0 for first in bars.first], np.int64)
    skim = Skim(
        first=spans[:, 0].copy(),
        end=spans[:, 1].copy(),
        number=oldest - bars.first,
        window=oldest,
        prices=np.stack((*prices, bars.funding_open, bars.funding_inside), axis=1),
        unknown=np.asarray(bars.funding_unknown, np.int8),
        regime=np.zeros(count, np.int8),
        direction=np.zeros(count, np.int8),
        score=np.zeros(count),
        covered=np.zeros(count, np.int8),
    )
    _views(world, skim)
    return skim


def signals_read(settings: Settings) -> tuple[int, ...]:
    """Return the signals that conditions read."""
    return tuple(np.unique(settings.conditions["signal"]).tolist())


def signals_of(bars: Columns, settings: Settings, read: tuple[int, ...]) -> Signals:
    """Return the signals that a set reads."""
    return signals_for(
        Signals(
            seen=bars.rows[:, read][bars.row_at], before=bars.rows[:, read][bars.row_at - 1], conditions=None
        ),
        settings,
        read,
    )


def signals_for(known: Signals, settings: Settings, read: tuple[int, ...]) -> Signals:
    """Return signals that are known with the conditions of another set that reads them."""
    conditions = settings.conditions.copy()
    conditions["signal"] = np.searchsorted(read, conditions["signal"])
    return known._replace(conditions=conditions)


def fires_of(world: World, skim: Skim, signals: Signals) -> Fires:
    """Return on which bars the cards of this set may fire."""
    here = np.zeros(len(world.bars.open_ms), np.int8)
    _mark_fires(world, skim, signals, here)
    rows = np.flatnonzero(here)
    return Fires(rows=rows, first=rows.searchsorted(skim.first), end=rows.searchsorted(skim.end), here=here)


@inlined
def bar_of(world: World, skim: Skim, a: int, row: int) -> Bar:
    """Return a bar, as `stepping.bar_at` does."""
    bars, prices, frame_ms = world.bars, skim.prices, world.settings.frame_ms[a]
    number = skim.number[a] + row
    open_ms = number * frame_ms
    count = bars.minute_count[row] if len(bars.minutes) > 0 else 0
    begin = bars.minute_first[row] if count > 0 else 0
    return Bar(
        number, open_ms, open_ms + frame_ms,
        prices[row, 0], prices[row, 1], prices[row, 2], prices[row, 3], 0.0,
        prices[row, 4], prices[row, 5], prices[row, 6], prices[row, 7],
        int(skim.unknown[row]), bars.minutes[begin : begin + count],
    )  # fmt: skip


@inlined
def facts_of(world: World, skim: Skim, rules: Rules, a: int, number: int) -> Facts:
    """Return what `stepping.facts_at` does where nothing is missing or late."""
    begin = max(skim.window[a], number // BLOCK * BLOCK - WARMUP)
    return Facts(0, number - begin + 1, 0.0, 0, 1, 1, 0, 0, rules.risk.spread_bps)


@inlined
def seen_at(bars: Columns, signals: Signals, row: int) -> Features:
    """Return what conditions see of a bar."""
    return Features(signals.seen[row], signals.before[row], bars.trend, bars.volatility, 1, NO_FACTS)


@inlined
def rules_on(world: World, signals: Signals, a: int) -> Rules:
    """Return an asset's rules, their conditions on these signals."""
    rules = rules_at(world.settings, a)
    return Rules(rules.asset, rules.risk, rules.parameters, rules.cards, signals.conditions[a])


@inlined
def view_at(skim: Skim, rules: Rules, row: int) -> View:
    """Return what is known of the view of a bar."""
    score = skim.score[row]
    covered = 1.0 if skim.covered[row] == 1 else 0.0
    confidence = confidence_of(score, rules.parameters)
    return View(skim.regime[row], skim.direction[row], score, confidence, covered, NO_VOTES)


def _view_rows(world: World, skim: Skim) -> None:
    bars = world.bars
    for a in range(len(world.settings.frame_ms)):
        rules = rules_at(world.settings, a)
        for row in range(skim.first[a], skim.end[a]):
            at = bars.row_at[row]
            seen = Features(
                bars.rows[at], bars.rows[at - 1], bars.trend, bars.volatility, bars.tail_at[row], NO_FACTS
            )
            view = view_of(seen, rules.parameters, regime_of(seen, rules.parameters))
            skim.regime[row] = view.regime
            skim.direction[row] = view.direction
            skim.score[row] = view.score
            skim.covered[row] = 1 if view.coverage > 0.0 else 0


@inlined
def is_barred(rules: Rules, view: View) -> bool:
    """Say whether a gate that depends on the bar alone says no to any entry; drawdown makes none looser."""
    parameters = rules.parameters
    if regime_allowed(view.regime, parameters).passed == 0 or not abs(view.score) >= parameters.neutral_zone:
        return True
    sure = view.confidence >= parameters.confidence_min
    return not (sure and rules.risk.spread_bps <= rules.risk.max_spread_bps)


def _fire_rows(world: World, skim: Skim, signals: Signals, fires: Any) -> None:
    """Mark the bars on which some card may fire, its record and its day aside."""
    for a in range(len(world.settings.frame_ms)):
        rules = rules_on(world, signals, a)
        for row in range(skim.first[a], skim.end[a]):
            view = view_at(skim, rules, row)
            if is_barred(rules, view):
                continue
            seen = seen_at(world.bars, signals, row)
            for i in range(len(rules.cards)):
                card = rules.cards[i]
                if card.status == ACTIVE and entry_side(rules, card, seen, view) != 0:
                    fires[row] = 1


_views = compiled(_view_rows)
_mark_fires = compiled(_fire_rows)
