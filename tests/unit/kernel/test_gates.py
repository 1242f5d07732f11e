"""Every gate: a case that blocks, one that passes at its limit or not, and its input missing."""

from typing import Any, NamedTuple

import pytest

from engine_alpha.kernel.advance import advance
from engine_alpha.kernel.codes import (
    ACCOUNT_GATES,
    ALL_REGIMES,
    CHOP,
    ENTER,
    HOLD,
    OWN_GATES,
    SHADOW,
)
from engine_alpha.kernel.decide import decide
from engine_alpha.kernel.gates import Try, account_gates, confidence_limit, own_gates
from engine_alpha.kernel.sizing import NO_SIZE
from engine_alpha.kernel.values import Decision, Size, Verdict, View
from tests.makers import (
    a_bar,
    a_card,
    a_purse,
    a_risk,
    an_asset,
    facts,
    features,
    parameters,
    rules,
)
from tests.unit.kernel.scenes import FALLING, NAN, RISING, a_pending, a_position, a_sub

GATES = OWN_GATES + ACCOUNT_GATES
NOT_CHOP = ALL_REGIMES - (1 << CHOP)


def setting(changes: dict[str, dict[str, Any]]) -> tuple[Any, ...]:
    """Return purse, rules, bar and features of a clear long signal, with the changes made."""
    c = {key: changes.get(key, {}) for key in ("asset", "risk", "thresholds", "card", "facts", "sub")}
    known = rules(
        (a_card(**c["card"]),), (), an_asset(**c["asset"]), a_risk(**c["risk"]), parameters(**c["thresholds"])
    )
    purse = a_purse(sub=a_sub(**c["sub"]))
    purse = purse._replace(
        account=purse.account._replace(**changes.get("account", {})),
        others=purse.others._replace(**changes.get("others", {})),
    )
    return purse, known, a_bar(), features(changes.get("row", RISING), facts=facts(**c["facts"]))


def decided(changes: dict[str, dict[str, Any]]) -> Decision:
    return decide(*setting(changes))


def verdicts(decision: Decision) -> dict[str, Verdict]:
    return dict(zip(GATES, (*decision.gates, *decision.allocation), strict=True))


def verdict(gate: str, changes: dict[str, dict[str, Any]]) -> Verdict:
    return verdicts(decided(changes))[gate]


class Case(NamedTuple):
    """What blocks a gate, its limit exactly met (and whether that passes), and its input missing."""

    blocks: dict[str, dict[str, Any]]
    at_limit: dict[str, dict[str, Any]]
    passes_at_limit: bool
    missing: dict[str, dict[str, Any]]
    missing_passes: bool = False


def seen_by(gate: str) -> float:
    return verdict(gate, {}).seen


