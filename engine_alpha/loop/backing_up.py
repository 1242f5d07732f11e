"""A whole home in one file, while the engine runs: configuration and every account, secrets never."""

import os
import shutil
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from engine_alpha import __version__
from engine_alpha.errors import ChloeError, ConfigError, JournalError
from engine_alpha.home import Home
from engine_alpha.journals.archive import FORMAT, About, Contents, Packing, packing
from engine_alpha.journals.backup import SIDE_FILES, Progress, copy_journal, proven
from engine_alpha.journals.checking import Fold
from engine_alpha.step.folding import fold

Shown = Callable[[str, str], AbstractContextManager[Progress]]
"""Shows the progress of what is named first, counted in what is named second."""

FOLDER = "backups"
ENDINGS = (".tar.gz", ".tgz")
JOURNAL, RESEARCH = "journal.sqlite", "research"
REHEARSAL = "rehearse-"

LAST_GOOD = "last_good"  # made anew from config/ by the engine

_UNFINISHED = ".chloe-backup-"
_DAY_S = 86_400
_PASSING = (".lock", ".unfinished", *SIDE_FILES)


@dataclass(frozen=True, slots=True, kw_only=True)
class BackedUp:
    """A backup that was made."""

    path: Path
    size_bytes: int
    contents: Contents
    left_out: tuple[str, ...]


def target_of(home: Home, wanted: str | None, at_ms: int) -> Path:
    """Return the file to write; raise `ConfigError` for one that is there or can't be."""
    moment = datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y%m%dT%H%M%SZ")
    name = f"chloe-{moment}{ENDINGS[0]}"
    if wanted is None:
        path = home.path / FOLDER / name
    else:
        path = Path(wanted).expanduser().absolute()
        if path.is_dir():
            path /= name
        elif not path.name.endswith(ENDINGS):
            raise ConfigError(f"{path} is no folder: name one, or a file that ends with {ENDINGS[0]}")
    if path.exists() or path.is_symlink():
        raise ConfigError(f"{path} exists, it is not overwritten: choose another name")
    if wanted is not None and not path.parent.is_dir():
        raise ConfigError(f"there is no folder {path.parent}: make it, or choose another one")
    return path


def back_up(home: Home, path: Path, at_ms: int, rehearsals: bool, shown: Shown) -> BackedUp:
    """Write a backup of the home; raise `JournalError` for an unsound journal or a disk without room.

    Each journal is copied, proven and packed in turn. The file appears under its name only when it is whole.
    """
    files, left_out = _files(home, rehearsals)
    about = About(format=FORMAT, made_ms=at_ms, chloe=__version__, home=str(home.path))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        sweep(path.parent, _UNFINISHED, at_ms)
        with tempfile.TemporaryDirectory(prefix=_UNFINISHED, dir=path.parent) as folder:
            _require_room(files, path.parent)
            made = Path(folder) / "backup"
            with packing(made, about) as packed:
                for name, source in files:
                    _pack(packed, name, source, Path(folder), shown)
            _publish(made, path)
    except OSError as fault:
        raise JournalError(
            f"no backup was made, {path.parent} can't be written or a file can't be read ({fault}): look at "
            f"`df {path.parent}`, or choose another folder"
        ) from fault
    return BackedUp(
        path=path, size_bytes=path.stat().st_size, contents=packed.contents, left_out=tuple(left_out)
    )


def folding_of(name: str) -> Fold | None:
    """Return how the states of a journal add up; None where only its chain can be proven."""
    return fold if Path(name).name == JOURNAL else None


def sweep(folder: Path, prefix: str, at_ms: int) -> None:
    """Delete what a call that was killed left unfinished there, a day ago or longer."""
    for place in folder.glob(f"{prefix}*"):
        if place.is_dir() and place.lstat().st_mtime < at_ms / 1_000 - _DAY_S:
            shutil.rmtree(place, ignore_errors=True)


def _files(home: Home, rehearsals: bool) -> tuple[list[tuple[str, Path]], list[str]]:
    """Return what belongs into a backup, by its path below the home, and the accounts that are left out."""
    found = [(_name(home, path), path) for path in sorted(home.config.rglob("*")) if _lasting(path)]
    left_out = []
    for place in sorted(home.state.iterdir()) if home.state.is_dir() else []:
        if place.name.startswith(REHEARSAL) and not rehearsals:
            left_out.append(place.name)
        elif place.is_dir() and not place.is_symlink():
            if not place.name.startswith(LAST_GOOD):
                found += [(_name(home, path), path) for path in sorted(place.iterdir()) if _lasting(path)]
        elif _lasting(place):
            found.append((_name(home, place), place))
    return found, left_out


def _name(home: Home, path: Path) -> str:
    return path.relative_to(home.path).as_posix()


def _lasting(path: Path) -> bool:
    """Say whether a file is worth keeping: no lock, no editor's own, no copy made before an upgrade."""
    passing = path.name.startswith(".") or path.name.endswith(_PASSING) or ".before-" in path.name
    return path.is_file() and not passing and not (path.suffix == ".sqlite" and path.stat().st_size == 0)


def _pack(packed: Packing, name: str, source: Path, folder: Path, shown: Shown) -> None:
    if source.suffix != ".sqlite":
        packed.add(name, source)
        return
    copy = folder / "journal.sqlite"
    try:
        with shown(f"copying {name}", "pages") as progress:
            copy_journal(source, copy, progress)
        with shown(f"checking {name}", "events") as progress:
            head = proven(copy, folding_of(name), progress)
    except ChloeError as fault:
        raise JournalError(f"no backup was made, because of {source}: {fault}") from fault
    packed.add(name, copy)
    packed.contents.journals[name] = (head.seq, head.hash)
    copy.unlink()


def _require_room(files: list[tuple[str, Path]], folder: Path) -> None:
    """Refuse early what can't end well: the largest copy and, packed, a third of everything."""
    sizes = [path.stat().st_size for _, path in files]
    needed, free = max(sizes, default=0) + sum(sizes) // 3, shutil.disk_usage(folder).free
    if needed > free:
        raise JournalError(
            f"no backup was made: it takes about {needed / 1e6:,.0f} MB and {folder} has "
            f"{free / 1e6:,.0f} MB left: free space there, or choose another folder"
        )


def _publish(made: Path, path: Path) -> None:
    """Give a finished file its name, never that of another file."""
    with made.open("rb") as file:
        os.fsync(file.fileno())
    try:
        os.link(made, path)
    except FileExistsError:
        raise ConfigError(f"{path} exists by now, it is not overwritten: choose another name") from None
    except OSError:  # a file system without links
        with path.open("xb"):
            os.replace(made, path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
