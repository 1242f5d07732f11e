"""Evidence: the reference's unit vectors, verdicts, advice, limits, the estimate of trades needed."""

import math
from statistics import NormalDist

import pytest

from engine_alpha.kernel.evidence import (
    ADVICES,
    AGAINST,
    DEGRADED,
    DOUBTED,
    DRIFTING,
    FELL,
    HALVE,
    KEEP,
    LOST_IN_A_DAY,
    NO_PROOF,
    NO_TRADES,
    NO_WATCH,
    PAPER,
    PROVEN,
    REASONS,
    SHOWN,
    TOO_LITTLE,
    UNPROVEN,
    VERDICTS,
    EvidenceTerms,
    Proof,
    Stakes,
    evidence_of,
    mean_r_of,
    proved,
    trades_to_prove,
    watched,
)
from engine_alpha.kernel.first_passage import logarithm, median_steps, normal_frac

TERMS = EvidenceTerms(0.05, 0.17, 200.0, 500.0, 25.0, 6.0)
NO_LIMITS = EvidenceTerms(0.05, 0.17, 200.0, 500.0, 1e12, 1e12)
VECTOR = (1.6, -1.0, 1.6, 1.6, -1.0)


def test_the_references_e_process() -> None:
    proof, seen = NO_PROOF, []
    for r in VECTOR:
        proof = proved(proof, r, TERMS)
        seen.append(proof.wealth.high)
    assert seen == pytest.approx([1.213333, 1.051556, 1.275887, 1.548077, 1.341666], abs=1e-6)


def test_the_references_detector() -> None:
    watch, seen = NO_WATCH, []
    for r in VECTOR:
        watch = watched(watch, r, -1, TERMS)
        seen.append(watch.drift.high)
    assert seen == pytest.approx([0.898940, 2.055955, 2.747120, 3.368436, 4.729642], abs=1e-6)


def test_the_e_value_is_the_mean_over_three_stakes() -> None:
    seen = evidence_of([1.6, -1.0], TERMS)
    each = [(1 + stake * 1.6 / 1.5) * (1 - stake / 1.5) for stake in (0.05, 0.1, 0.2)]
    assert seen.e_now == pytest.approx(sum(each) / 3)
    assert seen.e_value == pytest.approx(1 + (0.05 + 0.1 + 0.2) / 3 * 1.6 / 1.5)
    assert seen.log_e == pytest.approx(math.log(seen.e_value))


def test_a_gain_counts_up_to_three_and_a_loss_whole() -> None:
    assert evidence_of([30.0], TERMS).e_now == evidence_of([3.0], TERMS).e_now
    assert proved(NO_PROOF, -6.0, TERMS).wealth.high == pytest.approx(1 - 0.2 * 4)


def test_a_loss_that_takes_more_than_the_stake_takes_the_stake() -> None:
    wealth = proved(NO_PROOF, -9.0, TERMS).wealth
    assert wealth == pytest.approx((0.7, 0.4, 0.0))
    assert evidence_of([-31.0], TERMS).e_now == 0.0


def test_the_doubts_e_value_keeps_half_for_a_later_turn() -> None:
    proof = proved(NO_PROOF, -1.0, TERMS)
    assert proof.worst == pytest.approx(1 + 0.5 * (0.05 + 0.1 + 0.2) / 3 * 1.17 / 2.83)


def test_no_trades_say_nothing() -> None:
    seen = evidence_of([], TERMS)
    assert (seen.trades, seen.e_value, seen.log_e, seen.watched_trades) == (0, 1.0, 0.0, 0)
    assert (seen.verdict, seen.reason) == (UNPROVEN, NO_TRADES)
    assert (seen.advice, seen.advice_reason, seen.advice_at) == (KEEP, NO_TRADES, 0)


def test_few_trades_are_unproven() -> None:
    seen = evidence_of(VECTOR, TERMS)
    assert (VERDICTS[seen.verdict], REASONS[seen.reason]) == ("unproven", "too few trades to tell")
    assert seen.reason == TOO_LITTLE


def test_an_edge_is_proven_and_stays_proven_through_some_losses() -> None:
    seen = evidence_of([1.6, 1.6, -1.0] * 18 + [-1.0] * 5, TERMS)
    assert (seen.verdict, seen.reason, seen.trades_needed) == (PROVEN, SHOWN, 0)
    assert seen.e_now < 20.0 <= seen.e_value


def test_losses_speak_against_a_coin_whatever_was_proven() -> None:
    seen = evidence_of([1.6, 1.6, -1.0] * 30 + [-1.0] * 200, TERMS)
    assert seen.e_value >= 20.0
    assert (seen.verdict, seen.reason) == (AGAINST, DOUBTED)
    assert evidence_of([-1.0] * 60, TERMS).verdict == AGAINST


def test_the_size_is_halved_before_the_coin_goes_back_to_paper() -> None:
    seen = [evidence_of([-1.0] * n, NO_LIMITS) for n in range(1, 40)]
    assert [each.advice for each in seen] == sorted(each.advice for each in seen)
    halved = next(each for each in seen if each.advice == HALVE)
    paper = next(each for each in seen if each.advice == PAPER)
    assert (halved.advice_reason, paper.advice_reason) == (DRIFTING, DEGRADED)
    assert halved.drift >= 200.0 and paper.drift >= 500.0
    assert (halved.advice_at, paper.advice_at) == (halved.watched_trades, paper.watched_trades)


