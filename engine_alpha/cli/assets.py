"""`chloe assets`: the registry, listed and edited in place."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click

from engine_alpha.cli.accounts import Account, accounts_of, reading
from engine_alpha.cli.lazy import LazyGroup
from engine_alpha.cli.options import chosen_home, examples, home_option, json_option, now_ms, wants_json
from engine_alpha.cli.output import show, show_json
from engine_alpha.config.assets import AssetConfig, Registry, read_registry, unknown_symbol
from engine_alpha.config.editing import add_asset, set_enabled
from engine_alpha.config.instruments import listing_fault, load_instruments, require_listed
from engine_alpha.config.risk import read_risk, shares_fault, start_quote
from engine_alpha.errors import ChloeError, ConfigError
from engine_alpha.home import Home, init_home
from engine_alpha.reports.registry import registry_table

SOME_REFUSED = 3
DIFFERENT = 3

_AGAINST = {
    "last_good": "since the engine read its configuration last:",
    "fresh": "beside a fresh home:",
    "nothing_kept": "no engine (chloe run) has read this configuration yet; beside a fresh home instead:",
}


@click.group(
    cls=LazyGroup,
    invoke_without_command=True,
    epilog=examples(
        "chloe assets                  the list",
        "chloe assets enable BTCUSDT   a second coin",
        "chloe assets disable ETHUSDT  always works; an open position is still stepped until it is flat",
        "chloe assets add TONUSDT --bucket alt --max-leverage 2",
        "chloe assets diff             what was edited since the engine read it last",
    ),
)
@home_option
@json_option
@click.pass_context
def assets(ctx: click.Context) -> int | None:
    """List coins, switch them on and off, add one: config/asset_registry.json, edited in place.

    Comments and layout of the file stay as they are.
    """
    return ctx.invoke(list_assets) if ctx.invoked_subcommand is None else None


@assets.command("list", epilog=examples("chloe assets list", "chloe assets list --json"))
@home_option
@json_option
def list_assets() -> int:
    """List all coins of the registry with what is wrong with them; exit code 3 if an entry is broken."""
    home = chosen_home()
    registry = read_registry(home.registry)
    listings = {asset.symbol: _listing(home, asset) for asset in registry.assets}
    faults = [str(fault) for fault in registry.faults]
    own = {asset.symbol: _own_set(home, asset) for asset in registry.assets}
    if wants_json():
        listed = [
            {**_fields(asset), "listing_fault": listings[asset.symbol], "own_parameters": own[asset.symbol]}
            for asset in registry.assets
        ]
        show_json({"home": str(home.path), "assets": listed, "faults": faults})
    else:
        rows = []
        for asset in registry.assets:
            notes = [note for note in (listings[asset.symbol], own[asset.symbol]) if note]
            rows.append({**_fields(asset), "note": "; ".join(notes)})
        show(registry_table(rows))
        for fault in faults:
            show(f"refused: {fault}")
    return SOME_REFUSED if faults else 0


@assets.command(epilog=examples("chloe assets enable BTCUSDT"))
@click.argument("symbol")
@home_option
@json_option
def enable(symbol: str) -> None:
    """Let a coin open positions, if its contract is listed and the equity is enough for it."""
    home = chosen_home()
    registry = read_registry(home.registry)
    asset = next((one for one in registry.assets if one.symbol == symbol), None)
    if asset is None:
        _refuse_unknown(symbol, registry, home)
        set_enabled(home.registry, symbol, True)  # says what is wrong with the entry
        return
    _require_room(home, registry, asset)
    changed = set_enabled(home.registry, symbol, True)
    money = start_quote(read_risk(home.risk), asset)
    if wants_json():
        show_json({"symbol": symbol, "enabled": True, "changed": changed, "start_quote": money})
        return
    show(
        f"{symbol} {'is enabled' if changed else 'was enabled already'}: "
        f"{asset.base_timeframe} on {asset.venue}, sub-account {money:,.2f} {asset.quote_ccy}",
        "next: chloe tick steps it; a running engine takes it up at its next tick",
    )


@assets.command(epilog=examples("chloe assets disable BTCUSDT"))
@click.argument("symbol")
@home_option
@json_option
def disable(symbol: str) -> None:
    """Take a coin's entries away; always works, with a broken entry too."""
    home = chosen_home()
    changed = set_enabled(home.registry, symbol, False)
    holding = _holding(home, symbol)
    if wants_json():
        show_json({"symbol": symbol, "enabled": False, "changed": changed, "holding": holding})
        return
    show(f"{symbol} {'is disabled' if changed else 'was disabled already'}: no entries from the next tick on")
    for name in holding:
        show(f"{symbol} holds a position in {name}: will be stepped close-only until flat, its stop stays")


