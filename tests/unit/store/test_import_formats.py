"""Every format that can be imported comes out as the very bars that went in."""

import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from engine_alpha.domain.bars import Bars
from engine_alpha.store.importing.naming import Label
from engine_alpha.store.importing.rows import Wishes
from engine_alpha.store.months import read_bars, read_funding
from tests.unit.store.candle_files import (
    FIRST,
    HOUR,
    MINUTE,
    archive_csv,
    columns_of,
    cryptodatadownload_csv,
    csv_text,
    feather,
    flat,
    freqtrade_frame,
    gzipped,
    imported,
    json_rows,
    same_bits,
    some_bars,
    some_funding,
    taken,
    written,
    zipped,
)

BYBIT_ETH = Wishes(label=Label(venue="bybit", symbol="ETHUSDT", market="perpetual"))


def only_series(root: Path) -> tuple[str, str, str]:
    """Return venue, symbol and series of the one that is stored."""
    (manifest,) = root.glob("*/*/*/manifest.json")
    venue, symbol, series, _ = manifest.relative_to(root).parts
    return venue, symbol, series


def check_round_trip(root: Path, bars: Bars, *place: str) -> None:
    assert only_series(root) == place
    assert same_bits(read_bars(root, *place), bars)


def test_an_archive_zip_of_a_perpetual_with_its_header(tmp_path: Path) -> None:
    path = zipped(tmp_path / "ETHUSDT-1h-2025-01.zip", archive_csv(some_bars(), header=True))
    imported(tmp_path / "store", path)
    check_round_trip(tmp_path / "store", some_bars(), "binance", "ETHUSDT", "1h")


def test_an_archive_zip_of_spot_without_header_and_in_microseconds(tmp_path: Path) -> None:
    path = zipped(tmp_path / "ETHUSDT-1h-2025-01.zip", archive_csv(some_bars(), header=False, per_ms=1_000))
    imported(tmp_path / "store", path)
    check_round_trip(tmp_path / "store", some_bars(), "BINANCE", "ETHUSDT", "1h")


@pytest.mark.parametrize(
    ("folders", "venue", "series"),
    [
        ("spot/monthly/klines/ETHUSDT/1h", "BINANCE", "1h"),
        ("futures/um/monthly/klines/ETHUSDT/1h", "binance", "1h"),
        ("futures/um/daily/markPriceKlines/ETHUSDT/1h", "binance", "mark_1h"),
    ],
)
def test_an_archive_zip_without_header_is_told_by_the_archives_folders(
    tmp_path: Path, folders: str, venue: str, series: str
) -> None:
    bars = some_bars()
    if series == "mark_1h":
        bars = replace(bars, volume=np.zeros(len(bars)))
    path = zipped(tmp_path / "data" / folders / "ETHUSDT-1h-2025-01.zip", archive_csv(bars, header=False))
    imported(tmp_path / "store", path)
    check_round_trip(tmp_path / "store", bars, venue, "ETHUSDT", series)


def test_the_csv_inside_an_archive_zip(tmp_path: Path) -> None:
    path = written(tmp_path / "ETHUSDT-1m-2025-01-03.csv", archive_csv(some_bars(step_ms=MINUTE), True))
    imported(tmp_path / "store", path)
    check_round_trip(tmp_path / "store", some_bars(step_ms=MINUTE), "binance", "ETHUSDT", "1m")


def test_daily_zips_of_two_coins_become_one_series_for_each(tmp_path: Path) -> None:
    days = []
    for coin, seed in (("ETHUSDT", 1), ("BTCUSDT", 2)):
        bars = some_bars(72, seed=seed)
        for day in range(3):
            part = taken(bars, slice(24 * day, 24 * day + 24))
            days.append(zipped(tmp_path / f"{coin}-1h-2025-01-0{3 + day}.zip", archive_csv(part, True)))
    plan = imported(tmp_path / "store", *reversed(days))
    assert [(str(each.key), each.new_rows) for each in plan.series] == [
        ("binance BTCUSDT 1h", 72),
        ("binance ETHUSDT 1h", 72),
    ]
    for coin, seed in (("ETHUSDT", 1), ("BTCUSDT", 2)):
        stored = read_bars(tmp_path / "store", "binance", coin, "1h")
        assert same_bits(stored, some_bars(72, seed=seed))


