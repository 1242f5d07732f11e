"""Datasets of real candles: night by night as at once, and trades that are those of a plain backtest."""

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("numba", reason="numba is absent: the backtest extra is not installed")

from engine_alpha.backtest.request import Overrides
from engine_alpha.backtest.run import run
from engine_alpha.home import Home, init_home
from engine_alpha.plans.history import History
from engine_alpha.plans.setup import read_setup
from engine_alpha.research.dataset.extending import extend
from engine_alpha.research.dataset.reading import Dataset
from engine_alpha.times import parse_iso
from tests.unit.loop.runs import ROOMY, set_risk

FROM_MS, TO_MS = parse_iso("2022-01-01"), parse_iso("2023-01-01")


def a_default_home(path: Path) -> Home:
    init_home(path)
    return Home(path)


def built(home: Home, shared_data: Path, symbol: str, to_ms: int) -> Dataset:
    wanted = History(data=shared_data, venue="BINANCEUM", symbols=(symbol,), from_ms=FROM_MS, to_ms=to_ms)
    return extend(home, read_setup(home), wanted)


@pytest.mark.parametrize("symbol", ["ETHUSDT", "MATICUSDT"])
def test_a_year_in_nights_is_a_year_at_once(tmp_path: Path, shared_data: Path, symbol: str) -> None:
    home = a_default_home(tmp_path / "home")
    random = np.random.default_rng(len(symbol))
    cuts = np.sort(random.integers(FROM_MS, TO_MS, 5)).tolist()
    for cut in [*cuts, TO_MS]:
        found = built(home, shared_data, symbol, int(cut))
        assert found.night.rebuilt is None
    at_once = built(a_default_home(tmp_path / "other"), shared_data, symbol, TO_MS)
    assert found.manifest is not None and at_once.manifest is not None
    assert found.manifest.content_sha256 == at_once.manifest.content_sha256
    assert found.bars().equals(at_once.bars()) and found.trades().equals(at_once.trades())
    assert len(found.bars()) == 365 * 24 - 337 and len(found.trades()) > 20


def test_trades_are_those_of_each_card_backtested_alone(tmp_path: Path, shared_data: Path) -> None:
    """With the real account's money, compounding, and the cards' own sizes: R does not know of them."""
    home = a_default_home(tmp_path / "home")
    trades = built(home, shared_data, "ETHUSDT", TO_MS).trades()
    set_risk(home, **ROOMY)
    compared = 0
    for path in sorted(home.cards.glob("*.json")):
        cards = tmp_path / path.stem
        cards.mkdir()
        card = json.loads(path.read_text(encoding="utf-8")) | {"status": "active"}
        card["scope"]["symbols"] = []  # a dataset has every card, whatever its scope says of the coin
        (cards / path.name).write_text(json.dumps(card), encoding="utf-8")
        history = History(
            data=shared_data, venue="BINANCEUM", symbols=("ETHUSDT",), from_ms=FROM_MS, to_ms=TO_MS
        )
        alone = run(home, history, Overrides(cards=cards), records=False).trades
        mine = trades.filter(trades["card"] == path.stem)
        own = {row["entry_ms"]: row for row in mine.iter_rows(named=True)}
        for trade in alone:
            row = own[trade.entry_ms]
            assert (row["exit_ms"], row["exit_reason"]) == (trade.exit_ms, trade.exit_reason)
            assert row["r"] == pytest.approx(trade.r, rel=1e-9, abs=1e-12)
            assert row["confidence"] == trade.confidence == abs(row["score"])
            compared += 1
        assert len(mine) == len(alone)
    assert compared == len(trades) > 15
