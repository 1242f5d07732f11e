"""Tables for terminals, drawn by rich: a little colour, no boxes."""

from collections.abc import Sequence

from rich.console import Console, Group
from rich.table import Table as RichTable
from rich.text import Text

from engine_alpha.reports.table import Table

_MARKS = {
    "✗": "red",
    "✓": "green",
    "refused": "red",
    "close-only": "yellow",
    "shadow": "yellow",
    "off": "dim",
    "disabled": "dim",
}


def rich_table(table: Table) -> RichTable:
    """Return the table as rich draws it; only the last column may wrap."""
    made = RichTable(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    last = len(table.columns) - 1
    for place, column in enumerate(table.columns):
        made.add_column(column.name, justify="right" if column.right else "left", no_wrap=place != last)
    for place, row in enumerate(table.rows):
        cells = [
            Text(cell, _style(cell, column.right)) for cell, column in zip(row, table.columns, strict=True)
        ]
        closing = table.total and place == len(table.rows) - 1
        made.add_row(*cells, style="bold" if closing else None)
    return made


def print_table(table: Table) -> None:
    """Print the table on standard output."""
    console = Console(highlight=False, soft_wrap=False)
    if table.title:
        console.print(Text(table.title, "bold"))
    console.print(rich_table(table))


def print_line(line: str) -> None:
    """Print one line on standard output, as it is; a terminal wraps it."""
    Console(highlight=False, soft_wrap=True).print(Text(line, _style(line, False)))


def drawn(parts: Sequence[Table | str]) -> Group:
    """Return tables and lines as one thing that rich can draw again and again."""
    return Group(
        *(Text(part, _style(part, False)) if isinstance(part, str) else rich_table(part) for part in parts)
    )


def _style(cell: str, right: bool) -> str:
    for start, style in _MARKS.items():
        if cell.startswith(start):
            return style
    if right and cell[:1] in "+-" and cell[1:2].isdigit():
        return "green" if cell[0] == "+" else "red"
    return ""
