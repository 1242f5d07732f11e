"""Bars without a decision: told together, told once, and told again when they are mended.

A fault waits a minute before it is told: most are mended by the next attempt. Those of one reason are told
together, however many coins they are.
"""

from collections.abc import Callable

from engine_alpha.notices.memory import Bar, Memory, Waiting
from engine_alpha.notices.messages import FAULTS, Note

GATHER_MS = 60_000
AGAIN_MS = 6 * 3_600_000
"""The same fault of the same asset is not told again within so long."""

SUMMED_UP_MS = 600_000
"""A reason that was told lately is told again, for other coins, only after so long."""

_NAMED = 20
_MENDED_AT_ONCE = 200


Decided = Callable[[str, Bar], bool]
"""Says whether an asset's bar has its decision by now."""


def take_fault(memory: Memory, symbol: str, reason: str, bar: Bar, now_ms: int) -> None:
    """Take in that a bar has no decision."""
    told_ms = memory.told.get(f"{symbol}/{reason}")
    if symbol in memory.faulty:
        memory.faulty[symbol] = bar
    if told_ms is not None and now_ms - told_ms < AGAIN_MS:
        return
    waiting = memory.pending.get(reason)
    if waiting is None:
        lately_ms = memory.told.get(f"/{reason}", -AGAIN_MS)
        due_ms = max(now_ms + GATHER_MS, lately_ms + SUMMED_UP_MS)
        waiting = memory.pending[reason] = Waiting(due_ms)
    waiting.bars[symbol] = bar


def due_faults(memory: Memory, decided: Decided, now_ms: int) -> list[Note]:
    """Return the faults that have lasted, one line per reason, and remember that they were told."""
    notes = []
    for reason, waiting in list(memory.pending.items()):
        if now_ms < waiting.due_ms:
            continue
        del memory.pending[reason]
        lasting = {symbol: bar for symbol, bar in waiting.bars.items() if not decided(symbol, bar)}
        if not lasting:
            continue
        memory.told |= {f"{symbol}/{reason}": now_ms for symbol in lasting} | {f"/{reason}": now_ms}
        memory.faulty |= lasting
        notes.append(_note(reason, lasting))
    for name in [name for name, at_ms in memory.told.items() if now_ms - at_ms >= AGAIN_MS]:
        del memory.told[name]
    return notes


def mended(memory: Memory, decided: Decided) -> list[Note]:
    """Return one line for all assets whose told fault is over."""
    asked = list(memory.faulty.items())[:_MENDED_AT_ONCE]
    good = [symbol for symbol, bar in asked if decided(symbol, bar)]
    for symbol in good:
        del memory.faulty[symbol]
        for name in [name for name in memory.told if name.startswith(f"{symbol}/")]:
            del memory.told[name]
    for symbol, bar in asked:  # those that were not asked about come first the next time
        if symbol in memory.faulty and len(memory.faulty) > _MENDED_AT_ONCE:
            memory.faulty[symbol] = memory.faulty.pop(symbol, bar)
    if not good:
        return []
    return [Note(kind=FAULTS, topic="mended", line=f"{_coins(good)} again: {_listed(good)}")]


def _note(reason: str, lasting: dict[str, Bar]) -> Note:
    symbols = list(lasting)
    detail = lasting[symbols[0]].detail
    line = f"{_coins(symbols, 'without a decision')} ({reason}): {_listed(symbols)}"
    words = f"{line}: {detail}" if len(symbols) == 1 else f"{line}; {symbols[0]}: {detail}"
    return Note(kind=FAULTS, topic="no decision", line=f"{words}; more: chloe status")


def _coins(symbols: list[str], what: str = "decided") -> str:
    many = len(symbols) != 1
    if what == "decided":
        return f"{len(symbols)} coins are decided" if many else "1 coin is decided"
    return f"{len(symbols)} coins {what}" if many else f"1 coin {what}"


def _listed(symbols: list[str]) -> str:
    more = len(symbols) - _NAMED
    return ", ".join(symbols[:_NAMED]) + (f" and {more} more" if more > 0 else "")
