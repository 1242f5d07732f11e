"""Rows of the fill table: a handful of hourly candles and how the position made on them is left.

Candles are distances from 100 in the trade's direction: (open, best, worst, close); +5 is 5 in its favour.
The first is decided on, the second opens the position: one unit, its stop 10 from the fill, without costs.
"""

from typing import Any, NamedTuple

import numpy as np
import pytest

from engine_alpha.domain.bars import Bars, Funding
from engine_alpha.kernel.values import Bar, Purse, Record, Rules, Trade
from engine_alpha.step.windows import bar_of
from tests.makers import HOUR_MS, a_card, a_risk, an_asset, rules
from tests.unit.kernel.scenes import fresh_purse, play, seen_as

NAN = float("nan")
FIRST_NUMBER = 1_000
FIRST_MS = FIRST_NUMBER * HOUR_MS
SIDES = pytest.mark.parametrize("side", [1, -1], ids=["long", "short"])

Candle = tuple[float, float, float, float]
DECIDED: Candle = (0, 1, -1, 0)
QUIET: Candle = (0, 1, -1, 0)


class Left(NamedTuple):
    """How the position is left: in which candle, where, why, when in it, and where by the other order."""

    candle: int
    price: float
    reason: int
    at: str = "close"
    other: float = 0.0


class Row(NamedTuple):
    """One case. `wanted` None: still open at the end. Funding is (hours after the first open, rate)."""

    sentence: str
    case: str
    candles: tuple[Candle, ...]
    wanted: Left | None
    card: dict[str, Any] = {}  # noqa: RUF012
    asset: dict[str, Any] = {}  # noqa: RUF012
    marks: dict[int, tuple[float, float]] = {}  # noqa: RUF012
    minutes: dict[int, tuple[Candle, ...]] = {}  # noqa: RUF012
    funding: tuple[tuple[float, float], ...] = ()
    received: float = 0.0


def fill_rules(card: dict[str, Any], asset: dict[str, Any], **risk: Any) -> Rules:
    """Return rules under which a decision makes one unit with a stop 10 away, free of costs."""
    known = an_asset(**{"taker_fee_frac": 0.0, "max_leverage": 1.0, **asset})
    free = a_risk(**{"slippage_bps": 0.0, "spread_bps": 0.0, **risk})
    return rules((a_card(stop_atr=0.0, stop_range=10.0, **card),), asset=known, risk=free)


def prices_of(candles: tuple[Candle, ...], side: int) -> np.ndarray:
    """Return open, high, low, close, one row per candle."""
    opened, best, worst, close = 100.0 + side * np.array(candles, dtype=np.float64).T
    return np.column_stack([opened, np.maximum(best, worst), np.minimum(best, worst), close])


def bars_of_row(row: Row, side: int) -> list[Bar]:
    """Return the row's candles as the step hands them to the kernel; a NaN candle is a hole."""
    prices = prices_of(row.candles, side)
    there = ~np.isnan(prices[:, 0])
    marks = np.full((len(prices), 2), NAN)
    for place, (best, worst) in row.marks.items():
        marks[place] = sorted((100.0 + side * best, 100.0 + side * worst), reverse=True)
    bars = Bars(
        timeframe_ms=HOUR_MS,
        open_ms=(FIRST_NUMBER + np.flatnonzero(there)) * HOUR_MS,
        open=prices[there, 0],
        high=prices[there, 1],
        low=prices[there, 2],
        close=prices[there, 3],
        volume=np.ones(int(there.sum())),
        mark_high=marks[there, 0] if row.marks else np.empty(0),
        mark_low=marks[there, 1] if row.marks else np.empty(0),
    )
    hours, rates = np.array(row.funding or [(0.0, 0.0)]).T
    funding = Funding(
        settled_ms=FIRST_MS + np.rint(hours * HOUR_MS).astype(np.int64),
        rate_frac=rates * side,
        from_ms=FIRST_MS,
        to_ms=FIRST_MS + 100 * HOUR_MS,
    )
    made = [bar_of(bars, funding, at) for at in range(len(bars))]
    return [with_minutes(bar, row, side) for bar in made]


def with_minutes(bar: Bar, row: Row, side: int) -> Bar:
    """Return the bar with the finer candles that the row gives for it."""
    finer = row.minutes.get(bar.number - FIRST_NUMBER)
    return bar if finer is None else bar._replace(minutes=prices_of(finer, side))


def played(row: Row, side: int, known: Rules | None = None) -> tuple[Purse, list[Record]]:
    """Decide on the first candle, then only settle."""
    known = known or fill_rules(row.card, row.asset)
    bars = bars_of_row(row, side)
    seen = [seen_as(side)] + [seen_as(0)] * (len(bars) - 1)
    return play(known, zip(bars, seen, strict=True), fresh_purse(known))


def trade_of(records: list[Record]) -> tuple[int, Trade] | None:
    """Return the candle in which the trade closed, and the trade."""
    closed = [
        (record.open_ms // HOUR_MS - FIRST_NUMBER, record.settlement.trade)
        for record in records
        if record.settlement.trade.side != 0
    ]
    return closed[0] if closed else None
