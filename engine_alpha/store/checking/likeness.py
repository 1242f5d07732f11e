"""Whether a series looks like a real market, and like the one it is said to be. Arrays only."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from engine_alpha.domain.bar_checks import off_tick_frac
from engine_alpha.domain.bars import Bars, Floats
from engine_alpha.store.checking.findings import SYNTHETIC, TESTNET, WRONG_MARKET, Finding
from engine_alpha.store.checking.thresholds import (
    FINEST_PRICE,
    LEAST_BARS,
    OFF_FINEST_FRAC,
    OFF_TICK_FRAC,
    STRETCH_BARS,
    TESTNET_JOINT_FRAC,
    TESTNET_JOINTS,
    TESTNET_RANGE_OVER_MOVE,
    TESTNET_SIGNS,
    TESTNET_VOLUME_WITH_RANGE,
    TESTNET_WICK,
    TICK_BARS,
    WALK_KURTOSIS,
    WALK_RANGE_MEMORY,
    WALK_SIGNS,
    WALK_SIGNS_OF_STRETCH,
    WALK_VOLUME_MEMORY,
    WALK_VOLUME_WITH_RANGE,
)
from engine_alpha.store.checking.times import rows_of

FLOAT_NOISE: Final = 2.0**-50


def judge_likeness(bars: Bars) -> Iterator[Finding]:
    """Judge a series, and each stretch of it, by the signs of test networks and of made-up walks."""
    if len(bars) < LEAST_BARS:
        return
    stretches = [rows_of(bars, np.arange(start, stop)) for start, stop in _stretches(len(bars))]
    walks = [_walk_signs(stretch) for stretch in stretches]
    made_up = [len(signs) >= WALK_SIGNS_OF_STRETCH for signs in walks]
    if len(bars) >= STRETCH_BARS and not any(made_up) and len(whole := _walk_signs(bars)) >= WALK_SIGNS:
        stretches, walks, made_up = [bars], [whole], [True]
    yield from _told(SYNTHETIC, stretches, walks, made_up)
    if not any(made_up):
        nets = [_testnet_signs(stretch) for stretch in stretches]
        yield from _told(TESTNET, stretches, nets, [len(signs) >= TESTNET_SIGNS for signs in nets])


def judge_ticks(bars: Bars, ticks_quote: dict[str, float], known_from_ms: int) -> Iterator[Finding]:
    """Judge the bars after `known_from_ms` by the ticks of the venues that the series may be of."""
    first = int(np.searchsorted(bars.open_ms, known_from_ms))
    known = rows_of(bars, np.arange(first, len(bars)))
    if len(known) < TICK_BARS or not ticks_quote:
        return
    off = {venue: off_tick_frac(known, tick) for venue, tick in ticks_quote.items()}
    if min(off.values()) <= OFF_TICK_FRAC:
        return
    told = ", ".join(f"{off[venue]:.0%} off {venue}'s tick {tick:g}" for venue, tick in ticks_quote.items())
    count = round(min(off.values()) * len(known))
    saw = f"of {len(known)} bars {told}: another market's prices"
    yield Finding(code=WRONG_MARKET, grave=True, count=count, first_ms=int(known.open_ms[0]), saw=saw)


def _stretches(rows: int) -> list[tuple[int, int]]:
    starts = list(range(0, max(rows - STRETCH_BARS, 0) + 1, STRETCH_BARS))
    return [(start, rows if start == starts[-1] else start + STRETCH_BARS) for start in starts]


def _told(code: str, stretches: list[Bars], signs: list[list[str]], judged: list[bool]) -> Iterator[Finding]:
    at = [place for place, is_so in enumerate(judged) if is_so]
    if not at:
        return
    count = sum(len(stretches[place]) for place in at)
    saw = f"{count} bars in {len(at)} of {len(judged)} stretches; at first {', '.join(signs[at[0]])}"
    first_ms = int(stretches[at[0]].open_ms[0])
    yield Finding(code=code, grave=True, count=count, first_ms=first_ms, saw=saw)


def _walk_signs(bars: Bars) -> list[str]:
    """Return what speaks for prices and volumes that a program drew."""
    ranges, returns = bars.high - bars.low, np.diff(np.log(bars.close))
    kurtosis = _kurtosis(returns)
    volume_with_range = _rank_correlation(bars.volume, ranges)
    range_memory = _rank_correlation(ranges[1:], ranges[:-1])
    volume_memory = _rank_correlation(bars.volume[1:], bars.volume[:-1])
    too_fine = _finer_than_any_venue_frac(bars)
    return [
        sign
        for is_so, sign in (
            (kurtosis < WALK_KURTOSIS, f"returns without fat tails (kurtosis {kurtosis:.1f})"),
            (volume_with_range < WALK_VOLUME_WITH_RANGE, f"volume knows no range ({volume_with_range:.2f})"),
            (range_memory < WALK_RANGE_MEMORY, f"ranges have no memory ({range_memory:.2f})"),
            (volume_memory < WALK_VOLUME_MEMORY, f"volumes have no memory ({volume_memory:.2f})"),
            (too_fine > OFF_FINEST_FRAC, f"{too_fine:.0%} of prices finer than 1e-8"),
        )
        if is_so
    ]


def _testnet_signs(bars: Bars) -> list[str]:
    """Return what speaks for a test network: few traders, so prices jump about on little volume."""
    ranges = np.log(bars.high / bars.low)
    moved = ranges > 0.0
    wick = 1.0 - np.abs(np.log(bars.close / bars.open))[moved] / ranges[moved]
    move = float(np.median(np.abs(np.diff(np.log(bars.close)))))
    joints = float(np.mean(np.abs(bars.open[1:] / bars.close[:-1] - 1.0) > TESTNET_JOINT_FRAC))
    usual_wick = float(np.median(wick)) if len(wick) else 0.0
    over_move = float(np.median(ranges)) / move if move > 0.0 else 0.0
    volume_with_range = _rank_correlation(bars.volume, ranges)
    return [
        sign
        for is_so, sign in (
            (usual_wick > TESTNET_WICK, f"wicks are {usual_wick:.0%} of ranges"),
            (over_move > TESTNET_RANGE_OVER_MOVE, f"ranges are {over_move:.1f} × the moves"),
            (joints > TESTNET_JOINTS, f"{joints:.0%} of opens are off the last close"),
            (
                volume_with_range < TESTNET_VOLUME_WITH_RANGE,
                f"volume knows little of ranges ({volume_with_range:.2f})",
            ),
        )
        if is_so
    ]


def _kurtosis(values: Floats) -> float:
    from_mean = values - values.mean()
    variance = float(np.mean(from_mean**2))
    return float(np.mean(from_mean**4)) / variance**2 if variance > 0.0 else np.inf


def _rank_correlation(left: Floats, right: Floats) -> float:
    """Return the correlation of ranks; 0 for values that are all alike."""
    a, b = (
        np.argsort(np.argsort(each, kind="stable"), kind="stable").astype(float) for each in (left, right)
    )
    a, b = a - a.mean(), b - b.mean()
    spread = float(np.sqrt(np.mean(a * a) * np.mean(b * b)))
    return float(np.mean(a * b)) / spread if spread > 0.0 else 0.0


def _finer_than_any_venue_frac(bars: Bars) -> float:
    """Return the part of bars with a price between multiples of 1e-8, as far as floats can tell."""
    units = np.stack((bars.open, bars.high, bars.low, bars.close)) / FINEST_PRICE
    off = np.abs(units - np.rint(units)) > 0.01 + units * FLOAT_NOISE
    return float(np.mean(off.any(axis=0)))
