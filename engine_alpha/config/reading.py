"""Read JSON as people write it: comments, trailing commas; and say exactly where it is wrong."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NoReturn

from engine_alpha.errors import ConfigError

Key = str | int
KeyPath = tuple[Key, ...]

_STRING = r'"(?:[^"\\\r\n]|\\.)*"'
_COMMENT = re.compile(rf"({_STRING})|//[^\r\n]*|/\*.*?\*/", re.DOTALL)
# The second branch keeps a comma that has nothing before it, so that json refuses it.
_COMMA = re.compile(rf"({_STRING}|[\[{{,:]\s*,)|,(?=\s*[}}\]])", re.DOTALL)
_TOKEN = re.compile(rf"{_STRING}|[{{}}\[\],:]|[^\s{{}}\[\],:\"]+")
_LINE_WIDTH = 100

_REMEDIES = {
    "Expecting property name": 'write the name in double quotes, for example "enabled"',
    "Expecting ':'": "put a colon between the name and its value",
    "Expecting ','": "put a comma between this and what stands before it, or close the bracket",
    "Expecting value": 'write a value here: a number, true, false, null, "text", {...} or [...]',
    "Extra data": "delete what follows, or put it inside the outer brackets",
    "Unterminated string": "close the text with a double quote on the same line",
    "Invalid control character": "close the text with a double quote on the same line",
    "Invalid \\escape": "write a backslash as \\\\",
}


class Members(dict[str, Any]):
    """A JSON object; `repeated` names the keys that were given more than once (the first value stays)."""

    repeated: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Node:
    """Where one value stands: text[start:end]; `members` are an object's in order, or an array's by index."""

    start: int
    end: int
    members: tuple["Member", ...] = ()

    def find(self, key: Key) -> "Node | None":
        """Return the value of the first member with that key."""
        return next((member.value for member in self.members if member.key == key), None)


@dataclass(frozen=True, slots=True)
class Member:
    """One key with its value; `start` is where the key (in an array: the value) begins."""

    key: Key
    start: int
    value: Node


@dataclass(frozen=True)
class Source:
    """A configuration text with its name, able to say where a key stands."""

    name: str
    text: str

    @cached_property
    def root(self) -> Node:
        """The positions of all values; scanned when first asked for."""
        return scan(self.text)

    def where(self, path: KeyPath) -> str:
        """Return "file:line:column" of the deepest key of `path` that is there."""
        node, offset = self.root, self.root.start
        for key in path:
            member = next((each for each in node.members if each.key == key), None)
            if member is None:
                break
            node, offset = member.value, member.start
        return place(self.name, self.text, offset)

    def where_repeated(self, path: KeyPath, key: str) -> str:
        """Return the place of the second `key` in the object at `path`."""
        node: Node | None = self.root
        for step in path:
            node = node.find(step) if node else None
        starts = [member.start for member in (node.members if node else ()) if member.key == key]
        return place(self.name, self.text, starts[1]) if len(starts) > 1 else self.where((*path, key))


def read_source(path: Path) -> Source:
    """Read a configuration file; raise `ConfigError` if that can't be done."""
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file; copy one from a fresh home (chloe init)") from None
    except OSError as error:
        raise ConfigError(f"{path}: can't be read ({error.strerror}); check path and rights") from None
    try:
        return Source(str(path), raw.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        good = raw[: error.start].decode("utf-8-sig", errors="replace")
        at = place(str(path), good, len(good))
        byte = raw[error.start]
        raise ConfigError(f"{at}: byte 0x{byte:02x} is not UTF-8; save the file as UTF-8") from None


def read_json(path: Path) -> Any:
    """Read one JSON file, comments and trailing commas allowed; raise `ConfigError` with place and remedy."""
    source = read_source(path)
    return parse_json(source.text, source.name)


def parse_json(text: str, name: str) -> Any:
    """Parse tolerant JSON; `name` is the file named in errors. A repeated key is an error."""
    text = text.removeprefix("\ufeff")
    value = parse_members(text, name)
    _refuse_repeats(value, Source(name, text))
    return value


def parse_members(text: str, name: str) -> Any:
    """Parse tolerant JSON, every object a `Members`, so that the caller can judge repeated keys."""
    plain = blank(text)
    try:
        return json.loads(plain, object_pairs_hook=_members, parse_constant=_refuse, parse_float=_finite)
    except json.JSONDecodeError as error:
        _explain(name, text, error.pos, _remedy(error.msg))
    except _NotANumber as error:
        tokens = _TOKEN.finditer(plain)
        at = next(token.start() for token in tokens if token.group() == str(error))
        _explain(name, text, at, f"{error} is not a number that can be used: write a plain one")
    except RecursionError:
        raise ConfigError(f"{name}: brackets nested too deeply; is this the right file?") from None
    except ValueError as error:
        raise ConfigError(f"{name}: {error}") from None


def blank(text: str) -> str:
    """Replace comments and trailing commas by spaces, so that every offset stays what it was."""
    return _COMMA.sub(_spaces, blank_comments(text))


def blank_comments(text: str) -> str:
    """Replace comments by spaces; line ends stay."""
    return _COMMENT.sub(_spaces, text)


def scan(text: str) -> Node:
    """Return the positions of all values of a text that `parse_members` accepts."""
    tokens = _TOKEN.finditer(blank(text))
    return _node(next(tokens), tokens)


def place(name: str, text: str, offset: int) -> str:
    """Return "name:line:column", both counted from 1."""
    line = text.count("\n", 0, offset) + 1
    return f"{name}:{line}:{offset - text.rfind(chr(10), 0, offset)}"


class _NotANumber(ValueError):
    pass


def _spaces(match: re.Match[str]) -> str:
    return match.group(1) or re.sub(r"[^\r\n]", " ", match.group())


def _members(pairs: list[tuple[str, Any]]) -> Members:
    members = Members()
    for key, value in pairs:
        if key in members:
            members.repeated += (key,)
        else:
            members[key] = value
    return members


def _refuse(token: str) -> NoReturn:
    raise _NotANumber(token)


def _finite(token: str) -> float:
    value = float(token)
    if value in (float("inf"), float("-inf")):
        raise _NotANumber(token)
    return value


def _refuse_repeats(value: Any, source: Source, path: KeyPath = ()) -> None:
    if isinstance(value, Members) and value.repeated:
        twice = value.repeated[0]
        at = source.where_repeated(path, twice)
        raise ConfigError(f"{at}: {dotted((*path, twice))} is given twice; keep one of the two")
    items: Iterable[tuple[Key, Any]] = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    for key, inner in items:
        _refuse_repeats(inner, source, (*path, key))


def dotted(path: KeyPath) -> str:
    """Write a key path for people: entry[0].signal."""
    text = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path)
    return text.removeprefix(".")


