"""Bybit v5 linear: what the documentation says each trading reply's `result` holds.

Written from the pages of bybit-exchange.github.io/docs/v5 named in each table. A name with "?" is one that
the page ties to another product or account type, or that its own example leaves out.
"""

from tests.contract.shapes.shape import FLAG, NUMBER, TEXT, Documented, Kind

PLACED = Documented("Place Order; Cancel Order", {"orderId": TEXT, "orderLinkId": TEXT})
NOTHING = Documented("Set Leverage; Set Trading Stop; Switch Position Mode", {})

_ORDER: dict[str, Kind] = {
    "orderId": TEXT,
    "orderLinkId": TEXT,
    "parentOrderLinkId?": TEXT,  # attached stops and targets
    "blockTradeId?": TEXT,
    "symbol": TEXT,
    "price": TEXT,
    "qty": TEXT,
    "side": TEXT,
    "isLeverage?": TEXT,  # spot
    "positionIdx": NUMBER,
    "orderStatus": TEXT,
    "createType?": TEXT,
    "cancelType": TEXT,
    "rejectReason": TEXT,
    "avgPrice": TEXT,
    "leavesQty": TEXT,
    "leavesValue?": TEXT,
    "cumExecQty": TEXT,
    "cumExecValue": TEXT,
    "cumExecFee": TEXT,
    "timeInForce": TEXT,
    "orderType": TEXT,
    "stopOrderType": TEXT,
    "orderIv?": TEXT,  # options
    "marketUnit?": TEXT,  # spot
    "triggerPrice": TEXT,
    "takeProfit": TEXT,
    "stopLoss": TEXT,
    "tpslMode?": TEXT,
    "ocoTriggerBy?": TEXT,  # spot
    "tpLimitPrice?": TEXT,
    "slLimitPrice?": TEXT,
    "tpTriggerBy?": TEXT,
    "slTriggerBy?": TEXT,
    "triggerDirection": NUMBER,
    "triggerBy": TEXT,
    "lastPriceOnCreated?": TEXT,
    "basePrice?": TEXT,  # spot
    "reduceOnly": FLAG,
    "closeOnTrigger": FLAG,
    "placeType?": TEXT,  # options
    "smpType?": TEXT,
    "smpGroup?": NUMBER,
    "smpOrderId?": TEXT,
    "createdTime": TEXT,
    "updatedTime": TEXT,
    "cumFeeDetail?": {"USDT?": TEXT},
}
ORDERS = Documented(
    "Get Open & Closed Orders; Get Order History",
    {"list": [_ORDER], "nextPageCursor": TEXT, "category": TEXT},
)
EXECUTIONS = Documented(
    "Get Trade History",
    {
        "nextPageCursor": TEXT,
        "category": TEXT,
        "list": [
            {
                "symbol": TEXT,
                "orderId": TEXT,
                "orderLinkId": TEXT,
                "side": TEXT,
                "orderPrice": TEXT,
                "orderQty": TEXT,
                "leavesQty": TEXT,
                "createType?": TEXT,
                "orderType": TEXT,
                "stopOrderType": TEXT,
                "execFee": TEXT,
                "execFeeV2?": TEXT,  # spreads
                "execId": TEXT,
                "execPrice": TEXT,
                "execQty": TEXT,
                "execType": TEXT,
                "execValue": TEXT,
                "execTime": TEXT,
                "feeCurrency?": TEXT,
                "isMaker": FLAG,
                "feeRate": TEXT,
                "tradeIv?": TEXT,  # options
                "markIv?": TEXT,  # options
                "markPrice?": TEXT,
                "indexPrice?": TEXT,  # options
                "underlyingPrice?": TEXT,  # options
                "blockTradeId?": TEXT,
                "closedSize": TEXT,
                "seq": NUMBER,
                "extraFees?": TEXT,
            }
        ],
    },
)
POSITIONS = Documented(
    "Get Position Info",
    {
        "nextPageCursor": TEXT,
        "category": TEXT,
        "list": [
            {
                "positionIdx": NUMBER,
                "riskId?": NUMBER,
                "riskLimitValue?": TEXT,
                "symbol": TEXT,
                "side": TEXT,
                "size": TEXT,
                "avgPrice": TEXT,
                "positionValue": TEXT,
                "tradeMode": NUMBER,
                "autoAddMargin?": NUMBER,
                "positionStatus": TEXT,
                "leverage": TEXT,
                "markPrice": TEXT,
                "liqPrice": TEXT,
                "bustPrice?": TEXT,  # classic accounts
                "positionIM?": TEXT,
                "positionIMByMp?": TEXT,
                "positionMM?": TEXT,
                "positionMMByMp?": TEXT,
                "positionBalance?": TEXT,
                "takeProfit": TEXT,
                "stopLoss": TEXT,
                "trailingStop": TEXT,
                "sessionAvgPrice?": TEXT,  # USDC contracts
                "delta?": TEXT,  # options
                "gamma?": TEXT,  # options
                "vega?": TEXT,  # options
                "theta?": TEXT,  # options
                "unrealisedPnl": TEXT,
                "curRealisedPnl?": TEXT,
                "cumRealisedPnl?": TEXT,
                "adlRankIndicator?": NUMBER,
                "createdTime": TEXT,
                "updatedTime": TEXT,
                "seq": NUMBER,
                "isReduceOnly?": FLAG,
                "mmrSysUpdatedTime?": TEXT,
                "mmrSysUpdateTime?": TEXT,  # the page's example spells it so
                "leverageSysUpdatedTime?": TEXT,
                "tpslMode?": TEXT,
            }
        ],
    },
)
_COIN: dict[str, Kind] = {
    "coin": TEXT,
    "equity": TEXT,
    "usdValue": TEXT,
    "walletBalance": TEXT,
    "free?": TEXT,  # classic spot
    "locked?": TEXT,
    "spotHedgingQty?": TEXT,
    "borrowAmount?": TEXT,
    "availableToWithdraw?": TEXT,  # deprecated
    "accruedInterest?": TEXT,
    "totalOrderIM": TEXT,
    "totalPositionIM": TEXT,
    "totalPositionMM": TEXT,
    "unrealisedPnl": TEXT,
    "cumRealisedPnl": TEXT,
    "bonus?": TEXT,
    "marginCollateral?": FLAG,
    "collateralSwitch?": FLAG,
    "availableToBorrow?": TEXT,  # deprecated
    "spotBorrow?": TEXT,
}
WALLET = Documented(
    "Get Wallet Balance",
    {
        "list": [
            {
                "accountType": TEXT,
                "accountLTV?": TEXT,  # deprecated
                "accountIMRate": TEXT,
                "accountIMRateByMp?": TEXT,
                "accountMMRate": TEXT,
                "accountMMRateByMp?": TEXT,
                "totalEquity": TEXT,
                "totalWalletBalance": TEXT,
                "totalMarginBalance": TEXT,
                "totalAvailableBalance": TEXT,
                "totalPerpUPL": TEXT,
                "totalInitialMargin": TEXT,
                "totalInitialMarginByMp?": TEXT,
                "totalMaintenanceMargin": TEXT,
                "totalMaintenanceMarginByMp?": TEXT,
                "coin": [_COIN],
            }
        ]
    },
)
ACCOUNT_INFO = Documented(
    "Get Account Info",
    {
        "unifiedMarginStatus": NUMBER,
        "marginMode": TEXT,
        "isMasterTrader?": FLAG,
        "spotHedgingStatus?": TEXT,
        "updatedTime": TEXT,
        "dcpStatus?": TEXT,  # deprecated
        "timeWindow?": NUMBER,  # deprecated
        "smpGroup?": NUMBER,  # deprecated
    },
)
FEE_RATE = Documented(
    "Get Fee Rate",
    {
        "category?": TEXT,  # not for derivatives
        "list": [{"symbol": TEXT, "baseCoin?": TEXT, "takerFeeRate": TEXT, "makerFeeRate": TEXT}],
    },
)
MARGIN_MODE = Documented("Set Margin Mode", {"reasons": [{"reasonCode": TEXT, "reasonMsg": TEXT}]})
_PERMISSIONS = (
    "ContractTrade",
    "Spot",
    "Wallet",
    "Options",
    "Derivatives",
    "Exchange",
    "Earn",
    "NFT",
    "BlockTrade",
    "Affiliate",
    "CopyTrading",
)
KEY = Documented(
    "Get API Key Information",
    {
        "id": TEXT,
        "note": TEXT,
        "apiKey": TEXT,
        "readOnly": NUMBER,
        "secret": TEXT,
        "permissions": {f"{name}?": [TEXT] for name in _PERMISSIONS},
        "ips": [TEXT],
        "type": NUMBER,
        "deadlineDay?": NUMBER,  # only for keys bound to no address
        "expiredAt?": TEXT,  # only for keys bound to no address
        "createdAt?": TEXT,
        "unified?": NUMBER,  # deprecated
        "uta": NUMBER,
        "userID": NUMBER,
        "inviterID?": NUMBER,
        "vipLevel?": TEXT,
        "mktMakerLevel?": TEXT,
        "affiliateID?": NUMBER,
        "rsaPublicKey?": TEXT,
        "isMaster?": FLAG,
        "parentUid?": TEXT,
        "kycLevel?": TEXT,
        "kycRegion?": TEXT,
    },
)
ENVELOPE: Kind = {"retCode": NUMBER, "retMsg": TEXT, "time": NUMBER}
"""What stands round every `result`, beside `retExtInfo`, whose content no page describes."""
