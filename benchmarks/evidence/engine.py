"""Random-walk coins through the whole engine: bars, signals, cards, gates, fills, ledger, then the evidence.

A price is a martingale: moves of mean zero whose size changes by the week, jumps and opening gaps among them.
Nothing can be earned on it: played with costs the mean R is below zero, played without it is about zero,
which is the harder test. Limits that would end a coin's entries are off, so that every coin makes trades.
"""

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.evidence.measuring import Row
from benchmarks.peers.bars import HOUR_MS, START_MS, TICK
from benchmarks.peers.runners.chloe import VENUE, store
from benchmarks.peers.runners.contract import PeerBars
from engine_alpha.backtest import History, run
from engine_alpha.cli.progress import Move
from engine_alpha.config.instruments import InstrumentEntry, Snapshot, with_deductions, write_snapshot
from engine_alpha.config.risk import RISK_BUCKETS
from engine_alpha.home import Home, init_home
from engine_alpha.kernel.evidence import AGAINST, EvidenceTerms, evidence_of
from engine_alpha.reports.run import TradeRow

CHUNK = 20
STEPS = 60
"""Moves inside a bar. A stop fills at its own price though the walk steps over it: with 12 moves the card
that always enters made 0.007 R a trade, with 60 it made -0.006.
"""
WEEK = 168
START_PRICE, EQUITY_QUOTE = 100.0, 100_000.0
FEE_FRAC = 0.00055


class Play(NamedTuple):
    """A way to play the walks: which cards, and whether trading costs anything."""

    name: str
    busy: bool
    costs: bool


PLAYS = (
    Play("the default cards, with costs", False, True),
    Play("the default cards, free of costs", False, False),
    Play("a card that always enters, free of costs", True, False),
)
BUSY_CARD = {
    "name": "always",
    "rationale": "As many trades as possible.",
    "source": "benchmarks",
    "status": "active",
    "scope": {"direction": "both"},
    "entry": [{"signal": "momentum_24", "at_least": -1000.0}],
    "exits": {"stop": {"range": 2.0}, "target": {"range": 4.0}, "max_hold_bars": 48},
}


def random_walks(seed: int, assets: int, hours: int, terms: EvidenceTerms, move: Move) -> Iterator[Row]:
    """Play so many coins every way, `CHUNK` at a time; `move` is told coins done and in all."""
    found: dict[str, list[list[TradeRow]]] = {play.name: [] for play in PLAYS}
    for first in range(0, assets, CHUNK):
        move(first, assets)
        bars = walks(seed, first, min(CHUNK, assets - first), hours)
        with tempfile.TemporaryDirectory(prefix="chloe-evidence-") as folder:
            homes = [home_for(Path(folder) / str(place), bars, play) for place, play in enumerate(PLAYS)]
            wanted = store(bars, homes[0])
            for home, play in zip(homes, PLAYS, strict=True):
                found[play.name] += played(home, wanted)
    move(assets, assets)
    for play in PLAYS:
        yield summed(play, found[play.name], hours, terms)


def summed(play: Play, coins: list[list[TradeRow]], hours: int, terms: EvidenceTerms) -> Row:
    """Return the line of one way to play."""
    every = np.array([trade.r for trades in coins for trade in trades])
    seen = [evidence_of([trade.r for trade in trades], terms) for trades in coins]
    proven = sum(each.e_value >= 1.0 / terms.alpha for each in seen) / len(coins)
    against = sum(each.verdict == AGAINST for each in seen) / len(coins)
    pf = float(every[every > 0.0].sum() / -every[every < 0.0].sum())
    mean = float(every.mean())
    cells = (hours, len(coins), len(every) / len(coins), pf, mean, proven, against)
    return Row("engine", play.name, cells, "<= 5 %", proven)


def walks(seed: int, first: int, coins: int, hours: int) -> PeerBars:
    """Return the walks of coins `first`, `first` + 1, ...; each depends on the seed and its number alone."""
    paths = np.stack([_path(np.random.default_rng([seed, 7, first + i]), hours) for i in range(coins)])
    return PeerBars(
        symbols=[f"W{i:03d}USDT" for i in range(coins)],
        tick=np.full(coins, TICK),
        open_ms=START_MS + HOUR_MS * np.arange(hours, dtype=np.int64),
        open=paths[:, 0],
        high=paths[:, 1],
        low=paths[:, 2],
        close=paths[:, 3],
        volume=np.round(np.random.default_rng([seed, 8, first]).uniform(500.0, 5_000.0, (coins, hours)), 3),
    )


