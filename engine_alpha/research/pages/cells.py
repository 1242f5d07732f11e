"""Edge by cell and calibration of one coin, as far as its document has them."""

from collections.abc import Sequence
from typing import Any, Final

from engine_alpha.reports.page.html import Html, element
from engine_alpha.reports.page.parts import section, table
from engine_alpha.reports.research import Fields, expected_words, factor_of, regime_words
from engine_alpha.reports.words import NOTHING, factor_value, interval
from engine_alpha.research.pages.plots import reliability_plot
from engine_alpha.research.pages.shell import listed

BINS: Final = ("trades", "said_frac", "won_frac")


def edge_part(rows: Sequence[Fields]) -> Html:
    """Return the edge by card, regime and band of confidence; nothing where none was measured."""
    if not rows:
        return Html("")
    names = list(dict.fromkeys(name for row in rows for name in row))
    body = [[cell_words(name, row.get(name)) for name in names] for row in rows]
    heads = [name.removesuffix("_frac").replace("_", " ") for name in names]
    return section(
        "Where the edge is",
        table(heads, body, class_="numbers"),
        about="Net R by card, regime and band of confidence. A cell with few trades says little.",
        id_="edge",
    )


def cell_words(name: str, value: Any) -> str:
    """Return a value of a cell as text, by what it is."""
    if value is None:
        return NOTHING
    if isinstance(value, dict):
        return _compound(value)
    if isinstance(value, list | tuple):
        return " – ".join(cell_words(name, each) for each in value)
    if isinstance(value, str):
        return regime_words(value) if name == "regime" else value
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int) else f"{value:.3f}"


def _compound(value: Fields) -> str:
    if "no_losses" in value:
        found = factor_of(value)
        return f"{factor_value(found)} ({interval(found)})"
    if "factor_low" in value:
        return expected_words(value)
    return ", ".join(f"{name} {cell_words(name, each)}" for name, each in value.items())


def calibration_part(calibration: Fields | None) -> Html:
    """Return how far confidence is the chance of a trade to win; nothing where it was not fitted."""
    if calibration is None:
        return Html("")
    bins = _bins(calibration)
    figures = [
        f"{name.removesuffix('_frac').replace('_', ' ')}: {cell_words(name, value)}"
        for name, value in calibration.items()
        if not _is_table(value)
    ]
    about = (
        "Each dot is a part of the trades: how often they were said to win, and how often they did. On the "
        "dashed line confidence means what it says."
    )
    parts = [_rows(name, value) for name, value in calibration.items() if _is_table(value)]
    return section(
        "Does confidence mean what it says?",
        reliability_plot(bins) if bins else "",
        listed(figures) if figures else "",
        *parts,
        about=about if bins else "",
        id_="calibration",
    )


def _bins(calibration: Fields) -> list[tuple[int, float, float]]:
    """Return the bins of the reliability plot, wherever the document holds them."""
    for value in calibration.values():
        if _is_table(value) and all(isinstance(row, dict) and {*BINS} <= row.keys() for row in value):
            return [(row["trades"], row["said_frac"], row["won_frac"]) for row in value]
    return []


def _is_table(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(row, dict | list) for row in value)


def _rows(name: str, rows: Sequence[Any]) -> Html:
    if isinstance(rows[0], dict):
        heads = list(rows[0])
        body = [[cell_words(head, row[head]) for head in heads] for row in rows]
    else:
        heads = ["|score|", "confidence"] if len(rows[0]) == 2 else [""] * len(rows[0])
        body = [[cell_words("", each) for each in row] for row in rows]
    shown = [head.removesuffix("_frac").replace("_", " ") for head in heads]
    made = table(shown, body, class_="numbers")
    return element("details", element("summary", name.replace("_", " ")), made)
