"""What a night of research found, as words and tables, made from its JSON documents alone."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

from engine_alpha.kernel.profit_factor import ProfitFactor
from engine_alpha.reports.table import Table, columns
from engine_alpha.reports.terms import REGIME_WORDS
from engine_alpha.reports.words import (
    NOTHING,
    UNKNOWN,
    count,
    factor_value,
    interval,
    multiple_of_risk,
    percent,
)

Fields = Mapping[str, Any]

PASSED, FAILED = "✓", "✗"
TEST_TITLES: Final = {
    "trades": "trades",
    "psr": "PSR",
    "dsr": "DSR",
    "together_psr": "PSR, all together",
    "together_dsr": "DSR, all together",
    "pbo": "PBO, at a loss",
    "neighbours": "neighbours",
    "own_edge": "own edge",
    "null_rate": "null rate",
    "alone_psr": "PSR, this coin alone",
    "alone_dsr": "DSR, this coin alone",
    "alone_pbo": "PBO at a loss, this coin alone",
}
MOST_COINS: Final = 6
"""So many coins are named in a sentence."""
ALONE_WORDS: Final = (
    "What all coins are judged by together, of this coin alone. It decides nothing: one coin has too few "
    "trades to show much, which is why coins are judged together."
)


def factor_of(fields: Fields) -> ProfitFactor:
    """Return a document's profit factor; documents do not hold the gross amounts, they are 0 here."""
    value = math.inf if fields["no_losses"] else fields["value"]
    return ProfitFactor(value, fields["trades"], fields["low"], fields["high"], 0.0, 0.0, fields["win_frac"])


def expected_of(estimate: Fields) -> ProfitFactor:
    """Return what to expect, shrunk towards all coins, as a profit factor with its interval."""
    found = tuple(estimate[name] for name in ("factor", "factor_low", "factor_high"))
    return ProfitFactor(found[0], estimate["trades"], found[1], found[2], 0.0, 0.0, None)


def expected_words(estimate: Fields | None) -> str:
    """Return what to expect with its interval: 1.31 (1.10 – 1.56); unknown where too few trades say it."""
    if estimate is None or estimate["factor"] is None:
        return UNKNOWN
    found = expected_of(estimate)
    return f"{factor_value(found)} ({interval(found)})"


def shipped_words(each: Fields) -> str:
    """Return what the cards as their files say made in the same folds: PF (n)."""
    shipped = each["as_shipped"]
    return NOTHING if shipped is None else f"{factor_value(factor_of(shipped))} ({shipped['trades']:,})"


def mean_words(estimate: Fields) -> str:
    """Return the mean R to expect with its interval."""
    if estimate["mean_r"] is None:
        return UNKNOWN
    low, high = multiple_of_risk(estimate["mean_r_low"]), multiple_of_risk(estimate["mean_r_high"])
    return f"{multiple_of_risk(estimate['mean_r'])} ({low} – {high})"


def test_title(name: str) -> str:
    """Return a test's name as people read it, its card before it where it has one."""
    card, colon, test = name.rpartition(":")
    return f"{card}{colon} {TEST_TITLES.get(test, test)}" if colon else TEST_TITLES.get(test, test)


def figure(test: Fields, value: float | None) -> str:
    """Return a value of a test: a count without decimals, any other with three."""
    if value is None:
        return UNKNOWN
    return f"{value:,.0f}" if test["limit"] >= 2.0 else f"{value:.3f}"


def seen_words(test: Fields) -> str:
    """Return the mark of a test and what was seen: ✓ 0.991."""
    return f"{PASSED if test['passed'] else FAILED} {figure(test, test['seen'])}"


def limit_words(test: Fields) -> str:
    """Return what a test asks for: ≥ 0.950, or ≤ where the limit is the most."""
    return f"{'≤' if test['is_most'] else '≥'} {figure(test, test['limit'])}"


