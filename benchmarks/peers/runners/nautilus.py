"""nautilus_trader: bars through its matching engine, one strategy per coin.

A market order fills at once at the last price, so on bars without gaps a decision at the close already has
the next open. With gaps the feed carries one print per bar, its open, and the strategy waits for that print.
Bars walk open, high, low, close. The account hedges, a position per trade: netting keeps a pickled copy of
every closed position of a coin and reads them all back at each new one.
"""

import math
from decimal import Decimal
from itertools import chain
from typing import Any, NamedTuple

import nautilus_trader
import pandas as pd
from nautilus_trader.backtest.engine import BacktestEngine
from nautilus_trader.config import BacktestEngineConfig, LoggingConfig, StrategyConfig
from nautilus_trader.indicators import ExponentialMovingAverage
from nautilus_trader.model.currencies import USDT
from nautilus_trader.model.data import Bar, BarType, TradeTick
from nautilus_trader.model.enums import AccountType, AggressorSide, CurrencyType, OmsType, OrderSide
from nautilus_trader.model.identifiers import InstrumentId, Symbol, TradeId, Venue
from nautilus_trader.model.instruments import CryptoPerpetual
from nautilus_trader.model.objects import Currency, Money, Price, Quantity
from nautilus_trader.trading.strategy import Strategy

from benchmarks.peers.runners.contract import (
    CROSS,
    STOP,
    TARGET,
    Answer,
    PeerBars,
    PeerTrade,
    Rules,
    arguments,
    decimals,
    has_gaps,
    on_tick,
    read_bars,
    seconds_since_start,
    timed,
    write_answer,
)

# The engine's analyzer grows a pandas series by every closed trade; with pandas 3's Arrow strings as its
# index that alone doubles the time of a run.
pd.options.future.infer_string = False

RULES = Rules()
HOUR_MS = 3_600_000
VENUE = Venue("SIM")
SIZE_DECIMALS = 3
DEPTH = 1e9  # the engine fills against a quarter of a bar's volume; the rules know no depth


class RoundTrip(NamedTuple):
    """A closed trade as the strategy saw its fills."""

    quantity_base: float
    entry_ns: int
    entry_price: float
    exit_ns: int
    exit_price: float
    reason: str


class EmaCrossConfig(StrategyConfig, frozen=True):
    """What one coin's strategy needs to know."""

    instrument_id: InstrumentId
    bar_type: BarType
    tick: float
    waits_for_print: bool


