"""Keys and values of a sweep: how they are written, what is refused and how, what they become."""

from pathlib import Path

import pytest

from engine_alpha.backtest.sweeping.space import Axis, documents_of, parse_axes
from engine_alpha.backtest.sweeping.variants import Variants, make_variants
from engine_alpha.config.editing import set_value
from engine_alpha.errors import ConfigError
from engine_alpha.home import Home, init_home
from engine_alpha.plans.history import History, for_history
from engine_alpha.plans.setup import Setup, read_setup

CARD = "momentum-long"
HOUR_MS = 3_600_000


@pytest.fixture
def home(tmp_path: Path) -> Home:
    init_home(tmp_path)
    return Home(tmp_path)


@pytest.fixture
def setup(home: Home) -> Setup:
    return setup_of(home)


def setup_of(home: Home, *symbols: str) -> Setup:
    wanted = History(data=home.data, venue="BYBIT", symbols=symbols or ("ETHUSDT",), from_ms=0, to_ms=HOUR_MS)
    return for_history(read_setup(home), wanted)


def axis_of(setup: Setup, text: str, card: str | None = CARD) -> Axis:
    (axis,) = parse_axes([text], card, documents_of(setup))
    return axis


def variants_of(setup: Setup, *texts: str, card: str | None = CARD) -> Variants:
    return make_variants(setup, texts, card)


@pytest.mark.parametrize(
    ("text", "choices"),
    [
        ("exits.stop.range=4:10:1", (4, 5, 6, 7, 8, 9, 10)),
        ("exits.stop.range=4:9:2", (4, 6, 8)),
        ("entry[0].at_least=0.3,0.5,0.7", (0.3, 0.5, 0.7)),
        ("entry[0].at_least=0.1:0.7:0.1", (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7)),
        ("entry[0].at_least=-0.2:0.2:0.2", (-0.2, 0.0, 0.2)),
        ("entry[0].at_least=.5", (0.5,)),
        ("scope.direction=long,short,both", ("long", "short", "both")),
        ("exits.min_confidence=null, 0.1", (None, 0.1)),
        ("exits.max_hold_bars=24,48", (24, 48)),
        ('exits.stop=[{"range": 8}, {"atr": 3}]', ({"range": 8}, {"atr": 3})),
        ('exits.target=[null, {"frac": 0.04}]', (None, {"frac": 0.04})),
        ("status=active,shadow", ("active", "shadow")),
    ],
)
def test_values_are_read_as_they_are_written(setup: Setup, text: str, choices: tuple[object, ...]) -> None:
    found = axis_of(setup, text).choices
    assert found == choices
    assert [type(value) for value in found] == [type(value) for value in choices]


@pytest.mark.parametrize(
    ("text", "low", "high", "whole", "log"),
    [
        ("risk:risk_frac=0.005:0.02", 0.005, 0.02, False, False),
        ("risk:risk_frac=0.005:0.02:log", 0.005, 0.02, False, True),
        ("exits.max_hold_bars=10:400", 10, 400, True, False),
        ("exits.stop.range=4:10", 4, 10, False, False),
        ("risk:cooldown_bars=1:100:log", 1, 100, True, True),
    ],
)
def test_a_range_without_a_step_is_a_span(
    setup: Setup, text: str, low: float, high: float, whole: bool, log: bool
) -> None:
    axis = axis_of(setup, text)
    assert (axis.choices, axis.low, axis.high, axis.whole, axis.log) == ((), low, high, whole, log)


@pytest.mark.parametrize(
    ("text", "card", "key"),
    [
        ("exits.stop.range=4:10", CARD, "momentum-long:exits.stop.range"),
        ("range-breakout:exits.stop.range=4:10", CARD, "range-breakout:exits.stop.range"),
        ("range-breakout:exits.stop.range=4:10", None, "range-breakout:exits.stop.range"),
        ("risk:risk_frac=0.01,0.02", None, "risk:risk_frac"),
        ("risk.risk_frac=0.01,0.02", CARD, "risk:risk_frac"),
        ("risk.risk_frac=0.01,0.02", None, "risk:risk_frac"),
        ("risk.size_factor=0.5,1.0", CARD, "momentum-long:risk.size_factor"),
        ("risk:buckets.core.cap_frac=0.2,0.4", CARD, "risk:buckets.core.cap_frac"),
    ],
)
def test_a_key_names_its_document(setup: Setup, text: str, card: str | None, key: str) -> None:
    assert axis_of(setup, text, card).key == key


