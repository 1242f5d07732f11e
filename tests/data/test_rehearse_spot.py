"""Spot candles older than the contract: its rules stand in, its listing date does not."""

from pathlib import Path

from engine_alpha.home import Home, init_home
from engine_alpha.loop.rehearse import rehearse
from engine_alpha.plans.history import History
from engine_alpha.times import parse_iso


def test_spot_history_before_the_contract_is_decided_and_its_outage_recorded(
    shared_data: Path, tmp_path: Path
) -> None:
    """February 2018: Binance stood still for 33 hours."""
    init_home(tmp_path / "home")
    wanted = History(
        data=shared_data,
        venue="BINANCE",
        symbols=("BTCUSDT",),
        from_ms=parse_iso("2018-02-07"),
        to_ms=parse_iso("2018-02-12"),
    )
    report = rehearse(Home(tmp_path / "home"), wanted)
    assert report.decisions + report.no_decisions == 5 * 24
    assert 30 <= report.no_decisions <= 35
