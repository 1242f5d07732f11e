"""A coin's own card settings and calibration: each key changes what that coin does, and no other."""

import json
from pathlib import Path
from typing import Any

import pytest

from engine_alpha.config.parameters import ParametersConfig, read_set
from engine_alpha.config.reading import read_json
from engine_alpha.errors import ConfigError
from engine_alpha.home import Home, init_home
from engine_alpha.kernel.codes import SHADOW
from engine_alpha.plans.setup import Setup, read_setup
from engine_alpha.step.plan import AssetPlan

ETH, BTC = "ETHUSDT", "BTCUSDT"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    init_home(tmp_path / "home")
    return Home(tmp_path / "home")


def put(home: Home, **keys: Any) -> Path:
    """Give ETH a set of its own: the default's and these keys."""
    path = home.parameters / f"{ETH}.json"
    fields = {**read_json(home.parameters / "default.json"), "version": "eth-1", **keys}
    path.write_text(json.dumps(fields, indent=1))
    return path


def plan_of(setup: Setup, symbol: str) -> AssetPlan:
    return setup.plan(next(asset for asset in setup.registry.assets if asset.symbol == symbol))


def with_cards(home: Home, **cards: Any) -> AssetPlan:
    put(home, cards={name.replace("_", "-"): settings for name, settings in cards.items()})
    return plan_of(read_setup(home), ETH)


def test_a_status_of_its_own_counts_for_that_coin_alone(home: Home) -> None:
    before = plan_of(read_setup(home), BTC)
    plan = with_cards(home, momentum_long={"status": "shadow"}, range_dip={"status": "disabled"})
    assert plan.names == before.names[:-1]
    assert plan.rules.cards[0].status == SHADOW
    assert plan_of(read_setup(home), BTC) == before


def test_changes_reach_the_kernels_card_by_their_paths(home: Home) -> None:
    before = plan_of(read_setup(home), ETH)
    changes = {
        "exits.stop.range": 6,
        "entry[0].at_least": 0.75,
        "risk.size_factor": 0.5,
        "exits.max_hold_bars": 48,
        "exits.trailing": {"atr": 3.0},
    }
    plan = with_cards(home, momentum_long={"changes": changes})
    was, now = before.rules.cards[0], plan.rules.cards[0]
    assert [name for name in was._fields if getattr(was, name) != getattr(now, name)] == [
        "stop_range", "trail_atr", "max_hold_bars", "size_factor"
    ]  # fmt: skip
    assert plan.rules.conditions[now.entry_first].value == 0.75
    assert plan.rules.cards[1:] == before.rules.cards[1:]


def test_cards_are_asked_by_their_priority_after_the_changes_then_by_file(home: Home) -> None:
    before = plan_of(read_setup(home), ETH).names
    assert before == ("momentum-long", "volatility-breakout", "range-dip")
    plan = with_cards(home, momentum_long={"changes": {"scope.priority": 20}})
    assert plan.names[:2] == ("momentum-long", "volatility-breakout"), "m before v"
    plan = with_cards(home, volatility_breakout={"changes": {"scope.priority": 31}})
    assert plan.names[:2] == ("volatility-breakout", "momentum-long")


def test_own_settings_and_calibration_are_in_the_hash_and_the_version_is_named(home: Home) -> None:
    put(home)
    plain = plan_of(read_setup(home), ETH)
    put(home, calibration=[], cards={}, kernel=1, previous=None, adopted=None)
    assert plan_of(read_setup(home), ETH).config_hash == plain.config_hash, "what is there by default"
    put(home, calibration=[[0.2, 0.3]])
    calibrated = plan_of(read_setup(home), ETH)
    changed = with_cards(home, momentum_long={"changes": {"exits.stop.range": 6}})
    assert len({plan.config_hash for plan in (plain, calibrated, changed)}) == 3
    assert plain.parameters_version == calibrated.parameters_version == "eth-1"
    assert calibrated.rules.parameters.calibration == ((0.2, 0.3),)


