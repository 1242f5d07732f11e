"""Made-up markets through the whole nightly procedure, in processes side by side: what null and power share.

`investigated` alone knows how the procedure is called and what it answers.
"""

import contextlib
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple, TypeVar

from scipy.stats import binom, binomtest

from engine_alpha.config.research import read_research
from engine_alpha.domain.bars import Floats
from engine_alpha.errors import ChloeError
from engine_alpha.home import CACHE_VARIABLE, cache_folder
from engine_alpha.plans.history import history_setup
from engine_alpha.research.markets.homes import written
from engine_alpha.research.markets.market import Market, Wanted
from engine_alpha.research.markets.planted import planted
from engine_alpha.research.markets.shuffled import shuffled
from engine_alpha.research.markets.walk import random_walk
from engine_alpha.research.search.procedure import Investigation, Request, investigate

ROOT = Path(__file__).resolve().parent.parent
WALK, SHUFFLED, PLANTED = "walk", "shuffled", "planted"

Given = TypeVar("Given")
Came = TypeVar("Came")
STOPPED = (KeyboardInterrupt, BrokenProcessPool)
"""What ends a run early: Ctrl-C, which the workers may hear first, or a worker that was killed."""
INTERRUPTED, FAILED = 130, 4
Move = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One market to make and to look through. `data` holds the real candles of a shuffled one."""

    kind: str
    wanted: Wanted
    strength: float = 0.0
    data: Path | None = None


class Gate(NamedTuple):
    """A gate's verdict on one card of one coin."""

    symbol: str
    card: str
    name: str
    passed: bool


class Claim(NamedTuple):
    """A card that a passing proposal would trade: its expected profit factor, and that out of sample."""

    symbol: str
    card: str
    expected: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What the procedure said of one market. `factors` are the cards' out of sample, all coins together."""

    job: Job
    note: str
    seconds: float
    claims: tuple[Claim, ...] = ()
    gates: tuple[Gate, ...] = ()
    factors: tuple[tuple[str, float | None, int], ...] = ()
    fault: str = ""

    @property
    def fired(self) -> bool:
        """Say whether any coin has a proposal that passes."""
        return bool(self.claims)


def made(job: Job) -> Market:
    """Return the market of a job."""
    if job.kind == PLANTED:
        return planted(job.wanted, job.strength)
    if job.kind == SHUFFLED and job.data is not None:
        return shuffled(job.wanted, job.data)
    return random_walk(job.wanted)


def investigated(job: Job) -> Found:
    """Make a market and let the procedure look for edges in it, with the shipped configuration."""
    started = time.perf_counter()
    market = made(job)
    with tempfile.TemporaryDirectory(prefix="chloe-market-") as folder:
        home, history = written(market, Path(folder) / "home")
        request = Request(
            setup=history_setup(home, history),
            history=history,
            terms=read_research(home.config / "research.json"),
        )
        try:
            answer = investigate(request)
        except ChloeError as fault:
            return Found(job=job, note=market.note, seconds=time.perf_counter() - started, fault=str(fault))
    shutil.rmtree(cache_folder() / "columns", ignore_errors=True)
    return _found(job, market, answer, time.perf_counter() - started)


def _found(job: Job, market: Market, answer: Investigation, seconds: float) -> Found:
    claims, gates = [], []
    for proposal in answer.proposals:
        for test in proposal.tests:
            card, _, name = test.name.rpartition(":")
            gates.append(Gate(proposal.symbol, card, name, test.passed))
        if proposal.passes:
            for each in proposal.cards:
                told = each.expected
                claims.append(
                    Claim(proposal.symbol, each.card, told.factor, told.factor_low, told.factor_high)
                )
    return Found(
        job=job,
        note=market.note,
        seconds=seconds,
        claims=tuple(claims),
        gates=tuple(gates),
        factors=tuple((each.card, each.factor.value, each.factor.trades) for each in answer.verdicts),
        fault="; ".join(f"{symbol}: {why}" for symbol, why in answer.faults.items()),
    )


def side_by_side(
    work: Callable[[Given], Came], given: Sequence[Given], workers: int, move: Move
) -> Iterator[Came]:
    """Give results as they come, in any order; on Ctrl-C those that have come, then one of `STOPPED`.

    Decoded columns go to a cache that is thrown away: nobody reads a made-up market twice.
    """
    with tempfile.TemporaryDirectory(prefix="chloe-caches-") as folder:
        compiled = cache_folder() / "compiled"
        pool = ProcessPoolExecutor(
            workers,
            mp_context=get_context("spawn"),  # a fork of a process in which Polars has worked would hang
            initializer=_begin,
            initargs=(Path(folder), compiled),
        )
        waiting = {pool.submit(work, each) for each in given}
        done = 0
        try:
            while waiting:
                come, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                for each in come:
                    done += 1
                    move(done, len(given))
                    yield each.result()
        finally:
            pool.shutdown(cancel_futures=True)


def _begin(folder: Path, compiled: Path) -> None:
    """Let a worker die quietly of Ctrl-C, and keep what it decodes to itself; compiled code is shared."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    mine = folder / str(os.getpid())
    (mine / "chloe").mkdir(parents=True)
    with contextlib.suppress(OSError):
        compiled.mkdir(parents=True, exist_ok=True)
        (mine / "chloe" / "compiled").symlink_to(compiled, target_is_directory=True)
    os.environ[CACHE_VARIABLE] = str(mine)


def told_why(fault: BaseException, done: int, of: int) -> int:
    """Say on standard error why a run ended early and how far it came; return the exit code."""
    killed = isinstance(fault, BrokenProcessPool)
    why = " because a worker ended by itself: look for what killed it" if killed else ""
    print(f"stopped after {done} of {of} markets{why}", file=sys.stderr)
    return FAILED if killed else INTERRUPTED


def data_folder(told: Path | None) -> Path | None:
    """Return the folder of real candles: as told, $CHLOE_DATA, or beside the checkout; None if absent."""
    folder = told or Path(os.environ.get("CHLOE_DATA", ROOT.parent / "shared" / "data"))
    return folder if (folder / "candles").is_dir() else None


def share_with_interval(hits: int, of: int) -> tuple[float, float, float]:
    """Return a share and its exact 95 % interval (Clopper and Pearson, Biometrika 26, 1934)."""
    if of == 0:
        return 0.0, 0.0, 1.0
    interval = binomtest(hits, of).proportion_ci(0.95, method="exact")
    return hits / of, float(interval.low), float(interval.high)


def median_with_interval(values: Floats) -> tuple[float, float, float]:
    """Return the median and a 95 % interval from order statistics, which asks nothing of the distribution.

    Its ends are those between which the median lies with at least 95 %; of fewer than 6 values the extremes.
    """
    ordered = sorted(float(each) for each in values)
    count = len(ordered)
    if count == 0:
        return float("nan"), float("nan"), float("nan")
    low = max(0, int(binom.ppf(0.025, count, 0.5)) - 1)
    middle = (ordered[(count - 1) // 2] + ordered[count // 2]) / 2.0
    return middle, ordered[low], ordered[count - 1 - low]
