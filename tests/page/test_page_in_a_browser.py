"""The page as a reader meets it: drawn by a headless Chromium in light, dark and on a phone."""

import asyncio
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine_alpha.kernel.codes import REGIMES
from engine_alpha.reports.page import page_of
from engine_alpha.reports.run import Run
from engine_alpha.reports.statistics import statistics_of
from engine_alpha.reports.terms import REGIME_WORDS
from engine_alpha.reports.words import gain
from engine_alpha.times import minute
from tests.page.browser import Tab
from tests.unit.reports.runs import FROM_MS, HOUR_MS, empty_run, random_run

pytestmark = pytest.mark.asyncio(loop_scope="module")

WICKED = "</script><script>document.title='owned'</script><img src=x onerror=document.title='owned'>"
TEXTS = "(place) => [...place.children].map((one) => one.textContent)"
COLUMNS = f"({TEXTS})(document.querySelector('.trades thead tr'))"
ROWS = f"[...document.querySelectorAll('.trades tbody tr')].map({TEXTS})"


@pytest.fixture(scope="module")
def run() -> Run:
    return random_run(("ETHUSDT", "BTCUSDT"), 24 * 90)


async def opened(tab: Tab, run: Run, path: Path, dark: bool = False, phone: bool = False) -> None:
    """Open a run's page and forget what was said before."""
    file = path / "page.html"
    file.write_text(page_of(run, statistics_of(run)), encoding="utf-8")
    tab.said.clear()
    tab.asked.clear()
    await tab.open(file, width=390 if phone else 1280, dark=dark, phone=phone)


async def text_of(tab: Tab, id_: str) -> str:
    await tab.settle()
    return str(await tab.run(f"document.getElementById('{id_}').textContent"))


@pytest.mark.parametrize(("dark", "phone"), [(False, False), (True, False), (False, True)])
async def test_the_page_draws_itself_without_a_word_or_a_request(
    tab: Tab, run: Run, tmp_path: Path, dark: bool, phone: bool
) -> None:
    await opened(tab, run, tmp_path, dark, phone)
    assert tab.said == []
    assert tab.asked == [(tmp_path / "page.html").as_uri()]
    drawn = await tab.run(
        "['equity', 'coin'].map((id) => document.querySelectorAll(`#${id}-chart canvas`).length)"
    )
    assert all(canvases > 0 for canvases in drawn)
    assert await tab.run("document.documentElement.scrollWidth <= innerWidth")
    background = await tab.run("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, background[4:-1].split(","))) < 200) == dark


async def test_no_name_runs_as_script_in_a_browser(tab: Tab, tmp_path: Path) -> None:
    run = random_run((WICKED, "B"), 400)
    hurt = tuple(replace(one, card=WICKED, exit_reason=WICKED) for one in run.trades)
    await opened(tab, replace(run, title=WICKED, trades=hurt, notes=(WICKED,)), tmp_path)
    assert await tab.run("document.title") == f"{WICKED} · Chloe"
    assert await tab.run("document.images.length") == 0
    assert await tab.run("document.getElementById('coin-choice').value") == WICKED
    assert tab.said == []


async def test_the_browser_reads_the_numbers_that_were_packed(tab: Tab, run: Run, tmp_path: Path) -> None:
    await opened(tab, run, tmp_path)
    found = await text_of(tab, "equity-legend")
    assert minute(run.to_ms) in found and f"{run.equity_quote[-1]:,.2f} USDT" in found
    for coin in run.coins:
        for frame in ("1 h", "1 d"):
            await choose(tab, "frame-choice", f"{frame} candles")
            await choose(tab, "coin-choice", coin.symbol)
            bars = 1 if frame == "1 h" else 24
            shown = await text_of(tab, "coin-legend")
            for name, value in (
                ("open", coin.open[-bars]),
                ("high", coin.high[-bars:].max()),
                ("low", coin.low[-bars:].min()),
                ("close", coin.close[-1]),
                ("regime", REGIME_WORDS[REGIMES[coin.regime[-1]]]),
            ):
                told = value if isinstance(value, str) else f"{value:.2f}"
                assert f"{name} {told}" in shown


async def choose(tab: Tab, id_: str, text: str) -> None:
    """Choose an option by its text, as a reader does."""
    await tab.run(
        f"(() => {{ const list = document.getElementById('{id_}');"
        f" list.selectedIndex = [...list.options].findIndex((option) => option.text === '{text}');"
        " list.dispatchEvent(new Event('change')); })()"
    )
    for _ in range(4):  # reading a coin takes a few turns
        await tab.settle()


async def test_the_table_of_trades_sorts_both_ways_by_a_column(tab: Tab, run: Run, tmp_path: Path) -> None:
    await opened(tab, run, tmp_path)
    newest = await tab.run(ROWS)
    entered = sorted((one.entry_ms for one in run.trades), reverse=True)
    assert [row[2] for row in newest] == [minute(at) for at in entered[:100]]
    names = await tab.run(COLUMNS)
    place = names.index("net")
    nets = sorted(one.net_quote for one in run.trades)
    for expected in (nets[::-1], nets):
        await tab.run(f"document.querySelectorAll('.trades th button')[{place}].click()")
        assert [row[place] for row in await tab.run(ROWS)] == [gain(net) for net in expected][:100]
    for column in range(len(names)):
        await tab.run(f"document.querySelectorAll('.trades th button')[{column}].click()")
        sort = await tab.run(f"document.querySelectorAll('.trades th')[{column}].ariaSort")
        assert sort in ("ascending", "descending")
    assert tab.said == []


async def test_filters_show_their_trades_and_what_these_earned(tab: Tab, run: Run, tmp_path: Path) -> None:
    await opened(tab, run, tmp_path)
    await tab.run(
        "(() => { const [coins, sides] = document.querySelectorAll('#trade-filters select');"
        " coins.value = 'BTCUSDT'; coins.dispatchEvent(new Event('change'));"
        " sides.value = 'short'; sides.dispatchEvent(new Event('change')); })()"
    )
    kept = [one for one in run.trades if one.symbol == "BTCUSDT" and one.side < 0]
    told = await tab.run("document.querySelector('#trade-filters .label').textContent")
    assert told == f"{len(kept)} of {len(run.trades)} trades, net {gain(sum(one.net_quote for one in kept))}"
    assert {(row[0], row[1]) for row in await tab.run(ROWS)} == {("BTCUSDT", "short")}


async def test_a_click_on_a_trade_shows_it_on_its_candles(tab: Tab, run: Run, tmp_path: Path) -> None:
    await opened(tab, run, tmp_path)
    last = max((one for one in run.trades if one.symbol == "BTCUSDT"), key=lambda one: one.entry_ms)
    at = [row[0] for row in await tab.run(ROWS)].index("BTCUSDT")
    await tab.run(f"document.querySelectorAll('.trades tbody tr')[{at}].click()")
    for _ in range(4):
        await tab.settle()
    assert await tab.run("document.getElementById('coin-choice').value") == "BTCUSDT"
    told = await text_of(tab, "coin-legend")
    assert f"net {gain(last.net_quote)} USDT" in told and f"card {last.card}" in told
    await tab.run("document.getElementById('trade-before').click()")
    before = sorted((one for one in run.trades if one.symbol == "BTCUSDT"), key=lambda one: one.exit_ms)[-2]
    assert f"net {gain(before.net_quote)} USDT" in await text_of(tab, "coin-legend")


async def test_a_long_stretch_of_time_is_shown_in_longer_candles(tab: Tab, run: Run, tmp_path: Path) -> None:
    await opened(tab, run, tmp_path)
    for days, frames in ((7, ("1 h",)), (0, ("6 h", "12 h"))):
        await tab.run(f"document.querySelector('[data-days=\"{days}\"]').click()")
        told = await text_of(tab, "coin-legend")
        assert any(f"UTC, {frame}" in told for frame in frames)


async def test_the_wheel_zooms_after_a_click_and_candles_follow(tab: Tab, run: Run, tmp_path: Path) -> None:
    await opened(tab, run, tmp_path)
    await tab.run("document.querySelector('[data-days=\"0\"]').click()")
    await tab.run("document.getElementById('coin-chart').scrollIntoView()")
    x, y = await tab.run(
        "(() => { const box = document.getElementById('coin-chart').getBoundingClientRect();"
        " return [box.x + box.width / 2, box.y + 100]; })()"
    )
    before = await text_of(tab, "coin-legend")
    for kind in ("mousePressed", "mouseReleased"):
        await tab.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)
    for _ in range(40):
        await tab.call("Input.dispatchMouseEvent", type="mouseWheel", x=x, y=y, deltaX=0, deltaY=-120)
    await asyncio.sleep(0.5)  # candles follow once the zooming has stopped
    assert "UTC, 1 h" in await text_of(tab, "coin-legend") and "UTC, 1 h" not in before
    assert tab.said == []


