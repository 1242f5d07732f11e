"""The last good configuration is kept whole, outlives what becomes of the files, and reads nothing twice."""

import shutil
from pathlib import Path

import pytest

from engine_alpha.errors import ConfigError
from engine_alpha.home import Home
from engine_alpha.loop.last_good import KeptConfiguration, keep, last_good_home
from engine_alpha.plans.setup import read_setup
from tests.unit.loop.runs import a_home, set_risk


def test_what_is_kept_reads_as_what_was_read(tmp_path: Path) -> None:
    home = a_home(tmp_path)
    setup = KeptConfiguration(home).read()
    kept = read_setup(last_good_home(home))
    assert (kept.registry, kept.risk, kept.engine) == (setup.registry, setup.risk, setup.engine)
    assert kept.cards == setup.cards and kept.instruments == setup.instruments


def test_nothing_is_read_again_while_no_file_changes(tmp_path: Path) -> None:
    home = a_home(tmp_path)
    configuration = KeptConfiguration(home)
    first = configuration.read()
    assert configuration.read() is first
    set_risk(home, max_positions=3)
    assert configuration.read().risk.max_positions == 3


def test_only_the_newest_copy_stays(tmp_path: Path) -> None:
    home = a_home(tmp_path)
    configuration = KeptConfiguration(home)
    for positions in (3, 4, 5):
        set_risk(home, max_positions=positions)
        configuration.read()
    copies = [path.name for path in home.state.iterdir() if path.name.startswith("last_good-")]
    assert len(copies) == 1
    assert read_setup(last_good_home(home)).risk.max_positions == 5


def test_a_copied_home_without_its_links_is_put_right(tmp_path: Path) -> None:
    home = a_home(tmp_path / "one")
    keep(home)
    copied = Home(tmp_path / "two")
    shutil.copytree(home.path, copied.path)  # follows links
    assert not (copied.state / "last_good").is_symlink()
    configuration = KeptConfiguration(copied)
    configuration.read()
    assert configuration.fault == "" and (copied.state / "last_good").is_symlink()


def test_the_fault_is_one_line_that_counts_the_others(tmp_path: Path) -> None:
    home = a_home(tmp_path)
    configuration = KeptConfiguration(home)
    configuration.read()
    set_risk(home, max_positions="many", risk_frac=7)
    configuration.read()
    assert "\n" not in configuration.fault
    assert "(and 1 more)" in configuration.fault and "goes on" in configuration.fault


def test_a_copy_that_can_t_be_read_either_is_no_way_out(tmp_path: Path) -> None:
    home = a_home(tmp_path)
    KeptConfiguration(home).read()
    for broken in (home, last_good_home(home)):
        broken.risk.write_text("{")
    with pytest.raises(ConfigError, match="risk"):
        KeptConfiguration(home).read()
