"""SIGTERM, which systemd and `kill` send, ends a command as Ctrl-C does."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

TERMINATED = 143


@contextmanager
def sigterm_as_ctrl_c() -> Iterator[None]:
    """Turn SIGTERM into Ctrl-C inside the block, to leave with 143 instead of 130.

    Whoever looks after Ctrl-C at that moment (a file being written, an event loop) is asked, so that there is
    one way to stop. Both are heeded at once, also in a wait for another process.
    """
    came: list[int] = []

    def take(number: int, frame: FrameType | None) -> None:
        came.append(number)
        taker = signal.getsignal(signal.SIGINT)
        if not callable(taker):  # a shell that runs it in the background has Ctrl-C ignored
            raise KeyboardInterrupt
        taker(signal.SIGINT, frame)

    signal.siginterrupt(signal.SIGINT, True)  # Polars' own taker of Ctrl-C lets a wait go on to its end
    before = signal.signal(signal.SIGTERM, take)
    try:
        yield
    except KeyboardInterrupt:
        if came:
            sys.exit(TERMINATED)
        raise
    finally:
        signal.signal(signal.SIGTERM, before)
