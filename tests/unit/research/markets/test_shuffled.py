"""Real candles with signs flipped in blocks: bars stay sound, sizes stay, direction does not."""

from pathlib import Path

import numpy as np
import pytest

from engine_alpha.domain.bar_checks import check_history
from engine_alpha.domain.bars import Bars
from engine_alpha.errors import ConfigError
from engine_alpha.research.markets.market import COINS, HOUR_MS, Wanted
from engine_alpha.research.markets.shuffled import (
    FROM_MS,
    LONGEST_BLOCK,
    SHORTEST_BLOCK,
    TO_MS,
    block_signs,
    mirrored,
    shuffled,
)
from engine_alpha.research.markets.walk import random_walk
from engine_alpha.store.shelf import open_shelf

ETH = COINS[0]


def some_bars() -> Bars:
    return random_walk(Wanted(seed=3, number=0, coins=1, hours=600)).bars["ETHUSDT"]


def test_signs_come_in_blocks_of_one_to_seven_days() -> None:
    signs = block_signs(np.random.default_rng(1), 17_520)
    assert len(signs) == 17_520 and set(signs) == {1.0, -1.0}
    changes = np.flatnonzero(np.diff(signs))
    assert np.diff(changes).min() >= SHORTEST_BLOCK
    assert np.diff(changes).mean() < 2.2 * LONGEST_BLOCK, "two neighbours may have the same sign"
    assert abs(signs.mean()) < 0.3


def test_with_every_sign_kept_the_candles_are_the_real_ones() -> None:
    bars = some_bars()
    kept = mirrored(bars, np.ones(len(bars) - 1), ETH.places)
    for name in ("open", "high", "low", "close", "volume", "open_ms"):
        assert np.allclose(getattr(kept, name), getattr(bars, name)[1:], rtol=1e-6)


def test_a_mirrored_bar_has_its_high_where_the_low_was() -> None:
    bars = some_bars()
    flipped = mirrored(bars, -np.ones(len(bars) - 1), ETH.places)
    check_history(flipped, int(flipped.close_ms[-1]))
    before = np.concatenate((bars.close[:1], flipped.close[:-1]))
    real = {name: getattr(bars, name)[1:] / bars.close[:-1] - 1.0 for name in ("high", "low", "close")}
    for name, other in (("high", "low"), ("low", "high"), ("close", "close")):
        assert np.allclose(getattr(flipped, name) / before - 1.0, -real[other], atol=1e-8)


def test_a_window_of_real_candles_keeps_sizes_and_joint_moves(shared_data: Path) -> None:
    wanted = Wanted(seed=2, number=4, hours=8_760)
    made = shuffled(wanted, shared_data)
    shelf = open_shelf(shared_data)
    moves = []
    for symbol, bars in made.bars.items():
        check_history(bars, int(bars.close_ms[-1]))
        assert len(bars) == 8_760 and bars.open_ms[0] >= FROM_MS and bars.close_ms[-1] <= TO_MS
        real = shelf.bars("BINANCEUM", symbol, "1h")
        assert real is not None
        real = real.between(int(bars.open_ms[0]) - HOUR_MS, int(bars.close_ms[-1]))
        assert np.array_equal(real.volume[1:], bars.volume)
        moves.append((bars.close[1:] / bars.close[:-1] - 1.0, real.close[2:] / real.close[1:-1] - 1.0))
        assert np.allclose(np.abs(moves[-1][0]), np.abs(moves[-1][1]), atol=1e-6)
    same = [np.corrcoef([moves[0][way], moves[1][way]])[0, 1] for way in (0, 1)]
    assert same[0] == pytest.approx(same[1], abs=0.02)


def test_windows_and_coins_differ_by_number_and_are_made_again_alike(shared_data: Path) -> None:
    made = [shuffled(Wanted(seed=2, number=number, hours=8_760), shared_data) for number in (0, 0, 1, 2)]
    assert all(
        np.array_equal(bars.close, made[1].bars[symbol].close) for symbol, bars in made[0].bars.items()
    )
    assert len({(tuple(each.bars), each.note) for each in made}) == 3


def test_absent_candles_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="BINANCEUM"):
        shuffled(Wanted(seed=1, number=0), tmp_path)
    with pytest.raises(ConfigError, match="take fewer than"):
        shuffled(Wanted(seed=1, number=0, hours=40_000), tmp_path)
