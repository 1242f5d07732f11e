"""The fingerprint follows what configuration says, not how it is written."""

from pathlib import Path
from typing import Any

import pytest

from engine_alpha.config.assets import AssetConfig
from engine_alpha.config.hashing import hash_config
from engine_alpha.config.reading import Source
from engine_alpha.config.risk import RiskConfig, read_risk, risk_of
from engine_alpha.kernel.values import Condition

RISK = Path(__file__).parents[3] / "config" / "risk.json"


def asset(**changes: Any) -> AssetConfig:
    values: dict[str, Any] = {
        "symbol": "ETHUSDT",
        "base_timeframe": "1h",
        "enabled": True,
        "venue": "bybit",
        "risk_bucket": "core",
        "quote_ccy": "USDT",
        "max_leverage": 3.0,
        "min_notional_usd": 10.0,
    }
    return AssetConfig(**{**values, **changes})


def test_it_is_the_same_on_every_machine() -> None:
    assert hash_config({}) == "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
    assert hash_config({"b": 1, "a": (1.5, None, True)}) == hash_config({"a": [1.5, None, True], "b": 1})


@pytest.mark.parametrize(
    "change",
    [
        {"symbol": "BTCUSDT"},
        {"base_timeframe": "4h"},
        {"enabled": False},
        {"venue": "binance"},
        {"risk_bucket": "alt"},
        {"quote_ccy": "USDC"},
        {"max_leverage": 2.0},
        {"min_notional_usd": 5.0},
    ],
)
def test_every_field_counts(change: dict[str, Any]) -> None:
    assert hash_config({"asset": asset()}) != hash_config({"asset": asset(**change)})


def test_models_dataclasses_and_named_tuples_are_taken_by_name() -> None:
    config = read_risk(RISK)
    parts = {"risk": config, "limits": risk_of(config, asset()), "conditions": (Condition(1, 1, 1, 0.5),)}
    assert len(hash_config(parts)) == 64
    assert hash_config(parts) != hash_config({**parts, "conditions": (Condition(1, 1, -1, 0.5),)})


def test_comments_and_layout_do_not_count(tmp_path: Path) -> None:
    other = tmp_path / "risk.json"
    other.write_text("// other words\n" + RISK.read_text().replace("\n", "\n\n").replace("0.20", "0.2"))
    assert hash_config({"risk": read_risk(other)}) == hash_config({"risk": read_risk(RISK)})
    assert isinstance(read_risk(other), RiskConfig)


def test_another_assets_limits_do_not_count(tmp_path: Path) -> None:
    other = tmp_path / "risk.json"
    other.write_text(RISK.read_text().replace('"cap_frac": 0.4', '"cap_frac": 0.3'))
    limits = [risk_of(read_risk(path), asset()) for path in (RISK, other)]
    assert hash_config({"limits": limits[0]}) == hash_config({"limits": limits[1]})


def test_what_has_no_fixed_form_is_refused() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        hash_config({"a": float("nan")})
    with pytest.raises(TypeError, match="no fingerprint"):
        hash_config({"a": object()})
    assert hash_config({"a": Source("f", "t").name})
