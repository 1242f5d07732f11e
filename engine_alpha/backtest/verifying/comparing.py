"""One side of a comparison out of a journal: its trades in a period, and what was wrong with which bar."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from engine_alpha.backtest.compare import (
    BARS,
    CONFIG,
    FEED,
    HALTED,
    LATE,
    OPEN,
    SPREAD,
    STOPPED,
    RoundTrip,
    trip_of,
)
from engine_alpha.backtest.verify import REFUSED, Span
from engine_alpha.backtest.verifying.bars import hash_at
from engine_alpha.backtest.verifying.config import plan_now
from engine_alpha.backtest.verifying.prices import Pricing, Sources
from engine_alpha.backtest.verifying.replay import (
    ALLOCATION,
    DATA_FRESH,
    DECIDED,
    OWN,
    Decided,
    Past,
    decided_in,
)
from engine_alpha.domain.asset import TIMEFRAME_MS, AssetConfig
from engine_alpha.errors import ConfigError, DataError
from engine_alpha.kernel.codes import ACCOUNT_GATES, OWN_GATES
from engine_alpha.kernel.money import net_quote, unrealised_quote
from engine_alpha.kernel.values import SubAccount
from engine_alpha.ports import Journal
from engine_alpha.step.recording import HALT, NO_DECISION, TRADE

_ENABLED, _SPREAD, _NOT_HALTED = (
    OWN_GATES.index("enabled"),
    OWN_GATES.index("spread"),
    ACCOUNT_GATES.index("not_halted"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What matters of one bar's record; `troubles` are why no entry could come of it."""

    asset: AssetConfig
    at_ms: int
    config_hash: str
    bars_hash: str
    troubles: tuple[str, ...]


@dataclass(slots=True, kw_only=True)
class Side:
    """An account's period: its trades, its decisions by (asset, open time), its change of equity.

    `refused` maps bars without a decision to the cause. `from_ms` and `to_ms` are the first decision's open
    and the last one's close, `venues` and `sources` those of its decisions.
    """

    trips: list[RoundTrip] = field(default_factory=list)
    notes: dict[tuple[str, int], Note] = field(default_factory=dict)
    refused: dict[tuple[str, int], str] = field(default_factory=dict)
    sources: set[str] = field(default_factory=set)
    venues: set[str] = field(default_factory=set)
    symbols: dict[str, None] = field(default_factory=dict)
    from_ms: int = 0
    to_ms: int = 0
    change_quote: float = 0.0


def side_of(journal: Journal, span: Span) -> Side:
    """Return what an account did on the bars of a span; positions still open are marked at the last close."""
    reader = _Reader(span)
    for found in decided_in(journal.events()):
        if isinstance(found, Decided):
            if found.open_ms < span.to_ms:
                reader.decided(found)
        elif found.event.kind == NO_DECISION and span.holds(found.event.bar_ms):
            reason = json.loads(found.event.payload)["reason"]
            cause = CONFIG if reason == REFUSED else FEED
            reader.side.refused[(found.event.symbol, found.event.bar_ms)] = cause
        elif found.event.kind == HALT:
            reader.past.halt(found)
    return reader.finish()


