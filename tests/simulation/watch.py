"""The watch over one world: asks every invariant at its moment and measures time without a stop."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from engine_alpha.domain.orders import is_ours
from engine_alpha.exchanges.transport import Endpoint, Params
from engine_alpha.loop.live_step import FAILED
from engine_alpha.loop.tick import TickReport
from engine_alpha.trading.state import LiveState
from tests.exchange.trading.values import STOP_MARKET, BookFill, BookPosition
from tests.simulation import invariants
from tests.simulation.ledger import Ledger

if TYPE_CHECKING:
    from tests.simulation.world import World

ID_FIELDS = {"/v5/order/create": "orderLinkId", "/fapi/v1/order": "newClientOrderId"}


@dataclass(frozen=True, slots=True)
class Violation:
    """An invariant that does not hold: which, in which hour, and how."""

    rule: str
    hour: int
    text: str

    def __str__(self) -> str:
        return f"{self.rule} in hour {self.hour}: {self.text}"


class Watch:
    """`naked_ms` is how long positions stood without a stop in all, `naked_alive_ms` while a tick ran."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.violations: list[Violation] = []
        self.sent_as: dict[str, dict[str, str]] = {}
        self.naked_ms = 0
        self.naked_alive_ms = 0
        self.longest_naked_alive_ms = 0
        self._ledger: Ledger | None = None
        self._naked_run: dict[str, int] = {}
        self._fills: dict[int, BookFill] = {}
        self._checked: set[int] = set()
        self.touched: set[str] = set()  # symbols in which a person traded

    @property
    def ledger(self) -> Ledger:
        """Return the journal's word, up to date."""
        stored = self.world.disk.stored
        if self._ledger is None or self._ledger.journal is not stored:
            self._ledger = Ledger(stored)
        self._ledger.catch_up()
        return self._ledger

    def held(self) -> dict[str, BookPosition]:
        """Return the true positions."""
        found = self.world.book.state.positions
        return {symbol: each for symbol, each in found.items() if each.quantity}

    def has_stop(self, position: BookPosition, amount: Decimal | None = None) -> bool:
        """Say whether a stop for that much of it, all by default, stands at the exchange."""
        wanted = abs(position.quantity) if amount is None else min(amount, abs(position.quantity))
        for order in self.world.book.state.open.values():
            if order.symbol != position.symbol or order.type != STOP_MARKET or not order.request.reduces:
                continue
            against = (order.side == "sell") == (position.quantity > 0)
            if against and order.quantity >= wanted:
                return True
        return False

    def passed(self, from_ms: int, to_ms: int) -> None:
        """Measure a span of time."""
        alive = self.world.engine is not None and not self.world.process.dead and to_ms - from_ms < 30_000
        for symbol, position in self.held().items():
            if symbol in self.touched or self.has_stop(
                position
            ):  # a person's own position needs none of ours
                self._naked_run.pop(symbol, None)
                continue
            self.naked_ms += to_ms - from_ms
            if alive:
                self.naked_alive_ms += to_ms - from_ms
                run = self._naked_run[symbol] = self._naked_run.get(symbol, 0) + to_ms - from_ms
                self.longest_naked_alive_ms = max(self.longest_naked_alive_ms, run)

    def sent(self, endpoint: Endpoint, params: Params) -> None:
        """Look at a request before it leaves the process."""
        self.world.tell(f"{endpoint.method} {endpoint.path} {_short(params)}")
        name = ID_FIELDS.get(endpoint.path)
        if endpoint.method != "POST" or name is None:
            return
        told = {key: str(value).lower() for key, value in params.items()}
        client_id = told[name]
        self._report(invariants.at_sending(self.world, client_id, told))
        known = self.sent_as.setdefault(client_id, told)
        if known != told and not _is_dust(told):
            self.world.fail("S8", f"{client_id} was sent as {known}, then as {told}")

    def _report(self, found: list[tuple[str, str]]) -> None:
        for rule, text in found:
            self.world.fail(rule, text)

    def after_tick(self, report: TickReport | None, clean: bool) -> None:
        """Check what must hold after every tick, and more after one that nothing disturbed."""
        world = self.world
        self._report(invariants.always(world))
        if report is not None:
            for step in report.steps:
                if step.status == FAILED:
                    world.fail("failed", f"{step.symbol}: {step.reason}: {step.detail}")
        self._report(invariants.unexpected_faults(world))
        if clean and report is not None:
            self._report(invariants.after_a_clean_tick(world))

    def after_crash(self) -> None:
        """Check what the disk holds before it is opened again."""
        self._report(invariants.rebuilt(self.world))
        self._report(invariants.always(self.world))

    def at_end(self) -> None:
        """Check what must hold after a quiet time."""
        self._report(invariants.rebuilt(self.world))
        self._report(invariants.always(self.world))
        self._report(invariants.after_a_clean_tick(self.world))
        self._report(invariants.settled(self.world))

    def fills(self) -> dict[int, BookFill]:
        """Return the true executions by number."""
        done = self.world.book.fills
        for fill in done[len(self._fills) :]:
            self._fills[fill.number] = fill
        return self._fills

    def new_executions(self) -> list[tuple[int, dict[str, Any]]]:
        """Return the journalled executions that were not asked for yet."""
        new = [(n, told) for n, told in self.ledger.executions.items() if n not in self._checked]
        self._checked |= {number for number, _ in new}
        return new

    def ours(self, position: BookPosition) -> Decimal:
        """Return how much of a position is ours: all of it where nobody traded by hand."""
        state = self.live_state(position.symbol)
        if position.symbol not in self.touched:
            return abs(position.quantity)
        return abs(Decimal(state.ours_base)) if state is not None else Decimal(0)

    def foreign(self, symbol: str) -> Decimal:
        """Return what others hold there, as the engine knows it."""
        state = self.live_state(symbol)
        return Decimal(0) if state is None else Decimal(state.foreign_base)

    def live_state(self, symbol: str) -> LiveState | None:
        """Return the engine's live state of a symbol, None without one."""
        engine = self.world.engine
        return None if engine is None or engine.live is None else engine.live.book.states.get(symbol)

    def accepted(self) -> dict[str, int]:
        """Return how often each of our orders was accepted."""
        return {key: n for key, n in self.world.book.state.accepted.items() if is_ours(key)}


def _short(params: Params) -> str:
    left_out = ("category", "limit", "settleCoin", "positionIdx")
    return " ".join(f"{key}={value}" for key, value in params.items() if key not in left_out)


def _is_dust(told: dict[str, str]) -> bool:
    return told.get("closeontrigger") is not None or told.get("closeOnTrigger") is not None
