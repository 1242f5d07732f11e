"""Small events and states for the tests of the journals, and a fold that adds them up."""

import json

from engine_alpha.ports import Event, Journal, StoredEvent

HOUR_MS = 3_600_000


def event(kind: str = "decision", symbol: str = "ETHUSDT", bar: int = 0, **payload: object) -> Event:
    text = json.dumps({"bar": bar, **payload}, sort_keys=True)
    return Event(kind, symbol, f"{symbol}/1h/{bar * HOUR_MS}", bar * HOUR_MS, text)


def counted(states: dict[str, str], stored: StoredEvent) -> dict[str, str]:
    """Fold one event: the states of its symbol and of the account count events and name the last."""
    return {
        **states,
        stored.event.symbol: _one_more(states.get(stored.event.symbol), stored),
        "account": _one_more(states.get("account"), stored),
    }


def _one_more(state: str | None, stored: StoredEvent) -> str:
    count = 0 if state is None else json.loads(state)["count"]
    return json.dumps({"count": count + 1, "last": stored.event.key, "kind": stored.event.kind})


def commit_counted(journal: Journal, at_ms: int, *events: Event) -> int:
    """Commit events of one symbol with the states that `counted` makes of them."""
    states = journal.states()
    for new in events:
        states = counted(states, StoredEvent(0, at_ms, new, "", ""))
    touched = {new.symbol for new in events} | {"account"}
    return journal.commit(at_ms, events, {name: states[name] for name in touched})
