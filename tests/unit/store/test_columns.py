"""The cache of decoded columns: the bits of decoding, damage noticed, no fault where nothing can be kept."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from engine_alpha.domain.bars import Bars, Funding
from engine_alpha.errors import DataError
from engine_alpha.home import cache_folder
from engine_alpha.store import columns as cache
from engine_alpha.store.columns import cached_columns, file_columns
from engine_alpha.store.months import read_bars, write_bars, write_funding
from engine_alpha.store.parquet import BAR_COLUMNS, TIME, Columns, packed, read_columns
from engine_alpha.store.shelf import Shelf

ROOT = Path(__file__).resolve().parents[3]
HOUR = 3_600_000
FIRST = 470_000 * HOUR
DAY_S = 86_400


@pytest.fixture(autouse=True)
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return where the cache keeps its files in this test."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "chloe" / "columns"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Return a Parquet file with awkward numbers in it."""
    path = tmp_path / "candles" / "BYBIT_AAAUSDT_1h.parquet"
    path.parent.mkdir()
    path.write_bytes(packed(awkward()))
    return path


def awkward(rows: int = 50) -> Columns:
    """Return columns with NaN, minus zero, infinity and a subnormal among them."""
    columns: Columns = {TIME: FIRST + np.arange(rows, dtype=np.int64) * HOUR}
    for number, name in enumerate(BAR_COLUMNS[1:]):
        columns[name] = np.random.default_rng(number).normal(100.0, 5.0, rows)
        columns[name][:4] = np.nan, -0.0, np.inf, 5e-324
    return columns


def bits(columns: Columns) -> dict[str, bytes]:
    return {name: column.tobytes() for name, column in columns.items()}


def hours(rows: int = 1_500) -> Bars:
    close = 100.0 + np.arange(rows) % 17
    times = FIRST + np.arange(rows, dtype=np.int64) * HOUR
    return Bars(
        timeframe_ms=HOUR, open_ms=times, open=close, high=close, low=close, close=close, volume=close
    )


def never() -> Columns:
    raise AssertionError("decoded again")


def test_a_warm_read_gives_the_bits_of_a_cold_one_and_of_decoding(source: Path, kept: Path) -> None:
    cold = file_columns(source, BAR_COLUMNS)
    assert len(list(kept.iterdir())) == 1
    warm = file_columns(source, BAR_COLUMNS)
    assert bits(cold) == bits(warm) == bits(read_columns(source, BAR_COLUMNS))
    assert list(warm) == list(BAR_COLUMNS)
    assert [column.dtype for column in warm.values()] == [np.int64, *[np.float64] * 5]


def test_a_warm_read_decodes_nothing(source: Path) -> None:
    cached_columns(BAR_COLUMNS, ("a", "b"), awkward)
    assert bits(cached_columns(BAR_COLUMNS, ("a", "b"), never)) == bits(awkward())


def test_other_sources_names_or_order_are_decoded_anew() -> None:
    cached_columns(BAR_COLUMNS, ("a", "b"), awkward)
    for names, sources in ((BAR_COLUMNS, ("b", "a")), (BAR_COLUMNS, ("a",)), (BAR_COLUMNS[:2], ("a", "b"))):
        with pytest.raises(AssertionError, match="decoded again"):
            cached_columns(names, sources, never)


def test_a_source_that_changed_is_read_as_it_is_now(source: Path) -> None:
    file_columns(source, BAR_COLUMNS)
    source.write_bytes(packed(awkward(rows=20)))
    assert len(file_columns(source, BAR_COLUMNS)["close"]) == 20


def test_no_array_can_be_written_to(source: Path, kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cold, warm = file_columns(source, BAR_COLUMNS), file_columns(source, BAR_COLUMNS)
    monkeypatch.setenv("XDG_CACHE_HOME", "/proc/nowhere")
    for columns in (cold, warm, file_columns(source, BAR_COLUMNS)):
        for column in columns.values():
            with pytest.raises(ValueError, match="read-only"):
                column[0] = 1


def test_a_series_of_no_rows_is_kept_too() -> None:
    empty = {name: column[:0] for name, column in awkward().items()}
    cached_columns(BAR_COLUMNS, (), lambda: empty)
    assert bits(cached_columns(BAR_COLUMNS, (), never)) == bits(empty)


def cut(content: bytes) -> bytes:
    return content[:-8]


def flipped(at: int) -> Callable[[bytes], bytes]:
    def spoil(content: bytes) -> bytes:
        return content[:at] + bytes((content[at] ^ 1,)) + content[at + 1 :]

    return spoil


@pytest.mark.parametrize(
    "spoil",
    [
        cut,
        lambda content: b"",
        lambda content: content[:100],
        lambda content: content + bytes(8),
        *(flipped(at) for at in (0, 20, 60, 127, 128, 136, 144, 192, 700, -1)),
    ],
)
def test_a_damaged_file_is_noticed_and_made_anew(
    source: Path, kept: Path, spoil: Callable[[bytes], bytes]
) -> None:
    before = bits(file_columns(source, BAR_COLUMNS))
    (path,) = kept.iterdir()
    whole = path.read_bytes()
    path.unlink()
    path.write_bytes(spoil(whole))
    assert bits(file_columns(source, BAR_COLUMNS)) == before
    assert path.read_bytes() == whole


def test_arrays_in_use_outlive_their_file(source: Path, kept: Path) -> None:
    file_columns(source, BAR_COLUMNS)
    warm = file_columns(source, BAR_COLUMNS)
    (path,) = kept.iterdir()
    path.unlink()
    file_columns(source, BAR_COLUMNS)
    assert bits(warm) == bits(awkward())


@pytest.mark.parametrize("place", ["/proc/nowhere", "a file"])
def test_a_cache_that_can_not_be_written_is_no_fault(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    (tmp_path / "a file").write_text("in the way")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / place))  # an absolute `place` stays as it is
    for _ in range(2):
        assert bits(file_columns(source, BAR_COLUMNS)) == bits(awkward())


