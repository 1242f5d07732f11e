"""What can't be right is refused by file and line, and then nothing at all is written."""

import hashlib
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from engine_alpha.domain.bars import Bars
from engine_alpha.errors import ChloeError, ConfigError, DataError
from engine_alpha.store.importing.naming import Label
from engine_alpha.store.importing.rows import Wishes, parse_columns
from engine_alpha.store.importing.run import planned_import, write_import
from engine_alpha.store.importing.series import wished_label
from engine_alpha.store.months import read_bars, read_manifest, write_bars
from tests.unit.store.candle_files import (
    FIRST,
    HOUR,
    MINUTE,
    NOW,
    archive_csv,
    columns_of,
    csv_text,
    feather,
    flat,
    freqtrade_frame,
    imported,
    json_rows,
    same_bits,
    some_bars,
    taken,
    written,
    zipped,
)

NAME = "bybit_perp_ETHUSDT_1h.csv"
ETH = ("bybit", "ETHUSDT", "1h")


def refusal(root: Path, *paths: Path, wishes: Wishes | None = None) -> str:
    """Return what is said of files that can't be imported; the store must be as before."""
    before = sorted(root.rglob("*"))
    with pytest.raises(ChloeError) as caught:
        imported(root, *paths, wishes=wishes)
    assert sorted(root.rglob("*")) == before
    return str(caught.value)


def edited(change: Callable[[list[str]], None]) -> str:
    """Return a CSV file of 200 bars after a change to its lines; the first is the header."""
    lines = csv_text(some_bars()).splitlines()
    change(lines)
    return "\n".join(lines) + "\n"


def set_cell(line: int, column: int, text: str) -> Callable[[list[str]], None]:
    def change(lines: list[str]) -> None:
        cells = lines[line - 1].split(",")
        cells[column] = text
        lines[line - 1] = ",".join(cells)

    return change


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (set_cell(50, 2, "0.5"), "impossible_bar: .*, line 50: "),
        (set_cell(50, 3, "1e9"), "impossible_bar: .*, line 50: "),
        (set_cell(50, 4, "-1"), "not_positive: .*, line 50: "),
        (set_cell(50, 3, "0"), "not_positive: .*, line 50: "),
        (set_cell(50, 5, "-2"), "not_positive: .*, line 50: "),
        (set_cell(50, 5, ""), "nan: .*, line 50: "),
        (set_cell(50, 1, "nan"), "nan: .*, line 50: "),
        (set_cell(50, 2, "inf"), "nan: .*, line 50: "),
        (set_cell(50, 1, "abc"), 'no_number: .*, line 50: open is no number: "abc"'),
        (set_cell(50, 1, "1,5"), "unreadable_file: .*, line 50: more than the 6 cells"),
        (set_cell(201, 0, str(NOW + 99 * HOUR)), "future_bar: .*, line 201: "),
        (lambda lines: lines.append("17364"), 'cut_off: .*its last line is cut off \\("17364"\\)'),
        (lambda lines: lines.insert(80, lines[79] + "9"), "duplicated: .*, line 81: a second row .* line 80"),
        (lambda lines: lines.__delitem__(slice(1, None)), "unreadable_file: .*no row of values"),
        (lambda lines: lines.clear(), "unreadable_file: .*no row of values"),
    ],
)
def test_a_bad_row_refuses_the_file_by_its_line(
    tmp_path: Path, change: Callable[[list[str]], None], said: str
) -> None:
    path = written(tmp_path / NAME, edited(change))
    text = refusal(tmp_path / "store", path)
    assert pytest.raises(AssertionError, match=said).matches(AssertionError(text)), text


def test_of_two_bad_rows_the_earlier_bar_is_named_whatever_the_order_of_the_file(tmp_path: Path) -> None:
    def change(lines: list[str]) -> None:
        set_cell(150, 4, "-1")(lines)
        set_cell(60, 2, "0.5")(lines)
        lines[1:] = reversed(lines[1:])

    text = refusal(tmp_path / "store", written(tmp_path / NAME, edited(change)))
    assert "line 143: bar 58 " in text


