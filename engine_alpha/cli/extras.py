"""Commands that need more than the plain installation: what to install, said in one line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from engine_alpha.errors import ConfigError


@contextmanager
def extra_asked_for(extra: str = "backtest") -> Iterator[None]:
    """Turn an import that fails for want of an extra into a `ConfigError` that names it."""
    try:
        yield
    except ModuleNotFoundError as missing:
        raise ConfigError(
            f"this needs {missing.name}: install the extra, pip install 'chloe[{extra}]'"
        ) from None
