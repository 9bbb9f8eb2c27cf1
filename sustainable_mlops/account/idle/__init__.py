"""Idle resources of a live account, with their cost and the module input that ends each.

`scan.find_idle` only reads. `clean.list_cleanups` chooses the findings that hold no data, and `clean.apply_cleanups`
ends them.
"""

from sustainable_mlops.account.idle.account import AccountReader
from sustainable_mlops.account.idle.clean import CleanupDecision, apply_cleanups, check_include, list_cleanups
from sustainable_mlops.account.idle.finding import IdleFinding, IdleReport, SkippedPart
from sustainable_mlops.account.idle.scan import find_idle, is_complete, list_actions
from sustainable_mlops.account.idle.scope import IdleScanTarget, choose_target, connect_account

__all__ = [
    "AccountReader",
    "CleanupDecision",
    "IdleFinding",
    "IdleReport",
    "IdleScanTarget",
    "SkippedPart",
    "apply_cleanups",
    "check_include",
    "choose_target",
    "connect_account",
    "find_idle",
    "is_complete",
    "list_actions",
    "list_cleanups",
]