NO_SIGNALS: dict[str, dict[str, Any]] = {"row": {}}
SPENT = {"trades": 30, "gross_profit_quote": 70.0, "gross_loss_quote": 100.0}
CASES = {
    "data_fresh": Case({"facts": {"late": 1}}, {"facts": {"late": 0}}, True, {"facts": {"late": NAN}}),
    "data_complete": Case(
        {"facts": {"filled_frac": 0.021}},
        {"facts": {"filled_frac": 0.02, "recent_gap_bars": 1}},
        True,
        {"facts": {"filled_frac": NAN}},
    ),
    "warm": Case(
        {"facts": {"window_bars": 512}},
        {"facts": {"window_bars": 513}},
        True,
        {"facts": {"window_bars": NAN}},
    ),
    "listed": Case({"facts": {"listed": 0}}, {"facts": {"listed": 1}}, True, {"facts": {"listed": NAN}}),
    "enabled": Case({"facts": {"enabled": 0}}, {"facts": {"enabled": 1}}, True, {"facts": {"enabled": NAN}}),
    "regime_allowed": Case(
        {"thresholds": {"regimes_allowed": NOT_CHOP}},
        {"thresholds": {"regimes_allowed": 1 << CHOP}},
        True,
        {"thresholds": {"regimes_allowed": 0}},
    ),
    "outside_neutral_zone": Case(
        {"thresholds": {"neutral_zone": 0.99}},
        {"thresholds": {"neutral_zone": seen_by("outside_neutral_zone")}},
        True,
        NO_SIGNALS,
    ),
    "confidence_min": Case(
        {"thresholds": {"confidence_min": 0.99}},
        {"thresholds": {"confidence_min": seen_by("confidence_min")}},
        True,
        NO_SIGNALS,
    ),
    "no_cooldown": Case(
        {"sub": {"last_exit_index": 1_000}},
        {"sub": {"last_exit_index": 999}},
        True,
        {"sub": {"last_exit_index": -1}},
        missing_passes=True,  # never left anything
    ),
    "no_loss_cluster": Case(
        {"sub": {"losses_in_row": 4, "last_exit_index": 977}},
        {"sub": {"losses_in_row": 4, "last_exit_index": 976}},
        True,
        {"sub": {"losses_in_row": 0, "last_exit_index": -1}},
        missing_passes=True,  # a count that is always known
    ),
    "pf_floor": Case(
        {"sub": SPENT},
        {"sub": {**SPENT, "gross_profit_quote": 80.0}},
        True,
        {"sub": {**SPENT, "trades": 29}},
        missing_passes=True,  # unknown before min_trades
    ),
    "drawdown_band": Case(
        {"sub": {"peak_quote": 2_500.0}},
        {"sub": {"peak_quote": 2_000.0}},
        False,
        {"sub": {"peak_quote": NAN}},
    ),
    "one_position": Case(
        {"sub": {"position": a_position(-1)}},
        {"sub": {"position": a_position(0)}},
        True,
        {"sub": {"position": a_position(0)._replace(side=NAN)}},
    ),
    "leverage_cap": Case(
        {"sub": {"realised_quote": -1_000.0}},  # no equity left
        {"asset": {"max_leverage": 0.1}},  # the size was clipped to it
        True,
        {"sub": {"realised_quote": NAN}},
    ),
    "min_notional": Case(
        {"asset": {"min_notional_quote": 1_000.0}},
        {"asset": {"min_notional_quote": seen_by("min_notional")}},
        True,
        NO_SIGNALS,
    ),
    "spread": Case(
        {"facts": {"spread_bps": 10.1}}, {"facts": {"spread_bps": 10.0}}, True, {"facts": {"spread_bps": NAN}}
    ),
    "card_active": Case({"card": {"status": SHADOW}}, {"card": {}}, True, NO_SIGNALS),
    "not_halted": Case({"facts": {"halted": 1}}, {"facts": {"halted": 0}}, True, {"facts": {"halted": NAN}}),
    "daily_loss": Case(
        {"others": {"net_quote": -301.0}},
        {"others": {"net_quote": -300.0}},
        False,
        {"others": {"net_quote": NAN}},
    ),
    "drawdown_halt": Case(
        {"account": {"drawdown_halted": 1}},
        {"account": {"peak_quote": 12_500.0}},
        False,
        {"account": {"peak_quote": NAN}},
    ),
    "max_positions": Case(
        {"others": {"positions": 6}}, {"others": {"positions": 5}}, True, {"others": {"positions": NAN}}
    ),
    "bucket_cap": Case(
        {"others": {"bucket_notional_quote": 10_000.0}},
        {"risk": {"bucket_cap_frac": seen_by("bucket_cap")}},
        True,
        {"others": {"bucket_notional_quote": NAN}},
    ),
    "exposure_cap": Case(
        {"others": {"notional_quote": 20_000.0}},
        {"risk": {"exposure_cap_frac": seen_by("exposure_cap")}},
        True,
        {"others": {"notional_quote": NAN}},
    ),
    "correlation_cap": Case(
        {"others": {"risk_quote": 600.0, "risk_squared": 360_000.0}},
        {"risk": {"heat_cap_frac": seen_by("correlation_cap")}},
        True,
        {"others": {"risk_quote": NAN}},
    ),
}
EACH = pytest.mark.parametrize("gate", GATES)


def test_the_table_covers_every_gate() -> None:
    assert set(CASES) == set(GATES)
    assert len(GATES) == 24


def test_with_nothing_wrong_every_gate_passes_and_an_entry_follows() -> None:
    seen = decided({})
    assert [gate for gate, v in verdicts(seen).items() if v.passed != 1] == []
    assert (seen.action, seen.pending.side) == (ENTER, 1)


@EACH
def test_a_gate_blocks(gate: str) -> None:
    assert verdict(gate, CASES[gate].blocks).passed == 0


@EACH
def test_one_gate_that_blocks_blocks_the_entry(gate: str) -> None:
    seen = decided(CASES[gate].blocks)
    assert (seen.action, seen.pending.side) == (HOLD, 0)


