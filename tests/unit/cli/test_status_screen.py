"""`chloe status` as one screen: its size, both kinds of accounts, who runs, what needs a look."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine_alpha.cli.engines import runner_of
from engine_alpha.config.editing import set_enabled
from engine_alpha.loop.arming import arm
from engine_alpha.loop.lock import account_lock
from engine_alpha.reports.status import cut, fitted, flowing
from engine_alpha.reports.table import Table, columns, plain_lines
from tests.unit.cli.conftest import LAST_NOW, Run
from tests.unit.cli.live_homes import AT_MS, holding, write_journal
from tests.unit.cli.terminals import on_terminal

COINS = ("SOL", "AVAX", "LINK", "MATIC", "ATOM", "BNB", "DOT", "ADA", "XRP", "DOGE")
STEPPED = "2025-11-26T11:00:30"


def of_json(run: Run, *arguments: str) -> dict[str, Any]:
    result = run("status", "--json", *arguments)
    assert result.exit_code == 0, result.stderr
    document: dict[str, Any] = json.loads(result.stdout, parse_constant=pytest.fail)
    return document


@pytest.fixture
def twelve(traded: Path, run: Run) -> Path:
    """Return a home that stepped twelve coins, one of which can't be traded any more."""
    for coin in COINS:
        set_enabled(traded / "config" / "asset_registry.json", f"{coin}USDT", True)
    assert run("tick", "--now", STEPPED).exit_code == 3
    return traded


@pytest.mark.parametrize("columns_", [80, 120])
def test_twelve_coins_fit_on_a_screen_a_line_each(columns_: int, twelve: Path) -> None:
    code, shown = on_terminal(twelve, columns_, 24, "status", "--now", STEPPED)
    lines = shown.splitlines()
    assert code == 0
    assert max(map(len, lines)) <= columns_ and len(lines) <= 23
    rows = [line for line in lines if line.split(" ")[0].endswith("USDT")]
    assert len(rows) == len({row.split(" ")[0] for row in rows}) == 12


def test_two_accounts_fit_on_a_screen(twelve: Path, run: Run) -> None:
    arm(twelve / "state" / "live-testnet", "SOLUSDT", AT_MS, "testnet", "bybit")
    shutil.copytree(twelve / "state" / "simulated", twelve / "state" / "live-testnet", dirs_exist_ok=True)
    code, shown = on_terminal(twelve, 80, 34, "status", "--now", STEPPED)
    assert code == 0 and max(map(len, shown.splitlines())) <= 80 and len(shown.splitlines()) <= 33
    found = of_json(run, "--now", STEPPED)
    assert [each["account"] for each in found["accounts"]] == ["simulated", "live-testnet"]
    stages = {(row["account"], row["symbol"]): row["stage"] for row in found["assets"]}
    assert stages["live-testnet", "SOLUSDT"] == "live"
    assert stages["live-testnet", "ETHUSDT"] == "close-only"
    assert stages["simulated", "ETHUSDT"] == "paper"
    only = of_json(run, "--now", STEPPED, "--account", "live")
    assert [each["account"] for each in only["accounts"]] == ["live-testnet"]


def test_a_small_screen_keeps_what_is_in_trouble_and_what_is_held(twelve: Path, run: Run) -> None:
    code, shown = on_terminal(twelve, 80, 14, "status", "--now", STEPPED)
    assert code == 0 and len(shown.splitlines()) <= 13
    assert "more: chloe status --all" in shown
    kept = {line.split(" ")[0] for line in shown.splitlines() if line.split(" ")[0].endswith("USDT")}
    held = {row["symbol"] for row in of_json(run, "--now", STEPPED)["assets"] if row["position"]}
    assert kept >= held | {"MATICUSDT"}
    everything = on_terminal(twelve, 80, 14, "status", "--now", STEPPED, "--all")[1]
    assert all(f"{coin}USDT" in everything for coin in COINS)


def test_watching_goes_on_until_ctrl_c(traded: Path) -> None:
    code, shown = on_terminal(
        traded, 120, 40, "status", "--watch", "--every", "0.5", until="BTCUSDT 1h  paper"
    )
    assert code == 0 and "equity" in shown and "Traceback" not in shown


def test_watching_needs_a_terminal(traded: Path, run: Run) -> None:
    result = run("status", "--watch")
    assert result.exit_code == 2 and "--watch draws on a terminal" in result.stderr


def test_the_worst_asset_stands_in_one_line(twelve: Path, run: Run) -> None:
    lines = run("status", "--now", STEPPED).stdout.splitlines()
    (worst,) = [line for line in lines if line.startswith("worst: ")]
    assert worst.startswith("worst: MATICUSDT, refused: settled 2024-09-06, successor POLUSDT")
    assert of_json(run, "--now", STEPPED)["worst"]["symbol"] == "MATICUSDT"


