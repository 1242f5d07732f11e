"""The fill rules of the design, sentence by sentence, each with its rows, long and short, over `advance`.

How to read a row: `fill_rows`. What a sentence says beyond rows stands in `test_fill_sentences` and, for
published numbers, in `test_fill_oracles`.
"""

import pytest

from engine_alpha.kernel.codes import EXIT_LIQUIDATION, EXIT_STOP, EXIT_TARGET, EXIT_TIME, EXIT_TRAILING
from engine_alpha.kernel.values import Tier
from tests.makers import HOUR_MS
from tests.unit.kernel.fill_rows import (
    DECIDED,
    FIRST_MS,
    FIRST_NUMBER,
    NAN,
    QUIET,
    SIDES,
    Candle,
    Left,
    Row,
    played,
    trade_of,
)

SENTENCES = {
    "entry": "Decide on closed bar t; the quantity is fixed then; enter at the open of t+1 with slippage and "
    "taker fee; stop and target are measured from the fill.",
    "paper": "Paper shows the fill as provisional when t+1 has begun and books it when t+1 settles.",
    "gaps": "Gap through the stop fills at the open; gap beyond the target fills at the target.",
    "open": "An exit priced at the open comes before any stop of that bar.",
    "both": "Stop and target in one bar: stop.",
    "entry-bar": "The entry bar can stop out but not take profit.",
    "trailing": "Trailing for bar t uses t-1.",
    "liquidation": "Liquidation (mark price where there is one, else last; tiers) is checked before the "
    "stop.",
    "detail": "With `detail: 1m` (off by default) a 1-minute series decides the order inside the bar.",
    "ambiguous": "Reports state how many bars were ambiguous and the PF if they had gone the other way.",
    "funding": "Funding is paid at the settlement times the data gives (intervals differ by symbol and "
    "change), never at a hard-coded 8 h; no data: zero, and counted.",
    "fees": "Default fees: Bybit 0.02/0.055 %, Binance 0.02/0.05 % maker/taker.",
}

TARGET = {"target_range": 6.0}
HOLD_ONE = {"max_hold_bars": 1}
TRAIL = {"trail_range": 5.0}
LEVERED = {"max_leverage": 4.0}  # liquidated 24.62 away (0.5 % maintenance), bankrupt 25 away
TIERED = {**LEVERED, "tiers": (Tier(0.0, 0.005, 0.0), Tier(50.0, 0.1, 4.75))}  # about 22 away, by side

STOP_FIRST: tuple[Candle, ...] = ((0, 1, -11, -10), (-10, 7, -10, 3))
TARGET_FIRST: tuple[Candle, ...] = ((0, 7, 0, 3), (3, 3, -11, 3))
IN_ONE_MINUTE: tuple[Candle, ...] = ((0, 1, -1, 0), (0, 7, -11, 3))
WIDE: Candle = (0, 7, -11, 3)

