"""The bar store: what is written is read, what was changed is refused, a crash leaves a series that reads."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine_alpha.domain.bar_checks import window_hash
from engine_alpha.domain.bars import Bars, Funding
from engine_alpha.errors import DataError
from engine_alpha.store import months
from engine_alpha.store.months import read_bars, read_funding, read_manifest, write_bars, write_funding

HOUR = 3_600_000
FIRST = 1_689_800_000_000 // HOUR * HOUR  # 292 hours before August 2023
NAMES = ("open_ms", "open", "high", "low", "close", "volume")
SERIES = ("bybit", "AAA", "1h")


def hours(rows: int = 1_000, level: float = 100.0) -> Bars:
    close = level + np.arange(rows) % 17
    return Bars(
        timeframe_ms=HOUR,
        open_ms=FIRST + np.arange(rows, dtype=np.int64) * HOUR,
        open=close,
        high=close + 1.0,
        low=close - 1.0,
        close=close + 0.5,
        volume=np.full(rows, 2.0),
    )


def rows_of(bars: Bars, rows: list[int]) -> Bars:
    return replace(bars, **{name: getattr(bars, name)[rows] for name in NAMES})


def test_what_is_written_is_read(tmp_path: Path) -> None:
    manifest = write_bars(tmp_path, *SERIES, hours())
    assert window_hash(read_bars(tmp_path, *SERIES)) == window_hash(hours())
    names = sorted(path.name for path in (tmp_path / "bybit/AAA/1h").iterdir())
    assert names == ["2023-07.parquet", "2023-08.parquet", "manifest.json"]
    assert (manifest.rows, manifest.first_ms, manifest.last_ms) == (1_000, FIRST, FIRST + 999 * HOUR)
    assert manifest == read_manifest(tmp_path / "bybit/AAA/1h")


def test_gaps_are_listed_inside_a_month_and_between_months(tmp_path: Path) -> None:
    kept = [*range(50), *range(53, 220), *range(300, 1_000)]  # the second gap spans the end of July
    manifest = write_bars(tmp_path, *SERIES, rows_of(hours(), kept))
    assert manifest.gaps == ((FIRST + 50 * HOUR, 3), (FIRST + 220 * HOUR, 80))


def test_new_rows_replace_those_of_the_same_time_and_leave_the_others(tmp_path: Path) -> None:
    write_bars(tmp_path, *SERIES, hours(600))
    write_bars(tmp_path, *SERIES, rows_of(hours(1_000, level=500.0), list(range(550, 1_000))))
    bars = read_bars(tmp_path, *SERIES)
    assert bars.open_ms.tolist() == hours().open_ms.tolist()
    assert bars.close[549] == hours().close[549]
    assert bars.close[550] == hours(level=500.0).close[550]


def test_writing_the_same_again_changes_no_byte(tmp_path: Path) -> None:
    write_bars(tmp_path, *SERIES, hours())
    before = {path.name: path.read_bytes() for path in (tmp_path / "bybit/AAA/1h").iterdir()}
    write_bars(tmp_path, *SERIES, hours())
    assert before == {path.name: path.read_bytes() for path in (tmp_path / "bybit/AAA/1h").iterdir()}


def test_impossible_bars_are_not_stored(tmp_path: Path) -> None:
    close = hours().close.copy()
    close[7] = np.nan
    with pytest.raises(DataError, match="nan"):
        write_bars(tmp_path, *SERIES, replace(hours(), close=close))
    assert not (tmp_path / "bybit").exists()


def test_a_changed_file_is_refused_by_name(tmp_path: Path) -> None:
    write_bars(tmp_path, *SERIES, hours())
    path = tmp_path / "bybit/AAA/1h/2023-08.parquet"
    path.write_bytes(path.read_bytes()[:-1] + b"X")
    with pytest.raises(DataError, match=r"hash_mismatch: .*2023-08\.parquet"):
        read_bars(tmp_path, *SERIES)


def test_a_lost_file_is_refused_by_name(tmp_path: Path) -> None:
    write_bars(tmp_path, *SERIES, hours())
    (tmp_path / "bybit/AAA/1h/2023-08.parquet").unlink()
    with pytest.raises(DataError, match=r"2023-08\.parquet.*not there"):
        read_bars(tmp_path, *SERIES)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"files": {}}', '{"files": {"a": 1}, "gaps": []}'])
def test_a_torn_manifest_is_refused_by_name(tmp_path: Path, text: str) -> None:
    write_bars(tmp_path, *SERIES, hours())
    (tmp_path / "bybit/AAA/1h/manifest.json").write_text(text)
    with pytest.raises(DataError, match=r"manifest\.json"):
        read_bars(tmp_path, *SERIES)


@pytest.mark.parametrize("writes", range(4))
def test_a_crash_between_any_two_writes_leaves_a_series_that_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, writes: int
) -> None:
    write_bars(tmp_path, *SERIES, hours(500))
    whole = months.write_atomically
    done: list[Path] = []

    def write_until_the_crash(path: Path, content: bytes) -> None:
        if len(done) == writes:
            raise KeyboardInterrupt
        done.append(path)
        whole(path, content)

    with monkeypatch.context() as patched:
        patched.setattr(months, "write_atomically", write_until_the_crash)
        with pytest.raises(KeyboardInterrupt):
            write_bars(tmp_path, *SERIES, hours(1_000, level=500.0))
    half = read_bars(tmp_path, *SERIES)
    assert len(half) in (500, 1_000)
    write_bars(tmp_path, *SERIES, hours(1_000, level=500.0))
    assert window_hash(read_bars(tmp_path, *SERIES)) == window_hash(hours(1_000, level=500.0))
    assert all(not entry.next_sha256 for entry in read_manifest(tmp_path / "bybit/AAA/1h").files.values())


def test_a_crash_in_another_month_is_settled_by_the_next_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "bybit/AAA/1h"
    write_bars(tmp_path, *SERIES, hours(500))
    with monkeypatch.context() as patched:

        def write_manifests_only(path: Path, content: bytes) -> None:
            if path.suffix == ".parquet":
                raise KeyboardInterrupt
            path.write_bytes(content)

        patched.setattr(months, "write_atomically", write_manifests_only)
        with pytest.raises(KeyboardInterrupt):
            write_bars(tmp_path, *SERIES, hours(1_000))
    later = replace(hours(10), open_ms=hours(10).open_ms + 4_000 * HOUR)
    manifest = write_bars(tmp_path, *SERIES, later)
    assert manifest.rows == 510
    assert manifest == read_manifest(folder)
    assert len(read_bars(tmp_path, *SERIES)) == 510


def test_funding_is_stored_and_read(tmp_path: Path) -> None:
    times = FIRST + np.arange(300, dtype=np.int64) * 8 * HOUR
    rates = np.linspace(-0.001, 0.001, 300)
    write_funding(tmp_path, "bybit", "AAA", Funding(settled_ms=times, rate_frac=rates))
    funding = read_funding(tmp_path, "bybit", "AAA")
    assert funding.settled_ms.tolist() == times.tolist()
    assert funding.rate_frac.tolist() == rates.tolist()
    assert (funding.from_ms, funding.to_ms) == (times[0], times[-1])


def test_mark_prices_are_a_series_of_their_own(tmp_path: Path) -> None:
    write_bars(tmp_path, "bybit", "AAA", "mark_1h", hours(50))
    assert read_bars(tmp_path, "bybit", "AAA", "mark_1h").timeframe_ms == HOUR
