"""The figures: false promotions, power, delays, false alarms; beside them what the reference found."""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from benchmarks.evidence.playing import Told, told
from benchmarks.evidence.streams import EARLY, FAT, TWO_POINT, Rs, Shape, drawn, with_gaps
from engine_alpha.kernel.evidence import (
    SCALE_R,
    STAKE_HIGH,
    STAKE_LOW,
    STAKE_MIDDLE,
    EvidenceTerms,
)

PROMOTION_TRADES, WATCHED_TRADES, DECAY_AT = 3_000, 5_000, 300
DEGRADED_PF = 0.9
NO_LIMIT = 1e12
SHAPES = (TWO_POINT, with_gaps(TWO_POINT), EARLY, with_gaps(EARLY), FAT, with_gaps(FAT))
BEYOND = with_gaps(TWO_POINT, "losses of 10 to 20 R", 0.004, (10.0, 20.0))
KNOWN = {
    (TWO_POINT.name, 0.9): "0.7 %",
    (TWO_POINT.name, 1.0): "4.1 %",
    (TWO_POINT.name, 1.3): "median 329",
    (TWO_POINT.name, 2.0): "median 54 (bolder stakes)",
}
UNCLIPPED = (1.0, 1.3, 2.0)
PLANTED = (0.9, 1.0, 1.2, 1.3, 1.5, 2.0)


class Row(NamedTuple):
    """One line of a table: what was played, and its cells."""

    group: str
    what: str
    cells: tuple[float | str, ...]
    reference: str
    proven: float | None = None  # share of coins falsely proven, on lines where the bound is claimed


def rows(seed: int, assets: int, terms: EvidenceTerms) -> Iterator[Row]:
    """Yield every line."""
    for job in jobs(seed, assets, terms):
        yield job()


def jobs(seed: int, assets: int, terms: EvidenceTerms) -> list[Callable[[], Row]]:
    """Return what makes each line, in order."""
    return [*_promotions(seed, assets, terms), *_watches(seed, assets, terms)]


def _promotions(seed: int, assets: int, terms: EvidenceTerms) -> list[Callable[[], Row]]:
    planted = [(place, shape, pf) for place, shape in enumerate(SHAPES) for pf in PLANTED]
    planted.append((len(SHAPES), BEYOND, 1.0))
    found: list[Callable[[], Row]] = [
        partial(promotion, (seed, place, int(pf * 100)), shape, pf, assets, terms)
        for place, shape, pf in planted
    ]
    whole = [partial(unclipped, (seed, 91, int(pf * 100)), pf, assets, terms) for pf in UNCLIPPED]
    return [*found, *whole, partial(naive, (seed, 90), assets)]


def _watches(seed: int, assets: int, terms: EvidenceTerms) -> list[Callable[[], Row]]:
    free = terms._replace(drawdown_limit_r=NO_LIMIT, daily_loss_limit_r=NO_LIMIT)
    found: list[Callable[[], Row]] = []
    for place, shape in enumerate(SHAPES):
        for name, used in (("detector", free), ("with limits", terms)):
            found.append(partial(healthy, (seed, 20 + place), shape, assets, used, name))
    for place, shape in enumerate(SHAPES):
        for planted in product((DEGRADED_PF, 1.0), (0, DECAY_AT)):
            found.append(partial(decay, (seed, 40 + place), shape, planted, assets, free))
    return found


def count_of_rows() -> int:
    """Return how many lines `rows` yields."""
    return len(SHAPES) * (len(PLANTED) + 2 + 4) + len(UNCLIPPED) + 2


def promotion(seed: tuple[int, ...], shape: Shape, pf: float, assets: int, terms: EvidenceTerms) -> Row:
    """Plant a profit factor and see which coins are ever proven, and when."""
    win_frac = shape.win_frac_for_pf(pf)
    when = told(drawn(seed, shape, win_frac, assets, PROMOTION_TRADES), terms).proven
    claimed = share(when) if pf <= 1.0 and shape is not BEYOND else None
    return Row("promotion", shape.name, promoted(shape, pf, when), KNOWN.get((shape.name, pf), ""), claimed)