ROWS = (
    Row("entry", "the open of t+1, not the close of t", (DECIDED, (4, 5, 3, 4), (4, 5, -6, 0)),
        Left(2, -6, EXIT_STOP)),
    Row("entry", "a stop from the fill, not from the decided price", (DECIDED, (4, 5, -5.9, 4)), None),
    Row("entry", "a target from the fill", (DECIDED, (-2, 1, -3, 0), (0, 4, -1, 3)),
        Left(2, 4, EXIT_TARGET), TARGET),
    Row("gaps", "no gap: the stop's own price", (DECIDED, QUIET, (0, 1, -10, -9)), Left(2, -10, EXIT_STOP)),
    Row("gaps", "one tick short of the stop", (DECIDED, QUIET, (0, 1, -9.9, -9)), None),
    Row("gaps", "through the stop", (DECIDED, QUIET, (-14, -12, -20, -15)), Left(2, -14, EXIT_STOP, "open")),
    Row("gaps", "onto the stop", (DECIDED, QUIET, (-10, -8, -12, -9)), Left(2, -10, EXIT_STOP, "open")),
    Row("gaps", "no gap: the target's own price", (DECIDED, QUIET, (0, 6, -1, 5)),
        Left(2, 6, EXIT_TARGET), TARGET),
    Row("gaps", "one tick short of the target", (DECIDED, QUIET, (0, 5.9, -1, 5)), None, TARGET),
    Row("gaps", "beyond the target", (DECIDED, QUIET, (9, 12, 8, 10)), Left(2, 6, EXIT_TARGET), TARGET),
    Row("gaps", "beyond the target, under a trailing stop that has passed it",
        (DECIDED, (0, 20, -1, 18), (18, 19, 14, 15)), Left(2, 6, EXIT_TARGET), {**TARGET, **TRAIL}),
    Row("open", "before a stop inside the bar", (DECIDED, QUIET, (1, 2, -15, -12)),
        Left(2, 1, EXIT_TIME, "open"), HOLD_ONE),
    Row("open", "before a stop that the open gapped through", (DECIDED, QUIET, (-14, -12, -20, -15)),
        Left(2, -14, EXIT_TIME, "open"), HOLD_ONE),
    Row("open", "beyond the target: the open, not the target", (DECIDED, QUIET, (9, 12, 8, 10)),
        Left(2, 9, EXIT_TIME, "open"), {**HOLD_ONE, **TARGET}),
    Row("open", "before a liquidation inside the bar", (DECIDED, QUIET, (0, 1, -40, -9)),
        Left(2, 0, EXIT_TIME, "open"), HOLD_ONE, LEVERED),
    Row("both", "stop and target in one bar", (DECIDED, QUIET, (0, 8, -12, 3)),
        Left(2, -10, EXIT_STOP, other=6), TARGET),
    Row("both", "a gap through the stop leaves no doubt", (DECIDED, QUIET, (-11, 8, -12, 3)),
        Left(2, -11, EXIT_STOP, "open"), TARGET),
    Row("both", "target in one bar, stop in the next", (DECIDED, QUIET, (0, 6, -9, 3), (3, 8, -12, 0)),
        Left(2, 6, EXIT_TARGET), TARGET),
    Row("entry-bar", "stops out", (DECIDED, (0, 1, -11, -5)), Left(1, -10, EXIT_STOP)),
    Row("entry-bar", "takes no profit", (DECIDED, (0, 9, -1, 8), (3, 5, 2, 4)), None, TARGET),
    Row("entry-bar", "the bar after it does", (DECIDED, (0, 9, -1, 8), (8, 9, 5, 5)),
        Left(2, 6, EXIT_TARGET), TARGET),
    Row("entry-bar", "a target out of its reach is no second order", (DECIDED, (0, 9, -11, -5)),
        Left(1, -10, EXIT_STOP), TARGET),
    Row("trailing", "the bar's own best price moves nothing", (DECIDED, QUIET, (0, 20, -3.9, 18)), None,
        TRAIL),
    Row("trailing", "the best price of the bar before does", (DECIDED, QUIET, (0, 20, -3.9, 18),
        (18, 19, 14, 15)), Left(3, 15, EXIT_TRAILING), TRAIL),
    Row("trailing", "a worse bar loosens nothing", (DECIDED, (0, 9, -1, 8), (8, 8, 5, 6), (6, 7, 3, 4)),
        Left(3, 4, EXIT_TRAILING), TRAIL),
    Row("trailing", "a gap through it fills at the open", (DECIDED, (0, 9, -1, 8), (2, 3, 1, 2)),
        Left(2, 2, EXIT_TRAILING, "open"), TRAIL),
    Row("liquidation", "before the stop, the whole margin gone", (DECIDED, QUIET, (0, 1, -26, -5)),
        Left(2, -25, EXIT_LIQUIDATION), {}, LEVERED),
    Row("liquidation", "before a gap through the stop", (DECIDED, QUIET, (-12, 1, -26, -5)),
        Left(2, -25, EXIT_LIQUIDATION), {}, LEVERED),
    Row("liquidation", "on the entry bar", (DECIDED, (0, 1, -26, -5)),
        Left(1, -25, EXIT_LIQUIDATION), {}, LEVERED),
    Row("liquidation", "the mark liquidates, the last price did not fall", (DECIDED, QUIET, QUIET),
        Left(2, -25, EXIT_LIQUIDATION), {}, LEVERED, {2: (1, -26)}),
    Row("liquidation", "the last price fell, the mark did not", (DECIDED, QUIET, (0, 1, -40, -5)),
        Left(2, -10, EXIT_STOP), {}, LEVERED, {2: (1, -9)}),
    Row("liquidation", "no mark for this bar: the last price", (DECIDED, QUIET, (0, 1, -26, -5)),
        Left(2, -25, EXIT_LIQUIDATION), {}, LEVERED, {1: (1, -1), 2: (NAN, NAN)}),
    Row("liquidation", "22.5 away holds in the lowest tier", (DECIDED, QUIET, QUIET), None, {}, LEVERED,
        {2: (1, -22.5)}),
    Row("liquidation", "22.5 away is liquidated in the tier of its notional", (DECIDED, QUIET, QUIET),
        Left(2, -25, EXIT_LIQUIDATION), {}, TIERED, {2: (1, -22.5)}),
    Row("detail", "off: stop before target", (DECIDED, QUIET, WIDE),
        Left(2, -10, EXIT_STOP, other=6), TARGET),
    Row("detail", "the stop came first", (DECIDED, QUIET, WIDE), Left(2, -10, EXIT_STOP, "half"),
        TARGET, minutes={2: STOP_FIRST}),
    Row("detail", "the target came first", (DECIDED, QUIET, WIDE), Left(2, 6, EXIT_TARGET, "half"),
        TARGET, minutes={2: TARGET_FIRST}),
    Row("detail", "both in one minute: stop", (DECIDED, QUIET, WIDE), Left(2, -10, EXIT_STOP, other=6),
        TARGET, minutes={2: IN_ONE_MINUTE}),
    Row("detail", "a minute that opens beyond the stop fills there", (DECIDED, QUIET, (0, 1, -13, -12)),
        Left(2, -12, EXIT_STOP, "half"), minutes={2: ((0, 1, -1, 0), (-12, -12, -13, -12))}),
    Row("detail", "the entry's own minute takes no profit", (DECIDED, (0, 7, -1, 3)), None,
        TARGET, minutes={1: ((0, 7, -1, 3), (3, 4, 2, 3))}),
    Row("detail", "a later minute of the entry bar does", (DECIDED, (0, 7, -1, 3)),
        Left(1, 6, EXIT_TARGET), TARGET, minutes={1: ((0, 1, -1, 0), (0, 7, 0, 3))}),
    Row("funding", "flat at the instant pays nothing", (DECIDED, QUIET), None, funding=((1, 0.01),)),
    Row("funding", "a minute after the entry pays", (DECIDED, QUIET), None,
        funding=((1 + 1 / 60, 0.01),), received=-1.0),
    Row("funding", "an exit at the instant still pays", (DECIDED, QUIET, QUIET),
        Left(2, 0, EXIT_TIME, "open"), HOLD_ONE, funding=((2, 0.01),), received=-1.0),
    Row("funding", "a minute after that exit pays nothing", (DECIDED, QUIET, QUIET),
        Left(2, 0, EXIT_TIME, "open"), HOLD_ONE, funding=((2 + 1 / 60, 0.01),)),
    Row("funding", "at the price of its bar's open", (DECIDED, QUIET, (5, 6, 4, 5)), None,
        funding=((2, 0.01),), received=NAN),
    Row("funding", "four hours after one, one hour after the next", (DECIDED, *[QUIET] * 7), None,
        funding=((1, 0.01), (5, 0.01), (6, 0.01), (7.5, 0.01)), received=-3.0),
    Row("funding", "a hole in the bars takes its settlement along", (DECIDED, QUIET, (NAN,) * 4, QUIET), None,
        funding=((2, 0.01), (2.5, 0.02), (3, 0.04)), received=-7.0),
    Row("funding", "a stop in the bar pays what fell due inside it", (DECIDED, QUIET, (0, 1, -10, -9)),
        Left(2, -10, EXIT_STOP), funding=((2.5, 0.01),), received=-1.0),
    Row("funding", "and receives nothing for it", (DECIDED, QUIET, (0, 1, -10, -9)),
        Left(2, -10, EXIT_STOP), funding=((2.5, -0.01),)),
)  # fmt: skip