def test_an_archive_zip_of_funding_put_on_its_minute(tmp_path: Path) -> None:
    funding = some_funding()
    lines = ["calc_time,funding_interval_hours,last_funding_rate"]
    for at, time in enumerate(funding.settled_ms.tolist()):
        lines.append(f"{time + at % 7},8,{float(funding.rate_frac[at])!r}")
    path = zipped(tmp_path / "ETHUSDT-fundingRate-2025-01.zip", "\n".join(lines) + "\n")
    imported(tmp_path / "store", path)
    stored = read_funding(tmp_path / "store", "binance", "ETHUSDT")
    assert stored.settled_ms.tolist() == funding.settled_ms.tolist()
    assert stored.rate_frac.tobytes() == funding.rate_frac.tobytes()


def test_cryptodatadownload_newest_first_with_seconds_that_became_milliseconds(tmp_path: Path) -> None:
    text = cryptodatadownload_csv(some_bars(), "ETHUSDT", "ETH", lambda at: at < 120)
    imported(tmp_path / "store", written(tmp_path / "Binance_ETHUSDT_1h.csv", text))
    check_round_trip(tmp_path / "store", some_bars(), "BINANCE", "ETHUSDT", "1h")


def test_cryptodatadownload_futures_are_the_perpetual(tmp_path: Path) -> None:
    text = cryptodatadownload_csv(some_bars(), "ETH/USDT", "ETH", lambda at: False)
    imported(tmp_path / "store", written(tmp_path / "ETHUSDT_Binance_futures_UM_hour.csv", text))
    check_round_trip(tmp_path / "store", some_bars(), "binance", "ETHUSDT", "1h")


@pytest.mark.parametrize("kind", ["feather", "parquet", "json", "json.gz"])
@pytest.mark.parametrize(
    ("place", "venue"),
    [
        ("bybit/futures/ETH_USDT_USDT-1h-futures", "bybit"),
        ("binance/futures/ETH_USDT_USDT-1h-futures", "binance"),
        ("binance/ETH_USDT-1h", "BINANCE"),
    ],
)
def test_freqtrade_candles_in_each_of_its_formats(tmp_path: Path, kind: str, place: str, venue: str) -> None:
    path = tmp_path / f"{place}.{kind}"
    if kind == "feather":
        feather(path, freqtrade_frame(some_bars().open_ms, columns_of(some_bars())))
    elif kind == "parquet":
        path.parent.mkdir(parents=True)
        freqtrade_frame(some_bars().open_ms, columns_of(some_bars())).write_parquet(path)
    else:
        json_rows(path, some_bars())
        if kind == "json.gz":
            gzipped(path, path.read_text())
    imported(tmp_path / "store", path)
    check_round_trip(tmp_path / "store", some_bars(), venue, "ETHUSDT", "1h")


@pytest.mark.parametrize("volume", [0.0, np.nan, None])
def test_freqtrade_mark_prices_whatever_stands_for_their_volume(tmp_path: Path, volume: float | None) -> None:
    bars = replace(some_bars(), volume=np.zeros(200))
    prices = {name: column for name, column in columns_of(bars).items() if name != "volume"}
    frame = freqtrade_frame(bars.open_ms, prices).with_columns(volume=pl.lit(volume, pl.Float64))
    imported(tmp_path / "store", feather(tmp_path / "bybit/futures/ETH_USDT_USDT-1h-mark.feather", frame))
    check_round_trip(tmp_path / "store", bars, "bybit", "ETHUSDT", "mark_1h")


