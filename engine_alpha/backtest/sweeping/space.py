"""Which keys a sweep varies, with which values: parsed from a command line, checked before anything runs."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final, NoReturn

from engine_alpha.config.cards import CardConfig, CardRisk
from engine_alpha.config.checking import Problem, advice, shown
from engine_alpha.config.key_paths import DESCRIPTIONS, PATH, Document, key_path, overlap
from engine_alpha.config.reading import KeyPath, dotted
from engine_alpha.config.risk import RiskConfig
from engine_alpha.errors import ConfigError
from engine_alpha.plans.setup import Setup

RISK: Final = "risk"
MOST_VALUES: Final = 100_000

_KEY = re.compile(rf"(?:(?P<document>[a-z0-9][a-z0-9_-]*):)?(?P<path>{PATH})")
_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_RANGE = re.compile(rf"({_NUMBER}):({_NUMBER})(?::({_NUMBER}|log))?")
_CONSTANTS: Final = {"true": True, "false": False, "null": None}
_INSIDE: Final = 0.382  # between the ends of a span of whole numbers, and hardly ever one itself

Values = tuple[Any, ...]
"""One value per axis, in the order of the axes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """One varied key: values to choose from, or, where `choices` is empty, the numbers from `low` to `high`.

    `document` is a card's name, or "risk" for risk.json. `text` is what the person wrote. A span is sampled
    evenly, or with `log` evenly in its logarithm; `whole` says that only whole numbers will do.
    """

    text: str
    document: str
    path: KeyPath
    choices: tuple[Any, ...] = ()
    low: float = 0.0
    high: float = 0.0
    whole: bool = False
    log: bool = False

    @property
    def key(self) -> str:
        """Name the key with its document, for example momentum-long:exits.stop.range."""
        return f"{self.document}:{dotted(self.path)}"

    @property
    def ordered(self) -> bool:
        """Say whether neighbouring choices are alike: numbers, rising or falling."""
        numbers = [each for each in self.choices if isinstance(each, int | float) and each is not True]
        return len(numbers) == len(self.choices) and (numbers in (sorted(numbers), sorted(numbers)[::-1]))

    @property
    def samples(self) -> tuple[Any, ...]:
        """Return values that stand for all when they are checked: the choices, or both ends."""
        return self.choices or (self.low, self.high)


def documents_of(setup: Setup) -> dict[str, Document]:
    """Return what can be varied: risk.json and every card, by name."""
    found = {
        card.name: Document(name=card.name, model=CardConfig, fields=card.model_dump())
        for card in setup.cards.cards
    }
    return found | {RISK: Document(name=RISK, model=RiskConfig, fields=setup.risk.model_dump())}


def parse_axes(texts: Sequence[str], card: str | None, documents: Mapping[str, Document]) -> tuple[Axis, ...]:
    """Return the axes that `KEY=VALUES` texts describe; raise `ConfigError` that names the bad one.

    KEY is a path in a card ("exits.stop.range", "entry[0].at_least"; the card's name and a colon before it,
    or else `card`), or "risk:" and a key of risk.json. VALUES are `a,b,c`, or `low:high:step`, or a span
    `low:high` (`low:high:log`) to sample from. Every value is checked as the file with it would be.
    """
    if not texts:
        raise ConfigError("nothing is varied: give --vary KEY=VALUES, for example exits.stop.range=4:10:1")
    axes = [_parsed(text, card, documents) for text in texts]
    for place, axis in enumerate(axes):
        for other in axes[:place]:
            _require_apart(axis, other)
    _require_valid(axes, documents)
    return tuple(_as_whole(axis, documents[axis.document]) for axis in axes)


def changes_of(axes: Sequence[Axis], values: Values) -> dict[str, list[tuple[KeyPath, Any]]]:
    """Return the changes that values make, by document."""
    found: dict[str, list[tuple[KeyPath, Any]]] = {}
    for axis, value in zip(axes, values, strict=True):
        found.setdefault(axis.document, []).append((axis.path, value))
    return found


def _parsed(text: str, card: str | None, documents: Mapping[str, Document]) -> Axis:
    key, equals, values = text.partition("=")
    if not equals or not values.strip():
        _refuse(text, "write KEY=VALUES, for example exits.stop.range=4:10:1 or entry[0].at_least=0.3,0.5")
    document, path = _target(text, key.strip(), card, documents)
    if document != RISK and path[0] in DESCRIPTIONS:
        _refuse(text, f"{path[0]} says what a card is, it is no parameter")
    axis = Axis(text=text, document=document, path=path)
    found = _RANGE.fullmatch(values.strip())
    if found is None:
        return replace(axis, choices=_listed(text, values.strip()))
    low, high, step = found.groups()
    if Decimal(low) >= Decimal(high):
        _refuse(text, f"{low} is not below {high}")
    if step is None or step == "log":
        if step == "log" and Decimal(low) <= 0:
            _refuse(text, "a logarithmic span must begin above 0")
        return replace(axis, low=_number(low), high=_number(high), log=step == "log")
    return replace(axis, choices=_stepped(text, low, high, step))


