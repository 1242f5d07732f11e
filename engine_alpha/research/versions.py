"""Every version of a coin's parameter set, each in a file that is written once."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine_alpha.atomic_files import sync_folder, write_new
from engine_alpha.config.checking import check
from engine_alpha.config.parameters import Adoption
from engine_alpha.config.reading import blank_comments, parse_json, read_source
from engine_alpha.errors import ConfigError
from engine_alpha.times import minute

FOLDER = "versions"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One version; `adopted` is None for a set made by hand, `fault` why its file can't be read.

    `saved` is False for a set in use that is in no file of its own yet.
    """

    version: str
    previous: str | None
    adopted: Adoption | None
    active: bool
    saved: bool = True
    fault: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """Where a coin's versions are, beside the set in use: `folder` is that of parameters."""

    folder: Path
    symbol: str

    @property
    def active_path(self) -> Path:
        """Return the file that the step reads, which need not be there."""
        return self.folder / f"{self.symbol}.json"

    def path(self, version: str) -> Path:
        """Return a version's file; raise `ConfigError` for what can be none's name."""
        if _NAME.fullmatch(version) is None:
            raise ConfigError(f'"{version}" is no name of a version')
        return self.folder / FOLDER / self.symbol / f"{version}.json"

    def active(self) -> dict[str, Any] | None:
        """Return what the set in use says, None for the default set; raise `ConfigError` for a broken one."""
        if not self.active_path.exists() and not self.active_path.is_symlink():
            return None
        try:
            return fields_of(self.active_path)
        except ConfigError as fault:
            raise ConfigError(f"{fault}\nnothing was changed: mend the file, or move it away first") from None

    def versions(self) -> tuple[Version, ...]:
        """Return all versions, newest first; a set in use that is not saved leads, those by hand end it."""
        try:
            now = self.active()
        except ConfigError:
            now = None
        found = [self._version(path, now) for path in self._files()]
        if now is not None and not any(each.active for each in found):
            found.append(_version_of(str(now.get("version")), now, active=True, saved=False))
        return tuple(sorted(found, key=_when, reverse=True))

    def free_name(self, at_ms: int) -> str:
        """Return the next version of this day: SYMBOL-2026-11-28-1."""
        number = 1
        while self.path(name := f"{self.symbol}-{minute(at_ms)[:10]}-{number}").exists():
            number += 1
        return name

    def kept(self, now: Mapping[str, Any] | None, at_ms: int) -> tuple[str | None, str | None]:
        """Return the version in use, None for the default, and the name it was saved under just now, if so.

        A set made by hand is saved under its own version; under the next of the day where that is taken by
        other numbers. What had comments is kept as it was written, too.
        """
        if now is None:
            return None, None
        for path in self._files():
            if _read(path) == now:
                return path.stem, None
        name = now.get("version")
        if not isinstance(name, str) or _NAME.fullmatch(name) is None or self.path(name).exists():
            name = self.free_name(at_ms)
        text = read_source(self.active_path).text
        if blank_comments(text) != text and not self.path(name).with_suffix(".txt").exists():
            self._made()
            write_new(self.path(name).with_suffix(".txt"), text.encode())
        self.write(name, written({**now, "version": name}))
        return name, name

    def write(self, version: str, content: bytes) -> None:
        """Write a version's file, which must not be there."""
        self._made()
        write_new(self.path(version), content)

    def sweep(self) -> None:
        """Remove what a killed adoption left half-written. Only who holds the folder may."""
        versions = self.folder / FOLDER / self.symbol
        for unfinished in (*self.folder.glob(f".{self.symbol}.json.*"), *versions.glob(".*")):
            unfinished.unlink()

    def _made(self) -> Path:
        folder = self.folder / FOLDER / self.symbol
        if not folder.is_dir():
            folder.mkdir(parents=True, exist_ok=True)
            sync_folder(folder.parent)
            sync_folder(self.folder)
        return folder

    def _files(self) -> list[Path]:
        folder = self.folder / FOLDER / self.symbol
        return sorted(path for path in folder.glob("*.json") if _NAME.fullmatch(path.stem))

    def _version(self, path: Path, now: dict[str, Any] | None) -> Version:
        try:
            fields = fields_of(path)
        except ConfigError as fault:
            return Version(version=path.stem, previous=None, adopted=None, active=False, fault=str(fault))
        return _version_of(path.stem, fields, active=fields == now, saved=True)


def fields_of(path: Path) -> dict[str, Any]:
    """Return what a set says, whether or not it could be used; raise `ConfigError` where that is not JSON."""
    source = read_source(path)
    fields = parse_json(source.text, source.name)
    if not isinstance(fields, dict):
        raise ConfigError(f"{source.where(())}: must be an object {{...}}")
    return dict(fields)


def written(fields: Mapping[str, Any]) -> bytes:
    """Return a set as plain JSON."""
    return (json.dumps(fields, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()


def _read(path: Path) -> dict[str, Any] | None:
    try:
        return fields_of(path)
    except ConfigError:
        return None


def _version_of(name: str, fields: Mapping[str, Any], active: bool, saved: bool) -> Version:
    adopted = check(Adoption, fields.get("adopted"))[0] if fields.get("adopted") else None
    previous = fields.get("previous")
    return Version(
        version=name,
        previous=previous if isinstance(previous, str) else None,
        adopted=adopted,
        active=active,
        saved=saved,
    )


def _when(version: Version) -> tuple[bool, str, int, str]:
    at = version.adopted.at if version.adopted else ""
    return not version.saved, at, len(version.version), version.version
