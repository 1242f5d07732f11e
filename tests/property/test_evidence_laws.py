"""Laws of evidence: order, monotony, clipping, peeking; and the two error rates on a fixed seed."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine_alpha.kernel.evidence import (
    NO_PROOF,
    NO_WATCH,
    PAPER,
    EvidenceTerms,
    evidence_from,
    evidence_of,
    level_of,
    mean_of,
    proved,
    watched,
)

TERMS = EvidenceTerms(0.05, 0.17, 200.0, 500.0, 25.0, 6.0)
NO_LIMITS = EvidenceTerms(0.05, 0.17, 200.0, 500.0, 1e12, 1e12)
USUAL_R = st.floats(min_value=-7.0, max_value=5.5)
ANY_R = st.floats(min_value=-60.0, max_value=60.0)
LISTS = st.lists(ANY_R, max_size=40)
USUAL_LISTS = st.lists(USUAL_R, min_size=1, max_size=40)


@given(LISTS, st.data())
def test_trade_by_trade_equals_the_whole_list_to_the_bit(rs: list[float], drawn: st.DataObject) -> None:
    days = sorted(drawn.draw(st.lists(st.integers(0, 5), min_size=len(rs), max_size=len(rs))))
    armed = drawn.draw(st.integers(0, len(rs)))
    proof, watch = NO_PROOF, NO_WATCH
    for place, (r, day) in enumerate(zip(rs, days, strict=True)):
        proof = proved(proof, r, TERMS)
        watch = watched(watch, r, day, TERMS) if place >= armed else watch
    assert evidence_from(proof, watch, TERMS) == evidence_of(rs, TERMS, days, armed)


@given(USUAL_LISTS, st.data())
def test_a_worse_trade_never_helps(rs: list[float], drawn: st.DataObject) -> None:
    place = drawn.draw(st.integers(0, len(rs) - 1))
    worse = [*rs]
    worse[place] -= drawn.draw(st.floats(min_value=0.0, max_value=5.0))
    was, now = evidence_of(rs, NO_LIMITS), evidence_of(worse, NO_LIMITS)
    assert now.e_now <= was.e_now and now.e_value <= was.e_value
    assert now.doubt >= was.doubt * (1 - 1e-12) and now.drift >= was.drift * (1 - 1e-12)
    assert now.advice >= was.advice


@given(USUAL_LISTS, st.floats(min_value=3.0, max_value=1e6))
def test_gains_beyond_three_prove_no_more(rs: list[float], gain: float) -> None:
    assert evidence_of([*rs, gain], TERMS).e_value == evidence_of([*rs, 3.0], TERMS).e_value


@given(USUAL_LISTS, st.randoms())
def test_the_order_of_trades_does_not_change_where_the_proof_stands(
    rs: list[float], order: random.Random
) -> None:
    mixed = [*rs]
    order.shuffle(mixed)
    assert evidence_of(mixed, TERMS).e_now == pytest.approx(evidence_of(rs, TERMS).e_now, rel=1e-9)


@given(LISTS)
def test_the_e_value_is_the_best_of_all_nights(rs: list[float]) -> None:
    nights = [evidence_of(rs[:n], TERMS) for n in range(len(rs) + 1)]
    assert nights[-1].e_value == max(night.e_now for night in nights)
    assert [night.verdict == 2 for night in nights] == sorted(night.verdict == 2 for night in nights)
    assert [night.advice for night in nights] == sorted(night.advice for night in nights)


def test_a_fair_bet_is_worth_one() -> None:
    """The mean wealth over both outcomes of a fair trade is the wealth before: what the bound rests on."""
    proof = proved(proved(NO_PROOF, 1.6, TERMS), -1.0, TERMS)
    up, down = (mean_of(proved(proof, r, TERMS).wealth) for r in (1.6, -1.0))
    assert (up + 1.6 * down) / 2.6 == pytest.approx(mean_of(proof.wealth))


@given(st.floats(min_value=0.2, max_value=50.0), LISTS)
def test_the_detector_gains_one_a_trade_at_the_design_mean(gain: float, before: list[float]) -> None:
    """Whatever came before and however large the gain: so its mean run to a level is that level at least."""
    watch = NO_WATCH
    for r in before:
        watch = watched(watch, r, -1, NO_LIMITS)
    win_frac = (0.17 + 1.0) / (gain + 1.0)
    up, down = (level_of(watched(watch, r, -1, NO_LIMITS).drift) for r in (gain, -1.0))
    expected = win_frac * up + (1.0 - win_frac) * down
    scale = 1.0 + sum(abs(each) for each in watch.drift)
    assert expected == pytest.approx(level_of(watch.drift) + 1.0, abs=1e-9 * scale * (1.0 + gain))


def test_few_coins_without_an_edge_are_ever_proven() -> None:
    """Looked at after every trade, gap losses among them: at most alpha of them."""
    drawn = random.Random(11)
    proven = 0
    for _ in range(400):
        proof = NO_PROOF
        for _ in range(500):
            proof = proved(proof, fair_r(drawn), TERMS)
            if proof.best >= 20.0:
                proven += 1
                break
    assert 0 < proven <= 20


def fair_r(drawn: random.Random) -> float:
    """Return a trade of mean 0: losers lose 1 R, one in 50 of them 3 to 6 R."""
    if drawn.random() < 1.07 / 2.67:
        return 1.6
    return -drawn.uniform(3.0, 6.0) if drawn.random() < 0.02 else -1.0


def test_a_healthy_coin_is_taken_back_no_oftener_than_stated() -> None:
    """Few large gains, design mean 0.17 R: a false return once in 500 trades at most, on average."""
    drawn = random.Random(12)
    runs = []
    for _ in range(60):
        watch = NO_WATCH
        while watch.advice < PAPER and watch.trades < 3_000:
            watch = watched(watch, 12.0 if drawn.random() < 0.09 else -1.0, -1, NO_LIMITS)
        runs.append(watch.trades)
    assert sum(runs) / len(runs) > 400.0
