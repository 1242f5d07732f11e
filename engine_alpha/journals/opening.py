"""Open a journal's file: look first, write only to what is sound."""

import pkgutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, false, inspect, select

from engine_alpha.errors import JournalError
from engine_alpha.journals import queries, schema
from engine_alpha.journals.chain import EMPTY, Head, StoredState, broken_hash, broken_link, broken_state
from engine_alpha.journals.connecting import connect, disconnect, switch_to_wal
from engine_alpha.journals.faults import damaged

_MAGIC = b"SQLite format 3\x00"
_NETWORK_FILESYSTEMS = frozenset(
    {"afs", "beegfs", "ceph", "cifs", "fuse.glusterfs", "fuse.rclone", "fuse.sshfs", "glusterfs", "gpfs"}
    | {"lustre", "nfs", "nfs3", "nfs4", "smb2", "smb3", "smbfs"}
)
_TAIL = 32  # how many of the last events every start verifies; `check` verifies all


@dataclass(frozen=True, slots=True)
class Opened:
    """An open journal file and what a writer has to know about it."""

    connection: Connection
    head: Head
    states: dict[str, StoredState]


def open_reader(path: Path) -> Opened:
    """Open an existing journal of our schema, whatever its content is worth."""
    if not look_at_file(path):
        raise JournalError(f"there is no journal {path} yet: run the engine once, or name another --account")
    connection = connect(path, read_only=True)
    with _closed_on_fault(connection):
        revision = stored_revision(connection, path)
        if revision is None:
            raise JournalError(f"the journal {path} is still empty: run the engine once")
        if revision != schema.HEAD:
            raise JournalError(
                f"the journal {path} is of an older Chloe (schema {revision}, now {schema.HEAD}): "
                "run the engine once, it upgrades the journal and keeps a copy"
            )
    return Opened(connection, EMPTY, {})


def open_writer(path: Path) -> Opened:
    """Open, create or upgrade a journal; refuse one whose states or last events are not what was written."""
    revision = _revision_of(path) if look_at_file(path) else None
    path.parent.mkdir(parents=True, exist_ok=True)
    head, states = EMPTY, dict[str, StoredState]()
    if revision is not None:
        if revision != schema.HEAD:
            # Alembic takes long to import and is hardly ever needed: found by name instead of imported above.
            pkgutil.resolve_name("engine_alpha.journals.upgrade:upgrade")(path, revision)
        head, states = _trusted_content(path)
    connection = connect(path)
    with _closed_on_fault(connection):
        switch_to_wal(connection, path)
        if revision is None:
            create_schema(connection)
        with connection.begin():  # SQLite opens what it may not write all the same; a write of nothing tells
            connection.execute(schema.version_table.delete().where(false()))
    return Opened(connection, head, states)


def look_at_file(path: Path) -> bool:
    """Say whether `path` holds a database (False: absent or empty); refuse what can't be one."""
    remote = network_filesystem(path, Path("/proc/self/mounts"))
    if remote is not None:
        raise JournalError(
            f"the journal {path} would lie on a network file system ({remote}), where SQLite can lose data: "
            "use a home on a local disk"
        )
    if path.is_dir():
        raise JournalError(f"the journal {path} is a folder: move it away")
    if not path.exists():
        return False
    with path.open("rb") as file:
        start = file.read(len(_MAGIC))
    if start and start != _MAGIC:
        raise damaged(path, "it does not start like an SQLite database")
    return bool(start)


def network_filesystem(path: Path, mounts: Path) -> str | None:
    """Name the network file system `path` lies on; None for a local one, or where `mounts` can't be read."""
    try:
        lines = mounts.read_text("utf-8", "replace").splitlines()
    except OSError:
        return None
    place, found, longest = path.resolve(), "", 0
    for line in lines:
        _, mount_point, kind, *_ = line.split(" ")
        folder = Path(mount_point.replace("\\040", " "))
        if len(folder.parts) >= longest and place.is_relative_to(folder):
            found, longest = kind, len(folder.parts)
    return found if found in _NETWORK_FILESYSTEMS else None


def stored_revision(connection: Connection, path: Path) -> str | None:
    """Return the database's schema version, None if it is empty; refuse what this Chloe can't read."""
    with connection.begin():
        tables = set(inspect(connection).get_table_names())
        if not tables:
            return None
        if not {"alembic_version", "events", "states"} <= tables:
            raise JournalError(f"{path} is an SQLite database but no journal of Chloe: move it away")
        found = list(connection.scalars(select(schema.version_table.c.version_num)))
    if len(found) != 1:
        raise damaged(path, f"its schema version reads {found}")
    if found[0] not in schema.REVISIONS:
        raise JournalError(
            f"the journal {path} was written by a newer Chloe (schema {found[0]}, here {schema.HEAD}): "
            "install that version again, or restore the copy made before the upgrade; nothing was changed"
        )
    return str(found[0])


def create_schema(connection: Connection) -> None:
    """Make the newest schema in an empty database, in one transaction and without Alembic."""
    with connection.begin():
        schema.metadata.create_all(connection, checkfirst=False)
        schema.version_table.create(connection, checkfirst=False)
        connection.execute(schema.version_table.insert().values(version_num=schema.HEAD))


def _revision_of(path: Path) -> str | None:
    with _looking(path) as connection:
        return stored_revision(connection, path)


def _trusted_content(path: Path) -> tuple[Head, dict[str, StoredState]]:
    with _looking(path) as connection, connection.begin():
        head = queries.read_head(connection)
        query = queries.page(None, None, newest_first=False)
        tail = queries.read_page(connection, query, head.seq - _TAIL + 1, head.seq, _TAIL)
        states = queries.read_states(connection)
    for older, newer in zip([None, *tail], tail, strict=False):
        wrong = broken_hash(newer) if older is None else broken_link(Head(older.seq, older.hash), newer)
        if wrong is not None:
            raise damaged(path, wrong)
    for name, state in states.items():
        if broken_state(name, state) or state.last_seq > head.seq:
            raise damaged(path, f"the state {name} is not what was written")
    return head, states


@contextmanager
def _looking(path: Path) -> Iterator[Connection]:
    """Connect to read; with the right to write only where a creation was cut off and must be rolled back."""
    cut_off = path.with_name(path.name + "-journal").exists()
    connection = connect(path, read_only=not cut_off)
    try:
        yield connection
    finally:
        disconnect(connection)


@contextmanager
def _closed_on_fault(connection: Connection) -> Iterator[None]:
    try:
        yield
    except BaseException:
        disconnect(connection)
        raise
