"""Commands of `smlops` that need a clone; `pyproject.toml` declares them as entry points.

Files whose names start with `_` are shared helpers.
"""
