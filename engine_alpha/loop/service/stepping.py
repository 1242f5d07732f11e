"""What one account does in a moment: its due assets, those that rest, its real orders between the closes."""

import logging
import time
from collections.abc import Callable, Collection

from engine_alpha.loop.engine import Engine
from engine_alpha.loop.live_step import FAILED, REFUSED, StepReport
from engine_alpha.loop.saying import about
from engine_alpha.loop.service.accounts import Account
from engine_alpha.loop.service.schedule import (
    Standing,
    due,
    newest_open_ms,
    next_ms,
    settled_from_ms,
    unwritten,
)
from engine_alpha.loop.tick import TickReport, tick_all
from engine_alpha.ports import Event
from engine_alpha.step.recording import BREAKER, no_decision_event
from engine_alpha.step.text import to_text
from engine_alpha.times import clock_time

_log = logging.getLogger("chloe.service")

Ticked = Callable[[Engine, TickReport, int], None]
URGENT_LOOK_MS = 2_000
"""How often real orders are looked at while one is unclear or a position has no stop."""


def step_due(account: Account, ticked: Ticked, headline: bool) -> bool:
    """Step what is due; return whether that began with a headline."""
    engine = account.engine
    assert engine is not None
    now_ms, settle_ms = engine.clock.now_ms(), account.settle_ms
    assets = account.assets()
    newest_ms = {asset.symbol: newest_open_ms(asset, now_ms, settle_ms[asset.venue]) for asset in assets}
    found = due(assets, account.standings, now_ms, settle_ms)
    fresh = any(account.standing(symbol).written_ms < newest_ms[symbol] for symbol in found.healthy)
    if found.healthy:
        _tick(account, found.healthy, ticked, retry=not fresh, headline=headline)
    for asset in unwritten(assets, account.standings, now_ms, settle_ms):
        _record_rest(account, asset.symbol, asset.base_timeframe, newest_ms[asset.symbol])
    if found.probes and _has_time(account, found.probes):
        _tick(account, found.probes, ticked, retry=True, headline=False)
    return fresh


def _has_time(account: Account, probes: Collection[str]) -> bool:
    """Say whether a probe may take its time: no healthy asset's close comes meanwhile."""
    engine = account.engine
    assert engine is not None
    now_ms = engine.clock.now_ms()
    healthy = [asset for asset in account.assets() if asset.symbol not in probes]
    longest_ms = engine.setup.engine.feed_deadline_ms + 5_000
    return next_ms(healthy, account.standings, now_ms, account.settle_ms) > now_ms + longest_ms


def look_at_orders(account: Account, ticked: Ticked) -> None:
    """Look at real orders and stops between the closes, and act where something is missing.

    An asset whose bar is settling is left to its own step, right after: nobody else waits for that.
    """
    engine = account.engine
    assert engine is not None
    if engine.live is None:
        return
    now_ms = engine.clock.now_ms()
    pause_ms = engine.setup.engine.service.look_every_ms
    if any(state.naked_since_ms or state.unresolved for state in engine.live.book.states.values()):
        pause_ms = min(pause_ms, URGENT_LOOK_MS)
    if now_ms - account.looked_ms < pause_ms:
        return
    looked = [
        asset.symbol
        for asset in account.assets()
        if not account.standing(asset.symbol).resting
        and settled_from_ms(asset, now_ms, account.settle_ms[asset.venue]) == now_ms
    ]
    if looked:
        _tick(account, looked, ticked, retry=True, headline=False)
    account.looked_ms = engine.clock.now_ms()


def _tick(account: Account, only: Collection[str], ticked: Ticked, *, retry: bool, headline: bool) -> None:
    engine = account.engine
    assert engine is not None
    began_s = time.monotonic()
    report = tick_all(engine, only=set(only), headline=headline, retry=retry)
    if engine.live is not None:
        account.looked_ms = engine.clock.now_ms()
    for step in report.steps:
        if step.timeframe:
            with about(symbol=step.symbol):
                _settle(account, step)
    ticked(engine, report, round((time.monotonic() - began_s) * 1_000))


def _settle(account: Account, step: StepReport) -> None:
    """Take the outcome of a step into its asset's standing; say and journal what changes."""
    before = account.standing(step.symbol)
    if step.status == REFUSED:
        after = before.after_refusal(step.open_ms, step.detail, step.now_ms)
    elif step.is_settled:
        after = before.after_success(step.open_ms)
    else:
        after = before.after_fault(
            step.open_ms, step.reason, step.now_ms, account.longest_pause_ms(step.symbol)
        )
    account.standings[step.symbol] = after
    if before.faults and after.faulty_since_ms is None:
        since = clock_time(before.faulty_since_ms or step.now_ms)
        _log.info("%s is back after %d faults since %s", step.symbol, before.faults, since)
    if before.faults == 0 and after.faults and step.status != FAILED:
        pause_s = (after.retry_ms - step.now_ms) // 1_000
        _log.info("%s is tried again in %d s", step.symbol, pause_s)
    if after.resting != before.resting:
        _record_breaker(account, step, after)


def _record_breaker(account: Account, step: StepReport, after: Standing) -> None:
    engine = account.engine
    assert engine is not None
    if after.resting:
        _log.error(
            "%s rests after too many faults (%s): next attempt %s, in a tick of its own",
            step.symbol,
            step.reason,
            clock_time(after.retry_ms),
        )
    told = {
        "symbol": step.symbol,
        "state": "open" if after.resting else "closed",
        "reason": step.reason,
        "detail": step.detail,
        "faults": after.faults,
        "since_ms": after.faulty_since_ms,
        "at_ms": step.now_ms,
    }
    event = Event(
        BREAKER, step.symbol, f"{step.symbol}/{step.now_ms}/{told['state']}", step.open_ms, to_text(told)
    )
    engine.journal.commit(step.now_ms, [event], {})


def _record_rest(account: Account, symbol: str, timeframe: str, open_ms: int) -> None:
    """Write down that a resting asset's new bar has no decision yet."""
    engine = account.engine
    assert engine is not None
    standing = account.standing(symbol)
    now_ms = engine.clock.now_ms()
    detail = f"rests after {standing.faults} faults ({standing.reason})"
    detail += f", next attempt {clock_time(standing.retry_ms)}"
    engine.journal.commit(now_ms, [no_decision_event(symbol, timeframe, open_ms, "resting", detail)], {})
    account.standings[symbol] = standing.written(open_ms)
