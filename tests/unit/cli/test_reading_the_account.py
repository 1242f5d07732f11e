"""Commands that read an account: status, pf, why, trades, journal."""

import csv
import io
import json
import os
import pty
import re
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.unit.cli.conftest import LAST_NOW, Run

ROOT = Path(__file__).resolve().parents[3]
READING = [["status"], ["pf"], ["trades"], ["why", "ETHUSDT"], ["journal", "check"]]


def of_json(run: Run, *arguments: str) -> dict[str, Any]:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.stderr
    document: dict[str, Any] = json.loads(result.stdout, parse_constant=pytest.fail)
    return document


@pytest.mark.parametrize("command", READING, ids=" ".join)
def test_simulated_prices_are_named_in_every_report(command: list[str], traded: Path, run: Run) -> None:
    result = run(*command)
    assert result.exit_code == 0
    assert result.stdout.splitlines()[0].endswith(
        "SIMULATED PRICES, not bybit; for real ones: chloe feed venue"
    )
    assert of_json(run, *command)["simulated"] is True
    assert "\x1b" not in result.stdout


def test_a_home_without_an_account_says_what_to_run(home: Path, run: Run) -> None:
    assert "next: chloe tick" in run("status").stdout
    assert of_json(run, "status")["account_exists"] is False
    assert "the profit factor is unknown" in run("pf").stdout
    assert run("trades").exit_code == 0
    for command in (["why", "ETHUSDT"], ["journal", "check"]):
        result = run(*command)
        assert result.exit_code == 2 and "chloe tick" in result.stderr


def test_status_shows_every_asset_its_position_and_the_money(traded: Path, run: Run) -> None:
    shown = run("status", "--now", LAST_NOW).stdout
    assert "ETHUSDT 1h  paper" in shown and "BTCUSDT 1h  paper" in shown and "in 60 min" in shown
    found = of_json(run, "status", "--now", LAST_NOW)
    assert [asset["symbol"] for asset in found["assets"]] == ["ETHUSDT", "BTCUSDT"]
    nets = [trade["net_quote"] for trade in of_json(run, "trades")["trades"]]
    money = found["money"]
    assert money["profit_factor"]["n"] == len(nets) > 0
    open_quote = money["equity_quote"] - 10_000.0 - sum(nets)
    held = [asset["position"] for asset in found["assets"] if asset["position"]]
    assert open_quote == pytest.approx(sum(each["unrealised_quote"] for each in held), abs=1.0)  # fees aside


def test_a_pending_entry_is_shown_at_the_price_it_will_be_booked_at(traded: Path, run: Run) -> None:
    for hour in range(11, 18):  # some bar in these hours decides an entry
        run("tick", "--now", f"2025-11-26T{hour}:00:30")
        now = f"2025-11-26T{hour}:20"
        pending = of_json(run, "status", "--now", now)["assets"][0]["pending"]
        if pending is not None:
            break
    assert pending["provisional_price"] is not None
    assert "provisional: fills at the open of " in run("status", "--now", now).stdout
    run("tick", "--now", f"2025-11-26T{hour + 1}:00:30")
    last = of_json(run, "why", "ETHUSDT")["decision"]
    assert last["settlement"]["entry"]["price"] == pending["provisional_price"]


def test_status_names_faults_since_the_last_decision(traded: Path, run: Run) -> None:
    file = traded / "config" / "asset_registry.json"
    file.write_text(file.read_text().replace('"risk_bucket": "meme"', '"risk_bucket": "mem"'))
    assert run("tick", "--now", "2025-11-26T11:00:30").exit_code == 3
    shown = run("status", "--now", "2025-11-26T11:01").stdout
    assert re.search(r"^DOGEUSDT +refused +never", shown, re.MULTILINE)
    assert "DOGEUSDT  no decision since: config (1 record)" in shown
    why = run("why", "DOGEUSDT").stdout
    assert "DOGEUSDT has no decision yet" in why and "no decision since: config" in why


def test_profit_factors_by_asset_card_and_regime_count_the_same_trades(traded: Path, run: Run) -> None:
    found = {by: of_json(run, "pf", "--by", by) for by in ("asset", "card", "regime")}
    whole = found["asset"]["all"]
    assert all(each["all"] == whole for each in found.values())
    assert whole["net"]["n"] == sum(group["net"]["n"] for group in found["regime"]["groups"])
    assert of_json(run, "pf", "--last", "3")["all"]["net"]["n"] == 3
    assert of_json(run, "pf", "--days", "1", "--now", "2026-06-01")["all"]["net"]["value"] is None
    assert "true interval is wider" in run("pf").stdout


def test_trades_come_as_table_csv_and_lines_with_the_same_content(traded: Path, run: Run) -> None:
    listed = of_json(run, "trades")["trades"]
    lines = [json.loads(line) for line in run("trades", "--jsonl").stdout.splitlines()]
    rows = list(csv.DictReader(io.StringIO(run("trades", "--csv").stdout)))
    assert lines == listed
    assert [float(row["net_quote"]) for row in rows] == [trade["net_quote"] for trade in lines]
    assert len(run("trades", "--symbol", "ETHUSDT", "--limit", "2").stdout.splitlines()) == 7
    assert run("trades", "--csv", "--json").exit_code == 2


