"""Files that hold secrets: read only where nobody else can, and never shown.

No message of this module, no exception and no chained cause holds anything that was read: only where it stood
and what is wrong with it.
"""

import json
import os
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine_alpha.errors import ConfigError

CREDENTIALS_VARIABLE = "CREDENTIALS_DIRECTORY"

_OWNER_ONLY = 0o600
_MOST_BYTES = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretFile:
    """One file and the words for what belongs into it.

    `holds` names that in the plural, `write_it` says how to make the file, `copy_it` where its content is
    from. A file from systemd's credentials is not `private`: systemd guards it.
    """

    path: Path
    holds: str
    write_it: str
    copy_it: str
    private: bool


def credential(name: str) -> Path | None:
    """Return what systemd hands over under that name; None where it hands over nothing of that name."""
    folder = os.environ.get(CREDENTIALS_VARIABLE)
    path = Path(folder, name) if folder else None
    return path if path is not None and os.path.exists(path) else None


def secret_text(file: SecretFile) -> str:
    """Return what the file holds: ASCII, not blank; raise `ConfigError` that shows nothing of it.

    A private one must be this user's and nobody else's to read. What is judged is the opened file itself, so
    a link counts as what it leads to.
    """
    path = file.path
    try:
        opened = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)  # a pipe must not be waited for
        try:
            _require_safe(file, os.fstat(opened))
            raw = os.read(opened, _MOST_BYTES)
        finally:
            os.close(opened)
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file: {file.write_it}") from None
    except OSError as fault:
        raise ConfigError(
            f"{path} can't be read ({fault.strerror}): it must be a file of the user who runs chloe, "
            f"with chmod 600 {path}"
        ) from None
    if not raw.strip():
        raise ConfigError(f"{path} is empty: {file.write_it}")
    if not raw.isascii():
        raise ConfigError(f"{path} has characters that {file.copy_it}")
    return raw.decode("ascii")


def secret_members(file: SecretFile, names: tuple[str, ...]) -> dict[str, Any]:
    """Return the JSON object in the file, which has exactly these members."""
    text, found = secret_text(file), None
    with suppress(ValueError, RecursionError):  # what these say quotes the text
        found = json.loads(text, object_pairs_hook=_once)
    if not isinstance(found, dict):
        raise ConfigError(f"{file.path} is not JSON, or gives a name twice: {file.write_it}")
    if found.keys() != set(names):
        wanted = " and ".join(f'"{name}"' for name in names)
        raise ConfigError(f"{file.path} must have exactly {wanted}: {file.write_it}")
    return found


def is_printable(text: str) -> bool:
    """Say whether a text is of printable ASCII without spaces: what a request can carry."""
    return all("!" <= character <= "~" for character in text)


def _require_safe(file: SecretFile, found: os.stat_result) -> None:
    path = file.path
    if not stat.S_ISREG(found.st_mode):
        raise ConfigError(f"{path} is no regular file: {file.write_it}")
    if not file.private:
        return
    if found.st_uid != os.geteuid():
        raise ConfigError(
            f"{path} belongs to user {found.st_uid}, chloe runs as {os.geteuid()}: run as its owner, or "
            f"chown {os.geteuid()} {path}"
        )
    if stat.S_IMODE(found.st_mode) & ~_OWNER_ONLY:
        mode = stat.S_IMODE(found.st_mode)
        raise ConfigError(f"{path} has mode {mode:04o}, others may get at the {file.holds}: chmod 600 {path}")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name is given twice")
    return found
