"""The other side of a comparison: the same period from a fresh account, through the compiled road."""

from engine_alpha.backtest.compare import RoundTrip
from engine_alpha.backtest.outcome import result_of
from engine_alpha.backtest.request import Overrides, Progress, backtest_setup, gathered
from engine_alpha.backtest.run import played_through, road_of, warm_up
from engine_alpha.backtest.stepping import load_sub
from engine_alpha.backtest.verifying.comparing import open_trip
from engine_alpha.home import Home
from engine_alpha.plans.history import History
from engine_alpha.reports.run import TradeRow


def backtest_trips(
    home: Home, wanted: History, progress: Progress = lambda done, total: None
) -> list[RoundTrip]:
    """Return the trades of a backtest and the positions open at its end, marked at their last close.

    Raises `ConfigError` for what can't be played.
    """
    setup = backtest_setup(home, wanted, Overrides())
    found = gathered(setup, wanted)
    road = road_of(setup, wanted, found)
    warm_up(road)
    played = played_through(road, records=False, progress=progress)
    assets = {each.plan.asset.symbol: each.plan.asset for each in found.assets}
    result = result_of(setup, wanted, found, played, 0.0)
    trips = [_trip(trade, assets[trade.symbol].timeframe_ms) for trade in result.trades]
    for place, asset in enumerate(assets.values()):
        sub = load_sub(played.state.ints, played.state.floats, place, 0)
        if sub.position.side != 0:
            trips.append(open_trip(asset, sub, (wanted.from_ms, wanted.to_ms), 0.0))
    return trips


def _trip(trade: TradeRow, frame_ms: int) -> RoundTrip:
    return RoundTrip(
        symbol=trade.symbol,
        frame_ms=frame_ms,
        side=trade.side,
        quantity_base=trade.quantity_base,
        entry_ms=trade.entry_ms,
        exit_ms=trade.exit_ms,
        exit_reason=trade.exit_reason,
        funding_quote=trade.funding_quote,
        net_quote=trade.net_quote,
    )
