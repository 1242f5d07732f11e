"""`chloe service`: what it prints and refuses. Nothing here changes the machine."""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from engine_alpha.cli.root import chloe
from engine_alpha.cli.service_places import this_installation
from engine_alpha.config.editing import set_value
from engine_alpha.deploy.units import NIGHTLY, RESEARCH, SERVICE, TIMER, unit_text
from engine_alpha.home import Home, init_home
from tests.unit.loop.runs import edit

SPEC_LINE = (
    "/usr/bin/env bash -lc 'source venv/bin/activate && python -m engine_alpha.loop.multi_asset_runner'"
)
ENVIRONMENT = Path(sys.prefix)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(chloe, list(arguments), prog_name="chloe")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a fresh home; units of the user's own manager go below the temporary folder."""
    path = tmp_path / "home"
    init_home(path)
    monkeypatch.setenv("CHLOE_HOME", str(path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return path


def test_a_dry_run_prints_units_and_commands_as_they_would_be(home: Path, tmp_path: Path) -> None:
    result = run("service", "install", "--dry-run", "--user")
    assert result.exit_code == 0
    wanted = unit_text(SERVICE, this_installation(Home(home), None))
    path = tmp_path / "config" / "systemd" / "user" / SERVICE
    assert result.stdout == (
        f"# write {path}\n{wanted}\n$ systemctl --user daemon-reload\n$ systemctl --user enable {SERVICE}\n"
    )
    assert not path.exists()


def test_a_dry_run_for_the_system_names_this_environment_and_home(home: Path) -> None:
    result = run("service", "install", "--dry-run", "--run-as", "nobody-here", "--json")
    document = json.loads(result.stdout)
    assert not document["done"] and [step["run"] for step in document["steps"][1:]] == [
        ["systemctl", "daemon-reload"],
        ["systemctl", "enable", SERVICE],
    ]
    text = document["steps"][0]["text"]
    assert f"ExecStart={sys.prefix}/bin/chloe run --home {home}" in text and "User=nobody-here" in text
    assert any("there is no user nobody-here" in reason for reason in document["refusals"])
    assert document["next"][0]["run"] == f"systemctl restart {SERVICE}"


def test_what_is_amiss_is_refused_before_anything_is_written(home: Path) -> None:
    result = run("service", "install", "--run-as", "nobody-here")
    assert result.exit_code == 2 and result.stdout == ""
    assert "nothing was written" in result.stderr and "sudo useradd" in result.stderr


def test_the_timer_goes_by_the_shortest_bars_and_the_slowest_venue_of_the_registry(home: Path) -> None:
    registry = home / "config" / "asset_registry.json"
    registry.write_text(registry.read_text().replace('"1h"', '"15m"', 1))
    delays = {"bybit": 2_500, "binance": 9_000}
    edit(home / "config" / "engine.json", lambda found: found.update(settle_delay_ms=delays))
    result = run("service", "install", "--once", "--dry-run")
    assert "OnCalendar=*-*-* *:00/15:03 UTC" in result.stdout
    registry.write_text(registry.read_text().replace('"bybit"', '"binance"', 1))
    result = run("service", "install", "--once", "--dry-run")
    assert "OnCalendar=*-*-* *:00/15:09 UTC" in result.stdout
    assert f"$ systemctl enable {TIMER}" in result.stdout


def test_a_slow_feed_is_given_a_patient_watchdog(home: Path) -> None:
    set_value(home / "config" / "engine.json", "feed_deadline_ms", 120_000)
    assert "WatchdogSec=375" in run("service", "install", "--dry-run").stdout


def test_without_a_home_the_command_that_makes_one_is_named(tmp_path: Path) -> None:
    result = run("--home", str(tmp_path), "service", "install", "--dry-run")
    assert result.exit_code == 2 and f"make one: chloe init --home {tmp_path}" in result.stderr


def test_nothing_installed_is_said_by_status_and_by_uninstall(home: Path) -> None:
    if Path("/etc/systemd/system/chloe.service").exists():
        pytest.skip("this machine runs Chloe")
    result = run("service", "status")
    assert result.exit_code == 3 and "no unit is installed: chloe service install --dry-run" in result.stdout
    assert json.loads(run("service", "status", "--json").stdout)["units"] == []
    result = run("service", "uninstall", "--user")
    assert result.exit_code == 2 and "nothing to remove" in result.stderr


def installed(home: Path, tmp_path: Path) -> Path:
    unit = tmp_path / "config" / "systemd" / "user" / SERVICE
    unit.parent.mkdir(parents=True)
    unit.write_text(unit_text(SERVICE, this_installation(Home(home), None)))
    return unit


def test_status_says_whether_the_unit_is_this_installation_s(home: Path, tmp_path: Path) -> None:
    unit = installed(home, tmp_path)
    found = json.loads(run("service", "status", "--json").stdout)["units"]
    assert [(one["unit"], one["manager"], one["state"]) for one in found] == [(SERVICE, "user", "current")]
    unit.write_text(unit.read_text().replace("WatchdogSec=180", "WatchdogSec=5"))
    result = run("service", "status")
    assert (
        result.exit_code == 3 and "not as this installation writes it: chloe service install" in result.stdout
    )


def test_a_broken_configuration_does_not_silence_status(home: Path, tmp_path: Path) -> None:
    installed(home, tmp_path)
    (home / "config" / "engine.json").write_text("{")
    result = run("service", "status")
    assert result.exit_code == 3 and "engine.json" in result.stderr
    assert "can't be compared before the configuration is mended" in result.stdout


def test_removing_can_be_tried_without_doing_it(home: Path, tmp_path: Path) -> None:
    unit = installed(home, tmp_path)
    result = run("service", "uninstall", "--user", "--dry-run")
    assert result.exit_code == 0 and unit.exists()
    assert result.stdout.splitlines() == [
        f"$ systemctl --user disable --now {SERVICE}",
        f"remove {unit}",
        "$ systemctl --user daemon-reload",
    ]


@pytest.mark.skipif(not (ENVIRONMENT / "bin" / "activate").is_file(), reason="this Python is in no venv")
def test_the_command_of_the_spec_works_as_written(home: Path, tmp_path: Path) -> None:
    """In a folder that has venv/, which is what WorkingDirectory= of its unit gives."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    (folder / "venv").symlink_to(ENVIRONMENT)
    done = subprocess.run(
        shlex.split(SPEC_LINE),
        cwd=folder,
        env={"CHLOE_HOME": str(home), "PATH": os.environ["PATH"], "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "MULTI-ASSET: tick at " in done.stderr


def test_research_is_offered_and_installed_as_a_timer_of_its_own(home: Path) -> None:
    document = json.loads(run("service", "install", "--dry-run", "--json").stdout)
    assert document["next"][-1]["run"] == "chloe service install --research"
    document = json.loads(run("service", "install", "--research", "--dry-run", "--json").stdout)
    written = [Path(step["write"]).name for step in document["steps"] if "write" in step]
    assert written == [RESEARCH, NIGHTLY]
    assert document["steps"][-1]["run"] == ["systemctl", "enable", NIGHTLY]
    assert document["next"][0]["run"] == f"systemctl restart {NIGHTLY}"
    result = run("service", "install", "--research", "--once")
    assert result.exit_code == 2 and "one after the other" in result.stderr


def test_research_without_its_extra_is_refused_with_what_to_install(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine_alpha.cli.service_install.RESEARCH_NEEDS", ("numba", "absent_library"))
    result = run("service", "install", "--research")
    assert result.exit_code == 2
    assert "research needs absent_library" in result.stderr and "chloe[research]" in result.stderr
