"""What a shell is offered for the values of a command: coins, accounts, feeds, folders; without NumPy."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import click
from click.shell_completion import CompletionItem

from engine_alpha.cli.lazy import COMPLETING
from engine_alpha.config.reading import parse_members, read_source
from engine_alpha.errors import ConfigError
from engine_alpha.home import Home, current_home

FEED_NAMES = ("embedded", "venue", "files")
VENUE_NAMES = ("bybit", "binance")


class Offered(click.types.StringParamType):
    """A text for which there are values to offer; any other is taken, too."""

    def __init__(self, offered: Callable[[Home], Iterable[str]], listed: bool = False) -> None:
        self._offered, self._listed = offered, listed

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Return the values that begin so, none without a home; of a list the last one is completed."""
        try:
            offered = list(self._offered(current_home()))
        except (ConfigError, OSError):
            return []
        before, comma, last = incomplete.rpartition(",") if self._listed else ("", "", incomplete)
        begun = last.upper() if last.islower() else last
        return [
            CompletionItem(f"{before}{comma}{value}")
            for value in offered
            if value.startswith(last) or value.startswith(begun)
        ]


def symbols(home: Home) -> list[str]:
    """Return the registry's symbols in its order, broken entries too."""
    source = read_source(home.registry)
    found = parse_members(source.text, source.name)
    return [name for name in found if name != "$schema"] if isinstance(found, dict) else []


def accounts(home: Home) -> list[str]:
    """Return the accounts that have a journal, rehearsals last."""
    found = [path.parent.name for path in home.state.glob("*/journal.sqlite")]
    return sorted(found, key=lambda name: (name.startswith("rehearse-"), name))


def nights(home: Home) -> list[str]:
    """Return the nights of research, the last one first."""
    found = [path.parent.name for path in home.reports.glob("research/*/night.json")]
    return sorted(found, reverse=True)


_BY_NAME: dict[str, Callable[[], click.ParamType[Any]]] = {
    "symbol": lambda: Offered(symbols),
    "symbols": lambda: Offered(symbols, listed=True),
    "account": lambda: Offered(accounts),
    "feed": lambda: Offered(lambda _: FEED_NAMES),
    "venue": lambda: Offered(lambda _: VENUE_NAMES),
    "night": lambda: Offered(nights),
    "home": lambda: click.Path(file_okay=False),
    "data": lambda: click.Path(file_okay=False),
    "file": click.Path,
    "target": click.Path,
    "folder": click.Path,
}


def offering(command: click.Command) -> click.Command:
    """Give a command's plain texts what they offer; only while a shell asks."""
    for param in command.params:
        plain = type(param.type) is click.types.StringParamType
        if plain and param.name in _BY_NAME:
            param.type = _BY_NAME[param.name]()
        elif plain and command.name == "feed" and param.name == "name":
            param.type = Offered(lambda _: FEED_NAMES)
    return command


def names_of(lazy: dict[str, tuple[str, str]], incomplete: str) -> list[CompletionItem]:
    """Return the commands that begin so, without loading any of them."""
    return [
        CompletionItem(name, help=text) for name, (_, text) in lazy.items() if name.startswith(incomplete)
    ]


def script(group: click.Group, shell: str) -> str:
    """Return the script that makes a shell ask `chloe` for completions."""
    made: Any = click.shell_completion.get_completion_class(shell)
    return str(click.shell_completion.ShellComplete.source(made(group, {}, "chloe", COMPLETING)))
