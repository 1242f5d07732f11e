"""Options that say which history to play, and what they chose."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from engine_alpha.cli.options import Command

if TYPE_CHECKING:
    from engine_alpha.plans.history import History


def history_options(required: bool = True) -> Callable[[Command], Command]:
    """Give a command --data, --venue, --symbols, --from and --to."""
    chosen = (
        click.option("--data", required=required, metavar="DIR", help="Folder of stored bars."),
        click.option("--venue", required=required, help="Whose bars: BINANCEUM, BYBIT or BINANCE."),
        click.option(
            "--symbols",
            required=required,
            metavar="A,B",
            help="Coins, whether the registry enables them or not.",
        ),
        click.option(
            "--from", "first", required=required, metavar="ISO", help="Bars that open at or after this, UTC."
        ),
        click.option(
            "--to", "end", required=required, metavar="ISO", help="Bars that open before this, UTC."
        ),
    )

    def decorated(command: Command) -> Command:
        for option in reversed(chosen):
            command = option(command)
        return command

    return decorated


def asked_history(given: Mapping[str, Any]) -> History:
    """Return the history that the options name; raise `UsageError` or `ConfigError` for what names none."""
    from engine_alpha.plans.history import History
    from engine_alpha.times import parse_iso

    symbols = tuple(dict.fromkeys(name.strip() for name in given["symbols"].split(",") if name.strip()))
    if not symbols:
        raise click.UsageError("--symbols names no coin; write for example --symbols ETHUSDT,BTCUSDT")
    return History(
        data=Path(given["data"]).expanduser(),
        venue=given["venue"],
        symbols=symbols,
        from_ms=parse_iso(given["first"]),
        to_ms=parse_iso(given["end"]),
    )