def settings_words(values: Fields | None) -> str:
    """Return a card's values as they are written; a card that is not traded has none."""
    if values is None:
        return "not traded"
    return ", ".join(f"{name} {value_words(value)}" for name, value in values.items())


def value_words(value: Any) -> str:
    """Return a value as it is typed into a file."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return f"{value:g}" if isinstance(value, int | float) else str(value)


def first_words(night: Fields) -> list[str]:
    """Return the night in plain words: what is proposed, how sure that is, what to do."""
    passing = [each for each in night["assets"] if each["passes"]]
    lines = [_proposed(night, passing), *(f"{each['words']}." for each in passing)]
    lines.append(null_words(night["null_rate"]))
    if night["trials"] is not None:
        lines.append(trial_words(night["trials"]))
    if passing:
        commands = " or ".join(each["adopt"] for each in passing[:MOST_COINS])
        lines.append(
            "Nothing changes by itself, unless research.json lets paper adopt. To adopt, look at the coin's "
            f"page first, then: {commands}. Going back is one command: chloe research revert SYMBOL."
        )
    else:
        lines.append("There is nothing to do. What a coin trades now it goes on trading.")
    return lines


def _proposed(night: Fields, passing: Sequence[Fields]) -> str:
    looked_at, faults = len(night["symbols"]), night["faults"]
    failed = (
        f" {count(len(faults), 'coin')} could not be looked at: {_named(list(faults))}." if faults else ""
    )
    if not passing:
        return f"Nothing is proposed: the evidence suffices for none of {count(looked_at, 'coin')}.{failed}"
    names = _named([each["symbol"] for each in passing])
    return f"Proposals for {len(passing)} of {count(looked_at, 'coin')} pass every test: {names}.{failed}"


def _named(symbols: Sequence[str]) -> str:
    shown = ", ".join(symbols[:MOST_COINS])
    return f"{shown} and {len(symbols) - MOST_COINS} more" if len(symbols) > MOST_COINS else shown


def trial_words(trials: Fields) -> str:
    """Return how often it was tried, which is what the tests deflate by."""
    return (
        f"{count(trials['tonight'], 'trial')} tonight count as {trials['effective']:.1f} independent ones; "
        f"{count(trials['ever'], 'trial')} of these cards on these coins were ever run, so that "
        f"{trials['counted']:.1f} are what luck was given."
    )


def null_words(null_rate: Fields) -> str:
    """Return how often the whole procedure fires where there is no edge, which is how far to trust it."""
    twins, fired = null_rate["twins"], null_rate["fired"]
    if not twins:
        return "How often the procedure fires on markets without an edge is not known yet."
    low, high = percent(null_rate["low"]), percent(null_rate["high"])
    figures = f" ({percent(null_rate['value'])}; 95 % interval {low} – {high})"
    too_few = null_rate["words"].partition("; ")[2]  # so many twins so far
    verdict = "it passes" if null_rate["passed"] else f"it does not pass{too_few and f' ({too_few})'}"
    gate = f"{percent(null_rate['limit'])} is asked for: {verdict}"
    return (
        f"On {count(twins, 'market')} made of these prices without their trends, where any proposal is a "
        f"false alarm, the whole procedure proposed something on {fired:,}{figures}. At most {gate}."
    )


def coins_table(night: Fields, assets: Mapping[str, Fields]) -> Table:
    """Return one row a coin: what is proposed, what it made out of sample, what to expect.

    "as files say" is what the cards as their files say made in the same folds.
    `assets` are the coins' own documents; a row does without one that is missing.
    """
    heads = columns(
        *("coin", "verdict", ">n", ">PF", ">95 % interval", ">as files say"),
        *(">to expect", ">R a trade", "cards"),
    )
    rows = [_coin_row(each, night["faults"], assets.get(each["symbol"])) for each in night["assets"]]
    return Table(columns=heads, rows=tuple(rows))


def _coin_row(each: Fields, faults: Mapping[str, str], asset: Fields | None) -> tuple[str, ...]:
    if each["symbol"] in faults:
        return (each["symbol"], "refused", *[NOTHING] * 6, faults[each["symbol"]])
    cards = ", ".join(card["card"] for card in asset["cards"]) if asset else ""
    mark = f"{PASSED} trade" if each["passes"] else each["verdict"]
    if each["factor"] is None or not each["factor"]["trades"]:
        return (each["symbol"], mark, *[NOTHING] * 3, shipped_words(each), *[NOTHING] * 2, cards or NOTHING)
    found, expected = factor_of(each["factor"]), each["expected"]
    return (
        each["symbol"],
        mark,
        f"{found.trades:,}",
        factor_value(found),
        interval(found),
        shipped_words(each),
        expected_words(expected),
        NOTHING if expected is None else mean_words(expected),
        cards or NOTHING,
    )


def cards_table(night: Fields) -> Table:
    """Return one row a card, all coins together: PF out of sample, and every test with what was seen."""
    names = test_names(night)
    heads = ("card", ">n", ">PF", ">95 % interval", ">Sharpe", *(test_title(name) for name in names))
    return Table(columns=columns(*heads), rows=tuple(_card_row(card, names) for card in night["cards"]))


def test_names(night: Fields) -> list[str]:
    """Return the names of all tests of the night's cards, each once, in their order."""
    return list(dict.fromkeys(test["name"] for card in night["cards"] for test in card["tests"]))


