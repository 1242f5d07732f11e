"""Evidence in closed trades: proof of an edge that may be read every night, and the watch that ends a stage.

Three readings of a coin's trades in R (net result over the risk at the first stop), oldest first:

* proof: an e-process against "mean R <= 0" (Waudby-Smith & Ramdas: testing by betting). Each of three stakes
  is multiplied by max(0, 1 + stake * R / 1.5), gains counted up to 3 R, losses whole; the e-value is their
  mean. Whatever is true below zero, it ever reaches 1 / alpha with a chance of alpha at most (Ville), however
  often one looks: "proven" stays proven.
* doubt and watch: an e-detector against "mean R >= design" (Shin, Ramdas & Rinaldo, Shiryaev-Roberts form).
  M becomes (1 + M) * max(0, 1 + stake * (design - R) / (3 - design)), the mean over the same stakes. While
  the design mean holds, M reaches a level A once in A trades at most, on average, and within n trades with
  a chance of n / A at most. Gains and losses both enter whole: a clipped gain would count against a coin
  that lives on few large ones.
* limits: the fall of the summed R from its best, and the loss of a UTC day.

The bounds are exact while no loss is beyond 7.5 R (proof) and no gain beyond 14 R (doubt): past that the
largest stake is simply lost. Proof and doubt begin with the first paper trade and anew after a return to
paper; the watch begins when the coin is armed. They go on trade by trade (`proved`, `watched`);
`evidence_of` reads a whole list and gives the same bits.
"""

from collections.abc import Sequence
from typing import NamedTuple

STAKE_LOW, STAKE_MIDDLE, STAKE_HIGH = 0.05, 0.1, 0.2
SCALE_R, CLIP_R, SCALE_LEAST_R = 1.5, 3.0, 1.0
MOST = 1e300
"""Where wealth stops growing, so that it never overflows; less than earned is still valid."""
PAYOFF_R = 1.6
"""Mean winner in R that estimates assume, losers being 1 R: 45 % winners are then PF 1.31, 0.17 R."""
FAR_TRADES = 1_000_000

UNPROVEN, PROVEN, AGAINST = 0, 1, 2
VERDICTS = ("unproven", "proven", "against")
KEEP, HALVE, PAPER = 0, 1, 2
ADVICES = ("keep", "halve", "paper")
(NO_TRADES, TOO_LITTLE, SHOWN, DOUBTED, DRIFTING, DEGRADED, FELL, LOST_IN_A_DAY) = range(8)
REASONS = (
    "no trades yet",
    "too few trades to tell",
    "an edge is shown",
    "its trades speak against the design mean",
    "the mean may have fallen below the design mean",
    "the mean has fallen below the design mean",
    "the summed R fell too far from its best",
    "one day lost too much",
)


class EvidenceTerms(NamedTuple):
    """What counts as proof and what ends a stage: `evidence` of risk.json."""

    alpha: float  # chance, at most, that a coin without an edge is ever called proven
    design_r: float  # mean R that the coin is traded for
    halve_after: float  # false halvings: once in so many trades at most, on average
    paper_after: float  # false returns to paper: once in so many trades at most, on average
    drawdown_limit_r: float
    daily_loss_limit_r: float


class Stakes(NamedTuple):
    """One number for each of the three stakes: wealth of a bettor or a detector's sum."""

    low: float
    middle: float
    high: float


class Proof(NamedTuple):
    """What the trades since the first paper trade, or the last return to paper, add up to."""

    trades: int
    wealth: Stakes
    best: float  # the highest e-value so far
    doubt: Stakes  # the detector's sums against the design mean


class Watch(NamedTuple):
    """What the trades since the coin was armed add up to; an advice only grows until it is armed anew."""

    trades: int
    drift: Stakes  # the detector's sums against the design mean
    sum_r: float
    peak_r: float  # best sum so far, 0.0 at the start
    day: int  # UTC day of the newest trade; -1 unknown
    day_r: float  # sum of that day
    advice: int  # KEEP, HALVE, PAPER
    reason: int  # why, as in REASONS; NO_TRADES while the advice is KEEP
    at_trade: int  # number of the trade that brought the advice, from 1; 0 while it is KEEP


