"""The one road: settle what the bar did, then decide. Rehearsal, paper and backtest all call this."""

from engine_alpha.kernel.decide import decide
from engine_alpha.kernel.exits import trailed_stop
from engine_alpha.kernel.gates import account_marked
from engine_alpha.kernel.ledger import holding, moved
from engine_alpha.kernel.money import equity_quote
from engine_alpha.kernel.settle import marked, settle
from engine_alpha.kernel.values import (
    Asset,
    Bar,
    Decision,
    Features,
    Purse,
    Record,
    Rules,
    SubAccount,
)


def advance(purse: Purse, rules: Rules, bar: Bar, features: Features) -> tuple[Purse, Record]:
    """Advance one asset by one closed bar; return its purse after it and the record of what happened.

    The tallies in the purse are read, not written: the caller enters `record.settlement.trade` and a decided
    entry there with `ledger.tallied_trade` and `ledger.tallied_entry`, the trade before calling is over.
    """
    sub, settlement = settle(purse.sub, rules.asset, rules.risk, bar)
    sub = marked(sub, bar, settlement.funding_unknown)
    purse = Purse(sub, purse.account, purse.others, purse.tallies)
    account = account_marked(purse, rules.risk, bar.close_ms)
    purse = Purse(sub, account, purse.others, purse.tallies)
    decision = decide(purse, rules, bar, features)
    sub = with_decision(sub, rules.asset, bar, decision)
    record = Record(bar.open_ms, bar.close_ms, settlement, decision, equity_quote(sub))
    return Purse(sub, account, purse.others, purse.tallies), record


def with_decision(sub: SubAccount, asset: Asset, bar: Bar, decision: Decision) -> SubAccount:
    """Return the sub-account with the decided entry pending, the exit due, and the stop trailed."""
    position = sub.position
    if position.side != 0:
        stop = trailed_stop(position, bar, asset)
        position = moved(position, stop, position.funding_quote, decision.exit.reason)
    return holding(sub, position, decision.pending, 0.0, 0.0)
