"""`chloe research show`: a night in words first, then in tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from engine_alpha.cli.options import chosen_home, examples, home_option, json_option, wants_json
from engine_alpha.cli.output import remark, show, show_json

if TYPE_CHECKING:
    from engine_alpha.reports.table import Table
    from engine_alpha.research.pages.drift import CoinDrift, Drift
    from engine_alpha.research.pages.nights import KeptNight

SOME_FAILED = 3


@click.command(
    "show",
    epilog=examples(
        "chloe research show                            the last night, all coins",
        "chloe research show ETHUSDT                    one coin: every test, every fold",
        "chloe research show --night 2026-11-28 --json | jq '.assets[] | select(.passes) | .symbol'",
    )
    + "\n\n\b\nExit codes: 0 shown; 3 some coins could not be looked at; 2 there is no such night.",
)
@click.argument("symbol", required=False)
@click.option("--night", metavar="DATE", help="Which night. [default: the last one]")
@home_option
@json_option
def show_night(symbol: str | None, night: str | None) -> int:
    """Say what a night of research found, of all coins or of one.

    The same as pages to look at: reports/research/NIGHT/index.html.
    """
    from engine_alpha.research.pages.drift import drift_of
    from engine_alpha.research.pages.nights import night_before, read_night

    home = chosen_home()
    found = read_night(home.reports, night)
    before = night_before(home.reports, found.night)
    drift = None if before is None else drift_of(before, found)
    if symbol is not None:
        return _show_coin(found, symbol, drift)
    if wants_json():
        show_json({**found.document, "drift": _fields(drift)})
    else:
        show(*_night_parts(found, drift))
    for fault in found.broken.values():
        remark(f"chloe: {fault}")
    return SOME_FAILED if found.document["faults"] or found.broken else 0


def _night_parts(found: KeptNight, drift: Drift | None) -> list[Table | str]:
    from engine_alpha.reports.research import cards_table, coins_table, first_words
    from engine_alpha.research.pages.drift import drift_words

    document = found.document
    parts: list[Table | str] = [f"night of {found.night}", "", *first_words(document), ""]
    parts += [coins_table(document, found.assets), ""]
    parts += [f"{each['words']}." for each in document["assets"] if not each["passes"]]
    if document["cards"]:
        parts += ["cards, all coins together:", cards_table(document), ""]
    parts += [f"note: {note}" for note in document["notes"]]
    if drift is not None:
        parts += [drift_words(drift), *_moved(drift.coins), *drift.cards]
    return [*parts, f"pages: {found.folder / 'index.html'}"]


def _moved(coins: tuple[CoinDrift, ...]) -> list[str]:
    return [f"{coin.symbol}: {text}" for coin in coins for text in coin.moved]


def _show_coin(found: KeptNight, symbol: str, drift: Drift | None) -> int:
    asset = found.asset(symbol)
    own = next((coin for coin in drift.coins if coin.symbol == symbol), None) if drift else None
    if wants_json():
        show_json({**asset, "drift": None if own is None else _coin_fields(own)})
    else:
        show(*_coin_parts(found, asset, own, drift))
    return SOME_FAILED if asset["fault"] else 0


def _coin_parts(
    found: KeptNight, asset: dict[str, Any], own: CoinDrift | None, drift: Drift | None
) -> list[Table | str]:
    from engine_alpha.reports.research import ALONE_WORDS, folds_table, tests_table

    parts: list[Table | str] = [f"night of {found.night}", "", f"{asset['words']}."]
    parts += [f"would change: {change}" for change in asset["changes"]]
    if asset["adopt"]:
        parts.append(f"to adopt it: {asset['adopt']}; to go back: chloe research revert {asset['symbol']}")
    parts += [f"note: {note}" for note in asset["notes"]]
    if asset["tests"]:
        parts += ["", "tests:", tests_table(asset["tests"])]
    if asset["alone"]:
        parts += ["", ALONE_WORDS, tests_table(asset["alone"])]
    if any(fold["values"] is not None for fold in asset["folds"]):
        parts += ["", "fold by fold, each chosen on what lies before it:", folds_table(asset["folds"])]
    if own is not None and drift is not None:
        verdict = f"verdict {own.was} → {own.now}" if own.was != own.now else "verdict as before"
        parts += ["", f"since {drift.before}: {verdict}, {own.trades_added:+,} trades", *own.moved]
    return [*parts, "", f"page: {found.folder / asset['symbol']}.html"]


def _fields(drift: Drift | None) -> dict[str, Any] | None:
    if drift is None:
        return None
    coins = [_coin_fields(coin) for coin in drift.coins]
    return {"before": drift.before, "coins": coins, "cards": list(drift.cards)}


def _coin_fields(coin: CoinDrift) -> dict[str, Any]:
    from dataclasses import asdict

    return asdict(coin)