@pytest.mark.parametrize(
    ("text", "card", "complaint"),
    [
        ("exits.stop.range", CARD, "write KEY=VALUES, for example"),
        ("exits.stop.range=", CARD, "write KEY=VALUES, for example"),
        ("exits..range=4", CARD, '"exits..range" is no key'),
        ("exits.stop.range=4:10", None, "of which card? Give --card NAME, or write NAME:exits.stop.range"),
        (
            "momentum-lang:exits.stop.range=4",
            None,
            'no card "momentum-lang" here; did you mean "momentum-long"?',
        ),
        ("exits.stop.rang=4,5", CARD, 'exits.stop.rang: unknown key; did you mean "range"?'),
        ("exits.stop.range=0:10:5", CARD, "with momentum-long:exits.stop.range = 0: exits.stop.range: "),
        ("exits.stop.range=-1,4", CARD, "must be greater than 0, not -1"),
        ("exits.stop.range=4:2000:500", CARD, "= 1004: exits.stop.range: must be less than or equal to 1000"),
        ("exits.stop.range=wide", CARD, 'must be a number, not "wide"'),
        ("exits.stop.atr=3,4", CARD, "needs exactly one of atr, range, frac"),
        ("exits.max_hold_bars=10.5,20", CARD, "must be a whole number, not 10.5"),
        ("exits.max_hold_bars=10:20:0.5", CARD, "must be a whole number, not 10.0"),
        (
            "risk:risk_frac=0.05:0.5",
            CARD,
            "with risk:risk_frac = 0.5: risk_frac: must be less than or equal to 0.1",
        ),
        ("risk:risk_fraction=0.01", CARD, 'risk_fraction: unknown key; did you mean "risk_frac"?'),
        ("risk:buckets.cor.cap_frac=0.1", CARD, "buckets.cor"),
        ("entry[1].at_least=0.3", CARD, "there is no item [1] to vary; there is [0] to [0]"),
        ("exits.stop.range=10:4:1", CARD, "10 is not below 4"),
        ("exits.stop.range=4:4", CARD, "4 is not below 4"),
        ("exits.stop.range=4:10:0", CARD, "the step 0 is not above 0"),
        ("exits.stop.range=4:10:-1", CARD, "the step -1 is not above 0"),
        ("exits.stop.range=4:10:0.000001", CARD, "more than 100,000 values; take a wider step"),
        ("entry[0].at_least=0:1:log", CARD, "a logarithmic span must begin above 0"),
        ("entry[0].at_least=0.3,0.3", CARD, "0.3 is named twice"),
        ("exits.target=[null,", CARD, "no JSON list"),
        ("exits.target=[]", CARD, "the list is empty"),
        ("exits.stop.range=[NaN]", CARD, "NaN is no number"),
        ("exits.stop.range=nan,inf", CARD, 'must be a number, not "nan"'),
        ("name=a,b", CARD, "name says what a card is, it is no parameter"),
        ("scope.direction=long,shrt", CARD, 'did you mean "short"?'),
        ("scope.symbols=ETHUSDT", CARD, "must be a list [...]"),
    ],
)
def test_what_is_wrong_is_refused_by_name(setup: Setup, text: str, card: str | None, complaint: str) -> None:
    with pytest.raises(ConfigError) as refused:
        parse_axes([text], card, documents_of(setup))
    assert str(refused.value).startswith(f"--vary {text}: ")
    assert complaint in str(refused.value)


def test_nothing_varied_is_refused(setup: Setup) -> None:
    with pytest.raises(ConfigError, match="nothing is varied: give --vary"):
        parse_axes([], CARD, documents_of(setup))


@pytest.mark.parametrize(
    "second", ["exits.stop.range=5,6", 'exits.stop=[{"atr": 3}]', "momentum-long:exits={}"]
)
def test_two_axes_over_the_same_key_are_refused(setup: Setup, second: str) -> None:
    with pytest.raises(ConfigError, match=r"it varies what --vary exits\.stop\.range=4:10 varies, too"):
        parse_axes(["exits.stop.range=4:10", second], CARD, documents_of(setup))


@pytest.mark.parametrize(
    ("text", "ordered"),
    [
        ("exits.stop.range=4,6,9", True),
        ("exits.stop.range=9,6,4", True),
        ("exits.stop.range=4,9,6", False),
        ("status=active,shadow", False),
        ("exits.min_confidence=null,0.1", False),
    ],
)
def test_numbers_in_order_have_neighbours(setup: Setup, text: str, ordered: bool) -> None:
    assert axis_of(setup, text).ordered is ordered


