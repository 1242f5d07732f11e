"""The homes and histories that `benchmarks.road` measures: made once in a folder, read by every process.

    python -m benchmarks.road.homes FOLDER [--data DIR] [--quick]

The rules are those of `benchmarks.peers`: one long card, EMA 12 over 26, stop 2 %, target 4 %, no limits.
Seeded bars come twice: as the peers have them, and as one stretch that comes again and again.
"""

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.peers.bars import BARS, HOUR_MS, SYMBOLS, seeded_bars
from benchmarks.peers.runners.chloe import SPREAD, card_of, home_for, store
from benchmarks.peers.runners.contract import PeerBars, Rules, sweep_levels
from engine_alpha.domain.lookback import BLOCK
from engine_alpha.errors import DataError
from engine_alpha.home import Home, init_home
from engine_alpha.plans.history import History
from engine_alpha.plans.setup import read_setup
from engine_alpha.store.shelf import open_shelf
from engine_alpha.times import parse_iso

SEED = 1
SEEDED, REPEATING, REAL, MINUTES = "seeded", "repeating", "real", "minutes"
REAL_VENUE, MINUTE = "BINANCEUM", "1m"
REAL_FROM_MS = parse_iso("2021-01-01T00:00:00+00:00")
REAL_HOURS = 3 * 365 * 24
STRETCHES, LEAD = 10, 2
"""How often the repeating stretch is played, and how many more of it are there to warm up on."""
SHORT = 10
"""What --quick divides the length of every history by."""


