"""`chloe doctor`: what it sees, what it says to do, and what its exit codes mean."""

import json
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from engine_alpha.cli.examining import clock_check, disk_check, permissions, service
from engine_alpha.cli.service_places import this_installation
from engine_alpha.config.editing import set_enabled, set_value
from engine_alpha.deploy.machine import Answer, Machine
from engine_alpha.deploy.units import SERVICE, unit_text
from engine_alpha.home import Home
from engine_alpha.journals.connecting import sqlite_driver
from engine_alpha.journals.looking import look
from engine_alpha.journals.sqlite import SqliteJournal
from engine_alpha.loop.lock import account_lock
from engine_alpha.ports import Event
from engine_alpha.reports.doctor import FAIL, OK, WARN, Check, check_lines, summary
from engine_alpha.times import parse_iso
from tests.exchange.candles import HOUR_MS, generated_listing
from tests.exchange.clock import ExchangeClock
from tests.exchange.market import Market
from tests.exchange.running import RunningExchange, running
from tests.unit.cli.conftest import LAST_NOW, Run
from tests.unit.cli.live_homes import PLANTED, plant_keys

DAY_MS = 86_400_000
NEXT_HOURS = "2025-11-26T13:00:30"
EXCHANGE_MS = parse_iso(NEXT_HOURS)

Seen = Callable[..., dict[str, Any]]


@pytest.fixture
def seen(run: Run) -> Seen:
    """Run a doctor and return its checks by name, and its exit code as "code"."""

    def see(*arguments: str) -> dict[str, Any]:
        result = run("doctor", "--json", *arguments)
        assert result.exit_code in (0, 3, 4), result.output
        found = json.loads(result.stdout)
        return {check["name"]: check for check in found["checks"]} | {"code": result.exit_code}

    return see


def test_a_home_in_order_is_well(traded: Path, run: Run) -> None:
    result = run("doctor", "--quick", "--now", LAST_NOW)
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0] == f"home {traded}"
    assert all(line.startswith("✓ ") for line in lines[1:-2]), result.stdout
    assert lines[-1] == "all is well: 7 checks"
    assert "nobody works on it; 2 enabled coins, each with a record of its last bar" in result.stdout


def test_a_fresh_home_is_well_and_says_how_to_begin(home: Path, seen: Seen) -> None:
    found = seen("--quick")
    assert found["code"] == 0
    assert found["engine simulated"]["seen"] == "nobody works on it, nothing has run yet: chloe run"
    assert "no account has a journal yet" in found["database"]["seen"]


def test_the_long_round_looks_at_clock_prices_service_and_libraries_too(traded: Path, seen: Seen) -> None:
    found = seen("--now", LAST_NOW)
    assert {"clock", "feed", "service", "libraries"} <= found.keys()
    assert found["feed"]["seen"].startswith("embedded: simulated prices")
    assert "Python 3." in found["libraries"]["seen"] and "backtest" in found["libraries"]["seen"]


def test_nothing_is_changed_by_a_look(traded: Path, seen: Seen) -> None:
    def files() -> dict[Path, int]:
        side = ("-shm", "-wal")  # SQLite's own, which any reader makes
        found = [path for path in traded.rglob("*") if path.is_file() and not path.name.endswith(side)]
        return {path: path.stat().st_mtime_ns for path in found}

    before = files()
    seen("--now", LAST_NOW)
    assert files() == before


def test_missing_records_are_a_warning_where_nobody_works_and_a_fault_where_somebody_does(
    traded: Path, seen: Seen
) -> None:
    idle = seen("--quick", "--now", NEXT_HOURS)
    assert (idle["code"], idle["engine simulated"]["level"]) == (0, WARN)
    assert "no record of the last bar: ETHUSDT (last 2025-11-26T09:00:00" in idle["engine simulated"]["seen"]
    assert "chloe run" in idle["engine simulated"]["remedy"]
    assert seen("--now", NEXT_HOURS)["code"] >= 3
    with account_lock(traded / "state" / "simulated"):
        stuck = seen("--quick", "--now", NEXT_HOURS)
    assert (stuck["code"], stuck["engine simulated"]["level"]) == (4, FAIL)
    assert f"pid {os.getpid()} works since" in stuck["engine simulated"]["seen"]
    assert "chloe logs" in stuck["engine simulated"]["remedy"]


def test_a_bar_without_a_decision_but_with_the_reason_is_a_record(traded: Path, seen: Seen) -> None:
    journal = SqliteJournal.open(traded / "state" / "simulated" / "journal.sqlite")
    bar_ms = EXCHANGE_MS // HOUR_MS * HOUR_MS - HOUR_MS
    for symbol in ("ETHUSDT", "BTCUSDT"):
        journal.commit(EXCHANGE_MS, [Event("no_decision", symbol, f"{symbol}/late", bar_ms, "{}")], {})
    journal.close()
    assert seen("--quick", "--now", NEXT_HOURS)["engine simulated"]["level"] == OK


