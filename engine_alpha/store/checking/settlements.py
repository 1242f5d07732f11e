"""Funding settlements as they stand in a file: stamps, doubled ones, rates. Arrays only."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from engine_alpha.domain.bar_checks import DUPLICATED, NOT_A_NUMBER, OUT_OF_ORDER
from engine_alpha.domain.bars import Floats, Ints
from engine_alpha.store.checking.findings import (
    FUNDING_ABSURD,
    FUNDING_JITTER,
    FUNDING_PERCENT,
    GAPS,
    Finding,
    found,
    some,
)
from engine_alpha.store.checking.thresholds import LARGEST_RATE, LONGEST_HOLE_MS, PERCENT_RATE, STAMP_MS

HOUR_MS: Final = 3_600_000


def judge_settlements(stamped_ms: Ints, rate_frac: Floats) -> Iterator[Finding]:
    """Judge settlements in the order of the file."""
    if len(stamped_ms) == 0:
        return
    nominal = (stamped_ms + STAMP_MS // 2) // STAMP_MS * STAMP_MS
    late_ms = stamped_ms - nominal
    late = late_ms != 0
    saw = f"{some(late, 'settlement')} stamped up to {np.abs(late_ms).max()} ms off their minute"
    yield from found(FUNDING_JITTER, late, stamped_ms, saw, grave=False)
    steps = np.diff(nominal)
    if not (len(steps) and bool((steps < 0).all())):
        back = np.concatenate(([False], steps < 0))
        yield from found(OUT_OF_ORDER, back, nominal, f"time goes back at {some(back, 'row')}")
    _, first, place = np.unique(nominal, return_index=True, return_inverse=True)
    again = first[place] != np.arange(len(nominal))
    yield from found(DUPLICATED, again, nominal, f"{some(again, 'settlement')} of a time that stood before")
    yield from _judge_holes(np.unique(nominal))
    yield from _judge_rates(nominal, rate_frac)


def _judge_holes(times: Ints) -> Iterator[Finding]:
    """Judge only what no interval of a venue explains: they differ by symbol and change, up to a day."""
    steps = np.diff(times)
    hole = np.concatenate((steps > 24 * HOUR_MS, [False]))
    longest_ms = int(steps.max()) if len(steps) else 0
    saw = f"{some(hole, 'hole')}, the longest of {longest_ms / HOUR_MS:.0f} h"
    yield from found(GAPS, hole, times, saw, grave=longest_ms >= LONGEST_HOLE_MS)


def _judge_rates(times: Ints, rate_frac: Floats) -> Iterator[Finding]:
    unreal = ~np.isfinite(rate_frac)
    yield from found(NOT_A_NUMBER, unreal, times, f"{some(unreal, 'rate')} that is no number")
    sizes = np.abs(rate_frac[~unreal])
    usual = float(np.median(sizes)) if len(sizes) else 0.0
    if usual > PERCENT_RATE:
        saw = f"half of the rates are above {usual:g}: percent, not fractions"
        yield Finding(code=FUNDING_PERCENT, grave=True, count=len(sizes), first_ms=int(times[0]), saw=saw)
        return
    absurd = ~unreal & (np.abs(np.where(unreal, 0.0, rate_frac)) > LARGEST_RATE)
    yield from found(FUNDING_ABSURD, absurd, times, f"{some(absurd, 'rate')} above {LARGEST_RATE:g}")
