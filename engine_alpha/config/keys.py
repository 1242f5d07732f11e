"""A venue's API key and secret: from systemd's credentials, else from a file that its owner alone can read.

Nothing here shows anything that was read: see `secret_files`.
"""

from pathlib import Path
from typing import Any

from engine_alpha.config.secret_files import (
    CREDENTIALS_VARIABLE,
    SecretFile,
    credential,
    is_printable,
    secret_members,
    secret_text,
)
from engine_alpha.errors import ConfigError
from engine_alpha.home import Home

__all__ = ["CREDENTIALS_VARIABLE", "KEY", "SECRET", "keys_file", "read_keys"]

KEY, SECRET = "key", "secret"

_COPY_IT = "no key has: copy key and secret from the venue again"


def read_keys(home: Home, venue: str) -> tuple[str, str]:
    """Return a venue's key and secret; raise `ConfigError` that says what to do and shows nothing of them."""
    credentials = _credentials(venue)
    if credentials is not None:
        return credentials
    path = keys_file(home, venue)
    file = SecretFile(path=path, holds="keys", write_it=_write_both(path), copy_it=_COPY_IT, private=True)
    found = secret_members(file, (KEY, SECRET))
    return _usable(found[KEY], KEY, file), _usable(found[SECRET], SECRET, file)


def keys_file(home: Home, venue: str) -> Path:
    """Return where a venue's keys are looked for when systemd gives none."""
    return home.path / "secrets" / f"{venue}.json"


def _credentials(venue: str) -> tuple[str, str] | None:
    """Return what systemd hands over; None if it hands over nothing for this venue."""
    names = {part: f"{venue}.{part}" for part in (KEY, SECRET)}
    paths = {part: path for part, name in names.items() if (path := credential(name)) is not None}
    if not paths:
        return None
    for part, name in names.items():
        if part not in paths:
            raise ConfigError(
                f"${CREDENTIALS_VARIABLE} has no {name}: "
                f"give the service LoadCredential={name}:/path/of/{name}"
            )
    key, secret = (_credential_text(part, path) for part, path in paths.items())
    return key, secret


def _credential_text(part: str, path: Path) -> str:
    write_it = "write the venue's API key or secret into it, and nothing else"
    file = SecretFile(path=path, holds="keys", write_it=write_it, copy_it=_COPY_IT, private=False)
    return _usable(secret_text(file).strip(), part, file)


def _usable(value: Any, part: str, file: SecretFile) -> str:
    """Return a key or secret that a request can carry: printable, without spaces."""
    if not isinstance(value, str) or not value:
        raise ConfigError(f"{file.path}: the {part} is no text or empty: {file.write_it}")
    if not is_printable(value):
        raise ConfigError(
            f"{file.path}: the {part} has spaces or characters that no key has: copy it from the venue again"
        )
    return value


def _write_both(path: Path) -> str:
    return f'write {{"{KEY}": "...", "{SECRET}": "..."}} into it, then chmod 600 {path}'
