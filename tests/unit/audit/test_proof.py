"""The evidence part: what trades prove, what is still needed, and that few of them prove nothing."""

import json
from pathlib import Path

import pytest

from engine_alpha.audit.checks import FAILED, PASSED, UNKNOWN
from engine_alpha.home import Home
from engine_alpha.kernel.money import DAY_MS
from engine_alpha.research.pages.nights import SCHEMA
from tests.unit.audit.records import audit_of, check_of, home_of, trades
from tests.unit.loop.runs import START_MS, edit

GOOD = [2.0, -1.0, 2.0, 1.5] * 40
BAD = [-1.0, 0.4, -1.0, -1.0] * 60


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return home_of(tmp_path / "home")


def test_without_trades_nothing_is_proven_and_the_need_is_told(home: Home) -> None:
    audit = audit_of(home)
    assert (audit.verdict, check_of(audit, "proof").status) == ("unproven", UNKNOWN)
    assert audit.trades_needed is not None and audit.trades_needed > 200
    assert f"about {audit.trades_needed:,} more at the design mean" in check_of(audit, "proof").seen
    assert check_of(audit, "profit factor").seen == "unknown (n=0)"
    assert "none yet" in check_of(audit, "research").seen


def test_the_more_is_won_the_fewer_trades_are_needed(home: Home) -> None:
    before, after = audit_of(home), audit_of(home, trades=trades(GOOD[:12]))
    assert after.verdict == "unproven"
    assert before.trades_needed is not None and after.trades_needed is not None
    assert after.trades_needed < before.trades_needed


def test_an_edge_that_is_shown_is_proven(home: Home) -> None:
    audit = audit_of(home, trades=trades(GOOD), for_live=True)
    assert (audit.verdict, audit.trades_needed) == ("proven", 0)
    assert check_of(audit, "proof").status == PASSED
    assert check_of(audit, "profit factor").status == PASSED
    assert audit.numbers["pf"]["n"] == len(GOOD)


def test_losses_speak_against_it_also_on_paper(home: Home) -> None:
    audit = audit_of(home, trades=trades(BAD))
    assert audit.verdict == "against" and not audit.is_green and audit.is_safe
    assert check_of(audit, "proof").status == FAILED
    assert "chloe pf --by card" in check_of(audit, "proof").mend


def test_unproven_is_no_shortfall_of_a_coin_on_paper_but_of_one_for_real_money(home: Home) -> None:
    assert audit_of(home, trades=trades(GOOD[:4])).is_green
    audit = audit_of(home, trades=trades(GOOD[:4]), for_live=True)
    assert [check.name for check in audit.shortfalls if check.group == "evidence"] == ["proof"]
    assert "chloe live arm ETHUSDT --unproven" in check_of(audit, "proof").mend


def test_a_stricter_alpha_asks_for_more(home: Home) -> None:
    before = audit_of(home).trades_needed
    edit(home.risk, lambda found: found["evidence"].update(alpha=0.001))
    after = audit_of(home)
    assert before is not None and after.trades_needed is not None and after.trades_needed > before
    assert check_of(after, "proof").limit == "e-value 1e+03"


def test_only_trades_since_the_arming_are_watched_for_a_turn(home: Home) -> None:
    lost = trades([-3.0] * 10, from_ms=START_MS - 300 * DAY_MS)
    armed_ms = START_MS - 200 * DAY_MS
    audit = audit_of(home, trades=lost, watched_from_ms=armed_ms)
    assert check_of(audit, "turn").status == PASSED
    more = (*lost, *trades([-3.0] * 10, from_ms=armed_ms))
    audit = audit_of(home, trades=more, watched_from_ms=armed_ms)
    turn = check_of(audit, "turn")
    assert turn.status == FAILED and turn.is_shortfall and "paper: the summed R fell" in turn.seen
    assert "chloe live arm ETHUSDT" in turn.mend


def test_a_turn_of_a_coin_that_is_not_armed_is_only_told(home: Home) -> None:
    audit = audit_of(home, trades=trades([-3.0] * 10))
    assert check_of(audit, "turn").status == FAILED and not check_of(audit, "turn").is_shortfall


def test_results_that_are_unknown_are_passed_over(home: Home) -> None:
    audit = audit_of(home, trades=trades([None, 1.0]))
    assert audit.numbers["trades"] == 1


def test_what_the_last_night_of_research_said_is_told_and_decides_nothing(home: Home) -> None:
    folder = home.reports / "research" / "2026-11-28"
    folder.mkdir(parents=True)
    night = {"schema": SCHEMA, "night": "2026-11-28", "assets": [{"symbol": "ETHUSDT"}]}
    (folder / "night.json").write_text(json.dumps(night), encoding="utf-8")
    for passes, status in ((True, PASSED), (False, UNKNOWN)):
        words = {"schema": SCHEMA, "symbol": "ETHUSDT", "passes": passes, "words": "ETHUSDT may trade it"}
        (folder / "ETHUSDT.json").write_text(json.dumps(words), encoding="utf-8")
        audit = audit_of(home)
        found = check_of(audit, "research")
        assert (found.status, found.seen) == (status, "2026-11-28: ETHUSDT may trade it")
        assert audit.verdict == "unproven"
    (folder / "ETHUSDT.json").write_text("{", encoding="utf-8")
    assert "run that night again" in check_of(audit_of(home), "research").seen
