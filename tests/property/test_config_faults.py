"""Whatever stands in a file: it is understood, or refused in words; never half, never with a crash."""

import json
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from engine_alpha.config.assets import AssetEntry, parse_registry
from engine_alpha.config.cards import CardConfig, Cards, playbook_of
from engine_alpha.config.checking import check
from engine_alpha.config.engine import EngineConfig
from engine_alpha.config.reading import Source, parse_json
from engine_alpha.config.risk import RiskConfig
from engine_alpha.errors import ConfigError
from engine_alpha.kernel.signals import SIGNALS
from engine_alpha.kernel.values import Card, Condition

CONFIG = Path(__file__).parents[2] / "config"
REGISTRY = (CONFIG / "asset_registry.json").read_text()

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
KEYS = [*AssetEntry.model_fields, "enabld", "symbol", "$schema", ""]


@given(st.text(alphabet='{}[]",:/*\\ \n\r1aeE.-tfn\ufeff', max_size=40))
def test_any_text_is_read_or_refused_at_a_place(text: str) -> None:
    try:
        parse_json(text, "f.json")
    except ConfigError as error:
        assert str(error).startswith("f.json:")


@given(
    st.integers(0, len(REGISTRY) - 1),
    st.integers(0, 5),
    st.sampled_from(['"', "{", "}", ",", "/", "x", "1", ""]),
)
def test_a_damaged_registry_is_refused_or_loses_only_what_is_damaged(at: int, cut: int, put: str) -> None:
    good = {asset.symbol: asset for asset in parse_registry(Source("r.json", REGISTRY)).assets}
    damaged = REGISTRY[:at] + put + REGISTRY[at + cut :]
    try:
        registry = parse_registry(Source("r.json", damaged))
    except ConfigError as error:
        assert str(error).startswith("r.json:")
        return
    same = sum(good.get(asset.symbol) == asset for asset in registry.assets)
    assert same >= len(good) - 2  # the cut may span the end of one entry and the name of the next
    assert len(registry.assets) + len({fault.symbol for fault in registry.faults}) >= len(good) - 1


@given(st.dictionaries(st.sampled_from(KEYS), ANYTHING) | ANYTHING)
def test_a_bad_entry_never_touches_its_neighbour(entry: Any) -> None:
    neighbour = json.loads(REGISTRY)["ETHUSDT"]
    text = json.dumps({"BADUSDT": entry, "ETHUSDT": neighbour})
    registry = parse_registry(Source("r.json", text))
    assert registry.assets[-1].symbol == "ETHUSDT"
    assert len(registry.assets) + bool(registry.faults) == 2
    for fault in registry.faults:
        assert (fault.symbol, fault.path.startswith("BADUSDT"), bool(fault.message)) == (
            "BADUSDT",
            True,
            True,
        )


@given(ANYTHING, st.sampled_from([EngineConfig, RiskConfig, CardConfig, AssetEntry]))
def test_any_value_is_judged_in_words(value: Any, model: Any) -> None:
    good, problems = check(model, value)
    assert (good is None) == bool(problems)
    assert all(str(problem) for problem in problems)


@st.composite
def cards(draw: st.DrawFn) -> CardConfig:
    """Draw a card with any conditions and exits."""
    names = st.sampled_from([spec.name for spec in SIGNALS if spec.kind >= 0])
    numbers = st.floats(-10, 10) | st.integers(-10, 10)
    condition = st.fixed_dictionaries({"signal": names, "at_least": numbers}) | st.fixed_dictionaries(
        {"signal": names, "at_most": numbers, "at_least": st.none() | numbers}
    )
    distance = st.sampled_from([{"atr": 2}, {"range": 1.5}, {"frac": 0.5}])
    value = {
        "name": draw(st.sampled_from(["a", "b-1", "c_2"])),
        "rationale": "r",
        "source": "s",
        "status": draw(st.sampled_from(["active", "shadow", "disabled"])),
        "scope": {"priority": draw(st.integers(-5, 5))},
        "entry": draw(st.lists(condition, min_size=1, max_size=4)),
        "exits": {"stop": draw(distance), "when": draw(st.lists(condition, max_size=3))},
    }
    good, problems = check(CardConfig, value)
    assert good is not None, problems
    return good


@given(st.lists(cards(), max_size=5))
def test_a_playbook_is_one_list_of_typed_values_cut_without_gap(drawn: list[CardConfig]) -> None:
    asset = parse_registry(Source("r.json", REGISTRY)).assets[0]
    book = playbook_of(Cards(cards=tuple(drawn), faults=()), asset)
    assert len(book.cards) == len(book.names) == sum(card.status != "disabled" for card in drawn)
    at = 0
    for card in book.cards:
        assert at == card.entry_first < card.entry_end == card.exit_first <= card.exit_end
        assert card.stop_atr + card.stop_range + card.stop_frac > 0
        at = card.exit_end
    assert at == len(book.conditions)
    values: list[Card | Condition] = [*book.cards, *book.conditions]
    for value in values:
        assert [type(each) for each in value] == [type(value).__annotations__[name] for name in value._fields]
