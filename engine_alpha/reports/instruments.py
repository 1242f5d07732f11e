"""Trading rules of contracts as a table."""

from collections.abc import Sequence
from typing import Any

from engine_alpha.domain.instrument import Instrument
from engine_alpha.reports.table import Table, columns
from engine_alpha.reports.words import NOTHING, day


def instruments_table(instruments: Sequence[Instrument]) -> Table:
    """Return one row per contract."""
    return Table(
        columns=columns(
            *("contract", "venue", ">tick", ">lot", ">min notional", ">max order", ">taker fee", ">tiers"),
            *("listed", "settled", "successor"),
        ),
        rows=tuple(
            (
                each.symbol,
                each.venue,
                each.tick_quote,
                each.lot_base,
                each.min_notional_quote,
                each.max_market_quantity_base,
                f"{each.taker_fee_frac * 100:g} %",
                str(len(each.tiers)),
                day(each.listed_ms),
                day(each.settled_ms),
                each.successor or NOTHING,
            )
            for each in instruments
        ),
    )


def change_words(symbol: str, field: str | None, before: Any, after: Any) -> str:
    """Return one difference between two snapshots; tables of tiers are counted, not shown."""
    if field is None:
        return f"{symbol}: {'new' if before is None else 'gone'}"
    if field == "tiers":
        return f"{symbol} tiers: changed, {len(before)} -> {len(after)}"
    if field.endswith("_ms"):
        return f"{symbol} {field.removesuffix('_ms')}: {day(before)} -> {day(after)}"
    return f"{symbol} {field}: {before} -> {after}"
