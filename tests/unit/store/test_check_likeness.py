"""A test network and made-up walks are told from markets; another market by its ticks."""

import numpy as np
import pytest

from engine_alpha.domain.bars import Bars
from engine_alpha.store.checking.findings import Finding
from engine_alpha.store.checking.likeness import judge_likeness, judge_ticks
from tests.unit.store.markets import FIRST, HOUR, like_a_market, rows_at, walk, with_values


def found(bars: Bars) -> dict[str, Finding]:
    return {finding.code: finding for finding in judge_likeness(bars)}


def like_a_testnet(bars: Bars, since: int = 0) -> Bars:
    """Return the bars with opens off the closes and long wicks that know nothing of the volume."""
    random = np.random.default_rng(3)
    at = slice(since, None)
    opened = np.round(bars.open[at] * (1.0 + random.normal(0.0, 0.002, len(bars) - since)), 1)
    body_high, body_low = np.maximum(opened, bars.close[at]), np.minimum(opened, bars.close[at])
    wicks = 0.01 + np.abs(random.normal(0.0, 0.02, (2, len(bars) - since)))
    return with_values(
        bars,
        at,
        open=opened,
        high=np.round(body_high * (1.0 + wicks[0]), 1),
        low=np.round(body_low * (1.0 - wicks[1]), 1),
    )


@pytest.mark.parametrize("seed", range(10))
def test_a_market_is_taken_for_one(seed: int) -> None:
    assert found(like_a_market(seed=seed)) == {}


@pytest.mark.parametrize("rows", [400, 500, 3_000])
@pytest.mark.parametrize("seed", range(3))
def test_a_walk_on_the_tick_is_known_for_made_up(rows: int, seed: int) -> None:
    seen = found(walk(rows, seed))
    assert list(seen) == ["synthetic"] and seen["synthetic"].grave
    assert seen["synthetic"].first_ms == FIRST
    assert "kurtosis" in seen["synthetic"].saw


def test_prices_with_the_digits_of_floats_add_to_the_signs() -> None:
    bars = walk(600)
    assert (
        "finer than 1e-8"
        in found(with_values(bars, slice(None), low=bars.low * 0.999_123_456_789))["synthetic"].saw
    )


def test_a_testnet_is_known() -> None:
    seen = found(like_a_testnet(like_a_market()))
    assert list(seen) == ["testnet"] and seen["testnet"].grave


def test_a_month_of_testnet_in_a_market_is_found_at_its_place() -> None:
    bars = like_a_testnet(like_a_market(), since=1_500)
    assert found(bars)["testnet"].first_ms == int(bars.open_ms[1_500])


def test_fewer_than_200_bars_are_not_judged() -> None:
    assert found(walk(199)) == {}


def test_another_markets_prices_are_off_the_tick() -> None:
    bars = like_a_market(300)
    finer = with_values(bars, slice(None), close=bars.close + 0.03)
    ticks = {"binance": 0.1, "bybit": 0.5}
    assert list(judge_ticks(bars, {"binance": 0.1}, FIRST)) == []
    assert list(judge_ticks(bars, ticks, FIRST)) == [], "on the tick of one of them"
    (seen,) = judge_ticks(finer, ticks, FIRST)
    assert (seen.code, seen.grave, seen.count) == ("wrong_market", True, 300)
    assert "100% off binance's tick 0.1" in seen.saw


def test_ticks_say_nothing_of_bars_before_their_date_nor_of_few() -> None:
    bars = like_a_market(300)
    finer = with_values(bars, slice(None), close=bars.close + 0.03)
    assert list(judge_ticks(finer, {"binance": 0.1}, FIRST + 300 * HOUR)) == []
    assert list(judge_ticks(rows_at(finer, slice(0, 99)), {"binance": 0.1}, FIRST)) == []
    assert list(judge_ticks(finer, {}, FIRST)) == []