def _target(text: str, key: str, card: str | None, documents: Mapping[str, Document]) -> tuple[str, KeyPath]:
    found = _KEY.fullmatch(key)
    path = None if found is None else key_path(found["path"])
    if found is None or path is None:
        _refuse(
            text, f'"{key}" is no key; write for example exits.stop.range, entry[0].at_least, risk:risk_frac'
        )
    named = found["document"]
    if named is None and path[0] == RISK and len(path) > 1 and (card is None or _of_risk_file(path[1])):
        named, path = RISK, path[1:]
    name = named or card
    if name is None:
        _refuse(text, f"of which card? Give --card NAME, or write NAME:{key}, or risk:KEY for risk.json")
    if name not in documents:
        cards = [each for each in documents if each != RISK]
        _refuse(text, f'no card "{name}" here; {advice(name, cards)}')
    return name, path


def _of_risk_file(key: str | int) -> bool:
    """Say whether a key after "risk." is meant for risk.json: a card's own part "risk" has other keys."""
    return key in RiskConfig.model_fields and key not in CardRisk.model_fields


def _number(text: str) -> Any:
    """Return a whole number as int: a key for whole numbers takes nothing else."""
    return int(text) if re.fullmatch(r"[+-]?\d+", text) else float(text)


def _stepped(text: str, low: str, high: str, step: str) -> tuple[Any, ...]:
    """Return low, low + step ... up to and with high, in decimals, so that 0.1 adds up to what is written."""
    first, last, width = Decimal(low), Decimal(high), Decimal(step)
    if width <= 0:
        _refuse(text, f"the step {step} is not above 0")
    if (last - first) / width >= MOST_VALUES:
        _refuse(text, f"more than {MOST_VALUES:,} values; take a wider step")
    count = int((last - first) / width) + 1
    exact = [first + width * place for place in range(count)]
    if all(re.fullmatch(r"[+-]?\d+", each) for each in (low, high, step)):
        return tuple(int(value) for value in exact)
    return tuple(float(value) for value in exact)


def _listed(text: str, values: str) -> tuple[Any, ...]:
    if values.startswith("["):
        try:
            found = json.loads(values, parse_constant=lambda word: _refuse(text, f"{word} is no number"))
        except json.JSONDecodeError as fault:
            _refuse(text, f"no JSON list: {fault}")
    else:
        found = [_value(each.strip()) for each in values.split(",")]
    if not found:
        _refuse(text, "the list is empty")
    for place, value in enumerate(found):
        if any(value == other and type(value) is type(other) for other in found[:place]):
            _refuse(text, f"{shown(value)} is named twice")
    return tuple(found)


def _value(word: str) -> Any:
    if word in _CONSTANTS:
        return _CONSTANTS[word]
    return _number(word) if re.fullmatch(_NUMBER, word) else word.strip('"')


def _require_apart(axis: Axis, other: Axis) -> None:
    if axis.document == other.document and overlap(axis.path, other.path):
        _refuse(axis.text, f"it varies what --vary {other.text} varies, too; keep one of the two")


def _require_valid(axes: Sequence[Axis], documents: Mapping[str, Document]) -> None:
    """Check every value of each axis while the others stand at their first."""
    for axis in axes:
        document = documents[axis.document]
        others = [
            (other.path, other.samples[0])
            for other in axes
            if other.document == axis.document and other is not axis
        ]
        for value in axis.samples:
            problems = _problems(axis, document, [*others, (axis.path, value)])
            if problems:
                _refuse(axis.text, f"with {axis.key} = {shown(value)}: {'; '.join(map(str, problems))}")


def _problems(axis: Axis, document: Document, changes: Sequence[tuple[KeyPath, Any]]) -> tuple[Problem, ...]:
    try:
        return document.problems(changes)
    except LookupError as fault:
        _refuse(axis.text, str(fault.args[0]))


def _as_whole(axis: Axis, document: Document) -> Axis:
    """Find out whether a span between whole numbers is one of whole numbers only: does the model say so?"""
    if axis.choices or not (isinstance(axis.low, int) and isinstance(axis.high, int)):
        return axis
    inside = axis.low + _INSIDE * (axis.high - axis.low)
    return replace(axis, whole=bool(document.problems([(axis.path, inside)])))


def _refuse(text: str, reason: str) -> NoReturn:
    raise ConfigError(f"--vary {text}: {reason}")
