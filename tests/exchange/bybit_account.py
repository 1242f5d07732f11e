"""Bybit's settings and account queries: stops of positions, leverage, modes, wallet, fees, the key."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from tests.exchange.bybit_signing import BybitKey, BybitRefusal
from tests.exchange.trading.book import TradingBook
from tests.exchange.trading.values import text

Params = Mapping[str, str]
Result = dict[str, Any]
MAKER_FEE = "0.0002"
MARGIN_MODES = ("ISOLATED_MARGIN", "REGULAR_MARGIN", "PORTFOLIO_MARGIN")


class BybitAccount:
    """Endpoints of /v5/position (writing), /v5/account and /v5/user."""

    def __init__(self, book: TradingBook) -> None:
        self.book = book
        self.margin_mode = ""

    def trading_stop(self, params: Params, _key: BybitKey) -> Result:
        """Set, move or ("0") take away the stop and target of a position; absent ones stay."""
        _linear(params)
        check_stop_mode(params)
        stop, target = _stop(params, "stopLoss"), _stop(params, "takeProfit")
        if not self.book.set_position_stops(params["symbol"], stop, target):
            raise BybitRefusal(34040, "not modified")
        return {}

    def set_leverage(self, params: Params, _key: BybitKey) -> Result:
        _linear(params)
        if params["buyLeverage"] != params["sellLeverage"]:
            raise BybitRefusal(10001, "buy leverage not equal sell leverage")
        if not self.book.set_leverage(params["symbol"], Decimal(params["buyLeverage"])):
            raise BybitRefusal(110043, "leverage not modified")
        return {}

    def switch_mode(self, params: Params, _key: BybitKey) -> Result:
        """Switch between one-way (0) and hedge (3)."""
        _linear(params)
        if params["mode"] not in ("0", "3"):
            raise BybitRefusal(10001, "params error: mode")
        if not self.book.set_one_way(params["mode"] == "0"):
            raise BybitRefusal(110025, "Position mode is not modified")
        return {}

    def set_margin_mode(self, params: Params, _key: BybitKey) -> Result:
        """Set the whole account's margin mode; no category here, as there."""
        mode = params["setMarginMode"]
        if mode not in MARGIN_MODES:
            raise BybitRefusal(10001, "params error: setMarginMode")
        self.margin_mode = mode
        self.book.set_isolated(mode == "ISOLATED_MARGIN")
        return {"reasons": []}

    def info(self, _params: Params, _key: BybitKey) -> Result:
        cross = "PORTFOLIO_MARGIN" if self.margin_mode == "PORTFOLIO_MARGIN" else "REGULAR_MARGIN"
        return {
            "unifiedMarginStatus": 5,
            "marginMode": "ISOLATED_MARGIN" if self.book.isolated else cross,
            "isMasterTrader": False,
            "spotHedgingStatus": "OFF",
            "updatedTime": str(self.book.now_ms),
            "dcpStatus": "OFF",
            "timeWindow": 0,
            "smpGroup": 0,
        }

    def wallet_balance(self, params: Params, _key: BybitKey) -> Result:
        """Tell the USDT of a unified account."""
        if params.get("accountType") != "UNIFIED":
            raise BybitRefusal(10001, "accountType only support UNIFIED.")
        wallet, equity, free = self.book.wallet, self.book.equity(), self.book.available
        coin = {
            "coin": "USDT",
            "equity": text(equity),
            "usdValue": text(equity),
            "walletBalance": text(wallet),
            "free": "",
            "locked": "0",
            "borrowAmount": "0",
            "availableToWithdraw": "",
            "accruedInterest": "0",
            "totalOrderIM": "0",
            "totalPositionIM": text(wallet - free),
            "totalPositionMM": "0",
            "unrealisedPnl": text(equity - wallet),
            "cumRealisedPnl": "0",
            "bonus": "0",
            "collateralSwitch": True,
            "marginCollateral": True,
        }
        isolated = self.book.isolated
        account = {
            "accountType": "UNIFIED",
            "accountLTV": "",
            "accountIMRate": "" if isolated else "0",
            "accountMMRate": "" if isolated else "0",
            "totalEquity": text(equity),
            "totalWalletBalance": text(wallet),
            "totalMarginBalance": "" if isolated else text(equity),
            "totalAvailableBalance": "" if isolated else text(free),
            "totalPerpUPL": text(equity - wallet),
            "totalInitialMargin": "" if isolated else text(wallet - free),
            "totalMaintenanceMargin": "" if isolated else "0",
            "coin": [coin],
        }
        return {"list": [account]}

    def fee_rate(self, params: Params, _key: BybitKey) -> Result:
        _linear(params)
        contracts = self.book.contracts
        wanted = params.get("symbol")
        if wanted and wanted not in contracts:
            raise BybitRefusal(10001, "params error: Symbol Is Invalid")
        listed = [
            {
                "symbol": symbol,
                "baseCoin": "",
                "takerFeeRate": text(Decimal(repr(contract.asset.taker_fee_frac))),
                "makerFeeRate": MAKER_FEE,
            }
            for symbol, contract in contracts.items()
            if wanted in (None, "", symbol)
        ]
        return {"category": "linear", "list": listed}

    def query_api(self, _params: Params, key: BybitKey) -> Result:
        """Tell what the key may do."""
        return {
            "id": "1",
            "note": "test",
            "apiKey": key.key,
            "readOnly": int(key.read_only),
            "secret": "",
            "permissions": {
                "ContractTrade": ["Order", "Position"] if key.trade else [],
                "Spot": [],
                "Wallet": ["AccountTransfer", "Withdraw"] if key.withdraw else [],
                "Options": [],
                "Derivatives": [],
                "Exchange": [],
                "NFT": [],
            },
            "ips": list(key.ips),
            "type": 1,
            "deadlineDay": 80,
            "expiredAt": "2027-01-01T00:00:00Z",
            "createdAt": "2026-01-01T00:00:00Z",
            "unified": 0,
            "uta": 1,
            "userID": 1,
            "inviterID": 0,
            "vipLevel": "No VIP",
            "isMaster": True,
            "parentUid": "0",
        }


def _linear(params: Params) -> None:
    if params.get("category") != "linear":
        raise BybitRefusal(10001, "Illegal category")


def check_stop_mode(params: Params) -> None:
    """Refuse what this exchange does not play, rather than take it and do nothing."""
    if params.get("tpslMode", "Full") not in ("Full", "") or params.get("trailingStop", "0") not in ("0", ""):
        raise BybitRefusal(10001, "params error: the test exchange plays tpslMode Full without trailing")


def _stop(params: Params, name: str) -> Decimal | None:
    told = params.get(name)
    return None if told in (None, "") else Decimal(told)
