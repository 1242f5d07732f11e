"""How fast each venue may be asked, and what each request counts there."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from engine_alpha.exchanges.transport import Params, Urgency

SHARE: Final[dict[Urgency, float]] = {
    Urgency.EXIT: 0.80,
    Urgency.RECONCILE: 0.75,
    Urgency.ENTRY: 0.70,
    Urgency.CANDLES: 0.60,
}
"""The part of a venue's limit that may be spent, by all together, when a request of this urgency goes out.

So a fifth of it stays free for exits whatever candles do, and a fifth for whoever else shares the address.
"""


class Cost(NamedTuple):
    """What one request counts: weight at the address, writes and private reads at the account."""

    weight: int = 1
    orders: int = 0
    reads: int = 0


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `most` of one part of the cost within any `span_s`."""

    part: str
    most: int
    span_s: float


# Bybit: 600 requests in 5 s from one address, 10 orders a second and 50 reads a second for each endpoint.
# Binance: a weight of 2,400 a minute from one address, 300 orders in 10 s and 1,200 a minute.
LIMITS: Final[dict[str, tuple[Limit, ...]]] = {
    "bybit": (Limit("weight", 600, 5.0), Limit("orders", 10, 1.0), Limit("reads", 50, 1.0)),
    "binance": (Limit("weight", 2_400, 60.0), Limit("orders", 300, 10.0), Limit("orders", 1_200, 60.0)),
}

# Private reads of Bybit that are allowed 5 or 10 times a second instead of 50.
BYBIT_READS: Final[dict[str, int]] = {
    "get_v5_account_fee_rate": 10,
    "get_v5_user_query_api": 5,
}

# Weights of Binance that are not 1, by the end of ccxt's name for the endpoint.
BINANCE_WEIGHTS: Final[dict[str, int]] = {
    "get_ticker_bookticker": 5,
    "get_balance": 5,
    "get_account": 5,
    "get_accountconfig": 5,
    "get_symbolconfig": 5,
    "get_positionrisk": 5,
    "get_usertrades": 5,
    "get_allorders": 5,
    "get_allalgoorders": 5,
    "get_income": 30,
    "get_commissionrate": 20,
    "get_forceorders": 20,
    "get_apitradingstatus": 10,
}
BINANCE_OPEN_ORDERS: Final = ("get_openorders", "get_openalgoorders")
BINANCE_ALL_SYMBOLS: Final = 40
KLINES: Final = ("get_klines", "get_markpriceklines")
KLINE_WEIGHTS: Final = ((100, 1), (500, 2), (1_001, 5))
LARGEST_KLINES: Final = 10


def cost_of(venue: str, ccxt_name: str, params: Params) -> Cost:
    """Return what a request counts, by ccxt's name for its endpoint."""
    api, _, rest = ccxt_name.partition("_")
    writes = not rest.startswith("get_")
    orders = int(writes)
    reads = BYBIT_READS.get(rest, 1) if not writes and "private" in api else 0
    weight = 1 if venue == "bybit" else _binance_weight(rest, params)
    return Cost(weight, orders, reads)


def _binance_weight(rest: str, params: Params) -> int:
    if rest in KLINES:
        limit = int(params.get("limit", 500))
        return next((weight for most, weight in KLINE_WEIGHTS if limit < most), LARGEST_KLINES)
    if rest in BINANCE_OPEN_ORDERS and "symbol" not in params:
        return BINANCE_ALL_SYMBOLS
    return BINANCE_WEIGHTS.get(rest, 1)


def parts_of(cost: Cost) -> Mapping[str, int]:
    """Return the parts of a cost by name."""
    return cost._asdict()
