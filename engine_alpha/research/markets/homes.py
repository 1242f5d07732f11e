"""Puts a made-up market where the compiled road reads: a home as shipped, and its candles."""

from dataclasses import replace
from pathlib import Path

from engine_alpha.config.cards import Cards
from engine_alpha.home import Home, init_home
from engine_alpha.plans.history import History, history_setup
from engine_alpha.plans.setup import Setup
from engine_alpha.research.markets.market import HOUR_MS, VENUE, Market
from engine_alpha.research.neutral import neutral_setup
from engine_alpha.store.months import write_bars


def written(market: Market, folder: Path) -> tuple[Home, History]:
    """Make a home in `folder` that holds the market's candles; return it and all of its hours to play."""
    init_home(folder)
    home = Home(folder)
    for symbol, bars in market.bars.items():
        write_bars(home.data, VENUE, symbol, "1h", bars)
    wanted = History(
        data=home.data,
        venue=VENUE,
        symbols=tuple(market.bars),
        from_ms=min(int(bars.open_ms[0]) for bars in market.bars.values()),
        to_ms=max(int(bars.open_ms[-1]) for bars in market.bars.values()) + HOUR_MS,
    )
    return home, wanted


def card_alone(home: Home, wanted: History, name: str) -> Setup:
    """Return the neutral setup in which this card trades and no other one does."""
    setup = neutral_setup(history_setup(home, wanted))
    cards = tuple(
        card.model_copy(update={"status": "active" if card.name == name else "disabled"})
        for card in setup.cards.cards
    )
    return replace(setup, cards=Cards(cards=cards, faults=setup.cards.faults), made={})