def test_what_nobody_used_for_ninety_days_goes_when_something_new_comes(kept: Path) -> None:
    for age_days in (91, 89):
        cached_columns(BAR_COLUMNS, (str(age_days),), awkward)
    (kept / ".half-written").write_text("left by a killed writer")
    old, young = (kept / f"{cache._key(BAR_COLUMNS, (str(days),))}.npy" for days in (91, 89))
    for path, age_days in ((old, 91), (young, 89), (kept / ".half-written", 91)):
        at_s = time.time() - age_days * DAY_S
        os.utime(path, (at_s, at_s))
    cached_columns(BAR_COLUMNS, ("new",), awkward)
    assert not old.exists() and not (kept / ".half-written").exists() and young.exists()


def test_use_makes_a_file_young_again(kept: Path) -> None:
    cached_columns(BAR_COLUMNS, ("used",), awkward)
    (path,) = kept.iterdir()
    os.utime(path, (time.time() - 89 * DAY_S,) * 2)
    cached_columns(BAR_COLUMNS, ("used",), never)
    assert time.time() - path.stat().st_mtime < DAY_S


def test_a_stored_series_is_one_file_of_the_cache_and_still_checked(tmp_path: Path, kept: Path) -> None:
    write_bars(tmp_path, "bybit", "AAA", "1h", hours())
    cold, warm = (read_bars(tmp_path, "bybit", "AAA", "1h") for _ in range(2))
    assert len(list(kept.iterdir())) == 1 and not warm.close.flags.writeable
    assert cold.close.tobytes() == warm.close.tobytes() == hours().close.tobytes()
    month = sorted((tmp_path / "bybit/AAA/1h").glob("*.parquet"))[0]
    month.write_bytes(month.read_bytes()[:-1] + b"X")
    with pytest.raises(DataError, match="hash_mismatch"):
        read_bars(tmp_path, "bybit", "AAA", "1h")


def test_new_bars_of_a_stored_series_are_seen(tmp_path: Path) -> None:
    write_bars(tmp_path, "bybit", "AAA", "1h", hours(1_000))
    assert len(read_bars(tmp_path, "bybit", "AAA", "1h")) == 1_000
    write_bars(tmp_path, "bybit", "AAA", "1h", hours(1_500))
    assert len(read_bars(tmp_path, "bybit", "AAA", "1h")) == 1_500


def test_a_warm_shelf_needs_no_polars(tmp_path: Path) -> None:
    data = tmp_path / "stored"
    write_bars(data, "bybit", "AAA", "1h", hours())
    rates = Funding(settled_ms=hours(9).open_ms, rate_frac=np.full(9, 1e-4))
    write_funding(data, "bybit", "AAA", rates)
    (data / "mark").mkdir()
    pl.DataFrame(awkward()).write_parquet(data / "mark" / "BYBIT_AAA_mark_1h.parquet")
    program = (
        "import sys; from pathlib import Path; from engine_alpha.store.shelf import open_shelf;"
        "shelf = open_shelf(Path(sys.argv[1]));"
        "assert len(shelf.bars('bybit', 'AAA', '1h')) == 1_500;"
        "assert len(shelf.mark('bybit', 'AAA', '1h')) == 50;"
        "assert len(shelf.funding('bybit', 'AAA').settled_ms) == 9;"
        "print('polars' in sys.modules)"
    )
    command = [sys.executable, "-c", program, str(data)]
    said = [subprocess.check_output(command, cwd=ROOT, text=True, timeout=60).strip() for _ in range(2)]
    assert said == ["True", "False"]


def test_a_torn_source_is_refused_by_name_and_not_kept(source: Path, kept: Path) -> None:
    source.write_bytes(source.read_bytes()[:100])
    with pytest.raises(DataError, match=r"unreadable_file: .*BYBIT_AAAUSDT_1h"):
        file_columns(source, BAR_COLUMNS)
    assert not kept.exists()


def test_the_cache_is_where_xdg_says_or_in_the_users_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/someone")
    found = []
    for named in ("/var/cache/x", "relative", ""):
        monkeypatch.setenv("XDG_CACHE_HOME", named)
        found.append(str(cache_folder()))
    monkeypatch.delenv("XDG_CACHE_HOME")
    found.append(str(cache_folder()))
    assert found == ["/var/cache/x/chloe", *["/home/someone/.cache/chloe"] * 3]


def test_flat_files_are_kept_by_content_whatever_their_name(source: Path, kept: Path) -> None:
    twin = source.with_name("BINANCEUM_BBBUSDT_1h.parquet")
    twin.write_bytes(source.read_bytes())
    shelf = Shelf(source.parent)
    first, second = shelf.bars("bybit", "AAAUSDT", "1h"), shelf.bars("binance", "BBBUSDT", "1h")
    assert first is not None and second is not None
    assert len(list(kept.iterdir())) == 1
