"""Upgrading an old journal and making a new one lead to the same schema."""

import pkgutil
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateTable

from engine_alpha.errors import JournalError
from engine_alpha.journals import schema, upgrade
from engine_alpha.journals.checking import check
from engine_alpha.journals.connecting import connect, disconnect
from engine_alpha.journals.sqlite import SqliteJournal
from tests.unit.journals.batches import commit_counted, counted, event

NEXT_MIGRATION = '''
"""Pretend that a next version adds a column, in the way that rebuilds the table."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade():
    with op.batch_alter_table("events", recreate="always") as batch:
        batch.add_column(sa.Column("note", sa.Text))
'''


def tables(path: Path) -> list[tuple[str, str]]:
    """Describe all tables and indexes as SQLite sees them, whatever the wording that made them."""
    connection = connect(path, read_only=True)
    found: list[tuple[str, str]] = []
    with connection.begin():
        for table in ("events", "states", "alembic_version"):
            for pragma in ("table_xinfo", "foreign_key_list"):
                rows = connection.exec_driver_sql(f"PRAGMA {pragma}({table})").all()
                found += [(f"{table} {pragma}", str(tuple(row))) for row in rows]
            for row in connection.exec_driver_sql(f"PRAGMA index_list({table})").all():
                columns = connection.exec_driver_sql(f"PRAGMA index_xinfo({row[1]})").all()
                found.append((f"{table} {row[1:]}", str([tuple(c) for c in columns])))
    disconnect(connection)
    return sorted(found)


def test_migrating_from_nothing_gives_the_schema_of_a_fresh_journal(tmp_path: Path) -> None:
    fresh, migrated = tmp_path / "fresh.sqlite", tmp_path / "migrated.sqlite"
    SqliteJournal.open(fresh).close()
    connection = connect(migrated)
    with connection.begin():
        upgrade.run_migrations(connection, schema.HEAD)
    disconnect(connection)
    assert tables(migrated) == tables(fresh)
    assert len(tables(fresh)) > 15
    journal = SqliteJournal.open(migrated)
    assert commit_counted(journal, 1, event()) == 1
    journal.close()


def test_the_schema_suits_postgresql_too() -> None:
    for table in schema.metadata.sorted_tables:
        statement = str(CreateTable(table).compile(dialect=postgresql.dialect()))
        assert "SERIAL" not in statement
        assert "seq BIGINT NOT NULL" in statement


def test_the_listed_versions_are_those_with_a_migration() -> None:
    config = Config()
    config.set_main_option("script_location", str(upgrade.MIGRATIONS))
    config.set_main_option("path_separator", "newline")
    scripts = ScriptDirectory.from_config(config)
    assert scripts.get_current_head() == schema.HEAD
    assert tuple(script.revision for script in scripts.walk_revisions())[::-1] == schema.REVISIONS


@pytest.fixture
def old_journal(tmp_path: Path) -> Path:
    path = tmp_path / "state" / "journal.sqlite"
    journal = SqliteJournal.open(path)
    for bar in range(30):
        commit_counted(journal, bar, event(bar=bar))
    journal.close()
    return path


@pytest.fixture
def newer_engine(old_journal: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pretend to be the next version of Chloe, after this one wrote `old_journal`."""
    versions = tmp_path / "versions"
    versions.mkdir()
    (versions / "0002_next.py").write_text(NEXT_MIGRATION)
    for file in upgrade.VERSIONS.glob("*.py"):
        (versions / file.name).write_text(file.read_text())
    monkeypatch.setattr(schema, "REVISIONS", ("0001", "0002"))
    monkeypatch.setattr(schema, "HEAD", "0002")
    resolve = pkgutil.resolve_name
    monkeypatch.setattr(
        pkgutil, "resolve_name", lambda name: lambda path, old: resolve(name)(path, old, "0002", versions)
    )


@pytest.mark.usefixtures("newer_engine")
def test_opening_an_older_journal_upgrades_it_and_keeps_a_copy(
    old_journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(JournalError, match="older Chloe"):
        SqliteJournal.open(old_journal, read_only=True)
    journal = SqliteJournal.open(old_journal)
    assert journal.head().seq == 30
    assert commit_counted(journal, 31, event(bar=31)) == 1
    assert check(journal, counted).sound
    journal.close()
    assert any("note" in row for _, row in tables(old_journal))
    kept = old_journal.with_name("journal.sqlite.before-upgrade-from-0001")
    monkeypatch.undo()
    with pytest.raises(JournalError, match="newer Chloe"):
        SqliteJournal.open(old_journal)
    before = SqliteJournal.open(kept)
    assert before.head().seq == 30
    before.close()


@pytest.mark.usefixtures("newer_engine")
def test_a_failing_upgrade_leaves_the_journal_as_it_was(old_journal: Path, tmp_path: Path) -> None:
    broken = NEXT_MIGRATION + "    op.execute('SELECT nonsense')\n"
    (tmp_path / "versions" / "0002_next.py").write_text(broken)
    was = tables(old_journal)
    with pytest.raises(JournalError, match="nonsense"):
        SqliteJournal.open(old_journal)
    assert tables(old_journal) == was
