"""Walk-forward: which variant each coin would have traded in each fold, chosen on what lies before it.

A variant's score on a coin is its yearly Sharpe ratio, extra cost off for turnover, averaged with that of its
neighbours, so that a lone peak does not win, less a penalty for what is not as shipped. Scores of one variant
on different coins are pooled: where coins do not differ by more than chance would have it, all of them get
the same variant, chosen on all their trades, and 12 coins do not become 12 lotteries.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from engine_alpha.domain.bars import Floats, Ints
from engine_alpha.kernel.money import DAY_MS
from engine_alpha.reports.returns import DAYS_A_YEAR
from engine_alpha.research.search.playing import UnitResult
from engine_alpha.research.search.space import CardSpace
from engine_alpha.research.statistics.folds import Fold, require_before
from engine_alpha.research.statistics.pooling import pooled

NOT_TRADED: Final = -1
FEWEST_DAYS: Final = 180
"""A coin with less history before a fold is not traded in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """One card on all coins: its space and a result a coin, in the order of `symbols`; the same days for all.

    `complexity_penalty` comes off the yearly Sharpe ratio for every key that is not as shipped.
    """

    space: CardSpace
    symbols: tuple[str, ...]
    results: tuple[UnitResult, ...]
    complexity_penalty: float

    @property
    def first_day(self) -> int:
        """Return the UTC day that the daily series begin with."""
        return self.results[0].first_day

    @property
    def days(self) -> int:
        """Return how many days the daily series have."""
        return int(self.results[0].daily.shape[1])


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What each coin trades from some time on: the variant of each card, `NOT_TRADED` for none.

    `places` is cards × coins, `thresholds` the least confidence of each coin. `end_ms` is when the days ended
    that the choice was made on.
    """

    end_ms: int
    places: Ints
    thresholds: Floats


def choose(cards: Sequence[Played], end_ms: int) -> Choice:
    """Choose on the days before `end_ms` alone.

    A coin has one least confidence for all its cards: the one at which their best scores add up to most.
    """
    scores = [scores_of(card, end_ms) for card in cards]
    coins = len(cards[0].symbols)
    places = np.full((len(cards), coins), NOT_TRADED, dtype=np.int64)
    tried = cards[0].space.thresholds
    limits = [np.array([variant.confidence_min for variant in card.space.variants]) for card in cards]
    chosen = np.zeros(coins)
    for coin in range(coins):
        best = max(tried, key=lambda limit: _worth(scores, limits, coin, limit))
        chosen[coin] = best
        for at, (table, own) in enumerate(zip(scores, limits, strict=True)):
            open_to = np.where(own == best, table[:, coin], -np.inf)
            place = int(np.argmax(open_to))
            places[at, coin] = place if open_to[place] > 0.0 else NOT_TRADED
    return Choice(end_ms=end_ms, places=places, thresholds=chosen)


def _worth(scores: Sequence[Floats], limits: Sequence[Floats], coin: int, limit: float) -> float:
    """Return what a coin's cards are worth together at one least confidence."""
    return sum(
        max(0.0, float(np.where(own == limit, table[:, coin], -np.inf).max()))
        for table, own in zip(scores, limits, strict=True)
    )


