"""Made-up would-be trades, as a dataset's table or as a pool."""

import numpy as np
import polars as pl

from engine_alpha.research.edge.trades import DAY_MS, Pool, pool_of

HOUR_MS = 3_600_000
START_MS = 18_262 * DAY_MS  # 2020-01-01


def a_table(
    r: np.ndarray,
    score: np.ndarray | float = 0.4,
    card: str = "quick",
    regime: str = "chop",
    every_ms: int = DAY_MS,
    held_ms: int = 6 * HOUR_MS,
) -> pl.DataFrame:
    """Return one trade after another, `every_ms` apart."""
    entry = START_MS + np.arange(len(r), dtype=np.int64) * every_ms
    return pl.DataFrame(
        {
            "card": [card] * len(r),
            "regime": [regime] * len(r),
            "entry_ms": entry,
            "closed_ms": entry + held_ms,
            "score": np.broadcast_to(np.asarray(score, np.float64), len(r)).copy(),
            "r": np.asarray(r, np.float64),
        },
        schema_overrides={"card": pl.String, "regime": pl.String},
    )


def a_pool(**tables: pl.DataFrame) -> Pool:
    """Return the trades of coins by name."""
    return pool_of(tables)


def told(count: int, seed: int, slope: float = 0.8) -> tuple[np.ndarray, np.ndarray]:
    """Return R and scores of trades whose chance to win is 0.5 + slope (|score| - 0.5)."""
    random = np.random.default_rng(seed)
    strength = random.uniform(0.0, 1.0, count)
    won = random.random(count) < 0.5 + slope * (strength - 0.5)
    sign = np.where(random.random(count) < 0.5, -1.0, 1.0)
    return np.where(won, 1.0, -1.0), strength * sign
