"""Times of every kind come out exact, and what could be two times is refused."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine_alpha.domain.asset import TIMEFRAME_MS
from engine_alpha.domain.bars import Bars
from engine_alpha.errors import ConfigError, DataError
from engine_alpha.store.importing.cells import TimeWish
from engine_alpha.store.importing.naming import Label
from engine_alpha.store.importing.pieces import piece_of
from engine_alpha.store.importing.rows import Wishes, read_rows
from engine_alpha.store.importing.series import key_of
from tests.unit.store.candle_files import (
    FIRST,
    HOUR,
    NAMES,
    NOW,
    columns_of,
    csv_text,
    some_bars,
    taken,
    written,
)

ETH = Label(venue="bybit", symbol="ETHUSDT", market="perpetual", kind="candles", timeframe="1h")
PER_MS = {"ms": 1, "us": 1_000, "ns": 1_000_000}


def epoch(unit: str) -> Callable[[int], str]:
    """Return how a time in ms is written in another unit."""
    return lambda at: str(at // 1_000 if unit == "s" else at * PER_MS[unit])


def iso(offset: timedelta, joint: str = "T") -> Callable[[int], str]:
    """Return how a time is written at an offset from UTC."""
    zone = timezone(offset)
    return lambda at: datetime.fromtimestamp(at / 1_000, zone).isoformat(sep=joint)


def columns_in(path: Path, wishes: Wishes) -> dict[str, "np.typing.NDArray[np.generic]"]:
    """Return what one file would have stored."""
    (rows,) = read_rows(path, wishes)
    return dict(piece_of(rows, key_of(rows, wishes), NOW).columns)


def assert_same(path: Path, bars: Bars, wishes: Wishes) -> None:
    found = columns_in(path, wishes)
    assert found["timestamp"].tolist() == bars.open_ms.tolist()
    assert all(found[name].tobytes() == getattr(bars, name).tobytes() for name in NAMES)


@st.composite
def any_bars(draw: st.DrawFn) -> Bars:
    """Draw possible bars of any timeframe, anywhere from 2010 to the present, with holes."""
    step = draw(st.sampled_from(sorted(TIMEFRAME_MS.values())))
    first = draw(st.integers(1_262_304_000_000 // step, 1_700_000_000_000 // step))
    steps = draw(st.lists(st.integers(1, 3), max_size=12))
    opens = (first + np.cumsum([0, *steps])) * step
    price = st.floats(1e-9, 1e9, allow_subnormal=False)
    shapes = [sorted(draw(st.tuples(price, price, price, price))) for _ in opens]
    swapped = [draw(st.booleans()) for _ in opens]
    bodies = [(b, c) if swap else (c, b) for (_, b, c, _), swap in zip(shapes, swapped, strict=True)]
    volumes = [draw(st.floats(0.0, 1e12)) for _ in opens]
    return Bars(
        timeframe_ms=step,
        open_ms=np.asarray(opens, np.int64),
        open=np.array([body[0] for body in bodies]),
        high=np.array([shape[3] for shape in shapes]),
        low=np.array([shape[0] for shape in shapes]),
        close=np.array([body[1] for body in bodies]),
        volume=np.array(volumes),
    )


offsets = st.integers(-14 * 4, 14 * 4).map(lambda quarters: timedelta(minutes=15 * quarters))
writers = st.one_of(
    st.sampled_from(["s", "ms", "us", "ns"]).map(epoch), st.builds(iso, offsets, st.sampled_from("T "))
)


@given(bars=any_bars(), write=writers, data=st.data())
def test_what_is_exported_to_csv_is_imported_to_the_same_bits(
    tmp_path_factory: pytest.TempPathFactory, bars: Bars, write: Callable[[int], str], data: st.DataObject
) -> None:
    order = data.draw(st.permutations(range(len(bars))))
    path = tmp_path_factory.getbasetemp() / "property.csv"
    written(path, csv_text(taken(bars, list(order)), time_of=write))
    names = {length: name for name, length in TIMEFRAME_MS.items()}
    assert_same(path, bars, Wishes(label=replace(ETH, timeframe=names[bars.timeframe_ms])))


@given(bars=any_bars(), shifts=st.lists(offsets, min_size=13, max_size=13))
def test_an_offset_of_its_own_in_every_row_is_converted_exactly(
    tmp_path_factory: pytest.TempPathFactory, bars: Bars, shifts: list[timedelta]
) -> None:
    offset_of = dict(zip(bars.open_ms.tolist(), shifts, strict=False))
    path = tmp_path_factory.getbasetemp() / "offsets.csv"
    written(path, csv_text(bars, time_of=lambda at: iso(offset_of[at])(at)))
    names = {length: name for name, length in TIMEFRAME_MS.items()}
    assert_same(path, bars, Wishes(label=replace(ETH, timeframe=names[bars.timeframe_ms])))


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_a_unit_may_be_named(tmp_path: Path, unit: str) -> None:
    path = written(tmp_path / "a.csv", csv_text(some_bars(), time_of=epoch(unit)))
    assert_same(path, some_bars(), Wishes(label=ETH, time=TimeWish(unit=unit)))


def test_a_unit_that_the_numbers_can_not_be_in_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", csv_text(some_bars()))
    with pytest.raises(DataError, match=r"no_time: .*a\.csv, line 2: timestamp is no time in s between 2009"):
        columns_in(path, Wishes(label=ETH, time=TimeWish(unit="s")))


@pytest.mark.parametrize(
    "write", [lambda at: f"{at / 1_000:.1f}", lambda at: f"{at:.7e}".replace("e", "E"), lambda at: f" {at} "]
)
def test_epoch_times_with_a_point_an_exponent_or_blanks(tmp_path: Path, write: Callable[[int], str]) -> None:
    bars = some_bars(3, first_ms=1_700_000_000_000)
    bars = replace(bars, open_ms=np.arange(3) * HOUR + 1_699_200_000_000)
    assert_same(written(tmp_path / "a.csv", csv_text(bars, time_of=write)), bars, Wishes(label=ETH))


@pytest.mark.parametrize(
    "text", ["{:%Y-%m-%dT%H:%M:%SZ}", "{:%Y-%m-%d %H:%M:%S UTC}", "{:%Y-%m-%d %H:%M:%S.000+00:00}"]
)
def test_iso_times_in_the_spellings_of_utc(tmp_path: Path, text: str) -> None:
    path = written(
        tmp_path / "a.csv",
        csv_text(some_bars(), time_of=lambda at: text.format(datetime.fromtimestamp(at / 1_000, UTC))),
    )
    assert_same(path, some_bars(), Wishes(label=ETH))
    assert_same(path, some_bars(), Wishes(label=ETH, time=TimeWish(unit="iso", zone=UTC)))


def local(hours: float) -> Callable[[int], str]:
    """Return how a clock shows a time that is so many hours ahead of UTC."""
    return lambda at: datetime.fromtimestamp(at / 1_000 + hours * 3_600, UTC).strftime("%Y-%m-%d %H:%M:%S")


def test_times_without_offset_are_refused_with_what_to_write(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", csv_text(some_bars(), time_of=local(0)))
    with pytest.raises(DataError) as caught:
        columns_in(path, Wishes(label=ETH))
    assert caught.value.reason == "local_time"
    assert "a.csv, line 2: " in caught.value.detail
    assert "--timezone UTC" in caught.value.detail and "--timezone +03:00" in caught.value.detail


@pytest.mark.parametrize("hours", [0.0, 3.0, -5.5])
def test_times_without_offset_are_taken_at_the_offset_that_is_named(tmp_path: Path, hours: float) -> None:
    wishes = Wishes(label=ETH, time=TimeWish(zone=timezone(timedelta(hours=hours))))
    path = written(tmp_path / "a.csv", csv_text(some_bars(), time_of=local(hours)))
    assert_same(path, some_bars(), wishes)
    path = tmp_path / "a.parquet"
    dates = pl.Series("date", some_bars().open_ms + int(hours * HOUR)).cast(pl.Datetime("ms"))
    pl.DataFrame({"date": dates, **columns_of(some_bars())}).write_parquet(path)
    assert_same(path, some_bars(), wishes)
    with pytest.raises(DataError, match="local_time"):
        columns_in(path, Wishes(label=ETH))


def test_dates_alone_are_local_too(tmp_path: Path) -> None:
    bars = some_bars(5, step_ms=24 * HOUR)
    daily = replace(ETH, timeframe="1d")
    path = written(tmp_path / "a.csv", csv_text(bars, time_of=lambda at: local(0)(at)[:10]))
    with pytest.raises(DataError, match="local_time"):
        columns_in(path, Wishes(label=daily))
    assert_same(path, bars, Wishes(label=daily, time=TimeWish(zone=UTC)))


def test_one_row_without_an_offset_among_many_is_refused_by_its_line(tmp_path: Path) -> None:
    lines = csv_text(some_bars(), time_of=iso(timedelta(0))).splitlines()
    lines[100] = lines[100].replace("+00:00", "")
    with pytest.raises(DataError, match=r"local_time: .*a\.csv, line 101: "):
        columns_in(written(tmp_path / "a.csv", "\n".join(lines)), Wishes(label=ETH))


@pytest.mark.parametrize("write", [str, iso(timedelta(hours=2))])
def test_an_offset_for_times_that_need_none_is_refused(tmp_path: Path, write: Callable[[int], str]) -> None:
    path = written(tmp_path / "a.csv", csv_text(some_bars(), time_of=write))
    with pytest.raises(ConfigError, match="leave out --timezone"):
        columns_in(path, Wishes(label=ETH, time=TimeWish(zone=timezone(timedelta(hours=3)))))


def test_of_a_local_and_a_sure_time_column_the_sure_one_is_read(tmp_path: Path) -> None:
    lines = csv_text(some_bars(), "date,open,high,low,close,volume", local(9)).splitlines()
    times = ["t", *map(str, some_bars().open_ms.tolist())]
    both = [f"{line},{time}" for line, time in zip(lines, times, strict=True)]
    assert_same(written(tmp_path / "a.csv", "\n".join(both)), some_bars(), Wishes(label=ETH))


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("", "no_time"),
        ("soon", "no_time"),
        ("0", "no_time"),
        ("17358624000000", "no_time"),
        ("-1735862400000", "no_time"),
    ],
)
def test_a_cell_that_is_no_time_is_refused_by_its_line(tmp_path: Path, cell: str, reason: str) -> None:
    lines = csv_text(some_bars()).splitlines()
    lines[7] = cell + "," + lines[7].partition(",")[2]
    with pytest.raises(DataError, match=rf"{reason}: .*a\.csv, line 8: "):
        columns_in(written(tmp_path / "a.csv", "\n".join(lines)), Wishes(label=ETH))


def test_a_moment_between_two_bars_is_refused(tmp_path: Path) -> None:
    late = replace(some_bars(), open_ms=some_bars().open_ms + HOUR - 1)  # stamped with the close
    with pytest.raises(DataError, match=r"off_grid: .*a\.csv, line 2: "):
        columns_in(written(tmp_path / "a.csv", csv_text(late)), Wishes(label=ETH))
    assert int(late.open_ms[0]) == FIRST + HOUR - 1
