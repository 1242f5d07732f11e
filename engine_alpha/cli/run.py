"""`chloe run`: the service itself."""

import click

from engine_alpha.cli.options import examples, given_home, home_option, log_format_option
from engine_alpha.loop.wiring import play_command, run_command


@click.command(
    epilog=examples(
        "chloe run                    until Ctrl-C",
        "chloe run --feed embedded    on simulated prices, whatever the home says",
        "chloe run --log-format json  a JSON object per line of the log",
        "chloe service install        the same under systemd",
        "chloe run --play 2026-10-01 2026-10-08   a week of simulated prices in moments",
    )
    + "\n\n\b\nExit codes: 0 stopped; 2 configuration; 4 failed; 5 another runner holds the account's lock."
)
@click.option("--feed", metavar="FEED", help="embedded, venue or files, instead of engine.json's.")
@click.option("--play", nargs=2, metavar="FROM UNTIL", help="A past span of simulated prices, in moments.")
@log_format_option
@home_option
def run(feed: str | None, play: tuple[str, str] | None) -> int:
    """Step every enabled asset at each of its closes, until stopped.

    Waits for the closes of all timeframes, catches up after a pause, takes up edits of registry, cards and
    limits within a second, and says so. A configuration that can't be read any more does not stop it: the
    last good one goes on. SIGTERM and Ctrl-C stop it within five seconds; killed at any moment it goes on
    where it was. Under systemd it tells what it is doing, and the watchdog is fed only while it trades.

    --play passes time by itself: weeks of the simulated market in moments, with the same engine and account,
    to see what it does before it does it. No real order is sent, and none is played over.
    """
    if play is not None:
        return play_command(given_home(), *play)
    return run_command(given_home(), feed)
