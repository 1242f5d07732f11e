"""Recorded decisions one by one, the state each was made in, and the same step taken again."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from engine_alpha.domain.asset import AssetConfig
from engine_alpha.domain.bars import Reading
from engine_alpha.journals.memory import MemoryJournal
from engine_alpha.kernel.codes import OWN_GATES
from engine_alpha.kernel.values import Bar, Executed, Record, SubAccount
from engine_alpha.ports import Event, StoredEvent
from engine_alpha.step.asset_step import Desk, Executions, step_bar
from engine_alpha.step.plan import AssetPlan
from engine_alpha.step.recording import DECISION, FILL, FUNDING, HALT, NO_DECISION, TRADE, Labels
from engine_alpha.step.state import AccountBook, AccountState, AssetState, account_of, state_of
from engine_alpha.step.text import build, to_number, to_text

DATA_FRESH, DATA_COMPLETE, WARM, SPREAD = (
    OWN_GATES.index(name) for name in ("data_fresh", "data_complete", "warm", "spread")
)
CLOSE_MS, DECIDED = 1, 3  # places in a stored record
OWN, ALLOCATION = 4, 5  # places in a stored decision


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """One stored decision with its fills, trade and funding: the events of one commit, the decision first."""

    at_ms: int
    payload: Mapping[str, Any]
    events: tuple[Event, ...]

    @property
    def symbol(self) -> str:
        """The asset."""
        return self.events[0].symbol

    @property
    def open_ms(self) -> int:
        """When the bar opened."""
        return self.events[0].bar_ms

    @property
    def close_ms(self) -> int:
        """When the bar closed."""
        return int(self.payload["record"][CLOSE_MS])

    @property
    def frame_ms(self) -> int:
        """Length of the bar."""
        return self.close_ms - self.open_ms

    @property
    def number(self) -> int:
        """The bar's absolute number."""
        return self.open_ms // self.frame_ms

    def seen(self, gate: int) -> float:
        """Return what one of the asset's own gates saw."""
        return float(to_number(self.payload["record"][DECIDED][OWN][gate][1]))

    @property
    def window_bars(self) -> int:
        """How many bars the decision's window held, filled ones included."""
        return int(self.seen(WARM))

    @property
    def filled_bars(self) -> int | None:
        """How many of them were filled flat; None where two in a row were missing among the newest."""
        seen = self.seen(DATA_COMPLETE)
        return None if seen == 1.0 else round(seen * self.window_bars)

    @property
    def quoted(self) -> bool:
        """Say whether the feed may have had a spread of its own."""
        return str(self.payload["source"]).startswith("venue")


def decided_in(events: Iterable[StoredEvent]) -> Iterator[Decided | StoredEvent]:
    """Yield decisions with all committed beside them; halts and bars without a decision as they are."""
    batch: list[StoredEvent] = []
    for stored in events:
        if stored.event.kind in (FILL, TRADE, FUNDING):
            batch.append(stored)
            continue
        if batch:
            yield _decided(batch)
        batch = [stored] if stored.event.kind == DECISION else []
        if stored.event.kind in (HALT, NO_DECISION):
            yield stored
    if batch:
        yield _decided(batch)


def _decided(batch: list[StoredEvent]) -> Decided:
    return Decided(
        at_ms=batch[0].at_ms,
        payload=json.loads(batch[0].event.payload),
        events=tuple(stored.event for stored in batch),
    )


