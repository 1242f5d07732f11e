"""Which way each bucket of evidence votes, and what happens when it can't."""

import numpy as np
import pytest

from engine_alpha.domain.bars import Bars, Funding
from engine_alpha.kernel.codes import CHOP, TREND_UP, VOTES
from engine_alpha.kernel.confidence import clamp, mean_of, squash, view_of, votes_of
from engine_alpha.kernel.signals import (
    BOLLINGER_Z,
    CHANNEL_120,
    CHANNEL_240,
    CHANNEL_480,
    DI_SPREAD,
    EMA_SPREAD_20_40,
    FUNDING_PRESSURE,
    MACD_HISTOGRAM,
    MOMENTUM_168,
    MOMENTUM_336,
    MONEY_FLOW_48,
    RSI_CENTRED,
    SIGNALS,
    VWAP_DISTANCE_120,
)
from engine_alpha.kernel.values import View, Votes
from tests.makers import HOUR_MS, features, parameters, signal_table
from tests.unit.kernel.scenes import FALLING, NAN, RISING

COUNT = 600
SPEAKERS = [  # every signal that votes: its bucket, and +1 where a high value speaks for a long
    (EMA_SPREAD_20_40, "momentum", 1),
    (MOMENTUM_168, "momentum", 1),
    (MOMENTUM_336, "momentum", 1),
    (DI_SPREAD, "momentum", 1),
    (BOLLINGER_Z, "reversion", -1),
    (VWAP_DISTANCE_120, "reversion", -1),
    (RSI_CENTRED, "reversion", -1),
    (MONEY_FLOW_48, "flow", 1),
    (MACD_HISTOGRAM, "flow", 1),
    (FUNDING_PRESSURE, "positioning", -1),
    (CHANNEL_120, "breakout", 1),
    (CHANNEL_240, "breakout", 1),
    (CHANNEL_480, "breakout", 1),
]


def path_bars(close: np.ndarray, volume: np.ndarray | None = None, lean: float = 0.0) -> Bars:
    """Return bars along a path of closes; `lean` puts the close high (+) or low (-) inside its bar."""
    open_ = np.concatenate([close[:1], close[:-1]])
    return Bars(
        timeframe_ms=HOUR_MS,
        open_ms=np.arange(len(close), dtype=np.int64) * HOUR_MS,
        open=open_,
        high=np.maximum(open_, close) + 0.1 * (1.0 - lean),
        low=np.minimum(open_, close) - 0.1 * (1.0 + lean),
        close=close,
        volume=np.full(len(close), 100.0) if volume is None else volume,
    )


def every_8_hours(rates: np.ndarray) -> Funding:
    return Funding(
        settled_ms=np.arange(len(rates), dtype=np.int64) * 8 * HOUR_MS,
        rate_frac=rates,
        from_ms=0,
        to_ms=len(rates) * 8 * HOUR_MS,
    )


def votes_at_the_end(bars: Bars, rates: np.ndarray | None = None) -> Votes:
    funding = Funding() if rates is None else every_8_hours(rates)
    return votes_of(signal_table(bars, funding)[-1].tolist())


def uptrend(sign: float = 1.0) -> np.ndarray:
    return 200.0 + sign * (0.1 * np.arange(COUNT) + 0.3 * np.sin(np.arange(COUNT) * 0.7))


