"""The book's exits, funding and liquidations beside `kernel.settle` on the same bars, to the bit."""

from decimal import Decimal
from random import Random
from typing import NamedTuple

import pytest

from engine_alpha.kernel.grid import floor_to
from engine_alpha.kernel.money import new_sub_account
from engine_alpha.kernel.settle import settle
from engine_alpha.kernel.values import Asset, Bar, Fill, Pending, Risk, SubAccount
from tests.exchange.candles import HOUR_MS
from tests.exchange.trading.book import TradingBook
from tests.exchange.trading.values import FUNDING, BookFill, OrderRefused, exact, side_of
from tests.makers import a_bar, a_risk, an_asset
from tests.unit.exchange.books import START_MS, SYMBOL, Row, a_book, a_listing, an_order

BARS = 40
ASSET: Asset = an_asset(max_leverage=5.0)
RISK: Risk = a_risk()


class Scene(NamedTuple):
    rows: list[Row]
    marks: list[Row]
    funding: list[tuple[int, float]]


def a_scene(random: Random) -> Scene:
    """Return wild bars on the tick grid: gaps, wicks through stops, marks that run ahead of the trades."""
    rows: list[Row] = []
    marks: list[Row] = []
    price = 100.0
    for _ in range(BARS):
        open_ = on_tick(price * (1.0 + random.gauss(0.0, 0.01 if random.random() < 0.3 else 0.0005)))
        close = on_tick(open_ * (1.0 + random.gauss(0.0, 0.012)))
        high = on_tick(max(open_, close) * (1.0 + abs(random.gauss(0.0, 0.01))) + 0.1)
        low = on_tick(min(open_, close) * (1.0 - abs(random.gauss(0.0, 0.01))))
        wick = 0.25 if random.random() < 0.03 else 0.0
        rows.append((open_, high, low, close))
        marks.append((open_, high * (1.0 + wick), low * (1.0 - wick), close))
        price = close
    funding = [(START_MS + i * HOUR_MS, round(random.gauss(0.0, 3e-4), 8)) for i in range(1, BARS, 4)]
    return Scene(rows, marks, funding)


def on_tick(value: float) -> float:
    return floor_to(value, ASSET.tick_quote, ASSET.ticks_per_unit)


def kernel_bar(scene: Scene, index: int) -> Bar:
    open_, high, low, close = scene.rows[index]
    rates = dict(scene.funding)
    at_ms = START_MS + index * HOUR_MS
    return a_bar(
        at_ms // HOUR_MS,
        open=open_,
        high=high,
        low=low,
        close=close,
        mark_high=scene.marks[index][1],
        mark_low=scene.marks[index][2],
        funding_open_frac=rates.get(at_ms, 0.0),
    )


def a_pending(side: int, quantity: float, bar: Bar, target_frac: float) -> Pending:
    stop_frac = 0.02
    return Pending(
        side, 0, quantity, bar.close, bar.number - 1, 0.0, stop_frac, 0.0, target_frac, 0, 0, 0, 0, 0, 0
    )


def with_stop(sub: SubAccount, stop: float) -> SubAccount:
    return sub._replace(position=sub.position._replace(stop_price=stop))


def same(fill: Fill, told: BookFill) -> None:
    """Check that book and kernel agree on one fill, price, fee and quantity to the bit."""
    assert (side_of(fill.side), fill.quantity_base) == (told.side, float(told.quantity))
    assert (fill.price, fill.fee_quote) == (float(told.price), float(told.fee))
    inside = told.at_ms + 1 if told.at_ms % HOUR_MS == HOUR_MS - 1 else told.at_ms
    assert fill.at_ms == inside


class BothRoads:
    """One scene, played by the kernel and by the book at once."""

    def __init__(self, scene: Scene, random: Random) -> None:
        listing = a_listing(scene.rows, marks=scene.marks, funding=scene.funding)
        self.scene, self.random = scene, random
        self.book: TradingBook = a_book(listing=listing, asset=ASSET, risk=RISK)
        self.book.set_leverage(SYMBOL, Decimal(5))
        self.sub = new_sub_account(1_000.0)
        self.exits = 0
        self.reasons: set[int] = set()

    def play(self, index: int) -> None:
        """Open if flat, or trail the stop; then let the bar pass on both roads and compare."""
        bar = kernel_bar(self.scene, index)
        self.book.advance(bar.open_ms)
        if self.sub.position.side == 0:
            self._enter(bar, index)
            bar = bar._replace(funding_open_frac=0.0)  # it was flat when that was settled
        else:
            self._trail(bar)
        seen = len(self.book.fills)
        self.book.advance(bar.close_ms)
        fills = [each for each in self.book.fills[seen:] if each.exec_type != FUNDING]
        if self.sub.position.side == 0:
            return
        sub, settlement = settle(self.sub, ASSET, RISK, bar)
        assert len(fills) == (1 if settlement.exit.side != 0 else 0)
        if settlement.exit.side != 0:
            same(settlement.exit, fills[0])
            self.exits += 1
            self.reasons.add(settlement.exit.reason)
        self.sub = sub

    def _enter(self, bar: Bar, index: int) -> None:
        side, quantity = self.random.choice((1, -1)), self.random.randrange(100, 3_000) / 1_000
        target_frac = self.random.choice((0.0, 0.015, 0.03))
        pending = a_pending(side, quantity, bar, target_frac)
        quiet = bar._replace(high=bar.open, low=bar.open, mark_high=bar.open, mark_low=bar.open)
        opened, settlement = settle(self.sub._replace(pending=pending), ASSET, RISK, quiet)
        stop, target = opened.position.stop_price, opened.position.target_price
        order = self.book.place(an_order(f"e{index}", side_of(side), str(quantity), stop_loss=exact(stop)))
        same(settlement.entry, self.book.fills[-1])
        assert order.status == "Filled"
        if target > 0.0:
            self.book.set_position_stops(SYMBOL, target=exact(target))
        assert self.book.position(SYMBOL).liquidation_price == opened.position.liquidation_price
        self.sub = opened

    def _trail(self, bar: Bar) -> None:
        position = self.sub.position
        far = self.random.choice((0.004, 0.01, 0.03))
        wanted = on_tick(bar.open * (1.0 - position.side * far))
        if position.side * (wanted - position.stop_price) <= 0.0:
            return
        try:
            self.book.set_position_stops(SYMBOL, stop=exact(wanted))
        except OrderRefused:
            return
        self.sub = with_stop(self.sub, wanted)


@pytest.mark.parametrize("seed", range(12))
def test_exits_and_funding_equal_those_of_the_kernel_on_random_bars(seed: int) -> None:
    random = Random(seed)
    roads = BothRoads(a_scene(random), random)
    for index in range(BARS):
        roads.play(index)
    assert roads.exits > 3
    received = sum(float(each.received_quote) for each in roads.book.fills if each.exec_type == FUNDING)
    assert received == pytest.approx(roads.sub.funding_quote, rel=1e-12, abs=1e-12)
    kept = roads.sub.realised_quote - roads.sub.fees_quote + roads.sub.funding_quote
    assert float(roads.book.wallet) - 10_000.0 == pytest.approx(kept, rel=1e-9, abs=1e-9)


def test_the_random_scenes_reach_every_kind_of_exit() -> None:
    reasons: set[int] = set()
    for seed in range(12):
        random = Random(seed)
        roads = BothRoads(a_scene(random), random)
        for index in range(BARS):
            roads.play(index)
        reasons |= roads.reasons
    assert len(reasons) == 4, "stop, trailing stop, target and liquidation"
