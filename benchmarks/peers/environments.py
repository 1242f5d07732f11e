"""A virtual environment per engine, outside the repository: made once, remade when its pins change."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

CACHE = Path("~/.cache/chloe/peers")
MARK = "pins.txt"
CHLOE = "chloe"  # runs in the interpreter that runs this


class Recipe(NamedTuple):
    """What an engine needs: pinned packages, and the Python versions it takes, best first."""

    packages: tuple[str, ...]
    pythons: tuple[str, ...]


ANY_PYTHON = ("3.11", "3.12", "3.13")
RECIPES = {
    "vectorbt": Recipe(("vectorbt==1.2.0", "numba==0.68.1", "numpy==2.4.6", "pandas==3.1.1"), ANY_PYTHON),
    "backtesting": Recipe(("backtesting==0.6.6", "numpy==2.4.6", "pandas==3.1.1"), ANY_PYTHON),
    "nautilus": Recipe(("nautilus_trader==1.231.0", "pandas==3.1.1"), ("3.13", "3.12")),
    "freqtrade": Recipe(("freqtrade==2026.9", "pandas==3.1.1"), ANY_PYTHON),
    "jesse": Recipe(("jesse==3.5.3",), ("3.11", "3.12")),
}


class Unavailable(Exception):
    """This engine can't be run here; the message says why and what would help."""


def interpreter_for(engine: str, cache: Path, offered: tuple[Path, ...] = ()) -> Path:
    """Return the Python of the engine's environment, made first where it is missing or has other pins.

    `offered` are interpreters to consider besides those on PATH. Raises `Unavailable`.
    """
    if engine == CHLOE:
        return Path(sys.executable)
    recipe, folder = RECIPES[engine], cache.expanduser() / engine
    python = folder / "bin" / "python"
    pins = "\n".join(recipe.packages)
    if python.exists() and (folder / MARK).is_file() and (folder / MARK).read_text() == pins:
        return python
    base = _base_interpreter(recipe.pythons, offered)
    print(f"{engine}: installing {', '.join(recipe.packages)} into {folder}", file=sys.stderr, flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    _checked([str(base), "-m", "venv", str(folder)])
    _checked([str(python), "-m", "pip", "install", "--quiet", *recipe.packages])
    (folder / MARK).write_text(pins)
    return python


def _checked(command: list[str]) -> None:
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode != 0:
        told = (run.stderr or run.stdout).strip().splitlines()[-3:]
        raise Unavailable(f"{' '.join(command[1:4])} failed: {' / '.join(told)}")


def _base_interpreter(versions: tuple[str, ...], offered: tuple[Path, ...]) -> Path:
    for version in versions:
        for candidate in (*offered, *_candidates(version)):
            if _version_of(candidate) == version:
                return candidate
    raise Unavailable(f"needs Python {' or '.join(versions)}: put one on PATH or name it with --python")


def _candidates(version: str) -> Iterator[Path]:
    """Yield interpreters that may be of that version: this one, those on PATH, those pyenv keeps."""
    yield Path(sys.executable)
    found = shutil.which(f"python{version}")
    if found:
        yield Path(found)
    pyenv = Path(
        os.environ.get("PYENV_ROOT", "~/.pyenv")
    ).expanduser()  # its shims on PATH may be switched off
    yield from sorted(pyenv.glob(f"versions/{version}.*/bin/python{version}"), reverse=True)


def _version_of(python: Path) -> str:
    """Return "3.12" or so; nothing if it does not run."""
    asking = "import sys; print('%d.%d' % sys.version_info[:2])"
    try:
        run = subprocess.run(
            [str(python), "-c", asking], capture_output=True, text=True, timeout=20, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return run.stdout.strip()
