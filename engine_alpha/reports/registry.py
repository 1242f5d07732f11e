"""The asset registry as a table."""

from collections.abc import Mapping, Sequence
from typing import Any

from engine_alpha.reports.table import Table, columns
from engine_alpha.reports.words import number


def registry_table(assets: Sequence[Mapping[str, Any]]) -> Table:
    """Return one row per asset, in the registry's order."""
    return Table(
        columns=columns(
            "asset", "trades", "bars", "venue", "bucket", ">max leverage", ">min notional", "note"
        ),
        rows=tuple(_row(asset) for asset in assets),
    )


def _row(asset: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        asset["symbol"],
        "on" if asset["enabled"] else "off",
        asset["base_timeframe"],
        asset["venue"],
        asset["risk_bucket"],
        number(asset["max_leverage"]),
        f"{number(asset['min_notional_usd'])} {asset['quote_ccy']}",
        asset["note"] or "",
    )
