"""A seed's swarm: which dials are on at all, how strong, and what people and the exchange do by the hour."""

from dataclasses import dataclass, field
from random import Random
from typing import Any

from tests.simulation.feed import SPOILS

MINUTE_MS, HOUR_MS = 60_000, 3_600_000
ON = 0.4  # how likely a seed switches a dial on

# Faults of the exchange's door: kind -> its further settings. Of Binance alone: see BINANCE_ONLY.
NETWORK: dict[str, dict[str, Any]] = {
    "drop": {},
    "drop_after": {},
    "cut": {},
    "truncate": {},
    "html": {},
    "html_after": {},
    "status": {"value": 502},
    "status_after": {"value": 500},
    "maintenance": {},
    "twice": {},
}
BINANCE_ONLY = ("unknown_done", "unknown_lost", "overloaded")
REFUSALS = {
    "bybit": ((110007, "ab not enough for new order"), (10006, "Too many visits"), (110079, "processing")),
    "binance": ((-2019, "Margin is insufficient."), (-1003, "Too many requests"), (-1001, "Internal error")),
}
DEEDS = (
    *("manual", "cancel_stops", "adl", "leverage", "delist", "halt", "flatten", "restart"),
    *("jump", "outage", "limit", "full_disk", "second_process"),
)
LIMITS: dict[str, tuple[dict[str, Any], ...]] = {
    "bybit": (
        {"requests": 6, "window_ms": 2_000, "status": 200, "code": 10006},
        {"requests": 20, "window_ms": 5_000, "status": 403, "ban_ms": 60_000},
    ),
    "binance": (
        {"requests": 8, "window_ms": 3_000, "status": 429},
        {"requests": 20, "window_ms": 5_000, "status": 429, "ban_ms": 120_000, "ban_status": 418},
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What one seed draws once. Chances are per request, per read or per hour, as the name says."""

    venue: str
    universe: int
    style: str
    start_bar: int
    network: dict[str, float] = field(default_factory=dict)
    refusals: float = 0.0
    straggler: float = 0.0
    slow: float = 0.0
    feed: dict[str, float] = field(default_factory=dict)
    deeds: dict[str, float] = field(default_factory=dict)
    crash_points: int = 0  # on the average between two crashes; 0 for none
    ack_delay_ms: int = 0
    propagation_ms: int = 0
    partial: float = 0.0
    stormy: float = 0.5  # how likely an hour has faults
    skew_ms: int = 0
    short_lived: bool = False  # every tick is a process of its own


def plan_of(seed: int, bars: int) -> Plan:
    """Draw a seed's plan."""
    random = Random(f"{seed}/plan")
    venue = ("bybit", "binance")[seed % 2]
    calm = random.random() < 0.05

    def on(*values: float) -> Any:
        return random.choice(values) if random.random() < ON and not calm else 0

    kinds = [*NETWORK, *(BINANCE_ONLY if venue == "binance" else ())]
    return Plan(
        venue=venue,
        universe=random.randrange(3),
        style=random.choice(("quick", "trailed", "trailed", "tight")),
        start_bar=random.randrange(0, max(1, 480 - bars)),
        network={kind: on(0.01, 0.04, 0.15) for kind in kinds},
        refusals=on(0.01, 0.05),
        straggler=on(0.03, 0.1, 0.3),
        slow=on(0.01, 0.05),
        feed={kind: on(0.02, 0.1) for kind in SPOILS},
        deeds={kind: on(0.03, 0.1) for kind in DEEDS},
        crash_points=on(25, 80, 250),
        ack_delay_ms=on(100, 700, 3_000),
        propagation_ms=on(100, 400, 900),
        partial=on(0.2, 0.6, 1.0),
        stormy=random.choice((0.3, 0.6, 1.0)),
        skew_ms=on(-800, 700, -3_500, 2_500),
        short_lived=random.random() < 0.15,
    )


def minutes_of_ticks(random: Random) -> list[int]:
    """Return when, in ms after the close, an hour's ticks come: one soon after it, some later."""
    first = random.choice((3_000, 5_000, 5_000, 20_000, 90_000, 400_000))
    more = [random.randint(1, 58) * MINUTE_MS for _ in range(random.randint(0, 2))]
    return sorted({first, *(each for each in more if each > first + 30_000)})
