"""Seeded random homes: registry, risk, parameters, instruments, cards; mostly loose, now and then tight."""

import json
from pathlib import Path
from typing import Any

from numpy.random import default_rng

from engine_alpha.config.assets import RISK_BUCKETS
from engine_alpha.config.risk import RiskConfig
from engine_alpha.home import Home
from engine_alpha.kernel.codes import REGIMES, VOTES
from engine_alpha.kernel.signals import DIRECTIONAL, QUOTE, SIGNALS
from tests.parity.plots import FRAMES, Plot, Random, topic
from tests.unit.loop.runs import QUICK, ROOMY, a_home, edit, put_card, set_engine


def made_home(seed: int, plot: Plot, path: Path) -> Home:
    """Make the seed's home in a folder."""
    cards = tuple(drawn_cards(topic(seed, 1), plot))
    home = a_home(path, enabled=(), cards=cards, risk=ROOMY if topic(seed, 2).random() < 0.75 else {})
    draw_registry(topic(seed, 3), plot, home)
    draw_risk(topic(seed, 4), plot, home)
    draw_parameters(topic(seed, 5), plot, home)
    draw_instruments(topic(seed, 6), plot, home)
    delay_ms = int(topic(seed, 7).choice([300_000, 300_000, 1_000, 7_200_000, 86_400_000]))
    set_engine(home, max_entry_delay_ms=delay_ms)
    draw_fault(topic(seed, 8), plot, home)
    return home


def draw_fault(random: Random, plot: Plot, home: Home) -> None:
    """Now and then break a file, so that the first coin, or nobody, refuses."""
    symbol, lot = plot.coins[0].symbol, random.random()
    if lot < 0.04:
        named = [symbol] if random.random() < 0.5 else []
        put_card(home, {**QUICK, "name": "broken", "scope": {"symbols": named}, "entry": []})
    elif lot < 0.06:
        (home.parameters / f"{symbol}.json").write_text('{"version": "broken-1"}', encoding="utf-8")
    elif lot < 0.08:
        for file in home.instruments.glob("*.json"):
            edit(file, lambda found: found["instruments"].pop(symbol))


def draw_registry(random: Random, plot: Plot, home: Home) -> None:
    """Give each coin its timeframe, and draw its bucket, leverage, minimum and place."""
    shuffled = random.random() < 0.4
    frames = {coin.symbol: coin.span.timeframe for coin in plot.coins}

    def change(found: dict[str, Any]) -> None:
        names = [name for name in found if name != "$schema"]
        for name in names:
            found[name]["base_timeframe"] = frames.get(name, found[name]["base_timeframe"])
            if random.random() < 0.3:
                found[name]["max_leverage"] = float(random.choice([0.05, 1, 1.5, 10, 25]))
            if random.random() < 0.15:
                found[name]["min_notional_usd"] = float(random.choice([0, 20, 400]))
            if random.random() < 0.3:
                found[name]["risk_bucket"] = str(random.choice(RISK_BUCKETS))
        order = [names[int(i)] for i in random.permutation(len(names))] if shuffled else names
        for name in order:
            found[name] = found.pop(name)

    edit(home.registry, change)


TIGHT: dict[str, tuple[Any, ...]] = {
    "equity_quote": (300, 1_000_000),
    "risk_frac": (0.0005, 0.1),
    "exposure_cap_frac": (0.01, 0.05),
    "heat_cap_frac": (0.0003, 0.002),
    "correlation": (0, 1),
    "max_positions": (1, 1, 2),
    "daily_loss_frac": (0.0003, 0.002),
    "drawdown_halt_frac": (0.001, 0.005),
    "drawdown_limit_frac": (0.002, 0.02),
    "drawdown_tighten": (1.0,),
    "cooldown_bars": (0, 4, 20),
    "cluster_losses": (1, 2),
    "cluster_pause_bars": (3, 1_000),
    "slippage_bps": (0, 30, 800),
    "spread_bps": (0, 15, 25),
    "max_spread_bps": (0, 3, 3),
    "filled_limit_frac": (0.0, 0.3, 0.99),
}
"""What a limit of risk.json is drawn from where it is not left as it is."""

FEES, FEE_SHARES = ("0", "0.00055", "0.01", "0.2"), (0.2, 0.65, 0.12, 0.03)


