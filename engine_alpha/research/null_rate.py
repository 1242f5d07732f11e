"""How often the whole procedure fires where there is nothing to find: on twins of the night's own history.

A twin has the coins' real bars with the signs of their returns flipped in blocks, all coins alike:
volatility, tails and what coins have in common stay, direction is gone. The rate over all twins that this
procedure ever saw is a gate of every proposal; another procedure (code, cards, limits, search) counts anew.
"""

import json
import tempfile
from collections.abc import Iterable, Sequence
from concurrent.futures import Executor, Future
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import numpy as np
from scipy.special import betaincinv

from engine_alpha.atomic_files import write_atomically
from engine_alpha.backtest.compiling import code_key
from engine_alpha.config.hashing import hash_config
from engine_alpha.config.research import ResearchConfig
from engine_alpha.domain.bars import Bars, Floats
from engine_alpha.errors import ChloeError, DataError
from engine_alpha.plans.history import History
from engine_alpha.plans.setup import Setup
from engine_alpha.research.markets.homes import refined
from engine_alpha.research.markets.market import FINER
from engine_alpha.research.markets.shuffled import block_signs, mirrored
from engine_alpha.research.search.judging import Test
from engine_alpha.research.search.procedure import Request, investigate
from engine_alpha.research.search.space import common_setup
from engine_alpha.store.months import write_bars
from engine_alpha.store.shelf import open_shelf

SEED: Final = 20_240_616
SCHEMA: Final = 1
LEVEL: Final = 0.95
MOST_PLACES: Final = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Twin:
    """One twin to look at: which number, of which history, with which configuration."""

    number: int
    setup: Setup = field(repr=False)
    history: History
    terms: ResearchConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the procedure did on a twin: `fired` with any coin, or why it could not be played."""

    number: int
    fired: bool
    fault: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NullRate:
    """How often the procedure fired, with its Clopper-Pearson interval; `value` is None before any twin."""

    twins: int
    fired: int
    value: float | None
    low: float | None
    high: float | None

    def test(self, terms: ResearchConfig) -> Test:
        """Return the gate: too few twins do not pass."""
        enough = self.twins >= terms.null.twins
        seen = self.value if enough else None
        limit = terms.gates.null_rate_max
        told = "" if enough else f"; {self.twins} of {terms.null.twins} twins so far"
        return Test(
            name="null_rate",
            passed=seen is not None and seen <= limit,
            seen=seen,
            limit=limit,
            is_most=True,
            words=f"how often this procedure fires on histories without direction{told}",
        )


def rate_of(twins: int, fired: int) -> NullRate:
    """Return the rate with its exact 95 % interval (Clopper, Pearson 1934)."""
    if twins == 0:
        return NullRate(twins=0, fired=0, value=None, low=None, high=None)
    tail = (1.0 - LEVEL) / 2.0
    low = float(betaincinv(fired, twins - fired + 1, tail)) if fired > 0 else 0.0
    high = float(betaincinv(fired + 1, twins - fired, 1.0 - tail)) if fired < twins else 1.0
    return NullRate(twins=twins, fired=fired, value=fired / twins, low=low, high=high)


def seen_on(twin: Twin) -> Seen:
    """Run the procedure on one twin; nothing of it is counted as a trial of the real history."""
    try:
        with tempfile.TemporaryDirectory(prefix="chloe-twin-") as folder:
            found = investigate(request_of(twin, Path(folder)))
    except (ChloeError, OSError) as fault:
        return Seen(number=twin.number, fired=False, fault=str(fault))
    return Seen(number=twin.number, fired=any(proposal.passes for proposal in found.proposals))


def request_of(twin: Twin, folder: Path) -> Request:
    """Write a twin's bars into a folder and return what to investigate, on ticks as fine as its prices.

    On the venue's own tick a price that wandered down would stand on a few of them, and jump by percents.
    """
    history = _written(twin, folder)
    return Request(setup=refined(twin.setup), history=history, terms=twin.terms)


def _written(twin: Twin, folder: Path) -> History:
    """Write the twin's bars, and return the history to play: the same coins and span."""
    shelf = open_shelf(twin.history.data)
    assets = {asset.symbol: asset for asset in twin.setup.enabled}
    bars: dict[str, Bars] = {}
    for symbol in twin.history.symbols:
        frame = assets[symbol].base_timeframe
        found = shelf.bars(twin.history.venue, symbol, frame)
        if found is not None:
            bars[symbol] = found.between(0, twin.history.to_ms)
    signs = _signs(twin.number, bars.values())
    frame_ms = min(real.timeframe_ms for real in bars.values())
    venue = next(iter(assets.values())).venue
    for symbol, real in bars.items():
        if len(real) < 2:
            continue
        instrument = twin.setup.instruments[venue].get(symbol)
        places = MOST_PLACES if instrument is None else _places(Decimal(instrument.tick_quote)) + FINER
        at = (real.open_ms[1:] - signs[0]) // frame_ms
        write_bars(folder, venue, symbol, assets[symbol].base_timeframe, mirrored(real, signs[1][at], places))
    return replace(twin.history, data=folder, venue=venue)


