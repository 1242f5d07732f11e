"""`chloe positions`: what is held, over all accounts that trade."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from engine_alpha.loop.arming import arm
from tests.unit.cli.conftest import LAST_NOW, Run
from tests.unit.cli.live_homes import AT_MS, a_live_state, holding, write_journal
from tests.unit.cli.terminals import on_terminal


def of_json(run: Run, *arguments: str) -> dict[str, Any]:
    result = run("positions", "--json", *arguments)
    assert result.exit_code == 0, result.stderr
    document: dict[str, Any] = json.loads(result.stdout, parse_constant=pytest.fail)
    return document


@pytest.fixture
def invested(traded: Path, run: Run) -> Path:
    """Return the traded home at an hour at which something is held."""
    for hour in range(11, 18):
        if of_json(run)["positions"]:
            return traded
        run("tick", "--now", f"2025-11-26T{hour}:00:30")
    pytest.fail("nothing was ever held")


def test_a_position_shows_its_result_so_far(invested: Path, run: Run) -> None:
    found = of_json(run)["positions"]
    status = json.loads(run("status", "--json").stdout)["assets"]
    assert {each["symbol"] for each in found} == {row["symbol"] for row in status if row["position"]}
    for each in found:
        side = 1 if each["side"] == "long" else -1
        moved = side * each["quantity_base"] * (each["mark_price"] - each["entry_price"])
        assert each["unrealised_quote"] == pytest.approx(moved)
        so_far = moved - each["entry_fee_quote"] + each["funding_quote"]
        assert each["r_now"] == pytest.approx(so_far / each["risk_quote"])
        assert each["bars_held"] >= 0 and each["card"] == "eager" and each["booked"]
        assert each["live"] is None and each["simulated"]
        shown = run("positions").stdout
        assert f"{each['symbol']}  " in shown and "eager" in shown


def test_what_a_position_came_to_is_where_it_was_heading(invested: Path, run: Run) -> None:
    """With the next bars' move and the exit's fee the result so far becomes the trade's."""
    held = of_json(run)["positions"][0]
    for hour in range(12, 22):
        run("tick", "--now", f"2025-11-26T{hour}:00:30")
    lines = run("trades", "--symbol", held["symbol"], "--jsonl").stdout.splitlines()
    (trade,) = [each for each in map(json.loads, lines) if each["entry_ms"] == held["entry_ms"]]
    assert trade["risk_quote"] == held["risk_quote"] and trade["stop_price"] == held["first_stop_price"]
    assert trade["bars_held"] >= held["bars_held"]


def test_nothing_held_says_so(home: Path, run: Run) -> None:
    assert "nothing has run here yet; next: chloe tick" in run("positions").stdout
    assert of_json(run)["positions"] == []
    run("tick", "--now", LAST_NOW)
    assert "no open position" in run("positions").stdout


def test_positions_of_all_trading_accounts_are_shown(invested: Path, run: Run) -> None:
    paper = of_json(run)["positions"]
    shutil.copytree(invested / "state" / "simulated", invested / "state" / "live-testnet")
    shutil.copytree(invested / "state" / "simulated", invested / "state" / "rehearse-0123456789abcdef")
    found = of_json(run)
    assert found["accounts"] == ["live-testnet", "simulated"] and not found["simulated"]
    assert len(found["positions"]) == 2 * len(paper)
    assert len(of_json(run, "--account", "simulated")["positions"]) == len(paper)


def test_a_fill_that_no_bar_has_booked_yet_is_shown_with_what_stands_at_the_venue(
    home: Path, run: Run
) -> None:
    arm(home / "state" / "live-testnet", "ETHUSDT", AT_MS, "testnet", "bybit")
    write_journal(home, [holding(naked_since_ms=AT_MS), a_live_state("BTCUSDT")])
    (held,) = of_json(run)["positions"]
    assert (held["symbol"], held["booked"], held["live"]["position_base"]) == ("ETHUSDT", False, "0.50")
    shown = run("positions").stdout
    assert "ETHUSDT       holding  long 0.5   2890.15  1.2 s        agrees" in shown
    assert "ETHUSDT  filled at the venue, booked with the close of its bar" in shown


def test_broken_configuration_hides_no_position(invested: Path, run: Run) -> None:
    before = of_json(run)["positions"]
    for file in ("engine.json", "asset_registry.json", "risk.json"):
        (invested / "config" / file).write_text("{")
    assert of_json(run)["positions"] == before
    assert before[0]["symbol"] in run("positions").stdout


@pytest.mark.parametrize("columns", [80, 120])
def test_positions_fit_on_a_terminal(columns: int, invested: Path) -> None:
    code, shown = on_terminal(invested, columns, 24, "positions", "--account", "simulated")
    assert code == 0 and max(map(len, shown.splitlines()[1:])) <= columns
