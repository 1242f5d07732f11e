"""The one place that knows the mode: picks clock, feed, journal and account, and imports them late.

The top of this module is light, so that a run's first line comes before the heavy libraries.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine_alpha.errors import ChloeError, ConfigError

if TYPE_CHECKING:
    from engine_alpha.config.assets import Registry
    from engine_alpha.config.engine import EngineConfig
    from engine_alpha.exchanges.governor import Governor
    from engine_alpha.home import Home
    from engine_alpha.loop.engine import Engine
    from engine_alpha.loop.live_orders import LiveDesk
    from engine_alpha.loop.tick import TickReport
    from engine_alpha.notices.messages import Sender
    from engine_alpha.plans.setup import Setup
    from engine_alpha.ports import BarFeed, Clock, Journal, Venue
    from engine_alpha.step.recording import Labels

ACCOUNT_OF_FEED = {"embedded": "simulated", "venue": "paper", "files": "paper-files"}
JOURNAL_NAME = "journal.sqlite"


def step_function() -> Callable[..., Any]:
    """Return `run_step_live` of the spec."""
    from engine_alpha.loop.live_step import run_step_live

    return run_step_live


def feed_name(home: Home, chosen: str | None) -> tuple[str, EngineConfig]:
    """Return which feed this run reads, and the engine's configuration."""
    from engine_alpha.config.engine import read_engine

    engine = read_engine(home.engine)
    return chosen_feed(engine, chosen), engine


def chosen_feed(engine: EngineConfig, chosen: str | None) -> str:
    """Return the feed that a command line chose, else the configured one; raise `ConfigError` for none."""
    from engine_alpha.config.engine import FEEDS

    if chosen is not None and chosen not in FEEDS:
        raise ConfigError(f'no feed "{chosen}": choose one of {", ".join(FEEDS)}')
    return chosen or engine.feed


def source_line(home: Home, feed: str) -> str:
    """Return a run's first line: which home, which account, where the prices come from."""
    from engine_alpha.config.assets import read_registry
    from engine_alpha.config.engine import read_engine

    return source_words(home, feed, read_registry(home.registry), read_engine(home.engine))


def source_words(home: Home, feed: str, registry: Registry, engine: EngineConfig) -> str:
    """Return a run's first line from configuration that was read already."""
    folder = "./" if home.path == Path.cwd() else str(home.path)
    real = real_orders_words(home, registry, engine)
    venues = sorted({asset.venue for asset in registry.assets if asset.enabled})
    stored = engine.data_folder(home.path) if feed == "files" else home.data
    told = {
        "embedded": f"SIMULATED PRICES, not {', '.join(venues) or 'real'}; for real ones: chloe feed venue",
        "venue": "prices of each asset's venue",
        "files": f"stored prices from {stored}",
    }[feed]
    return f"home {folder} · {ACCOUNT_OF_FEED[feed]} · {told}{real}".replace("· simulated ·", "· paper ·")


def real_orders_words(home: Home, registry: Registry, engine: EngineConfig) -> str:
    """Return which assets send real orders, and where; "" for none."""
    from engine_alpha.loop.arming import armed, counting

    live = engine.live
    venues = {asset.symbol: asset.venue for asset in registry.assets}
    symbols = sorted(counting(armed(home.account(live.account)), live.environment, venues))
    return f" · REAL ORDERS on {live.environment}: {', '.join(symbols)}" if symbols else ""


def make_feed(name: str, setup: Setup, paces: Paces | None = None) -> BarFeed:
    """Return the feed of that name, ready to read; `paces` are those of orders to the same venues."""
    if name == "embedded":
        return embedded_feed(setup)
    if name == "venue":
        from engine_alpha.exchanges.ccxt_connection import CcxtConnection
        from engine_alpha.feeds.ccxt_feed import CcxtFeed

        urls, deadline_ms = setup.engine.venue_urls, setup.engine.feed_deadline_ms
        shared = Paces() if paces is None else paces
        return CcxtFeed(
            urls=urls,
            deadline_ms=deadline_ms,
            connect=lambda venue: CcxtConnection(venue, urls.get(venue), deadline_ms, shared[venue]),
        )
    return files_feed(setup.engine.data_folder(setup.home.path), setup.engine.files.venue)


