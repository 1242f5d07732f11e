"""The daily summary: what the days since the last one brought, told at an hour of the day."""

import json
from collections.abc import Iterable, Mapping

from engine_alpha.kernel.values import Position, SubAccount
from engine_alpha.notices.memory import Day, Memory, Tally
from engine_alpha.notices.messages import SUMMARY, Note, day_of, factor, gain, price

DAY_MS = 86_400_000
_KEPT_DAYS = 31
_NAMED = 10
_POSITION = SubAccount._fields.index("position")
_SIDES = {1: "long", -1: "short"}


def last_day(now_ms: int, summary_at: str) -> str:
    """Return the last day whose summary is due: before that time of day it is the one before yesterday."""
    hours, minutes = summary_at.split(":")
    after_midnight_ms = (int(hours) * 60 + int(minutes)) * 60_000
    return day_of(now_ms - after_midnight_ms - DAY_MS)


def count_trade(memory: Memory, symbol: str, exit_ms: int, net_quote: float) -> None:
    """Count a closed trade on the day it was closed."""
    day = memory.days.setdefault(day_of(exit_ms), Day())
    day.trades.setdefault(symbol, Tally()).add(net_quote)


def count_fault(memory: Memory, symbol: str, at_ms: int) -> None:
    """Count a bar that could not be decided."""
    faults = memory.days.setdefault(day_of(at_ms), Day()).faults
    faults[symbol] = faults.get(symbol, 0) + 1


def summary_due(memory: Memory, states: Mapping[str, str], due: str) -> list[Note]:
    """Return the summary's lines up to the day `due`, unless they were told; days told are forgotten.

    A trade that comes to light after its day was told is in the next summary.
    """
    if due <= memory.summed_day:
        return []
    told = sorted(name for name in memory.days if name <= due)
    whole = joined(memory.days.pop(name) for name in told)
    topic = f"summary of {due}" if len(told) < 2 else f"summary of {told[0]} to {due}"
    memory.summed_day = due
    lines = [*_money_lines(memory, whole), _fault_line(whole), _position_line(states)]
    return [Note(kind=SUMMARY, topic=topic, line=line) for line in lines if line]


def forget_old_days(memory: Memory, now_ms: int) -> None:
    """Forget days that no summary will tell any more: somebody may not want any."""
    oldest = day_of(now_ms - _KEPT_DAYS * DAY_MS)
    for name in [name for name in memory.days if name < oldest]:
        del memory.days[name]


def joined(days: Iterable[Day]) -> Day:
    """Add days up."""
    whole = Day()
    for day in days:
        for symbol, tally in day.trades.items():
            whole.trades.setdefault(symbol, Tally()).join(tally)
        for symbol, count in day.faults.items():
            whole.faults[symbol] = whole.faults.get(symbol, 0) + count
    return whole


def _money_lines(memory: Memory, day: Day) -> list[str]:
    whole, ever = Tally(), Tally()
    for tally in day.trades.values():
        whole.join(tally)
    for tally in memory.books.values():
        ever.join(tally)
    trades = f"{whole.trades} trades" if whole.trades != 1 else "1 trade"
    own = f", {factor(whole.trades, whole.profit_quote, whole.loss_quote)}" if whole.trades else ""
    lines = [
        f"{trades}: {gain(whole.net_quote)}{own}" if whole.trades else "no trade was closed",
        f"since the start: {gain(ever.net_quote)}, {factor(ever.trades, ever.profit_quote, ever.loss_quote)}",
    ]
    if whole.trades:
        symbol, worst = min(day.trades.items(), key=lambda one: (one[1].net_quote, one[0]))
        lines.append(f"worst: {symbol} {gain(worst.net_quote)} in {worst.trades}")
    return lines


def _fault_line(day: Day) -> str:
    if not day.faults:
        return "no faults"
    symbol, most = max(day.faults.items(), key=lambda one: (one[1], one[0]))
    return f"{sum(day.faults.values())} faults on {len(day.faults)} coins, most on {symbol}: {most}"


def _position_line(states: Mapping[str, str]) -> str:
    held = [f"{symbol} {words}" for symbol, text in states.items() if (words := _position(symbol, text))]
    more = f" and {len(held) - _NAMED} more" if held[_NAMED:] else ""
    return f"open: {', '.join(held[:_NAMED])}{more}" if held else "no position is open"


def _position(name: str, text: str) -> str:
    """Return the position in an asset's state; "" where it is flat or the state is no asset's."""
    if name == "account" or "/" in name:
        return ""
    position = Position(*json.loads(text)["sub"][_POSITION])
    if position.side == 0:
        return ""
    quantity, entry = price(position.quantity_base), price(position.entry_price)
    return f"{_SIDES[position.side]} {quantity} from {entry}"
