"""The page of a whole night: plain words, every coin, every card with its tests, what changed."""

from collections.abc import Sequence

from engine_alpha.reports.page.html import Html, element, joined
from engine_alpha.reports.page.parts import section, table, tile
from engine_alpha.reports.research import (
    Fields,
    expected_of,
    expected_words,
    factor_of,
    figure,
    first_words,
    limit_words,
    mean_words,
    null_words,
    test_names,
    test_title,
    trial_words,
)
from engine_alpha.reports.words import NOTHING, UNKNOWN, count, factor_value, interval, percent
from engine_alpha.research.pages.drift import Drift, drift_words
from engine_alpha.research.pages.nights import KeptNight
from engine_alpha.research.pages.plots import heat_map
from engine_alpha.research.pages.shell import (
    drawn,
    explained,
    listed,
    mark,
    page,
    paragraphs,
    reach_of,
    scale_words,
    tests_part,
    verdict_mark,
)


def overview_page(night: KeptNight, drift: Drift | None) -> str:
    """Return the page of a night; `drift` is None where there was no night before."""
    document = night.document
    return page(
        f"Research, night of {night.night}",
        _head(night),
        section("In short", paragraphs(first_words(document)), id_="short"),
        _tiles(document),
        _beware(night),
        _coins(night),
        _cards(document),
        _luck(document),
        _correlation(document),
        _drift(drift),
    )


def _head(night: KeptNight) -> Html:
    found = night.document
    history = found["history"]
    facts = (
        f"{history['venue']} bars, {history['from'][:10]} to {history['to'][:10]}",
        count(len(found["symbols"]), "coin"),
        f"made at {found['at']}, in {found['seconds']:,.0f} s with {found['peak_mib']:,.0f} MiB",
        f"by Chloe {found['engine_version']}",
    )
    links = [element("a", symbol, href=f"{symbol}.html") for symbol in night.assets]
    return element(
        "header",
        element("h1", f"Research, night of {night.night}"),
        element("p", " · ".join(facts), class_="facts"),
        element("nav", *links, element("a", "night.json", href="night.json")),
    )


def _tiles(found: Fields) -> Html:
    passing = sum(each["passes"] for each in found["assets"])
    cards = sum(card["passes"] for card in found["cards"])
    null, trials, pbo = found["null_rate"], found["trials"], found["overfitting"]
    return element(
        "div",
        tile("Proposals that pass", f"{passing} of {len(found['symbols'])}", "coins"),
        tile("Cards that pass", f"{cards} of {len(found['cards'])}", "as such, all coins together"),
        tile(
            explained("null rate", "Null rate"),
            percent(null["value"]),
            f"{null['fired']:,} of {count(null['twins'], 'market')} without an edge",
        ),
        tile(
            explained("PBO", "Overfitting"),
            UNKNOWN if pbo is None else figure(pbo, pbo["seen"]),
            "" if pbo is None else f"{limit_words(pbo)} is asked for",
        ),
        tile(
            "Trials counted",
            NOTHING if trials is None else f"{trials['counted']:,.1f}",
            "" if trials is None else f"independent ones; {count(trials['ever'], 'trial')} ever",
        ),
        class_="tiles",
    )


def _beware(night: KeptNight) -> Html:
    found = night.document
    lines = [f"{symbol} was left out: {why}" for symbol, why in found["faults"].items()]
    lines += [*found["notes"], *night.broken.values()]
    if not lines:
        return Html("")
    return element("section", element("h2", "Before you believe it"), listed(lines), class_="cautions")


def _coins(night: KeptNight) -> Html:
    rows = night.document["assets"]
    shown = [factor_of(each["factor"]) for each in rows if each["factor"]]
    shown += [expected_of(each["expected"]) for each in rows if each["expected"]]
    reach = reach_of(shown)
    others = [each["words"] for each in rows if not each["passes"]]
    heads = [
        *("coin", "verdict", "cards", explained("trades"), explained("PF"), explained("interval")),
        *("", explained("to expect"), "", explained("R", "R a trade to expect")),
    ]
    body = [_coin_row(each, night.assets.get(each["symbol"]), reach) for each in rows]
    return section(
        "Coins",
        table(heads, body, class_="numbers factors"),
        listed(others) if others else "",
        about=scale_words(reach),
        id_="coins",
    )


def _coin_row(each: Fields, asset: Fields | None, reach: float) -> list[str]:
    name = each["symbol"] if asset is None else element("a", each["symbol"], href=f"{each['symbol']}.html")
    cards = ", ".join(card["card"] for card in asset["cards"]) if asset else ""
    start = [name, verdict_mark(each["passes"], each["verdict"]), cards or NOTHING]
    if each["factor"] is None or not each["factor"]["trades"]:
        return [*start, NOTHING, NOTHING, NOTHING, "", NOTHING, "", NOTHING]
    found, expected = factor_of(each["factor"]), each["expected"]
    made = [f"{found.trades:,}", factor_value(found), interval(found), drawn(found, reach)]
    if expected is None:
        return [*start, *made, NOTHING, "", NOTHING]
    to_expect = [expected_words(expected), drawn(expected_of(expected), reach), mean_words(expected)]
    return [*start, *made, *to_expect]


