"""What a backtest gives back: columns as NumPy arrays, trades as rows, and the page's view of it all."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
import polars as pl

from engine_alpha.domain.bars import Floats, Ints
from engine_alpha.kernel.profit_factor import ProfitFactor, profit_factor
from engine_alpha.plans.history import History
from engine_alpha.reports.run import Run, RunCoin, TradeRow


@dataclass(frozen=True, slots=True, kw_only=True)
class BacktestResult:
    """One backtest. Money in quote currency, times in ms UTC, fractions never percent.

    `decisions` counts asset-bars decided, `no_decisions` are (symbol, reason, how many); `undecided` are
    coins without any decision, with the reason. `times_ms`, `account_quote` and `notional_quote`, each of
    shape (instants,): the account after each instant at which a bar closed. `trades` are closed ones,
    `shadow_trades` those of shadow cards, never traded. `forced_exits` leave positions of coins whose
    bars end early at their last close: in no ledger. The digests are None for a run without records.
    `seconds` is the time of the loop and of the features it ran on, `bars` what it advanced.
    """

    history: History
    decisions: int
    trades: tuple[TradeRow, ...]
    shadow_trades: tuple[TradeRow, ...]
    forced_exits: tuple[TradeRow, ...]
    decisions_sha256: str | None
    ledger_sha256: str | None
    no_decisions: tuple[tuple[str, str, int], ...]
    undecided: tuple[tuple[str, str], ...]
    coins: tuple[RunCoin, ...]
    times_ms: Ints
    account_quote: Floats
    notional_quote: Floats
    start_quote: float
    equity_quote: float
    funding_quote: float
    funding_unknown_bars: int
    bars: int
    seconds: float
    notes: tuple[str, ...] = ()
    quote_ccy: str = "quote"
    rows: Mapping[str, np.ndarray[Any, Any]] = field(default_factory=dict)

    @property
    def bars_per_second(self) -> float:
        """Return asset-bars a second, features included."""
        return self.bars / self.seconds if self.seconds > 0.0 else 0.0

    @property
    def ambiguous(self) -> int:
        """Return how many trades left in a bar that held stop and target both."""
        return sum(trade.ambiguous for trade in self.trades)

    def factor(self, symbol: str | None = None) -> ProfitFactor:
        """Return the net profit factor of all trades, or of one coin's."""
        return profit_factor([trade.net_quote for trade in self.trades if symbol in (None, trade.symbol)])

    def records(self, symbol: str) -> np.ndarray[Any, Any]:
        """Return a coin's records, one row per decided bar, fields named as in `kernel.values`.

        Only where `keep_records` was asked for; raises KeyError for a coin that did not run.
        """
        return self.rows[symbol]

    def trades_frame(self) -> pl.DataFrame:
        """Return the closed trades as a Polars frame, one column per field of `TradeRow`."""
        if not self.trades:
            return pl.DataFrame(schema=list(TradeRow.__dataclass_fields__))
        return pl.DataFrame([asdict(trade) for trade in self.trades], infer_schema_length=None)

    def timed(self, seconds: float) -> "BacktestResult":
        """Return the result with another measure of its time."""
        return replace(self, seconds=seconds)

    def as_run(self) -> Run:
        """Return what tables and pages are made of."""
        return Run(
            title=f"backtest of {', '.join(coin.symbol for coin in self.coins)}",
            source=f"{self.history.venue} bars from {self.history.data}",
            simulated=False,
            start_quote=self.start_quote,
            from_ms=self.history.from_ms,
            to_ms=self.history.to_ms,
            times_ms=self.times_ms,
            equity_quote=self.account_quote,
            notional_quote=self.notional_quote,
            trades=(*self.trades, *self.forced_exits),
            coins=self.coins,
            funding_unknown_bars=self.funding_unknown_bars,
            no_decisions=self.no_decisions,
            notes=self.notes,
            quote_ccy=self.quote_ccy,
        )
