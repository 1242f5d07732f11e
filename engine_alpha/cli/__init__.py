"""The command line: `chloe`, the same as `python -m engine_alpha`."""

from __future__ import annotations

import contextlib
import io
import os
import sys

from engine_alpha.environment import require_environment


def main() -> None:
    """Run one command and leave with its exit code."""
    require_environment()
    from engine_alpha.cli.root import chloe

    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without UTF-8 shows "?", and nothing breaks
    try:
        chloe(prog_name="chloe")
    finally:
        _flush_quietly()


def _flush_quietly() -> None:
    """Let a reader that went away (`chloe trades | head`) pass without a complaint at the very end."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
