"""The last configuration that could be read, kept beside the accounts: an edit gone wrong stops nothing.

A copy of the files lies in state/last_good/config, so that it outlives the process. What is taken from it is
said loudly each time configuration is read.
"""

import hashlib
import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from engine_alpha.atomic_files import write_atomically
from engine_alpha.errors import ConfigError
from engine_alpha.home import Home
from engine_alpha.plans.setup import Setup, read_setup

NAME = "last_good"

Signature = tuple[tuple[str, int, int, int], ...]


def last_good_home(home: Home) -> Home:
    """Return the home that the kept copy makes up; it may not be there."""
    return Home(home.state / NAME)


def signature(home: Home) -> Signature:
    """Return what tells one state of the configuration files from another without reading them."""
    found = []
    for path in _files(home):
        try:
            status = path.stat()
        except OSError:
            continue
        found.append((str(path), status.st_mtime_ns, status.st_size, status.st_ino))
    return tuple(found)


class KeptConfiguration:
    """Reads a home's configuration; where it can't be read, what could be read last goes on.

    `fault` says why the present files do not count, "" where they do. Nothing is parsed again while no file
    has changed.
    """

    def __init__(self, home: Home) -> None:
        self.home = home
        self.fault = ""
        self._setup: Setup | None = None
        self._read: Signature | None = None

    def read(self) -> Setup:
        """Return the configuration to go on with; raise `ConfigError` if there never was a good one."""
        now = signature(self.home)
        if self._setup is not None and now == self._read:
            return self._setup
        try:
            found, self.fault = read_setup(self.home), ""
        except ConfigError as fault:
            self._setup = self._before(fault)
        else:
            self._setup = self._with_cards(found)
            if not self.fault:
                self._keep()
        self._read = now
        return self._setup

    def _before(self, fault: ConfigError) -> Setup:
        self.fault = f"{_line(fault)}; until that is mended the last good configuration goes on"
        if self._setup is not None:
            return self._setup
        kept = last_good_home(self.home)
        if not kept.registry.exists():
            raise fault
        try:
            return replace(read_setup(kept), home=self.home)
        except ConfigError:
            raise fault from None

    def _with_cards(self, found: Setup) -> Setup:
        """Return the reading with the cards of before where one of its own can't be read."""
        broken = "; ".join(_line(fault) for fault in found.cards.faults)
        before = self._setup
        if before is None and broken and last_good_home(self.home).registry.exists():
            try:
                before = read_setup(last_good_home(self.home))
            except ConfigError:
                before = None
        if not broken or before is None or before.cards.faults:
            return found
        self.fault = f"{broken}; until that is mended the last good cards go on"
        return replace(found, cards=before.cards)

    def _keep(self) -> None:
        """Put a copy of the files in place; without room for one the engine goes on without it."""
        try:
            keep(self.home)
        except OSError as fault:
            self.fault = f"no copy of the configuration could be kept in {self.home.state} ({fault})"


def keep(home: Home) -> None:
    """Copy the configuration files to state/last_good, whole or not at all."""
    contents = {path.relative_to(home.path): path.read_bytes() for path in _files(home)}
    digest = hashlib.sha256()
    for name, content in contents.items():
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    target = home.state / f"{NAME}-{digest.hexdigest()[:16]}"
    link = home.state / NAME
    if link.is_dir() and not link.is_symlink():  # a home that was copied without its links
        shutil.rmtree(link)
    if link.is_symlink() and os.readlink(link) == target.name and target.is_dir():
        return
    shutil.rmtree(target, ignore_errors=True)
    for name, content in contents.items():
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        write_atomically(target / name, content)
    fresh = home.state / f".{NAME}.{os.getpid()}"
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(target.name)
    os.replace(fresh, link)
    for old in home.state.glob(f"{NAME}-*"):
        if old != target:
            shutil.rmtree(old, ignore_errors=True)


def _line(fault: object) -> str:
    """Return a fault in one line of a log: several problems of a file are told as the first and a count."""
    first, *more = [line for line in str(fault).splitlines() if line.strip(" ^")]
    told = [line for line in more if ": " in line]
    return f"{first} (and {len(told)} more)" if told else first


def _files(home: Home) -> Iterator[Path]:
    """Yield the files that make up a configuration; editors' own files are none."""
    yield from (home.registry, home.engine, home.risk)
    for folder in (home.cards, home.parameters, home.instruments):
        yield from sorted(folder.glob("*.json"))
