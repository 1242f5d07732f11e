"""What an audit looks at, gathered: accounts, their journals, stored bars, what is armed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from engine_alpha.audit.audit import audited
from engine_alpha.audit.checks import Audit
from engine_alpha.audit.parity import Parity
from engine_alpha.audit.record import SPAN_MS, Record, record_of, returned_ms, trades_of
from engine_alpha.audit.subject import Subject
from engine_alpha.cli.accounts import Account, accounts_of, named_account, reading
from engine_alpha.cli.options import given_account
from engine_alpha.config.engine import ACCOUNT_OF_ENVIRONMENT, MAINNET
from engine_alpha.errors import ConfigError
from engine_alpha.loop.arming import Armed, armed, counting
from engine_alpha.loop.wiring import ACCOUNT_OF_FEED
from engine_alpha.plans.setup import Setup

if TYPE_CHECKING:
    from engine_alpha.ports import Journal

REAL_MONEY = ACCOUNT_OF_ENVIRONMENT[MAINNET]


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How an audit looks: at what time, for real orders, deciding again or not, at which size."""

    now_ms: int
    for_live: bool = False
    with_parity: bool = True
    size_factor: float | None = None  # None: as it is armed


def audits_of(setup: Setup, symbols: Sequence[str], look: Look) -> list[Audit]:
    """Return the audits of these assets, each in the account that steps it."""
    live = setup.engine.live
    venues = {asset.symbol: asset.venue for asset in setup.registry.assets}
    real = counting(armed(setup.home.account(live.account)), live.environment, venues)
    found: dict[str, Audit] = {}
    for account, own in _accounts(setup, symbols, real).items():
        for subject in _subjects(setup, Account(home=setup.home, name=account), own, look):
            found[subject.symbol] = audited(_armed_as(subject, real, look))
    return [found[symbol] for symbol in symbols]


def _accounts(setup: Setup, symbols: Sequence[str], real: Armed) -> dict[str, list[str]]:
    """Return which assets are looked at in which account: the one named, else the one that steps each."""
    wanted = given_account()
    if wanted is not None:
        return {named_account(setup.home, wanted, accounts_of(setup.home)).name: list(symbols)}
    paper, found = ACCOUNT_OF_FEED[setup.engine.feed], dict[str, list[str]]()
    for symbol in symbols:
        found.setdefault(setup.engine.live.account if symbol in real else paper, []).append(symbol)
    return found


def _armed_as(subject: Subject, real: Armed, look: Look) -> Subject:
    own = real.get(subject.symbol)
    size_factor = look.size_factor or (own.size_factor if own is not None else 1.0)
    return replace(subject, size_factor=size_factor, watched_from_ms=own.at_ms if own is not None else 0)


def _subjects(setup: Setup, account: Account, symbols: Sequence[str], look: Look) -> Iterator[Subject]:
    """Yield what is known of assets that one account steps."""
    records = {symbol: Record(account=account.name, simulated=account.simulated) for symbol in symbols}
    parity = Parity(why_not="nothing was stepped yet", mend="chloe run")
    if account.exists:
        with reading(account) as journal:
            told = (account.name, account.simulated)
            records = {symbol: record_of(journal, symbol, told, look.now_ms) for symbol in symbols}
            parity = _parity(account, journal, look)
    for symbol in symbols:
        yield Subject(
            setup=setup,
            symbol=symbol,
            stage=_stage(setup, account, symbol),
            record=records[symbol],
            parity=replace(parity, mend=_mend(setup, symbol, parity)),
            now_ms=look.now_ms,
            for_live=look.for_live,
            trades=_counted(account, records[symbol], symbol),
            key_fault=_key_fault(setup, symbol) if look.for_live else "",
        )


def _stage(setup: Setup, account: Account, symbol: str) -> str:
    asset = next((one for one in setup.registry.assets if one.symbol == symbol), None)
    if asset is None:
        return "refused"
    return "disabled" if not asset.enabled else "live" if account.live else "paper"


def _counted(account: Account, record: Record, symbol: str) -> tuple[Mapping[str, Any], ...]:
    """Return the trades that speak: of the account, and those with real money before or after them.

    Play money's stay apart: no market made its prices. What a return to paper ended counts no more.
    """
    if account.simulated or (account.live and account.name != REAL_MONEY):
        return record.trades
    trades, since_ms = [], 0
    for name in (ACCOUNT_OF_FEED["venue"] if account.live else account.name, REAL_MONEY):
        asked = Account(home=account.home, name=name)
        if asked.exists:
            with reading(asked) as journal:
                trades += trades_of(journal, symbol)
                since_ms = returned_ms(journal, symbol) if asked.live else since_ms
    return tuple(trade for trade in trades if trade["exit_ms"] >= since_ms)


def _key_fault(setup: Setup, symbol: str) -> str:
    from engine_alpha.config.keys import read_keys

    asset = next((one for one in setup.registry.assets if one.symbol == symbol), None)
    if asset is None:
        return "no venue is known"
    try:
        read_keys(setup.home, asset.venue)
    except ConfigError as fault:
        return str(fault)
    return ""


def _parity(account: Account, journal: Journal, look: Look) -> Parity:
    """Decide the account's last days again; say why not where there is nothing to decide on."""
    if not look.with_parity:
        return Parity(why_not="not asked for", mend="chloe audit")
    try:
        return Parity(found=_verified(account, journal, look))
    except ModuleNotFoundError as missing:
        return Parity(why_not=f"it needs {missing.name}", mend="pip install 'chloe[backtest]'")
    except ConfigError as fault:
        return Parity(why_not=f"no stored bars ({fault})")


def _verified(account: Account, journal: Journal, look: Look) -> Any:
    from engine_alpha.backtest.verify import Span, verify
    from engine_alpha.cli.progress import progress_shown
    from engine_alpha.cli.verify import first_source, sources_of

    sources = sources_of(account, journal, first_source(journal, account), (None, None))
    span = Span(from_ms=max(0, look.now_ms - SPAN_MS))
    with progress_shown("deciding again", "events") as progress:
        return verify(journal, sources, span, progress)


def _mend(setup: Setup, symbol: str, parity: Parity) -> str:
    """Return the command that gets the bars to decide again on."""
    asset = next((one for one in setup.registry.assets if one.symbol == symbol), None)
    if parity.mend or asset is None:
        return parity.mend or "chloe assets list"
    return (
        f"chloe data download --venue {asset.venue} --symbols {symbol} --timeframe {asset.base_timeframe} "
        f"--funding, then: chloe audit {symbol}"
    )
