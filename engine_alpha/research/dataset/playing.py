"""Play one asset's bars on the compiled road, every card as a shadow, and take out rows and trades.

The road is that of a backtest with records, to the bit; it may begin in the middle, from the state in which
an earlier run ended.
"""

from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from engine_alpha.backtest.loop import REASONS, play
from engine_alpha.backtest.outputs import RECORD_HEAD, TIMES, Output, record_words
from engine_alpha.backtest.request import Gathered, prepared
from engine_alpha.backtest.run import Road, output_of, road_of
from engine_alpha.backtest.stepping import World
from engine_alpha.backtest.words import dtype_of, leaves_of
from engine_alpha.domain.bars import Floats, Ints
from engine_alpha.errors import BrokenPromise
from engine_alpha.feeds.files import FilesFeed
from engine_alpha.kernel.codes import EXITS, REGIMES, VOTES
from engine_alpha.kernel.values import Decision, SubAccount, Trade
from engine_alpha.plans.history import History
from engine_alpha.plans.setup import Setup
from engine_alpha.research.dataset.carrying import Carried, kept_of, resumed
from engine_alpha.research.dataset.schema import (
    BAR_COLUMNS,
    GATE_PLACES,
    SIGNAL_NAMES,
    VOTE_NAMES,
    Columns,
    joined,
)
from engine_alpha.step.asset_step import MAX_CATCH_UP

CHUNK_BYTES: Final = 8 * 2**20
PLACES: Final = {path: RECORD_HEAD + place for place, (path, _) in enumerate(leaves_of(Decision))}
SUB: Final = {path: place for place, (path, _) in enumerate(leaves_of(SubAccount))}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """What a stretch of bars came to: decided bars, closed trades, what is open, and bars not decided on."""

    rows: Columns
    trades: Columns
    state: dict[str, Any]
    scored: Ints
    scores: Floats
    refused: tuple[tuple[str, int], ...]


