"""Profit factors of coins, cards and regimes, each with its interval as a bar; costs; months."""

import math
from collections.abc import Mapping
from typing import Final

from engine_alpha.kernel.profit_factor import ProfitFactor
from engine_alpha.reports.backtest import signed_percent
from engine_alpha.reports.page.html import Html, element, joined
from engine_alpha.reports.page.parts import (
    DOWN,
    LEVEL,
    UP,
    bar,
    dot,
    drawing,
    line,
    section,
    signed,
    table,
    term,
    upright,
)
from engine_alpha.reports.statistics import Statistics, TradeStatistics
from engine_alpha.reports.terms import REGIME_WORDS
from engine_alpha.reports.words import factor_value, gain, interval, multiple_of_risk, percent

WIDEST: Final = 10.0  # profit factors from 1/10 to 10 have a place on the scale
NARROWEST: Final = 2.0
MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

Groups = Mapping[str, TradeStatistics]


def factors(found: Statistics) -> Html:
    """Return the three tables of profit factors, all on one scale."""
    reach = _reach([*found.per_coin.values(), *found.per_card.values(), found.whole])
    regimes = {REGIME_WORDS.get(name, name): group for name, group in found.per_regime.items()}
    about = joined(
        "The bar is the ",
        term("95 % interval"),
        " of the ",
        term("PF", "profit factor"),
        ", the dot its value, the line 1: neither profit nor loss. ",
        element("span", "Green", class_=UP),
        " lies wholly above 1, ",
        element("span", "red", class_=DOWN),
        " wholly below; grey may be luck. ",
        f"The scale is logarithmic, from 1/{reach:.0f} to {reach:.0f}.",
    )
    return section(
        "Profit factors",
        _table("coin", found.per_coin, found, reach),
        _table("card", found.per_card, found, reach) if found.per_card else "",
        _table("regime", regimes, found, reach),
        about=about,
        id_="factors",
    )


def _reach(groups: list[TradeStatistics]) -> float:
    """Return the largest factor on the scale: a round one that holds most intervals."""
    values = [value for group in groups for value in (group.net.low, group.net.high) if value]
    farthest = max((abs(math.log(value)) for value in values), default=0.0)
    return float(min(WIDEST, max(NARROWEST, math.ceil(math.exp(min(farthest, 5.0))))))


def _table(by: str, groups: Groups, found: Statistics, reach: float) -> Html:
    with_exposure = by == "coin"
    heads = [
        term(by) if by != "coin" else by,
        term("trades"),
        term("PF"),
        "",
        term("95 % interval", "interval"),
        term("PF gross"),
        term("won"),
        term("R", "R a trade"),
        term("net"),
        term("fees"),
        term("slippage"),
        term("funding"),
    ]
    rows = [_row(name, group, reach) for name, group in groups.items()]
    rows.append(_row("all", found.whole, reach))
    if with_exposure:
        heads.append(term("in market"))
        shares = [percent(found.exposure_per_coin.get(name), 0) for name in groups]
        shares.append(percent(found.account.exposure_frac, 0))
        rows = [[*row, share] for row, share in zip(rows, shares, strict=True)]
    return table(heads, rows, class_="numbers factors", total=True)


def _row(name: str, group: TradeStatistics, reach: float) -> list[str]:
    return [
        name,
        f"{group.trades:,}",
        factor_value(group.net),
        factor_drawing(group.net, reach),
        interval(group.net),
        factor_value(group.gross),
        percent(group.net.win_frac, 0),
        multiple_of_risk(group.expectancy_r),
        signed(gain(group.net_quote)),
        gain(-group.fees_quote),
        gain(-group.slippage_quote),
        gain(group.funding_quote),
    ]


def factor_drawing(found: ProfitFactor, reach: float) -> Html:
    """Return a profit factor as a dot and its interval as a bar; 1 is in the middle of the scale."""
    shapes = [upright(50.0, "one")]
    kind = _kind(found)
    if found.low is not None and found.high is not None:
        shapes.append(line(_place(found.low, reach), _place(found.high, reach), "50%", f"interval {kind}"))
    if found.value is not None:
        shapes.append(dot(_place(found.value, reach), f"value {kind}"))
    label = f"profit factor {factor_value(found)}, interval {interval(found)}"
    return drawing(label, *shapes, class_="factor")


def _kind(found: ProfitFactor) -> str:
    if found.low is not None and found.low > 1.0:
        return UP
    if found.high is not None and found.high < 1.0:
        return DOWN
    return LEVEL


def _place(value: float, reach: float) -> float:
    """Return a factor's place on the scale in percent; what lies beyond stands at the edge."""
    if value <= 0.0:
        return 1.0
    place = math.log(value) / math.log(reach) if math.isfinite(value) else 1.0
    return 50.0 + 49.0 * max(-1.0, min(1.0, place))


def costs(found: Statistics) -> Html:
    """Return how the result before costs becomes the net one, step by step."""
    whole = found.whole
    steps = [
        ("before costs", whole.before_costs_quote),
        ("slippage", -whole.slippage_quote),
        ("fees", -whole.fees_quote),
        ("funding", whole.funding_quote),
    ]
    spans, level = [], 0.0
    for name, amount in steps:
        spans.append((name, level, level + amount))
        level += amount
    spans.append(("net", 0.0, whole.net_quote))
    low = min(0.0, *(min(start, end) for _, start, end in spans))
    high = max(0.0, *(max(start, end) for _, start, end in spans))
    width = (high - low) or 1.0
    rows = [
        [
            term(name),
            signed(gain(end - start)),
            _cost_drawing(name, ((start - low) / width, (end - low) / width, -low / width)),
            _share(end - start, whole.before_costs_quote) if name != "before costs" else "",
        ]
        for name, start, end in spans
    ]
    shared = "of the result before costs" if whole.before_costs_quote > 0.0 else ""
    heads = ["closed trades", "amount", "", shared]
    return section(
        "What costs took",
        table(heads, rows, class_="numbers costs", total=True),
        about="Each step begins where the one above it ended.",
    )


def _cost_drawing(name: str, places: tuple[float, float, float]) -> Html:
    start, end, zero = (1.0 + 98.0 * place for place in places)
    kind = UP if end >= start else DOWN
    return drawing(name, upright(zero, "one"), bar(start, end, kind), class_="cost")


def _share(amount: float, whole: float) -> str:
    return percent(amount / whole, 0) if whole > 0.0 else ""


def months(found: Statistics) -> Html:
    """Return the account's return per month, one row a year; nothing for less than two months."""
    returns = dict(found.account.months)
    if len(returns) < 2:
        return Html("")
    largest = max(abs(value) for value in returns.values()) or 1.0
    years = sorted({month[:4] for month in returns})
    rows = []
    for year in years:
        of_year = [returns.get(f"{year}-{place:02}") for place in range(1, 13)]
        whole = math.prod(1.0 + part for part in of_year if part is not None) - 1.0
        rows.append([year, *(_month(part, largest) for part in of_year), signed(signed_percent(whole))])
    return section(
        "Month by month",
        table(["", *MONTHS, "year"], rows, class_="numbers months"),
        about="The account's return, open positions at their last close. The first and the last month may be"
        " parts of one.",
    )


def _month(part: float | None, largest: float) -> Html:
    if part is None:
        return Html("")
    text = signed_percent(part)
    kind = {"+": UP, "-": DOWN}.get(text[0], LEVEL)
    strength = f"--strength: {abs(part) / largest:.2f}"
    return element("span", text, class_=f"month {kind}", style=strength)
