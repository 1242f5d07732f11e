"""The journal's file: made, reopened, refused or found damaged, and never changed when it is not sound."""

import os
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace

import pytest

from engine_alpha.errors import JournalError
from engine_alpha.journals import connecting, opening
from engine_alpha.journals.checking import check
from engine_alpha.journals.sqlite import SqliteJournal
from tests.unit.journals.batches import commit_counted, counted, event

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "journal.sqlite"


def write_bars(path: Path, bars: range) -> None:
    journal = SqliteJournal.open(path)
    for bar in bars:
        commit_counted(journal, bar, event(bar=bar, padding="x" * 500))
    journal.close()


def contents(path: Path) -> dict[str, str]:
    return {p.name: sha256(p.read_bytes()).hexdigest() for p in path.parent.iterdir() if "-shm" not in p.name}


def pragma(journal: SqliteJournal, name: str) -> object:
    with journal._transaction() as connection:
        return connection.exec_driver_sql(f"PRAGMA {name}").scalar()


def test_a_journal_survives_being_reopened(path: Path) -> None:
    write_bars(path, range(50))
    write_bars(path, range(40, 60))
    journal = SqliteJournal.open(path)
    assert journal.head().seq == 60
    assert check(journal, counted).sound
    journal.close()
    assert [p.name for p in path.parent.iterdir()] == ["journal.sqlite"]


def test_it_is_durable_and_checked_by_sqlite(path: Path) -> None:
    journal = SqliteJournal.open(path)
    wanted = {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "cell_size_check": 1,
        "mmap_size": 0,
    }
    assert {name: pragma(journal, name) for name in wanted} == wanted
    journal.close()


def test_an_empty_file_becomes_a_journal(path: Path) -> None:
    path.parent.mkdir()
    path.touch()
    write_bars(path, range(1))


def test_a_reader_sees_the_writer_commit_and_writes_nothing(path: Path) -> None:
    writer = SqliteJournal.open(path)
    reader = SqliteJournal.open(path, read_only=True)
    assert reader.states() == {}
    commit_counted(writer, 1, event(bar=1))
    assert reader.states() == writer.states()
    assert reader.state("ETHUSDT") == writer.state("ETHUSDT")
    assert reader.head() == writer.head()
    assert reader.has("decision", event(bar=1).key)
    assert list(reader.events()) == list(writer.events())
    with pytest.raises(JournalError, match="for reading only"):
        reader.commit(2, [event(bar=2)], {})
    half_read = reader.events()
    next(half_read)
    assert commit_counted(writer, 2, event(bar=2)) == 1
    reader.close()
    writer.close()


def test_a_reader_makes_no_journal(path: Path) -> None:
    with pytest.raises(JournalError, match="there is no journal"):
        SqliteJournal.open(path, read_only=True)
    assert not path.parent.exists()
    path.parent.mkdir()
    path.touch()
    with pytest.raises(JournalError, match="there is no journal"):
        SqliteJournal.open(path, read_only=True)
    assert path.read_bytes() == b""


def test_a_second_writer_is_noticed_before_it_forks_the_chain(path: Path) -> None:
    first, second = SqliteJournal.open(path), SqliteJournal.open(path)
    commit_counted(first, 1, event(bar=1))
    with pytest.raises(JournalError, match="another process wrote"):
        commit_counted(second, 2, event(bar=2))
    with pytest.raises(JournalError, match="writes nothing more"):
        commit_counted(second, 3, event(bar=3))
    commit_counted(first, 4, event(bar=4))
    assert check(first, counted).sound
    second.close()
    first.close()


