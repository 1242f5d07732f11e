"""What every command says alike: log format, and errors as one line with an exit code."""

import logging
import os
import sys

from engine_alpha.errors import BrokenPromise, ChloeError, ConfigError, JournalError, LockHeld

CONFIG_CODE, FAILED_CODE, LOCKED_CODE = 2, 4, 5


def configure_logging(level: int = logging.INFO) -> None:
    """Log bare messages with a time to stderr; without the time where systemd adds its own."""
    under_journald = "JOURNAL_STREAM" in os.environ
    handler = logging.StreamHandler(sys.stderr)
    shape = "%(message)s" if under_journald else "%(asctime)s %(levelname)s %(message)s"
    formatter = logging.Formatter(shape, datefmt="%Y-%m-%d %H:%M:%S")
    handler.setFormatter(formatter)
    root = logging.getLogger("chloe")
    root.handlers = [handler]
    root.setLevel(level)
    root.propagate = False


def complain(fault: Exception) -> int:
    """Say on stderr what went wrong and what to do, and return the exit code for it; raise what is a bug."""
    if isinstance(fault, LockHeld):
        code = LOCKED_CODE
    elif isinstance(fault, ConfigError):
        code = CONFIG_CODE
    elif isinstance(fault, JournalError | BrokenPromise | ChloeError):
        code = FAILED_CODE
    else:
        raise fault
    sys.stderr.write(f"chloe: {fault}\n")
    return code
