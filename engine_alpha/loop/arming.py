"""Which assets may send real orders: a small file in the live account's folder, no lock, no journal needed.

The command writes it, every tick reads it and makes it smaller where trades speak against an asset. What
can't be read arms nothing.
"""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from engine_alpha.atomic_files import write_atomically
from engine_alpha.errors import ConfigError, JournalError

FILE_NAME = "armed.json"
FULL_SIZE = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmedAsset:
    """An asset whose orders go to `venue` in `environment`, since when a person said so.

    `size_factor` is the part of its usual risk that an entry takes; `halved_ms` is when its trades made it
    half of what the person said, 0 if they did not.
    """

    symbol: str
    at_ms: int
    environment: str
    venue: str
    size_factor: float = FULL_SIZE
    halved_ms: int = 0


class Armed(dict[str, ArmedAsset]):
    """The armed assets by symbol; `fault` says why a file could not be read, and then there are none."""

    fault: str = ""


def arm(
    folder: Path, symbol: str, at_ms: int, environment: str, venue: str, size_factor: float = FULL_SIZE
) -> None:
    """Arm one asset of this account; one that is armed so already keeps its time.

    Raises `ConfigError` if what is there can't be read, `JournalError` if nothing can be written.
    """
    with _locked(folder):
        found = armed(folder)
        if found.fault:
            raise ConfigError(f"{found.fault}; nothing is armed. To begin anew: chloe live disarm --all")
        wanted = ArmedAsset(
            symbol=symbol, at_ms=at_ms, environment=environment, venue=venue, size_factor=size_factor
        )
        before = found.get(symbol)
        if before is None or replace(before, at_ms=at_ms) != wanted:
            found[symbol] = wanted
        _write(folder, found)


def halve(folder: Path, asset: ArmedAsset, at_ms: int) -> ArmedAsset | None:
    """Halve the size of an asset once since a person armed it; return it as it is now.

    None where it is not armed so any more: a person said otherwise meanwhile. Raises `JournalError`.
    """
    with _locked(folder):
        found = armed(folder)
        if found.get(asset.symbol) != asset or asset.halved_ms:
            return found.get(asset.symbol)
        found[asset.symbol] = replace(asset, size_factor=asset.size_factor / 2, halved_ms=at_ms)
        _write(folder, found)
        return found[asset.symbol]


def take_back(folder: Path, asset: ArmedAsset) -> bool:
    """Disarm an asset that is still armed just so; say whether it was. Raises `JournalError`."""
    with _locked(folder):
        found = armed(folder)
        if found.get(asset.symbol) != asset:
            return False
        del found[asset.symbol]
        _write(folder, found)
        return True


def disarm(folder: Path, symbol: str | None) -> tuple[str, ...]:
    """Disarm one asset, or all for None; return which were armed. A file that can't be read is replaced."""
    with _locked(folder):
        before = armed(folder)
        gone = tuple(each for each in before if symbol in (None, each))
        kept = Armed({each: asset for each, asset in before.items() if each not in gone})
        if gone or before.fault:
            _write(folder, kept)
    return gone


def armed(folder: Path) -> Armed:
    """Return what is armed in this account; nothing, with a reason, if the file can't be read as written."""
    path = folder / FILE_NAME
    try:
        text = path.read_text(encoding="utf-8")
        entries = json.loads(text)
        return Armed({symbol: _asset(symbol, entry) for symbol, entry in entries.items()})
    except FileNotFoundError:
        return Armed()
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as fault:
        nothing = Armed()
        nothing.fault = f"{path} can't be read ({type(fault).__name__}: {fault})"
        return nothing


def counting(found: Armed, environment: str, venues: Mapping[str, str]) -> Armed:
    """Return those armed for this environment and for the venue that the registry names for them now."""
    good = {
        symbol: asset
        for symbol, asset in found.items()
        if asset.environment == environment and venues.get(symbol) == asset.venue
    }
    left = Armed(good)
    left.fault = found.fault
    return left


def _asset(symbol: str, entry: Any) -> ArmedAsset:
    at_ms, environment, venue = entry["at_ms"], entry["environment"], entry["venue"]
    factor, halved_ms = entry.get("size_factor", FULL_SIZE), entry.get("halved_ms", 0)
    sound = type(at_ms) is int and type(halved_ms) is int and type(factor) is float
    if not sound or not isinstance(environment, str) or not isinstance(venue, str) or not 0 < factor <= 1:
        raise TypeError(f"the entry of {symbol} is not as chloe writes it")
    return ArmedAsset(
        symbol=symbol,
        at_ms=at_ms,
        environment=environment,
        venue=venue,
        size_factor=factor,
        halved_ms=halved_ms,
    )


def _entry(asset: ArmedAsset) -> dict[str, Any]:
    entry = {"at_ms": asset.at_ms, "environment": asset.environment, "venue": asset.venue}
    if asset.size_factor != FULL_SIZE:
        entry["size_factor"] = asset.size_factor
    if asset.halved_ms:
        entry["halved_ms"] = asset.halved_ms
    return entry


def _write(folder: Path, assets: Armed) -> None:
    entries = {symbol: _entry(asset) for symbol, asset in sorted(assets.items())}
    write_atomically(folder / FILE_NAME, json.dumps(entries, indent=2).encode() + b"\n")


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold the folder against whoever else writes the same file: a command, or the engine as it demotes."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder, os.O_RDONLY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)
    except OSError as fault:
        raise JournalError(
            f"{folder / FILE_NAME} can't be written ({fault}): what is armed has NOT changed"
        ) from fault
