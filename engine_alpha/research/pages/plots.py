"""Plots as SVG that needs no script: results fold by fold, reliability of a calibration, a heat map."""

import math
from collections.abc import Mapping, Sequence
from typing import Final

from engine_alpha.reports.page.html import Html, element
from engine_alpha.reports.page.parts import table
from engine_alpha.reports.words import NOTHING

WIDTH, HEIGHT = 720, 260
LEFT, RIGHT, TOP, BOTTOM = 48, 12, 12, 34
LINES: Final = 8
"""So many lines have a colour of their own; further ones begin again."""
LABEL_EVERY: Final = 90
"""Least distance of two labels below a plot."""

Points = Sequence[tuple[float, float]]


class Frame:
    """Turns values into places inside of a plot; a scale without extent is widened by 1."""

    def __init__(self, across: tuple[float, float], up: tuple[float, float]) -> None:
        """Take the least and the largest value of both scales."""
        self.across, self.up = _widened(across), _widened(up)

    def x(self, value: float) -> float:
        """Return how far right a value stands."""
        low, high = self.across
        return LEFT + (WIDTH - LEFT - RIGHT) * (value - low) / (high - low)

    def y(self, value: float) -> float:
        """Return how far down a value stands."""
        low, high = self.up
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (value - low) / (high - low)

    def level(self, value: float, text: str, class_: str = "grid") -> Html:
        """Return a horizontal line with its label."""
        y = f"{self.y(value):.1f}"
        rule = element("line", x1=LEFT, x2=WIDTH - RIGHT, y1=y, y2=y, class_=class_)
        label = element("text", text, x=LEFT - 6, y=f"{self.y(value) + 4:.1f}", class_="left-of")
        return Html(rule + label)

    def below(self, value: float, text: str) -> Html:
        """Return a label under the plot."""
        return element("text", text, x=f"{self.x(value):.1f}", y=HEIGHT - BOTTOM + 20, class_="below")

    def path(self, points: Points, class_: str) -> Html:
        """Return a line through points."""
        places = " ".join(f"{self.x(x):.1f},{self.y(y):.1f}" for x, y in points)
        return element("polyline", points=places, class_=class_)


def _widened(span: tuple[float, float]) -> tuple[float, float]:
    low, high = span
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def steps(low: float, high: float, about: int = 5) -> list[float]:
    """Return round numbers that divide a scale: 1, 2 or 5 times a power of ten apart."""
    raw = max(high - low, 1e-9) / about
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(factor * power for factor in (1.0, 2.0, 5.0, 10.0) if factor * power >= raw * 0.999)
    return [step * place for place in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)]


def _plot(label: str, *shapes: str) -> Html:
    drawn = element(
        "svg", *shapes, viewBox=f"0 0 {WIDTH} {HEIGHT}", class_="plot", role="img", aria_label=label
    )
    return element("div", drawn, class_="scroll plotted", tabindex=0)


def curves(label: str, ends: Sequence[str], series: Mapping[str, Sequence[float]]) -> Html:
    """Return running sums fold by fold, each series from 0 on; `ends` names the ends of the folds."""
    sums = {name: _running(values) for name, values in series.items()}
    every = [value for values in sums.values() for value in values]
    frame = Frame((0.0, float(len(ends))), (min(0.0, *every), max(0.0, *every)))
    levels = [frame.level(value, f"{value:+g}" if value else "0") for value in steps(*frame.up)]
    each = math.ceil(LABEL_EVERY * len(ends) / (WIDTH - LEFT - RIGHT))
    labels = [frame.below(place + 1.0, text) for place, text in enumerate(ends) if not place % each]
    lines = [
        frame.path(list(enumerate(values)), f"curve line-{number % LINES}")
        for number, values in enumerate(sums.values())
    ]
    zero = frame.level(0.0, "", "one")
    swatches = [
        element("span", f"{name} {values[-1]:+.2f} R", class_=f"swatch swatch-{number % LINES}")
        for number, (name, values) in enumerate(sums.items())
    ]
    return Html(element("div", *swatches, class_="swatches") + _plot(label, *levels, zero, *labels, *lines))


def _running(values: Sequence[float]) -> list[float]:
    found = [0.0]
    for value in values:
        found.append(found[-1] + value)
    return found


def reliability_plot(bins: Sequence[tuple[int, float, float]]) -> Html:
    """Return what was said against what came, a dot a bin (trades, said, won), larger for more trades."""
    frame = Frame((0.0, 1.0), (0.0, 1.0))
    marks = (0.0, 0.25, 0.5, 0.75, 1.0)
    levels = [frame.level(mark, f"{mark:.0%}") for mark in marks]
    labels = [frame.below(mark, f"{mark:.0%}") for mark in marks]
    ideal = frame.path([(0.0, 0.0), (1.0, 1.0)], "ideal")
    most = max((trades for trades, _, _ in bins), default=1)
    dots = [
        element(
            "circle",
            element("title", f"said {said:.1%}, won {won:.1%}, {trades:,} trades"),
            cx=f"{frame.x(said):.1f}",
            cy=f"{frame.y(won):.1f}",
            r=f"{3.0 + 6.0 * math.sqrt(trades / most):.1f}",
            class_="bin",
        )
        for trades, said, won in bins
    ]
    path = frame.path([(said, won) for _, said, won in bins], "curve line-0")
    return _plot("share of trades won against what was said", *levels, *labels, ideal, path, *dots)


def heat_map(names: Sequence[str], values: Sequence[Sequence[float | None]]) -> Html:
    """Return a square table whose cells are coloured by their correlation, −1 to 1."""
    rows = [[name, *(_cell(value) for value in row)] for name, row in zip(names, values, strict=True)]
    return table(["", *names], rows, class_="numbers heat")


def _cell(value: float | None) -> Html:
    if value is None:
        return element("span", NOTHING)
    kind = "up" if value > 0.0 else "down"
    return element("span", f"{value:.2f}", class_=f"month {kind}", style=f"--strength: {abs(value):.2f}")
