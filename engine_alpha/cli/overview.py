"""All that a status shows, of one account or of several, as plain values.

What costs little is gathered for every asset; its last decision is read only for those that are shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine_alpha.cli.accounts import Account, accounts_of, choose_account, live_accounts, reading
from engine_alpha.cli.engines import runner_of
from engine_alpha.cli.options import given_account
from engine_alpha.cli.position_fields import pending_fields, position_fields
from engine_alpha.cli.records import faults_after, last_decision, last_written_ms, live_views, trades_in
from engine_alpha.cli.staging import Staged, staged_assets
from engine_alpha.home import Home
from engine_alpha.kernel.money import DAY_MS, net_quote
from engine_alpha.kernel.profit_factor import ProfitFactor, profit_factor
from engine_alpha.loop.halt_file import requested_halt
from engine_alpha.reports.gates import blocking
from engine_alpha.reports.words import factor, factor_fields
from engine_alpha.step.state import AccountBook

if TYPE_CHECKING:
    from engine_alpha.plans.setup import Setup
    from engine_alpha.ports import Journal

SETTLE_MS = 120_000  # a bar that closed so long ago should have its record
QUIET_MS = 900_000  # an engine that wrote nothing for a bar and so long is asked after


def accounts_shown(home: Home) -> list[Account]:
    """Return the account --account names; else the one commands take by default, and all with real orders."""
    first = choose_account(home)
    if given_account() is not None or first.rehearsal:
        return [first]
    there = [name for name in accounts_of(home) if Account(home=home, name=name).live]
    live = [name for name in dict.fromkeys([*there, *live_accounts(home)]) if name != first.name]
    others = len(set(accounts_of(home)) - {first.name, *live})
    return [
        Account(home=home, name=first.name, others=others),
        *(Account(home=home, name=name) for name in live),
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One account with its open journal, None before its first record."""

    account: Account
    journal: Journal | None
    book: AccountBook
    live: Mapping[str, Mapping[str, Any]]
    staged: Mapping[str, Staged]
    nets: Mapping[str, list[float]] | None = None

    def factor(self, symbol: str | None = None) -> ProfitFactor:
        """Return the profit factor of one asset, or of all; with its interval where `nets` were read."""
        if self.nets is not None:
            of_symbol = {symbol: self.nets.get(symbol, [])} if symbol else self.nets
            return profit_factor([net for nets in of_symbol.values() for net in nets])
        subs = [state.sub for name, state in self.book.assets.items() if symbol in (None, name)]
        profit = sum(sub.gross_profit_quote for sub in subs)
        loss = sum(sub.gross_loss_quote for sub in subs)
        trades = sum(sub.trades for sub in subs)
        value = None if trades == 0 else profit / loss if loss > 0.0 else float("inf")
        return ProfitFactor(value, trades, None, None, profit, loss, None)


@contextmanager
def overview(accounts: Sequence[Account], setup: Setup, at_ms: int, *, exact: bool) -> Iterator[list[Shown]]:
    """Open the accounts for reading, without a lock. Raises `JournalError`.

    `exact` reads every closed trade, for intervals; else profit factors come from the states' running sums.
    """
    with ExitStack() as stack:
        shown = []
        for account in accounts:
            journal = stack.enter_context(reading(account)) if account.exists else None
            states = {} if journal is None else journal.states()
            book = AccountBook(states, setup.risk.equity_quote)
            staged = staged_assets(setup, book, account, at_ms)
            shown.append(
                Shown(
                    account=account,
                    journal=journal,
                    book=book,
                    live=live_views(states) if account.live else {},
                    staged={each.symbol: each for each in staged},
                    nets=_nets(journal) if exact else None,
                )
            )
        yield shown


def _nets(journal: Journal | None) -> dict[str, list[float]]:
    nets: dict[str, list[float]] = {}
    for trade in [] if journal is None else trades_in(journal):
        nets.setdefault(trade["symbol"], []).append(trade["net_quote"])
    return nets


