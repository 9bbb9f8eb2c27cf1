"""Commands of `smlops` that need a clone; `pyproject.toml` declares them as entry points.

A name that starts with `_` is no command.
"""
