"""What changed between two readings of the configuration, one plain sentence each."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel

from engine_alpha.config.instruments import InstrumentChange, diff_instruments
from engine_alpha.config.parameters import DEFAULT, ParameterSet, read_set
from engine_alpha.domain.asset import AssetConfig
from engine_alpha.errors import ConfigError
from engine_alpha.home import Home
from engine_alpha.plans.setup import Setup

Adopted = ParameterSet | str
"""A parameter set, or why it can't be read."""

_LONGEST = 60
_MOST_NAMES = 3
_LONG = "…"


def differences(before: Setup, after: Setup) -> list[str]:
    """Return what changed: assets in the order of the registry, then their faults, then file by file.

    Where both are readings of one home, adopted parameters are compared for the assets whose plans were made:
    the files themselves are the new ones by now.
    """
    return [
        *_asset_lines(before, after),
        *_fault_lines(before, after),
        *_keys("risk.json", before.risk, after.risk),
        *_keys("engine.json", before.engine, after.engine),
        *_card_lines(before, after),
        *_instrument_lines(before, after),
        *_parameter_lines(before, after),
    ]


def _asset_lines(before: Setup, after: Setup) -> Iterator[str]:
    was = {asset.symbol: asset for asset in before.registry.assets}
    now = {asset.symbol: asset for asset in after.registry.assets}
    was_broken = {fault.symbol for fault in before.registry.faults}
    broken = {fault.symbol for fault in after.registry.faults}
    for symbol, asset in now.items():
        if symbol in was:
            yield from _asset_changes(was[symbol], asset)
        else:
            come = "is in order again" if symbol in was_broken else "added"
            yield f"{symbol} {come}, {_asset_words(asset)}"
    for symbol in was:
        if symbol not in now and symbol not in broken:
            yield f"{symbol} removed from the registry"
    yield from _order_line("assets stand in another order", list(was), list(now))


def _asset_changes(was: AssetConfig, now: AssetConfig) -> Iterator[str]:
    if was.enabled != now.enabled:
        yield f"{now.symbol} {'enabled' if now.enabled else 'disabled'}"
    old = replace(was, enabled=now.enabled)
    yield from (f"{now.symbol} {text}" for text in _changes("", asdict(old), asdict(now)))


def _asset_words(asset: AssetConfig) -> str:
    switch = "enabled" if asset.enabled else "disabled"
    return f"{switch}: {asset.base_timeframe} on {asset.venue}, bucket {asset.risk_bucket}"


def _order_line(what: str, was: Sequence[str], now: Sequence[str]) -> Iterator[str]:
    """Yield a line if those that are in both come in another order."""
    old = [name for name in was if name in set(now)]
    new = [name for name in now if name in set(was)]
    if old != new:
        place = next(place for place, name in enumerate(new) if old[place] != name)
        yield f"{what}: {new[place]} is now where {old[place]} was"


def _fault_lines(before: Setup, after: Setup) -> Iterator[str]:
    """Yield faults that came and went; a fault that only moved to another line is the same one."""
    entries = [
        {(fault.symbol, fault.path, fault.message): str(fault) for fault in setup.registry.faults}
        for setup in (before, after)
    ]
    cards = [
        {(f"card {fault.file}", fault.path, fault.message): str(fault) for fault in setup.cards.faults}
        for setup in (before, after)
    ]
    for was, now in (entries, cards):
        yield from (f"{key[0]} refused: {text}" for key, text in now.items() if key not in was)
        yield from (f"{key[0]} mended: {_joined(key[1:])}" for key in was if key not in now)


def _joined(parts: Iterable[str]) -> str:
    return ": ".join(part for part in parts if part)


def _card_lines(before: Setup, after: Setup) -> Iterator[str]:
    was = {card.name: card for card in before.cards.cards}
    now = {card.name: card for card in after.cards.cards}
    for name, card in now.items():
        if name not in was:
            yield f"card {name} added, {card.status}"
        else:
            yield from _keys(f"card {name}", was[name], card)
    gone = "does not count" if len(after.cards.faults) > len(before.cards.faults) else "removed"
    yield from (f"card {name} {gone}" for name in was if name not in now)
    yield from _order_line("cards are asked in another order", list(was), list(now))


def _instrument_lines(before: Setup, after: Setup) -> Iterator[str]:
    """Yield the changed contracts of the registry's assets, and how many others changed."""
    listed = {(asset.venue, asset.symbol) for asset in (*before.registry.assets, *after.registry.assets)}
    for venue in sorted(before.instruments.keys() | after.instruments.keys()):
        changes = diff_instruments(before.instruments.get(venue, {}), after.instruments.get(venue, {}))
        ours = [change for change in changes if (venue, change.symbol) in listed]
        for change in sorted(ours, key=lambda change: after.place(change.symbol)):
            yield from _contract_changes(f"{change.symbol} at {venue}", change)
        others = {change.symbol for change in changes if (venue, change.symbol) not in listed}
        if others:
            many = "1 contract" if len(others) == 1 else f"{len(others)} contracts"
            yield f"snapshot of {venue}: {many} outside the registry changed"


