"""Pages of research as a reader meets them: in light, dark and on a phone, without a script or a request."""

import asyncio
from pathlib import Path

import pytest

from engine_alpha.research.pages.nights import night_before, night_in
from engine_alpha.research.pages.writing import write_pages
from tests.page.browser import Tab
from tests.unit.research.pages.documents import (
    BEFORE,
    asset_document,
    night_document,
    usual_night,
    write_night,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

WICKED = "</title></style><script>document.title='owned'</script><img src=x onerror=document.title='owned'>"
PLACES = (
    "[...document.querySelectorAll('.plot circle, .plot text, .factor circle')]"
    ".map((one) => one.getBoundingClientRect()).filter((box) => box.width)"
)


def drawn(folder: Path) -> list[Path]:
    night = night_in(folder)
    return list(write_pages(night, night_before(folder.parent.parent, night.night)))


async def opened(tab: Tab, page: Path, dark: bool = False, phone: bool = False) -> None:
    """Open a page and forget what was said before."""
    tab.said.clear()
    tab.asked.clear()
    await tab.open(page, width=390 if phone else 1280, dark=dark, phone=phone)


@pytest.mark.parametrize(("dark", "phone"), [(False, False), (True, False), (False, True)])
async def test_every_page_is_shown_without_a_word_or_a_request(
    tab: Tab, tmp_path: Path, dark: bool, phone: bool
) -> None:
    usual_night(tmp_path, BEFORE)
    for page in drawn(usual_night(tmp_path)):
        await opened(tab, page, dark, phone)
        assert tab.said == [] and tab.asked == [page.as_uri()]
        assert await tab.run("document.documentElement.scrollWidth <= innerWidth"), page
        background = await tab.run("getComputedStyle(document.body).backgroundColor")
        assert (sum(map(int, background[4:-1].split(","))) < 200) == dark
        assert await tab.run(f"{PLACES}.length") > 0


async def test_the_curve_has_a_colour_and_a_place(tab: Tab, tmp_path: Path) -> None:
    await opened(tab, drawn(usual_night(tmp_path))[1])
    strokes = await tab.run(
        "[...document.querySelectorAll('#folds polyline')].map((one) => getComputedStyle(one).stroke)"
    )
    assert len(strokes) == 3 and len(set(strokes)) == 3 and "none" not in strokes
    fills = await tab.run("[...document.querySelectorAll('.swatch')].map((one) => one.textContent)")
    assert fills == ["all cards +5.62 R", "momentum-long +4.12 R", "range-dip +1.50 R"]


async def test_a_link_leads_to_the_coin_and_back(tab: Tab, tmp_path: Path) -> None:
    pages = drawn(usual_night(tmp_path))
    await opened(tab, pages[0])
    await tab.run("document.querySelector('#coins a').click()")
    for _ in range(100):
        if await tab.run("document.title.startsWith('ETHUSDT')"):
            break
        await asyncio.sleep(0.05)
    assert await tab.run("location.href") == pages[1].as_uri()
    assert await tab.run("document.querySelector('nav a').href") == pages[0].as_uri()


async def test_no_name_runs_as_script_in_a_browser(tab: Tab, tmp_path: Path) -> None:
    night = night_document(notes=[WICKED], faults={"XRPUSDT": WICKED})
    night["cards"][0]["card"] = WICKED
    coin = asset_document("ETHUSDT", notes=[WICKED], words=WICKED, adopt=WICKED)
    coin["folds"][0]["card"] = coin["tests"][0]["name"] = coin["cards"][0]["card"] = WICKED
    folder = write_night(tmp_path, night, [coin, asset_document("BTCUSDT")])
    for page in drawn(folder):
        await opened(tab, page)
        assert "owned" not in (await tab.run("document.title")).split("·")[0]
        assert await tab.run("document.images.length") == 0
        assert await tab.run("document.scripts.length") == 0
