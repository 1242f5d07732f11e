"""Change one thing in a configuration file and leave every other byte as its owner wrote it."""

import fcntl
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from engine_alpha.atomic_files import write_atomically
from engine_alpha.config.assets import AssetConfig, parse_registry, unknown_symbol
from engine_alpha.config.reading import Node, Source, blank, blank_comments, parse_members, read_source
from engine_alpha.errors import ConfigError

_BOM = "\ufeff"


def set_enabled(path: Path, symbol: str, enabled: bool) -> bool:
    """Switch one asset of the registry on or off; return whether that changed the file.

    Switching off works on an entry with other faults too. Raise `ConfigError` for an unknown symbol, and for
    switching on an entry that would refuse.
    """
    with _locked(path) as source:
        text = switched(source, symbol, enabled)
        return _replace(path, source, text)


def add_asset(path: Path, asset: AssetConfig) -> None:
    """Append an asset to the registry in the file's own layout; raise `ConfigError` if it is there."""
    with _locked(path) as source:
        _replace(path, source, appended(source, asset))


def set_value(path: Path, key: str, value: str | bool | int | float) -> bool:
    """Give one top-level key of a file another value; return whether that changed the file."""
    with _locked(path) as source:
        wanted = parse_members(source.text, source.name)
        member = source.root.find(key)
        text = source.text
        if member is None:
            text = _insert_first(text, source.root, f"{json.dumps(key)}: {json.dumps(value)}")
        else:
            text = _splice(text, member, json.dumps(value))
        wanted[key] = value
        if parse_members(text, source.name) != wanted:
            raise ConfigError(f"{path}: can't set {key} safely; edit the file by hand")
        return _replace(path, source, text)


def switched(source: Source, symbol: str, enabled: bool) -> str:
    """Return the registry's text with one asset switched on or off, nothing else changed."""
    before = _pairs(source)
    node = _entry(source, symbol)
    word = json.dumps(enabled)
    old = [member.value for member in node.members if member.key == "enabled"]
    text = source.text
    for value in reversed(old):
        text = _splice(text, value, word)
    if not old:
        text = _insert_first(text, node, f'"enabled": {word}')
    wanted = [(key, _switch(entry, enabled) if key == symbol else entry) for key, entry in before]
    edited = Source(source.name, text)
    if _pairs(edited) != wanted:
        raise ConfigError(f"{source.name}: can't switch {symbol} safely; edit the file by hand")
    if enabled:
        _refuse_faults(edited, symbol)
    return text


def appended(source: Source, asset: AssetConfig) -> str:
    """Return the registry's text with one more asset at its end, nothing else changed."""
    before = _pairs(source)
    if any(key == asset.symbol for key, _ in before):
        raise ConfigError(f"{source.where((asset.symbol,))}: {asset.symbol} is there already")
    entry = _as_entry(asset)
    text = _insert_last(source, asset.symbol, entry)
    edited = Source(source.name, text)
    if _pairs(edited) != [*before, (asset.symbol, ("object", list(entry.items())))]:
        raise ConfigError(f"{source.name}: can't add {asset.symbol} safely; edit the file by hand")
    _refuse_faults(edited, asset.symbol)
    return text


