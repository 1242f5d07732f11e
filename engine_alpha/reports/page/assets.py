"""The page's own files: styles, scripts, and the chart library that is kept with its hash."""

import base64
import hashlib
from importlib.resources import files
from typing import Final

from engine_alpha.errors import ConfigError

CHARTS: Final = "vendor/lightweight-charts.standalone.production.js"
CHARTS_SHA256: Final = "e21cc5caa0226ef30bd8549c50b9ef926615f2a4ee6b4e486353477a55f598cf"
STYLE: Final = "page.css"
SCRIPTS: Final = (
    "unpack.js",
    "theme.js",
    "equity.js",
    "marks.js",
    "candles.js",
    "coin.js",
    "trades.js",
    "main.js",
)


def style_sheet() -> str:
    """Return the page's styles."""
    return _read(STYLE)


def chart_library() -> str:
    """Return the chart library; raise `ConfigError` if it is not the one this was built with."""
    source = _read(CHARTS)
    if hashlib.sha256(source.encode()).hexdigest() != CHARTS_SHA256:
        raise ConfigError(f"{CHARTS} was changed: this installation is damaged; install it again")
    return source


def page_script() -> str:
    """Return the page's own script: its files in one scope of their own."""
    return "(() => {\n'use strict';\n" + "\n".join(_read(name) for name in SCRIPTS) + "})();\n"


def script_hash(source: str) -> str:
    """Return what a content security policy calls a script by."""
    return "sha256-" + base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()


def _read(name: str) -> str:
    try:
        return files("engine_alpha.reports.page").joinpath("assets", name).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(f"{name} is not there: this installation is damaged; install it again") from None