def _cards(found: Fields) -> Html:
    names = test_names(found)
    reach = reach_of(factor_of(card["factor"]) for card in found["cards"])
    heads = [
        *("card", "verdict", explained("trades"), explained("PF"), "", explained("interval")),
        *(explained("Sharpe"), *(_test_head(name) for name in names)),
        *(explained("MinTRL"), explained("SPA", "SPA p")),
    ]
    rows = [_card_row(card, names, reach) for card in found["cards"]]
    details = [_card_details(card) for card in found["cards"]]
    return section(
        "Cards",
        table(heads, rows, class_="numbers factors"),
        *details,
        about=joined(
            "All coins together, out of sample. A card has to pass every test with ✓; MinTRL (days) and SPA "
            "stand beside them. ",
            scale_words(reach),
        ),
        id_="cards",
    )


def _test_head(name: str) -> Html:
    known = {"psr": "PSR", "dsr": "DSR", "pbo": "PBO", "trades": "trades"}
    word = known.get(name.removeprefix("together_"))
    return joined(test_title(name)) if word is None else explained(word, test_title(name))


def _card_row(card: Fields, names: Sequence[str], reach: float) -> list[str]:
    found, tests = factor_of(card["factor"]), {test["name"]: test for test in card["tests"]}
    days, chance = card["track_record_days"], card["snooping_p"]
    return [
        card["card"],
        verdict_mark(card["passes"], "passes" if card["passes"] else "does not pass"),
        f"{found.trades:,}",
        factor_value(found),
        drawn(found, reach),
        interval(found),
        f"{card['sharpe']:.2f}",
        *(
            joined(mark(tests[name]), element("small", limit_words(tests[name])))
            if name in tests
            else NOTHING
            for name in names
        ),
        NOTHING if days is None else f"{days:,.0f}",
        NOTHING if chance is None else f"{chance:.3f}",
    ]


def _card_details(card: Fields) -> Html:
    shown = [factor_of(coin["factor"]) for coin in card["coins"]]
    reach = reach_of([*shown, *(expected_of(coin["expected"]) for coin in card["coins"])])
    heads = [
        *("coin", explained("trades"), explained("PF"), explained("interval"), ""),
        *(explained("to expect"), "", explained("R", "R a trade to expect"), "own edge"),
    ]
    rows = [
        [
            coin["symbol"],
            f"{own.trades:,}",
            factor_value(own),
            interval(own),
            drawn(own, reach),
            expected_words(coin["expected"]),
            drawn(expected_of(coin["expected"]), reach),
            mean_words(coin["expected"]),
            joined(mark(coin["edge"]), element("small", limit_words(coin["edge"]))),
        ]
        for coin, own in zip(card["coins"], shown, strict=True)
    ]
    return element(
        "details",
        element("summary", f"{card['card']}: its tests in words, and coin by coin"),
        tests_part(card["tests"]),
        table(heads, rows, class_="numbers factors"),
    )


def _luck(found: Fields) -> Html:
    lines = [null_words(found["null_rate"])]
    if found["trials"] is not None:
        lines.append(trial_words(found["trials"]))
    tests = [*found["together"], *([] if found["overfitting"] is None else [found["overfitting"]])]
    return section(
        "How much luck explains",
        listed(lines),
        tests_part(tests) if tests else "",
        about="The best of many tries looks good without any edge; these figures say how good.",
        id_="luck",
    )


def _correlation(found: Fields) -> Html:
    pairs = found["correlation"]
    if len(pairs["symbols"]) < 2:
        return Html("")
    return section(
        "Do the coins' edges come together?",
        heat_map(pairs["symbols"], pairs["values"]),
        about="Correlation of the coins' daily out-of-sample results. Near 1 two coins win and lose on the "
        "same days, so that holding both spreads little. A dash: a coin that never traded.",
        id_="correlation",
    )


def _drift(drift: Drift | None) -> Html:
    if drift is None:
        return section(
            "Since the last night", element("p", "There is no night before this one."), id_="drift"
        )
    rows = [
        [
            coin.symbol,
            coin.was if coin.was == coin.now else joined(f"{coin.was} → ", element("strong", coin.now)),
            f"{coin.trades_added:+,}" if coin.trades_added else "0",
            "; ".join(coin.moved) or NOTHING,
        ]
        for coin in drift.coins
    ]
    return section(
        "Since the last night",
        element("p", drift_words(drift)),
        table(["coin", "verdict", "trades added", "what moved"], rows, class_="numbers moved"),
        listed(drift.cards) if drift.cards else "",
        about="Figures that jump from night to night are not to be trusted: one night adds one day.",
        id_="drift",
    )
