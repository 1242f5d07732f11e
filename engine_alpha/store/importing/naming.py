"""What the name of a file, and the folders it lies in, say about its content; None is unknown.

* the Binance archive: `BTCUSDT-1h-2024-01.zip`, `BTCUSDT-fundingRate-2024-01.zip`, in its own folders
  `spot/monthly/klines/…` or `futures/um/daily/markPriceKlines/…`, which alone tell spot, perpetual and mark;
* freqtrade: `BTC_USDT_USDT-1h-futures.feather`, `-mark`, `-funding_rate`, `BTC_USDT-1h.json` for spot, in a
  folder named after the exchange;
* ours: `VENUE_SYMBOL_TF.parquet`, `VENUE_SYMBOL_mark_TF.parquet`, `VENUE_SYMBOL_funding.parquet`;
* anything else: the words between `_`, `-`, `.` and blanks, where just one of them is a symbol, a timeframe,
  a venue (as in CryptoDataDownload's `Binance_BTCUSDT_1h.csv`).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path, PurePath
from typing import Final

from engine_alpha.domain.asset import TIMEFRAME_MS
from engine_alpha.store.shelf import FLAT_NAMES

CANDLES: Final = "candles"
MARK: Final = "mark"
FUNDING: Final = "funding"
PERPETUAL: Final = "perpetual"
SPOT: Final = "spot"

BINANCE: Final = "binance"
BINANCE_SPOT: Final = "BINANCE"
"""How Binance's spot market is called among stored series."""

_TIMEFRAME_WORDS: Final = {
    "1H": "1h", "h": "1h", "1hr": "1h", "hour": "1h", "hourly": "1h", "60m": "1h", "60min": "1h",
    "1D": "1d", "d": "1d", "day": "1d", "daily": "1d",
    "1min": "1m", "minute": "1m", "5min": "5m", "15min": "15m", "30min": "30m", "4H": "4h",
}  # fmt: skip
_MARKET_WORDS: Final = dict.fromkeys(
    ("futures", "perp", "perpetual", "swap", "linear", "um", "usdm", "binanceum"), PERPETUAL
) | {"spot": SPOT}
_KIND_WORDS: Final = {"mark": MARK, "funding": FUNDING, "fundingrate": FUNDING}

