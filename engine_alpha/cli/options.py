"""Options that many commands share, and what they chose."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from engine_alpha.home import VARIABLE, Home, find_home

Command = TypeVar("Command", bound=Callable[..., Any])

_HOME, _ACCOUNT, _JSON = "chloe.home", "chloe.account", "chloe.json"


def _keep_home(ctx: click.Context, _: click.Parameter, value: str | None) -> None:
    if value is not None:
        chosen = str(Path(value).expanduser().absolute())
        ctx.meta[_HOME] = chosen
        os.environ[VARIABLE] = chosen  # the functions of the spec look here


def _keep_account(ctx: click.Context, _: click.Parameter, value: str | None) -> None:
    if value is not None:
        ctx.meta[_ACCOUNT] = value


def _keep_json(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        ctx.meta[_JSON] = True


def home_option(command: Command) -> Command:
    """Give a command --home; before the command's name it means the same."""
    return click.option(
        "--home",
        metavar="DIR",
        expose_value=False,
        callback=_keep_home,
        help="Home folder. [default: $CHLOE_HOME, this folder, ~/.local/share/chloe]",
    )(command)


def account_option(command: Command) -> Command:
    """Give a command --account."""
    return click.option(
        "--account",
        metavar="NAME",
        expose_value=False,
        callback=_keep_account,
        help="Account in state/. [default: the only one, else the configured feed's]",
    )(command)


def json_option(command: Command) -> Command:
    """Give a command --json."""
    return click.option(
        "--json", is_flag=True, expose_value=False, callback=_keep_json, help="Print one JSON document."
    )(command)


def now_option(command: Command) -> Command:
    """Give a command --now."""
    return click.option("--now", metavar="ISO", help="As if it were this time.")(command)


def _keep_log_format(_ctx: click.Context, _: click.Parameter, value: str | None) -> None:
    if value is not None:
        from engine_alpha.loop.saying import FORMAT_VARIABLE

        os.environ[FORMAT_VARIABLE] = value


def log_format_option(command: Command) -> Command:
    """Give a command --log-format."""
    return click.option(
        "--log-format",
        type=click.Choice(("text", "json")),
        expose_value=False,
        callback=_keep_log_format,
        help="Log lines for people, or one JSON object each. [default: $CHLOE_LOG_FORMAT, text]",
    )(command)


def examples(*lines: str, title: str = "Examples:") -> str:
    """Return the end of a help text: examples, kept line by line."""
    return "\n".join(("\b", title, *(f"  {line}" for line in lines)))


def exit_codes(*own: str) -> str:
    """Return the last lines of a help text: what the exit codes of a command that reads an account mean."""
    usual = ("2 configuration or usage", "4 the journal can't be used", "the others: chloe -h")
    return "\n\n" + "\n".join(("\b", "Exit codes:", *(f"  {line}" for line in (*own, *usual))))


def given_home() -> str | None:
    """Return what --home named, None if it was not given."""
    found: str | None = click.get_current_context().meta.get(_HOME)
    return found


def given_account() -> str | None:
    """Return what --account named, None if it was not given."""
    found: str | None = click.get_current_context().meta.get(_ACCOUNT)
    return found


def wants_json() -> bool:
    """Say whether the output is for a program."""
    return bool(click.get_current_context().meta.get(_JSON, False))


def chosen_home() -> Home:
    """Return the home of this command; raise `ConfigError` if there is none."""
    return find_home(given_home())


def now_ms(now: str | None = None) -> int:
    """Return the time a command works at: the machine's, or what --now says."""
    import time

    if now is None:
        return time.time_ns() // 1_000_000
    from engine_alpha.times import parse_iso

    return parse_iso(now)
