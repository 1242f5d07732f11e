"""A road that makes its trades up from the configuration alone: quick, repeatable, with one best place.

It stands in for history, not for Chloe: sweeps of real candles are tested beside the compiled road.
"""

import random
from pathlib import Path

import numpy as np

from engine_alpha.backtest.sweep import Evaluate, Prepare, SweepPlan
from engine_alpha.backtest.sweeping.ledger_records import Study
from engine_alpha.backtest.sweeping.outcome import Outcome, moments
from engine_alpha.backtest.sweeping.variants import make_variants
from engine_alpha.errors import DataError
from engine_alpha.home import Home
from engine_alpha.kernel.profit_factor import profit_factor
from engine_alpha.plans.history import History, for_history
from engine_alpha.plans.setup import Setup, read_setup

CARD = "momentum-long"
BEST_STOP, BEST_ENTRY = 8.0, 0.5
BAD_COOLDOWN, FATAL_COOLDOWN = 13, 66
DAY_MS = 86_400_000


def made_up(setup: Setup, wanted: History) -> "MadeUp":
    """Return what gives better trades the nearer a card's stop and entry are to the best place."""
    return MadeUp()


class MadeUp:
    """Makes trades up."""

    def __call__(self, varied: Setup) -> Outcome:
        if varied.risk.cooldown_bars == BAD_COOLDOWN:
            raise DataError("unlucky", "no result with a cooldown of 13")
        if varied.risk.cooldown_bars == FATAL_COOLDOWN:
            raise RuntimeError("a mistake of ours")
        card = next(each for each in varied.cards.cards if each.name == CARD)
        stop, entry = float(card.exits.stop.range or 0.0), float(card.entry[0].at_least or 0.0)
        away = abs(stop - BEST_STOP) / 10 + abs(entry - BEST_ENTRY)
        dice = random.Random(repr((stop, entry)))
        per_coin = {
            asset.symbol: [dice.gauss(0.3 - away, 1.0) for _ in range(40)] for asset in varied.enabled
        }
        nets = [net for coin in per_coin.values() for net in coin]
        daily = np.array(nets) / 1_000.0
        found = moments(daily)
        return Outcome(
            factor=profit_factor(nets),
            per_coin={symbol: profit_factor(each) for symbol, each in per_coin.items()},
            sharpe=None if found is None else found.sharpe * 365**0.5,
            max_drawdown_frac=0.01 + away,
            daily=found,
            trades_sha256=repr((stop, entry)).encode().hex()[:64],
        )


def broken(setup: Setup, wanted: History) -> Evaluate:
    """Fail at once, as for a coin without bars."""
    raise DataError("missing_series", "no 1h bars of ETHUSDT")


def a_plan(
    home: Home, *texts: str, prepare: Prepare = made_up, jobs: int = 1, objective: str = "pf_low"
) -> SweepPlan:
    """Return a plan over two coins with a study to match."""
    wanted = History(
        data=Path("nowhere"), venue="BYBIT", symbols=("ETHUSDT", "BTCUSDT"), from_ms=0, to_ms=90 * DAY_MS
    )
    variants = make_variants(for_history(read_setup(home), wanted), texts, CARD)
    study = Study(
        method="grid",
        seed=None,
        objective=objective,
        varied=texts,
        documents=tuple(sorted({axis.document for axis in variants.axes})),
        venue=wanted.venue,
        symbols=wanted.symbols,
        from_ms=wanted.from_ms,
        to_ms=wanted.to_ms,
        data_sha256="d" * 64,
        code_sha256="c" * 64,
    )
    return SweepPlan(variants=variants, wanted=wanted, study=study, prepare=prepare, jobs=jobs)
