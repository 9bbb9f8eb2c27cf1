"""Checks of the account's quotas against the demand of endpoints and pipelines."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from sustainable_mlops.account.preflight.account import Account
from sustainable_mlops.account.preflight.finding import PreflightFinding
from sustainable_mlops.account.preflight.target import PreflightTarget
from sustainable_mlops.catalogue import quotas as catalogue
from sustainable_mlops.catalogue.quotas import Quota

_ABSENT = ("NoSuchResourceException",)
_SERVERLESS_ENDPOINTS = "Maximum number of serverless endpoints"
_ALL_INSTANCES = "Number of instances across active endpoints"


@dataclass
class QuotaDemand:
    """Demand of the environment on one quota: `least` at the start, `most` at full scale during a deployment."""

    least: int = 0
    most: int = 0
    purpose: str = ""

    def add(self, least: int, most: int, purpose: str) -> None:
        """Add the demand of one endpoint or step."""
        self.least += least
        self.most += most
        self.purpose = f"{self.purpose}, {purpose}" if self.purpose else purpose


def compute_demands(target: PreflightTarget) -> dict[Quota, QuotaDemand]:
    """Return the demand of the environment on each quota."""
    demands: dict[Quota, QuotaDemand] = defaultdict(QuotaDemand)
    for endpoint in target.endpoints:
        if endpoint.kind == "serverless":
            demands[catalogue.find_serverless_concurrency()].add(
                endpoint.max_concurrency, endpoint.max_concurrency, f"endpoint {endpoint.name}"
            )
        else:
            most = endpoint.max_instances + endpoint.deployment_instances
            purpose = f"endpoint {endpoint.name}: up to {endpoint.max_instances}"
            if endpoint.deployment_instances:
                purpose += f", and {endpoint.deployment_instances} more during a deployment"
            demands[catalogue.find_instance_quota(endpoint.instance_type, "endpoint")].add(
                max(1, endpoint.min_instances), most, purpose
            )
    _add_totals(target, demands)
    for job in target.jobs:
        demand = demands[catalogue.find_instance_quota(job.instance_type, job.use)]
        # Steps of one pipeline run one after the other.
        demand.least, demand.most = max(demand.least, job.instances), max(demand.most, job.instances)
        demand.purpose = job.source
    return dict(demands)


def _add_totals(target: PreflightTarget, demands: dict[Quota, QuotaDemand]) -> None:
    """Add the total demand of all endpoints."""
    known, endpoints = catalogue.load_quotas(), target.endpoints
    if serverless := [one for one in endpoints if one.kind == "serverless"]:
        number = len(serverless)
        demands[known[_SERVERLESS_ENDPOINTS]].add(number, number, f"{number} serverless endpoints")
    if on_instances := [one for one in endpoints if one.kind != "serverless"]:
        least = sum(max(1, one.min_instances) for one in on_instances)
        most = sum(one.max_instances + one.deployment_instances for one in on_instances)
        demands[known[_ALL_INSTANCES]].add(least, most, f"{len(on_instances)} endpoints on instances")


def check_quotas(target: PreflightTarget, account: Account) -> Iterator[PreflightFinding]:
    """Compare each quota with the demand of the environment."""
    demands = compute_demands(target)
    codes = _list_by_name(account) if any(not quota.code for quota in demands) else {}
    for quota, demand in demands.items():
        code = quota.code or codes.get(quota.name, "")
        yield _compare_quota(quota, code, _read_value(quota, code, account), demand, target)


def _list_by_name(account: Account) -> dict[str, str]:
    """Return the codes of SageMaker's quotas by name; there are about 2,000, 100 on each page."""
    pager = account.client("service-quotas").get_paginator("list_aws_default_service_quotas")
    pages = account.read(
        "servicequotas:ListAWSDefaultServiceQuotas", lambda: list(pager.paginate(ServiceCode="sagemaker"))
    )
    return {one["QuotaName"]: one["QuotaCode"] for page in pages for one in page["Quotas"]}


def _read_value(quota: Quota, code: str, account: Account) -> float | None:
    """Return the account's own value of a quota, else its default, else None."""
    if not code:
        return None
    client, arguments = account.client("service-quotas"), {"ServiceCode": quota.service, "QuotaCode": code}
    own = account.read("servicequotas:GetServiceQuota", lambda: client.get_service_quota(**arguments), absent=_ABSENT)
    if own is None:
        own = account.read(
            "servicequotas:GetAWSDefaultServiceQuota",
            lambda: client.get_aws_default_service_quota(**arguments),
            absent=_ABSENT,
        )
    return None if own is None else float(own["Quota"]["Value"])


def _compare_quota(
    quota: Quota, code: str, value: float | None, demand: QuotaDemand, target: PreflightTarget
) -> PreflightFinding:
    check = f"quota {quota.name}"
    if value is None:
        return PreflightFinding(
            "look",
            check,
            f"unknown: Service Quotas lists no value in {target.region}; check it in the console ({demand.purpose})",
        )
    raise_it = (
        f"aws service-quotas request-service-quota-increase --region {target.region} --service-code {quota.service} "
        f"--quota-code {code} --desired-value {demand.most}"
    )
    text = f"allows {value:g} {quota.unit}; the environment needs {demand.most} ({demand.purpose})"
    if value < demand.least:
        return PreflightFinding("stop", check, text, raise_it)
    if value < demand.most:
        return PreflightFinding("look", check, f"{text}; {demand.least} are enough for the first apply", raise_it)
    return PreflightFinding("ok", check, text)
