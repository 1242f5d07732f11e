"""What commands print: tables for terminals, aligned text for pipes, JSON for programs."""

import json
import shutil
import sys
from typing import Any

import click

from engine_alpha.reports.table import Table, plain_lines
from engine_alpha.reports.words import plain


def show(*parts: Table | str) -> None:
    """Print tables and lines on standard output; rich is loaded for a terminal only."""
    if sys.stdout.isatty():
        from engine_alpha.reports.rich_tables import print_line, print_table

        for part in parts:
            if isinstance(part, str):
                print_line(part)
            else:
                print_table(part)
        return
    for part in parts:
        for line in (part,) if isinstance(part, str) else plain_lines(part):
            click.echo(line)


def terminal_width() -> int | None:
    """Return how wide the terminal is that the output goes to; None where it goes elsewhere."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def show_json(value: Any) -> None:
    """Print one JSON document: no NaN (null), infinity as "inf"."""
    click.echo(json.dumps(plain(value), indent=2, ensure_ascii=False, allow_nan=False))


def show_json_line(value: Any) -> None:
    """Print one JSON document on one line."""
    click.echo(json.dumps(plain(value), separators=(",", ":"), ensure_ascii=False, allow_nan=False))


def remark(text: str) -> None:
    """Say something on standard error, beside the output proper."""
    click.echo(text, err=True)
