"""Journal events of one advanced bar, the lines people export, and the digests of a whole run."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import engine_alpha
from engine_alpha.kernel.codes import ACCOUNT_GATES, ACTIONS, EXITS, OWN_GATES, REGIMES
from engine_alpha.kernel.signals import SIGNALS
from engine_alpha.kernel.values import (
    Decision,
    Fill,
    Record,
    Settlement,
    Trade,
)
from engine_alpha.ports import Event, StoredEvent
from engine_alpha.step.plan import NEVER, AssetPlan
from engine_alpha.step.state import AccountState, HeldCard, account_parts, written_parameters
from engine_alpha.step.text import named, pack, to_text, writable

if TYPE_CHECKING:  # who only reads records should not wait for TA-Lib
    from engine_alpha.step.windows import Window

DECISION, NO_DECISION, FILL, TRADE = "decision", "no_decision", "fill", "trade"
FUNDING, HALT = "funding", "halt"
BREAKER = "breaker"  # an asset rests after too many faults, or is back
ROLLOUT = "rollout"  # an asset's real orders became smaller, or went back to paper
LIVE = "live"  # carries the state of an asset's real orders
KEPT_PARTS = 4_096  # plans: with fewer than there are assets each tick would make all of them anew
SIDES = {1: "long", -1: "short", 0: "flat"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """What a trade's record says of where it happened; nothing decides by them."""

    account: str
    mode: str
    feed: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One advanced bar with all that belongs into its record."""

    plan: AssetPlan
    window: Window
    record: Record
    shadows: Mapping[str, Record]
    source: str  # of the bars
    filled_by: str  # of the fills: the bars' source, or a venue
    executed: Any  # what a venue executed, and whether an entry may still fill; None where the kernel fills
    held: HeldCard | None
    after: Mapping[str, Any]  # the parts of the asset's state that changed
    account: AccountState  # the account after it


def bar_key(symbol: str, timeframe: str, open_ms: int) -> str:
    """Return the key of a bar: one decision each."""
    return f"{symbol}/{timeframe}/{open_ms}"


def asset_events(seen: Seen, labels: Labels) -> list[Event]:
    """Return the bar's events, the decision first: it stands for the whole batch."""
    asset, record = seen.plan.asset, seen.record
    key = bar_key(asset.symbol, asset.base_timeframe, record.open_ms)
    events = [Event(DECISION, asset.symbol, key, record.open_ms, _decision_text(seen, labels))]
    settlement = record.settlement
    if settlement.funding_quote != 0.0:
        paid = {"at_ms": record.open_ms, "received_quote": settlement.funding_quote}
        events.append(Event(FUNDING, asset.symbol, key, record.open_ms, to_text(paid)))
    for name, fill in (("entry", settlement.entry), ("exit", settlement.exit)):
        if fill.side != 0:
            events.append(_fill_event(seen, labels, name, fill))
    if settlement.trade.side != 0:
        payload = to_text(trade_fields(seen, labels, settlement.trade))
        events.append(Event(TRADE, asset.symbol, key, record.open_ms, payload))
    return events


def _fill_event(seen: Seen, labels: Labels, name: str, fill: Fill) -> Event:
    asset = seen.plan.asset
    key = bar_key(asset.symbol, asset.base_timeframe, seen.record.open_ms)
    fields = {
        "leg": name,
        "side": "buy" if fill.side > 0 else "sell",
        "quantity_base": fill.quantity_base,
        "price": fill.price,
        "raw_price": fill.raw_price,
        "fee_quote": fill.fee_quote,
        "slippage_quote": fill.slippage_quote,
        "at_ms": fill.at_ms,
        "reason": EXITS[fill.reason] if name == "exit" else "entry",
        "source": f"{seen.filled_by} bar {seen.record.open_ms}",
        "account": labels.account,
    }
    return Event(FILL, asset.symbol, f"{key}/{name}", seen.record.open_ms, to_text(fields))


def trade_fields(seen: Seen, labels: Labels, trade: Trade) -> dict[str, Any]:
    """Return a closed trade as people read it."""
    asset = seen.plan.asset
    return {
        "id": f"{asset.symbol}-{asset.base_timeframe}-{trade.entry_ms}",
        "symbol": asset.symbol,
        "timeframe": asset.base_timeframe,
        "side": SIDES[trade.side],
        "quantity_base": trade.quantity_base,
        "entry_ms": trade.entry_ms,
        "entry_price": trade.entry_price,
        "exit_ms": trade.exit_ms,
        "exit_price": trade.exit_price,
        "exit_reason": EXITS[trade.exit_reason],
        "entry_source": f"{seen.filled_by} open",
        "exit_source": f"{seen.filled_by} bar {seen.record.open_ms}",
        "stop_price": trade.stop_price,
        "gross_quote": trade.gross_quote,
        "fees_quote": trade.fees_quote,
        "funding_quote": trade.funding_quote,
        "slippage_quote": trade.slippage_quote,
        "net_quote": trade.net_quote,
        "risk_quote": trade.risk_quote,
        "r": trade.r,
        "regime": REGIMES[trade.regime],
        "confidence": trade.confidence,
        "card": seen.plan.names[trade.card],
        "bars_held": trade.bars_held,
        "ambiguous": trade.ambiguous,
        "other_net_quote": trade.other_net_quote,
        "mode": labels.mode,
        "feed": labels.feed,
        "venue": asset.venue,
    }


