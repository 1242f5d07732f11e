"""Real candles imported from each format, and the real bad files refused for what is wrong with them."""

from datetime import UTC
from pathlib import Path

import polars as pl
import pytest

from engine_alpha.errors import ChloeError
from engine_alpha.store.importing.cells import TimeWish
from engine_alpha.store.importing.naming import Label
from engine_alpha.store.importing.rows import Wishes
from engine_alpha.store.inventory import inventory
from engine_alpha.store.months import read_bars, read_funding
from engine_alpha.store.parquet import bars_from, read_columns
from engine_alpha.store.shelf import Shelf
from tests.unit.store.candle_files import (
    archive_csv,
    cryptodatadownload_csv,
    csv_text,
    imported,
    same_bits,
    taken,
    written,
    zipped,
)

PERPETUAL = Label(venue="binance", market="perpetual")


def test_every_flat_file_is_stored_to_the_same_bits_and_listed_as_it_was(
    shared_data: Path, tmp_path: Path
) -> None:
    files = sorted([*shared_data.glob("*/BYBIT_*.parquet"), *shared_data.glob("*/BINANCE_*.parquet")])
    imported(tmp_path, *files)
    theirs = {
        (each.venue, each.symbol, each.series): (each.rows, each.first_ms, each.gaps, each.longest_gap)
        for each in inventory(shared_data)
    }
    stored = inventory(tmp_path)
    assert len(stored) == len(files) > 12
    shelf = Shelf(shared_data)
    for each in stored:
        place = (each.venue, each.symbol, each.series)
        assert (each.rows, each.first_ms, each.gaps, each.longest_gap) == theirs[place]
        if each.series == "funding":
            wanted = shelf.funding(each.venue, each.symbol)
            found = read_funding(tmp_path, each.venue, each.symbol)
            assert wanted is not None and found.rate_frac.tobytes() == wanted.rate_frac.tobytes()
        elif each.series == "1h":
            bars = shelf.bars(*place)
            assert bars is not None and same_bits(read_bars(tmp_path, *place), bars)


@pytest.mark.parametrize("name", ["BINANCEUM_ETHUSDT_1h", "BINANCEUM_DOGEUSDT_1m"])
def test_real_candles_survive_every_text_format(shared_data: Path, tmp_path: Path, name: str) -> None:
    path = shared_data / f"candles/{name}.parquet"
    columns = read_columns(path, ("timestamp", "open", "high", "low", "close", "volume"))
    whole = bars_from(path, columns, 3_600_000 if name.endswith("1h") else 60_000)
    bars = taken(whole, slice(-5_000, None))
    _, symbol, timeframe = name.split("_")
    files = {
        "archive": zipped(tmp_path / f"{symbol}-{timeframe}-2024-01.zip", archive_csv(bars, header=True)),
        "cdd": written(
            tmp_path / f"{symbol}_Binance_futures_UM_{timeframe}.csv",
            cryptodatadownload_csv(bars, symbol, symbol.removesuffix("USDT"), lambda at: at % 2 == 0),
        ),
        "csv": written(tmp_path / f"binance_perp_{symbol}_{timeframe}.csv", csv_text(bars)),
    }
    for kind, file in files.items():
        imported(tmp_path / kind, file)
        assert same_bits(read_bars(tmp_path / kind, "binance", symbol, timeframe), bars)
    plan = imported(tmp_path / "all", *files.values())
    assert plan.series[0].shared_rows == 2 * len(bars)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("binance_futures_TESTNET_BTCUSDT_1h.csv", "testnet prices"),
        ("synthetic_labelled_real_data_BTCUSDT_1h.csv", "local_time"),
        (
            "incomplete_candles_never_corrected_AVAXUSDT_spot_1h.csv",
            "there are timestamp, time, open_captured",
        ),
        ("incomplete_candles_never_corrected_SOLUSDT_1h.csv", "there are timestamp, time, open_captured"),
        ("vendor_disagreement_2024-10-28_AVAXUSDT_15m.csv", "there are timestamp, time, open_rest"),
    ],
)
def test_bad_files_are_refused_for_what_is_wrong(
    shared_data: Path, tmp_path: Path, name: str, said: str
) -> None:
    with pytest.raises(ChloeError) as caught:
        imported(tmp_path, shared_data / "bad" / name, wishes=Wishes(label=PERPETUAL))
    assert said in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_generated_walk_is_refused_for_its_impossible_bar_once_its_times_are_named(
    shared_data: Path, tmp_path: Path
) -> None:
    path = shared_data / "bad/synthetic_labelled_real_data_BTCUSDT_1h.csv"
    with pytest.raises(ChloeError, match=r"impossible_bar: .*, line 22: "):
        imported(tmp_path, path, wishes=Wishes(label=PERPETUAL, time=TimeWish(zone=UTC)))


