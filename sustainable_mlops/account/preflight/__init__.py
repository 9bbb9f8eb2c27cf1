"""Preflight: checks if an account is ready for the first apply of an environment. It only reads."""

from collections.abc import Callable, Iterator
from functools import partial

from sustainable_mlops.account.preflight.account import Account, report_denied_read
from sustainable_mlops.account.preflight.bootstrap import check_deployer_roles
from sustainable_mlops.account.preflight.finding import PreflightFinding, Status
from sustainable_mlops.account.preflight.governance import check_lake_formation, check_scaling_role
from sustainable_mlops.account.preflight.idle import check_idle
from sustainable_mlops.account.preflight.location import check_credentials, check_region, check_state_bucket
from sustainable_mlops.account.preflight.names import check_alias, check_buckets, check_log_groups, is_applied
from sustainable_mlops.account.preflight.network import check_endpoint_services
from sustainable_mlops.account.preflight.notifications import check_notifications
from sustainable_mlops.account.preflight.provider import check_provider
from sustainable_mlops.account.preflight.quotas import check_quotas
from sustainable_mlops.account.preflight.target import EndpointDemand, JobDemand, PreflightTarget

__all__ = ["Account", "EndpointDemand", "JobDemand", "PreflightFinding", "PreflightTarget", "Status", "check_account"]

Check = Callable[[PreflightTarget, Account], Iterator[PreflightFinding]]
_AT_ANY_TIME: dict[str, Check] = {
    "state bucket": check_state_bucket,
    "deployer roles": check_deployer_roles,
    "quotas": check_quotas,
    "Lake Formation": check_lake_formation,
    "service-linked role": check_scaling_role,
    "VPC endpoints": check_endpoint_services,
    "notifications": check_notifications,
}
#: Checks of names. An applied environment owns these names, so they run only before the first apply.
_BEFORE_APPLY: dict[str, Check] = {
    "bucket names": check_buckets,
    "key alias": check_alias,
    "log groups": check_log_groups,
}


def check_account(
    target: PreflightTarget, account: Account, progress: Callable[[str], None] = lambda _: None
) -> Iterator[PreflightFinding]:
    """Yield the findings of every check. After a wrong account or a disabled Region, call AWS no more."""
    stopped = False
    for name, check in (("credentials", check_credentials), ("Region", check_region)):
        if stopped:
            break
        progress(name)
        for finding in report_denied_read(name, partial(check, target, account)):
            stopped |= finding.status == "stop"
            yield finding
    if not stopped:
        yield from _check_reads(target, account, progress)
    progress("idle month")
    yield from check_idle(target)
    yield from check_provider(target)


def _check_reads(
    target: PreflightTarget, account: Account, progress: Callable[[str], None]
) -> Iterator[PreflightFinding]:
    for name, check in _AT_ANY_TIME.items():
        progress(name)
        yield from report_denied_read(name, partial(check, target, account))
    yield from report_denied_read("names", lambda: _check_names(target, account, progress))


def _check_names(
    target: PreflightTarget, account: Account, progress: Callable[[str], None]
) -> Iterator[PreflightFinding]:
    progress("names")
    if is_applied(target, account):
        yield PreflightFinding("ok", "names", f"{target.platform_parameter} exists: the environment was applied before")
        return
    for name, check in _BEFORE_APPLY.items():
        progress(name)
        yield from report_denied_read(name, partial(check, target, account))
