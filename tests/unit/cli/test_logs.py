"""`chloe logs`: the service's log where there is one, else the accounts' events as log lines."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from engine_alpha.cli.log_lines import Teller
from engine_alpha.cli.logs import journalctl, units_of
from engine_alpha.cli.service_places import this_installation
from engine_alpha.deploy.machine import Answer, Machine
from engine_alpha.deploy.units import ONCE, SERVICE, TIMER, unit_text
from engine_alpha.domain.orders import CANCELLED
from engine_alpha.home import Home, init_home
from engine_alpha.journals.sqlite import SqliteJournal
from engine_alpha.ports import Event, StoredEvent
from engine_alpha.step.recording import no_decision_event
from engine_alpha.trading.recording import live_event, order_event, protection_event
from engine_alpha.trading.state import live_text
from tests.unit.cli.conftest import Run
from tests.unit.cli.live_homes import AT_MS, a_live_state, an_order, holding


def machine(units: Path, reachable: str = "") -> Machine:
    return Machine(
        units=units,
        manager=("systemctl",),
        reachable=reachable,
        uid=0,
        account=lambda name: None,
        run=lambda command: Answer(0, ""),
    )


def stored(event: Event, seq: int = 1) -> StoredEvent:
    return StoredEvent(seq, AT_MS, event, "", "")


def test_the_last_lines_read_like_those_of_an_engine(traded: Path, run: Run) -> None:
    result = run("logs", "-n", "2")
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert len(lines) == 2
    assert all(line.startswith("2025-11-26 10:00:30 INFO [SIM] ") for line in lines)
    assert any(
        "USDT bar 2025-11-26 09:00 close" in line and "| decision" in line and "| PF" in line
        for line in lines
    )
    assert "no service of this home is installed" in result.stderr


def test_all_lines_are_in_the_order_they_were_written_and_tell_fills_and_trades(
    traded: Path, run: Run
) -> None:
    lines = run("logs", "-n", "10000").stdout.splitlines()
    assert lines == sorted(lines, key=lambda line: line[:19])
    assert any(" closed by time at " in line and " R, 2 bars, by eager" in line for line in lines)
    assert any("ETHUSDT bought " in line for line in lines)
    assert any("decision enter" in line and "at the next open by eager" in line for line in lines)


def test_one_coin_alone_can_be_asked_for(traded: Path, run: Run) -> None:
    lines = run("logs", "BTCUSDT", "-n", "10").stdout.splitlines()
    assert len(lines) == 10 and all("BTCUSDT" in line for line in lines)
    unknown = run("logs", "BTCUSD")
    assert unknown.exit_code == 2 and "BTCUSDT" in unknown.stderr


def test_json_has_a_line_each(traded: Path, run: Run) -> None:
    lines = [json.loads(line) for line in run("logs", "--json", "-n", "5").stdout.splitlines()]
    assert len(lines) == 5
    assert {"at_ms", "account", "seq", "symbol", "level", "message"} == set(lines[0])
    assert {line["level"] for line in lines} == {"info"}


def test_no_lines_at_all_can_be_asked_for(traded: Path, run: Run) -> None:
    assert run("logs", "-n", "0").stdout == ""


def test_a_home_in_which_nothing_has_run_says_how_to_begin(home: Path, run: Run) -> None:
    result = run("logs")
    assert result.exit_code == 2 and "chloe run" in result.stderr


def test_accounts_are_told_together_and_one_of_them_alone(traded: Path, run: Run) -> None:
    journal = SqliteJournal.open(traded / "state" / "live-testnet" / "journal.sqlite")
    event = no_decision_event("ETHUSDT", "1h", AT_MS // 3_600_000 * 3_600_000, "stale", "bybit is 3 h behind")
    journal.commit(AT_MS, [event], {})
    journal.close()
    both = run("logs", "-n", "5").stdout.splitlines()
    assert "[SIM]" in both[0] and "[live-testnet] ETHUSDT bar" in both[-1]
    assert both[-1].endswith("no decision, stale: bybit is 3 h behind") and " WARNING " in both[-1]
    alone = run("logs", "--account", "simulated", "-n", "5").stdout
    assert "live-testnet" not in alone


def test_what_happens_to_real_orders_is_put_into_words() -> None:
    teller = Teller("live-testnet", "[live-testnet] ")
    state, order = holding(), an_order(CANCELLED)
    assert state.protection is not None
    (ordered,) = teller.lines(stored(order_event(state, order, "cancelled at the venue")))
    assert ordered.message == (
        "[live-testnet] ETHUSDT entry buy 0.50 at bybit: cancelled at the venue (cancelled)"
    )
    (stopped,) = teller.lines(stored(protection_event(state, state.protection, "verified", AT_MS)))
    assert stopped.message == "[live-testnet] ETHUSDT stop 2890.15 at bybit: verified"
    frozen = a_live_state(frozen="positions differ")
    (froze,) = teller.lines(stored(live_event(frozen, live_text(frozen), AT_MS)))
    assert froze.level == "WARNING" and "enters nothing at bybit: positions differ" in froze.message
    assert teller.lines(stored(live_event(frozen, live_text(frozen), AT_MS))) == []
    assert teller.lines(stored(Event("something_new", "", "1", 0, "{}"))) == []


def test_a_halt_is_told_as_a_warning(traded: Path, run: Run) -> None:
    run("halt", "--reason", "a test")
    run("tick", "--now", "2025-11-26T11:00:30")
    assert "WARNING [SIM] entries are halted (a test)" in run("logs", "-n", "20").stdout


def test_following_shows_what_is_written_from_then_on(traded: Path) -> None:
    follower = subprocess.Popen(
        [sys.executable, "-m", "engine_alpha", "--home", str(traded), "logs", "-f", "-n", "1"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert follower.stdout is not None
    try:
        assert "[SIM]" in follower.stdout.readline()
        journal = SqliteJournal.open(traded / "state" / "simulated" / "journal.sqlite")
        journal.commit(AT_MS, [no_decision_event("ETHUSDT", "1h", AT_MS, "late", "a new line")], {})
        journal.close()
        assert follower.stdout.readline().rstrip().endswith("no decision, late: a new line")
    finally:
        follower.send_signal(signal.SIGINT)
        follower.communicate(timeout=20)
    assert follower.returncode == 130


def test_the_service_of_this_home_and_of_no_other_is_found(home: Path, tmp_path: Path) -> None:
    units = tmp_path / "units"
    units.mkdir()
    assert units_of(Home(home), machine(units)) == []
    init_home(tmp_path / "home2")  # whose path begins like that of the first
    (units / SERVICE).write_text(unit_text(SERVICE, this_installation(Home(tmp_path / "home2"), "chloe")))
    assert units_of(Home(home), machine(units)) == []
    assert units_of(Home(tmp_path / "home2"), machine(units)) == [SERVICE]
    assert units_of(Home(tmp_path / "home2"), machine(units, "systemd does not run this machine")) == []


@pytest.mark.parametrize("name", ["my 100% chloe", "plain", "a;b#c"])
def test_a_service_of_a_home_with_an_awkward_name_is_found(tmp_path: Path, name: str) -> None:
    init_home(tmp_path / name)
    units = tmp_path / "units"
    units.mkdir()
    for unit in (ONCE, TIMER):
        (units / unit).write_text(unit_text(unit, this_installation(Home(tmp_path / name), None)))
    assert units_of(Home(tmp_path / name), machine(units)) == [ONCE]


def test_the_log_is_asked_for_with_each_argument_apart() -> None:
    assert journalctl([SERVICE], False, None, 50, False, False) == (
        "journalctl",
        "--no-hostname",
        "--lines=50",
        "--unit=chloe.service",
    )
    assert journalctl([SERVICE, ONCE], True, "ETHUSDT", 5, True, True) == (
        "journalctl",
        "--user",
        "--no-hostname",
        "--lines=5",
        "--unit=chloe.service",
        "--unit=chloe-once.service",
        "--output=json",
        r"--grep=\bETHUSDT\b",
        "--case-sensitive=true",
        "--follow",
    )


def test_a_service_log_is_shown_by_journalctl_itself(home: Path, tmp_path: Path) -> None:
    """Where systemd runs this machine, the program that answers is the one on the path."""
    if not Path("/run/systemd/system").is_dir():
        pytest.skip("systemd does not run this machine")
    config = tmp_path / "config" / "systemd" / "user"
    config.mkdir(parents=True)
    (config / SERVICE).write_text(unit_text(SERVICE, this_installation(Home(home), None)))
    (tmp_path / "bin").mkdir()
    fake = tmp_path / "bin" / "journalctl"
    fake.write_text('#!/bin/sh\necho "asked: $@"\n')
    fake.chmod(0o755)
    environment = {
        **os.environ,
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "XDG_RUNTIME_DIR": str(tmp_path),
        "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}",
    }
    shown = subprocess.run(
        [sys.executable, "-m", "engine_alpha", "--home", str(home), "logs"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout.startswith("asked: --user --no-hostname --lines=50 --unit=chloe.service")
