"""One night of research: datasets, edges, twins, search, documents; a coin's fault leaves the others alone.

Nothing is half done: datasets and units are kept as they are finished, so an interrupted night goes on where
it stopped; its documents appear together at the end.
"""

import fcntl
import os
import resource
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np

from engine_alpha.atomic_files import uninterrupted
from engine_alpha.backtest.trials import ACCOUNT, TrialLedger
from engine_alpha.config.parameters import DEFAULT, read_config
from engine_alpha.config.research import ResearchConfig, read_research
from engine_alpha.errors import ConfigError, DataError, LockHeld
from engine_alpha.home import Home
from engine_alpha.plans.history import History, for_history
from engine_alpha.plans.setup import Setup, read_setup
from engine_alpha.research.coins import looked_at
from engine_alpha.research.documents import (
    AssetFindings,
    Document,
    NightFacts,
    asset_document,
    deciding_sha256,
    night_document,
    written,
)
from engine_alpha.research.executing import Kept, Pool, UnitRunner, cores, pool_of
from engine_alpha.research.findings import findings_of
from engine_alpha.research.null_rate import NullRecord, Twin, look_at
from engine_alpha.research.pages.nights import FOLDER, NIGHT_FILE
from engine_alpha.research.search.procedure import Investigation, Request, investigate
from engine_alpha.research.search.space import common_setup
from engine_alpha.research.statistics.snooping import superior

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and of how much."""

FEWEST_TRIALS: Final = 2
"""A test across trials needs as many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NightRequest:
    """What a night looks at. `history` is None for what the home has stored of its coins.

    `twins` is None for what research.json asks for. `symbols` and `venue` narrow what is stored; `notes` are
    words that the night's document keeps.
    """

    night: str
    at_ms: int
    history: History | None = None
    symbols: tuple[str, ...] = ()
    venue: str | None = None
    executor: str = "processes"
    jobs: int = field(default_factory=cores)
    twins: int | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NightResult:
    """What a night left behind: its folder, the document of all, one a coin, and faults by coin."""

    folder: Path
    document: Document
    assets: tuple[Document, ...]
    faults: Mapping[str, str]


def run_night(
    home: Home, wanted: NightRequest, progress: Progress = lambda what, done, total: None
) -> NightResult:
    """Do a night's work and write its documents to reports/research/NIGHT.

    Raises `ConfigError` where there is nothing to look at, `LockHeld` while another night runs, `DataError`
    where the disk takes no more or the workers keep dying.
    """
    started = time.perf_counter()
    terms = read_research(home.config / "research.json")
    history = wanted.history or stored_history(home, wanted)
    setup = common_setup(for_history(read_setup(home), history))
    state = home.account(ACCOUNT)
    with one_at_a_time(state), pool_of(wanted.executor, wanted.jobs) as pool:
        findings, edge = findings_of(home, setup, history, progress)
        null = NullRecord(state / "null", setup, history, terms)
        _look_at_twins(null, setup, history, (terms, wanted.twins), pool, progress)
        kept = Kept(state / "units")
        runner = UnitRunner(pool, kept)
        found = investigate(
            Request(setup=setup, history=history, terms=terms),
            run=runner,
            ledger=TrialLedger(home),
            null_rate=null.rate().test(terms),
            progress=lambda done, total: progress("playing trials", done, total),
        )
        kept.forget_unused()
    base = read_config(home.parameters / f"{DEFAULT}.json")
    decides = deciding_sha256(setup.cards)
    assets = tuple(
        asset_document(wanted.night, symbol, found, findings.get(symbol, AssetFindings()), base, decides)
        for symbol in history.symbols
    )
    facts = NightFacts(
        night=wanted.night,
        at_ms=wanted.at_ms,
        seconds=time.perf_counter() - started,
        peak_mib=peak_mib(),
        null_rate=null.fields(terms),
        snooping=_snooping(found, progress),
        edge=edge,
        notes=(_unit_words(runner), *wanted.notes),
    )
    document = night_document(facts, found, assets)
    folder = _filed(home, wanted.night, document, assets)
    return NightResult(folder=folder, document=document, assets=assets, faults=found.faults)


