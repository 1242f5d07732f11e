"""`check` finds every kind of damage; `export` writes canonical lines."""

import json
from pathlib import Path
from typing import Any

import pytest

from engine_alpha.errors import BrokenPromise, JournalError
from engine_alpha.journals.checking import CheckReport, check
from engine_alpha.journals.connecting import sqlite_driver
from engine_alpha.journals.export import canonical, export
from engine_alpha.journals.memory import MemoryJournal
from engine_alpha.journals.sqlite import SqliteJournal
from engine_alpha.ports import Event, StoredEvent
from tests.unit.journals.batches import commit_counted, counted, event


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Make a journal of 40 events and three states."""
    place = tmp_path / "journal.sqlite"
    journal = SqliteJournal.open(place)
    for bar in range(10):
        for symbol in ("ETHUSDT", "BTCUSDT"):
            commit_counted(journal, bar, event("decision", symbol, bar), event("intent", symbol, bar))
    journal.close()
    return place


def tamper(path: Path, statement: str) -> None:
    connection = sqlite_driver().connect(str(path))
    connection.execute("PRAGMA foreign_keys=OFF")
    connection.execute(statement)
    connection.commit()
    connection.close()


def checked(path: Path) -> CheckReport:
    journal = SqliteJournal.open(path, read_only=True)
    try:
        return check(journal, counted)
    finally:
        journal.close()


def test_a_sound_journal_passes_and_reports_progress(path: Path) -> None:
    progress: list[tuple[int, int]] = []
    journal = SqliteJournal.open(path, read_only=True)
    report = check(journal, counted, lambda done, total: progress.append((done, total)))
    journal.close()
    assert report.sound
    assert report.states_rebuilt
    assert (report.events, report.states, report.first_broken_seq) == (40, 3, None)
    assert progress == [(40, 40)]


def test_without_a_fold_the_chain_is_checked_alone(path: Path) -> None:
    journal = SqliteJournal.open(path)
    report = check(journal)
    journal.close()
    assert report.sound
    assert not report.states_rebuilt


@pytest.mark.parametrize(
    ("statement", "first_broken"),
    [
        ("UPDATE events SET payload = replace(payload, '3', '4') WHERE seq = 15", 15),
        ("UPDATE events SET payload = CAST(payload AS BLOB) WHERE seq = 15", 15),
        ("UPDATE events SET payload = 5 WHERE seq = 15", 15),
        ("UPDATE events SET at_ms = at_ms + 1 WHERE seq = 1", 1),
        ("UPDATE events SET at_ms = 'soon' WHERE seq = 2", 2),
        ("UPDATE events SET symbol = 'X' WHERE seq = 40", 40),
        ("UPDATE events SET previous_hash = hash WHERE seq = 7", 7),
        ("UPDATE events SET hash = previous_hash WHERE seq = 7", 7),
        ("DELETE FROM events WHERE seq = 9", 9),
        ("UPDATE events SET seq = 41 WHERE seq = 40", 40),
    ],
)
def test_the_first_broken_event_is_named(path: Path, statement: str, first_broken: int) -> None:
    tamper(path, statement)
    report = checked(path)
    assert not report.sound
    assert (report.events, report.first_broken_seq) == (first_broken - 1, first_broken)
    assert report.broken
    assert not report.states_rebuilt


def test_lost_last_events_show_in_the_states(path: Path) -> None:
    tamper(path, "DELETE FROM events WHERE seq > 38")
    report = checked(path)
    assert report.first_broken_seq is None
    assert any("event 40, which is missing" in wrong for wrong in report.wrong_states)
    with pytest.raises(JournalError, match="is damaged"):
        SqliteJournal.open(path)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE states SET payload = replace(payload, '2', '3') WHERE name = 'account'",
        "UPDATE states SET payload = x'ff' WHERE name = 'account'",
        "UPDATE states SET last_seq = 12 WHERE name = 'account'",
        "UPDATE states SET digest = 'x' WHERE name = 'account'",
    ],
)
def test_a_changed_state_is_named_and_stops_the_next_start(path: Path, statement: str) -> None:
    tamper(path, statement)
    assert [wrong.split()[1] for wrong in checked(path).wrong_states] == ["account"]
    with pytest.raises(JournalError, match="the state account is not what was written"):
        SqliteJournal.open(path)


def test_a_lost_state_is_named(path: Path) -> None:
    tamper(path, "DELETE FROM states WHERE name = 'ETHUSDT'")
    assert checked(path).wrong_states == ("state ETHUSDT is missing",)


def test_a_state_that_its_events_do_not_add_up_to_is_named() -> None:
    journal = MemoryJournal()
    commit_counted(journal, 1, event(bar=1))
    journal.commit(2, [event(bar=2)], {"ETHUSDT": '{"count": 7}'})
    wrong = check(journal, counted).wrong_states
    assert [text.split()[1] for text in wrong] == ["ETHUSDT", "account"]
    assert "changed by an event after" in wrong[1]


def test_a_fold_may_change_its_dict_in_place(path: Path) -> None:
    def in_place(states: dict[str, str], stored: StoredEvent) -> dict[str, str]:
        states.update(counted(states, stored))
        return states

    journal = SqliteJournal.open(path, read_only=True)
    assert check(journal, in_place).sound
    journal.close()


def test_an_unreadable_event_ends_the_check_with_a_report(path: Path) -> None:
    tamper(path, "UPDATE events SET payload = CAST(x'22ff22' AS TEXT) WHERE seq = 15")
    report = checked(path)
    assert report.first_broken_seq is not None
    assert "is damaged" in str(report.broken)


def test_export_writes_canonical_lines_oldest_first() -> None:
    journal = MemoryJournal()
    journal.commit(1, [Event("decision", "ETHUSDT", "1", 1, '{"b": 1.50, "a": [1, null, "é"]}')], {})
    journal.commit(2, [Event("decision", "BTCUSDT", "2", 2, '{"b": 2}')], {})
    journal.commit(3, [Event("trade", "ETHUSDT", "3", 3, '{"c": 3}')], {})
    assert list(export(journal)) == ['{"a":[1,null,"\\u00e9"],"b":1.5}', '{"b":2}', '{"c":3}']
    assert list(export(journal, "decision", "BTCUSDT")) == ['{"b":2}']


def test_export_transforms_and_leaves_out() -> None:
    journal = MemoryJournal()
    for bar in range(4):
        journal.commit(bar, [event(bar=bar, mode="paper")], {})

    def odd_bars_without_mode(payload: dict[str, Any]) -> dict[str, Any] | None:
        return {"bar": payload["bar"]} if payload["bar"] % 2 else None

    assert list(export(journal, "decision", None, odd_bars_without_mode)) == ['{"bar":1}', '{"bar":3}']


@pytest.mark.parametrize("payload", ["{", '{"a": NaN}', '{"a": -Infinity}', ""])
def test_export_refuses_a_payload_that_is_no_json(payload: str) -> None:
    journal = MemoryJournal()
    journal.commit(1, [Event("decision", "ETHUSDT", "1", 1, payload)], {})
    with pytest.raises(JournalError, match="holds no JSON"):
        list(export(journal))


def test_canonical_refuses_what_json_lacks() -> None:
    assert json.loads(canonical({"b": [1.25, None], "a": "ü"})) == {"a": "ü", "b": [1.25, None]}
    for odd in (float("nan"), float("inf"), {1, 2}, b"x"):
        with pytest.raises(BrokenPromise):
            canonical({"a": odd})
