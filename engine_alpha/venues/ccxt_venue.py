"""Make a venue: its adapter over a signed line, with one pace per venue and process."""

from dataclasses import dataclass

from engine_alpha.errors import ConfigError
from engine_alpha.exchanges.ccxt_line import CCXT_CLASS, DEMO, MAINNET, TESTNET, ApiKey, LineSettings
from engine_alpha.exchanges.governor import Governor
from engine_alpha.exchanges.signed import CcxtTransport
from engine_alpha.ports import Venue
from engine_alpha.venues.binance import BinanceVenue
from engine_alpha.venues.bybit import BybitVenue

PROOF_SLACK_MS = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueSettings:
    """Where a venue is reached and with which key.

    `environment`: testnet, demo, loopback (a test exchange at `base_url` on this machine) or mainnet.
    `governor` is the venue's pace, to be shared with its feed; None makes one.
    """

    environment: str
    api_key: ApiKey
    recv_window_ms: int
    timeout_ms: int
    base_url: str | None = None
    governor: Governor | None = None


def make_venue(name: str, settings: VenueSettings) -> Venue:
    """Return a venue; nothing is sent yet. Raises `ConfigError`."""
    if name not in CCXT_CLASS:
        raise ConfigError(f"venue {name!r} takes no orders; known are {', '.join(CCXT_CLASS)}")
    refuse_real_money(name, settings.environment)
    line = LineSettings(
        environment=settings.environment,
        base_url=settings.base_url,
        timeout_ms=settings.timeout_ms,
        api_key=settings.api_key,
        recv_window_ms=settings.recv_window_ms,
    )
    transport = CcxtTransport(name, line, settings.governor or Governor(name))
    proof_ms = settings.recv_window_ms + PROOF_SLACK_MS
    if name == "bybit":
        return BybitVenue(transport, proof_ms, key_api=settings.environment != DEMO)
    return BinanceVenue(transport, proof_ms, wallet_api=settings.environment not in (DEMO, TESTNET))


def refuse_real_money(name: str, environment: str) -> None:
    """Raise `ConfigError` for mainnet: this version does not trade there. The one place for this."""
    if environment == MAINNET:
        raise ConfigError(
            f"{name}: trading with real money is not open in this version; "
            'set live.environment of engine.json to "testnet" or "demo"'
        )
