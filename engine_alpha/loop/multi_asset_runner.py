"""Run one tick of every enabled asset: `python3 -m engine_alpha.loop.multi_asset_runner`."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

from engine_alpha.environment import require_environment
from engine_alpha.loop import wiring
from engine_alpha.loop.saying import FORMAT_VARIABLE, LOG_FORMATS

if TYPE_CHECKING:
    from engine_alpha.loop.tick import TickReport

EPILOG = """exit codes: 0 all stepped; 2 configuration; 3 some assets failed or were refused;
4 all failed, or the journal can't be used; 5 another runner holds the account's lock"""


def run_all_live_symbols() -> TickReport:
    """Run one tick of the current home: `run_step_live` for each enabled asset, in the registry's order.

    One asset's error is logged and journalled and leaves the others untouched. Raises `ConfigError`,
    `LockHeld`, `JournalError` or `BrokenPromise` for what stops all of them.
    """
    return wiring.run_tick()


def main(arguments: list[str] | None = None) -> int:
    """Run one tick from the command line and return the exit code."""
    require_environment()
    parser = argparse.ArgumentParser(prog="multi_asset_runner", description=__doc__, epilog=EPILOG)
    parser.add_argument("--home", metavar="DIR", help="home folder (default: $CHLOE_HOME, else this folder)")
    parser.add_argument("--feed", metavar="FEED", help="embedded, venue or files instead of engine.json's")
    parser.add_argument("--now", metavar="ISO", help="tick as if it were this time")
    parser.add_argument("--json", action="store_true", help="print the tick's report as JSON on stdout")
    parser.add_argument("--log-format", choices=LOG_FORMATS, help="log lines for people or programs")
    options = parser.parse_args(arguments)
    if options.log_format:
        os.environ[FORMAT_VARIABLE] = options.log_format
    return wiring.tick_command(options.home, options.feed, options.now, options.json)


if __name__ == "__main__":
    sys.exit(main())