def _signs(number: int, series: Iterable[Bars]) -> tuple[int, Floats]:
    """Return when the signs begin, and one for every bar from then on, the same for all coins."""
    known = [bars for bars in series if len(bars)]
    if not known:
        raise DataError("no_bars", "no coin has any bars: import or download candles first")
    first_ms = min(int(bars.open_ms[0]) for bars in known)
    frame_ms = min(bars.timeframe_ms for bars in known)
    last_ms = max(int(bars.open_ms[-1]) for bars in known)
    count = (last_ms - first_ms) // frame_ms + 1
    return first_ms, block_signs(np.random.default_rng([SEED, number]), count)


def _places(tick: Decimal) -> int:
    """Return how many decimal places a price on this grid has."""
    exponent = tick.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else MOST_PLACES


class NullRecord:
    """The twins that a procedure has seen, in the home's state."""

    def __init__(self, folder: Path, setup: Setup, history: History, terms: ResearchConfig) -> None:
        """Read what is there; a damaged file is started anew, for it can be measured again."""
        self.path = folder / f"{procedure_key(setup, history, terms)[:16]}.json"
        self.seen: dict[int, Seen] = _read(self.path)

    def rate(self) -> NullRate:
        """Return the rate over all twins that could be played."""
        played = [each for each in self.seen.values() if not each.fault]
        return rate_of(len(played), sum(each.fired for each in played))

    def fields(self, terms: ResearchConfig) -> dict[str, Any]:
        """Return the rate for JSON, with the gate that it is."""
        rate, test = self.rate(), self.rate().test(terms)
        return {**asdict(rate), "limit": test.limit, "passed": test.passed, "words": test.words}

    def missing(self, terms: ResearchConfig, twins: int | None) -> list[int]:
        """Return the numbers of the twins to look at tonight: `twins`, else what research.json asks for."""
        known = sum(not each.fault for each in self.seen.values())
        wanted = twins if twins is not None else max(terms.null.twins - known, terms.null.twins_a_night)
        first = max(self.seen, default=-1) + 1
        return list(range(first, first + wanted))

    def add(self, seen: Seen) -> None:
        """Keep what was seen; raise `DataError` where it can't be written."""
        self.seen[seen.number] = seen
        rows = [
            {"number": each.number, "fired": each.fired, "fault": each.fault} for each in self.seen.values()
        ]
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(self.path, json.dumps({"schema": SCHEMA, "twins": rows}).encode())
        except OSError as fault:
            raise DataError(
                "unwritable", f"{self.path} can't be written ({fault.strerror}): make room for it"
            ) from fault


def look_at(
    twins: Sequence[Twin], record: NullRecord, executor: Executor | None, progress: Any = None
) -> None:
    """Look at twins, side by side where there is an executor, and keep each as it comes.

    Those that a dead worker had in hand, and what came after them, are looked at here.
    """
    running = [] if executor is None else _submitted(executor, twins)
    for place, twin in enumerate(twins):
        try:
            seen = running[place].result() if place < len(running) else seen_on(twin)
        except BrokenProcessPool:
            running = []
            seen = seen_on(twin)
        record.add(seen)
        if progress is not None:
            progress(place + 1, len(twins))


def _submitted(executor: Executor, twins: Sequence[Twin]) -> list[Future[Seen]]:
    """Return what is under way; fewer than all where the pool broke meanwhile."""
    running: list[Future[Seen]] = []
    with suppress(RuntimeError, OSError):
        for twin in twins:
            running.append(executor.submit(seen_on, twin))
    return running


def procedure_key(setup: Setup, history: History, terms: ResearchConfig) -> str:
    """Return a hash of the procedure: code of kernel and research, cards, parameters, limits, terms.

    Prices are no part of it: tonight's history is last night's and a day.
    """
    digest = [(path.name, hash_config({"source": path.read_text(encoding="utf-8")})) for path in _sources()]
    plain = common_setup(setup)
    return hash_config(
        {
            "code": [code_key(), digest],
            "cards": plain.cards.cards,
            "parameters": next(iter(plain.sets.values())).parameters,
            "risk": setup.risk,
            "symbols": sorted(history.symbols),
            "venue": history.venue,
            "from_ms": history.from_ms,
            "terms": terms.model_dump(exclude={"auto_adopt", "null"}),
        }
    )


def _sources() -> list[Any]:
    """Return the files that decide what is proposed, and what a twin is."""
    research = files("engine_alpha").joinpath("research")
    folders = (research.joinpath(name) for name in ("search", "statistics"))
    found = [each for folder in folders for each in folder.iterdir() if each.name.endswith(".py")]
    found += [research.joinpath(name) for name in ("neutral.py", "null_rate.py")]
    found.append(research.joinpath("markets", "shuffled.py"))
    return sorted(found, key=lambda each: each.name)


def _read(path: Path) -> dict[int, Seen]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        rows = [Seen(**row) for row in found["twins"]] if found["schema"] == SCHEMA else []
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return {each.number: each for each in rows}
