"""A card that is nearly always in the market earns nothing of made-up prices and pays its costs."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine_alpha.backtest.sweeping.road import prepare
from engine_alpha.research.markets.homes import card_alone, written
from engine_alpha.research.markets.market import Market, Wanted
from engine_alpha.research.markets.planted import STRENGTHS, planted
from engine_alpha.research.markets.planting import factor_of, net_r, played_of
from engine_alpha.research.markets.shuffled import shuffled
from engine_alpha.research.markets.walk import random_walk

ALWAYS = {
    "name": "always",
    "rationale": "In whenever it may.",
    "source": "tests",
    "status": "active",
    "scope": {"direction": "both"},
    "entry": [{"signal": "momentum_24", "at_least": -1000.0}],
    "exits": {"stop": {"range": 3.0}, "target": {"range": 6.0}, "max_hold_bars": 48},
}


def trades_of(market: Market, folder: Path) -> Any:
    home, wanted = written(market, folder)
    (home.cards / "always.json").write_text(json.dumps(ALWAYS))
    setup = card_alone(home, wanted, "always")
    return prepare(setup, wanted).swept(setup).rows


def require_nothing(rows: Any) -> None:
    """Net PF below 1, and nothing but costs away from 0: mean R before costs within four errors of it."""
    net, gross = rows["r"], (rows["gross_quote"] + rows["slippage_quote"]) / rows["risk_quote"]
    assert len(net) > 500
    assert net[net > 0.0].sum() < -net[net < 0.0].sum()
    # two coins in three move together: errors of the mean are wider by half
    assert abs(gross.mean()) < 4.0 * 1.5 * gross.std() / len(gross) ** 0.5


def test_random_walks_pay_nothing(tmp_path: Path) -> None:
    made = [
        trades_of(random_walk(Wanted(seed=21, number=number, coins=2, hours=8_760)), tmp_path / str(number))
        for number in range(4)
    ]
    require_nothing(np.concatenate(made))


def test_shuffled_candles_pay_nothing(tmp_path: Path, shared_data: Path) -> None:
    made = [
        trades_of(shuffled(Wanted(seed=21, number=number, coins=2), shared_data), tmp_path / str(number))
        for number in range(3)
    ]
    require_nothing(np.concatenate(made))


@pytest.mark.slow
def test_the_strength_of_a_planted_factor_makes_it_on_other_markets_too() -> None:
    told = STRENGTHS[1.3]
    markets = [planted(Wanted(seed=8, number=number), told.strength) for number in range(40)]
    found = factor_of(told.strength, [played_of(net_r(market)) for market in markets])
    error = np.hypot(np.log(found.high / found.value), np.log(told.high / told.value)) / 1.96
    assert abs(np.log(found.value / told.value)) < 3.0 * error
    assert found.value > 1.0
