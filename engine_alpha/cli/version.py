"""`chloe version`: what runs here."""

import platform
import sys
from importlib import metadata

import click

from engine_alpha import __version__
from engine_alpha.cli.options import examples, json_option, wants_json
from engine_alpha.cli.output import show, show_json
from engine_alpha.reports.table import pairs

LIBRARIES = ("numpy", "TA-Lib", "ccxt", "SQLAlchemy", "pydantic", "polars", "numba")


@click.command(epilog=examples("chloe version", "chloe version --json"))
@json_option
def version() -> None:
    """Show the versions of Chloe, Python, SQLite and the libraries; add them to a bug report."""
    from engine_alpha.journals.connecting import sqlite_driver

    found = {
        "chloe": __version__,
        "python": platform.python_version(),
        "platform": f"{sys.platform} {platform.machine()}",
        "sqlite": str(sqlite_driver().sqlite_version),
        **{name: _installed(name) for name in LIBRARIES},
    }
    if wants_json():
        show_json({name: None if text == "absent" else text for name, text in found.items()})
    else:
        show(*pairs(list(found.items())))


def _installed(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "absent"
