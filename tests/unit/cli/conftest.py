"""Homes to run commands in: a fresh one, and one whose eager card has traded simulated prices for a day."""

import json
import logging
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from engine_alpha.cli.root import chloe
from engine_alpha.config.editing import set_enabled, set_value
from engine_alpha.home import init_home
from engine_alpha.loop.wiring import run_tick

Run = Callable[..., Result]

FIRST_HOUR = 14
LAST_NOW = "2025-11-26T10:00:30"
"""Half a minute into the hour after the last bar that the traded home has decided."""

EAGER = {
    "name": "eager",
    "rationale": "Enters on every bar, so that there is something to look at.",
    "source": "A test.",
    "status": "active",
    "scope": {"symbols": [], "regimes": [], "timeframes": [], "direction": "both", "priority": 0},
    "entry": [{"signal": "adx", "at_least": -1000.0}],
    "exits": {"stop": {"atr": 4.0}, "max_hold_bars": 2},
}


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    """Take away what `chloe tick` does to the log of this process."""
    logger = logging.getLogger("chloe")
    before = (list(logger.handlers), logger.level, logger.propagate)
    yield
    logger.handlers[:], logger.level, logger.propagate = before


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a fresh home, which is also $CHLOE_HOME."""
    path = tmp_path / "home"
    init_home(path)
    monkeypatch.setenv("CHLOE_HOME", str(path))
    return path


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Run one command line in this process; $CHLOE_HOME is put back afterwards."""
    monkeypatch.setenv("CHLOE_HOME", str(tmp_path / "home"))

    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(chloe, list(arguments), prog_name="chloe")

    return invoke


@pytest.fixture(scope="session")
def traded_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a home that stepped two coins for 20 hours with a card that always enters."""
    path = tmp_path_factory.mktemp("traded") / "home"
    init_home(path)
    make_eager(path)
    for hour in range(FIRST_HOUR, FIRST_HOUR + 21):
        day, clock = 25 + hour // 24, hour % 24
        run_tick(str(path), now=f"2025-11-{day}T{clock:02}:00:30")
    return path


@pytest.fixture
def traded(traded_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a copy of the traded home, which is also $CHLOE_HOME."""
    path = tmp_path / "home"
    shutil.copytree(traded_template, path)
    monkeypatch.setenv("CHLOE_HOME", str(path))
    return path


def make_eager(path: Path) -> None:
    """Give a home one card that always enters, no threshold, and two coins."""
    for card in (path / "config" / "cards").glob("*.json"):
        card.unlink()
    (path / "config" / "cards" / "eager.json").write_text(json.dumps(EAGER), encoding="utf-8")
    edit(path / "config" / "parameters" / "default.json", neutral_zone=0.0, confidence_min=0.0)
    edit(path / "config" / "risk.json", cooldown_bars=0, cluster_losses=0, drawdown_tighten=0.0, pf_floor=0.0)
    set_enabled(path / "config" / "asset_registry.json", "BTCUSDT", True)


def edit(file: Path, **values: Any) -> None:
    """Change top-level keys of a JSON file."""
    for key, value in values.items():
        set_value(file, key, value)
