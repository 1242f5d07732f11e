"""`chloe research show`, `list`, `adopt`, `revert`: words first, refusals with reasons, one command back."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from engine_alpha.cli.research_auto import adopt_on_paper
from engine_alpha.cli.research_proposal import value_at
from engine_alpha.cli.root import chloe
from engine_alpha.config.cards import read_cards
from engine_alpha.config.parameters import adopted_set, read_config
from engine_alpha.home import Home
from engine_alpha.loop.arming import arm
from engine_alpha.research.documents import deciding_sha256, sha256_of
from engine_alpha.research.pages.nights import night_in
from tests.unit.cli.conftest import Run, edit
from tests.unit.cli.live_homes import AT_MS
from tests.unit.research.pages.documents import (
    BEFORE,
    CARDS,
    NIGHT,
    asset_document,
    estimate,
    night_document,
    usual_night,
    write_night,
)

ETH, BTC = "ETHUSDT", "BTCUSDT"
RANGE = "exits.stop.range"


def answering(answer: str, *arguments: str) -> Result:
    return CliRunner().invoke(chloe, list(arguments), prog_name="chloe", input=answer)


def shipped(home: Path) -> dict[str, Any]:
    """Return the values of the card's keys as this home has them."""
    card = next(one for one in read_cards(home / "config" / "cards").cards if one.name == CARDS[0])
    default = read_config(home / "config" / "parameters" / "default.json")
    return {
        RANGE: value_at(card.model_dump(mode="json"), RANGE),
        "confidence_min": default.confidence_min,
    }


def proposal(home: Path, **changes: Any) -> dict[str, Any]:
    """Return a document of ETHUSDT that may be adopted in this home."""
    now = shipped(home)
    wanted = {RANGE: now[RANGE] + 2, "confidence_min": 0.3}
    fields = read_config(home / "config" / "parameters" / "default.json").model_dump(mode="json")
    for name in ("version", "previous", "adopted"):
        fields.pop(name)
    cards = {CARDS[0]: {"status": "active", "changes": {RANGE: wanted[RANGE]}}}
    parameters = fields | {"confidence_min": 0.3, "calibration": [[0.0, 0.3], [1.0, 0.6]], "cards": cards}
    card = {"card": CARDS[0], "now": now, "proposed": wanted, "expected": estimate()}
    decides = deciding_sha256(read_cards(home / "config" / "cards"))
    return asset_document(ETH, **({"cards": [card], "parameters": parameters, "decides": decides} | changes))


def write(home: Path, *assets: dict[str, Any], **changes: Any) -> Path:
    return write_night(home / "reports", night_document(**changes), [*assets, asset_document(BTC)])


def in_use(home: Path, symbol: str = ETH) -> str:
    return adopted_set(home / "config" / "parameters", symbol).version


def test_before_the_first_night_the_command_that_makes_one_is_named(home: Path, run: Run) -> None:
    result = run("research", "show")
    assert result.exit_code == 2 and "holds no night yet: chloe research run" in result.stderr
    result = run("research", "list")
    assert (
        result.exit_code == 0 and "no night yet" in result.stdout and "nothing was adopted" in result.stdout
    )


def test_a_night_is_told_in_words_before_any_table(home: Path, run: Run) -> None:
    usual_night(home / "reports", BEFORE)
    usual_night(home / "reports")
    result = run("research", "show")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0] == f"night of {NIGHT}"
    assert lines[2] == "Proposals for 1 of 2 coins pass every test: ETHUSDT."
    assert "On 60 markets" in result.stdout and "✓ 241" in result.stdout and "✗ 0.261" in result.stdout
    assert f"Since {BEFORE} nothing changed" in result.stdout
    assert lines[-1].endswith(f"reports/research/{NIGHT}/index.html")


def test_a_coin_is_shown_with_every_test_and_fold(home: Path, run: Run) -> None:
    usual_night(home / "reports")
    result = run("research", "show", ETH, "--night", NIGHT)
    assert result.exit_code == 0
    assert f"to adopt it: chloe research adopt {ETH} --night {NIGHT}" in result.stdout
    assert "momentum-long: own edge" in result.stdout and "2023-09-01" in result.stdout
    assert run("research", "show", "DOGEUSDT").exit_code == 2


