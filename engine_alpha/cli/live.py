"""`chloe live`: which coins send real orders."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import click

from engine_alpha.cli.accounts import live_accounts, named_account
from engine_alpha.cli.confirming import confirmed
from engine_alpha.cli.lazy import LazyGroup
from engine_alpha.cli.options import (
    account_option,
    chosen_home,
    examples,
    given_account,
    home_option,
    json_option,
    now_ms,
    wants_json,
)
from engine_alpha.cli.output import remark, show, show_json
from engine_alpha.cli.symbols import require_known
from engine_alpha.errors import ConfigError, DataError, Refused
from engine_alpha.home import Home
from engine_alpha.loop.saying import CONFIG_CODE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine_alpha.audit.permission import Permission
    from engine_alpha.config.engine import EngineConfig
    from engine_alpha.domain.asset import AssetConfig
    from engine_alpha.plans.setup import Setup
    from engine_alpha.venues.setup_checks import Findings

yes_option = click.option("--yes", is_flag=True, help="Do not ask.")


@click.group(
    cls=LazyGroup,
    lazy={
        "arm": ("live:arm", "Let a coin send orders to its venue, after looking at keys and account."),
        "disarm": ("live:disarm", "Take that back; always works."),
        "status": ("live_status:live_status", "What is armed, held and protected at the venues."),
    },
    epilog=examples(
        "chloe live arm ETHUSDT       from the next tick on its orders go to its venue",
        "chloe live status            what is armed, held and protected there",
        "chloe live disarm ETHUSDT    back to paper; a position keeps its stop until it is flat",
    ),
)
def live() -> None:
    """Real orders: nothing is sent for a coin that is not armed.

    live.environment of engine.json says where they go:
    testnet and demo are the venues' own, with play money; loopback is a test exchange on this machine.
    """


@click.command(
    epilog=examples(
        "chloe live arm ETHUSDT              looks at everything, asks, then arms",
        "chloe live arm ETHUSDT --yes        does not ask",
        "chloe live arm ETHUSDT --unproven   at a part of its usual size, before its trades prove an edge",
    )
)
@click.argument("symbol")
@click.option("--unproven", is_flag=True, help="At evidence.unproven_size_factor of risk.json; always asks.")
@yes_option
@home_option
@json_option
def arm(symbol: str, unproven: bool, yes: bool) -> int:
    """Let a coin send orders to its venue from the next tick on.

    Looks first: registry, environment, keys, the coin's audit, then the venue's account and contract. Nothing
    is written unless all is well; what is not is told, and the exit code is 2. A coin that is armed already
    is armed anew where its size becomes another: its trades are watched from then on.
    """
    from engine_alpha.plans.setup import read_setup

    if unproven and yes:
        raise click.UsageError("--unproven asks a person: leave out --yes")
    home = chosen_home()
    asset = _enabled_asset(home, symbol)
    engine = _environment(home)
    _require_keys(home, engine, asset.venue)
    setup = read_setup(home)
    permitted = _permission(setup, asset, unproven)
    if permitted.refusals:
        return _refused(symbol, list(permitted.refusals))
    found = asyncio.run(_found_at_venue(home, setup, asset))
    if found.faults:
        _beware(found.warnings)
        return _refused(symbol, found.faults)
    _beware([*found.warnings, *permitted.warnings])
    question = _question(engine, asset, permitted.size_factor)
    if not yes and not confirmed(question, symbol):
        remark(f"{symbol} is not armed: it was not confirmed")
        return CONFIG_CODE
    _arm(home, engine, asset, permitted.size_factor)
    return 0


def _permission(setup: Setup, asset: AssetConfig, unproven: bool) -> Permission:
    """Return what the coin's audit allows: in the account of its prices on paper, or where it is armed."""
    from engine_alpha.audit.permission import Wish, permission
    from engine_alpha.cli.auditing import Look, audits_of
    from engine_alpha.config.engine import MAINNET

    real = setup.engine.live.environment == MAINNET
    smaller = setup.risk.evidence.unproven_size_factor
    look = Look(now_ms=now_ms(), for_live=True, with_parity=real, size_factor=smaller if unproven else 1.0)
    [audit] = audits_of(setup, [asset.symbol], look)
    return permission(
        audit,
        Wish(
            real=real,
            unproven=unproven,
            unproven_size_factor=smaller,
            simulated=audit.simulated,
        ),
    )


def _beware(warnings: Sequence[str]) -> None:
    for warning in warnings:
        remark(f"chloe: beware: {warning}")


def _question(engine: EngineConfig, asset: AssetConfig, size_factor: float) -> str:
    size = "" if size_factor == 1.0 else f" at {size_factor:g} of its usual risk"
    where = f"{asset.venue}, {engine.live.environment}"
    return f"{asset.symbol} will send orders{size} to {where}, without asking again."


def _arm(home: Home, engine: EngineConfig, asset: AssetConfig, size_factor: float) -> None:
    from engine_alpha.loop.arming import arm as write_armed

    live, at_ms = engine.live, now_ms()
    folder = home.account(live.account)
    write_armed(folder, asset.symbol, at_ms, live.environment, asset.venue, size_factor)
    _say_armed(home, engine, asset, (at_ms, size_factor))


