"""Every trial of a night in the trial ledger, before it is played.

A variant is one trial on all coins. The same variant tried again on a longer history of the same coins counts
anew once a month: a day more of data is no new look, twelve months are.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np

from engine_alpha.backtest.sweeping.ledger_records import Study
from engine_alpha.backtest.sweeping.outcome import Outcome, moments
from engine_alpha.backtest.trials import TrialLedger
from engine_alpha.config.hashing import hash_config
from engine_alpha.kernel.profit_factor import profit_factor
from engine_alpha.plans.deciding import deciding_code
from engine_alpha.plans.history import History
from engine_alpha.plans.setup import Setup
from engine_alpha.reports.returns import sharpe
from engine_alpha.research.search.space import CardSpace
from engine_alpha.research.search.walking import Played

METHOD: Final = "nightly"
OBJECTIVE: Final = "walk-forward"


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """One card's trials in the ledger: the study they belong to and the key of each."""

    study: Study
    keys: tuple[str, ...]


def begun(
    ledger: TrialLedger, setup: Setup, history: History, spaces: Sequence[CardSpace]
) -> tuple[Counted, ...]:
    """Write down every trial that is about to be played."""
    found = []
    for space in spaces:
        counted = _counted(setup, history, space)
        values = {key: dict[str, Any](space.named(place)) for place, key in enumerate(counted.keys)}
        ledger.begin(counted.study, values)
        found.append(counted)
    return tuple(found)


def finished(ledger: TrialLedger, counted: Sequence[Counted], played: Sequence[Played]) -> None:
    """Write down what the trials came to."""
    for each, card in zip(counted, played, strict=True):
        ledger.finish(each.study, {key: _outcome(card, place) for place, key in enumerate(each.keys)})


def _counted(setup: Setup, history: History, space: CardSpace) -> Counted:
    month = datetime.fromtimestamp(history.to_ms / 1_000, UTC).strftime("%Y-%m")
    study = Study(
        method=METHOD,
        seed=None,
        objective=OBJECTIVE,
        varied=tuple(axis.text for axis in space.axes),
        documents=(space.card,),
        venue=history.venue,
        symbols=history.symbols,
        from_ms=history.from_ms,
        to_ms=_month_end_ms(month),
        data_sha256=f"month {month}",
        code_sha256=deciding_code(),
    )
    card = next(card for card in space.setup.cards.cards if card.name == space.card)
    same = hash_config({"card": card, "risk": space.setup.risk})
    keys = tuple(
        study.trial_key(hash_config({"same": same, "values": space.named(place)}))
        for place in range(len(space.variants))
    )
    return Counted(study=study, keys=keys)


def _month_end_ms(month: str) -> int:
    year, number = (int(part) for part in month.split("-"))
    following = datetime(year + number // 12, number % 12 + 1, 1, tzinfo=UTC)
    return int(following.timestamp()) * 1_000


def _outcome(card: Played, place: int) -> Outcome:
    """Return what one variant made on all coins, in R."""
    rows = [result.r[result.trades(place)] for result in card.results]
    daily = np.sum([result.daily[place] for result in card.results], axis=0)
    curve = np.concatenate(([0.0], np.cumsum(daily)))
    return Outcome(
        factor=profit_factor(np.concatenate(rows).tolist()),
        per_coin={
            symbol: profit_factor(each.tolist()) for symbol, each in zip(card.symbols, rows, strict=True)
        },
        sharpe=sharpe(daily),
        max_drawdown_frac=float((np.maximum.accumulate(curve) - curve).max()),
        daily=moments(daily),
        trades_sha256=hashlib.sha256(np.concatenate(rows).tobytes()).hexdigest(),
    )
