"""One file that holds a backup: a gzipped tar with a table of contents, and digests of all that is in it.

`about.json` comes first and tells a backup from any other archive, `contents.json` last: an archive that was
cut off has none.
"""

import hashlib
import io
import json
import tarfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO, Any

from engine_alpha.errors import ConfigError

FORMAT = 1
PREFIX = "chloe-backup"
ABOUT, CONTENTS = f"{PREFIX}/about.json", f"{PREFIX}/contents.json"
PARTS = ("config", "state")

_LARGEST_TABLE = 64 * 2**20
_CHUNK = 2**20
_BROKEN = (tarfile.TarError, EOFError, zlib.error, UnicodeError)


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """Where a backup comes from."""

    format: int
    made_ms: int
    chloe: str
    home: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """Size and SHA-256 of each file by its path below the home; of journals also the last event's hash.

    The number beside that hash is the event's.
    """

    files: dict[str, tuple[int, str]] = field(default_factory=dict)
    journals: dict[str, tuple[int, str]] = field(default_factory=dict)


class Packing:
    """An archive that is being written."""

    def __init__(self, tar: tarfile.TarFile) -> None:
        self.contents = Contents()
        self._tar = tar

    def add(self, name: str, path: Path) -> None:
        """Add a file under its path below the home."""
        with path.open("rb") as file:
            info = self._tar.gettarinfo(arcname=f"{PREFIX}/{name}", fileobj=file)
            info.uid, info.gid, info.uname, info.gname, info.mode = 0, 0, "", "", 0o600
            reader = _Hashing(file, info.size)
            self._tar.addfile(info, reader)  # type: ignore[arg-type]  # it reads, which is all tarfile does
        self.contents.files[name] = (info.size, reader.digest.hexdigest())


class _Hashing:
    """Reads a file and hashes what was read; a file that grew meanwhile ends where it ended before."""

    def __init__(self, file: IO[bytes], size: int) -> None:
        self.digest = hashlib.sha256()
        self._file, self._left = file, size

    def read(self, size: int) -> bytes:
        found = self._file.read(min(size, self._left))
        self._left -= len(found)
        self.digest.update(found)
        return found


@contextmanager
def packing(path: Path, about: About) -> Iterator[Packing]:
    """Write an archive; it is whole when the block ends without an exception."""
    with path.open("xb") as file:
        path.chmod(0o600)
        with tarfile.open(fileobj=file, mode="w:gz", compresslevel=6) as tar:
            _add_json(tar, ABOUT, asdict(about))
            packed = Packing(tar)
            yield packed
            _add_json(tar, CONTENTS, asdict(packed.contents))


def read_about(path: Path) -> About:
    """Return where a backup comes from; raise `ConfigError` for anything that is no backup."""
    with _opened(path) as tar:
        return _about(path, tar.next(), tar)


def unpack(path: Path, folder: Path) -> Contents:
    """Write all files of a backup below `folder`, each compared with its digest; raise `ConfigError`.

    Names that lead anywhere else, links and devices are refused before anything of theirs is written.
    """
    found: dict[str, tuple[int, str]] = {}
    with _opened(path) as tar:
        _about(path, tar.next(), tar)
        while (member := tar.next()) is not None:
            if member.name == CONTENTS:
                contents = _contents(path, _read_json(path, member, tar))
                break
            name = _safe_name(path, member)
            if name in found:
                raise ConfigError(f"{path} has {name} twice: it was not made by chloe backup")
            found[name] = _write(tar, member, folder / name)
        else:
            raise ConfigError(f"{path} is not whole, its end is missing: use another backup")
    wrong = sorted(
        name for name in found.keys() | contents.files if found.get(name) != contents.files.get(name)
    )
    if wrong:
        raise ConfigError(
            f"{path} is damaged: {', '.join(wrong[:3])} is not what was packed: use another backup"
        )
    return contents


@contextmanager
def _opened(path: Path) -> Iterator[tarfile.TarFile]:
    try:
        with tarfile.open(path, "r:gz") as tar:
            yield tar
    except _BROKEN as fault:
        raise ConfigError(
            f"{path} can't be unpacked ({fault or type(fault).__name__}): it is damaged, cut off, or no "
            "backup that chloe backup made; use another one"
        ) from None
    except OSError as fault:
        if fault.errno is None:  # gzip's own: no gzip file, or a wrong checksum
            raise ConfigError(
                f"{path} can't be unpacked ({fault}): it is damaged or no backup that chloe backup made"
            ) from None
        raise


def _about(path: Path, member: tarfile.TarInfo | None, tar: tarfile.TarFile) -> About:
    if member is None or member.name != ABOUT:
        raise ConfigError(f"{path} is no backup that chloe backup made: name another file")
    found = _read_json(path, member, tar)
    try:
        about = About(**found)
    except TypeError:
        about = None
    if found.get("format") != FORMAT or about is None:
        raise ConfigError(
            f"{path} is a backup of another Chloe (format {found.get('format')}, here {FORMAT}): "
            "restore it with the version that made it"
        )
    return about


def _contents(path: Path, found: Mapping[str, Any]) -> Contents:
    try:
        files, journals = (
            {str(name): (int(size), str(text)) for name, (size, text) in found[key].items()}
            for key in ("files", "journals")
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        raise ConfigError(f"{path} has no readable table of contents: use another backup") from None
    return Contents(files=files, journals=journals)


def _safe_name(path: Path, member: tarfile.TarInfo) -> str:
    """Return a member's path below the home."""
    parts = PurePosixPath(member.name).parts
    plain = "/".join(parts) == member.name and not {"..", ".", "/"} & set(parts) and "\\" not in member.name
    if not (plain and member.isreg() and len(parts) > 2 and parts[0] == PREFIX and parts[1] in PARTS):
        raise ConfigError(
            f'{path} has "{member.name}", which no backup has: it was not made by chloe backup, '
            "nothing was restored"
        )
    return "/".join(parts[1:])


def _write(tar: tarfile.TarFile, member: tarfile.TarInfo, target: Path) -> tuple[int, str]:
    source = tar.extractfile(member)
    assert source is not None  # a regular file
    target.parent.mkdir(parents=True, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    with target.open("xb") as file:
        while chunk := source.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
            file.write(chunk)
    return size, digest.hexdigest()


def _add_json(tar: tarfile.TarFile, name: str, value: Any) -> None:
    text = json.dumps(value, indent=1).encode()
    info = tarfile.TarInfo(name)
    info.size, info.mode = len(text), 0o600
    tar.addfile(info, io.BytesIO(text))


def _read_json(path: Path, member: tarfile.TarInfo, tar: tarfile.TarFile) -> dict[str, Any]:
    file = tar.extractfile(member) if member.isreg() and member.size <= _LARGEST_TABLE else None
    try:
        found = json.loads(file.read()) if file is not None else None
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise ConfigError(f"{path}: {member.name} in it can't be read: use another backup")
    return found
