"""`chloe status`: one screen of everything that trades."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from engine_alpha.cli.accounts import Account, choose_account, reading
from engine_alpha.cli.options import (
    account_option,
    chosen_home,
    examples,
    home_option,
    json_option,
    now_ms,
    now_option,
    wants_json,
)
from engine_alpha.cli.output import show, show_json
from engine_alpha.cli.staging import Staged, staged_assets

if TYPE_CHECKING:
    from engine_alpha.plans.setup import Setup
    from engine_alpha.ports import Journal
    from engine_alpha.step.state import AccountBook, AssetState


@click.command(
    epilog=examples(
        "chloe status                     the only account, or the configured feed's",
        "chloe status --account paper     another one",
        "chloe status --json | jq .assets",
    )
)
@now_option
@account_option
@home_option
@json_option
def status(now: str | None) -> None:
    """Show every enabled asset, what is held, what blocks entries, and the money, on one screen.

    Reads the journal only: also while a runner works.
    """
    from engine_alpha.plans.setup import read_setup

    home = chosen_home()
    setup = read_setup(home)
    account = choose_account(home)
    if account.exists:
        with reading(account) as journal:
            found = status_fields(account, setup, journal, now_ms(now))
    else:
        found = {**account.fields(), "account_exists": False, "assets": [], "enabled": _names(setup)}
    found["config_faults"] = setup.general_faults()
    if wants_json():
        show_json(found)
    else:
        _show(account, found)


def _names(setup: Setup) -> list[str]:
    return [asset.symbol for asset in setup.enabled]


def _show(account: Account, found: dict[str, Any]) -> None:
    from engine_alpha.reports.status import account_lines, asset_lines, assets_table, positions_table

    show(account.first_line())
    if account.live:
        show("booked when a bar has closed; what stands at the venues now: chloe live status")
    if not account.exists:
        enabled = ", ".join(found["enabled"]) or "none, see chloe assets"
        show(f"nothing has run in this account yet; enabled: {enabled}", "next: chloe tick")
    else:
        show(*account_lines(found["money"]), "", assets_table(found["assets"]))
        positions = positions_table(found["assets"])
        if positions is not None:
            show("", positions)
        lines = [line for asset in found["assets"] for line in asset_lines(asset)]
        show(*([""] if lines else []), *lines)
    show(*(f"left out: {fault}" for fault in found["config_faults"]))


def status_fields(account: Account, setup: Setup, journal: Journal, at_ms: int) -> dict[str, Any]:
    """Return everything on the screen as plain values."""
    from engine_alpha.cli.records import trades_in
    from engine_alpha.kernel.profit_factor import profit_factor
    from engine_alpha.reports.words import factor, factor_fields
    from engine_alpha.step.state import AccountBook

    book = AccountBook(journal.states(), setup.risk.equity_quote)
    trades = trades_in(journal)
    assets = []
    for staged in staged_assets(setup, book, account, at_ms):
        nets = [trade["net_quote"] for trade in trades if trade["symbol"] == staged.symbol]
        found = profit_factor(nets)
        fields = _asset_fields(account, setup, journal, staged, at_ms)
        assets.append({**fields, "pf": factor(found), "profit_factor": factor_fields(found)})
    whole = profit_factor([trade["net_quote"] for trade in trades])
    return {
        **account.fields(),
        "account_exists": True,
        "now_ms": at_ms,
        "money": {
            **_money_fields(account, setup, book, at_ms),
            "pf": factor(whole),
            "profit_factor": factor_fields(whole),
        },
        "assets": assets,
    }


def _money_fields(account: Account, setup: Setup, book: AccountBook, at_ms: int) -> dict[str, Any]:
    from engine_alpha.kernel.money import DAY_MS, net_quote
    from engine_alpha.loop.halt_file import requested_halt

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


def _asset_fields(
    account: Account, setup: Setup, journal: Journal, staged: Staged, at_ms: int
) -> dict[str, Any]:
    from engine_alpha.cli.records import faults_after, last_decision
    from engine_alpha.reports.gates import blocking

    state, frame_ms = staged.state, staged.timeframe_ms
    view = last_decision(journal, staged.symbol)
    bar_ms = None if view is None else view["open_ms"]
    left = None
    if frame_ms and not account.rehearsal:
        left = -(-((at_ms // frame_ms + 1) * frame_ms - at_ms) // 60_000)
    return {
        "symbol": staged.symbol,
        "timeframe": staged.timeframe,
        "stage": staged.stage,
        "fault": staged.fault,
        "bar_ms": bar_ms,
        "close": None if view is None else view["close"],
        "regime": view and view["regime"],
        "direction": view and view["direction"],
        "confidence": view and view["confidence"],
        "action": view and view["action"],
        "card": state.held.name if state is not None and state.held else None,
        "position": _position_fields(state),
        "exit_due": _exit_due(state),
        "pending": _pending_fields(account, setup, staged, at_ms),
        "blocked_by": [] if view is None else blocking(view),
        "faults": faults_after(journal, staged.symbol, -1 if bar_ms is None else bar_ms),
        "next_close_minutes": left,
    }


def _position_fields(state: AssetState | None) -> dict[str, Any] | None:
    from engine_alpha.kernel.money import unrealised_quote

    if state is None or state.sub.position.side == 0:
        return None
    held = state.sub.position
    return {
        "side": _side(held.side),
        "quantity_base": held.quantity_base,
        "entry_price": held.entry_price,
        "entry_ms": held.entry_ms,
        "stop_price": held.stop_price,
        "target_price": held.target_price or None,
        "unrealised_quote": unrealised_quote(state.sub),
    }


def _exit_due(state: AssetState | None) -> str | None:
    from engine_alpha.kernel.codes import EXITS

    due = 0 if state is None else state.sub.position.exit_due
    return EXITS[due] if due else None


def _pending_fields(account: Account, setup: Setup, staged: Staged, at_ms: int) -> dict[str, Any] | None:
    state = staged.state
    if state is None or state.sub.pending.side == 0:
        return None
    pending = state.sub.pending
    fills_at_ms = (pending.decided_index + 1) * staged.timeframe_ms
    return {
        "side": _side(pending.side),
        "quantity_base": pending.quantity_base,
        "decided_price": pending.decided_price,
        "fills_at_ms": fills_at_ms,
        "provisional_price": _provisional(setup, staged, at_ms) if account.simulated else None,
    }


def _provisional(setup: Setup, staged: Staged, at_ms: int) -> float | None:
    """Return what the pending entry fills at, where the forming bar's open costs nothing to know."""
    import asyncio

    from engine_alpha.loop.wiring import embedded_feed
    from engine_alpha.ports import BarRequest
    from engine_alpha.venues.paper import PaperVenue

    state = staged.state
    if state is None or at_ms // staged.timeframe_ms != state.sub.pending.decided_index + 1:
        return None
    plan = setup.plan(state.config)
    request = BarRequest(asset=state.config, first_open_ms=state.sub.last_index * staged.timeframe_ms)
    reading_now = asyncio.run(embedded_feed(setup).read(request, at_ms))
    venue = PaperVenue(plan.rules.asset, plan.rules.risk)
    return venue.provisional_fill(state.sub.pending, reading_now.forming_open)


def _side(side: int) -> str:
    return {1: "long", -1: "short"}[side]