def _node(token: re.Match[str], tokens: Iterator[re.Match[str]]) -> Node:
    opening = token.group()
    if opening not in "{[":
        return Node(token.start(), token.end())
    members: list[Member] = []
    while (inner := next(tokens)).group() not in "}]":
        if inner.group() == ",":
            continue
        start, value = inner.start(), inner
        if opening == "{":
            next(tokens)
            value = next(tokens)
        key: Key = json.loads(inner.group()) if opening == "{" else len(members)
        members.append(Member(key, start, _node(value, tokens)))
    return Node(token.start(), inner.end(), tuple(members))


def _remedy(message: str) -> str:
    for start, remedy in _REMEDIES.items():
        if message.startswith(start):
            return f"{message[0].lower()}{message[1:]}; {remedy}"
    return message


def _explain(name: str, text: str, offset: int, remedy: str) -> NoReturn:
    begin = text.rfind("\n", 0, offset) + 1
    end = text.find("\n", offset)
    line = text[begin : end if end >= 0 else len(text)].rstrip("\r")
    skip = max(0, offset - begin - _LINE_WIDTH // 2)
    shown = line[skip : skip + _LINE_WIDTH]
    pad = re.sub(r"[^\t]", " ", line[skip : offset - begin])
    raise ConfigError(f"{place(name, text, offset)}: {remedy}\n  {shown}\n  {pad}^") from None
