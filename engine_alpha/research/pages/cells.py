"""Where one coin's cards have an edge, and whether its confidence means what it says."""

from collections.abc import Iterable, Sequence

from engine_alpha.kernel.profit_factor import ProfitFactor
from engine_alpha.reports.page.html import Html, element, joined
from engine_alpha.reports.page.parts import section, table
from engine_alpha.reports.research import Fields, regime_words
from engine_alpha.reports.words import NOTHING, count, factor_value, interval, multiple_of_risk, percent
from engine_alpha.research.pages.plots import reliability_plot
from engine_alpha.research.pages.shell import drawn, explained, listed, reach_of, scale_words
from engine_alpha.times import minute

ANY = "any"


def edge_part(cells: Sequence[Fields]) -> Html:
    """Return the edge by card and regime, and folded up by band of confidence; nothing for no cells."""
    if not cells:
        return Html("")
    reach = reach_of(_factor(cell) for cell in cells)
    whole = [cell for cell in cells if cell["band"] is None and (cell["regime"] is None or _says(cell))]
    banded = [cell for cell in cells if cell["band"] is not None and _says(cell)]
    folded = element(
        "details",
        element("summary", f"by band of confidence, {count(len(banded), 'cell')}"),
        _cells(banded, reach),
    )
    return section(
        "Where the edge is",
        _cells(whole, reach),
        folded if banded else "",
        about=joined(
            "Every trade that the cards as they are would have made, net of all costs, in ",
            explained("R"),
            ". The mean is drawn towards that of all coins in the same cell as far as the coin's own is "
            "unsure: 0 % own weight means that all coins speak for it. A regime in which no coin traded the "
            "card has no row. ",
            scale_words(reach),
        ),
        id_="edge",
    )


def _says(cell: Fields) -> bool:
    """Say whether anything is known of a cell: trades of its own, or what all coins stand in with."""
    return bool(cell["trades"]) or cell["shrunk_r"] is not None


def _cells(cells: Iterable[Fields], reach: float) -> Html:
    heads = [
        *("card", "regime", "confidence", explained("trades"), "days", "mean R", "95 % interval"),
        *("bootstrap", explained("PF"), explained("interval"), "", "mean R drawn", "95 % interval"),
        *("own weight", "note"),
    ]
    return table(heads, [_cell_row(cell, reach) for cell in cells], class_="numbers factors said-last")


def _cell_row(cell: Fields, reach: float) -> list[str]:
    found = _factor(cell)
    return [
        cell["card"],
        ANY if cell["regime"] is None else regime_words(cell["regime"]),
        cell["band"] or ANY,
        f"{cell['trades']:,}",
        f"{cell['days']:,}",
        multiple_of_risk(cell["mean_r"]),
        _span(cell, "mean_low", "mean_high"),
        _span(cell, "mean_drawn_low", "mean_drawn_high"),
        factor_value(found) if found.trades else NOTHING,
        interval(found),
        drawn(found, reach),
        multiple_of_risk(cell["shrunk_r"]),
        _span(cell, "shrunk_low", "shrunk_high"),
        percent(cell["own_weight"], 0),
        cell["words"],
    ]


def _factor(cell: Fields) -> ProfitFactor:
    value = float("inf") if cell["no_losses"] else cell["factor"]
    spread = cell["factor_low"], cell["factor_high"]
    return ProfitFactor(value, cell["trades"], *spread, 0.0, 0.0, cell["win_frac"])


def _span(cell: Fields, low: str, high: str) -> str:
    if cell[low] is None or cell[high] is None:
        return NOTHING
    return f"{multiple_of_risk(cell[low])} – {multiple_of_risk(cell[high])}"


def calibration_part(found: Fields | None) -> Html:
    """Return how far confidence is the chance of a trade to win; nothing where it was not looked at."""
    if found is None:
        return Html("")
    judged, fit = found["judged"], found["fit"]
    lines = [found["words"]]
    if fit is not None:
        lines.append(
            f"fitted on {count(fit['trades_own'], 'trade')} of its own and {fit['trades_others']:,} of other "
            f"coins, {fit['others_weight']:g} each, all over by {minute(fit['end_ms'])}; "
            f"{percent(fit['won_frac'])} of them were won"
        )
    if judged is not None:
        lines.append(_judged_words(judged))
    about = "The curve was fitted on earlier trades than those it is judged on."
    if judged is not None:
        about += (
            " Each dot is a part of the later trades: how often they were said to win, and how often they "
            "did. On the dashed line confidence means what it says."
        )
    return section(
        "Does confidence mean what it says?",
        listed(lines),
        _reliability(judged["bins"]) if judged is not None else "",
        _curve(found["rows"]) if found["rows"] else "",
        about=about,
        id_="calibration",
    )


def _judged_words(judged: Fields) -> str:
    skill = judged["skill"]
    against = [_skill(skill["against_fit"]), _skill(skill["against_test"])]
    return (
        f"judged on {count(judged['trades'], 'later trade')}, {percent(judged['won_frac'])} of them won: "
        f"Brier score {skill['brier']:.4f}; skill against the share won before {against[0]}, against that of "
        f"the judged trades {against[1]}; calibration error {percent(judged['calibration_error'])}"
    )


def _skill(value: float | None) -> str:
    return NOTHING if value is None else f"{value:+.3f}"


def _reliability(bins: Sequence[Fields]) -> Html:
    rows = [[f"{each['trades']:,}", percent(each["said_frac"]), percent(each["won_frac"])] for each in bins]
    plot = reliability_plot([(each["trades"], each["said_frac"], each["won_frac"]) for each in bins])
    shown = table(["trades", "said to win", "won"], rows, class_="numbers")
    return joined(plot, element("details", element("summary", "the dots as numbers"), shown))


def _curve(rows: Sequence[Sequence[float]]) -> Html:
    body = [[f"{score:.3f}", percent(chance)] for score, chance in rows]
    shown = table(["|score|", "chance to win"], body, class_="numbers")
    return element("details", element("summary", "the curve"), shown)
