"""What research found becomes what the step reads: a coin's parameter set, versioned and reversible.

`config/parameters/SYMBOL.json` is the set in use, `config/parameters/versions/SYMBOL/VERSION.json` every one
there ever was. A version is written first and never again; the set in use is then replaced by a copy of it in
one go. A crash between the two leaves the old set in use.
"""

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from engine_alpha.atomic_files import sync_folder, write_atomically
from engine_alpha.config.assets import known_symbols, read_registry, unknown_symbol
from engine_alpha.config.card_settings import own_cards
from engine_alpha.config.cards import read_cards
from engine_alpha.config.checking import check
from engine_alpha.config.instruments import known_contracts
from engine_alpha.config.parameters import Adoption, ParametersConfig, own_file, set_of
from engine_alpha.errors import ConfigError
from engine_alpha.home import Home
from engine_alpha.research.versions import Shelf, Version, fields_of, written
from engine_alpha.times import iso

LINEAGE: Final = ("version", "previous", "adopted")
"""What tells one version from another whose numbers are the same."""
UNNAMED: Final = "unnamed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Adopted:
    """What adopting did: nothing where `changed` is False, for the set in use says the same already.

    `previous` is the version that was in use, None for the default set; `saved` the one that a set made by
    hand was kept as.
    """

    symbol: str
    version: str
    previous: str | None
    changed: bool
    saved: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reverted:
    """What going back did: `version` is in use now, None for the default set; `left` was before."""

    symbol: str
    version: str | None
    left: str | None
    changed: bool
    saved: str | None = None


def adopt(
    home: Home, symbol: str, document: Mapping[str, Any], night: str, proposal_sha256: str, at_ms: int
) -> Adopted:
    """Put a set in use for a coin, as a new version; raise `ConfigError` for one that can't be, nothing done.

    `document` has the keys of a parameters file; what it says of version, previous and adopted is replaced.
    """
    wanted = {key: value for key, value in document.items() if key not in (*LINEAGE, "$schema")}
    come = {"at": iso(at_ms), "night": night, "proposal_sha256": proposal_sha256}
    with _held(home, symbol) as shelf:
        _require_usable(home, symbol, {**wanted, "version": UNNAMED, "adopted": come})
        now = shelf.active()
        if now is not None and _same(now, wanted):
            version, previous = str(now["version"]), now.get("previous")
            return Adopted(symbol=symbol, version=version, previous=previous, changed=False)
        before, saved = shelf.kept(now, at_ms)
        made = {**wanted, "previous": before, "adopted": come}
        version = _written_before(shelf, made) or shelf.free_name(at_ms)
        path = shelf.path(version)
        if not path.exists():
            shelf.write(version, _whole({**made, "version": version}))
        write_atomically(shelf.active_path, path.read_bytes())
        return Adopted(symbol=symbol, version=version, previous=before, changed=True, saved=saved)


def revert(home: Home, symbol: str, at_ms: int) -> Reverted:
    """Go back to the version before, or to the default set where there was none.

    Works from a set that this version of Chloe refuses, too. Raises `ConfigError`, nothing done, where the
    version before is not there or could not be used.
    """
    with _held(home, symbol) as shelf:
        now = shelf.active()
        if now is None:
            return Reverted(symbol=symbol, version=None, left=None, changed=False)
        previous = now.get("previous")
        content = None if previous is None else _usable_bytes(home, shelf, str(previous))
        left, saved = shelf.kept(now, at_ms)
        if content is None:
            shelf.active_path.unlink()
            sync_folder(shelf.active_path.parent)
        else:
            write_atomically(shelf.active_path, content)
        return Reverted(symbol=symbol, version=previous, left=left, changed=True, saved=saved)


def history(home: Home, symbol: str) -> tuple[Version, ...]:
    """Return every version of a coin's set, newest first, sets made by hand last; none for the default."""
    return Shelf(folder=home.parameters, symbol=symbol).versions()


@contextmanager
def _held(home: Home, symbol: str) -> Iterator[Shelf]:
    """Hold the folder against other adoptions and give a coin's versions."""
    own_file(home.parameters, symbol)  # a symbol and nothing else
    try:
        folder = os.open(home.parameters, os.O_RDONLY)
    except OSError as error:
        raise ConfigError(
            f"{home.parameters}: can't be opened ({error.strerror}); check its rights"
        ) from None
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        shelf = Shelf(folder=home.parameters, symbol=symbol)
        shelf.sweep()
        yield shelf
    except OSError as error:
        raise ConfigError(
            f"{error.filename or home.parameters}: can't be written ({error.strerror}); no set is "
            "half in use: make room or check the rights, then try again"
        ) from None
    finally:
        os.close(folder)


def _require_usable(home: Home, symbol: str, fields: dict[str, Any]) -> None:
    """Raise `ConfigError` unless the coin could be stepped on this set, with the cards as they are now."""
    registry = read_registry(home.registry)
    if symbol not in [asset.symbol for asset in registry.assets]:
        raise unknown_symbol(symbol, registry, home.registry)
    config, problems = check(ParametersConfig, fields)
    if config is None:
        raise ConfigError("; ".join(f"the set for {symbol}: {problem}" for problem in problems))
    found = set_of(config)
    known = known_symbols(registry, known_contracts(home.instruments))
    faults = own_cards(read_cards(home.cards, known), found.cards)[1]
    if faults:
        raise ConfigError("; ".join(f"the set for {symbol}: cards.{problem}" for problem in faults))


def _same(now: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Say whether two sets decide alike, whoever wrote them."""
    named = {**wanted, "version": UNNAMED}
    both = [check(ParametersConfig, each, whole_file=True)[0] for each in (now, named)]
    here, there = (None if each is None else each.model_dump(exclude=set(LINEAGE)) for each in both)
    return here is not None and here == there


def _written_before(shelf: Shelf, made: Mapping[str, Any]) -> str | None:
    """Return the version that says all this, its time aside: a crash came before it was in use."""
    for version in shelf.versions():
        if version.fault or version.adopted is None or version.previous != made["previous"]:
            continue
        come = Adoption.model_validate(made["adopted"])
        same = (version.adopted.night, version.adopted.proposal_sha256) == (come.night, come.proposal_sha256)
        if same and _same(fields_of(shelf.path(version.version)), made):
            return version.version
    return None


def _whole(fields: dict[str, Any]) -> bytes:
    """Return a version's file: every key there, plain JSON."""
    return written(ParametersConfig.model_validate(fields).model_dump(mode="json", exclude_none=False))


def _usable_bytes(home: Home, shelf: Shelf, version: str) -> bytes:
    """Return the file of a version that could be used again."""
    try:
        content = shelf.path(version).read_bytes()
        fields = {key: value for key, value in fields_of(shelf.path(version)).items() if key != "$schema"}
        config, problems = check(ParametersConfig, fields)
        faults = own_cards(read_cards(home.cards), config.cards)[1] if config else problems
        if faults:
            raise ConfigError("; ".join(map(str, faults)))
    except (OSError, ConfigError) as fault:
        there = ", ".join(each.version for each in shelf.versions()) or "none"
        raise ConfigError(
            f"can't go back to {version}, the version before ({fault}); put another one of "
            f"{shelf.path(version).parent} in place of {shelf.active_path} ({there}), or delete that file "
            "for the default set"
        ) from None
    return content
