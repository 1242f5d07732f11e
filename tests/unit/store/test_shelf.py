"""Both layouts are found, what is absent is None, what is broken is refused by name."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from engine_alpha.domain.bars import Bars
from engine_alpha.errors import ConfigError, DataError
from engine_alpha.store.months import write_bars
from engine_alpha.store.shelf import Shelf

HOUR = 3_600_000
FIRST = 470_000 * HOUR


def frame(rows: int = 30, level: float = 100.0) -> pl.DataFrame:
    close = level + np.arange(rows)
    return pl.DataFrame(
        {
            "timestamp": FIRST + np.arange(rows, dtype=np.int64) * HOUR,
            "open": close - 1.0,
            "high": close + 1.0,
            "low": close - 2.0,
            "close": close,
            "volume": np.full(rows, 5.0),
        }
    )


def put(data: Path, where: str, table: pl.DataFrame) -> Path:
    path = data / where
    path.parent.mkdir(parents=True, exist_ok=True)
    table.write_parquet(path)
    return path


@pytest.fixture
def flat(tmp_path: Path) -> Path:
    put(tmp_path, "candles/BINANCEUM_AAAUSDT_1h.parquet", frame())
    put(tmp_path, "candles/BYBIT_AAAUSDT_4h.parquet", frame(level=50.0)[::4])
    put(tmp_path, "mark/BINANCEUM_AAAUSDT_mark_1h.parquet", frame(level=101.0))
    settled = {
        "timestamp": FIRST // (8 * HOUR) * 8 * HOUR + np.array([0, 8 * HOUR + 14]),
        "rate": [1e-4, -2e-4],
    }
    put(tmp_path, "funding/BINANCEUM_AAAUSDT_funding.parquet", pl.DataFrame(settled))
    return tmp_path


def close_of(bars: Bars | None) -> float:
    assert bars is not None
    return float(bars.close[0])


@pytest.mark.parametrize("inside", ["", "candles"])
def test_flat_files_are_found_from_the_folder_and_from_its_candles(flat: Path, inside: str) -> None:
    shelf = Shelf(flat / inside)
    assert close_of(shelf.bars("binance", "AAAUSDT", "1h")) == 100.0
    assert close_of(shelf.bars("BINANCEUM", "AAAUSDT", "1h")) == 100.0
    assert close_of(shelf.bars("bybit", "AAAUSDT", "4h")) == 50.0
    assert close_of(shelf.mark("binance", "AAAUSDT", "1h")) == 101.0


def test_funding_is_put_on_its_minute(flat: Path) -> None:
    funding = Shelf(flat).funding("binance", "AAAUSDT")
    assert funding is not None
    assert (funding.settled_ms % (8 * HOUR) == 0).all()
    assert funding.rate_frac.tolist() == [1e-4, -2e-4]
    assert (funding.from_ms, funding.to_ms) == (funding.settled_ms[0], funding.settled_ms[1])


def test_our_own_layout_comes_before_a_flat_file(flat: Path) -> None:
    bars = Shelf(flat).bars("binance", "AAAUSDT", "1h")
    assert bars is not None
    write_bars(flat, "binance", "AAAUSDT", "1h", bars.between(0, FIRST + 4 * HOUR))
    stored = Shelf(flat).bars("binance", "AAAUSDT", "1h")
    assert stored is not None and len(stored) == 4


def test_what_is_not_there_is_none_and_the_words_name_what_is(flat: Path) -> None:
    shelf = Shelf(flat)
    assert shelf.bars("bybit", "AAAUSDT", "1h") is None
    assert shelf.mark("bybit", "AAAUSDT", "1h") is None
    assert shelf.funding("bybit", "AAAUSDT") is None
    words = shelf.looked_for("bybit", "AAAUSDT", "1h")
    assert "BYBIT_AAAUSDT_1h.parquet" in words and "BINANCEUM_AAAUSDT_1h.parquet" in words
    assert words.endswith("of AAAUSDT there is BINANCEUM_AAAUSDT_1h.parquet, BYBIT_AAAUSDT_4h.parquet")


def test_a_folder_that_is_not_there_is_a_matter_of_configuration(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no data folder"):
        Shelf(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        (pl.concat([frame(), frame()[3:4]]), "duplicated"),
        (frame().reverse(), "out_of_order"),
        (frame().drop("low"), "unreadable_file"),
        (frame().with_columns(pl.col("timestamp").cast(pl.String)), "unreadable_file"),
        (frame().with_columns(timestamp=pl.from_epoch("timestamp", "ms")), "unreadable_file"),
        (frame().with_columns(timestamp=pl.lit(None, pl.Int64)), "unreadable_file"),
    ],
)
def test_a_broken_flat_file_is_refused_by_name(tmp_path: Path, table: pl.DataFrame, reason: str) -> None:
    put(tmp_path, "candles/BYBIT_AAAUSDT_1h.parquet", table)
    with pytest.raises(DataError, match=r"BYBIT_AAAUSDT_1h\.parquet") as caught:
        Shelf(tmp_path).bars("bybit", "AAAUSDT", "1h")
    assert caught.value.reason == reason


def test_a_torn_file_is_refused_by_name(tmp_path: Path) -> None:
    path = put(tmp_path, "candles/BYBIT_AAAUSDT_1h.parquet", frame())
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(DataError, match=r"unreadable_file: .*BYBIT_AAAUSDT_1h"):
        Shelf(tmp_path).bars("bybit", "AAAUSDT", "1h")


def test_nulls_are_read_as_no_number(tmp_path: Path) -> None:
    put(tmp_path, "candles/BYBIT_AAAUSDT_1h.parquet", frame().with_columns(volume=pl.lit(None, pl.Float64)))
    bars = Shelf(tmp_path).bars("bybit", "AAAUSDT", "1h")
    assert bars is not None and np.isnan(bars.volume).all()


def test_without_polars_the_remedy_is_named() -> None:
    program = "import sys; sys.modules['polars'] = None; import engine_alpha.store.shelf"
    root = Path(__file__).resolve().parents[3]
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=root, capture_output=True, text=True, timeout=60
    )
    assert (
        "ConfigError: reading Parquet needs the backtest extra: pip install 'chloe[backtest]'" in run.stderr
    )


@pytest.mark.parametrize("name", ["binance", "BINANCEUM"])
def test_our_own_layout_is_found_by_the_venues_id_and_by_the_flat_files_name(
    tmp_path: Path, name: str
) -> None:
    close = np.linspace(100.0, 130.0, 30)
    bars = Bars(
        timeframe_ms=HOUR,
        open_ms=FIRST + np.arange(30, dtype=np.int64) * HOUR,
        open=close,
        high=close + 1.0,
        low=close - 1.0,
        close=close,
        volume=np.full(30, 5.0),
    )
    write_bars(tmp_path, "binance", "AAAUSDT", "1h", bars)
    found = Shelf(tmp_path).bars(name, "AAAUSDT", "1h")
    assert found is not None and len(found) == 30
