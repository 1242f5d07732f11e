"""Binance USD-M: what the documentation says each trading reply holds.

Written from the pages of developers.binance.com named in each table, as they stood in 2026.
"""

from tests.contract.shapes.shape import FLAG, NULL, NUMBER, TEXT, Documented, Kind

_ORDER_CORE: dict[str, Kind] = {
    "clientOrderId": TEXT,
    "cumQuote": TEXT,
    "executedQty": TEXT,
    "orderId": NUMBER,
    "origQty": TEXT,
    "origType": TEXT,
    "price": TEXT,
    "reduceOnly": FLAG,
    "side": TEXT,
    "positionSide": TEXT,
    "status": TEXT,
    "stopPrice": TEXT,
    "closePosition": FLAG,
    "symbol": TEXT,
    "timeInForce": TEXT,
    "type": TEXT,
    "activatePrice?": TEXT,  # only with TRAILING_STOP_MARKET
    "priceRate?": TEXT,  # only with TRAILING_STOP_MARKET
    "updateTime": NUMBER,
    "workingType": TEXT,
    "priceProtect": FLAG,
    "priceMatch": TEXT,
    "selfTradePreventionMode": TEXT,
    "goodTillDate": NUMBER,
}
NEW_ORDER = Documented("New Order (TRADE)", _ORDER_CORE | {"cumQty": TEXT, "avgPrice": TEXT})
CANCEL_ORDER = Documented("Cancel Order (TRADE)", _ORDER_CORE | {"cumQty": TEXT})
QUERY_ORDER = Documented("Query Order (USER_DATA)", _ORDER_CORE | {"avgPrice": TEXT, "time": NUMBER})
OPEN_ORDERS = Documented("Current All Open Orders (USER_DATA)", [QUERY_ORDER.kind])
ALL_ORDERS = Documented("All Orders (USER_DATA)", [QUERY_ORDER.kind])

_ALGO_CORE: dict[str, Kind] = {
    "algoId": NUMBER,
    "clientAlgoId": TEXT,
    "algoType": TEXT,
    "orderType": TEXT,
    "symbol": TEXT,
    "side": TEXT,
    "positionSide": TEXT,
    "timeInForce": TEXT,
    "quantity": TEXT,
    "algoStatus": TEXT,
    "triggerPrice": TEXT,
    "price": TEXT,
    "icebergQuantity": NULL,
    "selfTradePreventionMode": TEXT,
    "workingType": TEXT,
    "priceMatch": TEXT,
    "closePosition": FLAG,
    "priceProtect": FLAG,
    "reduceOnly": FLAG,
    "createTime": NUMBER,
    "updateTime": NUMBER,
    "triggerTime": NUMBER,
    "goodTillDate": NUMBER,
}
NEW_ALGO_ORDER = Documented(
    "New Algo Order (TRADE)",
    _ALGO_CORE | {"activatePrice?": TEXT, "callbackRate?": TEXT},  # only with TRAILING_STOP_MARKET
)
QUERY_ALGO_ORDER = Documented(
    "Query Algo Order (USER_DATA)",
    _ALGO_CORE
    | {
        "actualOrderId": TEXT,
        "actualPrice": TEXT,
        "tpTriggerPrice": TEXT,
        "tpPrice": TEXT,
        "slTriggerPrice": TEXT,
        "slPrice": TEXT,
        "tpOrderType": TEXT,
    },
)
OPEN_ALGO_ORDERS = Documented("Current All Algo Open Orders (USER_DATA)", [QUERY_ALGO_ORDER.kind])
ALL_ALGO_ORDERS = Documented("Query All Algo Orders (USER_DATA)", [QUERY_ALGO_ORDER.kind])
CANCEL_ALGO_ORDER = Documented(
    "Cancel Algo Order (TRADE)",
    {"algoId": NUMBER, "clientAlgoId": TEXT, "code": TEXT, "msg": TEXT},  # here the code is a text
)

USER_TRADES = Documented(
    "Account Trade List (USER_DATA)",
    [
        {
            "buyer": FLAG,
            "commission": TEXT,
            "commissionAsset": TEXT,
            "id": NUMBER,
            "maker": FLAG,
            "orderId": NUMBER,
            "price": TEXT,
            "qty": TEXT,
            "quoteQty": TEXT,
            "realizedPnl": TEXT,
            "side": TEXT,
            "positionSide": TEXT,
            "symbol": TEXT,
            "time": NUMBER,
        }
    ],
)
INCOME = Documented(
    "Get Income History (USER_DATA)",
    [
        {
            "symbol": TEXT,
            "incomeType": TEXT,
            "income": TEXT,
            "asset": TEXT,
            "info": TEXT,
            "time": NUMBER,
            "tranId": NUMBER,  # the page's two examples differ: a text for TRANSFER, a number for COMMISSION
            "tradeId": TEXT,
        }
    ],
)
POSITION_RISK_V2 = Documented(
    "Position Information V2 (USER_DATA)",
    [
        {
            "entryPrice": TEXT,
            "breakEvenPrice": TEXT,
            "marginType": TEXT,
            "isAutoAddMargin": TEXT,
            "isolatedMargin": TEXT,
            "leverage": TEXT,
            "liquidationPrice": TEXT,
            "markPrice": TEXT,
            "maxNotionalValue": TEXT,
            "positionAmt": TEXT,
            "notional": TEXT,
            "isolatedWallet": TEXT,
            "symbol": TEXT,
            "unRealizedProfit": TEXT,
            "positionSide": TEXT,
            "updateTime": NUMBER,
        }
    ],
)
POSITION_RISK_V3 = Documented(
    "Position Information V3 (USER_DATA)",
    [
        {
            "symbol": TEXT,
            "positionSide": TEXT,
            "positionAmt": TEXT,
            "entryPrice": TEXT,
            "breakEvenPrice": TEXT,
            "markPrice": TEXT,
            "unRealizedProfit": TEXT,
            "liquidationPrice": TEXT,
            "isolatedMargin": TEXT,
            "notional": TEXT,
            "marginAsset": TEXT,
            "isolatedWallet": TEXT,
            "initialMargin": TEXT,
            "maintMargin": TEXT,
            "positionInitialMargin": TEXT,
            "openOrderInitialMargin": TEXT,
            "adl": NUMBER,
            "bidNotional": TEXT,
            "askNotional": TEXT,
            "updateTime": NUMBER,
        }
    ],
)
BALANCE_V3 = Documented(
    "Futures Account Balance V3 (USER_DATA)",
    [
        {
            "accountAlias": TEXT,
            "asset": TEXT,
            "balance": TEXT,
            "crossWalletBalance": TEXT,
            "crossUnPnl": TEXT,
            "availableBalance": TEXT,
            "maxWithdrawAmount": TEXT,
            "marginAvailable": FLAG,
            "updateTime": NUMBER,
        }
    ],
)
BALANCE_V2 = Documented("Futures Account Balance V2 (USER_DATA)", BALANCE_V3.kind)

