"""`chloe run`: the service itself."""

import click

from engine_alpha.cli.options import examples, given_home, home_option
from engine_alpha.loop.wiring import run_command


@click.command(
    epilog=examples(
        "chloe run                    until Ctrl-C",
        "chloe run --feed embedded    on simulated prices, whatever the home says",
        "chloe service install        the same under systemd",
    )
    + "\n\n\b\nExit codes: 0 stopped; 2 configuration; 4 failed; 5 another runner holds the account's lock."
)
@click.option("--feed", metavar="FEED", help="embedded, venue or files, instead of engine.json's.")
@home_option
def run(feed: str | None) -> int:
    """Step every enabled asset at each of its closes, until stopped.

    Waits for the closes of all timeframes, catches up after a pause, takes up edits of registry, cards and
    limits within a second, and says so. A configuration that can't be read any more does not stop it: the last
    good one goes on. SIGTERM and Ctrl-C stop it within five seconds; killed at any moment it goes on where it
    was. Under systemd it tells what it is doing, and the watchdog is fed only while it trades.
    """
    return run_command(given_home(), feed)