class Past:
    """The states as the events so far add up to: what the next decision began with."""

    def __init__(self) -> None:
        self._parts: dict[str, dict[str, Any]] = {}
        self._places: dict[str, int] = {}
        self._assets: dict[str, AssetState] = {}
        self._account: AccountState | None = None

    def config(self, decided: Decided) -> AssetConfig:
        """Return the registry entry that a decision was stepped on."""
        changed = decided.payload["after"].get("config")
        return AssetConfig(**(changed or self._parts[decided.symbol]["config"]))

    def state(self, symbol: str) -> AssetState | None:
        """Return an asset's state, None if it was never stepped."""
        if symbol in self._parts and symbol not in self._assets:
            self._assets[symbol] = state_of(to_text(self._parts[symbol]))
        return self._assets.get(symbol)

    def book(self, start_quote: float) -> AccountBook:
        """Return the account's book; a new account begins with that equity."""
        book = AccountBook({}, start_quote)
        for symbol in self._parts:
            state = self.state(symbol)
            if state is not None:
                book.put(symbol, state, book.account)
        if self._account is not None:
            book.account = self._account
        return book

    def order(self, place: int, symbol: str) -> list[str]:
        """Return the assets in the registry's order, as far as their decisions tell it."""
        places = {**self._places, symbol: place}
        return sorted(places, key=lambda name: (places[name], name))

    def take(self, decided: Decided, after: AccountBook | None) -> None:
        """Move on by what was recorded; `after` is the book of a step that came to the same."""
        symbol, payload = decided.symbol, decided.payload
        self._parts[symbol] = {**self._parts.get(symbol, {}), **payload["after"]}
        self._places[symbol] = payload["place"]
        if after is not None:
            self._assets[symbol] = after.assets[symbol]
            self._account = after.account
            return
        self._assets.pop(symbol, None)
        self._account = account_of(to_text(payload["account_after"]), 0.0)

    def halt(self, stored: StoredEvent) -> None:
        """Take over the account's switch."""
        self._account = account_of(stored.event.payload, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """A step taken again: its events, and the book after it."""

    events: tuple[Event, ...]
    book: AccountBook

    @property
    def payload(self) -> dict[str, Any]:
        """The decision's content."""
        found: dict[str, Any] = json.loads(self.events[0].payload)
        return found


def decide_again(
    decided: Decided, past: Past, plan: AssetPlan, priced: tuple[Reading, int], order: list[str]
) -> Again:
    """Take the step of a recorded decision again, from the state before it, on these bars and this plan.

    `priced` is the reading and the bar's place in it. Lateness is taken from the record.
    """
    reading, at = priced
    book = past.book(plan.rules.risk.account_start_quote)
    journal = MemoryJournal()
    desk = Desk(
        journal=journal,
        book=book,
        order=order,
        labels=labels_of(decided),
        now_ms=decided.at_ms,
        max_entry_delay_ms=delay_as_seen(decided),
        orders=RecordedOrders(decided.payload["executed"]) if "executed" in decided.payload else None,
    )
    plan = replace(
        plan,
        close_only=decided.payload.get("close_only", ""),
        size_factor=decided.payload.get("size_factor", 1.0),
    )
    step_bar(desk, plan, as_sourced(reading, decided), at)
    return Again(events=tuple(stored.event for stored in journal.events()), book=book)


class RecordedOrders:
    """Implements `RealOrders` from a record: the venue's word is taken, what it led to is decided again."""

    def __init__(self, recorded: Any) -> None:
        self._recorded = recorded

    def executions(self, _plan: AssetPlan, _sub: SubAccount, _bar: Bar) -> Executions:
        """Return what the record says the venue executed."""
        executed, entry_open = self._recorded
        return Executions([build(Executed, items) for items in executed], int(entry_open))

    def decided(self, _plan: AssetPlan, _record: Record) -> tuple[list[Event], dict[str, str]]:
        """Intend nothing: orders are no part of what is decided again."""
        return [], {}

    def committed(self, _symbol: str) -> None:
        """Have nothing to take over."""


def labels_of(decided: Decided) -> Labels:
    """Return the labels that were written: mode and feed stand in trades alone."""
    trade = next((event for event in decided.events if event.kind == TRADE), None)
    told = {} if trade is None else json.loads(trade.payload)
    return Labels(account=decided.payload["account"], mode=told.get("mode", ""), feed=told.get("feed", ""))


def as_sourced(reading: Reading, decided: Decided) -> Reading:
    """Return stored bars as if they came from the decision's own source, with the spread it was given."""
    return Reading(
        bars=reading.bars,
        funding=reading.funding,
        source=decided.payload["source"],
        spread_bps=decided.seen(SPREAD) if decided.quoted else None,
        minutes=reading.minutes,
    )


def delay_as_seen(decided: Decided) -> int:
    """Return an entry delay by which the decision was as late as it says."""
    late_ms, seen = max(0, decided.at_ms - decided.close_ms), int(decided.seen(DATA_FRESH))
    return late_ms + 1 if seen == 0 else max(1, late_ms // seen)
