"""Two series of one coin beside each other: the same market from two hands, or two markets. Arrays only."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine_alpha.domain.bars import Bars
from engine_alpha.domain.resampling import resample
from engine_alpha.store.checking.findings import (
    LOCAL_TIMES,
    NEVER_CORRECTED,
    NO_OVERLAP,
    TIMEFRAMES,
    VENDORS,
    WRONG_MARKET,
    Finding,
)
from engine_alpha.store.checking.thresholds import (
    APART_BARS_FRAC,
    APART_FRAC,
    DIFFERING_FRAC,
    EQUAL_CLOSES_FRAC,
    LEAST_BARS,
    MOVED_HOURS,
    SAME_PRICE_FRAC,
    SAME_VOLUME_FRAC,
)
from engine_alpha.store.checking.times import rows_of

HOUR_MS: Final = 3_600_000
PRICES: Final = ("open", "high", "low", "close")
Marks = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """The bars that two series have at the same times, and what the other one is called."""

    bars: Bars
    other: Bars
    name: str


def paired(bars: Bars, other: Bars, name: str) -> Pair:
    """Return what both have; of two timeframes the finer one is resampled. Both are in order of time."""
    step_ms = max(bars.timeframe_ms, other.timeframe_ms)
    bars, other = _coarser(bars, step_ms), _coarser(other, step_ms)
    _, left, right = np.intersect1d(bars.open_ms, other.open_ms, return_indices=True)
    return Pair(bars=rows_of(bars, left), other=rows_of(other, right), name=name)


def judge_same_market(pair: Pair, code: str = VENDORS) -> Iterator[Finding]:
    """Judge two accounts of one market, which should agree to the last digit."""
    if len(pair.bars) == 0:
        yield _no_overlap(pair)
        return
    apart = _price_distance(pair)
    differing = (apart > SAME_PRICE_FRAC) | _volume_differs(pair)
    count = int(np.count_nonzero(differing))
    if count == 0:
        return
    share = count / len(pair.bars)
    first_ms = int(pair.bars.open_ms[np.flatnonzero(differing)[0]])
    early, late = _inside(pair.bars, pair.other)[differing], _inside(pair.other, pair.bars)[differing]
    saw = f"{count} of {len(pair.bars)} bars ({share:.2%}) differ from {pair.name}'s, {_worst(pair, apart)}"
    if bool(early.all()) or bool(late.all()):
        whose = "here" if early.all() else f"in {pair.name}"
        saw += f"; {whose} each is the beginning of the other's bar"
        yield Finding(code=NEVER_CORRECTED, grave=count > 1, count=count, first_ms=first_ms, saw=saw)
        return
    still = np.count_nonzero(differing & (_stands_still(pair.bars) != _stands_still(pair.other)))
    saw += f"; {still} of them stand still in one and trade in the other" if still else ""
    yield Finding(code=code, grave=share > DIFFERING_FRAC, count=count, first_ms=first_ms, saw=saw)


def judge_other_market(pair: Pair) -> Iterator[Finding]:
    """Judge two markets of one coin: near each other, and never the same."""
    if len(pair.bars) == 0:
        yield _no_overlap(pair)
        return
    first_ms = int(pair.bars.open_ms[0])
    equal = float(np.mean(pair.bars.close == pair.other.close))
    if equal > EQUAL_CLOSES_FRAC:
        saw = f"{equal:.0%} of closes are those of {pair.name}, which is another market"
        yield Finding(code=WRONG_MARKET, grave=True, count=len(pair.bars), first_ms=first_ms, saw=saw)
        return
    apart = np.abs(pair.bars.close / pair.other.close - 1.0)
    far = apart > APART_FRAC
    share = float(np.mean(far))
    if far.any():
        first_ms = int(pair.bars.open_ms[np.flatnonzero(far)[0]])
        saw = (
            f"{np.count_nonzero(far)} of {len(far)} closes ({share:.2%}) are more than "
            f"{APART_FRAC * 10_000:.0f} bps from {pair.name}'s, {_worst(pair, apart)}"
        )
        grave, count = share > APART_BARS_FRAC, int(np.count_nonzero(far))
        yield Finding(code=VENDORS, grave=grave, count=count, first_ms=first_ms, saw=saw)


def judge_timeframes(finer: Bars, coarser: Bars, name: str) -> Iterator[Finding]:
    """Judge a series by a finer one of the same market, resampled."""
    pair = paired(coarser, finer, name)
    if len(pair.bars):
        yield from judge_same_market(pair, TIMEFRAMES)


def judge_clocks(bars: Bars, other: Bars, name: str) -> Iterator[Finding]:
    """Find out whether the bars fit the other's after moving them by whole hours."""
    if max(bars.timeframe_ms, other.timeframe_ms) > HOUR_MS or len(bars) < LEAST_BARS:
        return
    moved = {hours: _alike_frac(bars, other, hours) for hours in range(-MOVED_HOURS, MOVED_HOURS + 1)}
    best = max(moved, key=lambda hours: (moved[hours], -abs(hours)))
    if best != 0 and moved[best] > 0.5 and moved[best] > 2.0 * moved[0]:
        saw = f"{moved[best]:.0%} of closes are {name}'s of {best:+d} h: local times, or stamped at the close"
        yield Finding(code=LOCAL_TIMES, grave=True, count=len(bars), first_ms=int(bars.open_ms[0]), saw=saw)


def _alike_frac(bars: Bars, other: Bars, hours: int) -> float:
    pair = paired(replace(bars, open_ms=bars.open_ms + hours * HOUR_MS), other, "")
    if len(pair.bars) < LEAST_BARS:
        return 0.0
    return float(np.mean(np.abs(pair.bars.close / pair.other.close - 1.0) < SAME_PRICE_FRAC))


def _coarser(bars: Bars, step_ms: int) -> Bars:
    return resample(bars, step_ms) if step_ms % bars.timeframe_ms == 0 else bars


def _price_distance(pair: Pair) -> NDArray[np.float64]:
    """Return how far the farthest price of each bar lies from the other's, as a fraction."""
    ratios = [np.abs(getattr(pair.bars, name) / getattr(pair.other, name) - 1.0) for name in PRICES]
    farthest: NDArray[np.float64] = np.max(ratios, axis=0)
    return farthest


def _volume_differs(pair: Pair) -> Marks:
    mine, other = pair.bars.volume, pair.other.volume
    known = np.isfinite(mine) & np.isfinite(other)
    differs: Marks = known & (
        np.abs(mine - other) > SAME_VOLUME_FRAC * np.maximum(np.abs(mine), np.abs(other))
    )
    return differs


def _inside(bars: Bars, other: Bars) -> Marks:
    """Mark bars that can be the beginning of the other's: same open, extremes inside, less volume."""
    inside: Marks = (
        (bars.open == other.open)
        & (bars.high <= other.high)
        & (bars.low >= other.low)
        & (bars.volume < other.volume)
    )
    return inside


def _stands_still(bars: Bars) -> Marks:
    still: Marks = (bars.high == bars.low) & (bars.volume == 0.0)
    return still


def _worst(pair: Pair, apart: NDArray[np.float64]) -> str:
    at = int(np.argmax(apart))
    when = datetime.fromtimestamp(int(pair.bars.open_ms[at]) / 1_000, UTC).strftime("%Y-%m-%d %H:%M")
    return f"at worst by {apart[at] * 10_000:.1f} bps at {when}"


def _no_overlap(pair: Pair) -> Finding:
    saw = f"no bar of the same time in {pair.name}"
    return Finding(code=NO_OVERLAP, grave=False, count=0, first_ms=None, saw=saw)
