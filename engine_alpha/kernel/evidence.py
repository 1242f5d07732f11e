"""Evidence in closed trades: proof of an edge that may be read every night, and the watch that ends a stage.

All speak about trades in R (net result over the risk at the first stop), oldest first:

* proof: an e-process against "mean R <= 0" (Waudby-Smith & Ramdas: testing by betting). Each of three stakes
  is multiplied by max(0, 1 + stake * R / 1.5), gains counted up to 3 R, losses whole; the e-value is their
  mean. Without an edge it ever reaches 1 / alpha with a chance of alpha at most (Ville), however often one
  looks: "proven" needs no correction for peeking.
* doubt: the same against "mean R >= design", R whole. Half of the stake bets that this is wrong from the
  first trade on, the rest that it becomes wrong after trade k = 1, 2, ... (weights 1 / (2 k (k + 1))).
* drift: an e-detector (Shin, Ramdas & Rinaldo, Shiryaev-Roberts form) against the same, for five stakes:
  M becomes (1 + M) * (1 + stake * (design - R) / (3 - design)). While the design mean holds, the mean of the
  five reaches a level A once in A trades at most, on average. R counts whole on both sides: many engines live
  on few large gains, and clipping those would raise false alarms. A gain so large that the last factor is
  negative leaves a debt, worked off by 1 a trade; setting M to 0 there instead would break the bound.
* limits: the fall of the summed R from its best, and the loss of a UTC day.

The first two bounds are exact while no loss is beyond 7.5 R and no gain beyond 14 R: past that the largest
stake is lost and no more. Proof and doubt begin with the first paper trade, and anew after a return from live
to paper; the watch (drift and limits) begins when the coin is armed. They go on trade by trade (`proved`,
`watched`); `evidence_of` reads a whole list and gives the same bits.
"""

from collections.abc import Sequence
from typing import NamedTuple

from engine_alpha.kernel.first_passage import LN_2, logarithm, median_steps

STAKE_LOW, STAKE_MIDDLE, STAKE_HIGH = 0.05, 0.1, 0.2
STAKE_BOLD, STAKE_BOLDEST = 0.3, 0.5
SCALE_R, CLIP_R, LEAST_ROOM_R = 1.5, 3.0, 1.0
MOST = 1e300
"""Where wealth stops growing, so that it never overflows; less than earned is still valid."""
PAYOFF_R = 1.6
"""Mean winner in R that estimates assume, losers being 1 R: 45 % winners are then PF 1.31, 0.17 R."""

UNPROVEN, PROVEN, AGAINST = 0, 1, 2
VERDICTS = ("unproven", "proven", "against")
KEEP, HALVE, PAPER = 0, 1, 2
ADVICES = ("keep", "halve", "paper")
NO_TRADES, TOO_LITTLE, SHOWN, DOUBTED, DRIFTING, DEGRADED, FELL, LOST_IN_A_DAY = range(8)
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
    """The wealth of three bettors, one a stake."""

    low: float
    middle: float
    high: float


class Drift(NamedTuple):
    """The detector's sums, one a stake; negative is a debt."""

    low: float
    middle: float
    high: float
    bold: float
    boldest: float


class Proof(NamedTuple):
    """What the trades since the first paper trade, or the last return from live to paper, add up to."""

    trades: int
    wealth: Stakes  # betting on an edge
    best: float  # highest e-value so far
    doubt: Stakes  # betting on a mean below the design mean
    worst: float  # highest e-value of that so far


class Watch(NamedTuple):
    """What the trades since the coin was armed add up to; an advice only grows until it is armed anew."""

    trades: int
    drift: Drift
    sum_r: float
    peak_r: float  # best sum so far, 0.0 at the start
    day: int  # UTC day of the newest trade; -1 unknown
    day_r: float  # sum of that day
    advice: int  # KEEP, HALVE, PAPER
    reason: int  # why, as in REASONS; NO_TRADES while the advice is KEEP
    at_trade: int  # number of the trade that brought the advice, from 1; 0 while it is KEEP


