"""`chloe sweep`: what it prints and writes, what it refuses, how it ends."""

import csv
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

pytest.importorskip("numba", reason="numba is absent: the backtest extra is not installed")

from engine_alpha.backtest.trials import trials_known
from engine_alpha.cli.root import chloe
from engine_alpha.home import Home
from engine_alpha.times import iso
from tests.parity.stored import THREE, series, store
from tests.unit.loop.runs import QUICK, START_MS, a_home

ROOT = Path(__file__).resolve().parents[3]
DAY_MS = 86_400_000
STOPS, HOLDS = "exits.stop.atr=1:3:0.5", "exits.max_hold_bars=3,6,12"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return store(tmp_path_factory.mktemp("stored") / "data", series())


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a home with one card that trades often; the developer's folders stay untouched."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "user-state"))
    monkeypatch.setenv("CHLOE_HOME", str(tmp_path / "home"))
    a_home(tmp_path / "home", enabled=THREE, cards=(QUICK,))
    return tmp_path / "home"


def words(data: Path, *more: str, days: int = 30) -> list[str]:
    span = ["--from", iso(START_MS), "--to", iso(START_MS + days * DAY_MS)]
    where = ["--data", str(data), "--venue", "bybit", "--symbols", ",".join(THREE)]
    return ["sweep", *where, *span, "--card", "quick", "--jobs", "1", *more]


def run(*arguments: str) -> Result:
    return CliRunner().invoke(chloe, list(arguments), prog_name="chloe")


def vary(*texts: str) -> list[str]:
    return [word for text in texts for word in ("--vary", text)]


def of_json(*arguments: str) -> dict[str, Any]:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.stderr
    found: dict[str, Any] = json.loads(result.stdout, parse_constant=pytest.fail)
    return found


def test_it_shows_the_best_their_neighbours_and_what_luck_gives(home: Path, data: Path) -> None:
    result = run(*words(data, *vary(STOPS, HOLDS), "--best", "4"))
    assert result.exit_code == 0, result.stderr
    lines = result.stdout.splitlines()
    assert "one account trades all of quick" in lines
    head = next(place for place, line in enumerate(lines) if line.startswith("exits.stop.atr"))
    assert lines[head - 1] == "the best 4 by the low end of PF's 95 % interval:"
    assert len([line for line in lines[head + 1 : head + 5] if "(least " in line]) == 4
    for said in (
        "the best one, coin by coin:",
        "ETHUSDT",
        "round the best one: ",
        "15 trials of quick on these coins were ever run (all of them now): the best of so many",
        "deflated Sharpe ",
        "15 of them never tried before",
        "15 trials in this home's ledger",
    ):
        assert said in result.stdout, said