class EmaCross(Strategy):
    """The rules: market entry, then a stop and a limit order that cancel each other."""

    def __init__(self, config: EmaCrossConfig) -> None:
        super().__init__(config)
        self.fast = ExponentialMovingAverage(RULES.fast_bars)
        self.slow = ExponentialMovingAverage(RULES.slow_bars)
        self.seen_bars = 0
        self.was_above = 0  # sign of fast - slow a bar ago
        self.entry: Any = None
        self.stop_order: Any = None
        self.target_order: Any = None
        self.leaving: Any = None
        self.position_id: Any = None
        self.due = ""  # what to do on the next print
        self.decided_close = 0.0
        self.trades: list[RoundTrip] = []
        self.entered = (0, 0.0)

    def on_start(self) -> None:
        """Subscribe to the bars, and to the opening prints where there are any."""
        self.instrument = self.cache.instrument(self.config.instrument_id)
        self.register_indicator_for_bars(self.config.bar_type, self.fast)
        self.register_indicator_for_bars(self.config.bar_type, self.slow)
        self.subscribe_bars(self.config.bar_type)
        if self.config.waits_for_print:
            self.subscribe_trade_ticks(self.config.instrument_id)

    def on_bar(self, bar: Bar) -> None:
        """Decide on a closed bar."""
        spread = self.fast.value - self.slow.value
        above = (spread > 0.0) - (spread < 0.0)
        before, self.was_above = self.was_above, above
        self.seen_bars += 1
        if self.seen_bars <= RULES.first_signal_bar:
            return
        if above > 0 and before <= 0 and self.entry is None:
            self.decided_close = bar.close.as_double()
            self.due = "enter"
        elif above < 0 and before >= 0 and self.entry is not None:
            self.due = "leave"
        if self.due and not self.config.waits_for_print:
            self.act()

    def on_trade_tick(self, tick: TradeTick) -> None:
        """Act on the opening print after a decision."""
        if self.due:
            self.act()

    def act(self) -> None:
        """Send the market order that is due."""
        due, self.due = self.due, ""
        if due == "enter":
            quantity = self.instrument.make_qty(RULES.notional_quote / self.decided_close)
            self.entry = self.order_factory.market(self.config.instrument_id, OrderSide.BUY, quantity)
            self.submit_order(self.entry)
        elif self.entry is not None:  # else stop or target took it on this very print
            self.leaving = self.order_factory.market(
                self.config.instrument_id, OrderSide.SELL, self.entry.quantity, reduce_only=True
            )
            self.submit_order(self.leaving, position_id=self.position_id)

    def on_order_filled(self, event: Any) -> None:
        """Protect an entry; after an exit cancel what still stands."""
        if self.entry is not None and event.client_order_id == self.entry.client_order_id:
            if self.entry.is_closed:
                self.position_id = event.position_id
                self.entered = (event.ts_event, self.entry.avg_px)
                self.protect(self.entry.avg_px)
            return
        for order, reason in ((self.stop_order, STOP), (self.target_order, TARGET), (self.leaving, CROSS)):
            if order is not None and event.client_order_id == order.client_order_id and order.is_closed:
                quantity = self.entry.quantity.as_double()
                self.trades.append(RoundTrip(quantity, *self.entered, event.ts_event, order.avg_px, reason))
                self.forget(order)
                return

    def protect(self, price: float) -> None:
        """Send stop and target, measured from the fill."""
        instrument_id, tick, quantity = self.config.instrument_id, self.config.tick, self.entry.quantity
        stop = self.instrument.make_price(on_tick(price * (1.0 - RULES.stop_frac), tick, math.floor))
        target = self.instrument.make_price(on_tick(price * (1.0 + RULES.target_frac), tick, math.ceil))
        self.stop_order = self.order_factory.stop_market(
            instrument_id, OrderSide.SELL, quantity, stop, reduce_only=True
        )
        self.target_order = self.order_factory.limit(
            instrument_id, OrderSide.SELL, quantity, target, reduce_only=True
        )
        self.submit_order(self.stop_order, position_id=self.position_id)
        self.submit_order(self.target_order, position_id=self.position_id)

    def forget(self, filled: Any) -> None:
        """Cancel the orders that the exit has made pointless."""
        for order in (self.stop_order, self.target_order):
            if order is not None and order is not filled and order.is_open:
                self.cancel_order(order)
        self.entry = self.stop_order = self.target_order = self.leaving = None


def instrument_of(symbol: str, tick: float) -> CryptoPerpetual:
    """Return the contract: the tick's precision, one fee for maker and taker."""
    places = decimals(tick)
    base = Currency(symbol.removesuffix("USDT"), 8, 0, symbol, CurrencyType.CRYPTO)
    return CryptoPerpetual(
        instrument_id=InstrumentId(Symbol(symbol), VENUE),
        raw_symbol=Symbol(symbol),
        base_currency=base,
        quote_currency=USDT,
        settlement_currency=USDT,
        is_inverse=False,
        price_precision=places,
        price_increment=Price(tick, places),
        size_precision=SIZE_DECIMALS,
        size_increment=Quantity(10.0**-SIZE_DECIMALS, SIZE_DECIMALS),
        margin_init=Decimal("0.01"),
        margin_maint=Decimal("0.005"),
        maker_fee=Decimal(str(RULES.fee_frac)),
        taker_fee=Decimal(str(RULES.fee_frac)),
        ts_event=0,
        ts_init=0,
    )


