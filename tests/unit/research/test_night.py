"""A night leaves documents that are whole, goes on where it stopped, and says what is wrong with a coin."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from engine_alpha.config.card_settings import CardSettings, own_cards
from engine_alpha.config.cards import playbook_of, read_cards
from engine_alpha.config.parameters import ParametersConfig
from engine_alpha.errors import ConfigError, DataError, LockHeld
from engine_alpha.home import Home
from engine_alpha.plans.setup import read_setup
from engine_alpha.research.documents import sha256_of
from engine_alpha.research.markets.homes import written
from engine_alpha.research.night import NightRequest, NightResult, one_at_a_time, run_night, stored_history
from engine_alpha.research.null_rate import NullRecord, Seen, rate_of
from tests.unit.research.search.markets import CARDS, a_market

NIGHT = "2026-11-28"
AT_MS = 1_795_910_400_000


def a_home(folder: Path, strength: float = 0.05, **gates: float) -> Home:
    """Return a home with two coins' candles of an edge, that searches little and asks for little."""
    home, _ = written(a_market(strength), folder)
    path = home.config / "research.json"
    shipped = (Path(__file__).parents[3] / "config" / "research.json").read_text(encoding="utf-8")
    asked = json.loads("\n".join(line for line in shipped.splitlines() if "//" not in line))
    asked["search"] |= {"cards": CARDS, "confidence_min": [0.1, 0.2]}
    asked["walk_forward"] |= {"folds": 3, "first_train_frac": 0.5}
    easy = {"min_trades": 10, "psr_min": 0.85, "card_psr_min": 0.6, "dsr_min": 0.4, "pbo_max": 0.9}
    asked["gates"] |= {**easy, "own_edge": 0.6, "null_rate_max": 0.99, **gates}
    asked["null"] = {"twins": 20, "twins_a_night": 0}
    path.write_text(json.dumps(asked), encoding="utf-8")
    return home


def a_request(home: Home, **changes: object) -> NightRequest:
    history = stored_history(home, NightRequest(night=NIGHT, at_ms=AT_MS, venue="binance"))
    plain = NightRequest(night=NIGHT, at_ms=AT_MS, history=history, jobs=1, twins=0)
    return replace(plain, **changes)  # type: ignore[arg-type]


def with_twins(home: Home, wanted: NightRequest, fired: int = 0) -> None:
    """Write down that so many of twenty twins fired, as if they had been looked at."""
    from engine_alpha.config.research import read_research
    from engine_alpha.plans.history import for_history
    from engine_alpha.research.search.space import common_setup

    assert wanted.history is not None
    setup = common_setup(for_history(read_setup(home), wanted.history))
    terms = read_research(home.config / "research.json")
    record = NullRecord(home.account("research") / "null", setup, wanted.history, terms)
    for number in range(20):
        record.add(Seen(number=number, fired=number < fired))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return a_home(tmp_path_factory.mktemp("night") / "home")


@pytest.fixture(scope="module")
def result(home: Home) -> NightResult:
    wanted = a_request(home)
    with_twins(home, wanted)
    return run_night(home, wanted)


def test_its_documents_are_whole_and_hashed(home: Home, result: NightResult) -> None:
    assert result.folder == home.reports / "research" / NIGHT
    names = sorted(path.name for path in result.folder.iterdir())
    assert names == ["BTCUSDT.json", "ETHUSDT.json", "night.json"]
    for name in names:
        document = json.loads((result.folder / name).read_text(encoding="utf-8"))
        assert document["sha256"] == sha256_of(document)
    assert result.document["symbols"] == ["ETHUSDT", "BTCUSDT"]
    assert [each["symbol"] for each in result.document["assets"]] == ["ETHUSDT", "BTCUSDT"]
    assert result.document["peak_mib"] > 0.0


def test_a_passing_proposal_is_a_parameter_set_that_can_be_read(result: NightResult) -> None:
    document = result.assets[0]
    assert document["verdict"] == "trade" and document["passes"]
    assert document["adopt"] == f"chloe research adopt ETHUSDT --night {NIGHT}"
    config = ParametersConfig.model_validate({**document["parameters"], "version": "x-1"}, strict=False)
    trading = {card["card"]: card for card in document["cards"]}
    shipped = {card.name: card for card in read_cards(Path(__file__).parents[3] / "config" / "cards").cards}
    traded = [name for name in CARDS if "ETHUSDT" in (shipped[name].scope.symbols or ("ETHUSDT",))]
    assert traded
    for name in traded:
        settings = config.cards.get(name)
        assert (settings is not None and settings.status == "shadow") == (name not in trading)
        if name in trading:
            then, wanted = trading[name]["now"], trading[name]["proposed"]
            differ = {
                key: wanted[key] for key in wanted if key != "confidence_min" and wanted[key] != then[key]
            }
            assert (settings.changes if settings is not None else {}) == differ


def test_the_cards_as_shipped_are_measured_in_the_same_folds(result: NightResult) -> None:
    for document in result.assets:
        chosen = document["as_shipped"]
        assert chosen["trades"] > 0 and chosen["value"] is not None
        untouched = [row["values"] for row in document["folds"] if row["card"] == "range-breakout"]
        assert len(untouched) == 3


