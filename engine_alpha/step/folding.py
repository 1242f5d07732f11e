"""State from events, as `chloe journal check` rebuilds it, and an audit of the money by other means."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field

from engine_alpha.ports import StoredEvent
from engine_alpha.step.recording import DECISION, FILL, FUNDING, HALT, LIVE, TRADE
from engine_alpha.step.state import ACCOUNT, LIVE_PREFIX
from engine_alpha.step.text import to_text


def fold(states: dict[str, str], stored: StoredEvent) -> dict[str, str]:
    """Return the states after one event.

    A decision carries what it changed, a halt the account's switch, what happens to real orders their state.
    """
    event = stored.event
    if event.kind == DECISION:
        payload = json.loads(event.payload)
        before = json.loads(states[event.symbol]) if event.symbol in states else {}
        states[event.symbol] = to_text({**before, **payload["after"]})
        states[ACCOUNT] = to_text(payload["account_after"])
    elif event.kind == LIVE:
        states[LIVE_PREFIX + event.symbol] = to_text(json.loads(event.payload)["live_after"])
    elif event.kind == HALT:
        states[ACCOUNT] = to_text(json.loads(event.payload))
    return states


@dataclass(slots=True)
class Ledger:
    """One asset's money added up from its fills, trades and funding alone."""

    quantity_base: float = 0.0
    fees_quote: float = 0.0
    funding_quote: float = 0.0
    gross_quote: float = 0.0
    trades: int = 0


@dataclass(slots=True)
class Audit:
    """Adds up fills, trades and funding per asset and compares with the stored states."""

    ledgers: dict[str, Ledger] = field(default_factory=dict)

    def add(self, stored: StoredEvent) -> None:
        """Take one event in."""
        event = stored.event
        if event.kind not in (FILL, TRADE, FUNDING):
            return
        ledger = self.ledgers.setdefault(event.symbol, Ledger())
        payload = json.loads(event.payload)
        if event.kind == FILL:
            ledger.quantity_base += payload["quantity_base"] * (1 if payload["side"] == "buy" else -1)
            ledger.fees_quote += payload["fee_quote"]
        elif event.kind == TRADE:
            ledger.gross_quote += payload["gross_quote"]
            ledger.trades += 1
        else:
            ledger.funding_quote += payload["received_quote"]

    def faults(self, states: dict[str, str]) -> list[str]:
        """Return where the stored money differs from what the events add up to, beyond 1e-9 of its size."""
        found = []
        for symbol, ledger in self.ledgers.items():
            sub = json.loads(states[symbol])["sub"]
            position = sub[13]
            pairs = (
                ("realised", ledger.gross_quote, sub[1]),
                ("fees", ledger.fees_quote, sub[2]),
                ("funding", ledger.funding_quote, sub[3]),
                ("trades", ledger.trades, sub[7]),
                ("position", ledger.quantity_base, position[0] * position[2]),
            )
            for name, added, stored in pairs:
                if abs(added - stored) > 1e-9 * max(1.0, abs(added), abs(stored)):
                    found.append(f"{symbol}: {name} is {stored} in the state, {added} by its events")
        return found


def audited(events: Iterable[StoredEvent]) -> Audit:
    """Return the audit of all events."""
    audit = Audit()
    for stored in events:
        audit.add(stored)
    return audit
