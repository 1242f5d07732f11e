"""One opened account and its parts, as `wiring` puts them together."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from engine_alpha.loop.arming import ArmedAsset
from engine_alpha.plans.setup import Setup
from engine_alpha.ports import BarFeed, Clock, Journal
from engine_alpha.step.recording import Labels
from engine_alpha.step.state import AccountBook

if TYPE_CHECKING:
    from engine_alpha.loop.last_good import KeptConfiguration
    from engine_alpha.loop.live_orders import LiveDesk

MOST_TIMES = 4_096


@dataclass(slots=True, kw_only=True)
class Engine:
    """What a tick works with. `setup` is read anew at each tick unless it is `frozen`.

    `armed` are the assets whose orders are real; `live` is there in the account that sends them. With a
    `configuration` what could be read last goes on where an edit went wrong. `feed_times` are how long the
    newest answers of the feed took, by venue, in seconds: nothing decides by them.
    """

    setup: Setup
    labels: Labels
    clock: Clock
    feed: BarFeed
    journal: Journal
    book: AccountBook
    loop: asyncio.Runner
    frozen: bool = False
    armed: Mapping[str, ArmedAsset] = field(default_factory=dict)
    live: LiveDesk | None = None
    configuration: KeptConfiguration | None = None
    feed_times: deque[tuple[str, float]] = field(default_factory=lambda: deque(maxlen=MOST_TIMES))

    def takes(self, symbol: str) -> bool:
        """Say whether this account steps the asset: armed ones are the live account's, the others paper's."""
        return (symbol in self.armed) == (self.live is not None)
