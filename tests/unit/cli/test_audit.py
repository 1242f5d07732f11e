"""`chloe audit`: one coin or many, for people and programs, beside a running engine, changing nothing."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from engine_alpha.journals.sqlite import SqliteJournal
from engine_alpha.loop.arming import arm
from engine_alpha.loop.lock import account_lock
from engine_alpha.loop.wiring import JOURNAL_NAME
from engine_alpha.ports import Event
from engine_alpha.step.text import to_text
from tests.unit.cli.conftest import LAST_NOW, Run, edit
from tests.unit.cli.live_homes import AT_MS, PLANTED, plant_keys

AT = ("--now", LAST_NOW)


def audits(run: Run, *arguments: str) -> dict[str, dict[str, Any]]:
    """Return the audits of a JSON document by symbol."""
    document = json.loads(run("audit", *arguments, "--json").stdout)
    return {one["symbol"]: one for one in document["audits"]}


def short(audit: Mapping[str, Any]) -> dict[str, str]:
    """Return what is short, with what mends it."""
    return {
        check["name"]: check["mend"]
        for check in audit["checks"]
        if check["counts"] and check["status"] != "passed"
    }


def files_of(home: Path) -> dict[Path, bytes]:
    return {
        path: path.read_bytes() for path in home.rglob("*") if path.is_file() and path.suffix != ".sqlite-shm"
    }


def test_a_coin_that_traded_is_green_check_by_check(traded: Path, run: Run) -> None:
    result = run("audit", "ETHUSDT", *AT)
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0].startswith(
        "ETHUSDT: paper in account simulated (SIMULATED PRICES) · safety green · evidence "
    )
    groups = [line.split()[0] for line in lines[2:]]
    assert list(dict.fromkeys(groups)) == [
        *("config", "instrument", "data", "errors", "parity", "drawdown", "evidence"),
    ]
    assert "21 of 21 decisions decided again to the same bytes" in result.stdout
    assert "to mend:" not in result.stdout


def test_by_default_every_enabled_coin_a_row_each(traded: Path, run: Run) -> None:
    result = run("audit", *AT)
    assert result.exit_code == 0, result.output
    rows = [line.split()[0] for line in result.stdout.splitlines()[1:3]]
    assert rows == ["ETHUSDT", "BTCUSDT"]
    assert list(audits(run, "--enabled", *AT)) == ["ETHUSDT", "BTCUSDT"]


def test_all_coins_with_a_disabled_one_are_not_green(traded: Path, run: Run) -> None:
    assert run("audit", "--all", *AT).exit_code == 3
    found = audits(run, "--all", *AT)
    assert len(found) == 12 and found["ETHUSDT"]["green"] and not found["SOLUSDT"]["green"]
    assert found["SOLUSDT"]["stage"] == "disabled"
    assert short(found["SOLUSDT"])["entry"] == "chloe assets enable SOLUSDT"
    assert "listed" in short(found["MATICUSDT"])


def test_before_the_first_tick_it_says_what_to_do(home: Path, run: Run) -> None:
    result = run("audit", "ETHUSDT")
    assert result.exit_code == 3
    assert "to mend:" in result.stdout and "→ chloe run" in result.stdout
    assert run("assets", "disable", "ETHUSDT").exit_code == 0
    assert run("audit").stdout == "no coin is enabled; next: chloe assets enable SYMBOL\n"


def test_a_record_that_stands_still_is_told_with_the_command(traded: Path, run: Run) -> None:
    found = audits(run, "ETHUSDT", "--now", "2025-11-26T18:00:30")["ETHUSDT"]
    assert short(found) == {"freshness": "chloe run"}


def test_a_card_edited_since_is_no_difference_of_the_record(traded: Path, run: Run) -> None:
    card = traded / "config" / "cards" / "eager.json"
    edit(card, rationale="Another word for the same.", exits={"stop": {"atr": 3.0}, "max_hold_bars": 2})
    assert run("verify").exit_code == 3
    assert audits(run, "ETHUSDT", *AT)["ETHUSDT"]["green"]


def test_another_seed_of_the_market_is_a_difference(traded: Path, run: Run) -> None:
    edit(traded / "config" / "engine.json", embedded_seed=2)
    assert short(audits(run, "ETHUSDT", *AT)["ETHUSDT"]) == {"verify": "chloe verify --account simulated"}


def test_without_stored_bars_it_says_how_to_get_them(traded: Path, run: Run) -> None:
    (traded / "state" / "simulated").rename(traded / "state" / "paper")
    assert run("feed", "venue").exit_code == 0
    result = run("audit", "ETHUSDT", *AT)
    assert result.exit_code == 3
    assert "not verifiable: no stored bars" in result.stdout
    mend = short(audits(run, "ETHUSDT", *AT)["ETHUSDT"])["verify"]
    assert mend.startswith("chloe data download --venue bybit --symbols ETHUSDT --timeframe 1h")
    (traded / "data").mkdir()
    assert "no stored bars for 21 of 21 decisions" in run("audit", "ETHUSDT", *AT).stdout


def test_what_real_money_would_ask_for(traded: Path, run: Run) -> None:
    found = audits(run, "ETHUSDT", "--for-live", *AT)["ETHUSDT"]
    assert short(found).keys() == {"prices", "record", "keys", "proof"}
    assert "--unproven" in short(found)["proof"] and found["verdict"] == "unproven"
    plant_keys(traded)
    result = run("audit", "ETHUSDT", "--for-live", *AT)
    assert "keys" not in short(audits(run, "ETHUSDT", "--for-live", *AT)["ETHUSDT"])
    assert [part for part in PLANTED if part in result.output] == []


def test_a_broken_entry_refuses_and_the_others_are_looked_at(traded: Path, run: Run) -> None:
    registry = traded / "config" / "asset_registry.json"
    registry.write_text(registry.read_text().replace('"risk_bucket": "core"', '"risk_bucket": "cor"', 1))
    found = audits(run, *AT)
    assert found["BTCUSDT"]["green"] and found["ETHUSDT"]["stage"] == "refused"
    assert "edit " in short(found["ETHUSDT"])["entry"]
    assert run("audit", "ETHUSDT", *AT).exit_code == 3


def test_an_armed_coin_is_looked_at_in_its_live_account(traded: Path, run: Run) -> None:
    folder = traded / "state" / "live-testnet"
    (traded / "state" / "simulated").rename(folder)
    arm(folder, "ETHUSDT", AT_MS, "testnet", "bybit", 0.25)
    found = audits(run, *AT)
    assert (found["ETHUSDT"]["account"], found["ETHUSDT"]["stage"]) == ("live-testnet", "live")
    assert (found["BTCUSDT"]["account"], found["BTCUSDT"]["stage"]) == ("simulated", "paper")
    assert "history" in short(found["BTCUSDT"]), "of that one nothing is on paper now"


def journalled(home: Path, account: str, kind: str, at_ms: int, **payload: Any) -> None:
    """Write one event about ETH into an account's journal."""
    folder = home / "state" / account
    folder.mkdir(parents=True, exist_ok=True)
    journal = SqliteJournal.open(folder / JOURNAL_NAME)
    try:
        event = Event(kind, "ETHUSDT", f"{kind}/{at_ms}", at_ms, to_text(payload))
        journal.commit(at_ms, [event], {})
    finally:
        journal.close()


