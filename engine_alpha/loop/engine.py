"""One opened account and its parts, as `wiring` puts them together."""

import asyncio
from dataclasses import dataclass

from engine_alpha.plans.setup import Setup
from engine_alpha.ports import BarFeed, Clock, Journal
from engine_alpha.step.recording import Labels
from engine_alpha.step.state import AccountBook


@dataclass(slots=True, kw_only=True)
class Engine:
    """What a tick works with. `setup` is read anew at each tick unless it is `frozen`."""

    setup: Setup
    labels: Labels
    clock: Clock
    feed: BarFeed
    journal: Journal
    book: AccountBook
    loop: asyncio.Runner
    frozen: bool = False