@assets.command(
    epilog=examples("chloe assets add TONUSDT", "chloe assets add TONUSDT --timeframe 4h --bucket spec")
)
@click.argument("symbol")
@click.option("--timeframe", "base_timeframe", default="1h", show_default=True, help="Bars decided on.")
@click.option("--venue", default="bybit", show_default=True, help="bybit or binance.")
@click.option("--bucket", "risk_bucket", default="alt", show_default=True, help="Risk bucket.")
@click.option("--quote", "quote_ccy", default="USDT", show_default=True, help="Quote currency.")
@click.option("--max-leverage", type=float, default=1.0, show_default=True, help="Notional over equity.")
@click.option("--min-notional", "min_notional_usd", type=float, default=5.0, show_default=True)
@home_option
@json_option
def add(symbol: str, **fields: Any) -> None:
    """Add a coin to the end of the registry, disabled."""
    home = chosen_home()
    asset = AssetConfig(symbol=symbol, enabled=False, **fields)
    add_asset(home.registry, asset)
    known = symbol in load_instruments(home.instruments, asset.venue)
    if wants_json():
        show_json({**_fields(asset), "instrument_known": known})
        return
    show(f"added {symbol}, disabled: {asset.base_timeframe} on {asset.venue}, bucket {asset.risk_bucket}")
    if not known:
        show(
            f"next: chloe instruments refresh --venue {asset.venue} "
            f"(config/instruments has no tick, lot and tiers of {symbol} yet)"
        )
    show(f"{'then' if not known else 'next'}: chloe assets enable {symbol}")


@assets.command(
    epilog=examples(
        "chloe assets diff           what the engine takes up with its next tick",
        "chloe assets diff --fresh   what was changed since chloe init, all in all",
    )
    + "\n\n\b\nExit codes: 0 no difference; 3 differences; 2 the configuration can't be read."
)
@click.option("--fresh", is_flag=True, help="Compare with the configuration of a fresh home.")
@home_option
@json_option
def diff(fresh: bool) -> int:
    """Show what changed in all of config/ since the engine read it last: one line per change.

    Compared are registry, risk, engine, cards, contracts and parameters, by meaning: layout and comments are
    no difference. Without a copy of what the engine read last, a fresh home's files are compared with.
    """
    from engine_alpha.plans.differences import differences
    from engine_alpha.plans.setup import read_setup

    home = chosen_home()
    now = read_setup(home)
    with _before(home, fresh) as (against, kept):
        found = differences(read_setup(kept), now)
    if wants_json():
        show_json({"home": str(home.path), "against": against, "same": not found, "differences": found})
    else:
        show(_AGAINST[against], *(found or ["no difference"]))
    return DIFFERENT if found else 0


@contextmanager
def _before(home: Home, fresh: bool) -> Iterator[tuple[str, Home]]:
    """Give what to compare with: its name, and a home that holds its files."""
    from engine_alpha.loop.last_good import last_good_home

    kept = last_good_home(home)
    if not fresh and kept.registry.exists():
        yield "last_good", kept
        return
    with TemporaryDirectory(prefix="chloe-") as folder:
        init_home(Path(folder))
        yield ("fresh" if fresh else "nothing_kept"), Home(Path(folder))


def _refuse_unknown(symbol: str, registry: Registry, home: Home) -> None:
    if all(fault.symbol != symbol for fault in registry.faults):
        raise unknown_symbol(symbol, registry, home.registry)


def _require_room(home: Home, registry: Registry, asset: AssetConfig) -> None:
    """Raise `ConfigError` if the coin can't be traded now, or the equity is shared out already."""
    require_listed(load_instruments(home.instruments, asset.venue), asset, now_ms())
    others = [one for one in registry.assets if one.enabled and one.symbol != asset.symbol]
    fault = shares_fault(read_risk(home.risk), [*others, replace(asset, enabled=True)])
    if fault is not None:
        raise ConfigError(f"{asset.symbol} is not enabled: {fault}")


def _listing(home: Home, asset: AssetConfig) -> str | None:
    """Say why the coin's contract can't be traded now; None if it can."""
    try:
        found = load_instruments(home.instruments, asset.venue).get(asset.symbol)
    except ConfigError as fault:
        return str(fault)
    if found is None:
        return f"not in the snapshot of {asset.venue}"
    return listing_fault(found, now_ms())


def _own_set(home: Home, asset: AssetConfig) -> str | None:
    """Name the coin's own parameter set, or say that it is broken; None where the default counts."""
    from engine_alpha.config.parameters import own_file, read_set

    path = own_file(home.parameters, asset.symbol)
    if not path.exists():
        return None
    try:
        return f"parameters {read_set(path).version}"
    except ConfigError as fault:
        return f"parameters can't be read: {str(fault).splitlines()[0]}"


def _holding(home: Home, symbol: str) -> list[str]:
    """Return the accounts in which the coin holds a position or waits for a fill."""
    found = []
    for name in accounts_of(home):
        account = Account(home=home, name=name)
        if account.rehearsal:
            continue
        from engine_alpha.step.state import state_of

        try:
            with reading(account) as journal:
                text = journal.state(symbol)
            if text is not None and not state_of(text).is_flat:
                found.append(name)
        except ChloeError as fault:
            show(f"can't see whether {symbol} holds a position in {name}: {fault}")
    return found


def _fields(asset: AssetConfig) -> dict[str, Any]:
    return asdict(asset)
