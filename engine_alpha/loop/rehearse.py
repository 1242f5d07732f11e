"""Play history through the very steps of paper trading: one tick per bar close, a fixed clock, own account.

Killed and started again with the same arguments and configuration it goes on where it was: its account's
name is a digest of both, its progress is its journal.
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from engine_alpha.domain.asset import AssetConfig
from engine_alpha.errors import ConfigError
from engine_alpha.home import Home
from engine_alpha.kernel.money import net_quote
from engine_alpha.kernel.profit_factor import ProfitFactor, profit_factor
from engine_alpha.loop import wiring
from engine_alpha.loop.clocks import FixedClock
from engine_alpha.loop.engine import Engine
from engine_alpha.loop.tick import tick_all
from engine_alpha.plans.deciding import deciding_code
from engine_alpha.plans.history import History, due_at, history_setup
from engine_alpha.plans.setup import Setup
from engine_alpha.ports import Journal
from engine_alpha.step.recording import DECISION, NO_DECISION, TRADE, Labels, digests_of

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class RehearsalReport:
    """What came out. `resumed_at_ms` is None for a run from the start; `undecided` coins have no decision."""

    account: str
    decisions: int
    no_decisions: int
    trades: int
    decisions_sha256: str
    ledger_sha256: str
    per_coin: dict[str, ProfitFactor]
    whole: ProfitFactor
    equity_quote: float
    funding_quote: float
    funding_unknown_bars: int
    ambiguous: int
    other_whole: ProfitFactor
    stepped_bars: int
    resumed_at_ms: int | None
    undecided: tuple[str, ...]


def rehearse(home: Home, wanted: History, progress: Progress = lambda done, total: None) -> RehearsalReport:
    """Play all bars of `wanted` through the steps and report; `progress` gets (ticks done, ticks in all)."""
    setup = history_setup(home, wanted)
    with rehearsal_engine(setup, wanted) as engine:
        resumed = _resume_ms(engine)
        stepped = _play(engine, setup, wanted, resumed, progress)
        return _report(engine, setup, wanted, stepped, resumed)


def account_name(setup: Setup, wanted: History) -> str:
    """Return the account of this rehearsal: a digest of its arguments, configuration and deciding code."""
    parts = [
        str(wanted.data.resolve()),
        wanted.venue,
        sorted(wanted.symbols),
        wanted.from_ms,
        wanted.to_ms,
        [[asset.symbol, _hash_of(setup, asset)] for asset in setup.enabled],
        deciding_code(),
    ]
    return "rehearse-" + hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def _hash_of(setup: Setup, asset: AssetConfig) -> str:
    """Return the hash of an asset's plan, or why it has none: it refuses, the others are played."""
    try:
        return setup.plan(asset).config_hash
    except ConfigError as fault:
        return str(fault)


@contextmanager
def rehearsal_engine(setup: Setup, wanted: History) -> Iterator[Engine]:
    """Open the rehearsal's account on stored bars and a fixed clock."""
    labels = Labels(account=account_name(setup, wanted), mode="rehearsal", feed=f"files {wanted.venue}")
    feed = wiring.files_feed(wanted.data, wanted.venue)
    with wiring.opened(setup, labels, feed, FixedClock(wanted.from_ms), frozen=True) as engine:
        yield engine


def _resume_ms(engine: Engine) -> int | None:
    """Return the time of the last tick that wrote anything, from which to go on; None at the beginning."""
    last = next(engine.journal.events(newest_first=True), None)
    return None if last is None else last.at_ms


def _play(engine: Engine, setup: Setup, wanted: History, resumed: int | None, progress: Progress) -> int:
    ticks = due_at(setup.enabled, wanted)
    clock = engine.clock
    if not isinstance(clock, FixedClock):
        raise TypeError("a rehearsal runs on a fixed clock")
    stepped = 0
    for done, (at_ms, due) in enumerate(ticks.items(), start=1):
        if resumed is None or at_ms >= resumed:
            clock.set(at_ms)
            stepped += sum(len(step.bars) for step in tick_all(engine, announce=False, only=due).steps)
            progress(done, len(ticks))
    return stepped


def _report(
    engine: Engine, setup: Setup, wanted: History, stepped: int, resumed: int | None
) -> RehearsalReport:
    digests = digests_of(engine.journal.events(DECISION))
    decisions_sha256, ledger_sha256 = digests.hexes()
    trades = trades_of(engine.journal)
    nets = {
        symbol: [trade["net_quote"] for trade in trades if trade["symbol"] == symbol]
        for symbol in setup.order
    }
    subs = [state.sub for _, state in sorted(engine.book.assets.items())]  # one order of adding up
    return RehearsalReport(
        account=engine.labels.account,
        decisions=digests.decisions,
        no_decisions=sum(1 for _ in engine.journal.events(NO_DECISION)),
        trades=digests.trades,
        decisions_sha256=decisions_sha256,
        ledger_sha256=ledger_sha256,
        per_coin={asset.symbol: profit_factor(nets[asset.symbol]) for asset in setup.enabled},
        whole=profit_factor([trade["net_quote"] for trade in trades]),
        equity_quote=setup.risk.equity_quote + sum(net_quote(sub) for sub in subs),
        funding_quote=sum(sub.funding_quote for sub in subs),
        funding_unknown_bars=sum(sub.funding_unknown_bars for sub in subs),
        ambiguous=sum(trade["ambiguous"] for trade in trades),
        other_whole=profit_factor([trade["other_net_quote"] for trade in trades]),
        stepped_bars=stepped,
        resumed_at_ms=resumed,
        undecided=tuple(asset.symbol for asset in setup.enabled if asset.symbol not in engine.book.assets),
    )


def trades_of(journal: Journal) -> list[dict[str, Any]]:
    """Return all closed trades, in the order they were written."""
    return [json.loads(stored.event.payload) for stored in journal.events(TRADE)]
