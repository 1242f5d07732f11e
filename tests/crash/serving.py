"""Run the service over simulated prices, an hour's wait taking no time, from where its journal ends.

Arguments: home, first and last hour since the epoch. Each tick's time is printed once it has returned.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from engine_alpha.home import Home
from engine_alpha.loop.clocks import JumpingClock
from engine_alpha.loop.engine import Engine
from engine_alpha.loop.last_good import KeptConfiguration
from engine_alpha.loop.service.accounts import Account
from engine_alpha.loop.service.health import Health
from engine_alpha.loop.service.starting import make_service
from engine_alpha.loop.tick import TickReport

HOUR_MS = 3_600_000
home, first, last = Home(Path(sys.argv[1])), int(sys.argv[2]), int(sys.argv[3])


class Printer:
    """Prints each tick and asks the service to stop after the last hour."""

    def ticked(self, engine: Engine, report: TickReport, took_ms: int) -> None:
        print(report.now_ms // HOUR_MS, report.exit_code, flush=True)

    def worked(self, account: Account, now_ms: int) -> None:
        """Do nothing."""

    def passed(self, accounts: Sequence[Account], health: Health, now_ms: int) -> None:
        service.stop.asked = now_ms // HOUR_MS >= last

    def close(self) -> None:
        pass


service = make_service(KeptConfiguration(home), "embedded", JumpingClock(first * HOUR_MS), [Printer()])
service.slice_ms = HOUR_MS
print("ready", flush=True)
service.run()
