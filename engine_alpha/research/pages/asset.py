"""The page of one coin and night: plain words, the change, what to expect, all tests, every fold."""

import json
from collections.abc import Iterable

from engine_alpha.reports.page.html import Html, element, joined
from engine_alpha.reports.page.parts import section, table
from engine_alpha.reports.research import (
    ALONE_WORDS,
    Fields,
    expected_of,
    expected_words,
    factor_of,
    mean_words,
    settings_words,
)
from engine_alpha.reports.words import NOTHING, factor_value, interval
from engine_alpha.research.pages.cells import calibration_part, edge_part
from engine_alpha.research.pages.drift import CoinDrift
from engine_alpha.research.pages.nights import KeptNight
from engine_alpha.research.pages.plots import curves
from engine_alpha.research.pages.shell import (
    drawn,
    explained,
    listed,
    page,
    paragraphs,
    reach_of,
    scale_words,
    tests_part,
)

ALL = "all cards"


def asset_page(night: KeptNight, symbol: str, drift: CoinDrift | None) -> str:
    """Return the page of one coin; `drift` is None where there was no night before."""
    found = night.asset(symbol)
    return page(
        f"{symbol}, night of {night.night}",
        _head(night, found),
        section("In short", paragraphs(_first_words(found)), _changes(found), id_="short"),
        _beware(found),
        _effect(night.document, found),
        _tests(found),
        _alone(found),
        _folds(found),
        edge_part(found["edge"]),
        calibration_part(found["calibration"]),
        _drift(drift),
        _parameters(found),
    )


def _head(night: KeptNight, found: Fields) -> Html:
    history = found["history"]
    facts = (
        f"night of {night.night}",
        f"{history['venue']} bars, {history['from'][:10]} to {history['to'][:10]}",
        f"by Chloe {found['engine_version']}",
    )
    links = [("all coins", "index.html")] + [(name, f"{name}.html") for name in night.assets]
    links.append((f"{found['symbol']}.json", f"{found['symbol']}.json"))
    return element(
        "header",
        element("h1", f"Research on {found['symbol']}"),
        element("p", " · ".join(facts), class_="facts"),
        element("nav", *(element("a", text, href=place) for text, place in links)),
    )


def _first_words(found: Fields) -> Iterable[str]:
    yield f"{found['words']}."
    if found["adopt"] is None:
        yield "There is nothing to adopt. What the coin trades now it goes on trading."
    else:
        yield joined(
            "Nothing changes by itself, unless research.json lets paper adopt. To adopt, after reading on: ",
            element("code", found["adopt"]),
        )
        yield joined("Going back: ", element("code", f"chloe research revert {found['symbol']}"))


def _changes(found: Fields) -> Html:
    if not found["changes"]:
        return Html("")
    return joined(element("h3", "What would change"), listed(found["changes"]))


def _beware(found: Fields) -> Html:
    lines = ([found["fault"]] if found["fault"] else []) + found["notes"]
    if not lines:
        return Html("")
    return element("section", element("h2", "Notes on the data"), listed(lines), class_="cautions")


def _effect(night: Fields, found: Fields) -> Html:
    """Return the coin's own results beside what to expect, card by card, on one scale."""
    proposed = {card["card"] for card in found["cards"]}
    rows = [
        (card["card"], card["card"] in proposed, factor_of(coin["factor"]), coin["expected"])
        for card in night["cards"]
        for coin in card["coins"]
        if coin["symbol"] == found["symbol"]
    ]
    if found["expected"] is not None:
        rows.append(("what is proposed", True, factor_of(found["factor"]), found["expected"]))
    if not rows:
        return Html("")
    if found["as_shipped"] is not None:
        rows.append(("cards as their files say", False, factor_of(found["as_shipped"]), None))
    reach = reach_of([*(row[2] for row in rows), *(expected_of(row[3]) for row in rows if row[3])])
    body = [
        [
            name,
            "yes" if is_proposed else NOTHING,
            f"{own.trades:,}",
            factor_value(own),
            interval(own),
            drawn(own, reach),
            expected_words(expected),
            drawn(expected_of(expected), reach) if expected else "",
            mean_words(expected) if expected else NOTHING,
        ]
        for name, is_proposed, own, expected in rows
    ]
    heads = [
        *("card", "proposed", explained("trades"), explained("PF"), explained("interval"), "own"),
        *(explained("to expect"), "drawn towards all coins", explained("R", "R a trade to expect")),
    ]
    return section(
        "What to expect",
        table(heads, body, class_="numbers factors"),
        about=scale_words(reach),
        id_="effect",
    )


def _tests(found: Fields) -> Html:
    if not found["tests"]:
        return section("Tests", element("p", "There was no choice to test."), id_="tests")
    failed = sum(not test["passed"] for test in found["tests"])
    told = "All of them pass." if not failed else f"{failed} of {len(found['tests'])} did not pass."
    told += " A card is proposed only if all of its own pass."
    return section("Tests", tests_part(found["tests"]), about=told, id_="tests")


def _alone(found: Fields) -> Html:
    if not found["alone"]:
        return Html("")
    return section("If it were the only coin", tests_part(found["alone"]), about=ALONE_WORDS, id_="alone")


def _folds(found: Fields) -> Html:
    folds = found["folds"]
    if not folds:
        return Html("")
    cards = list(dict.fromkeys(fold["card"] for fold in folds))
    ends = list(dict.fromkeys(fold["to"][:10] for fold in folds))
    series = {card: [fold["net_r"] for fold in folds if fold["card"] == card] for card in cards}
    series = {card: values for card, values in series.items() if any(values)}
    if len(series) != 1:
        whole = [sum(fold["net_r"] for fold in folds if fold["to"][:10] == end) for end in ends]
        series = {ALL: whole} | series
    return section(
        "Walk-forward, fold by fold",
        curves("net R of all trades so far, by fold", ends, series),
        element("details", element("summary", "every fold and card"), _fold_table(folds)),
        about=joined(
            "Net R of all trades so far, costs in. What was traded in a ",
            explained("fold"),
            " had been chosen on what lies before it, so nothing here knew its own future.",
        ),
        id_="folds",
    )


def _fold_table(folds: Iterable[Fields]) -> Html:
    rows = []
    for fold in folds:
        made = factor_of(fold["factor"])
        rows.append(
            [
                fold["from"][:10],
                fold["to"][:10],
                fold["chosen_before"][:10],
                fold["card"],
                settings_words(fold["values"]),
                f"{made.trades:,}",
                factor_value(made) if made.trades else NOTHING,
                interval(made),
                f"{fold['net_r']:+.2f}" if made.trades else NOTHING,
            ]
        )
    heads = ["from", "to", "chosen on what is before", "card", "chosen", explained("trades")]
    heads += [explained("PF"), explained("interval"), "net R"]
    return table(heads, rows, class_="numbers")


def _drift(drift: CoinDrift | None) -> Html:
    if drift is None:
        return Html("")
    verdict = f"verdict {drift.was}, as before" if drift.was == drift.now else f"{drift.was} → {drift.now}"
    trades = f"{drift.trades_added:+,} out-of-sample trades of all cards"
    return section("Since the last night", listed([verdict, trades, *drift.moved]), id_="drift")


def _parameters(found: Fields) -> Html:
    if found["parameters"] is None:
        return Html("")
    text = json.dumps(found["parameters"], indent=2, ensure_ascii=False)
    return section(
        "What adopting writes",
        element("details", element("summary", "the parameter set"), element("pre", text)),
        about=f"config/parameters/{found['symbol']}.json, with a version of its own; the one before is kept.",
        id_="parameters",
    )
