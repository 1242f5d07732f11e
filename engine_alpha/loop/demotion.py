"""Demotion acts by itself: live trades that turn halve an asset's size, then take it back to paper.

Promotion never does: a person arms it again. What is decided here follows from the journal's trades since the
arming, armed.json and risk.json alone, so after a crash it is decided again and acted on once.
"""

import logging
from dataclasses import dataclass
from typing import Any

from engine_alpha.config.risk import evidence_terms
from engine_alpha.kernel.evidence import (
    ADVICES,
    HALVE,
    PAPER,
    REASONS,
    Watch,
    level_of,
)
from engine_alpha.loop.arming import ArmedAsset, halve, take_back
from engine_alpha.loop.engine import Engine
from engine_alpha.loop.trade_watch import Watched, take_in_trades
from engine_alpha.ports import Event
from engine_alpha.step.recording import ROLLOUT
from engine_alpha.step.text import to_text
from engine_alpha.times import iso

_log = logging.getLogger("chloe.rollout")

LIVE, PAPER_STAGE = "live", "paper"


@dataclass(frozen=True, slots=True, kw_only=True)
class Demotion:
    """What became of an asset: the stage it goes to, its size there, and why."""

    symbol: str
    to: str
    size_factor: float
    reason: str


def apply_demotions(engine: Engine) -> list[Demotion]:
    """Halve or disarm every asset whose live trades say so; return what was done.

    Raises `JournalError` if it can't be written down or carried out.
    """
    if engine.live is None or engine.frozen:
        return []
    watches = engine.live.watches
    take_in_trades(watches, engine.journal, engine.armed, evidence_terms(engine.setup.risk))
    done = []
    for symbol, own in list(engine.armed.items()):
        found = watches.of[symbol]
        if found.watch.advice == PAPER or (found.watch.advice == HALVE and not own.halved_ms):
            done.append(_demoted(engine, own, found))
    return done


def _demoted(engine: Engine, own: ArmedAsset, found: Watched) -> Demotion:
    """Write a demotion down, then carry it out: in that order it is not lost, and not done twice."""
    to_paper = found.watch.advice == PAPER
    demotion = Demotion(
        symbol=own.symbol,
        to=PAPER_STAGE if to_paper else LIVE,
        size_factor=0.0 if to_paper else own.size_factor / 2,
        reason=_reason(engine, own, found.watch),
    )
    now_ms = engine.clock.now_ms()
    engine.journal.commit(now_ms, [_event(own, found, demotion)], {})
    folder = engine.setup.home.account(engine.labels.account)
    if to_paper:
        take_back(folder, own)
        engine.armed = {name: asset for name, asset in engine.armed.items() if name != own.symbol}
    else:
        asset = halve(folder, own, now_ms)
        if asset is not None:
            engine.armed = {**engine.armed, own.symbol: asset}
    _log.error("ROLLOUT: %s", words_of(demotion))
    return demotion


def words_of(demotion: Demotion) -> str:
    """Return what happened and what a person can do, in one sentence."""
    symbol, reason = demotion.symbol, demotion.reason
    if demotion.to == PAPER_STAGE:
        return (
            f"{symbol} goes back to paper: {reason}; a position keeps its stop and is stepped close-only. "
            f"Look: chloe audit {symbol}; to arm it again: chloe live arm {symbol}"
        )
    return (
        f"{symbol} trades at {demotion.size_factor:g} of its usual risk now: {reason}. "
        f"Look: chloe audit {symbol}; at full size again: chloe live arm {symbol}"
    )


def _reason(engine: Engine, own: ArmedAsset, watch: Watch) -> str:
    return (
        f"{REASONS[watch.reason]} (trade {watch.at_trade} since {iso(own.at_ms)}: detector "
        f"{level_of(watch.drift):.0f}, {watch.peak_r - watch.sum_r:.1f} R below its best, "
        f"{watch.day_r:+.1f} R on its last day)"
    )


def _event(own: ArmedAsset, found: Watched, demotion: Demotion) -> Event:
    watch = found.watch
    payload: dict[str, Any] = {
        "symbol": own.symbol,
        "from": LIVE,
        "to": demotion.to,
        "advice": ADVICES[watch.advice],
        "reason": demotion.reason,
        "size_factor_before": own.size_factor,
        "size_factor": demotion.size_factor,
        "armed_ms": own.at_ms,
        "environment": own.environment,
        "venue": own.venue,
        "watch": watch,
    }
    key = f"{own.symbol}/{own.at_ms}/{ADVICES[watch.advice]}"
    return Event(ROLLOUT, own.symbol, key, found.bar_ms, to_text(payload))
