"""A venue's API key and secret: from systemd's credentials, else from a file that its owner alone can read.

No message of this module, no exception and no chained cause holds anything that was read: only where it stood
and what is wrong with it.
"""

import json
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import Any

from engine_alpha.errors import ConfigError
from engine_alpha.home import Home

CREDENTIALS_VARIABLE = "CREDENTIALS_DIRECTORY"
KEY, SECRET = "key", "secret"

_OWNER_ONLY = 0o600
_MOST_BYTES = 65_536


def read_keys(home: Home, venue: str) -> tuple[str, str]:
    """Return a venue's key and secret; raise `ConfigError` that says what to do and shows nothing of them."""
    credentials = _credentials(venue)
    if credentials is not None:
        return credentials
    path = keys_file(home, venue)
    found = _members(_content(path, private=True), path)
    return _usable(found[KEY], KEY, path), _usable(found[SECRET], SECRET, path)


def keys_file(home: Home, venue: str) -> Path:
    """Return where a venue's keys are looked for when systemd gives none."""
    return home.path / "secrets" / f"{venue}.json"


def _credentials(venue: str) -> tuple[str, str] | None:
    """Return what systemd hands over; None if it hands over nothing for this venue. It guards these files."""
    named = os.environ.get(CREDENTIALS_VARIABLE)
    if not named:
        return None
    paths = {part: Path(named) / f"{venue}.{part}" for part in (KEY, SECRET)}
    there = {part: path for part, path in paths.items() if os.path.exists(path)}
    if not there:
        return None
    missing = [path for part, path in paths.items() if part not in there]
    if missing:
        name = missing[0].name
        raise ConfigError(
            f"${CREDENTIALS_VARIABLE} has no {name}: give the service LoadCredential={name}:/path/of/{name}"
        )
    key, secret = (_usable(_text(_content(path), path).strip(), part, path) for part, path in paths.items())
    return key, secret


def _content(path: Path, private: bool = False) -> bytes:
    """Read a file of keys; if `private`, only one that is this user's and nobody else's to read.

    What is judged is the opened file itself, so a link counts as what it leads to.
    """
    try:
        opened = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)  # a pipe must not be waited for
        try:
            _require_safe(path, os.fstat(opened), private)
            raw = os.read(opened, _MOST_BYTES)
        finally:
            os.close(opened)
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file: {_write_it(path)}") from None
    except OSError as fault:
        raise ConfigError(
            f"{path} can't be read ({fault.strerror}): it must be a file of the user who runs chloe, "
            f"with chmod 600 {path}"
        ) from None
    if not raw.strip():
        raise ConfigError(f"{path} is empty: {_write_it(path)}")
    return raw


def _require_safe(path: Path, found: os.stat_result, private: bool) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise ConfigError(f"{path} is no regular file: put a file with key and secret in its place")
    if not private:
        return
    if found.st_uid != os.geteuid():
        raise ConfigError(
            f"{path} belongs to user {found.st_uid}, chloe runs as {os.geteuid()}: run as its owner, or "
            f"chown {os.geteuid()} {path}"
        )
    if stat.S_IMODE(found.st_mode) & ~_OWNER_ONLY:
        mode = stat.S_IMODE(found.st_mode)
        raise ConfigError(f"{path} has mode {mode:04o}, others may get at the keys: chmod 600 {path}")


def _members(raw: bytes, path: Path) -> dict[str, Any]:
    """Return the object that holds key and secret and nothing else."""
    text, found = _text(raw, path), None
    with suppress(ValueError, RecursionError):  # what these say quotes the text
        found = json.loads(text, object_pairs_hook=_once)
    if not isinstance(found, dict):
        raise ConfigError(f"{path} is not JSON, or gives a name twice: {_write_it(path)}")
    if found.keys() != {KEY, SECRET}:
        raise ConfigError(f'{path} must have exactly "{KEY}" and "{SECRET}": {_write_it(path)}')
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name is given twice")
    return found


def _text(raw: bytes, path: Path) -> str:
    if not raw.isascii():
        raise ConfigError(f"{path} has characters that no key has: copy key and secret from the venue again")
    return raw.decode("ascii")


def _usable(value: Any, part: str, path: Path) -> str:
    """Return a key or secret that a request can carry: printable, without spaces."""
    if not isinstance(value, str) or not value:
        raise ConfigError(f"{path}: the {part} is no text or empty: {_write_it(path)}")
    if not all("!" <= character <= "~" for character in value):
        raise ConfigError(
            f"{path}: the {part} has spaces or characters that no key has: copy it from the venue again"
        )
    return value


def _write_it(path: Path) -> str:
    if path.suffix != ".json":
        return "write the venue's API key or secret into it, and nothing else"
    return f'write {{"{KEY}": "...", "{SECRET}": "..."}} into it, then chmod 600 {path}'
