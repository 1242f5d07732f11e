"""What to look at while the engine is compiled: once per version, half a minute."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext

from engine_alpha.cli.output import remark
from engine_alpha.cli.progress import progress_shown

WORDS = "compiling the engine: once per version, about half a minute"


@contextmanager
def run_shown(what: str, unit: str) -> Iterator[Callable[[int, int], None]]:
    """Give a function to call with (done, total); until its first call a spinner says what is compiled."""
    with ExitStack() as shown:
        shown.enter_context(_compiling())
        move: Callable[[int, int], None] | None = None

        def forward(done: int, total: int) -> None:
            nonlocal move
            if move is None:
                shown.close()
                move = shown.enter_context(progress_shown(what, unit))
            move(done, total)

        yield forward


def _compiling() -> AbstractContextManager[object]:
    from engine_alpha.backtest.compiling import is_cached

    if is_cached():
        return nullcontext()
    if not sys.stderr.isatty():
        remark(WORDS)
        return nullcontext()
    from rich.console import Console

    return Console(stderr=True).status(WORDS)