def test_freqtrade_funding_is_the_open_of_its_candles(tmp_path: Path) -> None:
    funding = some_funding()
    zeros = {name: np.zeros(30) for name in ("high", "low", "close", "volume")}
    frame = freqtrade_frame(funding.settled_ms, {"open": funding.rate_frac, **zeros})
    imported(
        tmp_path / "store", feather(tmp_path / "bybit/futures/ETH_USDT_USDT-8h-funding_rate.feather", frame)
    )
    stored = read_funding(tmp_path / "store", "bybit", "ETHUSDT")
    assert stored.settled_ms.tolist() == funding.settled_ms.tolist()
    assert stored.rate_frac.tobytes() == funding.rate_frac.tobytes()


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("BYBIT_ETHUSDT_1h", ("bybit", "ETHUSDT", "1h")),
        ("BINANCEUM_ETHUSDT_1h", ("binance", "ETHUSDT", "1h")),
        ("BINANCE_ETHUSDT_1h", ("BINANCE", "ETHUSDT", "1h")),
    ],
)
def test_our_own_flat_files(tmp_path: Path, name: str, place: tuple[str, str, str]) -> None:
    imported(tmp_path / "store", flat(tmp_path / f"{name}.parquet", some_bars()))
    check_round_trip(tmp_path / "store", some_bars(), *place)


def test_our_own_flat_mark_and_funding_files(tmp_path: Path) -> None:
    mark = replace(some_bars(), volume=np.zeros(200))
    funding = some_funding()
    rates = tmp_path / "BYBIT_ETHUSDT_funding.parquet"
    pl.DataFrame({"timestamp": funding.settled_ms, "rate": funding.rate_frac}).write_parquet(rates)
    imported(tmp_path / "store", flat(tmp_path / "BYBIT_ETHUSDT_mark_1h.parquet", mark), rates)
    assert same_bits(read_bars(tmp_path / "store", "bybit", "ETHUSDT", "mark_1h"), mark)
    assert (
        read_funding(tmp_path / "store", "bybit", "ETHUSDT").rate_frac.tolist() == funding.rate_frac.tolist()
    )


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_generic_csv_with_any_separator_and_line_end(tmp_path: Path, separator: str, line_end: str) -> None:
    text = "\ufeff" + csv_text(some_bars(), "Open Time,OPEN,High,low,Close,Vol").replace(",", separator)
    path = tmp_path / "mine.csv"
    path.write_bytes(text.replace("\n", line_end).encode())
    imported(tmp_path / "store", path, wishes=BYBIT_ETH)
    check_round_trip(tmp_path / "store", some_bars(), "bybit", "ETHUSDT", "1h")


def test_generic_csv_without_header_and_with_blank_lines_and_quotes(tmp_path: Path) -> None:
    lines = csv_text(some_bars(), header=None).splitlines()
    quoted = [",".join(f'"{cell}"' for cell in line.split(",")) for line in lines]
    path = written(tmp_path / "eth.txt", "\n".join([*quoted[:50], "", *quoted[50:], "", ""]))
    imported(tmp_path / "store", path, wishes=BYBIT_ETH)
    check_round_trip(tmp_path / "store", some_bars(), "bybit", "ETHUSDT", "1h")


def test_columns_can_be_named_and_without_a_header_counted(tmp_path: Path) -> None:
    named = csv_text(some_bars(), "Opened,Erster,Hoch,Tief,Letzter,Umsatz")
    columns = {"time": "Opened", "open": "Erster", "high": "Hoch", "low": "Tief", "close": "Letzter"}
    wishes = replace(BYBIT_ETH, columns={**columns, "volume": "Umsatz"})
    imported(tmp_path / "named", written(tmp_path / "named.csv", named), wishes=wishes)
    check_round_trip(tmp_path / "named", some_bars(), "bybit", "ETHUSDT", "1h")

    counted = csv_text(some_bars(), header=None)
    roles = dict(zip(("time", "open", "high", "low", "close", "volume"), "123456", strict=True))
    path = written(tmp_path / "counted.csv", counted)
    imported(tmp_path / "counted", path, wishes=replace(BYBIT_ETH, columns=roles))
    check_round_trip(tmp_path / "counted", some_bars(), "bybit", "ETHUSDT", "1h")


