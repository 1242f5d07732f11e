"""`chloe data import` and `chloe data list`: what they print, where they write, how they refuse."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from engine_alpha.cli.root import chloe
from engine_alpha.home import init_home
from engine_alpha.store.months import read_bars, write_bars
from tests.unit.store.candle_files import (
    FIRST,
    HOUR,
    archive_csv,
    csv_text,
    flat,
    same_bits,
    some_bars,
    taken,
    written,
    zipped,
)

ROOT = Path(__file__).resolve().parents[3]

Run = Callable[..., Result]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a fresh home, which is also $CHLOE_HOME."""
    init_home(tmp_path / "home")
    monkeypatch.setenv("CHLOE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(chloe, ["data", *map(str, words)], prog_name="chloe")


def fields(*words: str | Path) -> dict[str, Any]:
    result = run(*words, "--json")
    assert result.exit_code == 0, result.stderr
    found: dict[str, Any] = json.loads(result.stdout, parse_constant=pytest.fail)
    return found


def test_an_import_goes_to_the_homes_data_folder_and_says_what_it_did(home: Path, tmp_path: Path) -> None:
    lines = csv_text(taken(some_bars(), [*range(50), *range(60, 200)])).splitlines()
    path = written(tmp_path / "bybit_perp_ETHUSDT_1h.csv", "\n".join([*lines, lines[7]]))
    result = run("import", path)
    assert result.exit_code == 0, result.stderr
    assert result.stdout.splitlines() == [
        f"into {home / 'data'}",
        "",
        "venue  symbol   series  new  known  rows  first       last        gaps",
        "bybit  ETHUSDT  1h      190      0   190  2025-01-03  2025-01-11     1",
        f"{path}: 1 row stood there twice, with the same values",
        "",
        "next: chloe data check",
    ]
    assert len(read_bars(home / "data", "bybit", "ETHUSDT", "1h")) == 190


def test_the_options_reach_the_import(home: Path, tmp_path: Path) -> None:
    def shown(at: int) -> str:
        return time.strftime("%Y-%m-%d %H:%M", time.gmtime(at / 1_000 + 3 * 3_600))

    path = written(tmp_path / "x.csv", csv_text(some_bars(), "Opened,open,high,low,close,Size", shown))
    words = ["--venue", "BINANCE", "--symbol", "ETH/USDT", "--timeframe", "1h", "--kind", "candles"]
    words += ["--columns", "time=Opened, volume=Size", "--time-unit", "iso", "--timezone", "+03:00"]
    found = fields("import", path, *words)
    assert found == {
        "data": str(home / "data"),
        "series": [
            {
                "venue": "BINANCE",
                "symbol": "ETHUSDT",
                "series": "1h",
                "new_rows": 200,
                "replaced_rows": 0,
                "stored_rows": 0,
                "shared_rows": 0,
                "rows": 200,
                "first_ms": FIRST,
                "last_ms": FIRST + 199 * HOUR,
                "gaps": [],
            }
        ],
        "files": [
            {
                "file": str(path),
                "series": "BINANCE ETHUSDT 1h",
                "rows": 200,
                "repeated_rows": 0,
                "forming_ms": None,
            }
        ],
    }
    assert same_bits(read_bars(home / "data", "BINANCE", "ETHUSDT", "1h"), some_bars())


def test_another_folder_needs_no_home(tmp_path: Path) -> None:
    path = zipped(tmp_path / "ETHUSDT-1h-2025-01.zip", archive_csv(some_bars(), header=False))
    found = fields("import", path, "--market", "perpetual", "--into", tmp_path / "candles")
    assert found["data"] == str(tmp_path / "candles")
    assert same_bits(read_bars(tmp_path / "candles", "binance", "ETHUSDT", "1h"), some_bars())


def test_disagreement_is_refused_until_replace_is_said(home: Path, tmp_path: Path) -> None:
    path = written(tmp_path / "bybit_perp_ETHUSDT_1h.csv", csv_text(some_bars()))
    assert run("import", path).exit_code == 0
    written(path, csv_text(replace(some_bars(), volume=some_bars().volume + 1.0)))
    refused = run("import", path)
    assert refused.exit_code == 4 and refused.stdout == ""
    assert refused.stderr.startswith("chloe: disagree: what is stored in ")
    assert fields("import", path, "--replace", "--into", tmp_path / "new")["series"][0]["new_rows"] == 200
    replaced = run("import", path, "--replace")
    assert replaced.exit_code == 0 and "bybit ETHUSDT 1h: 200 stored rows replaced" in replaced.stdout


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("candles.csv",), 2, "can't tell its venue and symbol"),
        (("candles.csv", "--timezone", "CET"), 2, '--timezone "CET": write UTC, or an offset such as +03:00'),
        (("candles.csv", "--timezone", "+3"), 2, "--timezone"),
        (("candles.csv", "--timezone", "+15:00"), 2, "--timezone"),
        (("candles.csv", "--columns", "x=y"), 2, "--columns"),
        (("candles.csv", "--venue", "kraken"), 2, 'no venue "kraken"'),
        (("candles.csv", "--market", "options"), 2, "--market"),
        (("candles.csv", "--timeframe", "7m"), 2, 'no timeframe "7m"'),
        (("absent.csv",), 2, "absent.csv"),
        (("candles.csv", "--into", "x", "--home", "y"), 2, "--home and --into"),
        ((".",), 2, "is a folder: name its files"),
        ((), 2, "FILE..."),
    ],
)
def test_wrong_options_are_one_clear_error(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], code: int, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    written(tmp_path / "candles.csv", csv_text(some_bars()))
    result = run("import", *words)
    assert (result.exit_code, result.stdout) == (code, "")
    assert said in result.stderr and "Traceback" not in result.stderr


