"""Adopting: a version that is never overwritten, then the set in use; one call goes back; nothing is lost."""

import errno
import hashlib
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from engine_alpha.config.parameters import adopted_set, parameters_of, read_set
from engine_alpha.config.reading import read_json
from engine_alpha.errors import ConfigError
from engine_alpha.home import Home, init_home
from engine_alpha.plans.differences import differences
from engine_alpha.plans.setup import read_setup
from engine_alpha.research.adoption import adopt, history, revert
from engine_alpha.step.recording import DECISION
from tests.unit.loop.runs import MemoryFeed, a_home, engine_of, payloads, series_of, tick_hours

ETH = "ETHUSDT"
AT_MS = 1_795_824_000_000  # 2026-11-28
DAY_MS = 86_400_000
PROPOSAL = hashlib.sha256(b"a proposal").hexdigest()
CHANGES = {"momentum-long": {"status": "shadow", "changes": {"exits.stop.range": 6}}}


@pytest.fixture
def home(tmp_path: Path) -> Home:
    init_home(tmp_path / "home")
    return Home(tmp_path / "home")


def proposed(home: Home, **changes: Any) -> dict[str, Any]:
    """Return what a proposal says: all keys of a set, some of them changed."""
    return {**read_json(home.parameters / "default.json"), **changes}


def own(home: Home) -> Path:
    return home.parameters / f"{ETH}.json"


def versions(home: Home) -> Path:
    return home.parameters / "versions" / ETH


def put(home: Home, document: Mapping[str, Any], at_ms: int = AT_MS) -> str:
    return adopt(home, ETH, document, "2026-11-28", PROPOSAL, at_ms).version


def test_what_is_adopted_is_what_the_step_reads_under_its_version(home: Home) -> None:
    document = proposed(home, confidence_min=0.42, calibration=[[0.1, 0.2], [0.5, 0.6]], cards=CHANGES)
    found = adopt(home, ETH, document, "2026-11-28", PROPOSAL, AT_MS)
    assert (found.version, found.previous, found.changed) == (f"{ETH}-2026-11-28-1", None, True)
    setup = read_setup(home)
    eth, btc = setup.registry.assets[:2]
    plan, other = setup.plan(eth), setup.plan(btc)
    assert plan.parameters_version == found.version and other.parameters_version == "default-1"
    assert plan.rules.parameters.confidence_min == 0.42
    assert plan.rules.parameters.calibration == ((0.1, 0.2), (0.5, 0.6))
    card = plan.rules.cards[plan.names.index("momentum-long")]
    assert (card.status, card.stop_range) == (2, 6.0)
    assert plan.shadow_names() == ["momentum-long", *other.shadow_names()]


def test_the_set_in_use_is_a_copy_of_its_version(home: Home) -> None:
    version = put(home, proposed(home, neutral_zone=0.15))
    content = (versions(home) / f"{version}.json").read_bytes()
    assert own(home).read_bytes() == content
    fields = json.loads(content)
    assert fields["previous"] is None
    assert fields["adopted"] == {
        "at": "2026-11-28T00:00:00+00:00", "night": "2026-11-28", "proposal_sha256": PROPOSAL
    }  # fmt: skip
    assert read_set(own(home)).version == version


def test_adopting_the_same_again_does_nothing_and_says_so(home: Home) -> None:
    document = proposed(home, neutral_zone=0.15)
    first = put(home, document)
    again = adopt(home, ETH, document, "2026-11-29", "0" * 64, AT_MS + DAY_MS)
    assert (again.version, again.changed, again.previous) == (first, False, None)
    assert len(list(versions(home).iterdir())) == 1


def test_versions_of_a_day_are_numbered_and_each_names_the_one_before(home: Home) -> None:
    names = [put(home, proposed(home, neutral_zone=zone)) for zone in (0.11, 0.12, 0.13)]
    names.append(put(home, proposed(home, neutral_zone=0.14), AT_MS + DAY_MS))
    assert names == [*(f"{ETH}-2026-11-28-{n}" for n in (1, 2, 3)), f"{ETH}-2026-11-29-1"]
    found = history(home, ETH)
    assert [each.version for each in found] == names[::-1]
    assert [each.previous for each in found] == [*names[2::-1], None]
    assert [each.active for each in found] == [True, False, False, False]


def test_going_back_goes_version_by_version_to_the_default_set(home: Home) -> None:
    first, second = (put(home, proposed(home, neutral_zone=zone)) for zone in (0.11, 0.12))
    found = revert(home, ETH, AT_MS)
    assert (found.version, found.left, found.changed) == (first, second, True)
    assert parameters_of(home.parameters, ETH)[1].neutral_zone == 0.11
    found = revert(home, ETH, AT_MS)
    assert (found.version, found.left, found.changed) == (None, first, True)
    assert not own(home).exists() and parameters_of(home.parameters, ETH)[0] == "default-1"
    found = revert(home, ETH, AT_MS)
    assert (found.version, found.left, found.changed) == (None, None, False)
    assert [each.version for each in history(home, ETH)] == [second, first], "versions stay"


