"""Money as it stands: empty values to start from; equity = start + realised + unrealised - fees + funding."""

from engine_alpha.kernel.values import Account, Others, Pending, Position, SubAccount, Tally, Trade

FLAT = Position(0, 0, 0.0, 0.0, 0, 0, 0.0, 0.0, 0.0, 0.0, 0.0, 0, 0.0, 0.0, 0.0, 0.0, 0, 0.0, 0)
NO_PENDING = Pending(0, 0, 0.0, 0.0, 0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0, 0.0, 0, 0.0)
NO_TRADE = Trade(0, 0, 0.0, 0, 0.0, 0, 0.0, 0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0, 0.0, 0, 0, 0.0)
NEW_TALLY = Tally(0, 0.0, 0.0, 0.0, 0.0, 0, 0)
NO_OTHERS = Others(0.0, 0.0, 0.0, 0, 0.0, 0.0)
DAY_MS = 86_400_000


def new_sub_account(start_quote: float) -> SubAccount:
    """Return an untouched sub-account."""
    return SubAccount(
        start_quote, 0.0, 0.0, 0.0, start_quote, 0.0, -1, 0, 0.0, 0.0, 0, -1, 0, FLAT, NO_PENDING
    )


def new_account(start_quote: float) -> Account:
    """Return an untouched account."""
    return Account(start_quote, 0, start_quote, 0)


def unrealised_quote(sub: SubAccount) -> float:
    """Return the open position's profit at the last advanced close, before exit costs."""
    position = sub.position
    return position.side * position.quantity_base * (sub.mark_price - position.entry_price)


def net_quote(sub: SubAccount) -> float:
    """Return all profit and loss so far, open and closed, after fees and funding."""
    return sub.realised_quote + unrealised_quote(sub) - sub.fees_quote + sub.funding_quote


def equity_quote(sub: SubAccount) -> float:
    """Return the sub-account's marked equity."""
    return sub.start_quote + net_quote(sub)
