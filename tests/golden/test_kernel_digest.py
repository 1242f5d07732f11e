"""One pinned digest: the same bars give the same records to the bit, on every machine and Python.

If a change to the kernel is meant, so is another digest: print the new one, and say in the commit why.
"""

import hashlib

from engine_alpha.domain.bars import Reading
from engine_alpha.feeds.embedded import EmbeddedFeed
from engine_alpha.kernel.advance import advance
from engine_alpha.kernel.codes import AT_MOST
from engine_alpha.kernel.ledger import tallied_entry, tallied_trade
from engine_alpha.kernel.money import NEW_TALLY
from engine_alpha.kernel.signals import SIGNAL_CODE
from engine_alpha.step.text import pack
from engine_alpha.step.windows import window_of
from tests.makers import HOUR_MS, a_card, a_condition, a_purse, a_risk, facts, rules

START_MS = 1_700_000 * HOUR_MS // 4
BARS = 1_000
DIGEST = "50db4a6d339ff688d854a315e2eac2ebd9862082850fbafb9a4751374b9cb3b8"
BREAKOUT = a_card(entry_end=1, exit_first=1, exit_end=2, stop_atr=0.0, stop_range=4.0, trail_range=5.0)
REVERSION = a_card(entry_first=2, entry_end=3, target_atr=3.0, stop_atr=3.0, max_hold_bars=36)
CONDITIONS = (
    a_condition(SIGNAL_CODE["channel_48"], 1.0),
    a_condition(SIGNAL_CODE["channel_24"], -1.0, compare=AT_MOST),
    a_condition(SIGNAL_CODE["bollinger_z"], -1.5, compare=AT_MOST),
)


def simulated() -> Reading:
    feed = EmbeddedFeed(7, {"ETHUSDT": "0.01"})
    return feed.reading("ETHUSDT", "1h", START_MS - 1_000 * HOUR_MS, START_MS + BARS * HOUR_MS)


def test_a_thousand_simulated_bars_have_the_pinned_digest() -> None:
    reading = simulated()
    known = rules((BREAKOUT, REVERSION), CONDITIONS, risk=a_risk(pf_floor=0.0, cluster_losses=0))
    purse = a_purse(1_000.0, cards=2, tallies=[NEW_TALLY, NEW_TALLY])
    digest = hashlib.sha256()
    trades = 0
    for at in range(len(reading.bars) - BARS, len(reading.bars)):
        window = window_of(reading, at)
        seen = facts(window_bars=window.missing.window_bars)
        purse, record = advance(purse, known, window.bar, window.features(seen))
        trade, decision = record.settlement.trade, record.decision
        if trade.side != 0:
            trades += 1
            purse.tallies[trade.card] = tallied_trade(purse.tallies[trade.card], trade)
        if decision.pending.side != 0:
            purse.tallies[decision.card] = tallied_entry(purse.tallies[decision.card], record.close_ms)
        digest.update(pack(window.row))
        digest.update(pack(record))
    assert trades >= 20
    assert digest.hexdigest() == DIGEST
