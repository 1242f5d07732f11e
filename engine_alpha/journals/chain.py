"""Chain events by hash, so that a changed, lost or inserted one shows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from engine_alpha.errors import BrokenPromise
from engine_alpha.ports import Event, StoredEvent

GENESIS = sha256(b"chloe journal, version 1").hexdigest()
"""What the first event names as its predecessor."""

_INT64 = 2**63


@dataclass(frozen=True, slots=True)
class Head:
    """The last event of a journal; `EMPTY` before the first."""

    seq: int
    hash: str


@dataclass(frozen=True, slots=True)
class StoredState:
    """A state and the event it was written with; `digest` covers name, payload and `last_seq`."""

    payload: str
    last_seq: int
    digest: str


EMPTY = Head(0, GENESIS)


def digest(*fields: str | int) -> str:
    """Return the SHA-256 of the fields, each framed by its length: no two lists of fields look alike."""
    whole = bytearray()
    for field in fields:
        raw = str.encode(field) if isinstance(field, str) else b"%d" % field
        whole += b"%d:" % len(raw)
        whole += raw
    return sha256(whole).hexdigest()


def event_hash(previous_hash: str, seq: int, at_ms: int, event: Event) -> str:
    """Return the hash that binds an event to its place behind `previous_hash`."""
    return digest(previous_hash, seq, at_ms, event.symbol, event.kind, event.key, event.bar_ms, event.payload)


def state_digest(name: str, payload: str, last_seq: int) -> str:
    """Return the digest stored beside a state, so that a flipped bit in it shows at the next start."""
    return digest(name, payload, last_seq)


def link(head: Head, at_ms: int, events: Sequence[Event]) -> list[StoredEvent]:
    """Number and chain new events behind `head`."""
    _require_int64("at_ms", at_ms)
    linked = []
    for event in events:
        _require_int64(f"bar_ms of {event.kind} {event.key}", event.bar_ms)
        try:
            new_hash = event_hash(head.hash, head.seq + 1, at_ms, event)
        except (UnicodeEncodeError, TypeError) as fault:
            raise BrokenPromise(
                f"event {event.kind!r} {event.key!r} can't be written down: {fault}"
            ) from fault
        linked.append(StoredEvent(head.seq + 1, at_ms, event, head.hash, new_hash))
        head = Head(head.seq + 1, new_hash)
    return linked


def seal(states: Mapping[str, str], last_seq: int) -> dict[str, StoredState]:
    """Make the stored form of the states that were written with event `last_seq`."""
    sealed = {}
    for name, payload in states.items():
        try:
            sealed[name] = StoredState(payload, last_seq, state_digest(name, payload, last_seq))
        except (UnicodeEncodeError, TypeError) as fault:
            raise BrokenPromise(f"state {name!r} can't be written down: {fault}") from fault
    return sealed


def broken_link(head: Head, stored: StoredEvent) -> str | None:
    """Say what is wrong with `stored` as the successor of `head`; None if nothing is."""
    if stored.seq != head.seq + 1:
        return f"event {head.seq + 1} is missing"
    if stored.previous_hash != head.hash:
        return f"event {stored.seq} does not follow event {head.seq}: one of the two was changed"
    return broken_hash(stored)


def broken_hash(stored: StoredEvent) -> str | None:
    """Say whether the content of `stored` differs from what was hashed when it was written."""
    try:
        expected = event_hash(stored.previous_hash, stored.seq, stored.at_ms, stored.event)
    except (TypeError, UnicodeEncodeError):  # a column holds another type than we ever write
        expected = None
    return None if stored.hash == expected else f"event {stored.seq} was changed after it was written"


def broken_state(name: str, state: StoredState) -> bool:
    """Say whether a state differs from what was written."""
    try:
        return state.digest != state_digest(name, state.payload, state.last_seq)
    except (TypeError, UnicodeEncodeError):
        return True


def require_whole(events: Sequence[Event], states: Mapping[str, str]) -> None:
    """Refuse a batch that no journal could rebuild: a state without an event, or one event twice."""
    if states and not events:
        raise BrokenPromise(f"states {sorted(states)} came without an event: they could never be rebuilt")
    keys = [(event.kind, event.key) for event in events]
    if len(set(keys)) != len(keys):
        raise BrokenPromise(f"one batch holds the same event twice: {keys}")


def partly_known(events: Sequence[Event]) -> BrokenPromise:
    """Make the error for a batch whose first event is new but a later one is stored already."""
    keys = [(event.kind, event.key) for event in events]
    return BrokenPromise(
        f"a later event of a batch is stored but its first is not, nothing was written: {keys}"
    )


def _require_int64(name: str, value: int) -> None:
    if type(value) is not int or not -_INT64 <= value < _INT64:
        raise BrokenPromise(f"{name} is {value!r}, not a whole number of 64 bits")