class Evidence(NamedTuple):
    """How a coin's trades speak: `verdict` is about its edge, `advice` about the stage it is in.

    verdict: UNPROVEN 0; PROVEN 1, e_value is at least 1 / alpha; AGAINST 2, doubt is, whatever was shown.
    reason: the verdict's, an index into REASONS. advice: KEEP 0, HALVE 1, PAPER 2, with advice_reason and the
    number of the watched trade that brought it. trades_needed: how many more until half of such coins are
    proven if the true mean is the design mean, from where the wealth is now; None when it can't be.
    """

    trades: int  # behind the verdict
    e_value: float  # the highest so far
    e_now: float
    log_e: float  # natural logarithm of e_value; proven at ln(1 / alpha)
    verdict: int
    reason: int
    trades_needed: int | None
    doubt: float  # e-value against the design mean, the highest so far
    watched_trades: int  # behind the advice
    drift: float  # the detector now; the advice comes at halve_after and paper_after
    drawdown_r: float  # fall of the summed R from its best since arming, now
    day_r: float  # sum of R on the day of the newest watched trade; of all where days are unknown
    advice: int
    advice_reason: int
    advice_at: int


NO_PROOF = Proof(0, Stakes(1.0, 1.0, 1.0), 1.0, Stakes(0.0, 0.0, 0.0), 1.0)
NO_WATCH = Watch(0, Drift(0.0, 0.0, 0.0, 0.0, 0.0), 0.0, 0.0, -1, 0.0, KEEP, NO_TRADES, 0)


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
    verdict, reason = verdict_of(proof, terms)
    return Evidence(
        proof.trades,
        proof.best,
        mean_of(proof.wealth),
        logarithm(proof.best),
        verdict,
        reason,
        trades_to_prove(terms.design_r, PAYOFF_R, terms.alpha, proof),
        proof.worst,
        watch.trades,
        level_of(watch.drift),
        watch.peak_r - watch.sum_r,
        watch.day_r,
        watch.advice,
        watch.reason,
        watch.at_trade,
    )


def verdict_of(proof: Proof, terms: EvidenceTerms) -> tuple[int, int]:
    """Return verdict and reason; what speaks against a coin outweighs what was once shown."""
    if proof.worst >= 1.0 / terms.alpha:
        return AGAINST, DOUBTED
    if proof.best >= 1.0 / terms.alpha:
        return PROVEN, SHOWN
    return UNPROVEN, TOO_LITTLE if proof.trades > 0 else NO_TRADES


def proved(proof: Proof, r: float, terms: EvidenceTerms) -> Proof:
    """Return the proof after one more closed trade."""
    wealth = staked(proof.wealth, min(r, CLIP_R) / SCALE_R)
    now = proof.trades
    kept = 0.5 / (now + 1)  # of the doubt's stake, for trades to come
    begins = 0.5 if now == 0 else 0.5 / (now * (now + 1))
    doubt = proof.doubt
    bets = Stakes(doubt.low + begins, doubt.middle + begins, doubt.high + begins)
    doubt = staked(bets, short_of(r, terms.design_r))
    worst = max(proof.worst, mean_of(doubt) + kept)
    return Proof(now + 1, wealth, max(proof.best, mean_of(wealth)), doubt, worst)


def watched(watch: Watch, r: float, day: int, terms: EvidenceTerms) -> Watch:
    """Return the watch after one more closed trade; `day` is the UTC day it closed on, -1 unknown."""
    drift = drifted(watch.drift, short_of(r, terms.design_r))
    total = watch.sum_r + r
    peak = max(watch.peak_r, total)
    day_r = watch.day_r + r if day == watch.day else r
    advice, reason = KEEP, NO_TRADES
    if peak - total >= terms.drawdown_limit_r:
        advice, reason = PAPER, FELL
    elif day >= 0 and -day_r >= terms.daily_loss_limit_r:
        advice, reason = PAPER, LOST_IN_A_DAY
    elif level_of(drift) >= terms.paper_after:
        advice, reason = PAPER, DEGRADED
    elif level_of(drift) >= terms.halve_after:
        advice, reason = HALVE, DRIFTING
    at_trade = watch.trades + 1
    if advice <= watch.advice:
        advice, reason, at_trade = watch.advice, watch.reason, watch.at_trade
    return Watch(watch.trades + 1, drift, total, peak, day, day_r, advice, reason, at_trade)


