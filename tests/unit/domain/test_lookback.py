"""The first bar of a window depends on the bar's number alone and jumps once per block."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine_alpha.domain.lookback import BLOCK, MIN_BARS, WARMUP, first_bar, first_open_ms

INDEX = st.integers(min_value=BLOCK, max_value=40_000_000)


@pytest.mark.parametrize(
    ("bar_index", "first"), [(448, -64), (895, -64), (896, 384), (897, 384), (1343, 384), (448_000, 447_488)]
)
def test_the_window_starts_a_warm_up_before_the_block(bar_index: int, first: int) -> None:
    assert first_bar(bar_index) == first


@given(INDEX)
def test_a_window_holds_between_513_and_960_bars(bar_index: int) -> None:
    assert MIN_BARS <= bar_index - first_bar(bar_index) + 1 <= WARMUP + BLOCK == 960


@given(INDEX)
def test_the_next_bar_starts_at_the_same_bar_or_a_whole_block_later(bar_index: int) -> None:
    assert first_bar(bar_index + 1) - first_bar(bar_index) in (0, BLOCK)


@given(INDEX, st.sampled_from([60_000, 3_600_000, 86_400_000]))
def test_open_times_and_bar_numbers_agree(bar_index: int, timeframe_ms: int) -> None:
    assert first_open_ms(bar_index * timeframe_ms, timeframe_ms) == first_bar(bar_index) * timeframe_ms
