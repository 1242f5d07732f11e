"""`chloe tick`: what the runner does, once."""

import click

from engine_alpha.cli.options import (
    examples,
    given_home,
    home_option,
    json_option,
    log_format_option,
    now_option,
    wants_json,
)
from engine_alpha.loop.wiring import tick_command


@click.command(
    epilog=examples(
        "chloe tick                            step every enabled asset",
        "chloe tick --feed embedded            on simulated prices, whatever the home says",
        "chloe tick --now 2025-11-25T00:00:30  as if it were then",
        "chloe tick --json | jq .steps         the report, for programs",
    )
)
@click.option("--feed", metavar="FEED", help="embedded, venue or files, instead of engine.json's.")
@log_format_option
@now_option
@home_option
@json_option
def tick(feed: str | None, now: str | None) -> int:
    """Step every enabled asset by the bars it has not seen: decide, fill, write down.

    The same as `python -m engine_alpha.loop.multi_asset_runner`. The log goes to standard error. Running it
    again within the same bar does nothing.
    """
    return tick_command(given_home(), feed, now, wants_json())
