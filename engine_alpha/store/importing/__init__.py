"""Candles and funding from files of others: read, recognised, judged, and only then stored.

In this order: `tables` (files to tables), `naming` (what names say), `cells` (texts to numbers and times),
`rows` (tables to rows, nothing judged), `series` (which series they are), `pieces` (rows judged),
`uniting` (files and store agree), `run` (all of it, writing last).
"""

import engine_alpha.store.parquet  # noqa: F401 says what to install where Polars is absent
