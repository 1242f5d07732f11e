"""What all pages of research share: the document around them, words explained, profit factors drawn."""

import math
from collections.abc import Iterable, Sequence
from importlib.resources import files
from typing import Final

from engine_alpha import __version__
from engine_alpha.errors import ConfigError
from engine_alpha.kernel.profit_factor import ProfitFactor
from engine_alpha.reports.page.assets import style_sheet
from engine_alpha.reports.page.groups import factor_drawing
from engine_alpha.reports.page.html import Html, element, empty, joined
from engine_alpha.reports.page.parts import table
from engine_alpha.reports.research import PASSED, Fields, limit_words, seen_words, test_title

STYLE: Final = "research.css"
POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
)
WIDEST, NARROWEST = 10.0, 2.0

EXPLAINED: Final = {
    "trades": "Out-of-sample trades: all of them came after what had been chosen for them was chosen.",
    "PF": "Profit factor: what the winning trades made over what the losing ones lost, in R, after costs.",
    "interval": "With this many trades, the true value lies in here 19 times out of 20.",
    "to expect": "The coin's own result drawn towards that of all coins, the more the fewer trades it has.",
    "R": "The result over what the trade would have lost at its first stop, costs included.",
    "Sharpe": "Mean of the daily results over their standard deviation, times √365.",
    "PSR": "Probabilistic Sharpe ratio: how probable it is that the true ratio is above 0.",
    "DSR": "Deflated Sharpe ratio: how probable it is that the true ratio is above what the best of so many "
    "trials shows by luck.",
    "PBO": "Probability of backtest overfitting: how often the best trial of one half of the days is below "
    "the median in the other half.",
    "MinTRL": "Minimum track record length: so many days would show a Sharpe ratio above 0 at 95 %.",
    "SPA": "Superior predictive ability: the probability of a best variant as good as this if none had an "
    "edge.",
    "null rate": "How often the whole procedure proposes something on markets without an edge.",
    "fold": "A stretch of time; what is traded in it was chosen on what lies before it.",
}


def page(title: str, *content: str) -> str:
    """Return a whole page: no script, nothing from outside; raise `ConfigError` if a part is missing."""
    head = element(
        "head",
        empty("meta", charset="utf-8"),
        empty("meta", http_equiv="Content-Security-Policy", content=POLICY),
        empty("meta", name="viewport", content="width=device-width, initial-scale=1"),
        empty("meta", name="color-scheme", content="light dark"),
        empty("link", rel="icon", href="data:,"),
        element("title", f"{title} · Chloe"),
        element("style", Html(style_sheet() + _style())),
    )
    told = f"Chloe {__version__}. Nothing here is advice, and the past promises nothing."
    body = element("body", element("main", *content), element("footer", element("p", told)))
    return f"<!doctype html>\n{element('html', head, body, lang='en', data_drawn='yes')}\n"


def _style() -> str:
    try:
        return files("engine_alpha.research.pages").joinpath("assets", STYLE).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(f"{STYLE} is not there: this installation is damaged; install it again") from None


def explained(word: str, shown: str | None = None) -> Html:
    """Return a word that tells what it means when it is pointed at, tapped or focused."""
    return element("span", shown or word, class_="term", title=EXPLAINED[word], tabindex=0)


def paragraphs(lines: Iterable[str]) -> Html:
    """Return lines as paragraphs, the first one large."""
    found = [element("p", line, class_=None if place else "verdict") for place, line in enumerate(lines)]
    return element("div", *found, class_="words")


def listed(lines: Iterable[str]) -> Html:
    """Return lines as a list."""
    return element("ul", *(element("li", line) for line in lines))


def mark(test: Fields) -> Html:
    """Return what a test saw, in the colour of its verdict."""
    return element("span", seen_words(test), class_="up" if test["passed"] else "down")


def verdict_mark(passes: bool, verdict: str) -> Html:
    """Return a coin's verdict."""
    return element("span", f"{PASSED} {verdict}" if passes else verdict, class_="up" if passes else None)


def tests_part(tests: Sequence[Fields]) -> Html:
    """Return tests as a table: what was seen, what is asked for, what it means."""
    rows = [[test_title(test["name"]), mark(test), limit_words(test), test["words"]] for test in tests]
    return table(["test", "seen", "asked", "which is"], rows, class_="numbers said")


def reach_of(factors: Iterable[ProfitFactor]) -> float:
    """Return the largest factor on a scale: a round one that holds most intervals."""
    values = [value for found in factors for value in (found.low, found.high) if value]
    farthest = max((abs(math.log(value)) for value in values), default=0.0)
    return float(min(WIDEST, max(NARROWEST, math.ceil(math.exp(min(farthest, 5.0))))))


def drawn(found: ProfitFactor, reach: float) -> Html:
    """Return a profit factor and its interval as a picture; nothing for no trades."""
    return factor_drawing(found, reach) if found.trades else Html("")


def scale_words(reach: float) -> Html:
    """Return how to read the pictures of profit factors."""
    return joined(
        "The bar is the 95 % interval of the profit factor, the dot its value, the line 1: neither profit "
        "nor loss. ",
        element("span", "Green", class_="up"),
        " lies wholly above 1, ",
        element("span", "red", class_="down"),
        f" wholly below; grey may be luck. The scale is logarithmic, from 1/{reach:.0f} to {reach:.0f}.",
    )
