"""The trial ledger: counts every trial once, notices its own disappearance, says so from then on."""

import json
import multiprocessing
import shutil
import signal
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine_alpha.backtest.sweeping.ledger_records import FAULT, OUTCOME, RESET, Study, fold
from engine_alpha.backtest.sweeping.outcome import DailyReturns, Outcome
from engine_alpha.backtest.trials import TrialLedger, trials_known
from engine_alpha.errors import JournalError
from engine_alpha.home import Home
from engine_alpha.journals.sqlite import SqliteJournal
from engine_alpha.kernel.profit_factor import profit_factor

NOW_MS = 1_700_000_000_000
DAY_MS = 86_400_000


@pytest.fixture(autouse=True)
def state_of_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Keep tests out of the developer's state folder."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "user-state"))
    yield tmp_path / "user-state"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    path = tmp_path / "home"
    path.mkdir()
    return Home(path)


def ledger_of(home: Home) -> TrialLedger:
    return TrialLedger(home, lambda: NOW_MS)


def a_study(**changes: object) -> Study:
    fields: dict[str, object] = {
        "method": "grid",
        "seed": None,
        "objective": "pf_low",
        "varied": ("a:exits.stop.range=4:10:1",),
        "documents": ("a",),
        "venue": "BINANCEUM",
        "symbols": ("ETHUSDT", "BTCUSDT"),
        "from_ms": 0,
        "to_ms": 365 * DAY_MS,
        "data_sha256": "d" * 64,
        "code_sha256": "c" * 64,
    }
    return Study(**{**fields, **changes})  # type: ignore[arg-type]


def some_trials(study: Study, count: int, first: int = 0) -> dict[str, dict[str, object]]:
    return {
        study.trial_key(f"configuration {place}"): {"a:exits.stop.range": place}
        for place in range(first, first + count)
    }


def an_outcome(*nets: float) -> Outcome:
    return Outcome(
        factor=profit_factor(nets),
        per_coin={"ETHUSDT": profit_factor(nets), "BTCUSDT": profit_factor([])},
        sharpe=1.25,
        max_drawdown_frac=0.1,
        daily=DailyReturns(days=100, sharpe=0.065, skewness=-0.5, kurtosis=4.0),
        trades_sha256="f" * 64,
    )


def tried(home: Home, count: int, first: int = 0, **changes: object) -> Study:
    study = a_study(**changes)
    ledger = ledger_of(home)
    trials = some_trials(study, count, first)
    ledger.begin(study, trials)
    ledger.finish(study, {key: an_outcome(3.0, -1.0, 2.0) for key in trials})
    return study


def test_a_home_without_sweeps_knows_of_no_trial_and_nothing_is_made(home: Home) -> None:
    assert trials_known(home) == 0
    assert ledger_of(home).check() is None
    assert list(home.path.iterdir()) == []


def test_trials_are_counted_before_they_are_evaluated(home: Home) -> None:
    study = a_study()
    assert ledger_of(home).begin(study, some_trials(study, 5)) == 5
    found = ledger_of(home).summary()
    assert (found.listed, found.lost, found.resets, found.known) == (5, 0, 0, 5)
    assert [(group.trials, group.finished) for group in found.groups] == [(5, 0)]


def test_the_same_trials_again_do_not_count_twice(home: Home) -> None:
    tried(home, 5)
    study = a_study()
    assert ledger_of(home).begin(study, some_trials(study, 7)) == 2
    ledger_of(home).finish(study, {key: an_outcome(1.0, -1.0) for key in some_trials(study, 7)})
    assert trials_known(home) == 7
    (group,) = ledger_of(home).summary().groups
    assert (group.trials, group.finished, group.studies) == (7, 7, 1)


def test_another_seed_or_objective_makes_no_new_trial_of_the_same_configuration(home: Home) -> None:
    tried(home, 5)
    tried(home, 5, method="random", seed=3, objective="net")
    assert trials_known(home) == 5
    (group,) = ledger_of(home).summary().groups
    assert (group.trials, group.studies) == (5, 2)