async def test_coins_with_closes_alone_are_drawn_as_a_line(tab: Tab, run: Run, tmp_path: Path) -> None:
    unknown = np.full(len(run.coins[0].close), np.nan)
    coin = replace(run.coins[0], open=unknown, high=unknown, low=unknown)
    half = replace(run.coins[1], open=np.where(np.arange(len(unknown)) % 2, run.coins[1].open, np.nan))
    await opened(tab, replace(run, coins=(coin, half)), tmp_path)
    told = await text_of(tab, "coin-legend")
    assert f"close {coin.close[-1]:.2f}" in told and "open" not in told
    await choose(tab, "coin-choice", "BTCUSDT")
    assert "open" in await text_of(tab, "coin-legend")
    assert tab.said == []


@pytest.mark.parametrize("bars", [0, 1, 2])
async def test_a_run_of_hardly_anything_is_drawn_too(tab: Tab, tmp_path: Path, bars: int) -> None:
    times = FROM_MS + HOUR_MS * np.arange(1, bars + 1)
    coins = random_run(("ETHUSDT",), bars).coins if bars else ()
    run = empty_run(
        to_ms=FROM_MS + max(bars, 1) * HOUR_MS,
        times_ms=times,
        equity_quote=np.full(bars, 10_000.0),
        notional_quote=np.zeros(bars),
        coins=coins,
        simulated=True,
    )
    await opened(tab, run, tmp_path)
    assert "10,000.00 USDT" in await text_of(tab, "equity-legend")
    assert tab.said == []


async def test_a_term_tells_what_it_means_when_it_is_tapped(tab: Tab, run: Run, tmp_path: Path) -> None:
    await opened(tab, run, tmp_path, phone=True)
    titles = await tab.run("[...document.querySelectorAll('.term')].map((one) => one.title)")
    assert len(titles) > 20 and all(titles)
    await tab.run("document.querySelector('.term').focus()")
    shown = await tab.run("getComputedStyle(document.querySelector('.term'), '::after').content")
    assert titles[0] in shown
    assert await tab.run("document.documentElement.scrollWidth <= innerWidth")
