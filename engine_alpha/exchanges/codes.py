"""What each venue's own codes mean, one table per venue, and nowhere else.

Each code has an outcome and advice: what to do about it, as the end of a sentence. A code that is not here
was a structured answer all the same: the venue refused.
"""

from collections.abc import Iterable
from enum import Enum
from typing import Final, NamedTuple


class Outcome(Enum):
    """What is known after a venue's answer."""

    BUSY = "busy"  # proved not carried out: be patient
    CLOCK = "clock"  # not carried out, our timestamp was off
    UNCLEAR = "unclear"  # a write may have taken effect
    DUPLICATE = "duplicate"  # an earlier attempt with that id is there
    REFUSED = "refused"  # proved not carried out, and never will be


class Meaning(NamedTuple):
    """A code's outcome and what to do."""

    outcome: Outcome
    advice: str


def _table(outcome: Outcome, entries: Iterable[tuple[str, str]]) -> dict[str, Meaning]:
    """Return code -> meaning for lines of (codes parted by spaces, advice)."""
    return {code: Meaning(outcome, advice) for codes, advice in entries for code in codes.split()}


_TOO_FAST: Final = "the pace limit is reached; trying again later"
_LOOK_UP: Final = "look the order up before anything is sent again"
_EARLIER: Final = "an earlier attempt is there: look it up, never send it again"
_CLOCK: Final = "this machine's clock and the venue's differ; it is measured again before the next request"
_MONEY: Final = "the account has too little free margin: deposit, or lower the share or the leverage"
_MINIMUM: Final = "the order is below the venue's minimum: raise the share, or leave this coin out"
_GRID: Final = "quantity or price is off the venue's grid: run chloe instruments refresh"
_MAXIMUM: Final = "the order is above the venue's maximum at this leverage: lower the share or the leverage"
_LEVERAGE: Final = "the venue does not take this leverage: lower max_leverage in the registry"
_CLOSED: Final = "the contract does not trade, or takes no new positions: disable the asset"
_REDUCE: Final = "nothing is left to reduce: reconcile the position"
THROUGH: Final = "the price is through the stop already: close the position at market"
_PRICE: Final = "the price is outside the venue's limits: try again at the next bar"
_GONE: Final = "the order is filled, cancelled or unknown there: reconcile it"
_ALREADY: Final = "it is so already: nothing to do"
NO_KEY_ADVICE: Final = "the API key is wrong, expired, or of another environment: put the right one in place"
_SIGNATURE: Final = "the signature is wrong: put the secret that belongs to this API key in place"
_PERMISSION: Final = "the API key may not do this: let it trade derivatives, and from this address"
_HEDGE: Final = "the account is in hedge mode: switch it to one-way mode"
_MARGIN_MODE: Final = "positions or orders are open: close them before the mode is changed"
_STOPS_FULL: Final = "too many orders wait there already: cancel those that are not needed"
_LIQUIDATION: Final = "the position is being liquidated: wait, then reconcile"
_ACCOUNT: Final = "the venue has restricted this account: see its notices there"
_DEVELOPER: Final = "the request is not as the venue wants it: report this to Chloe's makers"

BYBIT: Final[dict[str, Meaning]] = {
    **_table(
        Outcome.BUSY,
        [
            ("10006 10018 10429 170222", _TOO_FAST),
            ("110079", "the order is being worked on at the venue; trying again later"),
        ],
    ),
    **_table(Outcome.CLOCK, [("10002", _CLOCK)]),
    **_table(Outcome.UNCLEAR, [("10000 10016 10019 170007", _LOOK_UP)]),
    **_table(Outcome.DUPLICATE, [("10014 110030 110072 170141", _EARLIER)]),
    **_table(
        Outcome.REFUSED,
        [
            ("10003 33004 10009 10033", NO_KEY_ADVICE),
            ("10004 10007", _SIGNATURE),
            ("10005 10010 10020", _PERMISSION),
            ("10008 10024 10027 10028 10029 110066", _ACCOUNT),
            ("10032", "Bybit's demo trading does not offer this"),
            ("110001 110008 110010 110019", _GONE),
            ("110003 110120 110121 30208 30209", _PRICE),
            ("110004 110006 110007 110012 110014 110044 110045 110051 110052 110053", _MONEY),
            ("110009 110020 110061", _STOPS_FULL),
            ("110011 110040", _LIQUIDATION),
            ("110013", _LEVERAGE),
            ("110021 110022 110090", _MAXIMUM),
            ("110017", _REDUCE),
            ("110023 110042 110074 110125 30228 181017", _CLOSED),
            ("110024 110028", _MARGIN_MODE),
            ("110025 110026 110043 34036 34040", _ALREADY),
            ("110034 10404", "there is no such position or page: reconcile the position"),
            ("110092 110093", THROUGH),
            ("110094", _MINIMUM),
            ("110129", _GRID),
        ],
    ),
}

