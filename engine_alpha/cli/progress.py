"""Progress on standard error: a bar on a terminal, a line for every tenth elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from engine_alpha.cli.output import remark

SECONDS_BETWEEN = 0.1
SILENT_SECONDS = 2.0


class Move(Protocol):
    """Moves what is shown on; the note is what there is to say by now."""

    def __call__(self, done: int, total: int, note: str = "") -> None:
        """Show that so many are done."""
        ...


@contextmanager
def progress_shown(what: str, unit: str) -> Iterator[Move]:
    """Give a function to call with (done, total), as often as one likes."""
    if not sys.stderr.isatty():
        yield _Tenths(what, unit)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
    from rich.table import Column

    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(unit),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}", table_column=Column(no_wrap=True, overflow="ellipsis")),
        console=Console(stderr=True),
        transient=True,
    )
    with bar:
        task = bar.add_task(what, total=None, note="")
        shown_at = 0.0

        def move(done: int, total: int, note: str = "") -> None:
            nonlocal shown_at
            now = time.monotonic()
            if done == total or now - shown_at >= SECONDS_BETWEEN:
                shown_at = now
                bar.update(task, completed=done, total=total, note=note)

        yield move


class _Tenths:
    """Says how far it is, at most once per 10 %, and nothing for what is over at once."""

    def __init__(self, what: str, unit: str) -> None:
        self._what = what
        self._unit = unit
        self._said = 0
        self._started = time.monotonic()

    def __call__(self, done: int, total: int, note: str = "") -> None:
        tenth = 10 * done // total if total else 10
        if tenth <= self._said:
            return
        self._said = tenth
        if time.monotonic() - self._started >= SILENT_SECONDS:
            said = f"; {note}" if note else ""
            remark(f"{self._what}: {10 * tenth} %, {done:,} of {total:,} {self._unit}{said}")