@pytest.mark.parametrize(
    ("cards", "message"),
    [
        ({"momentum": {"status": "active"}}, r"cards\.momentum: no such card; did you mean \"momentum-"),
        (
            {"momentum-long": {"changes": {"exits.stop.rnge": 6}}},
            r"cards\.momentum-long\.changes\.exits\.stop\.rnge: unknown key; did you mean \"range\"",
        ),
        (
            {"momentum-long": {"changes": {"exits.stop.range": 0}}},
            r"cards\.momentum-long\.changes\.exits\.stop\.range: must be greater than 0",
        ),
        (
            {"momentum-long": {"changes": {"exits.stop.atr": 2}}},
            r"cards\.momentum-long\.changes\.exits\.stop\.atr: needs exactly one of atr, range, frac",
        ),
        (
            {"momentum-long": {"changes": {"entry[7].at_least": 0}}},
            r"cards\.momentum-long\.changes: there is no item \[7\]",
        ),
        ({"momentum-long": {"status": "on"}}, r"cards\.momentum-long\.status: must be \"active\""),
        ({"momentum-long": {}}, r"cards\.momentum-long: changes nothing"),
        ({"momentum-long": {"stop": 1}}, r"cards\.momentum-long\.stop: unknown key"),
        ({"momentum-long": {"changes": {"exits..stop": 1}}}, r"changes: \"exits\.\.stop\" is no key"),
        ({"momentum-long": {"changes": {"name": "x"}}}, r"changes: name says what a card is"),
        ({"momentum-long": {"changes": {"status": "shadow"}}}, r"changes: write status beside changes"),
        (
            {"momentum-long": {"changes": {"exits.stop": {"atr": 1}, "exits.stop.atr": 2}}},
            r"changes: exits\.stop\.atr changes what exits\.stop changes, too",
        ),
    ],
)
def test_a_wrong_setting_stops_that_coin_alone_with_its_place_and_advice(
    home: Home, cards: dict[str, Any], message: str
) -> None:
    path = put(home, cards=cards)
    setup = read_setup(home)
    with pytest.raises(ConfigError, match=rf"{path}:\d+:\d+: .*{message}"):
        plan_of(setup, ETH)
    assert plan_of(setup, BTC).names


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("calibration", [[0.2, 0.3], [0.2, 0.4]], r"calibration: \[1\]: \|score\| must rise"),
        (
            "calibration",
            [[0.2, 0.3], [0.4, 0.5], [0.5, 0.4]],
            r"calibration: \[2\]: confidence must not fall",
        ),
        ("calibration", [[0.2, 1.3]], r"calibration\[0\]\[1\]: must be less than or equal to 1"),
        ("calibration", [[0.2]], r"calibration\[0\]\[1\]: is missing"),
        ("calibration", [[place / 20, 0.5] for place in range(17)], "calibration: .*at most 16"),
        ("kernel", 2, "kernel: written for another kernel"),
        ("previous", "../x", "previous: must "),
        ("adopted", {"at": "today", "night": "n", "proposal_sha256": "0" * 64}, r"adopted\.at: must "),
        ("adopted", {"night": "n", "proposal_sha256": "0" * 64}, r"adopted\.at: is missing"),
    ],
)
def test_a_wrong_value_is_named_by_its_key_path(home: Home, key: str, value: Any, message: str) -> None:
    path = put(home, **{key: value})
    with pytest.raises(ConfigError, match=rf"{path}:\d+:\d+: {message}"):
        read_set(path)


def test_every_key_of_a_set_has_a_test() -> None:
    ours = {"version", "calibration", "cards", "kernel", "previous", "adopted"}
    assert set(ParametersConfig.model_fields) == ours | {
        *("trend_on", "trend_off", "volatile_on", "volatile_off"),
        *("regimes_allowed", "neutral_zone", "confidence_min", "weights"),
    }
