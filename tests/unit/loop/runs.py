"""A real home in a test's folder, bars from memory as a feed, and ticks on a clock that stands still."""

import json
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from engine_alpha.config.reading import read_json
from engine_alpha.domain.asset import TIMEFRAME_MS
from engine_alpha.domain.bars import Bars, Funding, Reading
from engine_alpha.domain.resampling import resample
from engine_alpha.errors import DataError
from engine_alpha.home import Home, init_home
from engine_alpha.journals.checking import check
from engine_alpha.journals.export import export
from engine_alpha.journals.sqlite import SqliteJournal
from engine_alpha.loop import wiring
from engine_alpha.loop.clocks import FixedClock
from engine_alpha.loop.engine import Engine
from engine_alpha.loop.tick import TickReport, tick_all
from engine_alpha.plans.setup import read_setup
from engine_alpha.ports import BarRequest, Journal, StoredEvent
from engine_alpha.step.folding import audited, fold
from engine_alpha.step.recording import DECISION, NO_DECISION, Labels, exported_decision
from tests.makers import HOUR_MS, random_bars

SYMBOLS = (
    *("ETHUSDT", "BTCUSDT", "SOLUSDT", "AVAXUSDT", "LINKUSDT", "MATICUSDT"),
    *("ATOMUSDT", "BNBUSDT", "DOTUSDT", "ADAUSDT", "XRPUSDT", "DOGEUSDT"),
)
FIRST_NUMBER = 470_400  # number of the first hour of the stored bars: 2023-08-31
NOW_NUMBER = FIRST_NUMBER + 1_400
START_MS = NOW_NUMBER * HOUR_MS  # when the first tick's bar has just closed; MATIC still trades
LATE_MS = 5_000  # how long after a close a tick comes

QUICK = {
    "name": "quick",
    "rationale": "For tests: enters as soon as there is a direction, leaves soon.",
    "source": "tests",
    "status": "active",
    "scope": {},
    "entry": [{"signal": "momentum_24", "at_least": -1000.0}],
    "exits": {"stop": {"atr": 1.5}, "target": {"atr": 2.0}, "max_hold_bars": 6},
}
LONG_HELD = {**QUICK, "name": "held", "exits": {"stop": {"frac": 0.25}}}
"""Enters at once and stays: only its stop, far away, could end it."""

ROOMY = {
    "bucket_cap": 100.0,
    "exposure_cap_frac": 100.0,
    "heat_cap_frac": 1.0,
    "max_positions": 10_000,
    "daily_loss_frac": 1.0,
    "drawdown_halt_frac": 1.0,
    "drawdown_limit_frac": 1.0,
    "drawdown_tighten": 0.0,
    "cluster_losses": 0,
    "pf_floor": 0.0,
}
"""Caps that bind no one."""


def a_home(
    path: Path,
    enabled: tuple[str, ...] = ("ETHUSDT",),
    cards: tuple[Mapping[str, Any], ...] = (QUICK,),
    risk: Mapping[str, Any] = ROOMY,
) -> Home:
    """Make a home whose thresholds let everything through, with these cards and assets only."""
    init_home(path)
    home = Home(path)
    for file in home.cards.glob("*.json"):
        file.unlink()
    for card in cards:
        put_card(home, card)
    edit(home.parameters / "default.json", lambda found: found.update(neutral_zone=0.0, confidence_min=0.0))
    set_risk(home, **risk)
    enable(home, *enabled)
    return home


def edit(path: Path, change: Callable[[Any], Any]) -> None:
    """Change a configuration file's content; comments are lost."""
    content = read_json(path)
    change(content)
    path.write_text(json.dumps(content, indent=1), encoding="utf-8")


def put_card(home: Home, card: Mapping[str, Any]) -> Path:
    path = home.cards / f"{card['name']}.json"
    path.write_text(json.dumps(card), encoding="utf-8")
    return path


def set_risk(home: Home, **changes: Any) -> None:
    cap = changes.pop("bucket_cap", None)

    def change(found: dict[str, Any]) -> None:
        found.update(changes)
        for bucket in found["buckets"].values():
            bucket["cap_frac"] = cap or bucket["cap_frac"]

    edit(home.risk, change)


def set_engine(home: Home, **changes: Any) -> None:
    edit(home.engine, lambda found: found.update(changes))


def enable(home: Home, *symbols: str) -> None:
    """Enable these assets and no others."""

    def change(found: dict[str, Any]) -> None:
        for symbol, entry in found.items():
            if symbol != "$schema":
                entry["enabled"] = symbol in symbols

    edit(home.registry, change)


def set_asset(home: Home, symbol: str, **changes: Any) -> None:
    edit(home.registry, lambda found: found[symbol].update(changes))


def remove_asset(home: Home, symbol: str) -> None:
    edit(home.registry, lambda found: found.pop(symbol))


