"""The loop of `chloe run`: what is due is stepped, edits and wishes are taken up, and systemd hears of it."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from engine_alpha.errors import ChloeError, ConfigError, JournalError, LockHeld
from engine_alpha.loop.engine import Engine
from engine_alpha.loop.last_good import KeptConfiguration
from engine_alpha.loop.saying import about
from engine_alpha.loop.service.accounts import Account
from engine_alpha.loop.service.health import Health, View, health
from engine_alpha.loop.service.schedule import next_close_ms, next_ms
from engine_alpha.loop.service.stepping import look_at_orders, step_due
from engine_alpha.loop.service.stopping import Stop
from engine_alpha.loop.service.wishes import signature_of_wishes, take_up_wishes
from engine_alpha.loop.tick import TickReport
from engine_alpha.notices.systemd import Notifier
from engine_alpha.plans.differences import differences
from engine_alpha.plans.setup import Setup
from engine_alpha.ports import Clock

_log = logging.getLogger("chloe.service")

CLOCK_JUMP_MS = 60_000
SHORTEST_WAIT_MS = 100  # what is due may have to wait for a close: not in a circle


class Watcher(Protocol):
    """Somebody who is told what happens; must not take long, and must not raise."""

    def ticked(self, engine: Engine, report: TickReport, took_ms: int) -> None:
        """Hear of a tick."""
        ...

    def worked(self, account: Account, now_ms: int) -> None:
        """Hear that an account has done what was due; may read and write its journal."""
        ...

    def passed(self, accounts: Sequence[Account], health: Health, now_ms: int) -> None:
        """Hear that a moment has passed."""
        ...

    def close(self) -> None:
        """Come to an end."""
        ...


AccountsFor = Callable[[Setup], list[Account]]


@dataclass(slots=True, kw_only=True)
class Service:
    """Runs until somebody wishes it to stop.

    `accounts_for` says which accounts a configuration asks for, the live one first; they are kept open while
    their `made_from` stays the same. `slice_ms` is the longest wait between two looks at files and wishes.
    """

    configuration: KeptConfiguration
    accounts_for: AccountsFor
    clock: Clock
    notifier: Notifier
    stop: Stop
    watchers: Sequence[Watcher] = ()
    slice_ms: int = 1_000
    setup: Setup = field(init=False)
    accounts: dict[str, Account] = field(default_factory=dict)
    _last_ms: int = 0
    _told: str = ""
    _next_ms: int = 0

    def run(self) -> None:
        """Open what is needed and go on until stopped; raise what keeps it from starting."""
        self.setup = self.configuration.read()
        self._tell_fault()
        try:
            self._open_all()
            self.notifier.ready()
            with self.stop.heeded():
                while not self.stop.asked:
                    self.moment()
            _log.info("stopping: what was decided is written, positions keep their stops")
            self.notifier.stopping()
        finally:
            for account in self.accounts.values():
                if account.engine is not None:
                    account.close()
            for watcher in self.watchers:
                watcher.close()

    def _open_all(self) -> None:
        self._last_ms = self.clock.now_ms()
        for wanted in self.accounts_for(self.setup):
            self.accounts[wanted.name] = wanted
            self._use(wanted, wanted.open())

    def moment(self) -> None:
        """Do what is due, then wait for the next moment."""
        now_ms = self.clock.now_ms()
        self._heed_clock(now_ms)
        self._take_up_edits()
        headline = True
        for account in list(self.accounts.values()):
            with about(account=account.name):
                headline = not self._work(account, headline) and headline
            if self.stop.asked:
                return
        now_ms = self.clock.now_ms()
        self._tell(now_ms)
        self.clock.wait_until(min(self._next_ms, now_ms + self.slice_ms))

    def _work(self, account: Account, headline: bool) -> bool:
        """Do what is due in one account; return whether its tick's headline was logged."""
        now_ms = self.clock.now_ms()
        try:
            if account.engine is None:
                if now_ms < account.retry_ms:
                    return False
                self._use(account, account.open())
                _log.info("%s is open again", account.name)
            assert account.engine is not None
            account.require_own_journal()
            take_up_wishes(account)
            ticked = step_due(account, self._ticked, headline)
            look_at_orders(account, self._ticked)
            for watcher in self.watchers:
                watcher.worked(account, now_ms)
            account.trouble, account.failures = "", 0
            return ticked
        except ChloeError as fault:
            if not _stops_one_account(fault):
                raise
            account.failed(fault, now_ms)
            return False

    def _ticked(self, engine: Engine, report: TickReport, took_ms: int) -> None:
        for watcher in self.watchers:
            watcher.ticked(engine, report, took_ms)

    def _use(self, account: Account, engine: Engine) -> None:
        engine.configuration = self.configuration
        account.wishes = signature_of_wishes(account)

    # files and clock

    def _take_up_edits(self) -> None:
        """Go on with the configuration files as they are now, and say what changed."""
        found = self.configuration.read()
        self._tell_fault()
        if found is not self.setup:
            for line in differences(self.setup, found):
                _log.info("configuration: %s", line)
            self.setup = found
            for account in self.accounts.values():
                account.edited(found)
        wanted = {account.name: account for account in self.accounts_for(self.setup)}
        for name, account in list(self.accounts.items()):
            new = wanted.get(name)
            if new is None or new.made_from != account.made_from:
                if account.engine is not None:
                    account.close()
                del self.accounts[name]
            else:
                account.opening = new.opening
        for name in wanted:
            if name not in self.accounts:
                _log.info("working on the account %s", name)
        self.accounts = {name: self.accounts.get(name, account) for name, account in wanted.items()}

    def _tell_fault(self) -> None:
        fault = self.configuration.fault
        if fault and fault != self._told:
            _log.error("configuration: %s", fault)
        if self._told and not fault:
            _log.info("configuration: is in order again")
        self._told = fault

    def _heed_clock(self, now_ms: int) -> None:
        """Say so if the machine slept or its clock was moved; what waits for a time is tried at once."""
        moved_ms = now_ms - self._last_ms
        self._last_ms = now_ms
        if -CLOCK_JUMP_MS < moved_ms < self.slice_ms + 30 * CLOCK_JUMP_MS:
            return
        _log.warning(
            "the clock went from one look to the next by %d s: the machine slept, or its clock was set; "
            "bars that were missed are stepped for exits, entries on old bars are not made",
            moved_ms // 1_000,
        )
        for account in self.accounts.values():
            account.retry_now()

    # telling

    def _tell(self, now_ms: int) -> None:
        """Say how things are: to systemd, and to whoever else watches."""
        accounts = list(self.accounts.values())
        nexts = [next_ms(each.assets(), each.standings, now_ms, each.settle_ms) for each in accounts]
        self._next_ms = max(now_ms + SHORTEST_WAIT_MS, min(nexts))
        found = health(
            [self._view(account) for account in accounts],
            now_ms,
            3 * self.setup.engine.feed_deadline_ms,
            min((next_close_ms(asset, now_ms) for asset in self.setup.enabled), default=None),
        )
        self.notifier.status(found.words)
        if found.healthy:
            self.notifier.alive()
        for watcher in self.watchers:
            watcher.passed(accounts, found, now_ms)

    def _view(self, account: Account) -> View:
        engine = account.engine
        mine = [asset for asset in self.setup.enabled if engine is not None and engine.takes(asset.symbol)]
        return View(
            name=account.name,
            assets=mine,
            standings=account.standings,
            trouble=account.trouble,
            settle_ms=account.settle_ms,
        )


def _stops_one_account(fault: ChloeError) -> bool:
    """Say whether an account is closed and opened again for this; a broken promise stops all."""
    return isinstance(fault, JournalError | ConfigError | LockHeld)
