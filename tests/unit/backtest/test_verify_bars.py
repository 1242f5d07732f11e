"""`verify` names the bars that differ: revised, late, missing now or then; and nothing where none does."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine_alpha.backtest.verify import Span
from engine_alpha.domain.bars import Funding, Reading
from engine_alpha.store.months import write_funding
from tests.makers import HOUR_MS
from tests.parity.stored import series, store, wanted
from tests.unit.backtest.verifying import (
    HOURS,
    PAIR,
    Played,
    as_is,
    bar,
    changed_bar,
    only,
    played,
    replayed,
)
from tests.unit.loop.runs import (
    ROOMY,
    MemoryFeed,
    a_home,
    close_ms,
    engine_of,
    series_of,
    set_asset,
    tick_at,
    tick_hours,
    without,
)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    yield played(tmp_path_factory.mktemp("pair"))


def test_what_was_rehearsed_comes_out_byte_for_byte(pair: Played) -> None:
    found = pair.verified()
    assert found.findings == ()
    assert (found.decisions, found.exact, found.unpriced, found.unsettled) == (2 * HOURS, 2 * HOURS, 0, 0)
    assert (found.symbols, found.from_ms, found.to_ms) == (PAIR, bar(0), close_ms(HOURS - 1))


@pytest.mark.parametrize("column", ["open", "high", "low", "close", "volume"])
def test_one_revised_bar_is_named_whatever_of_it_changed(pair: Played, column: str) -> None:
    bars = changed_bar(pair.bars["BTCUSDT"], bar(20), column)
    found = only(pair.verified({"BTCUSDT": bars}))
    assert (found.cause, found.symbols) == ("bar_revised", ("BTCUSDT",))
    assert (found.first_ms, found.last_ms, found.detail) == (bar(20), bar(20), "")
    assert found.decisions == HOURS - 20, "every later window holds it"
    assert found.different is not None and found.different <= found.decisions


def test_a_revised_bar_that_stops_a_trade_out_makes_decisions_different(pair: Played) -> None:
    bars = changed_bar(pair.bars["ETHUSDT"], bar(20), "low", 1.5)
    found = only(pair.verified({"ETHUSDT": bars}))
    assert found.different is not None and found.different > 0


def test_two_bars_revised_at_the_close_are_both_named(pair: Played) -> None:
    bars = changed_bar(pair.bars["ETHUSDT"], bar(10), "volume")
    bars = changed_bar(bars, bar(30), "close")
    found = pair.verified({"ETHUSDT": bars}).findings
    assert [(one.cause, one.first_ms) for one in found] == [
        ("bar_revised", bar(10)),
        ("bar_revised", bar(30)),
    ]


def test_bars_of_another_market_are_a_stretch_not_a_list(pair: Played) -> None:
    bars = pair.bars["ETHUSDT"]
    for hour in range(10, 40):
        if hour not in (15, 22, 23):
            bars = changed_bar(bars, bar(hour), "close")
    one = only(pair.verified({"ETHUSDT": bars}))
    assert (one.first_ms, one.last_ms, one.detail) == (bar(10), bar(39), "27 or more of these 30 bars")


def test_a_bar_before_the_first_decision_is_narrowed_down_to_a_stretch(pair: Played) -> None:
    bars = changed_bar(pair.bars["ETHUSDT"], bar(-200), "high")
    found = only(pair.verified({"ETHUSDT": bars}))
    assert found.cause == "bar_revised" and found.decisions == HOURS
    assert found.first_ms <= bar(-200) <= found.last_ms
    assert "1 or more of these" in found.detail


def test_a_bar_no_decision_saw_is_no_difference(pair: Played) -> None:
    bars = changed_bar(pair.bars["ETHUSDT"], bar(HOURS), "close")
    assert pair.verified({"ETHUSDT": bars}).findings == ()


def test_only_the_span_asked_for_is_verified(pair: Played) -> None:
    bars = {"ETHUSDT": changed_bar(pair.bars["ETHUSDT"], bar(20), "close")}
    before = pair.verified(bars, Span(to_ms=bar(20)))
    assert before.findings == () and before.decisions == before.exact == 2 * 20
    after = pair.verified(bars, Span(from_ms=bar(40)))
    assert after.decisions == 2 * (HOURS - 40)
    assert only(after).cause == "bar_revised"
    assert only(after).first_ms <= bar(20) <= only(after).last_ms


def test_a_bar_that_is_gone_now_is_named(pair: Played) -> None:
    found = pair.verified({"BTCUSDT": without(pair.bars["BTCUSDT"], bar(20))})
    one = only(found)
    assert (one.cause, one.symbols, one.first_ms, one.last_ms) == (
        *("bar_missing_now", ("BTCUSDT",)),
        *(bar(20), bar(20)),
    )
    assert one.decisions == HOURS - 20
    assert found.unpriced == 1, "the decision on that very bar"


def test_a_series_that_ends_early_is_one_difference(pair: Played) -> None:
    found = pair.verified({"BTCUSDT": pair.bars["BTCUSDT"].between(0, close_ms(39))})
    gone = [one for one in found.findings if one.cause == "bar_missing_now"]
    assert [(one.first_ms, one.last_ms, one.decisions) for one in gone] == [
        (bar(40), bar(HOURS - 1), HOURS - 40)
    ]
    assert found.unpriced == HOURS - 40


def test_a_store_without_the_asset_at_all_leaves_nothing_to_compare(pair: Played) -> None:
    journal_only = replace(pair, bars={"BTCUSDT": pair.bars["BTCUSDT"]})
    found = journal_only.verified({})
    assert (only(found).cause, only(found).symbols, found.unpriced) == (
        "bar_missing_now",
        ("ETHUSDT",),
        HOURS,
    )


def test_a_history_that_begins_later_now_is_named(pair: Played) -> None:
    bars = pair.bars["ETHUSDT"].between(bar(-300), close_ms(HOURS))
    found = only(pair.verified({"ETHUSDT": bars}))
    assert found.cause == "bar_missing_now" and found.last_ms == bar(-301)
    assert found.decisions == HOURS


def test_other_funding_is_named(pair: Played, tmp_path: Path) -> None:
    data = store(tmp_path / "data", pair.bars)
    times = np.arange(bar(-400) // (8 * HOUR_MS), bar(HOURS) // (8 * HOUR_MS), dtype=np.int64) * 8 * HOUR_MS
    write_funding(data, "bybit", "ETHUSDT", Funding(settled_ms=times, rate_frac=np.full(len(times), 3e-4)))
    one = only(replace(pair, asked=replace(pair.asked, data=data)).verified())
    assert (one.cause, one.symbols) == ("funding_differs", ("ETHUSDT",))


def test_a_hole_that_was_filled_later_is_a_late_bar(tmp_path: Path) -> None:
    whole = played(tmp_path / "whole", ("ETHUSDT",), hours=1).bars
    holed = played(tmp_path / "holed", ("ETHUSDT",), bars={"ETHUSDT": without(whole["ETHUSDT"], bar(20))})
    assert holed.verified().findings == (), "against its own bars, hole and all"
    found = holed.verified(dict(whole))
    one = only(found)
    assert (one.cause, one.first_ms, one.last_ms) == ("bar_late", bar(20), bar(20))
    assert one.decisions == HOURS - 21 and found.exact == found.decisions == HOURS - 1
    assert found.undecided == 1


def test_a_hole_before_the_first_decision_that_was_filled_later_is_found_by_trying(tmp_path: Path) -> None:
    whole = played(tmp_path / "whole", ("ETHUSDT",), hours=1).bars
    holed = {"ETHUSDT": without(whole["ETHUSDT"], bar(-77))}
    found = played(tmp_path / "holed", ("ETHUSDT",), hours=20, bars=holed).verified(dict(whole))
    one = only(found)
    assert (one.cause, one.first_ms, one.decisions, found.exact) == ("bar_late", bar(-77), 20, 20)


def test_two_missing_in_a_row_before_the_first_decision_are_found_by_trying(tmp_path: Path) -> None:
    whole = played(tmp_path / "whole", ("ETHUSDT",), hours=1).bars
    holed = {"ETHUSDT": without(whole["ETHUSDT"], bar(-4), bar(-3))}
    found = played(tmp_path / "holed", ("ETHUSDT",), hours=20, bars=holed).verified(dict(whole))
    one = only(found)
    assert (one.cause, one.first_ms, one.last_ms) == ("bar_late", bar(-4), bar(-3))
    assert found.exact == 20


def test_a_bar_that_came_after_the_last_decision_was_missing_then(tmp_path: Path) -> None:
    whole = played(tmp_path / "whole", ("ETHUSDT",), hours=1).bars
    short = {"ETHUSDT": whole["ETHUSDT"].between(0, close_ms(9))}
    made = played(tmp_path / "short", ("ETHUSDT",), hours=12, bars=short)
    assert made.verified().findings == ()
    found = made.verified(dict(whole)).findings  # the generated funding ends with the bars
    told = [(one.cause, one.subject, one.first_ms, one.last_ms) for one in found]
    assert ("bar_missing_then", "stale", bar(10), bar(11)) in told
    assert {cause for cause, *_ in told} == {"bar_missing_then", "funding_differs"}


def test_four_hour_bars_beside_hours_come_out_the_same(tmp_path: Path) -> None:
    bars = series(PAIR)
    home = a_home(tmp_path / "home", enabled=PAIR)
    set_asset(home, "BTCUSDT", base_timeframe="4h")
    made = replayed(home, bars, wanted(store(tmp_path / "data", bars), PAIR, first=1, hours=48), tmp_path)
    found = made.verified()
    assert (found.findings, found.decisions, found.exact) == ((), 60, 60)


async def _nothing(reading: Reading) -> Reading:
    return replace(reading, bars=reading.bars.between(0, 0))


def test_a_feed_that_was_down_is_no_difference_once_its_bars_were_decided_on(tmp_path: Path) -> None:
    home = a_home(tmp_path / "home", enabled=PAIR, risk={**ROOMY, "max_positions": 1})
    feed = MemoryFeed(series_of(PAIR))
    with engine_of(home, feed) as engine:
        tick_hours(engine, range(0, 10))
        feed.poisons["ETHUSDT"] = _nothing
        tick_hours(engine, range(10, 14))
        feed.poisons.clear()
        tick_at(engine, close_ms(14) + 5_000)
        found = as_is(home, engine.journal, feed)
    assert (found.findings, found.decisions, found.exact, found.undecided) == ((), 30, 30, 0)


def test_a_feed_that_was_down_at_the_end_is_told(tmp_path: Path) -> None:
    home = a_home(tmp_path / "home")
    feed = MemoryFeed(series_of(("ETHUSDT",)))
    with engine_of(home, feed) as engine:
        tick_hours(engine, range(0, 3))
        feed.poisons["ETHUSDT"] = _nothing
        tick_hours(engine, range(3, 4))
        feed.poisons.clear()
        found = as_is(home, engine.journal, feed)
    assert (only(found).cause, only(found).subject) == ("bar_missing_then", "empty")
    assert only(found).first_ms == bar(3)
