"""`chloe report`: the page of an account, and the run it reads out of the journal."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from engine_alpha.cli.report import report
from engine_alpha.domain.bars import Bars
from engine_alpha.errors import ConfigError, DataError
from engine_alpha.home import Home
from engine_alpha.journals.sqlite import SqliteJournal
from engine_alpha.kernel.codes import OWN_GATES
from engine_alpha.kernel.values import SubAccount
from engine_alpha.loop.rehearse import rehearse
from engine_alpha.ports import StoredEvent
from engine_alpha.reports.journal_run import Account, CandlesWanted, run_of_journal
from engine_alpha.reports.run import Run
from tests.parity.stored import series, store, wanted
from tests.unit.cli.conftest import Run as Command
from tests.unit.cli.conftest import edit

HERE = Account(title="here", source="a test", simulated=True, quote_ccy="USDT")


def drawn(*arguments: str) -> Result:
    return CliRunner().invoke(report, list(arguments), catch_exceptions=False)


@contextmanager
def stored(home: Path) -> Iterator[list[StoredEvent]]:
    journal = SqliteJournal.open(home / "state" / "simulated" / "journal.sqlite", read_only=True)
    try:
        yield list(journal.events())
    finally:
        journal.close()


def no_candles(_: CandlesWanted) -> None:
    return None


def read(home: Path) -> Run:
    with stored(home) as events:
        return run_of_journal(events, HERE, no_candles)


def changed(events: list[StoredEvent], at: int, change: Any) -> list[StoredEvent]:
    """Return the events with the payload of one of them changed."""
    payload = json.loads(events[at].event.payload)
    change(payload)
    event = replace(events[at].event, payload=json.dumps(payload))
    return [*events[:at], replace(events[at], event=event), *events[at + 1 :]]


def test_the_page_is_written_beside_the_account_and_holds_its_trades(traded: Path, run: Command) -> None:
    result = drawn("--home", str(traded))
    assert result.exit_code == 0, result.output
    page = (traded / "reports" / "simulated.html").read_text(encoding="utf-8")
    assert f"wrote {traded / 'reports' / 'simulated.html'}" in result.stdout
    assert "SIMULATED PRICES" in result.stdout and "[SIM] simulated account" in page
    assert "eager" in page and "note:" not in result.stdout


def test_numbers_of_the_page_are_those_of_status_and_pf(traded: Path, run: Command) -> None:
    found = json.loads(drawn("--home", str(traded), "--json").stdout)
    status = json.loads(run("status", "--json").stdout)
    factors = json.loads(run("pf", "--json").stdout)
    assert found["account"]["end_quote"] == pytest.approx(status["money"]["equity_quote"], abs=1e-9)
    assert found["whole"]["net"] == factors["all"]["net"]
    assert found["whole"]["gross"] == factors["all"]["gross"]
    assert found["bytes"] == (traded / "reports" / "simulated.html").stat().st_size
    assert found["simulated"] is True


def test_simulated_candles_are_computed_again_and_close_as_the_journal_says(traded: Path) -> None:
    result = drawn("--home", str(traded), "--out", str(traded / "page.html"))
    assert "no candles at hand" not in result.output and (traded / "page.html").exists()
    edit(traded / "config" / "engine.json", embedded_seed=99)
    other = drawn("--home", str(traded), "--out", str(traded / "page.html"))
    assert "no candles at hand, drawn as a line of closes" in other.output


def test_a_rehearsal_is_reported_with_the_stored_candles_and_its_own_numbers(home: Path) -> None:
    bars = series(("ETHUSDT", "BTCUSDT"), bars=5_200)
    data = store(home / "bars", bars)
    rehearsed = rehearse(Home(home), wanted(data, tuple(bars), hours=150))
    words = ["--home", str(home), "--account", rehearsed.account, "--out", str(home / "page.html")]
    assert "no candles at hand" in drawn(*words).output
    assert "no data folder" in drawn(*words, "--data", str(home / "nowhere")).stderr
    found = drawn(*words, "--data", str(data))
    assert "note:" not in found.output and "SIMULATED" not in (home / "page.html").read_text()[:5_000]
    numbers = json.loads(drawn(*words, "--data", str(data), "--json").stdout)
    assert numbers["account"]["end_quote"] == pytest.approx(rehearsed.equity_quote, rel=1e-12)
    assert numbers["whole"]["net"]["value"] == rehearsed.whole.value
    assert numbers["whole"]["ambiguous"] == rehearsed.ambiguous
    assert {name: group["net"]["n"] for name, group in numbers["per_coin"].items()} == {
        name: factor.trades for name, factor in rehearsed.per_coin.items()
    }


def test_an_account_without_decisions_says_what_to_run(home: Path) -> None:
    with pytest.raises(ConfigError, match="chloe tick"):
        drawn("--home", str(home))
    with pytest.raises(DataError, match="run chloe tick first"):
        run_of_journal([], HERE, no_candles)


def test_a_folder_that_is_not_there_is_named(traded: Path) -> None:
    with pytest.raises(ConfigError, match="there is no folder"):
        drawn("--home", str(traded), "--out", str(traded / "nowhere" / "page.html"))
    assert not (traded / "nowhere").exists()


def test_without_a_browser_the_file_is_named(traded: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr("webbrowser.open", lambda url: asked.append(url) is not None)
    result = drawn("--home", str(traded), "--open")
    assert asked == [(traded / "reports" / "simulated.html").as_uri()]
    assert "no browser was found here" in result.stderr


def test_a_run_of_the_journal_has_every_bar_trade_and_gate(traded: Path) -> None:
    found = read(traded)
    assert [coin.symbol for coin in found.coins] == ["ETHUSDT", "BTCUSDT"]
    for coin in found.coins:
        assert len(coin.open_ms) == 21 and (np.diff(coin.open_ms) == 3_600_000).all()
        assert coin.wanted == 21  # the eager card fires on every bar
        assert coin.blocked["one_position"] == coin.failed["one_position"] > 0
        assert set(coin.blocked) <= set(OWN_GATES)
        assert np.isnan(coin.open).all() and (coin.close > 0.0).all()
        held = np.count_nonzero(coin.side)
        assert 0 < held < 21
    assert {trade.side for trade in found.trades} <= {-1, 1}
    assert all(trade.card == "eager" and trade.bars_held == 2 for trade in found.trades)
    assert len(found.times_ms) == 21 and found.from_ms == found.times_ms[0] - 3_600_000


def test_account_equity_is_start_plus_what_the_coins_made(traded: Path) -> None:
    found = read(traded)
    made = sum(coin.equity_quote - coin.equity_quote[0] for coin in found.coins)
    assert np.allclose(found.equity_quote - found.equity_quote[0], made, rtol=0, atol=1e-9)
    flat = np.logical_and.reduce([coin.side == 0 for coin in found.coins])
    assert (found.notional_quote[flat] == 0.0).all() and (found.notional_quote[~flat] > 0.0).all()


def test_a_coin_that_falls_behind_keeps_its_last_close_in_the_account(traded: Path) -> None:
    with stored(traded) as events:
        last = max(at for at, one in enumerate(events) if one.event.symbol == "BTCUSDT")
        first = next(at for at, one in enumerate(events) if one.event.bar_ms == events[last].event.bar_ms)
        kept = [*events[:first], *(one for one in events[first:] if one.event.symbol != "BTCUSDT")]
        found = run_of_journal(kept, HERE, no_candles)
    coins = {coin.symbol: coin for coin in found.coins}
    assert len(coins["BTCUSDT"].open_ms) == len(coins["ETHUSDT"].open_ms) - 1
    made = coins["ETHUSDT"].equity_quote[-1] - coins["ETHUSDT"].equity_quote[-2]
    assert found.equity_quote[-1] - found.equity_quote[-2] == pytest.approx(made)


def test_candles_that_close_otherwise_than_the_journal_says_are_not_drawn(traded: Path) -> None:
    known = read(traded).coins[0]

    def candles(wanted: CandlesWanted) -> Bars | None:
        if wanted.symbol != known.symbol:
            return None
        close = known.close.copy()
        close[3] += 1.0
        kept = np.arange(len(close)) != 7
        columns = {name: close[kept] for name in ("open", "close", "volume")}
        return Bars(
            timeframe_ms=3_600_000,
            open_ms=known.open_ms[kept],
            high=close[kept] + 1.0,
            low=close[kept] - 1.0,
            **columns,
        )

    with stored(traded) as events:
        found = run_of_journal(events, HERE, candles)
    coin = found.coins[0]
    assert np.flatnonzero(np.isnan(coin.open)).tolist() == [3, 7]
    assert coin.high[0] == coin.close[0] + 1.0 and coin.low[-1] == coin.close[-1] - 1.0
    assert found.notes == (
        "ETHUSDT: 2 bars not at hand as the journal saw them, drawn as closes",
        "BTCUSDT: no candles at hand, drawn as a line of closes",
    )


def test_money_paid_into_the_account_is_no_profit(traded: Path) -> None:
    before = read(traded)
    with stored(traded) as events:
        decisions = [at for at, one in enumerate(events) if one.event.kind == "decision"]
        for at in decisions[len(decisions) // 2 :]:

            def pay_in(payload: dict[str, Any]) -> None:
                payload["account_after"]["start_quote"] += 5_000.0
                payload["after"]["sub"][SubAccount._fields.index("start_quote")] += 2_500.0
                payload["record"][-1] += 2_500.0

            events = changed(events, at, pay_in)
        found = run_of_journal(events, HERE, no_candles)
    assert found.start_quote == before.start_quote + 5_000.0
    assert np.allclose(found.equity_quote - 5_000.0, before.equity_quote, rtol=0, atol=1e-9)
    assert np.allclose(found.coins[0].equity_quote - 2_500.0, before.coins[0].equity_quote)
    assert "configured equity was 10,000.00, then 15,000.00" in found.notes[0]


def test_a_bar_that_was_decided_later_counts_as_decided(traded: Path) -> None:
    with stored(traded) as events:
        decision = next(one for one in events if one.event.kind == "decision")
        payload = {"symbol": "ETHUSDT", "timeframe": "1h", "reason": "stale", "detail": ""}
        missed = [
            replace(
                decision,
                event=replace(
                    decision.event, kind="no_decision", payload=json.dumps({**payload, "open_ms": open_ms})
                ),
            )
            for open_ms in (decision.event.bar_ms, 1_000, 2_000, 2_000)
        ]
        found = run_of_journal([*missed, *events], HERE, no_candles)
    assert found.no_decisions == (("ETHUSDT", "stale", 2),)


def test_bars_of_an_earlier_timeframe_count_but_are_not_drawn(traded: Path) -> None:
    with stored(traded) as events:
        at = next(at for at, one in enumerate(events) if one.event.kind == "decision")
        symbol = events[at].event.symbol
        found = run_of_journal(
            changed(events, at, lambda payload: payload.update(timeframe="4h")), HERE, no_candles
        )
    coin = next(coin for coin in found.coins if coin.symbol == symbol)
    assert len(coin.open_ms) == 20 and len(found.times_ms) == 21
    assert f"{symbol}: not drawn: 1 bar of an earlier timeframe" in found.notes
