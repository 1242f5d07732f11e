"""Strategy cards: every key reaches the kernel; a broken card is refused alone."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine_alpha.config.assets import AssetConfig, Registry, known_symbols
from engine_alpha.config.cards import Cards, Playbook, playbook_of, read_cards
from engine_alpha.config.instruments import known_contracts
from engine_alpha.errors import ConfigError
from engine_alpha.kernel.codes import (
    ACTIVE,
    ALL_REGIMES,
    AT_LEAST,
    AT_MOST,
    CROSSES_ABOVE,
    CROSSES_BELOW,
    SHADOW,
)
from engine_alpha.kernel.signals import SIGNAL_CODE
from engine_alpha.kernel.values import Card, Condition

SNAPSHOTS = Path(__file__).parents[3] / "config" / "instruments"

CARD: dict[str, Any] = {
    "name": "breakout",
    "rationale": "Trends last longer than chance has it.",
    "source": "a test",
    "status": "active",
    "scope": {"symbols": [], "regimes": [], "timeframes": [], "direction": "both", "priority": 0},
    "entry": [{"signal": "channel_240", "at_least": 1}],
    "exits": {
        "stop": {"range": 6},
        "target": None,
        "trailing": None,
        "max_hold_bars": 0,
        "when": [],
        "min_confidence": None,
    },
    "risk": {"size_factor": 1, "max_notional_quote": None, "trades_per_day": 0},
    "activation": {"min_trades": 0, "min_pf": 0, "max_drawdown_frac": None},
}


def changed(path: str, value: Any, base: dict[str, Any] = CARD) -> dict[str, Any]:
    """Return a card with one value set (or removed: ...) at a dotted path."""
    card = json.loads(json.dumps(base))
    *parents, key = path.split(".")
    inner = card
    for parent in parents:
        inner = inner[parent]
    if value is ...:
        del inner[key]
    else:
        inner[key] = value
    return dict(card)


def asset(symbol: str = "ETHUSDT", timeframe: str = "1h") -> AssetConfig:
    return AssetConfig(
        symbol=symbol,
        base_timeframe=timeframe,
        enabled=True,
        venue="bybit",
        risk_bucket="core",
        quote_ccy="USDT",
        max_leverage=3.0,
        min_notional_usd=10.0,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Callable[..., Path]:
    def write(**cards: Any) -> Path:
        for name, card in cards.items():
            text = card if isinstance(card, str) else json.dumps(card, indent=1)
            (tmp_path / f"{name}.json").write_text(text)
        return tmp_path

    return write


def playbook(folder: Callable[..., Path], card: dict[str, Any], **of: str) -> Playbook:
    cards = read_cards(folder(a=card))
    assert cards.faults == ()
    return playbook_of(cards, asset(**of))


def only(folder: Callable[..., Path], card: dict[str, Any]) -> Card:
    (made,) = playbook(folder, card).cards
    return made


def test_a_card_becomes_the_kernels(folder: Callable[..., Path]) -> None:
    book = playbook(folder, CARD)
    assert book.names == ("breakout",)
    assert book.conditions == (Condition(SIGNAL_CODE["channel_240"], 1, AT_LEAST, 1.0),)
    assert book.cards == (
        Card(
            ACTIVE,
            ALL_REGIMES,
            3,
            0,
            0,
            0,
            1,
            1,
            1,
            0.0,
            6.0,
            0.0,
            0.0,
            0.0,
            0.0,
            0.0,
            0.0,
            0.0,
            0,
            -2.0,
            1.0,
            0.0,
            0,
            0,
            0.0,
            0.0,
        ),
    )


@pytest.mark.parametrize(
    ("key", "compare"), [("crosses_above", CROSSES_ABOVE), ("crosses_below", CROSSES_BELOW)]
)
def test_a_crossing_is_a_comparison_of_its_own(folder: Callable[..., Path], key: str, compare: int) -> None:
    book = playbook(folder, {**CARD, "entry": [{"signal": "ema_spread_12_26", key: 0}]})
    assert book.conditions == (Condition(SIGNAL_CODE["ema_spread_12_26"], 1, compare, 0.0),)


def test_each_field_has_the_kernels_type(folder: Callable[..., Path]) -> None:
    book = playbook(folder, CARD)
    for value in (book.cards[0], book.conditions[0]):
        expected = [type(value).__annotations__[name] for name in value._fields]
        assert [type(each) for each in value] == expected


@pytest.mark.parametrize(
    ("path", "value", "field", "expected"),
    [
        ("status", "shadow", "status", SHADOW),
        ("scope.regimes", ["trend_down", "chop"], "regimes", 0b1010),
        ("scope.direction", "long", "directions", 1),
        ("scope.direction", "short", "directions", 2),
        ("scope.follows", "entry", "own_direction", 1),
        ("scope.priority", 7, "priority", 7),
        ("exits.stop", {"atr": 2.5}, "stop_atr", 2.5),
        ("exits.stop", {"range": 3}, "stop_range", 3.0),
        ("exits.stop", {"frac": 0.02}, "stop_frac", 0.02),
        ("exits.target", {"atr": 2.5}, "target_atr", 2.5),
        ("exits.target", {"range": 3}, "target_range", 3.0),
        ("exits.target", {"frac": 0.02}, "target_frac", 0.02),
        ("exits.trailing", {"atr": 2.5}, "trail_atr", 2.5),
        ("exits.trailing", {"range": 3}, "trail_range", 3.0),
        ("exits.trailing", {"frac": 0.02}, "trail_frac", 0.02),
        ("exits.max_hold_bars", 48, "max_hold_bars", 48),
        ("exits.min_confidence", -0.25, "min_confidence", -0.25),
        ("risk.size_factor", 0.5, "size_factor", 0.5),
        ("risk.max_notional_quote", 250, "max_notional_quote", 250.0),
        ("risk.trades_per_day", 3, "trades_per_day", 3),
        ("activation.min_trades", 30, "min_trades", 30),
        ("activation.min_pf", 1.1, "min_pf", 1.1),
        ("activation.max_drawdown_frac", 0.1, "max_drawdown_frac", 0.1),
    ],
)
def test_each_key_alone_reaches_the_kernel(
    folder: Callable[..., Path], path: str, value: Any, field: str, expected: Any
) -> None:
    before, after = only(folder, CARD), only(folder, changed(path, value))
    assert getattr(after, field) == expected
    assert getattr(before, field) != expected
    others = {name for name in Card._fields if getattr(before, name) != getattr(after, name)} - {field}
    assert others <= {"stop_range"}


def test_what_is_left_out_means_any_or_none(folder: Callable[..., Path]) -> None:
    short = {key: CARD[key] for key in ("name", "rationale", "source", "status", "entry")}
    assert only(folder, {**short, "scope": {}, "exits": {"stop": {"range": 6}}}) == only(folder, CARD)


def test_conditions_of_all_cards_stand_in_one_list(folder: Callable[..., Path]) -> None:
    first = changed(
        "exits.when", [{"signal": "channel_120", "at_most": -1}, {"signal": "adx", "at_most": 0.2}]
    )
    second = {
        **CARD,
        "name": "second",
        "entry": [{"signal": "rsi_centred", "at_least": -0.5, "at_most": 0.5}],
    }
    book = playbook_of(read_cards(folder(a=first, b=second)), asset())
    one, two = book.cards
    assert (one.entry_first, one.entry_end, one.exit_first, one.exit_end) == (0, 1, 1, 3)
    assert (two.entry_first, two.entry_end, two.exit_first, two.exit_end) == (3, 5, 5, 5)
    assert book.conditions == (
        Condition(SIGNAL_CODE["channel_240"], 1, AT_LEAST, 1.0),
        Condition(SIGNAL_CODE["channel_120"], 1, AT_MOST, -1.0),
        Condition(SIGNAL_CODE["adx"], 0, AT_MOST, 0.2),
        Condition(SIGNAL_CODE["rsi_centred"], 1, AT_LEAST, -0.5),
        Condition(SIGNAL_CODE["rsi_centred"], 1, AT_MOST, 0.5),
    )


def test_symbols_timeframes_and_status_decide_where_a_card_applies(folder: Callable[..., Path]) -> None:
    named = changed("scope.symbols", ["BTCUSDT", "ETHUSDT"])
    assert playbook(folder, named, symbol="ETHUSDT").cards
    assert not playbook(folder, named, symbol="SOLUSDT").cards
    hourly = changed("scope.timeframes", ["1h", "4h"])
    assert playbook(folder, hourly, timeframe="4h").cards
    assert not playbook(folder, hourly, timeframe="1d").cards
    assert playbook(folder, changed("status", "shadow")).cards
    assert not playbook(folder, changed("status", "disabled")).cards


def test_cards_are_asked_by_priority_then_by_file_name(folder: Callable[..., Path]) -> None:
    def card(name: str, priority: int) -> dict[str, Any]:
        return changed("scope.priority", priority, {**CARD, "name": name})

    path = folder(d=card("low", -1), c=card("second", 5), b=card("first", 5), a=card("third", 0))
    assert playbook_of(read_cards(path), asset()).names == ("first", "second", "third", "low")


def faults_of(folder: Callable[..., Path], bad: Any) -> Cards:
    """Put a broken card beside a good one; the good one must load."""
    cards = read_cards(folder(bad=bad, good={**CARD, "name": "good"}))
    assert [card.name for card in cards.cards] == ["good"]
    assert cards.faults
    return cards


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        *[
            (key, ..., "is missing")
            for key in ("name", "rationale", "source", "status", "scope", "entry", "exits")
        ],
        ("exits.stop", ..., "is missing"),
        ("nme", 1, 'unknown key; did you mean "name"?'),
        ("scope.symbol", [], 'unknown key; did you mean "symbols"?'),
        ("exits.max_hold", 5, 'unknown key; did you mean "max_hold_bars"?'),
        ("risk.size", 5, 'unknown key; did you mean "size_factor"?'),
        ("activation.min_trade", 5, 'unknown key; did you mean "min_trades"?'),
        ("exits.stop", {"atrs": 2}, 'unknown key; did you mean "atr"?'),
        ("exits.stop", {}, "needs exactly one of atr, range, frac"),
        ("exits.stop", {"atr": 1, "frac": 0.1}, "needs exactly one of atr, range, frac"),
        ("exits.stop", {"atr": 0}, "must be greater than 0, not 0"),
        ("exits.stop", {"frac": 1}, "must be less than 1, not 1"),
        ("exits.stop", 2, "must be an object {...}, not 2"),
        ("exits.min_confidence", 2, "must be less than or equal to 1"),
        ("exits.max_hold_bars", 1.5, "must be a whole number"),
        ("name", "Break Out", "must match pattern"),
        ("rationale", "", "must "),
        ("status", "on", 'must be "active", "shadow" or "disabled", not "on"'),
        ("scope.regimes", ["trend-up"], 'did you mean "trend_up"?'),
        ("scope.regimes", "chop", "must be a list [...]"),
        ("scope.timeframes", ["1H"], 'did you mean "1h"?'),
        ("scope.symbols", ["eth"], "must match pattern"),
        ("scope.follows", "card", 'must be "engine" or "entry", not "card"'),
        ("scope.direction", "up", 'must be "long", "short" or "both", not "up"'),
        ("scope.priority", "1", "must be a whole number"),
        ("entry", [], "must have at least 1 item"),
        ("entry", [{"signal": "chanel_240", "at_least": 1}], 'did you mean "channel_240"?'),
        ("entry", [{"signal": "atr_14", "at_least": 1}], "must be "),
        ("entry", [{"signal": "adx"}], "needs one or more of at_least, at_most"),
        ("entry", [{"signal": "adx", "above": 1}], "unknown key"),
        ("entry", [{"signal": "adx", "at_least": "1"}], "must be a number"),
        ("risk.size_factor", 1.5, "must be less than or equal to 1"),
        ("risk.max_notional_quote", 0, "must be greater than 0"),
        ("risk.trades_per_day", -1, "must be greater than or equal to 0"),
        ("activation.max_drawdown_frac", 0, "must be greater than 0"),
    ],
)
def test_a_mistake_refuses_the_card_as_a_whole(
    folder: Callable[..., Path], path: str, value: Any, message: str
) -> None:
    faults = faults_of(folder, changed(path, value)).faults
    assert all(fault.file == "bad.json" for fault in faults)
    assert any(message in fault.message for fault in faults), [str(fault) for fault in faults]


def test_a_fault_names_its_place_and_key(folder: Callable[..., Path]) -> None:
    text = '{"scope": {"symbols": []},\n "entry": [{"signal": "adx", "at_least": 1},\n  {"signal": "ad"}]}'
    faults = [str(fault) for fault in faults_of(folder, text).faults]
    assert any('bad.json:3:4: entry[1].signal: must be "ema_spread_12_26", ' in fault for fault in faults)


def test_a_broken_card_stops_only_the_assets_it_names(folder: Callable[..., Path]) -> None:
    bad = changed("exits.stop", {}, changed("scope.symbols", ["ETHUSDT", "BTCUSDT"]))
    cards = faults_of(folder, bad)
    assert len(cards.faults_of("ETHUSDT")) == len(cards.faults_of("BTCUSDT")) == 1
    assert cards.faults_of("SOLUSDT") == ()


@pytest.mark.parametrize(
    "bad",
    ["{", "[]", "1", '{"scope": {"symbols": "ETHUSDT"}}', '{"scope": 1}', '{"scope": {"symbols": [1]}}'],
)
def test_a_card_that_names_no_asset_readably_stops_none(folder: Callable[..., Path], bad: str) -> None:
    cards = faults_of(folder, bad)
    assert {fault.symbols for fault in cards.faults} == {()}
    assert cards.faults[0].where.partition(":")[0].endswith("bad.json")


def test_a_key_given_twice_refuses_the_card(folder: Callable[..., Path]) -> None:
    (fault,) = faults_of(folder, json.dumps(CARD)[:-1] + ',\n "status": "active"}').faults
    assert (fault.path, fault.message) == ("status", "is given twice; keep one of the two")
    assert fault.where.endswith("bad.json:2:2")


def test_a_name_taken_by_another_card_refuses_the_later_file(folder: Callable[..., Path]) -> None:
    cards = read_cards(folder(a=CARD, b=CARD))
    assert [fault.file for fault in cards.faults] == ["b.json"]
    assert len(cards.cards) == 1


def test_a_symbol_that_is_not_registered_refuses_the_card(folder: Callable[..., Path]) -> None:
    path = folder(a=changed("scope.symbols", ["ETHUSDT", "BTCUSD"]))
    cards = read_cards(path, ["ETHUSDT", "BTCUSDT"])
    (fault,) = cards.faults
    assert (fault.path, fault.message) == (
        "scope.symbols[1]",
        'no asset "BTCUSD" in the registry; did you mean "BTCUSDT"?',
    )
    assert cards.faults_of("ETHUSDT") == (fault,)


def test_a_coin_taken_out_of_the_registry_breaks_no_card_that_names_it(folder: Callable[..., Path]) -> None:
    path = folder(a=changed("scope.symbols", ["ETHUSDT", "SOLUSDT"]))
    known = known_symbols(Registry(assets=(asset(),), faults=()), known_contracts(SNAPSHOTS))
    assert read_cards(path, known).faults == ()
    (fault,) = read_cards(folder(a=changed("scope.symbols", ["SOLUSD"])), known).faults
    assert fault.message.endswith('did you mean "SOLUSDT"?')


def test_comments_are_welcome_in_cards_and_other_files_are_left_alone(folder: Callable[..., Path]) -> None:
    path = folder(a="// why\n" + json.dumps({"$schema": "x", **CARD})[:-1] + ",}")
    (path / "README.md").write_text("no card")
    cards = read_cards(path)
    assert (len(cards.cards), cards.faults) == (1, ())


def test_no_cards_are_no_fault_but_a_missing_folder_is(tmp_path: Path) -> None:
    assert playbook_of(read_cards(tmp_path), asset()).cards == ()
    with pytest.raises(ConfigError, match="no such folder of cards"):
        read_cards(tmp_path / "none")


def test_the_shipped_cards_are_sound() -> None:
    config = Path(__file__).parents[3] / "config"
    cards = read_cards(config / "cards")
    assert [str(fault) for fault in cards.faults] == []
