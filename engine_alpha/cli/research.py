"""`chloe research`: what each coin's prices prove by night, and what a person makes of it."""

import click

from engine_alpha.cli.lazy import LazyGroup
from engine_alpha.cli.options import examples

COMMANDS = {
    "run": ("research_run:run", "Do a night's work: datasets, edges, search, tests, proposals, pages."),
    "show": ("research_show:show_night", "What a night found, for all coins or for one."),
    "list": ("research_list:list_nights", "The nights there were, and what is adopted."),
    "adopt": ("research_adopt:adopt", "Let a coin trade by what a night proposes."),
    "revert": ("research_adopt:revert", "Go back to what a coin traded by before."),
}


@click.group(
    cls=LazyGroup,
    lazy=COMMANDS,
    epilog=examples(
        "chloe research run                  tonight, on the candles that this home has",
        "chloe research show                 what it found, in words and tables",
        "chloe research show ETHUSDT         one coin: every test, every fold",
        "chloe research adopt ETHUSDT        after asking; with the next tick it trades so",
        "chloe research revert ETHUSDT       as it was before",
    ),
)
def research() -> None:
    """Look for an edge per coin, by night, without being fooled by luck: it proposes, a person adopts."""
