"""Idle resources of a live account, with their cost and the module input that ends each.

`scan.find_idle` only reads. `clean.list_cleanups` chooses the findings that hold no data, and `clean.apply_cleanups`
ends them.
"""

from sustainable_mlops.operations.idle.account import IdleAccount
from sustainable_mlops.operations.idle.clean import Cleanup, apply_cleanups, check_include, list_cleanups
from sustainable_mlops.operations.idle.finding import IdleFinding, IdleReport, SkippedPart
from sustainable_mlops.operations.idle.scan import find_idle, list_actions
from sustainable_mlops.operations.idle.scope import Target, choose_target, connect_account

__all__ = [
    "Cleanup",
    "IdleAccount",
    "IdleFinding",
    "IdleReport",
    "SkippedPart",
    "Target",
    "apply_cleanups",
    "check_include",
    "choose_target",
    "connect_account",
    "find_idle",
    "list_actions",
    "list_cleanups",
]