_TOTALS: dict[str, Kind] = {
    "totalInitialMargin": TEXT,
    "totalMaintMargin": TEXT,
    "totalWalletBalance": TEXT,
    "totalUnrealizedProfit": TEXT,
    "totalMarginBalance": TEXT,
    "totalPositionInitialMargin": TEXT,
    "totalOpenOrderInitialMargin": TEXT,
    "totalCrossWalletBalance": TEXT,
    "totalCrossUnPnl": TEXT,
    "availableBalance": TEXT,
    "maxWithdrawAmount": TEXT,
}
_ACCOUNT_ASSET: dict[str, Kind] = {
    "asset": TEXT,
    "walletBalance": TEXT,
    "unrealizedProfit": TEXT,
    "marginBalance": TEXT,
    "maintMargin": TEXT,
    "initialMargin": TEXT,
    "positionInitialMargin": TEXT,
    "openOrderInitialMargin": TEXT,
    "crossWalletBalance": TEXT,
    "crossUnPnl": TEXT,
    "availableBalance": TEXT,
    "maxWithdrawAmount": TEXT,
    "updateTime": NUMBER,
}
ACCOUNT_V3 = Documented(
    "Account Information V3 (USER_DATA)",
    _TOTALS
    | {
        "assets": [_ACCOUNT_ASSET],
        "positions": [
            {
                "symbol": TEXT,
                "positionSide": TEXT,
                "positionAmt": TEXT,
                "unrealizedProfit": TEXT,
                "isolatedMargin": TEXT,
                "notional": TEXT,
                "isolatedWallet": TEXT,
                "initialMargin": TEXT,
                "maintMargin": TEXT,
                "updateTime": NUMBER,
            }
        ],
    },
)
ACCOUNT_V2 = Documented(
    "Account Information V2 (USER_DATA)",
    _TOTALS
    | {
        "feeTier": NUMBER,
        "feeBurn": FLAG,
        "canTrade": FLAG,
        "canDeposit": FLAG,
        "canWithdraw": FLAG,
        "updateTime": NUMBER,
        "multiAssetsMargin": FLAG,
        "tradeGroupId": NUMBER,
        "assets": [_ACCOUNT_ASSET | {"marginAvailable": FLAG}],
        "positions": [
            {
                "symbol": TEXT,
                "initialMargin": TEXT,
                "maintMargin": TEXT,
                "unrealizedProfit": TEXT,
                "positionInitialMargin": TEXT,
                "openOrderInitialMargin": TEXT,
                "leverage": TEXT,
                "isolated": FLAG,
                "entryPrice": TEXT,
                "maxNotional": TEXT,
                "bidNotional": TEXT,
                "askNotional": TEXT,
                "positionSide": TEXT,
                "positionAmt": TEXT,
                "updateTime": NUMBER,
            }
        ],
    },
)
COMMISSION_RATE = Documented(
    "User Commission Rate (USER_DATA)",
    {"symbol": TEXT, "makerCommissionRate": TEXT, "takerCommissionRate": TEXT},
)
POSITION_MODE = Documented("Get Current Position Mode (USER_DATA)", {"dualSidePosition": FLAG})
CHANGED = Documented(
    "Change Position Mode (TRADE), Change Margin Type (TRADE)", {"code": NUMBER, "msg": TEXT}
)
LEVERAGE = Documented(
    "Change Initial Leverage (TRADE)", {"leverage": NUMBER, "maxNotionalValue": TEXT, "symbol": TEXT}
)
API_RESTRICTIONS = Documented(
    "Get API Key Permission (USER_DATA)",
    {
        "ipRestrict": FLAG,
        "createTime": NUMBER,
        "enableInternalTransfer": FLAG,
        "enableFutures": FLAG,
        "enablePortfolioMarginTrading": FLAG,
        "enableVanillaOptions": FLAG,
        "permitsUniversalTransfer": FLAG,
        "enableReading": FLAG,
        "enableSpotAndMarginTrading": FLAG,
        "enableWithdrawals": FLAG,
        "enableMargin": FLAG,
    },
)
REFUSAL = Documented("Error Codes", {"code": NUMBER, "msg": TEXT})
