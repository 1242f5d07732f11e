"""A simulated market as a function of (seed, name, time): no state, no history to replay.

Every random number is a hash of a counter, so any day can be computed alone. Levels are logarithms, built
coarse to fine: cycle and block anchors bound them for ever, day steps carry moods (trend, chop, high
volatility) and jumps, and a bridge of 1,440 minute steps joins one day's anchor to the next.
The trends are as strong as real ones were: a plain 10-day channel breakout makes about PF 1.3 after costs.
Only + − × ÷ √ and rounding touch the numbers, elementwise or in fixed order: the same bits on every CPU.
"""

import hashlib
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine_alpha.domain.bars import Floats, Ints

Words = NDArray[np.uint64]  # contiguous: numbers are cut from them in parts of 16 bits

DAY_MINUTES: Final = 1440
BLOCK_DAYS: Final = 64
CYCLE_BLOCKS: Final = 8
LEVEL_OF_CYCLE: Final = 0.40
LEVEL_OF_BLOCK: Final = 0.16

MOOD_CHANGE: Final = 0.09  # a day: a mood lasts 11 days on average
TREND_UP, TREND_DOWN, HIGH_VOL = 0.26, 0.50, 0.64  # cumulative; the rest is chop
JUMP_CHANCE: Final = 0.03

GOLDEN: Final = 0x9E3779B97F4A7C15
WORD: Final = 0xFFFFFFFFFFFFFFFF
NORMAL_SCALE: Final = 1.0 / 37837.227  # one over the standard deviation of a sum of four 16-bit uniforms

# Activity by hour UTC: quiet at 4, busiest as New York opens.
MORNING: Final = (1.0, 0.95, 0.9, 0.8, 0.75, 0.75, 0.8, 0.95, 1.0, 0.95, 0.9, 0.9)
EVENING: Final = (1.1, 1.35, 1.5, 1.4, 1.25, 1.1, 1.05, 1.0, 0.95, 0.9, 0.9, 0.95)
SESSIONS: Final = np.array(MORNING + EVENING)
MINUTE_OF_DAY_SIGMA: Final = 1.0 / 37.947331922020552  # one over the root of 1,440
DAY_FRACTION: Final = np.arange(1, DAY_MINUTES + 1, dtype=np.float64) / DAY_MINUTES


def key_of(seed: int, name: str, stream: str) -> int:
    """Return the 64-bit key of one stream of random numbers."""
    text = f"{seed}/{name}/{stream}".encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "little")


def hashed(key: int, counter: Ints) -> Words:
    """Return one 64-bit word per counter: the finaliser of splitmix64 (Steele, Lea and Flood 2014)."""
    word = counter.astype(np.uint64)
    word *= np.uint64(GOLDEN)
    return mixed(word, key)


def mixed(spread: Words, key: int) -> Words:
    """Return the words of counters that were multiplied by `GOLDEN` before: once for several streams."""
    word = spread + np.uint64(key)
    shifted = word >> np.uint64(30)
    word ^= shifted
    word *= np.uint64(0xBF58476D1CE4E5B9)
    word ^= np.right_shift(word, np.uint64(27), out=shifted)
    word *= np.uint64(0x94D049BB133111EB)
    word ^= np.right_shift(word, np.uint64(31), out=shifted)
    return word


def normal(word: Words) -> Floats:
    """Return nearly normal numbers, mean 0, deviation 1, within ±3.47: sums of four 16-bit uniforms."""
    parts = word.view("<u2")
    total = parts[..., 0::4].astype(np.int32)
    for part in (1, 2, 3):
        total += parts[..., part::4]
    number = total.astype(np.float64)
    number -= 131070.0
    number *= NORMAL_SCALE
    return number


def uniform(word: Words, part: int) -> Floats:
    """Return a 16-bit part of each word (0 to 3) as a number strictly between 0 and 1."""
    number = word.view("<u2")[..., part::4].astype(np.float64)
    number += 0.5
    number *= 1.0 / 65536.0
    return number


def growth(level: Floats) -> Floats:
    """Return ((1 + y) / (1 − y))¹⁶ with y = level / 32: nearly exp(level), positive for |level| < 32."""
    y = level * (1.0 / 32.0)
    factor = 1.0 + y
    factor /= 1.0 - y
    factor *= factor
    factor *= factor
    factor *= factor
    factor *= factor
    return factor


