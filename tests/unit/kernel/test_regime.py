"""Which market this is, and how long it stays so."""

import pytest

from engine_alpha.kernel.codes import CHOP, HIGH_VOL, TREND_DOWN, TREND_UP
from engine_alpha.kernel.regime import SPAN_BARS, latched, regime_of
from engine_alpha.kernel.values import Features
from tests.makers import features, parameters
from tests.unit.kernel.scenes import NAN

# parameters(): a trend begins at 0.4 and ends at 0.2, high volatility begins at 0.95 and ends at 0.85


def past(
    trend: list[float] | None = None, volatility: list[float] | None = None, fill: float = 0.3
) -> Features:
    """Return features whose newest values are given, with `fill` (between the trend's thresholds) before."""
    trend, volatility = trend or [0.0], volatility or [0.5]
    return features(
        trend=[fill] * (200 - len(trend)) + trend,
        volatility=[0.5] * (200 - len(volatility)) + volatility,
        at=199,
    )


@pytest.mark.parametrize(
    ("trend", "regime"),
    [
        (0.4, TREND_UP),
        (-0.4, TREND_DOWN),
        (0.2, CHOP),
        (-0.2, CHOP),
        (0.0, CHOP),
        (1.0, TREND_UP),
        (NAN, CHOP),
    ],
)
def test_a_decisive_trend_score_names_the_regime(trend: float, regime: int) -> None:
    assert regime_of(past([trend]), parameters()) == regime


@pytest.mark.parametrize(("rank", "regime"), [(0.95, HIGH_VOL), (0.85, CHOP), (0.9, CHOP), (NAN, CHOP)])
def test_a_decisive_volatility_rank_names_the_regime(rank: float, regime: int) -> None:
    assert regime_of(past(volatility=[rank]), parameters()) == regime


def test_high_volatility_outranks_a_trend() -> None:
    assert regime_of(past([0.9], [0.99]), parameters()) == HIGH_VOL


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_between_the_thresholds_a_trend_lasts(sign: float) -> None:
    assert regime_of(past([sign * 0.5, sign * 0.3, sign * 0.21]), parameters()) == (
        TREND_UP if sign > 0 else TREND_DOWN
    )


def test_at_its_lower_threshold_a_regime_ends() -> None:
    assert regime_of(past([0.9, 0.2]), parameters()) == CHOP
    assert regime_of(past([-0.9, -0.2]), parameters()) == CHOP
    assert regime_of(past(volatility=[0.99, 0.85]), parameters()) == CHOP


def test_between_the_thresholds_chop_lasts() -> None:
    assert regime_of(past([0.1, 0.3, 0.39]), parameters()) == CHOP


def test_a_trend_that_turns_is_the_other_trend_at_once() -> None:
    assert regime_of(past([0.5, -0.5]), parameters()) == TREND_DOWN


def test_between_the_thresholds_high_volatility_lasts() -> None:
    assert regime_of(past(volatility=[0.96, 0.9, 0.86]), parameters()) == HIGH_VOL


def test_an_unknown_value_ends_what_was() -> None:
    assert regime_of(past([0.9, NAN, 0.3]), parameters()) == CHOP
    assert regime_of(past(volatility=[0.99, NAN, 0.9]), parameters()) == CHOP


def test_a_trend_is_forgotten_after_exactly_96_bars() -> None:
    assert SPAN_BARS == 96
    assert regime_of(past([0.5] + [0.3] * 95), parameters()) == TREND_UP
    assert regime_of(past([0.5] + [0.3] * 96), parameters()) == CHOP


def test_nothing_before_the_last_96_bars_is_read() -> None:
    for older in (0.9, -0.9, 0.0, NAN):
        assert regime_of(past([0.3] * 96, fill=older), parameters()) == CHOP


def test_a_short_history_is_read_to_its_beginning() -> None:
    assert latched([0.5, 0.3], 1, 1.0, 0.4, 0.2) == 1
    assert latched([0.3, 0.3], 1, 1.0, 0.4, 0.2) == 0


def test_values_after_the_decided_bar_are_not_read() -> None:
    assert latched([0.0, 0.9, 0.9], 0, 1.0, 0.4, 0.2) == 0
