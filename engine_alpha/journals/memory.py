"""The journal without a file: the same rules as on disk, for tests and backtests."""

from collections.abc import Iterator, Mapping, Sequence

from engine_alpha.errors import JournalError
from engine_alpha.journals.chain import EMPTY, Head, StoredState, link, partly_known, require_whole, seal
from engine_alpha.ports import Event, StoredEvent


class MemoryJournal:
    """Implement `ports.Journal` in memory; see `SqliteJournal` for the rules of a batch."""

    def __init__(self) -> None:
        self._events: list[StoredEvent] = []
        self._known: set[tuple[str, str]] = set()
        self._states: dict[str, StoredState] = {}
        self._closed = False

    def state(self, name: str) -> str | None:
        """Return the stored state under `name` as JSON text; None if there is none."""
        found = self._states.get(name)
        return None if found is None else found.payload

    def states(self) -> dict[str, str]:
        """Return all states by name, ordered by name."""
        return {name: state.payload for name, state in self.stored_states().items()}

    def stored_states(self) -> dict[str, StoredState]:
        """Return all states with the events they were written with, ordered by name."""
        return dict(sorted(self._states.items()))

    def head(self) -> Head:
        """Return number and hash of the last event."""
        return Head(self._events[-1].seq, self._events[-1].hash) if self._events else EMPTY

    def has(self, kind: str, key: str) -> bool:
        """Say whether the event is there."""
        self._require_open()
        return (kind, key) in self._known

    def events(
        self, kind: str | None = None, symbol: str | None = None, newest_first: bool = False
    ) -> Iterator[StoredEvent]:
        """Iterate over the events stored by now."""
        self._require_open()
        return self._matching(kind, symbol, range(len(self._events))[:: -1 if newest_first else 1])

    def _matching(self, kind: str | None, symbol: str | None, places: range) -> Iterator[StoredEvent]:
        for place in places:
            stored = self._events[place]
            if kind in (None, stored.event.kind) and symbol in (None, stored.event.symbol):
                yield stored

    def last_seq(self) -> int:
        """Return the number of the last event, 0 for none."""
        return len(self._events)

    def events_after(self, seq: int, kinds: Sequence[str] = ()) -> Iterator[StoredEvent]:
        """Iterate over the events stored by now that come after number `seq`, of these kinds or of all."""
        self._require_open()
        newer = self._events[max(0, seq) :]
        return (stored for stored in newer if not kinds or stored.event.kind in kinds)

    def commit(self, at_ms: int, events: Sequence[Event], states: Mapping[str, str]) -> int:
        """Append events and replace states; return how many events were new: all or none."""
        self._require_open()
        require_whole(events, states)
        if not events:
            return 0
        linked = link(self.head(), at_ms, events)
        sealed = seal(states, linked[-1].seq)
        keys = [(event.kind, event.key) for event in events]
        if keys[0] in self._known:
            return 0
        if not self._known.isdisjoint(keys):
            raise partly_known(events)
        self._events += linked
        self._known.update(keys)
        self._states.update(sealed)
        return len(linked)

    def integrity(self) -> tuple[str, ...]:
        """Return what is wrong with the storage: there is none."""
        return ()

    def close(self) -> None:
        """Refuse everything from now on."""
        self._closed = True

    def _require_open(self) -> None:
        if self._closed:
            raise JournalError("the journal in memory is closed")