@EACH
def test_the_limit_itself_is_judged_as_documented(gate: str) -> None:
    assert verdict(gate, CASES[gate].at_limit).passed == CASES[gate].passes_at_limit


@EACH
def test_a_missing_input_fails_closed(gate: str) -> None:
    case = CASES[gate]
    assert verdict(gate, case.missing).passed == case.missing_passes


@EACH
def test_all_gates_are_recorded_even_if_the_first_fails(gate: str) -> None:
    seen = decided({**CASES[gate].blocks, "facts": {**CASES[gate].blocks.get("facts", {}), "late": 3}})
    assert verdicts(seen)["data_fresh"] == Verdict(0, 3.0, 0.0)
    assert verdicts(seen)[gate].passed == 0
    assert (len(seen.gates), len(seen.allocation)) == (17, 7)


@EACH
def test_a_gate_that_blocks_does_not_keep_a_position_from_being_closed(gate: str) -> None:
    changes = {**CASES[gate].blocks}
    changes["sub"] = {**changes.get("sub", {}), "position": a_position(1)}
    purse, known, _, seen = setting(changes)
    purse, record = advance(purse, known, a_bar(low=85.0), seen)
    assert record.settlement.trade.side == 1
    assert purse.sub.position.side == 0


@pytest.mark.parametrize(
    ("gate", "seen", "limit"),
    [
        ("warm", 960.0, 513.0),
        ("regime_allowed", 8.0, 15.0),
        ("spread", 1.0, 10.0),
        ("drawdown_band", 0.0, 0.5),
        ("max_positions", 1.0, 6.0),
        ("daily_loss", 0.0, 0.03),
        ("drawdown_halt", 0.0, 0.2),
        ("card_active", 0.0, 0.0),
        ("min_notional", 317.4, 10.0),
    ],
)
def test_a_verdict_says_what_was_seen_and_its_limit(gate: str, seen: float, limit: float) -> None:
    got = verdict(gate, {})
    assert got.limit == limit
    assert got.seen == pytest.approx(seen, rel=0.02)


# ------------------------------------------------------------------ corners of single gates


def test_a_waiting_entry_counts_as_the_one_position() -> None:
    assert verdict("one_position", {"sub": {"pending": a_pending(-1)}}).passed == 0


def test_two_filled_bars_in_a_row_among_the_last_ten_block() -> None:
    assert verdict("data_complete", {"facts": {"recent_gap_bars": 2}}) == Verdict(0, 1.0, 0.02)
    assert verdict("data_complete", {"facts": {"recent_gap_bars": 1}}).passed == 1


def test_an_unknown_market_is_chop_and_blocked_where_chop_is() -> None:
    purse, known, bar, seen = setting({"thresholds": {"regimes_allowed": NOT_CHOP}})
    blind = seen._replace(trend=[NAN] * 97, volatility=[NAN] * 97)
    assert verdicts(decide(purse, known, bar, blind))["regime_allowed"].passed == 0


def test_unknown_results_fail_the_profit_factor_floor() -> None:
    for unknown in ("gross_profit_quote", "gross_loss_quote"):
        assert verdict("pf_floor", {"sub": {**SPENT, unknown: NAN}}).passed == 0


def test_no_losses_in_enough_trades_pass_the_profit_factor_floor() -> None:
    got = verdict("pf_floor", {"sub": {**SPENT, "gross_loss_quote": 0.0}})
    assert (got.passed, got.seen) == (1, float("inf"))


def test_a_profit_factor_is_unknown_before_the_first_trade_even_without_a_minimum() -> None:
    got = verdict("pf_floor", {"risk": {"pf_min_trades": 0}})
    assert got.passed == 1
    assert got.seen != got.seen


def test_no_loss_cluster_can_be_switched_off() -> None:
    losing = {"losses_in_row": 99, "last_exit_index": 999}
    assert verdict("no_loss_cluster", {"sub": losing, "risk": {"cluster_losses": 0}}).passed == 1


def test_an_unknown_equity_blocks_the_drawdown_band() -> None:
    assert verdict("drawdown_band", {"sub": {"realised_quote": NAN}}).passed == 0


@pytest.mark.parametrize(("drawdown", "limit"), [(0.0, 0.1), (0.25, 0.15), (0.5, 0.2), (0.9, 0.2)])
def test_the_confidence_asked_for_rises_with_drawdown_up_to_the_limit(drawdown: float, limit: float) -> None:
    assert confidence_limit(drawdown, a_risk(), parameters()) == pytest.approx(limit)


