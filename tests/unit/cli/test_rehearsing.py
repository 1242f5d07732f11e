"""`chloe rehearse`: what it prints, how it goes on after an interruption, what it refuses."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from engine_alpha.home import init_home
from tests.unit.cli.conftest import Run

ROOT = Path(__file__).resolve().parents[3]


def arguments(data: Path, home: Path, end: str, *more: str) -> list[str]:
    span = ["--from", "2023-01-01", "--to", end]
    return ["rehearse", "--data", str(data), "--venue", "BINANCEUM", "--home", str(home), *span, *more]


def of_json(run: Run, words: list[str]) -> dict[str, Any]:
    result = run(*words, "--json")
    assert result.exit_code == 0, result.stderr
    found: dict[str, Any] = json.loads(result.stdout, parse_constant=pytest.fail)
    return found


def test_a_rehearsal_reports_counts_and_digests_and_repeats_nothing(
    shared_data: Path, home: Path, run: Run
) -> None:
    words = arguments(shared_data, home, "2023-01-05", "--symbols", "ETHUSDT,BTCUSDT")
    shown = run(*words).stdout
    found = of_json(run, words)
    assert (found["decisions"], found["no_decisions"], found["stepped_bars"]) == (192, 0, 0)
    assert f"decisions_sha256  {found['decisions_sha256']}" in shown
    assert f"ledger_sha256     {found['ledger_sha256']}" in shown
    assert "\nstepped           192 bars in " in shown and "resumed at" not in shown
    assert found["resumed_at_ms"] is not None
    assert list(found["per_coin"]) == ["ETHUSDT", "BTCUSDT"] and found["simulated"] is False
    status = run("status").stdout
    assert f"· {found['account']}" in status and "rehearsed" in status


def test_interrupted_and_started_again_it_comes_to_the_same(
    shared_data: Path, home: Path, tmp_path: Path, run: Run
) -> None:
    words = arguments(shared_data, home, "2023-02-01", "--symbols", "ETHUSDT")
    command = [sys.executable, "-m", "engine_alpha", *words]
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(os.environ)
    )
    while process.poll() is None and not list(home.glob("state/*/journal.sqlite")):
        time.sleep(0.02)
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    _, complaint = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "the same command goes on from there" in complaint and "Traceback" not in complaint
    resumed = of_json(run, words)
    assert resumed["resumed_at_ms"] is not None and 0 < resumed["stepped_bars"] < 744
    other = tmp_path / "other"
    init_home(other)
    whole = of_json(run, arguments(shared_data, other, "2023-02-01", "--symbols", "ETHUSDT"))
    keys = ("decisions", "trades", "decisions_sha256", "ledger_sha256", "whole", "account")
    assert {key: resumed[key] for key in keys} == {key: whole[key] for key in keys}


@pytest.mark.parametrize(
    ("end", "symbols", "complaint"),
    [
        ("2022-01-01", "ETHUSDT", "--from must be before --to"),
        ("2023-02-30", "ETHUSDT", "is no ISO time"),
        ("2023-02-01", "ETHUSD", "ETHUSD is not in"),
        ("2023-02-01", " , ", "--symbols names no coin"),
    ],
)
def test_what_makes_no_sense_is_refused(
    end: str, symbols: str, complaint: str, home: Path, tmp_path: Path, run: Run
) -> None:
    result = run(*arguments(tmp_path, home, end, "--symbols", symbols))
    assert result.exit_code == 2 and complaint in result.stderr
    assert not list(home.glob("state/rehearse-*"))


def test_a_folder_of_data_that_is_not_there_is_named(home: Path, tmp_path: Path, run: Run) -> None:
    result = run(*arguments(tmp_path / "nothing", home, "2023-02-01", "--symbols", "ETHUSDT"))
    assert result.exit_code == 2 and str(tmp_path / "nothing") in result.stderr


def test_bars_that_are_missing_are_counted_with_their_reason(home: Path, tmp_path: Path, run: Run) -> None:
    (tmp_path / "candles").mkdir()
    result = run(*arguments(tmp_path, home, "2023-01-01T03:00", "--symbols", "ETHUSDT"))
    assert result.exit_code == 3 and "no decision at all for ETHUSDT" in result.stderr
    assert "ETHUSDT: no decision on 3 bars: " in result.stdout
