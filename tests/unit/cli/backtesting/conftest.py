"""A folder of generated candles and a home whose one card enters at every chance."""

from pathlib import Path

import pytest

from engine_alpha.home import init_home
from tests.parity.stored import store
from tests.unit.cli.backtesting.scenes import pair
from tests.unit.cli.conftest import make_eager


@pytest.fixture(autouse=True)
def no_cache_of_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep generated columns out of the developer's cache; machine code stays where it was at import."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with hours and funding of two coins, three months from before START_MS."""
    return store(tmp_path_factory.mktemp("stored") / "data", pair())


@pytest.fixture
def eager(tmp_path: Path) -> Path:
    """Return a home whose one card enters at every chance."""
    path = tmp_path / "home"
    init_home(path)
    make_eager(path)
    return path
