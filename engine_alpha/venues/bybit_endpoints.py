"""The endpoints of Bybit v5 linear that trading needs, each as documented and as ccxt names it."""

from typing import Final

from engine_alpha.exchanges.transport import Endpoint

CATEGORY: Final = "linear"
SETTLE_COIN: Final = "USDT"

SERVER_TIME: Final = Endpoint("GET", "/v5/market/time", "public_get_v5_market_time")
INSTRUMENTS: Final = Endpoint("GET", "/v5/market/instruments-info", "public_get_v5_market_instruments_info")

CREATE_ORDER: Final = Endpoint("POST", "/v5/order/create", "private_post_v5_order_create")
CANCEL_ORDER: Final = Endpoint("POST", "/v5/order/cancel", "private_post_v5_order_cancel")
REALTIME: Final = Endpoint("GET", "/v5/order/realtime", "private_get_v5_order_realtime")
HISTORY: Final = Endpoint("GET", "/v5/order/history", "private_get_v5_order_history")
EXECUTIONS: Final = Endpoint("GET", "/v5/execution/list", "private_get_v5_execution_list")

POSITIONS: Final = Endpoint("GET", "/v5/position/list", "private_get_v5_position_list")
TRADING_STOP: Final = Endpoint("POST", "/v5/position/trading-stop", "private_post_v5_position_trading_stop")
SET_LEVERAGE: Final = Endpoint("POST", "/v5/position/set-leverage", "private_post_v5_position_set_leverage")

ACCOUNT_INFO: Final = Endpoint("GET", "/v5/account/info", "private_get_v5_account_info")
WALLET: Final = Endpoint("GET", "/v5/account/wallet-balance", "private_get_v5_account_wallet_balance")
FEE_RATE: Final = Endpoint("GET", "/v5/account/fee-rate", "private_get_v5_account_fee_rate")
QUERY_API: Final = Endpoint("GET", "/v5/user/query-api", "private_get_v5_user_query_api")

ALL: Final = tuple(value for value in list(globals().values()) if isinstance(value, Endpoint))
