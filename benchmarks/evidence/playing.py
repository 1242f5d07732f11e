"""Many coins' trades through the kernel's evidence, trade by trade; the kernel's own functions, compiled."""

import inspect
from typing import Any, NamedTuple

import numba
import numpy as np
from numba.extending import register_jitable

from benchmarks.evidence.streams import Rs
from engine_alpha.kernel import evidence
from engine_alpha.kernel.evidence import (
    AGAINST,
    HALVE,
    NO_PROOF,
    NO_WATCH,
    PAPER,
    EvidenceTerms,
    Proof,
    Watch,
    evidence_of,
    proved,
    watched,
)

NEVER = np.inf
TRADES_A_DAY = 2
CHECKED = 3


class Told(NamedTuple):
    """When each coin was first told what, as the number of the trade from 1; `NEVER` if not at all."""

    proven: np.ndarray[Any, Any]
    against: np.ndarray[Any, Any]
    halved: np.ndarray[Any, Any]
    paper: np.ndarray[Any, Any]


def told(rs: Rs, terms: EvidenceTerms, watch_from: int = 0) -> Told:
    """Read every coin's trades after each of them, as a service would; `TRADES_A_DAY` on a day.

    `halved` and `paper` count from `watch_from`, `halved` is also set where paper came at once.
    """
    found = np.full((4, len(rs)), NEVER)
    _compiled()(rs, terms, watch_from, (NO_PROOF, NO_WATCH), found)
    result = Told(*found)
    for row in range(min(CHECKED, len(rs))):
        _check(rs[row], terms, watch_from, [float(each[row]) for each in result])
    return result


def _read(
    rs: Rs, terms: EvidenceTerms, watch_from: int, fresh: tuple[Proof, Watch], found: np.ndarray[Any, Any]
) -> None:
    for row in range(rs.shape[0]):
        proof, watch = fresh
        for place in range(rs.shape[1]):
            r = rs[row, place]
            proof = proved(proof, r, terms)
            if proof.best >= 1.0 / terms.alpha and found[0, row] == np.inf:
                found[0, row] = place + 1
            if proof.worst >= 1.0 / terms.alpha and found[1, row] == np.inf:
                found[1, row] = place + 1
            if place >= watch_from:
                watch = watched(watch, r, place // TRADES_A_DAY, terms)
                if watch.advice >= HALVE and found[2, row] == np.inf:
                    found[2, row] = watch.trades
                if watch.advice >= PAPER:
                    found[3, row] = min(found[3, row], watch.trades)


def _compiled() -> Any:
    if not _cache:
        for _, function in inspect.getmembers(evidence, inspect.isfunction):
            if function.__module__ == evidence.__name__:
                register_jitable(function)
        compiled: Any = numba.njit
        _cache.append(compiled(_read))
    return _cache[0]


_cache: list[Any] = []


def _check(rs: np.ndarray[Any, Any], terms: EvidenceTerms, watch_from: int, seen: list[float]) -> None:
    """Hold what the compiled kernel said against the plain one, at each of the trades it named."""
    plain = [float(each) for each in rs]
    days = [place // TRADES_A_DAY for place in range(len(plain))]

    def at(trades: int) -> evidence.Evidence:
        return evidence_of(plain[:trades], terms, days[:trades], watch_from)

    proven, against, halved, paper = seen
    told = [
        (proven, lambda n: at(n).e_value >= 1.0 / terms.alpha),
        (against, lambda n: at(n).verdict == AGAINST),
        (halved, lambda n: at(n + watch_from).advice >= HALVE),
        (paper, lambda n: at(n + watch_from).advice == PAPER),
    ]
    for when, holds in told:
        if when != NEVER and not (holds(int(when)) and not holds(int(when) - 1)):
            raise AssertionError(f"the compiled kernel said so at trade {when:.0f}, the plain one does not")
