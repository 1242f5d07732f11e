"""Who may call a signed endpoint of Binance: key, time and HMAC-SHA256 signature."""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass

from tests.exchange.binance_refusals import BinanceRefusal, missing

KEY_HEADER = "X-MBX-APIKEY"
DEFAULT_WINDOW_MS, MAX_WINDOW_MS, AHEAD_MS = 5_000, 60_000, 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class BinanceKey:
    """One API key, its secret, and what it is allowed to do."""

    key: str
    secret: str
    reading: bool = True
    futures: bool = True
    withdrawals: bool = False
    ip_restricted: bool = True


TEST_KEY = BinanceKey(key="binance-test-key", secret="binance-test-secret")


def signature(payload: str, secret: str) -> str:
    """Return the HMAC-SHA256 of a query string or form body (without its signature), in hex."""
    return hmac.new(secret.encode(), payload.encode(), hashlib.sha256).hexdigest()


def split_signature(raw: str) -> tuple[str, str]:
    """Return the signed part of a query string or form body, and its signature ("" for none)."""
    parts = raw.split("&")
    signed = [part for part in parts if not part.startswith("signature=")]
    told = [part.removeprefix("signature=") for part in parts if part.startswith("signature=")]
    return "&".join(signed), told[-1] if told else ""


def check_signed(
    keys: Mapping[str, BinanceKey], key: str, raw: str, params: Mapping[str, str], now_ms: int
) -> BinanceKey:
    """Return the key that signed the request, or raise the refusal: key first, then time, then HMAC."""
    if not key:
        raise BinanceRefusal(-2014, "API-key format invalid.", 401)
    if key not in keys:
        raise BinanceRefusal(-2015, "Invalid API-key, IP, or permissions for action.", 401)
    check_time(params, now_ms)
    payload, told = split_signature(raw)
    told = told or params.get("signature", "")
    if not told:
        raise missing("signature")
    if not hmac.compare_digest(signature(payload, keys[key].secret), told.lower()):
        raise BinanceRefusal(-1022, "Signature for this request is not valid.")
    return keys[key]


def check_time(params: Mapping[str, str], now_ms: int) -> None:
    """Raise unless timestamp < now + 1 s and now - timestamp <= recvWindow."""
    if not params.get("timestamp", "").isdigit():
        raise missing("timestamp")
    told_ms, window_ms = int(params["timestamp"]), int(params.get("recvWindow", DEFAULT_WINDOW_MS))
    if window_ms > MAX_WINDOW_MS:
        raise BinanceRefusal(-1131, "recvWindow must be less than 60000.")
    if told_ms >= now_ms + AHEAD_MS:
        raise BinanceRefusal(-1021, "Timestamp for this request was 1000ms ahead of the server's time.")
    if now_ms - told_ms > window_ms:
        raise BinanceRefusal(-1021, "Timestamp for this request is outside of the recvWindow.")
