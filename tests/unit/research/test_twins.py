"""A twin is the history itself without its direction, and nothing of it may depend on the venue's tick."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from engine_alpha.research.null_rate import Twin, request_of
from engine_alpha.research.search.procedure import Request
from engine_alpha.store.shelf import open_shelf
from tests.unit.research.search.markets import a_market, a_request

COARSE = "0.1"
"""A tick that a coin of some hundred quote would have after it fell from thousands."""


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Request:
    found = a_request(a_market(), tmp_path_factory.mktemp("market") / "home")
    coarse = {
        venue: {symbol: replace(each, tick_quote=COARSE) for symbol, each in contracts.items()}
        for venue, contracts in found.setup.instruments.items()
    }
    return replace(found, setup=replace(found.setup, instruments=coarse, made={}))


@pytest.mark.parametrize("number", [0, 7])
def test_a_twin_keeps_the_size_of_each_move_and_loses_its_direction(
    real: Request, number: int, tmp_path: Path
) -> None:
    twin = request_of(Twin(number=number, setup=real.setup, history=real.history, terms=real.terms), tmp_path)
    for symbol in real.history.symbols:
        was = open_shelf(real.history.data).bars(real.history.venue, symbol, "1h")
        now = open_shelf(twin.history.data).bars(twin.history.venue, symbol, "1h")
        assert was is not None and now is not None and now.open_ms.tolist() == was.open_ms[1:].tolist()
        moves, there = was.close[2:] / was.close[1:-1] - 1.0, now.close[1:] / now.close[:-1] - 1.0
        assert np.abs(there) == pytest.approx(np.abs(moves), abs=1e-6)
        assert 0.3 < np.mean(np.sign(there) == np.sign(moves)) < 0.7


def test_a_twin_is_played_on_ticks_as_fine_as_its_prices(real: Request, tmp_path: Path) -> None:
    twin = request_of(Twin(number=1, setup=real.setup, history=real.history, terms=real.terms), tmp_path)
    venue = twin.setup.registry.assets[0].venue
    for symbol in twin.history.symbols:
        bars = open_shelf(twin.history.data).bars(twin.history.venue, symbol, "1h")
        assert bars is not None
        tick = Decimal(twin.setup.instruments[venue][symbol].tick_quote)
        assert tick == Decimal(COARSE).scaleb(-4)
        assert float(tick) / float(bars.low.min()) < 1e-4
        closes = [Decimal(f"{price:.8f}").normalize() for price in bars.close[:200].tolist()]
        assert all(price % tick == 0 for price in closes)