def _path(random: np.random.Generator, hours: int) -> np.ndarray[Any, Any]:
    """Return one walk's bars: open, high, low, close, each (hours,)."""
    hourly = np.repeat(random.uniform(0.003, 0.012, hours // WEEK + 1), WEEK)[:hours]
    moves = random.standard_normal((hours, 1 + STEPS)) * (hourly / STEPS**0.5)[:, None]
    moves[random.random(hours) < 0.01] *= 4.0
    moves[:, 0] = np.where(random.random(hours) < 0.01, random.normal(0.0, 0.025, hours), 0.0)
    moves[0, 0] = 0.0
    moves = np.clip(moves, -0.5, 0.5)
    prices = START_PRICE * np.cumprod(1.0 + moves.ravel()).reshape(hours, 1 + STEPS)
    prices = np.maximum(np.round(prices, 4), TICK)
    return np.stack([prices[:, 0], prices.max(axis=1), prices.min(axis=1), prices[:, -1]])


def played(home: Home, wanted: History) -> list[list[TradeRow]]:
    """Backtest what is wanted and return each coin's trades, oldest first."""
    trades: dict[str, list[TradeRow]] = {symbol: [] for symbol in wanted.symbols}
    for trade in sorted(run(home, wanted, records=False).trades, key=lambda each: each.exit_ms):
        trades[trade.symbol].append(trade)
    return list(trades.values())


def home_for(folder: Path, bars: PeerBars, play: Play) -> Home:
    """Write a home with these coins, the default thresholds, and no limit that couples or ends coins."""
    init_home(folder)
    home = Home(folder)
    if play.busy:
        for path in home.cards.glob("*.json"):
            path.unlink()
        (home.cards / "always.json").write_text(json.dumps(BUSY_CARD))
        _edit(home.parameters / "default.json", neutral_zone=0.0, confidence_min=0.0)
    entry = {
        "enabled": True, "base_timeframe": "1h", "venue": VENUE, "risk_bucket": "alt", "quote_ccy": "USDT",
        "max_leverage": 10, "min_notional_usd": 1,
    }  # fmt: skip
    home.registry.write_text(json.dumps(dict.fromkeys(bars.symbols, entry)))
    coins = len(bars.symbols)
    buckets = {name: {"share_frac": 1.0 / coins, "cap_frac": 100} for name in RISK_BUCKETS}
    free = {} if play.costs else {"slippage_bps": 0, "spread_bps": 0}
    _edit(
        home.risk, equity_quote=EQUITY_QUOTE * coins, buckets=buckets, exposure_cap_frac=100, heat_cap_frac=1,
        correlation=0, max_positions=coins, daily_loss_frac=1, drawdown_halt_frac=1, drawdown_limit_frac=1,
        drawdown_tighten=0, pf_min_trades=1_000_000, pf_floor=0, **free,
    )  # fmt: skip
    for path in home.instruments.glob("*.json"):
        path.unlink()
    contracts = dict.fromkeys(bars.symbols, _contract(FEE_FRAC if play.costs else 0.0))
    for venue in ("bybit", "binance"):
        made = Snapshot(venue=venue, as_of="2026-01-01", source="benchmark", notes=(), instruments=contracts)
        write_snapshot(home.instruments, made)
    return home


def _contract(fee_frac: float) -> InstrumentEntry:
    return InstrumentEntry(
        tick_quote=f"{TICK:.4f}",
        lot_base="0.00001",
        min_quantity_base="0.00001",
        min_notional_quote="1",
        max_market_quantity_base="1000000000",
        maker_fee_frac=f"{fee_frac:.5f}",
        taker_fee_frac=f"{fee_frac:.5f}",
        listed_ms=None,
        settled_ms=None,
        successor=None,
        tiers=with_deductions([("0", "0.005", "50")]),
    )


def _edit(path: Path, **changes: Any) -> None:
    kept = [line for line in path.read_text().splitlines() if not line.lstrip().startswith("//")]
    path.write_text(json.dumps({**json.loads("\n".join(kept)), **changes}))
