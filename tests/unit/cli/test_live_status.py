"""`chloe live status` and `chloe reconcile`: what stands, what is frozen and why, what to do."""

import json
from pathlib import Path
from typing import Any

import pytest

from engine_alpha.domain.orders import UNKNOWN, WORKING
from engine_alpha.loop.arming import FILE_NAME, arm, armed, halve
from engine_alpha.loop.halt_file import request_halt
from engine_alpha.trading.state import LiveState
from tests.unit.cli.conftest import Run
from tests.unit.cli.live_homes import (
    AT_MS,
    a_live_state,
    an_order,
    choose_environment,
    holding,
    write_journal,
)


@pytest.fixture
def account(home: Path) -> Path:
    """Return the folder of the testnet account."""
    return home / "state" / "live-testnet"


def armed_rows(run: Run, *arguments: str) -> dict[str, dict[str, Any]]:
    result = run("live", "status", "--json", *arguments)
    assert result.exit_code == 0, result.stderr
    return {row["symbol"]: row for row in json.loads(result.stdout)["assets"]}


def test_with_nothing_armed_it_says_how_to_begin(home: Path, run: Run) -> None:
    assert run("live", "status").stdout.splitlines() == [
        f"home {home} · live-testnet",
        "nothing is armed; next: chloe live arm SYMBOL",
    ]


def test_an_armed_coin_that_was_not_stepped_yet(account: Path, run: Run) -> None:
    arm(account, "ETHUSDT", AT_MS, "testnet", "bybit")
    shown = run("live", "status").stdout
    assert "ETHUSDT  testnet      bybit  2026-11-18 11:06  100 %  not stepped yet" in shown
    row = armed_rows(run)["ETHUSDT"]
    assert (row["counts"], row["position_base"], row["unprotected_ms"]) == (True, None, None)


def test_an_armed_coin_that_was_stepped_and_ordered_nothing_is_flat(traded: Path, run: Run) -> None:
    folder = traded / "state" / "live-testnet"
    (traded / "state" / "simulated").rename(folder)
    arm(folder, "ETHUSDT", AT_MS, "testnet", "bybit")
    row = armed_rows(run)["ETHUSDT"]
    assert (row["stage"], row["position_base"], row["unprotected_ms"]) == ("flat", "0", 0)
    assert run("live", "status").exit_code == 0


def test_status_shows_an_armed_coin_in_the_account_that_steps_it(traded: Path, run: Run) -> None:
    """A position that paper holds is stepped there until it is flat; a flat one is not shown."""
    arm(traded / "state" / "live-testnet", "ETHUSDT", AT_MS, "testnet", "bybit")
    stages = {row["symbol"]: row["stage"] for row in status_rows(run, "simulated")}
    assert stages == {"ETHUSDT": "close-only", "BTCUSDT": "paper"}
    assert "its real orders are in live-testnet" in " ".join(run("status").stdout.split())
    arm(traded / "state" / "live-testnet", "SOLUSDT", AT_MS, "testnet", "bybit")
    run("assets", "enable", "SOLUSDT")
    assert [row["symbol"] for row in status_rows(run, "simulated")] == ["ETHUSDT", "BTCUSDT"]


def test_status_of_a_live_account_shows_what_is_armed_or_held(traded: Path, run: Run) -> None:
    folder = traded / "state" / "live-testnet"
    (traded / "state" / "simulated").rename(folder)
    arm(folder, "ETHUSDT", AT_MS, "testnet", "bybit")
    run("assets", "enable", "SOLUSDT")
    rows = {row["symbol"]: row for row in status_rows(run, "live-testnet")}
    assert {symbol: row["stage"] for symbol, row in rows.items()} == {
        "ETHUSDT": "live",
        "BTCUSDT": "close-only",
    }
    assert rows["BTCUSDT"]["fault"] == "not armed; stepped until it is flat"
    assert "what stands at the venues now: chloe live status" in run("status").stdout
    choose_environment(traded, "demo")
    rows = {row["symbol"]: row for row in status_rows(run, "live-testnet")}
    assert "not stepped while live.environment is demo" in rows["ETHUSDT"]["fault"]


def status_rows(run: Run, account: str) -> list[dict[str, Any]]:
    result = run("status", "--json", "--account", account)
    assert result.exit_code == 0, result.stderr
    rows: list[dict[str, Any]] = json.loads(result.stdout)["assets"]
    return rows