def embedded_feed(setup: Setup) -> BarFeed:
    """Return the simulated market on the ticks of the instruments snapshot."""
    from engine_alpha.feeds.embedded import EmbeddedFeed

    ticks: dict[str, str] = {}
    for instruments in setup.instruments.values():
        ticks |= {symbol: instrument.tick_quote for symbol, instrument in instruments.items()}
    venues = sorted({asset.venue for asset in setup.enabled}) or ["bybit"]
    return EmbeddedFeed(setup.engine.embedded_seed, ticks, instead_of=", ".join(venues))


def files_feed(data: Path, venue: str | None) -> BarFeed:
    """Return stored bars as a feed; raise `ConfigError` without Polars, naming the extra."""
    try:
        from engine_alpha.store.shelf import open_shelf
    except ModuleNotFoundError as missing:
        raise ConfigError(
            f"stored bars need {missing.name}: install the extra, pip install 'chloe[backtest]'"
        ) from None
    from engine_alpha.feeds.files import FilesFeed

    return FilesFeed(open_shelf(data), venue)


def make_clock(now: str | None) -> Clock:
    """Return the system's clock, or one fixed at an ISO time."""
    from engine_alpha.loop.clocks import FixedClock, SystemClock
    from engine_alpha.times import parse_iso

    return SystemClock() if now is None else FixedClock(parse_iso(now))


@contextmanager
def open_engine(
    home: Home, feed: str | None = None, now: str | None = None, paces: Paces | None = None
) -> Iterator[Engine]:
    """Open the home's account for writing: its lock, journal and feed; close all of it at the end.

    Raises `ConfigError`, `LockHeld` or `JournalError`; nothing has been touched then.
    """
    from engine_alpha.plans.setup import read_setup

    name, _ = feed_name(home, feed)
    with open_paper(read_setup(home), name, make_clock(now), paces) as engine:
        yield engine


@contextmanager
def open_paper(setup: Setup, feed: str, clock: Clock, paces: Paces | None = None) -> Iterator[Engine]:
    """Open the paper account of a feed on a configuration that was read already; see `open_engine`."""
    from engine_alpha.step.recording import Labels

    labels = Labels(account=ACCOUNT_OF_FEED[feed], mode="paper", feed=feed)
    with opened(setup, labels, make_feed(feed, setup, paces), clock) as engine:
        yield engine


@contextmanager
def opened(
    setup: Setup, labels: Labels, feed: BarFeed, clock: Clock, frozen: bool = False
) -> Iterator[Engine]:
    """Open an account with these parts; see `open_engine`."""
    import asyncio

    from engine_alpha.journals.sqlite import SqliteJournal
    from engine_alpha.loop.engine import Engine
    from engine_alpha.loop.lock import account_lock
    from engine_alpha.step.state import AccountBook

    folder = setup.home.account(labels.account)
    with account_lock(folder), asyncio.Runner() as loop:
        journal = SqliteJournal.open(folder / JOURNAL_NAME)
        try:
            yield Engine(
                setup=setup,
                labels=labels,
                clock=clock,
                feed=feed,
                journal=journal,
                book=AccountBook(journal.states(), setup.risk.equity_quote),
                frozen=frozen,
                loop=loop,
            )
        finally:
            loop.run(feed.close())
            journal.close()


class Paces(dict[str, "Governor"]):
    """One pace per venue, made when it is first needed: for candles and orders of all accounts of a tick."""

    def __missing__(self, name: str) -> Governor:
        """Make the pace."""
        from engine_alpha.exchanges.governor import Governor

        self[name] = pace = Governor(name)
        return pace