def test_what_was_reverted_can_be_adopted_again(home: Home) -> None:
    document = proposed(home, neutral_zone=0.15)
    first = put(home, document)
    revert(home, ETH, AT_MS)
    assert put(home, document, AT_MS + DAY_MS) == first
    assert read_set(own(home)).version == first


def test_a_set_made_by_hand_is_saved_before_it_is_replaced(home: Home) -> None:
    mine = {**proposed(home), "version": "mine", "trend_on": 0.4}
    text = json.dumps(mine)[:-1] + "} // my notes"
    own(home).write_text(text)
    found = adopt(home, ETH, proposed(home, neutral_zone=0.2), "2026-11-28", PROPOSAL, AT_MS)
    assert (found.previous, found.saved) == ("mine", "mine")
    assert json.loads((versions(home) / "mine.json").read_text()) == mine
    assert (versions(home) / "mine.txt").read_text() == text
    assert revert(home, ETH, AT_MS).version == "mine"
    assert adopted_set(home.parameters, ETH).parameters.trend_on == 0.4
    assert revert(home, ETH, AT_MS).version is None
    assert json.loads((versions(home) / "mine.json").read_text()) == mine


def test_an_adopted_set_that_was_edited_under_its_name_is_saved_under_another(home: Home) -> None:
    first = put(home, proposed(home, neutral_zone=0.11))
    fields = json.loads(own(home).read_text())
    own(home).write_text(json.dumps({**fields, "neutral_zone": 0.3}))
    assert [(each.version, each.active, each.saved) for each in history(home, ETH)] == [
        (first, True, False),
        (first, False, True),
    ]
    found = revert(home, ETH, AT_MS)
    assert (found.version, found.left, found.saved) == (None, f"{ETH}-2026-11-28-2", f"{ETH}-2026-11-28-2")
    kept = {path.stem: json.loads(path.read_text()) for path in versions(home).iterdir()}
    assert [kept[f"{ETH}-2026-11-28-{n}"]["neutral_zone"] for n in (1, 2)] == [0.11, 0.3]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kernel": 2}, "kernel: written for another kernel"),
        ({"trend_on": 2}, "trend_on: must be less than or equal to 1"),
        ({"weights": {}}, r"weights\.trend_up: is missing"),
        ({"flair": 1}, "flair: unknown key"),
        ({"cards": {"momentum": {"status": "active"}}}, r"cards\.momentum: no such card; did you mean"),
        (
            {"cards": {"momentum-long": {"changes": {"exits.stop.range": -1}}}},
            r"cards\.momentum-long\.changes\.exits\.stop\.range: must be greater than 0",
        ),
    ],
)
def test_a_set_that_could_not_be_used_is_refused_and_nothing_changes(
    home: Home, changes: dict[str, Any], message: str
) -> None:
    put(home, proposed(home, neutral_zone=0.11))
    before = tree(home)
    with pytest.raises(ConfigError, match=f"the set for {ETH}: {message}"):
        put(home, proposed(home, **changes))
    assert tree(home) == before


def test_a_coin_that_is_not_there_is_refused(home: Home) -> None:
    with pytest.raises(ConfigError, match=r"no asset ETHUSD; did you mean ETHUSDT\?"):
        adopt(home, "ETHUSD", proposed(home), "2026-11-28", PROPOSAL, AT_MS)
    for what in (
        lambda: revert(home, "../risk", AT_MS),
        lambda: adopt(home, "../risk", {}, "n", PROPOSAL, 0),
    ):
        with pytest.raises(ConfigError, match="is no symbol"):
            what()


def test_a_file_that_is_no_json_is_neither_replaced_nor_removed(home: Home) -> None:
    own(home).write_text("{ mine")
    for what in (lambda: put(home, proposed(home)), lambda: revert(home, ETH, AT_MS)):
        with pytest.raises(
            ConfigError, match=r"ETHUSDT\.json:1:3: .*\n[^$]*nothing was changed: mend the file"
        ):
            what()
    assert own(home).read_text() == "{ mine"


def test_a_set_of_another_kernel_can_be_left(home: Home) -> None:
    first, _ = (put(home, proposed(home, neutral_zone=zone)) for zone in (0.11, 0.12))
    fields = json.loads(own(home).read_text())
    own(home).write_text(json.dumps({**fields, "kernel": 99}))
    with pytest.raises(ConfigError, match="another kernel"):
        parameters_of(home.parameters, ETH)
    assert revert(home, ETH, AT_MS).version == first
    assert parameters_of(home.parameters, ETH)[0] == first


def test_a_version_before_that_is_gone_or_refused_is_not_gone_back_to(home: Home) -> None:
    first, second = (put(home, proposed(home, neutral_zone=zone)) for zone in (0.11, 0.12))
    (versions(home) / f"{first}.json").unlink()
    with pytest.raises(ConfigError, match=rf"can't go back to {first}.*{second}.*delete that file"):
        revert(home, ETH, AT_MS)
    (versions(home) / f"{first}.json").write_text('{"version": "x"}')
    with pytest.raises(ConfigError, match=rf"can't go back to {first}.*trend_on: is missing"):
        revert(home, ETH, AT_MS)
    assert parameters_of(home.parameters, ETH)[0] == second