def test_a_row_that_stands_twice_is_merged_and_counted(tmp_path: Path) -> None:
    def change(lines: list[str]) -> None:
        lines[1:1] = lines[20:30]
        lines.append(lines[1])

    plan = imported(tmp_path / "store", written(tmp_path / NAME, edited(change)))
    assert [piece.repeated_rows for piece in plan.pieces] == [11]
    assert same_bits(read_bars(tmp_path / "store", *ETH), some_bars())


def test_the_bar_that_is_still_forming_is_left_out_and_named(tmp_path: Path) -> None:
    path = written(tmp_path / NAME, csv_text(some_bars()))
    newest = int(some_bars().open_ms[-1])
    for now_ms, forming in ((newest + HOUR - 1, newest), (newest, newest), (newest + HOUR, None)):
        plan = planned_import(tmp_path / "store", [path], Wishes(), now_ms=now_ms)
        assert plan.pieces[0].forming_ms == forming
        assert len(plan.pieces[0]) == 200 - (forming is not None)


def test_a_bar_that_was_forming_when_the_file_was_written_is_left_out_for_ever(tmp_path: Path) -> None:
    path = written(tmp_path / NAME, csv_text(some_bars()))
    newest = int(some_bars().open_ms[-1])
    for written_ms, rows in ((newest + 5 * MINUTE, 199), (newest + HOUR, 200), (0, 200)):
        os.utime(path, ns=(written_ms * 1_000_000, written_ms * 1_000_000))
        assert len(planned_import(tmp_path / "store", [path], Wishes(), now_ms=NOW).pieces[0]) == rows


def test_a_file_of_nothing_but_a_forming_bar_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / NAME, csv_text(taken(some_bars(), [0])))
    with pytest.raises(DataError, match=r"empty: .*no closed bar"):
        planned_import(tmp_path, [path], Wishes(), now_ms=FIRST + 1)


@pytest.mark.parametrize(
    ("name", "missing", "option"),
    [
        (
            "candles.csv",
            "venue and symbol",
            "--venue bybit or --venue binance for a perpetual, --venue BINANCE",
        ),
        ("ETHUSDT.csv", "venue", "--venue"),
        ("binance_futures_1h.csv", "symbol", "--symbol and, for example, ETHUSDT"),
        ("binance_ETHUSDT_1h.csv", "market", "--market perpetual or --market spot"),
        ("bybit_ETHUSDT_1h.csv", "market", "--market perpetual or --market spot"),
        ("ETHUSDT-1h-2025-01.csv", "market", "--market perpetual or --market spot"),
        ("binance_spot_futures_ETHUSDT.csv", "market", "--market perpetual or --market spot"),
        ("bybit_binance_ETHUSDT.csv", "venue", "--venue"),
        ("bybit_perp_ETHUSDT_BTCUSDT.csv", "symbol", "--symbol"),
    ],
)
def test_what_can_not_be_told_is_asked_for_by_its_option(
    tmp_path: Path, name: str, missing: str, option: str
) -> None:
    text = refusal(tmp_path / "store", written(tmp_path / name, csv_text(some_bars())))
    assert f"can't tell its {missing}: say " in text and option in text


def test_the_options_answer_what_is_asked(tmp_path: Path) -> None:
    path = written(tmp_path / "candles.csv", csv_text(taken(some_bars(), [0, 2, 5])))
    label = wished_label(venue="Bybit", market=None, symbol="eth/usdt:usdt", timeframe=None, kind=None)
    text = refusal(tmp_path / "store", path, wishes=Wishes(label=label))
    assert "can't tell its timeframe: say --timeframe" in text
    imported(tmp_path / "store", path, wishes=Wishes(label=replace(label, timeframe="1h")))
    assert len(read_bars(tmp_path / "store", *ETH)) == 3


@pytest.mark.parametrize(
    ("name", "step_ms", "said"),
    [
        (
            "bybit_perp_ETHUSDT_1h.csv",
            MINUTE,
            "its name says 1h, but its rows are 1 min apart: say --timeframe 1m",
        ),
        (
            "bybit_perp_ETHUSDT_1m.csv",
            HOUR,
            "its name says 1m, but its rows are 1 h apart: say --timeframe 1h",
        ),
        ("bybit_perp_ETHUSDT_4h.csv", 24 * HOUR, "its rows are 1 d apart: say --timeframe 1d"),
        ("bybit_perp_ETHUSDT.csv", 8 * HOUR, "bars of 8 h can't be stored; there are 1m, 3m"),
    ],
)
def test_a_timeframe_that_the_rows_contradict_is_refused(
    tmp_path: Path, name: str, step_ms: int, said: str
) -> None:
    assert said in refusal(tmp_path / "store", written(tmp_path / name, csv_text(some_bars(step_ms=step_ms))))