def test_a_coin_that_was_just_enabled_and_not_stepped_is_named(traded: Path, seen: Seen) -> None:
    set_enabled(traded / "config" / "asset_registry.json", "SOLUSDT", True)
    found = seen("--quick", "--now", LAST_NOW)["engine simulated"]
    assert (found["level"], "SOLUSDT (never one)" in found["seen"]) == (WARN, True)


def test_a_configuration_that_cannot_be_read_is_a_fault_with_its_place(home: Path, seen: Seen) -> None:
    (home / "config" / "risk.json").write_text("{")
    found = seen("--quick")
    assert (found["code"], found["configuration"]["level"]) == (4, FAIL)
    assert "risk.json" in found["configuration"]["seen"]
    assert "last good" in found["configuration"]["remedy"]


def test_a_broken_entry_warns_unless_it_is_asked_to_trade(home: Path, seen: Seen) -> None:
    registry = json.loads((home / "config" / "asset_registry.json").read_text())
    registry["BTCUSDT"]["max_leverage"] = -1
    (home / "config" / "asset_registry.json").write_text(json.dumps(registry))
    assert seen("--quick")["configuration"]["level"] == WARN
    registry["BTCUSDT"]["enabled"] = True
    (home / "config" / "asset_registry.json").write_text(json.dumps(registry))
    assert seen("--quick")["configuration"]["level"] == FAIL


def test_a_coin_that_can_not_be_planned_is_a_fault_of_the_long_round(home: Path, seen: Seen) -> None:
    (home / "config" / "parameters" / "ETHUSDT.json").write_text("{")
    assert seen("--quick")["configuration"]["level"] == OK
    assert "ETHUSDT.json" in seen()["configuration"]["seen"]


def test_a_damaged_journal_is_a_fault(traded: Path, seen: Seen) -> None:
    path = traded / "state" / "simulated" / "journal.sqlite"
    for side in ("-wal", "-shm"):
        path.with_name(path.name + side).unlink(missing_ok=True)
    raw = bytearray(path.read_bytes())
    raw[4096 * 3 : 4096 * 3 + 2048] = os.urandom(2048)
    path.write_bytes(raw)
    found = seen("--now", LAST_NOW)
    assert (found["code"], found["simulated"]["level"]) == (4, FAIL)
    path.write_bytes(b"no database at all")
    assert seen("--quick", "--now", LAST_NOW)["simulated"]["level"] == FAIL


def test_a_journal_without_its_log_is_a_warning(traded: Path, seen: Seen) -> None:
    raw = sqlite_driver().connect(str(traded / "state" / "simulated" / "journal.sqlite"))
    raw.execute("PRAGMA journal_mode=DELETE")
    raw.close()
    found = seen("--quick", "--now", LAST_NOW)["simulated"]
    assert (found["level"], "its mode is delete" in found["seen"]) == (WARN, True)