def test_json_and_files_hold_the_same_trials(home: Path, data: Path, tmp_path: Path) -> None:
    found = of_json(*words(data, *vary(STOPS, HOLDS), "--out", str(tmp_path / "out"), "--best", "3"))
    assert (found["sets"], found["failed"], found["new"], found["method"]) == (15, 0, 15, "grid")
    assert found["trials_known"] == {"of_these": 15, "ever": 15, "lost": 0, "resets": 0}
    assert found["luck"]["trials"] == 15 and found["luck"]["factor"] > 1.0
    whole = json.loads((tmp_path / "out" / "sweep.json").read_text(), parse_constant=pytest.fail)
    by_score = sorted(whole["trials"], key=lambda trial: (-trial["score"], trial["place"]))
    assert [{**each, "plateau": None} for each in found["best"]] == [
        {**each, "plateau": None} for each in by_score[:3]
    ]
    with (tmp_path / "out" / "trials.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 15 and list(rows[0])[:2] == ["quick:exits.stop.atr", "quick:exits.max_hold_bars"]
    assert [float(row["net_quote"]) for row in rows] == [trial["net_quote"] for trial in whole["trials"]]
    assert len({row["trades_sha256"] for row in rows}) == 15


def test_two_processes_find_what_one_does(home: Path, data: Path) -> None:
    alone = of_json(*words(data, *vary(STOPS, HOLDS)))
    beside = of_json(*words(data, *vary(STOPS, HOLDS)), "--jobs", "2")
    assert beside["best"] == alone["best"] and beside["jobs"] == 2
    assert (beside["new"], beside["trials_known"]["ever"]) == (0, 15)


def test_random_values_follow_their_seed(home: Path, data: Path) -> None:
    spans = vary("exits.stop.atr=1:3", "risk:risk_frac=0.001:0.02:log")
    one = of_json(*words(data, *spans, "--random", "6"))
    same = of_json(*words(data, *spans, "--random", "6", "--seed", "1"))
    other = of_json(*words(data, *spans, "--random", "6", "--seed", "2"))
    assert one["best"] == same["best"] != other["best"]
    assert (one["new"], same["new"], other["new"]) == (6, 0, 6)
    assert one["documents"] == ["quick", "risk"]


def test_the_ledger_shows_what_was_ever_tried_and_that_it_was_reset(home: Path, data: Path) -> None:
    assert run("sweep", "--ledger").stdout == "0 trials in this home's ledger\n"
    of_json(*words(data, *vary(STOPS)))
    shown = run("sweep", "--ledger")
    assert shown.exit_code == 0 and "5 trials in this home's ledger" in shown.stdout
    assert "quick   bybit  BTCUSDT, DOGEUSDT, ETHUSDT" in shown.stdout
    shutil.rmtree(home / "state" / "research")
    again = of_json(*words(data, *vary("exits.stop.atr=4,5")))
    assert again["trials_known"] == {"of_these": 7, "ever": 7, "lost": 5, "resets": 1}
    ledger = of_json("sweep", "--ledger")
    assert (ledger["known"], ledger["listed"], ledger["lost"], ledger["sound"]) == (7, 2, 5, True)
    assert "THE LEDGER WAS RESET once: 5 trials" in run("sweep", "--ledger").stdout


def test_a_ledger_that_was_changed_is_named_and_exits_4(home: Path, data: Path) -> None:
    of_json(*words(data, *vary("exits.stop.atr=1:3:0.05")))
    with sqlite3.connect(home / "state" / "research" / "trials.sqlite") as database:
        database.execute("UPDATE events SET payload = replace(payload, '1.5', '9.5') WHERE seq = 12")
    database.close()
    result = run("sweep", "--ledger")
    assert result.exit_code == 4
    assert "trials.sqlite is not what was written: event 12 was changed" in result.stderr


def test_progress_tells_the_best_set_so_far(home: Path, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine_alpha.cli.progress.SILENT_SECONDS", 0.0)
    result = run(*words(data, *vary(STOPS, HOLDS)))
    assert result.exit_code == 0, result.stderr
    assert "sweeping 3 coins: 100 %, 15 of 15 sets; best so far: pf_low " in result.stderr
    assert " with quick:exits.stop.atr " in result.stderr


def test_the_ledger_is_no_account(home: Path, data: Path) -> None:
    of_json(*words(data, *vary(STOPS)))
    assert run("status").exit_code == 0
    refused = run("status", "--account", "research")
    assert refused.exit_code == 2 and 'no account "research"' in refused.stderr


def test_other_cards_and_limits_stand_in_for_the_homes_own(home: Path, data: Path, tmp_path: Path) -> None:
    shutil.copytree(home / "config" / "cards", tmp_path / "cards")
    card = tmp_path / "cards" / "quick.json"
    card.write_text(json.dumps({**QUICK, "exits": {"stop": {"atr": 1.0}, "max_hold_bars": 3}}))
    there = of_json(*words(data, *vary("exits.stop.atr=1,2"), "--cards", str(tmp_path / "cards")))
    here = of_json(*words(data, *vary("exits.stop.atr=1,2")))
    assert there["best"] != here["best"] and here["trials_known"]["ever"] == 4


@pytest.mark.parametrize(
    ("more", "complaint"),
    [
        (vary(), "nothing is varied: give --vary KEY=VALUES"),
        (vary("exits.stop.atr=0:3:1"), "--vary exits.stop.atr=0:3:1: with quick:exits.stop.atr = 0: "),
        (vary("exits.stop.atr=1:3"), "a grid needs a step"),
        ([*vary(STOPS), "--random", "5", "--optuna", "5"], "choose one"),
        ([*vary(STOPS), "--random", "0"], "give a number of sets between 1 and 100,000"),
        ([*vary(STOPS), "--symbols", ","], "--symbols names no coin"),
        ([*vary(STOPS), "--symbols", "NOSUCH"], "NOSUCH is not in "),
        ([*vary(STOPS), "--symbols", "SOLUSDT"], "no 1h bars of SOLUSDT"),
        ([*vary(STOPS), "--from", "2030-01-01"], "--from must be before --to"),
        ([*vary(STOPS), "--venue", "bybitt"], 'no venue "bybitt"'),
        ([*vary(STOPS), "--data", "nowhere"], "no data folder nowhere"),
        ([*vary(STOPS), "--objective", "luck"], "pf_low"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_counted(
    home: Path, data: Path, more: list[str], complaint: str
) -> None:
    result = run(*words(data), *more)
    assert result.exit_code in (2, 4) and complaint in result.stderr, result.stderr
    assert result.stdout == "" and trials_known(Home(home)) == 0


def test_a_missing_option_is_named() -> None:
    result = run("sweep", "--venue", "bybit")
    assert result.exit_code == 2 and "missing --data, --symbols, --from, --to" in result.stderr


def test_a_sweep_in_which_every_set_fails_says_why_and_exits_4(home: Path, data: Path) -> None:
    result = run(*words(data, *vary('risk:detail="1m"')))
    assert result.exit_code == 4
    assert "no set of parameters came to a result" in result.stdout
    assert "1 set failed, for example: risk:detail can't be varied" in result.stdout


def test_interrupted_it_shows_what_it_has_and_keeps_it(home: Path, data: Path) -> None:
    many = vary("exits.stop.atr=0.5:5:0.01", "exits.max_hold_bars=2:40:1")
    command = [sys.executable, "-m", "engine_alpha", *words(data, *many)]
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(os.environ)
    )
    ledger = home / "reports" / "trials.json"
    while process.poll() is None and not (ledger.exists() and json.loads(ledger.read_text())["trials"] > 300):
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    shown, complaint = process.communicate(timeout=60)
    assert process.returncode == 130, complaint
    assert "Traceback" not in complaint and "what is finished is kept" in complaint
    assert "the best 10 by " in shown
    found = of_json("sweep", "--ledger")
    (group,) = found["groups"]
    assert found["sound"] and 256 <= group["finished"] <= group["trials"] < 17_000
