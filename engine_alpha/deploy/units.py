"""The text of systemd's units for one installation, made from the templates beside this module."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from engine_alpha.domain.asset import TIMEFRAME_MS
from engine_alpha.errors import ConfigError

SERVICE, ONCE, TIMER = "chloe.service", "chloe-once.service", "chloe-once.timer"
RESEARCH, NIGHTLY = "chloe-research.service", "chloe-research.timer"
STATE_FOLDER = Path("/var/lib")
SHORTEST_WATCHDOG_S = 180

_PARTS = ("settings", "identity", "hardening")  # the first of them holds the others
_HOMES = (Path("/home"), Path("/root"), Path("/run/user"))  # what ProtectHome= hides
_MARKER = re.compile(r"@([A-Z_]+)@")
_UNSAYABLE = re.compile(r"""[\x00-\x1f\x7f"'\\]|^\s|\s$""")
_QUOTED = re.compile(r"[\s;#]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """What units are made from. `user` is None for the service manager of the user who installs.

    `sources` are further folders the engine's code is read from: its Python, a checkout. `every` is the
    shortest timeframe of the registry.
    """

    prefix: Path
    home: Path
    user: str | None
    sources: tuple[Path, ...] = ()
    watchdog_s: int = SHORTEST_WATCHDOG_S
    every: str = "1h"
    settle_s: int = 2

    @property
    def units(self) -> tuple[str, ...]:
        """Return the names of all units there are."""
        return (SERVICE, ONCE, TIMER, RESEARCH, NIGHTLY)


STANDARD = Installation(prefix=Path("/opt/chloe/venv"), home=Path("/var/lib/chloe"), user="chloe")
"""The places of the files in deploy/."""


def watchdog_s(feed_deadline_ms: int) -> int:
    """Return how long systemd waits for a sign of life: several times what one fetch may take."""
    return max(SHORTEST_WATCHDOG_S, 3 * (feed_deadline_ms // 1_000 + 5))


def unit_text(name: str, installation: Installation) -> str:
    """Return one unit; raise `ConfigError` for a path that can't be written into one."""
    text = _template(name)
    for part in _PARTS:
        text = text.replace(f"@{part.upper()}@\n", _template(f"{part}.conf"))
    kept, dropped = ("@user ", "@system ") if installation.user is None else ("@system ", "@user ")
    lines = [line.removeprefix(kept) for line in text.splitlines() if not line.startswith(dropped)]
    values = _values(installation)
    return _MARKER.sub(lambda found: values[found[1]], "\n".join(lines) + "\n")


def plain_path(path: Path) -> str:
    """Return a path as the whole value of a setting; raise `ConfigError` if systemd can't be told it."""
    text = str(path)
    if not path.is_absolute() or _UNSAYABLE.search(text):
        raise ConfigError(
            f"{text!r} can't stand in a systemd unit (quotes, backslashes, control characters, a space at "
            "an end): use a folder with a plainer name"
        )
    return text.replace("%", "%%")


def word(path: Path) -> str:
    """Return a path as one word of a list: quoted where it has to be."""
    text = plain_path(path)
    return f'"{text}"' if _QUOTED.search(text) else text


def argument(path: Path) -> str:
    """Return a path as an argument of ExecStart=, where $ begins a variable."""
    return word(path).replace("$", "$$")


def calendar(every: str, settle_s: int) -> str:
    """Return the OnCalendar= of each close of a timeframe, `settle_s` later."""
    minutes = TIMEFRAME_MS[every] // 60_000
    late_minutes, seconds = divmod(settle_s, 60)
    if minutes < 60:
        first = late_minutes % minutes
        return f"*-*-* *:{'*' if minutes == 1 else f'{first:02}/{minutes}'}:{seconds:02} UTC"
    hours = {1: "*", 24: "00"}.get(minutes // 60, f"00/{minutes // 60}")
    return f"*-*-* {hours}:{late_minutes:02}:{seconds:02} UTC"


def _values(installation: Installation) -> Mapping[str, str]:
    home, prefix = installation.home, installation.prefix
    return {
        "SCOPE": "--user " if installation.user is None else "",
        "HOME": word(home),
        "HOME_ARGUMENT": argument(home),
        "PROGRAM": word(prefix / "bin" / "chloe"),
        "PYTHON": word(prefix / "bin" / "python"),
        "USER": installation.user or "",
        "STORAGE": _storage(home),
        "PROTECT_HOME": "read-only" if _needs_homes(installation) else "yes",
        "WATCHDOG": str(installation.watchdog_s),
        "TARGET": "default.target" if installation.user is None else "multi-user.target",
        "EVERY": installation.every,
        "SETTLE": str(installation.settle_s),
        "CALENDAR": calendar(installation.every, installation.settle_s),
    }


def _storage(home: Path) -> str:
    """Return what makes the home writable: a folder right below /var/lib is systemd's to make and to own."""
    if home.parent == STATE_FOLDER and re.fullmatch(r"[A-Za-z0-9_.-]+", home.name):
        return f"StateDirectory={home.name}\nStateDirectoryMode=0700"
    return f"StateDirectory=chloe\nStateDirectoryMode=0700\nReadWritePaths={word(home)}"


def _needs_homes(installation: Installation) -> bool:
    places = (installation.prefix, installation.home, *installation.sources)
    return any(place.is_relative_to(hidden) for place in places for hidden in _HOMES)


def _template(name: str) -> str:
    return (files("engine_alpha.deploy") / "templates" / name).read_text(encoding="utf-8")