def _contract_changes(what: str, change: InstrumentChange) -> Iterator[str]:
    if change.field is None:
        yield f"{what}: contract {'is new in' if change.before is None else 'left'} the snapshot"
    elif change.field == "tiers":
        old, new = ([asdict(tier) for tier in tiers] for tiers in (change.before, change.after))
        if len(old) != len(new):
            yield f"{what}: {len(old)} maintenance tiers → {len(new)}"
        else:
            yield from (f"{what}: {text}" for text in _changes("tiers", old, new))
    else:
        yield from (f"{what}: {text}" for text in _changes(change.field, change.before, change.after))


def _parameter_lines(before: Setup, after: Setup) -> Iterator[str]:
    """Yield changes of the parameter sets that assets use; assets that share a change share a line."""
    one_home = before.home == after.home
    was = _planned(before) if one_home else _adopted(before.home, before.order)
    now = _adopted(after.home, [symbol for symbol in after.order if symbol in was])
    sharing: dict[str, list[str]] = {}
    for symbol, adopted in now.items():
        for text in _set_changes(was[symbol], adopted):
            sharing.setdefault(text, []).append(symbol)
    for text, symbols in sharing.items():
        more = len(symbols) - _MOST_NAMES
        names = ", ".join(symbols[:_MOST_NAMES]) + (f" and {more} more" if more > 0 else "")
        yield f"{names}: {text}"


def _planned(setup: Setup) -> dict[str, Adopted]:
    return {asset.symbol: setup.set_of(asset.symbol) for asset in setup.made}


def _adopted(home: Home, symbols: Iterable[str]) -> dict[str, Adopted]:
    """Return what the files of a home give each asset; a file is read once."""
    own = {path.stem for path in home.parameters.glob("*.json")}
    found: dict[str, Adopted] = {}
    for name in {symbol if symbol in own else DEFAULT for symbol in symbols}:
        try:
            found[name] = read_set(home.parameters / f"{name}.json")
        except ConfigError as fault:
            found[name] = str(fault)
    return {symbol: found[symbol if symbol in own else DEFAULT] for symbol in symbols}


def _set_changes(was: Adopted, now: Adopted) -> Iterator[str]:
    if was == now:
        return
    if isinstance(now, str):
        yield f"parameters can't be read: {now}"
    elif isinstance(was, str):
        yield f"parameters can be read again: {now.version}"
    else:
        changed = list(_changes("", _set_keys(was), _set_keys(now)))
        version = f"parameters {now.version}"
        if was.version != now.version:
            version = f"parameters {was.version} → {now.version}"
        yield f"{version}: {'; '.join(changed) if changed else 'the same values'}"


def _set_keys(adopted: ParameterSet) -> dict[str, Any]:
    cards = {name: settings.model_dump(exclude_none=True) for name, settings in adopted.cards.items()}
    return {**adopted.parameters._asdict(), "cards": cards}


def _keys(what: str, was: BaseModel, now: BaseModel) -> Iterator[str]:
    yield from (f"{what}: {text}" for text in _changes("", was.model_dump(), now.model_dump()))


def _changes(path: str, was: Any, now: Any) -> Iterator[str]:
    """Yield "path old → new" for each leaf that differs."""
    if was == now:
        return
    if isinstance(was, Mapping) and isinstance(now, Mapping):
        for key in [*was, *(key for key in now if key not in was)]:
            at = f"{path}.{key}" if path else key
            if key not in was:
                yield f"{at} added: {_word(now[key])}"
            elif key not in now:
                yield f"{at} removed, it was {_word(was[key])}"
            else:
                yield from _changes(at, was[key], now[key])
    elif _rows(was) and _rows(now) and len(was) == len(now):
        for place, (old, new) in enumerate(zip(was, now, strict=True)):
            yield from _changes(f"{path}[{place}]", old, new)
    else:
        old, new = _word(was), _word(now)
        yield f"{path} changed" if old == new or _LONG in (old, new) else f"{path} {old} → {new}"


def _rows(value: Any) -> bool:
    """Say whether a value is a list of lists or of objects, which is compared member by member."""
    return isinstance(value, list | tuple) and any(isinstance(row, Mapping | list | tuple) for row in value)


def _word(value: Any) -> str:
    """Write a value as its file has it; of an address only the host, the rest may be a secret."""
    if isinstance(value, str):
        if "://" in value:
            return f"{urlsplit(value).scheme}://{urlsplit(value).hostname}"
        return _LONG if len(value) > _LONGEST else value or '""'
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return json.dumps(_plain(value), ensure_ascii=False)


def _plain(value: Any) -> Any:
    """Leave out what is null inside an object: a card's file need not name it."""
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items() if each is not None}
    return [_plain(each) for each in value] if isinstance(value, list | tuple) else value