def _decision_text(seen: Seen, labels: Labels) -> str:
    plan, record = seen.plan, seen.record
    hashed = seen.window.minutes_hash
    return to_text(
        {
            **({} if hashed is None else {"minutes_hash": hashed}),
            **({} if seen.executed is None else {"executed": seen.executed}),
            **({"close_only": writable(plan.close_only)} if plan.close_only else {}),
            **({"size_factor": plan.size_factor} if plan.size_factor != 1.0 else {}),
            "symbol": plan.asset.symbol,
            "timeframe": plan.asset.base_timeframe,
            "place": plan.rules.asset.place,
            "bars_hash": seen.window.bars_hash,
            "config_hash": plan.config_hash,
            "config_parts": config_parts(plan),
            "engine": engine_alpha.__version__,
            "parameters": plan.parameters_version,
            "cards": plan.names,
            "held": None if seen.held is None else seen.held.name,
            "close": seen.window.bar.close,
            "signals": seen.window.row,
            "record": record,
            "shadows": {name: [shadow.settlement, shadow.decision] for name, shadow in seen.shadows.items()},
            "source": seen.source,
            "account": labels.account,
            "after": seen.after,
            "account_after": account_parts(seen.account),
        }
    )


@lru_cache(maxsize=KEPT_PARTS)
def config_parts(plan: AssetPlan) -> str:
    """Return what tells which part of the configuration changed where `config_hash` did: 8 hex digits each.

    Registry entry, risk, parameters, instrument, then the cards in the order of their names; a card that is
    only kept with its position has none.
    """
    rules = plan.rules
    held = [plan.held(place) for place, card in enumerate(rules.cards) if card.status != NEVER]
    parts = (
        (asdict(replace(plan.asset, enabled=True)), plan.detail),
        (rules.risk, rules.asset.start_quote),
        (plan.parameters_version, written_parameters(rules.parameters)),
        (asdict(plan.instrument),),
        *((each.card, each.conditions) for each in held),
    )
    return "".join(part_hash(*part) for part in parts)


def part_hash(*values: Any) -> str:
    """Return the hash of one part of the configuration, as `config_parts` has it."""
    return hashlib.sha256(to_text(values).encode()).hexdigest()[:8]


def no_decision_event(symbol: str, timeframe: str, open_ms: int, reason: str, detail: str) -> Event:
    """Return the record of a bar that could not be decided; it does not use the bar up.

    The same reason on the same bar is one event, however often it is tried.
    """
    payload = to_text(
        {
            "symbol": symbol,
            "timeframe": timeframe,
            "open_ms": open_ms,
            "reason": reason,
            "detail": writable(detail),
        }
    )
    return Event(NO_DECISION, symbol, f"{bar_key(symbol, timeframe, open_ms)}/{reason}", open_ms, payload)


def decision_view(payload: Mapping[str, Any]) -> dict[str, Any]:
    """Return a stored decision with names for codes: all that `chloe why` needs."""
    record = named_record(payload["record"])
    decision = record["decision"]
    cards = payload["cards"]
    shadows = {
        name: _shadow_view(settlement, shadow, [name])
        for name, (settlement, shadow) in payload["shadows"].items()
    }
    return {
        "symbol": payload["symbol"],
        "timeframe": payload["timeframe"],
        "open_ms": record["open_ms"],
        "close_ms": record["close_ms"],
        "close": payload["close"],
        "bars_hash": payload["bars_hash"],
        "config_hash": payload["config_hash"],
        "parameters": payload["parameters"],
        "engine": payload["engine"],
        "signals": {spec.name: value for spec, value in zip(SIGNALS, payload["signals"], strict=True)},
        **decision_words(decision, cards),
        "settlement": _settlement_words(record["settlement"], cards),
        "equity_quote": record["equity_quote"],
        "held": payload["held"],
        **{name: payload[name] for name in ("close_only", "size_factor") if name in payload},
        "shadows": shadows,
    }