Poison = Callable[[Reading], Awaitable[Any]]


class MemoryFeed:
    """A `BarFeed` over series in memory; `poisons` spoil what one symbol gets, `asked` remembers requests."""

    def __init__(self, series: Mapping[str, Bars], funding: Funding | None = None) -> None:
        self.series = dict(series)
        self.funding = funding or Funding()
        self.poisons: dict[str, Poison] = {}
        self.asked: list[BarRequest] = []
        self.describes = "bars in memory"
        self.simulated = False

    async def read(self, request: BarRequest, now_ms: int) -> Any:
        asset = request.asset
        self.asked.append(request)
        bars = resample(self.series[asset.symbol], TIMEFRAME_MS[asset.base_timeframe])
        reading = Reading(
            bars=bars.between(request.first_open_ms, now_ms), funding=self.funding, source="memory"
        )
        poison = self.poisons.get(asset.symbol)
        return reading if poison is None else await poison(reading)

    async def close(self) -> None:
        pass


def series_of(symbols: tuple[str, ...] = SYMBOLS, bars: int = 1_700) -> dict[str, Bars]:
    """Return a random walk of hours per symbol, each of its own seed."""
    return {
        symbol: random_bars(bars, seed=100 + SYMBOLS.index(symbol), first_index=FIRST_NUMBER)
        for symbol in symbols
    }


def without(bars: Bars, *open_ms: int) -> Bars:
    """Return the bars without those that open at these times."""
    kept = ~np.isin(bars.open_ms, open_ms)
    columns = {name: getattr(bars, name)[kept] for name in ("open", "high", "low", "close", "volume")}
    return replace(bars, open_ms=bars.open_ms[kept], **columns)


def with_prices(bars: Bars, from_ms: int, price: float) -> Bars:
    """Return the bars standing at `price` from that time on, with volume."""
    late = bars.open_ms >= from_ms
    columns = {name: np.where(late, price, getattr(bars, name)) for name in ("open", "high", "low", "close")}
    return replace(bars, **columns)


async def fails(reading: Reading) -> Reading:
    """Raise what a feed raises when it can't be trusted."""
    raise DataError("broken", "this feed is broken")


@contextmanager
def engine_of(home: Home, feed: Any, account: str = "test") -> Iterator[Engine]:
    """Open an account of the home on this feed and a fixed clock."""
    labels = Labels(account=account, mode="paper", feed="memory")
    with wiring.opened(read_setup(home), labels, feed, FixedClock(START_MS + LATE_MS)) as engine:
        yield engine


def tick_at(engine: Engine, now_ms: int) -> TickReport:
    """Run one tick at this time."""
    clock = engine.clock
    assert isinstance(clock, FixedClock)
    clock.set(now_ms)
    return tick_all(engine)


def tick_hours(engine: Engine, hours: range) -> list[TickReport]:
    """Run a tick shortly after each of these closes, counted in hours from START_MS."""
    return [tick_at(engine, START_MS + hour * HOUR_MS + LATE_MS) for hour in hours]


def close_ms(hour: int) -> int:
    """Return the time of the close that tick `hour` follows."""
    return START_MS + hour * HOUR_MS


def events_of(journal: Journal, kind: str | None = None, symbol: str | None = None) -> list[StoredEvent]:
    return list(journal.events(kind, symbol))


def payloads(journal: Journal, kind: str, symbol: str | None = None) -> list[dict[str, Any]]:
    """Return the parsed payloads of a kind, oldest first."""
    return [json.loads(stored.event.payload) for stored in journal.events(kind, symbol)]


def views(journal: Journal, symbol: str) -> list[dict[str, Any]]:
    """Return the decisions of a symbol with names, oldest first."""
    return [exported_decision(payload) for payload in payloads(journal, DECISION, symbol)]


def decision_lines(journal: Journal, symbol: str) -> list[str]:
    """Return the exported decision lines of a symbol."""
    return list(export(journal, DECISION, symbol, exported_decision))


def reasons(journal: Journal, symbol: str | None = None) -> list[str]:
    return [payload["reason"] for payload in payloads(journal, NO_DECISION, symbol)]


def gate(view: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return a gate's verdict in a decision."""
    return next(each for each in (*view["gates"], *view["allocation"]) if each["name"] == name)


def position_side(engine: Engine, symbol: str) -> int:
    return engine.book.assets[symbol].sub.position.side


def journal_of(home: Home, account: str = "test") -> SqliteJournal:
    """Open an account's journal to read."""
    return SqliteJournal.open(home.account(account) / wiring.JOURNAL_NAME, read_only=True)


def assert_sound(journal: Any) -> None:
    """Check chain, states and money of a journal, by the means of `chloe journal check`."""
    report = check(journal, fold)
    assert report.sound, report
    assert audited(journal.events()).faults(journal.states()) == []
