"""The registry: good entries load, a bad one refuses alone and says where and why."""

import json
import logging
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from engine_alpha.config.assets import (
    AssetConfig,
    AssetFault,
    get_asset,
    get_enabled_assets,
    load_all_assets,
    read_registry,
)
from engine_alpha.errors import ConfigError

ROOT = Path(__file__).parents[3]
ORDER = ["ETH", "BTC", "SOL", "AVAX", "LINK", "MATIC", "ATOM", "BNB", "DOT", "ADA", "XRP", "DOGE"]


def entry(**changes: Any) -> dict[str, Any]:
    good = {
        "enabled": True,
        "base_timeframe": "1h",
        "venue": "bybit",
        "risk_bucket": "core",
        "quote_ccy": "USDT",
        "max_leverage": 3,
        "min_notional_usd": 10,
    }
    return {key: value for key, value in {**good, **changes}.items() if value is not ...}


def fault_of(tmp_path: Path, text: str | dict[str, Any]) -> AssetFault:
    """Put one bad entry beside a good one; the good one must load."""
    path = tmp_path / "asset_registry.json"
    body = text if isinstance(text, str) else json.dumps(text)[1:-1]
    path.write_text('{"ETHUSDT": ' + json.dumps(entry()) + ",\n " + body + "}")
    registry = read_registry(path)
    assert [asset.symbol for asset in registry.assets] == ["ETHUSDT"]
    (fault,) = registry.faults
    return fault


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "config").mkdir()
    monkeypatch.setenv("CHLOE_HOME", str(tmp_path))
    return tmp_path


def write(home: Path, registry: dict[str, Any]) -> None:
    (home / "config" / "asset_registry.json").write_text(json.dumps(registry))


def test_the_shipped_registry_is_the_specs() -> None:
    registry = read_registry(ROOT / "config" / "asset_registry.json")
    assert not registry.faults
    assert [asset.symbol for asset in registry.assets] == [f"{coin}USDT" for coin in ORDER]
    assert [asset.symbol for asset in registry.assets if asset.enabled] == ["ETHUSDT"]
    assert {(a.base_timeframe, a.venue, a.quote_ccy) for a in registry.assets} == {("1h", "bybit", "USDT")}
    values = {
        asset.symbol: (asset.risk_bucket, asset.min_notional_usd, asset.max_leverage)
        for asset in registry.assets
    }
    expected = {
        ("core", 10.0, 3.0): "ETH BTC",
        ("large_alt", 10.0, 2.0): "BNB",
        ("aggressive", 5.0, 2.0): "SOL AVAX",
        ("alt", 5.0, 2.0): "LINK MATIC ATOM DOT ADA",
        ("spec", 5.0, 1.0): "XRP",
        ("meme", 5.0, 1.0): "DOGE",
    }
    assert values == {f"{coin}USDT": row for row, coins in expected.items() for coin in coins.split()}


def test_the_specs_snippet_prints_what_the_spec_says() -> None:
    snippet = (
        "from engine_alpha.config.assets import get_enabled_assets\n"
        "assets = get_enabled_assets()\n"
        'print(f"Enabled: {len(assets)}")\n'
        "for a in assets:\n"
        '    print(f"  {a.symbol} @ {a.base_timeframe}")\n'
    )
    outside = {key: value for key, value in os.environ.items() if key != "CHLOE_HOME"}
    answer = subprocess.run(
        [sys.executable], input=snippet, cwd=ROOT, env=outside, capture_output=True, text=True, check=True
    )
    assert answer.stdout == "Enabled: 1\n  ETHUSDT @ 1h\n"


def test_all_eight_fields_arrive(home: Path) -> None:
    write(
        home,
        {
            "$schema": "x.json",
            "AB1USDT": entry(
                enabled=False,
                base_timeframe="4h",
                venue="binance",
                risk_bucket="meme",
                max_leverage=1.5,
                min_notional_usd=0,
            ),
        },
    )
    assert load_all_assets() == [
        AssetConfig(
            symbol="AB1USDT",
            base_timeframe="4h",
            enabled=False,
            venue="binance",
            risk_bucket="meme",
            quote_ccy="USDT",
            max_leverage=1.5,
            min_notional_usd=0.0,
        )
    ]
    assert [type(value) for value in asdict(load_all_assets()[0]).values()][-2:] == [float, float]


