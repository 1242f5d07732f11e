"""Parameters: every key reaches the kernel, a coin's own set wins, a wrong one is refused by its key path."""

import json
from pathlib import Path
from typing import Any

import pytest

from engine_alpha.config.assets import read_registry
from engine_alpha.config.cards import playbook_of, read_cards
from engine_alpha.config.parameters import parameters_of, read_parameters
from engine_alpha.config.reading import read_json
from engine_alpha.errors import ConfigError
from engine_alpha.kernel.codes import ACTIVE, ALL_REGIMES, REGIMES, SHADOW, VOTES
from engine_alpha.kernel.values import Parameters

CONFIG = Path(__file__).parents[3] / "config"
SHIPPED = CONFIG / "parameters"


def shipped() -> dict[str, Any]:
    return dict(read_json(SHIPPED / "default.json"))


def changed(path: str, value: Any) -> dict[str, Any]:
    """Return the shipped set with one value set (or removed: ...) at a dotted path."""
    made = json.loads(json.dumps(shipped()))
    *parents, key = path.split(".")
    inner = made
    for parent in parents:
        inner = inner[parent]
    if value is ...:
        del inner[key]
    else:
        inner[key] = value
    return dict(made)


def read(folder: Path, value: Any, name: str = "default") -> tuple[str, Parameters]:
    path = folder / f"{name}.json"
    path.write_text(json.dumps(value))
    return read_parameters(path)


def test_the_shipped_set_allows_every_regime_and_lets_no_undecided_score_trade() -> None:
    version, parameters = parameters_of(SHIPPED, "ETHUSDT")
    assert version == "default-1"
    assert parameters.regimes_allowed == ALL_REGIMES
    assert 0.0 < parameters.neutral_zone <= parameters.confidence_min < 0.5
    assert 0.0 < parameters.trend_off < parameters.trend_on < 1.0
    assert 0.0 < parameters.volatile_off < parameters.volatile_on < 1.0


def test_every_value_has_the_kernels_type(tmp_path: Path) -> None:
    whole = changed("trend_on", 1)
    whole["weights"]["chop"]["momentum"] = 2
    _, parameters = read(tmp_path, whole)
    types = {name: type(value).__name__ for name, value in parameters._asdict().items()}
    assert types == {
        **dict.fromkeys(Parameters._fields, "float"),
        "regimes_allowed": "int",
        "weights": "tuple",
        "calibration": "tuple",
    }
    assert [[type(weight) for weight in row] for row in parameters.weights] == [[float] * 5] * 4


@pytest.mark.parametrize(
    "key", ["trend_on", "trend_off", "volatile_on", "volatile_off", "neutral_zone", "confidence_min"]
)
def test_each_threshold_reaches_its_field_alone(tmp_path: Path, key: str) -> None:
    before = read(tmp_path, shipped())[1]
    after = read(tmp_path, changed(key, shipped()[key] + 0.01))[1]
    assert [name for name in Parameters._fields if getattr(before, name) != getattr(after, name)] == [key]


@pytest.mark.parametrize("row", range(4))
@pytest.mark.parametrize("column", range(5))
def test_each_weight_reaches_its_place_alone(tmp_path: Path, row: int, column: int) -> None:
    before = read(tmp_path, shipped())[1]
    after = read(tmp_path, changed(f"weights.{REGIMES[row]}.{VOTES[column]}", 7.5))[1]
    different = [(i, j) for i in range(4) for j in range(5) if before.weights[i][j] != after.weights[i][j]]
    assert different == [(row, column)]
    assert after.weights[row][column] == 7.5


def test_the_order_of_keys_does_not_matter(tmp_path: Path) -> None:
    backwards = shipped()
    backwards["weights"] = {
        regime: dict(reversed(list(row.items())))
        for regime, row in reversed(list(backwards["weights"].items()))
    }
    assert read(tmp_path, backwards) == parameters_of(SHIPPED, "ETHUSDT")


@pytest.mark.parametrize("name", REGIMES)
def test_an_allowed_regime_is_its_bit(tmp_path: Path, name: str) -> None:
    assert read(tmp_path, changed("regimes_allowed", [name, name]))[1].regimes_allowed == 1 << REGIMES.index(
        name
    )


def test_a_coins_own_set_wins_and_touches_no_other_coin(tmp_path: Path) -> None:
    read(tmp_path, shipped())
    own = changed("confidence_min", 0.5)
    own["version"] = "eth-2"
    read(tmp_path, own, "ETHUSDT")
    version, parameters = parameters_of(tmp_path, "ETHUSDT")
    assert (version, parameters.confidence_min) == ("eth-2", 0.5)
    assert parameters_of(tmp_path, "BTCUSDT") == parameters_of(SHIPPED, "BTCUSDT")