@pytest.mark.parametrize(
    "changes",
    [
        {"data_sha256": "e" * 64},
        {"code_sha256": "e" * 64},
        {"symbols": ("ETHUSDT",)},
        {"from_ms": DAY_MS},
        {"to_ms": DAY_MS},
        {"venue": "BYBIT"},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_the_same_configuration_on_something_else_is_another_trial(
    home: Home, changes: dict[str, object]
) -> None:
    tried(home, 5)
    tried(home, 5, **changes)
    assert trials_known(home) == 10


def test_the_order_of_symbols_makes_no_new_trial(home: Home) -> None:
    tried(home, 5)
    tried(home, 5, symbols=("BTCUSDT", "ETHUSDT"))
    assert trials_known(home) == 5


def test_trials_are_counted_by_card_and_coin(home: Home) -> None:
    tried(home, 5)
    tried(home, 7, documents=("b", "risk"), symbols=("SOLUSDT",))
    assert trials_known(home) == 12
    assert trials_known(home, documents=["a"]) == 5
    assert trials_known(home, documents=["risk"]) == 7
    assert trials_known(home, symbols=["SOLUSDT", "ADAUSDT"]) == 7
    assert trials_known(home, documents=["a"], symbols=["SOLUSDT"]) == 0


def test_a_failed_trial_counts_and_may_succeed_later(home: Home) -> None:
    study = a_study()
    (key,) = trials = some_trials(study, 1)
    ledger = ledger_of(home)
    ledger.begin(study, trials)
    ledger.finish(study, {key: "missing_series: no bars"})
    ledger.finish(study, {key: "missing_series: no bars"})
    (group,) = ledger.summary().groups
    assert (group.trials, group.finished) == (1, 0)
    assert ledger.begin(study, trials) == 0
    ledger.finish(study, {key: an_outcome(1.0, -2.0)})
    (group,) = ledger.summary().groups
    assert (group.trials, group.finished) == (1, 1)
    kinds = [stored.event.kind for stored in events_of(home)]
    assert kinds.count(FAULT) == kinds.count(OUTCOME) == 1


def events_of(home: Home) -> list[object]:
    journal = SqliteJournal.open(ledger_of(home).path, read_only=True)
    try:
        return list(journal.events())
    finally:
        journal.close()


def test_an_outcome_is_kept_whole_infinity_included(home: Home) -> None:
    study = a_study()
    (key,) = trials = some_trials(study, 1)
    ledger_of(home).begin(study, trials)
    ledger_of(home).finish(study, {key: an_outcome(1.0, 2.0)})
    stored = next(each for each in events_of(home) if each.event.kind == OUTCOME)
    payload = json.loads(stored.event.payload)
    assert payload["factor"][:2] == ["inf", 2] and payload["net_quote"] == 3.0
    assert payload["per_coin"]["BTCUSDT"][:2] == [None, 0]
    assert payload["daily"]["kurtosis"] == 4.0 and payload["trades_sha256"] == "f" * 64


def test_the_counts_are_what_the_events_add_up_to(home: Home) -> None:
    tried(home, 5)
    tried(home, 3, first=5, documents=("b",))
    report = ledger_of(home).check()
    assert report is not None and report.sound and report.states_rebuilt
    assert (report.events, report.states) == (2 + 8 + 8, 3)


def remove_ledger(home: Home) -> None:
    shutil.rmtree(home.state)


def test_a_deleted_ledger_is_noticed_and_counted_on_from_the_higher_number(home: Home) -> None:
    tried(home, 340)
    remove_ledger(home)
    found = ledger_of(home).summary()
    assert (found.listed, found.lost, found.resets, found.known) == (0, 340, 1, 340)
    tried(home, 10)
    assert trials_known(home) == 350
    assert trials_known(home, documents=["a"], symbols=["ETHUSDT"]) == 350
    assert trials_known(home, documents=["b"]) == 340, "lost ones may have been of any card"


def test_the_reset_itself_can_not_be_undone_by_another(home: Home) -> None:
    tried(home, 340)
    remove_ledger(home)
    tried(home, 10)
    remove_ledger(home)
    found = ledger_of(home).summary()
    assert (found.known, found.lost, found.resets) == (350, 350, 1)
    tried(home, 2, first=1_000)
    found = ledger_of(home).summary()
    assert (found.known, found.listed) == (352, 2)
    report = ledger_of(home).check()
    assert report is not None and report.sound


@pytest.mark.parametrize("kept", ["of the home", "of the user"])
def test_one_witness_of_the_two_is_enough(home: Home, state_of_the_user: Path, kept: str) -> None:
    tried(home, 340)
    remove_ledger(home)
    shutil.rmtree(state_of_the_user if kept == "of the home" else home.reports)
    assert trials_known(home) == 340


def test_a_copy_put_back_is_noticed(home: Home, tmp_path: Path) -> None:
    tried(home, 100)
    shutil.copytree(home.state, tmp_path / "copy")
    tried(home, 240, first=100)
    remove_ledger(home)
    shutil.copytree(tmp_path / "copy", home.state)
    found = ledger_of(home).summary()
    assert (found.listed, found.lost, found.known) == (100, 240, 340)
    tried(home, 340)  # all of them again: which 240 were lost is not known
    assert trials_known(home) == 580


def test_events_cut_off_by_hand_are_noticed(home: Home) -> None:
    tried(home, 100)
    with sqlite3.connect(ledger_of(home).path) as database:
        database.execute("DELETE FROM states")
        database.execute("DELETE FROM events WHERE seq > 1")
    database.close()
    found = ledger_of(home).summary()
    assert (found.lost, found.known, found.resets) == (100, 100, 1)


def test_a_changed_event_is_refused_or_found(home: Home) -> None:
    tried(home, 100)
    with sqlite3.connect(ledger_of(home).path) as database:
        database.execute("UPDATE events SET payload = '{}' WHERE seq = 2")
    database.close()
    report = ledger_of(home).check()
    assert report is not None and not report.sound and report.first_broken_seq == 2
    with sqlite3.connect(ledger_of(home).path) as database:
        database.execute("UPDATE events SET payload = '{}' WHERE seq = (SELECT max(seq) FROM events)")
    database.close()
    with pytest.raises(JournalError, match="changed after it was written"):
        ledger_of(home).summary()


def test_a_ledger_of_another_home_in_its_place_is_noticed(home: Home, tmp_path: Path) -> None:
    other = Home(tmp_path / "other")
    other.path.mkdir()
    tried(other, 500, documents=("b",))
    tried(home, 340)
    remove_ledger(home)
    shutil.copytree(other.state, home.state)
    found = ledger_of(home).summary()
    assert (found.known, found.lost, found.resets) == (500, 0, 1), "the higher number counts"
    assert any(stored.event.kind == RESET for stored in events_of(home))


def test_a_home_that_moves_keeps_its_count_without_a_reset(home: Home, tmp_path: Path) -> None:
    tried(home, 5)
    moved = Home(tmp_path / "moved")
    shutil.move(home.path, moved.path)
    tried(moved, 5, first=5)
    found = ledger_of(moved).summary()
    assert (found.known, found.resets) == (10, 0)


def test_a_crash_between_ledger_and_witness_is_no_reset(home: Home) -> None:
    tried(home, 5)
    before = (home.reports / "trials.json").read_bytes()
    tried(home, 200, first=5)
    (home.reports / "trials.json").write_bytes(before)
    found = ledger_of(home).summary()
    assert (found.known, found.resets) == (205, 0)


def test_an_unreadable_witness_stops_everything_until_someone_decides(home: Home) -> None:
    tried(home, 5)
    (home.reports / "trials.json").write_text("{", encoding="utf-8")
    with pytest.raises(JournalError, match=r"trials\.json can't be read .* put it back, or delete it"):
        trials_known(home)
    (home.reports / "trials.json").unlink()
    assert trials_known(home) == 5


def test_a_state_folder_out_of_reach_stops_nothing(home: Home, state_of_the_user: Path) -> None:
    state_of_the_user.parent.mkdir(exist_ok=True)
    state_of_the_user.write_text("a file where a folder should be", encoding="utf-8")
    tried(home, 5)
    assert trials_known(home) == 5


def _try_some(home: Path, state: str, first: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", state)
        for place in range(first, first + 40, 8):
            tried(Home(home), 8, first=place)


def test_several_sweeps_write_in_turn(home: Home, state_of_the_user: Path) -> None:
    context = multiprocessing.get_context("forkserver")
    workers = [
        context.Process(target=_try_some, args=(home.path, str(state_of_the_user), first))
        for first in (0, 20, 100)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    found = ledger_of(home).summary()
    assert (found.known, found.resets) == (100, 0)
    report = ledger_of(home).check()
    assert report is not None and report.sound


def test_folding_keeps_first_and_last_time(home: Home) -> None:
    study = a_study()
    TrialLedger(home, lambda: 1_000).begin(study, some_trials(study, 1))
    TrialLedger(home, lambda: 5_000).begin(study, some_trials(study, 2))
    TrialLedger(home, lambda: 9_000).begin(study, some_trials(study, 2))
    (group,) = ledger_of(home).summary().groups
    assert (group.first_at_ms, group.last_at_ms) == (1_000, 5_000)
    states: dict[str, str] = {}
    for stored in events_of(home):
        states = fold(states, stored)
    assert json.loads(states["total"])["trials"] == 2


def test_an_interruption_while_it_is_written_comes_after_that(home: Home) -> None:
    study = a_study()

    def interrupting() -> int:
        signal.raise_signal(signal.SIGINT)
        return NOW_MS

    with pytest.raises(KeyboardInterrupt):
        TrialLedger(home, interrupting).begin(study, some_trials(study, 5))
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert trials_known(home) == 5
    report = ledger_of(home).check()
    assert report is not None and report.sound
