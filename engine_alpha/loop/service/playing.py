"""A past span of the simulated market, played by the service itself on a clock that does not wait."""

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

from engine_alpha.errors import ConfigError
from engine_alpha.home import Home
from engine_alpha.journals.sqlite import SqliteJournal
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
from engine_alpha.step.recording import DECISION
from engine_alpha.times import iso

SLICE_MS = 3_600_000
WIDTH = 30


@dataclass(slots=True)
class _Progress:
    """Counts bars and trades, draws a bar on a terminal, and ends the run."""

    begin_ms: int
    until_ms: int
    stop: Stop
    bars: int = 0
    trades: int = 0

    def ticked(self, engine: Engine, report: TickReport, took_ms: int) -> None:
        """Count what was stepped."""
        for step in report.steps:
            self.bars += len(step.bars)
            self.trades += sum(1 for bar in step.bars if bar.record.settlement.trade.side != 0)

    def worked(self, account: Account, now_ms: int) -> None:
        """Do nothing."""

    def passed(self, accounts: Sequence[Account], health: Health, now_ms: int) -> None:
        """Draw, and stop at the end."""
        if now_ms >= self.until_ms:
            self.stop.asked = True
        if sys.stderr.isatty():
            full = WIDTH * (now_ms - self.begin_ms) // max(1, self.until_ms - self.begin_ms)
            print(f"\r{'█' * full:·<{WIDTH}} {iso(now_ms)[:16]} ", end="", file=sys.stderr, flush=True)

    def close(self) -> None:
        """End the line."""
        if sys.stderr.isatty():
            print(file=sys.stderr)


def play(home: Home, begin_ms: int, until_ms: int) -> str:
    """Run the service of the simulated account over the span; return what came of it, in a sentence.

    Raises `ConfigError` for a span that is not over yet, ends before it begins, or begins before what the
    account has decided already.
    """
    if not begin_ms < until_ms <= time.time_ns() // 1_000_000:
        raise ConfigError("--play needs a span that is over: FROM before UNTIL, UNTIL not after now")
    _require_ahead(home, begin_ms)
    clock, stop = JumpingClock(begin_ms), Stop()
    progress = _Progress(begin_ms, until_ms, stop)

    def accounts_for(setup: Setup) -> list[Account]:
        name = wiring.ACCOUNT_OF_FEED["embedded"]
        return [Account(name=name, made_from=0, opening=lambda: wiring.open_paper(setup, "embedded", clock))]

    service = Service(
        configuration=KeptConfiguration(home),
        accounts_for=accounts_for,
        clock=clock,
        notifier=Notifier({}),
        stop=stop,
        watchers=[progress],
        slice_ms=SLICE_MS,
    )
    service.run()
    span = f"{iso(begin_ms)[:16]} to {iso(until_ms)[:16]}"
    what = f"{progress.bars:,} bars decided, {progress.trades} trades closed"
    return f"played {span} on simulated prices: {what}; next: chloe status"


def _require_ahead(home: Home, begin_ms: int) -> None:
    """Raise `ConfigError` if the account has bars that a span beginning then would come to again."""
    path = home.account(wiring.ACCOUNT_OF_FEED["embedded"]) / wiring.JOURNAL_NAME
    if not path.exists():
        return
    journal = SqliteJournal.open(path, read_only=True)
    try:
        newest = next(iter(journal.events(DECISION, newest_first=True)), None)
    finally:
        journal.close()
    if newest is not None and newest.event.bar_ms > begin_ms:
        raise ConfigError(
            f"the account has decided bars up to {iso(newest.event.bar_ms)[:16]} already: play from then on, "
            "or in another home (chloe init --home DIR)"
        )