def test_a_write_lock_held_elsewhere_is_explained(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connecting, "_BUSY_TIMEOUT_S", 0.05)
    write_bars(path, range(1))
    journal = SqliteJournal.open(path)
    other = connecting.sqlite_driver().connect(str(path), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(JournalError, match="being written by another process"):
        commit_counted(journal, 1, event(bar=1))
    other.close()
    journal.close()


def test_a_full_database_stops_the_journal_and_loses_nothing(path: Path) -> None:
    write_bars(path, range(20))
    journal = SqliteJournal.open(path)
    pages = pragma(journal, "page_count")
    pragma(journal, f"max_page_count = {pages}")
    with pytest.raises(JournalError, match=r"disk is full.*free space"):
        for bar in range(20, 200):
            commit_counted(journal, bar, event(bar=bar, padding="x" * 3000))
    acknowledged = journal.head()
    assert acknowledged.seq < 200
    with pytest.raises(JournalError, match="writes nothing more"):
        commit_counted(journal, 300, event(bar=300))
    journal.close()
    journal = SqliteJournal.open(path)
    assert journal.head() == acknowledged
    assert check(journal, counted).sound
    assert commit_counted(journal, 301, event(bar=301)) == 1
    journal.close()


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=400k", "none", str(place)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("may not mount a small disk here")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_full_disk_stops_the_journal_and_loses_nothing(tiny_disk: Path) -> None:
    journal = SqliteJournal.open(tiny_disk / "journal.sqlite")
    with pytest.raises(JournalError, match="disk"):
        for bar in range(2_000):
            commit_counted(journal, bar, event(bar=bar, padding="x" * 2000))
    acknowledged = journal.head()
    assert acknowledged.seq > 5
    journal.close()
    subprocess.run(["mount", "-o", "remount,size=4m", str(tiny_disk)], check=True)
    journal = SqliteJournal.open(tiny_disk / "journal.sqlite")
    assert journal.head() == acknowledged
    assert check(journal, counted).sound
    journal.close()


def test_a_disk_too_full_to_begin_is_explained(tiny_disk: Path) -> None:
    with (tiny_disk / "ballast").open("wb", buffering=0) as ballast, pytest.raises(OSError, match="No space"):
        while True:
            ballast.write(bytes(4096))
    with pytest.raises(JournalError, match="disk"):
        SqliteJournal.open(tiny_disk / "journal.sqlite")
    (tiny_disk / "ballast").unlink()
    write_bars(tiny_disk / "journal.sqlite", range(3))


def test_a_read_only_disk_is_explained(tiny_disk: Path) -> None:
    write_bars(tiny_disk / "journal.sqlite", range(3))
    subprocess.run(["mount", "-o", "remount,ro", str(tiny_disk)], check=True)
    with pytest.raises(JournalError, match=r"write access|read and write"):
        SqliteJournal.open(tiny_disk / "journal.sqlite")
    with pytest.raises(JournalError, match="Read-only"):
        SqliteJournal.open(tiny_disk / "new" / "journal.sqlite")


OPEN_TO_WRITE = """
import os, sys
from pathlib import Path
from engine_alpha.errors import JournalError
from engine_alpha.journals.sqlite import SqliteJournal
if os.getuid() == 0:
    os.setuid(65534)
try:
    SqliteJournal.open(Path(sys.argv[1]))
except JournalError as refusal:
    print(refusal)
"""


def test_a_journal_of_another_user_is_refused_at_the_start() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "journal.sqlite"
        owner = SqliteJournal.open(path)  # while it runs, others may read
        os.chmod(folder, 0o555)
        os.chmod(path, 0o444)
        command = [sys.executable, "-c", OPEN_TO_WRITE, str(path)]
        run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
        os.chmod(folder, 0o755)
        owner.close()
    assert "write access to" in run.stdout, run.stderr


def test_a_folder_that_can_not_be_made_is_explained(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file")
    with pytest.raises(JournalError, match="can't be used"):
        SqliteJournal.open(tmp_path / "state" / "journal.sqlite")


def test_a_folder_in_place_of_the_file_is_refused(path: Path) -> None:
    path.mkdir(parents=True)
    with pytest.raises(JournalError, match="is a folder"):
        SqliteJournal.open(path)


@pytest.mark.parametrize(
    "garbage", [b"not a database at all", b"\x00" * 4096, b"SQLite format 3\x00" + b"\xff" * 4080]
)
@pytest.mark.parametrize("read_only", [False, True])
def test_garbage_is_refused_and_left_alone(path: Path, garbage: bytes, read_only: bool) -> None:
    path.parent.mkdir()
    path.write_bytes(garbage)
    with pytest.raises(JournalError, match=r"is damaged.*restore a backup"):
        SqliteJournal.open(path, read_only=read_only)
    assert path.read_bytes() == garbage


def test_a_cut_off_file_is_refused_and_left_alone(path: Path) -> None:
    write_bars(path, range(60))
    path.write_bytes(path.read_bytes()[:10_000])
    before = path.read_bytes()
    with pytest.raises(JournalError, match="is damaged"):
        SqliteJournal.open(path)
    assert path.read_bytes() == before


def test_any_flipped_page_stops_the_start_or_shows_in_the_check(path: Path) -> None:
    write_bars(path, range(60))
    sound = path.read_bytes()
    for page in range(len(sound) // 4096):
        flipped = bytearray(sound)
        flipped[page * 4096 : (page + 1) * 4096] = bytes(
            b ^ 0xFF for b in sound[page * 4096 : (page + 1) * 4096]
        )
        path.write_bytes(flipped)
        try:
            journal = SqliteJournal.open(path, read_only=True)
        except JournalError as refusal:
            assert "is damaged" in str(refusal)
        else:
            assert not check(journal, counted).sound, f"page {page}"
            journal.close()
        assert path.read_bytes() == flipped
        for extra in ("-wal", "-shm"):
            path.with_name(path.name + extra).unlink(missing_ok=True)


def test_damage_met_while_running_stops_the_journal_and_leaves_the_file(path: Path) -> None:
    write_bars(path, range(200))
    journal = SqliteJournal.open(path)
    commit_counted(journal, 201, event(bar=201))
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xa5" * 4096 * 20)
    before = contents(path)
    with pytest.raises(JournalError, match="is damaged"):
        list(journal.events())
    with pytest.raises(JournalError, match="writes nothing more"):
        commit_counted(journal, 202, event(bar=202))
    journal.close()
    assert contents(path) == before


def test_a_database_of_someone_else_is_refused(path: Path) -> None:
    path.parent.mkdir()
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE candles (x)")
    other.commit()
    other.close()
    before = contents(path)
    with pytest.raises(JournalError, match="no journal of Chloe"):
        SqliteJournal.open(path)
    assert contents(path) == before


def test_a_journal_of_a_newer_version_is_refused_and_left_alone(path: Path) -> None:
    write_bars(path, range(3))
    other = connecting.sqlite_driver().connect(str(path))
    other.execute("UPDATE alembic_version SET version_num = '0099'")
    other.commit()
    other.close()
    before = contents(path)
    for read_only in (False, True):
        with pytest.raises(JournalError, match=r"newer Chloe \(schema 0099.*install that version"):
            SqliteJournal.open(path, read_only=read_only)
    assert contents(path)[path.name] == before[path.name]


def test_an_old_sqlite_is_refused_with_what_to_install(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = SimpleNamespace(sqlite_version_info=(3, 51, 2), sqlite_version="3.51.2")
    monkeypatch.setattr(connecting, "_bundled", old)
    monkeypatch.setattr(connecting, "sqlite3", old)
    with pytest.raises(JournalError, match="pip install 'pysqlite3"):
        SqliteJournal.open(path)
    assert not path.parent.exists()


MOUNTS = r"""/dev/vda / ext4 rw,relatime 0 0
server:/home /mnt/my\040share nfs4 rw 0 0
none /mnt/my\040share/local tmpfs rw 0 0
//server/x /srv cifs rw 0 0
"""


@pytest.mark.parametrize(
    ("place", "found"),
    [
        ("/home/x/journal", None),
        ("/mnt/my share/journal", "nfs4"),
        ("/mnt/my share/local/journal", None),
        ("/srv/state/journal", "cifs"),
        ("/srvother/journal", None),
    ],
)
def test_network_file_systems_are_recognised(tmp_path: Path, place: str, found: str | None) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(MOUNTS)
    assert opening.network_filesystem(Path(place), mounts) == found
    assert opening.network_filesystem(Path(place), tmp_path / "absent") is None


def test_a_journal_on_a_network_file_system_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "network_filesystem", lambda place, mounts: "nfs4")
    with pytest.raises(JournalError, match="network file system"):
        SqliteJournal.open(path)
    assert not path.parent.exists()


def test_the_journal_opens_without_alembic(path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from engine_alpha.journals.sqlite import SqliteJournal; "
        f"[SqliteJournal.open(Path({str(path)!r})).close() for _ in range(2)]; "
        "sys.exit('alembic' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
