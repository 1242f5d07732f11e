"""Puts a made-up market where the compiled road reads: a home as shipped, and its candles.

Contracts are the venue's, but for a finer tick (see `FINER`) and no day on which they began or ended.
"""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from engine_alpha.config.card_settings import CardSettings, own_card
from engine_alpha.config.cards import Cards
from engine_alpha.config.instruments import newest_snapshot, read_snapshot, write_snapshot
from engine_alpha.home import Home, init_home
from engine_alpha.plans.history import History, history_setup
from engine_alpha.plans.setup import Setup
from engine_alpha.research.markets.market import FINER, HOUR_MS, VENUE, Market
from engine_alpha.research.neutral import neutral_setup
from engine_alpha.store.months import write_bars

NO_CHANGES: Final[Mapping[str, Any]] = MappingProxyType({})


def written(market: Market, folder: Path) -> tuple[Home, History]:
    """Make a home in `folder` that holds the market's candles; return it and all of its hours to play."""
    init_home(folder)
    home = Home(folder)
    _refine(home)
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


def card_alone(home: Home, wanted: History, name: str, changes: Mapping[str, Any] = NO_CHANGES) -> Setup:
    """Return the neutral setup in which this card trades, changed by paths of keys, and no other one does."""
    setup = neutral_setup(history_setup(home, wanted))
    mine = CardSettings(status="active", changes=dict(changes))
    off = CardSettings(status="disabled", changes={})
    cards = tuple(own_card(card, mine if card.name == name else off)[0] for card in setup.cards.cards)
    return replace(setup, cards=Cards(cards=cards, faults=setup.cards.faults), made={})


def refined(setup: Setup) -> Setup:
    """Return the setup with finer ticks, for a market whose prices have `FINER` more decimals."""
    instruments = {
        venue: {
            symbol: replace(each, tick_quote=_finer(each.tick_quote)) for symbol, each in contracts.items()
        }
        for venue, contracts in setup.instruments.items()
    }
    return replace(setup, instruments=instruments, made={})


def _refine(home: Home) -> None:
    snapshot = read_snapshot(newest_snapshot(home.instruments, VENUE))
    finer = {"listed_ms": None, "settled_ms": None, "successor": None}
    contracts = {
        symbol: entry.model_copy(update=finer | {"tick_quote": _finer(entry.tick_quote)})
        for symbol, entry in snapshot.instruments.items()
    }
    write_snapshot(home.instruments, snapshot.model_copy(update={"instruments": contracts}))


def _finer(tick_quote: str) -> str:
    return f"{Decimal(tick_quote).normalize().scaleb(-FINER):f}"
