"""`chloe data`: candles, mark prices and funding on disk. Each subcommand has a file of its own."""

from pathlib import Path

import click

from engine_alpha.cli.lazy import LazyGroup
from engine_alpha.cli.options import chosen_home, examples

COMMANDS = {
    "import": ("data_import:import_files", "Take candles from files of others into the store."),
    "download": ("data_download:download", "Fetch candles from a venue into the store."),
    "check": ("data_check:check", "Look for what is wrong with candles before trusting them."),
    "list": ("data_list:list_series", "Every stored series: span, gaps, size."),
}


@click.group(
    cls=LazyGroup,
    lazy=COMMANDS,
    epilog=examples(
        "chloe data import BTCUSDT-1h-2024-*.zip --market perpetual",
        "chloe data download --venue bybit --symbols ETHUSDT,BTCUSDT --timeframe 1h --from 2023-01-01",
        "chloe data check",
        "chloe data list",
    ),
)
def data() -> None:
    """Stored candles, mark prices and funding: import, download, check, list.

    They lie in the folder that files.data in config/engine.json names, by default data/ in the home.
    """


def data_folder() -> Path:
    """Return the home's folder of stored bars; raise `ConfigError` if there is no home."""
    from engine_alpha.config.engine import read_engine

    home = chosen_home()
    return read_engine(home.engine).data_folder(home.path)
