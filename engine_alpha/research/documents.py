"""What a night leaves behind, as JSON: a document of all and one an asset. Pages are made from these."""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

from engine_alpha import __version__
from engine_alpha.backtest.sweeping.outcome import moments
from engine_alpha.config.cards import Cards
from engine_alpha.config.hashing import hash_config
from engine_alpha.config.parameters import ParametersConfig
from engine_alpha.kernel.profit_factor import ProfitFactor, profit_factor
from engine_alpha.plans.deciding import deciding_code
from engine_alpha.plans.history import History
from engine_alpha.research.pages.nights import SCHEMA
from engine_alpha.research.search.expecting import Estimate
from engine_alpha.research.search.judging import CardVerdict, alone
from engine_alpha.research.search.procedure import Investigation
from engine_alpha.research.search.proposing import CardProposal, Proposal
from engine_alpha.research.search.walking import NOT_TRADED
from engine_alpha.research.statistics.folds import tests_on
from engine_alpha.times import iso

TRADE, NOTHING, NOT_LOOKED_AT = "trade", "nothing", "not looked at"

Document = dict[str, Any]
IN_SHORT: Final = (
    "symbol",
    "verdict",
    "words",
    "passes",
    "factor",
    "expected",
    "as_shipped",
    "adopt",
    "sha256",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetFindings:
    """What was found of one coin beside the search: notes on its data, its edge by cell, its calibration.

    `active` names the cards that trade it by their files, `inside` those whose scope has it, whatever their
    status.
    """

    active: tuple[str, ...] = ()
    inside: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    edge: tuple[Document, ...] = ()
    calibration: Document | None = None
    calibration_rows: tuple[tuple[float, float], ...] = ()


def asset_document(
    night: str,
    symbol: str,
    found: Investigation,
    findings: AssetFindings,
    base: ParametersConfig,
    decides: str,
) -> Document:
    """Return one coin's document; `base` is the parameter set that the proposal changes.

    `decides` is a hash of the code and cards that it was found with.
    """
    proposal = next((each for each in found.proposals if each.symbol == symbol), None)
    fault = found.faults.get(symbol)
    document: Document = {
        "schema": SCHEMA,
        "night": night,
        "symbol": symbol,
        "engine_version": __version__,
        "decides": decides,
        "history": history_fields(found.history),
        "fault": fault,
        "notes": list(findings.notes),
        "verdict": NOT_LOOKED_AT if proposal is None else TRADE if proposal.passes else NOTHING,
        "words": asset_words(symbol, proposal, fault),
        "passes": proposal is not None and proposal.passes,
        "confidence_min": None if proposal is None else proposal.confidence_min,
        "cards": [] if proposal is None else [plain(asdict(card)) for card in proposal.cards],
        "changes": [] if proposal is None else changes_of(proposal, findings, cards_of(found)),
        "factor": None if proposal is None else factor_fields(proposal.factor),
        "expected": None if proposal is None or proposal.expected is None else asdict(proposal.expected),
        "as_shipped": None if proposal is None else shipped_factor(found, symbol, findings.active),
        "tests": [] if proposal is None else [plain(asdict(test)) for test in proposal.tests],
        "alone": [] if proposal is None else alone_fields(found, symbol),
        "folds": [] if proposal is None else fold_rows(found, symbol),
        "edge": list(findings.edge),
        "calibration": findings.calibration,
        "parameters": None,
        "adopt": None,
    }
    if proposal is not None and proposal.passes:
        document["parameters"] = parameters_document(proposal, found, findings, base)
        document["adopt"] = f"chloe research adopt {symbol} --night {night}"
    document["sha256"] = sha256_of(document)
    return document


def deciding_sha256(cards: Cards) -> str:
    """Return a hash of the code that decides and of all cards, their descriptions aside."""
    told = [card.model_dump(mode="json", exclude={"rationale", "source"}) for card in cards.cards]
    return hash_config({"code": deciding_code(), "cards": told})


def asset_words(symbol: str, proposal: Proposal | None, fault: str | None) -> str:
    """Say in one sentence what the night means for a coin."""
    if fault is not None:
        return f"{symbol} could not be looked at: {fault}"
    if proposal is None:
        return f"{symbol} was not looked at"
    if proposal.passes and proposal.expected is not None:
        cards = ", ".join(card.card for card in proposal.cards)
        return (
            f"{symbol} may trade {cards}: out of sample {_factor_words(proposal.factor)}; "
            f"to expect {_expected_words(proposal.expected)}"
        )
    failed = [test.name for test in proposal.tests if not test.passed]
    if not proposal.tests:
        return f"{symbol}: no card was worth choosing; the proposal is not to trade it"
    first = ", ".join(failed[:3]) + (f" and {len(failed) - 3} more" if len(failed) > 3 else "")
    return f"{symbol}: the evidence does not suffice ({first}); the proposal is not to trade it"


def cards_of(found: Investigation) -> list[str]:
    """Name the cards that were searched."""
    return [played.space.card for played in found.played]


def changes_of(proposal: Proposal, findings: AssetFindings, searched: Sequence[str]) -> list[str]:
    """Return what would change for a coin, one sentence a card that it begins to trade or stops, or a key."""
    chosen = [card.card for card in proposal.cards]
    found: list[str] = []
    if proposal.passes:
        found += [f"{name}: traded here from now on" for name in chosen if name not in findings.active]
        dropped = [name for name in findings.active if name in searched and name not in chosen]
        found += [f"{name}: not traded here any more" for name in dropped]
    for card in proposal.cards:
        for key, value in card.proposed.items():
            now = card.now.get(key)
            if now != value and key != "confidence_min":
                found.append(f"{card.card}: {key} {_shown(now)} → {_shown(value)}")
    now_min = {card.now["confidence_min"] for card in proposal.cards}
    if now_min and now_min != {proposal.confidence_min}:
        found.append(f"confidence_min {_shown(now_min.pop())} → {_shown(proposal.confidence_min)}")
    return found


def parameters_document(
    proposal: Proposal, found: Investigation, findings: AssetFindings, base: ParametersConfig
) -> Document:
    """Return the parameter set to adopt: cards that passed trade, those that did not only watch.

    Only what differs from the cards' files is written: what a person edits there goes on to count. With a
    calibration the least confidence is what the raw one is worth by it, so it admits the same bars.
    """
    names = cards_of(found)
    chosen = {card.card: card for card in proposal.cards}
    settings = {name: _settings(proposal.symbol, chosen.get(name), name, findings) for name in names}
    fields = base.model_dump(mode="json")
    rows = findings.calibration_rows
    limit = proposal.confidence_min
    if rows:
        limit = float(np.interp(limit, [row[0] for row in rows], [row[1] for row in rows]))
    cards = {name: found for name, found in settings.items() if found}
    fields |= {"confidence_min": limit, "calibration": [list(row) for row in rows], "cards": cards}
    for name in ("version", "previous", "adopted"):
        fields.pop(name, None)
    return dict(fields)


def _settings(symbol: str, chosen: CardProposal | None, name: str, findings: AssetFindings) -> Document:
    """Return what a coin uses otherwise than a card's file says; nothing where it is the same."""
    is_active = name in findings.active
    if chosen is None:
        return {"status": "shadow"} if is_active else {}
    changes = {
        key: value
        for key, value in chosen.proposed.items()
        if key != "confidence_min" and value != chosen.now.get(key)
    }
    if name not in findings.inside:
        changes["scope.symbols"] = [symbol]
    return ({} if is_active else {"status": "active"}) | ({"changes": changes} if changes else {})


def alone_fields(found: Investigation, symbol: str) -> list[Document]:
    """Return what a coin would show if it were the only one."""
    if found.night is None or found.final is None:
        return []
    tests = alone(found.played, found.walked, found.final, found.night, found.symbols.index(symbol))
    return [plain(asdict(test)) for test in tests]


def fold_rows(found: Investigation, symbol: str) -> list[Document]:
    """Return what each fold's choice made on a coin, card by card."""
    coin = found.symbols.index(symbol)
    rows = []
    for at, (fold, choice) in enumerate(zip(found.folds, found.choices, strict=True)):
        for card, walked in enumerate(found.walked):
            place = int(choice.places[card, coin])
            trades = walked.trades[at][coin]
            rows.append(
                {
                    "from": iso(fold.test_from_ms),
                    "to": iso(fold.test_to_ms),
                    "chosen_before": iso(fold.train_end_ms),
                    "card": walked.card,
                    "values": None if place == NOT_TRADED else found.played[card].space.named(place),
                    "factor": factor_fields(profit_factor(trades.r.tolist())),
                    "net_r": float(trades.r.sum()),
                }
            )
    return rows


def shipped_factor(found: Investigation, symbol: str, active: Sequence[str]) -> Document | None:
    """Return what the cards as their files say made of a coin in the folds; None where one was not tried.

    Nothing was chosen there, but the files themselves may have been written with an eye on that time.
    """
    coin = found.symbols.index(symbol)
    trades = []
    for played in found.played:
        if played.space.card not in active:
            continue
        place = next((at for at, each in enumerate(played.space.variants) if each.complexity == 0), None)
        if place is None:
            return None
        result = played.results[coin]
        rows = result.trades(place)
        for fold in found.folds:
            trades.append(result.r[rows][tests_on(fold, result.entry_ms[rows])])
    return factor_fields(profit_factor(np.concatenate(trades).tolist() if trades else []))


@dataclass(frozen=True, slots=True, kw_only=True)
class NightFacts:
    """What is told of a night beside its investigation."""

    night: str
    at_ms: int
    seconds: float
    peak_mib: float
    null_rate: Document
    snooping: Mapping[str, float | None]  # p-value by card, of all its variants against nothing
    edge: tuple[Document, ...] = ()  # of all coins together
    notes: tuple[str, ...] = ()


def night_document(facts: NightFacts, found: Investigation, assets: Sequence[Document]) -> Document:
    """Return the document of the whole night."""
    night = found.night
    document: Document = {
        "schema": SCHEMA,
        "night": facts.night,
        "at": iso(facts.at_ms),
        "engine_version": __version__,
        "seconds": round(facts.seconds, 1),
        "peak_mib": round(facts.peak_mib, 1),
        "history": history_fields(found.history),
        "symbols": list(found.symbols),
        "faults": dict(found.faults),
        "notes": list(facts.notes),
        "trials": None if night is None else asdict(night.trials) | {"counted": night.trials.counted},
        "together": [] if night is None else [plain(asdict(test)) for test in night.together],
        "overfitting": None if night is None else plain(asdict(night.overfitting)),
        "null_rate": facts.null_rate,
        "cards": [_card_fields(verdict, facts.snooping) for verdict in found.verdicts],
        "assets": [{name: each[name] for name in IN_SHORT} for each in assets],
        "edge": list(facts.edge),
        "correlation": correlation(found),
    }
    document["sha256"] = sha256_of(document)
    return document


def _card_fields(verdict: CardVerdict, snooping: Mapping[str, float | None]) -> Document:
    return {
        "card": verdict.card,
        "passes": verdict.passes,
        "factor": factor_fields(verdict.factor),
        "sharpe": verdict.sharpe,
        "track_record_days": verdict.track_record_days,
        "snooping_p": snooping.get(verdict.card),
        "tests": [plain(asdict(test)) for test in verdict.tests],
        "coins": [
            {
                "symbol": coin.symbol,
                "factor": factor_fields(coin.factor),
                "expected": asdict(coin.expected),
                "edge": plain(asdict(coin.edge)),
            }
            for coin in verdict.coins
        ],
    }


def correlation(found: Investigation) -> Document:
    """Return the correlation of the coins' daily out-of-sample results; None where a coin never traded."""
    if not found.walked:
        return {"symbols": [], "values": []}
    daily = np.sum([walked.daily for walked in found.walked], axis=0)
    moving = [moments(each) is not None for each in daily]
    values: list[list[float | None]] = []
    for one in range(len(daily)):
        values.append(
            [
                float(np.corrcoef(daily[one], daily[other])[0, 1]) if moving[one] and moving[other] else None
                for other in range(len(daily))
            ]
        )
    return {"symbols": list(found.symbols), "values": values}


def history_fields(history: History) -> Document:
    """Return a history for JSON; where its files lie says nothing about results."""
    return {
        "venue": history.venue,
        "symbols": list(history.symbols),
        "from": iso(history.from_ms),
        "to": iso(history.to_ms),
    }


def factor_fields(factor: ProfitFactor) -> Document:
    """Return a profit factor for JSON: infinite is null with `no_losses`."""
    endless = factor.value is not None and math.isinf(factor.value)
    return {
        "trades": factor.trades,
        "value": None if endless else factor.value,
        "no_losses": endless,
        "low": factor.low,
        "high": factor.high,
        "win_frac": factor.win_frac,
    }


def plain(value: Any) -> Any:
    """Return a value as JSON can hold it: no infinity, no NaN, lists for tuples."""
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def sha256_of(document: Document) -> str:
    """Return a hash of a document without its own `sha256`."""
    body = {name: value for name, value in document.items() if name != "sha256"}
    return hashlib.sha256(json.dumps(body, sort_keys=True, allow_nan=False).encode()).hexdigest()


def _shown(value: object) -> str:
    return f"{value:g}" if isinstance(value, int | float) and not isinstance(value, bool) else str(value)


def _factor_words(factor: ProfitFactor) -> str:
    if factor.value is None:
        return "no trades"
    if math.isinf(factor.value):
        return f"no losses in {factor.trades} trades"
    return f"PF {factor.value:.2f} in {factor.trades} trades"


def _expected_words(expected: Estimate) -> str:
    if expected.factor is None or expected.factor_low is None or expected.factor_high is None:
        return f"nothing that {expected.trades} trades could say"
    return f"PF {expected.factor:.2f} ({expected.factor_low:.2f} to {expected.factor_high:.2f})"


def written(document: Document) -> bytes:
    """Return a document as its file holds it."""
    return json.dumps(document, indent=2, allow_nan=False, ensure_ascii=False).encode() + b"\n"
