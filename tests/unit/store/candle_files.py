"""Generated bars, and files of them as other programs write them."""

import gzip
import io
import json
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl

from engine_alpha.domain.bars import Bars, Floats, Funding, Ints
from engine_alpha.store.importing.rows import ARCHIVE_COLUMNS, Wishes
from engine_alpha.store.importing.run import Import, planned_import, write_import

HOUR = 3_600_000
MINUTE = 60_000
FIRST = 1_735_862_400_000  # 2025-01-03, when Binance's spot files have microseconds
NOW = FIRST + 20_000 * HOUR
NAMES = ("open", "high", "low", "close", "volume")


def some_bars(rows: int = 200, step_ms: int = HOUR, seed: int = 1, first_ms: int = FIRST) -> Bars:
    """Return bars whose prices have as many digits as a float can."""
    random = np.random.default_rng(seed)
    close = 100.0 * np.exp(np.cumsum(random.normal(0.0, 0.01, rows)))
    opens = np.concatenate([[100.0], close[:-1]])
    high, low = np.maximum(opens, close), np.minimum(opens, close)
    return Bars(
        timeframe_ms=step_ms,
        open_ms=first_ms // step_ms * step_ms + np.arange(rows, dtype=np.int64) * step_ms,
        open=opens,
        high=high * (1.0 + random.random(rows) * 0.01),
        low=low * (1.0 - random.random(rows) * 0.01),
        close=close,
        volume=random.random(rows) * 1_000.0,
    )


def some_funding(rows: int = 30) -> Funding:
    """Return settlements eight hours apart."""
    times = FIRST + np.arange(rows, dtype=np.int64) * 8 * HOUR
    rates = np.random.default_rng(2).normal(0.0, 1e-4, rows)
    return Funding(settled_ms=times, rate_frac=rates, from_ms=int(times[0]), to_ms=int(times[-1]))


def taken(bars: Bars, rows: Ints | slice | list[int]) -> Bars:
    """Return some of the bars, in the order given."""
    return Bars(
        timeframe_ms=bars.timeframe_ms,
        open_ms=bars.open_ms[rows],
        **{name: getattr(bars, name)[rows] for name in NAMES},
    )


def same_bits(some: Bars, other: Bars) -> bool:
    """Say whether bars are equal to the last bit."""
    columns = ("open_ms", *NAMES)
    return some.timeframe_ms == other.timeframe_ms and all(
        getattr(some, name).tobytes() == getattr(other, name).tobytes() for name in columns
    )


def imported(root: Path, *paths: Path, wishes: Wishes | None = None, replace: bool = False) -> Import:
    """Plan and write an import, and return its plan."""
    plan = planned_import(root, paths, wishes or Wishes(), now_ms=NOW, replace=replace)
    write_import(plan)
    return plan


def csv_text(
    bars: Bars,
    header: str | None = "timestamp,open,high,low,close,volume",
    time_of: Callable[[int], str] = str,
) -> str:
    """Return CSV with every digit."""
    lines = [] if header is None else [header]
    for at, time in enumerate(bars.open_ms.tolist()):
        values = [repr(float(getattr(bars, name)[at])) for name in NAMES]
        lines.append(",".join([time_of(time), *values]))
    return "\n".join(lines) + "\n"


def archive_csv(bars: Bars, header: bool, per_ms: int = 1) -> str:
    """Return a CSV file of the Binance archive."""
    lines = [",".join(ARCHIVE_COLUMNS)] if header else []
    for at, time in enumerate(bars.open_ms.tolist()):
        values = [repr(float(getattr(bars, name)[at])) for name in NAMES]
        closes = (time + bars.timeframe_ms) * per_ms - 1
        lines.append(",".join([str(time * per_ms), *values, str(closes), "1.0", "3", "0.5", "0.5", "0"]))
    return "\n".join(lines) + "\n"


def zipped(path: Path, text: str, member: str | None = None) -> Path:
    """Write a zip with one file in it, by default named like the zip."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(member or f"{path.stem}.csv", text)
    return path


def gzipped(path: Path, text: str) -> Path:
    """Write a gzipped file."""
    path.write_bytes(gzip.compress(text.encode()))
    return path


def written(path: Path, text: str) -> Path:
    """Write a text file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def cryptodatadownload_csv(bars: Bars, symbol: str, base: str, per_second: Callable[[int], bool]) -> str:
    """Return a file of theirs: newest first, seconds for some rows and milliseconds for the others."""
    lines = ["https://www.CryptoDataDownload.com"]
    lines.append(f"unix,date,symbol,open,high,low,close,Volume {base},Volume USDT,tradecount")
    for at in reversed(range(len(bars))):
        time = int(bars.open_ms[at])
        shown = datetime.fromtimestamp(time / 1_000, UTC).strftime("%Y-%m-%d %H:%M:%S")
        unix = time // 1_000 if per_second(at) else time
        prices = [repr(float(getattr(bars, name)[at])) for name in NAMES]
        lines.append(",".join([str(unix), shown, symbol, *prices, "12345.6", "7"]))
    return "\n".join(lines) + "\n"


def freqtrade_frame(times_ms: Ints, columns: dict[str, Floats]) -> pl.DataFrame:
    """Return candles as freqtrade keeps them: a date with its time zone, then the prices."""
    dates = pl.Series("date", times_ms).cast(pl.Datetime("ms", "UTC"))
    return pl.DataFrame({"date": dates, **columns})


def columns_of(bars: Bars) -> dict[str, Floats]:
    """Return prices and volume."""
    return {name: getattr(bars, name) for name in NAMES}


def feather(path: Path, frame: pl.DataFrame) -> Path:
    """Write a feather file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    buffer = io.BytesIO()
    frame.write_ipc(buffer, compression="zstd")
    path.write_bytes(buffer.getvalue())
    return path


def json_rows(path: Path, bars: Bars) -> Path:
    """Write candles as a list of lists."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [
        [int(time), *(float(getattr(bars, name)[at]) for name in NAMES)]
        for at, time in enumerate(bars.open_ms.tolist())
    ]
    path.write_text(json.dumps(rows), encoding="utf-8")
    return path


def flat(path: Path, bars: Bars) -> Path:
    """Write a flat Parquet file of ours."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pl.DataFrame({"timestamp": bars.open_ms, **columns_of(bars)}).write_parquet(path)
    return path
