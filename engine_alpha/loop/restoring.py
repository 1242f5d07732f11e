"""Put a backup in the place of a home: proven first, then put there in one go; what was there moves aside."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from engine_alpha.errors import ChloeError, ConfigError, JournalError
from engine_alpha.home import Home
from engine_alpha.journals.archive import PARTS, About, Contents, read_about, unpack
from engine_alpha.journals.backup import proven
from engine_alpha.loop.backing_up import LAST_GOOD, Shown, folding_of, sweep
from engine_alpha.loop.halt_file import request_halt
from engine_alpha.loop.lock import LOCK_NAME, account_lock
from engine_alpha.plans.setup import read_setup

_UNFINISHED = ".restore-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What was put in place; `aside` is where what was there before is now, `config_fault` "" for none."""

    about: About
    contents: Contents
    aside: tuple[Path, ...]
    halted: tuple[str, ...]
    config_fault: str


def restore(home: Home, path: Path, at_ms: int, force: bool, live: tuple[str, ...], shown: Shown) -> Restored:
    """Restore a backup into a home that need not be there; entries of its `live` accounts are halted.

    Nothing is in place before all of it was proven. Raises `LockHeld` while a runner works there, and
    `ConfigError` if there is a state already, unless by `force` it is moved aside.
    """
    try:
        about = read_about(path)
        made = not home.path.exists()
        _refuse_occupied(home, force)
        home.path.mkdir(parents=True, exist_ok=True)
        try:
            sweep(home.path, _UNFINISHED, at_ms)
            with _all_locks(home), tempfile.TemporaryDirectory(prefix=_UNFINISHED, dir=home.path) as folder:
                fresh = Home(Path(folder))
                contents = unpack(path, fresh.path)
                _prove(fresh, contents, path, shown)
                halted = _halt(fresh, live, about, at_ms)
                fault = _config_fault(fresh)
                _own_like(home.path, fresh.path)
                aside = _swap(home, fresh, at_ms)
        except BaseException:
            if made:
                with suppress(OSError):
                    home.path.rmdir()
            raise
    except OSError as fault_of_disk:
        raise JournalError(
            f"nothing was restored, {home.path} can't be written or {path} can't be read ({fault_of_disk}): "
            f"look at `df {home.path}`, or choose another home with --home"
        ) from fault_of_disk
    return Restored(about=about, contents=contents, aside=aside, halted=halted, config_fault=fault)


def _refuse_occupied(home: Home, force: bool) -> None:
    if force or not home.state.is_dir():
        return
    kept = {path.parent.name for path in home.state.glob("*/*") if path.name != LOCK_NAME}
    kept = {name for name in kept if not name.startswith(LAST_GOOD)}
    if kept:
        raise ConfigError(
            f"{home.path} has a state already ({', '.join(sorted(kept))}): --force moves it aside, "
            "or restore into another home: chloe --home DIR restore FILE"
        )


@contextmanager
def _all_locks(home: Home) -> Iterator[None]:
    """Hold the lock of every account that is there, so that nobody works on what moves aside."""
    with ExitStack() as stack:
        for lock in sorted(home.state.glob(f"*/{LOCK_NAME}")):
            stack.enter_context(account_lock(lock.parent))
        yield


def _prove(fresh: Home, contents: Contents, path: Path, shown: Shown) -> None:
    if not fresh.registry.is_file():
        raise ConfigError(f"{path} holds no {fresh.registry.name}: use another backup")
    for name, (events, head_hash) in contents.journals.items():
        try:
            with shown(f"checking {name}", "events") as progress:
                head = proven(fresh.path / name, folding_of(name), progress)
        except ChloeError as fault:
            raise JournalError(
                f"{path} holds a journal that is not sound ({name}: {fault}): use another backup"
            ) from fault
        if (head.seq, head.hash) != (events, head_hash):
            raise ConfigError(f"{path} holds another {name} than it says: use another backup")


def _halt(fresh: Home, live: tuple[str, ...], about: About, at_ms: int) -> tuple[str, ...]:
    """Leave the wish to make no entries in live accounts: what they traded since is in no journal here."""
    moment = datetime.fromtimestamp(about.made_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")
    found = tuple(name for name in live if fresh.account(name).is_dir())
    for name in found:
        request_halt(fresh.account(name), True, f"restored from a backup of {moment}", at_ms)
    return found


def _config_fault(fresh: Home) -> str:
    try:
        read_setup(fresh)
    except ConfigError as fault:
        return str(fault).replace(f"{fresh.path}/", "")
    return ""


def _own_like(home: Path, folder: Path) -> None:
    """Give the files to whom the home belongs, where root restores for somebody else."""
    owner = home.stat()
    if os.geteuid() != 0 or owner.st_uid == 0:
        return
    for place in (folder, *folder.rglob("*")):
        os.chown(place, owner.st_uid, owner.st_gid)


def _swap(home: Home, fresh: Home, at_ms: int) -> tuple[Path, ...]:
    """Move the old folders aside and the new ones in; a failure puts everything back.

    The configuration leaves first and comes last: cut off in between, a home without one starts no engine.
    """
    stamp = datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y%m%dT%H%M%SZ")
    (fresh.path / "state").mkdir(exist_ok=True)
    old = [(home.path / part, home.path / f"{part}.before-restore-{stamp}") for part in PARTS]
    new = [(fresh.path / part, home.path / part) for part in reversed(PARTS)]
    present = [(source, target) for source, target in old if source.is_dir()]
    for _, target in present:
        if target.exists():
            raise ConfigError(f"{target} is in the way: move it away, then repeat")
    _sync(fresh.path)
    done: list[tuple[Path, Path]] = []
    try:
        for source, target in (*present, *new):
            source.rename(target)
            done.append((source, target))
    except OSError:
        for source, target in reversed(done):
            target.rename(source)
        raise
    _sync_folder(home.path)
    return tuple(target for _, target in present)


def _sync(folder: Path) -> None:
    for place in folder.rglob("*"):
        _sync_folder(place)


def _sync_folder(place: Path) -> None:
    file = os.open(place, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