def test_json_is_the_document_itself_and_what_moved(home: Path, run: Run) -> None:
    usual_night(home / "reports", BEFORE)
    usual_night(home / "reports")
    found = json.loads(run("research", "show", "--json").stdout)
    assert found.pop("drift")["before"] == BEFORE and found == night_document()
    found = json.loads(run("research", "show", BTC, "--json").stdout)
    assert found.pop("drift")["moved"] == [] and found == asset_document(BTC)


def test_a_coin_with_a_fault_makes_the_exit_code_3(home: Path, run: Run) -> None:
    write(home, asset_document(ETH), faults={ETH: "no bars"})
    result = run("research", "show")
    assert result.exit_code == 3 and "could not be looked at: ETHUSDT" in result.stdout


def test_nights_are_listed_with_what_they_proposed(home: Path, run: Run) -> None:
    usual_night(home / "reports", BEFORE)
    (write(home, proposal(home)).parent / "2026-11-26").mkdir()
    (home / "reports" / "research" / "2026-11-26" / "night.json").write_text("{")
    result = run("research", "list")
    assert result.exit_code == 3 and "was damaged" in result.stderr
    rows = [line.split() for line in result.stdout.splitlines() if line.startswith("2026")]
    assert [row[0] for row in rows] == [BEFORE, NIGHT] and [row[-1] for row in rows] == [ETH, ETH]


def test_what_is_adopted_is_what_the_coin_is_stepped_by(home: Path, run: Run) -> None:
    write(home, proposal(home))
    before = in_use(home)
    result = answering(f"{ETH}\n", "research", "adopt", ETH)
    assert result.exit_code == 0, result.output
    before_range = shipped(home)[RANGE]
    assert f"{CARDS[0]}: {RANGE}: {before_range:g} → {before_range + 2:g}" in result.stderr
    assert f"{CARDS[0]}: status" not in result.stderr, "it was active before"
    assert "calibration: none → 0 is 0.3, 1 is 0.6" in result.stderr and "→ 0.3\n" in result.stderr
    assert in_use(home) in result.stdout and in_use(home) != before
    assert f"chloe research revert {ETH}" in result.stdout
    found = adopted_set(home / "config" / "parameters", ETH)
    assert found.parameters.confidence_min == 0.3 and found.parameters.calibration[1] == (1.0, 0.6)
    listed = run("research", "list").stdout
    assert in_use(home) in listed and NIGHT in listed.splitlines()[-1]


def test_another_answer_adopts_nothing(home: Path) -> None:
    write(home, proposal(home))
    for answer in ("", "yes\n", "BTCUSDT\n"):
        result = answering(answer, "research", "adopt", ETH)
        assert result.exit_code == 2 and "nothing was adopted" in result.stderr
    assert not (home / "config" / "parameters" / f"{ETH}.json").exists()


def test_adopting_twice_changes_nothing_more(home: Path, run: Run) -> None:
    write(home, proposal(home))
    first = json.loads(run("research", "adopt", ETH, "--yes", "--json").stdout)
    assert first["changed"] and first["armed_in"] == [] and first["changes"]
    assert "trades by this already" in run("research", "adopt", ETH, "--yes").stdout


def test_going_back_is_one_command(home: Path, run: Run) -> None:
    write(home, proposal(home))
    before = in_use(home)
    run("research", "adopt", ETH, "--yes")
    result = run("research", "revert", ETH)
    assert result.exit_code == 0 and "is decided by the default set" in result.stdout
    assert in_use(home) == before
    assert "nothing to go back from" in run("research", "revert", ETH).stdout
    assert run("research", "list").stdout.splitlines()[-1].split()[:2] == ["ETHUSDT", "default"]
    assert run("research", "revert", "NOUSDT").exit_code == 2


def test_a_coin_armed_for_real_orders_is_named_before_and_after(home: Path) -> None:
    write(home, proposal(home))
    arm(home / "state" / "live-testnet", ETH, AT_MS, "testnet", "bybit")
    result = answering(f"{ETH}\n", "research", "adopt", ETH)
    assert "armed in live-testnet: REAL ORDERS" in result.stderr
    assert "with real orders in live-testnet" in result.stdout


def refused(home: Path, words: str) -> None:
    """Check that the proposal is refused with these words, and that nothing was written."""
    before = sorted((home / "config" / "parameters").rglob("*"))
    result = answering("", "research", "adopt", ETH, "--yes")
    assert result.exit_code == 2 and words in result.stderr, result.stderr
    assert sorted((home / "config" / "parameters").rglob("*")) == before