class Evidence(NamedTuple):
    """How a coin's trades speak: `verdict` is about its edge, `advice` about the stage it is in.

    verdict: UNPROVEN 0, PROVEN 1 (e_value ever reached 1 / alpha), AGAINST 2 (doubt is now at or above
    paper_after / alpha, whatever was proven before). reason: the verdict's, an index into REASONS.
    advice: KEEP 0, HALVE 1, PAPER 2, with advice_reason and the number of the watched trade that brought it.
    trades_needed: trades until half of such coins are proven if the true mean is the design mean, from where
    the wealth is now; 0 when proven, None when all stakes are lost or the design mean can't show.
    """

    trades: int  # behind the verdict
    e_value: float  # the highest so far
    e_now: float
    log_e: float  # natural logarithm of e_value; proven at ln(1 / alpha)
    verdict: int
    reason: int
    trades_needed: int | None
    doubt: float  # the detector since the start, now
    watched_trades: int  # behind the advice
    drift: float  # the detector since arming, now
    drawdown_r: float  # fall of the summed R from its best since arming, now
    day_r: float  # sum of R on the day of the newest watched trade; all of it where days are unknown
    advice: int
    advice_reason: int
    advice_at: int


NO_PROOF = Proof(0, Stakes(1.0, 1.0, 1.0), 1.0, Stakes(0.0, 0.0, 0.0))
NO_WATCH = Watch(0, Stakes(0.0, 0.0, 0.0), 0.0, 0.0, -1, 0.0, KEEP, NO_TRADES, 0)


def evidence_of(
    rs: Sequence[float], terms: EvidenceTerms, days: Sequence[int] | None = None, watch_from: int = 0
) -> Evidence:
    """Return how trades speak, oldest first; those from `watch_from` on count for the advice.

    `rs` are finite. `days` are the UTC days the trades closed on (exit_ms // 86,400,000), as many as `rs`;
    without them the limit of a day's loss is not judged. `watch_from` is the number of trades before arming.
    """
    proof, watch = NO_PROOF, NO_WATCH
    dated = [-1] * len(rs) if days is None else days
    for place, (r, day) in enumerate(zip(rs, dated, strict=True)):
        proof = proved(proof, r, terms)
        if place >= watch_from:
            watch = watched(watch, r, day, terms)
    return evidence_from(proof, watch, terms)


def evidence_from(proof: Proof, watch: Watch, terms: EvidenceTerms) -> Evidence:
    """Return how the trades behind both states speak."""
    doubt = mean_of(proof.doubt)
    verdict, reason = verdict_of(proof, terms)
    return Evidence(
        proof.trades,
        proof.best,
        mean_of(proof.wealth),
        logarithm(proof.best),
        verdict,
        reason,
        0 if proof.best >= 1.0 / terms.alpha else trades_to_prove(terms.design_r, PAYOFF_R, terms, proof),
        doubt,
        watch.trades,
        mean_of(watch.drift),
        watch.peak_r - watch.sum_r,
        watch.day_r,
        watch.advice,
        watch.reason,
        watch.at_trade,
    )


def verdict_of(proof: Proof, terms: EvidenceTerms) -> tuple[int, int]:
    """Return verdict and reason; what speaks against a coin now outweighs what was once shown."""
    if mean_of(proof.doubt) >= terms.paper_after / terms.alpha:
        return AGAINST, DOUBTED
    if proof.best >= 1.0 / terms.alpha:
        return PROVEN, SHOWN
    return UNPROVEN, TOO_LITTLE if proof.trades > 0 else NO_TRADES


def proved(proof: Proof, r: float, terms: EvidenceTerms) -> Proof:
    """Return the proof after one more closed trade."""
    wealth = staked(proof.wealth, min(r, CLIP_R) / SCALE_R)
    return Proof(
        proof.trades + 1, wealth, max(proof.best, mean_of(wealth)), drifted(proof.doubt, r, terms.design_r)
    )


def watched(watch: Watch, r: float, day: int, terms: EvidenceTerms) -> Watch:
    """Return the watch after one more closed trade; `day` is the UTC day it closed on, -1 unknown."""
    drift = drifted(watch.drift, r, terms.design_r)
    total = watch.sum_r + r
    peak = max(watch.peak_r, total)
    day_r = watch.day_r + r if day == watch.day else r
    advice, reason = KEEP, NO_TRADES
    if peak - total >= terms.drawdown_limit_r:
        advice, reason = PAPER, FELL
    elif day >= 0 and -day_r >= terms.daily_loss_limit_r:
        advice, reason = PAPER, LOST_IN_A_DAY
    elif mean_of(drift) >= terms.paper_after:
        advice, reason = PAPER, DEGRADED
    elif mean_of(drift) >= terms.halve_after:
        advice, reason = HALVE, DRIFTING
    at_trade = watch.trades + 1
    if advice <= watch.advice:
        advice, reason, at_trade = watch.advice, watch.reason, watch.at_trade
    return Watch(watch.trades + 1, drift, total, peak, day, day_r, advice, reason, at_trade)