def test_why_explains_the_last_bar_with_blocking_gates_first(traded: Path, run: Run) -> None:
    shown = run("why", "ETHUSDT").stdout
    first_gate = next(line for line in shown.splitlines() if line.startswith(("✗", "✓")))
    assert first_gate.startswith("✗ one_position")
    for word in ("regime", "votes", "exits", "card", "size", "signal", "bars", "config"):
        assert f"\n{word} " in shown


def test_why_finds_the_bar_that_contains_a_time(traded: Path, run: Run) -> None:
    for at in ("2025-11-25T17:00", "2025-11-25T17:59:59", "2025-11-26T08:30+00:00"):
        view = of_json(run, "why", "ETHUSDT", "--at", at)["decision"]
        assert (
            view["open_ms"] == of_json(run, "why", "ETHUSDT", "--at", at[:13] + ":00")["decision"]["open_ms"]
        )
    answer = run("why", "ETHUSDT", "--at", "2024-01-01")
    assert answer.exit_code == 0
    assert (
        "ETHUSDT has no decision at 2024-01-01 00:00 UTC; first 2025-11-25 13:00, last 2025-11-26 09:00"
        in answer.stdout
    )


def test_why_lists_the_last_bars(traded: Path, run: Run) -> None:
    bars = of_json(run, "why", "BTCUSDT", "--last", "5")["bars"]
    assert [bar["open_ms"] % 3_600_000 for bar in bars] == [0] * 5
    assert len(run("why", "BTCUSDT", "--last", "5").stdout.splitlines()) == 8


def test_why_of_an_unknown_coin_names_the_nearest(traded: Path, run: Run) -> None:
    result = run("why", "ETHUSD")
    assert result.exit_code == 2 and "did you mean ETHUSDT?" in result.stderr


def test_an_account_is_chosen_by_name_or_its_beginning(traded: Path, run: Run) -> None:
    shutil.copytree(traded / "state" / "simulated", traded / "state" / "paper")
    assert "1 more account: --account" in run("pf").stdout.splitlines()[0]
    assert of_json(run, "pf", "--account", "pap")["account"] == "paper"
    assert of_json(run, "--account", "paper", "status")["simulated"] is False
    result = run("pf", "--account", "live")
    assert result.exit_code == 2 and "there is: paper, simulated" in result.stderr


def test_export_writes_canonical_lines_without_what_differs_between_accounts(traded: Path, run: Run) -> None:
    lines = run("journal", "export", "--kind", "decision", "--symbol", "ETHUSDT").stdout.splitlines()
    assert len(lines) == 21
    first = json.loads(lines[0], parse_constant=pytest.fail)
    assert json.dumps(first, sort_keys=True, separators=(",", ":")) == lines[0]
    assert {"account", "seq", "at_ms", "hash", "mode"}.isdisjoint(first)
    whole = run("journal", "export").stdout.splitlines()
    assert set(lines) < set(whole)
    assert set(run("journal", "export", "--kind", "trade").stdout.splitlines()) < set(whole)


def test_a_sound_journal_checks_out(traded: Path, run: Run) -> None:
    assert of_json(run, "journal", "check")["sound"] is True


def test_a_changed_event_is_found_and_the_remedy_told(traded: Path, run: Run) -> None:
    with sqlite3.connect(traded / "state" / "simulated" / "journal.sqlite") as connection:
        connection.execute("UPDATE events SET payload = replace(payload, 'eager', 'eagle') WHERE seq = 7")
    connection.close()
    result = run("journal", "check")
    assert result.exit_code == 4
    assert "first broken event: 7" in result.stdout and "what to do" in result.stdout


def test_a_halt_reaches_every_account_and_shows(traded: Path, run: Run) -> None:
    assert (
        "halted from the next tick on: simulated (sick exchange)"
        in run("halt", "--reason", "sick exchange").stdout
    )
    assert "halt asked for" in run("status", "--now", LAST_NOW).stdout
    run("tick", "--now", "2025-11-26T11:00:30")
    assert "HALTED by a person: sick exchange" in run("status", "--now", "2025-11-26T11:01").stdout
    assert "not_halted" in " ".join(of_json(run, "status")["assets"][0]["blocked_by"])
    assert "entries go through again" in run("resume").stdout
    run("tick", "--now", "2025-11-26T12:00:30")
    assert of_json(run, "status")["money"]["halted"] is False


def test_a_halt_can_come_before_the_first_tick(home: Path, run: Run) -> None:
    assert json.loads(run("halt", "--json").stdout)["accounts"] == ["simulated"]
    run("tick", "--now", LAST_NOW)
    assert of_json(run, "status")["money"]["halted"] is True


def test_a_tick_reports_like_the_runner(home: Path, run: Run) -> None:
    report = of_json(run, "tick", "--now", LAST_NOW)
    assert (report["account"], report["exit_code"], report["simulated"]) == ("simulated", 0, True)
    assert run("tick", "--feed", "venu").exit_code == 2


def test_a_terminal_gets_colour_and_no_line_wider_than_it(traded: Path) -> None:
    leader, follower = pty.openpty()
    command = [sys.executable, "-m", "engine_alpha", "status", "--now", LAST_NOW]
    run = subprocess.run(
        command,
        cwd=traded,
        stdout=follower,
        timeout=30,
        check=False,
        env={**os.environ, "COLUMNS": "120", "TERM": "xterm"},
    )
    os.close(follower)
    shown = os.read(leader, 65_536).decode()
    os.close(leader)
    assert run.returncode == 0 and "\x1b[" in shown
    bare = re.sub(r"\x1b\[[0-9;]*m", "", shown)
    assert max(map(len, bare.splitlines())) <= 120
