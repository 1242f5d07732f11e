"""The example rules are sound, look at figures that exist, and fire when they should."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from engine_alpha.notices.metrics import Metrics

RULES = Path(__file__).resolve().parents[3] / "deploy" / "alert-rules.yml"
needs_promtool = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="promtool is absent (Debian: prometheus)"
)
WHO = 'account="paper",asset="ETHUSDT"'
FIRING = {  # alert: the series that make it fire within a day, by minutes
    "ChloeDown": {'up{job="chloe"}': "0x1440"},
    "ChloeNotTrading": {"chloe_watchdog_healthy": "0x1440"},
    "ChloeLoopStuck": {"chloe_loop_age_seconds": "0+60x1440"},
    "ChloeDecisionLate": {f"chloe_decision_age_seconds{{{WHO}}}": "0+60x1440"},
    "ChloeAssetResting": {f"chloe_asset_resting{{{WHO}}}": "1x1440"},
    "ChloeUnknownOutcome": {'chloe_unknown_outcomes{account="live"}': "1x1440"},
    "ChloeOrdersRejected": {
        'chloe_orders_total{account="live",venue="bybit",leg="entry",status="rejected"}': "0x1400 1x40"
    },
    "ChloeHalted": {'chloe_halted{account="paper"}': "1x1440"},
    "ChloeEquityFell": {'chloe_equity_quote{account="paper"}': "1000x700 880x740"},
    "ChloeProfitFactorLow": {
        f"chloe_profit_factor{{{WHO}}}": "0.7x1440",
        f"chloe_closed_trades{{{WHO}}}": "60x1440",
    },
    "ChloeFeedSlow": {
        'chloe_feed_seconds_bucket{venue="bybit",le="5"}': "0x1440",
        'chloe_feed_seconds_bucket{venue="bybit",le="10"}': "0+1x1440",
        'chloe_feed_seconds_bucket{venue="bybit",le="+Inf"}': "0+1x1440",
    },
    "ChloeTickSlow": {
        'chloe_tick_seconds_bucket{account="paper",le="10"}': "0x1440",
        'chloe_tick_seconds_bucket{account="paper",le="30"}': "0+1x1440",
        'chloe_tick_seconds_bucket{account="paper",le="+Inf"}': "0+1x1440",
    },
    "ChloeCommitSlow": {
        'chloe_commit_seconds_bucket{account="paper",le="0.25"}': "0x1440",
        'chloe_commit_seconds_bucket{account="paper",le="1"}': "0+1x1440",
        'chloe_commit_seconds_bucket{account="paper",le="+Inf"}': "0+1x1440",
    },
    "ChloeMemoryGrows": {'process_resident_memory_bytes{job="chloe"}': "500000000x1440"},
}


def rules() -> dict[str, dict[str, Any]]:
    found = yaml.safe_load(RULES.read_text())["groups"]
    return {rule["alert"]: rule for group in found for rule in group["rules"]}


def test_every_rule_says_what_to_do_and_looks_at_a_figure_that_exists() -> None:
    source = (Path(Metrics.page.__code__.co_filename)).read_text()
    known = set(re.findall(r'"((?:chloe|process)_[a-z_]+)"', source))
    for name, rule in rules().items():
        assert {"summary", "action"} <= rule["annotations"].keys() and rule["labels"]["severity"]
        used = set(re.findall(r"\b(?:chloe|process)_[a-z_]+", rule["expr"]))
        assert used or "up{" in rule["expr"], name
        assert {figure.removesuffix("_bucket") for figure in used} <= known, name


@needs_promtool
def test_promtool_takes_the_rules() -> None:
    run = subprocess.run(
        ["promtool", "check", "rules", str(RULES)], capture_output=True, text=True, timeout=30
    )
    assert run.returncode == 0, run.stdout + run.stderr


@needs_promtool
@pytest.mark.slow
@pytest.mark.parametrize("name", FIRING)
def test_a_rule_fires_on_what_it_is_for(name: str, tmp_path: Path) -> None:
    assert firing([name], tmp_path, FIRING[name])


@needs_promtool
def test_no_rule_fires_while_all_is_well(tmp_path: Path) -> None:
    well = {
        'up{job="chloe"}': "1x1440",
        "chloe_watchdog_healthy": "1x1440",
        "chloe_loop_age_seconds": "1x1440",
        f"chloe_decision_age_seconds{{{WHO}}}": "7000x1440",
        f"chloe_asset_resting{{{WHO}}}": "0x1440",
        'chloe_unknown_outcomes{account="live"}': "0x1440",
        'chloe_halted{account="paper"}': "0x1440",
        'chloe_equity_quote{account="paper"}': "1000x1440",
        f"chloe_profit_factor{{{WHO}}}": "0.5x1440",
        f"chloe_closed_trades{{{WHO}}}": "10x1440",
        'process_resident_memory_bytes{job="chloe"}': "120000000x1440",
    }
    assert not firing(list(FIRING), tmp_path, well)


def test_every_rule_is_tried() -> None:
    assert FIRING.keys() == rules().keys()


def firing(names: list[str], folder: Path, series: dict[str, str]) -> bool:
    """Say whether any of the alerts fires after a day of these series, by Prometheus' own judgement."""
    inputs = [{"series": each, "values": values} for each, values in series.items()]
    quiet = [{"eval_time": "1d", "alertname": name, "exp_alerts": []} for name in names]
    test = {"interval": "1m", "input_series": inputs, "alert_rule_test": quiet}
    written = {"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": [test]}
    path = folder / "test.json"  # YAML contains JSON
    path.write_text(json.dumps(written))
    run = subprocess.run(["promtool", "test", "rules", str(path)], capture_output=True, text=True, timeout=60)
    said = run.stdout + run.stderr
    assert (run.returncode == 0 and "SUCCESS" in said) or "alertname" in said, said
    return run.returncode != 0
