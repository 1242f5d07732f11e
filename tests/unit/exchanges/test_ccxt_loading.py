"""One exchange of ccxt is loaded, not the hundred: each case in a fresh interpreter."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def test_only_the_exchange_asked_for_is_loaded() -> None:
    """If this fails after an update of ccxt, the feed still works, on twice the memory."""
    out = run(
        "import sys\n"
        "from engine_alpha.exchanges.ccxt_loading import load_exchange_class\n"
        "for name in ('bybit', 'binanceusdm'): load_exchange_class(name)\n"
        "print(sorted(n for n in sys.modules if n.startswith('ccxt.async_support.') and n.count('.') == 2))\n"
    )
    loaded = ["base", "binance", "binanceusdm", "bybit"]
    assert out.strip() == str([f"ccxt.async_support.{name}" for name in loaded])


def test_importing_the_feed_imports_no_ccxt() -> None:
    out = run("import sys, engine_alpha.feeds.ccxt_feed\nprint('ccxt' in sys.modules)")
    assert out.strip() == "False"


def test_a_stand_in_that_fails_falls_back_to_all_of_ccxt() -> None:
    out = run(
        "import sys\n"
        "import engine_alpha.exchanges.ccxt_loading as loading\n"
        "loading._StandIn.__getattr__ = lambda self, name: (_ for _ in ()).throw(AttributeError(name))\n"
        "kind = loading.load_exchange_class('bybit')\n"
        "print(kind.__name__, hasattr(sys.modules['ccxt'], 'kraken'))\n"
    )
    assert "bybit True" in out and "importing all of ccxt" in out


def test_a_whole_ccxt_that_is_there_already_is_used() -> None:
    out = run(
        "import ccxt\n"
        "from engine_alpha.exchanges.ccxt_loading import load_exchange_class\n"
        "import ccxt.async_support as whole\n"
        "print(load_exchange_class('bybit') is whole.bybit)\n"
    )
    assert out.strip() == "True"


def test_the_stand_in_names_what_it_lacks() -> None:
    out = run(
        "from engine_alpha.exchanges.ccxt_loading import ccxt_error, load_exchange_class\n"
        "load_exchange_class('bybit')\n"
        "import ccxt\n"
        "assert ccxt.NetworkError is ccxt_error('NetworkError')\n"
        "try: ccxt.kraken\n"
        "except AttributeError as fault: print(fault)\n"
    )
    assert "ccxt has no kraken (only one exchange is loaded" in out
