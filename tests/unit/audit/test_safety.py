"""The safety part: all well is green, and each thing that is wrong is told with what mends it."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from engine_alpha.audit.checks import FAILED, PASSED, SAFETY, UNKNOWN, Audit
from engine_alpha.audit.parity import OF_PEOPLE, Parity
from engine_alpha.backtest.verifying.findings import CAUSES
from engine_alpha.home import Home
from engine_alpha.kernel.money import DAY_MS
from tests.makers import HOUR_MS
from tests.unit.audit.records import (
    LAST_MS,
    SYMBOL,
    WEEK_BARS,
    a_finding,
    audit_of,
    check_of,
    home_of,
    newest,
    record,
    verified,
    with_record,
)
from tests.unit.loop.runs import START_MS, edit, enable, put_card, set_asset, set_risk


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return home_of(tmp_path / "home")


def only_shortfall(audit: Audit, name: str, status: str = FAILED) -> str:
    """Return what mends the one thing that is short."""
    [check] = [check for check in audit.shortfalls if check.part == SAFETY]
    assert (check.name, check.status) == (name, status)
    assert check.mend and check.seen in check.sentence
    return check.mend


def test_a_coin_at_which_all_is_well_is_green(home: Home) -> None:
    audit = audit_of(home)
    assert audit.is_green and audit.is_safe and audit.verdict == "unproven"
    assert {check.status for check in audit.checks if check.part == SAFETY} == {PASSED}
    assert [check.mend for check in audit.checks if check.status == PASSED] == [""] * sum(
        check.status == PASSED for check in audit.checks
    )


def test_a_disabled_coin(home: Home) -> None:
    enable(home)
    assert only_shortfall(audit_of(home), "entry") == "chloe assets enable ETHUSDT"


def test_an_entry_that_can_t_be_used(home: Home) -> None:
    good = record(home)
    set_asset(home, SYMBOL, max_leverage="much")
    audit = audit_of(home, record=good)
    assert only_shortfall(audit, "entry") == f"edit {home.registry}, then: chloe assets list"
    assert "ETHUSDT.max_leverage" in check_of(audit, "entry").seen


def test_a_contract_that_the_snapshot_lacks(home: Home) -> None:
    good = record(home)
    for snapshot in home.instruments.glob("bybit_*.json"):
        edit(snapshot, lambda found: found["instruments"].pop(SYMBOL))
    audit = audit_of(home, record=good)
    only_shortfall(audit, "plan")
    assert "no such contract" in check_of(audit, "plan").seen


def test_no_card_that_applies(home: Home) -> None:
    for card in home.cards.glob("*.json"):
        edit(card, lambda found: found.update(status="shadow"))
    audit = audit_of(home)
    assert only_shortfall(audit, "cards") == "chloe cards check"
    assert check_of(audit, "cards").seen == "no active card applies and 1 shadow card"


def test_a_broken_card_of_its_own(home: Home) -> None:
    good = record(home)
    put_card(home, {"name": "mine", "scope": {"symbols": [SYMBOL]}})
    only_shortfall(audit_of(home, record=good), "cards")


def test_a_contract_that_has_settled(home: Home) -> None:
    for snapshot in home.instruments.glob("bybit_*.json"):
        edit(snapshot, lambda found: found["instruments"][SYMBOL].update(settled_ms=START_MS - DAY_MS))
    mend = only_shortfall(audit_of(home), "listed")
    assert "chloe instruments refresh --venue bybit" in mend and "chloe assets disable ETHUSDT" in mend


def test_a_sub_account_too_small_for_the_smallest_order(home: Home) -> None:
    set_risk(home, equity_quote=10.0)
    audit = audit_of(home)
    assert "share_frac" in only_shortfall(audit, "minimum")
    assert check_of(audit, "minimum").limit == "at least 20.00"


def test_the_usual_entry_counts_at_the_size_it_would_have(home: Home) -> None:
    sized = replace(record(home), sizes_quote=(30.0, 40.0, 50.0))
    assert audit_of(home, record=sized).is_safe
    smaller = audit_of(home, record=sized, size_factor=0.25)
    only_shortfall(smaller, "minimum")
    assert check_of(smaller, "minimum").seen == "the usual entry is 10.00 at size 0.25"


def test_nothing_decided_yet(home: Home) -> None:
    fresh = replace(record(home), state=None, newest=None, decided_ms=(), first_ms=None)
    parity = Parity(why_not="nothing was stepped yet", mend="chloe run")
    audit = audit_of(home, record=fresh, parity=parity)
    short = {check.name: (check.status, check.mend) for check in audit.shortfalls}
    assert short == {name: (UNKNOWN, "chloe run") for name in ("history", "no decision", "verify")}


def test_a_window_that_is_not_warm(home: Home) -> None:
    cold = with_record(home, newest=newest(warm=[0, 300.0, 513.0]))
    assert only_shortfall(cold, "history") == "chloe why ETHUSDT"
    assert check_of(cold, "history").seen == "300 bars in the last window"


@pytest.mark.parametrize("seen", [0.03, 1.0, None])
def test_holes_in_the_last_window(home: Home, seen: float | None) -> None:
    only_shortfall(with_record(home, newest=newest(data_complete=[0, seen, 0.02])), "gaps")


def test_bars_that_nobody_decided(home: Home) -> None:
    kept = [LAST_MS - HOUR_MS * back for back in reversed(range(WEEK_BARS))]
    assert with_record(home, decided_ms=tuple(kept[:50] + kept[53:])).is_safe, "3 of 168 is within 2 %"
    audit = with_record(home, decided_ms=tuple(kept[:50] + kept[54:]))
    assert "chloe run" in only_shortfall(audit, "gaps")
    assert "4 of the last 168 bars not decided" in check_of(audit, "gaps").seen


def test_a_record_that_stands_still(home: Home) -> None:
    assert audit_of(home, now_ms=START_MS + HOUR_MS).is_safe, "the newest bar may still be on its way"
    audit = audit_of(home, now_ms=START_MS + 3 * HOUR_MS)
    assert only_shortfall(audit, "freshness") == "chloe run"
    assert check_of(audit, "freshness").seen.endswith("3 bars behind")


def test_bars_without_a_decision_by_reason(home: Home) -> None:
    assert with_record(home, faults={"stale": 3}).is_safe
    audit = with_record(home, faults={"stale": 3, "VenueBusy": 2}, newest_fault="stale: no bar")
    assert only_shortfall(audit, "no decision") == "chloe why ETHUSDT"
    seen = check_of(audit, "no decision").seen
    assert seen == "5 bars without a decision in 7.0 d: stale 3, VenueBusy 2; last stale: no bar"


def test_a_drawdown_at_its_limit(home: Home) -> None:
    set_risk(home, drawdown_limit_frac=0.25)
    fallen = record(home)
    assert fallen.state is not None
    sub = fallen.state.sub
    lost = replace(fallen.state, sub=sub._replace(peak_quote=sub.start_quote / 0.75))
    only_shortfall(audit_of(home, record=replace(fallen, state=lost)), "sub-account")


def test_a_difference_that_nobody_made(home: Home) -> None:
    audit = audit_of(home, parity=verified(exact=99, findings=[a_finding("bar_revised")]))
    assert only_shortfall(audit, "verify") == "chloe verify --account paper"
    assert check_of(audit, "verify").seen.endswith("1 difference: bar revised")


def test_differences_of_settings_and_of_other_coins_leave_it_green(home: Home) -> None:
    assert set(OF_PEOPLE) < set(CAUSES)
    own = [a_finding(cause) for cause in OF_PEOPLE]
    assert audit_of(home, parity=verified(findings=[*own, a_finding("bar_revised", "BTCUSDT")])).is_safe


@pytest.mark.parametrize(
    ("parity", "words"),
    [
        (verified(exact=90, unpriced=10), "not verifiable: no stored bars for 10 of 100 decisions"),
        (Parity(why_not="no stored bars", mend="chloe data download"), "not verifiable: no stored bars"),
        (verified(exact=97, unpriced=3), ""),
    ],
)
def test_bars_that_are_not_stored(home: Home, parity: Parity, words: str) -> None:
    audit = audit_of(home, parity=parity)
    if words:
        assert only_shortfall(audit, "verify", UNKNOWN) == "chloe data download"
        assert check_of(audit, "verify").seen == words
    else:
        assert audit.is_safe


@pytest.mark.parametrize(
    ("cause", "words", "mend"),
    [
        ("bar_missing_now", "bars before them are not stored any more", "chloe data download"),
        (
            "engine_version",
            "another version of the engine made them",
            "chloe run, and let it decide some bars",
        ),
    ],
)
def test_too_few_that_could_be_decided_again_prove_no_parity(
    home: Home, cause: str, words: str, mend: str
) -> None:
    assert audit_of(home, parity=verified(exact=96, findings=[a_finding(cause)])).is_safe
    audit = audit_of(home, parity=verified(exact=40, findings=[a_finding(cause)]))
    assert only_shortfall(audit, "verify", UNKNOWN) == mend
    assert check_of(audit, "verify").seen.endswith(f"; the others: {words}")


def test_settings_of_then_that_nobody_can_tell_prove_none_either(home: Home) -> None:
    audit = audit_of(home, parity=verified(exact=0, unsettled=100))
    only_shortfall(audit, "verify", UNKNOWN)
    assert "on settings that nobody can tell any more" in check_of(audit, "verify").seen


def test_what_only_real_money_asks_for(home: Home) -> None:
    names = {check.name for check in audit_of(home).checks}
    assert names.isdisjoint({"prices", "record", "keys"})
    short = replace(record(home), simulated=True, first_ms=LAST_MS - 2 * DAY_MS)
    audit = audit_of(home, record=short, for_live=True, key_fault="no such file")
    assert {check.name: check.status for check in audit.shortfalls} == {
        "prices": FAILED,
        "record": FAILED,
        "keys": FAILED,
        "proof": UNKNOWN,
    }
    assert check_of(audit, "prices").mend.startswith("chloe feed venue")
    assert check_of(audit, "record").seen == "2.0 days in account paper"


def test_every_shortfall_has_a_command_and_json_holds_all(home: Home) -> None:
    enable(home)
    worst = replace(record(home), faults={"stale": 90}, decided_ms=(LAST_MS - 9 * HOUR_MS,), simulated=True)
    audit = audit_of(home, record=worst, for_live=True, key_fault="none", parity=Parity(mend="x"))
    assert len(audit.shortfalls) >= 7
    assert [check.name for check in audit.shortfalls if not check.mend] == []
    fields = json.loads(json.dumps(audit.fields()))
    assert (fields["green"], fields["safe"], len(fields["checks"])) == (False, False, len(audit.checks))