@contextmanager
def _locked(path: Path) -> Iterator[Source]:
    """Hold the file's folder against other editing commands, and give the file's text."""
    source = read_source(path)
    folder = os.open(path.resolve().parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        source = read_source(path)
        yield source
    except OSError as error:
        raise ConfigError(f"{path}: can't be written ({error.strerror}); check its rights") from None
    finally:
        os.close(folder)


def _replace(path: Path, source: Source, text: str) -> bool:
    if text == source.text:
        return False
    raw = path.read_bytes()
    bom = _BOM if raw.startswith(_BOM.encode()) else ""
    if raw != (bom + source.text).encode():
        raise ConfigError(f"{path}: was changed by someone else just now; try again")
    write_atomically(path, (bom + text).encode())
    return True


def _entry(source: Source, symbol: str) -> Node:
    nodes = [member.value for member in source.root.members if member.key == symbol and symbol != "$schema"]
    if not nodes:
        raise unknown_symbol(symbol, parse_registry(source), Path(source.name))
    if len(nodes) > 1:
        at = source.where_repeated((), symbol)
        raise ConfigError(f"{at}: {symbol} is given twice; keep one of the two, then try again")
    if source.text[nodes[0].start] != "{":
        raise ConfigError(f"{source.where((symbol,))}: {symbol} must be an object {{...}}; edit it by hand")
    return nodes[0]


def _refuse_faults(source: Source, symbol: str) -> None:
    faults = [str(fault) for fault in parse_registry(source).faults if fault.symbol == symbol]
    if faults:
        raise ConfigError("\n".join(faults))


def _pairs(source: Source) -> list[tuple[str, Any]]:
    """Return the registry as pairs in order, repeats included: what must not change unasked."""
    if not isinstance(parse_members(source.text, source.name), dict):
        raise ConfigError(f"{source.where(())}: the registry must be an object of assets {{...}}")
    kind, pairs = json.loads(blank(source.text), object_pairs_hook=lambda pairs: ("object", pairs))
    assert kind == "object"
    return list(pairs)


def _switch(entry: Any, enabled: bool) -> Any:
    kind, pairs = entry
    if not any(key == "enabled" for key, _ in pairs):
        return kind, [("enabled", enabled), *pairs]
    return kind, [(key, enabled if key == "enabled" else value) for key, value in pairs]


def _as_entry(asset: AssetConfig) -> dict[str, Any]:
    values = asdict(asset)
    del values["symbol"]
    for key in ("max_leverage", "min_notional_usd"):
        number = float(values[key])
        values[key] = int(number) if number.is_integer() else number
    return {"enabled": values.pop("enabled"), **values}


def _splice(text: str, node: Node, word: str) -> str:
    return text[: node.start] + word + text[node.end :]


def _insert_first(text: str, node: Node, member: str) -> str:
    """Put a member before an object's first one, laid out like it."""
    if not node.members:
        return f"{text[: node.start + 1]}{member}{text[node.start + 1 :]}"
    at = node.members[0].start
    before = text[:at]
    gap = before[len(before.rstrip()) :] or " "
    return f"{before}{member},{gap}{text[at:]}"


def _insert_last(source: Source, symbol: str, entry: dict[str, Any]) -> str:
    """Put an asset before the registry's closing brace, with the commas and line ends that this takes."""
    text, root = source.text, source.root
    head, tail = text[: root.end - 1], text[root.end - 1 :]
    trailing = _ends_with_comma(text, root)
    if root.members and not trailing:
        last = root.members[-1].value.end
        head = f"{head[:last]},{head[last:]}"
    if "\n" not in head[root.start :]:
        gap = " " if root.members else ""
        return f"{head.rstrip(' ')}{gap}{json.dumps({symbol: entry})[1:-1]}{',' if trailing else ''}{tail}"
    newline = "\r\n" if "\r\n" in text else "\n"
    body = head.rstrip(" \t")
    indent = head[len(body) :]
    if not body.endswith("\n"):
        body, indent = head + newline, ""
    block = json.dumps({symbol: entry}, indent=_indent(text, root))[2:-2].replace("\n", newline)
    return f"{body}{block}{',' if trailing else ''}{newline}{indent}{tail}"


def _indent(text: str, root: Node) -> str:
    """Return the white space before the first member where that begins a line, else two spaces."""
    found = re.search(r"\n([ \t]+)$", text[: root.members[0].start]) if root.members else None
    return found.group(1) if found else "  "


def _ends_with_comma(text: str, root: Node) -> bool:
    """Say whether a comma stands between the last member and the closing brace."""
    if not root.members:
        return False
    last = root.members[-1].value.end
    return "," in blank_comments(text)[last : root.end - 1]
