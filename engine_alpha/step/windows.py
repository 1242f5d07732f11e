"""From a feed's reading to what the kernel decides on: the bar, its anchored window, the signals."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from engine_alpha.domain.bar_checks import check_order, fill_holes, window_hash
from engine_alpha.domain.bars import Bars, Floats, Funding, Ints, Reading
from engine_alpha.domain.detail import detail_of
from engine_alpha.domain.lookback import first_bar
from engine_alpha.errors import DataError
from engine_alpha.kernel.indicators import indicators_of
from engine_alpha.kernel.regime import SPAN_BARS
from engine_alpha.kernel.signals import NO_ROW, UNKNOWN, rank_at, readable, signals_at, trend_at
from engine_alpha.kernel.values import Bar, Facts, Features


class Missing(NamedTuple):
    """What had to be made up in a window."""

    window_bars: int
    filled_frac: float
    recent_gap_bars: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """One bar's anchored window, digested: the kernel's bar, its features without facts, the hashes seen.

    `minutes_hash` is None where no minutes were asked for, "" where they did not make up the bar.
    """

    bar: Bar
    row: tuple[float, ...]
    before: tuple[float, ...]
    trend: list[float]
    volatility: list[float]
    missing: Missing
    bars_hash: str
    minutes_hash: str | None

    def features(self, facts: Facts) -> Features:
        """Return the kernel's features with the facts of the moment."""
        return Features(self.row, self.before, self.trend, self.volatility, len(self.trend) - 1, facts)


def window_of(reading: Reading, at: int) -> Window:
    """Return the window of the reading's bar number `at` (its place in `reading.bars`, already checked)."""
    bars = reading.bars
    frame_ms = bars.timeframe_ms
    open_ms = int(bars.open_ms[at])
    first_ms = first_bar(open_ms // frame_ms) * frame_ms
    filled = fill_holes(bars.between(first_ms, open_ms + frame_ms), first_ms, open_ms)
    funding = reading.funding.between(first_ms, open_ms + frame_ms)
    last = len(filled.bars) - 1
    row, before, trend, volatility = NO_ROW, NO_ROW, [UNKNOWN], [UNKNOWN]
    if last > 0:
        known = readable(indicators_of(filled.bars, funding))
        row, before = signals_at(known, last), signals_at(known, last - 1)
        tail = range(max(0, last - SPAN_BARS), last + 1)
        trend, volatility = [trend_at(known, t) for t in tail], [rank_at(known, t) for t in tail]
    bar = bar_of(bars, reading.funding, at, reading.minutes)
    return Window(
        bar=bar,
        row=row,
        before=before,
        trend=trend,
        volatility=volatility,
        missing=Missing(len(filled.bars), filled.filled_frac, filled.recent_gap_bars),
        bars_hash=window_hash(filled.bars),
        minutes_hash=_minutes_hash(bar, reading.minutes),
    )


def check_funding(funding: Funding) -> None:
    """Raise `DataError` for settlements that would spoil money: no number, or times out of order."""
    times, rates = funding.settled_ms, funding.rate_frac
    if len(times) != len(rates) or not np.isfinite(rates).all():
        raise DataError("funding", f"{len(times)} settlements with {len(rates)} rates, one is no number")
    check_order(times)


def bar_of(bars: Bars, funding: Funding, at: int, minutes: Bars | None = None) -> Bar:
    """Return bar `at` for the kernel, with its minutes and the funding due since the bar before it closed.

    Settlements from the previous bar's close up to and including this open count at the open, later ones
    inside the bar. Outside of what the source knows funding is 0 and flagged.
    """
    open_ms = int(bars.open_ms[at])
    close_ms = open_ms + bars.timeframe_ms
    since_ms = int(bars.open_ms[at - 1]) + bars.timeframe_ms if at > 0 else open_ms
    due = due_funding(funding, bars.open_ms[at : at + 1], np.array([since_ms]), bars.timeframe_ms)
    high, low = float(bars.high[at]), float(bars.low[at])
    has_mark = len(bars.mark_high) > at and bars.mark_high[at] > 0.0 and bars.mark_low[at] > 0.0
    return Bar(
        open_ms // bars.timeframe_ms,
        open_ms,
        close_ms,
        float(bars.open[at]),
        high,
        low,
        float(bars.close[at]),
        float(bars.volume[at]),
        float(bars.mark_high[at]) if has_mark else high,
        float(bars.mark_low[at]) if has_mark else low,
        float(due.at_open_frac[0]),
        float(due.inside_frac[0]),
        int(due.unknown[0]),
        () if minutes is None else _inside(bars.between(open_ms, close_ms), minutes),
    )


def _inside(bar: Bars, minutes: Bars) -> tuple[tuple[float, ...], ...]:
    open_ms = int(bar.open_ms[0])
    return detail_of(bar, minutes.between(open_ms, open_ms + bar.timeframe_ms)).rows_of(0)


def _minutes_hash(bar: Bar, minutes: Bars | None) -> str | None:
    if minutes is None:
        return None
    return window_hash(minutes.between(bar.open_ms, bar.close_ms)) if len(bar.minutes) else ""


class DueFunding(NamedTuple):
    """Sums of funding rates by bar: due at its open, due inside it, and 1 where the source knows nothing."""

    at_open_frac: Floats
    inside_frac: Floats
    unknown: Ints


def due_funding(funding: Funding, open_ms: Ints, since_ms: Ints, timeframe_ms: int) -> DueFunding:
    """Return what falls due from `since_ms` through each open, and later inside each bar."""
    times, rates = funding.settled_ms, funding.rate_frac
    at_open, inside = np.zeros(len(open_ms)), np.zeros(len(open_ms))
    later = open_ms.searchsorted(times)  # the first bar that opens at the settlement or after it
    due = np.flatnonzero(later < len(open_ms))
    due = due[times[due] >= since_ms[later[due]]]
    np.add.at(at_open, later[due], rates[due])  # in order of time, as every road adds them up
    within = np.flatnonzero(later > 0)
    bar = later[within] - 1
    kept = times[within] < open_ms[bar] + timeframe_ms
    np.add.at(inside, bar[kept], rates[within[kept]])
    known = (funding.from_ms <= open_ms) & (open_ms + timeframe_ms <= funding.to_ms)
    return DueFunding(at_open, inside, np.where(known, 0, 1))
