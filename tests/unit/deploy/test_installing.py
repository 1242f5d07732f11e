"""Installing and removing units: what is checked, what is done, and that nothing is done unsaid."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from engine_alpha.deploy.installing import (
    LONG_RUNNING,
    NIGHTS,
    TICKS,
    carry_out,
    compare,
    install_steps,
    installed_by_us,
    installed_unit,
    installed_user,
    refusals,
    uninstall_steps,
)
from engine_alpha.deploy.machine import Account, Machine
from engine_alpha.deploy.units import (
    NIGHTLY,
    ONCE,
    RESEARCH,
    SERVICE,
    TIMER,
    Installation,
    unit_text,
)
from engine_alpha.errors import ConfigError, SystemdFailed
from tests.unit.deploy.conftest import Manager


def install(installation: Installation, names: tuple[str, ...], machine: Machine) -> list[str]:
    said: list[str] = []
    carry_out(install_steps(installation, names, machine), machine, said.append)
    return said


def test_installing_writes_the_unit_and_has_it_started_at_boot_but_starts_nothing(
    installation: Installation, machine: Machine, manager: Manager
) -> None:
    said = install(installation, LONG_RUNNING, machine)
    assert installed_unit(SERVICE, machine.units) == unit_text(SERVICE, installation)
    assert manager.asked == [["systemctl", "daemon-reload"], ["systemctl", "enable", SERVICE]]
    assert said == [
        f"write {machine.units / SERVICE}",
        "$ systemctl daemon-reload",
        f"$ systemctl enable {SERVICE}",
    ]


def test_a_tick_after_each_close_is_two_units_of_which_the_timer_is_enabled(
    installation: Installation, machine: Machine, manager: Manager
) -> None:
    install(installation, TICKS, machine)
    assert installed_by_us(machine.units) == (ONCE, TIMER)
    assert manager.asked[-1] == ["systemctl", "enable", TIMER]


def test_every_command_is_said_before_it_is_run(
    installation: Installation, machine: Machine, manager: Manager
) -> None:
    order: list[str] = []
    listening = replace(
        machine, run=lambda command: (order.append(f"ran {command[1]}"), manager.run(command))[1]
    )
    carry_out(install_steps(installation, LONG_RUNNING, listening), listening, order.append)
    assert order[1:] == [
        "$ systemctl daemon-reload",
        "ran daemon-reload",
        f"$ systemctl enable {SERVICE}",
        "ran enable",
    ]


def test_the_first_command_that_fails_ends_it_with_systemd_s_own_words(
    installation: Installation, machine: Machine, manager: Manager
) -> None:
    manager.failing = "daemon-reload"
    said: list[str] = []
    with pytest.raises(SystemdFailed, match="`systemctl daemon-reload` failed with exit code 1"):
        carry_out(install_steps(installation, LONG_RUNNING, machine), machine, said.append)
    assert said[-1] == "Failed to do so: no idea" and len(manager.asked) == 1


def test_a_folder_that_can_t_be_written_is_said(installation: Installation, machine: Machine) -> None:
    machine.units.write_text("a file")
    with pytest.raises(SystemdFailed, match="can't be written or removed"):
        install(installation, LONG_RUNNING, machine)


def test_uninstalling_stops_and_removes_ours_alone(
    installation: Installation, machine: Machine, manager: Manager
) -> None:
    install(installation, TICKS, machine)
    (machine.units / SERVICE).write_text("[Service]\nExecStart=/bin/true\n")
    manager.asked.clear()
    carry_out(uninstall_steps(machine, installed_by_us(machine.units)), machine, lambda _: None)
    assert [path.name for path in machine.units.iterdir()] == [SERVICE]
    assert manager.asked == [
        ["systemctl", "disable", "--now", TIMER],
        ["systemctl", "stop", ONCE],
        ["systemctl", "daemon-reload"],
    ]
    assert (installation.home / "config").is_dir()


def test_an_installed_unit_is_compared_with_what_would_be_written_now(
    installation: Installation, machine: Machine
) -> None:
    def states(now: Installation) -> dict[str, str]:
        return {unit.name: unit.state for unit in compare(now, machine.units)}

    assert set(states(installation).values()) == {"absent"}
    install(installation, LONG_RUNNING, machine)
    assert states(installation)[SERVICE] == "current"
    assert states(replace(installation, prefix=Path("/opt/other")))[SERVICE] == "differs"
    (machine.units / SERVICE).write_text("[Service]\nUser=me\n")
    assert states(installation)[SERVICE] == "foreign"
    assert installed_user(machine.units) == "me"


def owned(installation: Installation, machine: Machine) -> Machine:
    """Return the machine with a user who owns what this process made."""
    uid = installation.home.stat().st_uid
    account = Account("chloe", uid or 4711, frozenset({os.getgid()}))
    if uid == 0:
        os.chown(installation.home, 4711, -1)
    return replace(machine, account={"chloe": account, "root": Account("root", 0, frozenset({0}))}.get)


def only(found: list[str]) -> str:
    """Return the refusal that is not about the test's own temporary folder."""
    left = [reason for reason in found if "temporary" not in reason and "may not go into" not in reason]
    assert len(left) == 1, left
    return left[0]


