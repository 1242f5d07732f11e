"""How a home runs: where its prices come from, and how long it waits for them."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from engine_alpha.config.assets import VENUES
from engine_alpha.config.checking import OneOf, Strict, advice, require
from engine_alpha.config.editing import set_value
from engine_alpha.config.reading import parse_members, read_source
from engine_alpha.errors import ConfigError

FeedName = Literal["embedded", "venue", "files"]
FEEDS: tuple[FeedName, ...] = ("embedded", "venue", "files")

_MINUTE_MS = 60_000


class FilesConfig(Strict):
    """The bar store that the feed `files` reads."""

    data: Annotated[str, Field(min_length=1, description="Folder of stored bars, seen from the home.")]
    venue: Annotated[str, OneOf(VENUES), Field(description="Whose bars are read there.")]


class EngineConfig(Strict):
    """What engine.json says. All keys must be there, so that the file shows all that can be set."""

    feed: Annotated[
        FeedName,
        Field(description="Simulated prices, each asset's own venue, or stored bars."),
    ]
    feed_deadline_ms: Annotated[
        int, Field(ge=100, le=10 * _MINUTE_MS, description="An asset whose bars are later is passed over.")
    ]
    settle_delay_ms: Annotated[
        int, Field(ge=0, le=10 * _MINUTE_MS, description="Wait after a close before asking for its bar.")
    ]
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

    def data_folder(self, home: Path) -> Path:
        """Return the bar store's folder; a relative one is seen from the home."""
        return home / Path(self.files.data).expanduser()


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
