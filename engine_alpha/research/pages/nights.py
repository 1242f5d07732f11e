"""The nights of a home, read back from the documents they left in reports/research."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from engine_alpha.errors import ConfigError

Document = dict[str, Any]

FOLDER: Final = "research"
NIGHT_FILE: Final = "night.json"
SCHEMA: Final = 2
MOST_NAMED: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptNight:
    """One night as it was written: the document of all, and one a coin by symbol.

    `broken` says by file name why a coin's document can't be read; the others stand.
    """

    folder: Path
    document: Document
    assets: Mapping[str, Document]
    broken: Mapping[str, str] = field(default_factory=dict)

    @property
    def night(self) -> str:
        """Return the date it is named by."""
        return str(self.document["night"])

    def asset(self, symbol: str) -> Document:
        """Return a coin's document; raise `ConfigError` if the night has none of it."""
        if symbol in self.broken:
            raise ConfigError(self.broken[symbol])
        if symbol not in self.assets:
            known = ", ".join(self.assets) or "no coin"
            raise ConfigError(f"the night of {self.night} did not look at {symbol}; it has {known}")
        return self.assets[symbol]


def kept_nights(reports: Path) -> tuple[str, ...]:
    """Return the dates of all nights that were finished, oldest first; `reports` is the home's folder."""
    return tuple(sorted(path.parent.name for path in (reports / FOLDER).glob(f"*/{NIGHT_FILE}")))


def read_night(reports: Path, night: str | None = None) -> KeptNight:
    """Return a night, the last one for None; raise `ConfigError` if it is not there or can't be read."""
    known = kept_nights(reports)
    if not known:
        raise ConfigError(f"{reports / FOLDER} holds no night yet: chloe research run")
    if night is not None and night not in known:
        raise ConfigError(f'there is no night "{night}"; the last ones are {", ".join(known[-MOST_NAMED:])}')
    return night_in(reports / FOLDER / (known[-1] if night is None else night))


def night_before(reports: Path, night: str) -> KeptNight | None:
    """Return the night before one; None for the first, and where the one before can't be read any more."""
    earlier = [each for each in kept_nights(reports) if each < night]
    if not earlier:
        return None
    try:
        return night_in(reports / FOLDER / earlier[-1])
    except ConfigError:
        return None


def night_in(folder: Path) -> KeptNight:
    """Read the night of one folder; its coins in the order of the night."""
    document = read_document(folder / NIGHT_FILE)
    assets: dict[str, Document] = {}
    broken: dict[str, str] = {}
    for each in document["assets"]:
        try:
            assets[each["symbol"]] = read_document(folder / f"{each['symbol']}.json")
        except ConfigError as fault:
            broken[each["symbol"]] = str(fault)
    return KeptNight(folder=folder, document=document, assets=assets, broken=broken)


def read_document(path: Path) -> Document:
    """Read one document; raise `ConfigError` that says what to do with one that is of no use."""
    again = f"run that night again: chloe research run --night {path.parent.name}"
    try:
        found = json.loads(path.read_bytes())
    except OSError as fault:
        raise ConfigError(f"{path} can't be read ({fault.strerror}): {again}") from None
    except ValueError:
        raise ConfigError(f"{path} is no JSON, it was damaged: {again}") from None
    schema = found.get("schema") if isinstance(found, dict) else None
    if not isinstance(found, dict) or schema != SCHEMA:
        raise ConfigError(
            f"{path} is of schema {schema}, this version of Chloe reads {SCHEMA}: {again}, or look at it "
            "with the version that wrote it"
        )
    return found