def make_seeded(folder: Path, quick: bool) -> History:
    """Make the home of the peers' rules with its store of seeded bars, and return what to play."""
    bars = seeded_bars(SEED, gaps=False, symbols=SYMBOLS, bars=BARS // SHORT if quick else BARS)
    home = home_for(bars, folder / SEEDED)
    wanted = store(bars, home)
    keep(wanted, folder / SEEDED)
    return wanted


def make_repeating(folder: Path, quick: bool) -> History:
    """Make a home whose bars are one stretch over and over: tenths differ in their past alone.

    Its length is whole blocks of the look-back, so that features repeat as well.
    """
    bars = repeated(seeded_bars(SEED, gaps=False, symbols=SYMBOLS, bars=BLOCK * (1 if quick else 6)))
    home = home_for(bars, folder / REPEATING)
    first = len(bars.open_ms) // (LEAD + STRETCHES) * LEAD
    wanted = replace(store(bars, home), from_ms=int(bars.open_ms[first]))
    keep(wanted, folder / REPEATING)
    return wanted


def repeated(bars: PeerBars) -> PeerBars:
    """Return the bars bent so that they end where they began, one after another."""
    times, count = LEAD + STRETCHES, len(bars.open_ms)
    bend = (bars.open[:, :1] / bars.close[:, -1:]) ** (np.arange(1, count + 1) / count)
    bent = {name: np.round(getattr(bars, name) * bend, 4) for name in ("open", "high", "low", "close")}
    return PeerBars(
        symbols=bars.symbols,
        tick=bars.tick,
        open_ms=bars.open_ms[0] + HOUR_MS * np.arange(count * times, dtype=np.int64),
        **{name: np.tile(column, times) for name, column in {**bent, "volume": bars.volume}.items()},
    )


def make_real(folder: Path, data: Path, quick: bool) -> History:
    """Make a fresh home, nothing changed; return its twelve coins over three years of real hours."""
    init_home(folder / REAL)
    hours = REAL_HOURS // SHORT if quick else REAL_HOURS
    wanted = History(
        data=data,
        venue=REAL_VENUE,
        symbols=tuple(read_setup(Home(folder / REAL)).order),
        from_ms=REAL_FROM_MS,
        to_ms=REAL_FROM_MS + hours * HOUR_MS,
    )
    keep(wanted, folder / REAL)
    return wanted


def make_minutes(folder: Path, data: Path, quick: bool) -> History:
    """Make a fresh home on 1-minute bars; return the coins that have some, for as long as all have."""
    init_home(folder / MINUTES)
    home = Home(folder / MINUTES)
    setup = read_setup(home)
    shelf = open_shelf(data)
    found = {symbol: shelf.bars(REAL_VENUE, symbol, MINUTE) for symbol in setup.order}
    stored = {symbol: bars for symbol, bars in found.items() if bars is not None}
    if not stored:
        raise DataError("missing_series", f"{data} has no {REAL_VENUE} bars of {MINUTE}")
    entries = {
        asset.symbol: {
            "enabled": asset.enabled, "base_timeframe": MINUTE, "venue": asset.venue,
            "risk_bucket": asset.risk_bucket, "quote_ccy": asset.quote_ccy,
            "max_leverage": asset.max_leverage, "min_notional_usd": asset.min_notional_usd,
        }
        for asset in setup.registry.assets
    }  # fmt: skip
    home.registry.write_text(json.dumps(entries))
    for path in home.cards.glob("*.json"):
        path.write_text(path.read_text().replace('"timeframes": ["1h"]', f'"timeframes": ["{MINUTE}"]'))
    from_ms = max(int(bars.open_ms[0]) for bars in stored.values())
    to_ms = min(int(bars.close_ms[-1]) for bars in stored.values())
    wanted = History(
        data=data,
        venue=REAL_VENUE,
        symbols=tuple(stored),
        from_ms=from_ms,
        to_ms=from_ms + (to_ms - from_ms) // (SHORT if quick else 1),
    )
    keep(wanted, folder / MINUTES)
    return wanted


def keep(wanted: History, home: Path) -> None:
    """Write down beside a home what to play there."""
    fields = {name: getattr(wanted, name) for name in ("venue", "symbols", "from_ms", "to_ms")}
    (home / "history.json").write_text(json.dumps({"data": str(wanted.data), **fields}))


def kept(home: Path) -> tuple[Home, History]:
    """Return a home and what to play there."""
    fields: dict[str, Any] = json.loads((home / "history.json").read_text())
    symbols = tuple(fields.pop("symbols"))
    return Home(home), History(**{**fields, "data": Path(fields["data"]), "symbols": symbols})


def hours_of(home: Path) -> int:
    """Return how many hours a home plays."""
    _, wanted = kept(home)
    return (wanted.to_ms - wanted.from_ms) // HOUR_MS


def write_cards(folder: Path, count: int, shadows: int = 0) -> Path:
    """Write the rules' card in so many variants, one a threshold, and so many more as shadows."""
    folder.mkdir(parents=True)
    for number in range(count + shadows):
        card = card_of(Rules().stop_frac, Rules().target_frac)
        card["name"] = f"ema-cross-{number}"
        card["status"] = "active" if number < count else "shadow"
        level = 0.1 * (number if number < count else number - count)
        card["entry"] = [{"signal": SPREAD, "crosses_above": level}]
        (folder / f"{card['name']}.json").write_text(json.dumps(card))
    return folder


def write_busy_card(folder: Path) -> Path:
    """Write a card that enters on every other bar and leaves soon: as many trades as possible."""
    folder.mkdir(parents=True)
    card = card_of(0.004, 0.004)
    card["entry"] = [{"signal": SPREAD, "at_least": 0.0}]
    (folder / f"{card['name']}.json").write_text(json.dumps(card))
    return folder


def varied_texts() -> list[str]:
    """Return the sweep of the peers, ten stops and ten targets, as `chloe sweep --vary` takes it."""
    stops, targets = (sorted({pair[place] for pair in sweep_levels()}) for place in (0, 1))
    return [f"exits.stop.frac={_listed(stops)}", f"exits.target.frac={_listed(targets)}"]


def _listed(levels: list[float]) -> str:
    return ",".join(str(level) for level in levels)


def main() -> None:
    """Make them."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    make_seeded(options.folder, options.quick)
    make_repeating(options.folder, options.quick)
    if options.data is not None:
        make_real(options.folder, options.data, options.quick)
        make_minutes(options.folder, options.data, options.quick)


if __name__ == "__main__":
    main()
