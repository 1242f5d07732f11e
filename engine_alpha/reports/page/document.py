"""One run as one HTML file that asks for nothing: styles, scripts and numbers are all inside."""

from collections.abc import Sequence
from typing import Final

from engine_alpha import __version__
from engine_alpha.reports.page.assets import chart_library, page_script, script_hash, style_sheet
from engine_alpha.reports.page.blocked import blocked
from engine_alpha.reports.page.drawn import MOST_TRADES, drawn_json
from engine_alpha.reports.page.groups import costs, factors, months
from engine_alpha.reports.page.html import Html, element, empty, joined
from engine_alpha.reports.page.parts import section, term
from engine_alpha.reports.page.summary import cautions, head, tiles
from engine_alpha.reports.page.thinning import coarse_coins
from engine_alpha.reports.run import Run, RunCoin
from engine_alpha.reports.statistics import Statistics
from engine_alpha.reports.words import held

AUTHORS: Final = "https://www.tradingview.com/"


def page_of(run: Run, statistics: Statistics) -> str:
    """Return the page; raise `ConfigError` if the installation lost a part of it."""
    library, script = chart_library(), page_script()
    coins = coarse_coins(run.coins)
    body = element(
        "body",
        element(
            "main",
            head(run),
            tiles(run, statistics),
            cautions(run, statistics),
            _equity(),
            months(statistics),
            factors(statistics),
            costs(statistics),
            _coin(run, coins),
            blocked(run, statistics),
            _trades(run),
        ),
        _foot(),
        element("script", Html(drawn_json(run, coins)), type="application/json", id="run"),
        element("script", Html(library)),
        element("script", Html(script)),
    )
    page = element("html", _document_head(run, (library, script)), body, lang="en")
    return f"<!doctype html>\n{page}\n"


def _document_head(run: Run, scripts: tuple[str, ...]) -> Html:
    hashes = " ".join(f"'{script_hash(source)}'" for source in scripts)
    policy = (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src data:;"
        " base-uri 'none'; form-action 'none'"
    )
    marked = f"[SIM] {run.title}" if run.simulated else run.title
    return element(
        "head",
        empty("meta", charset="utf-8"),
        empty("meta", http_equiv="Content-Security-Policy", content=policy),
        empty("meta", name="viewport", content="width=device-width, initial-scale=1"),
        empty("meta", name="color-scheme", content="light dark"),
        empty("link", rel="icon", href="data:,"),
        element("title", f"{marked} · Chloe"),
        element("style", Html(style_sheet())),
    )


def _equity() -> Html:
    about = joined(
        "Start plus all profit and loss, open positions at their last close. Below it ",
        term("drawdown"),
        ": how far equity stands under its highest point so far.",
    )
    return section(
        "Equity and drawdown",
        element("div", "", id="equity-legend", class_="legend"),
        element("div", _no_script(), id="equity-chart", class_="chart"),
        about=about,
        id_="equity",
    )


def _coin(run: Run, coins: Sequence[RunCoin]) -> Html:
    if not any(len(coin.open_ms) for coin in coins):
        return Html("")
    joined_words = ""
    if coins[0].timeframe_ms != run.coins[0].timeframe_ms:
        span = held(coins[0].timeframe_ms)
        joined_words = f" This run has too many bars for one page: they are joined to {span} at least."
    choices = [
        element("select", id="coin-choice", aria_label="coin"),
        element("select", element("option", "auto", value=""), id="frame-choice", aria_label="candles"),
    ]
    spans = [
        element("button", text, type="button", data_days=days)
        for text, days in (("1 W", 7), ("1 M", 30), ("3 M", 91), ("1 Y", 365), ("all", 0))
    ]
    steps = [
        element("button", text, type="button", id=name, title=title)
        for text, name, title in (
            ("◀ trade", "trade-before", "the trade before"),
            ("trade ▶", "trade-after", "the next trade"),
        )
    ]
    return section(
        "Trades on candles",
        element(
            "div",
            *choices,
            element("span", *spans, class_="spans"),
            element("span", *steps, class_="steps"),
            class_="controls",
        ),
        element("div", "", id="regime-legend", class_="swatches"),
        element("div", "", id="coin-legend", class_="legend"),
        element("div", _no_script(), id="coin-chart", class_="chart tall"),
        about=joined(
            "A triangle is an entry and points the way of the trade, a dot is the exit; the line between is"
            " green for a profit. Behind the candles stands the ",
            term("regime"),
            ", below them the coin's own ",
            term("equity"),
            ". Drag to move, pinch to zoom; click first to zoom with the wheel.",
            joined_words,
        ),
        id_="coin",
    )


def _trades(run: Run) -> Html:
    if not run.trades:
        return Html("")
    more = f"; the newest {MOST_TRADES:,} of {len(run.trades):,}" if len(run.trades) > MOST_TRADES else ""
    return section(
        "Trades",
        element("div", "", id="trade-filters", class_="controls"),
        element("div", _no_script(), id="trade-table", class_="scroll", tabindex=0),
        element("div", "", id="trade-more", class_="controls"),
        about=f"A click on a heading sorts, a click on a row shows the trade on its candles{more}."
        f" Times are UTC, amounts in {run.quote_ccy}.",
        id_="trades",
    )


def _no_script() -> Html:
    return element("p", "This part is drawn by a script, which has not run here.", class_="no-script")


def _foot() -> Html:
    link = element("a", AUTHORS, href=AUTHORS, rel="noopener noreferrer")
    return element(
        "footer",
        element("p", f"Chloe {__version__}. Nothing here is advice, and the past promises nothing."),
        element(
            "p",
            "Charts: TradingView Lightweight Charts™, Copyright (c) 2026 TradingView, Inc., ",
            link,
            ", Apache License 2.0.",
        ),
    )
