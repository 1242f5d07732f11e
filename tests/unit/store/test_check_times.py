"""What `chloe data check` says about times: order, doubled rows, holes, the grid, local clocks."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from engine_alpha.domain.bars import Bars
from engine_alpha.store.checking.findings import Finding
from engine_alpha.store.checking.times import judge_times, longest_run, rows_in_order
from tests.unit.store.markets import FIRST, HOUR, joined, like_a_market, rows_at, with_values

NOW = FIRST + 10**12
DAY = 24


def found(bars: Bars, now_ms: int = NOW) -> dict[str, Finding]:
    return {finding.code: finding for finding in judge_times(bars, now_ms)}


def local(zone: str, since: datetime, rows: int) -> Bars:
    """Return hourly bars stamped with what a clock in that zone showed, as if that were UTC."""
    start = int(since.replace(tzinfo=UTC).timestamp() * 1_000)
    utc = [start + hour * HOUR for hour in range(rows)]
    shown = [
        int(
            datetime.fromtimestamp(at / 1_000, ZoneInfo(zone)).replace(tzinfo=UTC, fold=0).timestamp() * 1_000
        )
        for at in utc
    ]
    return with_values(like_a_market(rows), slice(None), open_ms=np.array(shown))


def test_sound_times_give_no_finding() -> None:
    assert found(like_a_market(500)) == {}
    assert found(rows_at(like_a_market(500), slice(0, 1))) == {}
    assert found(rows_at(like_a_market(500), slice(0, 0))) == {}


def test_a_short_hole_is_noted_and_a_week_is_grave() -> None:
    bars = like_a_market(9_000)
    short = found(rows_at(bars, np.r_[0:100, 133:9_000]))["gaps"]
    assert (short.grave, short.count, short.first_ms) == (False, 33, int(bars.open_ms[100]))
    assert "1 hole, 33 bars missing" in short.saw
    week = found(rows_at(bars, np.r_[0:100, 100 + 7 * DAY : 9_000]))["gaps"]
    assert week.grave and week.count == 7 * DAY


def test_many_short_holes_are_grave_from_two_percent_on() -> None:
    bars = like_a_market(5_000)
    one_percent, three_percent = (np.arange(5_000) % every != 7 for every in (100, 33))
    assert not found(rows_at(bars, one_percent))["gaps"].grave
    assert found(rows_at(bars, three_percent))["gaps"].grave


def test_a_doubled_day_is_counted_with_its_longest_run() -> None:
    bars = like_a_market(300)
    twice = found(joined(rows_at(bars, slice(0, 124)), rows_at(bars, slice(100, 300))))
    assert twice["duplicated"].count == DAY and twice["duplicated"].grave
    assert "0 with other values, 24 in a row" in twice["duplicated"].saw
    assert twice["duplicated"].first_ms == int(bars.open_ms[100])
    assert twice["out_of_order"].count == 1


def test_doubled_rows_with_other_values_are_told_apart() -> None:
    bars = like_a_market(300)
    other = with_values(rows_at(bars, slice(50, 51)), 0, close=1.0)
    assert "1 with other values" in found(joined(bars, other))["duplicated"].saw


def test_newest_first_is_no_disorder() -> None:
    bars = rows_at(like_a_market(300), slice(None, None, -1))
    assert list(found(bars)) == ["newest_first"] and not found(bars)["newest_first"].grave


def test_one_row_out_of_place_is() -> None:
    order = np.arange(300)
    order[[7, 200]] = order[[200, 7]]
    assert found(rows_at(like_a_market(300), order))["out_of_order"].grave


def test_another_spacing_than_the_label_says() -> None:
    wrong = found(rows_at(like_a_market(400), slice(None, None, 4)))
    assert (
        list(wrong) == ["wrong_timeframe"] and "every 240 min, not every 60" in wrong["wrong_timeframe"].saw
    )


def test_bars_off_the_grid() -> None:
    bars = like_a_market(300)
    assert found(with_values(bars, slice(None), open_ms=bars.open_ms + 60_000))["off_grid"].count == 300


def test_bars_that_have_not_closed_yet() -> None:
    bars = like_a_market(300)
    forming = found(bars, now_ms=int(bars.open_ms[-1]) + 60_000)["forming_bar"]
    assert forming.count == 1 and forming.first_ms == int(bars.open_ms[-1])


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York"])
def test_a_local_clock_is_known_by_the_hour_that_stands_twice(zone: str) -> None:
    autumn = local(zone, datetime(2023, 10, 20), 20 * DAY)
    assert found(autumn)["local_times"].grave
    assert found(autumn)["local_times"].count == 1


def test_a_local_clock_of_two_years_has_two_of_each() -> None:
    years = local("Europe/Berlin", datetime(2022, 1, 10), 2 * 365 * DAY)
    seen = found(years)["local_times"]
    assert "stands twice in 2 autumn nights and misses in 2 spring nights" in seen.saw


def test_an_hour_doubled_on_another_day_is_no_local_clock() -> None:
    bars = like_a_market(300)
    again = with_values(rows_at(bars, slice(50, 51)), 0, close=1.0)
    assert "local_times" not in found(joined(bars, again))


def test_rows_in_order_drops_what_is_no_price_and_the_second_of_a_time() -> None:
    bars = like_a_market(10)
    messy = joined(
        rows_at(bars, slice(None, None, -1)), with_values(rows_at(bars, slice(3, 4)), 0, close=1.0)
    )
    messy = with_values(messy, 0, high=np.nan)
    tidy = rows_in_order(messy)
    assert tidy.open_ms.tolist() == bars.open_ms[:9].tolist()
    assert tidy.close.tolist() == bars.close[:9].tolist()


def test_the_longest_run() -> None:
    assert longest_run(np.array([True, False, True, True])) == 2
    assert longest_run(np.array([False])) == 0
