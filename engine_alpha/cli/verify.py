"""`chloe verify`: a journal decided again from stored bars."""

from __future__ import annotations

import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from engine_alpha.cli.accounts import Account, choose_account, reading
from engine_alpha.cli.extras import extra_asked_for
from engine_alpha.cli.options import (
    account_option,
    chosen_home,
    examples,
    home_option,
    json_option,
    wants_json,
)
from engine_alpha.cli.output import show, show_json
from engine_alpha.cli.progress import progress_shown
from engine_alpha.errors import ConfigError

if TYPE_CHECKING:
    from engine_alpha.backtest.verify import Sources, Span, Verification
    from engine_alpha.ports import BarFeed, Journal

FILES = "files/"  # how the source of a decision on stored bars begins


@click.command(
    epilog=examples(
        "chloe verify                                   simulated prices are computed again",
        "chloe verify --account paper --data candles/   a paper account against stored candles",
        "chloe verify --account rehearse --data candles/ --from 2023-01-05 --to 2023-01-06",
        "chloe verify --json | jq '.findings[] | .cause'",
    )
    + "\n\n\b\nExit codes: 0 no difference; 3 differences; 2 nothing to compare."
)
@click.option("--data", metavar="DIR", help="Folder of stored bars. [default: files.data of engine.json]")
@click.option("--venue", metavar="V", help="Whose bars there. [default: those of the decisions]")
@click.option("--from", "first", metavar="ISO", help="Only bars that open at or after this, UTC.")
@click.option("--to", "end", metavar="ISO", help="Only bars that open before this, UTC.")
@account_option
@home_option
@json_option
def verify(data: str | None, venue: str | None, first: str | None, end: str | None) -> int:
    """Decide an account's journal again from stored bars and name the cause of every difference.

    Every decision is taken again by the step that took it: bars revised, late or missing, configuration
    changed since, fills that the bars do not give. Nothing is written.
    """
    account = choose_account(chosen_home())
    started = time.perf_counter()
    with extra_asked_for(), reading(account) as journal:
        source = first_source(journal, account)
        sources = sources_of(account, journal, source, (data, venue))
        found = _verified(journal, sources, span_of(first, end))
    seconds = time.perf_counter() - started
    if found.decisions == 0:
        raise ConfigError(f"no decision of account {account.name} is on a bar of that span")
    fields = {**account.fields(), **asdict(found), "seconds": round(seconds, 3)}
    if wants_json():
        show_json({**fields, "prices": sources.feed.describes, "differences": len(found.findings)})
    else:
        _show(account, sources.feed, fields)
    from engine_alpha.loop.tick import SOME_FAILED

    return SOME_FAILED if found.findings else 0


def span_of(first: str | None, end: str | None) -> Span:
    """Return the span of bars that --from and --to name; raise `ConfigError` for an empty one."""
    from engine_alpha.backtest.verify import Span
    from engine_alpha.times import parse_iso

    span = Span(**_times(from_ms=first and parse_iso(first), to_ms=end and parse_iso(end)))
    if span.from_ms >= span.to_ms:
        raise ConfigError("--from must be before --to")
    return span


def _times(**given: int | str | None) -> dict[str, Any]:
    return {name: value for name, value in given.items() if value is not None}


def first_source(journal: Journal, account: Account) -> str:
    """Return the source of the account's first decision; raise `ConfigError` where there is none."""
    import json

    from engine_alpha.step.recording import DECISION

    stored = next(journal.events(DECISION), None)
    if stored is None:
        raise ConfigError(f"account {account.name} has decided nothing yet: run chloe tick")
    return str(json.loads(stored.event.payload)["source"])


def sources_of(
    account: Account, journal: Journal, source: str, given: tuple[str | None, str | None]
) -> Sources:
    """Return configuration and prices to compare an account with; `given` are --data and --venue."""
    from engine_alpha.backtest.verify import Sources
    from engine_alpha.loop.live_step import reading_at_settlement
    from engine_alpha.plans.setup import read_setup

    data, venue = given
    setup = read_setup(account.home)
    if account.simulated:
        from engine_alpha.loop.wiring import embedded_feed

        if data is not None or venue is not None:
            raise click.UsageError("simulated prices are computed again: leave out --data and --venue")
        return Sources(setup=setup, feed=embedded_feed(setup), at_settlement=reading_at_settlement)
    if venue is None and source.startswith(FILES):
        venue = source.removeprefix(FILES)
    folder = setup.engine.data_folder(account.home.path) if data is None else Path(data).expanduser()
    feed = stored_prices(folder, venue)
    if account.rehearsal:
        from engine_alpha.plans.history import History, for_history

        known = {asset.symbol for asset in setup.registry.assets}
        symbols = tuple(symbol for symbol in journal.states() if symbol in known)
        played = History(data=folder, venue=venue or "", symbols=symbols, from_ms=0, to_ms=1)
        setup = for_history(setup, played)
    return Sources(setup=setup, feed=feed, at_settlement=reading_at_settlement)


def stored_prices(folder: Path, venue: str | None) -> BarFeed:
    """Return stored bars as a feed; raise `ConfigError` if there is no such folder."""
    from engine_alpha.loop.wiring import files_feed

    if not folder.is_dir():
        raise ConfigError(f"no data folder {folder}: name the folder of stored bars with --data")
    return files_feed(folder, venue)


def _verified(journal: Journal, sources: Sources, span: Span) -> Verification:
    from engine_alpha.backtest.verify import verify as decide_again

    with progress_shown("deciding again", "events") as progress:
        return decide_again(journal, sources, span, progress)


def _show(account: Account, feed: BarFeed, fields: dict[str, Any]) -> None:
    from engine_alpha.reports.verification import (
        findings_table,
        headline,
        meaning_lines,
        rest_lines,
        verdict,
    )

    show(account.first_line(), "", headline(fields, feed.describes))
    show(verdict(fields), "")
    if fields["findings"]:
        show(findings_table(fields["findings"]), "", *meaning_lines(fields["findings"]), "")
    show(*rest_lines(fields))
    pace = fields["decisions"] / fields["seconds"] if fields["seconds"] else 0.0
    show(f"{fields['seconds']:.1f} s, {pace:,.0f} decisions/s")