@pytest.mark.parametrize("timeframe", ["8h", "3d", "1w", "1mo", "1s", "1M"])
def test_a_timeframe_that_can_not_be_stored_is_refused(tmp_path: Path, timeframe: str) -> None:
    path = zipped(tmp_path / f"ETHUSDT-{timeframe}-2025-01.zip", archive_csv(some_bars(), True))
    text = refusal(tmp_path / "store", path)
    assert f"bars of {timeframe} can't be stored" in text or "market" in text


def test_a_timeframe_option_finer_than_the_rows_says_that_rows_are_missing(tmp_path: Path) -> None:
    path = written(tmp_path / "bybit_perp_ETHUSDT.csv", csv_text(some_bars(10)))
    imported(tmp_path / "store", path, wishes=Wishes(label=Label(timeframe="30m")))
    manifest = read_manifest(tmp_path / "store" / "bybit" / "ETHUSDT" / "30m")
    assert len(manifest.gaps) == 9


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("ETHUSD_PERP-1h-2025-01.csv", "coin-margined or dated contract"),
        ("ETHUSDT_250328-1h-2025-01.csv", "coin-margined or dated contract"),
        ("futures/um/monthly/indexPriceKlines/ETHUSDT/1h/ETHUSDT-1h-2025-01.csv", "indexPriceKlines"),
        ("futures/cm/monthly/klines/ETHUSD_PERP/1h/x.csv", "futures/cm klines"),
        ("binance/futures/ETH_USD_ETH-1h-futures.json", "settled in ETH"),
        ("binance/futures/ETH_USDT_USDT-1h-index.json", "index prices"),
        ("testnet_binance_futures_ETHUSDT_1h.csv", "testnet prices"),
        ("bybit/ETH_USDT-1h.json", "spot candles of bybit have no place in Chloe"),
        ("binance_spot_mark_ETHUSDT_1h.csv", "mark prices have no volume"),
    ],
)
def test_what_is_no_candle_of_chloes_is_refused(tmp_path: Path, name: str, said: str) -> None:
    path = tmp_path / name
    if path.suffix == ".json":
        json_rows(path, some_bars())
    else:
        written(path, archive_csv(some_bars(), True))
    assert said in refusal(tmp_path / "store", path)


@pytest.mark.parametrize(
    ("name", "market", "said"),
    [
        (
            "binance_spot_ETHUSDT_1h.csv",
            "perpetual",
            "perpetual candles are wanted, name or content say spot",
        ),
        ("ETHUSDT-1h-2025-01.csv", "perpetual", "perpetual candles are wanted, name or content say spot"),
        ("binance/futures/ETH_USDT_USDT-1h-futures.csv", "spot", "say --market perpetual"),
    ],
)
def test_a_market_that_the_file_contradicts_is_refused(
    tmp_path: Path, name: str, market: str, said: str
) -> None:
    per_ms = 1_000 if name.startswith("ETH") else 1
    path = written(tmp_path / name, archive_csv(some_bars(), header=False, per_ms=per_ms))
    assert said in refusal(tmp_path / "store", path, wishes=Wishes(label=Label(market=market)))


def test_candles_without_any_volume_may_be_mark_prices_and_must_be_named(tmp_path: Path) -> None:
    still = replace(some_bars(), volume=np.zeros(200))
    path = written(tmp_path / NAME, csv_text(still))
    assert "say --kind mark" in refusal(tmp_path / "store", path)
    imported(tmp_path / "store", path, wishes=Wishes(label=Label(kind="mark")))
    imported(tmp_path / "store", path, wishes=Wishes(label=Label(kind="candles")))
    names = sorted(path.name for path in (tmp_path / "store/bybit/ETHUSDT").iterdir())
    assert names == ["1h", "mark_1h"]


