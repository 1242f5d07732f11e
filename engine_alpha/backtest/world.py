"""What a compiled run reads and keeps: every asset's bars, features and rules laid out in arrays."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine_alpha.backtest.features import features_of_all, wanted_by
from engine_alpha.backtest.words import dtype_of, records_of, width_of
from engine_alpha.domain.bars import Bars, Floats, Funding, Ints
from engine_alpha.domain.detail import Detail
from engine_alpha.domain.lookback import first_bar
from engine_alpha.kernel.indicators import EVERYTHING
from engine_alpha.kernel.money import new_account, new_sub_account
from engine_alpha.kernel.values import (
    Account,
    Card,
    Condition,
    SubAccount,
    Tally,
    Tier,
)
from engine_alpha.step.plan import AssetPlan
from engine_alpha.step.windows import due_funding

FOREVER_MS = 2**62
OFF_GRID, UNREAL, UNSIGNED, SHAPELESS, BAD_MARK = 1, 2, 4, 8, 16
"""Why a bar can't be true, as bits; `domain.bar_checks` names them in this order."""
UNREACHED = Tier(np.inf, 0.0, 0.0)


class Columns(NamedTuple):
    """All assets' bars one after another; an asset's are [first[a], end[a])."""

    first: Any
    end: Any
    open_ms: Any
    number: Any
    open: Any
    high: Any
    low: Any
    close: Any
    volume: Any
    mark_high: Any
    mark_low: Any
    funding_open: Any  # since the bar before closed, through this open
    funding_alone: Any  # at this open alone: for a bar without one before it
    funding_inside: Any
    funding_unknown: Any
    wrong: Any  # bits of what can't be true
    minute_first: Any
    minute_count: Any
    minutes: Any
    rows: Any
    trend: Any
    volatility: Any
    row_at: Any
    tail_at: Any


class Settings(NamedTuple):
    """Every asset's rules: scalars as rows of words, lists as rows of one table each.

    Rows are filled up with what never counts: a card without status, a tier nobody reaches.
    """

    ints: Any  # words of Asset, Risk and Parameters without their lists, one row an asset
    floats: Any
    weights: Any  # asset x regime x vote
    calibrations: Any  # asset x row x (|score|, confidence)
    calibrated: Any  # how many of those rows each asset has
    tiers: Any  # asset x tier
    cards: Any  # asset x card
    conditions: Any  # asset x condition
    shadows: Any  # shadow cards as if active, one a row
    shadow_first: Any
    shadow_end: Any
    shadow_order: Any  # places of an asset's shadows by name
    shadow_card: Any  # which card of the asset's playbook each shadow is
    bucket: Any
    frame_ms: Any
    listed_ms: Any
    settled_ms: Any
    delay_ms: Any  # of one element


class State(NamedTuple):
    """What changes from bar to bar, as the run left it."""

    ints: Any  # words of each asset's SubAccount
    floats: Any
    tallies: Any  # asset x card
    shadow_ints: Any  # words of each shadow's SubAccount
    shadow_floats: Any
    shadow_tallies: Any
    account_ints: Any
    account_floats: Any
    held: Any  # asset x (net, notional, positions, risk): what each brings into the sums of the others
    next_ms: Any  # when each asset's next bar is due
    total: Any  # the account's equity, of one element: added up anew at every tick, moved in between
    cursor: Any  # first bar not closed yet
    last_wrong: Any  # last closed bar that can't be true, -1 for none
    window: Any  # asset x (first bar, anchor) of the newest decision's window
    missed: Any  # asset x bar since the span began: 1 where "stale" was recorded


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """One asset made ready: its plan, and the bars, funding and minutes it can read."""

    plan: AssetPlan
    bars: Bars
    funding: Funding
    first: int  # place of the first bar that is decided on
    detail: Detail


