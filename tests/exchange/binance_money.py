"""What Binance's replies about positions, money and keys hold, field by field, as documented."""

from collections.abc import Iterable
from decimal import Decimal

from tests.exchange.binance_replies import QUOTE, Json
from tests.exchange.binance_signing import BinanceKey
from tests.exchange.trading.values import ZERO, BookPosition, text

MOST_NOTIONAL = "20000000"
SUCCESS: Json = {"code": 200, "msg": "success"}


def _money(amount: Decimal) -> Decimal:
    """Return an amount as the venue keeps it: to eight places."""
    return amount.quantize(Decimal("1e-8"))


def _shared_position(position: BookPosition, mark: Decimal) -> Json:
    notional, margin = position.quantity * mark, _money(position.margin) if position.isolated else ZERO
    profit = position.quantity * (mark - position.entry_price) if position.quantity else ZERO
    return {
        "symbol": position.symbol,
        "positionSide": "BOTH",
        "positionAmt": text(position.quantity),
        "entryPrice": text(position.entry_price),
        "breakEvenPrice": text(position.entry_price),
        "markPrice": text(mark),
        "unRealizedProfit": text(profit),
        "liquidationPrice": text(Decimal(repr(position.liquidation_price))) if position.quantity else "0",
        "isolatedMargin": text(margin + profit if position.isolated else ZERO),
        "notional": text(notional),
        "isolatedWallet": text(margin),
        "updateTime": position.updated_ms,
    }


def position_risk_v2(position: BookPosition, mark: Decimal) -> Json:
    return _shared_position(position, mark) | {
        "marginType": "isolated" if position.isolated else "cross",
        "isAutoAddMargin": "false",
        "leverage": text(position.leverage),
        "maxNotionalValue": MOST_NOTIONAL,
    }


def position_risk_v3(position: BookPosition, mark: Decimal) -> Json:
    """Return a position as V3 tells it: neither leverage nor margin type are in it."""
    initial = text(_money(abs(position.quantity) * mark / position.leverage))
    return _shared_position(position, mark) | {
        "marginAsset": QUOTE,
        "initialMargin": initial,
        "maintMargin": "0",
        "positionInitialMargin": initial,
        "openOrderInitialMargin": "0",
        "adl": 2 if position.quantity else 0,
        "bidNotional": "0",
        "askNotional": "0",
    }


def balance(wallet: Decimal, isolated: Decimal, available: Decimal, now_ms: int) -> Json:
    return {
        "accountAlias": "SgsR",
        "asset": QUOTE,
        "balance": text(wallet),
        "crossWalletBalance": text(wallet - isolated),
        "crossUnPnl": "0",
        "availableBalance": text(available),
        "maxWithdrawAmount": text(available),
        "marginAvailable": True,
        "updateTime": now_ms,
    }


def account_totals(wallet: Decimal, profit: Decimal, held: Decimal, available: Decimal) -> Json:
    return {
        "totalInitialMargin": text(held),
        "totalMaintMargin": "0",
        "totalWalletBalance": text(wallet),
        "totalUnrealizedProfit": text(profit),
        "totalMarginBalance": text(wallet + profit),
        "totalPositionInitialMargin": text(held),
        "totalOpenOrderInitialMargin": "0",
        "totalCrossWalletBalance": text(wallet - held),
        "totalCrossUnPnl": "0",
        "availableBalance": text(available),
        "maxWithdrawAmount": text(available),
    }


def account_asset(totals: Json, now_ms: int) -> Json:
    """Return the quote asset's part of an account, from the totals: there is no other asset."""
    names = {
        "walletBalance": "totalWalletBalance",
        "unrealizedProfit": "totalUnrealizedProfit",
        "marginBalance": "totalMarginBalance",
        "maintMargin": "totalMaintMargin",
        "initialMargin": "totalInitialMargin",
        "positionInitialMargin": "totalPositionInitialMargin",
        "openOrderInitialMargin": "totalOpenOrderInitialMargin",
        "crossWalletBalance": "totalCrossWalletBalance",
        "crossUnPnl": "totalCrossUnPnl",
        "availableBalance": "availableBalance",
        "maxWithdrawAmount": "maxWithdrawAmount",
    }
    return {"asset": QUOTE, "updateTime": now_ms} | {name: totals[each] for name, each in names.items()}


def account_position_v3(position: BookPosition, mark: Decimal) -> Json:
    risk = position_risk_v3(position, mark)
    kept = ("symbol", "positionSide", "positionAmt", "isolatedMargin", "notional", "isolatedWallet")
    return _kept(risk, (*kept, "initialMargin", "maintMargin", "updateTime")) | {
        "unrealizedProfit": risk["unRealizedProfit"]
    }


def account_position_v2(position: BookPosition, mark: Decimal) -> Json:
    risk = position_risk_v3(position, mark)
    kept = (
        "symbol",
        "positionSide",
        "positionAmt",
        "entryPrice",
        "initialMargin",
        "maintMargin",
        "updateTime",
    )
    margins = ("positionInitialMargin", "openOrderInitialMargin", "bidNotional", "askNotional")
    return _kept(risk, (*kept, *margins)) | {
        "unrealizedProfit": risk["unRealizedProfit"],
        "leverage": text(position.leverage),
        "isolated": position.isolated,
        "maxNotional": MOST_NOTIONAL,
    }


def _kept(whole: Json, names: Iterable[str]) -> Json:
    return {name: whole[name] for name in names}


ACCOUNT_FLAGS_V2: Json = {
    "feeTier": 0,
    "feeBurn": False,
    "canTrade": True,
    "canDeposit": True,
    "canWithdraw": True,
    "updateTime": 0,
    "multiAssetsMargin": False,
    "tradeGroupId": -1,
}


def api_restrictions(key: BinanceKey) -> Json:
    return {
        "ipRestrict": key.ip_restricted,
        "createTime": 1_698_645_219_000,
        "enableInternalTransfer": False,
        "enableFutures": key.futures,
        "enablePortfolioMarginTrading": False,
        "enableVanillaOptions": False,
        "permitsUniversalTransfer": False,
        "enableReading": key.reading,
        "enableSpotAndMarginTrading": False,
        "enableWithdrawals": key.withdrawals,
        "enableMargin": False,
    }
