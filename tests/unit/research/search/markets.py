"""A small made-up market with a strong edge, and a short search over it."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from engine_alpha.config.research import ResearchConfig, read_research
from engine_alpha.domain.bars import Bars
from engine_alpha.home import Home, init_home
from engine_alpha.plans.history import History, history_setup
from engine_alpha.research.markets.homes import written
from engine_alpha.research.markets.market import VENUE, Market, Wanted
from engine_alpha.research.markets.planted import planted
from engine_alpha.research.search.procedure import Request
from engine_alpha.store.months import write_bars

HOURS = 500 * 24
CARDS = {
    "momentum-long": ["entry[0].at_least=0.25,0.5", "exits.stop.range=6,8"],
    "range-breakout": ["exits.stop.range=6,8"],
}


def a_market(strength: float = 0.05, seed: int = 3, number: int = 0) -> Market:
    """Return two coins over 500 days."""
    return planted(Wanted(seed=seed, number=number, coins=2, hours=HOURS), strength)


def terms(cards: Mapping[str, list[str]] = CARDS, **gates: Any) -> ResearchConfig:
    """Return what research.json as shipped asks for, with a short search and other gates."""
    found = read_research(Path(__file__).parents[4] / "config" / "research.json")
    search = found.search.model_copy(update={"cards": dict(cards), "confidence_min": [0.1, 0.2]})
    walk = found.walk_forward.model_copy(update={"folds": 3, "first_train_frac": 0.5})
    return found.model_copy(
        update={"search": search, "walk_forward": walk, "gates": found.gates.model_copy(update=gates)}
    )


def a_request(market: Market, folder: Path, asked: ResearchConfig | None = None) -> Request:
    """Store a market in a home of its own and return what to investigate."""
    home, history = written(market, folder)
    return Request(setup=history_setup(home, history), history=history, terms=asked or terms())


def stored(bars: Mapping[str, Bars], folder: Path, history: History) -> Request:
    """Return the same request over other bars."""
    init_home(folder)
    home = Home(folder)
    for symbol, each in bars.items():
        write_bars(home.data, VENUE, symbol, "1h", each)
    moved = replace(history, data=home.data)
    return Request(setup=history_setup(home, moved), history=moved, terms=terms())


def garbled_after(bars: Bars, at_ms: int, seed: int = 1) -> Bars:
    """Return the bars with all prices from a time on made up anew."""
    late = bars.open_ms >= at_ms
    random = np.random.default_rng(seed)
    step = np.cumprod(1.0 + random.normal(0.0, 0.01, int(late.sum())))
    columns = {}
    for name in ("open", "high", "low", "close"):
        column = getattr(bars, name).copy()
        column[late] = np.round(column[late][0] * step if late.any() else column[late], 4)
        columns[name] = column
    columns["high"] = np.maximum(columns["high"], np.maximum(columns["open"], columns["close"]))
    columns["low"] = np.minimum(columns["low"], np.minimum(columns["open"], columns["close"]))
    return replace(bars, **columns)
