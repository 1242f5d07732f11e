"""What people leave in an account's folder while the service runs: halt, resume, flatten, arm, disarm."""

import logging
from pathlib import Path

from engine_alpha.loop import arming, flatten_file, halt_file
from engine_alpha.loop.halting import take_up_halt
from engine_alpha.loop.live_orders import armed_symbols
from engine_alpha.loop.service.accounts import Account

_log = logging.getLogger("chloe.service")


def signature_of_wishes(account: Account) -> tuple[object, ...]:
    """Return what tells one state of these files from another."""
    engine = account.engine
    if engine is None:
        return ()
    home, setup = engine.setup.home, engine.setup
    own, live = home.account(account.name), home.account(setup.engine.live.account)
    return tuple(
        stamp_of(path)
        for path in (own / halt_file.FILE_NAME, own / flatten_file.FILE_NAME, live / arming.FILE_NAME)
    )


def take_up_wishes(account: Account) -> None:
    """Act on files that have changed: a halt counts at once, real orders are looked at again."""
    engine = account.engine
    found = signature_of_wishes(account)
    if engine is None or found == account.wishes:
        return
    account.wishes = found
    account.looked_ms = 0
    before = engine.book.account.halted
    take_up_halt(engine, engine.clock.now_ms())
    if engine.book.account.halted != before:
        words = "halted, exits go on" if engine.book.account.halted else "resumed"
        _log.warning("%s is %s: %s", account.name, words, engine.book.account.halt_reason)
    armed = armed_symbols(engine.setup)
    for symbol in sorted(set(armed) ^ set(engine.armed)):
        _log.warning("%s is %s", symbol, "armed" if symbol in armed else "no longer armed")
    engine.armed = armed


def stamp_of(path: Path) -> object:
    """Return what tells one state of a file from another; None where there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ino, status.st_size
