"""Reconciliation of estimated emissions with those that AWS reports, by month, account, Region and service."""

from sustainable_mlops.account.reconcile.comparison import Reconciliation, compare_emissions
from sustainable_mlops.account.reconcile.estimates import EstimateSources, estimate_emissions
from sustainable_mlops.account.reconcile.months import list_months
from sustainable_mlops.account.reconcile.reports import EmissionsReport, read_api, read_export

__all__ = [
    "EmissionsReport",
    "EstimateSources",
    "Reconciliation",
    "compare_emissions",
    "estimate_emissions",
    "list_months",
    "read_api",
    "read_export",
]
