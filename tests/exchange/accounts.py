"""Both venues' accounts of one exchange, with one wallet size and one key each."""

from tests.exchange.binance_signing import BinanceKey
from tests.exchange.binance_trading import BinanceTrading
from tests.exchange.bybit_signing import BybitKey
from tests.exchange.bybit_trading import BybitTrading
from tests.exchange.market import Market
from tests.exchange.private import PrivateVenue
from tests.exchange.trading.book import TradingBook

KEY, SECRET = "test-key", "test-secret"


def accounts_of(
    market: Market, wallet_quote: float = 10_000.0, key: str = KEY, secret: str = SECRET
) -> list[PrivateVenue]:
    """Return an account at Bybit and one at Binance."""
    bybit = BybitTrading(TradingBook(market, "bybit", wallet_quote), [BybitKey(key=key, secret=secret)])
    binance = BinanceTrading(
        TradingBook(market, "binance", wallet_quote), [BinanceKey(key=key, secret=secret)]
    )
    return [bybit, binance]