def spike_in_a_range(sign: float = 1.0) -> np.ndarray:
    close = 100.0 + np.sin(np.arange(COUNT) * 1.3)
    close[-1] = 100.0 + sign * 5.0
    return close


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_trend_gets_momentum_breakout_and_flow_in_its_direction(sign: float) -> None:
    votes = votes_at_the_end(path_bars(uptrend(sign), lean=0.8 * sign))
    assert sign * votes.momentum > 0.3
    assert sign * votes.breakout > 0.5
    assert sign * votes.flow > 0.1


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_spike_in_a_range_gets_reversion_against_it(sign: float) -> None:
    assert sign * votes_at_the_end(path_bars(spike_in_a_range(sign))).reversion < -0.3


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_crowded_funding_gets_positioning_against_it(sign: float) -> None:
    rates = sign * np.full(COUNT // 8, 0.0003)
    assert sign * votes_at_the_end(path_bars(uptrend()), rates).positioning < 0.0


def test_volume_or_volatility_alone_votes_no_direction() -> None:
    calm = path_bars(uptrend())
    loud = path_bars(uptrend(), volume=np.linspace(1.0, 1_000.0, COUNT))
    assert np.sign(votes_at_the_end(calm)[:1]) == np.sign(votes_at_the_end(loud)[:1])
    for code, spec in enumerate(SIGNALS):
        if spec.kind != 1:
            assert np.isnan(votes_of(features({code: 5.0}).row)).all(), spec.name


def flat_bars(volume: float = 5.0) -> Bars:
    price = np.full(COUNT, 100.0)
    return Bars(
        timeframe_ms=HOUR_MS,
        open_ms=np.arange(COUNT, dtype=np.int64) * HOUR_MS,
        open=price,
        high=price,
        low=price,
        close=price,
        volume=np.full(COUNT, volume),
    )


@pytest.mark.parametrize("volume", [5.0, 0.0])
def test_flat_prices_have_no_direction(volume: float) -> None:
    row = signal_table(flat_bars(volume), Funding())[-1].tolist()
    view = view_of(features(dict(enumerate(row))), parameters(), CHOP)
    assert (view.direction, view.score, view.confidence) == (0, 0.0, 0.0)
    assert all(np.isnan(vote) or vote == 0.0 for vote in view.votes)
    assert np.isnan(view.votes.breakout)
    assert np.isnan(view.votes.positioning)


def view(row: dict[int, float], regime: int = TREND_UP, **thresholds: object) -> View:
    return view_of(features(row), parameters(**thresholds), regime)


def test_no_data_at_all_says_nothing_with_no_confidence() -> None:
    seen = view({})
    assert (seen.direction, seen.score, seen.confidence, seen.coverage) == (0, 0.0, 0.0, 0.0)
    assert all(np.isnan(vote) for vote in seen.votes)


@pytest.mark.parametrize(("row", "side"), [(RISING, 1), (FALLING, -1)])
def test_missing_funding_takes_only_the_positioning_vote_away(row: dict[int, float], side: int) -> None:
    without, with_it = view(row), view({**row, FUNDING_PRESSURE: 1.0})
    assert np.isnan(without.votes.positioning)
    assert with_it.votes.positioning == -0.5
    for bucket in ("momentum", "flow", "breakout"):
        assert getattr(without.votes, bucket) == getattr(with_it.votes, bucket)
    assert without.direction == with_it.direction == side
    assert without.coverage < with_it.coverage == 1.0


def test_an_absent_vote_is_not_a_vote_of_zero() -> None:
    weights = ((1.0, 0.0, 1.0, 0.0, 0.0),) * 4
    absent = view({EMA_SPREAD_20_40: 1.0}, weights=weights)
    zero = view({EMA_SPREAD_20_40: 1.0, MONEY_FLOW_48: 0.0}, weights=weights)
    assert (absent.score, absent.coverage) == (0.5, 0.5)
    assert (zero.score, zero.coverage) == (0.25, 1.0)


def test_the_score_is_the_weighted_mean_of_the_votes_in_the_regime() -> None:
    weights = ((0.0,) * 5, (3.0, 1.0, 0.0, 0.0, 0.0), (0.0,) * 5, (1.0, 1.0, 0.0, 0.0, 0.0))
    row = {EMA_SPREAD_20_40: 1.0, RSI_CENTRED: 0.25}  # momentum +0.5, reversion -0.5
    assert view(row, regime=1, weights=weights).score == 0.25
    assert view(row, regime=CHOP, weights=weights).score == 0.0
    assert view(row, regime=CHOP, weights=weights).direction == 0
    assert view(row, regime=TREND_UP, weights=weights).coverage == 0.0


@pytest.mark.parametrize("bucket", range(5))
def test_each_weight_reaches_its_own_bucket(bucket: int) -> None:
    weights = tuple(tuple(float(i == bucket) for i in range(5)) for _ in range(4))
    row = {
        EMA_SPREAD_20_40: 1.0,
        BOLLINGER_Z: 1.0,
        MONEY_FLOW_48: 0.3,
        FUNDING_PRESSURE: 0.5,
        CHANNEL_240: 0.7,
    }
    seen = view(row, weights=weights)
    assert seen.score == seen.votes[bucket] != 0.0, VOTES[bucket]


@pytest.mark.parametrize(("signal", "bucket", "sign"), SPEAKERS)
@pytest.mark.parametrize("size", [0.3, 1.0])
def test_each_signal_speaks_in_its_bucket_and_with_its_sign(
    signal: int, bucket: str, sign: int, size: float
) -> None:
    up, down = votes_of(features({signal: size}).row), votes_of(features({signal: -size}).row)
    assert sign * getattr(up, bucket) > 0.0
    assert getattr(down, bucket) == -getattr(up, bucket)
    assert sum(not np.isnan(vote) for vote in up) == 1


def test_every_other_signal_is_left_to_the_cards() -> None:
    speaking = {signal for signal, _, _ in SPEAKERS}
    for code in set(range(len(SIGNALS))) - speaking:
        assert np.isnan(votes_of(features({code: 1.0}).row)).all(), SIGNALS[code].name


def test_confidence_is_the_size_of_the_score() -> None:
    assert view(RISING).confidence == view(RISING).score == -view(FALLING).score == view(FALLING).confidence


def test_a_vote_is_the_mean_of_the_signals_it_knows() -> None:
    assert mean_of(1.0, NAN, 0.5, NAN) == 0.75
    assert np.isnan(mean_of(NAN, NAN, NAN, NAN))


def test_squashing_and_cutting_keep_sign_order_and_nan() -> None:
    assert [squash(x) for x in (-1.0, 0.0, 1.0, 3.0)] == [-0.5, 0.0, 0.5, 0.75]
    assert [clamp(x) for x in (-1.5, -1.0, 0.25, 1.0, 9.0)] == [-1.0, -1.0, 0.25, 1.0, 1.0]
    assert np.isnan(squash(NAN)) and np.isnan(clamp(NAN))
