"""What a card has to show before a coin may be proposed to trade it.

All that was chosen is judged together first, every card on every coin: the walk-forward result by the
probabilistic Sharpe ratio, the choice itself by the deflated one, the night by its probability of
overfitting. If it passes, a card needs less of its own; if not, a card may still pass alone by the same
measures. Its neighbours must hold up in any case, and a coin needs an edge of its own, shrunk towards that of
all coins.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import Final

import numpy as np

from engine_alpha.backtest.sweeping.luck import scatter_of
from engine_alpha.backtest.sweeping.outcome import moments
from engine_alpha.config.research import GateConfig
from engine_alpha.domain.bars import Floats, Ints
from engine_alpha.kernel.profit_factor import Z_95, ProfitFactor, profit_factor
from engine_alpha.reports.returns import DAYS_A_YEAR
from engine_alpha.research.search.walking import NOT_TRADED, Choice, Played, Walked, portfolio, yearly_sharpe
from engine_alpha.research.statistics.overfitting import pbo
from engine_alpha.research.statistics.pooling import Pooled, pooled
from engine_alpha.research.statistics.sharpe import autocorrelation_of, dsr, minimum_track_record, psr
from engine_alpha.research.statistics.trials import effective_trials

NORMAL: Final = NormalDist()
FEWEST_TRADES: Final = 5
"""A coin with fewer out-of-sample trades of a card has no say of its own: it stands with all coins."""
BLOCKS: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Test:
    """One thing a proposal has to show. `seen` is None where nothing can be said: then it does not pass.

    `is_most` says that `limit` is the most, not the least. `words` say what it means.
    """

    name: str
    passed: bool
    seen: float | None
    limit: float
    is_most: bool
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What to expect of future trades, out-of-sample results shrunk towards all coins'. 95 % intervals.

    `mean_r` is net R a trade; None where there were too few trades to say.
    """

    trades: int
    mean_r: float | None
    mean_r_low: float | None
    mean_r_high: float | None
    factor: float | None
    factor_low: float | None
    factor_high: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CoinVerdict:
    """A card on one coin: the variant it would trade from now on, what to expect, whether that will do."""

    symbol: str
    place: int
    factor: ProfitFactor  # out of sample, as it was
    expected: Estimate
    edge: Test


@dataclass(frozen=True, slots=True, kw_only=True)
class CardVerdict:
    """A card on all coins: its tests, figures beside them, and each coin's part."""

    card: str
    factor: ProfitFactor  # out of sample, all coins
    sharpe: float  # yearly, out of sample
    tests: tuple[Test, ...]
    coins: tuple[CoinVerdict, ...]
    track_record_days: float | None  # the least that would show a Sharpe ratio above 0 at 95 %

    @property
    def passes(self) -> bool:
        """Say whether the card as such may be proposed."""
        return all(test.passed for test in self.tests)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trials:
    """How often it was tried: tonight, as many independent ones, and ever (at least tonight's)."""

    tonight: int
    effective: float
    ever: int

    @property
    def counted(self) -> float:
        """Return the independent trials to deflate by: every earlier one counts like one of tonight's."""
        return max(1.0, self.effective * self.ever / max(1, self.tonight))


def at_least(name: str, seen: float | None, limit: float, words: str) -> Test:
    """Return a test that passes from `limit` on."""
    passed = seen is not None and seen >= limit
    return Test(name=name, passed=passed, seen=seen, limit=limit, is_most=False, words=words)


def at_most(name: str, seen: float | None, limit: float, words: str) -> Test:
    """Return a test that passes up to `limit`."""
    passed = seen is not None and seen <= limit
    return Test(name=name, passed=passed, seen=seen, limit=limit, is_most=True, words=words)


def trial_returns(cards: Sequence[Played]) -> Floats:
    """Return days × trials: the daily net R, over all coins, of every variant of every card."""
    columns = [
        np.sum([result.daily for result in card.results], axis=0) for card in cards
    ]  # a variant is one trial on all coins
    return np.concatenate(columns).T


def overfitting(returns: Floats, gates: GateConfig) -> Test:
    """Return the probability that the best trial of one half of the days is below the median in the other."""
    moving = returns[:, returns.std(axis=0) > 0.0]
    found = pbo(moving, blocks=BLOCKS) if moving.shape[1] > 1 else None
    return at_most(
        "pbo",
        None if found is None else found.pbo,
        gates.pbo_max,
        "probability that the best of tonight's trials is below the median afterwards",
    )


