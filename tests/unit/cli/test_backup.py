"""`chloe backup` and `chloe restore`: whole or not at all, proven on both ways, secrets in none."""

import gzip
import hashlib
import io
import json
import os
import resource
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from engine_alpha.config.editing import set_value
from engine_alpha.home import Home
from engine_alpha.journals.backup import copy_journal, proven
from engine_alpha.journals.connecting import sqlite_driver
from engine_alpha.journals.sqlite import SqliteJournal
from engine_alpha.loop.arming import arm
from engine_alpha.loop.halt_file import requested_halt
from engine_alpha.loop.lock import account_lock
from engine_alpha.ports import Event
from engine_alpha.step.folding import fold
from tests.unit.cli.conftest import Run

Made = Callable[..., Path]
Members = list[tuple[tarfile.TarInfo, bytes]]


@pytest.fixture
def packed(traded: Path, run: Run, tmp_path: Path) -> Path:
    """Return a backup of the home that has traded."""
    path = tmp_path / "made.tar.gz"
    result = run("backup", str(path))
    assert result.exit_code == 0, result.output
    return path


def members_of(path: Path) -> Members:
    with tarfile.open(path) as tar:
        return [(member, tar.extractfile(member).read()) for member in tar]  # type: ignore[union-attr]


def write_members(path: Path, members: Members) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for info, content in members:
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return path


def tree(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        and not path.name.endswith((".lock", "-shm", "-wal"))
        and "backups" not in path.parts
    }


def leftovers(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob(".*")]


def test_what_was_backed_up_comes_back_to_the_byte(
    traded: Path, run: Run, packed: Path, tmp_path: Path
) -> None:
    result = run("--home", str(tmp_path / "second"), "restore", str(packed))
    assert result.exit_code == 0, result.output
    before, after = tree(traded / "config"), tree(tmp_path / "second" / "config")
    assert after == before
    sound = run("--home", str(tmp_path / "second"), "journal", "check", "--json")
    theirs = json.loads(sound.stdout)
    ours = json.loads(run("--home", str(traded), "journal", "check", "--json").stdout)
    assert theirs["sound"] and theirs["events"] == ours["events"] > 40
    assert theirs["head_hash"] == ours["head_hash"]
    assert leftovers(tmp_path / "second") == []


def test_json_names_file_and_last_events(traded: Path, run: Run, tmp_path: Path) -> None:
    told = json.loads(run("backup", str(tmp_path), "--json").stdout)
    path = Path(told["file"])
    assert path.parent == tmp_path and path.stat().st_size == told["size_bytes"]
    assert path.stat().st_mode & 0o777 == 0o600
    (journal,) = told["journals"]
    assert journal["journal"] == "state/simulated/journal.sqlite"
    assert journal["events"] > 40


def test_without_a_name_it_lies_in_the_home(traded: Path, run: Run) -> None:
    run("backup")
    (made,) = (traded / "backups").iterdir()
    assert made.name.startswith("chloe-") and made.name.endswith("Z.tar.gz")
    assert run("backup", str(made)).exit_code == 2


def test_secrets_locks_and_kept_copies_are_in_no_backup(traded: Path, run: Run, tmp_path: Path) -> None:
    (traded / "secrets").mkdir()
    (traded / "secrets" / "bybit.json").write_text('{"key": "PLANTED-KEY", "secret": "PLANTED-SECRET"}')
    (traded / "data").mkdir()
    (traded / "data" / "candles").write_text("PLANTED-DATA")
    (traded / "state" / "rehearse-1").mkdir()
    (traded / "state" / "rehearse-1" / "note.json").write_text("{}")
    result = run("backup", str(tmp_path / "made.tar.gz"))
    assert "left out, with them: --rehearsals: rehearse-1" in result.stdout
    found = members_of(tmp_path / "made.tar.gz")
    assert not any(b"PLANTED" in content for _, content in found)
    names = [member.name for member, _ in found]
    assert not any("lock" in name or "last_good" in name or "rehearse" in name for name in names)
    run("backup", "--rehearsals", str(tmp_path / "all.tar.gz"))
    assert "chloe-backup/state/rehearse-1/note.json" in [
        member.name for member, _ in members_of(tmp_path / "all.tar.gz")
    ]


def test_a_journal_is_copied_as_it_was_at_one_moment_while_its_writer_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    writer = SqliteJournal.open(path)
    for number in range(400):
        writer.commit(number, [Event("note", "ETHUSDT", f"{number}", number, '"' + "x" * 60_000 + '"')], {})
    moments = []

    def commit_meanwhile(done: int, total: int) -> None:
        moments.append(done)
        writer.commit(999, [Event("note", "ETHUSDT", f"meanwhile {len(moments)}", 999, "1")], {})

    copy_journal(path, tmp_path / "copy.sqlite", commit_meanwhile)
    assert len(moments) > 2
    assert proven(tmp_path / "copy.sqlite", fold, lambda done, total: None).seq == 400
    assert writer.last_seq() == 400 + len(moments)
    writer.close()
    assert [each.name for each in tmp_path.iterdir() if each.name.startswith("copy")] == ["copy.sqlite"]


