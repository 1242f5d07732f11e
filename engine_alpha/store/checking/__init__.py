"""Candles and funding looked at before anyone trusts them: what is wrong, how much, where first, what to do.

`findings` has the codes, `thresholds` every limit with the figures behind it. `times`, `candles`, `likeness`,
`comparing` and `settlements` judge arrays and know no file; `subjects` finds and reads; `check` joins them.
"""
