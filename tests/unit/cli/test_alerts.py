"""`chloe alerts`: a test message to every target, what was told lately, and never an address."""

import json
import sys
from pathlib import Path

import pytest

from engine_alpha.config.alert_targets import alert_targets_file
from engine_alpha.home import Home
from engine_alpha.journals.sqlite import SqliteJournal
from engine_alpha.loop.service.starting import make_alerter
from engine_alpha.loop.wiring import JOURNAL_NAME, run_tick
from engine_alpha.notices.memory import FILE_NAME
from engine_alpha.plans.setup import read_setup
from tests.unit.cli.conftest import Run
from tests.unit.notices.receiving import receiver, wait_for

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")  # apprise's

PLANTED = "PlantedToken0123456789"
DEAD = f"json://user:{PLANTED}@127.0.0.1:9/{PLANTED}"
LATER_MS = 1_764_151_230_000  # 2025-11-26T10:00:30


def plant(home: Path, *targets: str) -> None:
    path = alert_targets_file(Home(home))
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"targets": targets}))
    path.chmod(0o600)


def test_without_targets_it_says_what_to_write_where(home: Path, run: Run) -> None:
    result = run("alerts", "test")
    assert result.exit_code == 2
    assert f"chmod 600 {home}/secrets/alerts.json" in result.stderr and "targets" in result.stderr
    status = run("alerts", "status")
    assert status.exit_code == 0
    assert "nobody is told anything" in status.stdout and "chmod 600" in status.stdout


def test_a_test_reaches_every_target(home: Path, run: Run) -> None:
    with receiver() as one, receiver() as two:
        plant(home, one.target, two.target)
        result = run("alerts", "test", "--kind", "faults")
    assert result.exit_code == 0, result.output
    for seen in (one, two):
        assert [(body["title"], body["type"]) for body in seen.bodies] == [("Chloe: test", "warning")]
        assert f"a test of {home}" in seen.bodies[0]["message"]
    assert [line.split()[:3] for line in result.stdout.splitlines()[1:]] == [
        ["json", "#1", "taken"],
        ["json", "#2", "taken"],
    ]


def test_who_fails_is_told_with_what_to_do_and_without_a_secret(home: Path, run: Run) -> None:
    with receiver() as seen:
        plant(home, seen.target, DEAD, f"nosuch://{PLANTED}")
        result = run("alerts", "test")
        as_json = run("alerts", "test", "--json")
        plant(home, DEAD)
        none = run("alerts", "test")
    assert (result.exit_code, as_json.exit_code, none.exit_code) == (3, 3, 4)
    assert "json #2: can't be reached: is the address right, and the network up?" in result.stdout
    assert "nosuch #3: apprise can't use this address: look it up at" in result.stdout
    found = {each["target"]: each["taken"] for each in json.loads(as_json.stdout)["targets"]}
    assert found == {"json #1": True, "json #2": False, "nosuch #3": False}
    assert PLANTED not in result.output + as_json.output + none.output


def test_a_kind_that_the_engine_does_not_tell_is_pointed_out(home: Path, run: Run) -> None:
    file = home / "config" / "engine.json"
    engine = json.loads(file.read_text())
    engine["alerts"]["kinds"] = ["halts"]
    file.write_text(json.dumps(engine))
    with receiver() as seen:
        plant(home, seen.target)
        assert "tells no trades: add it to alerts.kinds" in run("alerts", "test", "--kind", "trades").stdout
        assert "alerts.kinds" not in run("alerts", "test", "--kind", "halts").stdout


def test_without_apprise_the_extra_is_named(home: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    plant(home, DEAD)
    result = run("alerts", "test")
    assert result.exit_code == 2
    assert "install the extra, pip install 'chloe[alerts]'" in result.stderr
    assert run("alerts", "status").exit_code == 0


def test_what_was_told_lately_is_shown_by_account(traded: Path, run: Run) -> None:
    with receiver() as seen:
        plant(traded, seen.target, DEAD)
        alerter = make_alerter(read_setup(Home(traded)), "simulated")
        journal_file = traded / "state" / "simulated" / JOURNAL_NAME
        journal = SqliteJournal.open(journal_file)
        alerter.observe(journal, LATER_MS)
        journal.close()
        for hour in (11, 12, 13, 14):
            run_tick(str(traded), now=f"2025-11-26T{hour}:00:30")
        journal = SqliteJournal.open(journal_file)
        alerter.observe(journal, LATER_MS + 1)
        wait_for(lambda: len(seen.bodies) > 0)
        alerter.close(5.0)
        for event in alerter.observe(journal, LATER_MS + 2):
            journal.commit(LATER_MS + 2, [event], {})
        journal.close()
    shown = run("alerts", "status")
    assert shown.exit_code == 0
    assert "to       json #1, json #2" in shown.stdout
    assert "sent to json #1: Chloe simulated: " in shown.stdout
    assert "json #2 FAILED: can't be reached" in shown.stdout and "waiting: " in shown.stdout
    found = json.loads(run("alerts", "status", "--json").stdout)
    account = found["accounts"][0]
    assert account["account"] == "simulated" and account["waiting"]["json #2"] >= 1
    assert {each["status"] for each in account["lately"]} == {"sent", "dead"}
    assert PLANTED not in shown.output + json.dumps(found)


def test_a_memory_that_can_not_be_read_is_told(traded: Path, run: Run) -> None:
    (traded / "state" / "simulated" / FILE_NAME).write_text("{")
    shown = run("alerts", "status")
    assert shown.exit_code == 0 and "alerts.json can't be read" in shown.stdout
