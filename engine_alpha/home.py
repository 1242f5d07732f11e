"""Where one installation keeps its configuration, state, data and reports."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from engine_alpha.errors import ConfigError

VARIABLE = "CHLOE_HOME"
CACHE_VARIABLE = "XDG_CACHE_HOME"
REGISTRY = "asset_registry.json"


@dataclass(frozen=True, slots=True)
class Home:
    """One folder with everything that belongs to a running engine."""

    path: Path

    @property
    def config(self) -> Path:
        """The folder of configuration files."""
        return self.path / "config"

    @property
    def registry(self) -> Path:
        """The list of assets."""
        return self.config / REGISTRY

    @property
    def engine(self) -> Path:
        """How this home runs."""
        return self.config / "engine.json"

    @property
    def risk(self) -> Path:
        """Equity, shares and caps."""
        return self.config / "risk.json"

    @property
    def cards(self) -> Path:
        """The folder of strategy cards."""
        return self.config / "cards"

    @property
    def instruments(self) -> Path:
        """The folder of instrument snapshots."""
        return self.config / "instruments"

    @property
    def parameters(self) -> Path:
        """The folder of adopted research."""
        return self.config / "parameters"

    @property
    def state(self) -> Path:
        """The folder of accounts."""
        return self.path / "state"

    @property
    def data(self) -> Path:
        """The folder of stored bars."""
        return self.path / "data"

    @property
    def reports(self) -> Path:
        """The folder of reports."""
        return self.path / "reports"

    def account(self, name: str) -> Path:
        """Return the folder of one account, which may not be there yet."""
        return self.state / name


def find_home(explicit: str | Path | None = None) -> Home:
    """Return `explicit`, else $CHLOE_HOME, else the current folder if it is one, else ~/.local/share/chloe.

    Raise `ConfigError` if the chosen folder has no registry.
    """
    chosen, why = _choose(explicit)
    home = Home(chosen)
    if not home.registry.exists():
        raise ConfigError(
            f"{chosen} ({why}) is no home, it has no config/{REGISTRY}; make one: chloe init --home {chosen}"
        )
    return home


def current_home() -> Home:
    """Return the home of this process, looked up anew.

    $CHLOE_HOME is how a command line hands its --home to the functions of the spec.
    """
    return find_home(None)


def default_home() -> Path:
    """Return where a home is looked for and made if nobody names a folder: $CHLOE_HOME, else the user's."""
    return Path(os.environ.get(VARIABLE) or "~/.local/share/chloe").expanduser().absolute()


def cache_folder() -> Path:
    """Return where this user's caches are: $XDG_CACHE_HOME/chloe, else ~/.cache/chloe.

    Nothing is made here, and it may turn out not to be writable: then work goes on without a cache.
    """
    named = os.environ.get(CACHE_VARIABLE, "")
    if os.path.isabs(named):  # a relative one is to be ignored, says the XDG specification
        return Path(named) / "chloe"
    user = os.path.expanduser("~")  # left as it is where this user has no home folder
    return Path(user if os.path.isabs(user) else "/") / ".cache" / "chloe"


def init_home(path: Path) -> tuple[Path, ...]:
    """Write a fresh home's configuration and return the files written, the registry last.

    Nothing that exists is overwritten: raise `ConfigError` before writing anything. What an interrupted
    earlier call left is completed.
    """
    home = Home(path)
    if home.registry.exists():
        raise ConfigError(f"{home.registry} exists: {path} is a home already; choose another folder")
    fresh = sorted(_templates(), key=lambda template: template[0].name == REGISTRY)
    targets = [(home.config / relative, content) for relative, content in fresh]
    kept = [target for target, content in targets if target.exists() and target.read_bytes() != content]
    if kept:
        names = ", ".join(map(str, kept))
        raise ConfigError(f"would overwrite {names}; move them away or choose another folder")
    for target, content in targets:
        _write(target, content)
    return tuple(target for target, _ in targets)


def _choose(explicit: str | Path | None) -> tuple[Path, str]:
    if explicit is not None:
        return Path(explicit).expanduser().absolute(), "--home"
    if named := os.environ.get(VARIABLE):
        return Path(named).expanduser().absolute(), f"${VARIABLE}"
    here = Path.cwd()
    if Home(here).registry.exists():
        return here, "the current folder"
    return default_home(), "the default"


def _templates() -> Iterator[tuple[Path, bytes]]:
    """Yield path and content of a fresh home's files: the wheel's copy, in a checkout its own config."""
    package = files("engine_alpha")
    inside: Traversable = package / "_home_template" / "config"
    root = inside if inside.is_dir() else Path(str(package)).parent / "config"
    if not (root / REGISTRY).is_file():
        raise ConfigError("this installation has no templates for a home; install it again")
    yield from _walk(root, Path())


def _walk(folder: Traversable, relative: Path) -> Iterator[tuple[Path, bytes]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _walk(entry, relative / entry.name)
        elif entry.name.endswith(".json"):
            yield relative / entry.name, entry.read_bytes()


def _write(target: Path, content: bytes) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    except OSError as error:
        raise ConfigError(f"{target}: can't be written ({error.strerror}); choose another folder") from None