def test_a_position_shows_its_stop_and_how_long_it_had_none(home: Path, account: Path, run: Run) -> None:
    arm(account, "ETHUSDT", AT_MS, "testnet", "bybit")
    write_journal(home, [holding(), a_live_state("BTCUSDT")])
    shown = run("live", "status").stdout
    assert "holding" in shown and "long 0.5" in shown and "2890.15" in shown and "1.2 s" in shown
    row = armed_rows(run)["ETHUSDT"]
    told = (row["stage"], row["position_base"], row["stop_price"], row["unprotected_ms"])
    assert told == ("holding", "0.50", "2890.15", 1_250)
    assert list(armed_rows(run)) == ["ETHUSDT"], "what is flat and not armed is left out"


def test_a_disarmed_coin_that_holds_something_stays_on_the_screen(home: Path, run: Run) -> None:
    write_journal(home, [holding()])
    row = armed_rows(run)["ETHUSDT"]
    assert (row["counts"], row["armed_ms"]) == (False, None)
    assert "not armed: stepped close-only until it is flat" in run("live", "status").stdout


@pytest.mark.parametrize(
    ("state", "stage", "words"),
    [
        (holding(frozen="bybit contradicts itself"), "frozen", "frozen: bybit contradicts itself"),
        (
            holding(verdict="unexplained", venue_base="0.70"),
            "frozen",
            "the venue holds 0.70, our books say 0.5,",
        ),
        (
            holding(protection=None, naked_since_ms=AT_MS),
            "no stop",
            "no stop was seen at the venue since 2026",
        ),
        (holding(leave="flatten"), "leaving", "leaves at market: flatten"),
        (a_live_state(orders=(an_order(WORKING),)), "order open", ""),
    ],
)
def test_what_needs_eyes_is_told(
    home: Path, account: Path, run: Run, state: LiveState, stage: str, words: str
) -> None:
    arm(account, "ETHUSDT", AT_MS, "testnet", "bybit")
    write_journal(home, [state])
    assert armed_rows(run)["ETHUSDT"]["stage"] == stage
    shown = run("live", "status")
    assert shown.exit_code == 0 and words in " ".join(shown.stdout.split())


def test_one_coin_may_be_asked_for(account: Path, run: Run) -> None:
    arm(account, "ETHUSDT", AT_MS, "testnet", "bybit")
    arm(account, "BTCUSDT", AT_MS, "testnet", "bybit")
    assert list(armed_rows(run)) == ["BTCUSDT", "ETHUSDT"]
    assert list(armed_rows(run, "ETHUSDT")) == ["ETHUSDT"]


@pytest.mark.parametrize(
    ("armed_for", "words"),
    [
        (("testnet", "binance"), "armed for binance, testnet; now it would be bybit, testnet"),
        (("demo", "bybit"), "armed for bybit, demo; now it would be bybit, testnet"),
    ],
)
def test_what_was_armed_for_elsewhere_does_not_count_and_says_so(
    account: Path, run: Run, armed_for: tuple[str, str], words: str
) -> None:
    arm(account, "ETHUSDT", AT_MS, *armed_for)
    assert armed_rows(run)["ETHUSDT"]["counts"] is False
    assert f"ETHUSDT  {words}" in run("live", "status").stdout


def test_an_armed_coin_that_is_disabled_or_unknown_says_so(account: Path, run: Run) -> None:
    arm(account, "BTCUSDT", AT_MS, "testnet", "bybit")
    arm(account, "GONEUSDT", AT_MS, "testnet", "bybit")
    shown = run("live", "status").stdout
    assert "BTCUSDT  disabled in the registry" in shown
    assert "GONEUSDT  the registry has no good entry for it" in shown


def test_what_is_armed_in_another_environment_is_not_forgotten(home: Path, account: Path, run: Run) -> None:
    arm(account, "ETHUSDT", AT_MS, "testnet", "bybit")
    choose_environment(home, "demo")
    shown = run("live", "status").stdout
    assert "live-demo" in shown and "armed in live-testnet, which live.environment of" in shown
    assert list(armed_rows(run, "--account", "live-testnet")) == ["ETHUSDT"]
    assert json.loads(run("live", "status", "--json").stdout)["elsewhere"] == {"live-testnet": ["ETHUSDT"]}


def test_a_broken_file_arms_nothing_and_says_how_to_begin_anew(account: Path, run: Run) -> None:
    account.mkdir(parents=True)
    (account / FILE_NAME).write_text("{")
    shown = run("live", "status").stdout
    assert "can't be read" in shown and "nothing counts as armed" in shown and "disarm --all" in shown
    assert json.loads(run("live", "status", "--json").stdout)["fault"] is not None


def test_a_halt_shows(account: Path, run: Run) -> None:
    request_halt(account, True, "sick", AT_MS)
    assert "HALTED by a person" in run("live", "status").stdout


def test_reconcile_before_the_first_order_says_how_to_begin(home: Path, run: Run) -> None:
    result = run("reconcile")
    assert result.exit_code == 0 and "chloe live arm SYMBOL" in result.stdout
    assert json.loads(run("reconcile", "--json").stdout)["assets"] == []


