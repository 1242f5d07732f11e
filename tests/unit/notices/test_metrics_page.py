"""The figures as Prometheus' own reader and promtool take them, over a real port."""

import shutil
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest
from prometheus_client.parser import text_string_to_metric_families

from engine_alpha.notices.exposition import COUNTER, GAUGE, Family, Histogram
from engine_alpha.notices.metrics import AccountFigures, AssetFigures, Metrics
from engine_alpha.notices.metrics_page import MetricsPage

NOW_S = 1_795_046_400.0


def samples(text: str) -> dict[tuple[str, tuple[str, ...]], float]:
    """Return every sample by its name and its labels' values, as Prometheus' reader understands them."""
    found = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found[sample.name, tuple(sample.labels.values())] = sample.value
    return found


def an_asset(symbol: str = "ETHUSDT", **changes: object) -> AssetFigures:
    usual = {"decided_ms": int(NOW_S - 90) * 1_000, "trades": 12, "profit_factor": 1.25}
    return AssetFigures(symbol=symbol, **{**usual, "faults": 0, "resting": False, **changes})  # type: ignore[arg-type]


def an_account(*assets: AssetFigures, account: str = "paper") -> AccountFigures:
    return AccountFigures(
        account=account,
        equity_quote=10_012.5,
        exposure_quote=320.0,
        positions=1,
        unknown_outcomes=0,
        halted=False,
        assets=assets,
    )


@pytest.fixture
def metrics() -> Metrics:
    """Return figures of which each has a value."""
    made = Metrics("0.1.0", lambda: NOW_S)
    made.ticked("paper", 120, ["decided", "no_decision"], [("ETHUSDT", "spread"), ("ETHUSDT", "spread")])
    made.ticked("paper", 40, ["decided"], [])
    made.fed("paper", "bybit", 0.2)
    made.committed("paper", 0.004)
    made.ordered("live", "bybit", "entry", "filled")
    made.stands(
        an_account(an_asset(), an_asset("BTCUSDT", profit_factor=None, trades=0, faults=3, resting=True))
    )
    made.passed(True)
    return made


@pytest.fixture
def page(metrics: Metrics) -> Iterator[MetricsPage]:
    served = MetricsPage(0, metrics.page)
    yield served
    served.close()


def fetched(page: MetricsPage, path: str = "/metrics") -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{page.port}{path}", timeout=10) as answer:
        assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        text: str = answer.read().decode()
    return text


def test_every_figure_is_read_by_prometheus_own_reader(page: MetricsPage) -> None:
    found = samples(fetched(page))
    expected = {
        ("chloe_build_info", ("0.1.0",)): 1.0,
        ("chloe_ticks_total", ("paper",)): 2.0,
        ("chloe_tick_seconds_bucket", ("paper", "0.05")): 1.0,
        ("chloe_tick_seconds_bucket", ("paper", "0.25")): 2.0,
        ("chloe_tick_seconds_bucket", ("paper", "+Inf")): 2.0,
        ("chloe_tick_seconds_count", ("paper",)): 2.0,
        ("chloe_steps_total", ("paper", "decided")): 2.0,
        ("chloe_gate_blocked_total", ("paper", "ETHUSDT", "spread")): 2.0,
        ("chloe_orders_total", ("live", "bybit", "entry", "filled")): 1.0,
        ("chloe_feed_seconds_count", ("paper", "bybit")): 1.0,
        ("chloe_commit_seconds_bucket", ("paper", "0.005")): 1.0,
        ("chloe_unknown_outcomes", ("paper",)): 0.0,
        ("chloe_profit_factor", ("paper", "ETHUSDT")): 1.25,
        ("chloe_closed_trades", ("paper", "ETHUSDT")): 12.0,
        ("chloe_equity_quote", ("paper",)): 10_012.5,
        ("chloe_exposure_quote", ("paper",)): 320.0,
        ("chloe_positions", ("paper",)): 1.0,
        ("chloe_halted", ("paper",)): 0.0,
        ("chloe_asset_faults", ("paper", "BTCUSDT")): 3.0,
        ("chloe_asset_resting", ("paper", "BTCUSDT")): 1.0,
        ("chloe_decision_age_seconds", ("paper", "ETHUSDT")): 90.0,
        ("chloe_loop_age_seconds", ()): 0.0,
        ("chloe_watchdog_healthy", ()): 1.0,
        ("process_start_time_seconds", ()): NOW_S,
    }
    assert expected.items() <= found.items()
    assert found["chloe_tick_seconds_sum", ("paper",)] == pytest.approx(0.16)
    assert found["process_resident_memory_bytes", ()] > 1e6
    assert ("chloe_profit_factor", ("paper", "BTCUSDT")) not in found  # unknown is no number


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is absent (Debian: prometheus)")
def test_promtool_finds_nothing_to_complain_about(metrics: Metrics) -> None:
    run = subprocess.run(
        ["promtool", "check", "metrics"], input=metrics.page(), capture_output=True, text=True, timeout=30
    )
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")


