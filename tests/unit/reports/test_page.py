"""The page as text: self-contained, escaped, its columns exact, its size bounded. Its looks: tests/page."""

import base64
import hashlib
import json
import re
import zlib
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from engine_alpha.kernel.profit_factor import profit_factor
from engine_alpha.reports.page import page_of
from engine_alpha.reports.page.assets import CHARTS, CHARTS_SHA256, chart_library, page_script
from engine_alpha.reports.page.groups import factor_drawing
from engine_alpha.reports.page.html import Html, element, html
from engine_alpha.reports.page.packing import decimals_of, packed, whole
from engine_alpha.reports.page.thinning import coarse_coins, joined_bars, kept_points
from engine_alpha.reports.run import Run
from engine_alpha.reports.statistics import statistics_of
from tests.unit.reports.runs import HOUR_MS, empty_run, random_run, trade

ASSETS = Path(__file__).resolve().parents[3] / "engine_alpha" / "reports" / "page" / "assets"
WICKED = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'&"
TWELVE = tuple(f"COIN{number}USDT" for number in range(12))


def page(run: Run) -> str:
    return page_of(run, statistics_of(run))


def wicked_run() -> Run:
    """Return a run in which every text that could come from a file is an attack."""
    run = random_run((WICKED, "B"), 300)
    hurt = [replace(one, card=WICKED, regime=WICKED, exit_reason=WICKED) for one in run.trades]
    coins = [replace(coin, blocked={WICKED: 3}, failed={WICKED: 4}) for coin in run.coins]
    return replace(
        run,
        title=WICKED,
        source=WICKED,
        quote_ccy=WICKED,
        trades=tuple(hurt),
        coins=tuple(coins),
        notes=(WICKED,),
        no_decisions=((WICKED, WICKED, 1),),
    )


