"""The accounts that a service works on: opened when they are needed, opened again after trouble."""

import logging
import os
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from engine_alpha.config.assets import VENUES
from engine_alpha.domain.asset import AssetConfig
from engine_alpha.errors import ChloeError, JournalError
from engine_alpha.loop.engine import Engine
from engine_alpha.loop.live_step import steppable
from engine_alpha.loop.service.schedule import LONGEST_LIVE_PAUSE_MS, LONGEST_PAUSE_MS, Standing
from engine_alpha.loop.wiring import JOURNAL_NAME
from engine_alpha.plans.setup import Setup

_log = logging.getLogger("chloe.service")

PAUSES_MS = (5_000, 15_000, 60_000, 300_000)
"""How long after the first, second ... failure in a row an account is opened again."""

Opening = Callable[[], AbstractContextManager[Engine]]


@dataclass(slots=True, kw_only=True)
class Account:
    """One account at work. `engine` is None while it can't be used; `trouble` says why, "" without any.

    `made_from` is what it was opened with: another value means that it must be opened anew.
    """

    name: str
    made_from: object
    opening: Opening
    engine: Engine | None = None
    standings: dict[str, Standing] = field(default_factory=dict)
    trouble: str = ""
    failures: int = 0
    retry_ms: int = 0
    looked_ms: int = 0
    wishes: tuple[object, ...] = ()
    _path: Path | None = None
    _file: tuple[int, int] = (0, 0)
    _stack: ExitStack = field(default_factory=ExitStack)

    def open(self) -> Engine:
        """Open it; raise what keeps it from being opened. A journal that went away is not begun anew."""
        if self._path is not None and not self._path.exists():
            raise JournalError(_gone(self._path))
        self._stack = ExitStack()
        self.engine = self._stack.enter_context(self.opening())
        self._path = self.engine.setup.home.account(self.name) / JOURNAL_NAME
        self._file = _identity(self._path)
        return self.engine

    def close(self) -> None:
        """Close it; trouble on the way out is told and ends there."""
        self.engine = None
        try:
            self._stack.close()
        except ChloeError as fault:
            _log.error("%s: %s", self.name, fault)

    def require_own_journal(self) -> None:
        """Raise `JournalError` if the journal's file is no longer the one that was opened."""
        if self._path is not None and _identity(self._path) != self._file:
            raise JournalError(_gone(self._path))

    def failed(self, fault: ChloeError, now_ms: int) -> None:
        """Close it after trouble and say when it is tried again."""
        pause_ms = PAUSES_MS[min(self.failures, len(PAUSES_MS) - 1)]
        self.failures += 1
        self.trouble, self.retry_ms = str(fault), now_ms + pause_ms
        _log.error("%s stands still: %s; tried again in %d s", self.name, fault, pause_ms // 1_000)
        if self.engine is not None:
            self.close()

    @property
    def settle_ms(self) -> Mapping[str, int]:
        """How long after a close each venue's bar is asked for; a simulated market has it at once."""
        engine = self.engine
        if engine is None or engine.feed.simulated:
            return dict.fromkeys(VENUES, 0)
        return engine.setup.engine.settle_delay_ms.by_venue

    def longest_pause_ms(self, symbol: str) -> int:
        """Return how long a faulty asset is left alone at most.

        Where orders are real no longer than a minute; with anything at the venue no longer than between two
        looks: its stop may be gone, whatever its candles do.
        """
        engine = self.engine
        if engine is None or engine.live is None:
            return LONGEST_PAUSE_MS
        state = engine.live.book.states.get(symbol)
        if state is None or state.is_over:
            return LONGEST_LIVE_PAUSE_MS
        return min(LONGEST_LIVE_PAUSE_MS, engine.setup.engine.service.look_every_ms)

    def standing(self, symbol: str) -> Standing:
        """Return how an asset is doing."""
        return self.standings.get(symbol, Standing())

    def edited(self, setup: Setup) -> None:
        """Go on with another configuration; what had trouble is tried at once."""
        if self.engine is not None:
            self.engine.setup = setup
        self.retry_now()

    def retry_now(self) -> None:
        """Try everything that waits after a fault at once."""
        self.retry_ms = 0
        self.standings = {symbol: each.to_try_again() for symbol, each in self.standings.items()}

    def assets(self) -> list[AssetConfig]:
        """Return what it steps now."""
        return [] if self.engine is None else list(steppable(self.engine.setup, self.engine).values())


def _gone(path: Path) -> str:
    return (
        f"{path} was moved, deleted or replaced while the engine wrote to it: put the right file in its "
        "place (chloe restore, if it is gone); to begin a new one all the same, start the engine again"
    )


def _identity(path: Path) -> tuple[int, int]:
    """Return what tells a file from another of the same name; (0, 0) where there is none."""
    try:
        status = os.stat(path)
    except OSError:
        return (0, 0)
    return status.st_dev, status.st_ino
