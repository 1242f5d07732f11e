"""Nightly research: per asset it measures, searches and proposes; it never trades and never adopts by itself.

`dataset` keeps what each bar and each card's would-be trade looked like, `edge` measures net R in cells,
`statistics` says how sure that is, `search` looks for better cards and thresholds, and judges what it found.
"""
