"""Where units of work are played: here, in processes of this machine, or on Dask workers; never twice.

Results are kept by the hash of all they depend on, so an interrupted night goes on where it stopped. A worker
that dies costs the units it had in hand; they are played again. Numbers do not depend on where.
"""

import io
import os
import zipfile
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, Future
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from dataclasses import dataclass, fields
from importlib import import_module
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np

from engine_alpha.atomic_files import write_atomically
from engine_alpha.errors import ChloeError, ConfigError, DataError
from engine_alpha.research.search.playing import Unit, UnitResult
from engine_alpha.research.search.procedure import Outcome, attempted
from engine_alpha.research.workers import Processes

DASK: Final = "dask://"
MOST_LOSSES: Final = 5
"""So often a pool may lose a worker before a night is given up: something kills them all."""


class Pool(Protocol):
    """Where units are played: hands out an executor, and another one where that broke."""

    def executor(self) -> Executor | None:
        """Return what plays units; None to play them here."""
        ...

    def renew(self) -> None:
        """Make another executor after a worker was lost."""
        ...


class Here:
    """Plays units in this process."""

    def executor(self) -> Executor | None:
        """Return None."""
        return None

    def renew(self) -> None:
        """Do nothing."""


class Dask:
    """Workers of a Dask scheduler; the units read prices themselves, at the same path everywhere."""

    def __init__(self, address: str) -> None:
        """Raise `ConfigError` where there is no scheduler, or Dask is not installed."""
        try:
            distributed = import_module("distributed")
        except ModuleNotFoundError as fault:
            raise ConfigError(
                "--executor dask://… needs Dask: install the extra, pip install 'chloe[dask]'"
            ) from fault
        try:
            self._client = distributed.Client(f"tcp://{address}", timeout="10s")
        except (OSError, TimeoutError, ValueError) as fault:
            raise ConfigError(
                f"no Dask scheduler answers at {address} ({fault}); start one: dask scheduler, "
                f"and workers: dask worker {address}"
            ) from fault
        self._executor: Executor = self._client.get_executor(pure=False, retries=MOST_LOSSES)

    def executor(self) -> Executor | None:
        """Return the client's executor; the scheduler gives a dead worker's units to another."""
        return self._executor

    def renew(self) -> None:
        """Do nothing: the scheduler looks after its workers."""

    def close(self) -> None:
        """Leave the scheduler."""
        self._client.close()


@contextmanager
def pool_of(wanted: str, jobs: int) -> Iterator[Pool]:
    """Give what `--executor` names: processes, or dask://host:port. One job is played here.

    Raises `ConfigError` for anything else.
    """
    if wanted.startswith(DASK):
        dask = Dask(wanted.removeprefix(DASK))
        try:
            yield dask
        finally:
            dask.close()
    elif wanted == "processes":
        if jobs == 1:
            yield Here()
            return
        processes = Processes(jobs)
        try:
            yield processes
        finally:
            processes.close()
    else:
        raise ConfigError(f'--executor "{wanted}": write processes, or dask://host:port')


class Kept:
    """Results of units in a folder, one file each, named by the unit's key."""

    def __init__(self, folder: Path) -> None:
        """Make the folder when something is put in."""
        self._folder = folder
        self._used: set[str] = set()

    def get(self, key: str) -> UnitResult | None:
        """Return a kept result; None where there is none, or where its file is damaged."""
        self._used.add(key)
        try:
            content = io.BytesIO(self._path(key).read_bytes())  # np.load leaves a damaged file open
            with np.load(content, allow_pickle=False) as found:
                values = {name: found[name] for name in found.files}
        except (OSError, ValueError, EOFError, zipfile.BadZipFile):
            return None
        if set(values) != {each.name for each in fields(UnitResult)}:
            return None
        return UnitResult(**{name: value if value.ndim else value.item() for name, value in values.items()})

    def put(self, key: str, result: UnitResult) -> None:
        """Keep a result; raise `DataError` where it can't be written."""
        file = io.BytesIO()
        columns: dict[str, Any] = {each.name: getattr(result, each.name) for each in fields(UnitResult)}
        np.savez(file, **columns)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            write_atomically(self._path(key), file.getvalue())
        except OSError as fault:
            raise DataError(
                "unwritable",
                f"{self._folder} can't be written ({fault.strerror}): make room or give this user write "
                "access; what is finished is kept",
            ) from fault

    def forget_unused(self) -> None:
        """Delete what was not asked for since this object was made: last night's results."""
        for path in self._folder.glob("*.npz"):
            if path.stem not in self._used:
                with suppress(FileNotFoundError):
                    path.unlink()

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}.npz"


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """How many units a run had: kept from before, played now, played again after a worker was lost."""

    kept: int
    played: int
    lost: int