BINANCE: Final[dict[str, Meaning]] = {
    **_table(
        Outcome.BUSY,
        [
            ("-1003 -1015", _TOO_FAST),
            ("-1008", "the venue is overloaded and did not take it; trying again later"),
        ],
    ),
    **_table(Outcome.CLOCK, [("-1021", _CLOCK)]),
    **_table(Outcome.UNCLEAR, [("-1000 -1001 -1006 -1007", _LOOK_UP)]),
    **_table(Outcome.DUPLICATE, [("-4116", _EARLIER)]),
    **_table(
        Outcome.REFUSED,
        [
            ("-2014 -2015", NO_KEY_ADVICE),
            ("-1022", _SIGNATURE),
            ("-1002 -2017 -4087", _PERMISSION),
            ("-2031 -4088 -4400 -4401 -4402 -4403", _ACCOUNT),
            ("-2011 -2013", _GONE),
            ("-2018 -2019 -4050 -4051", _MONEY),
            ("-4004 -4164", _MINIMUM),
            ("-1013 -1111 -4003 -4014 -4023 -4028", _GRID),
            ("-2027 -4005", _MAXIMUM),
            ("-2028 -4161", _LEVERAGE),
            ("-4108 -4140 -4141", _CLOSED),
            ("-2022 -4118 -4509", _REDUCE),
            ("-2021 -4142", THROUGH),
            ("-4015", _DEVELOPER),
            ("-4016 -4024 -4131", _PRICE),
            ("-2025 -4045", _STOPS_FULL),
            ("-2023", _LIQUIDATION),
            ("-4046 -4059", _ALREADY),
            ("-4047 -4048 -4067 -4068", _MARGIN_MODE),
            ("-4060 -4061 -4062", _HEDGE),
            ("-4120", "stops go to the algo endpoints there: report this to Chloe's makers"),
            ("-4130", "a stop that closes the whole position stands already: look it up"),
            ("-5022", _PRICE),
        ],
    ),
}

TABLES: Final = {"bybit": BYBIT, "binance": BINANCE}

# Bybit's 10001 stands for many faults; what it is about says its text. The first that fits counts.
BYBIT_10001: Final = (
    ("position idx", _HEDGE),
    ("position mode", _HEDGE),
    ("base_price", THROUGH),  # "StopLoss:… set for Buy position should lower than base_price:…"
    ("zero position", _REDUCE),
    ("number of contracts", _MINIMUM),
    ("qty", _GRID),
    ("", _DEVELOPER),
)

_NO_SYMBOL: Final = "settled, renamed or never listed"
_NOT_LISTED: Final = Meaning(Outcome.REFUSED, "")


def meaning_of(venue: str, code: str, words: str) -> Meaning:
    """Return what a code means; a code that is not in the venue's table is refused without advice."""
    if names_no_symbol(code, words):
        return Meaning(Outcome.REFUSED, _NO_SYMBOL)
    if code == "10001":
        said = words.lower()
        return Meaning(Outcome.REFUSED, next(advice for part, advice in BYBIT_10001 if part in said))
    return TABLES[venue].get(code, _NOT_LISTED)


def names_no_symbol(code: str, words: str) -> bool:
    """Say whether a venue does not know the symbol."""
    return code == "-1121" or (code == "10001" and "symbol" in words.lower())


def codes_advised(venue: str, advice: str) -> frozenset[str]:
    """Return the codes of a venue that end in this advice."""
    return frozenset(code for code, meaning in TABLES[venue].items() if meaning.advice == advice)


GONE: Final = {venue: codes_advised(venue, _GONE) for venue in TABLES}
"""An order that is to be cancelled or looked up is not there any more."""

ALREADY: Final = {venue: codes_advised(venue, _ALREADY) for venue in TABLES}
"""What was asked for is so already."""