def stored_history(home: Home, wanted: NightRequest) -> History:
    """Return all that the home has stored of its coins at one venue: from the oldest bar to the newest.

    Which coins these are `looked_at` says. Raises `ConfigError`.
    """
    coins = looked_at(read_setup(home), wanted.venue, wanted.symbols)
    if not coins.spans:
        raise ConfigError(
            f"{coins.data} has no candles of {coins.venue} for any coin: "
            f"chloe data download --venue {coins.venue}"
        )
    return History(
        data=coins.data,
        venue=coins.venue,
        symbols=tuple(asset.symbol for asset in coins.assets),
        from_ms=min(first for first, _ in coins.spans.values()),
        to_ms=max(last for _, last in coins.spans.values()),
    )


def _look_at_twins(
    null: NullRecord,
    setup: Setup,
    history: History,
    asked: tuple[ResearchConfig, int | None],
    pool: Pool,
    progress: Progress,
) -> None:
    terms, count = asked
    twins = [
        Twin(number=number, setup=setup, history=history, terms=terms)
        for number in null.missing(terms, count)
    ]
    look_at(
        twins,
        null,
        pool.executor(),
        lambda done, total: progress("looking at twins without direction", done, total),
    )


def _snooping(found: Investigation, progress: Progress) -> dict[str, float | None]:
    """Return for every card the chance that its best variant is no better than nothing (SPA, consistent)."""
    values: dict[str, float | None] = {}
    for done, card in enumerate(found.played, start=1):
        returns = np.sum([result.daily for result in card.results], axis=0).T
        moving = returns[:, returns.std(axis=0) > 0.0]
        tested = superior(moving) if moving.shape[1] >= FEWEST_TRIALS else None
        values[card.space.card] = None if tested is None else tested.p_consistent
        progress("testing across trials", done, len(found.played))
    return values


def _unit_words(runner: UnitRunner) -> str:
    done = runner.done
    lost = f", {done.lost} times a worker was lost and its units played again" if done.lost else ""
    return f"{done.played} units of work played, {done.kept} kept from before{lost}"


def _filed(home: Home, night: str, document: Document, assets: Sequence[Document]) -> Path:
    """Write the documents beside their place and move them there together."""
    place = home.reports / FOLDER / night
    beside = place.with_name(f".{night}.{os.getpid()}")
    try:
        beside.mkdir(parents=True, exist_ok=True)
        for name, each in [(NIGHT_FILE, document), *((f"{one['symbol']}.json", one) for one in assets)]:
            (beside / name).write_bytes(written(each))
        if place.exists():
            old = place.with_name(f".{night}.old.{os.getpid()}")
            with uninterrupted():
                place.rename(old)
                beside.rename(place)
                shutil.rmtree(old, ignore_errors=True)
        else:
            beside.rename(place)
    except OSError as fault:
        raise DataError(
            "unwritable", f"{place} can't be written ({fault.strerror}): make room, and run it again"
        ) from fault
    finally:
        shutil.rmtree(beside, ignore_errors=True)  # it is there still only where something came between
    return place


@contextmanager
def one_at_a_time(state: Path) -> Iterator[None]:
    """Hold the lock of research's state; raise `LockHeld` while another night has it."""
    try:
        state.mkdir(parents=True, exist_ok=True)
        file = os.open(state / "night.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as fault:
        raise DataError(
            "unwritable", f"{state} can't be used ({fault.strerror}): give this user write access to it"
        ) from fault
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise LockHeld(f"another night of research runs in {state}: wait for it, or stop it") from None
    finally:
        os.close(file)


def peak_mib() -> float:
    """Return the most memory that this process or one of its workers had, in MiB."""
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return max(resource.getrusage(kind).ru_maxrss for kind in kinds) / 1024.0
