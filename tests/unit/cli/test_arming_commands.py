"""`chloe live arm` and `disarm`: every look before the first order, and never a key on the screen."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from engine_alpha.cli.root import chloe
from engine_alpha.config.instruments import load_instruments
from engine_alpha.domain.orders import VenuePosition, Wallet
from engine_alpha.domain.venue_facts import TRADING, AccountFacts, FeeRates, KeyFacts, SymbolFacts
from engine_alpha.errors import OutcomeUnknown, Refused, VenueBusy
from engine_alpha.loop import wiring
from engine_alpha.loop.arming import FILE_NAME, arm, armed
from engine_alpha.loop.clocks import SystemClock
from engine_alpha.loop.halt_file import request_halt
from tests.unit.cli.conftest import Run
from tests.unit.cli.live_homes import (
    AT_MS,
    KEY,
    PLANTED,
    SECRET,
    a_live_state,
    choose_environment,
    holding,
    plant_keys,
    write_journal,
)

URL = "http://127.0.0.1:8899"


@dataclass
class QuietVenue:
    """A venue at which all is well: what `chloe live arm` asks of one."""

    facts: SymbolFacts
    name: str = "bybit"
    account: AccountFacts = field(
        default_factory=lambda: AccountFacts(
            one_way=True, isolated=True, key=KeyFacts(can_trade=True, can_withdraw=False, read_only=False)
        )
    )
    equity_quote: str = "100000"
    taker_frac: str = "0.00055"
    fault: Exception | None = None
    set_ups: list[tuple[str, str]] = field(default_factory=list)
    closed: bool = False

    async def server_ms(self) -> int:
        if self.fault is not None:
            raise self.fault
        return SystemClock().now_ms()

    async def account_facts(self) -> AccountFacts:
        return self.account

    async def symbol_facts(self, symbol: str) -> SymbolFacts:
        return self.facts

    async def wallet(self) -> Wallet:
        return Wallet(equity_quote=self.equity_quote, available_quote=self.equity_quote)

    async def positions(self) -> Mapping[str, VenuePosition]:
        return {}

    async def fee_rates(self, symbol: str) -> FeeRates:
        return FeeRates(maker_frac="0.0002", taker_frac=self.taker_frac)

    async def set_up(self, symbol: str, leverage: str) -> None:
        self.set_ups.append((symbol, leverage))

    async def close(self) -> None:
        self.closed = True


@pytest.fixture
def venue(home: Path, monkeypatch: pytest.MonkeyPatch) -> QuietVenue:
    """Put a venue at which all is well behind the home, which has keys and trades at a test exchange."""
    choose_environment(home, "loopback")
    set_urls(home, bybit=URL)
    plant_keys(home)
    known = load_instruments(home / "config" / "instruments", "bybit")["ETHUSDT"]
    facts = SymbolFacts(
        symbol="ETHUSDT",
        status=TRADING,
        tick_quote=known.tick_quote,
        lot_base=known.lot_base,
        min_quantity_base=known.min_quantity_base,
        min_notional_quote=known.min_notional_quote,
        max_leverage="100",
    )
    found = QuietVenue(facts)
    monkeypatch.setattr(wiring, "make_live_venue", lambda home, setup, name: found)
    monkeypatch.setattr(wiring.Venues, "candles", lambda venues: wiring.embedded_feed(venues._setup))
    return found


def set_urls(home: Path, **urls: str) -> None:
    file = home / "config" / "engine.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "venue_urls": urls}))


def answering(answer: str, *arguments: str) -> Result:
    return CliRunner().invoke(chloe, list(arguments), prog_name="chloe", input=answer)


def nothing_is_armed(home: Path) -> bool:
    return list((home / "state").glob(f"*/{FILE_NAME}")) == []


def refused(home: Path, result: Result) -> str:
    """Return the one sentence of a refusal that wrote nothing."""
    assert result.exit_code == 2, result.output
    assert result.stdout == "" and result.stderr.count("\n") == 1
    assert nothing_is_armed(home)
    return result.stderr


def test_a_coin_is_armed_after_all_looks_and_the_typed_symbol(home: Path, venue: QuietVenue) -> None:
    result = answering("ETHUSDT\n", "live", "arm", "ETHUSDT")
    assert result.exit_code == 0, result.output
    assert "ETHUSDT will send orders to bybit, loopback" in result.stderr
    assert result.stdout.splitlines() == [
        "ETHUSDT is armed: bybit, loopback, account live-loopback",
        "from the next tick on it is stepped there instead of on paper",
        "next: chloe tick, then chloe live status; back: chloe live disarm ETHUSDT",
    ]
    [asset] = armed(home / "state" / "live-loopback").values()
    assert (asset.symbol, asset.environment, asset.venue) == ("ETHUSDT", "loopback", "bybit")
    assert venue.closed and venue.set_ups == [("ETHUSDT", "3")]


@pytest.mark.parametrize("answer", ["", "\n", "y\n", "yes\n", "ethusdt\n", "BTCUSDT\n"])
def test_without_the_typed_symbol_nothing_is_armed(home: Path, venue: QuietVenue, answer: str) -> None:
    result = answering(answer, "live", "arm", "ETHUSDT")
    assert result.exit_code == 2 and "is not armed: it was not confirmed" in result.stderr
    assert nothing_is_armed(home)


def test_for_programs(venue: QuietVenue, run: Run) -> None:
    document = json.loads(run("live", "arm", "ETHUSDT", "--yes", "--json").stdout)
    assert {**document, "at_ms": 0} == {
        "symbol": "ETHUSDT",
        "armed": True,
        "at_ms": 0,
        "venue": "bybit",
        "environment": "loopback",
        "account": "live-loopback",
        "size_factor": 1.0,
        "halted": False,
    }


def test_arming_in_a_halted_account_says_so(home: Path, venue: QuietVenue, run: Run) -> None:
    request_halt(home / "state" / "live-loopback", True, "sick", AT_MS)
    told = run("live", "arm", "ETHUSDT", "--yes").stdout
    assert "no entries before chloe resume --account live-loopback" in told


def test_an_unknown_coin_is_refused_with_the_nearest(home: Path, venue: QuietVenue, run: Run) -> None:
    assert "did you mean ETHUSDT?" in refused(home, run("live", "arm", "ETHUSD", "--yes"))


def test_a_disabled_coin_is_refused(home: Path, venue: QuietVenue, run: Run) -> None:
    assert "chloe assets enable BTCUSDT" in refused(home, run("live", "arm", "BTCUSDT", "--yes"))


def test_a_broken_entry_is_refused_with_its_place(home: Path, venue: QuietVenue, run: Run) -> None:
    file = home / "config" / "asset_registry.json"
    file.write_text(file.read_text().replace('"risk_bucket": "core"', '"risk_bucket": "cor"', 1))
    assert "ETHUSDT.risk_bucket" in refused(home, run("live", "arm", "ETHUSDT", "--yes"))


def test_real_money_is_refused_in_this_version(home: Path, venue: QuietVenue, run: Run) -> None:
    choose_environment(home, "mainnet")
    told = refused(home, run("live", "arm", "ETHUSDT", "--yes"))
    assert "real money can't be armed in this version" in told and "chloe audit SYMBOL --for-live" in told
    assert "use testnet, demo or loopback" in told


def test_a_test_exchange_must_be_on_this_machine(home: Path, venue: QuietVenue, run: Run) -> None:
    for urls in ({}, {"binance": URL}, {"bybit": "http://example.com"}):
        set_urls(home, **urls)
        assert "give venue_urls.bybit an address" in refused(home, run("live", "arm", "ETHUSDT", "--yes"))


def test_the_looks_come_in_order(home: Path, venue: QuietVenue, run: Run) -> None:
    """The registry comes first, then the environment, the keys, and the venue last."""
    keys = plant_keys(home, mode=0o644)
    choose_environment(home, "mainnet")
    assert "no asset XUSDT" in refused(home, run("live", "arm", "XUSDT", "--yes"))
    assert "real money" in refused(home, run("live", "arm", "ETHUSDT", "--yes"))
    choose_environment(home, "loopback")
    venue.fault = VenueBusy("must not be asked")
    assert f"chmod 600 {keys}" in refused(home, run("live", "arm", "ETHUSDT", "--yes"))
    keys.unlink()
    assert "no such file" in refused(home, run("live", "arm", "ETHUSDT", "--yes"))


NO_WITHDRAWAL = "the API key can withdraw from bybit: make one that can't, and delete this one"


def test_all_that_the_venue_has_against_it_is_told(home: Path, venue: QuietVenue, run: Run) -> None:
    venue.account = AccountFacts(
        one_way=False, isolated=True, key=KeyFacts(can_trade=True, can_withdraw=True, read_only=False)
    )
    venue.facts = replace(venue.facts, max_leverage="2")
    venue.equity_quote = "12.50"
    result = run("live", "arm", "ETHUSDT", "--yes")
    assert result.exit_code == 2 and nothing_is_armed(home) and venue.closed and venue.set_ups == []
    lines = result.stderr.splitlines()
    assert lines[0] == f"chloe: ETHUSDT is not armed: {NO_WITHDRAWAL}"
    assert [word for word in ("hedge", "insufficient", "leverage 3") if word not in result.stderr] == []
    assert len(lines) == 4
    document = json.loads(run("live", "arm", "ETHUSDT", "--yes", "--json").stdout)
    assert (document["armed"], len(document["faults"])) == (False, 4)


def test_a_higher_fee_is_only_said(venue: QuietVenue, run: Run) -> None:
    venue.taker_frac = "0.001"
    result = run("live", "arm", "ETHUSDT", "--yes")
    assert result.exit_code == 0 and "beware: ETHUSDT: the taker fee is 0.1" in result.stderr


def test_a_key_that_the_venue_refuses_arms_nothing(home: Path, venue: QuietVenue, run: Run) -> None:
    venue.fault = Refused("bybit says no to the request (10003): the API key is invalid")
    told = refused(home, run("live", "arm", "ETHUSDT", "--yes"))
    assert told == f"chloe: ETHUSDT is not armed: {venue.fault}\n" and venue.closed


@pytest.mark.parametrize("fault", [VenueBusy("bybit: 10006"), OutcomeUnknown("lost")])
def test_a_venue_that_does_not_answer_arms_nothing(
    home: Path, venue: QuietVenue, run: Run, fault: Exception
) -> None:
    venue.fault = fault
    result = run("live", "arm", "ETHUSDT", "--yes")
    assert result.exit_code == 4 and result.stderr == f"chloe: {fault}\n"
    assert nothing_is_armed(home) and venue.closed


def test_a_broken_file_is_not_armed_over(home: Path, venue: QuietVenue, run: Run) -> None:
    folder = home / "state" / "live-loopback"
    folder.mkdir(parents=True)
    (folder / FILE_NAME).write_text("{")
    result = run("live", "arm", "ETHUSDT", "--yes")
    assert result.exit_code == 2 and "chloe live disarm --all" in result.stderr
    assert run("live", "disarm", "--all").exit_code == 0
    assert run("live", "arm", "ETHUSDT", "--yes").exit_code == 0


def test_disarming_reaches_every_environment(home: Path, run: Run) -> None:
    for environment in ("testnet", "demo"):
        arm(home / "state" / f"live-{environment}", "ETHUSDT", AT_MS, environment, "bybit")
    arm(home / "state" / "live-demo", "BTCUSDT", AT_MS, "demo", "bybit")
    shown = run("live", "disarm", "ETHUSDT").stdout
    assert "disarmed in live-testnet: ETHUSDT" in shown and "disarmed in live-demo: ETHUSDT" in shown
    assert "keeps its stop" in shown
    assert list(armed(home / "state" / "live-demo")) == ["BTCUSDT"]
    assert json.loads(run("live", "disarm", "--all", "--json").stdout)["disarmed"]["live-demo"] == ["BTCUSDT"]
    assert "nothing was armed" in run("live", "disarm", "--all").stdout


def test_disarming_one_account_leaves_the_others(home: Path, run: Run) -> None:
    for environment in ("testnet", "demo"):
        arm(home / "state" / f"live-{environment}", "ETHUSDT", AT_MS, environment, "bybit")
    assert run("live", "disarm", "ETHUSDT", "--account", "live-demo").exit_code == 0
    assert list(armed(home / "state" / "live-testnet")) == ["ETHUSDT"]
    assert armed(home / "state" / "live-demo") == {}


def test_disarming_needs_no_configuration(home: Path, run: Run) -> None:
    arm(home / "state" / "live-testnet", "ETHUSDT", AT_MS, "testnet", "bybit")
    for name in ("engine.json", "asset_registry.json", "risk.json"):
        (home / "config" / name).write_text("{")
    assert "disarmed in live-testnet: ETHUSDT" in run("live", "disarm", "ETHUSDT").stdout
    assert "ETHUSDT was not armed" in run("live", "disarm", "ETHUSDT").stdout


def test_disarming_what_is_not_armed(home: Path, run: Run) -> None:
    assert run("live", "disarm", "ETHUSDT").stdout == "ETHUSDT was not armed\n"
    slip = run("live", "disarm", "ETHUSD")
    assert slip.exit_code == 2 and "did you mean ETHUSDT?" in slip.stderr
    assert run("live", "disarm").exit_code == 2
    assert run("live", "disarm", "ETHUSDT", "--all").exit_code == 2


COMMANDS = [
    ["live", "arm", "ETHUSDT", "--yes"],
    ["live", "arm", "ETHUSDT", "--yes", "--json"],
    ["live", "status"],
    ["live", "status", "--json"],
    ["reconcile", "--explain"],
    ["reconcile", "--json"],
    ["halt"],
    ["flatten", "--yes"],
    ["resume"],
    ["status"],
    ["live", "disarm", "--all"],
]
KEY_FILES = {
    "good": lambda home: plant_keys(home),
    "readable by others": lambda home: plant_keys(home, mode=0o644),
    "cut short": lambda home: plant_keys(home, text=f'{{"key": "{KEY}", "secret": "{SECRET}'),
    "as names": lambda home: plant_keys(home, text=json.dumps({KEY: SECRET})),
    "with spaces": lambda home: plant_keys(
        home, text=json.dumps({"key": f"{KEY} {SECRET}", "secret": SECRET})
    ),
    "plain text": lambda home: plant_keys(home, text=f"{KEY}\n{SECRET}\n"),
}


@pytest.mark.parametrize("plant", KEY_FILES.values(), ids=KEY_FILES.keys())
def test_no_command_ever_shows_a_key(
    home: Path,
    venue: QuietVenue,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    plant: Callable[[Path], Any],
) -> None:
    monkeypatch.setenv("CHLOE_DEBUG", "1")
    plant(home)
    write_journal(home, [holding(), a_live_state("BTCUSDT")], account="live-loopback")
    for command in COMMANDS:
        result = run(*command)
        assert [part for part in PLANTED if part in result.output] == [], command
        assert result.exit_code in (0, 2), (command, result.output)
    kept = [path for path in (home / "state").rglob("*") if path.is_file()]
    assert [path for path in kept if any(part.encode() in path.read_bytes() for part in PLANTED)] == []


def test_play_money_is_armed_with_a_word_on_what_real_money_would_ask_for(
    venue: QuietVenue, run: Run
) -> None:
    result = run("live", "arm", "ETHUSDT", "--yes")
    assert result.exit_code == 0, result.output
    assert "beware: for real money" in result.stderr and "the evidence is unproven" in result.stderr
    assert result.stderr.count("\n") == 1


def test_unproven_is_smaller_and_asks_a_person(home: Path, venue: QuietVenue, run: Run) -> None:
    assert run("live", "arm", "ETHUSDT", "--unproven", "--yes").exit_code == 2
    assert answering("yes\n", "live", "arm", "ETHUSDT", "--unproven").exit_code == 2
    assert nothing_is_armed(home)
    result = answering("ETHUSDT\n", "live", "arm", "ETHUSDT", "--unproven")
    assert result.exit_code == 0, result.output
    assert "ETHUSDT will send orders at 0.25 of its usual risk to bybit, loopback" in result.stderr
    assert "it risks 0.25 of what it usually would; at full size, once it is proven" in result.stdout
    folder = home / "state" / "live-loopback"
    first = armed(folder)["ETHUSDT"]
    assert first.size_factor == 0.25
    assert run("live", "arm", "ETHUSDT", "--yes").exit_code == 0
    assert armed(folder)["ETHUSDT"].size_factor == 1.0 and armed(folder)["ETHUSDT"].at_ms > first.at_ms


def test_no_card_that_applies_is_refused_before_the_venue_is_asked(
    home: Path, venue: QuietVenue, run: Run
) -> None:
    venue.fault = VenueBusy("must not be asked")
    for card in (home / "config" / "cards").glob("*.json"):
        card.unlink()
    told = refused(home, run("live", "arm", "ETHUSDT", "--yes"))
    assert "config, cards: no active card applies" in told and "chloe cards check" in told


def test_a_settled_contract_is_refused_by_its_audit(home: Path, venue: QuietVenue, run: Run) -> None:
    for snapshot in (home / "config" / "instruments").glob("bybit_*.json"):
        content = json.loads(snapshot.read_text())
        content["instruments"]["ETHUSDT"]["settled_ms"] = 1_700_000_000_000
        snapshot.write_text(json.dumps(content))
    told = refused(home, run("live", "arm", "ETHUSDT", "--yes"))
    assert "instrument, listed: settled 2023-11-14" in told
