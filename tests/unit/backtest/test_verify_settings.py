"""`verify` names what of the configuration changed: file, card, key, and how many decisions it touches."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from engine_alpha.backtest.verify import Change, Finding, Verification
from engine_alpha.config.reading import read_json
from engine_alpha.home import Home
from tests.unit.backtest.verifying import PAIR, Played, as_is, bar, only, played
from tests.unit.loop.runs import (
    QUICK,
    ROOMY,
    MemoryFeed,
    a_home,
    close_ms,
    edit,
    enable,
    engine_of,
    put_card,
    remove_asset,
    series_of,
    set_asset,
    set_engine,
    set_risk,
    tick_at,
    tick_hours,
)

HOURS = 10
NEVER_FIRES = {
    **QUICK,
    "name": "sleeper",
    "scope": {"priority": -5},
    "entry": [{"signal": "adx", "at_least": 2.0}],
}
CARDS = (QUICK, NEVER_FIRES)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    yield played(tmp_path_factory.mktemp("settings"), hours=HOURS, cards=CARDS)


@pytest.fixture
def pair(template: Played) -> Iterator[Played]:
    """Return the rehearsed home; what a test does to its files is undone."""
    before = {path: path.read_bytes() for path in template.home.config.rglob("*.json")}
    yield template
    for path in template.home.config.rglob("*.json"):
        if path not in before:
            path.unlink()
    for path, content in before.items():
        path.write_bytes(content)


def change_of(found: Verification) -> Change:
    """Return the one change of the one finding."""
    finding = only(found)
    assert len(finding.changes) == 1, finding
    return finding.changes[0]


def all_of_it(finding: Finding) -> bool:
    """Say whether a finding touches every decision of both assets."""
    return (finding.symbols, finding.decisions) == (PAIR, 2 * HOURS)


RISK_KEYS = {
    "risk_frac": 0.02,
    "slippage_bps": 7.0,
    "spread_bps": 2.5,
    "max_spread_bps": 44.0,
    "cooldown_bars": 5,
    "cluster_losses": 3,
    "cluster_pause_bars": 7,
    "pf_min_trades": 3,
    "pf_floor": 0.25,
    "max_positions": 7,
    "daily_loss_frac": 0.5,
    "drawdown_halt_frac": 0.25,
    "drawdown_limit_frac": 0.75,
    "drawdown_tighten": 0.5,
    "exposure_cap_frac": 50.0,
    "heat_cap_frac": 0.5,
    "correlation": 0.125,
    "filled_limit_frac": 0.5,
    "equity_quote": 12_345.0,
}


@pytest.mark.parametrize("key", RISK_KEYS)
def test_one_value_of_risk_json_is_named(pair: Played, key: str) -> None:
    then = read_json(pair.home.risk)[key]
    set_risk(pair.home, **{key: RISK_KEYS[key]})
    found = pair.verified()
    assert change_of(found) == Change(key=key, then=then, now=RISK_KEYS[key])
    assert (only(found).cause, only(found).subject) == ("config_changed", "risk.json")
    assert all_of_it(only(found))
    assert (found.exact, found.unsettled) == (2 * HOURS, 0), "on the settings of then all is as it was"


@pytest.mark.parametrize("key", ["share_frac", "cap_frac"])
def test_a_bucket_of_risk_json_is_named(pair: Played, key: str) -> None:
    edit(pair.home.risk, lambda found: found["buckets"]["core"].update({key: 0.05}))
    found = pair.verified()
    assert change_of(found).key == f"buckets.core.{key}" and change_of(found).now == 0.05
    assert found.exact == 2 * HOURS


@pytest.mark.parametrize(
    ("key", "value"), [("confidence_min", 0.125), ("neutral_zone", 0.25), ("trend_on", 0.875)]
)
def test_one_parameter_is_named(pair: Played, key: str, value: float) -> None:
    file = pair.home.parameters / "default.json"
    edit(file, lambda found: found.update({key: value}))
    found = pair.verified()
    assert change_of(found).key == key and change_of(found).now == value
    assert (only(found).cause, only(found).subject) == ("parameters_changed", "parameters/default.json")
    assert all_of_it(only(found)) and found.exact == 2 * HOURS


def test_a_vote_weight_and_a_version_are_named(pair: Played) -> None:
    def change(found: dict[str, Any]) -> None:
        found["version"] = "other"
        found["weights"]["chop"]["momentum"] = 0.125

    edit(pair.home.parameters / "default.json", change)
    keys = [change.key for change in only(pair.verified()).changes]
    assert keys == ["version", "weights.chop.momentum"]


def test_a_parameter_file_of_its_own_touches_its_asset_only(pair: Played) -> None:
    text = (pair.home.parameters / "default.json").read_text()
    (pair.home.parameters / "BTCUSDT.json").write_text(
        text.replace('"neutral_zone": 0.0', '"neutral_zone": 0.5')
    )
    finding = only(pair.verified())
    assert (finding.subject, finding.symbols) == ("parameters/BTCUSDT.json", ("BTCUSDT",))
    assert finding.decisions == HOURS and finding.different


def card_edit(**parts: Any) -> Callable[[dict[str, Any]], None]:
    def change(card: dict[str, Any]) -> None:
        for name, part in parts.items():
            card[name] = {**card[name], **part} if isinstance(part, dict) else part

    return change


@pytest.mark.parametrize(
    ("change", "key", "then", "now"),
    [
        (card_edit(exits={"max_hold_bars": 9}), "exits.max_hold_bars", 6, 9),
        (card_edit(exits={"stop": {"atr": 1.75}}), "exits.stop.atr", 1.5, 1.75),
        (card_edit(scope={"direction": "long"}), "scope.direction", "both", "long"),
        (card_edit(scope={"priority": -9}), "scope.priority", 0, -9),
        (card_edit(scope={"regimes": ["chop"]}), "scope.regimes", None, ("chop",)),
        (card_edit(risk={"size_factor": 0.5}), "risk.size_factor", 1.0, 0.5),
        (card_edit(activation={"min_pf": 0.5}), "activation.min_pf", 0.0, 0.5),
        (card_edit(status="shadow"), "status", "active", "shadow"),
        (card_edit(entry=[{"signal": "adx", "at_least": 0.25}]), "entry", None, ("adx at_least 0.25",)),
    ],
)
def test_one_key_of_one_card_is_named(
    pair: Played, change: Callable[[dict[str, Any]], None], key: str, then: Any, now: Any
) -> None:
    edit(
        pair.home.cards / "quick.json",
        lambda card: [card.setdefault(name, {}) for name in ("risk", "activation")] and change(card),
    )
    found = pair.verified()
    one = only(found) if key != "scope.priority" else found.findings[0]
    assert (one.cause, one.subject) == ("cards_changed", "quick")
    assert [change.key for change in one.changes] == [key]
    assert one.changes[0].now == now and (then is None or one.changes[0].then == then)
    assert all_of_it(one) and found.exact == 2 * HOURS


@pytest.mark.parametrize(
    ("change", "detail"),
    [
        (lambda home: (home.cards / "quick.json").unlink(), "there is no such card now"),
        (lambda home: edit(home.cards / "quick.json", card_edit(status="disabled")), "is disabled now"),
        (
            lambda home: edit(home.cards / "quick.json", card_edit(scope={"timeframes": ["4h"]})),
            "does not apply to this asset now",
        ),
    ],
)
def test_a_card_that_is_gone_is_named(pair: Played, change: Callable[[Home], Any], detail: str) -> None:
    change(pair.home)
    found = pair.verified()
    assert (only(found).cause, only(found).subject, only(found).detail) == ("cards_changed", "quick", detail)
    assert only(found).different
    assert found.exact == 2 * HOURS, "positions carried the card with them"


def test_a_new_card_is_named(pair: Played) -> None:
    put_card(pair.home, {**QUICK, "name": "newcomer", "scope": {"priority": 3, "symbols": ["BTCUSDT"]}})
    finding = only(pair.verified())
    assert (finding.cause, finding.subject, finding.symbols) == ("cards_changed", "newcomer", ("BTCUSDT",))


def test_a_changed_card_that_never_traded_is_named_without_its_key(pair: Played) -> None:
    edit(pair.home.cards / "sleeper.json", card_edit(exits={"max_hold_bars": 9}))
    found = pair.verified()
    finding = only(found)
    assert (finding.cause, finding.subject, finding.changes) == ("cards_changed", "sleeper", ())
    assert finding.detail == "what it said then is not recorded" and finding.different == 0
    assert found.unsettled == 2 * HOURS, "nothing says what it was, so only bars were compared"


@pytest.mark.parametrize(
    ("key", "value"), [("max_leverage", 2.5), ("min_notional_usd", 12.5), ("risk_bucket", "alt")]
)
def test_a_registry_entry_is_named(pair: Played, key: str, value: Any) -> None:
    set_asset(pair.home, "BTCUSDT", **{key: value})
    found = pair.verified()
    assert change_of(found).key == key and change_of(found).now == value
    assert (only(found).subject, only(found).symbols) == ("asset_registry.json", ("BTCUSDT",))
    assert found.exact == 2 * HOURS


def test_another_timeframe_is_named_and_nothing_is_made_of_it(pair: Played) -> None:
    set_asset(pair.home, "BTCUSDT", base_timeframe="4h")
    found = pair.verified()
    assert change_of(found) == Change(key="base_timeframe", then="1h", now="4h")
    assert only(found).different is None and found.exact == 2 * HOURS


def test_an_asset_that_left_the_registry_is_named(tmp_path: Path) -> None:
    home = a_home(tmp_path / "home", enabled=PAIR)
    feed = MemoryFeed(series_of(PAIR))
    with engine_of(home, feed) as engine:
        tick_hours(engine, range(0, 3))
        remove_asset(home, "BTCUSDT")
        found = as_is(home, engine.journal, feed)
    assert only(found).symbols == ("BTCUSDT",) and "is not in" in only(found).detail
    assert found.exact == 6


def test_an_instrument_is_named_with_its_key(pair: Played) -> None:
    for path in pair.home.instruments.glob("bybit_*.json"):
        edit(path, lambda found: found["instruments"]["BTCUSDT"].update(taker_fee_frac="0.0006"))
    found = pair.verified()
    assert change_of(found) == Change(key="taker_fee_frac", then=0.00055, now=0.0006)
    assert (only(found).subject, only(found).symbols) == ("instruments of bybit", ("BTCUSDT",))
    assert found.exact == 2 * HOURS


def test_minutes_switched_on_are_named(pair: Played) -> None:
    set_risk(pair.home, detail="1m")
    found = pair.verified()
    assert change_of(found) == Change(key="detail", then=None, now="1m")
    assert only(found).subject == "risk.json" and found.exact == 2 * HOURS


def test_two_changes_in_two_files_are_two_differences(pair: Played) -> None:
    set_risk(pair.home, cooldown_bars=4)
    edit(pair.home.cards / "quick.json", card_edit(exits={"max_hold_bars": 9}))
    found = pair.verified().findings
    assert [(one.cause, one.subject) for one in found] == [
        ("config_changed", "risk.json"),
        ("cards_changed", "quick"),
    ]


def test_what_decides_nothing_is_no_difference(pair: Played) -> None:
    set_engine(pair.home, feed_deadline_ms=900, feed="venue")
    enable(pair.home, "ADAUSDT")
    edit(pair.home.cards / "quick.json", card_edit(rationale="Other words."))
    edit(pair.home.registry, lambda found: found.update({"ETHUSDT": found.pop("ETHUSDT")}))
    assert pair.verified().findings == ()


def test_another_entry_delay_is_named_where_it_decides(tmp_path: Path) -> None:
    home = a_home(tmp_path / "home")
    feed = MemoryFeed(series_of(("ETHUSDT",)))
    with engine_of(home, feed) as engine:
        for hour in range(6):
            tick_at(engine, close_ms(hour) + 40_000)
        assert as_is(home, engine.journal, feed).findings == ()
        set_engine(home, max_entry_delay_ms=30_000)
        found = as_is(home, engine.journal, feed)
    finding = only(found)
    assert (finding.subject, finding.changes[0].key, finding.decisions) == (
        "engine.json",
        "max_entry_delay_ms",
        6,
    )
    assert "40000 ms after the close were 0 such delays, and are 1 now" in finding.detail
    assert found.exact == 6


def test_settings_that_changed_on_the_way_are_found_for_the_decisions_before(tmp_path: Path) -> None:
    """Ten hours of two coins, a new limit, ten hours, another card, five hours: each stretch has its own."""
    home = a_home(tmp_path / "home", enabled=PAIR, risk={**ROOMY, "max_positions": 1})
    feed = MemoryFeed(series_of(PAIR))
    with engine_of(home, feed) as engine:
        tick_hours(engine, range(0, 10))
        set_risk(home, slippage_bps=9.0)
        tick_hours(engine, range(10, 20))
        put_card(home, {**QUICK, "exits": {"stop": {"atr": 2.5}}})
        tick_hours(engine, range(20, 25))
        found = as_is(home, engine.journal, feed)
    assert found.exact == found.decisions == 50 and found.unsettled == 0
    told = {(one.cause, one.first_ms, one.last_ms, one.decisions) for one in found.findings}
    assert told == {
        ("config_changed", bar(0), bar(9), 20),
        ("cards_changed", bar(0), bar(19), 40),
    }
