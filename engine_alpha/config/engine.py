"""How a home runs: where its prices come from, how long it waits for them, where its real orders go."""

from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from engine_alpha.config.assets import VENUES
from engine_alpha.config.checking import OneOf, Strict, advice, require, shown
from engine_alpha.config.editing import set_value
from engine_alpha.config.reading import parse_members, read_source
from engine_alpha.errors import ConfigError

FeedName = Literal["embedded", "venue", "files"]
FEEDS: tuple[FeedName, ...] = ("embedded", "venue", "files")

Environment = Literal["testnet", "demo", "loopback", "mainnet"]
TESTNET, DEMO, LOOPBACK, MAINNET = "testnet", "demo", "loopback", "mainnet"
ACCOUNT_OF_ENVIRONMENT: dict[str, str] = {
    TESTNET: "live-testnet",
    DEMO: "live-demo",
    LOOPBACK: "live-loopback",
    MAINNET: "live",
}
"""Where orders go, and the account in state/ that keeps them: money of one never meets that of another."""

AlertKind = Literal["trades", "faults", "halts", "rollout", "summary"]

_MINUTE_MS = 60_000
_THIS_MACHINE = "127.0.0.1"


_SettleDelay = Annotated[
    int, Field(ge=0, lt=_MINUTE_MS, description="Wait after a close before asking this venue for its bar.")
]


class SettleDelays(Strict):
    """How long after a close each venue may still correct its bar; shorter than the shortest bars."""

    bybit: _SettleDelay
    binance: _SettleDelay

    @property
    def by_venue(self) -> dict[str, int]:
        """Return the delay of every venue."""
        return self.model_dump()


class FilesConfig(Strict):
    """The bar store that the feed `files` reads."""

    data: Annotated[str, Field(min_length=1, description="Folder of stored bars, seen from the home.")]
    venue: Annotated[str, OneOf(VENUES), Field(description="Whose bars are read there.")]


class LiveConfig(Strict):
    """Where the orders of armed assets go, and what is waited for there."""

    environment: Annotated[
        Environment,
        Field(
            description="Venue to trade at: its testnet, its demo trading, a test exchange on this machine, "
            "or with real money."
        ),
    ]
    naked_limit_ms: Annotated[
        int,
        Field(
            ge=1_000,
            le=10 * _MINUTE_MS,
            description="A position that had no stop at the venue for so long of uptime is closed at market.",
        ),
    ]
    recv_window_ms: Annotated[
        int,
        Field(
            ge=200, le=_MINUTE_MS, description="A request that reaches the venue later is not carried out."
        ),
    ]

    @property
    def account(self) -> str:
        """Name the account that keeps this environment's orders."""
        return ACCOUNT_OF_ENVIRONMENT[self.environment]


class ServiceConfig(Strict):
    """How `chloe run` lives between the closes."""

    look_every_ms: Annotated[
        int,
        Field(
            ge=1_000,
            le=10 * _MINUTE_MS,
            description="How often real orders and stops are looked at between two closes.",
        ),
    ]
    ping_url: Annotated[
        str,
        Field(
            pattern=r"^(https?://\S+)?$",
            description="Asked for while all is well: silence is noticed elsewhere. Empty: never.",
        ),
    ]
    ping_every_ms: Annotated[
        int, Field(ge=10_000, le=1_440 * _MINUTE_MS, description="How often that address is asked for.")
    ]


class MetricsConfig(Strict):
    """Figures for Prometheus."""

    port: Annotated[
        int, Field(ge=0, le=65_535, description="Port on 127.0.0.1 of the page /metrics; 0: none.")
    ]


class AlertsConfig(Strict):
    """What is told to people; where to is a secret, see secrets/alerts.json."""

    kinds: Annotated[
        list[AlertKind],
        Field(description="What is told: trades, faults, halts, changes of rollout, the daily summary."),
    ]
    summary_at: Annotated[
        str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$", description="Time of the daily summary, UTC.")
    ]


class EngineConfig(Strict):
    """What engine.json says. All keys must be there, so that the file shows all that can be set."""

    feed: Annotated[
        FeedName,
        Field(description="Simulated prices, each asset's own venue, or stored bars."),
    ]
    feed_deadline_ms: Annotated[
        int, Field(ge=100, le=10 * _MINUTE_MS, description="An asset whose bars are later is passed over.")
    ]
    settle_delay_ms: SettleDelays
    max_entry_delay_ms: Annotated[
        int, Field(ge=1_000, le=1_440 * _MINUTE_MS, description="Later than this after the close: no entry.")
    ]
    embedded_seed: Annotated[
        int, Field(ge=0, lt=2**63, description="Another number, another simulated market.")
    ]
    files: FilesConfig
    venue_urls: Annotated[
        dict[Annotated[str, OneOf(VENUES)], Annotated[str, Field(pattern=r"^https?://[^\s/]+$")]],
        Field(description="Another base address for a venue: a proxy or a test exchange."),
    ]
    live: LiveConfig
    service: ServiceConfig
    metrics: MetricsConfig
    alerts: AlertsConfig

    @field_validator("settle_delay_ms", mode="before")
    @classmethod
    def _of_each_venue(cls, given: object) -> object:
        if isinstance(given, dict | SettleDelays):
            return given
        delay_ms = given if type(given) is int and given >= 0 else 2_000
        wanted = shown(dict.fromkeys(VENUES, delay_ms))
        raise ValueError(f"each venue has its own: write {wanted}, not {shown(given)}")

    def data_folder(self, home: Path) -> Path:
        """Return the bar store's folder; a relative one is seen from the home."""
        return home / Path(self.files.data).expanduser()

    def live_url(self, venue: str) -> str | None:
        """Return the base address for orders at a venue; None for the environment's own.

        `venue_urls` counts in the environment loopback alone, and must lead to this machine there: a proxy
        for prices never sees a signed request. Raises `ConfigError`.
        """
        if self.live.environment != LOOPBACK:
            return None
        url = self.venue_urls.get(venue)
        if url is None or not _leads_here(url):
            raise ConfigError(
                f'engine.json: live.environment "{LOOPBACK}" needs a test exchange on this machine: give '
                f"venue_urls.{venue} an address that begins with http://{_THIS_MACHINE}:"
            )
        return url


def read_engine(path: Path) -> EngineConfig:
    """Read engine.json; raise `ConfigError` that lists every problem with its place."""
    source = read_source(path)
    return require(EngineConfig, parse_members(source.text, source.name), source)


def set_feed(path: Path, feed: str) -> bool:
    """Choose where prices come from; return whether that changed the file."""
    if feed not in FEEDS:
        raise ConfigError(f'no feed "{feed}"; {advice(feed, FEEDS)}')
    read_engine(path)
    return set_value(path, "feed", feed)


def _leads_here(url: str) -> bool:
    """Say whether an address is one of this machine, by number: a name could be looked up elsewhere."""
    try:
        parts = urlsplit(url)
        return parts.hostname == _THIS_MACHINE and parts.username is None and parts.port != 0
    except ValueError:  # a port that is none
        return False