@click.command(
    epilog=examples(
        "chloe live disarm ETHUSDT                        in every environment",
        "chloe live disarm --all                          every coin",
        "chloe live disarm --all --account live-testnet   in this account only",
    )
)
@click.argument("symbol", required=False)
@click.option("--all", "everything", is_flag=True, help="Every coin.")
@account_option
@home_option
@json_option
def disarm(symbol: str | None, everything: bool) -> None:
    """Let a coin open no more positions with real orders; always works, beside a broken file too.

    A position that is open keeps its stop and is stepped close-only until it is flat.
    """
    from engine_alpha.loop.arming import disarm as write_disarmed

    if everything == (symbol is not None):
        raise click.UsageError("name a SYMBOL, or say --all")
    home = chosen_home()
    names = live_accounts(home)
    if (wanted := given_account()) is not None:
        names = [named_account(home, wanted, names).name]
    gone = {name: write_disarmed(home.account(name), symbol) for name in names}
    if symbol is not None and not any(gone.values()):
        require_known(home, symbol)
    if wants_json():
        show_json(
            {"home": str(home.path), "disarmed": {name: list(symbols) for name, symbols in gone.items()}}
        )
        return
    for name, symbols in gone.items():
        if symbols:
            show(f"disarmed in {name}: {', '.join(symbols)}; no entries from the next tick on")
    if any(gone.values()):
        show("a position that is open keeps its stop and is stepped close-only; to be out: chloe flatten")
    else:
        show(f"{symbol or 'nothing'} was{' not' if symbol else ''} armed")


def _enabled_asset(home: Home, symbol: str) -> AssetConfig:
    """Return the registry's entry of a coin that trades; raise `ConfigError` for any other."""
    from engine_alpha.config.assets import read_registry, unknown_symbol

    registry = read_registry(home.registry)
    faults = [str(fault) for fault in registry.faults if fault.symbol == symbol]
    if faults:
        raise ConfigError("\n".join(faults))
    asset = next((each for each in registry.assets if each.symbol == symbol), None)
    if asset is None:
        raise unknown_symbol(symbol, registry, home.registry)
    if not asset.enabled:
        raise ConfigError(f"{symbol} is disabled, arming it would do nothing: chloe assets enable {symbol}")
    return asset


def _environment(home: Home) -> EngineConfig:
    """Return engine.json if it names an environment that may be armed."""
    from engine_alpha.config.engine import MAINNET, read_engine

    engine = read_engine(home.engine)
    if engine.live.environment == MAINNET:
        raise ConfigError(
            "real money can't be armed in this version: use testnet, demo or loopback; what it would ask "
            "for: chloe audit SYMBOL --for-live"
        )
    return engine


def _require_keys(home: Home, engine: EngineConfig, venue: str) -> None:
    from engine_alpha.config.keys import read_keys

    engine.live_url(venue)
    read_keys(home, venue)


async def _found_at_venue(home: Home, setup: Setup, asset: AssetConfig) -> Findings:
    """Return what the venue itself has against this coin with these keys.

    Its no to a question is a fault too; raise `VenueError` or `DataError` if it does not answer.
    """
    from engine_alpha.loop.wiring import make_clock, make_live_venue
    from engine_alpha.venues.setup_checks import Findings, SetupNeeds, setup_findings

    plan, clock = setup.plan(asset), make_clock(None)
    price = await _price(setup, asset, clock.now_ms())
    needs = SetupNeeds(clock=clock, equity_quote=plan.rules.asset.start_quote, price_quote=price)
    venue = make_live_venue(home, setup, asset.venue)
    try:
        return await setup_findings(venue, asset, plan.instrument, needs)
    except Refused as no:
        return Findings(faults=[str(no)])
    finally:
        await venue.close()


async def _price(setup: Setup, asset: AssetConfig, at_ms: int) -> float:
    """Return the venue's newest close: a live account decides on that, whatever feed the home has."""
    from engine_alpha.loop.wiring import Venues
    from engine_alpha.ports import BarRequest

    feed, frame_ms = Venues(setup.home, setup).candles(), asset.timeframe_ms
    try:
        request = BarRequest(asset=asset, first_open_ms=(at_ms // frame_ms - 2) * frame_ms)
        bars = (await feed.read(request, at_ms)).bars
    finally:
        await feed.close()
    if len(bars) == 0:
        raise DataError("missing", f"{asset.venue} has no new bar of {asset.symbol}")
    return float(bars.close[-1])


def _refused(symbol: str, faults: list[str]) -> int:
    if wants_json():
        show_json({"symbol": symbol, "armed": False, "faults": faults})
    for fault in faults:
        remark(f"chloe: {symbol} is not armed: {fault}")
    return CONFIG_CODE


def _say_armed(home: Home, engine: EngineConfig, asset: AssetConfig, made: tuple[int, float]) -> None:
    from engine_alpha.loop.halt_file import requested_halt

    live, symbol, (at_ms, size_factor) = engine.live, asset.symbol, made
    wish = requested_halt(home.account(live.account))
    halted = bool(wish and wish["halted"])
    if wants_json():
        fields: dict[str, Any] = {"symbol": symbol, "armed": True, "at_ms": at_ms, "venue": asset.venue}
        fields |= {"environment": live.environment, "account": live.account, "size_factor": size_factor}
        show_json({**fields, "halted": halted})
        return
    show(
        f"{symbol} is armed: {asset.venue}, {live.environment}, account {live.account}",
        "from the next tick on it is stepped there instead of on paper",
    )
    if size_factor != 1.0:
        show(
            f"it risks {size_factor:g} of what it usually would; "
            f"at full size, once it is proven: chloe live arm {symbol}"
        )
    if halted:
        show(f"{live.account} is halted: no entries before chloe resume --account {live.account}")
    show(f"next: chloe tick, then chloe live status; back: chloe live disarm {symbol}")
