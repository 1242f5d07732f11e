"""The `chloe` command itself: its commands by name, and what becomes of whatever they raise."""

import os
import sys
import traceback
from typing import Any

import click

from engine_alpha import __version__
from engine_alpha.cli.lazy import LazyGroup
from engine_alpha.cli.options import account_option, examples, home_option
from engine_alpha.errors import ChloeError

INTERRUPTED, NO_READER, BUG = 130, 141, 1

COMMANDS = {
    "init": ("init:init", "Write a fresh home: configuration for paper trading."),
    "feed": ("feed:feed", "Show or choose where prices come from."),
    "assets": ("assets:assets", "Coins: list, enable, disable, add."),
    "run": ("run:run", "Step every enabled asset at each of its closes, until stopped."),
    "tick": ("tick:tick", "Step every enabled asset once, as the runner does."),
    "status": ("status:status", "One screen: assets, positions, money, what blocks entries."),
    "positions": ("positions:positions", "Open positions of every account that trades."),
    "pf": ("pf:pf", "Profit factor with its uncertainty, by asset, card or regime."),
    "why": ("why:why", "Explain a decision from its record, or what kept a coin from trading."),
    "trades": ("trades:trades", "Closed trades, as table, CSV or JSON."),
    "halt": ("halting:halt", "Stop entries; exits go on."),
    "resume": ("halting:resume", "Let entries through again."),
    "flatten": ("flatten:flatten", "Close positions at market, with the next tick."),
    "live": ("live:live", "Real orders: arm, disarm, status."),
    "reconcile": (
        "reconcile:reconcile",
        "Our books beside the venue's: what stands, what is frozen and why.",
    ),
    "journal": ("journal:journal", "Export the journal, check that it is sound."),
    "cards": ("cards:cards", "Strategy cards: list, check."),
    "instruments": ("instruments:instruments", "Trading rules of the venues: list, diff, refresh."),
    "data": ("data:data", "Stored candles: import, download, check, list."),
    "report": ("report:report", "Draw an account's trades, equity and blocked entries as one page."),
    "rehearse": ("rehearse:rehearse", "Play stored history through the steps of paper trading."),
    "backtest": ("backtest:backtest", "Play stored history through the live engine's decisions, compiled."),
    "sweep": ("sweep:sweep", "Try many values of card and risk parameters, every try counted."),
    "research": ("research:research", "By night, look for what each coin's prices prove; adopt, go back."),
    "audit": ("audit:audit", "May a coin trade, for real too? What do its trades prove, what is missing?"),
    "verify": ("verify:verify", "Decide a journal again from stored bars, name every difference."),
    "compare": ("compare:compare", "Split the gap between an account and a backtest by cause."),
    "alerts": ("alerts:alerts", "Alerts to people: test the targets, what was told lately."),
    "service": ("service:service", "Hand the engine to systemd: install, uninstall, status."),
    "logs": ("logs:logs", "What the engine says: the service's log, or its journals' events."),
    "backup": ("backup:backup", "Configuration and all accounts in one file, while the engine runs."),
    "restore": ("backup:restore", "Put a backup in place; what was there moves aside."),
    "doctor": ("doctor:doctor", "Clock, disk, database, configuration, prices: is all in order?"),
    "completion": ("completion:completion", "Teach bash, zsh or fish the commands, coins and accounts."),
    "version": ("version:version", "Versions of Chloe and of what it stands on."),
}


class Root(LazyGroup):
    """Turns a command's errors into one line and an exit code, and its return value into an exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command and leave with 0, or with the code it returned."""
        try:
            code = super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except BrokenPipeError:
            code = NO_READER
        except KeyboardInterrupt:
            click.echo(err=True)
            code = INTERRUPTED
        except Exception as fault:
            code = _said(fault)
        ctx.exit(code if isinstance(code, int) else 0)


def _said(fault: Exception) -> int:
    """Say what went wrong and return the exit code; a traceback only for bugs and only on request."""
    if isinstance(fault, ChloeError):
        from engine_alpha.loop.saying import complain

        return complain(fault)
    if os.environ.get("CHLOE_DEBUG") == "1":
        traceback.print_exception(fault)
    else:
        words = " ".join(f"{type(fault).__name__}: {fault}".split())
        sys.stderr.write(
            f"chloe: {words}; this is a bug in Chloe, please report it (CHLOE_DEBUG=1 shows where it is)\n"
        )
    return BUG


@click.group(
    cls=Root,
    lazy=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=examples(
        "chloe tick                   one step of every enabled asset, on paper",
        "chloe status                 what is held, what blocks entries, what was earned",
        "chloe why ETHUSDT            why it did what it did on its last bar",
        "chloe feed venue             real prices instead of simulated ones",
        "chloe --home ~/second tick   another home",
        title="Examples, once `chloe init` has made a home:",
    )
    + "\n\n\b\nExit codes: 0 done; 1 a bug; 2 configuration or usage; 3 some assets refused or failed;\n"
    "4 failed, or the journal can't be used; 5 another runner holds the account's lock.",
)
@home_option
@account_option
@click.version_option(__version__, message="chloe %(version)s")
def chloe() -> None:
    """Chloe, a crypto trading engine: closed candle in, decision out, order placed, profit factor kept.

    Paper trading by default. -h after any command shows its options and examples.
    """