def test_a_journal_that_was_changed_is_not_backed_up(traded: Path, run: Run, tmp_path: Path) -> None:
    path = traded / "state" / "simulated" / "journal.sqlite"
    raw = sqlite_driver().connect(str(path))
    raw.execute("UPDATE events SET payload = replace(payload, '1', '2') WHERE seq = 20")
    raw.commit()
    raw.close()
    result = run("backup", str(tmp_path / "made.tar.gz"))
    assert result.exit_code == 4
    assert "event 20 was changed after it was written" in result.stderr
    assert not (tmp_path / "made.tar.gz").exists() and leftovers(tmp_path) == []


def test_a_backup_of_a_home_that_never_ran_is_its_configuration(home: Path, run: Run, tmp_path: Path) -> None:
    result = run("backup", str(tmp_path / "made.tar.gz"))
    assert result.exit_code == 0 and "config  18 files" in result.stdout
    assert run("--home", str(tmp_path / "two"), "restore", str(tmp_path / "made.tar.gz")).exit_code == 0
    assert tree(tmp_path / "two" / "config") == tree(home / "config")


def test_a_name_that_is_no_archive_is_refused(home: Path, run: Run, tmp_path: Path) -> None:
    assert "no folder" in run("backup", str(tmp_path / "absent")).stderr
    assert "no folder" in run("backup", str(tmp_path / "absent" / "made.tar.gz")).stderr


def test_a_state_is_only_moved_aside_when_that_was_asked_for(traded: Path, run: Run, packed: Path) -> None:
    set_value(traded / "config" / "risk.json", "pf_floor", 0.123)
    before = tree(traded)
    refused = run("restore", str(packed))
    assert refused.exit_code == 2 and "has a state already (simulated): --force" in refused.stderr
    assert tree(traded) == before
    done = json.loads(run("restore", "--force", str(packed), "--json").stdout)
    aside = {Path(place).name.split(".")[0]: Path(place) for place in done["moved_aside"]}
    assert sorted(aside) == ["config", "state"]
    for part, place in aside.items():
        kept = {
            name.removeprefix(f"{part}/"): value for name, value in before.items() if name.startswith(part)
        }
        assert tree(place) == kept
    assert "0.123" not in (traded / "config" / "risk.json").read_text()


def test_a_fresh_configuration_without_a_state_moves_aside_by_itself(
    home: Path, run: Run, tmp_path: Path
) -> None:
    run("backup", str(tmp_path / "made.tar.gz"))
    result = run("restore", str(tmp_path / "made.tar.gz"))
    assert result.exit_code == 0
    assert len(list(home.glob("config.before-restore-*"))) == 1


def test_nothing_is_restored_under_an_engine_that_works_there(traded: Path, run: Run, packed: Path) -> None:
    before = tree(traded)
    with account_lock(traded / "state" / "simulated"):
        result = run("restore", "--force", str(packed))
    assert result.exit_code == 5
    assert tree(traded) == before and leftovers(traded) == []


def test_entries_of_a_live_account_stay_halted_after_a_restore(
    traded: Path, run: Run, tmp_path: Path
) -> None:
    arm(Home(traded).account("live-testnet"), "ETHUSDT", 1, "testnet", "bybit")
    run("backup", str(tmp_path / "made.tar.gz"))
    result = run("--home", str(tmp_path / "two"), "restore", str(tmp_path / "made.tar.gz"))
    assert "no entries in live-testnet" in result.stdout and "chloe reconcile" in result.stdout
    wish = requested_halt(tmp_path / "two" / "state" / "live-testnet")
    assert wish is not None and wish["halted"] and "backup" in wish["reason"]
    assert (tmp_path / "two" / "state" / "live-testnet" / "armed.json").exists()
    assert requested_halt(tmp_path / "two" / "state" / "simulated") is None


def test_a_broken_configuration_comes_back_as_it_was_and_is_named(
    home: Path, run: Run, tmp_path: Path
) -> None:
    (home / "config" / "risk.json").write_text("{")
    run("backup", str(tmp_path / "made.tar.gz"))
    result = run("--home", str(tmp_path / "two"), "restore", str(tmp_path / "made.tar.gz"))
    assert result.exit_code == 0
    assert "its configuration can't be read: config/risk.json:" in result.stdout


def nothing_restored(run: Run, tmp_path: Path, path: Path) -> str:
    result = run("--home", str(tmp_path / "two"), "restore", str(path))
    assert result.exit_code in (2, 4), result.output
    assert "bug" not in result.stderr
    assert not (tmp_path / "two").exists()
    return result.stderr


