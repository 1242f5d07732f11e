"""A coin that stops half-way is left at its last real bar: no frozen tail is made up, no ledger touched."""

import pytest

from engine_alpha.backtest import BacktestResult, run
from tests.parity.stored import series, store, wanted
from tests.unit.loop.runs import a_home, close_ms

HOURS = 300


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> BacktestResult:
    """ETH's bars end where a position is open, BTC's go on."""
    folder = tmp_path_factory.mktemp("stopped")
    bars = series(("ETHUSDT", "BTCUSDT"), bars=1_000 + HOURS, before=1_000)
    home = a_home(folder / "home")
    whole = run(home, wanted(store(folder / "whole", bars), ("ETHUSDT", "BTCUSDT"), hours=HOURS))
    eth = next(coin for coin in whole.coins if coin.symbol == "ETHUSDT")
    last = next(
        int(at) for at, side in zip(eth.open_ms, eth.side, strict=True) if side and at > close_ms(100)
    )
    bars["ETHUSDT"] = bars["ETHUSDT"].between(0, last + eth.timeframe_ms)
    return run(home, wanted(store(folder / "cut", bars), ("ETHUSDT", "BTCUSDT"), hours=HOURS))


def test_the_position_is_left_at_the_last_close_with_costs(stopped: BacktestResult) -> None:
    (left,) = stopped.forced_exits
    eth = next(coin for coin in stopped.coins if coin.symbol == "ETHUSDT")
    assert (left.symbol, left.exit_reason) == ("ETHUSDT", "data_end")
    assert left.exit_ms == int(eth.open_ms[-1]) + eth.timeframe_ms
    cost = abs(left.exit_price / float(eth.close[-1]) - 1.0)
    assert 0.0 < cost < 0.01 and left.fees_quote > 0.0
    assert left.side * (left.exit_price - float(eth.close[-1])) < 0.0


def test_nothing_is_decided_after_the_last_bar(stopped: BacktestResult) -> None:
    eth, btc = stopped.coins
    assert len(eth.open_ms) < HOURS == len(btc.open_ms)
    assert ("ETHUSDT", "stale", HOURS - len(eth.open_ms)) in stopped.no_decisions


def test_the_page_counts_it_and_the_ledger_does_not(stopped: BacktestResult) -> None:
    assert stopped.forced_exits[0] not in stopped.trades
    assert stopped.as_run().trades == (*stopped.trades, *stopped.forced_exits)
