"""A planted edge is what it is said to be, made of closed bars alone, and nothing where its strength is 0."""

from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from engine_alpha.backtest.sweeping.road import prepare
from engine_alpha.domain.bars import Funding
from engine_alpha.home import Home, init_home
from engine_alpha.kernel.indicators import indicators_of
from engine_alpha.kernel.signals import MOMENTUM_336, readable, signals_at
from engine_alpha.plans.history import history_setup
from engine_alpha.plans.setup import read_setup
from engine_alpha.research.markets.homes import card_alone, refined, written
from engine_alpha.research.markets.market import COINS, VENUE, Wanted
from engine_alpha.research.markets.planted import CARD, THRESHOLD, Factor, planted
from engine_alpha.research.markets.planting import Played, factor_of, net_r, solved
from engine_alpha.research.markets.walk import random_walk

SMALL = Wanted(seed=5, number=0, coins=2, hours=3_000)


def test_without_strength_it_is_the_random_walk_itself() -> None:
    for symbol, bars in random_walk(SMALL).bars.items():
        other = planted(SMALL, 0.0).bars[symbol]
        for name in ("open", "high", "low", "close", "volume"):
            assert np.array_equal(getattr(bars, name), getattr(other, name))


def test_the_drift_is_where_the_engines_own_signal_says_so() -> None:
    strength = 0.05
    drifting, plain = planted(SMALL, strength).bars["ETHUSDT"], random_walk(SMALL).bars["ETHUSDT"]
    more = (drifting.close[1:] / drifting.close[:-1]) / (plain.close[1:] / plain.close[:-1]) - 1.0
    drift = np.round(more / (strength * COINS[0].hourly_frac)).astype(int)
    known = readable(indicators_of(drifting, Funding()))
    momentum = np.array([signals_at(known, at)[MOMENTUM_336] for at in range(len(drifting) - 1)])
    clear = np.abs(np.abs(momentum) - THRESHOLD) > 1e-3
    said = np.where(np.abs(momentum) >= THRESHOLD, np.sign(momentum), 0.0)
    told = clear & np.isfinite(momentum)
    assert told.sum() > 2_500
    assert np.array_equal(drift[told], said[told])
    assert not drift[: 336 - 1].any(), "before there is a past nothing drifts"


def test_ticks_are_finer_in_files_and_in_a_setup_alike(tmp_path: Path) -> None:
    home, wanted = written(random_walk(SMALL), tmp_path / "made")
    init_home(tmp_path / "shipped")
    shipped = read_setup(Home(tmp_path / "shipped"))
    made = history_setup(home, wanted)
    for coin in COINS:
        tick = made.instruments[VENUE][coin.symbol].tick_quote
        assert tick == refined(shipped).instruments[VENUE][coin.symbol].tick_quote
        assert Decimal(tick) == Decimal(1).scaleb(-coin.places)
        assert made.instruments[VENUE][coin.symbol].settled_ms is None


def test_a_profit_factor_is_of_all_trades_and_its_interval_of_whole_markets() -> None:
    found = factor_of(0.01, [Played(6.0, 4.0, 10), Played(3.0, 5.0, 10)])
    assert (found.value, found.trades, found.markets, found.mean_r) == (1.0, 20, 2, 0.0)
    spread = np.exp(1.959963984540054 * (2 * (6 / 9 - 4 / 9) ** 2) ** 0.5)
    assert (found.low, found.high) == pytest.approx((1 / spread, spread))


def test_the_strength_is_found_where_the_factor_rises_with_it() -> None:
    def measure(strength: float) -> Factor:
        value = 0.9 * float(np.exp(50.0 * strength + 600.0 * strength**2))
        return Factor(strength=strength, value=value, low=value, high=value, mean_r=0.0, trades=1, markets=1)

    for target in (1.2, 1.3, 1.5):
        assert solved(target, measure).value == pytest.approx(target, rel=0.011)
    with pytest.raises(ValueError, match="widen"):
        solved(50.0, measure)


def test_the_card_earns_what_is_planted_and_alone(tmp_path: Path) -> None:
    market = planted(Wanted(seed=5, number=1, coins=2, hours=8_760), 0.05)
    assert net_r(market).mean() > 0.5
    home, wanted = written(market, tmp_path / "home")
    setup = card_alone(home, wanted, CARD)
    assert [card.name for card in setup.cards.cards if card.status == "active"] == [CARD]
    rows = prepare(setup, wanted).swept(setup).rows
    assert len(rows) > 5 and (rows["side"] == 1).all()
    assert (rows["funding_quote"] == 0.0).all() and (rows["fees_quote"] > 0.0).all()
