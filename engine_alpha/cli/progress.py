"""Progress on standard error: a bar on a terminal, a line for every tenth elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from engine_alpha.cli.output import remark

SECONDS_BETWEEN = 0.1
SILENT_SECONDS = 2.0


@contextmanager
def progress_shown(what: str, unit: str) -> Iterator[Callable[[int, int], None]]:
    """Give a function to call with (done, total), as often as one likes."""
    if not sys.stderr.isatty():
        yield _Tenths(what, unit)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(unit),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    with bar:
        task = bar.add_task(what, total=None)
        shown_at = 0.0

        def move(done: int, total: int) -> None:
            nonlocal shown_at
            now = time.monotonic()
            if done == total or now - shown_at >= SECONDS_BETWEEN:
                shown_at = now
                bar.update(task, completed=done, total=total)

        yield move


class _Tenths:
    """Says how far it is, at most once per 10 %, and nothing for what is over at once."""

    def __init__(self, what: str, unit: str) -> None:
        self._what = what
        self._unit = unit
        self._said = 0
        self._started = time.monotonic()

    def __call__(self, done: int, total: int) -> None:
        tenth = 10 * done // total if total else 10
        if tenth <= self._said:
            return
        self._said = tenth
        if time.monotonic() - self._started >= SILENT_SECONDS:
            remark(f"{self._what}: {10 * tenth} %, {done:,} of {total:,} {self._unit}")
