"""risk.json: every limit reaches the kernel, and the shares of the shipped coins add up to all there is."""

import json
from pathlib import Path
from typing import Any

import pytest

from engine_alpha.config.assets import RISK_BUCKETS, AssetConfig, read_registry
from engine_alpha.config.reading import read_json
from engine_alpha.config.risk import (
    DETAILS,
    RiskConfig,
    bucket_code,
    detail_for,
    read_risk,
    risk_of,
    shares_fault,
    start_quote,
)
from engine_alpha.domain.asset import TIMEFRAME_MS
from engine_alpha.domain.detail import MINUTES
from engine_alpha.errors import ConfigError
from engine_alpha.kernel.values import Risk

CONFIG = Path(__file__).parents[3] / "config"


def shipped() -> dict[str, Any]:
    value = dict(read_json(CONFIG / "risk.json"))
    del value["$schema"]
    return value


def limits() -> list[str]:
    return [key for key in shipped() if key != "detail"]


def read(tmp_path: Path, value: Any) -> RiskConfig:
    path = tmp_path / "risk.json"
    path.write_text(json.dumps(value))
    return read_risk(path)


def asset(bucket: str = "core", enabled: bool = True, timeframe: str = "1h") -> AssetConfig:
    return AssetConfig(
        symbol="ETHUSDT",
        base_timeframe=timeframe,
        enabled=enabled,
        venue="bybit",
        risk_bucket=bucket,
        quote_ccy="USDT",
        max_leverage=3.0,
        min_notional_usd=10.0,
    )


def test_the_shipped_limits_are_the_designs() -> None:
    risk = read_risk(CONFIG / "risk.json")
    assert (risk.equity_quote, risk.risk_frac, risk.max_positions) == (10_000.0, 0.01, 6)
    assert (risk.daily_loss_frac, risk.drawdown_halt_frac, risk.filled_limit_frac) == (0.03, 0.2, 0.02)


def test_the_sub_accounts_of_the_shipped_coins_add_up_to_the_equity() -> None:
    risk = read_risk(CONFIG / "risk.json")
    assets = read_registry(CONFIG / "asset_registry.json").assets
    assert sum(start_quote(risk, each) for each in assets) == pytest.approx(10_000.0, rel=1e-12)
    shares = {each.symbol: start_quote(risk, each) for each in assets}
    assert shares["ETHUSDT"] == shares["BTCUSDT"] == 1_500.0
    assert shares["BNBUSDT"] == shares["SOLUSDT"] == 1_000.0
    assert shares["LINKUSDT"] == pytest.approx(700.0)
    assert (shares["XRPUSDT"], shares["DOGEUSDT"]) == (250.0, 250.0)


def test_sub_accounts_of_more_than_there_is_are_told() -> None:
    risk = read_risk(CONFIG / "risk.json")
    six, seven = [asset()] * 6, [asset()] * 7
    assert shares_fault(risk, six) is None
    assert "add up to 1.05" in str(shares_fault(risk, seven))
    assert shares_fault(risk, [*six, asset(enabled=False)]) is None


def test_every_limit_reaches_the_kernel_as_one_type() -> None:
    risk = risk_of(read_risk(CONFIG / "risk.json"), asset())
    types = {name: type(value).__name__ for name, value in risk._asdict().items()}
    assert types == {name: str(Risk.__annotations__[name].__name__) for name in Risk._fields}


@pytest.mark.parametrize("key", [key for key in limits() if key not in ("buckets", "evidence")])
def test_each_key_alone_changes_the_kernels_limits(tmp_path: Path, key: str) -> None:
    value = shipped()
    before = risk_of(read(tmp_path, value), asset())
    value[key] = value[key] + 1 if isinstance(value[key], int) else value[key] * 0.5
    after = risk_of(read(tmp_path, value), asset())
    changed = [name for name in Risk._fields if getattr(before, name) != getattr(after, name)]
    assert changed == ["account_start_quote" if key == "equity_quote" else key]


