"""What changed between two readings of the configuration, in words."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine_alpha.config.instruments import newest_snapshot
from engine_alpha.config.reading import read_json
from engine_alpha.home import Home, init_home
from engine_alpha.plans.differences import differences
from engine_alpha.plans.setup import Setup, read_setup

Edit = Callable[[Any], object]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    init_home(tmp_path / "home")
    return Home(tmp_path / "home")


@pytest.fixture
def before(home: Home, tmp_path: Path) -> Setup:
    """Read a copy, as the engine keeps one: edits of the home do not reach it."""
    shutil.copytree(home.config, tmp_path / "kept" / "config")
    return read_setup(Home(tmp_path / "kept"))


def edit(path: Path, change: Edit) -> None:
    content = read_json(path)
    change(content)
    path.write_text(json.dumps(content, indent=1))


def told(before: Setup, home: Home) -> list[str]:
    return differences(before, read_setup(home))


def test_a_copy_differs_in_nothing(before: Setup, home: Home) -> None:
    assert told(before, home) == []


def test_a_new_layout_of_a_file_is_no_difference(before: Setup, home: Home) -> None:
    for path in home.config.rglob("*.json"):
        path.write_text(json.dumps(read_json(path), indent=7))
    assert told(before, home) == []


def test_assets_are_told_in_the_order_of_the_registry(before: Setup, home: Home) -> None:
    def change(registry: Any) -> None:
        registry["BTCUSDT"]["enabled"] = True
        registry["ETHUSDT"]["enabled"] = False
        registry["ETHUSDT"]["max_leverage"] = 2
        registry["NEWUSDT"] = {**registry["BTCUSDT"], "enabled": False, "risk_bucket": "alt"}
        del registry["SOLUSDT"]

    edit(home.registry, change)
    assert told(before, home) == [
        "ETHUSDT disabled",
        "ETHUSDT max_leverage 3 → 2",
        "BTCUSDT enabled",
        "NEWUSDT added, disabled: 1h on bybit, bucket alt",
        "SOLUSDT removed from the registry",
    ]


@pytest.mark.parametrize(
    ("key", "value", "line"),
    [
        ("base_timeframe", "4h", "ETHUSDT base_timeframe 1h → 4h"),
        ("venue", "binance", "ETHUSDT venue bybit → binance"),
        ("risk_bucket", "meme", "ETHUSDT risk_bucket core → meme"),
        ("max_leverage", 2.5, "ETHUSDT max_leverage 3 → 2.5"),
        ("min_notional_usd", 25, "ETHUSDT min_notional_usd 10 → 25"),
    ],
)
def test_every_field_of_an_asset_is_told(before: Setup, home: Home, key: str, value: Any, line: str) -> None:
    edit(home.registry, lambda registry: registry["ETHUSDT"].update({key: value}))
    assert told(before, home) == [line]


def test_another_order_of_the_registry_is_told(before: Setup, home: Home) -> None:
    entries = read_json(home.registry)
    first, *others = [name for name in entries if name != "$schema"]
    home.registry.write_text(json.dumps({name: entries[name] for name in (*others, first)}))
    assert told(before, home) == [f"assets stand in another order: {others[0]} is now where {first} was"]


def test_a_broken_entry_is_told_with_its_place_and_later_as_mended(before: Setup, home: Home) -> None:
    edit(home.registry, lambda registry: registry["BTCUSDT"].update(max_leverage=-1))
    broken = read_setup(home)
    (line,) = differences(before, broken)
    assert line.startswith(f"BTCUSDT refused: {home.registry}:")
    assert "BTCUSDT.max_leverage" in line
    back = differences(broken, before)
    assert back[0] == "BTCUSDT is in order again, disabled: 1h on bybit, bucket core"
    assert back[1].startswith("BTCUSDT mended: BTCUSDT.max_leverage: ")
    assert len(back) == 2


def test_a_fault_that_only_moved_is_not_told_again(home: Home) -> None:
    edit(home.registry, lambda registry: registry["BTCUSDT"].update(max_leverage=-1))
    broken = read_setup(home)
    home.registry.write_text("\n\n" + home.registry.read_text())
    assert told(broken, home) == []


def test_keys_of_risk_are_told_by_their_path(before: Setup, home: Home) -> None:
    def change(risk: Any) -> None:
        risk["risk_frac"] = 0.02
        risk["buckets"]["alt"]["cap_frac"] = 0.3
        risk["evidence"]["alpha"] = 0.01
        risk["detail"] = "1m"

    was = read_json(home.risk)
    edit(home.risk, change)
    lines = told(before, home)
    assert f"risk.json: risk_frac {was['risk_frac']} → 0.02" in lines
    assert f"risk.json: buckets.alt.cap_frac {was['buckets']['alt']['cap_frac']} → 0.3" in lines
    assert f"risk.json: evidence.alpha {was['evidence']['alpha']} → 0.01" in lines
    assert "risk.json: detail null → 1m" in lines
    assert len(lines) == 4


def test_keys_of_the_engine_are_told_and_addresses_only_by_host(before: Setup, home: Home) -> None:
    def change(engine: Any) -> None:
        engine["feed"] = "venue"
        engine["venue_urls"] = {"bybit": "http://127.0.0.1:9"}
        engine["service"]["ping_url"] = "https://user:word@ping.example/token-of-mine"

    edit(home.engine, change)
    lines = told(before, home)
    assert lines == [
        "engine.json: feed embedded → venue",
        "engine.json: venue_urls.bybit added: http://127.0.0.1",
        'engine.json: service.ping_url "" → https://ping.example',
    ]


def test_of_another_token_in_an_address_only_the_change_is_told(home: Home) -> None:
    edit(home.engine, lambda engine: engine["service"].update(ping_url="https://ping.example/one"))
    first = read_setup(home)
    edit(home.engine, lambda engine: engine["service"].update(ping_url="https://ping.example/two"))
    assert told(first, home) == ["engine.json: service.ping_url changed"]


def test_a_card_is_told_by_the_keys_that_changed(before: Setup, home: Home) -> None:
    def change(card: Any) -> None:
        card["exits"]["stop"] = {"atr": 2}
        card["exits"]["target"] = {"range": 12}
        card["entry"][0]["at_least"] = 0.75
        card["scope"]["symbols"] = ["ETHUSDT"]
        card["rationale"] = "Another reason. " * 20

    edit(home.cards / "momentum-long.json", change)
    assert told(before, home) == [
        "card momentum-long: rationale changed",
        'card momentum-long: scope.symbols [] → ["ETHUSDT"]',
        "card momentum-long: entry[0].at_least 0.25 → 0.75",
        "card momentum-long: exits.stop.atr null → 2",
        "card momentum-long: exits.stop.range 8 → null",
        'card momentum-long: exits.target null → {"range": 12.0}',
    ]


def test_cards_that_came_went_and_broke_are_told(before: Setup, home: Home) -> None:
    new = read_json(home.cards / "range-dip.json") | {"name": "dip-too", "status": "shadow"}
    (home.cards / "zz.json").write_text(json.dumps(new))
    (home.cards / "range-breakout.json").unlink()
    lines = told(before, home)
    assert lines == ["card dip-too added, shadow", "card range-breakout removed"]
    (home.cards / "zz.json").write_text("{")
    (broken,) = [line for line in told(before, home) if "zz.json" in line]
    assert broken.startswith(f"card zz.json refused: {home.cards / 'zz.json'}:")


def test_a_changed_contract_is_told_and_others_are_counted(before: Setup, home: Home) -> None:
    def change(snapshot: Any) -> None:
        contracts = snapshot["instruments"]
        contracts["ETHUSDT"] |= {"tick_quote": "0.05", "settled_ms": 1_800_000_000_000}
        contracts["ETHUSDT"]["tiers"][0]["max_leverage"] = "99"
        del contracts["BTCUSDT"]
        contracts["ODDUSDT"] = {**contracts["SOLUSDT"]}

    was = read_setup(home).instruments["bybit"]["ETHUSDT"]
    edit(newest_snapshot(home.instruments, "bybit"), change)
    most = was.tiers[0].max_leverage
    assert told(before, home) == [
        f"ETHUSDT at bybit: tick_quote {was.tick_quote} → 0.05",
        f"ETHUSDT at bybit: tiers[0].max_leverage {most:g} → 99",
        "ETHUSDT at bybit: settled_ms null → 1800000000000",
        "BTCUSDT at bybit: contract left the snapshot",
        "snapshot of bybit: 1 contract outside the registry changed",
    ]


def test_a_set_that_many_assets_use_takes_one_line(before: Setup, home: Home) -> None:
    was = read_json(home.parameters / "default.json")
    edit(home.parameters / "default.json", lambda found: found.update(version="v9", confidence_min=0.9))
    (line,) = told(before, home)
    assert line.startswith("ETHUSDT, BTCUSDT, ")
    assert line.endswith(
        f" and {len(before.registry.assets) - 3} more: parameters {was['version']} → v9: "
        f"confidence_min {was['confidence_min']} → 0.9"
    )


def test_a_set_of_its_own_is_told_for_that_asset(before: Setup, home: Home) -> None:
    own = read_json(home.parameters / "default.json") | {"version": "btc-1"}
    was = read_json(home.parameters / "default.json")["version"]
    (home.parameters / "BTCUSDT.json").write_text(json.dumps(own))
    assert told(before, home) == [f"BTCUSDT: parameters {was} → btc-1: the same values"]
    (home.parameters / "BTCUSDT.json").write_text("{")
    (line,) = told(before, home)
    assert line.startswith(f"BTCUSDT: parameters can't be read: {home.parameters / 'BTCUSDT.json'}:")


def test_in_one_home_sets_are_compared_for_the_assets_that_were_planned(home: Home) -> None:
    running = read_setup(home)
    eth = next(asset for asset in running.registry.assets if asset.symbol == "ETHUSDT")
    running.plan(eth)
    edit(home.parameters / "default.json", lambda found: found.update(version="v9"))
    (line,) = told(running, home)
    assert line.startswith("ETHUSDT: parameters ")
    assert line.endswith(" → v9: the same values")
