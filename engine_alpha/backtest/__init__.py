"""Backtests: the live engine's own decisions over history, compiled. `run` is the way in."""

from engine_alpha.backtest.request import Overrides
from engine_alpha.backtest.results import BacktestResult
from engine_alpha.backtest.run import run
from engine_alpha.plans.history import History

__all__ = ["BacktestResult", "History", "Overrides", "run"]
