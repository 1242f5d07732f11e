"""The tables that a comparison prints."""

from typing import Any

from benchmarks.peers.compare import Comparison
from benchmarks.peers.environments import CHLOE

Answers = dict[str, dict[str, Any]]
SHOWN_UNEXPLAINED = 5
TAIL = ("net", "peak MiB", "loop ms")


def timing_table(answers: Answers, asset_bars: int) -> list[str]:
    """Return one line per engine, quickest last run first; ratios are to Chloe's time in this run."""
    ours = answers.get(CHLOE, {}).get("seconds_warm_median")
    lines = [
        _row(
            "engine",
            "version",
            ("first s", "warm s", "runs", "whole s", "bars/s", "x Chloe", "trades", *TAIL),
        )
    ]
    for answer in sorted(answers.values(), key=lambda each: float(each["seconds_warm_median"])):
        warm = answer["seconds_warm_median"]
        cells = (
            f"{answer['seconds_first']:.3f}",
            f"{warm:.4f}",
            str(len(answer["seconds_warm"])),
            f"{answer['seconds_whole']:.2f}" if "seconds_whole" in answer else "-",
            f"{asset_bars / warm:,.0f}",
            f"{warm / ours:.1f}" if ours else "-",
            str(len(answer["trades"])),
            f"{sum(trade[6] for trade in answer['trades']):.2f}",
        )
        lines.append(_row(answer["engine"], answer["version"], (*cells, *_tail(answer))))
    notes = [f"  {each['engine']}: {each['note']}" for each in answers.values() if "note" in each]
    return [*lines, *notes]


def sweep_table(answers: Answers, asset_bars: int) -> list[str]:
    """Return one line per engine that sweeps."""
    ours = answers.get(CHLOE, {}).get("seconds_warm_median")
    lines = [_row("sweep", "version", ("sets", "first s", "warm s", "ns/bar-set", "x Chloe", *TAIL))]
    for answer in sorted(answers.values(), key=lambda each: float(each["seconds_warm_median"])):
        warm, sets = answer["seconds_warm_median"], answer["sets"]
        cells = (
            str(sets),
            f"{answer['seconds_first']:.3f}",
            f"{warm:.4f}",
            f"{warm / asset_bars / sets * 1e9:.1f}",
            f"{warm / ours:.1f}" if ours else "-",
            f"{answer['net_quote']:.2f}",
        )
        lines.append(_row(answer["engine"], answer["version"], (*cells, *_tail(answer))))
    return lines


def _row(engine: str, version: str, cells: tuple[str, ...]) -> str:
    return f"{engine:16s}{version:9s}" + "".join(f"{cell:>11s}" for cell in cells)


def _tail(answer: dict[str, Any]) -> tuple[str, str]:
    return f"{answer['peak_rss_mib']:.0f}", "/".join(f"{each:.0f}" for each in answer["calibration_ms"])


def comparison_lines(engine: str, found: Comparison) -> list[str]:
    """Return how an engine's trades stand to the reference's, rule by rule, and what no rule explains."""
    lines = [f"{engine}: {found.theirs} trades, {found.equal} of the reference's {found.ours} equal"]
    lines += [f"  {count:6d}  {rule}" for rule, count in found.by_rule.most_common()]
    for ours, theirs in found.unexplained[:SHOWN_UNEXPLAINED]:
        lines += [
            f"          reference {tuple(ours) if ours else '-'}",
            f"          engine    {tuple(theirs or ())}",
        ]
    if len(found.unexplained) > SHOWN_UNEXPLAINED:
        lines.append(f"          and {len(found.unexplained) - SHOWN_UNEXPLAINED} more")
    return lines
