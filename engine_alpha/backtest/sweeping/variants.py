"""The home's configuration with a sweep's values in it, and one fingerprint for each such configuration."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from engine_alpha.backtest.sweeping.space import (
    RISK,
    Axis,
    Values,
    changes_of,
    documents_of,
    parse_axes,
)
from engine_alpha.config.cards import CardConfig, Cards
from engine_alpha.config.checking import check
from engine_alpha.config.hashing import hash_config
from engine_alpha.config.key_paths import Document
from engine_alpha.config.parameters import hashed_parameters
from engine_alpha.config.reading import parse_members, read_source
from engine_alpha.config.risk import RiskConfig, shares_fault
from engine_alpha.errors import ConfigError
from engine_alpha.kernel.codes import ACTIVE
from engine_alpha.plans.setup import Setup


@dataclass(frozen=True, slots=True, kw_only=True)
class Variants:
    """A setup and the axes along which it is varied.

    `digests` are those of the documents as they are, `rest` of all else that decides: a variant's fingerprint
    needs only what it changes.
    """

    setup: Setup
    axes: tuple[Axis, ...]
    documents: Mapping[str, Document] = field(repr=False)
    files: tuple[str, ...]  # card names in the order of their files
    digests: Mapping[str, str] = field(repr=False)
    rest: str

    def setup_of(self, values: Values) -> Setup:
        """Return the configuration with these values; raise `ConfigError` where they do not go together."""
        cards, risk = self._changed(values)
        return replace(self.setup, cards=cards, risk=risk, made={})

    def fingerprint(self, values: Values) -> str:
        """Return a hash of all configuration that decides, the same however the values were come by.

        What only describes a card does not count, nor does a card that is disabled. Raises `ConfigError`.
        """
        cards, risk = self._changed(values)
        touched = {axis.document for axis in self.axes}
        parts = {
            "rest": self.rest,
            "risk": _digest(risk) if RISK in touched else self.digests[RISK],
            "cards": [
                _digest(card) if card.name in touched else self.digests[card.name]
                for card in cards.cards
                if card.status != "disabled"
            ],
        }
        return hash_config(parts)

    def named(self, values: Values) -> dict[str, Any]:
        """Return the values by their keys."""
        return {axis.key: value for axis, value in zip(self.axes, values, strict=True)}

    def _changed(self, values: Values) -> tuple[Cards, RiskConfig]:
        risk, changed = self.setup.risk, dict[str, CardConfig]()
        for name, changes in changes_of(self.axes, values).items():
            document = self.documents[name]
            if name == RISK:
                risk = _model(RiskConfig, document, changes)
            else:
                changed[name] = _model(CardConfig, document, changes)
        if risk is not self.setup.risk:
            fault = shares_fault(risk, self.setup.enabled)
            if fault is not None:
                raise ConfigError(fault)
        cards = [changed.get(card.name, card) for card in self.setup.cards.cards]
        cards.sort(key=lambda card: (-card.scope.priority, self.files.index(card.name)))
        return replace(self.setup.cards, cards=tuple(cards)), risk


def make_variants(
    setup: Setup, texts: Sequence[str], card: str | None = None, folder: Path | None = None
) -> Variants:
    """Return the variants that `KEY=VALUES` texts describe (see `parse_axes`), on a setup for history.

    `folder` is where its cards were read from, None for the home's. Raises `ConfigError`, before anything
    runs, for a bad key or value and for a card that would never trade.
    """
    documents = documents_of(setup)
    axes = parse_axes(texts, card, documents)
    digests = {card.name: _digest(card) for card in setup.cards.cards} | {RISK: _digest(setup.risk)}
    found = Variants(
        setup=replace(setup, made={}),
        axes=axes,
        documents=documents,
        files=_file_order(setup, folder or setup.home.cards),
        digests=digests,
        rest=_rest(setup),
    )
    _require_no_own(found)
    _require_a_part(found)
    return found


def _model(model: Any, document: Document, changes: Sequence[tuple[Any, Any]]) -> Any:
    found, problems = check(model, document.changed(changes))
    if found is None:
        raise ConfigError(f"{document.name}: {'; '.join(map(str, problems))}")
    return found


def _digest(document: CardConfig | RiskConfig) -> str:
    if isinstance(document, CardConfig):
        document = document.model_copy(update={"rationale": "", "source": ""})
    return hash_config({"document": document})


def _rest(setup: Setup) -> str:
    """Return a hash of what decides besides cards and risk.json: registry, contracts, parameter sets."""
    parts: dict[str, list[Any]] = {}
    for asset in setup.enabled:
        plan = setup.plan(asset)
        parameters = hashed_parameters(plan.rules.parameters)
        own = setup.set_of(asset.symbol).cards
        parts[asset.symbol] = [asset, plan.instrument, plan.parameters_version, parameters]
        if own:  # without any no hash is other than before there were some
            parts[asset.symbol].append(own)
    return hash_config(parts)


def _file_order(setup: Setup, folder: Path) -> tuple[str, ...]:
    """Return the cards' names by file name: that is how cards of one priority are asked."""
    files = _files_by_card(folder)
    return tuple(sorted((card.name for card in setup.cards.cards), key=lambda name: files.get(name, name)))


def _files_by_card(folder: Path) -> dict[str, str]:
    found = {}
    for path in folder.glob("*.json"):
        source = read_source(path)
        try:
            value = parse_members(source.text, source.name)
        except ConfigError:
            continue  # a broken card is a fault of the setup already
        if isinstance(value, dict) and isinstance(value.get("name"), str):
            found[value["name"]] = path.name
    return found


def _require_a_part(variants: Variants) -> None:
    """Refuse to vary a card that trades nothing here whatever its values: the sweep would measure nothing."""
    setup = variants.setup
    first = variants.setup_of(tuple(axis.samples[0] for axis in variants.axes))
    applying, trading = set[str](), set[str]()
    for asset in setup.enabled:
        book = first.playbook(asset, setup.set_of(asset.symbol))
        applying.update(book.names)
        trading.update(
            name for name, card in zip(book.names, book.cards, strict=True) if card.status == ACTIVE
        )
    status = {card.name: card.status for card in first.cards.cards}
    varied = {axis.document: axis for axis in variants.axes if axis.document != RISK}
    for name, axis in varied.items():
        if any(other.document == name and other.path[0] in ("status", "scope") for other in variants.axes):
            continue
        if status[name] != "active" and name not in trading:
            raise ConfigError(
                f"--vary {axis.text}: the card {name} is {status[name]}, it would not trade; "
                f"add --vary {name}:status=active"
            )
        if name not in applying:
            raise ConfigError(
                f"--vary {axis.text}: the scope of {name} holds none of these coins and timeframes"
            )


def _require_no_own(variants: Variants) -> None:
    """Refuse to vary what a coin has its own value of: that one would stand."""
    for asset in variants.setup.enabled:
        own = variants.setup.set_of(asset.symbol)
        for axis in variants.axes:
            settings = own.cards.get(axis.document)
            taken = [] if settings is None else settings.taken(axis.path)
            if taken:
                raise ConfigError(
                    f"--vary {axis.text}: {asset.symbol} has its own {taken[0]} of {axis.document} "
                    f"(parameters {own.version}), which would stand; leave it out of --symbols, or take "
                    f"the key out of config/parameters/{asset.symbol}.json"
                )
