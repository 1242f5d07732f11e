"""Who may send real orders at which size: every answer of the audit, real money and play money."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine_alpha.audit.audit import audited
from engine_alpha.audit.permission import Permission, Wish, permission
from engine_alpha.home import Home
from tests.unit.audit.records import LAST_MS, home_of, record, subject, trades
from tests.unit.loop.runs import enable

GOOD, BAD = [2.0, -1.0, 2.0, 1.5] * 40, [-1.0, 0.4, -1.0, -1.0] * 60
STALE = {"decided_ms": (LAST_MS - 90 * 3_600_000,)}


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return home_of(tmp_path / "home")


def asked(home: Home, rs: list[float], real: bool, unproven: bool = False, **changes: Any) -> Permission:
    found = replace(record(home), **changes)
    audit = audited(subject(home, record=found, trades=trades(rs), for_live=True))
    wish = Wish(real=real, unproven=unproven, unproven_size_factor=0.25, simulated=found.simulated)
    return permission(audit, wish)


def test_real_money_for_a_proven_coin_at_full_size(home: Home) -> None:
    assert asked(home, GOOD, real=True) == Permission(refusals=(), warnings=(), size_factor=1.0)


def test_real_money_for_an_unproven_coin_only_if_asked_for_and_smaller(home: Home) -> None:
    [refusal] = asked(home, [], real=True).refusals
    assert refusal.startswith("evidence, proof: unproven") and refusal.endswith("--unproven")
    assert asked(home, [], real=True, unproven=True) == Permission(refusals=(), warnings=(), size_factor=0.25)


def test_real_money_for_a_proven_coin_is_not_made_smaller(home: Home) -> None:
    assert asked(home, GOOD, real=True, unproven=True).size_factor == 1.0


@pytest.mark.parametrize("unproven", [False, True])
def test_no_real_money_for_a_coin_whose_trades_speak_against_it(home: Home, unproven: bool) -> None:
    [refusal] = asked(home, BAD, real=True, unproven=unproven).refusals
    assert "against" in refusal and "chloe assets disable" in refusal


@pytest.mark.parametrize("unproven", [False, True])
@pytest.mark.parametrize(
    "changes",
    [STALE, {"simulated": True}, {"faults": {"stale": 90}}, {"first_ms": LAST_MS}, {"newest": None}],
)
def test_no_real_money_without_all_of_the_safety_part(
    home: Home, unproven: bool, changes: dict[str, Any]
) -> None:
    assert asked(home, GOOD, real=True, unproven=unproven, **changes).refusals


def test_play_money_is_warned_in_one_line(home: Home) -> None:
    found = asked(home, [], real=False, simulated=True)
    assert (found.refusals, found.size_factor) == ((), 1.0)
    [warning] = found.warnings
    assert warning == (
        "for real money 2 things are missing, the evidence is unproven: chloe audit ETHUSDT --for-live"
    )
    assert asked(home, GOOD, real=False).warnings == ()


def test_play_money_may_be_tried_smaller_and_against_the_evidence(home: Home) -> None:
    assert asked(home, GOOD, real=False, unproven=True).size_factor == 0.25
    assert asked(home, BAD, real=False).refusals == ()


def test_play_money_is_refused_where_it_can_t_work(home: Home) -> None:
    assert "freshness" in asked(home, GOOD, real=False, **STALE).refusals[0]
    assert asked(home, GOOD, real=False, simulated=True, **STALE).refusals == (), "made-up bars say nothing"
    assert asked(home, GOOD, real=False, newest=None, decided_ms=()).refusals == (), "nothing known, no fault"
    enable(home)
    [refusal] = asked(home, GOOD, real=False).refusals
    assert refusal.endswith("chloe assets enable ETHUSDT")
