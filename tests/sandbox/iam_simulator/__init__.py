"""Decisions of the sandbox's IAM evaluator, compared with those of a public policy simulator.

The simulator is `@cloud-copilot/iam-simulate` (AGPL-3.0-or-later). `python3 scripts/setup.py iam-simulator` downloads
it for these tests. No package of this repository contains or imports it.
"""
