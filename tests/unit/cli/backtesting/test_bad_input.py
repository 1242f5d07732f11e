"""Histories with faults: a clear error, or an honest result that says so."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("numba", reason="numba is absent: the backtest extra is not installed")

import polars as pl

from engine_alpha.store.months import write_bars
from tests.makers import HOUR_MS
from tests.parity.stored import store
from tests.unit.cli.backtesting.playing import played
from tests.unit.cli.backtesting.scenes import asked, change_card, change_instrument, of_json, pair
from tests.unit.cli.conftest import Run, edit
from tests.unit.loop.runs import START_MS, without


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"symbols": "ETHUSD"}, "ETHUSD is not in"),
        ({"symbols": " , "}, "--symbols names no coin"),
        ({"hours": 0}, "--from must be before --to"),
        ({"hours": -5}, "--from must be before --to"),
        ({"first": 20_000}, "there is ETHUSDT 2023-08-26T20:00 to "),
        ({"first": -9_000}, "no bar to decide on in "),
    ],
)
def test_what_makes_no_sense_is_refused(
    changes: Mapping[str, Any], complaint: str, stored: Path, eager: Path, run: Run
) -> None:
    result = run("backtest", *asked(stored, eager, **changes))
    assert result.exit_code == 2 and complaint in result.stderr and result.stdout == ""


@pytest.mark.parametrize(
    ("option", "complaint"),
    [("--cards", "no such folder of cards"), ("--risk", "no such file"), ("--data", "no data folder")],
)
def test_a_place_that_is_not_there_is_named(
    option: str, complaint: str, stored: Path, eager: Path, run: Run
) -> None:
    result = run("backtest", *asked(stored, eager), option, str(eager / "nowhere"))
    assert result.exit_code == 2 and complaint in result.stderr and str(eager / "nowhere") in result.stderr


def test_a_coin_without_bars_is_named_and_the_others_run(stored: Path, eager: Path, run: Run) -> None:
    words = asked(stored, eager, symbols="ETHUSDT,SOLUSDT")
    result = run("backtest", *words)
    assert result.exit_code == 3 and "no decision at all for SOLUSDT" in result.stderr
    assert "SOLUSDT: no decision on 60 bars: missing_series (there are no such bars)" in result.stdout
    found = of_json(run, ["backtest", *words], code=3)
    assert found["undecided"] == [["SOLUSDT", "missing_series"]] and found["symbols"] == ["ETHUSDT"]
    assert found["decisions"] == 60 and found["no_decisions"] == 60


def test_bars_outside_of_what_is_stored_are_counted_with_their_reason(
    stored: Path, eager: Path, run: Run
) -> None:
    before = run("backtest", *asked(stored, eager, first=-1_600, hours=700)).stdout
    assert "ETHUSDT: no decision on 100 bars: empty (there is no bar so far)" in before
    after = run("backtest", *asked(stored, eager, first=800, hours=200)).stdout
    assert "BTCUSDT: no decision on 100 bars: stale (the bar is not there)" in after


def test_a_hole_in_the_data_is_counted(eager: Path, tmp_path: Path, run: Run) -> None:
    bars = pair()
    bars["ETHUSDT"] = without(bars["ETHUSDT"], *(START_MS + hour * HOUR_MS for hour in range(10, 14)))
    found = of_json(run, ["backtest", *asked(store(tmp_path / "data", bars), eager)])
    assert found["decisions"] == 116 and found["no_decisions"] == 4
    assert {symbol for symbol, _, _ in found["no_decision_reasons"]} == {"ETHUSDT"}


def test_no_trade_is_an_unknown_factor_and_says_whether_any_card_fired(
    stored: Path, eager: Path, tmp_path: Path, run: Run
) -> None:
    (tmp_path / "none").mkdir()
    words = ["backtest", *asked(stored, eager), "--cards", str(tmp_path / "none")]
    result = run(*words)
    assert result.exit_code == 0
    assert (
        "\nall   0  unknown " in result.stdout
        and "\ntrades     0: no card fired on any bar\n" in result.stdout
    )
    folder = tmp_path / "first"
    found = of_json(run, [*words, "--out", str(folder), "--html"])
    assert found["whole"]["net"]["value"] is None and found["equity_quote"] == found["account"]["start_quote"]
    assert pl.read_parquet(folder / "trades.parquet").schema["net_quote"] == pl.Float64
    edit(eager / "config" / "parameters" / "default.json", confidence_min=1.0)
    assert (
        "\ntrades     0 closed; a card fired on 120 bars\n" in run("backtest", *asked(stored, eager)).stdout
    )


def test_one_bar_is_decided_and_what_needs_more_has_a_dash(stored: Path, eager: Path, run: Run) -> None:
    result = run("backtest", *asked(stored, eager, hours=1, symbols="ETHUSDT"), "--html")
    assert result.exit_code == 0
    assert "\nSharpe         –\n" in result.stdout and "\ndecisions         1 in " in result.stdout


def test_a_start_before_listing_decides_nothing_until_then(stored: Path, eager: Path, run: Run) -> None:
    listed = START_MS + 30 * HOUR_MS
    change_instrument(eager, "ETHUSDT", listed_ms=listed)
    found = of_json(run, ["backtest", *asked(stored, eager)])
    assert found["no_decision_reasons"] == [["ETHUSDT", "config", 29]]
    assert found["decisions"] == 120 - 29
    trades = [trade for trade in played(stored, eager).trades if trade.symbol == "ETHUSDT"]
    assert trades and min(trade.entry_ms for trade in trades) >= listed
    alone = run("backtest", *asked(stored, eager, hours=20, symbols="ETHUSDT"))
    assert (
        alone.exit_code == 3 and "config (not listed then, or refused by its configuration)" in alone.stdout
    )


def test_a_coin_that_is_delisted_half_way_is_left_at_a_real_bar_and_has_no_frozen_tail(
    eager: Path, tmp_path: Path, run: Run
) -> None:
    settled = START_MS + 60 * HOUR_MS
    bars = pair()
    bars["ETHUSDT"] = bars["ETHUSDT"].between(0, settled)
    change_instrument(eager, "ETHUSDT", settled_ms=settled, successor="ETH2USDT")
    data = store(tmp_path / "data", bars)
    found = of_json(run, ["backtest", *asked(data, eager, hours=100)])
    assert [reason for reason in found["no_decision_reasons"] if reason[0] == "BTCUSDT"] == []
    result = played(data, eager, hours=100)
    trades = [trade for trade in result.trades if trade.symbol == "ETHUSDT"]
    assert len(trades) >= 5 and trades[-1].exit_ms <= settled
    assert trades[-1].exit_reason in ("halt", "stop", "target", "time")
    assert not any("ETHUSDT" in note and "open at the end" in note for note in result.notes)
    coin = next(coin for coin in result.coins if coin.symbol == "ETHUSDT")
    assert coin.open_ms[-1] < settled and coin.side[-1] == 0


def test_bars_that_just_stop_end_a_position_there_in_the_report_and_in_no_ledger(
    eager: Path, tmp_path: Path, run: Run
) -> None:
    change_card(eager, exits={"stop": {"frac": 0.25}})
    bars = pair()
    bars["ETHUSDT"] = bars["ETHUSDT"].between(0, START_MS + 30 * HOUR_MS)
    words = ["backtest", *asked(store(tmp_path / "data", bars), eager)]
    shown = run(*words).stdout
    assert "ETHUSDT: no decision on 30 bars: stale (the bar is not there)" in shown
    assert "\ntrades     1, 1 of them left where the coin's bars end\n" in shown
    found = of_json(run, [*words, "--out", str(tmp_path / "first")])
    assert (found["trades"], found["forced_exits"], found["whole"]["net"]["n"]) == (0, 1, 1)
    assert pl.read_parquet(tmp_path / "first" / "trades.parquet")["exit_reason"].to_list() == ["data_end"]
    assert of_json(run, ["rehearse", *words[1:]])["ledger_sha256"] == found["ledger_sha256"]


def test_a_fee_of_nothing_is_played_and_said_an_absurd_one_is_refused(
    stored: Path, eager: Path, run: Run
) -> None:
    change_instrument(eager, "ETHUSDT", taker_fee_frac="0")
    found = of_json(run, ["backtest", *asked(stored, eager)])
    assert found["per_coin"]["ETHUSDT"]["fees_quote"] == 0.0 < found["per_coin"]["BTCUSDT"]["fees_quote"]
    assert "ETHUSDT: its fee is 0: no venue trades for nothing" in found["notes"]
    change_instrument(eager, "ETHUSDT", taker_fee_frac="0.055")
    refused = run("backtest", *asked(stored, eager))
    assert refused.exit_code == 2 and "taker_fee_frac must be at most 0.05" in refused.stderr


def test_a_card_without_its_input_never_enters(eager: Path, tmp_path: Path, run: Run) -> None:
    change_card(eager, entry=[{"signal": "funding_pressure", "at_least": -1_000.0}])
    for symbol, bars in pair().items():
        write_bars(tmp_path / "data", "bybit", symbol, "1h", bars)
    result = run("backtest", *asked(tmp_path / "data", eager))
    assert result.exit_code == 0 and "\ntrades     0: no card fired on any bar\n" in result.stdout