def events_of(bars: PeerBars, place: int, instrument: CryptoPerpetual, prints: bool) -> list[Any]:
    """Return the coin's bars as the engine takes them, stamped at their close; and the opening prints."""
    bar_type = BarType.from_str(f"{instrument.id}-1-HOUR-LAST-EXTERNAL")
    places = instrument.price_precision
    columns = [getattr(bars, name)[place].tolist() for name in ("open", "high", "low", "close")]
    size = Quantity(DEPTH, SIZE_DECIMALS)
    made: list[Any] = []
    rows = zip(bars.open_ms.tolist(), *columns, strict=True)
    for i, (open_ms, opened, high, low, close) in enumerate(rows):
        if prints:
            at_ns = open_ms * 1_000_000 + 1  # a nanosecond after the close of the bar before
            made.append(
                TradeTick(
                    instrument.id,
                    Price(opened, places),
                    size,
                    AggressorSide.NO_AGGRESSOR,
                    TradeId(str(i)),
                    at_ns,
                    at_ns,
                )
            )
        prices = (Price(price, places) for price in (opened, high, low, close))
        close_ns = (open_ms + HOUR_MS) * 1_000_000
        made.append(Bar(bar_type, *prices, size, close_ns, close_ns))
    return made


def ready(instruments: list[CryptoPerpetual], events: list[Any], waits: bool) -> tuple[BacktestEngine, list]:
    """Return an engine with everything loaded, and its strategies."""
    engine = BacktestEngine(
        BacktestEngineConfig(logging=LoggingConfig(bypass_logging=True), run_analysis=False)
    )
    engine.add_venue(VENUE, OmsType.HEDGING, AccountType.MARGIN, [Money(10_000_000, USDT)])
    strategies = []
    for instrument in instruments:
        engine.add_instrument(instrument)
        config = EmaCrossConfig(
            instrument_id=instrument.id,
            bar_type=BarType.from_str(f"{instrument.id}-1-HOUR-LAST-EXTERNAL"),
            tick=float(instrument.price_increment),
            waits_for_print=waits,
            order_id_tag=instrument.id.symbol.value,
        )
        strategies.append(EmaCross(config))
    engine.add_data(events, sort=True)
    engine.add_strategies(strategies)
    return engine, strategies


def run(loaded: tuple[BacktestEngine, list]) -> list[EmaCross]:
    """Run the engine over all its data."""
    engine, strategies = loaded
    engine.run()
    return strategies


def trades_of(strategies: list[EmaCross]) -> list[PeerTrade]:
    """Return the closed trades."""
    found = []
    for strategy in strategies:
        symbol = strategy.config.instrument_id.symbol.value
        for fill in strategy.trades:
            fees = RULES.fee_frac * fill.quantity_base * (fill.entry_price + fill.exit_price)
            pnl = fill.quantity_base * (fill.exit_price - fill.entry_price) - fees
            # what happens inside a bar is stamped with its close, what happens on an open with that instant
            at_ns = fill.exit_ns if fill.reason == CROSS else fill.exit_ns - 1
            times = (hour_of(fill.entry_ns), hour_of(at_ns))
            prices = (fill.entry_price, fill.exit_price)
            found.append(PeerTrade(symbol, times[0], prices[0], times[1], prices[1], fill.reason, pnl))
    return found


def hour_of(at_ns: int) -> int:
    """Return the start of the hour in ms."""
    return at_ns // 1_000_000 // HOUR_MS * HOUR_MS


def main() -> None:
    """Time the runs and write the answer."""
    imported = seconds_since_start()
    source, target, _ = arguments()
    bars = read_bars(source)
    waits = has_gaps(bars)
    instruments = [instrument_of(*pair) for pair in zip(bars.symbols, bars.tick.tolist(), strict=True)]
    events = list(chain.from_iterable(events_of(bars, i, each, waits) for i, each in enumerate(instruments)))
    timing = timed(lambda: ready(instruments, events, waits), run)
    trades = trades_of(timing.result)
    extra = {"note": "bars and opening prints" if waits else "bars alone"}
    write_answer(
        target, Answer("nautilus_trader", nautilus_trader.__version__, imported, timing, trades, extra)
    )


if __name__ == "__main__":
    main()
