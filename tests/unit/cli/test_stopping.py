"""`chloe halt`, `resume` and `flatten`: they reach every account that trades, whatever is broken."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from engine_alpha.cli.root import chloe
from engine_alpha.loop.arming import FILE_NAME, arm
from engine_alpha.loop.flatten_file import requested_flattens
from engine_alpha.loop.halt_file import requested_halt
from tests.unit.cli.conftest import Run
from tests.unit.cli.live_homes import AT_MS, a_live_state, holding, write_journal


def answering(answer: str, *arguments: str) -> Result:
    return CliRunner().invoke(chloe, list(arguments), prog_name="chloe", input=answer)


def accounts(result: Result) -> list[str]:
    assert result.exit_code == 0, result.output
    named: list[str] = json.loads(result.stdout)["accounts"]
    return named


def wished(home: Path, account: str, symbol: str) -> str | None:
    wish = requested_flattens(home / "state" / account).of(symbol)
    return None if wish is None else wish.reason


@pytest.mark.parametrize("command", [["halt"], ["resume"], ["flatten", "--yes"]])
def test_a_live_account_is_reached_from_the_first_arming_on(home: Path, run: Run, command: list[str]) -> None:
    assert accounts(run(*command, "--json")) == ["simulated"]
    arm(home / "state" / "live-testnet", "ETHUSDT", AT_MS, "testnet", "bybit")
    write_journal(home, [holding()], account="live-demo")
    assert accounts(run(*command, "--json")) == ["live-demo", "live-testnet", "simulated"]


def test_a_halt_of_a_live_account_stays_until_it_is_resumed(home: Path, run: Run) -> None:
    folder = home / "state" / "live-testnet"
    arm(folder, "ETHUSDT", AT_MS, "testnet", "bybit")
    run("halt", "--account", "live-testnet", "--reason", "sick")
    for _ in range(2):
        wish = requested_halt(folder)
        assert wish is not None and (wish["halted"], wish["reason"]) == (True, "sick")
    assert requested_halt(home / "state" / "simulated") is None
    run("resume", "--account", "live-testnet")
    wish = requested_halt(folder)
    assert wish is not None and not wish["halted"]


def test_the_beginning_of_a_name_reaches_the_account_that_is_there(home: Path, run: Run) -> None:
    """`live` alone would be the account of real money, which is not there: it must not be halted instead."""
    arm(home / "state" / "live-testnet", "ETHUSDT", AT_MS, "testnet", "bybit")
    assert accounts(run("halt", "--account", "live", "--json")) == ["live-testnet"]
    arm(home / "state" / "live-demo", "ETHUSDT", AT_MS, "demo", "bybit")
    two = run("halt", "--account", "live", "--json")
    assert two.exit_code == 2 and "there is: live-testnet, live-demo" in two.stderr
    arm(home / "state" / "live", "ETHUSDT", AT_MS, "mainnet", "bybit")
    assert accounts(run("halt", "--account", "live", "--json")) == ["live"]


@pytest.mark.parametrize("command", [["halt"], ["flatten", "--yes"], ["flatten", "ETHUSDT", "--yes"]])
def test_stopping_needs_neither_configuration_nor_journal(home: Path, run: Run, command: list[str]) -> None:
    write_journal(home, [holding()])
    (home / "state" / "live-testnet" / "journal.sqlite").write_bytes(b"no database")
    (home / "state" / "live-testnet" / FILE_NAME).write_text("{")
    for name in ("engine.json", "asset_registry.json", "risk.json"):
        (home / "config" / name).write_text("{")
    result = run(*command)
    assert result.exit_code == 0, result.output
    assert "live-testnet" in result.stdout


def test_flatten_asks_names_what_is_open_and_takes_the_symbol_for_a_yes(home: Path) -> None:
    write_journal(home, [holding(), a_live_state("BTCUSDT")])
    result = answering("ETHUSDT\n", "flatten", "ETHUSDT", "--reason", "news")
    assert result.exit_code == 0
    assert "ETHUSDT in live-testnet, simulated will be closed at market" in result.stderr
    assert "; open now: ETHUSDT in live-testnet." in result.stderr
    assert result.stdout.splitlines() == [
        "out at the next tick: ETHUSDT in live-testnet, simulated (news)",
        "real positions are closed at market then, paper ones at the open of the next bar",
        "entries go on; to stop them too: chloe halt. If no engine runs: chloe tick",
    ]
    assert wished(home, "live-testnet", "ETHUSDT") == "news"
    assert wished(home, "live-testnet", "BTCUSDT") is None


def test_flatten_of_everything_takes_all_for_a_yes(traded: Path) -> None:
    result = answering("ALL\n", "flatten")
    assert result.exit_code == 0 and "every position in simulated will be closed" in result.stderr
    assert "; open now: " in result.stderr
    assert wished(traded, "simulated", "ETHUSDT") == wished(traded, "simulated", "BTCUSDT") == "by hand"


@pytest.mark.parametrize("arguments", [[], ["ETHUSDT"]])
@pytest.mark.parametrize("answer", ["", "\n", "y\n", "all\n", "BTCUSDT\n"])
def test_without_the_typed_word_nothing_is_closed(home: Path, arguments: list[str], answer: str) -> None:
    result = answering(answer, "flatten", *arguments)
    assert result.exit_code == 2 and "nothing will be closed" in result.stderr and result.stdout == ""
    assert not (home / "state").exists()


def test_flatten_of_a_slip_closes_nothing_and_names_the_nearest(home: Path, run: Run) -> None:
    result = run("flatten", "ETHUSD", "--yes")
    assert result.exit_code == 2 and "did you mean ETHUSDT?" in result.stderr
    assert not (home / "state").exists()


def test_a_coin_that_left_the_registry_is_flattened_while_it_holds_something(home: Path, run: Run) -> None:
    write_journal(home, [holding("GONEUSDT")])
    result = run("flatten", "GONEUSDT", "--yes", "--json")
    document = json.loads(result.stdout)
    assert document["holding"] == {"live-testnet": ["GONEUSDT"], "simulated": []}
    assert wished(home, "live-testnet", "GONEUSDT") == "by hand"


def test_flatten_of_one_account_leaves_the_others(traded: Path, run: Run) -> None:
    write_journal(traded, [holding()])
    assert accounts(run("flatten", "--yes", "--account", "simulated", "--json")) == ["simulated"]
    assert wished(traded, "live-testnet", "ETHUSDT") is None


def test_a_wish_that_can_t_be_written_is_no_success(home: Path, run: Run) -> None:
    (home / "state").write_text("a file")
    result = run("flatten", "--yes")
    assert result.exit_code == 4 and "positions will NOT be closed" in result.stderr