def test_a_broken_set_of_its_own_is_no_reason_to_take_the_default(tmp_path: Path) -> None:
    read(tmp_path, shipped())
    (tmp_path / "ETHUSDT.json").write_text("{")
    with pytest.raises(ConfigError, match=r"ETHUSDT\.json:1:"):
        parameters_of(tmp_path, "ETHUSDT")
    (tmp_path / "ETHUSDT.json").unlink()
    (tmp_path / "ETHUSDT.json").symlink_to("nowhere.json")
    with pytest.raises(ConfigError, match=r"ETHUSDT\.json: no such file"):
        parameters_of(tmp_path, "ETHUSDT")


def test_without_any_file_the_default_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"default\.json: no such file"):
        parameters_of(tmp_path, "ETHUSDT")


@pytest.mark.parametrize("symbol", ["../risk", "default", "", "ETH/USDT", "ETHUSDT\n"])
def test_only_a_symbol_names_a_file(tmp_path: Path, symbol: str) -> None:
    read(tmp_path, shipped())
    with pytest.raises(ConfigError, match="is no symbol"):
        parameters_of(tmp_path, symbol)


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("trend_onn", 0.4, r"trend_onn: unknown key; did you mean \"trend_on\"\?"),
        ("trend_on", ..., "trend_on: is missing; add it"),
        ("trend_on", "0.4", "trend_on: must be a"),
        ("trend_on", True, "trend_on: must be a"),
        ("trend_on", None, "trend_on: must be a"),
        ("trend_on", 1.5, "trend_on: must be less than or equal to 1"),
        ("trend_off", -0.1, "trend_off: must be greater than or equal to 0"),
        ("trend_off", 0.3, r"trend_off \(0.3\) must be less than trend_on \(0.3\)"),
        ("volatile_off", 0.95, r"volatile_off \(0.95\) must be less than volatile_on \(0.9\)"),
        ("confidence_min", 20, "confidence_min: must be less than or equal to 1"),
        ("version", "", "version: must "),
        ("version", 1, "version: must be a"),
        ("regimes_allowed", [], "regimes_allowed: "),
        ("regimes_allowed", ["trend_upp"], r"regimes_allowed\[0\]: must be .*did you mean \"trend_up\"\?"),
        ("regimes_allowed", "chop", "regimes_allowed: must "),
        ("weights.chop", ..., r"weights\.chop: is missing; add it"),
        ("weights.chopp", {}, r"weights\.chopp: unknown key; did you mean \"chop\"\?"),
        ("weights.chop.flow", ..., r"weights\.chop\.flow: is missing; add it"),
        ("weights.chop.flo", 1, r"weights\.chop\.flo: unknown key; did you mean \"flow\"\?"),
        ("weights.chop.flow", -1, r"weights\.chop\.flow: must be greater than or equal to 0"),
        ("weights.chop", dict.fromkeys(VOTES, 0), r"weights\.chop: at least one vote needs a weight above 0"),
        ("weights", [], "weights: must be"),
    ],
)
def test_a_wrong_value_is_named_by_its_key_path(tmp_path: Path, path: str, value: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        read(tmp_path, changed(path, value))
    assert str(tmp_path / "default.json") + ":" in str(caught.value)


def test_a_key_given_twice_is_refused(tmp_path: Path) -> None:
    text = json.dumps(shipped()).replace('"trend_on": 0.3', '"trend_on": 0.3, "trend_on": 0.4')
    (tmp_path / "default.json").write_text(text)
    with pytest.raises(ConfigError, match="trend_on: is given twice"):
        parameters_of(tmp_path, "ETHUSDT")


def test_every_problem_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, {**changed("trend_on", 2), "neutral_zone": "no"})
    assert len(str(caught.value).splitlines()) == 2


def test_shipped_cards_load_and_trade_every_coin_where_research_chose_them() -> None:
    assets = read_registry(CONFIG / "asset_registry.json").assets
    cards = read_cards(CONFIG / "cards", [asset.symbol for asset in assets])
    assert cards.faults == ()
    assert sum(card.status == "active" for card in cards.cards) >= 4
    assert sum(card.status == "shadow" for card in cards.cards) >= 1
    for asset in assets:
        allowed = parameters_of(SHIPPED, asset.symbol)[1].regimes_allowed
        book = playbook_of(cards, asset)
        covered = 0
        for card in book.cards:
            covered |= card.regimes if card.status == ACTIVE else 0
        # Short and in chop a coin trades where research found something: docs/explanation/research.md
        names = {card.name for card in book.configs if card.status == "active"}
        assert names >= {"momentum-long", "volatility-breakout"}
        trends = 1 << REGIMES.index("trend_up") | 1 << REGIMES.index("high_vol")
        assert covered & allowed & trends == trends
        assert ("momentum-short" in names) == (asset.risk_bucket != "core")
        assert SHADOW in [card.status for card in book.cards]