def _card_row(card: Fields, names: Sequence[str]) -> tuple[str, ...]:
    found, tests = factor_of(card["factor"]), {test["name"]: test for test in card["tests"]}
    cells = [seen_words(tests[name]) if name in tests else NOTHING for name in names]
    figures = (f"{found.trades:,}", factor_value(found), interval(found), f"{card['sharpe']:.2f}")
    return (card["card"], *figures, *cells)


def tests_table(tests: Sequence[Fields]) -> Table:
    """Return one row a test: what was seen, what is asked for, what it means."""
    return Table(
        columns=columns("test", "seen", "asked", "which is"),
        rows=tuple(
            (test_title(test["name"]), seen_words(test), limit_words(test), test["words"]) for test in tests
        ),
    )


def folds_table(folds: Sequence[Fields]) -> Table:
    """Return one row a fold and card that was traded in it."""
    rows = [
        (
            fold["from"][:10],
            fold["to"][:10],
            fold["card"],
            f"{fold['factor']['trades']:,}",
            factor_value(factor_of(fold["factor"])) if fold["factor"]["trades"] else NOTHING,
            f"{fold['net_r']:+.2f}" if fold["factor"]["trades"] else NOTHING,
            settings_words(fold["values"]),
        )
        for fold in folds
        if fold["values"] is not None
    ]
    return Table(columns=columns("from", "to", "card", ">n", ">PF", ">net R", "chosen"), rows=tuple(rows))


def regime_words(name: str) -> str:
    """Return a regime as people read it."""
    return REGIME_WORDS.get(name, name)


def nights_table(nights: Sequence[Fields]) -> Table:
    """Return one row a night, from its document."""
    rows = [
        (
            night["night"],
            f"{len(night['symbols']):,}",
            f"{sum(each['passes'] for each in night['assets']):,}",
            f"{len(night['faults']):,}" if night["faults"] else NOTHING,
            f"{night['trials']['tonight']:,}" if night["trials"] else NOTHING,
            f"{night['history']['from'][:10]} – {night['history']['to'][:10]}",
            f"{night['seconds']:,.0f} s",
            _named([each["symbol"] for each in night["assets"] if each["passes"]]) or NOTHING,
        )
        for night in nights
    ]
    heads = ("night", ">coins", ">pass", ">faults", ">trials", "history", ">took", "proposed")
    return Table(columns=columns(*heads), rows=tuple(rows))
