"""Connect to an SQLite file with the right driver, in the one way that is safe for a journal."""

import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.pool import StaticPool

from engine_alpha.errors import JournalError

try:
    import pysqlite3.dbapi2 as _bundled
except ImportError:  # no wheel for this machine
    _bundled = sqlite3

OLDEST_SQLITE = (3, 51, 3)

_BUSY_TIMEOUT_S = 5.0
_WAL_LIMIT_BYTES = 64 * 2**20
_PRAGMAS = (
    "synchronous=FULL",
    "foreign_keys=ON",
    "cell_size_check=ON",
    "trusted_schema=OFF",
    "mmap_size=0",
    f"journal_size_limit={_WAL_LIMIT_BYTES}",
)


def sqlite_driver() -> ModuleType:
    """Return the DB-API module with the newest SQLite; refuse one whose WAL can corrupt a database."""
    driver: ModuleType = max((_bundled, sqlite3), key=lambda module: module.sqlite_version_info)
    if driver.sqlite_version_info < OLDEST_SQLITE:
        needed = ".".join(map(str, OLDEST_SQLITE))
        raise JournalError(
            f"SQLite {driver.sqlite_version} can corrupt a journal (WAL reset bug, fixed in {needed}): "
            "install a newer one: `pip install 'pysqlite3>=0.6.1'` on Linux x86-64, or a Python with it"
        )
    return driver


def connect(path: Path, *, read_only: bool = False) -> Connection:
    """Open `path`; a writer's transactions begin immediate, so that none fails half-way for a lock."""
    driver = sqlite_driver()
    uri = _uri(path, "ro" if read_only else "rwc")

    def dial() -> Any:
        raw = driver.connect(
            uri, uri=True, timeout=_BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
        )
        for pragma in _PRAGMAS:
            raw.execute(f"PRAGMA {pragma}")
        return raw

    engine = create_engine("sqlite+pysqlite://", module=driver, creator=dial, poolclass=StaticPool)
    begin = "BEGIN" if read_only else "BEGIN IMMEDIATE"

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine.connect()


def switch_to_wal(connection: Connection, path: Path) -> None:
    """Make readers and the writer independent of each other; kept in the file from then on."""
    raw: Any = connection.connection.driver_connection
    (mode,) = raw.execute("PRAGMA journal_mode=WAL").fetchone()
    if mode != "wal":
        raise JournalError(f"{path} can't keep a write-ahead log here ({mode}): use a home on a local disk")


def disconnect(connection: Connection) -> None:
    """Close the connection and its file."""
    connection.close()
    connection.engine.dispose()


def abandon(connection: Connection, path: Path) -> None:
    """Close the connection to a sick file and leave the file as it is.

    The last connection to close moves the log into the database, unless it may only read: one of those
    goes last.
    """
    with suppress(Exception), closing(sqlite_driver().connect(_uri(path, "ro"), uri=True)) as reader:
        reader.execute("SELECT count(*) FROM sqlite_master").fetchall()
        disconnect(connection)
    with suppress(Exception):
        disconnect(connection)


def _uri(path: Path, mode: str) -> str:
    return f"file:{quote(str(path.absolute()))}?mode={mode}"