def named_record(items: Any) -> dict[str, Any]:
    """Return a stored record with its field names."""
    record = named(Record, items)
    for kind, name in ((Settlement, "settlement"), (Decision, "decision")):
        if not isinstance(record[name], dict):
            record[name] = named(kind, record[name])
    return record


def decision_words(decision: Mapping[str, Any], cards: Sequence[str]) -> dict[str, Any]:
    """Return a decision, given by its field names, with names for codes."""
    opinion = dict(decision["opinion"])
    opinion["regime"] = REGIMES[opinion["regime"]]
    opinion["direction"] = SIDES[opinion["direction"]]
    leaving = dict(decision["exit"])
    leaving["reason"] = EXITS[leaving["reason"]]
    pending = dict(decision["pending"])
    entry = None
    if pending["side"] != 0:
        entry = {**pending, "side": SIDES[pending["side"]], "card": cards[pending["card"]]}
        entry["regime"] = REGIMES[pending["regime"]]
    return {
        **opinion,
        "exit": leaving,
        "card": None if decision["card"] < 0 else cards[decision["card"]],
        "size": decision["size"],
        "gates": _gates(OWN_GATES, decision["gates"]),
        "allocation": _gates(ACCOUNT_GATES, decision["allocation"]),
        "action": ACTIONS[decision["action"]],
        "intent": entry,
    }


def _gates(names: tuple[str, ...], verdicts: Any) -> list[dict[str, Any]]:
    return [
        {"name": name, "passed": bool(passed), "seen": seen, "limit": limit}
        for name, (passed, seen, limit) in zip(names, verdicts, strict=True)
    ]


def _settlement_words(settlement: dict[str, Any], cards: list[str]) -> dict[str, Any]:
    words = dict(settlement)
    for leg in ("entry", "exit"):
        fill = dict(settlement[leg])
        fill["reason"] = EXITS[fill["reason"]]
        words[leg] = fill if fill["side"] != 0 else None
    trade = dict(settlement["trade"])
    if trade["side"] != 0:
        trade.update(
            side=SIDES[trade["side"]],
            card=cards[trade["card"]],
            exit_reason=EXITS[trade["exit_reason"]],
            regime=REGIMES[trade["regime"]],
        )
    words["trade"] = trade if settlement["trade"]["side"] != 0 else None
    return words


def _shadow_view(settlement: Any, decision: Any, cards: list[str]) -> dict[str, Any]:
    words = decision_words(named(Decision, decision), cards)
    settled = _settlement_words(named(Settlement, settlement), cards)
    kept = ("card", "action", "direction", "confidence", "intent")
    return {**{name: words[name] for name in kept}, "trade": settled["trade"]}


def exported_decision(payload: Mapping[str, Any]) -> dict[str, Any]:
    """Return a decision line that is the same in every mode and account.

    What the account's gates saw depends on the other coins: it stays in the journal, and is told here only
    where such a gate said no (docs/decisions/0002).
    """
    view = decision_view(payload)
    for name in ("close_only", "size_factor"):
        view.pop(name, None)
    view["allocation"] = [
        gate if not gate["passed"] else {**gate, "seen": None} for gate in view["allocation"]
    ]
    return view


class Digests:
    """`decisions_sha256` and `ledger_sha256` of a run, from its stored decisions.

    Hashed are the kernel's records packed little-endian, ordered by (close time, registry place).
    """

    def __init__(self) -> None:
        self._rows: list[tuple[int, int, bytes, bytes]] = []
        self.decisions = 0
        self.trades = 0

    def add(self, payload: Mapping[str, Any]) -> None:
        """Take one stored decision in; any order will do."""
        record = payload["record"]
        open_ms, close_ms, settlement, decision, equity = record
        times = pack((open_ms, close_ms))
        shadows = [item for name in sorted(payload["shadows"]) for item in payload["shadows"][name]]
        decided = hashlib.sha256(times + pack(payload["signals"]) + pack(decision) + pack(shadows)).digest()
        booked = hashlib.sha256(times + pack(settlement) + pack((equity,))).digest()
        self._rows.append((close_ms, payload["place"], decided, booked))
        self.decisions += 1
        self.trades += 1 if settlement[-1][0] != 0 else 0

    def hexes(self) -> tuple[str, str]:
        """Return the two digests."""
        decisions, ledger = hashlib.sha256(), hashlib.sha256()
        for _, _, decided, booked in sorted(self._rows):
            decisions.update(decided)
            ledger.update(booked)
        return decisions.hexdigest(), ledger.hexdigest()


def digests_of(events: Iterable[StoredEvent]) -> Digests:
    """Return the digests of stored decision events."""
    digests = Digests()
    for stored in events:
        digests.add(json.loads(stored.event.payload))
    return digests