@pytest.mark.parametrize("part", [0.0, 0.001, 0.1, 0.5, 0.9, 0.999])
def test_a_backup_that_was_cut_off_restores_nothing(
    run: Run, packed: Path, tmp_path: Path, part: float
) -> None:
    whole = packed.read_bytes()
    packed.write_bytes(whole[: int(len(whole) * part)])
    assert str(packed) in nothing_restored(run, tmp_path, packed)


def test_a_backup_cut_off_before_it_was_compressed_restores_nothing(
    run: Run, packed: Path, tmp_path: Path
) -> None:
    members = members_of(packed)
    for keep in (1, 2, len(members) - 1):
        said = nothing_restored(run, tmp_path, write_members(tmp_path / "cut.tar.gz", members[:keep]))
        assert "its end is missing" in said


def test_any_byte_that_flipped_is_noticed(run: Run, packed: Path, tmp_path: Path) -> None:
    members = members_of(packed)
    for place, (_, content) in enumerate(members):
        if content and 0 < place < len(members) - 1:
            flipped = bytes([content[0] ^ 1]) + content[1:]
            changed = [*members[:place], (members[place][0], flipped), *members[place + 1 :]]
            said = nothing_restored(run, tmp_path, write_members(tmp_path / "flipped.tar.gz", changed))
            assert "is damaged" in said


@pytest.mark.parametrize(
    "name",
    [
        "../outside",
        "/tmp/outside",
        "chloe-backup/../../outside",
        "chloe-backup/config/../../../outside",
        "chloe-backup/secrets/bybit.json",
        "chloe-backup/config",
        "other/config/risk.json",
    ],
)
def test_a_name_that_leads_elsewhere_is_refused(run: Run, packed: Path, tmp_path: Path, name: str) -> None:
    members = members_of(packed)
    evil = [members[0], (tarfile.TarInfo(name), b"x"), *members[1:]]
    said = nothing_restored(run, tmp_path, write_members(tmp_path / "evil.tar.gz", evil))
    assert "it was not made by chloe backup" in said
    assert not (tmp_path / "outside").exists() and not Path("/tmp/outside").exists()


def test_links_and_devices_are_refused(run: Run, packed: Path, tmp_path: Path) -> None:
    members = members_of(packed)
    for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE):
        link = tarfile.TarInfo("chloe-backup/config/link")
        link.type, link.linkname = kind, "/etc/passwd"
        evil = [members[0], (link, b""), *members[1:]]
        nothing_restored(run, tmp_path, write_members(tmp_path / "evil.tar.gz", evil))


def test_a_file_that_is_no_backup_is_called_so(run: Run, tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("not a backup")
    zipped = tmp_path / "notes.gz"
    zipped.write_bytes(gzip.compress(b"not a backup" * 100))
    other = write_members(tmp_path / "other.tar.gz", [(tarfile.TarInfo("readme"), b"hello")])
    for path in (text, zipped, other, tmp_path / "absent"):
        assert str(path) in nothing_restored(run, tmp_path, path)


def test_a_backup_of_a_later_format_says_so(run: Run, packed: Path, tmp_path: Path) -> None:
    members = members_of(packed)
    members[0] = (members[0][0], json.dumps({"format": 99, "new": 1}).encode())
    said = nothing_restored(run, tmp_path, write_members(tmp_path / "later.tar.gz", members))
    assert "another Chloe (format 99, here 1)" in said


def test_what_a_killed_call_left_is_swept_a_day_later(traded: Path, run: Run, packed: Path) -> None:
    stale = [traded / "backups" / ".chloe-backup-x", traded / ".restore-x"]
    fresh = [traded / "backups" / ".chloe-backup-y", traded / ".restore-y"]
    for place in (*stale, *fresh):
        place.mkdir(parents=True)
        (place / "copy").touch()
    for place in stale:
        os.utime(place, (1, 1))
    assert run("backup").exit_code == 0
    assert run("restore", "--force", str(packed)).exit_code == 0
    assert not any(place.exists() for place in stale) and all(place.exists() for place in fresh)


def limited(arguments: list[str], most_bytes: int) -> subprocess.CompletedProcess[str]:
    """Run a command on a disk that takes no file larger than this."""
    return subprocess.run(
        [sys.executable, "-m", "engine_alpha", *arguments],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes)),
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("most_bytes", [5_000, 70_000])
def test_a_disk_that_takes_no_more_leaves_nothing_half_done(
    traded: Path, packed: Path, tmp_path: Path, most_bytes: int
) -> None:
    before = tree(traded)
    made = limited(["--home", str(traded), "backup", str(tmp_path / "new.tar.gz")], most_bytes)
    assert made.returncode == 4 and "no backup was made" in made.stderr, made.stderr
    assert not (tmp_path / "new.tar.gz").exists()
    put = limited(["--home", str(traded), "restore", "--force", str(packed)], most_bytes)
    assert put.returncode == 4 and "nothing was restored" in put.stderr, put.stderr
    assert tree(traded) == before
    assert leftovers(tmp_path) == []