class UnitRunner:
    """Plays units in a pool and keeps their results; `done` counts what it did."""

    def __init__(self, pool: Pool, kept: Kept | None = None) -> None:
        """Without `kept` nothing is written."""
        self._pool = pool
        self._kept = kept
        self.done = Played(kept=0, played=0, lost=0)

    def __call__(self, units: Sequence[Unit]) -> Iterator[Outcome]:
        """Give the units' results in their order."""
        keys, found = self._known(units)
        kept, waiting = len(found), [place for place in range(len(units)) if place not in found]
        results = self._results(units, waiting)
        for place in range(len(units)):
            if place not in found:
                outcome = next(results)
                if self._kept is not None and isinstance(outcome, UnitResult):
                    self._kept.put(keys[place], outcome)
                found[place] = outcome
            yield found.pop(place)
        self.done = Played(
            kept=self.done.kept + kept, played=self.done.played + len(waiting), lost=self.done.lost
        )

    def _known(self, units: Sequence[Unit]) -> tuple[list[str], dict[int, Outcome]]:
        """Return each unit's key, and by place what needs no playing: kept, or impossible to play."""
        keys, found = [""] * len(units), dict[int, Outcome]()
        if self._kept is None:
            return keys, found
        for place, unit in enumerate(units):
            try:
                keys[place] = unit.key
            except ChloeError as fault:
                found[place] = str(fault)
                continue
            result = self._kept.get(keys[place])
            if result is not None:
                found[place] = result
        return keys, found

    def _results(self, units: Sequence[Unit], waiting: Sequence[int]) -> Iterator[Outcome]:
        executor = self._pool.executor()
        if executor is None:
            yield from (attempted(units[place]) for place in waiting)
            return
        running = _submitted(executor, units, waiting)
        for place in waiting:
            while True:
                try:
                    outcome = running[place].result()
                    break
                except BrokenProcessPool:
                    running = self._again(units, running, place)
            yield outcome

    def _again(
        self, units: Sequence[Unit], running: dict[int, "Future[Outcome]"], first: int
    ) -> dict[int, "Future[Outcome]"]:
        """Submit anew what a broken pool did not finish."""
        if self.done.lost >= MOST_LOSSES:
            raise DataError(
                "workers",
                f"workers died {MOST_LOSSES} times; memory may be short, try --jobs 1",
            )
        self.done = Played(kept=self.done.kept, played=self.done.played, lost=self.done.lost + 1)
        self._pool.renew()
        executor = self._pool.executor()
        if executor is None:
            raise DataError("workers", "the workers are gone; try --jobs 1")
        waiting = [place for place, future in running.items() if place >= first and not _is_finished(future)]
        return running | _submitted(executor, units, waiting)


def _submitted(
    executor: Executor, units: Sequence[Unit], places: Sequence[int]
) -> dict[int, "Future[Outcome]"]:
    return {place: _future(executor, units[place]) for place in places}


def _future(executor: Executor, unit: Unit) -> "Future[Outcome]":
    """Submit a unit; a pool that breaks meanwhile gives a future that says so."""
    try:
        return executor.submit(attempted, unit)
    except (RuntimeError, OSError) as fault:  # it was starting a worker as it broke
        lost: Future[Outcome] = Future()
        lost.set_exception(BrokenProcessPool(str(fault)))
        return lost


def _is_finished(future: "Future[Any]") -> bool:
    return future.done() and not future.cancelled() and future.exception() is None


def cores() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0))
