"""One browser tab for all tests of pages."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.page.browser import Tab, browser_tab, found_browser


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def tab(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Tab]:
    """Give one tab for all tests of a module; skip them where there is no browser."""
    binary = found_browser()
    if binary is None:
        pytest.skip("no Chromium on this machine; to test the page: apt install chromium")
    async with browser_tab(binary, tmp_path_factory.mktemp("profile")) as opened:
        yield opened
