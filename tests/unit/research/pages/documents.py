"""A night's documents of the exact shape, small enough to read, and their folder."""

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from engine_alpha.kernel.profit_factor import profit_factor
from engine_alpha.research.documents import factor_fields, plain, sha256_of
from engine_alpha.research.null_rate import rate_of
from engine_alpha.research.pages.nights import SCHEMA
from engine_alpha.research.search.expecting import Estimate
from engine_alpha.research.search.judging import Test, at_least, at_most

SYMBOLS = ("ETHUSDT", "BTCUSDT")
CARDS = ("momentum-long", "range-dip")
WON = [2.5, -1.0, 1.75, -1.0, 3.0, -1.0, -0.5]
LOST = [-1.0, 0.5, -1.0]
PASSING = "ETHUSDT"
NIGHT, BEFORE = "2026-11-28", "2026-11-27"

Document = dict[str, Any]


def estimate(trades: int = 7, factor: float | None = 1.62) -> Document:
    """Return what to expect, as documents hold it."""
    low, high = (None, None) if factor is None else (factor / 1.47, factor * 1.47)
    mean = None if factor is None else 0.234
    return asdict(
        Estimate(
            trades=trades,
            mean_r=mean,
            mean_r_low=None if mean is None else -0.051,
            mean_r_high=None if mean is None else 0.519,
            factor=factor,
            factor_low=low,
            factor_high=high,
        )
    )


def card_tests(passing: bool) -> list[Test]:
    """Return the tests of a card."""
    return [
        at_least("trades", 241.0 if passing else 12.0, 30.0, "out-of-sample trades of all coins"),
        at_least("together_psr", 0.987, 0.95, "probability that the Sharpe ratio is above 0"),
        at_least("psr", 0.913 if passing else None, 0.8, "the same of the card alone"),
        at_most("pbo", 0.128, 0.3, "probability that the best of the trials is below the median"),
        at_least("neighbours", 0.774 if passing else 0.261, 0.5, "neighbours over the choice"),
    ]


def edge_test(passing: bool) -> Test:
    """Return a coin's own test."""
    return at_least("own_edge", 0.871 if passing else 0.432, 0.8, "probability that its mean R is above 0")


def night_document(night: str = NIGHT, **changes: Any) -> Document:
    """Return the document of a night in which ETHUSDT may trade momentum-long, and nothing else may."""
    document: Document = {
        "schema": SCHEMA,
        "night": night,
        "at": f"{night}T01:37:00+00:00",
        "engine_version": "0.9.0",
        "seconds": 61.7,
        "peak_mib": 812.4,
        "history": history(),
        "symbols": list(SYMBOLS),
        "faults": {},
        "notes": [],
        "trials": {"tonight": 48, "effective": 7.25, "ever": 96, "counted": 14.5},
        "together": [plain(asdict(test)) for test in card_tests(True)[1:2]],
        "overfitting": plain(asdict(card_tests(True)[3])),
        "null_rate": null_rate(60, 2),
        "cards": [card_fields(card, card == CARDS[0]) for card in CARDS],
        "assets": [summary(asset_document(symbol, night)) for symbol in SYMBOLS],
        "correlation": {"symbols": list(SYMBOLS), "values": [[1.0, 0.37], [0.37, None]]},
        **changes,
    }
    return document | {"sha256": sha256_of(document)}


def null_rate(twins: int, fired: int) -> Document:
    """Return how often the procedure fired, as the night tells it."""
    rate = rate_of(twins, fired)
    return asdict(rate) | {"limit": 0.05, "passed": bool(twins), "words": "how often it fires"}


def history() -> Document:
    """Return which prices a night was made of."""
    ends = {"from": "2021-01-01T00:00:00+00:00", "to": "2024-01-01T00:00:00+00:00"}
    return {"venue": "BINANCEUM", "symbols": list(SYMBOLS), **ends}


def summary(asset: Document) -> Document:
    """Return what the night's document has of a coin."""
    names = ("symbol", "verdict", "words", "passes", "factor", "expected", "as_shipped", "adopt")
    return {name: asset[name] for name in names}


