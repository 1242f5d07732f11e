"""`chloe backup` and `chloe restore`: a whole home in one file, and back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from engine_alpha.cli.options import (
    chosen_home,
    examples,
    given_home,
    home_option,
    json_option,
    now_ms,
    wants_json,
)
from engine_alpha.cli.output import show, show_json
from engine_alpha.cli.progress import progress_shown
from engine_alpha.errors import ConfigError
from engine_alpha.home import Home, default_home

if TYPE_CHECKING:
    from engine_alpha.journals.archive import Contents


@click.command(
    epilog=examples(
        "chloe backup                   into the home's folder backups/",
        "chloe backup /mnt/disk         a dated file in that folder",
        "chloe backup today.tar.gz      that file",
    )
    + "\n\n\b\nExit codes: 0 done; 2 that file can't be; 4 a journal is not sound, or the disk is full."
)
@click.argument("target", metavar="[FILE|DIR]", required=False)
@click.option("--rehearsals", is_flag=True, help="With the accounts of rehearsals.")
@home_option
@json_option
def backup(target: str | None, rehearsals: bool) -> None:
    """Put configuration and all accounts into one file; the engine may run on meanwhile.

    Every journal is copied as it is at one moment and proven, event by event, before it is packed. Secrets
    and stored candles are never in a backup. No file is overwritten, none appears before it is whole.
    """
    from engine_alpha.loop.backing_up import back_up, target_of

    home, at_ms = chosen_home(), now_ms()
    made = back_up(home, target_of(home, target, at_ms), at_ms, rehearsals, progress_shown)
    if wants_json():
        show_json(
            {
                "home": str(home.path),
                "file": str(made.path),
                "size_bytes": made.size_bytes,
                "made_ms": at_ms,
                "left_out": list(made.left_out),
                **_contents_fields(made.contents),
            }
        )
        return
    show(f"backed up {home.path} to {made.path}, {_size(made.size_bytes)}", *_contents_lines(made.contents))
    if made.left_out:
        show(f"left out, with them: --rehearsals: {', '.join(made.left_out)}")
    show("not in it: secrets/ and data/. Keep it on another disk; back with: chloe restore FILE")


@click.command(
    epilog=examples(
        "chloe restore today.tar.gz                   into this home, if nothing has run in it",
        "chloe --home ~/second restore today.tar.gz   into another one, which it makes",
        "chloe restore --force today.tar.gz           what is there moves aside",
    )
    + "\n\n\b\nExit codes: 0 done; 2 no such backup, or a state is there; 4 damaged, or the disk is full;\n"
    "5 an engine works there."
)
@click.argument("file", metavar="FILE")
@click.option("--force", is_flag=True, help="Move a state that is there aside; nothing is deleted.")
@home_option
@json_option
def restore(file: str, force: bool) -> None:
    """Put a backup in place: proven first, then all of it at once.

    Entries of live accounts stay halted until `chloe resume`, since nobody knows what they traded after the
    backup. Secrets are not in a backup; those of this home stay.
    """
    from engine_alpha.config.engine import ACCOUNT_OF_ENVIRONMENT
    from engine_alpha.loop.restoring import restore as put_back

    path = Path(file).expanduser().absolute()
    if not path.is_file():
        raise ConfigError(f"there is no file {path}: name one that chloe backup made")
    home = _home_to_fill()
    live = tuple(ACCOUNT_OF_ENVIRONMENT.values())
    done = put_back(home, path, now_ms(), force, live, progress_shown)
    if wants_json():
        show_json(
            {
                "home": str(home.path),
                "file": str(path),
                "made_ms": done.about.made_ms,
                "moved_aside": [str(place) for place in done.aside],
                "halted": list(done.halted),
                "config_fault": done.config_fault or None,
                **_contents_fields(done.contents),
            }
        )
        return
    from engine_alpha.times import minute

    show(f"restored {home.path} as {done.about.home} was at {minute(done.about.made_ms)} UTC")
    show(*_contents_lines(done.contents))
    show(*(f"what was there is now {place}" for place in done.aside))
    if done.config_fault:
        show(f"its configuration can't be read: {done.config_fault}")
    if done.halted:
        show(
            f"no entries in {', '.join(done.halted)}: it may have traded since the backup",
            "next: chloe reconcile shows what stands at the venue; entries again with: chloe resume",
        )


def _home_to_fill() -> Home:
    """Return the home that is meant, there or not."""
    try:
        return chosen_home()
    except ConfigError:
        named = given_home()
        return Home(Path(named) if named is not None else default_home())


def _contents_fields(contents: Contents) -> dict[str, Any]:
    return {
        "files": len(contents.files),
        "journals": [
            {"journal": name, "events": events, "head_hash": head, "size_bytes": contents.files[name][0]}
            for name, (events, head) in contents.journals.items()
        ],
    }


def _contents_lines(contents: Contents) -> list[str]:
    from engine_alpha.reports.table import pairs
    from engine_alpha.reports.words import count

    rows = [("config", count(sum(name.startswith("config/") for name in contents.files), "file"))]
    for name, (events, _) in contents.journals.items():
        label = name.removeprefix("state/").removesuffix("/journal.sqlite")
        rows.append((label, f"{count(events, 'event')}, sound, {_size(contents.files[name][0])}"))
    return [f"  {line}" for line in pairs(rows)]


def _size(size_bytes: int) -> str:
    return f"{size_bytes / 1e6:,.1f} MB" if size_bytes >= 100_000 else f"{size_bytes / 1e3:,.1f} kB"