def test_a_variant_has_the_values_and_nothing_else_changed(setup: Setup) -> None:
    variants = variants_of(setup, "exits.stop.range=4:10:1", "risk:cooldown_bars=1,5")
    found = variants.setup_of((6, 5))
    cards = {card.name: card for card in found.cards.cards}
    before = {card.name: card for card in setup.cards.cards}
    assert cards[CARD].exits.stop.range == 6.0 and found.risk.cooldown_bars == 5
    assert cards[CARD].model_copy(update={"exits": before[CARD].exits}) == before[CARD]
    assert {name: card for name, card in cards.items() if name != CARD} == {
        name: card for name, card in before.items() if name != CARD
    }
    assert found.risk.model_copy(update={"cooldown_bars": setup.risk.cooldown_bars}) == setup.risk
    (asset,) = found.enabled
    assert found.plan(asset).rules.cards[0].stop_range == 6.0
    assert setup.plan(asset).rules.cards[0].stop_range == 8.0
    assert variants.named((6, 5)) == {"momentum-long:exits.stop.range": 6, "risk:cooldown_bars": 5}


def test_an_absent_object_is_made(setup: Setup) -> None:
    found = variants_of(setup, "exits.target.range=2:6:1").setup_of((3,))
    assert next(card for card in found.cards.cards if card.name == CARD).exits.target is not None


def test_values_that_do_not_go_together_fail_as_a_variant(setup: Setup) -> None:
    variants = variants_of(
        setup, "risk:buckets.core.share_frac=0.15,0.5", "risk:buckets.alt.share_frac=0.07,0.5"
    )
    variants.setup_of((0.5, 0.5))
    every = make_variants(
        setup_of(variants.setup.home, "ETHUSDT", "LINKUSDT", "ADAUSDT"),
        ["risk:buckets.alt.share_frac=0.07,0.5"],
    )
    with pytest.raises(ConfigError, match=r"sub-accounts of the enabled assets add up to 1\.15"):
        every.setup_of((0.5,))


@pytest.mark.parametrize(("card", "shown"), [("range-dip", "shadow"), ("momentum-long", "disabled")])
def test_a_card_that_does_not_trade_is_not_swept(home: Home, card: str, shown: str) -> None:
    if shown == "disabled":
        set_value(home.cards / f"{card}.json", "status", shown)
    with pytest.raises(ConfigError, match=f"the card {card} is {shown}, it would not trade; add --vary"):
        variants_of(setup_of(home), "exits.stop.range=4,6", card=card)
    variants_of(setup_of(home), "exits.stop.range=4,6", "status=active", card=card)


def test_a_card_whose_scope_holds_no_coin_here_is_not_swept(home: Home) -> None:
    set_value(home.cards / "momentum-long.json", "scope", {"symbols": ["BTCUSDT"]})
    with pytest.raises(ConfigError, match="the scope of momentum-long holds none of these coins"):
        variants_of(setup_of(home), "exits.stop.range=4,6")
    variants_of(setup_of(home, "BTCUSDT"), "exits.stop.range=4,6")


def names(setup: Setup) -> list[str]:
    return [card.name for card in setup.cards.cards]


def test_a_varied_priority_asks_the_cards_in_the_order_their_files_would(home: Home) -> None:
    setup = setup_of(home)
    for priority in (-5, 10, 20, 30, 40):
        found = variants_of(setup, f"scope.priority={priority}", card="range-breakout").setup_of((priority,))
        set_value(home.cards / "range-breakout.json", "scope", {"priority": priority})
        assert names(found) == names(setup_of(home))


def test_equal_configurations_have_one_fingerprint_however_they_came_about(home: Home) -> None:
    setup = setup_of(home)
    alone = variants_of(setup, "exits.stop.range=4:10:1")
    beside = variants_of(setup, "exits.stop.range=4.0:10.0:1", "risk:cooldown_bars=1,5")
    assert alone.fingerprint((6,)) == beside.fingerprint((6.0, 1)) != beside.fingerprint((6.0, 5))
    assert alone.fingerprint((8,)) == variants_of(setup, "entry[0].at_least=0.25").fingerprint((0.25,))
    set_value(home.cards / "momentum-long.json", "exits", {"stop": {"range": 6}})
    edited = variants_of(setup_of(home), "exits.when=[[]]")
    assert edited.fingerprint(([],)) != alone.fingerprint((6,))


def test_a_fingerprint_ignores_words_and_disabled_cards_and_nothing_else(home: Home) -> None:
    before = variants_of(setup_of(home), "exits.stop.range=4:10:1").fingerprint((5,))

    def after() -> str:
        return variants_of(setup_of(home), "exits.stop.range=4:10:1").fingerprint((5,))

    set_value(home.cards / "momentum-short.json", "rationale", "Another reason.")
    assert after() == before
    set_value(home.cards / "momentum-short.json", "activation", {"min_pf": 0.5})
    assert after() != before
    set_value(home.cards / "momentum-short.json", "status", "disabled")
    disabled = after()
    set_value(home.cards / "momentum-short.json", "activation", {"min_pf": 0.4})
    assert after() == disabled != before
    set_value(home.parameters / "default.json", "neutral_zone", 0.07)
    assert after() != disabled