def test_without_a_drawdown_limit_nothing_is_confident_enough() -> None:
    assert verdict("confidence_min", {"risk": {"drawdown_limit_frac": 0.0}}).passed == 0


def test_a_notional_above_the_leverage_blocks() -> None:
    purse, known, bar, seen = setting({})
    view = View(CHOP, 1, 0.5, 0.5, 1.0, (NAN,) * 5)
    place = OWN_GATES.index("leverage_cap")
    for notional, passed in ((3_000.0, 1), (3_000.1, 0), (NAN, 0)):
        wanted = Try(0, 1, Size(1.0, notional, 1.0, 1.0, 1.0))
        assert own_gates(known, purse.sub, bar, seen.facts, view, wanted)[place].passed == passed


@pytest.mark.parametrize("row", [RISING, FALLING])
def test_a_stop_beyond_the_isolated_liquidation_price_blocks(row: dict[int, float]) -> None:
    """At 3 times leverage and 0.5 % maintenance a position is liquidated about 33 % away."""
    for stop_frac, passed in ((0.3, 1), (0.4, 0)):
        changes = {
            "row": row,
            "card": {"stop_atr": 0.0, "stop_frac": stop_frac},
            "asset": {"max_leverage": 3.0},
        }
        assert verdict("leverage_cap", changes).passed == passed
    unlevered = {"row": row, "card": {"stop_atr": 0.0, "stop_frac": 0.4}, "asset": {"max_leverage": 1.0}}
    assert verdict("leverage_cap", unlevered).passed == 1


def test_too_much_leverage_for_a_stop_names_the_leverage_that_fits() -> None:
    got = verdict("leverage_cap", {"card": {"stop_atr": 0.0, "stop_frac": 0.4}})
    assert got == Verdict(0, 3.0, 2.5)


def test_an_account_without_equity_fails_every_gate_that_needs_it() -> None:
    got = verdicts(decided({"others": {"net_quote": -10_000.0}}))
    for gate in ("daily_loss", "drawdown_halt", "bucket_cap", "exposure_cap", "correlation_cap"):
        assert got[gate].passed == 0


@pytest.mark.parametrize("marks", [{"peak_quote": 0.0}, {"day_start_quote": 0.0}])
def test_an_account_without_marks_fails_closed(marks: dict[str, float]) -> None:
    gate = "drawdown_halt" if "peak_quote" in marks else "daily_loss"
    assert verdict(gate, {"account": marks}).passed == 0


# ------------------------------------------------------------------ caps cut before they block


def test_a_cap_cuts_the_size_to_its_room() -> None:
    for held in ({"bucket_notional_quote": 9_900.0}, {"notional_quote": 19_900.0}):
        seen = decided({"others": held})
        assert seen.size.quantity_base == seen.pending.quantity_base == 1.0
        assert seen.action == ENTER


def test_room_below_the_minimum_blocks() -> None:
    seen = decided({"others": {"bucket_notional_quote": 9_990.1}})
    assert verdicts(seen)["bucket_cap"].passed == 0
    assert seen.pending.side == 0
    assert decided({"others": {"bucket_notional_quote": 9_990.0}}).pending.quantity_base == 0.1


def test_only_the_cap_without_room_is_blamed() -> None:
    got = verdicts(decided({"others": {"bucket_notional_quote": 9_995.0}}))
    assert (got["bucket_cap"].passed, got["exposure_cap"].passed) == (0, 1)
    got = verdicts(decided({"others": {"notional_quote": 19_995.0}}))
    assert (got["bucket_cap"].passed, got["exposure_cap"].passed) == (1, 0)


def test_a_size_that_was_too_small_from_the_start_is_not_the_caps_fault() -> None:
    got = verdicts(decided({"asset": {"min_notional_quote": 1_000.0}}))
    assert got["min_notional"].passed == 0
    assert (got["bucket_cap"].passed, got["exposure_cap"].passed) == (1, 1)


def test_without_a_card_the_account_is_still_judged() -> None:
    purse, known, _, seen = setting({"others": {"positions": 6}})
    shared, size = account_gates(known, purse, seen.facts, Try(-1, 0, NO_SIZE), 100.0)
    assert size == NO_SIZE
    assert [gate for gate, v in zip(ACCOUNT_GATES, shared, strict=True) if v.passed == 0] == ["max_positions"]
