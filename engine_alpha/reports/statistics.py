"""The numbers of a run: per coin, card and regime, and for the account.

Profit factors are `kernel.profit_factor`'s; ratios of the equity curve stand in `returns`. What is undefined
(no trades, fewer than two whole days, nothing lost) is None.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from engine_alpha.kernel.codes import ACCOUNT_GATES, OWN_GATES, REGIMES
from engine_alpha.kernel.money import DAY_MS
from engine_alpha.kernel.profit_factor import ProfitFactor, profit_factor
from engine_alpha.reports.returns import (
    DAYS_A_YEAR,
    Drawdown,
    annual_growth_frac,
    calmar,
    daily_returns,
    deepest_drawdown,
    monthly_returns,
    sharpe,
    sortino,
    time_weighted,
)
from engine_alpha.reports.run import Run, RunCoin, TradeRow

FEWEST_DAYS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeStatistics:
    """What some closed trades came to.

    `net` is after all costs, `gross` before fees and funding, `other` net had every ambiguous bar gone the
    other way. Costs are positive, funding is what was received minus what was paid. `sqn` is
    √n · mean(R) / sd(R), `losing_run` the most trades without a profit in a row, in order of their exits.
    """

    net: ProfitFactor
    gross: ProfitFactor
    other: ProfitFactor
    ambiguous: int
    expectancy_r: float | None
    sqn: float | None
    average_win_quote: float | None
    average_loss_quote: float | None
    losing_run: int
    net_quote: float
    fees_quote: float
    slippage_quote: float
    funding_quote: float

    @property
    def trades(self) -> int:
        """How many they are."""
        return self.net.trades

    @property
    def before_costs_quote(self) -> float:
        """Their result had fees, slippage and funding all been zero."""
        return self.net_quote + self.fees_quote + self.slippage_quote - self.funding_quote


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountStatistics:
    """What the account's equity came to, open positions at their last close.

    Ratios are of UTC-daily returns, 365 days a year, riskless rate 0. `open_quote` is the part of the result
    that no closed trade holds yet. `exposure_frac` is the share of time with any position,
    `notional_frac` the mean of what was held over equity.
    """

    start_quote: float
    end_quote: float
    open_quote: float
    days: float
    growth_frac: float | None
    sharpe: float | None
    sortino: float | None
    calmar: float | None
    drawdown: Drawdown | None
    exposure_frac: float | None
    notional_frac: float | None
    months: tuple[tuple[str, float], ...]

    @property
    def return_frac(self) -> float:
        """The whole result over the start."""
        return self.end_quote / self.start_quote - 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class GateCount:
    """How often a gate refused an entry that a card wanted, and on how many bars it said no at all."""

    gate: str
    blocked: int
    failed: int
    blocked_per_coin: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """All numbers of a run; coins in the run's order, regimes in the kernel's, cards by name.

    `exposure_per_coin` is the share of a coin's bars with a position, None without bars. `gates` are the ones
    that ever said no, the most blocking first; several may refuse the same bar.
    """

    account: AccountStatistics
    whole: TradeStatistics
    per_coin: Mapping[str, TradeStatistics]
    per_card: Mapping[str, TradeStatistics]
    per_regime: Mapping[str, TradeStatistics]
    exposure_per_coin: Mapping[str, float | None]
    wanted: int
    gates: tuple[GateCount, ...]


def statistics_of(run: Run) -> Statistics:
    """Return all numbers of a run."""
    trades = sorted(run.trades, key=lambda trade: trade.exit_ms)
    return Statistics(
        account=_account_statistics(run),
        whole=trade_statistics(trades),
        per_coin=_per(trades, "symbol", [coin.symbol for coin in run.coins]),
        per_card=_per(trades, "card", sorted({trade.card for trade in trades})),
        per_regime=_per(trades, "regime", REGIMES),
        exposure_per_coin={coin.symbol: _exposure_frac(coin) for coin in run.coins},
        wanted=sum(coin.wanted for coin in run.coins),
        gates=_gate_counts(run.coins),
    )


def trade_statistics(trades: Sequence[TradeRow]) -> TradeStatistics:
    """Return what these trades came to; they stand in the order of their exits."""
    nets = [trade.net_quote for trade in trades]
    wins = [net for net in nets if net > 0.0]
    losses = [net for net in nets if net <= 0.0]
    multiples = np.array([trade.r for trade in trades])
    return TradeStatistics(
        net=profit_factor(nets),
        gross=profit_factor([trade.gross_quote for trade in trades]),
        other=profit_factor([trade.other_net_quote for trade in trades]),
        ambiguous=sum(trade.ambiguous for trade in trades),
        expectancy_r=_mean(multiples.tolist()),
        sqn=sharpe(multiples, periods_per_year=len(trades)),
        average_win_quote=_mean(wins),
        average_loss_quote=_mean(losses),
        losing_run=_longest_losing_run(nets),
        net_quote=sum(nets),
        fees_quote=sum(trade.fees_quote for trade in trades),
        slippage_quote=sum(trade.slippage_quote for trade in trades),
        funding_quote=sum(trade.funding_quote for trade in trades),
    )


def _per(trades: Iterable[TradeRow], field: str, names: Iterable[str]) -> dict[str, TradeStatistics]:
    groups: dict[str, list[TradeRow]] = {name: [] for name in names}
    for trade in trades:
        groups.setdefault(getattr(trade, field), []).append(trade)
    return {name: trade_statistics(of_group) for name, of_group in groups.items()}


def _account_statistics(run: Run) -> AccountStatistics:
    times = np.concatenate([[run.from_ms], run.times_ms]).astype(np.int64)
    equity = np.concatenate([[run.start_quote], run.equity_quote])
    held = np.concatenate([[0.0], run.notional_quote])
    days = (run.to_ms - run.from_ms) / DAY_MS
    end_quote = float(equity[-1])
    returns = daily_returns(times, equity, run.from_ms, run.to_ms)
    growth = None
    if days >= FEWEST_DAYS:
        growth = annual_growth_frac(run.start_quote, end_quote, days / DAYS_A_YEAR)
    drawdown = deepest_drawdown(times, equity)
    shares = np.divide(held, equity, out=np.zeros(len(held)), where=equity > 0.0)
    return AccountStatistics(
        start_quote=run.start_quote,
        end_quote=end_quote,
        open_quote=end_quote - run.start_quote - sum(trade.net_quote for trade in run.trades),
        days=days,
        growth_frac=growth,
        sharpe=sharpe(returns),
        sortino=sortino(returns),
        calmar=calmar(growth, drawdown.frac if drawdown else None),
        drawdown=drawdown,
        exposure_frac=time_weighted(times, (held > 0.0).astype(np.float64), run.to_ms),
        notional_frac=time_weighted(times, shares, run.to_ms),
        months=monthly_returns(times, equity, run.to_ms),
    )


def _exposure_frac(coin: RunCoin) -> float | None:
    return float(np.count_nonzero(coin.side)) / len(coin.side) if len(coin.side) else None


def _gate_counts(coins: Sequence[RunCoin]) -> tuple[GateCount, ...]:
    seen = {gate for coin in coins for gate, times in coin.failed.items() if times}
    order = {gate: place for place, gate in enumerate((*OWN_GATES, *ACCOUNT_GATES))}
    counts = [
        GateCount(
            gate=gate,
            blocked=sum(coin.blocked.get(gate, 0) for coin in coins),
            failed=sum(coin.failed.get(gate, 0) for coin in coins),
            blocked_per_coin={coin.symbol: coin.blocked.get(gate, 0) for coin in coins},
        )
        for gate in sorted(seen, key=lambda name: order.get(name, len(order)))
    ]
    return tuple(sorted(counts, key=lambda count: -count.blocked))


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _longest_losing_run(nets: Sequence[float]) -> int:
    longest = current = 0
    for net in nets:
        current = 0 if net > 0.0 else current + 1
        longest = max(longest, current)
    return longest
