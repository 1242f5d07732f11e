"""What the journal alone says: intents, executions, position and money, and the states folded from events."""

import json
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from engine_alpha.journals.memory import MemoryJournal
from engine_alpha.step.folding import fold
from engine_alpha.trading.recording import EXECUTION, ORDER

ZERO = Decimal(0)


@dataclass(slots=True)
class Ledger:
    """Reads each event once; `executions` by number of the exchange's fill."""

    journal: MemoryJournal
    read: int = 0
    intents: dict[str, dict[str, Any]] = field(default_factory=dict)
    executions: dict[int, dict[str, Any]] = field(default_factory=dict)
    doubled: list[str] = field(default_factory=list)
    states: dict[str, str] = field(default_factory=dict)

    def catch_up(self) -> None:
        """Take in what was committed since."""
        events = list(self.journal.events())[self.read :] if self.journal.head().seq > self.read else []
        for stored in events:
            self.states = fold(self.states, stored)
            if stored.event.kind == ORDER:
                self._order(json.loads(stored.event.payload))
            elif stored.event.kind == EXECUTION:
                self._execution(json.loads(stored.event.payload))
        self.read += len(events)

    def _order(self, told: dict[str, Any]) -> None:
        intent = told["intent"]
        known = self.intents.setdefault(intent["client_id"], intent)
        if known != intent:
            self.doubled.append(f"{intent['client_id']} stands for two intents: {known} and {intent}")

    def _execution(self, told: dict[str, Any]) -> None:
        number = number_of(told["venue_id"])
        if number in self.executions:
            self.doubled.append(f"execution {told['venue_id']} of {told['symbol']} is journalled twice")
        self.executions[number] = told

    def positions(self) -> dict[str, Decimal]:
        """Return what the executions add up to, by symbol."""
        found: dict[str, Decimal] = {}
        for told in self.executions.values():
            found[told["symbol"]] = found.get(told["symbol"], ZERO) + signed(told)
        return found

    def money(self) -> Decimal:
        """Return realised minus fees plus funding, by average cost, in the order of the exchange."""
        held: dict[str, tuple[Decimal, Decimal]] = {}
        total = ZERO
        for number in sorted(self.executions):
            told = self.executions[number]
            total += Decimal(told["received_quote"]) - Decimal(told["fee_quote"])
            position, price = held.get(told["symbol"], (ZERO, ZERO))
            realised, held[told["symbol"]] = moved(position, price, signed(told), Decimal(told["price"]))
            total += realised
        return total


def number_of(venue_id: str) -> int:
    """Return the exchange's number of an execution: "e-1000001", "1000001", "funding-1000001"."""
    return int(venue_id.rsplit("-", 1)[-1])


def signed(told: dict[str, Any]) -> Decimal:
    """Return an execution's quantity with its sign; funding has none."""
    quantity = Decimal(told["quantity_base"]) if told["side"] else ZERO
    return quantity if told["side"] == "buy" else -quantity


def moved(
    position: Decimal, price: Decimal, change: Decimal, at: Decimal
) -> tuple[Decimal, tuple[Decimal, Decimal]]:
    """Return what a change of position realises, and position and average price after it."""
    realised = ZERO
    after = position + change
    if position * change < 0:
        closed = min(abs(position), abs(change))
        realised = closed * (at - price) * (1 if position > 0 else -1)
        return realised, (after, price if after * position > 0 else at if after else ZERO)
    if after:
        price = (abs(position) * price + abs(change) * at) / abs(after)
    return realised, (after, price)
