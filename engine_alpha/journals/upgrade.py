"""Bring an older journal to the newest schema. Imported only when there is one: Alembic is slow to import."""

from contextlib import closing
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

from engine_alpha.errors import JournalError
from engine_alpha.journals import schema
from engine_alpha.journals.connecting import connect, disconnect, sqlite_driver
from engine_alpha.journals.faults import damaged

MIGRATIONS = Path(__file__).parent / "migrations"
VERSIONS = MIGRATIONS / "versions"


def upgrade(path: Path, revision: str, to: str = schema.HEAD, versions: Path = VERSIONS) -> Path:
    """Upgrade the journal at `path` in one transaction and return the copy made before.

    The copy lies beside the journal, named after the `revision` it holds. Raises `JournalError`.
    """
    kept = path.with_name(f"{path.name}.before-upgrade-from-{revision}")
    connection = connect(path)
    try:
        _copy(connection, kept)
        # Rebuilding a table drops the old one; with foreign keys on, that touches what points to it.
        connection.connection.cursor().execute("PRAGMA foreign_keys=OFF")
        with connection.begin():
            run_migrations(connection, to, versions)
            if connection.exec_driver_sql("PRAGMA foreign_key_check").first() is not None:
                raise damaged(path, f"after the upgrade a state points to no event; as it was: {kept}")
    finally:
        disconnect(connection)
    return kept


def run_migrations(connection: Connection, to: str, versions: Path = VERSIONS) -> None:
    """Run the migrations up to `to` inside the open transaction of `connection`."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("version_locations", str(versions).replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    config.attributes["connection"] = connection
    command.upgrade(config, to)


def _copy(connection: Connection, kept: Path) -> None:
    """Copy the open database into `kept`, so that it is whole or absent."""
    unfinished = kept.with_name(kept.name + ".unfinished")
    unfinished.unlink(missing_ok=True)
    source = connection.connection.driver_connection
    if source is None:
        raise JournalError(f"the journal lost its connection before it was copied to {kept}")
    with closing(sqlite_driver().connect(str(unfinished))) as target:
        source.backup(target)
    unfinished.replace(kept)
