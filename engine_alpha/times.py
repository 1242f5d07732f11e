"""Times as people write and read them; UTC everywhere."""

from datetime import UTC, datetime

from engine_alpha.errors import ConfigError


def iso(at_ms: int) -> str:
    """Return an ISO time to the second, with its offset: 2025-11-25T00:00:00+00:00."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="seconds")


def clock_time(at_ms: int) -> str:
    """Return hours and minutes: 14:00."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%H:%M")


def minute(at_ms: int) -> str:
    """Return date and time to the minute, UTC: 2025-11-25 14:00."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M")


def parse_iso(text: str) -> int:
    """Return ms of an ISO time or date, UTC without an offset; raise `ConfigError` for anything else."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigError(f'"{text}" is no ISO time; write for example 2023-01-01T00:00:00+00:00') from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return int(moment.timestamp() * 1000)