def draw_risk(random: Random, plot: Plot, home: Home) -> None:
    """Draw shares that fit, and some limits tight."""
    share = 1.0 / len(plot.coins)

    def change(found: dict[str, Any]) -> None:
        for bucket in found["buckets"].values():
            bucket["share_frac"] = round(share * float(random.uniform(0.3, 1.0)), 4)
            if random.random() < 0.07:
                bucket["cap_frac"] = float(random.choice([0.003, 0.02, 0.1]))
        for name, values in TIGHT.items():
            if random.random() < 0.06:
                found[name] = values[int(random.integers(0, len(values)))]
        if random.random() < 0.15:
            found.update(
                pf_min_trades=int(random.choice([1, 2, 4])), pf_floor=float(random.choice([0.5, 2.0, 10.0]))
            )
        if plot.detail and "detail" in RiskConfig.model_fields:
            found["detail"] = "1m"

    edit(home.risk, change)


def draw_parameters(random: Random, plot: Plot, home: Home) -> None:
    """Draw thresholds and weights for all coins, and now and then a set of a coin's own."""
    default = home.parameters / "default.json"
    if random.random() < 0.6:
        edit(default, lambda found: found.update(parameters_of(random, "drawn-1")))
    if random.random() < 0.25:
        own = json.loads(default.read_text(encoding="utf-8"))
        own.update(parameters_of(random, "own-1"))
        (home.parameters / f"{plot.coins[0].symbol}.json").write_text(json.dumps(own), encoding="utf-8")


def parameters_of(random: Random, version: str) -> dict[str, Any]:
    """Return a drawn set: thresholds mostly at nothing, so that trades happen."""
    strict = random.random() < 0.25
    trend, volatile = sorted(random.uniform(0.05, 0.6, 2)), sorted(random.uniform(0.3, 0.98, 2))
    allowed = (
        list(REGIMES)
        if random.random() < 0.85
        else [str(one) for one in random.choice(REGIMES, 2, replace=False)]
    )
    weights = {regime: {vote: round(float(random.uniform(0, 1)), 3) for vote in VOTES} for regime in REGIMES}
    for row in weights.values():
        row[str(random.choice(VOTES))] = 0.0
    return {
        "version": version,
        "trend_off": float(trend[0]),
        "trend_on": float(trend[1]) + 0.01,
        "volatile_off": float(volatile[0]),
        "volatile_on": float(volatile[1]) + 0.01,
        "regimes_allowed": allowed,
        "neutral_zone": float(random.uniform(0, 0.3)) if strict else 0.0,
        "confidence_min": float(random.uniform(0, 0.4)) if strict else 0.0,
        "weights": weights,
        "calibration": drawn_calibration(default_rng(int(trend[0] * 1e9))),
    }


def drawn_calibration(random: Random) -> list[list[float]]:
    """Return what a third of all sets make of a score, some of its stretches flat."""
    count = int(random.integers(1, 9)) if random.random() < 0.35 else 0
    strengths = sorted(random.uniform(0, 0.8, count).tolist())
    sure = sorted(round(float(each), 1) for each in random.uniform(0, 0.9, count))
    return [list(row) for row in zip(strengths, sure, strict=True)]


def draw_instruments(random: Random, plot: Plot, home: Home) -> None:
    """Draw fees, the size of orders, and listings and settlements inside the run."""
    chosen: dict[str, dict[str, Any]] = {coin.symbol: {} for coin in plot.coins}
    for coin in plot.coins:
        entry = chosen[coin.symbol]
        entry["taker_fee_frac"] = str(random.choice(FEES, p=FEE_SHARES))
        entry["settled_ms"] = coin.settled_ms  # a coin's own may lie in the drawn years
        if random.random() < 0.06:
            entry["max_market_quantity_base"] = str(random.choice(["0", "1", "50"]))
        if coin.listed_ms is not None:
            entry["listed_ms"] = coin.listed_ms
        if coin.settled_ms is not None and random.random() < 0.5:
            entry["successor"] = "POLUSDT"

    def change(found: dict[str, Any]) -> None:
        for symbol, entry in chosen.items():
            found["instruments"][symbol].update(entry)

    for file in home.instruments.glob("*.json"):
        edit(file, change)


# ------------------------------------------------------------------ cards

USABLE = [spec for spec in SIGNALS if spec.kind != QUOTE]
EAGER = [{"signal": "momentum_24", "at_least": -1000.0}]