class Venues(dict[str, "Venue"]):
    """The venues of one live account, each made when it is first needed, and one pace for each.

    Raises `ConfigError` for one whose keys can't be used: the others' assets go on.
    """

    def __init__(self, home: Home, setup: Setup, paces: Paces | None = None) -> None:
        super().__init__()
        self._home, self._setup = home, setup
        self._paces = Paces() if paces is None else paces

    def __missing__(self, name: str) -> Venue:
        """Make the venue."""
        self[name] = venue = make_live_venue(self._home, self._setup, name, self._paces[name])
        return venue

    def candles(self) -> BarFeed:
        """Return the candles of the environment that orders go to."""
        from engine_alpha.exchanges.ccxt_connection import CcxtConnection
        from engine_alpha.feeds.ccxt_feed import CcxtFeed

        engine = self._setup.engine

        def connect(name: str) -> CcxtConnection:
            url, environment = engine.live_url(name), engine.live.environment
            return CcxtConnection(name, url, engine.feed_deadline_ms, self._paces[name], environment)

        return CcxtFeed(deadline_ms=engine.feed_deadline_ms, connect=connect)


def make_live_venue(home: Home, setup: Setup, name: str, governor: Governor | None = None) -> Venue:
    """Return a venue with this home's keys for it, in its environment; nothing is sent yet."""
    from engine_alpha.config.keys import read_keys
    from engine_alpha.exchanges.ccxt_line import ApiKey
    from engine_alpha.venues.ccxt_venue import VenueSettings, make_venue

    key, secret = read_keys(home, name)
    live = setup.engine.live
    return make_venue(
        name,
        VenueSettings(
            environment=live.environment,
            base_url=setup.engine.live_url(name),
            api_key=ApiKey(key, secret),
            recv_window_ms=live.recv_window_ms,
            timeout_ms=setup.engine.feed_deadline_ms,
            governor=governor,
        ),
    )


@contextmanager
def open_live_engine(home: Home, now: str | None = None, paces: Paces | None = None) -> Iterator[Engine]:
    """Open the home's live account: its lock, journal, prices of its venues, and the venues themselves."""
    from engine_alpha.plans.setup import read_setup

    with open_live(read_setup(home), make_clock(now), paces) as engine:
        yield engine


@contextmanager
def open_live(setup: Setup, clock: Clock, paces: Paces | None = None) -> Iterator[Engine]:
    """Open the live account on a configuration that was read already; see `open_live_engine`."""
    from engine_alpha.loop.live_orders import armed_symbols
    from engine_alpha.step.recording import Labels

    labels = Labels(account=setup.engine.live.account, mode="live", feed="venue")
    venues = Venues(setup.home, setup, paces)
    with opened(setup, labels, venues.candles(), clock) as engine:
        engine.armed = armed_symbols(setup)
        engine.live = live_desk(setup, engine.journal, engine.clock, venues)
        try:
            yield engine
        finally:
            for venue in venues.values():
                engine.loop.run(venue.close())


def live_desk(setup: Setup, journal: Journal, clock: Clock, venues: Mapping[str, Venue]) -> LiveDesk:
    """Return what real orders need, as the journal knows them."""
    from engine_alpha.loop.live_orders import LiveDesk
    from engine_alpha.trading.live_book import LiveBook, TradingLimits, states_of
    from engine_alpha.trading.road import LiveRoad

    limits = TradingLimits(
        naked_limit_ms=setup.engine.live.naked_limit_ms,
        max_entry_delay_ms=setup.engine.max_entry_delay_ms,
    )
    book = LiveBook(
        journal=journal,
        clock=clock,
        venues=venues,
        limits=limits,
        started_ms=clock.now_ms(),
        states=states_of(journal.states()),
    )
    return LiveDesk(environment=setup.engine.live.environment, book=book, road=LiveRoad(book))


@contextmanager
def open_engine_of(home: Home, symbol: str) -> Iterator[Engine]:
    """Open the account that steps this asset: the live one if it is armed, else the configured feed's."""
    from engine_alpha.loop.live_orders import armed_symbols
    from engine_alpha.plans.setup import read_setup

    opening = open_live_engine(home) if symbol in armed_symbols(read_setup(home)) else open_engine(home)
    with opening as engine:
        yield engine


