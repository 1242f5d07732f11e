"""Binance's account: trades, income, positions, balances, fees, and the settings that can be changed."""

from decimal import Decimal
from typing import Any

from tests.exchange import binance_money as money
from tests.exchange import binance_refusals as no
from tests.exchange.binance_params import DAY_MS, FAR_MS, WEEK_MS, Params, limit, needed, week, whole
from tests.exchange.binance_refusals import BinanceRefusal
from tests.exchange.binance_replies import incomes, trade
from tests.exchange.trading.book import TradingBook
from tests.exchange.trading.values import (
    FUNDING,
    HOLDS_POSITION,
    LEVERAGE_OVER_MAXIMUM,
    ZERO,
    BookFill,
    BookPosition,
    OrderRefused,
    exact,
    text,
)

INCOME_MEMORY_MS = 90 * DAY_MS


class BinanceAccount:
    """Reads and sets on one book."""

    def __init__(self, book: TradingBook) -> None:
        self.book = book

    # records

    def trades(self, params: Params) -> Any:
        """GET /fapi/v1/userTrades: oldest first; without start and fromId the newest of the window."""
        symbol, first, most = self._symbol(params), whole(params, "fromId", -1), limit(params, 500, 1_000)
        timed = bool(params.get("startTime") or params.get("endTime"))
        if first >= 0 and timed:
            raise BinanceRefusal(*no.INVALID_COMBINATION)
        start_ms, end_ms = (0, FAR_MS) if first >= 0 else week(params, self.book.now_ms)
        rows = [trade(fill) for fill in self._fills(symbol, start_ms, end_ms)]
        wanted = params.get("orderId")
        rows = [row for row in rows if wanted in (None, str(row["orderId"])) and row["id"] >= first]
        return rows[:most] if first >= 0 or params.get("startTime") else rows[-most:]

    def income(self, params: Params) -> Any:
        """GET /fapi/v1/income: the last seven days unless times are sent; three months are kept."""
        now_ms = self.book.now_ms
        symbol = self._symbol(params) if params.get("symbol") else None
        start_ms, end_ms = whole(params, "startTime", -1), whole(params, "endTime", FAR_MS)
        if start_ms < 0:
            start_ms = (now_ms if end_ms == FAR_MS else end_ms) - WEEK_MS
        if start_ms > end_ms:
            raise BinanceRefusal(*no.START_AFTER_END)
        start_ms = max(start_ms, now_ms - INCOME_MEMORY_MS)
        kind, most = params.get("incomeType"), limit(params, 100, 1_000)
        fills = self.book.executions(symbol, start_ms, end_ms)
        rows = [row for fill in fills for row in incomes(fill) if kind in (None, row["incomeType"])]
        skipped = (max(1, whole(params, "page", 1)) - 1) * most
        return rows[skipped : skipped + most]

    def _fills(self, symbol: str, start_ms: int, end_ms: int) -> list[BookFill]:
        fills = self.book.executions(symbol, start_ms, end_ms)
        return sorted((f for f in fills if f.exec_type != FUNDING), key=lambda fill: fill.number)

    # positions and money

    def positions_v2(self, params: Params) -> Any:
        """GET /fapi/v2/positionRisk: every symbol, flat ones too."""
        wanted = self._symbol(params) if params.get("symbol") else None
        symbols = [symbol for symbol in self.book.state.contracts if wanted in (None, symbol)]
        return [money.position_risk_v2(self.book.position(each), self._mark(each)) for each in symbols]

    def positions_v3(self, params: Params) -> Any:
        """GET /fapi/v3/positionRisk: only symbols with a position or open orders."""
        wanted = self._symbol(params) if params.get("symbol") else None
        busy = [each for each in self._busy() if wanted in (None, each.symbol)]
        return [money.position_risk_v3(each, self._mark(each.symbol)) for each in busy]

    def balance(self, _params: Params) -> Any:
        """GET /fapi/v2/balance and /fapi/v3/balance, which differ in nothing."""
        available = max(self.book.available, ZERO)
        return [money.balance(self.book.wallet, self._held(), available, self.book.now_ms)]

    def account_v2(self, _params: Params) -> Any:
        """GET /fapi/v2/account."""
        totals = self._totals()
        asset = money.account_asset(totals, self.book.now_ms) | {"marginAvailable": True}
        positions = [self.book.position(symbol) for symbol in self.book.state.contracts]
        told = [money.account_position_v2(each, self._mark(each.symbol)) for each in positions]
        return money.ACCOUNT_FLAGS_V2 | totals | {"assets": [asset], "positions": told}

    def account_v3(self, _params: Params) -> Any:
        """GET /fapi/v3/account."""
        totals = self._totals()
        told = [money.account_position_v3(each, self._mark(each.symbol)) for each in self._busy()]
        return totals | {"assets": [money.account_asset(totals, self.book.now_ms)], "positions": told}

    def _totals(self) -> dict[str, Any]:
        wallet, available = self.book.wallet, max(self.book.available, ZERO)
        return money.account_totals(wallet, self.book.equity() - wallet, self._held(), available)

    def _held(self) -> Decimal:
        return sum((each.margin for each in self.book.positions()), ZERO)

    def _busy(self) -> list[BookPosition]:
        ordered = {order.symbol for order in self.book.open_orders() if not order.conditional}
        shown = [self.book.position(symbol) for symbol in self.book.state.contracts]
        return [each for each in shown if each.quantity or each.symbol in ordered]

    def _mark(self, symbol: str) -> Decimal:
        return exact(self.book.state.raw_price(symbol))

    def commission(self, params: Params) -> Any:
        """GET /fapi/v1/commissionRate."""
        symbol = self._symbol(params)
        taker = exact(self.book.state.contracts[symbol].asset.taker_fee_frac)
        return {"symbol": symbol, "makerCommissionRate": "0.0002", "takerCommissionRate": text(taker)}

    # settings

    def mode(self, _params: Params) -> Any:
        """GET /fapi/v1/positionSide/dual."""
        return {"dualSidePosition": not self.book.state.one_way}

    def set_mode(self, params: Params) -> Any:
        """POST /fapi/v1/positionSide/dual."""
        try:
            changed = self.book.set_one_way(needed(params, "dualSidePosition").lower() != "true")
        except OrderRefused as refused:
            held = refused.reason == HOLDS_POSITION
            code = no.POSITION_SIDE_WITH_POSITION if held else no.POSITION_SIDE_WITH_ORDERS
            raise BinanceRefusal(*code) from refused
        if not changed:
            raise BinanceRefusal(*no.POSITION_SIDE_UNCHANGED)
        return money.SUCCESS

    def set_margin_type(self, params: Params) -> Any:
        """POST /fapi/v1/marginType: waiting algo orders hold no margin and so do not hinder it."""
        symbol, wanted = self._symbol(params), needed(params, "marginType")
        if wanted not in ("ISOLATED", "CROSSED"):
            raise BinanceRefusal(-1102, "Mandatory parameter 'marginType' was malformed.")
        position = self.book.state.position(symbol)
        if position.isolated == (wanted == "ISOLATED"):
            raise BinanceRefusal(*no.MARGIN_TYPE_UNCHANGED)
        if position.quantity:
            raise BinanceRefusal(*no.MARGIN_TYPE_WITH_POSITION)
        if any(o.symbol == symbol and not o.conditional for o in self.book.state.open.values()):
            raise BinanceRefusal(*no.MARGIN_TYPE_WITH_ORDERS)
        self.book.set_isolated(wanted == "ISOLATED", symbol)
        return money.SUCCESS

    def set_leverage(self, params: Params) -> Any:
        """POST /fapi/v1/leverage: the same value again is a yes."""
        symbol, told = self._symbol(params), needed(params, "leverage")
        if not told.isdigit():
            raise BinanceRefusal(no.INVALID_LEVERAGE, f"Leverage {told} is not valid")
        leverage, position = Decimal(told), self.book.state.position(symbol)
        if position.quantity and position.isolated and leverage < position.leverage:
            raise BinanceRefusal(*no.ISOLATED_LEVERAGE_CUT)
        try:
            self.book.set_leverage(symbol, leverage)
        except OrderRefused as refused:
            assert refused.reason == LEVERAGE_OVER_MAXIMUM
            raise BinanceRefusal(no.INVALID_LEVERAGE, f"Leverage {told} is not valid") from refused
        return {"leverage": int(told), "maxNotionalValue": money.MOST_NOTIONAL, "symbol": symbol}

    def _symbol(self, params: Params) -> str:
        symbol = needed(params, "symbol")
        if symbol not in self.book.state.contracts:
            raise BinanceRefusal(*no.INVALID_SYMBOL)
        return symbol
