"""Chloe, in the project's own interpreter: a fresh home, the rules as a card, the bars in its store.

"first" reads the bars and compiles; "warm" is `measured`: features, layout and loop with the bars at hand.
"""

import json
import os
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import engine_alpha
from benchmarks.peers.runners.contract import (
    CROSS,
    STOP,
    TARGET,
    WARM_RUNS,
    Answer,
    PeerBars,
    PeerTrade,
    Rules,
    Timing,
    arguments,
    decimals,
    read_bars,
    seconds_since_start,
    sweep_levels,
    timed,
    write_answer,
)
from engine_alpha.backtest import BacktestResult, History, run
from engine_alpha.backtest.run import measured
from engine_alpha.backtest.sweeping.road import prepare
from engine_alpha.backtest.sweeping.threads import side_by_side
from engine_alpha.config.cards import CardConfig
from engine_alpha.config.instruments import InstrumentEntry, Snapshot, with_deductions, write_snapshot
from engine_alpha.config.risk import RISK_BUCKETS, EvidenceConfig
from engine_alpha.domain.bars import Bars
from engine_alpha.home import Home, init_home
from engine_alpha.plans.history import history_setup
from engine_alpha.plans.setup import Setup
from engine_alpha.store.months import write_bars

RULES = Rules()
HOUR_MS = 3_600_000
VENUE = "bybit"
EQUITY_QUOTE = 100_000.0  # per coin: so much that no limit ever binds and every entry has the rules' notional
REASONS = {"stop": STOP, "target": TARGET, "opposite_signal": CROSS}
SPREAD = "ema_spread_12_26"
CARD = "ema-cross"


def home_for(bars: PeerBars, folder: Path) -> Home:
    """Write a home whose every gate lets the rules through: what is compared is the road, not the limits."""
    init_home(folder)
    home = Home(folder)
    for path in home.cards.glob("*.json"):
        path.unlink()
    (home.cards / f"{CARD}.json").write_text(json.dumps(card_of(RULES.stop_frac, RULES.target_frac)))
    _change(home.parameters / "default.json", neutral_zone=0.0, confidence_min=0.0)
    home.registry.write_text(json.dumps({symbol: _entry() for symbol in bars.symbols}))
    home.risk.write_text(json.dumps(_risk(len(bars.symbols))))
    for path in home.instruments.glob("*.json"):
        path.unlink()
    contracts = {symbol: _contract(tick) for symbol, tick in zip(bars.symbols, bars.tick, strict=True)}
    for venue in ("bybit", "binance"):
        snapshot = Snapshot(
            venue=venue, as_of="2026-01-01", source="benchmark", notes=(), instruments=contracts
        )
        write_snapshot(home.instruments, snapshot)
    return home


def card_of(stop_frac: float, target_frac: float) -> dict[str, Any]:
    """Return the rules as a card."""
    return {
        "name": CARD,
        "rationale": "To be compared with other engines.",
        "source": "A textbook cross.",
        "status": "active",
        "scope": {"direction": "long", "follows": "entry"},
        "entry": [{"signal": SPREAD, "crosses_above": 0.0}],
        "exits": {
            "stop": {"frac": stop_frac},
            "target": {"frac": target_frac},
            "when": [{"signal": SPREAD, "crosses_below": 0.0}],
        },
        "risk": {"max_notional_quote": RULES.notional_quote},
    }


def _entry() -> dict[str, Any]:
    return {
        "enabled": True, "base_timeframe": "1h", "venue": VENUE, "risk_bucket": "alt", "quote_ccy": "USDT",
        "max_leverage": 1, "min_notional_usd": 1,
    }  # fmt: skip


def _contract(tick: float) -> InstrumentEntry:
    return InstrumentEntry(
        tick_quote=f"{tick:.{decimals(tick)}f}",
        lot_base="0.00001",
        min_quantity_base="0.00001",
        min_notional_quote="1",
        max_market_quantity_base="1000000000",
        maker_fee_frac=str(RULES.fee_frac),
        taker_fee_frac=str(RULES.fee_frac),
        listed_ms=None,
        settled_ms=None,
        successor=None,
        tiers=with_deductions([("0", "0.005", "1")]),
    )


