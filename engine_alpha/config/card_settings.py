"""How one coin's cards differ from their files: part of its parameter set, the same keys as in a sweep."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, field_validator, model_validator

from engine_alpha.config.cards import STATUSES, CardConfig, Cards
from engine_alpha.config.checking import OneOf, Problem, Strict, advice, check
from engine_alpha.config.key_paths import DESCRIPTIONS, Document, key_path, overlap
from engine_alpha.config.reading import KeyPath, dotted

CHANGES = "changes"


class CardSettings(Strict):
    """One card as this coin uses it."""

    status: Annotated[
        Annotated[str, OneOf(tuple(STATUSES))] | None, Field(description="Instead of the card's own.")
    ] = None
    changes: Annotated[
        dict[str, Any],
        Field(
            default_factory=dict,
            description="Keys of the card's file by their path, exits.stop.range for one, and their values.",
        ),
    ]

    @field_validator(CHANGES)
    @classmethod
    def _known_apart(cls, changes: dict[str, Any]) -> dict[str, Any]:
        paths: dict[str, KeyPath] = {}
        for text in changes:
            path = key_path(text)
            if path is None:
                raise ValueError(
                    f'"{text}" is no key; write for example exits.stop.range or entry[0].at_least'
                )
            if path[0] in DESCRIPTIONS:
                raise ValueError(f"{text} says what a card is, it is no parameter")
            if path == ("status",):
                raise ValueError("write status beside changes, not inside")
            for other, at in paths.items():
                if overlap(path, at):
                    raise ValueError(f"{text} changes what {other} changes, too; keep one of the two")
            paths[text] = path
        return changes

    @model_validator(mode="after")
    def _some(self) -> "CardSettings":
        if self.status is None and not self.changes:
            raise ValueError("changes nothing; give status, changes or both, or leave the card out")
        return self

    def taken(self, path: KeyPath) -> list[str]:
        """Return which of its settings decide the value at this path of the card."""
        found = [text for text in self.changes if overlap(path, key_path(text) or ())]
        return ["status"] if self.status is not None and path[0] == "status" else found


def own_cards(cards: Cards, own: Mapping[str, CardSettings]) -> tuple[Cards, tuple[Problem, ...]]:
    """Return the cards as a coin uses them, and what is wrong with its settings, by their paths.

    Asked first is who has the highest priority after the changes, then whose file comes first.
    """
    if not own:
        return cards, ()
    changed: dict[str, CardConfig] = {}
    problems: list[Problem] = []
    by_name = {card.name: card for card in cards.cards}
    for name, settings in own.items():
        if name not in by_name:
            problems.append(Problem((name,), f"no such card; {advice(name, by_name)}"))
            continue
        card, found = own_card(by_name[name], settings)
        changed[name] = card
        problems.extend(Problem((name, *each.path), each.message) for each in found)
    return cards.with_cards([changed.get(card.name, card) for card in cards.cards]), tuple(problems)


def own_card(card: CardConfig, settings: CardSettings) -> tuple[CardConfig, tuple[Problem, ...]]:
    """Return one card as a coin uses it, as it was where that can't be, and why not."""
    document = Document(name=card.name, model=CardConfig, fields=card.model_dump())
    paths = {text: key_path(text) or () for text in settings.changes}
    changes = [(path, settings.changes[text]) for text, path in paths.items()]
    if settings.status is not None:
        changes.append((("status",), settings.status))
    try:
        found, problems = check(CardConfig, document.changed(changes))
    except LookupError as fault:
        return card, (Problem((CHANGES,), str(fault.args[0])),)
    return found or card, tuple(_placed_problem(problem, paths) for problem in problems)


def _placed_problem(problem: Problem, paths: Mapping[str, KeyPath]) -> Problem:
    """Return a card's problem at the change that brought it about."""
    for text, path in paths.items():
        if overlap(path, problem.path):
            rest = problem.path[len(path) :]
            said = f"{dotted(rest)}: {problem.message}" if rest else problem.message
            return Problem((CHANGES, text), said)
    return Problem((CHANGES,), str(problem))