def resume_ms(wanted: History, frame_ms: int, last_index: int) -> int:
    """Return the open of the first bar that may still be advanced.

    Bars refused before the stretch, as after a jump, are caught up with when prices are to be believed again.
    """
    first = -(-wanted.from_ms // frame_ms)
    if last_index < 0:
        return first * frame_ms
    return max(min(last_index + 1, first), first - MAX_CATCH_UP) * frame_ms


def laid_out(setup: Setup, feed: FilesFeed, wanted: History, last_index: int) -> Road:
    """Lay out the bars that decisions on `wanted` can read: up to 960 before its first one."""
    asset = setup.enabled[0]
    since = replace(wanted, from_ms=resume_ms(wanted, asset.timeframe_ms, last_index))
    found, _ = prepared(setup, feed, asset, since)
    return road_of(setup, wanted, Gathered(assets=(found,), refused=()))


def played(road: Road, carried: Carried) -> Stretch:
    """Play every tick of the road from where `carried` ends."""
    shadows = int(road.settings.shadow_end[0])
    room = max(CHUNK_BYTES // (8 * record_words(shadows)), 2 * MAX_CATCH_UP)
    out, state = output_of(road, room, room * (1 + shadows)), resumed(road, carried)
    world = World(road.settings, road.columns, state, out, 1, road.setup.risk.equity_quote)
    frame_ms = int(road.settings.frame_ms[0])
    parts: list[Columns] = []
    closed: list[tuple[Ints, Ints]] = []
    at = 0
    while at < len(road.ticks):
        out.counts[:] = 0
        span = np.array([at, min(len(road.ticks), at + room - MAX_CATCH_UP)])
        at = play(world, road.ticks, road.due, span)
        if out.counts[0] > room or out.counts[1] > len(out.trade_owner):
            raise BrokenPromise(f"{out.counts.tolist()} records and trades where there is room for {room}")
        parts.append(_rows_of(out, road))
        count = int(out.counts[1])
        closed.append((out.trade_ints[:count].copy(), out.trade_owner[:count].copy()))
    rows = {name: np.concatenate([part[name] for part in parts]) for name in BAR_COLUMNS}
    numbers = np.concatenate((carried.scored, rows["open_ms"] // frame_ms))
    scores = np.concatenate((carried.scores, rows["score"]))
    words = np.concatenate([part for part, _ in closed]).view(dtype_of(Trade))[:, 0]
    owners = np.concatenate([part for _, part in closed])
    still = _open_decisions(state.shadow_ints)
    return Stretch(
        rows=rows,
        trades=_trades_of(road, words, owners, (numbers, scores)),
        state=kept_of(state),
        scored=still,
        scores=_score_at(still, numbers, scores),
        refused=tuple(
            (reason, bars) for reason, bars in zip(REASONS, out.refused[0].tolist(), strict=True) if bars
        ),
    )


def _rows_of(out: Output, road: Road) -> Columns:
    """Return the decided bars among a chunk's records."""
    count = int(out.counts[0])
    kept = np.flatnonzero(out.record_bar[:count] >= 0)
    ints, floats = out.record_ints[:count][kept], out.record_floats[:count][kept]
    gates = np.zeros(len(kept), np.int64)
    for bit, place in enumerate(GATE_PLACES):
        gates |= ints[:, PLACES[f".gates[{place}].passed"]] << bit
    rows: Columns = {
        "open_ms": ints[:, 0].copy(),
        "close_ms": ints[:, 1].copy(),
        "close": road.columns.close[out.record_bar[:count][kept]],
        "regime": ints[:, PLACES[".opinion.regime"]].copy(),
        "direction": ints[:, PLACES[".opinion.direction"]].copy(),
        "gates": gates,
    }
    for name in ("score", "confidence", "coverage"):
        rows[name] = floats[:, PLACES[f".opinion.{name}"]].copy()
    for column, name in zip(VOTE_NAMES, VOTES, strict=True):
        rows[column] = floats[:, PLACES[f".opinion.votes.{name}"]].copy()
    for place, name in enumerate(SIGNAL_NAMES):
        rows[name] = floats[:, TIMES + place].copy()
    return {name: rows[name] for name in BAR_COLUMNS}


def _trades_of(road: Road, words: np.ndarray[Any, Any], owners: Ints, known: tuple[Ints, Floats]) -> Columns:
    """Return closed trades with names for codes, in the order in which they were booked."""
    plan = road.gathered.assets[0].plan
    cards = np.array(plan.names, dtype=object)[road.settings.shadow_card[owners[:, 1]]]
    risk = np.where(words["risk_quote"] > 0.0, words["risk_quote"], np.nan)
    decided = words["entry_ms"] // road.settings.frame_ms[0] - 1
    return {
        "card": cards,
        "side": words["side"].copy(),
        "entry_ms": words["entry_ms"].copy(),
        "exit_ms": words["exit_ms"].copy(),
        "closed_ms": owners[:, 2].copy(),
        "entry_price": words["entry_price"].copy(),
        "exit_price": words["exit_price"].copy(),
        "exit_reason": np.array(EXITS, dtype=object)[words["exit_reason"]],
        "gross_r": words["gross_quote"] / risk,
        "fees_r": words["fees_quote"] / risk,
        "funding_r": words["funding_quote"] / risk,
        "slippage_r": words["slippage_quote"] / risk,
        "r": words["net_quote"] / risk,
        "other_r": words["other_net_quote"] / risk,
        "regime": np.array(REGIMES, dtype=object)[words["regime"]],
        "confidence": words["confidence"].copy(),
        "score": _score_at(decided, *known),
        "bars_held": words["bars_held"].copy(),
        "ambiguous": words["ambiguous"].astype(np.bool_),
    }


def _open_decisions(shadow_ints: Ints) -> Ints:
    """Return the numbers of the bars on which open positions and pending entries were decided."""
    entered = shadow_ints[shadow_ints[:, SUB[".position.side"]] != 0, SUB[".position.entry_index"]] - 1
    pending = shadow_ints[shadow_ints[:, SUB[".pending.side"]] != 0, SUB[".pending.decided_index"]]
    return np.unique(np.concatenate((entered, pending)))


def _score_at(wanted: Ints, numbers: Ints, scores: Floats) -> Floats:
    """Return the scores of bars by number; `numbers` ascend but for what was carried, which comes first."""
    order = np.argsort(numbers, kind="stable")
    at = np.searchsorted(numbers[order], wanted)
    if (at >= len(numbers)).any() or (numbers[order][at] != wanted).any():
        raise BrokenPromise("a trade was entered on a bar without a decision")
    found: Floats = scores[order][at]
    return found


def with_rows(carried: Carried, stretch: Stretch) -> Columns:
    """Return the rows that wait for their forward returns, older ones first."""
    return joined(carried.pending, stretch.rows)