def test_trades_with_real_money_count_after_paper_s_and_play_money_s_do_not(traded: Path, run: Run) -> None:
    (traded / "state" / "simulated").rename(traded / "state" / "paper")
    assert run("feed", "venue").exit_code == 0

    def counted() -> int:
        return int(audits(run, "ETHUSDT", *AT)["ETHUSDT"]["evidence"]["trades"])

    on_paper = counted()
    assert on_paper > 3
    for account in ("live", "live-testnet"):
        journalled(traded, account, "trade", AT_MS, r=1.0, net_quote=10.0, exit_ms=AT_MS)
    assert counted() == on_paper + 1
    journalled(traded, "live", "rollout", AT_MS + 1, to="live")
    assert counted() == on_paper + 1, "half the size ends nothing"
    journalled(traded, "live", "rollout", AT_MS + 2, to="paper")
    assert counted() == 0, "back on paper it begins anew"
    journalled(traded, "live", "trade", AT_MS + 3, r=1.0, net_quote=10.0, exit_ms=AT_MS + 3)
    assert counted() == 1


def test_configuration_and_usage(home: Path, run: Run) -> None:
    slip = run("audit", "ETHUSD")
    assert slip.exit_code == 2 and "did you mean ETHUSDT?" in slip.stderr
    assert run("audit", "ETHUSDT", "--all").exit_code == 2
    assert run("audit", "--account", "nowhere").exit_code == 2
    (home / "config" / "risk.json").write_text("{")
    assert run("audit").exit_code == 2


@pytest.mark.parametrize("arguments", [(), ("ETHUSDT", "--for-live"), ("--all", "--json")])
def test_it_works_beside_a_running_engine_and_changes_nothing(
    traded: Path, run: Run, arguments: tuple[str, ...]
) -> None:
    before = files_of(traded)
    with account_lock(traded / "state" / "simulated"):
        assert run("audit", *arguments, *AT).exit_code in (0, 3)
    after = files_of(traded)
    changed = {path.name for path in before.keys() | after.keys() if before.get(path) != after.get(path)}
    assert changed <= {"lock", "runner.lock", "journal.sqlite-wal", "journal.sqlite-shm"}, changed
