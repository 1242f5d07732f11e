"""`chloe research adopt` and `revert`: what a coin trades by, there and back, one command each."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from engine_alpha.cli.confirming import confirmed
from engine_alpha.cli.extras import extra_asked_for
from engine_alpha.cli.options import chosen_home, examples, home_option, json_option, now_ms, wants_json
from engine_alpha.cli.output import remark, show, show_json
from engine_alpha.loop.saying import CONFIG_CODE

if TYPE_CHECKING:
    from engine_alpha.home import Home
    from engine_alpha.research.adoption import Adopted, Reverted


@click.command(
    epilog=examples(
        "chloe research adopt ETHUSDT                       what the last night proposes, after asking",
        "chloe research adopt ETHUSDT --night 2026-11-28    what that night proposed",
        "chloe research adopt ETHUSDT --yes                 without asking",
    )
)
@click.argument("symbol")
@click.option("--night", metavar="DATE", help="Which night's proposal. [default: the last one's]")
@click.option("--yes", is_flag=True, help="Do not ask.")
@home_option
@json_option
def adopt(symbol: str, night: str | None, yes: bool) -> int:
    """Let a coin trade by what a night proposes, from the next tick on; the set before it is kept.

    Refused: a proposal that does not pass, one that was changed after it was written, and one made with
    another kernel or with cards that are not as they were.
    """
    with extra_asked_for("research"):
        return _adopt(chosen_home(), symbol, night, yes)


def _adopt(home: Home, symbol: str, night: str | None, yes: bool) -> int:
    from engine_alpha.cli.research_proposal import require_adoptable, set_changes
    from engine_alpha.research.adoption import adopt as put
    from engine_alpha.research.pages.nights import read_night

    document = read_night(home.reports, night).asset(symbol)
    require_adoptable(home, document)
    changes = set_changes(home, symbol, document["parameters"])
    real = armed_in(home, symbol)
    if not yes and not confirmed(_question(document["words"], changes, real), symbol):
        remark("nothing was adopted: it was not confirmed")
        return CONFIG_CODE
    done = put(home, symbol, document["parameters"], document["night"], document["sha256"], now_ms())
    if wants_json():
        show_json({"home": str(home.path), **asdict(done), "changes": changes, "armed_in": real})
    else:
        show(*_adopted_words(done, real))
    return 0


def _question(words: str, changes: list[str], real: list[str]) -> str:
    lines = [f"{words}.", "", *(changes or ["nothing would change: the coin trades by this already"])]
    if real:
        lines += [
            "",
            f"The coin is armed in {', '.join(real)}: REAL ORDERS go by this from the next tick on.",
        ]
    return "\n".join([*lines, ""])


def _adopted_words(done: Adopted, real: list[str]) -> list[str]:
    if not done.changed:
        return [f"{done.symbol} trades by this already, as {done.version}: nothing was changed"]
    money = f", with real orders in {', '.join(real)}" if real else ""
    lines = [
        f"from the next tick on {done.symbol} is decided by {done.version}{money}; every decision names it",
        f"before it: {done.previous or 'the default set'}; to go back: chloe research revert {done.symbol}",
    ]
    return lines + ([f"the set made by hand was kept as {done.saved}"] if done.saved else [])


def armed_in(home: Home, symbol: str) -> list[str]:
    """Return the live accounts in which a coin is armed; one whose file can't be read arms nothing."""
    from engine_alpha.cli.accounts import live_accounts
    from engine_alpha.loop.arming import armed

    return [name for name in live_accounts(home) if symbol in armed(home.account(name))]


@click.command(epilog=examples("chloe research revert ETHUSDT", "chloe research revert ETHUSDT --json"))
@click.argument("symbol")
@home_option
@json_option
def revert(symbol: str) -> int:
    """Let a coin trade by the set before the one it has, from the next tick on; no set is lost."""
    from engine_alpha.cli.symbols import require_known
    from engine_alpha.research.adoption import revert as back

    home = chosen_home()
    require_known(home, symbol)
    done = back(home, symbol, now_ms())
    if wants_json():
        show_json({"home": str(home.path), **asdict(done)})
    else:
        show(*_reverted_words(done))
    return 0


def _reverted_words(done: Reverted) -> list[str]:
    if not done.changed:
        return [f"{done.symbol} trades by the default set: there is nothing to go back from"]
    lines = [
        f"from the next tick on {done.symbol} is decided by {done.version or 'the default set'}",
        f"left: {done.left}; it is kept in config/parameters/versions/{done.symbol}",
    ]
    return lines + ([f"the set made by hand was kept as {done.saved}"] if done.saved else [])
