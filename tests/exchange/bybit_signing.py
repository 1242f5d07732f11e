"""Who may call a private endpoint of Bybit v5: key, time window and HMAC-SHA256 signature."""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass

from tests.exchange.private import Auth

KEY, TIMESTAMP = "X-BAPI-API-KEY", "X-BAPI-TIMESTAMP"
SIGN, WINDOW = "X-BAPI-SIGN", "X-BAPI-RECV-WINDOW"
DEFAULT_WINDOW_MS, AHEAD_MS = 5_000, 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class BybitKey:
    """One API key, its secret, and what it may do."""

    key: str
    secret: str
    read_only: bool = False
    trade: bool = True
    withdraw: bool = False
    ips: tuple[str, ...] = ("127.0.0.1",)


class BybitRefusal(Exception):
    """A "no" with Bybit's code, in an envelope of HTTP 200 unless said otherwise."""

    def __init__(self, code: int, text: str, status: int = 200) -> None:
        super().__init__(f"{code} {text}")
        self.code, self.text, self.status = code, text, status


def signature(secret: str, timestamp: str, key: str, window: str, payload: str) -> str:
    """Return the HMAC of timestamp, key, window and raw query string or body, in hex."""
    text = f"{timestamp}{key}{window}{payload}"
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


def signed_headers(key: BybitKey, now_ms: int, payload: str, window_ms: int = 5_000) -> dict[str, str]:
    """Return the headers of a request signed at that time."""
    told, window = str(now_ms), str(window_ms)
    sign = signature(key.secret, told, key.key, window, payload)
    return {KEY: key.key, TIMESTAMP: told, SIGN: sign, WINDOW: window}


def check_signed(keys: Mapping[str, BybitKey], auth: Auth, now_ms: int) -> BybitKey:
    """Return the key that signed the request, or raise the venue's refusal."""
    if auth.verified:
        return keys.get(auth.key) or next(iter(keys.values()))
    name = auth.header(KEY)
    if name not in keys:
        raise BybitRefusal(10003, "API key is invalid.")
    timestamp, window = auth.header(TIMESTAMP), auth.header(WINDOW)
    if not timestamp.isdigit() or (window and not window.isdigit()):
        raise BybitRefusal(10001, "params error: timestamp or recv_window")
    known = keys[name]
    if not hmac.compare_digest(
        signature(known.secret, timestamp, name, window, auth.payload), auth.header(SIGN).lower()
    ):
        raise BybitRefusal(10004, "error sign! please check your signature generation algorithm.")
    window_ms = int(window or DEFAULT_WINDOW_MS)
    if not now_ms - window_ms <= int(timestamp) < now_ms + AHEAD_MS:
        text = "invalid request, please check your server timestamp or recv_window param. req_timestamp"
        raise BybitRefusal(10002, f"{text}[{timestamp}],server_timestamp[{now_ms}],recv_window[{window_ms}]")
    return known