def test_another_coin_is_not_touched(home: Home) -> None:
    put(home, proposed(home, neutral_zone=0.11))
    before = tree(home)
    adopt(home, "BTCUSDT", proposed(home, neutral_zone=0.12), "2026-11-28", PROPOSAL, AT_MS)
    assert {name: text for name, text in tree(home).items() if "BTC" not in name} == before


def test_the_service_says_what_an_adoption_changed(home: Home) -> None:
    running = read_setup(home)
    running.plan(running.registry.assets[0])
    version = put(home, proposed(home, confidence_min=0.42, cards=CHANGES))
    (line,) = differences(running, read_setup(home))
    assert line == (
        f"ETHUSDT: parameters default-1 → {version}: confidence_min 0.2 → 0.42; cards.momentum-long added: "
        '{"status": "shadow", "changes": {"exits.stop.range": 6}}'
    )


# ------------------------------------------------------------------ crashes


def tree(home: Home) -> dict[str, bytes]:
    """Return what is in the folder of parameters, unfinished files aside."""
    return {
        str(path.relative_to(home.parameters)): path.read_bytes()
        for path in home.parameters.rglob("*")
        if path.is_file() and not path.name.startswith(".")
    }


WRITES = ("os.mkdir", "os.link", "os.rename", "os.remove", "open")


def killed_at(number: int, home: Home, what: str) -> bool:
    """Adopt or revert in a process of its own that ends at the n-th change of the disk, if it comes to it."""
    child = os.fork()
    if child == 0:
        seen = 0

        def look(event: str, arguments: tuple[Any, ...]) -> None:
            nonlocal seen
            if event not in WRITES or (event == "open" and not int(arguments[2] or 0) & os.O_CREAT):
                return
            seen += 1
            if seen == number:
                os._exit(9)

        sys.addaudithook(look)
        try:
            if what == "adopt":
                put(home, proposed(home, neutral_zone=0.12))
            else:
                revert(home, ETH, AT_MS)
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9


@pytest.mark.parametrize("what", ["adopt", "revert"])
def test_killed_at_any_write_the_old_set_is_in_use_or_the_new_one(tmp_path: Path, what: str) -> None:
    number, outcomes = 0, []
    while True:
        number += 1
        init_home(tmp_path / str(number))
        home = Home(tmp_path / str(number))
        mine = {**proposed(home), "version": "mine", "neutral_zone": 0.3, "previous": None}
        own(home).write_text(json.dumps(mine) + "// by hand")
        got_killed = killed_at(number, home, what)
        zone = parameters_of(home.parameters, ETH)[1].neutral_zone
        outcomes.append(zone)
        kept = {name: json.loads(text) for name, text in tree(home).items() if name.startswith("versions/E")
                and name.endswith(".json")}  # fmt: skip
        assert all(f"/{each['version']}.json" in name for name, each in kept.items()), "whole, by its name"
        assert zone == 0.3 or any(each["neutral_zone"] == 0.3 for each in kept.values()), "never lost"
        if what == "adopt":
            assert put(home, proposed(home, neutral_zone=0.12)) == f"{ETH}-2026-11-28-1"
            assert [each.version for each in history(home, ETH)] == [f"{ETH}-2026-11-28-1", "mine"]
        else:
            revert(home, ETH, AT_MS)
            assert [each.version for each in history(home, ETH)] == ["mine"]
        assert not [path for path in home.parameters.rglob(".*") if path.is_file()], "swept"
        if not got_killed:
            break
    assert number > 5 and outcomes == sorted(outcomes, reverse=True)
    assert {0.3, 0.12 if what == "adopt" else 0.1} == set(outcomes)


@pytest.mark.parametrize("call", ["link", "replace", "fsync"])
def test_a_full_disk_leaves_the_old_set_and_says_what_to_do(
    home: Home, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    first = put(home, proposed(home, neutral_zone=0.11))

    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(own(home)))

    with monkeypatch.context() as patched:
        patched.setattr(os, call, full)
        with pytest.raises(ConfigError, match=r"No space left on device.*make room"):
            put(home, proposed(home, neutral_zone=0.12))
    assert parameters_of(home.parameters, ETH)[0] == first
    assert put(home, proposed(home, neutral_zone=0.12)) == f"{ETH}-2026-11-28-2"


# ------------------------------------------------------------------ the step


def test_a_decision_names_the_version_from_the_next_bar_on(tmp_path: Path) -> None:
    home = a_home(tmp_path / "home")
    with engine_of(home, MemoryFeed(series_of((ETH,)))) as engine:
        tick_hours(engine, range(1))
        version = put(home, proposed(home, confidence_min=0.99))
        engine.setup = read_setup(home)
        tick_hours(engine, range(1, 2))
        told = [
            (each["parameters"], each["record"][3][4][7][2]) for each in payloads(engine.journal, DECISION)
        ]
    assert told == [("default-1", 0.0), (version, 0.99)]
