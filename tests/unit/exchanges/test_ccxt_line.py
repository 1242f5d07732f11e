"""Where requests go and how they are signed; nothing here is sent."""

import asyncio
import hashlib
import hmac
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from engine_alpha.errors import ConfigError, DataError
from engine_alpha.exchanges.ccxt_line import ApiKey, LineSettings, _built, rebased
from engine_alpha.exchanges.governor import Governor
from engine_alpha.exchanges.replies import exact, exact_or_none
from engine_alpha.exchanges.signed import CcxtTransport
from engine_alpha.venues import binance_endpoints, bybit_endpoints
from engine_alpha.venues.ccxt_venue import VenueSettings, make_venue

ROOT = Path(__file__).resolve().parents[3]
KEY = ApiKey("2b5eb11e18796d12d88f13dc27dbbd02c2cc51ff7059765ed9821957d82bb4d9", "2b5eb11e-the-secret")


def built(venue: str, environment: str, base_url: str | None = None, **more: Any) -> Any:
    return _built(venue, LineSettings(environment=environment, base_url=base_url, api_key=KEY, **more))


def settings(environment: str, base_url: str | None = None) -> VenueSettings:
    return VenueSettings(
        environment=environment, base_url=base_url, api_key=KEY, recv_window_ms=5_000, timeout_ms=1_000
    )


def test_binances_own_signature_vector() -> None:
    """From Binance's documentation of signed endpoints."""
    exchange = built("binance", "loopback", "http://127.0.0.1:1")
    secret = "2b5eb11e18796d12d88f13dc27dbbd02c2cc51ff7059765ed9821957d82bb4d9"
    query = (
        "symbol=BTCUSDT&side=BUY&type=LIMIT&quantity=1&price=9000&timeInForce=GTC"
        "&recvWindow=5000&timestamp=1591702613943"
    )
    signature = exchange.hmac(exchange.encode(query), exchange.encode(secret), hashlib.sha256)
    assert signature == "3c661234138461fcc7a7d8746c6558c9842d4e10870d2ecbedf7777cad694af9"


def test_bybit_signs_time_key_window_and_body(monkeypatch: pytest.MonkeyPatch) -> None:
    exchange = built("bybit", "loopback", "http://127.0.0.1:1", recv_window_ms=4_000)
    monkeypatch.setattr(exchange, "milliseconds", lambda: 1_700_000_000_000)
    exchange.options["timeDifference"] = 250
    params = {"category": "linear", "symbol": "ETHUSDT", "reduceOnly": True}
    request = exchange.sign("v5/order/create", ["private"], "POST", params)
    headers, body = request["headers"], request["body"]
    assert headers["X-BAPI-TIMESTAMP"] == "1699999999750"
    assert headers["X-BAPI-RECV-WINDOW"] == "4000"
    assert body == '{"category":"linear","symbol":"ETHUSDT","reduceOnly":true}'
    text = f"1699999999750{KEY.key}4000{body}"
    wanted = hmac.new(KEY.secret.encode(), text.encode(), hashlib.sha256).hexdigest()
    assert headers["X-BAPI-SIGN"] == wanted


@pytest.mark.parametrize(
    ("venue", "environment", "part"),
    [
        ("bybit", "testnet", "https://api-testnet."),
        ("bybit", "demo", "https://api-demo."),
        ("bybit", "mainnet", "https://api."),
        ("binance", "testnet", "https://testnet.binancefuture.com"),
        ("binance", "demo", "https://demo-fapi.binance.com"),
        ("binance", "mainnet", "https://fapi.binance.com"),
    ],
)
def test_each_environment_has_its_own_addresses(venue: str, environment: str, part: str) -> None:
    name = "private" if venue == "bybit" else "fapiPrivate"
    assert str(built(venue, environment).urls["api"][name]).startswith(part)


@pytest.mark.parametrize("venue", ["bybit", "binance"])
@pytest.mark.parametrize("environment", ["testnet", "demo", "loopback"])
def test_another_base_address_replaces_all_of_them(venue: str, environment: str) -> None:
    def all_of(urls: Any) -> list[str]:
        return [each for part in urls.values() for each in all_of(part)] if isinstance(urls, dict) else [urls]

    urls = all_of(built(venue, environment, "http://127.0.0.1:9").urls["api"])
    assert urls and all(url.startswith("http://127.0.0.1:9") for url in urls)


@pytest.mark.parametrize("venue", ["bybit", "binance"])
def test_ccxts_own_pace_is_off(venue: str) -> None:
    assert built(venue, "testnet").enableRateLimit is False


