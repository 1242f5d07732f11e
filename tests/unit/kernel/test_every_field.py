"""Every field of the rules is enforced: a story that goes otherwise when only that field is changed."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest

from engine_alpha.kernel.codes import ALL_REGIMES, CHOP, HIGH_VOL, SHADOW, SHORT_ONLY, TREND_UP
from engine_alpha.kernel.ledger import held_of, held_with
from engine_alpha.kernel.money import NO_OTHERS
from engine_alpha.kernel.signals import ADX, RSI_CENTRED
from engine_alpha.kernel.values import (
    Asset,
    Bar,
    Card,
    Features,
    Parameters,
    Purse,
    Record,
    Risk,
    Rules,
    Tally,
    Tier,
)
from tests.makers import a_bar, a_card, a_condition, a_risk, an_asset, facts, features, parameters, rules
from tests.unit.kernel.scenes import DAY_START, RISING, a_position, bars_of, fresh_purse, play

KNOWN_SIGNALS = {**RISING, ADX: 0.3, RSI_CENTRED: 0.1}
CONDITIONS = (a_condition(ADX, 0.9, directional=0), a_condition(ADX, 0.1, directional=0))  # fails, holds
RALLY_AND_FALL = (
    (100.0, 100.5, 99.5, 100.0),  # decides
    (100.0, 101.0, 99.5, 101.0),  # enters
    (101.0, 104.0, 100.8, 103.8),
    (103.8, 106.0, 103.5, 105.7),
    (105.7, 106.1, 101.3, 101.5),
    (101.5, 102.0, 92.0, 93.0),  # through every stop
    (93.0, 93.4, 92.6, 93.1),
    (93.1, 93.3, 92.7, 93.0),  # where a second entry may come
    (93.0, 93.2, 92.8, 93.1),
)


class Story(NamedTuple):
    """Base rules, the one change, and what is special about the market and the purse."""

    base: dict[str, Any]
    changed: Any
    purse: Mapping[str, dict[str, Any]] = MappingProxyType({})
    seen: Mapping[str, Any] = MappingProxyType({})
    bars: tuple[tuple[float, float, float, float], ...] = RALLY_AND_FALL
    row: dict[int, float] = KNOWN_SIGNALS
    mark_low: float = 0.0


def steps_of(story: Story, asset: Asset) -> Iterable[tuple[Bar, Features]]:
    for bar in bars_of(*story.bars, first=DAY_START):
        open_ms = bar.number * asset.timeframe_ms
        bar = bar._replace(open_ms=open_ms, close_ms=open_ms + asset.timeframe_ms)
        if story.mark_low > 0.0:
            bar = bar._replace(mark_low=story.mark_low)
        yield bar, features(story.row)._replace(**story.seen)


def told(story: Story, known: Rules) -> list[Any]:
    """Return what happened, without the limits that records repeat from the configuration."""
    purse = fresh_purse(known)
    purse = purse._replace(
        sub=purse.sub._replace(**story.purse.get("sub", {})),
        account=purse.account._replace(**story.purse.get("account", {})),
        others=purse.others._replace(**story.purse.get("others", {})),
        tallies=tuple(Tally(*t)._replace(**story.purse.get("tally", {})) for t in purse.tallies),
    )
    _, records = play(known, steps_of(story, known.asset), purse)
    return [happened(record) for record in records]


def happened(record: Record) -> Any:
    d, s = record.decision, record.settlement
    passed = [verdict.passed for verdict in (*d.gates, *d.allocation)]
    return (
        d.action,
        d.opinion.regime,
        d.card,
        d.exit.reason,
        d.size.quantity_base,
        passed,
        s,
        record.equity_quote,
    )


def rules_with(part: str, changes: dict[str, Any]) -> Rules:
    base = {"card": a_card(), "asset": an_asset(), "risk": a_risk(), "thresholds": parameters()}
    base[part] = base[part]._replace(**changes)
    return rules((base["card"],), CONDITIONS, base["asset"], base["risk"], base["thresholds"])


def differs(part: str, field: str, story: Story) -> bool:
    shared = {k: v for k, v in story.base.items() if k != field and not isinstance(v, dict)}
    own = {field: story.base[field]} if field in story.base else {}
    before = merged(rules_with(part, {**shared, **own}), story.base)
    after = merged(rules_with(part, {**shared, field: story.changed}), story.base)
    assert repr(told(story, before)) == repr(told(story, before))
    return repr(told(story, before)) != repr(told(story, after))


def merged(known: Rules, base: dict[str, Any]) -> Rules:
    """Apply the parts of a base that belong to other tuples than the tested one."""
    asset = known.asset._replace(**base.get("asset", {}))
    risk = known.risk._replace(**base.get("risk", {}))
    thresholds = known.parameters._replace(**base.get("thresholds", {}))
    cards = tuple(card._replace(**base.get("card", {})) for card in known.cards)
    return Rules(asset, risk, thresholds, cards, known.conditions)


def check(kind: type, stories: dict[str, Story], by_callers: set[str]) -> None:
    assert set(stories) | by_callers == set(kind._fields)
    assert not set(stories) & by_callers


LOSING = {
    "trades": 10,
    "gross_profit_quote": 50.0,
    "gross_loss_quote": 100.0,
    "net_quote": -50.0,
    "peak_quote": 20.0,
}

CARD_STORIES = {
    "status": Story({}, SHADOW),
    "regimes": Story({}, 1 << TREND_UP),
    "directions": Story({}, SHORT_ONLY),
    "own_direction": Story({"directions": SHORT_ONLY}, 1),
    "entry_first": Story({"entry_first": 1, "entry_end": 1}, 0),
    "entry_end": Story({"entry_first": 0, "entry_end": 0}, 1),
    "exit_first": Story({"exit_first": 2, "exit_end": 2}, 1),
    "exit_end": Story({"exit_first": 1, "exit_end": 1}, 2),
    "stop_atr": Story({}, 2.0),
    "stop_range": Story({}, 1.0),
    "stop_frac": Story({"stop_atr": 0.0, "stop_frac": 0.03}, 0.02),
    "target_atr": Story({}, 3.0),
    "target_range": Story({}, 3.0),
    "target_frac": Story({}, 0.03),
    "trail_atr": Story({}, 2.0),
    "trail_range": Story({}, 2.0),
    "trail_frac": Story({}, 0.02),
    "max_hold_bars": Story({}, 2),
    "min_confidence": Story({}, 0.99),
    "size_factor": Story({}, 0.5),
    "max_notional_quote": Story({}, 50.0),
    "trades_per_day": Story({}, 1),
    "min_trades": Story({"min_trades": 11, "min_pf": 1.0}, 10, {"tally": LOSING}),
    "min_pf": Story({}, 1.0, {"tally": LOSING}),
    "max_drawdown_frac": Story({}, 0.05, {"tally": LOSING}),
}

JUST_LOST = {
    "sub": {"losses_in_row": 2, "last_exit_index": DAY_START - 3, "trades": 2, "gross_loss_quote": 9.0}
}
MANY_LOST = {
    "sub": {"trades": 20, "gross_profit_quote": 50.0, "gross_loss_quote": 100.0, "last_exit_index": 1}
}
DOWN = {"sub": {"peak_quote": 1_250.0}}  # 20 % below its peak
ACCOUNT_DOWN = {"others": {"net_quote": -200.0}, "account": {"day": DAY_START // 24}}
RISK_STORIES = {
    "risk_frac": Story({}, 0.02),
    "slippage_bps": Story({}, 30.0),
    "spread_bps": Story({}, 30.0),
    "max_spread_bps": Story({}, 0.5),
    "filled_limit_frac": Story({}, 0.005, seen={"facts": facts(filled_frac=0.01)}),
    "cooldown_bars": Story({}, 9),
    "cluster_losses": Story({}, 2, JUST_LOST),
    "cluster_pause_bars": Story({"cluster_losses": 2}, 1, JUST_LOST),
    "pf_min_trades": Story({}, 10, MANY_LOST),
    "pf_floor": Story({"pf_min_trades": 10}, 0.4, MANY_LOST),
    "drawdown_limit_frac": Story({}, 0.21, DOWN),
    "drawdown_tighten": Story({}, 9.0, DOWN),
    "account_start_quote": Story({}, 250.0),
    "max_positions": Story({}, 3, {"others": {"positions": 3}}),
    "daily_loss_frac": Story({}, 0.01, ACCOUNT_DOWN),
    "drawdown_halt_frac": Story({}, 0.01, ACCOUNT_DOWN),
    "bucket_cap_frac": Story({}, 0.5, {"others": {"bucket_notional_quote": 4_900.0}}),
    "exposure_cap_frac": Story({}, 0.5, {"others": {"notional_quote": 4_900.0}}),
    "heat_cap_frac": Story({}, 0.01, {"others": {"risk_quote": 120.0, "risk_squared": 14_400.0}}),
    "correlation": Story(
        {"heat_cap_frac": 0.0125}, 0.0, {"others": {"risk_quote": 120.0, "risk_squared": 14_400.0}}
    ),
}

TREND = [0.0] * 90 + [0.5, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3]
STORM = [0.5] * 90 + [0.96, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9]
ONLY_TREND = {"card": {"regimes": 1 << TREND_UP}}
ONLY_STORM = {"card": {"regimes": 1 << HIGH_VOL}}
NO_WEIGHTS = ((0.0, 1.0, 0.0, 0.0, 0.0),) * 4
PARAMETER_STORIES = {
    "trend_on": Story(ONLY_TREND, 0.6, seen={"trend": TREND}),
    "trend_off": Story(ONLY_TREND, 0.35, seen={"trend": TREND}),
    "volatile_on": Story(ONLY_STORM, 0.97, seen={"volatility": STORM}),
    "volatile_off": Story(ONLY_STORM, 0.92, seen={"volatility": STORM}),
    "regimes_allowed": Story({}, ALL_REGIMES - (1 << CHOP)),
    "neutral_zone": Story({}, 0.99),
    "confidence_min": Story({}, 0.99),
    "weights": Story({}, NO_WEIGHTS),
    "calibration": Story({}, ((0.0, 0.0), (1.0, 0.09))),
}

FAR_STOP = {"stop_atr": 0.0, "stop_frac": 0.25}
ASSET_STORIES = {
    "start_quote": Story({}, 2_000.0),
    "max_leverage": Story({}, 0.1),
    "min_notional_quote": Story({}, 1_000.0),
    "min_quantity_base": Story({}, 50.0),
    "max_market_quantity_base": Story({}, 1.0),
    "tick_quote": Story({"ticks_per_unit": 0.0}, 0.7),
    "ticks_per_unit": Story({}, 4.0),
    "lot_base": Story({"lots_per_unit": 0.0}, 0.7),
    "lots_per_unit": Story({}, 4.0),
    "taker_fee_frac": Story({}, 0.002),
    "tiers": Story({"card": FAR_STOP}, (Tier(0.0, 0.1, 0.0),), mark_low=70.0),
}


@pytest.mark.parametrize(("field", "story"), CARD_STORIES.items(), ids=CARD_STORIES.keys())
def test_a_cards_field_changes_what_happens(field: str, story: Story) -> None:
    assert differs("card", field, story)


@pytest.mark.parametrize(("field", "story"), RISK_STORIES.items(), ids=RISK_STORIES.keys())
def test_a_field_of_the_risk_limits_changes_what_happens(field: str, story: Story) -> None:
    assert differs("risk", field, story)


@pytest.mark.parametrize(("field", "story"), PARAMETER_STORIES.items(), ids=PARAMETER_STORIES.keys())
def test_a_parameter_changes_what_happens(field: str, story: Story) -> None:
    assert differs("thresholds", field, story)


@pytest.mark.parametrize(("field", "story"), ASSET_STORIES.items(), ids=ASSET_STORIES.keys())
def test_a_field_of_the_asset_changes_what_happens(field: str, story: Story) -> None:
    assert differs("asset", field, story)


def test_no_field_is_left_out() -> None:
    """The callers enforce four: they sort by priority and place, sum buckets, and number bars."""
    check(Card, CARD_STORIES, {"priority"})
    check(Risk, RISK_STORIES, set())
    check(Parameters, PARAMETER_STORIES, set())
    check(Asset, ASSET_STORIES, {"place", "bucket", "timeframe_ms"})


# ------------------------------------------------------------------ the four that callers enforce


@pytest.mark.parametrize("preferred", [0, 1])
def test_cards_sorted_by_priority_are_asked_in_that_order(preferred: int) -> None:
    cards = [a_card(stop_atr=2.0), a_card(stop_atr=4.0)]
    cards[preferred] = cards[preferred]._replace(priority=5)
    known = rules(tuple(sorted(cards, key=lambda card: -card.priority)))
    _, records = play(known, steps_of(Story({}, 0), known.asset), fresh_purse(known))
    assert records[0].decision.size.stop_distance_quote == (2.0, 4.0)[preferred]


def after_another(asset: Asset, other: Asset, risk: Risk) -> Record:
    """Return the record of `asset` that decides after `other`, which holds two units."""
    known = rules(asset=asset, risk=risk)
    holding = fresh_purse(known).sub._replace(position=a_position(1), mark_price=100.0)
    held = held_with(NO_OTHERS, held_of(holding), 1 if other.bucket == asset.bucket else 0)
    purse: Purse = fresh_purse(known)._replace(others=held)
    return play(known, [(a_bar(), features(KNOWN_SIGNALS))], purse)[1][0]


def test_a_bucket_shares_its_cap() -> None:
    tight = a_risk(bucket_cap_frac=0.02)  # 200 quote, all held by the other
    same = after_another(an_asset(bucket=1), an_asset(bucket=1), tight)
    apart = after_another(an_asset(bucket=1), an_asset(bucket=2), tight)
    assert (same.decision.pending.side, apart.decision.pending.side) == (0, 1)


def test_the_place_in_the_registry_decides_who_comes_first() -> None:
    risk = a_risk(max_positions=1)
    for places in ((0, 1), (1, 0)):
        assets = [an_asset(place=places[0], bucket=10), an_asset(place=places[1], bucket=20)]
        held, entered = NO_OTHERS, []
        for asset in sorted(assets, key=lambda each: each.place):
            known = rules(asset=asset, risk=risk)
            purse = fresh_purse(known)._replace(others=held)
            purse, records = play(known, [(a_bar(), features(KNOWN_SIGNALS))], purse)
            held = held_with(held, held_of(purse.sub), 0)
            if records[0].decision.pending.side != 0:
                entered.append(asset.bucket)
        assert entered == [10 if places[0] == 0 else 20]


def test_the_timeframe_says_when_bars_close() -> None:
    story = Story({}, 0)
    hour, day = an_asset(), an_asset(timeframe_ms=86_400_000)
    card = a_card(trades_per_day=1)
    told_by = [told(story, rules((card,), CONDITIONS, asset)) for asset in (hour, day)]
    entries = [sum(1 for each in events if each[0] == 1) for events in told_by]
    assert entries[0] == 1 < entries[1]