def scores_of(card: Played, end_ms: int) -> Floats:
    """Return the score of every variant on every coin, variants × coins, from the days before `end_ms`.

    Minus infinity where a coin has too little history.
    """
    end = end_ms // DAY_MS - card.first_day
    own = np.full((len(card.space.variants), len(card.symbols)), np.nan)
    variances = np.full(len(card.symbols), np.nan)
    for coin, result in enumerate(card.results):
        start = -(-result.traded_from_ms // DAY_MS) - card.first_day
        if end - start >= FEWEST_DAYS:
            own[:, coin] = yearly_sharpe(result.ranked[:, start:end])
            variances[coin] = DAYS_A_YEAR / (end - start)  # of a ratio near 0: Lo (2002)
    smooth = _with_neighbours(own, card.space.neighbours())
    complexity = np.array([variant.complexity for variant in card.space.variants], dtype=float)
    known = ~np.isnan(variances)
    found = np.full(own.shape, -np.inf)
    if known.any():
        for place in range(len(found)):
            found[place, known] = pooled(smooth[place, known], variances[known]).values
    return found - card.complexity_penalty * complexity[:, np.newaxis]


def yearly_sharpe(daily: Floats) -> Floats:
    """Return the yearly Sharpe ratio of each row; 0 where nothing moves: nothing was traded."""
    deviation = daily.std(axis=1, ddof=1)
    moving = deviation > 0.0
    found = np.zeros(len(daily))
    found[moving] = daily[moving].mean(axis=1) / deviation[moving] * np.sqrt(DAYS_A_YEAR)
    return found


def _with_neighbours(scores: Floats, neighbours: Sequence[Ints]) -> Floats:
    """Return each score averaged, half and half, with the mean of its neighbours'."""
    found = scores.copy()
    for place, around in enumerate(neighbours):
        if len(around):
            found[place] = 0.5 * scores[place] + 0.5 * scores[around].mean(axis=0)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class FoldTrades:
    """Trades entered in a fold with what had been chosen for it."""

    entry_ms: Ints
    exit_ms: Ints
    r: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Walked:
    """What the choices made of one card, out of sample.

    `daily` is coins × days of all folds, net R; `trades` has for each fold one entry a coin.
    """

    card: str
    symbols: tuple[str, ...]
    daily: Floats
    trades: tuple[tuple[FoldTrades, ...], ...]

    def of_coin(self, coin: int) -> Floats:
        """Return net R of all of a coin's trades, by fold and exit."""
        return np.concatenate([fold[coin].r for fold in self.trades])

    @property
    def everything(self) -> Floats:
        """Return net R of all trades of all coins."""
        return np.concatenate([self.of_coin(coin) for coin in range(len(self.symbols))])


def walk(cards: Sequence[Played], folds: Sequence[Fold]) -> tuple[tuple[Choice, ...], tuple[Walked, ...]]:
    """Choose for every fold on what lies before it, and take what the choices then did."""
    choices = tuple(choose(cards, fold.train_end_ms) for fold in folds)
    for choice, fold in zip(choices, folds, strict=True):
        require_before(choice.end_ms, fold.test_from_ms)
    walked = tuple(
        Walked(
            card=card.space.card,
            symbols=card.symbols,
            daily=np.concatenate(
                [_days(card, choice.places[at], fold) for choice, fold in zip(choices, folds, strict=True)],
                axis=1,
            ),
            trades=tuple(
                _trades(card, choice.places[at], fold) for choice, fold in zip(choices, folds, strict=True)
            ),
        )
        for at, card in enumerate(cards)
    )
    return choices, walked


def _days(card: Played, places: Ints, fold: Fold) -> Floats:
    first, end = (ms // DAY_MS - card.first_day for ms in (fold.test_from_ms, fold.test_to_ms))
    found = np.zeros((len(places), end - first))
    for coin, place in enumerate(places.tolist()):
        if place != NOT_TRADED:
            found[coin] = card.results[coin].daily[place, first:end]
    return found


def _trades(card: Played, places: Ints, fold: Fold) -> tuple[FoldTrades, ...]:
    found = []
    for result, place in zip(card.results, places.tolist(), strict=True):
        rows = result.trades(place) if place != NOT_TRADED else slice(0, 0)
        entry, leave, r = result.entry_ms[rows], result.exit_ms[rows], result.r[rows]
        inside = (entry >= fold.test_from_ms) & (entry < fold.test_to_ms)
        found.append(FoldTrades(entry_ms=entry[inside], exit_ms=leave[inside], r=r[inside]))
    return tuple(found)


def portfolio(card: Played, places: Ints) -> Floats:
    """Return the daily net R of all coins together, each with its variant; 0 for coins that do not trade."""
    total = np.zeros(card.days)
    for coin, place in enumerate(places.tolist()):
        if place != NOT_TRADED:
            total += card.results[coin].daily[place]
    return total
