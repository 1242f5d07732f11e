"""A table as a value, and its plain form for pipes and files; `rich_tables` has the one for terminals."""

from collections.abc import Sequence
from dataclasses import dataclass

GAP = "  "


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its heading, and which side it leans to."""

    name: str
    right: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Headings and rows of text; `total` says that the last row sums up the others."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    title: str = ""
    total: bool = False


def columns(*names: str) -> tuple[Column, ...]:
    """Return columns from their names; one that begins with ">" leans to the right."""
    return tuple(Column(name.removeprefix(">"), name.startswith(">")) for name in names)


def plain_lines(table: Table) -> list[str]:
    """Return the table as aligned text, without colours and without lines drawn."""
    heads = tuple(column.name for column in table.columns)
    every = [heads, *table.rows]
    widths = [max(len(row[place]) for row in every) for place in range(len(heads))]
    lines = [table.title] if table.title else []
    lines += [_line(row, table.columns, widths) for row in every]
    if table.total and len(table.rows) > 1:
        lines.insert(-1, GAP.join("-" * width for width in widths))
    return lines


def table_width(table: Table) -> int:
    """Return how many columns of a terminal the table takes."""
    every = [tuple(column.name for column in table.columns), *table.rows]
    widths = [max(len(row[place]) for row in every) for place in range(len(table.columns))]
    return sum(widths) + len(GAP) * (len(widths) - 1)


def _line(row: Sequence[str], leaning: Sequence[Column], widths: Sequence[int]) -> str:
    cells = [
        cell.rjust(width) if column.right else cell.ljust(width)
        for cell, column, width in zip(row, leaning, widths, strict=True)
    ]
    return GAP.join(cells).rstrip()


def pairs(rows: Sequence[tuple[str, str]]) -> list[str]:
    """Return labelled values, the values below each other."""
    width = max((len(name) for name, _ in rows), default=0)
    return [f"{name.ljust(width)}{GAP}{value}".rstrip() for name, value in rows]