def test_a_proposal_that_does_not_pass_is_refused_with_the_tests_that_failed(home: Path) -> None:
    tests = asset_document(BTC)["tests"]
    write(home, proposal(home, passes=False, tests=tests))
    refused(home, "does not pass (momentum-long: trades, momentum-long: PSR,")


def test_a_document_that_was_changed_is_refused(home: Path) -> None:
    document = proposal(home)
    document["parameters"]["confidence_min"] = 0.0
    write(home, document)
    refused(home, "its file was changed after it was written")


def test_a_proposal_of_another_kernel_is_refused(home: Path) -> None:
    document = proposal(home)
    document["parameters"]["kernel"] = 99
    write(home, document | {"sha256": sha256_of(document)})
    refused(home, "of another kernel (99,")


def test_a_proposal_for_cards_that_were_edited_since_is_refused(home: Path) -> None:
    write(home, proposal(home))
    edit(home / "config" / "cards" / f"{CARDS[0]}.json", exits={"stop": {"range": 5.5}})
    refused(home, f"{RANGE} of {CARDS[0]} was")
    (home / "config" / "cards" / f"{CARDS[0]}.json").unlink()
    refused(home, f"the card {CARDS[0]} is not there any more")


@pytest.mark.parametrize(("key", "value"), [("confidence_min", 0.77), ("neutral_zone", 0.09)])
def test_a_proposal_for_another_default_set_is_refused(home: Path, key: str, value: float) -> None:
    write(home, proposal(home))
    edit(home / "config" / "parameters" / "default.json", **{key: value})
    refused(home, key)


def test_auto_adopt_takes_only_passing_coins_on_paper_that_are_named(home: Path) -> None:
    night = night_in(write(home, proposal(home)))
    assert adopt_on_paper(Home(home), night, AT_MS) == {}
    edit(home / "config" / "research.json", auto_adopt={ETH: "paper", BTC: "paper"})
    arm(home / "state" / "live-testnet", ETH, AT_MS, "testnet", "bybit")
    said = adopt_on_paper(Home(home), night, AT_MS)
    assert said == {ETH: "not adopted by itself: it is armed in live-testnet"}
    (home / "state" / "live-testnet" / "armed.json").unlink()
    assert adopt_on_paper(Home(home), night, AT_MS) == {ETH: f"adopted by itself as {in_use(home)}"}
    assert adopt_on_paper(Home(home), night, AT_MS) == {ETH: "trades by this already"}


def test_auto_adopt_leaves_a_refused_proposal_to_a_person(home: Path) -> None:
    night = night_in(write(home, proposal(home)))
    edit(home / "config" / "research.json", auto_adopt={ETH: "paper"})
    edit(home / "config" / "parameters" / "default.json", neutral_zone=0.09)
    said = adopt_on_paper(Home(home), night, AT_MS)
    assert said[ETH].startswith("not adopted by itself: the proposal for ETHUSDT") and in_use(home)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--night", "tonight"), "is no date"),
        (("--night", "2026-13-01"), "is no ISO time"),
        (("--data", "candles"), "--data needs --venue, --symbols, --from, --to"),
        (("--from", "2024-01-01"), "--from and --to go with --data"),
        (("--jobs", "0"), "--jobs"),
    ],
)
def test_what_does_not_go_together_is_said_before_anything_runs(
    home: Path, run: Run, arguments: tuple[str, ...], words: str
) -> None:
    result = run("research", "run", *arguments)
    assert result.exit_code == 2 and words in result.stderr
    assert not (home / "state" / "research").exists()


def test_a_shell_is_offered_coins_and_nights(home: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    usual_night(home / "reports", BEFORE)
    usual_night(home / "reports")
    monkeypatch.setenv("_CHLOE_COMPLETE", "bash_complete")
    for line, wanted in (
        ("chloe research ", ["run", "show", "list", "adopt", "revert"]),
        ("chloe research adopt ET", [ETH]),
        ("chloe research show --night ", [NIGHT, BEFORE]),
    ):
        monkeypatch.setenv("COMP_WORDS", line)
        monkeypatch.setenv("COMP_CWORD", str(len(line.split(" ")) - 1))
        assert [item.partition(",")[2] for item in run().stdout.split()] == wanted


def test_a_proposal_of_other_code_or_cards_is_refused(home: Path) -> None:
    write(home, proposal(home, decides="0" * 64))
    refused(home, "cards or the code that decides are not those of that night")
