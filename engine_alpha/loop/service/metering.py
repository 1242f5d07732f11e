"""Takes the service's figures for Prometheus, and serves them where engine.json gives a port."""

import json
import logging
from collections.abc import Iterator, Sequence

import engine_alpha
from engine_alpha.journals.sqlite import SqliteJournal
from engine_alpha.kernel.codes import ACCOUNT_GATES, OWN_GATES
from engine_alpha.kernel.ledger import held_of
from engine_alpha.loop.engine import Engine
from engine_alpha.loop.live_step import StepReport
from engine_alpha.loop.service.accounts import Account
from engine_alpha.loop.service.health import Health
from engine_alpha.loop.tick import TickReport
from engine_alpha.notices.metrics import AccountFigures, AssetFigures, Metrics
from engine_alpha.notices.metrics_page import ADDRESS, PATH, MetricsPage
from engine_alpha.step.state import AssetState
from engine_alpha.trading.recording import ORDER

_REMEMBERED = 1_000  # orders, the ones heard of last

_log = logging.getLogger("chloe.service")


class Metering:
    """Implements `service.Watcher`. A port in use is told once, and the engine goes on without the page."""

    def __init__(self) -> None:
        self.metrics = Metrics(engine_alpha.__version__)
        self.page: MetricsPage | None = None
        self._port = 0
        self._ticked: set[str] = set()
        self._known: dict[str, int] = {}
        self._order_seq: dict[str, int] = {}
        self._statuses: dict[str, str] = {}

    def ticked(self, engine: Engine, report: TickReport, took_ms: int) -> None:
        """Take in a tick."""
        name = engine.labels.account
        blocked = [pair for step in report.steps for pair in _blocked(step)]
        self.metrics.ticked(name, took_ms, (step.status for step in report.steps), blocked)
        while engine.feed_times:
            venue, seconds = engine.feed_times.popleft()
            self.metrics.fed(name, venue, seconds)
        self._ticked.add(name)

    def worked(self, account: Account, now_ms: int) -> None:
        """Take in how the account stands, if it has ticked, or its journal has grown."""
        engine, name = account.engine, account.name
        if engine is None:
            return
        self._serve(engine.setup.engine.metrics.port)
        journal = engine.journal
        while isinstance(journal, SqliteJournal) and journal.commit_seconds:
            self.metrics.committed(name, journal.commit_seconds.popleft())
        if self._known.get(name) == journal.last_seq() and name not in self._ticked:
            return
        self._known[name] = journal.last_seq()
        self._ticked.discard(name)
        self._take_orders(name, engine)
        self.metrics.stands(_figures(account, engine))

    def passed(self, accounts: Sequence[Account], health: Health, now_ms: int) -> None:
        """Take in that the loop has come round; forget accounts that are gone."""
        self.metrics.passed(health.healthy)
        for name in self._known.keys() - {account.name for account in accounts}:
            self.metrics.gone(name)
            del self._known[name]

    def close(self) -> None:
        """Let go of the port."""
        if self.page is not None:
            self.page.close()
            self.page = None

    def _serve(self, port: int) -> None:
        if port == self._port:
            return
        self.close()
        self._port = port
        if port == 0:
            return
        try:
            self.page = MetricsPage(port, self.metrics.page)
        except OSError as fault:
            _log.error(
                "no figures for Prometheus: port %d of %s can't be used (%s); the engine goes on. "
                "Choose another metrics.port in engine.json, 0 for none",
                port,
                ADDRESS,
                fault.strerror,
            )
        else:
            _log.info("figures for Prometheus: http://%s:%d%s", ADDRESS, self.page.port, PATH)

    def _take_orders(self, name: str, engine: Engine) -> None:
        """Count the statuses that orders came to since the last look; those of before the start are not."""
        last = engine.journal.last_seq()
        for stored in engine.journal.events_after(self._order_seq.get(name, last), (ORDER,)):
            order = json.loads(stored.event.payload)
            intent, status = order["intent"], order["status"]
            if self._statuses.pop(intent["client_id"], "") != status:
                self.metrics.ordered(name, order["venue"], intent["leg"], status)
            self._statuses[intent["client_id"]] = status
            if len(self._statuses) > _REMEMBERED:
                del self._statuses[next(iter(self._statuses))]
        self._order_seq[name] = last


def _blocked(step: StepReport) -> Iterator[tuple[str, str]]:
    """Yield the gates that let no entry through, for each bar that was decided."""
    for stepped in step.bars:
        decision = stepped.record.decision
        for names, verdicts in ((OWN_GATES, decision.gates), (ACCOUNT_GATES, decision.allocation)):
            yield from (
                (step.symbol, gate) for gate, verdict in zip(names, verdicts, strict=True) if not verdict[0]
            )


def _figures(account: Account, engine: Engine) -> AccountFigures:
    held = [held_of(state.sub) for state in engine.book.assets.values()]
    states = engine.live.book.states.values() if engine.live is not None else ()
    marks = engine.book.account
    return AccountFigures(
        account=account.name,
        equity_quote=engine.setup.risk.equity_quote + sum(each.net_quote for each in held),
        exposure_quote=sum(each.notional_quote for each in held),
        positions=sum(each.positions for each in held),
        unknown_outcomes=sum(len(state.unresolved) for state in states),
        halted=marks.halted or bool(marks.marks.drawdown_halted),
        assets=[
            _asset_figures(account, symbol, engine.book.assets.get(symbol))
            for symbol in dict.fromkeys(asset.symbol for asset in account.assets())
        ],
    )


def _asset_figures(account: Account, symbol: str, state: AssetState | None) -> AssetFigures:
    standing = account.standing(symbol)
    sub = None if state is None else state.sub
    factor = None
    if sub is not None and sub.trades:
        factor = sub.gross_profit_quote / sub.gross_loss_quote if sub.gross_loss_quote else float("inf")
    frame_ms = 0 if state is None else state.config.timeframe_ms
    return AssetFigures(
        symbol=symbol,
        decided_ms=0 if sub is None or sub.last_index < 0 else (sub.last_index + 1) * frame_ms,
        trades=0 if sub is None else sub.trades,
        profit_factor=factor,
        faults=standing.faults,
        resting=standing.resting,
    )