def test_reconcile_shows_both_sides_and_is_content_where_they_agree(home: Path, run: Run) -> None:
    write_journal(home, [holding(), a_live_state("BTCUSDT", orders=(an_order(WORKING, "BTCUSDT"),))])
    result = run("reconcile")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    told = [" ".join(line.split()) for line in lines]
    assert told[2] == "asset venue stage position at the venue not ours stop no stop for verdict"
    assert "order open" in lines[3] and lines[3].startswith("BTCUSDT")
    assert told[4] == "ETHUSDT bybit holding long 0.5 long 0.5 – 2890.15 1.2 s agrees"
    assert lines[6].startswith("BTCUSDT  entry buy 0.50: working, sent 2026-11-18 11:06, id chloe-en")


@pytest.mark.parametrize(
    ("changes", "code", "words"),
    [
        ({}, 0, "agrees: our books and the venue agree"),
        ({"verdict": "waiting", "orders": (an_order(UNKNOWN),)}, 0, "1 order of unknown outcome: looked up"),
        (
            {"orders": (an_order("filled", told_base="0.5", filled_base="0.2"),)},
            0,
            "fills that have not come",
        ),
        ({"verdict": "dust", "venue_base": "0.001"}, 3, "smaller than the venue's smallest order"),
        ({"verdict": "foreign", "foreign_base": "1.5", "venue_base": "2"}, 3, "1.5 is not ours"),
        (
            {"verdict": "unexplained", "venue_base": "0.7", "foreign_base": "-0.1"},
            3,
            "the venue holds 0.7, our books say 0.4, and no execution explains the difference",
        ),
        ({"frozen": "bybit contradicts itself"}, 3, "bybit contradicts itself. Exits and the stop go on"),
        ({"protection": None, "naked_since_ms": AT_MS}, 3, "If no engine runs: start it"),
        ({"leave": "unprotected"}, 0, "is being closed at market (unprotected). Nothing to do"),
        ({"verdict": "a later {version}'s"}, 3, "a later {version}'s"),
    ],
)
def test_reconcile_explains_each_standing_and_says_what_to_do(
    home: Path, run: Run, changes: dict[str, Any], code: int, words: str
) -> None:
    write_journal(home, [holding(**changes)])
    result = run("reconcile", "--explain", "ETHUSDT")
    assert result.exit_code == code, result.stderr
    assert words in " ".join(result.stdout.split())
    assert max(map(len, result.stdout.splitlines())) <= 118
    document = json.loads(run("reconcile", "--json").stdout)
    assert document["well"] is (code == 0)
    assert document["assets"][0]["position_base"] == "0.50"


def test_reconcile_of_a_coin_without_real_orders_names_those_with(home: Path, run: Run) -> None:
    write_journal(home, [holding()])
    result = run("reconcile", "BTCUSDT")
    assert (
        result.exit_code == 2 and "live-testnet has no real orders of BTCUSDT; of: ETHUSDT" in result.stderr
    )


def test_reconcile_of_another_account(home: Path, run: Run) -> None:
    write_journal(home, [holding()], account="live-demo")
    assert "holding" in run("reconcile", "--account", "live-d").stdout
    assert "holding" not in run("reconcile").stdout
    assert run("reconcile", "--account", "live-x").exit_code == 2


def test_status_reads_beside_a_broken_registry_entry(home: Path, account: Path, run: Run) -> None:
    arm(account, "ETHUSDT", AT_MS, "testnet", "bybit")
    file = home / "config" / "asset_registry.json"
    file.write_text(file.read_text().replace('"risk_bucket": "core"', '"risk_bucket": "cor"', 1))
    assert "ETHUSDT  the registry has no good entry for it" in run("live", "status").stdout


def test_a_home_from_before_live_trading_is_told_what_to_add(home: Path, run: Run) -> None:
    file = home / "config" / "engine.json"
    engine = json.loads(file.read_text())
    del engine["live"]
    file.write_text(json.dumps(engine))
    result = run("live", "status")
    assert result.exit_code == 2 and "live: is missing; add it" in result.stderr


def test_the_size_that_a_coin_is_armed_with_is_shown(home: Path, run: Run) -> None:
    folder = home / "state" / "live-testnet"
    arm(folder, "ETHUSDT", AT_MS, "testnet", "bybit", 0.25)
    halve(folder, armed(folder)["ETHUSDT"], AT_MS + 1)
    row = armed_rows(run)["ETHUSDT"]
    assert (row["size_factor"], row["halved_ms"]) == (0.125, AT_MS + 1)
    assert "12.5 %" in run("live", "status").stdout