def staked(wealth: Stakes, x: float) -> Stakes:
    """Return the wealth after a bet on x, a gain of one being x = 1."""
    return Stakes(
        min(MOST, wealth.low * max(0.0, 1.0 + STAKE_LOW * x)),
        min(MOST, wealth.middle * max(0.0, 1.0 + STAKE_MIDDLE * x)),
        min(MOST, wealth.high * max(0.0, 1.0 + STAKE_HIGH * x)),
    )


def drifted(sums: Stakes, r: float, design_r: float) -> Stakes:
    """Return the detector's sums after a trade: one more bettor begins, all bet that R is below design."""
    x = (design_r - r) / max(SCALE_LEAST_R, CLIP_R - design_r)
    return staked(Stakes(1.0 + sums.low, 1.0 + sums.middle, 1.0 + sums.high), x)


def mean_of(stakes: Stakes) -> float:
    """Return the mean over the stakes: the e-value, or the detector."""
    return stakes.low / 3.0 + stakes.middle / 3.0 + stakes.high / 3.0


def mean_r_of(pf: float, payoff_r: float) -> float:
    """Return the mean R of winners of `payoff_r` and losers of 1 R that make this profit factor."""
    return payoff_r * (pf - 1.0) / (pf + payoff_r)


def trades_to_prove(
    mean_r: float, payoff_r: float, terms: EvidenceTerms, proof: Proof = NO_PROOF
) -> int | None:
    """Return about how many more trades it takes if the true mean is `mean_r`; None: it can't be.

    Winners of `payoff_r`, losers of 1 R. Solves mean(wealth * e^(growth * n)) = 1 / alpha for n, growth
    being the expected logarithm of one trade's factor.
    """
    win_frac = (1.0 + mean_r) / (1.0 + payoff_r)
    if win_frac >= 1.0:
        return None
    growth = Stakes(
        growth_of(STAKE_LOW, win_frac, payoff_r),
        growth_of(STAKE_MIDDLE, win_frac, payoff_r),
        growth_of(STAKE_HIGH, win_frac, payoff_r),
    )
    few, many = 0, FAR_TRADES
    if expected_e(proof.wealth, growth, many) < 1.0 / terms.alpha:
        return None
    while many - few > 1:
        middle = (few + many) // 2
        if expected_e(proof.wealth, growth, middle) < 1.0 / terms.alpha:
            few = middle
        else:
            many = middle
    return many


def growth_of(stake: float, win_frac: float, payoff_r: float) -> float:
    """Return the expected logarithm of one trade's factor."""
    won = logarithm(1.0 + stake * min(payoff_r, CLIP_R) / SCALE_R)
    lost = logarithm(1.0 - stake / SCALE_R)
    return win_frac * won + (1.0 - win_frac) * lost


def expected_e(wealth: Stakes, growth: Stakes, trades: int) -> float:
    """Return the e-value after so many trades that all grow as expected, `MOST` at most."""
    return mean_of(
        Stakes(
            grown(wealth.low, growth.low * trades),
            grown(wealth.middle, growth.middle * trades),
            grown(wealth.high, growth.high * trades),
        )
    )


def grown(wealth: float, by: float) -> float:
    """Return wealth times e to the `by`, `MOST` at most."""
    return min(MOST, wealth * float(2.718281828459045 ** max(-690.0, min(690.0, by))))


def logarithm(x: float) -> float:
    """Return the natural logarithm of a positive number; a report's number, not a decision's."""
    if x <= 0.0:
        return float("-inf")
    halvings = 0
    while x > 1.5:
        x /= 2.0
        halvings += 1
    while x < 0.75:
        x *= 2.0
        halvings -= 1
    part = (x - 1.0) / (x + 1.0)
    power, total, term = part, 0.0, 1
    while term < 40:
        total += power / term
        power *= part * part
        term += 2
    return 2.0 * total + halvings * 0.6931471805599453
