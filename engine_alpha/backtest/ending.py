"""A coin whose bars end before the run does: its position is left at the last real bar, in the report alone.

The ledger knows nothing of it, as the live engine would not have known: nobody sees that it is the last bar.
A contract whose settlement is in the instruments is left before that, by the kernel.
"""

from engine_alpha.backtest.request import Gathered
from engine_alpha.backtest.stepping import SUB_PATHS
from engine_alpha.backtest.words import leaves_of
from engine_alpha.backtest.world import Prepared, State
from engine_alpha.domain.bars import Funding
from engine_alpha.kernel.fills import market_fill, stamped
from engine_alpha.kernel.ledger import closed
from engine_alpha.kernel.values import Position, Trade
from engine_alpha.plans.history import History, due_numbers
from engine_alpha.step.windows import bar_of

POSITION_WORD = SUB_PATHS.index(".position.side")
DATA_END = "data_end"
"""How such an exit is called where kernel.codes.EXITS has the other words."""


def forced_exits(found: Gathered, state: State, wanted: History) -> list[tuple[str, str, Trade]]:
    """Return (symbol, card, trade) for every position that stands at the end of its coin's bars."""
    exits = []
    for a, each in enumerate(found.assets):
        position = position_of(state, a)
        if position.side != 0 and len(each.bars) and _ends_early(each, wanted):
            trade = _left_at_last_close(each, position)
            exits.append((each.plan.asset.symbol, each.plan.names[position.card], trade))
    return exits


def position_of(state: State, asset: int) -> Position:
    """Return an asset's position as the run left it."""
    words = []
    for place, (_, kind) in enumerate(leaves_of(Position), start=POSITION_WORD):
        words.append((state.ints if kind is int else state.floats)[asset, place].item())
    return Position(*words)


def _ends_early(each: Prepared, wanted: History) -> bool:
    last = int(each.bars.open_ms[-1]) // each.bars.timeframe_ms
    return last + 1 < due_numbers(each.plan.asset, wanted)[1]


def _left_at_last_close(each: Prepared, position: Position) -> Trade:
    asset, risk = each.plan.rules.asset, each.plan.rules.risk
    bar = bar_of(each.bars, Funding(), len(each.bars) - 1)
    fill = market_fill(asset, risk, -position.side, position.quantity_base, bar.close)
    return closed(position, stamped(fill, bar.close_ms, 0), bar, 0.0)
