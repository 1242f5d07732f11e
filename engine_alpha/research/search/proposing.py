"""From verdicts to proposals: for each coin the cards that passed, and what to expect of them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from engine_alpha.domain.bars import Floats
from engine_alpha.kernel.profit_factor import ProfitFactor, profit_factor
from engine_alpha.research.search.expecting import Estimate, estimates
from engine_alpha.research.search.judging import CardVerdict, Test
from engine_alpha.research.search.space import CardSpace
from engine_alpha.research.search.walking import NOT_TRADED, Choice, Played, Walked


@dataclass(frozen=True, slots=True, kw_only=True)
class CardProposal:
    """One card that a coin may trade: the values of its varied keys, as they are now and as proposed."""

    card: str
    now: dict[str, Any]
    proposed: dict[str, Any]
    expected: Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What is proposed for one coin: to trade these cards and no others, or where there are none, nothing.

    `factor` is that of the cards' trades together, out of sample; `expected` is shrunk towards all coins'.
    `tests` has those of every card that the choice would trade, named card:test.
    """

    symbol: str
    passes: bool
    cards: tuple[CardProposal, ...]
    confidence_min: float
    factor: ProfitFactor
    expected: Estimate | None
    tests: tuple[Test, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What proposals are made from: cards as played, walked and judged, in one order, and the last choice."""

    played: tuple[Played, ...]
    walked: tuple[Walked, ...]
    verdicts: tuple[CardVerdict, ...]
    final: Choice


def proposals_of(judged: Judged, null_rate: Test | None) -> tuple[Proposal, ...]:
    """Return a proposal for every coin; `null_rate` is a gate more for each."""
    return tuple(
        _proposal(judged, coin, symbol, null_rate) for coin, symbol in enumerate(judged.played[0].symbols)
    )


def _proposal(judged: Judged, coin: int, symbol: str, null_rate: Test | None) -> Proposal:
    tests, good = _tested(judged.verdicts, coin)
    if null_rate is not None:
        tests.append(null_rate)
    together = [_trades(judged, good, each) for each in range(len(judged.played[0].symbols))]
    daily = sum((judged.walked[at].daily for at in good), np.zeros_like(judged.walked[0].daily))
    return Proposal(
        symbol=symbol,
        passes=bool(good) and (null_rate is None or null_rate.passed),
        cards=tuple(_card(judged, at, coin) for at in good),
        confidence_min=float(judged.final.thresholds[coin]),
        factor=profit_factor(together[coin].tolist()),
        expected=estimates(together, daily)[coin] if good else None,
        tests=tuple(tests),
    )


def _tested(verdicts: Sequence[CardVerdict], coin: int) -> tuple[list[Test], list[int]]:
    """Return the tests of every card that the choice would trade on a coin, and which cards pass them."""
    tests: list[Test] = []
    good: list[int] = []
    for at, verdict in enumerate(verdicts):
        mine = verdict.coins[coin]
        if mine.place == NOT_TRADED:
            continue
        own = [*verdict.tests, mine.edge]
        tests += [replace(test, name=f"{verdict.card}:{test.name}") for test in own]
        if all(test.passed for test in own):
            good.append(at)
    return tests, good


def _trades(judged: Judged, cards: Sequence[int], coin: int) -> Floats:
    found = [judged.walked[at].of_coin(coin) for at in cards]
    return np.concatenate(found) if found else np.empty(0)


def _card(judged: Judged, at: int, coin: int) -> CardProposal:
    verdict = judged.verdicts[at]
    return CardProposal(
        card=verdict.card,
        now=_now(judged.played[at].space),
        proposed=judged.played[at].space.named(verdict.coins[coin].place),
        expected=verdict.coins[coin].expected,
    )


def _now(space: CardSpace) -> dict[str, Any]:
    return dict(zip(space.keys, space.shipped_values, strict=True)) | {"confidence_min": space.confidence_min}
