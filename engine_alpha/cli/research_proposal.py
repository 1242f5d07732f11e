"""Whether a proposal may be adopted still, and what that would change."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from engine_alpha.config.assets import known_symbols, read_registry
from engine_alpha.config.cards import Cards, read_cards
from engine_alpha.config.instruments import known_contracts
from engine_alpha.config.key_paths import key_path
from engine_alpha.config.parameters import DEFAULT, KERNEL, own_file, read_config
from engine_alpha.errors import ConfigError
from engine_alpha.home import Home
from engine_alpha.reports.research import test_title, value_words
from engine_alpha.research.documents import deciding_sha256, sha256_of

OWN: Final = ("confidence_min", "calibration", "cards", "version", "previous", "adopted")
"""What a proposal sets, or what tells versions apart: the rest is that of the default set."""
LINEAGE: Final = ("version", "previous", "adopted")

Fields = Mapping[str, Any]


def require_adoptable(home: Home, document: Fields) -> None:
    """Raise `ConfigError` with every reason why a coin's document can't be adopted now."""
    amiss = [*_unfit(document)]
    if not amiss:
        amiss = [*_outdated(home, document)]
    if amiss:
        raise ConfigError(
            f"the proposal for {document['symbol']} of {document['night']} can't be adopted: "
            f"{'; '.join(amiss)}"
        )


def _unfit(document: Fields) -> Iterator[str]:
    """Yield what is wrong with the document itself."""
    if document.get("sha256") != sha256_of(dict(document)):
        yield "its file was changed after it was written: run that night again"
    elif document["fault"] is not None:
        yield f"the coin could not be looked at: {document['fault']}"
    elif not document["passes"] or document["parameters"] is None:
        failed = [test_title(test["name"]) for test in document["tests"] if not test["passed"]]
        told = f" ({', '.join(failed)})" if failed else ""
        yield f"it does not pass{told}: chloe research show {document['symbol']} says why"


def _outdated(home: Home, document: Fields) -> Iterator[str]:
    """Yield what is no longer as the night saw it."""
    again = "run another night: chloe research run"
    kernel = document["parameters"].get("kernel")
    if kernel != KERNEL:
        yield f"it is of another kernel ({kernel}, this is {KERNEL}), its numbers mean other things: {again}"
        return
    default = read_config(home.parameters / f"{DEFAULT}.json").model_dump(mode="json")
    for name in default:
        if name not in OWN and document["parameters"].get(name) != default[name]:
            yield f"{name} of {DEFAULT}.json was changed since: {again}"
    found = _read(home)
    cards = _fields(found)
    changes = [
        told
        for card in document["cards"]
        for told in _changed(card, cards.get(card["card"]), default["confidence_min"], again)
    ]
    yield from changes
    if not changes and document["decides"] != deciding_sha256(found):
        yield f"cards or the code that decides are not those of that night: {again}"


def _read(home: Home) -> Cards:
    known = known_symbols(read_registry(home.registry), known_contracts(home.instruments))
    return read_cards(home.cards, known)


def _fields(cards: Cards) -> dict[str, Fields]:
    return {card.name: card.model_dump(mode="json") for card in cards.cards}


def _changed(card: Fields, now: Fields | None, confidence_min: float, again: str) -> Iterator[str]:
    if now is None:
        yield f"the card {card['card']} is not there any more: {again}"
        return
    for key, then in card["now"].items():
        value = confidence_min if key == "confidence_min" else value_at(now, key)
        if value != then:
            yield (
                f"{key} of {card['card']} was {value_words(then)} that night, it is {value_words(value)} "
                f"now: {again}"
            )


def value_at(fields: Any, key: str) -> Any:
    """Return what stands at a key written as for --vary; None for nothing."""
    for step in key_path(key) or ():
        if isinstance(step, int):
            fields = fields[step] if isinstance(fields, Sequence) and step < len(fields) else None
        else:
            fields = fields.get(step) if isinstance(fields, Mapping) else None
    return fields


def set_changes(home: Home, symbol: str, wanted: Fields) -> list[str]:
    """Return how a set differs from what the coin trades by now, a line a key.

    Where a set says nothing of a card's key, the card's file does.
    """
    own = own_file(home.parameters, symbol)
    path = own if own.exists() else home.parameters / f"{DEFAULT}.json"
    now = read_config(path).model_dump(mode="json")
    cards = _fields(_read(home))
    keys = [(name, key) for name in cards for key in {**_given(wanted, name), **_given(now, name)}]
    old, new = (
        dict(_flat("", _plain(fields))) | dict(_used(cards, keys, fields)) for fields in (now, wanted)
    )
    return [f"{key}: {old[key]} → {new[key]}" for key in new if old[key] != new[key]]


def _plain(fields: Fields) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if name not in (*LINEAGE, "cards")}


def _given(fields: Fields, card: str) -> Fields:
    """Return what a set changes of a card's keys."""
    found: Fields = fields["cards"].get(card, {}).get("changes", {})
    return found


def _used(
    cards: Mapping[str, Fields], keys: Sequence[tuple[str, str]], fields: Fields
) -> Iterator[tuple[str, str]]:
    """Yield how a set uses each card: its status, and the values of these keys."""
    for name, card in cards.items():
        yield f"{name}: status", fields["cards"].get(name, {}).get("status") or card["status"]
    for name, key in keys:
        given = _given(fields, name)
        yield f"{name}: {key}", value_words(given[key] if key in given else value_at(cards[name], key))


def _flat(key: str, value: Any) -> Iterator[tuple[str, str]]:
    """Yield each value with its key, in words; rows of numbers are one value."""
    if isinstance(value, Mapping):
        for name, each in value.items():
            yield from _flat(f"{key}.{name}" if key else name, each)
    elif isinstance(value, list):
        yield key, _rows_words(value)
    else:
        yield key, value_words(value)


def _rows_words(rows: Sequence[Any]) -> str:
    if not rows:
        return "none"
    if isinstance(rows[0], list):
        return ", ".join(f"{row[0]:.3g} is {row[1]:.3g}" for row in rows)
    return ", ".join(map(value_words, rows))