def short_of(r: float, design_r: float) -> float:
    """Return by how much a trade fell short of the design mean, in parts of the way from there to 3 R."""
    return (design_r - r) / max(LEAST_ROOM_R, CLIP_R - design_r)


def staked(wealth: Stakes, x: float) -> Stakes:
    """Return the wealth after a bet on x: multiplied by 1 + stake * x, never below nothing."""
    return Stakes(
        min(MOST, wealth.low * max(0.0, 1.0 + STAKE_LOW * x)),
        min(MOST, wealth.middle * max(0.0, 1.0 + STAKE_MIDDLE * x)),
        min(MOST, wealth.high * max(0.0, 1.0 + STAKE_HIGH * x)),
    )


def drifted(drift: Drift, x: float) -> Drift:
    """Return the detector's sums after a trade: 1 more joins, all is bet on x, a debt bets nothing."""
    return Drift(
        detected(drift.low, STAKE_LOW, x),
        detected(drift.middle, STAKE_MIDDLE, x),
        detected(drift.high, STAKE_HIGH, x),
        detected(drift.bold, STAKE_BOLD, x),
        detected(drift.boldest, STAKE_BOLDEST, x),
    )


def detected(total: float, stake: float, x: float) -> float:
    """Return one of the detector's sums after a trade."""
    joined = 1.0 + total
    return joined if joined <= 0.0 else max(-MOST, min(MOST, joined * (1.0 + stake * x)))


def mean_of(wealth: Stakes) -> float:
    """Return the mean over the stakes: an e-value."""
    return wealth.low / 3.0 + wealth.middle / 3.0 + wealth.high / 3.0


def level_of(drift: Drift) -> float:
    """Return the mean over the stakes: how high the detector stands."""
    few = drift.low / 5.0 + drift.middle / 5.0 + drift.high / 5.0
    return few + drift.bold / 5.0 + drift.boldest / 5.0


def mean_r_of(pf: float, payoff_r: float) -> float:
    """Return the mean R of winners of `payoff_r` and losers of 1 R that make this profit factor."""
    return payoff_r * (pf - 1.0) / (pf + payoff_r)


def trades_to_prove(mean_r: float, payoff_r: float, alpha: float, proof: Proof = NO_PROOF) -> int | None:
    """Return how many more trades until half of such coins are proven; None: not in a million.

    Their true mean is `mean_r`, winners make `payoff_r`, losers lose 1 R. An estimate, some 10 % off:
    the first of the stakes to get there alone, taken to hold two thirds of the three's wealth then.
    """
    if proof.best >= 1.0 / alpha:
        return 0
    win_frac = min(0.999, (1.0 + mean_r) / (1.0 + payoff_r))
    found = [
        alone_to_prove(STAKE_LOW, proof.wealth.low, win_frac, payoff_r, alpha),
        alone_to_prove(STAKE_MIDDLE, proof.wealth.middle, win_frac, payoff_r, alpha),
        alone_to_prove(STAKE_HIGH, proof.wealth.high, win_frac, payoff_r, alpha),
    ]
    return min((each for each in found if each is not None), default=None)


def alone_to_prove(stake: float, wealth: float, win_frac: float, payoff_r: float, alpha: float) -> int | None:
    """Return the same for one of the stakes."""
    if wealth <= 0.0 or win_frac <= 0.0:
        return None
    won = logarithm(1.0 + stake * min(payoff_r, CLIP_R) / SCALE_R)
    lost = logarithm(1.0 - stake / SCALE_R)
    drift = win_frac * won + (1.0 - win_frac) * lost
    deviation = (won - lost) * (win_frac * (1.0 - win_frac)) ** 0.5
    level = logarithm(1.0 / alpha) + LN_2 - logarithm(wealth)
    steps = median_steps(level, drift, deviation)
    return None if steps is None else max(1, steps)
