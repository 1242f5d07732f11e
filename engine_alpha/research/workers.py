"""Worker processes of this machine: whatever ends the night ends them, and nothing of theirs stays behind.

A worker imports this module before any other of research, so that it looks after itself from then on.
"""

import multiprocessing
import multiprocessing.forkserver
import multiprocessing.resource_tracker
import os
import shutil
import signal
import tempfile
import threading
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import suppress

ORPHANED = 1


class Processes:
    """A pool of processes, begun when work comes; what they keep for a while lies in one folder."""

    def __init__(self, jobs: int) -> None:
        """Start none yet."""
        self._jobs = jobs
        self._pool: ProcessPoolExecutor | None = None
        self._folder: str | None = None

    def executor(self) -> Executor | None:
        """Return the pool."""
        if self._pool is None:
            self._folder = self._folder or tempfile.mkdtemp(prefix="chloe-night-")
            context = multiprocessing.get_context("forkserver")  # forks of a threaded process may hang
            _serve_forks()
            self._pool = ProcessPoolExecutor(
                self._jobs, mp_context=context, initializer=_begin, initargs=(self._folder,)
            )
        return self._pool

    def renew(self) -> None:
        """Forget a pool whose worker died: it takes no more work."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None

    def close(self) -> None:
        """End the workers at once, whatever they have in hand, and take away what they kept for a while."""
        pool, self._pool = self._pool, None
        if pool is not None:
            for worker in multiprocessing.active_children():
                worker.kill()
            # A result may have been cut off on its way here. Its reader waits for the rest, and the pool for
            # its reader, for as long as somebody could still write: by now that is this process alone.
            with suppress(AttributeError, OSError):
                pool._result_queue._writer.close()  # type: ignore[attr-defined]
            pool.shutdown(wait=True, cancel_futures=True)
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None


def _serve_forks() -> None:
    """Begin the server that forks workers, with Ctrl-C blocked in all of them: this process ends them."""
    multiprocessing.resource_tracker.ensure_running()  # before, for its start lets Ctrl-C through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        multiprocessing.forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin(folder: str) -> None:
    """Make this process a worker that ends when its parent does, even one killed without a word."""
    tempfile.tempdir = folder
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(ORPHANED)