def trials_of(returns: Floats, ever: int) -> Trials:
    """Count tonight's trials and how many independent ones they amount to."""
    tonight = int(returns.shape[1])
    return Trials(tonight=tonight, effective=effective_trials(returns), ever=max(ever, tonight))


@dataclass(frozen=True, slots=True, kw_only=True)
class Night:
    """What all cards share: the trials' returns, their count, the gates, and the tests of all together."""

    returns: Floats
    trials: Trials
    gates: GateConfig
    overfitting: Test
    together: tuple[Test, ...] = ()

    @property
    def passes(self) -> bool:
        """Say whether all that was chosen passes together."""
        return bool(self.together) and all(test.passed for test in self.together)


def night_of(cards: Sequence[Played], walked: Sequence[Walked], final: Choice, night: Night) -> Night:
    """Return the night with the tests of all cards and coins together."""
    out = np.sum([each.daily for each in walked], axis=(0, 1))
    chosen = np.sum([portfolio(card, final.places[at]) for at, card in enumerate(cards)], axis=0)
    return replace(night, together=_sharpe_tests(out, chosen, night, "together_"))


def judge(card: Played, walked: Walked, places: Ints, night: Night) -> CardVerdict:
    """Judge one card whose choice from now on is `places`, one a coin."""
    gates = night.gates
    out = walked.daily.sum(axis=0)
    found = moments(out)
    trades = walked.everything
    own: tuple[Test, ...] = _sharpe_tests(out, portfolio(card, places), night, "")
    if night.passes:
        own = (*night.together, at_least("psr", own[0].seen, gates.card_psr_min, own[0].words))
    tests = (
        at_least("trades", float(len(trades)), float(gates.min_trades), "out-of-sample trades of all coins"),
        *own,
        night.overfitting,
        at_least(
            "neighbours",
            neighbours_hold(card, places),
            gates.neighbours_frac,
            "median Sharpe ratio of the neighbours over that of the choice",
        ),
    )
    return CardVerdict(
        card=walked.card,
        factor=profit_factor(trades.tolist()),
        sharpe=float(yearly_sharpe(out[np.newaxis])[0]),
        tests=tests,
        coins=coin_verdicts(walked, places, gates.own_edge),
        track_record_days=None if found is None else minimum_track_record(found),
    )


def _sharpe_tests(out: Floats, chosen: Floats, night: Night, prefix: str) -> tuple[Test, Test]:
    """Return the tests of a daily series out of sample, and of the choice that was made on all days."""
    found = moments(out)
    ratio = None if found is None else psr(found, 0.0, autocorrelation_of(out))
    return (
        at_least(
            f"{prefix}psr",
            None if ratio is None else ratio.lower,
            night.gates.psr_min,
            "probability that the out-of-sample Sharpe ratio is above 0"
            + ("" if ratio is None else f" ({ratio.convention})"),
        ),
        at_least(
            f"{prefix}dsr",
            deflated(chosen, night),
            night.gates.dsr_min,
            "probability that the Sharpe ratio of what is chosen is above what the best of "
            f"{night.trials.counted:.1f} independent trials shows by luck",
        ),
    )


def deflated(daily: Floats, night: Night) -> float | None:
    """Return the deflated Sharpe ratio of what was chosen, by the lower convention."""
    found = moments(daily)
    if found is None:
        return None
    moving = night.returns[:, night.returns.std(axis=0) > 0.0]
    ratios = yearly_sharpe(moving.T) / math.sqrt(DAYS_A_YEAR)
    scatter = scatter_of(ratios.tolist(), found.days)
    value = dsr(found, scatter, night.trials.counted, autocorrelation_of(daily))
    return None if value is None else value.lower