def account_fields(shown: Shown, setup: Setup, at_ms: int) -> dict[str, Any]:
    """Return an account's money, who works on it and when something was written last."""
    account = shown.account
    written_ms = None if shown.journal is None else last_written_ms(shown.journal)
    runner = runner_of(account.folder)
    frames = [each.timeframe_ms for each in shown.staged.values() if each.timeframe_ms]
    silent_ms = 0 if written_ms is None else max(0, at_ms - written_ms)
    overdue = bool(frames) and not account.rehearsal and silent_ms > min(frames, default=0) + QUIET_MS
    whole = shown.factor()
    return {
        **account.fields(),
        "account_exists": shown.journal is not None,
        "live": account.live,
        "rehearsal": account.rehearsal,
        "engine": None if runner is None else {"pid": runner.pid, "started": runner.started},
        "last_record_ms": written_ms,
        "overdue": overdue,
        "money": {
            **_money_fields(account, setup, shown.book, at_ms),
            "pf": factor(whole),
            "profit_factor": factor_fields(whole),
        },
    }


def _money_fields(account: Account, setup: Setup, book: AccountBook, at_ms: int) -> dict[str, Any]:
    marks = book.account.marks
    equity = setup.risk.equity_quote + sum(net_quote(state.sub) for state in book.assets.values())
    same_day = account.rehearsal or marks.day == at_ms // DAY_MS
    peak = max(marks.peak_quote, equity)
    wish = requested_halt(account.folder)
    taken_up = wish is None or (wish["halted"], wish["at_ms"]) == (
        book.account.halted,
        book.account.halt_at_ms,
    )
    return {
        "equity_quote": equity,
        "quote_ccy": setup.registry.assets[0].quote_ccy if setup.registry.assets else "USDT",
        "day_profit_quote": equity - marks.day_start_quote if same_day else 0.0,
        "drawdown_frac": (peak - equity) / peak if peak > 0.0 else None,
        "halted": book.account.halted,
        "halt_reason": book.account.halt_reason,
        "wish": None if taken_up or wish is None else wish["halted"],
        "drawdown_halted": marks.drawdown_halted == 1,
        "positions": sum(1 for state in book.assets.values() if state.sub.position.side != 0),
    }


def outlines(shown: Shown, at_ms: int) -> list[dict[str, Any]]:
    """Return what is known of every asset without reading its decisions: enough to rank them by trouble."""
    return [_outline(shown, staged, at_ms) for staged in shown.staged.values()]


def _outline(shown: Shown, staged: Staged, at_ms: int) -> dict[str, Any]:
    state, frame_ms, rehearsal = staged.state, staged.timeframe_ms, shown.account.rehearsal
    bar_ms = None
    if state is not None and state.sub.last_index >= 0:
        bar_ms = state.sub.last_index * state.config.timeframe_ms
    missing = 0
    if frame_ms and not rehearsal:
        newest_ms = ((at_ms - SETTLE_MS) // frame_ms - 1) * frame_ms
        missing = 1 if bar_ms is None else max(0, (newest_ms - bar_ms) // frame_ms)
    faults = []
    if shown.journal is not None and (missing or rehearsal or not frame_ms):
        faults = faults_after(shown.journal, staged.symbol, -1 if bar_ms is None else bar_ms)
    return {
        "account": shown.account.name,
        "symbol": staged.symbol,
        "timeframe": staged.timeframe,
        "stage": staged.stage,
        "fault": staged.fault,
        "bar_ms": bar_ms,
        "missing_bars": missing,
        "faults": faults,
        "live": shown.live.get(staged.symbol),
        "position": position_fields(state),
        "next_close_minutes": (
            -(-((at_ms // frame_ms + 1) * frame_ms - at_ms) // 60_000) if frame_ms and not rehearsal else None
        ),
    }


def with_decision(shown: Shown, outline: Mapping[str, Any], setup: Setup, at_ms: int) -> dict[str, Any]:
    """Return an asset's outline with what its last decision saw and said, and its profit factor."""
    symbol = outline["symbol"]
    staged = shown.staged[symbol]
    view = None if shown.journal is None else last_decision(shown.journal, symbol)
    found = shown.factor(symbol)
    state = staged.state
    return {
        **outline,
        "bar_ms": outline["bar_ms"] if view is None else view["open_ms"],
        "close": view and view["close"],
        "regime": view and view["regime"],
        "direction": view and view["direction"],
        "confidence": view and view["confidence"],
        "action": view and view["action"],
        "card": state.held.name if state is not None and state.held else None,
        "exit_due": None if outline["position"] is None else outline["position"]["exit_due"],
        "pending": state and pending_fields(state, at_ms, setup if shown.account.simulated else None),
        "blocked_by": [] if view is None else blocking(view),
        "pf": factor(found),
        "profit_factor": factor_fields(found),
    }