def test_each_call_reads_the_file_anew(home: Path) -> None:
    write(home, {"ETHUSDT": entry(), "BTCUSDT": entry(enabled=False)})
    assert [asset.symbol for asset in get_enabled_assets()] == ["ETHUSDT"]
    write(home, {"ETHUSDT": entry(), "BTCUSDT": entry()})
    assert [asset.symbol for asset in get_enabled_assets()] == ["ETHUSDT", "BTCUSDT"]


def test_one_asset_is_found_enabled_or_not_and_an_unknown_one_is_none(home: Path) -> None:
    write(home, {"BTCUSDT": entry(enabled=False)})
    asset = get_asset("BTCUSDT")
    assert asset is not None
    assert not asset.enabled
    assert get_asset("btcusdt") is None


def test_bad_entries_are_logged_and_the_good_ones_returned(
    home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write(home, {"ETHUSDT": entry(), "BTCUSDT": entry(enabld=True, enabled=...)})
    with caplog.at_level(logging.ERROR, logger="chloe"):
        assert [asset.symbol for asset in load_all_assets()] == ["ETHUSDT"]
    assert 'BTCUSDT.enabld: unknown key; did you mean "enabled"?' in caplog.text
    assert "BTCUSDT.enabled: is missing" in caplog.text


@pytest.mark.parametrize(
    ("changes", "path", "message"),
    [
        ({"max_levrage": 3}, "max_levrage", 'unknown key; did you mean "max_leverage"?'),
        ({"zzz": 3}, "zzz", "unknown key; known: enabled, base_timeframe, venue, "),
        ({"symbol": "BTCUSDT"}, "symbol", "unknown key"),
        ({"enabled": ...}, "enabled", "is missing"),
        ({"base_timeframe": ...}, "base_timeframe", "is missing"),
        ({"venue": ...}, "venue", "is missing"),
        ({"risk_bucket": ...}, "risk_bucket", "is missing"),
        ({"quote_ccy": ...}, "quote_ccy", "is missing"),
        ({"max_leverage": ...}, "max_leverage", "is missing"),
        ({"min_notional_usd": ...}, "min_notional_usd", "is missing"),
        ({"enabled": "true"}, "enabled", 'must be true or false, not "true"'),
        ({"enabled": 1}, "enabled", "must be true or false, not 1"),
        ({"enabled": None}, "enabled", "must be true or false, not null"),
        ({"base_timeframe": "1H"}, "base_timeframe", 'did you mean "1h"?'),
        ({"base_timeframe": 60}, "base_timeframe", 'must be "1m", "3m", '),
        (
            {"venue": "binanse"},
            "venue",
            'must be "bybit" or "binance", not "binanse"; did you mean "binance"?',
        ),
        ({"risk_bucket": "large-alt"}, "risk_bucket", 'did you mean "large_alt"?'),
        ({"quote_ccy": "USDC"}, "quote_ccy", 'must be "USDT", not "USDC"'),
        ({"max_leverage": 0}, "max_leverage", "must be greater than 0, not 0"),
        ({"max_leverage": -1}, "max_leverage", "must be greater than 0, not -1"),
        ({"max_leverage": 125.5}, "max_leverage", "must be less than or equal to 125, not 125.5"),
        ({"max_leverage": True}, "max_leverage", "must be a number, not true"),
        ({"max_leverage": "3"}, "max_leverage", 'must be a number, not "3"'),
        ({"min_notional_usd": -0.1}, "min_notional_usd", "must be greater than or equal to 0, not -0.1"),
        ({"min_notional_usd": False}, "min_notional_usd", "must be a number, not false"),
        ({"min_notional_usd": [5]}, "min_notional_usd", "must be a number, not [5]"),
    ],
)
def test_a_bad_value_refuses_its_asset_alone(
    tmp_path: Path, changes: dict[str, Any], path: str, message: str
) -> None:
    fault = fault_of(tmp_path, {"BTCUSDT": entry(**changes)})
    assert fault.symbol == "BTCUSDT"
    assert fault.path == f"BTCUSDT.{path}"
    assert message in fault.message
    assert fault.enabled is (changes.get("enabled", True) is True)


@pytest.mark.parametrize("value", ["true", "[]", '"bybit"', "null", "3"])
def test_an_entry_that_is_no_object_refuses_its_asset(tmp_path: Path, value: str) -> None:
    fault = fault_of(tmp_path, f'"BTCUSDT": {value}')
    assert (fault.path, fault.enabled) == ("BTCUSDT", False)
    assert fault.message.startswith("must be an object")


@pytest.mark.parametrize(
    "symbol", ["", "btcusdt", "BTC/USDT:USDT", "BTC-USDT", "A" * 21, "X", "BTCUSDT ", "ＢTCUSDT"]
)
def test_a_key_that_is_no_symbol_refuses(tmp_path: Path, symbol: str) -> None:
    fault = fault_of(tmp_path, {symbol: entry()})
    assert fault.symbol == symbol
    assert "is no symbol" in fault.message


def test_a_symbol_written_differently_is_shown_as_it_should_be(tmp_path: Path) -> None:
    assert '"BTCUSDT"' in fault_of(tmp_path, {"btc/usdt:usdt": entry()}).message


@pytest.mark.parametrize("symbol", ["BTCUSDC", "USDT", "BTCUSD"])
def test_a_symbol_must_end_with_its_quote_currency(tmp_path: Path, symbol: str) -> None:
    fault = fault_of(tmp_path, {symbol: entry()})
    assert fault.path == f"{symbol}.quote_ccy"


def test_an_asset_given_twice_refuses_with_the_second_place(tmp_path: Path) -> None:
    one = json.dumps(entry())
    fault = fault_of(tmp_path, f'"BTCUSDT": {one},\n "BTCUSDT": {one}')
    assert (fault.symbol, fault.path) == ("BTCUSDT", "BTCUSDT")
    assert fault.message == "is given twice; keep one of the two"
    assert fault.where.endswith("asset_registry.json:3:2")


def test_a_key_given_twice_inside_an_entry_refuses_that_asset(tmp_path: Path) -> None:
    text = json.dumps(entry())[:-1] + ',\n  "enabled": false}'
    fault = fault_of(tmp_path, f'"BTCUSDT": {text}')
    assert fault.path == "BTCUSDT.enabled"
    assert fault.where.endswith("asset_registry.json:3:3")


def test_a_fault_names_file_line_and_column(tmp_path: Path) -> None:
    fault = fault_of(tmp_path, '"BTCUSDT": {' + json.dumps(entry())[1:-1] + ',\n   "venu": 1}')
    assert str(fault).startswith(f"{tmp_path}/asset_registry.json:3:4: BTCUSDT.venu: unknown key")


def test_every_fault_of_one_entry_is_told(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    path.write_text(json.dumps({"BTCUSDT": entry(venue="kraken", max_leverage=0, enabled=...)}))
    faults = read_registry(path).faults
    assert sorted(fault.path for fault in faults) == [
        "BTCUSDT.enabled",
        "BTCUSDT.max_leverage",
        "BTCUSDT.venue",
    ]


def test_a_file_that_cant_be_parsed_is_an_error_with_its_place(home: Path) -> None:
    (home / "config" / "asset_registry.json").write_text('{"ETHUSDT": {"enabled": true\n "venue": 1}}')
    with pytest.raises(ConfigError, match=r"asset_registry\.json:2:2: "):
        load_all_assets()


def test_a_registry_that_is_no_object_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "r.json").write_text("[]")
    with pytest.raises(ConfigError, match="must be an object of assets"):
        read_registry(tmp_path / "r.json")


def test_an_empty_registry_has_no_assets(tmp_path: Path) -> None:
    (tmp_path / "r.json").write_text("{}")
    assert read_registry(tmp_path / "r.json").assets == ()


def test_the_registry_is_read_without_heavy_libraries() -> None:
    heavy = "{'numpy', 'talib', 'polars', 'ccxt', 'numba', 'sqlalchemy'}"
    code = "import sys, engine_alpha.config.assets, engine_alpha.config.risk\n"
    code += f"print(sorted({heavy} & set(sys.modules)))"
    answer = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == "[]"
