"""A neutral trade is worth the R of the ordinary road, and no limit of the account is left to bind."""

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("numba", reason="numba is absent: the backtest extra is not installed")

from engine_alpha.backtest.request import Overrides, backtest_setup, gathered
from engine_alpha.backtest.run import played_through, road_of
from engine_alpha.config.cards import CardConfig
from engine_alpha.config.reading import read_json
from engine_alpha.kernel.codes import ACTIVE, SHADOW
from engine_alpha.plans.setup import Setup
from engine_alpha.research.neutral import neutral_card, neutral_risk, neutral_setup, shadowed_setup
from tests.parity.stored import series, store, wanted
from tests.unit.loop.runs import QUICK, a_home

SYMBOL = "ETHUSDT"
TRAILING = {
    **QUICK,
    "name": "trailing",
    "exits": {"stop": {"range": 4.0}, "trailing": {"range": 3.0}, "max_hold_bars": 40},
    "risk": {"size_factor": 0.3, "max_notional_quote": 700.0},
}


def trades_of(setup: Setup, history) -> np.ndarray:
    found = gathered(setup, history)
    played = played_through(road_of(setup, history, found, records=False), records=False)
    return played.closed()[0]


@pytest.mark.parametrize("card", [QUICK, TRAILING], ids=["quick", "trailing"])
def test_r_is_that_of_the_ordinary_road_to_rounding(tmp_path: Path, card: dict[str, object]) -> None:
    home = a_home(tmp_path / "home", enabled=(), cards=(card,))
    data = store(tmp_path / "data", series((SYMBOL,), bars=3_000, before=1_000))
    history = wanted(data, (SYMBOL,), hours=1_500)
    ordinary = backtest_setup(home, history, Overrides())
    real = trades_of(ordinary, history)
    for neutral in (neutral_setup(ordinary), shadowed_setup(ordinary)):
        found = trades_of(neutral, history)
        assert len(found) == len(real) > 25
        for name in ("entry_ms", "exit_ms", "exit_reason", "entry_price", "exit_price", "ambiguous"):
            assert np.array_equal(found[name], real[name]), name
        assert np.allclose(found["r"], real["r"], rtol=1e-9, atol=1e-12)
        assert np.allclose(
            found["fees_quote"] / found["risk_quote"], real["fees_quote"] / real["risk_quote"], rtol=1e-9
        )


def test_what_a_trade_costs_and_waits_stays(tmp_path: Path) -> None:
    home = a_home(tmp_path / "home", enabled=(), risk={"cooldown_bars": 7, "slippage_bps": 3.5})
    risk = backtest_setup(home, wanted(tmp_path, (SYMBOL,)), Overrides()).risk
    neutral = neutral_risk(risk)
    for name in ("cooldown_bars", "slippage_bps", "spread_bps", "max_spread_bps", "filled_limit_frac"):
        assert getattr(neutral, name) == getattr(risk, name), name
    assert neutral.evidence == risk.evidence
    assert neutral_risk(neutral) == neutral


def test_a_neutral_card_keeps_its_entries_a_day_and_nothing_of_its_record() -> None:
    card = CardConfig.model_validate(
        {
            **QUICK,
            "risk": {"size_factor": 0.25, "max_notional_quote": 50.0, "trades_per_day": 3},
            "activation": {"min_trades": 5, "min_pf": 2.0, "max_drawdown_frac": 0.1},
        }
    )
    neutral = neutral_card(card)
    assert neutral.risk.trades_per_day == 3
    assert (neutral.risk.size_factor, neutral.risk.max_notional_quote) == (1.0, None)
    assert neutral.activation.min_trades == 0
    assert neutral.status == card.status
    assert neutral.entry == card.entry


def test_a_losing_card_goes_on_trading(tmp_path: Path) -> None:
    losing = {**QUICK, "activation": {"min_trades": 3, "min_pf": 5.0}}
    home = a_home(tmp_path / "home", enabled=(), cards=(losing,))
    data = store(tmp_path / "data", series((SYMBOL,), bars=3_000, before=1_000))
    history = wanted(data, (SYMBOL,), hours=1_500)
    ordinary = backtest_setup(home, history, Overrides())
    real, neutral = trades_of(ordinary, history), trades_of(neutral_setup(ordinary), history)
    assert len(neutral) > 5 * len(real)


def test_a_coins_own_settings_neither_size_nor_silence_a_card(tmp_path: Path) -> None:
    home = a_home(tmp_path / "home", enabled=(), cards=(QUICK, TRAILING))
    own = read_json(home.parameters / "default.json")
    own["version"] = "eth-1"
    own["cards"] = {
        "quick": {
            "status": "active",
            "changes": {
                "exits.max_hold_bars": 9,
                "risk.size_factor": 0.1,
                "risk.trades_per_day": 2,
                "activation.min_pf": 5.0,
            },
        },
        "trailing": {"status": "disabled", "changes": {}},
    }
    (home.parameters / f"{SYMBOL}.json").write_text(json.dumps(own), encoding="utf-8")
    setup = backtest_setup(home, wanted(tmp_path, (SYMBOL,)), Overrides())
    plan = shadowed_setup(setup).plan(setup.enabled[0])
    assert plan.names == ("quick",)
    card = plan.rules.cards[0]
    assert (card.status, card.max_hold_bars, card.trades_per_day) == (SHADOW, 9, 2)
    assert (card.size_factor, card.min_pf) == (1.0, 0.0)
    neutral = neutral_setup(setup).plan(setup.enabled[0])
    assert neutral.rules.cards[0].status == ACTIVE
    assert neutral.rules.cards[0]._replace(status=SHADOW) == card
