"""The tables of the journal, portable between SQLite and PostgreSQL, and the versions they went through."""

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
)

REVISIONS = ("0001",)
"""Every schema version, oldest first; the files in `migrations/versions` say the same."""

HEAD = REVISIONS[-1]

metadata = MetaData()

# `seq` is not left to the database: the hash covers it, so the writer counts. On SQLite it is the rowid.
_SEQ = BigInteger().with_variant(Integer, "sqlite")

events = Table(
    "events",
    metadata,
    Column("seq", _SEQ, primary_key=True, autoincrement=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("symbol", String(64), nullable=False),
    Column("kind", String(64), nullable=False),
    Column("key", String(200), nullable=False),
    Column("bar_ms", BigInteger, nullable=False),
    Column("previous_hash", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    Column("payload", Text, nullable=False),  # last: long, and those before read without it
    UniqueConstraint("kind", "key", name="uq_events_kind_key"),
    Index("ix_events_kind_seq", "kind", "seq"),
    Index("ix_events_symbol_seq", "symbol", "seq"),
    Index("ix_events_kind_symbol_seq", "kind", "symbol", "seq"),
)

states = Table(
    "states",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("last_seq", _SEQ, ForeignKey("events.seq", name="fk_states_last_seq"), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("payload", Text, nullable=False),
)

# Alembic's own table, declared here so that a fresh journal needs no Alembic to be made.
version_table = Table(
    "alembic_version",
    MetaData(),
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)