def drawn_cards(random: Random, plot: Plot) -> list[dict[str, Any]]:
    """Return one to four cards, mostly with one among them that enters whenever it may."""
    cards = [a_drawn_card(random, plot, f"drawn-{place}") for place in range(int(random.integers(0, 4)))]
    if random.random() < 0.85 or not cards:
        eager = a_drawn_card(random, plot, "eager")
        scope = {"priority": int(random.integers(-5, 5)), "follows": "engine"}
        cards.append({**eager, "status": "active", "entry": EAGER, "scope": scope})
        lot = random.random()
        if lot < (0.7 if plot.is_interrupted else 0.05):
            cards[-1]["exits"] = {"stop": {"range": 6.0}}  # held until something else ends it
        elif lot < (0.8 if plot.is_interrupted else 0.35):
            near = {"atr": round(float(random.uniform(0.1, 0.5)), 3)}
            cards[-1]["exits"] = {"stop": near, "target": near, "max_hold_bars": 3}
    if random.random() < 0.1:
        cards.append({**QUICK, "name": "watched", "status": "shadow"})
    return cards


def a_drawn_card(random: Random, plot: Plot, name: str) -> dict[str, Any]:
    """Return a card in which any key may be set."""
    return {
        "name": name,
        "rationale": "drawn",
        "source": "tests",
        "status": str(random.choice(["active"] * 7 + ["shadow"] * 2 + ["disabled"])),
        "scope": drawn_scope(random, plot),
        "entry": [a_condition(random) for _ in range(int(random.choice([1, 1, 2])))],
        "exits": drawn_exits(random),
        "risk": {
            "size_factor": float(random.choice([1.0, 1.0, 0.3])),
            "max_notional_quote": float(random.choice([20, 300])) if random.random() < 0.2 else None,
            "trades_per_day": int(random.choice([0, 0, 0, 1, 2])),
        },
        "activation": {
            "min_trades": int(random.choice([0, 1, 3])),
            "min_pf": float(random.choice([0, 0, 0.5, 3])),
            "max_drawdown_frac": float(random.choice([0.0005, 0.01])) if random.random() < 0.2 else None,
        },
    }


def drawn_scope(random: Random, plot: Plot) -> dict[str, Any]:
    """Return where a card applies."""
    named = [plot.coins[0].symbol] if random.random() < 0.15 else []
    regimes = [str(one) for one in random.choice(REGIMES, 2, replace=False)] if random.random() < 0.25 else []
    frames = [str(one) for one in random.choice(FRAMES, 3, replace=False)] if random.random() < 0.15 else []
    return {
        "symbols": named,
        "regimes": regimes,
        "timeframes": frames,
        "direction": str(random.choice(["both", "both", "both", "long", "short"])),
        "follows": str(random.choice(["engine", "entry"])),
        "priority": int(random.integers(-5, 5)),
    }


def a_condition(random: Random, loose: float = 0.5) -> dict[str, Any]:
    """Return a condition that holds now and then: a bound, two of them, or a crossing."""
    spec = USABLE[int(random.integers(0, len(USABLE)))]
    middle = 0.0 if spec.kind == DIRECTIONAL else 0.4
    value = round(float(random.normal(middle, 0.4)), 3)
    kind = str(random.choice(["at_least", "at_most", "between", "crosses_above", "crosses_below"]))
    if kind == "between":
        return {"signal": spec.name, "at_least": value - loose, "at_most": value + loose}
    return {"signal": spec.name, kind: value}


def drawn_exits(random: Random) -> dict[str, Any]:
    """Return a stop and some of the other ways out."""
    when = [a_condition(random)] if random.random() < 0.3 else []
    return {
        "stop": a_distance(random, 1.5),
        "target": a_distance(random, 2.0) if random.random() < 0.6 else None,
        "trailing": a_distance(random, 2.0) if random.random() < 0.4 else None,
        "max_hold_bars": int(random.choice([0, 1, 3, 8, 8, 20])),
        "when": when,
        "min_confidence": round(float(random.uniform(-0.5, 0.3)), 3) if random.random() < 0.2 else None,
    }


def a_distance(random: Random, middle: float) -> dict[str, float]:
    """Return a distance of one of the three kinds, about `middle` ranges far."""
    kind = str(random.choice(["atr", "range", "frac"]))
    far = round(middle * float(random.uniform(0.15, 1.6)), 3)
    return {kind: round(far * 0.01, 5) if kind == "frac" else far}
