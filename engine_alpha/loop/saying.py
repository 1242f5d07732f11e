"""What every command says alike: log format, and errors as one line with an exit code."""

import json
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime

from engine_alpha.errors import ChloeError, ConfigError, LockHeld

CONFIG_CODE, FAILED_CODE, LOCKED_CODE = 2, 4, 5

TEXT, JSON = "text", "json"
LOG_FORMATS = (TEXT, JSON)
FORMAT_VARIABLE = "CHLOE_LOG_FORMAT"
"""How a command line hands --log-format on."""

_about: ContextVar[dict[str, str] | None] = ContextVar("chloe_about", default=None)


@contextmanager
def about(**fields: str) -> Iterator[None]:
    """Say whom the log lines of this block are about: `account`, `symbol`. JSON lines carry it."""
    token = _about.set({**(_about.get() or {}), **fields})
    try:
        yield
    finally:
        _about.reset(token)


class _AsJson(logging.Formatter):
    """One JSON object per line; what a person would read stays in `message`."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as JSON: at, level, logger, message, and account and symbol where known."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        fields = {"at": at, "level": record.levelname.lower(), "logger": record.name}
        fields |= {"message": record.getMessage(), **(_about.get() or {})}
        if record.exc_info:
            fields["traceback"] = self.formatException(record.exc_info)
        return json.dumps(fields, ensure_ascii=False).encode("utf-8", "replace").decode()


class _ForJournald(logging.Formatter):
    """Systemd's priority before what another formatter says; the journal adds the time itself."""

    def __init__(self, inner: logging.Formatter) -> None:
        super().__init__()
        self._inner = inner

    def format(self, record: logging.LogRecord) -> str:
        """Return "<6>message": 6 informs, 4 warns, 3 is an error."""
        priority = 3 if record.levelno >= logging.ERROR else 4 if record.levelno >= logging.WARNING else 6
        lines = self._inner.format(record).split("\n")  # each line is an entry, and needs its own
        return "\n".join(f"<{priority}>{line}" for line in lines)


def configure_logging(level: int = logging.INFO, log_format: str | None = None) -> None:
    """Log to stderr: time, level and message; under systemd its priority and the message.

    As "json" each line is an object. Without `log_format` $CHLOE_LOG_FORMAT counts; else it is "text".
    """
    chosen = log_format or os.environ.get(FORMAT_VARIABLE) or TEXT
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_formatter(chosen == JSON, _stderr_is_journald()))
    root = logging.getLogger("chloe")
    root.handlers = [handler]
    root.setLevel(level)
    root.propagate = False
    if chosen not in LOG_FORMATS:
        root.warning("no log format %s, it is text now; known: %s", chosen, ", ".join(LOG_FORMATS))


def _formatter(as_json: bool, for_journald: bool) -> logging.Formatter:
    timed = logging.Formatter("%(asctime)s %(levelname)s %(message)s", datefmt="%Y-%m-%d %H:%M:%S")
    plain = logging.Formatter("%(message)s") if for_journald else timed
    inner = _AsJson() if as_json else plain
    return _ForJournald(inner) if for_journald else inner


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
