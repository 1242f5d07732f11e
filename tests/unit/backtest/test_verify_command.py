"""`chloe verify` and `chloe compare`: what they print, their exit codes, what they refuse."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from engine_alpha.cli.root import chloe
from engine_alpha.home import Home
from engine_alpha.loop.wiring import run_tick
from tests.makers import HOUR_MS
from tests.unit.backtest.verifying import PAIR, Played, bar, played
from tests.unit.loop.runs import a_home, edit, set_risk

HOURS = 12


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    yield played(tmp_path_factory.mktemp("commands"), hours=HOURS)


@pytest.fixture
def home(template: Played, tmp_path: Path) -> Path:
    """Return a copy of the rehearsed home."""
    shutil.copytree(template.home.path, tmp_path / "home")
    return tmp_path / "home"


def run(home: Path, *words: str) -> Result:
    return CliRunner().invoke(chloe, [words[0], "--home", str(home), *words[1:]], prog_name="chloe")


def of_json(result: Result) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(result.stdout, parse_constant=pytest.fail)
    return found


def test_an_account_that_comes_out_the_same_says_so(home: Path, template: Played) -> None:
    result = run(home, "verify", "--data", str(template.asked.data))
    assert result.exit_code == 0, result.stderr
    assert "24 decisions of 2 assets, " in result.stdout
    assert "0 differences: every decision came out byte for byte" in result.stdout
    found = of_json(run(home, "verify", "--data", str(template.asked.data), "--json"))
    assert (found["decisions"], found["exact"], found["differences"], found["findings"]) == (24, 24, 0, [])
    assert found["account"] == template.account and found["symbols"] == list(PAIR)
    assert (found["from_ms"], found["to_ms"]) == (bar(0), bar(HOURS - 1) + HOUR_MS)


def test_a_changed_card_is_named_with_its_key_and_the_exit_code_is_3(home: Path, template: Played) -> None:
    edit(home / "config" / "cards" / "quick.json", lambda card: card["exits"].update(max_hold_bars=9))
    words = ("verify", "--data", str(template.asked.data))
    result = run(home, *words)
    assert result.exit_code == 3
    assert "1 difference:" in result.stdout and "cards changed" in result.stdout
    assert "exits.max_hold_bars 6 → 9" in result.stdout
    found = of_json(run(home, *words, "--json"))
    (one,) = found["findings"]
    assert one["changes"] == [{"key": "exits.max_hold_bars", "then": 6, "now": 9}]
    assert (one["cause"], one["subject"], one["symbols"]) == ("cards_changed", "quick", list(PAIR))


def test_only_the_span_asked_for_counts(home: Path, template: Played) -> None:
    words = ("verify", "--data", str(template.asked.data), "--json", "--from", "2023-10-28T10:00")
    found = of_json(run(home, *words))
    assert 0 < found["decisions"] < 24 and found["from_ms"] > bar(0)


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("verify",), "name the folder of stored bars with --data"),
        (("verify", "--data", "nowhere"), "no data folder nowhere"),
        (("verify", "--account", "nope"), 'no account "nope"'),
        (("verify", "--from", "2024-01-01", "--to", "2023-01-01"), "--from must be before --to"),
        (("verify", "--from", "soon"), "is no ISO time"),
        (("compare", "--from", "2029-01-01"), "is on a bar of that span"),
        (("compare",), "name the folder of stored bars with --data"),
    ],
)
def test_what_cannot_be_compared_is_said_with_exit_code_2(
    home: Path, template: Played, words: tuple[str, ...], complaint: str
) -> None:
    if "--from" in words and words[0] == "verify":
        words = (*words, "--data", str(template.asked.data))
    result = run(home, *words)
    assert result.exit_code == 2 and complaint in result.stderr, result.output


def test_a_span_without_decisions_is_nothing_to_verify(home: Path, template: Played) -> None:
    result = run(home, "verify", "--data", str(template.asked.data), "--from", "2029-01-01")
    assert result.exit_code == 2 and "is on a bar of that span" in result.stderr


def test_a_simulated_account_needs_no_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHLOE_HOME", str(tmp_path / "home"))
    home = a_home(tmp_path / "home").path
    for hour in range(10, 13):
        run_tick(str(home), now=f"2025-11-25T{hour}:00:30")
    result = run(home, "verify")
    assert result.exit_code == 0 and "against SIMULATED PRICES" in result.stdout
    set_risk(Home(home), cooldown_bars=7)
    assert "cooldown_bars 1 → 7" in run(home, "verify").stdout
    refused = run(home, "verify", "--data", str(tmp_path))
    assert refused.exit_code == 2 and "leave out --data and --venue" in refused.stderr
    other = run(home, "compare")
    assert other.exit_code == 2 and "use chloe verify" in other.stderr


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_compared_with_the_compiled_road_a_rehearsal_has_no_gap(home: Path, template: Played) -> None:
    words = ("compare", "--data", str(template.asked.data))
    result = run(home, *words)
    assert result.exit_code == 0, result.stderr
    assert "no gap: both sides made the same trades at the same prices" in result.stdout
    found = of_json(run(home, *words, "--json"))
    assert found["matched"] == found["account_trades"] == found["backtest_trades"] > 0
    assert found["gap_quote"] == 0.0 and found["parts"] == []
    set_risk(Home(home), slippage_bps=9.0)
    changed = run(home, *words)
    assert "config" in changed.stdout and "the account ran on another configuration" in changed.stdout
