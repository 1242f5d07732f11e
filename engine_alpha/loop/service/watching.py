"""Who hears of what the service does: people by alerts, somebody elsewhere by a ping."""

import logging
from collections.abc import Callable, Sequence

from engine_alpha.errors import ConfigError
from engine_alpha.loop.engine import Engine
from engine_alpha.loop.service.accounts import Account
from engine_alpha.loop.service.health import Health
from engine_alpha.loop.tick import TickReport
from engine_alpha.notices.alerting import Alerter
from engine_alpha.notices.ping import DeadManPing
from engine_alpha.plans.setup import Setup

_log = logging.getLogger("chloe.service")

FAREWELL_S = 1.0
"""How long messages that wait may still be sent when the service stops."""

MakeAlerter = Callable[[Setup, str], Alerter]


class Pinging:
    """Asks for the configured address while all is well."""

    def __init__(self) -> None:
        self._made_from: object = None
        self._ping = DeadManPing("", 1)
        self._told = ""

    def ticked(self, engine: Engine, report: TickReport, took_ms: int) -> None:
        """Do nothing."""

    def worked(self, account: Account, now_ms: int) -> None:
        """Take up an edited address."""
        wanted = None if account.engine is None else account.engine.setup.engine.service
        if wanted is not None and wanted != self._made_from:
            self._made_from = wanted
            self._ping = DeadManPing(wanted.ping_url, wanted.ping_every_ms)

    def passed(self, accounts: Sequence[Account], health: Health, now_ms: int) -> None:
        """Ping, if all is well and it is time; say so once where nobody takes it."""
        if health.healthy:
            self._ping.alive()
        if self._ping.fault != self._told:
            self._told = self._ping.fault
            if self._told:
                _log.warning("%s: service.ping_url of engine.json", self._told)

    def close(self) -> None:
        """Do nothing: the last ping is on its own."""


class Alerting:
    """One `Alerter` per account, made anew when its settings change."""

    def __init__(self, make: MakeAlerter) -> None:
        self._make = make
        self._alerters: dict[str, Alerter] = {}
        self._made_from: dict[str, object] = {}

    def ticked(self, engine: Engine, report: TickReport, took_ms: int) -> None:
        """Do nothing: what counts is in the journal."""

    def worked(self, account: Account, now_ms: int) -> None:
        """Tell what is new in the account's journal, and write down what became of the telling."""
        engine = account.engine
        if engine is None:
            return
        alerter = self._alerter(engine.setup, account.name)
        if alerter is None:
            return
        kept = engine.configuration
        alerter.standing("configuration", "" if kept is None else kept.fault)
        events = alerter.observe(engine.journal, now_ms)
        if events:
            engine.journal.commit(now_ms, events, {})

    def _alerter(self, setup: Setup, name: str) -> Alerter | None:
        """Return the account's alerter; None, told once, where its targets can't be used."""
        if self._made_from.get(name) != setup.engine.alerts:
            self._made_from[name] = setup.engine.alerts
            before = self._alerters.pop(name, None)
            if before is not None:
                before.close(0.0)
            try:
                self._alerters[name] = self._make(setup, name)
            except ConfigError as fault:
                _log.error("no alerts are sent: %s", fault)
        return self._alerters.get(name)

    def passed(self, accounts: Sequence[Account], health: Health, now_ms: int) -> None:
        """Tell of an engine that does not trade."""
        stuck = {account.name: account.trouble for account in accounts}
        for alerter in self._alerters.values():
            others = [f"{other} stands still: {why}" for other, why in stuck.items() if why]
            alerter.standing("engine", "; ".join(others) or ("" if health.healthy else health.words))
            alerter.attend(now_ms)

    def close(self) -> None:
        """Let go of all, after a moment for what waits."""
        for alerter in self._alerters.values():
            alerter.close(FAREWELL_S)
