"""Work done side by side, results in order."""

import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Final, Protocol, TypeVar

HANDOVER_S: Final = 0.001
"""How long a thread that is back from compiled code waits for its turn, at most. Python's own 5 ms are about
as long as a set plays: two cores would often do the work of one.
"""

Given = TypeVar("Given")
Found = TypeVar("Found")


class Mapped(Protocol):
    """Gives results in the order of what was given, as they come."""

    def __call__(self, work: Callable[[Given], Found], given: Sequence[Given], /) -> Iterator[Found]:
        """Do the work for each."""
        ...


@contextmanager
def side_by_side(jobs: int) -> Iterator[Mapped]:
    """Give what works in so many threads; on leaving, what has not begun is not done.

    Threads are enough where the work is compiled code, and hundreds of sets are over before another process
    would have started.
    """
    if jobs == 1:
        yield map
        return
    threads = ThreadPoolExecutor(jobs, thread_name_prefix="sweep")
    before = sys.getswitchinterval()
    sys.setswitchinterval(HANDOVER_S)
    try:
        yield threads.map
    finally:
        threads.shutdown(cancel_futures=True)
        sys.setswitchinterval(before)
