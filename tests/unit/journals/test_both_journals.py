"""What every journal promises, on disk and in memory alike."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engine_alpha.errors import BrokenPromise, JournalError
from engine_alpha.journals.chain import EMPTY, GENESIS
from engine_alpha.journals.checking import check
from engine_alpha.journals.memory import MemoryJournal
from engine_alpha.journals.sqlite import SqliteJournal
from engine_alpha.ports import Event
from tests.unit.journals.batches import commit_counted, counted, event

AnyJournal = SqliteJournal | MemoryJournal


@pytest.fixture(params=["disk", "memory"])
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[AnyJournal]:
    made = SqliteJournal.open(tmp_path / "journal.sqlite") if request.param == "disk" else MemoryJournal()
    yield made
    made.close()


def keys(journal: AnyJournal, **selection: object) -> list[tuple[str, str]]:
    return [(e.event.kind, e.event.key) for e in journal.events(**selection)]  # type: ignore[arg-type]


def test_a_fresh_journal_is_empty(journal: AnyJournal) -> None:
    assert journal.states() == {}
    assert journal.state("account") is None
    assert list(journal.events()) == []
    assert not journal.has("decision", "x")
    assert journal.head() == EMPTY


def test_a_commit_appends_events_and_replaces_states(journal: AnyJournal) -> None:
    first, second = event(bar=1), event("intent", bar=1)
    assert journal.commit(7, [first, second], {"ETHUSDT": '{"v":1}', "account": "{}"}) == 2
    assert journal.commit(8, [event(bar=2)], {"ETHUSDT": '{"v":2}'}) == 1
    assert journal.states() == {"ETHUSDT": '{"v":2}', "account": "{}"}
    assert journal.state("ETHUSDT") == '{"v":2}'
    assert {name: s.last_seq for name, s in journal.stored_states().items()} == {"ETHUSDT": 3, "account": 2}
    stored = list(journal.events())
    assert [e.seq for e in stored] == [1, 2, 3]
    assert [e.at_ms for e in stored] == [7, 7, 8]
    assert [e.event for e in stored] == [first, second, event(bar=2)]
    assert [e.previous_hash for e in stored] == [GENESIS, stored[0].hash, stored[1].hash]
    assert journal.head().seq == 3


def test_a_repeated_batch_changes_nothing(journal: AnyJournal) -> None:
    batch = [event(bar=1), event("intent", bar=1)]
    journal.commit(7, batch, {"ETHUSDT": "1"})
    head = journal.head()
    assert journal.commit(8, batch, {"ETHUSDT": "2", "BTCUSDT": "3"}) == 0
    assert journal.commit(9, [event(bar=1, other="content")], {"ETHUSDT": "4"}) == 0
    assert journal.states() == {"ETHUSDT": "1"}
    assert journal.head() == head


def test_a_known_first_event_decides_for_the_whole_batch(journal: AnyJournal) -> None:
    journal.commit(7, [event(bar=1)], {"ETHUSDT": "1"})
    assert journal.commit(8, [event(bar=1), event("intent", bar=1)], {"ETHUSDT": "2"}) == 0
    assert not journal.has("intent", event(bar=1).key)
    assert journal.states() == {"ETHUSDT": "1"}


def test_a_new_first_event_before_a_known_one_is_a_broken_promise(journal: AnyJournal) -> None:
    journal.commit(7, [event("intent", bar=1)], {"ETHUSDT": "1"})
    with pytest.raises(BrokenPromise, match="nothing was written"):
        journal.commit(8, [event(bar=1), event("intent", bar=1)], {"ETHUSDT": "2"})
    assert keys(journal) == [("intent", event(bar=1).key)]
    assert journal.states() == {"ETHUSDT": "1"}
    assert journal.commit(9, [event(bar=2)], {"ETHUSDT": "3"}) == 1


def test_the_same_key_under_another_kind_is_another_event(journal: AnyJournal) -> None:
    assert journal.commit(7, [event("fault", bar=1)], {"ETHUSDT": "1"}) == 1
    assert journal.commit(8, [event("decision", bar=1)], {"ETHUSDT": "2"}) == 1


def test_states_without_an_event_are_a_broken_promise(journal: AnyJournal) -> None:
    with pytest.raises(BrokenPromise, match="without an event"):
        journal.commit(7, [], {"account": "{}"})
    assert journal.commit(7, [], {}) == 0


def test_one_event_twice_in_a_batch_is_a_broken_promise(journal: AnyJournal) -> None:
    with pytest.raises(BrokenPromise, match="twice"):
        journal.commit(7, [event(bar=1), event(bar=1)], {})
    assert journal.head() == EMPTY


@pytest.mark.parametrize(
    "bad",
    [
        Event("decision", "ETHUSDT", "k", 2**63, "{}"),
        Event("decision", "ETHUSDT", "k", 1.0, "{}"),  # type: ignore[arg-type]
        Event("decision", "ETHUSDT", "k", 1, '"\ud800"'),
        Event("decision", None, "k", 1, "{}"),  # type: ignore[arg-type]
    ],
)
def test_what_can_not_be_written_down_is_a_broken_promise(journal: AnyJournal, bad: Event) -> None:
    with pytest.raises(BrokenPromise):
        journal.commit(7, [bad], {})
    with pytest.raises(BrokenPromise):
        journal.commit(7, [event()], {"account": "\ud800"})
    assert journal.head() == EMPTY


def test_events_are_selected_by_kind_and_symbol_in_both_orders(journal: AnyJournal) -> None:
    for bar in range(150):
        for symbol in ("ETHUSDT", "BTCUSDT"):
            journal.commit(bar, [event("decision", symbol, bar), event("intent", symbol, bar)], {})
    written = keys(journal)
    assert len(written) == 600
    assert keys(journal, newest_first=True) == written[::-1]
    decisions = [key for key in written if key[0] == "decision"]
    assert keys(journal, kind="decision") == decisions
    assert keys(journal, kind="decision", newest_first=True) == decisions[::-1]
    bitcoin = [key for key in written if key[1].startswith("BTC")]
    assert keys(journal, symbol="BTCUSDT") == bitcoin
    both = [key for key in bitcoin if key[0] == "intent"]
    assert keys(journal, kind="intent", symbol="BTCUSDT") == both
    assert keys(journal, kind="intent", symbol="BTCUSDT", newest_first=True) == both[::-1]
    assert keys(journal, kind="nothing") == []


def test_events_after_a_number_are_those_written_later(journal: AnyJournal) -> None:
    assert journal.last_seq() == 0
    assert list(journal.events_after(0)) == []
    for bar in range(300):  # more than a page
        journal.commit(bar, [event("decision", bar=bar), event("fill", bar=bar)], {})
    everything = list(journal.events())
    assert journal.last_seq() == everything[-1].seq == 600
    assert list(journal.events_after(0)) == everything
    assert list(journal.events_after(-5)) == everything
    assert list(journal.events_after(597)) == everything[597:]
    assert list(journal.events_after(600)) == list(journal.events_after(10_000)) == []
    fills = [stored for stored in everything if stored.event.kind == "fill"]
    assert list(journal.events_after(0, ("fill",))) == fills
    assert list(journal.events_after(301, ("fill", "trade"))) == fills[150:]
    assert list(journal.events_after(301, ("fill", "decision"))) == everything[301:]
    assert list(journal.events_after(0, ("trade",))) == []


def test_an_iteration_shows_what_was_there_when_it_began(journal: AnyJournal) -> None:
    for bar in range(20):
        journal.commit(bar, [event(bar=bar)], {})
    seen = []
    for stored in journal.events():
        journal.commit(99, [event(bar=100 + stored.seq)], {})
        seen.append(stored.seq)
    assert seen == list(range(1, 21))
    assert journal.head().seq == 40


def test_any_text_comes_back_as_it_was(journal: AnyJournal) -> None:
    odd = Event("köder", "1000PEPE'\"; --", "a\x00b\n|", -5, '{"é":"\\ud83d \u2028 🐸"}')
    journal.commit(-1, [odd], {"ünïcode": " \x00"})
    assert [stored.event for stored in journal.events()] == [odd]
    assert journal.states() == {"ünïcode": " \x00"}
    assert check(journal).sound


def test_a_closed_journal_refuses(journal: AnyJournal) -> None:
    journal.close()
    journal.close()
    refused: list[Callable[[], object]] = [
        lambda: journal.has("a", "b"),
        lambda: list(journal.events()),
        lambda: list(journal.events_after(0)),
        lambda: journal.commit(1, [event()], {}),
    ]
    for call in refused:
        with pytest.raises(JournalError, match="closed"):
            call()


def test_both_journals_write_the_same_chain(tmp_path: Path) -> None:
    on_disk, in_memory = SqliteJournal.open(tmp_path / "j.sqlite"), MemoryJournal()
    for journal in (on_disk, in_memory):
        for bar in range(5):
            commit_counted(journal, bar, event(bar=bar), event("intent", bar=bar))
    assert list(on_disk.events()) == list(in_memory.events())
    assert on_disk.stored_states() == in_memory.stored_states()
    assert check(on_disk, counted) == check(in_memory, counted)
    on_disk.close()