def test_a_missing_column_is_asked_for_with_what_there_is(tmp_path: Path) -> None:
    lines = [line.rpartition(",")[0] for line in csv_text(some_bars()).splitlines()]
    text = refusal(tmp_path / "store", written(tmp_path / NAME, "\n".join(lines)))
    assert "no column with volumes" in text and "timestamp, open, high, low, close" in text
    path = written(tmp_path / NAME, csv_text(some_bars(), "timestamp,a,b,c,d,volume"))
    text = refusal(tmp_path / "store", path)
    assert "say --columns open=…,high=…,low=…,close=…; there are timestamp, a, b" in text
    text = refusal(tmp_path / "store", path, wishes=Wishes(columns={"open": "x"}))
    assert "--columns names x; there are" in text


@pytest.mark.parametrize("text", ["open", "open=", "price=x", "open=a,open=b", ""])
def test_columns_that_make_no_sense_are_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="--columns"):
        parse_columns(text)


def test_rows_of_several_symbols_in_one_file_are_refused(tmp_path: Path) -> None:
    lines = csv_text(some_bars()).splitlines()
    lines = [f"{lines[0]},symbol", *(f"{line},{'AB'[at % 2]}USDT" for at, line in enumerate(lines[1:]))]
    text = refusal(tmp_path / "store", written(tmp_path / NAME, "\n".join(lines)))
    assert "several_symbols" in text and "AUSDT, BUSDT" in text


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.zip", b"no zip"),
        ("a.csv.gz", b"no gzip"),
        ("a.parquet", b"PAR1 no parquet"),
        ("a.feather", b"ARROW1 no feather"),
        ("a.csv", b"time,open,high,low,close,volume"),
        ("a.json", b'{"a": 1}'),
        ("a.json", b"[[1, 2], [3]]"),
        ("a.json", b"[[1, [2]]]"),
        ("a.json", b"[["),
        ("a.csv", "héé".encode("utf-16")),
        ("a.xlsx", b""),
    ],
)
def test_a_file_that_can_not_be_read_is_refused_by_name(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    text = refusal(tmp_path / "store", path)
    assert text.startswith("unreadable_file: ") and f"{tmp_path}/a" in text


@pytest.mark.parametrize("name", ["BYBIT_ETHUSDT_1h.parquet", "ETH_USDT_USDT-1h-futures.json"])
def test_a_table_without_rows_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if path.suffix == ".json":
        path.write_text("[]")
    else:
        flat(path, taken(some_bars(), []))
    assert refusal(tmp_path / "store", path) == f"empty: {path}: no rows"


def test_a_damaged_zip_is_refused(tmp_path: Path) -> None:
    path = zipped(tmp_path / "ETHUSDT-1h-2025-01.zip", archive_csv(some_bars(), True))
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(bytes(content))
    assert "no sound zip file" in refusal(tmp_path / "store", path)


def test_a_zip_must_match_the_checksum_beside_it(tmp_path: Path) -> None:
    path = zipped(tmp_path / "ETHUSDT-1h-2025-01.zip", archive_csv(some_bars(), True))
    beside = tmp_path / f"{path.name}.CHECKSUM"
    beside.write_text(f"{'0' * 64}  {path.name}\n")
    assert "checksum_mismatch" in refusal(tmp_path / "store", path, beside)
    beside.write_text(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n")
    imported(tmp_path / "store", path, beside)
    assert len(read_bars(tmp_path / "store", "binance", "ETHUSDT", "1h")) == 200


@pytest.mark.parametrize(
    ("rate", "said"), [(float("nan"), "nan: "), (1.5, "impossible_rate: "), (-60_000.0, "impossible_rate: ")]
)
def test_a_rate_that_is_none_is_refused_by_its_row(tmp_path: Path, rate: float, said: str) -> None:
    rates = np.full(30, 1e-4)
    rates[7] = rate
    frame = pl.DataFrame({"timestamp": FIRST + np.arange(30) * 8 * HOUR, "rate": rates})
    frame.write_parquet(tmp_path / "BYBIT_ETHUSDT_funding.parquet")
    text = refusal(tmp_path / "store", tmp_path / "BYBIT_ETHUSDT_funding.parquet")
    assert text.startswith(said) and "funding.parquet, row 8: " in text


def test_a_rate_of_a_settlement_to_come_is_refused(tmp_path: Path) -> None:
    frame = freqtrade_frame(np.array([NOW + HOUR]), {"open": np.array([1e-4])})
    path = feather(tmp_path / "bybit/futures/ETH_USDT_USDT-8h-funding_rate.feather", frame)
    assert "future_bar: " in refusal(tmp_path / "store", path)


def test_one_bad_file_among_many_keeps_all_of_them_out_and_all_bad_ones_are_listed(tmp_path: Path) -> None:
    files = [written(tmp_path / f"bybit_perp_{coin}USDT_1h.csv", csv_text(some_bars())) for coin in "ABCDE"]
    set_bad = edited(set_cell(50, 4, "-1"))
    written(files[1], set_bad)
    written(files[3], csv_text(some_bars(step_ms=MINUTE)))
    text = refusal(tmp_path / "store", *files)
    assert "2 of 5 files can't be imported, so nothing was written" in text
    assert "not_positive: " in text and "BUSDT_1h.csv, line 50" in text and "conflict: " in text


def test_a_symbol_option_never_splices_files_that_name_different_coins(tmp_path: Path) -> None:
    bars = some_bars()
    one = written(tmp_path / "bybit_perp_AUSDT_1h.csv", csv_text(taken(bars, slice(0, 100))))
    two = written(tmp_path / "bybit_perp_BUSDT_1h.csv", csv_text(taken(bars, slice(100, 200))))
    wishes = Wishes(label=Label(symbol="CUSDT"))
    assert "would make one series of files that say AUSDT, BUSDT" in refusal(
        tmp_path / "store", one, two, wishes=wishes
    )
    imported(tmp_path / "store", one, wishes=wishes)
    assert (tmp_path / "store/bybit/CUSDT/1h").is_dir()


def changed(bars: Bars, row: int) -> Bars:
    close = bars.close.copy()
    close[row] = np.nextafter(close[row], 0.0)
    return replace(bars, close=close)


def test_files_that_overlap_and_agree_are_one_series(tmp_path: Path) -> None:
    one = written(tmp_path / "bybit_perp_ETHUSDT_1h_a.csv", csv_text(taken(some_bars(), slice(0, 120))))
    two = json_rows(tmp_path / "bybit_perp_ETHUSDT_1h_b.json", taken(some_bars(), slice(80, 200)))
    plan = imported(tmp_path / "store", one, two)
    assert (plan.series[0].new_rows, plan.series[0].shared_rows) == (200, 40)
    assert same_bits(read_bars(tmp_path / "store", *ETH), some_bars())


def test_files_that_overlap_and_disagree_are_refused_with_the_first_bar_and_how_many(tmp_path: Path) -> None:
    one = written(tmp_path / "bybit_perp_ETHUSDT_1h_a.csv", csv_text(taken(some_bars(), slice(0, 120))))
    other = changed(changed(some_bars(), 90), 100)
    two = written(tmp_path / "bybit_perp_ETHUSDT_1h_b.csv", csv_text(taken(other, slice(80, 200))))
    text = refusal(tmp_path / "store", one, two)
    assert text.startswith(
        f"disagree: {one} and {two} disagree on bybit ETHUSDT 1h at 2025-01-06 18:00 UTC: "
    )
    assert f"close {some_bars().close[90]} and {other.close[90]}; of 40 rows" in text
    assert " 2 differ. " in text and "--replace" in text
    imported(tmp_path / "store", one, two, replace=True)
    assert same_bits(read_bars(tmp_path / "store", *ETH), other)


def test_a_file_that_disagrees_with_the_store_is_refused_and_with_replace_taken(tmp_path: Path) -> None:
    store = tmp_path / "store"
    write_bars(store, *ETH, taken(some_bars(), slice(0, 150)))
    before = read_manifest(store / "bybit/ETHUSDT/1h")
    path = written(tmp_path / NAME, csv_text(changed(taken(some_bars(), slice(100, 200)), 10)))
    text = refusal(store, path)
    assert f"what is stored in {store} and {path} disagree" in text and "of 50 rows" in text
    assert read_manifest(store / "bybit/ETHUSDT/1h") == before
    plan = imported(store, path, replace=True)
    counts = plan.series[0]
    assert (counts.new_rows, counts.replaced_rows, counts.stored_rows) == (50, 1, 49)
    assert same_bits(read_bars(store, *ETH), changed(some_bars(), 110))


def test_importing_the_same_again_writes_nothing(tmp_path: Path) -> None:
    path = written(tmp_path / NAME, csv_text(some_bars()))
    imported(tmp_path / "store", path)
    before = {each: each.stat().st_mtime_ns for each in (tmp_path / "store").rglob("*")}
    counts = imported(tmp_path / "store", path).series[0]
    assert (counts.new_rows, counts.replaced_rows, counts.stored_rows) == (0, 0, 200)
    assert before == {each: each.stat().st_mtime_ns for each in (tmp_path / "store").rglob("*")}


def test_a_damaged_series_is_not_written_over(tmp_path: Path) -> None:
    store = tmp_path / "store"
    write_bars(store, *ETH, some_bars())
    month = next((store / "bybit/ETHUSDT/1h").glob("*.parquet"))
    month.write_bytes(month.read_bytes() + b"x")
    text = refusal(store, written(tmp_path / NAME, csv_text(some_bars())))
    assert "hash_mismatch" in text and f"Move {store}/bybit/ETHUSDT/1h away" in text


def test_new_months_never_hide_a_flat_file_of_the_same_series(tmp_path: Path) -> None:
    store = tmp_path / "store"
    old = flat(store / "candles/BYBIT_ETHUSDT_1h.parquet", taken(some_bars(), slice(0, 150)))
    new = written(tmp_path / NAME, csv_text(taken(some_bars(), slice(100, 200))))
    text = refusal(store, new)
    assert str(old) in text and "import that file too" in text
    imported(store, new, old)
    assert same_bits(read_bars(store, *ETH), some_bars())
    later = written(tmp_path / NAME, csv_text(some_bars(50, first_ms=FIRST + 300 * HOUR)))
    imported(store, later)
    assert len(read_bars(store, *ETH)) == 250


def test_stopped_between_two_series_the_first_is_whole_and_the_same_import_completes(tmp_path: Path) -> None:
    store = tmp_path / "store"
    files = [written(tmp_path / f"bybit_perp_{coin}USDT_1h.csv", csv_text(some_bars())) for coin in "AB"]
    plan = planned_import(store, files, Wishes(), now_ms=NOW)
    assert not store.exists()

    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_import(plan, stop)
    assert same_bits(read_bars(store, "bybit", "AUSDT", "1h"), some_bars())
    assert not (store / "bybit/BUSDT").exists()
    imported(store, *files)
    assert same_bits(read_bars(store, "bybit", "BUSDT", "1h"), some_bars())


def test_a_store_that_can_not_be_written_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("a file in the way")
    path = written(tmp_path / NAME, csv_text(some_bars()))
    with pytest.raises(ConfigError, match=r"store/bybit/ETHUSDT/1h: can't be written"):
        imported(tmp_path / "store", path)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"venue": "kraken"}, 'no venue "kraken"'),
        ({"symbol": "../../etc"}, "--symbol"),
        ({"symbol": ""}, "--symbol"),
        ({"timeframe": "2m"}, 'no timeframe "2m"'),
        ({"venue": "BINANCE", "market": "perpetual"}, "--venue BINANCE is the spot market"),
    ],
)
def test_options_that_name_nothing_are_refused(given: dict[str, str], said: str) -> None:
    names = ("venue", "market", "symbol", "timeframe", "kind")
    with pytest.raises(ConfigError) as caught:
        wished_label(**{name: given.get(name) for name in names})
    assert said in str(caught.value)


def test_prices_kept_in_columns_of_texts_are_read_too(tmp_path: Path) -> None:
    path = tmp_path / "BYBIT_ETHUSDT_1h.parquet"
    frame = pl.DataFrame({"timestamp": some_bars().open_ms, **columns_of(some_bars())})
    frame.with_columns(pl.col("open", "high").map_elements(repr, return_dtype=pl.String)).write_parquet(path)
    imported(tmp_path / "store", path)
    assert same_bits(read_bars(tmp_path / "store", *ETH), some_bars())
