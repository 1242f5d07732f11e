"""Laws of the journals: they behave like a list and a dict, and no changed byte goes unseen."""

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from engine_alpha.errors import BrokenPromise
from engine_alpha.journals.chain import EMPTY, Head, broken_link, digest, link
from engine_alpha.journals.checking import check
from engine_alpha.journals.memory import MemoryJournal
from engine_alpha.journals.sqlite import SqliteJournal
from engine_alpha.ports import Event, StoredEvent

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
int64 = st.integers(-(2**63), 2**63 - 1)
events = st.builds(
    Event, st.sampled_from("ab"), st.sampled_from("XY"), st.sampled_from("123456"), int64, texts
)
batches = st.tuples(
    int64,
    st.lists(events, max_size=4),
    st.dictionaries(st.sampled_from(["X", "Y", "account"]), texts, max_size=3),
)
free_events = st.builds(Event, texts, texts, texts, int64, texts)

Batch = tuple[int, list[Event], dict[str, str]]


class Model:
    """The journal in ten lines."""

    def __init__(self) -> None:
        self.events: list[tuple[int, Event]] = []
        self.states: dict[str, str] = {}

    def commit(self, at_ms: int, events: list[Event], states: dict[str, str]) -> int | None:
        """Return how many are new; None stands for a broken promise."""
        known = {(event.kind, event.key) for _, event in self.events}
        new = [(event.kind, event.key) for event in events]
        if len(set(new)) < len(new) or (states and not events):
            return None
        if not new or new[0] in known:
            return 0
        if not known.isdisjoint(new):
            return None
        self.events += [(at_ms, event) for event in events]
        self.states |= states
        return len(new)


def committed(journal: SqliteJournal | MemoryJournal, batch: Batch) -> int | None:
    try:
        return journal.commit(*batch)
    except BrokenPromise:
        return None


def assert_like_model(journal: SqliteJournal | MemoryJournal, model: Model) -> None:
    stored = list(journal.events())
    assert [(e.at_ms, e.event) for e in stored] == model.events
    assert list(journal.events(newest_first=True)) == stored[::-1]
    for kind in ("a", "b", None):
        for symbol in ("X", "Y", None):
            chosen = [e for e in stored if kind in (None, e.event.kind) and symbol in (None, e.event.symbol)]
            assert list(journal.events(kind, symbol)) == chosen
    assert all(journal.has(e.event.kind, e.event.key) for e in stored)
    assert journal.states() == model.states
    assert check(journal).sound


@given(st.lists(batches, max_size=12))
def test_any_sequence_of_commits_leaves_what_the_model_leaves(sequence: Sequence[Batch]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "journal.sqlite"
        on_disk, in_memory, model = SqliteJournal.open(path), MemoryJournal(), Model()
        for batch in sequence:
            expected = model.commit(*batch)
            assert committed(on_disk, batch) == expected
            assert committed(in_memory, batch) == expected
        assert_like_model(on_disk, model)
        assert_like_model(in_memory, model)
        on_disk.close()
        reopened = SqliteJournal.open(path)
        assert_like_model(reopened, model)
        assert reopened.head() == in_memory.head()
        reopened.close()


def is_whole(stored: Sequence[StoredEvent], head: Head) -> bool:
    last = EMPTY
    for event in stored:
        if broken_link(last, event) is not None:
            return False
        last = Head(event.seq, event.hash)
    return last == head


@given(st.lists(free_events, min_size=1, max_size=6), int64, st.data())
def test_any_single_changed_byte_breaks_the_chain(
    written: list[Event], at_ms: int, data: st.DataObject
) -> None:
    chained = link(EMPTY, at_ms, written)
    head = Head(chained[-1].seq, chained[-1].hash)
    assert is_whole(chained, head)
    place = data.draw(st.integers(0, len(chained) - 1))
    victim = chained[place]
    field = data.draw(
        st.sampled_from(
            ["seq", "at_ms", "hash", "previous_hash", "kind", "symbol", "key", "bar_ms", "payload"]
        )
    )
    owner = victim.event if hasattr(victim.event, field) else victim
    value = getattr(owner, field)
    changed = (
        changed_byte(value, data) if isinstance(value, str) else value ^ (1 << data.draw(st.integers(0, 62)))
    )
    owner = replace(owner, **{field: changed})  # type: ignore[arg-type]
    tampered = replace(victim, event=owner) if isinstance(owner, Event) else owner
    assert not is_whole([*chained[:place], tampered, *chained[place + 1 :]], head)


def changed_byte(text: str, data: st.DataObject) -> str:
    """Change, add or drop one byte of the text."""
    raw = text.encode()
    at = data.draw(st.integers(0, len(raw)))
    flipped = (
        [raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :], raw[:at] + raw[at + 1 :]] if at < len(raw) else []
    )
    tampered = data.draw(st.sampled_from([*flipped, raw[:at] + b"x" + raw[at:]]))
    return tampered.decode("utf-8", "replace")


@given(st.lists(free_events, min_size=2, max_size=6), st.data())
def test_a_lost_or_moved_event_breaks_the_chain(written: list[Event], data: st.DataObject) -> None:
    chained = link(EMPTY, 1, written)
    head = Head(chained[-1].seq, chained[-1].hash)
    place = data.draw(st.integers(0, len(chained) - 1))
    without = chained[:place] + chained[place + 1 :]
    assert not is_whole(without, head)
    target = data.draw(st.integers(0, len(without)).filter(lambda index: index != place))
    assert not is_whole([*without[:target], chained[place], *without[target:]], head)


@given(st.lists(st.one_of(texts, int64), max_size=4), st.lists(st.one_of(texts, int64), max_size=4))
def test_different_fields_have_different_digests(one: list[str | int], other: list[str | int]) -> None:
    as_text = [str(field) for field in one]
    assert (digest(*one) == digest(*other)) == (as_text == [str(field) for field in other])
