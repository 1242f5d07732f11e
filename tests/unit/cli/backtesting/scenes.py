"""Candles, arguments and changed configuration for tests of `chloe backtest`."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from engine_alpha.domain.bars import Bars
from tests.makers import HOUR_MS
from tests.parity.stored import series
from tests.unit.cli.conftest import Run
from tests.unit.loop.runs import START_MS

ROOT = Path(__file__).resolve().parents[4]
PAIR = ("ETHUSDT", "BTCUSDT")
STORED_BARS, BARS_BEFORE = 2_400, 1_500
ORIGINAL_CACHE = {name: value for name, value in os.environ.items() if name == "XDG_CACHE_HOME"}
"""The cache that this process began with: machine code is there."""


def pair() -> dict[str, Bars]:
    return series(PAIR, bars=STORED_BARS, before=BARS_BEFORE)


def asked(
    data: Path, home: Path, first: int = 0, hours: int = 60, symbols: str = "ETHUSDT,BTCUSDT"
) -> list[str]:
    """Return the arguments that both `backtest` and `rehearse` take."""
    times = [
        datetime.fromtimestamp((START_MS + hour * HOUR_MS) / 1000, UTC) for hour in (first, first + hours)
    ]
    span = ["--from", times[0].isoformat(), "--to", times[1].isoformat()]
    return ["--data", str(data), "--venue", "bybit", "--symbols", symbols, *span, "--home", str(home)]


def of_json(run: Run, words: list[str], code: int = 0) -> dict[str, Any]:
    result = run(*words, "--json")
    assert result.exit_code == code, result.stderr
    found: dict[str, Any] = json.loads(result.stdout, parse_constant=pytest.fail)
    return found


def change_instrument(home: Path, symbol: str, **changes: Any) -> None:
    """Change what the newest Bybit snapshot says of a coin."""
    path = max((home / "config" / "instruments").glob("bybit_*.json"))
    content = json.loads(path.read_text(encoding="utf-8"))
    content["instruments"][symbol].update(changes)
    path.write_text(json.dumps(content), encoding="utf-8")


def change_card(home: Path, **changes: Any) -> None:
    """Change keys of the eager card."""
    path = home / "config" / "cards" / "eager.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**content, **changes}), encoding="utf-8")


def with_machine_code() -> dict[str, str]:
    """Return an environment with the cache that this process began with, in which machine code is."""
    return {name: value for name, value in os.environ.items() if name != "XDG_CACHE_HOME"} | ORIGINAL_CACHE
