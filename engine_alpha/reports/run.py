"""What a run over many coins left: the columns and trades that tables, statistics and pages are made of.

A backtest gives it from its columns, `journal_run` reads it out of an account's journal.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine_alpha.domain.bars import Floats, Ints

Codes = NDArray[np.int8]


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeRow:
    """One closed trade. Net = gross − fees + funding; slippage is inside gross, already paid in the prices.

    `side` is +1 long, −1 short; `exit_reason` one of kernel.codes.EXITS, `regime` the one at entry; `r` is
    net over `risk_quote`. `ambiguous` is 1 where stop and target both lay inside the exit bar;
    `other_net_quote` is what net had been, had that bar gone the other way (else net itself).
    """

    symbol: str
    card: str
    side: int
    quantity_base: float
    entry_ms: int
    entry_price: float
    exit_ms: int
    exit_price: float
    exit_reason: str
    stop_price: float
    gross_quote: float
    fees_quote: float
    funding_quote: float
    slippage_quote: float
    net_quote: float
    risk_quote: float
    r: float
    regime: str
    confidence: float
    bars_held: int
    ambiguous: int
    other_net_quote: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RunCoin:
    """One coin's bars of the run, oldest first, all columns of one length.

    `open`, `high` and `low` are NaN on bars of which only the close is known. `regime` is a code of
    kernel.codes.REGIMES, −1 where no decision was made. `side` is the position's after the bar,
    `equity_quote` the sub-account's, marked at its close. `wanted` counts the bars on which a card fired;
    per gate, `blocked` counts those of them that it refused, `failed` all bars on which it said no.
    """

    symbol: str
    timeframe_ms: int
    open_ms: Ints
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    regime: Codes
    side: Codes
    equity_quote: Floats
    wanted: int
    blocked: Mapping[str, int]
    failed: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A whole run. `times_ms` are the instants after which `equity_quote` and `notional_quote` hold.

    `equity_quote` is the account's, open positions marked at their last close; `notional_quote` what is held,
    sides added up without their signs. `source` says in words where the prices come from. `no_decisions` are
    (symbol, reason, how many bars). `funding_unknown_bars` counts bars in a position without known funding.
    """

    title: str
    source: str
    simulated: bool
    start_quote: float
    from_ms: int
    to_ms: int
    times_ms: Ints
    equity_quote: Floats
    notional_quote: Floats
    trades: tuple[TradeRow, ...]
    coins: tuple[RunCoin, ...]
    funding_unknown_bars: int
    no_decisions: tuple[tuple[str, str, int], ...]
    notes: tuple[str, ...]
    quote_ccy: str = "quote"