class Elements(HTMLParser):
    """Collects what a browser would see as elements."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))


def elements(text: str) -> list[tuple[str, dict[str, str | None]]]:
    parser = Elements()
    parser.feed(text)
    return parser.seen


def test_no_name_becomes_markup() -> None:
    seen = elements(page(wicked_run()))
    scripts = [attributes.get("type") for tag, attributes in seen if tag == "script"]
    assert scripts == ["application/json", None, None]
    assert not [tag for tag, _ in seen if tag == "img"]
    assert not [name for _, attributes in seen for name in attributes if name.startswith("on")]


def test_what_the_script_reads_is_json_that_no_name_can_end() -> None:
    text = page(wicked_run()).partition('id="run">')[2].partition("</script>")[0]
    found = json.loads(text)
    assert found["coins"][0]["symbol"] == WICKED and "<" not in text
    trades = json.loads(zlib.decompress(base64.b64decode(found["trades"])))
    assert {row[found["tradeFields"].index("card")] for row in trades} == {WICKED}


def test_the_page_asks_for_nothing() -> None:
    text = page(random_run(("A",), 200))
    sources = [
        (tag, value)
        for tag, attributes in elements(text)
        for name, value in attributes.items()
        if name in ("src", "srcset", "data", "action", "poster") or (name == "href" and tag != "a")
    ]
    assert sources == [("link", "data:,")]
    style = text.partition("<style>")[2].partition("</style>")[0]
    assert "url(" not in style and "@import" not in style
    assert not re.search(r"\b(fetch|XMLHttpRequest|WebSocket|EventSource|sendBeacon)\b", page_script())


def test_the_policy_lets_only_the_pages_own_scripts_run() -> None:
    text = page(empty_run())
    policy = next(
        a["content"] for tag, a in elements(text) if a.get("http-equiv") == "Content-Security-Policy"
    )
    scripts = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    hashes = [base64.b64encode(hashlib.sha256(one.encode()).digest()).decode() for one in scripts]
    assert policy is not None and policy.startswith("default-src 'none'; script-src 'sha256-")
    assert re.findall(r"'sha256-([^']+)'", policy) == hashes and len(hashes) == 2


def test_the_chart_library_is_the_one_whose_hash_and_licence_are_kept() -> None:
    source = (ASSETS / CHARTS).read_bytes()
    assert hashlib.sha256(source).hexdigest() == CHARTS_SHA256
    assert CHARTS_SHA256 in (ASSETS / "vendor" / "README.md").read_text(encoding="utf-8")
    assert "Apache License" in (ASSETS / "vendor" / "lightweight-charts.LICENSE").read_text(encoding="utf-8")
    assert "</script" not in chart_library() + page_script()
    foot = page(empty_run()).partition("<footer>")[2]
    assert "TradingView Lightweight Charts™, Copyright (c) 2026 TradingView, Inc." in foot
    assert 'href="https://www.tradingview.com/"' in foot


def test_simulated_prices_are_marked_in_title_and_banner() -> None:
    run = random_run(("A",), 200)
    assert "SIMULATED" not in page(run).partition('<script type="application/json"')[0]
    marked = page(replace(run, simulated=True))
    assert "<title>[SIM] random walks" in marked and "SIMULATED PRICES</strong>" in marked


def test_what_to_beware_of_is_told_before_the_charts() -> None:
    run = replace(
        random_run(("A",), 24 * 30),
        funding_unknown_bars=7,
        no_decisions=(("A", "stale", 4),),
        notes=("prices are odd",),
    )
    told = page(run).partition('id="equity"')[0]
    for words in (
        "interval is wider than shown",
        "Sharpe, Sortino and Calmar are of 30 days",
        "counted as 0 on 7 bars",
        "A: no decision on 4 bars: stale",
        "prices are odd",
    ):
        assert words in told
    assert "the profit factor is unknown" in page(empty_run())


def test_a_thousand_reasons_for_missing_decisions_are_cut_short() -> None:
    many = tuple((f"C{number}USDT", "stale", 1) for number in range(1_000))
    text = page(empty_run(no_decisions=many))
    assert text.count("no decision on 1 bar: stale") == 12 and "And 988 reasons more" in text


def test_an_empty_run_has_a_page_without_charts_of_coins() -> None:
    text = page(empty_run())
    assert 'id="coin-chart"' not in text and 'id="trade-table"' not in text
    assert "No card fired on any bar" in text


def test_html_escapes_text_but_not_html() -> None:
    made = element("td", "<b>", Html("<i>x</i>"), class_='a"b', data_days=3, hidden=None)
    assert made == '<td class="a&quot;b" data-days="3">&lt;b&gt;<i>x</i></td>'
    assert html(html("&")) == "&amp;"


def test_a_profit_factor_is_drawn_in_its_colour_and_inside_its_place() -> None:
    sure, luck, bad = [3.0, 2.5] * 30 + [-1.0] * 20, [1.0, -1.0] * 5, [1.0] * 20 + [-3.0] * 40
    for nets, colour in ((sure, "up"), (luck, ""), (bad, "down")):
        assert f'class="interval {colour}"' in factor_drawing(profit_factor(nets), 10.0)
    for nets in ([], [1.0], [-1.0], [1e9, -1e-9], [1e-9, -1e9]):
        places = re.findall(r'(?:cx|x1|x2)="([\d.]+)%"', factor_drawing(profit_factor(nets), 2.0))
        assert all(0.0 <= float(place) <= 100.0 for place in places)


def unpacked(text: str, kinds: str, rows: int) -> list[NDArray[Any]]:
    """Return the columns that `packed` wrote: "n" numbers, "c" codes; independent of it and of unpack.js."""
    content, at, columns = zlib.decompress(base64.b64decode(text)), 0, []
    for kind in kinds:
        if kind == "c":
            columns.append(np.frombuffer(content, np.int8, rows, at))
            at += rows
            continue
        planes = np.frombuffer(content, np.uint8, 4 * rows, at).reshape(4, rows).astype(np.int64)
        zigzag = planes[0] + (planes[1] << 8) + (planes[2] << 16) + (planes[3] << 24)
        columns.append(np.cumsum(np.where(zigzag % 2, -(zigzag + 1) // 2, zigzag // 2)))
        at += 4 * rows
    assert at == len(content)
    return columns


@given(st.lists(st.integers(-(2**29), 2**29), max_size=50), st.lists(st.integers(-128, 127), max_size=50))
def test_packed_columns_come_back_exactly(numbers: list[int], codes: list[int]) -> None:
    rows = min(len(numbers), len(codes))
    first, second = np.array(numbers[:rows], np.int64), np.array(codes[:rows], np.int8)
    back = unpacked(packed([first, second, first]), "ncn", rows)
    assert [column.tolist() for column in back] == [first.tolist(), second.tolist(), first.tolist()]


@given(st.lists(st.integers(1, 10**8), min_size=1, max_size=30), st.integers(0, 8))
def test_prices_on_a_grid_keep_all_their_digits(ticks: list[int], decimals: int) -> None:
    prices = np.array([tick / 10**decimals for tick in ticks])
    found = decimals_of(prices)
    assert found <= decimals
    assert [float(f"{one}e{-found}") for one in whole(prices, found).tolist()] == prices.tolist()


@pytest.mark.parametrize("price", [1 / 3, 61_234.123456789, 1e-4 / 3, 7e11, 0.0])
def test_a_price_off_every_grid_keeps_eight_digits_and_fits(price: float) -> None:
    prices = np.array([price, price * 1.5])
    scaled = whole(prices, decimals_of(prices))
    assert np.abs(scaled).max() <= 2**29
    assert scaled * 10.0 ** -decimals_of(prices) == pytest.approx(prices, rel=1e-7, abs=1e-10)


def test_a_year_of_twelve_coins_is_no_more_than_three_megabytes() -> None:
    assert len(page(random_run(TWELVE, 8_760)).encode()) < 3_000_000


def test_a_long_run_is_joined_to_fewer_bars_and_the_page_says_so() -> None:
    coin = random_run(("A",), 1_000).coins[0]
    (joined,) = coarse_coins((coin,), most=400)
    assert len(joined.open_ms) <= 400 and joined.timeframe_ms == 3 * HOUR_MS
    assert joined.high.max() == coin.high.max() and joined.low.min() == coin.low.min()
    assert joined.close[-1] == coin.close[-1] and joined.open[0] == coin.open[0]
    run = random_run(("A",), 1_000)
    times = np.arange(500_000) * 60_000
    long = replace(
        coin,
        timeframe_ms=60_000,
        open_ms=times,
        **{name: np.resize(getattr(coin, name), 500_000) for name in ("open", "high", "low", "close")},
        **{name: np.resize(getattr(coin, name), 500_000) for name in ("regime", "side", "equity_quote")},
    )
    assert "joined to 2 min at least" in page(replace(run, coins=(long,)))


@given(st.integers(1, 40), st.integers(1, 12), st.sets(st.integers(0, 59), max_size=30))
def test_joined_bars_hold_the_extremes_and_leave_holes(bars: int, factor: int, missing: set[int]) -> None:
    coin = random_run(("A",), 60).coins[0]
    kept = np.array([bar not in missing for bar in range(60)])
    names = ("open_ms", "open", "high", "low", "close", "regime", "side", "equity_quote")
    part = replace(coin, **{name: getattr(coin, name)[kept][:bars] for name in names})
    joined = joined_bars(part, factor)
    groups = part.open_ms // (factor * HOUR_MS)
    assert (joined.open_ms // (factor * HOUR_MS)).tolist() == sorted(set(groups.tolist()))
    for place, group in enumerate(sorted(set(groups.tolist()))):
        inside = groups == group
        assert joined.high[place] == part.high[inside].max() and joined.low[place] == part.low[inside].min()
        assert joined.open[place] == part.open[inside][0] and joined.close[place] == part.close[inside][-1]


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=400), st.integers(9, 60))
def test_thinning_a_curve_keeps_its_ends_and_extremes(values: list[float], most: int) -> None:
    equity = np.array(values)
    kept = kept_points(equity, most)
    assert len(kept) <= most + 3 and kept[-1] == len(values) - 1
    assert equity[kept].max() == equity.max() and equity[kept].min() == equity.min()
    assert sorted(set(kept.tolist())) == kept.tolist()


def test_only_the_newest_trades_are_in_a_page_that_would_grow_without_end() -> None:
    many = tuple(trade(exit_ms=HOUR_MS * number) for number in range(10_050))
    text = page(empty_run(trades=many))
    assert "the newest 10,000 of 10,050" in text
    found = json.loads(text.partition('id="run">')[2].partition("</script>")[0])
    rows = json.loads(zlib.decompress(base64.b64decode(found["trades"])))
    assert len(rows) == 10_000 and rows[0][found["tradeFields"].index("exit_ms")] == 50 * HOUR_MS
