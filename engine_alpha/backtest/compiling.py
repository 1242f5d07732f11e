"""The kernel handed to Numba: the very same function objects, and a cache that knows when they changed."""

import hashlib
import importlib
import inspect
import pkgutil
import shutil
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from importlib.resources import files
from pathlib import Path
from typing import Any

import llvmlite
import numba
import numpy as np
from numba.extending import register_jitable

import engine_alpha.kernel as kernel_package
from engine_alpha.home import cache_folder

PLAIN = ("indicators", "profit_factor", "evidence", "first_passage", "executed", "reconcile")
"""Kernel modules that are never compiled: TA-Lib on arrays, numbers for reports, what only live runs."""

CALLED = ("advance",)
"""Kernel functions that are called; all others are worked into them. Handing values of a hundred fields over
costs more than most functions do, but what is called from two places would be compiled twice.
"""
OPTIONS = {"fastmath": False, "nogil": True, "_nrt": False}
LONGEST = ("loop._play", "features._fill_rows")
"""The compiled functions every backtest needs."""
LONGEST_OF_SWEEPS = ("skimming._skim_ticks", "features._fill_rows")
KEPT_SECONDS = 90 * 86_400
COMPILED = {
    "domain": (),
    "kernel": (),
    "step": ("asset_step",),
    "backtest": (
        *("compiling", "features", "foreseeing", "loop", "outputs", "skimming", "stepping", "words", "world"),
    ),
}
"""Whose sources end up in machine code, constants included; an empty list is the whole package."""

_registered: list[str] = []


def register_kernel() -> None:
    """Let Numba compile every kernel function where compiled code calls it."""
    if _registered:
        return
    for info in pkgutil.iter_modules(kernel_package.__path__):
        if info.name in PLAIN:
            continue
        module = importlib.import_module(f"engine_alpha.kernel.{info.name}")
        for name, function in inspect.getmembers(module, inspect.isfunction):
            if function.__module__ == module.__name__:
                register_jitable(forceinline=name not in CALLED)(function)
                _registered.append(name)


def inlined(function: Callable[..., Any]) -> Callable[..., Any]:
    """Let compiled code call the function, worked into its caller: handing columns over costs too much."""
    registered: Callable[..., Any] = register_jitable(forceinline=True)(function)
    return registered


def compiled(function: Callable[..., Any]) -> Any:
    """Return the function compiled on first call, from the cache where nothing that matters has changed.

    Numba looks at the function's own file only; what it calls is in other modules, so the folder of the
    cache carries a hash of all of them (numba/numba#8396 is that problem), and no other place is looked at.
    A cache that can't be written is done without. `_nrt=False`: nothing is allocated inside, so no array has
    to have its references counted, which took three quarters of the time. `nogil`: sets of a sweep play side
    by side in threads; each writes to columns of its own.
    """
    register_kernel()
    settings = numba.config.CACHE_DIR, numba.config.CACHE_LOCATOR_CLASSES
    numba.config.CACHE_DIR = str(_swept(code_folder()))
    numba.config.CACHE_LOCATOR_CLASSES = "UserProvidedCacheLocator"
    try:
        return numba.njit(cache=True, **OPTIONS)(function)
    except RuntimeError:
        return numba.njit(**OPTIONS)(function)
    finally:
        numba.config.CACHE_DIR, numba.config.CACHE_LOCATOR_CLASSES = settings


def _swept(folder: Path) -> Path:
    """Return the folder after removing what a power cut left empty: Numba would stumble over it each time.

    Folders of other code go when they have not been used for so long.
    """
    with suppress(OSError):
        for cut_short in folder.rglob("*.nb?"):
            if cut_short.stat().st_size == 0:
                cut_short.unlink()
        for other in folder.parent.iterdir() if not folder.exists() else ():
            if time.time() - other.stat().st_mtime > KEPT_SECONDS:
                shutil.rmtree(other, ignore_errors=True)
    return folder


def code_folder() -> Path:
    """Return where this very code's machine code is kept."""
    return cache_folder() / "compiled" / code_key()


def code_key() -> str:
    """Return a hash of the sources that are compiled and of the libraries that compile them."""
    digest = hashlib.sha256()
    for package, names in COMPILED.items():
        for source in sorted(files("engine_alpha").joinpath(package).iterdir(), key=lambda one: one.name):
            if source.name.endswith(".py") and (not names or source.name[:-3] in names):
                digest.update(source.name.encode() + source.read_bytes())
    versions = (sys.version, numba.__version__, np.__version__, llvmlite.__version__)
    digest.update(repr(versions).encode())
    return digest.hexdigest()[:20]


def is_cached(names: tuple[str, ...] = LONGEST) -> bool:
    """Say whether this code has been compiled before on this machine, so that no waiting is due."""
    return all(any(code_folder().rglob(f"*{name}-*.nbc")) for name in names)