def naive(seed: tuple[int, ...], assets: int) -> Row:
    """Call a coin proven once its profit factor is 1.3 after 30 trades or more; it has no edge at all."""
    rs = drawn(seed, TWO_POINT, TWO_POINT.win_frac_for_pf(1.0), assets, 500)
    won, lost = np.cumsum(np.maximum(rs, 0.0), axis=1), np.cumsum(np.maximum(-rs, 0.0), axis=1)
    called = np.any(won[:, 29:] >= 1.3 * lost[:, 29:], axis=1)
    cells = ("PF 1", 0.0, share(called), "", "", "", "")
    return Row("promotion", "two sizes, by 'PF 1.3 at any n from 30 to 500'", cells, "45.6 %")


def unclipped(seed: tuple[int, ...], pf: float, assets: int, terms: EvidenceTerms) -> Row:
    """Prove coins with few large gains as if these counted whole: what the clip at 3 R costs them."""
    win_frac = FAT.win_frac_for_pf(pf)
    rs = drawn(seed, FAT, win_frac, assets, PROMOTION_TRADES)
    wealth = sum(
        np.cumprod(np.maximum(0.0, 1.0 + stake * rs / SCALE_R), axis=1) / 3.0
        for stake in (STAKE_LOW, STAKE_MIDDLE, STAKE_HIGH)
    )
    reached = np.asarray(wealth) >= 1.0 / terms.alpha
    when = np.where(reached.any(axis=1), reached.argmax(axis=1) + 1.0, np.inf)
    return Row("promotion", f"{FAT.name}, gains whole (not built)", promoted(FAT, pf, when), "")


def promoted(shape: Shape, pf: float, when: np.ndarray[Any, Any]) -> tuple[float | str, ...]:
    """Return the cells of a line of promotions."""
    mean_r = shape.mean_r(shape.win_frac_for_pf(pf))
    return f"PF {pf:g}", mean_r, share(when), share(when <= 330), share(when <= 1000), *middle(when)


def healthy(seed: tuple[int, ...], shape: Shape, assets: int, terms: EvidenceTerms, name: str) -> Row:
    """Watch coins that make the design mean for ever: every alarm is false."""
    seen = told(drawn(seed, shape, shape.win_frac_for_mean(terms.design_r), assets, WATCHED_TRADES), terms)
    runs = [float(np.minimum(each, WATCHED_TRADES).mean()) for each in (seen.halved, seen.paper)]
    cells = (
        name, share(seen.halved <= 100), share(seen.halved <= 200), runs[0],
        share(seen.paper <= 100), share(seen.paper <= 200), runs[1], share(seen.against <= 1000),
    )  # fmt: skip
    known = "12/55 %; 1.6/12 %" if shape is TWO_POINT and name == "detector" else ""
    return Row("false alarms", shape.name, cells, known)


def decay(
    seed: tuple[int, ...], shape: Shape, planted: tuple[float, int], assets: int, terms: EvidenceTerms
) -> Row:
    """Watch coins that make the design mean for `after` trades and then the planted profit factor.

    Delays count from the change, for coins that were not taken back before it.
    """
    pf, after = planted
    seen = _decayed(seed, shape, planted, assets, terms)
    kept = seen.paper > after
    halved, paper = (each[kept & (each > after)] - after for each in (seen.halved, seen.paper))
    against = seen.against[seen.against > after] - after
    cells = (f"PF {pf:g} after {after}", *middle(halved), *middle(paper), *middle(against))
    known = "84; 128 (221); 189 (426)" if shape is TWO_POINT and planted == (DEGRADED_PF, 0) else ""
    return Row("delay", shape.name, cells, known)


def _decayed(
    seed: tuple[int, ...], shape: Shape, planted: tuple[float, int], assets: int, terms: EvidenceTerms
) -> Told:
    pf, after = planted
    rs: Rs = drawn((*seed, 1), shape, shape.win_frac_for_pf(pf), assets, 2_500)
    if after:
        good = drawn((*seed, 2), shape, shape.win_frac_for_mean(terms.design_r), assets, after)
        rs = np.concatenate([good, rs], axis=1)
    return told(rs, terms)


def share(of: np.ndarray[Any, Any]) -> float:
    """Return the share of coins for which it holds, or that were ever told."""
    return float(np.mean(of if of.dtype == bool else np.isfinite(of)))


def middle(when: np.ndarray[Any, Any]) -> tuple[float, float]:
    """Return median and 90th percentile; infinite where so many never were."""
    if len(when) == 0:
        return np.inf, np.inf
    ordered = np.sort(when)
    return float(ordered[(len(ordered) - 1) // 2]), float(ordered[int(0.9 * (len(ordered) - 1))])
