"""`chloe feed`: where prices come from."""

from importlib.util import find_spec

import click

from engine_alpha.cli.options import chosen_home, examples, home_option, json_option, wants_json
from engine_alpha.cli.output import show, show_json
from engine_alpha.home import Home
from engine_alpha.loop.wiring import ACCOUNT_OF_FEED, feed_name, source_line

TOLD = {
    "embedded": "the next run reads simulated prices; no network is needed",
    "venue": "the next run reads real prices from each asset's venue, still on paper",
    "files": "the next run reads stored prices, still on paper",
}


@click.command(
    epilog=examples(
        "chloe feed            where prices come from now",
        "chloe feed venue      real prices of each asset's venue",
        "chloe feed embedded   simulated prices again",
    )
)
@click.argument("name", metavar="[embedded|venue|files]", required=False)
@home_option
@json_option
def feed(name: str | None) -> None:
    """Show where prices come from, or choose it in config/engine.json.

    Each feed has an account of its own, so that simulated prices never meet a real ledger.
    """
    home = chosen_home()
    changed = False
    if name is not None:
        from engine_alpha.config.engine import set_feed

        changed = set_feed(home.engine, name)
    now, engine = feed_name(home, None)
    account = ACCOUNT_OF_FEED[now]
    if wants_json():
        fields = {"home": str(home.path), "feed": now, "account": account, "changed": changed}
        show_json({**fields, "simulated": now == "embedded"})
        return
    show(source_line(home, now))
    if name is None:
        show(f"feed {now}, account {account}; choose with chloe feed embedded|venue|files")
        return
    show(
        f"feed {'is' if changed else 'was already'} {now}: {TOLD[now]}",
        f"its account is {account}: money and trades of the other feeds stay in accounts of their own",
    )
    if now == "files":
        show(*_missing_for_files(home, str(engine.data_folder(home.path))))


def _missing_for_files(home: Home, folder: str) -> list[str]:
    """Return what stored prices still need."""
    needs = []
    if find_spec("polars") is None:
        needs.append("stored prices need Polars: pip install 'chloe[backtest]'")
    if not (home.path / folder).is_dir():
        needs.append(f"there is no {folder} yet: put bars there, or change files.data in {home.engine}")
    return needs
