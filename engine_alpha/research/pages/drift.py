"""What changed from one night to the next: verdicts, what to expect, trades added."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from engine_alpha.reports.research import expected_words, settings_words, test_title, value_words
from engine_alpha.reports.words import count
from engine_alpha.research.pages.nights import KeptNight

ABSENT = "not looked at"

Fields = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class CoinDrift:
    """One coin from night to night. `moved` says in sentences what is no longer as it was."""

    symbol: str
    was: str
    now: str
    trades_added: int
    moved: tuple[str, ...]

    @property
    def is_quiet(self) -> bool:
        """Say whether nothing but trades was added."""
        return self.was == self.now and not self.moved


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """All coins of either night, and what changed of the cards themselves."""

    before: str
    coins: tuple[CoinDrift, ...]
    cards: tuple[str, ...]


def drift_of(before: KeptNight, now: KeptNight) -> Drift:
    """Compare two nights by their documents."""
    old = {each["symbol"]: each for each in before.document["assets"]}
    new = {each["symbol"]: each for each in now.document["assets"]}
    return Drift(
        before=before.night,
        coins=tuple(
            CoinDrift(
                symbol=symbol,
                was=old[symbol]["verdict"] if symbol in old else ABSENT,
                now=new[symbol]["verdict"] if symbol in new else ABSENT,
                trades_added=_trades(now.document, symbol) - _trades(before.document, symbol),
                moved=tuple(_moved(symbol, before, now)),
            )
            for symbol in {**new, **old}
        ),
        cards=tuple(_cards(before.document, now.document)),
    )


def _trades(night: Fields, symbol: str) -> int:
    """Return a coin's out-of-sample trades of all cards."""
    coins = (coin for card in night["cards"] for coin in card["coins"])
    return sum(coin["factor"]["trades"] for coin in coins if coin["symbol"] == symbol)


def _moved(symbol: str, before: KeptNight, now: KeptNight) -> Iterator[str]:
    old, new = _expected(before.document, symbol), _expected(now.document, symbol)
    for card, estimate in new.items():
        if card in old and _left(old[card], estimate):
            yield (
                f"{card}: PF to expect {expected_words(estimate)} lies outside of what it was, "
                f"{expected_words(old[card])}"
            )
    chosen, choose = _chosen(before, symbol), _chosen(now, symbol)
    for card in {**choose, **chosen}:
        change = _change(chosen.get(card), choose.get(card))
        if change:
            yield f"{card}: {change}"


def _expected(night: Fields, symbol: str) -> dict[str, Fields]:
    return {
        card["card"]: coin["expected"]
        for card in night["cards"]
        for coin in card["coins"]
        if coin["symbol"] == symbol
    }


def _left(old: Fields, new: Fields) -> bool:
    """Say whether what is expected lies outside of the interval that it had."""
    low, high, value = old["factor_low"], old["factor_high"], new["factor"]
    return None not in (low, high, value) and not low <= value <= high


def _chosen(night: KeptNight, symbol: str) -> dict[str, Fields]:
    cards = night.assets[symbol]["cards"] if symbol in night.assets else ()
    return {card["card"]: card["proposed"] for card in cards}


def _change(was: Fields | None, now: Fields | None) -> str:
    """Return how a card's proposed values changed; nothing if they did not."""
    if was is None or now is None:
        return "no longer proposed" if was else f"proposed now: {settings_words(now)}" if now else ""
    changed = [name for name in {**now, **was} if was.get(name) != now.get(name)]
    values = ((name, value_words(was.get(name)), value_words(now.get(name))) for name in changed)
    return ", ".join(f"{name} {old} → {new}" for name, old, new in values)


def _cards(before: Fields, now: Fields) -> Iterator[str]:
    """Yield what changed of the tests that all coins share."""
    old = {card["card"]: card for card in before["cards"]}
    for card in now["cards"]:
        if card["card"] not in old:
            yield f"{card['card']} is new"
            continue
        was = {test["name"]: test["passed"] for test in old[card["card"]]["tests"]}
        for test in card["tests"]:
            if was.get(test["name"], test["passed"]) != test["passed"]:
                yield f"{card['card']}: {test_title(test['name'])} {_verb(test['passed'])}"
    for name in old:
        if all(card["card"] != name for card in now["cards"]):
            yield f"{name} was not tried any more"


def _verb(passed: bool) -> str:
    return "passes now" if passed else "no longer passes"


def drift_words(drift: Drift) -> str:
    """Return in a sentence how much changed."""
    changed = [coin for coin in drift.coins if coin.was != coin.now]
    moved = sum(bool(coin.moved) for coin in drift.coins)
    if not changed and not moved and not drift.cards:
        return f"Since {drift.before} nothing changed but trades that were added."
    verdicts = ", ".join(f"{coin.symbol} {coin.was} → {coin.now}" for coin in changed) or "no verdict"
    return f"Since {drift.before} changed: {verdicts}; {count(moved, 'coin')} with other figures."
