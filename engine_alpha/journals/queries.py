"""The statements of the journal, and the values its rows stand for."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Select, bindparam, exists, func, insert, select
from sqlalchemy.dialects.sqlite import insert as insert_or_replace

from engine_alpha.journals import schema
from engine_alpha.journals.chain import EMPTY, Head, StoredState
from engine_alpha.ports import Event, StoredEvent

_event, _state = schema.events.c, schema.states.c
_known = exists().where(_event.kind == bindparam("kind"), _event.key == bindparam("key"))
_upsert = insert_or_replace(schema.states)

HAS = select(_known)
BEFORE_COMMIT = select(select(func.max(_event.seq)).scalar_subquery(), _known)
APPEND = insert(schema.events)
REPLACE = _upsert.on_conflict_do_update(
    index_elements=[_state.name],
    set_={name: _upsert.excluded[name] for name in ("last_seq", "digest", "payload")},
)
STATE = select(_state.payload).where(_state.name == bindparam("name"))

_STATES = select(_state.name, _state.payload, _state.last_seq, _state.digest).order_by(_state.name)
_HEAD = select(_event.seq, _event.hash).order_by(_event.seq.desc()).limit(1)
_EVENTS = select(
    _event.seq,
    _event.at_ms,
    _event.kind,
    _event.symbol,
    _event.key,
    _event.bar_ms,
    _event.payload,
    _event.previous_hash,
    _event.hash,
)


def page(kind: str | None, symbol: str | None, newest_first: bool) -> Select[Any]:
    """Select `size` events with `first` <= seq <= `last`, in the order asked for."""
    query = _EVENTS.where(_event.seq >= bindparam("first"), _event.seq <= bindparam("last"))
    if kind is not None:
        query = query.where(_event.kind == kind)
    if symbol is not None:
        query = query.where(_event.symbol == symbol)
    return query.order_by(_event.seq.desc() if newest_first else _event.seq).limit(bindparam("size"))


def page_of_kinds(kinds: Sequence[str]) -> Select[Any]:
    """Select `size` events of these kinds, or of all, with `first` <= seq <= `last`, oldest first."""
    query = page(None, None, False)
    return query.where(_event.kind.in_(kinds)) if kinds else query


def read_page(
    connection: Connection, query: Select[Any], first: int, last: int, size: int
) -> list[StoredEvent]:
    """Read one page."""
    rows = connection.execute(query, {"first": first, "last": last, "size": size}).all()
    return [_stored_event(tuple(row)) for row in rows]


def read_head(connection: Connection) -> Head:
    """Read number and hash of the last event."""
    row = connection.execute(_HEAD).first()
    return EMPTY if row is None else Head(row[0], row[1])


def read_states(connection: Connection) -> dict[str, StoredState]:
    """Read all states, ordered by name."""
    return {row[0]: StoredState(*row[1:]) for row in connection.execute(_STATES)}


def event_rows(events: Iterable[StoredEvent]) -> list[dict[str, object]]:
    """Spread events over the columns."""
    return [
        {
            "seq": stored.seq,
            "at_ms": stored.at_ms,
            "symbol": stored.event.symbol,
            "kind": stored.event.kind,
            "key": stored.event.key,
            "bar_ms": stored.event.bar_ms,
            "previous_hash": stored.previous_hash,
            "hash": stored.hash,
            "payload": stored.event.payload,
        }
        for stored in events
    ]


def state_rows(states: dict[str, StoredState]) -> list[dict[str, object]]:
    """Spread states over the columns."""
    return [
        {"name": name, "last_seq": state.last_seq, "digest": state.digest, "payload": state.payload}
        for name, state in states.items()
    ]


def _stored_event(row: Sequence[Any]) -> StoredEvent:
    seq, at_ms, kind, symbol, key, bar_ms, payload, previous_hash, own_hash = row
    return StoredEvent(seq, at_ms, Event(kind, symbol, key, bar_ms, payload), previous_hash, own_hash)
