"""What coins use otherwise than the files say is shown where cards and coins are listed."""

import json
from pathlib import Path
from typing import Any

from engine_alpha.config.reading import read_json
from tests.unit.cli.conftest import Run


def put(home: Path, symbol: str, **keys: Any) -> None:
    folder = home / "config" / "parameters"
    fields = {**read_json(folder / "default.json"), **keys}
    (folder / f"{symbol}.json").write_text(json.dumps(fields))


SETTINGS = {"momentum-long": {"status": "shadow", "changes": {"exits.stop.range": 6}}}


def test_cards_of_a_coins_own_stand_below_the_list(home: Path, run: Run) -> None:
    assert "otherwise" not in run("cards").stdout
    put(home, "ETHUSDT", version="eth-7", cards=SETTINGS)
    shown = run("cards", "list")
    assert shown.exit_code == 0
    assert shown.stdout.splitlines()[-1] == (
        "ETHUSDT uses momentum-long otherwise: shadow, exits.stop.range 6 (parameters eth-7)"
    )
    told = json.loads(run("cards", "list", "--json").stdout)
    assert told["own"] == {"ETHUSDT": {"parameters": "eth-7", "cards": SETTINGS}} and told["faults"] == []


def test_a_wrong_setting_is_told_with_its_place(home: Path, run: Run) -> None:
    put(home, "ETHUSDT", version="eth-7", cards={"momentum-log": {"status": "shadow"}})
    for command in ("list", "check"):
        shown = run("cards", command)
        assert shown.exit_code == 2
        assert "ETHUSDT.json:1:" in shown.stdout
        assert 'cards.momentum-log: no such card; did you mean "momentum-long"?' in shown.stdout


def test_a_regime_whose_card_a_coin_only_watches_is_not_covered(home: Path, run: Run) -> None:
    put(home, "ETHUSDT", version="eth-7", cards=SETTINGS)
    shown = run("cards", "check").stdout
    assert "no active card: trend_up, trend_down, chop of ETHUSDT" in shown
    assert "no active card: trend_down, chop of BTCUSDT" in shown


def test_the_list_of_coins_names_a_set_of_a_coins_own(home: Path, run: Run) -> None:
    put(home, "ETHUSDT", version="eth-7")
    put(home, "BTCUSDT", version="btc-1", trend_on=7)
    rows = {line.split()[0]: line for line in run("assets").stdout.splitlines() if line}
    assert rows["ETHUSDT"].endswith("parameters eth-7")
    assert "parameters can't be read: " in rows["BTCUSDT"] and "BTCUSDT.json:1:" in rows["BTCUSDT"]
    assert "parameters" not in rows["SOLUSDT"]
    listed = {each["symbol"]: each for each in json.loads(run("assets", "--json").stdout)["assets"]}
    assert listed["ETHUSDT"]["own_parameters"] == "parameters eth-7"
    assert listed["SOLUSDT"]["own_parameters"] is None
