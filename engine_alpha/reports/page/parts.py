"""Small parts of a page: sections, terms with their meaning, tables, bars drawn in percent of a width."""

from collections.abc import Sequence

from engine_alpha.reports.page.html import Html, element
from engine_alpha.reports.terms import TERMS

UP, DOWN, LEVEL = "up", "down", ""


def section(title: str, *content: str, id_: str | None = None, about: str = "") -> Html:
    """Return a titled section; `about` says in a sentence how to read it."""
    said = element("p", about, class_="about") if about else Html("")
    return element("section", element("h2", title), said, *content, id=id_)


def term(word: str, shown: str | None = None) -> Html:
    """Return a word that tells what it means when it is pointed at, tapped or focused."""
    return element("span", shown or word, class_="term", title=TERMS[word], tabindex=0)


def signed(text: str) -> Html:
    """Return an amount that shows its sign in colour."""
    kind = {"+": UP, "-": DOWN}.get(text[:1], LEVEL)
    return element("span", text, class_=kind or None)


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], class_: str, total: bool = False) -> Html:
    """Return a table that scrolls sideways where it is too wide; with `total` the last row sums up."""
    last = len(rows) - 1
    body = [
        element("tr", *_cells(row), class_="total" if total and place == last else None)
        for place, row in enumerate(rows)
    ]
    head = element("tr", *(element("th", text, scope="col") for text in heads))
    made = element("table", element("thead", head), element("tbody", *body), class_=class_)
    return element("div", made, class_="scroll", tabindex=0)


def _cells(row: Sequence[str]) -> list[Html]:
    first, *others = row
    return [element("th", first, scope="row"), *(element("td", cell) for cell in others)]


def tile(name: str, value: str, beside: str) -> Html:
    """Return one large figure with its name above and words beside it."""
    return element(
        "div",
        element("div", name, class_="name"),
        element("div", value, class_="value"),
        element("div", beside, class_="beside"),
        class_="tile",
    )


def drawing(label: str, *shapes: str, class_: str) -> Html:
    """Return an SVG as wide as its place; shapes give x in percent."""
    return element("svg", *shapes, class_=class_, role="img", aria_label=label)


def line(x1: float, x2: float, y: str, class_: str) -> Html:
    """Return a horizontal line between two places in percent."""
    return element("line", x1=_percent(x1), x2=_percent(x2), y1=y, y2=y, class_=class_)


def upright(x: float, class_: str) -> Html:
    """Return a vertical line over the whole height."""
    return element("line", x1=_percent(x), x2=_percent(x), y1="0", y2="100%", class_=class_)


def dot(x: float, class_: str) -> Html:
    """Return a dot at half the height."""
    return element("circle", cx=_percent(x), cy="50%", r="4.5", class_=class_)


def bar(x1: float, x2: float, class_: str) -> Html:
    """Return a bar from one place to another, whichever is left."""
    left, width = min(x1, x2), max(abs(x2 - x1), 0.15)
    return element(
        "rect", x=_percent(left), width=_percent(width), y="15%", height="70%", rx="2", class_=class_
    )


def _percent(value: float) -> str:
    return f"{value:.2f}%"
