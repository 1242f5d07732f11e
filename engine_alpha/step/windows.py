"""From a feed's reading to what the kernel decides on: the bar, its anchored window, the signals."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from engine_alpha.domain.bar_checks import check_order, fill_holes, window_hash
from engine_alpha.domain.bars import Bars, Funding, Reading
from engine_alpha.domain.lookback import first_bar
from engine_alpha.errors import DataError
from engine_alpha.kernel.regime import SPAN_BARS
from engine_alpha.kernel.signals import SIGNALS, TREND_SCORE, VOLATILITY_RANK_384, signal_table
from engine_alpha.kernel.values import Bar, Facts, Features

UNKNOWN_ROW = (float("nan"),) * len(SIGNALS)


class Missing(NamedTuple):
    """What had to be made up in a window."""

    window_bars: int
    filled_frac: float
    recent_gap_bars: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """One bar's anchored window, digested: the kernel's bar, its features without facts, the hash seen."""

    bar: Bar
    row: tuple[float, ...]
    before: tuple[float, ...]
    trend: list[float]
    volatility: list[float]
    missing: Missing
    bars_hash: str

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
    table = signal_table(filled.bars, funding)
    tail = table[-SPAN_BARS - 1 :]
    return Window(
        bar=bar_of(bars, reading.funding, at),
        row=tuple(table[-1].tolist()),
        before=tuple(table[-2].tolist()) if len(table) > 1 else UNKNOWN_ROW,
        trend=tail[:, TREND_SCORE].tolist(),
        volatility=tail[:, VOLATILITY_RANK_384].tolist(),
        missing=Missing(len(filled.bars), filled.filled_frac, filled.recent_gap_bars),
        bars_hash=window_hash(filled.bars),
    )


def check_funding(funding: Funding) -> None:
    """Raise `DataError` for settlements that would spoil money: no number, or times out of order."""
    times, rates = funding.settled_ms, funding.rate_frac
    if len(times) != len(rates) or not np.isfinite(rates).all():
        raise DataError("funding", f"{len(times)} settlements with {len(rates)} rates, one is no number")
    check_order(times)


def bar_of(bars: Bars, funding: Funding, at: int) -> Bar:
    """Return bar `at` for the kernel, with the funding that fell due since the bar before it closed.

    Settlements from the previous bar's close up to and including this open count at the open, later ones
    inside the bar. Outside of what the source knows funding is 0 and flagged.
    """
    open_ms = int(bars.open_ms[at])
    close_ms = open_ms + bars.timeframe_ms
    since_ms = int(bars.open_ms[at - 1]) + bars.timeframe_ms if at > 0 else open_ms
    times, rates = funding.settled_ms, funding.rate_frac
    first, opened, closed = (
        int(np.searchsorted(times, since_ms, side="left")),
        int(np.searchsorted(times, open_ms, side="right")),
        int(np.searchsorted(times, close_ms, side="left")),
    )
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
        _ordered_sum(rates[first:opened].tolist()),
        _ordered_sum(rates[opened:closed].tolist()),
        0 if funding.from_ms <= open_ms and close_ms <= funding.to_ms else 1,
        (),
    )


def _ordered_sum(rates: list[float]) -> float:
    total = 0.0
    for rate in rates:
        total += rate
    return total