def test_growth_is_that_of_the_last_week(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    journal = SqliteJournal.open(path)
    for day in range(30):  # one event a day, then ten a day
        for number in range(1 if day < 20 else 10):
            key = f"{day}/{number}"
            journal.commit(day * DAY_MS, [Event("note", "ETHUSDT", key, 0, '"' + "x" * 5_000 + '"')], {})
    found = look(path, thorough=True)
    journal.close()
    assert found.events == 120 and found.faults == () and found.mode == "wal"
    assert found.day_bytes is not None
    per_event = found.size_bytes / 120
    assert found.day_bytes == pytest.approx(80 * per_event / 7)


def test_keys_that_others_can_read_are_a_fault_and_no_key_is_shown(home: Path, run: Run, seen: Seen) -> None:
    path = plant_keys(home)
    assert seen("--quick")["secrets"]["level"] == OK
    path.chmod(0o644)
    result = run("doctor", "--quick")
    assert result.exit_code == 4 and f"chmod 600 {path}" in " ".join(result.stdout.split())
    path.chmod(0o600)
    path.write_text('{"key": "Planted"}')
    shown = run("doctor", "--quick").output
    assert "✗ secrets" in shown
    assert [part for part in PLANTED if part in shown + result.output] == []


def test_a_link_to_nowhere_among_the_secrets_is_a_fault(home: Path, seen: Seen) -> None:
    (home / "secrets").mkdir()
    (home / "secrets" / "bybit.json").symlink_to(home / "nowhere")
    assert seen("--quick")["secrets"]["level"] == FAIL


def test_a_state_that_everybody_may_write_is_a_fault(traded: Path) -> None:
    place = traded / "state" / "simulated"
    assert permissions(Home(traded)).level == OK
    place.chmod(place.stat().st_mode | stat.S_IWOTH)
    found = permissions(Home(traded))
    assert (found.level, found.seen) == (FAIL, f"everybody may write {place}")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_file_of_another_user_in_the_state_is_a_fault(traded: Path) -> None:
    path = traded / "state" / "simulated" / "journal.sqlite"
    os.chown(path, 4711, 4711)
    found = permissions(Home(traded))
    assert found.level == FAIL and f"{path} belongs to user 4711" in found.seen
    assert "chown -R 0" in found.remedy


@pytest.mark.parametrize(
    ("free", "files_frac", "level"),
    [
        (50_000_000_000, 0.9, OK),
        (50_000_000_000, None, OK),
        (900_000_000, 0.9, WARN),
        (50_000_000_000, 0.04, WARN),
        (100_000_000, 0.9, FAIL),
        (50_000_000_000, 0.0, FAIL),
    ],
)
def test_a_disk_is_judged_by_bytes_and_by_inodes(
    tmp_path: Path, free: int, files_frac: float | None, level: str
) -> None:
    found = disk_check(tmp_path, free, files_frac)
    assert found.level == level and bool(found.remedy) == (level != OK)


def test_a_clock_that_nothing_keeps_is_a_warning_and_an_unknown_one_is_called_so() -> None:
    assert clock_check(0).seen == "kept by NTP"
    assert clock_check(5).level == WARN
    assert "unknown" in clock_check(None).seen and "unknown" in clock_check(-1).seen


def machine_with(units: Path, state: str) -> Callable[[bool], Machine]:
    """Return a machine whose system manager gives every unit that state, and a user's own without any."""

    def answer(command: Sequence[str]) -> Answer:
        assert command[1] == "show"
        return Answer(0, f"{state}\n")

    def machine_of(own: bool) -> Machine:
        return Machine(
            units=units / "own" if own else units,
            manager=("systemctl",),
            reachable="",
            uid=0,
            account=lambda name: None,
            run=answer,
        )

    return machine_of


def test_an_installed_unit_is_compared_and_asked_after(home: Path, tmp_path: Path) -> None:
    units = tmp_path / "units"
    units.mkdir()
    assert "no unit is installed" in service(Home(home), machine_with(units, "active")).seen
    path = units / SERVICE
    path.write_text(unit_text(SERVICE, this_installation(Home(home), "chloe")))
    found = service(Home(home), machine_with(units, "active"))
    assert (found.level, found.seen) == (OK, "chloe.service is active")
    failed = service(Home(home), machine_with(units, "failed"))
    assert failed.level == WARN and "chloe.service is failed: systemctl start" in failed.seen
    path.write_text(path.read_text() + "# edited\n")
    changed = service(Home(home), machine_with(units, "active"))
    assert changed.level == WARN and "is not as this installation writes it" in changed.seen


@pytest.fixture
def exchange(home: Path) -> Iterator[RunningExchange]:
    """Serve two coins whose market's clock stands at EXCHANGE_MS."""
    listings = [
        generated_listing(7, symbol, HOUR_MS, EXCHANGE_MS + 5 * HOUR_MS, 1_500)
        for symbol in ("ETHUSDT", "BTCUSDT")
    ]
    with running(Market(listings, ExchangeClock(EXCHANGE_MS))) as exchange:
        file = home / "config" / "engine.json"
        set_value(file, "feed", "venue")
        set_value(file, "venue_urls", {"bybit": exchange.url})
        set_value(file, "feed_deadline_ms", 3_000)
        yield exchange


def test_a_venue_is_read_once_and_its_clock_compared(home: Path, run: Run, exchange: RunningExchange) -> None:
    result = run("doctor", "--now", NEXT_HOURS, "--json")
    checks = [check for check in json.loads(result.stdout)["checks"] if check["name"] in ("feed", "clock")]
    feed = next(check for check in checks if check["name"] == "feed")
    assert feed["level"] == OK and "bybit answers, 5 bars of ETHUSDT read" in feed["seen"]
    assert any("bybit's" in check["seen"] and check["level"] == OK for check in checks)


def test_a_clock_that_is_wrong_is_told_against_the_venues(
    home: Path, run: Run, exchange: RunningExchange
) -> None:
    ahead = json.loads(run("doctor", "--now", "2025-11-26T13:00:40", "--json").stdout)["checks"]
    (clock,) = [check for check in ahead if "bybit's" in check["seen"] and check["name"] == "clock"]
    assert clock["level"] == WARN and "s ahead of bybit's" in clock["seen"]
    assert "chrony" in clock["remedy"]
    far = json.loads(run("doctor", "--now", "2025-11-26T13:02:00", "--json").stdout)["checks"]
    assert next(check for check in far if check["name"] == "feed")["level"] == FAIL


def test_a_venue_that_does_not_answer_is_a_fault(home: Path, seen: Seen, exchange: RunningExchange) -> None:
    set_value(home / "config" / "engine.json", "venue_urls", {"bybit": "http://127.0.0.1:9"})
    found = seen("--now", NEXT_HOURS)
    assert (found["code"], found["feed"]["level"]) == (4, FAIL)
    assert "bybit" in found["feed"]["seen"] and "network" in found["feed"]["remedy"]


def test_lines_keep_seen_and_remedy_apart() -> None:
    checks = [
        Check(name="disk", level=OK, seen="much"),
        Check(name="database", level=FAIL, seen="word " * 40, remedy="do this"),
    ]
    lines = check_lines(checks)
    assert lines[0] == "✓ disk      much"
    assert lines[1].startswith("✗ database  word") and len(lines[1]) <= 116
    assert lines[-3] == "            → do this"
    assert summary(checks) == "1 fault; 1 of 2 checks are well"
