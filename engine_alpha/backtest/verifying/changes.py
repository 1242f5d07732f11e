"""What of the configuration changed since a decision, file by file and key by key."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from engine_alpha.backtest.verifying.config import Settings, detail_of_part
from engine_alpha.backtest.verifying.findings import (
    CARDS_CHANGED,
    CONFIG_CHANGED,
    PARAMETERS_CHANGED,
    Change,
)
from engine_alpha.backtest.verifying.keys import (
    card_keys,
    changed_keys,
    instrument_keys,
    parameters_keys,
    registry_keys,
    risk_keys,
)
from engine_alpha.backtest.verifying.library import (
    CARDS,
    INSTRUMENT,
    PARAMETERS,
    REGISTRY,
    RISK,
    parameters_as_recorded,
    parts_of,
    risk_as_recorded,
    split,
)
from engine_alpha.backtest.verifying.replay import Decided
from engine_alpha.domain.asset import AssetConfig
from engine_alpha.errors import ConfigError
from engine_alpha.step.plan import KEPT, AssetPlan
from engine_alpha.step.recording import config_parts

OLDER = "this record is older than the hashes that tell which part it was"
NOT_RECORDED = "what the rest of it said then is not recorded"
NOTHING_RECORDED = "what it said then is not recorded"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigChange:
    """What one file says otherwise now; without `changes` where nothing tells what it said then."""

    cause: str
    subject: str
    changes: tuple[Change, ...] = ()
    detail: str = ""


@dataclass(frozen=True, slots=True)
class _Sides:
    """One decision's configuration, then and now."""

    settings: Settings
    decided: Decided
    asset: AssetConfig
    plan: AssetPlan
    then: tuple[str, ...]
    now: tuple[str, ...]


def changes_since(settings: Settings, decided: Decided, asset: AssetConfig) -> tuple[ConfigChange, ...]:
    """Return what the files say otherwise now than when the decision was made, nothing if all is the same."""
    if decided.payload["config_hash"] == KEPT:
        return ()
    try:
        plan = settings.now(asset)
    except ConfigError as fault:
        return (ConfigChange(cause=CONFIG_CHANGED, subject="", detail=str(fault)),)
    if plan.config_hash == decided.payload["config_hash"]:
        return ()
    settings.gather(asset)
    sides = _Sides(settings, decided, asset, plan, parts_of(decided), split(config_parts(plan)))
    if not sides.then:
        return (ConfigChange(cause=CONFIG_CHANGED, subject="", detail=OLDER),)
    return (
        *_of_registry(sides),
        *_of_risk(sides),
        *_of_parameters(sides),
        *_of_instrument(sides),
        *_of_cards(sides),
    )


def _of_registry(sides: _Sides) -> Iterator[ConfigChange]:
    if sides.then[REGISTRY] == sides.now[REGISTRY]:
        return
    changes = changed_keys(registry_keys(sides.asset), registry_keys(sides.plan.asset))
    if changes:
        yield ConfigChange(cause=CONFIG_CHANGED, subject="asset_registry.json", changes=changes)
    then = detail_of_part(sides.asset, sides.then[REGISTRY])
    detail = changed_keys({"detail": then or None}, {"detail": sides.plan.detail})
    if then is not None and detail:
        yield ConfigChange(cause=CONFIG_CHANGED, subject="risk.json", changes=detail)


def _of_risk(sides: _Sides) -> Iterator[ConfigChange]:
    plan, bucket = sides.plan, sides.asset.risk_bucket
    if sides.then[RISK] == sides.now[RISK] or plan.asset.risk_bucket != bucket:
        return  # another bucket has other shares and caps: that is the registry's change
    then = sides.settings.library.risks.get(sides.then[RISK])
    start = sides.decided.payload["after"]["sub"][0]
    risk, start = then or (risk_as_recorded(plan.rules.risk, sides.decided), start)
    now = risk_keys(plan.rules.risk, plan.rules.asset.start_quote, bucket)
    changes = changed_keys(risk_keys(risk, start, bucket), now)
    yield _change(CONFIG_CHANGED, "risk.json", changes, then is not None)


def _of_parameters(sides: _Sides) -> Iterator[ConfigChange]:
    if sides.then[PARAMETERS] == sides.now[PARAMETERS]:
        return
    plan = sides.plan
    then = sides.settings.library.adopted.get(sides.then[PARAMETERS])
    recorded = parameters_as_recorded(plan.rules.parameters, sides.decided)
    before = then or (sides.decided.payload["parameters"], recorded)
    now = parameters_keys(plan.parameters_version, plan.rules.parameters)
    own = sides.settings.setup.home.parameters / f"{plan.asset.symbol}.json"
    subject = f"parameters/{own.name if own.exists() else 'default.json'}"
    changes = changed_keys(parameters_keys(*before), now)
    yield _change(PARAMETERS_CHANGED, subject, changes, then is not None)


def _of_instrument(sides: _Sides) -> Iterator[ConfigChange]:
    if sides.then[INSTRUMENT] == sides.now[INSTRUMENT]:
        return
    then, now = sides.settings.library.instruments.get(sides.then[INSTRUMENT]), sides.plan.instrument
    changes = () if then is None else changed_keys(instrument_keys(then), instrument_keys(now))
    yield _change(CONFIG_CHANGED, f"instruments of {now.venue}", changes, then is not None)


def _of_cards(sides: _Sides) -> Iterator[ConfigChange]:
    before = dict(zip(sides.decided.payload["cards"], sides.then[CARDS:], strict=False))
    after = dict(zip(sides.plan.names, sides.now[CARDS:], strict=True))
    for name in dict.fromkeys((*before, *after)):
        if name not in after:
            yield ConfigChange(cause=CARDS_CHANGED, subject=name, detail=_why_gone(sides, name))
        elif name not in before:
            yield ConfigChange(cause=CARDS_CHANGED, subject=name, detail="applies now and did not then")
        elif before[name] != after[name]:
            yield _of_card(sides, name, (before, after))
    if before == after and list(before) != list(after):
        text = f"asked in the order {', '.join(after)} now, {', '.join(before)} then"
        yield ConfigChange(cause=CARDS_CHANGED, subject="", detail=text)


def _of_card(sides: _Sides, name: str, parts: tuple[Mapping[str, str], Mapping[str, str]]) -> ConfigChange:
    cards = sides.settings.library.cards
    then, now = cards.get(parts[0][name]), cards[parts[1][name]]
    changes = () if then is None else changed_keys(card_keys(*then), card_keys(*now))
    return _change(CARDS_CHANGED, name, changes, then is not None)


def _why_gone(sides: _Sides, name: str) -> str:
    setup = sides.settings.setup
    card = next((one for one in setup.cards.cards if one.name == name), None)
    if card is None:
        broken = "; ".join(str(fault) for fault in setup.cards.faults)
        return "there is no such card now" + (f" ({broken})" if broken else "")
    own = setup.set_of(sides.plan.asset.symbol).cards.get(name)
    if own is not None and own.status == "disabled":
        return f"is disabled for this coin now, by parameters {sides.plan.parameters_version}"
    return "is disabled now" if card.status == "disabled" else "does not apply to this asset now"


def _change(cause: str, subject: str, changes: tuple[Change, ...], known: bool) -> ConfigChange:
    detail = "" if known else NOT_RECORDED if changes else NOTHING_RECORDED
    return ConfigChange(cause=cause, subject=subject, changes=changes, detail=detail)