@dataclass(frozen=True, slots=True, kw_only=True)
class Days:
    """One factor's days: level at each midnight (one more than days), deviation, jump and its minute."""

    level: Floats
    sigma: Floats
    jump: Floats
    jump_minute: Ints

    def between(self, first: int, end: int) -> "Days":
        """Return days `first` to `end`, counted from the first day of these."""
        return Days(
            level=self.level[first : end + 1],
            sigma=self.sigma[first:end],
            jump=self.jump[first:end],
            jump_minute=self.jump_minute[first:end],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Minutes:
    """One factor's minutes: levels at each minute's edge (days × 1441) and minute deviations (days × 24).

    `spread` are the minutes' numbers (days × 1440) multiplied by `GOLDEN`, the same for every factor.
    """

    level: Floats
    sigma: Floats
    days: Days
    spread: Words

    def between(self, first: int, end: int) -> "Minutes":
        """Return the minutes of days `first` to `end`, counted from the first day of these."""
        days = self.days.between(first, end)
        return Minutes(
            level=self.level[first:end],
            sigma=self.sigma[first:end],
            days=days,
            spread=self.spread[first:end],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Factor:
    """One source of movement: the whole market, or what is one coin's own. `sigma` is a day's deviation."""

    seed: int
    name: str
    sigma: float

    def days(self, first_day: int, count: int) -> Days:
        """Return `count` days from `first_day` (days since 1970)."""
        phase = key_of(self.seed, self.name, "phase") % BLOCK_DAYS
        first_block = (first_day + phase) // BLOCK_DAYS
        blocks = (first_day + count + phase) // BLOCK_DAYS - first_block + 1
        day = (np.arange(blocks * BLOCK_DAYS, dtype=np.int64) + first_block * BLOCK_DAYS - phase).reshape(
            blocks, BLOCK_DAYS
        )
        step, sigma, jump = self._steps(day)
        level = self._levels(first_block, step)
        start = first_day - int(day[0, 0])
        word = hashed(key_of(self.seed, self.name, "jump minute"), day.ravel()[start : start + count])
        return Days(
            level=level[start : start + count + 1],
            sigma=sigma.ravel()[start : start + count],
            jump=jump.ravel()[start : start + count],
            jump_minute=(word % np.uint64(DAY_MINUTES)).astype(np.int64),
        )

    def _steps(self, day: Ints) -> tuple[Floats, Floats, Floats]:
        """Return each day's step, deviation and jump; `day` is blocks × 64 and each block starts a mood."""
        begins = uniform(hashed(key_of(self.seed, self.name, "mood"), day), 0) < MOOD_CHANGE
        begins[:, 0] = True
        since = np.maximum.accumulate(np.where(begins, day, day[0, 0]), axis=1)
        mood_word = hashed(key_of(self.seed, self.name, "which mood"), since)
        mood, strength = uniform(mood_word, 0), uniform(mood_word, 1)
        up, down = mood < TREND_UP, (mood >= TREND_UP) & (mood < TREND_DOWN)
        wild, chop = (mood >= TREND_DOWN) & (mood < HIGH_VOL), mood >= HIGH_VOL
        word = hashed(key_of(self.seed, self.name, "day"), day)
        tail = uniform(hashed(key_of(self.seed, self.name, "day tail"), day), 0)
        calm = np.where(wild, 1.8, np.where(chop, 0.65, 0.9))
        sigma = self.sigma * calm * (0.6 + 0.25 / (1.2 - tail))
        drift = self.sigma * (0.2 + 0.3 * strength) * (up * 1.0 - down * 1.0)
        noise = normal(word)
        back = normal(hashed(key_of(self.seed, self.name, "day"), day - 1))
        jump_word = hashed(key_of(self.seed, self.name, "jump"), day)
        size = (0.8 + 1.6 * uniform(jump_word, 1)) * np.where(uniform(jump_word, 2) < 0.5, 1.0, -1.0)
        jump = np.where(uniform(jump_word, 0) < JUMP_CHANCE, size * sigma, 0.0)
        return drift + sigma * np.where(chop, 0.6 * (noise - back), noise) + jump, sigma, jump

    def _levels(self, first_block: int, step: Floats) -> Floats:
        """Bridge the steps of each block between its anchors; one level more than days."""
        block = np.arange(first_block, first_block + len(step) + 1, dtype=np.int64)
        cycle_key = key_of(self.seed, self.name, "cycle")
        before, after = (normal(hashed(cycle_key, block // CYCLE_BLOCKS + i)) for i in (0, 1))
        part = (block % CYCLE_BLOCKS) * (1.0 / CYCLE_BLOCKS)
        own = normal(hashed(key_of(self.seed, self.name, "block"), block))
        anchor = LEVEL_OF_CYCLE * (before + part * (after - before)) + LEVEL_OF_BLOCK * own
        walk = np.cumsum(step, axis=1)
        rest = anchor[1:] - anchor[:-1] - walk[:, -1]
        level = np.empty((len(step), BLOCK_DAYS))
        level[:, 0] = 0.0
        level[:, 1:] = walk[:, :-1]
        level += anchor[:-1, None] + rest[:, None] * (np.arange(BLOCK_DAYS) * (1.0 / BLOCK_DAYS))
        return np.append(level.ravel(), anchor[-1])

    def minutes(self, first_day: int, days: Days, spread: Words | None = None) -> Minutes:
        """Return the minutes of these days from `first_day` on: 1,440 steps bridged between midnights.

        `spread` is that of another factor's minutes of the same days, where there are some.
        """
        count = len(days.sigma)
        hour = np.arange(first_day * 24, (first_day + count) * 24, dtype=np.int64)
        tail = uniform(hashed(key_of(self.seed, self.name, "hour"), hour), 0).reshape(count, 24)
        sigma = days.sigma[:, None] * (SESSIONS * (0.5 + 0.16 / (1.08 - tail))) * MINUTE_OF_DAY_SIGMA
        if spread is None:
            minute = np.arange(first_day * DAY_MINUTES, (first_day + count) * DAY_MINUTES, dtype=np.uint64)
            spread = (minute * np.uint64(GOLDEN)).reshape(count, DAY_MINUTES)
        steps = normal(mixed(spread, key_of(self.seed, self.name, "minute"))).reshape(count, 24, 60)
        steps *= sigma[:, :, None]
        path = np.cumsum(steps.reshape(count, DAY_MINUTES), axis=1)
        move = days.level[1:] - days.level[:-1] - days.jump
        path += (move - path[:, -1])[:, None] * DAY_FRACTION
        for at in np.flatnonzero(days.jump):
            path[at, days.jump_minute[at] :] += days.jump[at]
        level = np.empty((count, DAY_MINUTES + 1))
        level[:, 0] = days.level[:-1]
        np.add(path, days.level[:-1, None], out=level[:, 1:])
        return Minutes(level=level, sigma=sigma, days=days, spread=spread)
