"""When assets are stepped: every close once, faults ever more rarely, and nobody waits for a sick one."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from engine_alpha.loop.service.schedule import (
    BUDGET,
    PAUSES_MS,
    Standing,
    due,
    newest_open_ms,
    next_ms,
    unwritten,
)
from tests.makers import ETH

HOUR_MS, SETTLE_MS = 3_600_000, 2_000
DELAYS = {"bybit": SETTLE_MS, "binance": 11_000}
BTC = replace(ETH, symbol="BTCUSDT", base_timeframe="15m")
SLOW = replace(ETH, symbol="SOLUSDT", venue="binance")

times = st.integers(100 * HOUR_MS, 10_000 * HOUR_MS)
outcomes = st.lists(st.sampled_from(("good", "fault", "refused")), max_size=60)


def after(standing: Standing, outcome: str, open_ms: int, now_ms: int) -> Standing:
    if outcome == "good":
        return standing.after_success(open_ms)
    if outcome == "refused":
        return standing.after_refusal(open_ms, "config", now_ms)
    return standing.after_fault(open_ms, "slow", now_ms)


@given(times)
def test_a_new_asset_is_due_once_its_bar_has_settled_and_not_again_on_that_bar(now_ms: int) -> None:
    at_ms = next_ms([ETH], {}, now_ms, DELAYS)
    assert at_ms == max(now_ms, now_ms // HOUR_MS * HOUR_MS + SETTLE_MS)
    assert due([ETH], {}, at_ms, DELAYS).healthy == ("ETHUSDT",)
    done = {"ETHUSDT": Standing().after_success(newest_open_ms(ETH, at_ms, SETTLE_MS))}
    found = due([ETH], done, at_ms, DELAYS)
    assert found.healthy == found.probes == ()


@given(st.integers(100, 10_000), st.integers(0, HOUR_MS - 1), st.integers(0, 20))
def test_nothing_is_due_while_its_bar_settles_and_no_venue_waits_for_the_other(
    hour: int, after_ms: int, faults: int
) -> None:
    now_ms, standing = hour * HOUR_MS + after_ms, Standing()
    for _ in range(faults):
        standing = standing.after_fault((hour - 2) * HOUR_MS, "slow", (hour - 1) * HOUR_MS)
    both = {asset.symbol: standing for asset in (ETH, SLOW)}
    found = due([ETH, SLOW], both, now_ms, DELAYS)
    assert set(found.healthy + found.probes) == {
        asset.symbol for asset in (ETH, SLOW) if after_ms >= DELAYS[asset.venue]
    }


@given(times)
def test_the_next_moment_is_the_next_close_and_its_settling(now_ms: int) -> None:
    done = {"ETHUSDT": Standing().after_success(newest_open_ms(ETH, now_ms, SETTLE_MS))}
    at_ms = next_ms([ETH], done, now_ms, DELAYS)
    assert now_ms < at_ms <= now_ms + HOUR_MS
    assert due([ETH], done, at_ms - 1, DELAYS).healthy == ()
    assert due([ETH], done, at_ms, DELAYS).healthy == ("ETHUSDT",)


@given(times, outcomes)
def test_something_is_always_due_again_within_the_longest_pause_or_by_the_close(
    now_ms: int, told: list[str]
) -> None:
    standing = Standing()
    for outcome in told:
        open_ms = newest_open_ms(ETH, now_ms, SETTLE_MS)
        standing = after(standing, outcome, open_ms, now_ms)
        assert 0.0 <= standing.budget <= BUDGET
        at_ms = next_ms([ETH], {"ETHUSDT": standing}, now_ms, DELAYS)
        longest_ms = HOUR_MS if outcome != "fault" else PAUSES_MS[-1] + SETTLE_MS
        assert now_ms < at_ms <= now_ms + longest_ms
        now_ms = at_ms
        found = due([ETH], {"ETHUSDT": standing}, now_ms, DELAYS)
        if not unwritten([ETH], {"ETHUSDT": standing}, now_ms, DELAYS):
            assert found.healthy + found.probes == ("ETHUSDT",)
            assert bool(found.probes) == standing.resting


@given(times, st.integers(1, 40))
def test_pauses_grow_and_an_asset_that_used_up_its_budget_rests(now_ms: int, faults: int) -> None:
    standing, pauses = Standing(), []
    for _ in range(faults):
        standing = standing.after_fault(0, "slow", now_ms)
        pauses.append(standing.retry_ms - now_ms)
    assert pauses == sorted(pauses)
    assert standing.resting == (faults >= BUDGET)


@given(times)
def test_one_success_brings_a_resting_asset_back_on_probation(now_ms: int) -> None:
    standing = Standing()
    for _ in range(9):
        standing = standing.after_fault(0, "slow", now_ms)
    back = standing.after_success(0)
    assert not back.resting and back.faulty_since_ms is None
    assert back.after_fault(0, "slow", now_ms).resting


@given(times)
def test_a_flapping_asset_rests_in_the_end(now_ms: int) -> None:
    standing = Standing()
    for _ in range(10):
        standing = standing.after_fault(0, "slow", now_ms).after_success(0)
        if standing.after_fault(0, "slow", now_ms).resting:
            return
    raise AssertionError("it goes on for ever")


@given(times)
def test_a_new_close_is_tried_at_once_unless_the_asset_rests(now_ms: int) -> None:
    close_ms = next_ms([ETH], {}, now_ms, DELAYS) // HOUR_MS * HOUR_MS + HOUR_MS + SETTLE_MS
    faulty = Standing().after_fault(newest_open_ms(ETH, close_ms - 1, SETTLE_MS), "slow", close_ms - 1)
    assert due([ETH], {"ETHUSDT": faulty}, close_ms, DELAYS).healthy == ("ETHUSDT",)
    resting = replace(faulty, resting=True)
    found = due([ETH], {"ETHUSDT": resting}, close_ms, DELAYS)
    assert found.healthy == found.probes == ()
    assert unwritten([ETH], {"ETHUSDT": resting}, close_ms, DELAYS) == [ETH]
    written = resting.written(newest_open_ms(ETH, close_ms, SETTLE_MS))
    assert unwritten([ETH], {"ETHUSDT": written}, close_ms, DELAYS) == []


@given(times, st.integers(1, 40))
def test_a_sick_coin_changes_nothing_for_the_healthy_ones(now_ms: int, faults: int) -> None:
    sick = Standing()
    for _ in range(faults):
        sick = sick.after_fault(newest_open_ms(BTC, now_ms, SETTLE_MS), "slow", now_ms)
    alone = due([ETH], {}, now_ms, DELAYS).healthy
    beside = due([ETH, BTC], {"BTCUSDT": sick}, now_ms, DELAYS).healthy
    assert tuple(symbol for symbol in beside if symbol != "BTCUSDT") == alone


@given(times)
def test_a_clock_that_went_back_makes_nothing_due(now_ms: int) -> None:
    done = {"ETHUSDT": Standing().after_success(newest_open_ms(ETH, now_ms + 5 * HOUR_MS, SETTLE_MS))}
    assert due([ETH], done, now_ms, DELAYS).healthy == ()
