"""`chloe trades`: filters, totals, stable columns."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from engine_alpha import times
from engine_alpha.reports.trades import FIELDS
from tests.unit.cli.conftest import Run


def lines(run: Run, *arguments: str) -> list[dict[str, Any]]:
    result = run("trades", "--jsonl", *arguments)
    assert result.exit_code == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_columns_are_stable_and_numbers_exact(traded: Path, run: Run) -> None:
    listed = lines(run)
    assert listed and all(list(trade) == list(FIELDS) for trade in listed)
    text = run("trades", "--csv").stdout
    assert text.splitlines()[0] == ",".join(FIELDS)
    rows = list(csv.DictReader(io.StringIO(text)))
    numbers = [name for name in FIELDS if isinstance(listed[0][name], float)]
    assert len(numbers) > 10
    for row, trade in zip(rows, listed, strict=True):
        assert {name: float(row[name]) for name in numbers} == {name: trade[name] for name in numbers}
    assert FIELDS[:9] == (
        *("id", "symbol", "timeframe", "side", "quantity_base", "entry_ms", "entry_price"),
        *("exit_ms", "exit_price"),
    )


def test_filters_pick_what_they_name(traded: Path, run: Run) -> None:
    every = lines(run)
    middle = sorted(trade["exit_ms"] for trade in every)[len(every) // 2]
    iso = times.iso(middle)
    since, until = lines(run, "--since", iso), lines(run, "--until", iso)
    assert since == [trade for trade in every if trade["exit_ms"] >= middle] and until
    assert sorted(t["id"] for t in since + until) == sorted(t["id"] for t in every)
    assert lines(run, "--symbol", "BTCUSDT") == [t for t in every if t["symbol"] == "BTCUSDT"]
    assert lines(run, "--card", "eager") == every and lines(run, "--card", "lazy") == []
    for regime in {trade["regime"] for trade in every}:
        assert lines(run, "--regime", regime) == [t for t in every if t["regime"] == regime]
    assert lines(run, "--limit", "2") == every[-2:]


def test_the_totals_are_those_of_all_that_match(traded: Path, run: Run) -> None:
    every = lines(run)
    shown = run("trades", "--limit", "1").stdout.splitlines()
    net = sum(trade["net_quote"] for trade in every)
    assert shown[-1].startswith(f"{len(every)} trades · net {net:+.2f} · PF ")


def test_none_that_match_is_said(traded: Path, run: Run) -> None:
    result = run("trades", "--card", "lazy")
    assert result.exit_code == 0 and "no closed trades that match" in result.stdout


@pytest.mark.parametrize(
    "wrong", [["--regime", "calm"], ["--since", "yesterday"], ["--symbol", "ETHUSD"]], ids=" ".join
)
def test_a_filter_that_means_nothing_is_refused(wrong: list[str], traded: Path, run: Run) -> None:
    result = run("trades", *wrong)
    assert result.exit_code == 2 and result.stderr.strip()
