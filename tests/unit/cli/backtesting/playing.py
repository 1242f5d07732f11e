"""The pair of generated coins played as a library call."""

from pathlib import Path

from engine_alpha.backtest import BacktestResult, History, run
from engine_alpha.home import Home
from tests.makers import HOUR_MS
from tests.unit.cli.backtesting.scenes import PAIR
from tests.unit.loop.runs import START_MS


def played(data: Path, home: Path, hours: int = 60) -> BacktestResult:
    to_ms = START_MS + hours * HOUR_MS
    return run(Home(home), History(data=data, venue="bybit", symbols=PAIR, from_ms=START_MS, to_ms=to_ms))