def readable_bars(bars: Bars, from_ms: int, to_ms: int) -> Bars:
    """Return the bars that any decision on [from_ms, to_ms) can read."""
    frame_ms = bars.timeframe_ms
    first = first_bar(-(-from_ms // frame_ms)) * frame_ms
    last = (to_ms + frame_ms - 1) // frame_ms * frame_ms
    return bars.between(first, last)


def columns_of(assets: Sequence[Prepared], records: bool = True) -> Columns:
    """Lay all assets' bars out one after another, with their features; without `records` those that count."""
    wanted = EVERYTHING if records else wanted_by(each.plan.rules for each in assets)
    lengths = [len(each.bars) for each in assets]
    end = np.cumsum(lengths, dtype=np.int64)
    parts: dict[str, list[Any]] = {name: [] for name in Columns._fields}
    tables = features_of_all([(each.bars, each.funding, each.first) for each in assets], wanted)
    minute = 0
    for each, table in zip(assets, tables, strict=True):
        found = {
            **_bar_columns(each),
            "minute_first": each.detail.minute_first + minute,
            "minute_count": each.detail.minute_count,
            "minutes": each.detail.rows,
            "row_at": table.row_at,
            "tail_at": table.tail_at,
        }
        minute += len(each.detail.rows)
        for name, column in found.items():
            parts[name].append(column)
    joined = {name: np.concatenate(arrays) for name, arrays in parts.items() if arrays}
    shared = {name: getattr(tables[0], name) for name in ("rows", "trend", "volatility")}
    return Columns(first=end - lengths, end=end, **joined, **shared)


def _bar_columns(each: Prepared) -> dict[str, Any]:
    bars = each.bars
    since = np.concatenate((bars.open_ms[:1], bars.open_ms[:-1] + bars.timeframe_ms))
    due = due_funding(each.funding, bars.open_ms, since, bars.timeframe_ms)
    alone = due_funding(each.funding, bars.open_ms, bars.open_ms, bars.timeframe_ms)
    marked = np.zeros(len(bars), np.bool_)
    if len(bars.mark_high) == len(bars):
        marked = (bars.mark_high > 0.0) & (bars.mark_low > 0.0)
    return {
        "open_ms": bars.open_ms,
        "number": bars.open_ms // bars.timeframe_ms,
        "open": bars.open,
        "high": bars.high,
        "low": bars.low,
        "close": bars.close,
        "volume": bars.volume,
        "mark_high": np.where(marked, bars.mark_high, bars.high) if marked.any() else bars.high,
        "mark_low": np.where(marked, bars.mark_low, bars.low) if marked.any() else bars.low,
        "funding_open": due.at_open_frac,
        "funding_alone": alone.at_open_frac,
        "funding_inside": due.inside_frac,
        "funding_unknown": due.unknown,
        "wrong": _wrong(bars),
    }


def _wrong(bars: Bars) -> NDArray[np.int8]:
    """Return, by bar, what can't be true of it; the judgements are those of `domain.bar_checks`."""
    prices = np.stack((bars.open, bars.high, bars.low, bars.close))
    unreal = ~(np.isfinite(prices).all(axis=0) & np.isfinite(bars.volume))
    unsigned = (prices <= 0.0).any(axis=0) | (bars.volume < 0.0)
    body_low, body_high = np.minimum(bars.open, bars.close), np.maximum(bars.open, bars.close)
    shapeless = (body_low < bars.low) | (body_high > bars.high)
    wrong = (bars.open_ms % bars.timeframe_ms != 0) * OFF_GRID
    wrong |= unreal * UNREAL | unsigned * UNSIGNED | shapeless * SHAPELESS
    if len(bars.mark_high) == len(bars):
        mark = (bars.mark_low <= 0.0) | (bars.mark_high < bars.mark_low) | (bars.mark_high == np.inf)
        wrong |= mark * BAD_MARK
    return np.asarray(wrong, np.int8)


def settings_of(plans: Sequence[AssetPlan], delay_ms: int) -> Settings:
    """Lay all assets' rules out in arrays."""
    rules = [plan.rules for plan in plans]
    flat = [_flat_words(each) for each in rules]
    words = np.array(flat, dtype=np.int64).reshape(len(plans), -1)
    shadows = [plan.only(name).rules.cards[0] for plan in plans for name in plan.shadow_names()]
    names = [plan.shadow_names() for plan in plans]
    counts = np.array([len(own) for own in names], dtype=np.int64)
    ends = np.cumsum(counts)
    return Settings(
        ints=words,
        floats=words.view(np.float64),
        weights=np.array([each.parameters.weights for each in rules], dtype=np.float64).reshape(-1, 4, 5),
        calibrations=_calibrations([each.parameters.calibration for each in rules]),
        calibrated=np.array([len(each.parameters.calibration) for each in rules], dtype=np.int64),
        tiers=_table([each.asset.tiers for each in rules], Tier, UNREACHED),
        cards=_table([each.cards for each in rules], Card, None),
        conditions=_table([each.conditions for each in rules], Condition, None),
        shadows=records_of(shadows, Card),
        shadow_first=ends - counts,
        shadow_end=ends,
        shadow_order=np.array([sorted(own).index(name) for own in names for name in own], dtype=np.int64),
        shadow_card=np.array(
            [plan.names.index(name) for plan in plans for name in plan.shadow_names()], dtype=np.int64
        ),
        bucket=np.array([each.asset.bucket for each in rules], dtype=np.int64),
        frame_ms=np.array([each.asset.timeframe_ms for each in rules], dtype=np.int64),
        listed_ms=np.array([plan.instrument.listed_ms or -FOREVER_MS for plan in plans], dtype=np.int64),
        settled_ms=np.array([plan.instrument.settled_ms or FOREVER_MS for plan in plans], dtype=np.int64),
        delay_ms=np.array([delay_ms], dtype=np.int64),
    )


def _calibrations(lists: Sequence[tuple[Any, ...]]) -> Floats:
    """Return one table an asset, as long as the longest; `Settings.calibrated` says how much of it counts."""
    table = np.zeros((len(lists), max([1, *(len(rows) for rows in lists)]), 2))
    for place, rows in enumerate(lists):
        table[place, : len(rows)] = np.reshape(rows, (-1, 2))
    return table


def _flat_words(rules: Any) -> list[int]:
    row: list[Any] = []
    for value in (rules.asset, rules.risk, rules.parameters):
        row.extend(field for field in value if isinstance(field, int | float))
    return _as_words(row)


def _as_words(numbers: Sequence[int | float]) -> list[int]:
    """Return whole numbers as they are and the others by their bits."""
    kinds = "".join(["d" if isinstance(each, float) else "q" for each in numbers])
    return list(struct.unpack(f"={len(numbers)}q", struct.pack("=" + kinds, *numbers)))


def _table(lists: Sequence[tuple[Any, ...]], kind: Any, filler: Any) -> np.ndarray[Any, Any]:
    """Return one row of records an asset, filled up to the longest."""
    width = max([1, *(len(each) for each in lists)])
    table = np.zeros((len(lists), width), dtype=dtype_of(kind))
    if filler is not None:
        table[:] = tuple(filler)
    made: dict[Any, np.ndarray[Any, Any]] = {}  # most assets have the same
    for row, items in zip(table, lists, strict=True):
        if items not in made:
            made[items] = records_of(items, kind)
        row[: len(items)] = made[items]
    return table


def fresh_state(
    settings: Settings, starts: Sequence[float], account_quote: float, bars: Columns, due: Ints
) -> State:
    """Return the state before the first bar; `due` has each asset's first bar number and the end of them."""
    count = len(settings.frame_ms)
    subs = _words([new_sub_account(start) for start in starts], SubAccount)
    owners = np.repeat(np.arange(count), settings.shadow_end - settings.shadow_first)
    shadows = _words([new_sub_account(starts[int(owner)]) for owner in owners], SubAccount)
    account = _words([new_account(account_quote)], Account)
    return State(
        ints=subs,
        floats=subs.view(np.float64),
        tallies=np.zeros(settings.cards.shape, dtype=dtype_of(Tally)),
        shadow_ints=shadows,
        shadow_floats=shadows.view(np.float64),
        shadow_tallies=np.zeros(len(settings.shadows), dtype=dtype_of(Tally)),
        account_ints=account,
        account_floats=account.view(np.float64),
        held=np.zeros((count, 4)),
        total=np.full(1, account_quote),
        next_ms=(due[:, 0] + 1) * settings.frame_ms,
        cursor=bars.first.copy(),
        last_wrong=np.full(count, -1),
        window=np.stack((bars.first, np.full(count, -FOREVER_MS)), axis=1),
        missed=np.zeros((count, int((due[:, 1] - due[:, 0]).max(initial=0)) + 1), np.int8),
    )


def _words(values: Sequence[Any], kind: Any) -> Ints:
    """Return nested values as rows of words."""
    rows = np.zeros((len(values), width_of(kind)), np.int64)
    for row, value in zip(rows, values, strict=True):
        row[:] = _as_words(_numbers(value))
    return rows


def _numbers(value: Any) -> list[Any]:
    found: list[Any] = []
    for each in value:
        found.extend(_numbers(each) if isinstance(each, tuple) else [each])
    return found