@pytest.mark.parametrize("bucket", RISK_BUCKETS)
def test_each_bucket_has_its_own_share_cap_and_code(tmp_path: Path, bucket: str) -> None:
    value = shipped()
    value["buckets"][bucket] = {"share_frac": 0.5, "cap_frac": 77}
    risk = read(tmp_path, value)
    for other in RISK_BUCKETS:
        assert (risk_of(risk, asset(other)).bucket_cap_frac == 77.0) is (other == bucket)
        assert (start_quote(risk, asset(other)) == 5_000.0) is (other == bucket)
    assert bucket_code(asset(bucket)) == RISK_BUCKETS.index(bucket)


@pytest.mark.parametrize("key", limits())
def test_a_missing_limit_is_refused(tmp_path: Path, key: str) -> None:
    value = shipped()
    del value[key]
    with pytest.raises(ConfigError, match=f"{key}: is missing"):
        read(tmp_path, value)


@pytest.mark.parametrize(("key", "bad"), [(k, b) for k in limits() for b in ("1", True, -1, None, [1])])
def test_a_limit_of_the_wrong_kind_is_refused(tmp_path: Path, key: str, bad: Any) -> None:
    with pytest.raises(ConfigError, match=rf"risk\.json:1:\d+: {key}: must be "):
        read(tmp_path, {**shipped(), key: bad})


@pytest.mark.parametrize(
    ("buckets", "message"),
    [
        ({"cor": {"share_frac": 0.1, "cap_frac": 1}}, 'buckets.cor: must be .* did you mean "core"'),
        ({"core": {"share_frac": 0.1}}, "buckets.core.cap_frac: is missing"),
        (
            {"core": {"share": 0.1, "share_frac": 0.1, "cap_frac": 1}},
            'core.share: unknown key; did you mean "share_frac"',
        ),
        (
            {"core": {"share_frac": 1.5, "cap_frac": 1}},
            "core.share_frac: must be less than or equal to 1, not 1.5",
        ),
        ({"core": {"share_frac": 0.1, "cap_frac": 0}}, "core.cap_frac: must be greater than 0, not 0"),
    ],
)
def test_a_bad_bucket_is_refused(tmp_path: Path, buckets: dict[str, Any], message: str) -> None:
    value = shipped()
    value["buckets"].update(buckets)
    with pytest.raises(ConfigError, match=message):
        read(tmp_path, value)


def test_a_missing_bucket_is_refused(tmp_path: Path) -> None:
    value = shipped()
    del value["buckets"]["meme"]
    with pytest.raises(ConfigError, match="buckets: missing meme"):
        read(tmp_path, value)


def test_no_detail_is_shipped_and_a_file_without_the_key_says_the_same(tmp_path: Path) -> None:
    value = shipped()
    assert value.pop("detail") is None
    assert read(tmp_path, value) == read_risk(CONFIG / "risk.json")
    assert detail_for(read(tmp_path, value), asset()) is None


@pytest.mark.parametrize("timeframe", TIMEFRAME_MS)
def test_minutes_lie_inside_every_coarser_bar(tmp_path: Path, timeframe: str) -> None:
    risk = read(tmp_path, {**shipped(), "detail": "1m"})
    assert detail_for(risk, asset(timeframe=timeframe)) == (None if timeframe == "1m" else MINUTES)
    assert DETAILS == (MINUTES,)


@pytest.mark.parametrize("bad", ["5m", "1h", "1M", "", 1, True, ["1m"]])
def test_another_detail_is_refused(tmp_path: Path, bad: Any) -> None:
    with pytest.raises(ConfigError, match=r'risk\.json:1:\d+: detail: must be "1m", not '):
        read(tmp_path, {**shipped(), "detail": bad})


def test_the_evidence_asked_for_is_no_limit_of_the_kernel(tmp_path: Path) -> None:
    value = shipped()
    before = risk_of(read(tmp_path, value), asset())
    value["evidence"] = {**value["evidence"], "alpha": 0.01, "unproven_size_factor": 0.1}
    assert risk_of(read(tmp_path, value), asset()) == before


def test_paper_comes_after_half_the_size(tmp_path: Path) -> None:
    value = shipped()
    value["evidence"] = {**value["evidence"], "paper_after": 100, "halve_after": 200}
    with pytest.raises(ConfigError, match="paper_after is below halve_after"):
        read(tmp_path, value)