_FLAT_VENUES: Final = {flat: (venue, PERPETUAL) for venue, flat in FLAT_NAMES.items()} | {
    BINANCE_SPOT: (BINANCE, SPOT)
}
_SYMBOL: Final = re.compile(r"[A-Z0-9]{1,15}(?:USDT|USDC|FDUSD|BUSD|TUSD|USD|BTC|ETH|EUR)")
_FLAT: Final = re.compile(
    r"(?:^|_)(?P<venue>[A-Z]+)_(?P<symbol>[A-Z0-9]{2,20})_(?:(?P<mark>mark_)?(?P<timeframe>\d+[a-z])|funding)"
)
_ARCHIVE: Final = re.compile(
    r"(?P<symbol>[A-Z0-9]+(?:_PERP|_\d{6})?)-(?P<what>\d+[a-zA-Z]{1,2}|fundingRate)-\d{4}-\d{2}(?:-\d{2})?"
)
_ARCHIVE_FOLDERS: Final = re.compile(
    r"/(?P<market>spot|futures/um|futures/cm|option)/(?:monthly|daily)/(?P<what>\w+)/"
)
_FREQTRADE: Final = re.compile(
    r"(?P<base>[A-Z0-9]+)_(?P<quote>[A-Z0-9]+)(?:_(?P<settle>[A-Z0-9]+))?-(?P<timeframe>\d+[a-zA-Z]{1,2})"
    r"(?:-(?P<kind>spot|futures|mark|funding_rate|index|premiumIndex))?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """What is known of a series: None is unknown, `refused` says why it is none that Chloe can use.

    `venue` is an exchange ("binance", "bybit"), `market` "perpetual" or "spot", `kind` "candles", "mark" or
    "funding"; a timeframe may be one that can't be stored. `archive`: named as Binance's archive names files.
    """

    venue: str | None = None
    symbol: str | None = None
    timeframe: str | None = None
    kind: str | None = None
    market: str | None = None
    archive: bool = False
    refused: str | None = None

    def over(self, other: "Label") -> "Label":
        """Return this label, completed by what the other one knows."""
        return Label(
            **{field.name: getattr(self, field.name) or getattr(other, field.name) for field in fields(Label)}
        )


def label_of(names: Iterable[PurePath]) -> Label:
    """Return what the names say, the first one's word before the next one's, folders last."""
    label = Label()
    for name in names:
        whole = Path(name).resolve() if isinstance(name, Path) else name
        label = label.over(_from_stem(_stem(whole), whole)).over(_from_folders(whole))
    return label


def symbol_in(text: str) -> str:
    """Return a symbol as Chloe writes it: BTC/USDT:USDT, BTC-USDT and btcusdt are BTCUSDT."""
    return re.sub(r"[/\-_ ]", "", text.strip().split(":")[0]).upper()


def timeframe_in(text: str) -> str | None:
    """Return the timeframe that a word means; a month, "1M", is no minute. None for a word that is none."""
    if text in TIMEFRAME_MS:
        return text
    return _TIMEFRAME_WORDS.get(text)


def venue_in(text: str) -> tuple[str, str | None] | None:
    """Return exchange and market that a venue's name means in Chloe; None for an unknown one.

    BINANCE in capitals is Binance's spot market; in any other spelling the market is open.
    """
    if text in _FLAT_VENUES:
        return _FLAT_VENUES[text]
    return (text.casefold(), None) if text.casefold() in FLAT_NAMES else None


def _stem(name: PurePath) -> str:
    return re.sub(r"(?i)\.(csv|tsv|txt|json|zip|gz|parquet|pq|feather|arrow|ipc)\b", "", name.name)


def _from_stem(stem: str, name: PurePath) -> Label:
    if found := _ARCHIVE.fullmatch(stem):
        return _archive_label(found)
    if found := _FREQTRADE.fullmatch(stem):
        return _freqtrade_label(found, name)
    flat = _FLAT.search(stem) if name.suffix.lower() == ".parquet" else None
    if flat and flat.end() == len(stem) and flat["venue"] in _FLAT_VENUES:
        exchange, market = _FLAT_VENUES[flat["venue"]]
        kind = MARK if flat["mark"] else CANDLES if flat["timeframe"] else FUNDING
        return Label(
            venue=exchange, market=market, symbol=flat["symbol"], timeframe=flat["timeframe"], kind=kind
        )
    return _from_words(re.split(r"[_\-. ]+", stem))


def _archive_label(found: re.Match[str]) -> Label:
    funding = found["what"] == "fundingRate"
    contract = "_" in found["symbol"]
    return Label(
        venue=BINANCE,
        symbol=found["symbol"],
        timeframe=None if funding else timeframe_in(found["what"]) or found["what"],
        kind=FUNDING if funding else None,
        archive=True,
        refused="a coin-margined or dated contract: its volumes are no base units" if contract else None,
    )


def _freqtrade_label(found: re.Match[str], name: PurePath) -> Label:
    base, quote, settle, kind = (found[part] for part in ("base", "quote", "settle", "kind"))
    folder = name.parent.parent if name.parent.name == "futures" else name.parent
    exchange = venue_in(folder.name.casefold())
    refused = None
    if kind in ("index", "premiumIndex"):
        refused = f"{kind} prices, which no position was ever marked or traded at"
    elif settle not in (None, quote):
        refused = f"a contract settled in {settle}: its volumes are no base units"
    return Label(
        venue=exchange[0] if exchange else None,
        symbol=base + quote,
        timeframe=timeframe_in(found["timeframe"]) or found["timeframe"],
        kind={"mark": MARK, "funding_rate": FUNDING}.get(kind, CANDLES),
        market=PERPETUAL if settle or kind not in (None, "spot") else SPOT,
        refused=refused,
    )


def _from_words(words: list[str]) -> Label:
    """Return what single words say; of a sort that two different words belong to, nothing is known."""
    exchanges = {known[0] for word in words if (known := venue_in(word.casefold()))}
    exchanges |= {_FLAT_VENUES[word][0] for word in words if word in _FLAT_VENUES}
    return Label(
        refused="testnet prices, which no market made" if "testnet" in map(str.casefold, words) else None,
        venue=_only(exchanges),
        symbol=_only({word for word in map(_in_capitals, words) if _SYMBOL.fullmatch(word)}),
        timeframe=_only({found for word in words if (found := timeframe_in(word))}),
        kind=_only({_KIND_WORDS[word] for word in map(str.casefold, words) if word in _KIND_WORDS}),
        market=_only({_MARKET_WORDS[word] for word in map(str.casefold, words) if word in _MARKET_WORDS}),
    )


def _in_capitals(word: str) -> str:
    """Return a word as a symbol would be written, if its end says that it is one."""
    return word.upper() if word.endswith(("usdt", "usdc")) else word


def _only(found: set[str]) -> str | None:
    return next(iter(found)) if len(found) == 1 else None


def _from_folders(name: PurePath) -> Label:
    """Return what the archive's own folders say."""
    found = _ARCHIVE_FOLDERS.search(f"/{name.parent.as_posix().strip('/')}/")
    if found is None:
        return Label()
    kinds = {"klines": CANDLES, "markPriceKlines": MARK, "fundingRate": FUNDING}
    if found["market"] not in ("spot", "futures/um") or found["what"] not in kinds:
        return Label(refused=f"{found['market']} {found['what']}, which are no candles of a coin in USDT")
    return Label(
        venue=BINANCE,
        market=SPOT if found["market"] == "spot" else PERPETUAL,
        kind=kinds[found["what"]],
    )
