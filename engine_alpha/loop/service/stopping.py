"""The wish to stop: SIGTERM or Ctrl-C. What is under way comes to its end, or is cut short after a moment.

Cutting short is safe: a start is the path after a crash, and what is not committed did not happen.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

CUT_AFTER_S = 3.0


class CutShort(BaseException):
    """The step under way took too long after the wish to stop."""


class Stop:
    """`asked` says whether somebody wished the engine to stop."""

    def __init__(self) -> None:
        self.asked = False

    @contextmanager
    def heeded(self) -> Iterator[None]:
        """Listen to signals, and end quietly where one cut the work short."""
        before = {
            number: signal.signal(number, taker)
            for number, taker in (
                (signal.SIGTERM, self._ask),
                (signal.SIGINT, self._ask),
                (signal.SIGALRM, self._cut),
            )
        }
        try:
            yield
        except CutShort:
            pass
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0.0)
            for number, taker in before.items():
                signal.signal(number, taker)

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        if not self.asked:
            self.asked = True
            signal.setitimer(signal.ITIMER_REAL, CUT_AFTER_S)

    def _cut(self, _number: int, _frame: FrameType | None) -> None:
        raise CutShort
