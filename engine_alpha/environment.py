"""Say what to run when Chloe is started outside its environment.

Standard library only, in the syntax of Python 3.8: this has to work where nothing else does.
"""

from __future__ import annotations

import importlib.util
import sys

OLDEST_PYTHON = (3, 11)
NEEDED_MODULES = ("numpy", "talib", "aiohttp", "ccxt", "sqlalchemy", "alembic", "pydantic", "click", "rich")
REMEDY = "run `make run`, which makes the environment, or `source venv/bin/activate` where it is made already"


def require_environment() -> None:
    """Leave with exit code 2 and one line on stderr unless this Python can run Chloe."""
    complaint = missing_from_environment()
    if complaint is not None:
        sys.stderr.write(f"chloe: {complaint}\n")
        sys.exit(2)


def missing_from_environment() -> str | None:
    """Name what is missing and what to run; None when nothing is."""
    found = tuple(sys.version_info[:2])
    if found < OLDEST_PYTHON:
        return f"Python 3.11 or newer is needed, this is {found[0]}.{found[1]}: {REMEDY}"
    for name in NEEDED_MODULES:
        if name not in sys.modules and importlib.util.find_spec(name) is None:
            return f"the module {name} is missing: {REMEDY}"
    return None