def test_the_volume_of_the_coin_is_taken_and_not_that_of_the_quote(tmp_path: Path) -> None:
    bars = some_bars()
    lines = csv_text(bars, "time,open,high,low,close,Volume (ETH)").splitlines()
    text = "\n".join([f"{lines[0]},Volume (USDT)", *(f"{line},7" for line in lines[1:])])
    imported(tmp_path / "store", written(tmp_path / "bybit_perp_ETHUSDT.csv", text + "\n"))
    check_round_trip(tmp_path / "store", bars, "bybit", "ETHUSDT", "1h")


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo", "America/New_York"])
@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
def test_generic_parquet_with_dates_in_any_time_zone(tmp_path: Path, zone: str, unit: str) -> None:
    path = tmp_path / "candles.parquet"
    dates = pl.Series("date", some_bars().open_ms).cast(pl.Datetime("ms", "UTC"))
    frame = pl.DataFrame({"date": dates.cast(pl.Datetime(unit, "UTC")), **columns_of(some_bars())})  # type: ignore[arg-type]
    frame.with_columns(pl.col("date").dt.convert_time_zone(zone)).write_parquet(path)
    imported(tmp_path / "store", path, wishes=BYBIT_ETH)
    check_round_trip(tmp_path / "store", some_bars(), "bybit", "ETHUSDT", "1h")


def test_a_banner_of_words_and_commas_above_the_header_is_passed_over(tmp_path: Path) -> None:
    text = "Disclaimer: prices, volumes, 2024, no warranty\n\n" + csv_text(some_bars())
    imported(tmp_path / "store", written(tmp_path / "bybit_perp_ethusdt_1h.csv", text))
    check_round_trip(tmp_path / "store", some_bars(), "bybit", "ETHUSDT", "1h")


def test_an_index_without_a_name_is_the_time_if_it_holds_times(tmp_path: Path) -> None:
    indexed = written(
        tmp_path / "bybit_perp_ETHUSDT_1h.csv", csv_text(some_bars(), ",open,high,low,close,volume")
    )
    imported(tmp_path / "one", indexed)
    lines = csv_text(some_bars(), "date,open,high,low,close,volume").splitlines()
    counted = [f",{lines[0]}", *(f"{at},{line}" for at, line in enumerate(lines[1:]))]
    imported(tmp_path / "two", written(tmp_path / "bybit_perp_ETHUSDT_1h.csv", "\n".join(counted)))
    for store in ("one", "two"):
        check_round_trip(tmp_path / store, some_bars(), "bybit", "ETHUSDT", "1h")


def test_a_zip_of_several_months_is_one_import(tmp_path: Path) -> None:
    path = zipped(
        tmp_path / "all.zip", archive_csv(taken(some_bars(), slice(0, 100)), True), "ETHUSDT-1h-2025-01.csv"
    )
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("ETHUSDT-1h-2025-02.csv", archive_csv(taken(some_bars(), slice(100, 200)), True))
        archive.writestr("__MACOSX/._ETHUSDT-1h-2025-02.csv", b"\x00\x05")
    plan = imported(tmp_path / "store", path)
    assert [len(piece) for piece in plan.pieces] == [100, 100]
    check_round_trip(tmp_path / "store", some_bars(), "binance", "ETHUSDT", "1h")


def test_holes_stay_holes(tmp_path: Path) -> None:
    bars = taken(some_bars(), [*range(50), *range(60, 200)])
    path = written(tmp_path / "bybit_perp_ETHUSDT_1h.csv", csv_text(bars))
    imported(tmp_path / "store", path)
    check_round_trip(tmp_path / "store", bars, "bybit", "ETHUSDT", "1h")
    assert int(bars.open_ms[0]) == FIRST // HOUR * HOUR
