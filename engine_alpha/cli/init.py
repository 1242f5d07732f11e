"""`chloe init`: a fresh home."""

from pathlib import Path

import click

from engine_alpha.cli.options import examples, given_home, home_option, json_option, wants_json
from engine_alpha.cli.output import show, show_json
from engine_alpha.home import default_home, init_home


@click.command(
    epilog=examples(
        "chloe init                 a home at $CHLOE_HOME, else ~/.local/share/chloe",
        "chloe init trading         a home in the folder trading",
        "chloe init --home trading  the same",
    )
)
@click.argument("folder", metavar="[DIR]", required=False)
@home_option
@json_option
def init(folder: str | None) -> None:
    """Write a fresh home: one enabled coin on simulated prices, ready to run.

    Nothing that exists is overwritten.
    """
    chosen = folder or given_home()
    path = Path(chosen).expanduser().absolute() if chosen else default_home()
    written = init_home(path)
    if wants_json():
        show_json({"home": str(path), "written": [str(file) for file in written]})
        return
    show(f"made {path} with {len(written)} files in config/", "", "Next:")
    if path != default_home():
        show(f"  cd {path}")
    show(
        "  chloe tick         one step on simulated prices; no network is needed",
        "  chloe status       what happened",
        "  chloe feed venue   real prices, still on paper",
        "  chloe assets list  the coins; chloe assets enable BTCUSDT for a second one",
    )
