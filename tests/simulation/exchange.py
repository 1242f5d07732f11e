"""The test exchange, but what it tells of one event comes at uneven times: fill, order and position apart."""

from collections.abc import Mapping
from random import Random

from tests.exchange.market import Market
from tests.exchange.trading.book import TradingBook
from tests.exchange.trading.rules import Contract
from tests.exchange.trading.state import BookState

SHARES = (0, 40, 100)  # percent of the propagation delay


class UnevenState(BookState):
    """Delays each thing that is told by a part of `propagation_ms` of its own."""

    def seen_at(self) -> int:
        """Return from when on something that happens now shows in queries."""
        latest_ms = super().seen_at()
        delay_ms = latest_ms - self.now_ms
        return latest_ms if not delay_ms else self.now_ms + delay_ms * self.random.choice(SHARES) // 100


class UnevenBook(TradingBook):
    """A `TradingBook` over an `UnevenState`."""

    def __init__(
        self,
        market: Market,
        venue: str,
        wallet_quote: float,
        *,
        contracts: Mapping[str, Contract],
        seed: int,
    ) -> None:
        super().__init__(market, venue, wallet_quote, contracts=contracts, seed=seed)
        self.state = UnevenState(market, self.state.rules, wallet_quote, contracts, Random(seed))