def card_fields(card: str, passing: bool) -> Document:
    """Return a card of the night's document."""
    return {
        "card": card,
        "passes": passing,
        "factor": factor_fields(profit_factor(WON if passing else LOST)),
        "sharpe": 1.37 if passing else -0.44,
        "track_record_days": 511.5 if passing else None,
        "snooping_p": 0.021 if passing else None,
        "tests": [plain(asdict(test)) for test in card_tests(passing)],
        "coins": [
            {
                "symbol": symbol,
                "factor": factor_fields(profit_factor(WON if symbol == PASSING else LOST)),
                "expected": estimate(),
                "edge": plain(asdict(edge_test(symbol == PASSING))),
            }
            for symbol in SYMBOLS
        ],
    }


def asset_document(symbol: str, night: str = NIGHT, **changes: Any) -> Document:
    """Return the document of a coin; only ETHUSDT passes."""
    passing = symbol == PASSING
    tests = [*card_tests(passing), edge_test(passing)]
    named = [plain(asdict(test)) | {"name": f"{CARDS[0]}:{test.name}"} for test in tests]
    words = f"{symbol} may trade momentum-long: out of sample PF 2.07" if passing else f"{symbol}: nothing"
    values = {"exits.stop.range": 6, "confidence_min": 0.2}
    card = {
        "card": CARDS[0],
        "now": values | {"exits.stop.range": 4},
        "proposed": values,
        "expected": estimate(),
    }
    document: Document = {
        "schema": SCHEMA,
        "night": night,
        "symbol": symbol,
        "engine_version": "0.9.0",
        "decides": "d" * 64,
        "history": history(),
        "fault": None,
        "notes": ["3 hours are missing"],
        "verdict": "trade" if passing else "nothing",
        "words": words,
        "passes": passing,
        "confidence_min": 0.2,
        "cards": [card] if passing else [],
        "changes": ["momentum-long: exits.stop.range 4 → 6"] if passing else [],
        "factor": factor_fields(profit_factor(WON if passing else [])),
        "expected": estimate() if passing else None,
        "as_shipped": factor_fields(profit_factor(LOST)),
        "tests": named,
        "alone": alone(passing),
        "folds": folds(),
        "edge": [],
        "calibration": None,
        "parameters": {"confidence_min": 0.2, "cards": {CARDS[0]: {"status": "active"}}} if passing else None,
        "adopt": f"chloe research adopt {symbol} --night {night}" if passing else None,
        **changes,
    }
    return document | {"sha256": sha256_of(document)}


def alone(passing: bool) -> list[Document]:
    """Return the tests of one coin by itself."""
    return [plain(asdict(replace(test, name=f"alone_{test.name}"))) for test in card_tests(passing)[2:4]]


def folds() -> list[Document]:
    """Return three folds of both cards; range-dip is traded in the last alone."""
    found = []
    for at, (start, end) in enumerate((("01", "05"), ("05", "09"), ("09", "13"))):
        for card in CARDS:
            traded = card == CARDS[0] or at == 2
            results = [2.25, -1.0, 0.125 * at] if traded else []
            found.append(
                {
                    "from": f"2023-{start}-01T00:00:00+00:00",
                    "to": "2024-01-01T00:00:00+00:00" if end == "13" else f"2023-{end}-01T00:00:00+00:00",
                    "chosen_before": f"2023-{start}-01T00:00:00+00:00",
                    "card": card,
                    "values": {"exits.stop.range": 6, "confidence_min": 0.2} if traded else None,
                    "factor": factor_fields(profit_factor(results)),
                    "net_r": float(sum(results)),
                }
            )
    return found


def write_night(reports: Path, document: Document, assets: list[Document]) -> Path:
    """Write a night as `chloe research run` does; return its folder."""
    folder = reports / "research" / str(document["night"])
    folder.mkdir(parents=True)
    for asset in assets:
        (folder / f"{asset['symbol']}.json").write_text(json.dumps(asset))
    (folder / "night.json").write_text(json.dumps(document))
    return folder


def usual_night(reports: Path, night: str = NIGHT) -> Path:
    """Write the usual night."""
    return write_night(reports, night_document(night), [asset_document(symbol, night) for symbol in SYMBOLS])
