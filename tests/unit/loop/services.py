"""A service over bars in memory, on a clock for which waiting takes no time and things happen on the way."""

import heapq
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from itertools import count
from typing import Any

from engine_alpha.home import Home
from engine_alpha.loop import wiring
from engine_alpha.loop.clocks import JumpingClock
from engine_alpha.loop.engine import Engine
from engine_alpha.loop.last_good import KeptConfiguration
from engine_alpha.loop.service.accounts import Account
from engine_alpha.loop.service.health import Health
from engine_alpha.loop.service.service import Service
from engine_alpha.loop.service.stopping import Stop
from engine_alpha.loop.tick import TickReport
from engine_alpha.notices.systemd import Notifier
from engine_alpha.plans.setup import Setup
from engine_alpha.step.recording import Labels
from tests.unit.loop.runs import HOUR_MS, START_MS

SLICE_MS = 60_000


class EventfulClock(JumpingClock):
    """Does deeds at their times while somebody waits."""

    def __init__(self, now_ms: int) -> None:
        super().__init__(now_ms)
        self._waiting: list[tuple[int, int, Callable[[], object]]] = []
        self._order = count()

    def at(self, at_ms: int, deed: Callable[[], object]) -> None:
        heapq.heappush(self._waiting, (at_ms, next(self._order), deed))

    def wait_until(self, at_ms: int) -> None:
        while self._waiting and self._waiting[0][0] <= at_ms:
            due_ms, _, deed = heapq.heappop(self._waiting)
            super().wait_until(due_ms)
            deed()
            if self.now_ms() != due_ms:  # somebody set the clock
                return
        super().wait_until(at_ms)


class Diary:
    """Keeps what the service tells its watchers."""

    def __init__(self) -> None:
        self.reports: list[TickReport] = []
        self.healths: list[tuple[int, Health]] = []

    def ticked(self, engine: Engine, report: TickReport, took_ms: int) -> None:
        self.reports.append(report)

    def worked(self, account: Account, now_ms: int) -> None:
        """Do nothing."""

    def passed(self, accounts: Sequence[Account], health: Health, now_ms: int) -> None:
        self.healths.append((now_ms, health))

    def close(self) -> None:
        pass

    def unhealthy(self) -> list[int]:
        return [now_ms for now_ms, health in self.healths if not health.healthy]


def service_of(
    home: Home,
    feed: Any,
    clock: JumpingClock,
    watchers: Sequence[Any] = (),
    notifier: Notifier | None = None,
    slice_ms: int = SLICE_MS,
) -> Service:
    """Return a service of one paper account, "test", on this feed."""

    def accounts_for(_setup: Setup) -> list[Account]:
        def opening() -> AbstractContextManager[Engine]:
            labels = Labels(account="test", mode="paper", feed="memory")
            return wiring.opened(service.setup, labels, feed, clock)

        return [Account(name="test", made_from="memory", opening=opening)]

    service = Service(
        configuration=KeptConfiguration(home),
        accounts_for=accounts_for,
        clock=clock,
        notifier=Notifier({}) if notifier is None else notifier,
        stop=Stop(),
        watchers=watchers,
        slice_ms=slice_ms,
    )
    return service


def played(
    home: Home,
    feed: Any,
    hours: float,
    deeds: Sequence[tuple[float, Callable[[], object]]] = (),
    begin_ms: int = START_MS,
) -> Diary:
    """Run a service for so many hours; deeds happen so many hours after its start."""
    clock, diary = EventfulClock(begin_ms), Diary()
    service = service_of(home, feed, clock, [diary])
    for after_hours, deed in deeds:
        clock.at(begin_ms + int(after_hours * HOUR_MS), deed)

    def end() -> None:
        service.stop.asked = True

    clock.at(begin_ms + int(hours * HOUR_MS), end)
    service.run()
    return diary
