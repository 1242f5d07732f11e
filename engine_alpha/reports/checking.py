"""What a check of the journal found, in words."""

from collections.abc import Mapping
from typing import Any

from engine_alpha.reports.words import count


def check_lines(found: Mapping[str, Any]) -> list[str]:
    """Return what was checked and, where something is wrong, what, from where on, and what to do."""
    if found["sound"]:
        return [
            f"sound: {count(found['events'], 'event')} chained, {count(found['states'], 'state')} rebuilt "
            "from them to the same bytes, money adds up, file intact",
            f"head {found['head_hash']}",
        ]
    lines = [f"NOT SOUND: {found['journal']}"]
    if found["first_broken_seq"] is not None:
        lines.append(f"first broken event: {found['first_broken_seq']} ({found['broken']})")
        lines.append(
            f"the {count(found['events'], 'event')} before it are sound; behind it no state can be rebuilt"
        )
    lines += found["wrong_states"] + found["money_faults"]
    lines += [f"file: {fault}" for fault in found["file_faults"]]
    return [
        *lines,
        "what to do: stop the runner and keep a copy of the account's folder. Then bring back a backup,",
        "or move the folder away: the next tick starts a fresh account, without what this one holds.",
    ]