@pytest.mark.parametrize(
    "url", [None, "http://localhost:1", "https://api.bybit.com", "http://127.0.0.1.evil"]
)
def test_loopback_leads_to_this_machine_or_nowhere(url: str | None) -> None:
    with pytest.raises(ConfigError, match="an address of this machine"):
        make_venue("bybit", settings("loopback", url))


@pytest.mark.parametrize("venue", ["bybit", "binance"])
def test_real_money_is_refused(venue: str) -> None:
    with pytest.raises(ConfigError, match="real money is not open in this version"):
        make_venue(venue, settings("mainnet"))
    with pytest.raises(ConfigError, match="real money is not open in this version"):
        make_venue(venue, settings("mainnet", "http://127.0.0.1:9"))


@pytest.mark.parametrize("venue", ["bybit", "binance"])
def test_a_venue_is_made_without_sending_anything(venue: str) -> None:
    made = make_venue(venue, settings("testnet"))
    assert (made.name, made.proof_ms, made.stop_rides_entry) == (venue, 6_000, venue == "bybit")
    asyncio.run(made.close())


def test_what_is_unknown_is_a_matter_of_configuration() -> None:
    with pytest.raises(ConfigError, match="known are bybit, binance"):
        make_venue("kraken", settings("testnet"))
    with pytest.raises(ConfigError, match="it is one of"):
        make_venue("bybit", settings("paper"))
    with pytest.raises(ConfigError, match="no API key"):
        CcxtTransport("bybit", LineSettings(), Governor("bybit"))


@pytest.mark.parametrize(
    ("venue", "endpoint"),
    [
        *(("bybit", each) for each in bybit_endpoints.ALL),
        *(("binance", each) for each in binance_endpoints.ALL),
    ],
    ids=str,
)
def test_ccxt_knows_every_endpoint_under_its_documented_path(venue: str, endpoint: Any) -> None:
    exchange = built(venue, "mainnet")
    asked: list[tuple[str, str]] = []

    async def note(url: str, method: str = "GET", headers: Any = None, body: Any = None) -> None:
        asked.append((method, url.partition("://")[2].partition("/")[2].partition("?")[0]))

    exchange.fetch = note
    asyncio.run(getattr(exchange, endpoint.ccxt_name)({"symbol": "ETHUSDT"}))
    assert asked == [(endpoint.method, endpoint.path.lstrip("/"))]


def test_a_key_is_shown_nowhere() -> None:
    shown = f"{KEY!r} {KEY} {settings('testnet')!r} {LineSettings(api_key=KEY)!r}"
    assert KEY.key not in shown and KEY.secret not in shown
    assert KEY.masked(f"a {KEY.key} b {KEY.secret}") == "a *** b ***"
    assert ApiKey("", "").masked("text") == "text"


def test_every_address_is_moved_and_keeps_its_path() -> None:
    urls = {"public": "https://api.{hostname}", "fapi": {"v1": "https://fapi.binance.com/fapi/v1"}}
    moved = rebased(urls, "http://127.0.0.1:9/")
    assert moved == {"public": "http://127.0.0.1:9", "fapi": {"v1": "http://127.0.0.1:9/fapi/v1"}}


def test_one_class_of_ccxt_is_loaded_for_a_venue() -> None:
    code = (
        "import sys\n"
        "from engine_alpha.exchanges.ccxt_line import ApiKey, LineSettings, _built\n"
        "import engine_alpha.venues.ccxt_venue\n"
        "assert 'ccxt' not in sys.modules\n"
        "_built('bybit', LineSettings(environment='testnet', api_key=ApiKey('k', 's')))\n"
        "print(sorted(n for n in sys.modules if n.startswith('ccxt.async_support.') and n.count('.') == 2))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "['ccxt.async_support.base', 'ccxt.async_support.bybit']", done.stderr


@pytest.mark.parametrize("value", ["1e3", "NaN", "", "+1", ".5", "1.", 1, None, "1_0", "١"])
def test_what_is_not_an_exact_decimal_string_is_refused(value: object) -> None:
    with pytest.raises(DataError, match="not an exact decimal string"):
        exact(value, "qty")


def test_exact_strings_stay_as_they_are_and_zero_is_none() -> None:
    assert exact("-0.0010", "fee") == "-0.0010"
    assert [exact_or_none(each, "stop") for each in ("", "0", "0.00", "1900.50")] == ["", "", "", "1900.50"]
