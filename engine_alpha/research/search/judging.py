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
from engine_alpha.kernel.profit_factor import ProfitFactor, profit_factor
from engine_alpha.reports.returns import DAYS_A_YEAR
from engine_alpha.research.search.expecting import Estimate, estimates, mean_moments
from engine_alpha.research.search.walking import NOT_TRADED, Choice, Played, Walked, portfolio, yearly_sharpe
from engine_alpha.research.statistics.overfitting import pbo
from engine_alpha.research.statistics.pooling import Pooled, pooled
from engine_alpha.research.statistics.sharpe import autocorrelation_of, dsr, minimum_track_record, psr
from engine_alpha.research.statistics.trials import effective_trials

NORMAL: Final = NormalDist()
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
    """Return how often the best trial of one half of the days loses in the other and is below the median.

    Below the median alone, which is PBO, is no failure where all trials share an edge: on markets with one
    it is hardly lower than on markets without, so that gate costs power and keeps nothing out: see 0019.
    """
    moving = returns[:, returns.std(axis=0) > 0.0]
    found = pbo(moving, blocks=BLOCKS) if moving.shape[1] > 1 else None
    return at_most(
        "pbo",
        None if found is None else found.costly,
        gates.pbo_max,
        "probability that the best of the trials in one half of the days loses in the other and is below the "
        "median there" + ("" if found is None else f" (PBO, below the median alone: {found.pbo:.3f})"),
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


def night_of(
    cards: Sequence[Played], walked: Sequence[Walked], final: Choice, gates: GateConfig, ever: int
) -> Night:
    """Judge all cards on all coins together; `ever` counts the trials there ever were, tonight's too."""
    returns = trial_returns(cards)
    night = Night(
        returns=returns,
        trials=trials_of(returns, ever),
        gates=gates,
        overfitting=overfitting(returns, gates),
    )
    out = np.sum([each.daily for each in walked], axis=(0, 1))
    chosen = np.sum([portfolio(card, final.places[at]) for at, card in enumerate(cards)], axis=0)
    return replace(night, together=_sharpe_tests(out, chosen, night, "together_"))


def alone(
    cards: Sequence[Played], walked: Sequence[Walked], final: Choice, night: Night, coin: int
) -> tuple[Test, ...]:
    """Return the tests of all together, on one coin's own days and trials: PSR, DSR and PBO of it alone.

    They decide nothing: by itself a coin has too few trades to pass them, which is why coins are pooled.
    """
    one = slice(coin, coin + 1)
    found = night_of(
        [replace(card, symbols=card.symbols[one], results=card.results[one]) for card in cards],
        [
            replace(
                each,
                symbols=each.symbols[one],
                daily=each.daily[one],
                trades=tuple(fold[one] for fold in each.trades),
            )
            for each in walked
        ],
        replace(final, places=final.places[:, one], thresholds=final.thresholds[one]),
        night.gates,
        night.trials.ever,
    )
    return tuple(
        replace(test, name=f"alone_{name}")
        for name, test in zip(("psr", "dsr", "pbo"), (*found.together, found.overfitting), strict=True)
    )


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
    means = pooled(*mean_moments(results))
    expected = estimates(results, walked.daily)
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


def _above_zero(means: Pooled, coin: int) -> float | None:
    mean, variance = float(means.values[coin]), float(means.value_variances[coin])
    if not (math.isfinite(mean) and variance > 0.0):
        return None
    return NORMAL.cdf(mean / math.sqrt(variance))
