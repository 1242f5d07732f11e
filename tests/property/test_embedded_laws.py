"""Law of the simulated market: a bar depends on seed, symbol and time, never on what was asked before."""

from hypothesis import given, settings
from hypothesis import strategies as st

from engine_alpha.domain.asset import TIMEFRAME_MS
from engine_alpha.domain.bar_checks import check, window_hash
from engine_alpha.feeds.embedded import EmbeddedFeed

MINUTE = 60_000
MOMENT = st.integers(800_000_000_000, 3_000_000_000_000)
SEED = st.integers(0, 2**40)
NAME = st.sampled_from(["AAA", "Ω-coin", "1000X"])
TIMEFRAME = st.sampled_from(sorted(TIMEFRAME_MS))


@settings(max_examples=30)
@given(SEED, NAME, TIMEFRAME, MOMENT, st.integers(1, 200), st.integers(0, 200))
def test_a_restart_reads_what_the_old_process_read(
    seed: int, name: str, timeframe: str, now_ms: int, rows: int, earlier: int
) -> None:
    step = TIMEFRAME_MS[timeframe]
    first = now_ms // step * step - rows * step
    running = EmbeddedFeed(seed, {})
    running.reading(name, timeframe, first - earlier * step, now_ms - step * (rows - 1))
    old, fresh = (feed.reading(name, timeframe, first, now_ms) for feed in (running, EmbeddedFeed(seed, {})))
    check(fresh.bars, now_ms, now_ms // step * step)
    assert len(fresh.bars) == rows
    assert window_hash(old.bars) == window_hash(fresh.bars)
    assert old.forming_open == fresh.forming_open
    assert old.funding.rate_frac.tolist() == fresh.funding.rate_frac.tolist()


@settings(max_examples=15)
@given(
    SEED, NAME, TIMEFRAME, MOMENT, st.lists(st.tuples(st.integers(0, 900), st.integers(1, 400)), max_size=6)
)
def test_bars_are_the_same_however_time_went_on_before(
    seed: int, name: str, timeframe: str, now_ms: int, moves: list[tuple[int, int]]
) -> None:
    step, running = TIMEFRAME_MS[timeframe], EmbeddedFeed(seed, {})
    for bars_later, rows in moves:
        now_ms += bars_later * step
        first = now_ms // step * step - rows * step
        old, fresh = (
            feed.reading(name, timeframe, first, now_ms) for feed in (running, EmbeddedFeed(seed, {}))
        )
        assert len(old.bars) == rows
        assert window_hash(old.bars) == window_hash(fresh.bars)
        assert old.forming_open == fresh.forming_open
        assert old.funding.settled_ms.tolist() == fresh.funding.settled_ms.tolist()
        assert old.funding.rate_frac.tolist() == fresh.funding.rate_frac.tolist()
        assert (old.funding.from_ms, old.funding.to_ms) == (fresh.funding.from_ms, fresh.funding.to_ms)


@settings(max_examples=20)
@given(SEED, NAME, st.integers(10_000, 30_000))
def test_midnight_is_no_seam(seed: int, name: str, day: int) -> None:
    midnight = day * 86_400_000
    feed = EmbeddedFeed(seed, {})
    bars = feed.reading(name, "1m", midnight - 2 * MINUTE, midnight + 2 * MINUTE).bars
    assert abs(bars.open[2] / bars.close[1] - 1.0) < 0.1  # a jump may fall here, a tear may not
