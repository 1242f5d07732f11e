"""`chloe cards`: the strategy cards, listed and checked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from engine_alpha.cli.lazy import LazyGroup
from engine_alpha.cli.options import chosen_home, examples, home_option, json_option, wants_json
from engine_alpha.cli.output import show, show_json
from engine_alpha.errors import ConfigError
from engine_alpha.home import Home
from engine_alpha.loop.saying import CONFIG_CODE

if TYPE_CHECKING:
    from engine_alpha.config.assets import AssetConfig, Registry
    from engine_alpha.config.cards import Cards
    from engine_alpha.config.parameters import ParameterSet


@click.group(
    cls=LazyGroup,
    invoke_without_command=True,
    epilog=examples("chloe cards          the list", "chloe cards check    after editing one"),
)
@home_option
@json_option
@click.pass_context
def cards(ctx: click.Context) -> int | None:
    """Strategy cards: the files in config/cards that say when to enter, where to leave, how much to risk."""
    return ctx.invoke(list_cards) if ctx.invoked_subcommand is None else None


@cards.command("list", epilog=examples("chloe cards list", "chloe cards list --json | jq '.cards[].name'"))
@home_option
@json_option
def list_cards() -> int:
    """List all cards in the order they are asked; exit code 2 if one is broken.

    Below stands which coins use a card otherwise than its file says.
    """
    home = chosen_home()
    found, registry = _read(home)
    own, wrong = _own(home, found, registry)
    faults = [str(fault) for fault in found.faults] + wrong
    if wants_json():
        coins = {symbol: _own_fields(each) for symbol, each in own.items()}
        show_json({"cards": [_fields(card) for card in found.cards], "own": coins, "faults": faults})
    else:
        from engine_alpha.reports.playbook import cards_table, own_lines

        show(cards_table([_fields(card) for card in found.cards]))
        show(*own_lines({symbol: _own_fields(each) for symbol, each in own.items()}))
        show(*([""] if faults else []), *(f"broken: {fault}" for fault in faults))
    return CONFIG_CODE if faults else 0


@cards.command(epilog=examples("chloe cards check", "chloe cards check --json"))
@home_option
@json_option
def check() -> int:
    """Check every card file, and say which regimes of which coins no active card covers.

    Exit code 2 if a file is broken: the coins it names refuse then, and are stepped close-only.
    """
    home = chosen_home()
    found, registry = _read(home)
    _, wrong = _own(home, found, registry)
    faults = [str(fault) for fault in found.faults] + wrong
    uncovered = {asset.symbol: uncovered_regimes(home, found, asset) for asset in registry.assets}
    if wants_json():
        show_json({"cards": len(found.cards), "faults": faults, "uncovered": uncovered})
    else:
        from engine_alpha.reports.playbook import uncovered_lines
        from engine_alpha.reports.words import count

        broken = len({fault.file for fault in found.faults})
        show(f"{count(len(found.cards), 'card')} good, {broken} broken", *faults)
        show(*uncovered_lines(uncovered, len(registry.assets)))
    return CONFIG_CODE if faults else 0


def uncovered_regimes(home: Home, found: Cards, asset: AssetConfig) -> list[str]:
    """Return the regimes in which the coin may enter and no active card would."""
    from engine_alpha.config.card_settings import own_cards
    from engine_alpha.config.cards import playbook_of
    from engine_alpha.config.parameters import adopted_set
    from engine_alpha.kernel.codes import ACTIVE, REGIMES

    try:
        own = adopted_set(home.parameters, asset.symbol)
    except ConfigError:
        return list(REGIMES)
    allowed = own.parameters.regimes_allowed
    changed, problems = own_cards(found, own.cards)
    covered = 0
    for card in () if problems else playbook_of(changed, asset).cards:
        covered |= card.regimes if card.status == ACTIVE else 0
    return [name for code, name in enumerate(REGIMES) if allowed & ~covered & (1 << code)]


def _read(home: Home) -> tuple[Cards, Registry]:
    from engine_alpha.config.assets import known_symbols, read_registry
    from engine_alpha.config.cards import read_cards
    from engine_alpha.config.instruments import known_contracts

    registry = read_registry(home.registry)
    known = known_symbols(registry, known_contracts(home.instruments))
    return read_cards(home.cards, known), registry


def _own(home: Home, found: Cards, registry: Registry) -> tuple[dict[str, ParameterSet], list[str]]:
    """Return the sets of coins that use cards otherwise than their files say, and what is wrong with them."""
    from engine_alpha.config.card_settings import own_cards
    from engine_alpha.config.parameters import adopted_set

    own: dict[str, ParameterSet] = {}
    wrong: dict[str, None] = {}
    for asset in registry.assets:
        try:
            adopted = adopted_set(home.parameters, asset.symbol)
        except ConfigError:
            continue  # chloe doctor says so; it is no matter of cards
        if adopted.cards:
            own[asset.symbol] = adopted
            problems = own_cards(found, adopted.cards)[1]
            wrong.update(dict.fromkeys(str(adopted.fault(problems)).splitlines()) if problems else {})
    return own, list(wrong)


def _own_fields(adopted: ParameterSet) -> dict[str, Any]:
    cards = {name: settings.model_dump(exclude_none=True) for name, settings in adopted.cards.items()}
    return {"parameters": adopted.version, "cards": cards}


def _fields(card: Any) -> dict[str, Any]:
    fields: dict[str, Any] = card.model_dump()
    return fields