def test_too_few_twins_let_nothing_through(home: Home, tmp_path: Path) -> None:
    fresh = a_home(tmp_path / "home")
    result = run_night(fresh, a_request(fresh))
    assert not any(asset["passes"] for asset in result.assets)
    last = result.assets[0]["tests"][-1]
    assert (last["name"], last["passed"], last["seen"]) == ("null_rate", False, None)
    assert "0 of 20 twins so far" in last["words"]
    assert result.assets[0]["parameters"] is None and result.assets[0]["adopt"] is None


def test_a_procedure_that_fires_on_nothing_lets_nothing_through(tmp_path: Path) -> None:
    home = a_home(tmp_path / "home", null_rate_max=0.05)
    wanted = a_request(home)
    with_twins(home, wanted, fired=2)
    result = run_night(home, wanted)
    assert not any(asset["passes"] for asset in result.assets)
    assert result.document["null_rate"]["value"] == pytest.approx(0.1)


def test_twins_are_looked_at_and_kept(tmp_path: Path) -> None:
    home = a_home(tmp_path / "home", strength=0.0)
    result = run_night(home, a_request(home, twins=2))
    assert result.document["null_rate"]["twins"] == 2
    again = run_night(home, a_request(home, twins=1))
    assert again.document["null_rate"]["twins"] == 3
    assert "0 units of work played, 4 kept" in again.document["notes"][0]


def test_the_same_night_again_gives_the_same_findings(home: Home, result: NightResult) -> None:
    again = run_night(home, a_request(home))
    for before, after in zip(result.assets, again.assets, strict=True):
        assert {**after, "notes": None, "sha256": None} == {**before, "notes": None, "sha256": None}


def test_another_night_waits_its_turn(home: Home) -> None:
    with one_at_a_time(home.account("research")), pytest.raises(LockHeld, match="another night of research"):
        run_night(home, a_request(home))


def test_an_interrupted_night_leaves_the_documents_of_the_last_one(
    home: Home, result: NightResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {path.name: path.read_bytes() for path in result.folder.iterdir()}

    def stopped(what: str, done: int, total: int) -> None:
        if what == "playing trials" and done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_night(home, a_request(home), stopped)
    assert {path.name: path.read_bytes() for path in result.folder.iterdir()} == before


def test_a_full_disk_leaves_the_documents_of_the_last_one(
    home: Home, result: NightResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {path.name: path.read_bytes() for path in result.folder.iterdir()}
    real = Path.write_bytes

    def full(path: Path, content: bytes) -> int:
        if path.name == "BTCUSDT.json":
            raise OSError(28, "No space left on device")
        return real(path, content)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(DataError, match=r"No space left on device.*make room, and run it again"):
        run_night(home, a_request(home))
    assert {path.name: path.read_bytes() for path in result.folder.iterdir()} == before
    assert [path.name for path in result.folder.parent.iterdir()] == [NIGHT]


def test_simulated_prices_are_not_researched(home: Home) -> None:
    with pytest.raises(ConfigError, match=r"prices are simulated.*chloe data download"):
        stored_history(home, NightRequest(night=NIGHT, at_ms=AT_MS))


def test_a_home_without_candles_says_how_to_get_them(home: Home) -> None:
    with pytest.raises(ConfigError, match="no candles of bybit for any coin: chloe data download"):
        stored_history(home, NightRequest(night=NIGHT, at_ms=AT_MS, venue="bybit"))


@pytest.mark.parametrize(
    ("twins", "fired", "low", "high"),
    [(20, 0, 0.0, 0.1684), (20, 1, 0.0013, 0.2487), (200, 10, 0.0242, 0.0900), (5, 5, 0.4782, 1.0)],
)
def test_the_rate_has_its_exact_interval(twins: int, fired: int, low: float, high: float) -> None:
    rate = rate_of(twins, fired)
    assert rate.value == fired / twins
    assert (rate.low, rate.high) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))


def test_a_card_kept_to_other_coins_is_looked_at_and_adopting_brings_it_here(tmp_path: Path) -> None:
    home = a_home(tmp_path / "home")
    path = home.cards / "momentum-long.json"
    card = json.loads(path.read_text(encoding="utf-8"))
    card["scope"]["symbols"] = ["BTCUSDT"]
    path.write_text(json.dumps(card), encoding="utf-8")
    wanted = a_request(home)
    with_twins(home, wanted)
    found = {each["symbol"]: each for each in run_night(home, wanted).assets}
    assert found["ETHUSDT"]["passes"] and found["BTCUSDT"]["passes"]
    here = "momentum-long: traded here from now on"
    assert here in found["ETHUSDT"]["changes"] and here not in found["BTCUSDT"]["changes"]
    settings = found["ETHUSDT"]["parameters"]["cards"]["momentum-long"]
    assert settings["status"] == "active" and settings["changes"]["scope.symbols"] == ["ETHUSDT"]
    assert "scope.symbols" not in str(found["BTCUSDT"]["parameters"]["cards"])
    own = {name: CardSettings(**each) for name, each in found["ETHUSDT"]["parameters"]["cards"].items()}
    cards, problems = own_cards(read_cards(home.cards), own)
    eth = next(asset for asset in read_setup(home).registry.assets if asset.symbol == "ETHUSDT")
    assert problems == () and "momentum-long" in playbook_of(cards, eth).names
    assert "momentum-long" not in playbook_of(read_cards(home.cards), eth).names