class _Reader:
    def __init__(self, span: Span) -> None:
        self.span = span
        self.past = Past()
        self.side = Side()
        self._trades: list[dict[str, Any]] = []
        self._carried: dict[tuple[str, int], float] = {}
        self._before: dict[str, float] = {}

    def decided(self, decided: Decided) -> None:
        if self.span.holds(decided.open_ms):
            self._inside(decided)
        self.past.take(decided, None)

    def _inside(self, decided: Decided) -> None:
        side, symbol = self.side, decided.symbol
        asset = self.past.config(decided)
        if symbol not in side.symbols:
            self._begin(symbol)
        side.symbols[symbol] = None
        side.venues.add(asset.venue)
        side.sources.add(decided.payload["source"])
        side.from_ms = min(side.from_ms or decided.open_ms, decided.open_ms)
        side.to_ms = max(side.to_ms, decided.close_ms)
        side.notes[(symbol, decided.open_ms)] = Note(
            asset=asset,
            at_ms=decided.at_ms,
            config_hash=decided.payload["config_hash"],
            bars_hash=decided.payload["bars_hash"],
            troubles=_troubles(decided),
        )
        self._trades += [json.loads(event.payload) for event in decided.events if event.kind == TRADE]

    def _begin(self, symbol: str) -> None:
        state = self.past.state(symbol)
        self._before[symbol] = 0.0 if state is None else net_quote(state.sub)
        if state is not None and state.sub.position.side != 0:
            self._carried[(symbol, state.sub.position.entry_ms)] = _open_net(state.sub)

    def finish(self) -> Side:
        side = self.side
        for trade in self._trades:
            carried = self._carried.get((trade["symbol"], trade["entry_ms"]), 0.0)
            side.trips.append(trip_of(trade, TIMEFRAME_MS[trade["timeframe"]], side.from_ms, carried))
        for symbol in side.symbols:
            state = self.past.state(symbol)
            if state is None:
                continue
            side.change_quote += net_quote(state.sub) - self._before[symbol]
            if state.sub.position.side != 0:
                carried = self._carried.get((symbol, state.sub.position.entry_ms), 0.0)
                side.trips.append(open_trip(state.config, state.sub, (side.from_ms, side.to_ms), carried))
        return side


def _open_net(sub: SubAccount) -> float:
    """Return what an open position has earned by its last mark, after the fee paid and funding."""
    return unrealised_quote(sub) - sub.position.fee_quote + sub.position.funding_quote


def open_trip(asset: AssetConfig, sub: SubAccount, ends: tuple[int, int], carried_quote: float) -> RoundTrip:
    """Return an open position as a trade of the period [from, to), `ends`, left at its last mark."""
    position = sub.position
    return RoundTrip(
        symbol=asset.symbol,
        frame_ms=asset.timeframe_ms,
        side=int(position.side),
        quantity_base=float(position.quantity_base),
        entry_ms=int(position.entry_ms),
        exit_ms=ends[1],
        exit_reason=OPEN,
        before=int(position.entry_ms) - asset.timeframe_ms < ends[0],
        funding_quote=float(position.funding_quote),
        net_quote=float(_open_net(sub)),
        carried_quote=carried_quote,
    )


def _troubles(decided: Decided) -> tuple[str, ...]:
    decision = decided.payload["record"][DECIDED]
    own, shared = decision[OWN], decision[ALLOCATION]
    verdicts = {
        STOPPED: own[_ENABLED],
        LATE: own[DATA_FRESH],
        HALTED: shared[_NOT_HALTED],
        SPREAD: own[_SPREAD],
    }
    return tuple(cause for cause, (passed, _, _) in verdicts.items() if not passed)


class Clues:
    """Finds out what was wrong with an account's record of a bar, as `compare` asks for it."""

    def __init__(self, side: Side, sources: Sources, loop: asyncio.Runner) -> None:
        """`sources` are the configuration and the bars that the backtest takes."""
        self._side = side
        self._setup = sources.setup
        self._pricing = Pricing(sources, loop.get_loop())

    def blame(self, symbol: str, open_ms: int) -> Iterator[str]:
        """Yield why the account could not do on that bar what the backtest did, first things first."""
        note = self._side.notes.get((symbol, open_ms))
        if note is None:
            yield self._side.refused.get((symbol, open_ms), STOPPED)
            return
        yield from note.troubles
        if self._config_differs(note):
            yield CONFIG
        if self._bars_differ(note, open_ms):
            yield BARS

    def _config_differs(self, note: Note) -> bool:
        try:
            return plan_now(self._setup, note.asset).config_hash != note.config_hash
        except ConfigError:
            return True

    def _bars_differ(self, note: Note, open_ms: int) -> bool:
        try:
            reading = self._pricing.reading(note.asset, open_ms, note.at_ms)
        except DataError:
            return True
        return hash_at(reading.bars, open_ms) != note.bars_hash