def neighbours_hold(card: Played, places: Ints) -> float | None:
    """Return the median yearly Sharpe ratio of the neighbours over that of the choice, all coins together.

    Each coin has its own choice: its neighbours are weighed by how many coins chose beside them. None where
    nothing is traded or the choice itself is not above 0; 1 where a card has no neighbours.
    """
    own = yearly_sharpe(portfolio(card, places)[np.newaxis])[0]
    if not own > 0.0:
        return None
    around = card.space.neighbours()
    traded = [(coin, place) for coin, place in enumerate(places.tolist()) if place != NOT_TRADED]
    steps = max(len(around[place]) for _, place in traded)
    if steps == 0:
        return 1.0
    moved = []
    for step in range(steps):
        total = np.zeros(card.days)
        for coin, place in traded:
            beside = around[place]
            total += card.results[coin].daily[beside[step % len(beside)] if len(beside) else place]
        moved.append(total)
    return float(np.median(yearly_sharpe(np.array(moved))) / own)


def coin_verdicts(walked: Walked, places: Ints, own_edge: float) -> tuple[CoinVerdict, ...]:
    """Judge a card on every coin: each coin's mean R and PF shrunk towards those of all."""
    results = [walked.of_coin(coin) for coin in range(len(walked.symbols))]
    means = pooled(*_moments(results))
    expected = estimates(results)
    verdicts = []
    for coin, symbol in enumerate(walked.symbols):
        place = int(places[coin])
        probability = None if place == NOT_TRADED else _above_zero(means, coin)
        verdicts.append(
            CoinVerdict(
                symbol=symbol,
                place=place,
                factor=profit_factor(results[coin].tolist()),
                expected=expected[coin],
                edge=at_least(
                    "own_edge",
                    probability,
                    own_edge,
                    "probability that the coin's own mean R, shrunk to all coins', is above 0",
                ),
            )
        )
    return tuple(verdicts)


def estimates(results: Sequence[Floats]) -> tuple[Estimate, ...]:
    """Return what to expect of each coin, from its out-of-sample trades in R and those of all."""
    means = pooled(*_moments(results))
    logs = pooled(*_log_factors([profit_factor(each.tolist()) for each in results]))
    return tuple(_estimate(len(each), means, logs, coin) for coin, each in enumerate(results))


def _moments(results: Sequence[Floats]) -> tuple[Floats, Floats]:
    """Return mean R and its variance by coin; NaN where a coin has too few trades.

    The scatter of R is taken over all coins: a coin with few trades does not know its own.
    """
    everything = np.concatenate(results)
    scatter = float(everything.var(ddof=1)) if len(everything) > 1 else math.nan
    counts = np.array([len(each) for each in results], dtype=float)
    enough = counts >= FEWEST_TRADES
    means = np.array([each.mean() if len(each) else math.nan for each in results])
    variances = np.divide(scatter, counts, out=np.full(len(counts), math.nan), where=enough)
    return np.where(enough, means, math.nan), variances


def _log_factors(factors: Sequence[ProfitFactor]) -> tuple[Floats, Floats]:
    """Return ln PF and its variance by coin, from the interval of each; NaN where it has none."""
    values, variances = np.full(len(factors), math.nan), np.full(len(factors), math.nan)
    for coin, factor in enumerate(factors):
        if factor.trades >= FEWEST_TRADES and factor.value and factor.low and factor.high:
            values[coin] = math.log(factor.value)
            variances[coin] = (math.log(factor.high / factor.low) / (2.0 * Z_95)) ** 2
    return values, variances


def _estimate(trades: int, means: Pooled, logs: Pooled, coin: int) -> Estimate:
    mean, spread = _finite(means.values[coin]), _finite(means.value_variances[coin])
    log, log_spread = _finite(logs.values[coin]), _finite(logs.value_variances[coin])
    half = None if spread is None else Z_95 * math.sqrt(spread)
    log_half = None if log_spread is None else Z_95 * math.sqrt(log_spread)
    return Estimate(
        trades=trades,
        mean_r=mean,
        mean_r_low=None if mean is None or half is None else mean - half,
        mean_r_high=None if mean is None or half is None else mean + half,
        factor=None if log is None else math.exp(log),
        factor_low=None if log is None or log_half is None else math.exp(log - log_half),
        factor_high=None if log is None or log_half is None else math.exp(log + log_half),
    )


def _above_zero(means: Pooled, coin: int) -> float | None:
    mean, variance = _finite(means.values[coin]), _finite(means.value_variances[coin])
    if mean is None or variance is None or variance <= 0.0:
        return None
    return NORMAL.cdf(mean / math.sqrt(variance))


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