def run_tick(home: str | None = None, feed: str | None = None, now: str | None = None) -> TickReport:
    """Run one tick of all assets: armed ones in the live account, the others on paper.

    The log's first line names home and prices. A live account that can't be opened is raised after the
    paper assets were stepped.
    """
    import logging

    from engine_alpha.home import find_home

    found = find_home(home)
    name, _ = feed_name(found, feed)
    logging.getLogger("chloe.runner").info("%s", source_line(found, name))
    from engine_alpha.loop.tick import tick_all  # after the first line: this loads the kernel

    paces = Paces()
    live: TickReport | None = None
    broken: ChloeError | None = None
    try:
        live = run_live_tick(found, now, paces)
    except ChloeError as fault:
        broken = fault
    with open_engine(found, feed, now, paces) as engine:
        report = tick_all(engine, headline=live is None)
    if broken is not None:
        raise broken
    return report if live is None else report.joined(live)


def run_live_tick(home: Home, now: str | None, paces: Paces | None = None) -> TickReport | None:
    """Run one tick of the live account; None where nothing is armed and no order was ever sent.

    Where configuration can't be read the last good one goes on: exits may be due.
    """
    from engine_alpha.config.engine import ACCOUNT_OF_ENVIRONMENT
    from engine_alpha.loop.last_good import KeptConfiguration
    from engine_alpha.loop.tick import tick_all

    if not any((home.state / name).is_dir() for name in ACCOUNT_OF_ENVIRONMENT.values()):
        return None
    configuration = KeptConfiguration(home)
    setup = configuration.read()
    if not has_live_account(setup):
        return None
    with open_live(setup, make_clock(now), paces) as engine:
        engine.configuration = configuration
        return tick_all(engine)


def has_live_account(setup: Setup) -> bool:
    """Say whether anything is armed, or any order was ever sent."""
    from engine_alpha.loop.live_orders import armed_symbols

    folder = setup.home.account(setup.engine.live.account)
    return bool(armed_symbols(setup)) or (folder / JOURNAL_NAME).exists()


def tick_command(home: str | None, feed: str | None, now: str | None, as_json: bool) -> int:
    """Run one tick for a command line: log on stderr, report on stdout if asked for; return the exit code."""
    from engine_alpha.loop.saying import complain, configure_logging

    configure_logging()
    try:
        report = run_tick(home, feed, now)
    except ChloeError as fault:
        return complain(fault)
    if as_json:
        print(report.json())
    return report.exit_code


def alert_sender() -> Sender:
    """Return what sends a message to a target; raise `ConfigError` without apprise, naming the extra."""
    from engine_alpha.notices.sending import can_send, send_apart

    if not can_send():
        raise ConfigError("alerts need apprise: install the extra, pip install 'chloe[alerts]'")
    return send_apart


def run_command(home: str | None, feed: str | None) -> int:
    """Run the service for a command line until it is stopped; return the exit code."""
    import logging

    from engine_alpha.home import find_home
    from engine_alpha.loop.clocks import SystemClock
    from engine_alpha.loop.last_good import KeptConfiguration
    from engine_alpha.loop.saying import complain, configure_logging
    from engine_alpha.loop.service.starting import make_service, make_watchers

    configure_logging()
    try:
        configuration = KeptConfiguration(find_home(home))
        setup = configuration.read()
        words = source_words(setup.home, chosen_feed(setup.engine, feed), setup.registry, setup.engine)
        logging.getLogger("chloe.runner").info("%s", words)
        make_service(configuration, feed, SystemClock(), make_watchers()).run()
    except ChloeError as fault:
        return complain(fault)
    return 0


def play_command(home: str | None, begin: str, until: str) -> int:
    """Let a past span of the simulated market pass for a command line; return the exit code."""
    import logging

    from engine_alpha.home import find_home
    from engine_alpha.loop.saying import complain, configure_logging
    from engine_alpha.loop.service.playing import play
    from engine_alpha.times import parse_iso

    configure_logging(logging.WARNING)
    try:
        print(play(find_home(home), parse_iso(begin), parse_iso(until)))
    except ChloeError as fault:
        return complain(fault)
    return 0
