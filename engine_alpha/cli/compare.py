"""`chloe compare`: an account's period beside a backtest of the same period."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from engine_alpha.cli.accounts import Account, choose_account, reading
from engine_alpha.cli.extras import extra_asked_for
from engine_alpha.cli.options import (
    account_option,
    chosen_home,
    examples,
    home_option,
    json_option,
    wants_json,
)
from engine_alpha.cli.output import show, show_json
from engine_alpha.cli.progress import progress_shown
from engine_alpha.cli.verify import FILES, span_of, stored_prices
from engine_alpha.errors import ConfigError

if TYPE_CHECKING:
    from engine_alpha.backtest.compare import Comparison
    from engine_alpha.backtest.verifying.comparing import Side
    from engine_alpha.plans.history import History

VENUE = "venue "  # how the source of a decision on a venue's prices begins


@click.command(
    epilog=examples(
        "chloe compare --account paper --data candles/",
        "chloe compare --account paper --from 2025-11-01 --to 2025-12-01",
        "chloe compare --account paper --json | jq '.parts[] | {cause, gap_quote}'",
    )
)
@click.option("--data", metavar="DIR", help="Folder of stored bars. [default: files.data of engine.json]")
@click.option("--venue", metavar="V", help="Whose bars there. [default: the account's]")
@click.option("--from", "first", metavar="ISO", help="Only bars that open at or after this, UTC.")
@click.option("--to", "end", metavar="ISO", help="Only bars that open before this, UTC.")
@account_option
@home_option
@json_option
def compare(data: str | None, venue: str | None, first: str | None, end: str | None) -> None:
    """Split the gap between what an account earned and what a backtest of that period earns, by cause.

    The backtest starts with a fresh account on the home's configuration as it is now. Positions still open
    at the end count at their last close on both sides. The parts add up to the gap exactly.
    """
    account = choose_account(chosen_home())
    if account.simulated:
        raise ConfigError(
            f"account {account.name} ran on computed prices, which no backtest reads: use chloe verify"
        )
    side = _side(account, first, end)
    wanted = _history(account, side, data, venue)
    found = _compared(account, side, wanted)
    fields = {**account.fields(), **_fields(found), "from_ms": wanted.from_ms, "to_ms": wanted.to_ms}
    if wants_json():
        show_json({**fields, "data": str(wanted.data), "venue": wanted.venue})
    else:
        _show(account, wanted, fields)


def _side(account: Account, first: str | None, end: str | None) -> Side:
    with extra_asked_for():
        from engine_alpha.backtest.verifying.comparing import side_of

    with reading(account) as journal:
        side = side_of(journal, span_of(first, end))
    if not side.notes:
        raise ConfigError(f"no decision of account {account.name} is on a bar of that span")
    return side


def _history(account: Account, side: Side, data: str | None, venue: str | None) -> History:
    from engine_alpha.config.engine import read_engine
    from engine_alpha.plans.history import History

    folder = read_engine(account.home.engine).data_folder(account.home.path)
    return History(
        data=folder if data is None else Path(data).expanduser(),
        venue=venue or _only_venue(side),
        symbols=tuple(side.symbols),
        from_ms=side.from_ms,
        to_ms=side.to_ms,
    )


def _only_venue(side: Side) -> str:
    """Return the venue whose prices the account ran on; raise `ConfigError` if there are several."""
    named = {
        source.removeprefix(FILES).removeprefix(VENUE)
        for source in side.sources
        if source.startswith((FILES, VENUE))
    }
    found = sorted(named or side.venues)
    if len(found) > 1:
        raise ConfigError(f"the account ran on prices of {', '.join(found)}: choose one with --venue")
    return found[0]


def _compared(account: Account, side: Side, wanted: History) -> Comparison:
    from engine_alpha.backtest.compare import compare as split_gap
    from engine_alpha.backtest.verify import Sources
    from engine_alpha.backtest.verifying.comparing import Clues
    from engine_alpha.backtest.verifying.comparing_backtest import backtest_trips
    from engine_alpha.loop.live_step import reading_at_settlement
    from engine_alpha.plans.history import history_setup

    feed = stored_prices(wanted.data, wanted.venue)
    with progress_shown("backtesting the same period", "instants") as progress:
        trips = backtest_trips(account.home, wanted, progress)
    setup = history_setup(account.home, wanted)
    sources = Sources(setup=setup, feed=feed, at_settlement=reading_at_settlement)
    with asyncio.Runner() as loop:
        return split_gap(side.trips, trips, Clues(side, sources, loop).blame)


def _fields(found: Comparison) -> dict[str, Any]:
    return {
        "account_quote": float(found.account),
        "backtest_quote": float(found.backtest),
        "gap_quote": float(found.gap),
        "account_trades": found.account_trades,
        "backtest_trades": found.backtest_trades,
        "matched": found.matched,
        "parts": [
            {"cause": part.cause, "gap_quote": part.gap_quote, "trades": part.trades} for part in found.parts
        ],
        "shares": [
            {
                "symbol": share.symbol,
                "side": share.side,
                "entry_ms": share.entry_ms,
                "cause": share.cause,
                "gap_quote": share.gap_quote,
            }
            for share in found.shares
        ],
    }


def _show(account: Account, wanted: History, fields: dict[str, Any]) -> None:
    from engine_alpha.reports.comparison import headline, parts_table, shares_table, totals_lines

    prices = f"{wanted.venue} bars from {wanted.data}"
    show(account.first_line(), "", headline(fields, prices), "", *totals_lines(fields))
    if not fields["parts"]:
        show("", "no gap: both sides made the same trades at the same prices")
        return
    show("", parts_table(fields["parts"], fields["gap_quote"]))
    largest = shares_table(fields["shares"])
    if largest.rows:
        show("", "the trades that most of it comes from:", "", largest)
