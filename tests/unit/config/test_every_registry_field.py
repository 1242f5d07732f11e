"""Each of the eight registry fields, changed alone, changes what is decided or whether anything is."""

import json
import shutil
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from engine_alpha.config.assets import AssetConfig, read_registry
from engine_alpha.home import Home, init_home
from engine_alpha.plans.setup import Setup, read_setup

# field: its other value, and where the plan that the step reads must differ for it
PLACES: dict[str, tuple[Any, tuple[str, ...]]] = {
    "base_timeframe": ("4h", ("rules", "asset", "timeframe_ms")),
    "venue": ("binance", ("rules", "asset", "taker_fee_frac")),
    "risk_bucket": ("alt", ("rules", "asset", "start_quote")),
    "max_leverage": (1, ("rules", "asset", "max_leverage")),
    "min_notional_usd": (500, ("rules", "asset", "min_notional_quote")),
}


@pytest.fixture
def home(tmp_path: Path) -> Home:
    init_home(tmp_path / "home")
    return Home(tmp_path / "home")


def changed(home: Home, field: str, value: Any) -> Setup:
    other = Home(home.path.parent / "other")
    shutil.copytree(home.path, other.path)
    entries = json.loads(home.registry.read_text())
    entries["ETHUSDT"][field] = value
    other.registry.write_text(json.dumps(entries))
    return read_setup(other)


def seen(setup: Setup, path: tuple[str, ...]) -> Any:
    value: Any = setup.plan(next(asset for asset in setup.registry.assets if asset.symbol == "ETHUSDT"))
    for name in path:
        value = getattr(value, name)
    return value


def test_every_field_is_covered_here() -> None:
    covered = {*PLACES, "symbol", "enabled", "quote_ccy"}
    assert covered == {field.name for field in fields(AssetConfig)}


@pytest.mark.parametrize("field", PLACES)
def test_a_field_reaches_the_step_and_its_hash(home: Home, field: str) -> None:
    value, path = PLACES[field]
    before, after = read_setup(home), changed(home, field, value)
    assert seen(before, path) != seen(after, path)
    assert seen(before, ("config_hash",)) != seen(after, ("config_hash",))


def test_the_bucket_also_chooses_the_cap(home: Home) -> None:
    after = changed(home, "risk_bucket", "alt")
    assert seen(read_setup(home), ("rules", "risk", "bucket_cap_frac")) != seen(
        after, ("rules", "risk", "bucket_cap_frac")
    )


def test_enabled_decides_whether_the_asset_is_stepped(home: Home) -> None:
    assert [asset.symbol for asset in read_setup(home).enabled] == ["ETHUSDT"]
    assert changed(home, "enabled", False).enabled == []


def test_another_quote_currency_is_refused(home: Home) -> None:
    setup = changed(home, "quote_ccy", "USDC")
    assert "ETHUSDT" not in setup.order
    assert any("quote_ccy" in fault for fault in setup.faults_of("ETHUSDT"))


def test_the_symbol_chooses_the_contract(home: Home) -> None:
    registry = read_registry(home.registry)
    setup = read_setup(home)
    ticks = {asset.symbol: setup.plan(asset).rules.asset.tick_quote for asset in registry.assets}
    assert ticks["BTCUSDT"] != ticks["DOGEUSDT"]


def test_another_assets_entry_changes_no_hash(home: Home) -> None:
    before = read_setup(home)
    entries = json.loads(home.registry.read_text())
    entries = {"BTCUSDT": {**entries["BTCUSDT"], "enabled": True}, "ETHUSDT": entries["ETHUSDT"]}
    home.registry.write_text(json.dumps(entries))
    assert seen(before, ("config_hash",)) == seen(read_setup(home), ("config_hash",))