def test_both_captures_of_a_candle_disagree(shared_data: Path, tmp_path: Path) -> None:
    path = shared_data / "bad/incomplete_candles_never_corrected_SOLUSDT_1h.csv"
    roles = ("open", "high", "low", "close", "volume")
    early, final = (
        Wishes(
            label=Label(venue="binance", market="perpetual", timeframe="1h"),
            columns={"time": "timestamp", **{role: f"{role}_{when}" for role in roles}},
        )
        for when in ("captured", "final")
    )
    imported(tmp_path, path, wishes=early)
    with pytest.raises(ChloeError, match=r"disagree: .* of 8 rows .* 8 differ"):
        imported(tmp_path, path, wishes=final)
    imported(tmp_path, path, wishes=final, replace=True)
    last = pl.read_csv(path)
    assert read_bars(tmp_path, "binance", "SOLUSDT", "1h").close.tolist() == last["close_final"].to_list()


def test_mixed_offsets_are_converted_exactly_and_no_hour_is_lost_or_doubled(
    shared_data: Path, tmp_path: Path
) -> None:
    path = shared_data / "bad/local_timezone_dst_offsets_BTCUSDT_1h_head.csv"
    plan = imported(tmp_path, path, wishes=Wishes(label=PERPETUAL))
    bars = read_bars(tmp_path, "binance", "BTCUSDT", "1h")
    assert plan.pieces[0].repeated_rows == 0 and len(bars) == 2_999
    assert set((bars.open_ms[1:] - bars.open_ms[:-1]).tolist()) == {3_600_000}


def test_a_doubled_day_is_merged_and_counted(shared_data: Path, tmp_path: Path) -> None:
    path = shared_data / "bad/duplicate_day_2023-02-18_BYBIT_SOLUSDT_1d.csv"
    plan = imported(tmp_path, path, wishes=Wishes(label=Label(market="perpetual")))
    assert [(str(each.key), each.repeated_rows) for each in plan.pieces] == [("bybit SOLUSDT 1d", 1)]


def test_late_stamps_of_settlements_lose_none(shared_data: Path, tmp_path: Path) -> None:
    path = shared_data / "bad/funding_raw_ms_jitter_SOLUSDT.csv"
    imported(tmp_path, path, wishes=Wishes(label=Label(venue="bybit")))
    funding = read_funding(tmp_path, "bybit", "SOLUSDT")
    assert len(funding.settled_ms) == len(pl.read_csv(path))
    assert not (funding.settled_ms % 3_600_000).any()


def test_marks_without_volume_are_taken_as_marks_only(shared_data: Path, tmp_path: Path) -> None:
    path = shared_data / "bad/mark_nan_volume_BYBIT_BTCUSDT_4h.feather"
    imported(tmp_path, path)
    assert not read_bars(tmp_path, "bybit", "BTCUSDT", "mark_4h").volume.any()
    with pytest.raises(ChloeError, match=r"nan: .*, row 1: "):
        imported(tmp_path, path, wishes=Wishes(label=Label(kind="candles", market="perpetual")))
