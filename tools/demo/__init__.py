"""The demo: a model goes from one account to another, and is trained again when its data drift.

`__main__.py` runs the chapters in order: `development.py`, `delivery.py`, `monitoring.py`, `summary.py`. They share
`demo_run.py` and the two environments of `environments.py`.
"""
