"""The endpoints of Binance USD-M that trading needs, each as documented and as ccxt names it."""

from typing import Final

from engine_alpha.exchanges.transport import Endpoint

SERVER_TIME: Final = Endpoint("GET", "/fapi/v1/time", "fapipublic_get_time")
EXCHANGE_INFO: Final = Endpoint("GET", "/fapi/v1/exchangeInfo", "fapipublic_get_exchangeinfo")

NEW_ORDER: Final = Endpoint("POST", "/fapi/v1/order", "fapiprivate_post_order")
QUERY_ORDER: Final = Endpoint("GET", "/fapi/v1/order", "fapiprivate_get_order")
CANCEL_ORDER: Final = Endpoint("DELETE", "/fapi/v1/order", "fapiprivate_delete_order")
OPEN_ORDERS: Final = Endpoint("GET", "/fapi/v1/openOrders", "fapiprivate_get_openorders")
ALL_ORDERS: Final = Endpoint("GET", "/fapi/v1/allOrders", "fapiprivate_get_allorders")
USER_TRADES: Final = Endpoint("GET", "/fapi/v1/userTrades", "fapiprivate_get_usertrades")

NEW_ALGO: Final = Endpoint("POST", "/fapi/v1/algoOrder", "fapiprivate_post_algoorder")
QUERY_ALGO: Final = Endpoint("GET", "/fapi/v1/algoOrder", "fapiprivate_get_algoorder")
CANCEL_ALGO: Final = Endpoint("DELETE", "/fapi/v1/algoOrder", "fapiprivate_delete_algoorder")
OPEN_ALGOS: Final = Endpoint("GET", "/fapi/v1/openAlgoOrders", "fapiprivate_get_openalgoorders")
ALL_ALGOS: Final = Endpoint("GET", "/fapi/v1/allAlgoOrders", "fapiprivate_get_allalgoorders")

POSITIONS: Final = Endpoint("GET", "/fapi/v3/positionRisk", "fapiprivatev3_get_positionrisk")
ACCOUNT: Final = Endpoint("GET", "/fapi/v3/account", "fapiprivatev3_get_account")
INCOME: Final = Endpoint("GET", "/fapi/v1/income", "fapiprivate_get_income")
COMMISSION_RATE: Final = Endpoint("GET", "/fapi/v1/commissionRate", "fapiprivate_get_commissionrate")
POSITION_MODE: Final = Endpoint("GET", "/fapi/v1/positionSide/dual", "fapiprivate_get_positionside_dual")
KEY_PERMISSIONS: Final = Endpoint(
    "GET", "/sapi/v1/account/apiRestrictions", "sapi_get_account_apirestrictions"
)
MARGIN_TYPE: Final = Endpoint("POST", "/fapi/v1/marginType", "fapiprivate_post_margintype")
LEVERAGE: Final = Endpoint("POST", "/fapi/v1/leverage", "fapiprivate_post_leverage")

ALL: Final = tuple(value for value in list(globals().values()) if isinstance(value, Endpoint))

# the venue's own codes that mean something to this adapter
CANCEL_REJECTED: Final = "-2011"  # nothing to cancel: filled or gone already
NO_SUCH_ORDER: Final = "-2013"
MARGIN_TYPE_UNCHANGED: Final = "-4046"
