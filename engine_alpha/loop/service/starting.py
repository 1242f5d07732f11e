"""The parts of a service, put together: its accounts, and who hears of what it does."""

from collections.abc import Sequence
from pathlib import Path

from engine_alpha.config.alert_targets import read_alert_targets
from engine_alpha.home import Home
from engine_alpha.loop import wiring
from engine_alpha.loop.last_good import KeptConfiguration
from engine_alpha.loop.service.accounts import Account
from engine_alpha.loop.service.metering import Metering
from engine_alpha.loop.service.service import Service, Watcher
from engine_alpha.loop.service.stopping import Stop
from engine_alpha.loop.service.watching import Alerting, Pinging
from engine_alpha.loop.service.wishes import stamp_of
from engine_alpha.notices.alerting import Alerter
from engine_alpha.notices.systemd import Notifier
from engine_alpha.plans.setup import Setup
from engine_alpha.ports import Clock


def make_service(
    configuration: KeptConfiguration, feed: str | None, clock: Clock, watchers: Sequence[Watcher] = ()
) -> Service:
    """Return the service of a home, ready to run; nothing is opened yet."""
    paces = wiring.Paces()
    return Service(
        configuration=configuration,
        accounts_for=lambda setup: accounts_for(setup, feed, clock, paces),
        clock=clock,
        notifier=Notifier(),
        stop=Stop(),
        watchers=watchers,
    )


def make_watchers() -> list[Watcher]:
    """Return who hears of what a service does."""
    return [Alerting(make_alerter), Pinging(), Metering()]


def make_alerter(setup: Setup, account: str) -> Alerter:
    """Return an account's alerter; raise `ConfigError` for targets that can't be used.

    Apprise is loaded only where there are targets.
    """
    targets = read_alert_targets(setup.home)
    folder, alerts = setup.home.account(account), setup.engine.alerts
    if not targets:
        return Alerter(folder, account, alerts, (), lambda _target, _message: "")
    return Alerter(folder, account, alerts, targets, wiring.alert_sender())


def accounts_for(setup: Setup, feed: str | None, clock: Clock, paces: wiring.Paces) -> list[Account]:
    """Return the accounts that a configuration asks for, not opened yet: the live one first."""
    name = feed or setup.engine.feed
    found = []
    if wiring.has_live_account(setup):
        keys = tuple((path, stamp_of(path)) for path in _secrets(setup.home))
        found.append(
            Account(
                name=setup.engine.live.account,
                made_from=(setup.engine, keys),
                opening=lambda: wiring.open_live(setup, clock, paces),
            )
        )
    ticks = setup.instruments if name == "embedded" else None
    found.append(
        Account(
            name=wiring.ACCOUNT_OF_FEED[name],
            made_from=(name, setup.engine, ticks),
            opening=lambda: wiring.open_paper(setup, name, clock, paces),
        )
    )
    return found


def _secrets(home: Home) -> list[Path]:
    return sorted((home.path / "secrets").glob("*.json"))
