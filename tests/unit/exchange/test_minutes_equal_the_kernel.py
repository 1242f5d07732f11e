"""With a finer series the book's exits equal those that the kernel finds in a bar's minutes, to the bit."""

from decimal import Decimal
from random import Random

import numpy as np
import pytest

from engine_alpha.kernel.money import new_sub_account
from engine_alpha.kernel.settle import settle
from engine_alpha.kernel.values import Bar
from tests.exchange.candles import HOUR_MS, Listing, Series
from tests.exchange.trading.values import exact, side_of
from tests.makers import a_bar, a_risk, an_asset
from tests.unit.exchange.books import START_MS, SYMBOL, a_book, an_order
from tests.unit.exchange.test_exits_equal_the_kernel import a_pending, on_tick, same

PARTS, BARS = 12, 30
STEP_MS = HOUR_MS // PARTS
ASSET, RISK = an_asset(max_leverage=1.0), a_risk()  # so that nothing is liquidated


def wild_parts(random: Random) -> np.ndarray:
    """Return rows of open, high, low, close: PARTS a bar."""
    rows, price = [], 100.0
    for _ in range(BARS * PARTS):
        open_ = on_tick(price * (1.0 + random.gauss(0.0, 0.004 if random.random() < 0.1 else 0.0003)))
        close = on_tick(open_ * (1.0 + random.gauss(0.0, 0.005)))
        high = on_tick(max(open_, close) * (1.0 + abs(random.gauss(0.0, 0.004))) + 0.1)
        low = on_tick(min(open_, close) * (1.0 - abs(random.gauss(0.0, 0.004))))
        rows.append((open_, high, low, close))
        price = close
    return np.array(rows)


def kernel_bar(parts: np.ndarray, index: int) -> Bar:
    mine = parts[index * PARTS : (index + 1) * PARTS]
    high, low = float(mine[:, 1].max()), float(mine[:, 2].min())
    rows = tuple(tuple(float(cell) for cell in row) for row in mine)
    open_, close = float(mine[0, 0]), float(mine[-1, 3])
    number = START_MS // HOUR_MS + index
    return a_bar(number, open=open_, high=high, low=low, close=close, minutes=rows)


@pytest.mark.parametrize("seed", range(8))
def test_exits_inside_a_bar_equal_those_of_the_kernel(seed: int) -> None:
    random = Random(seed)
    parts = wild_parts(random)
    open_ms = START_MS + np.arange(len(parts), dtype=np.int64) * STEP_MS
    series = Series(STEP_MS, open_ms, np.column_stack((parts, np.ones(len(parts)))), 2)
    book = a_book(listing=Listing(SYMBOL, {STEP_MS: series}, tick="0.1", lot="0.001"), asset=ASSET, risk=RISK)
    book.set_leverage(SYMBOL, Decimal(1))
    exits = 0
    for index in range(BARS):
        bar = kernel_bar(parts, index)
        book.advance(bar.open_ms)
        side = random.choice((1, -1))
        pending = a_pending(side, 1.5, bar, 0.02)
        quiet = bar._replace(high=bar.open, low=bar.open, mark_high=bar.open, mark_low=bar.open, minutes=())
        flat = new_sub_account(1_000.0)._replace(pending=pending)
        held, settlement = settle(flat, ASSET, RISK, quiet)
        stop, target = exact(held.position.stop_price), exact(held.position.target_price)
        book.place(an_order(f"e{index}", side_of(side), "1.5", stop_loss=stop, take_profit=target))
        same(settlement.entry, book.fills[-1])
        seen = len(book.fills)
        book.advance(bar.close_ms)
        _, after = settle(held, ASSET, RISK, bar)
        fills = book.fills[seen:]
        assert len(fills) == (1 if after.exit.side != 0 else 0)
        if fills:
            told = fills[0]
            assert (after.exit.price, after.exit.fee_quote) == (float(told.price), float(told.fee))
            assert after.exit.at_ms - told.at_ms in (0, 1)
            exits += 1
        elif held.position.side != 0:
            book.place(an_order(f"x{index}", side_of(-side), "1.5", reduce_only=True))
    assert exits > 5