def test_an_advice_is_not_taken_back() -> None:
    fell = [-1.0] * 25
    seen = evidence_of(fell + [2.0] * 100, TERMS)
    assert (ADVICES[seen.advice], seen.drift < 200.0) == ("paper", True)
    assert seen.advice_at == evidence_of(fell, TERMS).advice_at


def test_only_trades_since_arming_are_watched() -> None:
    seen = evidence_of([-1.0] * 100 + [1.0], TERMS, watch_from=100)
    assert (seen.trades, seen.watched_trades, seen.advice, seen.drawdown_r) == (101, 1, KEEP, 0.0)


def test_the_drawdown_limit_is_reached_not_passed() -> None:
    rs = [2.0, *[-5.0] * 5]
    assert evidence_of(rs, TERMS).drawdown_r == 25.0
    assert evidence_of(rs, TERMS).advice_reason == FELL
    assert evidence_of([2.0, *[-5.0] * 4, -4.99], TERMS).advice_reason != FELL


def test_the_drawdown_starts_from_nothing() -> None:
    assert evidence_of([-3.0, -2.0], TERMS).drawdown_r == 5.0


def test_one_days_loss_sends_a_coin_back() -> None:
    seen = evidence_of([-2.0, -4.0], TERMS, days=[20_000, 20_000])
    assert (seen.advice, seen.advice_reason, seen.day_r) == (PAPER, LOST_IN_A_DAY, -6.0)
    assert evidence_of([-2.0, -4.0], TERMS, days=[20_000, 20_001]).advice == KEEP
    assert evidence_of([-2.0, -4.0], TERMS).advice == KEEP


def test_days_are_as_many_as_trades() -> None:
    with pytest.raises(ValueError, match="shorter"):
        evidence_of([1.0, 1.0], TERMS, days=[1])


def test_a_huge_gain_leaves_the_detector_a_debt() -> None:
    watch = watched(watched(NO_WATCH, 30.0, -1, TERMS), -1.0, -1, TERMS)
    assert watched(NO_WATCH, 30.0, -1, TERMS).drift.boldest == pytest.approx(1 - 0.5 * 29.83 / 2.83)
    assert watch.drift.boldest == pytest.approx(2 - 0.5 * 29.83 / 2.83)


def test_wealth_neither_overflows_nor_breaks() -> None:
    rich, poor = evidence_of([3.0] * 4_000, TERMS), evidence_of([-1.0] * 20_000, TERMS)
    assert math.isfinite(rich.e_now) and rich.verdict == PROVEN
    assert math.isfinite(poor.drift) and math.isfinite(poor.doubt) and poor.verdict == AGAINST


def test_a_design_mean_near_the_clip_is_no_division_by_nothing() -> None:
    seen = evidence_of([1.0, -1.0], EvidenceTerms(0.05, 3.0, 200.0, 500.0, 25.0, 6.0))
    assert math.isfinite(seen.drift)


# ------------------------------------------------------------------ trades still needed


@pytest.mark.parametrize(
    ("pf", "payoff_r", "simulated"),
    [(1.2, 1.6, 698), (1.31, 1.6, 316), (1.5, 1.6, 166), (2.0, 1.6, 83), (1.3, 1.0, 346), (1.3, 2.5, 361)],
)
def test_the_trades_needed_are_near_the_simulated_median(pf: float, payoff_r: float, simulated: int) -> None:
    assert trades_to_prove(mean_r_of(pf, payoff_r), payoff_r, 0.05) == pytest.approx(simulated, rel=0.1)


def test_what_has_no_edge_needs_no_number() -> None:
    assert trades_to_prove(0.0, 1.6, 0.05) is None
    assert trades_to_prove(-0.2, 1.6, 0.05) is None


def test_lost_stakes_need_no_number() -> None:
    nothing = Proof(9, Stakes(0.0, 0.0, 0.0), 1.2, Stakes(0.5, 0.5, 0.5), 1.0)
    assert trades_to_prove(0.17, 1.6, 0.05, nothing) is None


def test_winners_bring_the_proof_nearer() -> None:
    before, after = (evidence_of([1.6] * n, TERMS).trades_needed for n in (2, 6))
    assert before is not None and after is not None and 0 < after < before


@pytest.mark.parametrize("pf", [1.0, 1.3, 2.0])
def test_the_mean_of_a_profit_factor(pf: float) -> None:
    win_frac = (1.0 + mean_r_of(pf, 1.6)) / 2.6
    assert win_frac * 1.6 / (1.0 - win_frac) == pytest.approx(pf)


@pytest.mark.parametrize("x", [1e-300, 0.3, 0.75, 1.0, 1.5, 20.0, 1e300])
def test_the_logarithm(x: float) -> None:
    assert logarithm(x) == pytest.approx(math.log(x), abs=1e-12)
    assert logarithm(0.0) == -math.inf


@pytest.mark.parametrize("z", [-4.0, -1.0, 0.0, 0.5, 3.0])
def test_the_normal_law(z: float) -> None:
    assert normal_frac(z) == pytest.approx(NormalDist().cdf(z), abs=1e-6)


def test_a_sum_without_drift_reaches_a_level_by_the_reflection_principle() -> None:
    steps = median_steps(10.0, 0.0, 1.0)  # 2 * P(Z > 10 / sqrt(n)) = 1/2
    assert steps == pytest.approx((10.0 / 0.6744898) ** 2, rel=0.01)
    assert median_steps(0.0, 0.1, 1.0) == 0