def test_a_position_without_a_stop_at_the_venue_is_worse_than_a_refused_coin(twelve: Path, run: Run) -> None:
    folder = twelve / "state" / "live-testnet"
    arm(folder, "ETHUSDT", AT_MS, "testnet", "bybit")
    write_journal(twelve, [holding(protection=None)])
    assert of_json(run, "--now", STEPPED)["worst"] == {
        "account": "live-testnet",
        "symbol": "ETHUSDT",
        "words": "no stop was seen at the venue: chloe reconcile --explain",
    }


def test_where_all_is_well_that_is_said(traded: Path, run: Run) -> None:
    shown = run("status", "--now", LAST_NOW).stdout
    assert "all well: 2 assets have a decision on the last bar · next close in 60 min" in shown
    assert of_json(run, "--now", LAST_NOW)["worst"] is None


def test_silence_is_asked_after(traded: Path, run: Run) -> None:
    shown = run("status", "--now", "2025-11-26T13:10").stdout
    assert "nothing written for 3 h: is chloe run running?" in shown
    found = of_json(run, "--now", "2025-11-26T13:10")
    assert found["overdue"] and [row["missing_bars"] for row in found["assets"]] == [3, 3]
    assert "nothing written" not in run("status", "--now", "2025-11-26T11:10").stdout


def test_a_running_engine_is_named(traded: Path, run: Run) -> None:
    folder = traded / "state" / "simulated"
    assert "no engine runs · last record" in run("status", "--now", LAST_NOW).stdout
    with account_lock(folder):
        assert f"engine runs: pid {os.getpid()} since " in run("status", "--now", LAST_NOW).stdout
        assert of_json(run, "--now", LAST_NOW)["engine"]["pid"] == os.getpid()
    assert of_json(run, "--now", LAST_NOW)["engine"] is None


def test_a_lock_that_was_let_go_is_not_held_whatever_its_note_says(tmp_path: Path) -> None:
    with account_lock(tmp_path):
        held = runner_of(tmp_path)
    assert held is not None and held.pid == os.getpid()
    assert runner_of(tmp_path) is None


def test_where_the_system_lists_no_locks_a_living_process_is_believed(tmp_path: Path) -> None:
    nowhere = tmp_path / "absent"
    assert runner_of(tmp_path, nowhere) is None
    with account_lock(tmp_path):
        held = runner_of(tmp_path, nowhere)
    assert held is not None and held.pid == os.getpid()
    (tmp_path / "runner.lock").write_text('{"pid": 4194305, "started": "then"}')
    assert runner_of(tmp_path, nowhere) is None
    (tmp_path / "runner.lock").write_text("{")
    assert runner_of(tmp_path, nowhere) is None and runner_of(tmp_path) is None


def test_the_screen_and_the_trades_tell_the_same_profit_factor(traded: Path, run: Run) -> None:
    """The screen takes running sums, the document adds up the trades."""
    found = of_json(run, "--now", LAST_NOW)
    shown = run("status", "--now", LAST_NOW).stdout
    for row in found["assets"]:
        (line,) = [each for each in shown.splitlines() if each.startswith(f"{row['symbol']} 1h")]
        assert row["profit_factor"]["n"] > 0 and row["pf"] in line
    assert f"PF {found['money']['pf']}" in shown


@given(st.lists(st.text("abc ", min_size=1, max_size=30), max_size=8), st.integers(30, 90))
def test_parts_flow_without_a_line_wider_than_the_screen(parts: list[str], width: int) -> None:
    lines = flowing(parts, width)
    assert all(len(line) <= width for line in lines)
    assert " · ".join(lines) == " · ".join(parts)


@given(
    st.lists(st.tuples(st.text("abc", max_size=9), st.text("abc", max_size=60)), min_size=1),
    st.integers(24, 90),
)
def test_a_fitted_table_is_no_wider_than_the_screen(rows: list[tuple[str, str]], width: int) -> None:
    table = fitted(Table(columns=columns("a", "why"), rows=tuple(rows)), width)
    assert max(map(len, plain_lines(table))) <= width
    whole = [old for old, new in zip(rows, table.rows, strict=True) if old == new]
    assert all(len(old[1]) <= width or old in whole for old in whole)
    assert cut("abcdef", 3) == "ab…"


def test_paper_and_real_money_are_told_apart_and_never_added_up(traded: Path, run: Run) -> None:
    arm(traded / "state" / "live-testnet", "ETHUSDT", AT_MS, "testnet", "bybit")
    shutil.copytree(traded / "state" / "simulated", traded / "state" / "live-testnet", dirs_exist_ok=True)
    shown = run("status", "--now", LAST_NOW).stdout
    found = of_json(run, "--now", LAST_NOW)
    names = [line for line in shown.splitlines() if line in ("simulated", "live-testnet")]
    held = {row["account"] for row in found["assets"] if row["position"]}
    assert names == ["simulated", "live-testnet"] * (2 if len(held) == 2 else 1)
    assert [each["positions"] for each in (account["money"] for account in found["accounts"])] == [
        sum(row["position"] is not None for row in found["assets"] if row["account"] == name)
        for name in ("simulated", "live-testnet")
    ]
