"""The full road beside the sweep's: every record made, shadow cards and all, then summed up alike."""

from engine_alpha.backtest.outcome import Played, result_of
from engine_alpha.backtest.request import gathered
from engine_alpha.backtest.run import played_through, road_of
from engine_alpha.backtest.sweeping.outcome import Outcome
from engine_alpha.backtest.sweeping.road import trades_sha256
from engine_alpha.kernel.profit_factor import profit_factor
from engine_alpha.plans.history import History
from engine_alpha.plans.setup import Setup
from engine_alpha.reports.statistics import statistics_of


def in_full(setup: Setup, history: History) -> tuple[Outcome, Played]:
    """Play the whole road and return its outcome, without the moments of its returns, and its columns."""
    found = gathered(setup, history)
    played = played_through(road_of(setup, history, found), records=True)
    result = result_of(setup, history, found, played, 0.0)
    account = statistics_of(result.as_run()).account
    rows, owners = played.closed()
    mine = owners[:, 1] < 0
    rows, owners = rows[mine], owners[mine, 0]
    plans = [each.plan for each in found.assets]
    return Outcome(
        factor=profit_factor([trade.net_quote for trade in result.trades]),
        per_coin={
            plan.asset.symbol: profit_factor(
                [trade.net_quote for trade in result.trades if trade.symbol == plan.asset.symbol]
            )
            for plan in plans
        },
        sharpe=account.sharpe,
        max_drawdown_frac=account.drawdown.frac if account.drawdown is not None else 0.0,
        daily=None,
        trades_sha256=trades_sha256(rows, owners, plans),
    ), played