TABLE = pytest.mark.parametrize("row", ROWS, ids=[f"{row.sentence}: {row.case}" for row in ROWS])


@SIDES
@TABLE
def test_the_position_is_left_as_the_sentence_says(row: Row, side: int) -> None:
    purse, records = played(row, side)
    found = trade_of(records)
    if row.wanted is None:
        assert (found, purse.sub.position.side) == (None, side)
        return
    wanted = row.wanted
    assert found is not None
    candle, trade = found
    opened_ms = (FIRST_NUMBER + candle) * HOUR_MS
    at_ms = {"open": 0, "half": HOUR_MS // 2, "close": HOUR_MS}[wanted.at]
    assert (candle, trade.exit_reason) == (wanted.candle, wanted.reason)
    assert side * (trade.exit_price - 100.0) == pytest.approx(wanted.price, abs=1e-9)
    assert trade.exit_ms == opened_ms + at_ms
    assert (trade.side, trade.entry_ms, trade.quantity_base) == (side, FIRST_MS + HOUR_MS, 1.0)
    assert trade.gross_quote == pytest.approx(wanted.price - row.candles[1][0], abs=1e-9)
    assert trade.bars_held == candle - 1
    assert trade.ambiguous == (1 if wanted.other else 0)
    if wanted.other:
        assert trade.other_net_quote == pytest.approx(wanted.other - row.candles[1][0], abs=1e-9)
    else:
        assert trade.other_net_quote == trade.net_quote
    assert (purse.sub.position.side, purse.sub.trades) == (0, 1)


@SIDES
@TABLE
def test_the_position_pays_the_funding_of_its_time_and_no_other(row: Row, side: int) -> None:
    """A rate is given against the position: it pays."""
    purse, records = played(row, side)
    received = sum(record.settlement.funding_quote for record in records)
    wanted = -0.01 * (100.0 + 5.0 * side) if row.received != row.received else row.received
    assert received == pytest.approx(wanted, abs=1e-12)
    assert purse.sub.funding_quote == pytest.approx(wanted, abs=1e-12)
    found = trade_of(records)
    if found is not None:
        assert found[1].funding_quote == pytest.approx(wanted, abs=1e-12)
        assert found[1].net_quote == pytest.approx(found[1].gross_quote + wanted, abs=1e-12)
    assert purse.sub.funding_unknown_bars == 0


def test_every_sentence_has_a_row_or_a_test_of_its_own() -> None:
    own = {"entry", "paper", "ambiguous", "funding", "fees"}
    assert own | {row.sentence for row in ROWS} == set(SENTENCES)