def _risk(coins: int) -> dict[str, Any]:
    evidence = EvidenceConfig(
        alpha=0.05,
        design_r=0.17,
        halve_after=200,
        paper_after=500,
        drawdown_limit_r=25,
        daily_loss_limit_r=6,
        unproven_size_factor=0.25,
    )
    return {
        "equity_quote": EQUITY_QUOTE * coins,
        "risk_frac": 0.01,
        "buckets": {name: {"share_frac": 1.0 / coins, "cap_frac": 100} for name in RISK_BUCKETS},
        "exposure_cap_frac": 100,
        "heat_cap_frac": 1,
        "correlation": 0,
        "max_positions": coins,
        "daily_loss_frac": 1,
        "drawdown_halt_frac": 1,
        "drawdown_limit_frac": 1,
        "drawdown_tighten": 0,
        "pf_min_trades": 1_000_000,
        "pf_floor": 0,
        "cooldown_bars": 0,
        "cluster_losses": 0,
        "cluster_pause_bars": 0,
        "slippage_bps": 0,
        "spread_bps": 0,
        "max_spread_bps": 1_000,
        "filled_limit_frac": 0.02,
        "evidence": evidence.model_dump(),
    }


def _change(path: Path, **changes: Any) -> None:
    kept = [line for line in path.read_text().splitlines() if not line.lstrip().startswith("//")]
    path.write_text(json.dumps({**json.loads("\n".join(kept)), **changes}))


def store(bars: PeerBars, home: Home) -> History:
    """Put the bars into the home's store; return what to play: decisions from the first signal bar on."""
    for place, symbol in enumerate(bars.symbols):
        names = ("open", "high", "low", "close", "volume")
        columns = {name: getattr(bars, name)[place] for name in names}
        series = Bars(timeframe_ms=HOUR_MS, open_ms=bars.open_ms, **columns)
        write_bars(home.data, VENUE, symbol, "1h", series)
    return History(
        data=home.data,
        venue=VENUE,
        symbols=tuple(bars.symbols),
        from_ms=int(bars.open_ms[RULES.first_signal_bar]),
        to_ms=int(bars.open_ms[-1]) + HOUR_MS,
    )


def backtested(home: Home, wanted: History) -> tuple[Timing, BacktestResult, dict[str, Any]]:
    """Time a whole first run, then the warm road; and once more with every record made."""
    start = time.perf_counter()
    result = run(home, wanted, records=False)
    first = time.perf_counter() - start
    warm = [measured(home, wanted)[1] for _ in range(WARM_RUNS)]
    start = time.perf_counter()
    full = run(home, wanted)
    extra = {"seconds_with_records": full.seconds, "seconds_whole": time.perf_counter() - start}
    return Timing(first, warm, result), result, extra


def trades_of(result: BacktestResult) -> list[PeerTrade]:
    """Return the closed trades, the exit by the bar it fell in."""
    return [
        PeerTrade(
            row.symbol,
            row.entry_ms,
            row.entry_price,
            row.entry_ms + row.bars_held * HOUR_MS,
            row.exit_price,
            REASONS.get(row.exit_reason, row.exit_reason),
            row.net_quote,
        )
        for row in result.trades
    ]


def swept(setup: Setup, wanted: History) -> float:
    """Lay the history out, evaluate every set of parameters on all cores, return their net in all."""
    evaluate = prepare(setup, wanted)
    varied = [_varied(setup, *levels) for levels in sweep_levels()]
    with side_by_side(len(os.sched_getaffinity(0))) as mapped:
        return sum(outcome.net_quote for outcome in mapped(evaluate, varied))


def _varied(setup: Setup, stop_frac: float, target_frac: float) -> Setup:
    cards = tuple(CardConfig.model_validate(card_of(stop_frac, target_frac)) for _ in setup.cards.cards)
    return replace(setup, cards=replace(setup.cards, cards=cards), made={})


def main() -> None:
    """Run once per plan, or the sweep."""
    imported = seconds_since_start()
    source, target, sweep = arguments()
    bars, version = read_bars(source), engine_alpha.__version__
    home = home_for(bars, Path.cwd() / "home")
    wanted = store(bars, home)
    if sweep:
        setup = history_setup(home, wanted)
        timing = timed(lambda: None, lambda _: swept(setup, wanted))
        extra = {"net_quote": timing.result, "sets": len(sweep_levels())}
        write_answer(target, Answer("chloe", version, imported, timing, [], extra))
        return
    timing, result, extra = backtested(home, wanted)
    write_answer(target, Answer("chloe", version, imported, timing, trades_of(result), extra))


if __name__ == "__main__":
    main()
