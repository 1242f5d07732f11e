"""engine.json: every key is read, every mistake is told with its place."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from engine_alpha.config.assets import VENUES
from engine_alpha.config.engine import (
    ACCOUNT_OF_ENVIRONMENT,
    FEEDS,
    EngineConfig,
    SettleDelays,
    read_engine,
    set_feed,
)
from engine_alpha.errors import ConfigError

SHIPPED = Path(__file__).parents[3] / "config" / "engine.json"
GOOD: dict[str, Any] = {
    "feed": "venue",
    "feed_deadline_ms": 5000,
    "settle_delay_ms": {"bybit": 0, "binance": 59_999},
    "max_entry_delay_ms": 60000,
    "embedded_seed": 7,
    "files": {"data": "bars", "venue": "binance"},
    "venue_urls": {"bybit": "http://127.0.0.1:8899"},
    "live": {"environment": "loopback", "naked_limit_ms": 20_000, "recv_window_ms": 4_000},
    "service": {"look_every_ms": 9_000, "ping_url": "https://example.com/1", "ping_every_ms": 30_000},
    "metrics": {"port": 0},
    "alerts": {"kinds": ["faults"], "summary_at": "23:59"},
}
LIVE: dict[str, Any] = GOOD["live"]


def written(tmp_path: Path, value: Any) -> Path:
    path = tmp_path / "engine.json"
    path.write_text(json.dumps(value, indent=1))
    return path


def test_every_key_arrives(tmp_path: Path) -> None:
    engine = read_engine(written(tmp_path, {"$schema": "x", **GOOD}))
    assert engine.model_dump() == GOOD
    assert engine.data_folder(tmp_path) == tmp_path / "bars"


def test_a_data_folder_may_lie_elsewhere(tmp_path: Path) -> None:
    engine = read_engine(written(tmp_path, {**GOOD, "files": {"data": "/srv/bars", "venue": "bybit"}}))
    assert engine.data_folder(tmp_path) == Path("/srv/bars")


def test_a_fresh_home_trades_simulated_prices() -> None:
    engine = read_engine(SHIPPED)
    assert (engine.feed, engine.feed_deadline_ms) == ("embedded", 10_000)
    assert engine.settle_delay_ms.by_venue == {"bybit": 2_000, "binance": 2_000}
    assert engine.venue_urls == {}
    assert engine.live.model_dump() == {
        "environment": "testnet",
        "naked_limit_ms": 10_000,
        "recv_window_ms": 5_000,
    }


def test_every_venue_has_a_settle_delay() -> None:
    assert tuple(SettleDelays.model_fields) == VENUES


def test_what_was_read_can_t_be_changed(tmp_path: Path) -> None:
    engine = read_engine(written(tmp_path, GOOD))
    with pytest.raises(ValidationError):
        engine.feed = "files"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        *[({key: ...}, f"{key}: is missing; add it") for key in GOOD],
        (
            {"feed": "venues"},
            'feed: must be "embedded", "venue" or "files", not "venues"; did you mean "venue"?',
        ),
        ({"feed_deadline": 1}, 'feed_deadline: unknown key; did you mean "feed_deadline_ms"?'),
        ({"feed_deadline_ms": "10s"}, 'feed_deadline_ms: must be a whole number, not "10s"'),
        ({"feed_deadline_ms": 99}, "feed_deadline_ms: must be greater than or equal to 100, not 99"),
        *[
            (
                {"settle_delay_ms": given},
                f'settle_delay_ms: each venue has its own: write {{"bybit": {delay_ms}, '
                f'"binance": {delay_ms}}}, not {json.dumps(given)}',
            )
            for given, delay_ms in (
                (2_500, 2_500),
                (0, 0),
                (-1, 2_000),
                (True, 2_000),
                ("2s", 2_000),
                ([], 2_000),
            )
        ],
        ({"settle_delay_ms": {"bybit": 1}}, "settle_delay_ms.binance: is missing; add it"),
        (
            {"settle_delay_ms": {"bybit": 1, "binanc": 1}},
            'settle_delay_ms.binanc: unknown key; did you mean "binance"?',
        ),
        (
            {"settle_delay_ms": {"bybit": -1, "binance": 1}},
            "settle_delay_ms.bybit: must be greater than or equal to 0, not -1",
        ),
        (
            {"settle_delay_ms": {"bybit": 1, "binance": 60_000}},
            "settle_delay_ms.binance: must be less than 60000, not 60000",
        ),
        ({"max_entry_delay_ms": 1.5}, "max_entry_delay_ms: must be a whole number, not 1.5"),
        ({"embedded_seed": True}, "embedded_seed: must be a whole number, not true"),
        ({"files": "data"}, 'files: must be an object {...}, not "data"'),
        ({"files": {"data": "d", "venu": "bybit"}}, 'files.venu: unknown key; did you mean "venue"?'),
        ({"files": {"data": "", "venue": "bybit"}}, "files.data: "),
        (
            {"files": {"data": "d", "venue": "BYBIT"}},
            'files.venue: must be "bybit" or "binance", not "BYBIT"',
        ),
        ({"venue_urls": {"kraken": "http://x"}}, "venue_urls.kraken: must be "),
        ({"venue_urls": {"bybit": "ftp://x"}}, "venue_urls.bybit: "),
        ({"venue_urls": {"bybit": 1}}, "venue_urls.bybit: must be a text in double quotes, not 1"),
        ({"live": True}, "live: must be an object {...}, not true"),
        ({"live": {}}, "live.environment: is missing; add it"),
        (
            {"live": {**LIVE, "environment": "testnets"}},
            'live.environment: must be "testnet", "demo", "loopback" or "mainnet", not "testnets"; '
            'did you mean "testnet"?',
        ),
        (
            {"live": {**LIVE, "naked_limit": 1}},
            'live.naked_limit: unknown key; did you mean "naked_limit_ms"?',
        ),
        (
            {"live": {**LIVE, "naked_limit_ms": 999}},
            "live.naked_limit_ms: must be greater than or equal to 1000",
        ),
        ({"live": {**LIVE, "naked_limit_ms": 600_001}}, "must be less than or equal to 600000, not 600001"),
        (
            {"live": {**LIVE, "recv_window_ms": 199}},
            "live.recv_window_ms: must be greater than or equal to 200",
        ),
        ({"live": {**LIVE, "recv_window_ms": 60_001}}, "must be less than or equal to 60000, not 60001"),
        ({"live": {**LIVE, "recv_window_ms": "5s"}}, "live.recv_window_ms: must be a whole number"),
        ({"service": {**GOOD["service"], "look_every_ms": 1}}, "service.look_every_ms: must be greater than"),
        ({"service": {**GOOD["service"], "ping_url": "ftp://x"}}, "service.ping_url: "),
        ({"metrics": {"port": 65_536}}, "metrics.port: must be less than or equal to 65535, not 65536"),
        ({"alerts": {"kinds": ["trade"], "summary_at": "06:00"}}, 'did you mean "trades"?'),
        ({"alerts": {"kinds": [], "summary_at": "24:00"}}, "alerts.summary_at: "),
    ],
)
def test_a_mistake_is_told_with_its_key(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    value = {key: inner for key, inner in {**GOOD, **changes}.items() if inner is not ...}
    path = written(tmp_path, value)
    with pytest.raises(ConfigError) as caught:
        read_engine(path)
    assert str(caught.value).startswith(f"{path}:")
    assert message in str(caught.value)


def test_all_mistakes_are_told_at_once_each_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "engine.json"
    path.write_text('{\n "feed": 1,\n "files": {\n  "data": 2}}')
    with pytest.raises(ConfigError) as caught:
        read_engine(path)
    lines = str(caught.value).splitlines()
    assert f'{path}:2:2: feed: must be "embedded", "venue" or "files", not 1' in lines
    assert f"{path}:4:3: files.data: must be a text in double quotes, not 2" in lines


def test_a_key_given_twice_is_told(tmp_path: Path) -> None:
    path = tmp_path / "engine.json"
    path.write_text(json.dumps(GOOD)[:-1] + ',\n "feed": "files"}')
    with pytest.raises(ConfigError, match=r"engine\.json:2:2: feed: is given twice"):
        read_engine(path)


@pytest.mark.parametrize("value", [[], 1, "x", None])
def test_a_file_that_is_no_object_is_refused(tmp_path: Path, value: Any) -> None:
    with pytest.raises(ConfigError, match="must be an object"):
        read_engine(written(tmp_path, value))


@pytest.mark.parametrize("feed", FEEDS)
def test_the_feed_is_changed_in_place(tmp_path: Path, feed: str) -> None:
    path = tmp_path / "engine.json"
    text = SHIPPED.read_text().replace('"feed": "embedded",', '"feed" : "embedded", // simulated')
    path.write_text(text)
    assert set_feed(path, feed) is (feed != "embedded")
    assert path.read_text() == text.replace('"embedded",', f'"{feed}",')
    assert read_engine(path).feed == feed


def test_an_unknown_feed_is_refused_and_nothing_changes(tmp_path: Path) -> None:
    path = written(tmp_path, GOOD)
    before = path.read_text()
    with pytest.raises(ConfigError, match='did you mean "venue"'):
        set_feed(path, "venu")
    assert path.read_text() == before


def test_the_feed_of_a_broken_file_is_not_changed(tmp_path: Path) -> None:
    path = written(tmp_path, {"feed": "venue"})
    with pytest.raises(ConfigError, match="is missing"):
        set_feed(path, "files")


def engine_with(environment: str, **urls: str) -> EngineConfig:
    return EngineConfig.model_validate(
        {**GOOD, "venue_urls": urls, "live": {**LIVE, "environment": environment}}
    )


def test_each_environment_has_an_account_of_its_own() -> None:
    accounts = {name: engine_with(name).live.account for name in ACCOUNT_OF_ENVIRONMENT}
    assert accounts == {
        "testnet": "live-testnet",
        "demo": "live-demo",
        "loopback": "live-loopback",
        "mainnet": "live",
    }


@pytest.mark.parametrize("environment", ["testnet", "demo", "mainnet"])
def test_orders_go_to_the_venue_itself_whatever_proxy_prices_come_through(environment: str) -> None:
    assert engine_with(environment, bybit="http://127.0.0.1:8899").live_url("bybit") is None


def test_in_loopback_orders_go_to_the_test_exchange() -> None:
    assert engine_with("loopback", bybit="http://127.0.0.1:8899").live_url("bybit") == "http://127.0.0.1:8899"


@pytest.mark.parametrize(
    "url",
    [
        "https://api.bybit.com",
        "http://localhost:8899",
        "http://127.0.0.1.example.com",
        "http://127.0.0.1@example.com",
        "http://127.0.0.1:hidden@example.com",
        "http://me:hidden@127.0.0.1:8899",
        "http://example.com#127.0.0.1",
        "http://example.com?127.0.0.1",
        "http://127.0.0.1:99999",
        "http://127.0.0.2:8899",
        "http://[::1",
    ],
)
def test_in_loopback_no_order_leaves_this_machine(url: str) -> None:
    engine = engine_with("loopback", bybit=url)
    with pytest.raises(ConfigError, match=r"venue_urls\.bybit") as caught:
        engine.live_url("bybit")
    assert "hidden" not in str(caught.value), "an address may hold a password"


def test_in_loopback_a_venue_without_a_test_exchange_is_told() -> None:
    with pytest.raises(ConfigError, match=r"give venue_urls\.binance an address"):
        engine_with("loopback", bybit="http://127.0.0.1:8899").live_url("binance")
