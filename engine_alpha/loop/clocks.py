"""Clocks: the system's, and one that stands where it is put."""

import asyncio
import time


class SystemClock:
    """Tell the machine's time."""

    def now_ms(self) -> int:
        """Return ms since the epoch, UTC."""
        return time.time_ns() // 1_000_000

    def wait_until(self, at_ms: int) -> None:
        """Sleep until that time."""
        while (left_ms := at_ms - self.now_ms()) > 0:
            time.sleep(left_ms / 1000)

    async def pause(self, wait_ms: int) -> None:
        """Sleep, letting other tasks run."""
        await asyncio.sleep(wait_ms / 1000)


class FixedClock:
    """Tell the time it was set to; rehearsals and `--now` move it by hand."""

    def __init__(self, now_ms: int) -> None:
        self._now_ms = now_ms

    def now_ms(self) -> int:
        """Return the set time."""
        return self._now_ms

    def wait_until(self, at_ms: int) -> None:
        """Return at once: whoever set this clock has waited."""

    async def pause(self, wait_ms: int) -> None:
        """Let other tasks run once; the time stays."""
        await asyncio.sleep(0)

    def set(self, now_ms: int) -> None:
        """Move to another time."""
        self._now_ms = now_ms


class JumpingClock(FixedClock):
    """A clock for which waiting takes no time: it stands where it was waited for. Replays run on it."""

    def wait_until(self, at_ms: int) -> None:
        """Move to that time; never back."""
        if at_ms > self.now_ms():
            self.set(at_ms)

    async def pause(self, wait_ms: int) -> None:
        """Move by that much, and let other tasks run."""
        self.set(self.now_ms() + wait_ms)
        await asyncio.sleep(0)
