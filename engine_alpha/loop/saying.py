"""What every command says alike: log format, and errors as one line with an exit code."""

import logging
import os
import sys

from engine_alpha.errors import ChloeError, ConfigError, LockHeld

CONFIG_CODE, FAILED_CODE, LOCKED_CODE = 2, 4, 5


class _ForJournald(logging.Formatter):
    """Bare messages with systemd's priority in front; the journal adds the time itself."""

    def format(self, record: logging.LogRecord) -> str:
        """Return "<6>message": 6 informs, 4 warns, 3 is an error."""
        priority = 3 if record.levelno >= logging.ERROR else 4 if record.levelno >= logging.WARNING else 6
        return f"<{priority}>{super().format(record)}"


def configure_logging(level: int = logging.INFO) -> None:
    """Log to stderr: time, level and message; under systemd its priority and the message."""
    handler = logging.StreamHandler(sys.stderr)
    if _stderr_is_journald():
        handler.setFormatter(_ForJournald("%(message)s"))
    else:
        handler.setFormatter(
            logging.Formatter("%(asctime)s %(levelname)s %(message)s", datefmt="%Y-%m-%d %H:%M:%S")
        )
    root = logging.getLogger("chloe")
    root.handlers = [handler]
    root.setLevel(level)
    root.propagate = False


def _stderr_is_journald() -> bool:
    """Say whether stderr itself is the stream that $JOURNAL_STREAM names; a child's pipe is not."""
    named = os.environ.get("JOURNAL_STREAM", "")
    try:
        status = os.fstat(sys.stderr.fileno())
    except (OSError, ValueError):
        return False
    return named == f"{status.st_dev}:{status.st_ino}"


def complain(fault: ChloeError) -> int:
    """Say on stderr what went wrong and what to do, and return the exit code for it."""
    sys.stderr.write(f"chloe: {fault}\n")
    if isinstance(fault, LockHeld):
        return LOCKED_CODE
    return CONFIG_CODE if isinstance(fault, ConfigError) else FAILED_CODE
