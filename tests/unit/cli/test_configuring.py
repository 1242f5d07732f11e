"""Commands that write configuration: init, feed, assets, cards, instruments."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine_alpha.cli.cards import uncovered_regimes
from engine_alpha.config.assets import read_registry
from engine_alpha.config.cards import read_cards
from engine_alpha.config.instruments import newest_snapshot, read_snapshot
from engine_alpha.home import Home
from tests.exchange.candles import HOUR_MS, generated_listing
from tests.exchange.clock import ExchangeClock
from tests.exchange.market import Market
from tests.exchange.running import RunningExchange, running
from tests.unit.cli.conftest import Run, edit

NOW_MS = 1_790_000_000_000 // HOUR_MS * HOUR_MS


def registry_of(home: Path) -> bytes:
    return (home / "config" / "asset_registry.json").read_bytes()


def test_init_makes_a_home_once(run: Run, tmp_path: Path) -> None:
    made = run("init", str(tmp_path / "new"))
    assert made.exit_code == 0 and "chloe tick" in made.stdout
    assert run("feed", "--home", str(tmp_path / "new")).exit_code == 0
    again = run("init", "--home", str(tmp_path / "new"))
    assert again.exit_code == 2 and "is a home already" in again.stderr


def test_init_without_a_folder_makes_the_home_that_commands_look_for(run: Run, tmp_path: Path) -> None:
    assert json.loads(run("init", "--json").stdout)["home"] == str(tmp_path / "home")
    assert run("assets").exit_code == 0


def test_the_feed_is_shown_and_chosen(home: Path, run: Run) -> None:
    assert "SIMULATED PRICES" in run("feed").stdout
    chosen = run("feed", "venue")
    assert "the next run reads real prices" in chosen.stdout and "account is paper" in chosen.stdout
    assert json.loads((home / "config" / "engine.json").read_text())["feed"] == "venue"
    assert json.loads(run("feed", "--json").stdout)["simulated"] is False
    assert "was already venue" in run("feed", "venue").stdout


def test_an_unknown_feed_changes_nothing(home: Path, run: Run) -> None:
    before = (home / "config" / "engine.json").read_bytes()
    result = run("feed", "venu")
    assert result.exit_code == 2 and 'did you mean "venue"?' in result.stderr
    assert (home / "config" / "engine.json").read_bytes() == before


def test_a_coin_is_enabled_and_disabled_in_place(home: Path, run: Run) -> None:
    before = registry_of(home)
    assert "BTCUSDT is enabled" in run("assets", "enable", "BTCUSDT").stdout
    assert registry_of(home) != before
    assert "was enabled already" in run("assets", "enable", "BTCUSDT").stdout
    assert "no entries from the next tick on" in run("assets", "disable", "BTCUSDT").stdout
    assert registry_of(home) == before


def test_a_settled_contract_is_not_enabled(home: Path, run: Run) -> None:
    before = registry_of(home)
    result = run("assets", "enable", "MATICUSDT")
    assert result.exit_code == 2 and "settled 2024-09-06, successor POLUSDT" in result.stderr
    assert registry_of(home) == before


def test_a_coin_for_which_no_equity_is_left_is_not_enabled(home: Path, run: Run) -> None:
    risk = home / "config" / "risk.json"
    text = re.sub(r'("core":\s*\{\s*"share_frac":\s*)[0-9.]+', r"\g<1>0.6", risk.read_text())
    risk.write_text(text)
    before = registry_of(home)
    result = run("assets", "enable", "BTCUSDT")
    assert result.exit_code == 2 and "add up to 1.2 of the equity" in result.stderr
    assert registry_of(home) == before


def test_an_unknown_coin_names_the_nearest(home: Path, run: Run) -> None:
    for command in ("enable", "disable"):
        result = run("assets", command, "BTCUSD")
        assert result.exit_code == 2 and "did you mean BTCUSDT?" in result.stderr


def test_disabling_says_that_a_position_is_still_stepped(traded: Path, run: Run) -> None:
    assert (
        "holds a position in simulated: will be stepped close-only"
        in run("assets", "disable", "ETHUSDT").stdout
    )
    assert json.loads(run("assets", "disable", "ETHUSDT", "--json").stdout)["holding"] == ["simulated"]
    assert "close-only" in run("status").stdout


def test_disabling_works_beside_a_broken_journal(traded: Path, run: Run) -> None:
    (traded / "state" / "simulated" / "journal.sqlite").write_bytes(b"no database")
    result = run("assets", "disable", "ETHUSDT")
    assert result.exit_code == 0 and "can't see whether" in result.stdout


def test_an_added_coin_is_disabled_and_its_next_steps_are_told(home: Path, run: Run) -> None:
    result = run("assets", "add", "TONUSDT", "--bucket", "spec", "--timeframe", "4h")
    assert "disabled" in result.stdout and "instruments refresh --venue bybit" in result.stdout
    added = read_registry(home / "config" / "asset_registry.json").assets[-1]
    assert (added.symbol, added.enabled, added.base_timeframe, added.risk_bucket) == (
        "TONUSDT",
        False,
        "4h",
        "spec",
    )
    assert run("assets", "enable", "TONUSDT").exit_code == 2
    assert run("assets", "add", "TONUSDT").exit_code == 2
    assert run("assets", "add", "TON2USDT", "--bucket", "core-ish").exit_code == 2


def test_a_broken_entry_is_listed_with_its_place(home: Path, run: Run) -> None:
    file = home / "config" / "asset_registry.json"
    file.write_text(file.read_text().replace('"risk_bucket": "meme"', '"risk_bucket": "mem"'))
    result = run("assets", "list")
    assert result.exit_code == 3
    assert "DOGEUSDT.risk_bucket" in result.stdout and "asset_registry.json:" in result.stdout
    assert len(json.loads(run("assets", "--json").stdout)["assets"]) == 11


def test_the_cards_of_a_fresh_home_are_listed_and_good(home: Path, run: Run) -> None:
    listed = run("cards").stdout
    assert "momentum-long" in listed and "shadow" in listed
    assert run("cards", "check").stdout.splitlines()[0].endswith("good, 0 broken")


def test_a_broken_card_is_told_with_file_line_and_column(home: Path, run: Run) -> None:
    card = home / "config" / "cards" / "momentum-long.json"
    edit(card, status="activ")
    result = run("cards", "check")
    assert result.exit_code == 2
    assert "momentum-long.json:" in result.stdout and 'did you mean "active"?' in result.stdout
    assert "no active card: trend_up of AVAXUSDT, LINKUSDT, DOTUSDT, ADAUSDT" in result.stdout
    assert json.loads(run("cards", "check", "--json").stdout)["uncovered"]["ADAUSDT"] == ["trend_up"]


def test_a_regime_that_parameters_forbid_is_no_gap(home: Path) -> None:
    parameters = home / "config" / "parameters" / "default.json"
    parameters.write_text(parameters.read_text().replace(', "chop"]', "]"))
    found = Home(home)
    (found.cards / "range-breakout.json").unlink()
    asset = next(one for one in read_registry(found.registry).assets if one.symbol == "ADAUSDT")
    assert uncovered_regimes(found, read_cards(found.cards), asset) == []


@pytest.fixture
def exchange(home: Path) -> Iterator[RunningExchange]:
    """Serve rules that differ from the snapshot for all coins of the registry."""
    symbols = [asset.symbol for asset in read_registry(home / "config" / "asset_registry.json").assets]
    listings = [generated_listing(7, symbol, HOUR_MS, NOW_MS, 10) for symbol in symbols]
    with running(Market(listings, ExchangeClock(NOW_MS))) as exchange:
        yield exchange


def test_instruments_are_listed_for_the_coins_of_the_registry(home: Path, run: Run) -> None:
    listed = json.loads(run("instruments", "--json").stdout)
    symbols = [asset.symbol for asset in read_registry(home / "config" / "asset_registry.json").assets]
    assert [each["symbol"] for each in listed["instruments"]] == symbols
    assert "2024-09-06" in run("instruments", "list").stdout


def test_a_refresh_shows_what_changed_and_writes_a_new_snapshot(
    home: Path, run: Run, exchange: RunningExchange
) -> None:
    folder = home / "config" / "instruments"
    before = newest_snapshot(folder, "bybit")
    dry = run("instruments", "refresh", "--venue", "bybit", "--url", exchange.url, "--dry-run")
    assert dry.exit_code == 0 and "XRPUSDT max_market_quantity_base: 2467800 -> 724.00" in dry.stdout
    assert newest_snapshot(folder, "bybit") == before
    doubtful = run("instruments", "refresh", "--venue", "bybit", "--url", exchange.url)
    assert doubtful.exit_code == 2 and "no longer lists POLUSDT" in doubtful.stderr
    assert newest_snapshot(folder, "bybit") == before
    wrote = run("instruments", "refresh", "--venue", "bybit", "--url", exchange.url, "--accept-settled")
    after = newest_snapshot(folder, "bybit")
    assert after > before and f"wrote {after}" in wrote.stdout
    was, now = (read_snapshot(path).instruments["POLUSDT"] for path in (before, after))
    assert was.settled_ms is None and now.settled_ms is not None  # the venue lists it no more
    assert (now.tiers, now.tick_quote) == (was.tiers, was.tick_quote)
    again = run("instruments", "diff", "bybit", "--url", exchange.url)
    assert again.stdout == "nothing changed\n"
    assert "XRPUSDT lot_base: 1 -> 0.01" in run("instruments", "diff", before.stem, after.stem).stdout


def test_a_venue_that_is_not_there_is_one_line(home: Path, run: Run) -> None:
    result = run("instruments", "diff", "binance", "--url", "http://127.0.0.1:1")
    assert result.exit_code == 4 and result.stderr.count("\n") == 1
