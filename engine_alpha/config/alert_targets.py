"""Where alerts go: addresses that hold tokens and passwords, so they are secrets like the keys of a venue."""

import re
from pathlib import Path
from typing import Any

from engine_alpha.config.secret_files import SecretFile, credential, is_printable, secret_members
from engine_alpha.errors import ConfigError
from engine_alpha.home import Home

FILE_NAME = "alerts.json"
TARGETS = "targets"
MOST_TARGETS = 20

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://.")


def read_alert_targets(home: Home) -> tuple[str, ...]:
    """Return the addresses alerts go to, from systemd's credential or the home's secrets; () without a file.

    Raise `ConfigError` that says what to do and shows nothing of them.
    """
    handed_over = credential(FILE_NAME)
    path = handed_over or alert_targets_file(home)
    if handed_over is None and not path.is_symlink() and not path.exists():
        return ()
    file = SecretFile(
        path=path,
        holds="addresses",
        write_it=write_it(path),
        copy_it="no address has: write them percent-encoded",
        private=handed_over is None,
    )
    found = secret_members(file, (TARGETS,))[TARGETS]
    if not isinstance(found, list) or len(found) > MOST_TARGETS:
        raise ConfigError(
            f'{path}: "{TARGETS}" must be a list of at most {MOST_TARGETS} addresses: {file.write_it}'
        )
    return tuple(dict.fromkeys(_usable(target, place, path) for place, target in enumerate(found, 1)))


def alert_targets_file(home: Home) -> Path:
    """Return where targets are looked for when systemd gives none."""
    return home.path / "secrets" / FILE_NAME


def write_it(path: Path) -> str:
    """Return how to make the file."""
    return f'write {{"{TARGETS}": ["tgram://...", "mailto://..."]}} into it, then chmod 600 {path}'


def _usable(target: Any, place: int, path: Path) -> str:
    """Return an address with its scheme, printable and without spaces; the rest is the sender's to judge."""
    if not isinstance(target, str) or not _ADDRESS.match(target):
        raise ConfigError(
            f"{path}: target {place} is no address: it must look like scheme://..., see "
            "https://appriseit.com/services/"
        )
    if not is_printable(target):
        raise ConfigError(f"{path}: target {place} has spaces or characters that no address has: encode them")
    return target
