"""`chloe data check` as it is typed: files, stored series, folders, options, exit codes."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner, Result

from engine_alpha.cli.root import chloe
from engine_alpha.domain.bars import Bars, Funding
from engine_alpha.home import init_home
from engine_alpha.store.months import write_bars, write_funding
from tests.unit.store.markets import COLUMNS, HOUR, like_a_market, rows_at, walk, with_values

Run = Callable[..., Result]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "home"
    init_home(path)
    monkeypatch.setenv("CHLOE_HOME", str(path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return path


@pytest.fixture
def run(home: Path) -> Run:
    def invoke(*arguments: str | Path) -> Result:
        return CliRunner().invoke(chloe, ["data", "check", *map(str, arguments)], prog_name="chloe")

    return invoke


def series_of(result: Result) -> list[dict[str, Any]]:
    assert result.stdout.startswith("{"), result.output
    listed: list[dict[str, Any]] = json.loads(result.stdout)["series"]
    return listed


def codes(series: dict[str, Any]) -> list[str]:
    return [finding["code"] for finding in series["findings"]]


def put(path: Path, bars: Bars, names: tuple[str, ...] = ("timestamp", *COLUMNS[1:])) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    columns = {name: getattr(bars, column) for name, column in zip(names, COLUMNS, strict=True)}
    frame = pl.DataFrame(columns)
    frame.write_csv(path) if path.suffix == ".csv" else frame.write_parquet(path)
    return path


def test_the_homes_own_series_are_checked_by_default(home: Path, run: Run) -> None:
    write_bars(home / "data", "bybit", "BTCUSDT", "1h", like_a_market())
    rates = Funding(settled_ms=like_a_market().open_ms[::8], rate_frac=np.full(250, 1e-4))
    write_funding(home / "data", "bybit", "BTCUSDT", rates)
    result = run()
    assert result.exit_code == 0, result.output
    assert (
        result.stdout
        == "2 series checked: 2 clean, 0 with remarks only, 0 with something that should stop you\n"
    )


def test_a_grave_finding_says_what_where_and_what_to_do_and_leaves_with_3(tmp_path: Path, run: Run) -> None:
    bars = like_a_market()
    path = put(tmp_path / "bybit_BTCUSDT_1h.csv", rows_at(bars, np.r_[0:500, 499:2_000]))
    result = run(path)
    assert result.exit_code == 3
    assert "bybit BTCUSDT 1h candles, 2,001 rows, 2023-11-14 00:00 to 2024-02-05 07:00" in result.stdout
    assert "  STOP  duplicated from 2023-12-04 19:00: 1 row of a time that stood before" in result.stdout
    assert "        take the doubled rows out, or import the file again from its source" in result.stdout


def test_remarks_alone_leave_with_0(tmp_path: Path, run: Run) -> None:
    bars = like_a_market()
    path = put(tmp_path / "BTCUSDT_1h.csv", rows_at(bars, np.r_[0:500, 503:2_000]))
    result = run(path, "--json")
    assert result.exit_code == 0 and json.loads(result.stdout)["grave"] is False
    (series,) = series_of(result)
    (gap,) = series["findings"]
    assert gap["code"] == "gaps" and gap["grave"] is False and gap["count"] == 3
    assert gap["first_ms"] == int(bars.open_ms[500]) and gap["remedy"]


def test_files_can_be_checked_without_a_home(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHLOE_HOME", str(tmp_path / "nowhere"))
    assert run(put(tmp_path / "BTCUSDT_1h.csv", like_a_market())).exit_code == 0
    assert run().exit_code == 2


def test_the_options_say_what_the_name_does_not(tmp_path: Path, run: Run) -> None:
    path = put(tmp_path / "mine.csv", like_a_market(), names=("when", "a", "b", "c", "d", "e"))
    unread = run(path)
    assert unread.exit_code == 3 and "unreadable_columns" in unread.stdout and "--columns" in unread.stdout
    named = ("--columns", "time=when,open=a,high=b,low=c,close=d,volume=e", "--venue", "bybit")
    (series,) = series_of(run(path, *named, "--symbol", "BTCUSDT", "--timeframe", "4h", "--json"))
    assert (series["venue"], series["symbol"], codes(series)) == ("bybit", "BTCUSDT", ["wrong_timeframe"])


def test_what_is_not_there_is_a_matter_of_arguments(tmp_path: Path, run: Run) -> None:
    (tmp_path / "empty").mkdir()
    for wrong in ([tmp_path / "absent.csv"], [tmp_path / "empty"], ["--venue", "kraken", tmp_path]):
        assert run(*wrong).exit_code == 2


def test_a_torn_file_is_a_finding_among_others(tmp_path: Path, run: Run) -> None:
    put(tmp_path / "files" / "BTCUSDT_1h.parquet", like_a_market())
    torn = put(tmp_path / "files" / "ETHUSDT_1h.parquet", like_a_market())
    torn.write_bytes(torn.read_bytes()[:-100])
    result = run(tmp_path / "files", "--json")
    assert result.exit_code == 3
    assert [codes(series) for series in series_of(result)] == [[], ["unreadable_file"]]


def test_a_stored_series_that_was_changed_is_a_finding(home: Path, run: Run) -> None:
    write_bars(home / "data", "bybit", "BTCUSDT", "1h", like_a_market())
    month = sorted((home / "data/bybit/BTCUSDT/1h").glob("*.parquet"))[0]
    month.write_bytes(month.read_bytes()[:-1] + b"X")
    (series,) = series_of(run("--json"))
    assert codes(series) == ["hash_mismatch"] and series["symbol"] == "BTCUSDT"
    assert codes(series_of(run(home / "data/bybit/BTCUSDT/1h", "--json"))[0]) == ["hash_mismatch"]


def test_timeframes_of_the_store_are_held_against_each_other(home: Path, run: Run) -> None:
    minutes = like_a_market(9_000, step_ms=60_000)
    write_bars(home / "data", "bybit", "BTCUSDT", "1m", minutes)
    write_bars(home / "data", "bybit", "BTCUSDT", "1h", rows_at(like_a_market(2_000, seed=2), slice(0, 150)))
    found = {series["timeframe"]: codes(series) for series in series_of(run("--json"))}
    assert found == {"1h": [], "1m": ["timeframes_disagree"]}


def test_another_vendors_file_is_named_in_the_comparison(tmp_path: Path, run: Run) -> None:
    bars = like_a_market()
    one = put(tmp_path / "a" / "bybit_BTCUSDT_1h.csv", bars)
    other = put(tmp_path / "b" / "bybit_BTCUSDT_1h.csv", with_values(bars, [3, 4, 5], close=bars.low[3:6]))
    (series,) = series_of(run(one, "--against", other, "--json"))
    assert codes(series) == ["vendors_disagree"]
    assert "3 of 2000 bars (0.15%) differ from bybit_BTCUSDT_1h.csv's" in series["findings"][0]["saw"]


def test_spot_prices_under_a_perpetuals_name_are_known_beside_the_spot_series(
    tmp_path: Path, run: Run
) -> None:
    spot = put(tmp_path / "BINANCE_BTCUSDT_1h.parquet", like_a_market())
    fake = put(tmp_path / "BINANCEUM_BTCUSDT_1h.parquet", like_a_market())
    assert codes(series_of(run(fake, "--json"))[0]) == []
    assert codes(series_of(run(fake, "--against", spot, "--json"))[0]) == ["wrong_market"]


def test_nothing_to_compare_with_is_said(tmp_path: Path, run: Run) -> None:
    one = put(tmp_path / "BTCUSDT_1h.csv", like_a_market())
    other = put(tmp_path / "ETHUSDT_1h.csv", like_a_market())
    result = run(one, "--against", other)
    assert result.exit_code == 2 and "only of ETHUSDT" in result.stderr


def test_a_made_up_series_is_not_let_pass(tmp_path: Path, run: Run) -> None:
    assert codes(series_of(run(put(tmp_path / "BTCUSDT_1h.csv", walk()), "--json"))[0]) == ["synthetic"]


def test_a_bar_that_was_forming_when_the_file_was_written_is_grave_only_where_nobody_drops_it(
    tmp_path: Path, home: Path, run: Run
) -> None:
    written_s = int(like_a_market().open_ms[-1]) / 1_000 + HOUR / 2_000
    loose = put(tmp_path / "bybit_BTCUSDT_1h.parquet", like_a_market())
    flat = put(home / "data/candles/BYBIT_BTCUSDT_1h.parquet", like_a_market())
    for path in (loose, flat):
        os.utime(path, (written_s, written_s))
    for arguments, grave in (((loose,), False), ((), True)):
        (series,) = series_of(run(*arguments, "--json"))
        assert codes(series) == ["written_before_close"]
        assert series["findings"][0]["grave"] is grave


def test_two_accounts_in_one_file_are_compared(tmp_path: Path, run: Run) -> None:
    bars = like_a_market(50)
    columns: dict[str, Any] = {"timestamp": bars.open_ms}
    for side, part in (("captured", 0.5), ("final", 1.0)):
        columns |= {f"{name}_{side}": getattr(bars, name) for name in COLUMNS[1:]}
        columns[f"volume_{side}"] = bars.volume * part
    path = tmp_path / "BTCUSDT_1h.csv"
    pl.DataFrame(columns).write_csv(path)
    assert codes(series_of(run(path, "--json"))[0]) == ["forming_never_corrected"]


def test_local_times_without_offset_are_judged_as_utc_and_said(tmp_path: Path, run: Run) -> None:
    path = tmp_path / "BTCUSDT_1h.csv"
    frame = pl.DataFrame({"date": like_a_market().open_ms}).with_columns(pl.from_epoch("date", "ms"))
    columns = {name: getattr(like_a_market(), name) for name in COLUMNS[1:]}
    frame.with_columns(**{name: pl.Series(values) for name, values in columns.items()}).write_csv(path)
    assert codes(series_of(run(path, "--json"))[0]) == ["times_without_offset"]