def test_each_refusal_says_what_to_do(installation: Installation, machine: Machine) -> None:
    home = installation.home
    stranger = replace(machine, account={}.get)
    assert "sudo useradd --system" in only(refusals(installation, LONG_RUNNING, stranger))
    assert f"'{home}'" in only(refusals(installation, LONG_RUNNING, stranger)), "quoted for the shell"
    fine = owned(installation, machine)
    asking = replace(fine, uid=1000)
    assert "sudo " in only(refusals(installation, LONG_RUNNING, asking))
    assert "or chloe service install --user" in only(refusals(installation, LONG_RUNNING, asking))
    as_root = replace(installation, user="root")
    assert (
        only(refusals(as_root, LONG_RUNNING, fine))
        == "the engine does not run as root: --run-as another user"
    )
    down = replace(fine, reachable="systemd does not run this machine: use Docker")
    assert only(refusals(installation, LONG_RUNNING, down)) == down.reachable
    nowhere = replace(installation, prefix=home)
    assert "install chloe into an environment" in only(refusals(nowhere, LONG_RUNNING, fine))


def test_a_home_of_somebody_else_is_refused(installation: Installation, machine: Machine) -> None:
    other = Account("chloe", 65_000, frozenset())
    strange = replace(machine, account={"chloe": other}.get)
    assert "sudo chown -R chloe: '" in only(refusals(installation, LONG_RUNNING, strange))


def test_a_folder_that_the_user_may_not_enter_is_named(installation: Installation, machine: Machine) -> None:
    fine = owned(installation, machine)
    private = installation.prefix.parent / "private"
    private.mkdir()
    private.chmod(0o700)
    os.chown(private, 0 if os.getuid() == 0 else -1, -1)
    far = replace(installation, sources=(private,), user="chloe")
    stranger = replace(fine, account={"chloe": Account("chloe", 65_000, frozenset())}.get)
    found = [reason for reason in refusals(far, LONG_RUNNING, stranger) if "may not go into" in reason]
    assert found and "/opt/chloe" in found[-1]


def test_a_temporary_folder_is_refused_since_the_service_has_its_own(
    installation: Installation, machine: Machine
) -> None:
    moved = replace(installation, prefix=Path("/tmp/venv"), home=installation.home)
    found = refusals(moved, LONG_RUNNING, owned(installation, machine))
    assert any(reason.startswith("/tmp/venv lies in a folder of temporary files") for reason in found)


def test_root_has_no_service_of_its_own(installation: Installation, machine: Machine) -> None:
    own = replace(installation, user=None)
    assert refusals(own, LONG_RUNNING, machine) == [
        "root has no service of its own: leave out --user, or run this as the user who trades"
    ]
    assert refusals(own, LONG_RUNNING, replace(machine, uid=1000)) == []


def test_a_unit_of_somebody_else_and_the_other_kind_of_ours_are_in_the_way(
    installation: Installation, machine: Machine
) -> None:
    fine = owned(installation, machine)
    install(installation, TICKS, fine)
    assert "chloe service uninstall first" in only(refusals(installation, LONG_RUNNING, fine))
    carry_out(uninstall_steps(fine, installed_by_us(fine.units)), fine, lambda _: None)
    (fine.units / SERVICE).write_text("[Service]\nExecStart=/bin/true\n")
    assert "was not written by this command: move it away first" in only(
        refusals(installation, LONG_RUNNING, fine)
    )


def test_an_installed_unit_that_can_t_be_read_is_no_traceback(machine: Machine) -> None:
    (machine.units / SERVICE).mkdir(parents=True)
    with pytest.raises(ConfigError, match="can't be read"):
        installed_unit(SERVICE, machine.units)


def test_nights_are_installed_beside_whatever_trades_and_removed_with_it(
    installation: Installation, machine: Machine, manager: Manager
) -> None:
    fine = owned(installation, machine)
    for trading in (LONG_RUNNING, TICKS):
        install(installation, trading, fine)
        said = [text for text in refusals(installation, NIGHTS, fine) if "is installed too" in text]
        assert said == []
        install(installation, NIGHTS, fine)
        assert manager.asked[-1] == ["systemctl", "enable", NIGHTLY]
        said = [text for text in refusals(installation, trading, fine) if "is installed too" in text]
        assert said == []
        steps = uninstall_steps(fine, installed_by_us(fine.units))
        commands = [step.command for step in steps if step.command]
        assert NIGHTLY in commands[0] and ("systemctl", "stop", RESEARCH) in commands
        carry_out(steps, fine, lambda _: None)
        assert installed_by_us(fine.units) == ()
