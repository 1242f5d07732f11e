"""What one card's search tries: every combination of its varied keys and of the least confidences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any

import numpy as np

from engine_alpha.backtest.sweeping.space import RISK, Axis, Values
from engine_alpha.backtest.sweeping.variants import Variants, make_variants
from engine_alpha.config.cards import Cards
from engine_alpha.config.checking import advice
from engine_alpha.config.parameters import DEFAULT, read_set
from engine_alpha.config.research import SearchConfig
from engine_alpha.domain.bars import Ints
from engine_alpha.errors import ConfigError
from engine_alpha.plans.setup import Setup
from engine_alpha.research.neutral import neutral_setup


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One trial of a card: values of its keys and the least confidence of an entry.

    `complexity` counts what is not as shipped.
    """

    values: Values
    confidence_min: float
    complexity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CardSpace:
    """A card's variants, and which of them are neighbours: one step apart on one axis.

    `setup` has that card alone active, under neutral limits. `shipped_values` and `confidence_min` are as the
    files say now.
    """

    card: str
    setup: Setup = field(repr=False)
    axes: tuple[Axis, ...]
    variants: tuple[Variant, ...]
    thresholds: tuple[float, ...]
    shipped_values: Values
    confidence_min: float

    @property
    def keys(self) -> tuple[str, ...]:
        """Return the varied keys, without the card's name."""
        return tuple(axis.key.partition(":")[2] for axis in self.axes)

    def named(self, place: int) -> dict[str, Any]:
        """Return a variant's values by key."""
        variant = self.variants[place]
        return dict(zip(self.keys, variant.values, strict=True)) | {"confidence_min": variant.confidence_min}

    def neighbours(self) -> tuple[Ints, ...]:
        """Return for every variant the places of those one step away."""
        shape = [len(axis.choices) for axis in self.axes] + [len(self.thresholds)]
        places = np.arange(len(self.variants)).reshape(shape)
        ordered = [axis.ordered for axis in self.axes] + [True]
        found: list[list[int]] = [[] for _ in self.variants]
        for at, is_ordered in enumerate(ordered):
            if is_ordered:
                along = np.moveaxis(places, at, 0)
                low, high = along[:-1].ravel(), along[1:].ravel()
                for one, other in zip(low.tolist(), high.tolist(), strict=True):
                    found[one].append(other)
                    found[other].append(one)
        return tuple(np.array(sorted(each), dtype=np.int64) for each in found)


def card_spaces(setup: Setup, search: SearchConfig) -> tuple[CardSpace, ...]:
    """Return the space of every card that research.json names, on a setup for history.

    All coins start from default.json and the cards' files: what a coin has adopted is what others may get,
    too. Raises `ConfigError` for a card or key that is not there, and for a value that the card would refuse.
    """
    setup = common_setup(setup)
    known = [card.name for card in setup.cards.cards]
    for name in search.cards:
        if name not in known:
            raise ConfigError(
                f'search.cards.{name} in research.json: no card "{name}"; {advice(name, known)}'
            )
    return tuple(card_space(setup, name, search) for name in search.cards)


def common_setup(setup: Setup) -> Setup:
    """Return the setup with the default parameters for every coin, without a calibration."""
    found = read_set(setup.home.parameters / f"{DEFAULT}.json")
    plain = replace(found, parameters=found.parameters._replace(calibration=()), cards={})
    return replace(setup, sets={asset.symbol: plain for asset in setup.registry.assets}, made={})


def card_space(setup: Setup, name: str, search: SearchConfig) -> CardSpace:
    """Return one card's space, on a common setup."""
    confidence_min = next(iter(setup.sets.values())).parameters.confidence_min
    alone = only_card(setup, name)
    texts = search.cards[name]
    axes = _axes(alone, name, texts)
    thresholds = tuple(search.confidence_min)
    card = next(card for card in alone.cards.cards if card.name == name)
    shipped = tuple(_value_at(card.model_dump(), axis.path) for axis in axes)
    variants = []
    for values in product(*(axis.choices for axis in axes)):
        apart = sum(here != there for here, there in zip(values, shipped, strict=True))
        for threshold in thresholds:
            other = 0 if threshold == confidence_min else 1
            variants.append(
                Variant(values=values, confidence_min=threshold, complexity=apart + other),
            )
    return CardSpace(
        card=name,
        setup=alone,
        axes=axes,
        variants=tuple(variants),
        thresholds=thresholds,
        shipped_values=shipped,
        confidence_min=confidence_min,
    )


def only_card(setup: Setup, name: str) -> Setup:
    """Return the neutral setup in which this card alone trades, whatever its status."""
    neutral = neutral_setup(setup)
    cards = tuple(
        card.model_copy(update={"status": "active" if card.name == name else "disabled"})
        for card in neutral.cards.cards
    )
    return replace(neutral, cards=Cards(cards=cards, faults=neutral.cards.faults), made={})


def variants_of(space: CardSpace) -> Variants | None:
    """Return what makes setups of the space's values; None where nothing but the threshold varies."""
    if not space.axes:
        return None
    return make_variants(space.setup, [axis.text for axis in space.axes], space.card)


def _axes(setup: Setup, name: str, texts: Sequence[str]) -> tuple[Axis, ...]:
    if not texts:
        return ()
    axes = make_variants(setup, texts, name).axes
    for axis in axes:
        if axis.document == RISK:
            raise ConfigError(
                f"search.cards.{name} in research.json: {axis.text}: only keys of the card vary"
            )
        if not axis.choices:
            raise ConfigError(
                f"search.cards.{name} in research.json: {axis.text}: write the values a,b,c or low:high:step"
            )
    return axes


def _value_at(fields: Any, path: Sequence[str | int]) -> Any:
    for step in path:
        if isinstance(fields, Mapping):
            fields = fields.get(str(step))
        elif isinstance(fields, list | tuple) and isinstance(step, int) and step < len(fields):
            fields = fields[step]
        else:
            return None
    return fields