def test_interrupted_it_leaves_nothing_half_written_and_goes_on(home: Path, tmp_path: Path) -> None:
    bars = [some_bars(1_000, seed=seed) for seed in range(24)]
    files = [
        written(tmp_path / f"bybit_perp_A{at}USDT_1h.csv", csv_text(each)) for at, each in enumerate(bars)
    ]
    command = [sys.executable, "-m", "engine_alpha", "data", "import", *map(str, files)]
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(os.environ)
    )
    while process.poll() is None and not list(home.glob("data/bybit/*/1h/manifest.json")):
        time.sleep(0.005)
    process.send_signal(signal.SIGINT)
    _, complaint = process.communicate(timeout=60)
    assert process.returncode == 130, complaint
    assert "the same command goes on from there" in complaint and "Traceback" not in complaint
    stored = [path.parent.parent.name for path in home.glob("data/bybit/*/1h/manifest.json")]
    assert 0 < len(stored) < len(bars)
    for symbol in stored:
        part = read_bars(home / "data", "bybit", symbol, "1h")
        whole = bars[int(symbol[1:-4])]
        assert same_bits(part, taken(whole, np.isin(whole.open_ms, part.open_ms)))
    assert run("import", *files).exit_code == 0
    for at, whole in enumerate(bars):
        assert same_bits(read_bars(home / "data", "bybit", f"A{at}USDT", "1h"), whole)


def test_the_list_shows_both_layouts_gaps_and_what_is_hidden(home: Path) -> None:
    data = home / "data"
    with_holes = taken(some_bars(), [*range(50), *range(60, 100), *range(101, 200)])
    write_bars(data, "binance", "ETHUSDT", "1h", with_holes)
    flat(data / "candles/BINANCEUM_ETHUSDT_1h.parquet", some_bars(20))
    flat(data / "candles/BINANCE_BTCUSDT_1h.parquet", with_holes)
    flat(data / "mark/BYBIT_ETHUSDT_mark_1h.parquet", some_bars(20))
    written(data / "candles/readme.parquet", "not a series")
    found = fields("list")
    assert [(each["venue"], each["symbol"], each["series"], each["layout"]) for each in found["series"]] == [
        ("BINANCE", "BTCUSDT", "1h", "flat"),
        ("binance", "ETHUSDT", "1h", "flat"),
        ("binance", "ETHUSDT", "1h", "months"),
        ("bybit", "ETHUSDT", "mark_1h", "flat"),
    ]
    assert [(each["rows"], each["gaps"], each["longest_gap_bars"]) for each in found["series"]] == [
        (189, 2, 10),
        (20, 0, 0),
        (189, 2, 10),
        (20, 0, 0),
    ]
    assert [each["hidden"] for each in found["series"]] == [False, True, False, False]
    assert found["series"][2]["first_ms"] == FIRST and found["series"][2]["last_ms"] == FIRST + 199 * HOUR
    size = sum(path.stat().st_size for path in (data / "binance/ETHUSDT/1h").iterdir())
    assert found["series"][2]["size_bytes"] == size
    shown = run("list").stdout
    assert "\nbinance  ETHUSDT  1h        189  2025-01-03  2025-01-11  2 (longest 10)  " in shown
    assert "flat file, not read: the same is stored in months" in shown


def test_a_series_that_can_not_be_read_is_listed_with_its_fault_beside_the_others(home: Path) -> None:
    write_bars(home / "data", "bybit", "ETHUSDT", "1h", some_bars())
    write_bars(home / "data", "bybit", "BTCUSDT", "1h", some_bars())
    (home / "data/bybit/BTCUSDT/1h/manifest.json").write_text("{")
    written(home / "data/candles/BYBIT_SOLUSDT_1h.parquet", "no parquet")
    result = run("list")
    assert result.exit_code == 3
    assert result.stdout.count("unreadable") == 2 and "ETHUSDT  1h       200" in result.stdout
    assert "unreadable: " in result.stderr and "BTCUSDT/1h/manifest.json" in result.stderr
    faults = [each["fault"] for each in json.loads(run("list", "--json").stdout)["series"]]
    assert [fault is None for fault in faults] == [False, True, False]


def test_an_empty_store_says_how_to_fill_it(home: Path) -> None:
    result = run("list")
    assert result.exit_code == 0 and "chloe data import FILE..." in result.stdout
    assert fields("list") == {"data": str(home / "data"), "series": []}