def test_ages_grow_while_nothing_happens() -> None:
    now = [NOW_S]
    metrics = Metrics("0", lambda: now[0])
    metrics.stands(an_account(an_asset()))
    metrics.passed(True)
    now[0] += 600
    found = samples(metrics.page())
    assert found["chloe_loop_age_seconds", ()] == 600.0
    assert found["chloe_decision_age_seconds", ("paper", "ETHUSDT")] == 690.0


def test_what_an_account_has_no_longer_goes_and_the_others_stay(metrics: Metrics) -> None:
    metrics.stands(an_account(an_asset("SOLUSDT"), account="live"))
    metrics.stands(an_account(an_asset("BTCUSDT", profit_factor=float("inf"))))
    found = samples(metrics.page())
    assets = {labels for name, labels in found if name == "chloe_decision_age_seconds"}
    assert assets == {("paper", "BTCUSDT"), ("live", "SOLUSDT")}
    assert found["chloe_profit_factor", ("paper", "BTCUSDT")] == float("inf")
    metrics.gone("paper")
    found = samples(metrics.page())
    assert not any(labels[:1] == ("paper",) for name, labels in found if name == "chloe_equity_quote")
    assert found["chloe_ticks_total", ("paper",)] == 2.0  # what was counted stays counted


def test_odd_labels_and_numbers_come_through() -> None:
    family = Family(GAUGE, "odd", 'a "b" \\ c\nd', ("x",))
    odd = {'q"uo\\te\nnew': 1e-7, "ünï €": float("nan"), "": -1e20, "\ud800": float("-inf")}
    for label, value in odd.items():
        family.set((label,), value)
    found = {labels[0]: value for (_, labels), value in samples(family.text()).items()}
    assert found.pop("ünï €") != found.get("ünï €")
    assert found == {'q"uo\\te\nnew': 1e-7, "": -1e20, "?": float("-inf")}
    assert Family(COUNTER, "none_total", "x", ("a",)).text() == ""


def test_a_histogram_is_cumulative_and_its_bounds_count_as_within() -> None:
    histogram = Histogram("h_seconds", "x", (), (0.1, 1.0))
    for seconds in (0.1, 0.5, 2.0):
        histogram.observe((), seconds)
    found = samples(histogram.text())
    assert [found["h_seconds_bucket", (bound,)] for bound in ("0.1", "1", "+Inf")] == [1.0, 2.0, 3.0]
    assert found["h_seconds_sum", ()] == pytest.approx(2.6)


def test_other_paths_are_not_found_and_say_where_the_figures_are(page: MetricsPage) -> None:
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(f"http://127.0.0.1:{page.port}/", timeout=10)
    assert caught.value.code == 404 and caught.value.read() == b"the figures are at /metrics\n"
    assert fetched(page, "/metrics?x=1")


def test_the_page_is_for_this_machine_only(page: MetricsPage) -> None:
    assert page._server.server_address[0] == "127.0.0.1"
    with open("/proc/net/tcp", encoding="ascii") as file:
        local = [line.split()[1] for line in file if line.split()[3] == "0A"]
    assert f"0100007F:{page.port:04X}" in local and f"00000000:{page.port:04X}" not in local


def test_a_reader_that_says_nothing_or_goes_away_hinders_nobody(
    page: MetricsPage, capfd: pytest.CaptureFixture[str]
) -> None:
    silent = socket.create_connection(("127.0.0.1", page.port))
    rude = socket.create_connection(("127.0.0.1", page.port))
    rude.sendall(b"GET /metrics HTTP/1.1\r\n\r\n")
    rude.close()
    assert "chloe_ticks_total" in fetched(page)
    silent.close()
    assert capfd.readouterr().err == ""


def test_a_port_in_use_is_an_os_error_and_a_closed_page_lets_go(metrics: Metrics) -> None:
    first = MetricsPage(0, metrics.page)
    with pytest.raises(OSError, match="in use"):
        MetricsPage(first.port, metrics.page)
    first.close()
    again = MetricsPage(first.port, metrics.page)
    again.close()


def test_the_page_is_whole_while_the_engine_writes(metrics: Metrics) -> None:
    stop = threading.Event()

    def write() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            metrics.ticked("paper", 1, ["decided"], [(f"C{number % 500}USDT", "spread")])
            metrics.stands(an_account(*(an_asset(f"C{number + each}USDT") for each in range(20))))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        until_s = time.monotonic() + 1.5
        while time.monotonic() < until_s:
            assert samples(metrics.page())["chloe_watchdog_healthy", ()] == 1.0
    finally:
        stop.set()
        writer.join()
