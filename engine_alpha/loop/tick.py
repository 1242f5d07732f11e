"""One tick of all assets: feeds asked at once, then each asset's step in the registry's order."""

import json
import logging
from collections.abc import Collection
from dataclasses import dataclass, replace

from engine_alpha.domain.asset import AssetConfig
from engine_alpha.loop.demotion import apply_demotions
from engine_alpha.loop.engine import Engine
from engine_alpha.loop.halting import take_up_halt
from engine_alpha.loop.live_step import (
    REFUSED,
    StepReport,
    Tick,
    make_tick,
    refreshed,
    run_step_live,
    step_patiently,
    steppable,
)
from engine_alpha.loop.saying import about
from engine_alpha.loop.telling import report_fields, tell, tell_orders
from engine_alpha.step.recording import no_decision_event
from engine_alpha.times import iso

_log = logging.getLogger("chloe.runner")

HOUR_MS = 3_600_000
ALL_STEPPED, SOME_FAILED, ALL_FAILED = 0, 3, 4


@dataclass(frozen=True, slots=True, kw_only=True)
class TickReport:
    """What one tick did. `faults` are what is wrong with configuration and stopped no step by itself."""

    now_ms: int
    simulated: bool
    account: str
    enabled: int
    steps: tuple[StepReport, ...]
    faults: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        """Return 0 if all stepped, 3 if some did not, 4 if none did."""
        good = sum(1 for step in self.steps if step.is_good)
        if good == len(self.steps) and not self.faults:
            return ALL_STEPPED
        return SOME_FAILED if good or not self.steps else ALL_FAILED

    def joined(self, live: "TickReport") -> "TickReport":
        """Return the report of the tick of both accounts, the live one's steps first."""
        known = {(step.symbol, step.status) for step in live.steps}
        own = [step for step in self.steps if (step.symbol, step.status) not in known or step.is_good]
        faults = dict.fromkeys((*live.faults, *self.faults))
        return replace(self, steps=(*live.steps, *own), faults=tuple(faults))

    def json(self) -> str:
        """Return the report as JSON text."""
        return json.dumps(
            {
                "now_ms": self.now_ms,
                "account": self.account,
                "simulated": self.simulated,
                "enabled": self.enabled,
                "exit_code": self.exit_code,
                "steps": [report_fields(step) for step in self.steps],
                "faults": list(self.faults),
            }
        )


def tick_all(
    engine: Engine,
    announce: bool = True,
    only: Collection[str] | None = None,
    headline: bool = True,
    retry: bool = False,
) -> TickReport:
    """Step every enabled asset, then those that only have to get flat; broken entries refuse.

    With `only`, the others are left for another tick: a rehearsal knows whose bar closes when. Without
    `headline` the tick's own line has been logged already, for another account. A `retry` tells only what was
    decided: the tick and its faults were told before.
    Raises `JournalError` and `BrokenPromise`: those stop the engine.
    """
    with about(account=engine.labels.account):
        return _tick_all(engine, announce, only, headline, retry)


def _tick_all(
    engine: Engine, announce: bool, only: Collection[str] | None, headline: bool, retry: bool
) -> TickReport:
    setup = refreshed(engine)
    assets = steppable(setup, engine)
    if only is not None:
        assets = {symbol: asset for symbol, asset in assets.items() if symbol in only}
    take_up_halt(engine, engine.clock.now_ms())
    first = make_tick(engine, list(assets.values()))
    loud = announce and not retry
    if loud and headline:
        _log.info("MULTI-ASSET: tick at %s for %d assets", iso(first.now_ms), len(setup.enabled))

    def step(tick: Tick, asset: AssetConfig) -> StepReport:
        with about(symbol=asset.symbol):
            if loud:
                _log.info("MULTI-ASSET: running live step for %s @ %s", asset.symbol, asset.base_timeframe)
            report = run_step_live(asset.symbol, asset.base_timeframe, tick)
            if loud or (announce and report.bars):
                tell(tick, report)
            return report

    steps = step_patiently(engine, first, list(assets.values()), step)
    if loud:
        tell_orders(engine, list(assets.values()))
    apply_demotions(engine)
    refused = _refuse_broken(engine, first.now_ms, {step.symbol for step in steps}, loud)
    faults = configuration_faults(engine)
    if loud:
        for fault in faults:
            _log.error("configuration: %s", fault)
    return TickReport(
        now_ms=first.now_ms,
        simulated=engine.feed.simulated,
        account=engine.labels.account,
        enabled=len(setup.enabled),
        steps=(*steps, *refused),
        faults=faults,
    )


def configuration_faults(engine: Engine) -> tuple[str, ...]:
    """Return what is wrong with configuration and stops no step by itself."""
    kept = engine.configuration
    return (*engine.setup.general_faults(), *([kept.fault] if kept is not None and kept.fault else []))


def _refuse_broken(engine: Engine, now_ms: int, stepped: set[str], announce: bool) -> list[StepReport]:
    """Return a refusal for every asset whose registry entry can't be used, and journal it."""
    reports = []
    for symbol in dict.fromkeys(fault.symbol for fault in engine.setup.registry.faults):
        detail = "; ".join(engine.setup.faults_of(symbol))
        if symbol in stepped:
            continue
        if announce:
            with about(symbol=symbol):
                _log.error("%s refuses: %s", symbol, detail)
        hour_ms = now_ms // HOUR_MS * HOUR_MS  # its timeframe can't be trusted
        event = no_decision_event(symbol, "", hour_ms, "config", detail)
        engine.journal.commit(now_ms, [event], {})
        reports.append(
            StepReport(
                symbol=symbol,
                timeframe="",
                status=REFUSED,
                open_ms=hour_ms,
                now_ms=now_ms,
                reason="config",
                detail=detail,
            )
        )
    return reports
