"""Operations of Compute Optimizer and Cost Optimization Hub on idle endpoints. moto has neither service.

AWS computes recommendations once a day. Here each request computes them from the endpoints and their metrics. Other
resource types have no recommendations. Sources: API references of both services.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from sagemaker_sandbox.base.clock import Clock
from sagemaker_sandbox.base.errors import ApiError, ValidationError
from sagemaker_sandbox.resources.handlers import emulated_operation
from sagemaker_sandbox.resources.resources import Fields
from sagemaker_sandbox.services.cloudwatch import metrics
from sagemaker_sandbox.services.registry import ServiceOperations, ServiceRequest
from sustainable_mlops.catalogue import instances, prices
from sustainable_mlops.catalogue.month import HOURS_PER_MONTH

#: Function that calls an operation of SageMaker in an account and a Region.
CallSageMaker = Callable[[str, str, str, Mapping[str, Any]], Fields]
#: The default lookback period of Compute Optimizer, in days.
LOOKBACK_DAYS = 14
_KIND = "SageMakerEndpoint"
#: Region whose backend holds the enrollment, which is the same in all Regions.
_HOME = "us-east-1"
#: Attribute of moto's CloudWatch backend with the enrollments. It is part of moto's state.
_ENROLLMENTS = "smlops_enrollments"
_REQUEST_METRICS = ("Invocations", "InvocationsProcessed", "InvocationFailures")


class _CostOperations(ServiceOperations):
    """Operations of a service that needs an enrollment. CloudWatch's backend holds its state."""

    moto_service = "cloudwatch"

    def __init__(self, call: CallSageMaker, clock: Clock) -> None:
        self._call = call
        self._clock = clock

    def _get_enrollment(self, account: str, service: str = "") -> Fields:
        from moto.cloudwatch.models import cloudwatch_backends

        enrollments = vars(cloudwatch_backends[account][_HOME]).setdefault(_ENROLLMENTS, {})
        enrollment: Fields = enrollments.setdefault(service or self.service, {"status": "Inactive"})
        return enrollment

    def _set_enrollment(self, request: ServiceRequest) -> None:
        status = request.parameters["status"]
        if status not in ("Active", "Inactive"):
            raise ValidationError(f"The status {status} is invalid. Valid values are Active and Inactive.")
        self._get_enrollment(request.account).update(status=status, at=self._clock.now().timestamp())

    def _find_idle(self, account: str, region: str) -> Iterator[Fields]:
        """Yield the description of each endpoint without requests in the lookback period, with `usd` a month."""
        since = self._clock.now() - timedelta(days=LOOKBACK_DAYS)
        for summary in self._list_endpoints(account, region):
            name = summary["EndpointName"]
            endpoint = self._call(account, region, "DescribeEndpoint", {"EndpointName": name})
            variants = endpoint.get("ProductionVariants") or []
            if endpoint["EndpointStatus"] != "InService" or endpoint["CreationTime"] > since:
                continue
            if any(_has_requests(account, region, name, one["VariantName"], since) for one in variants):
                continue
            configuration = self._call(
                account, region, "DescribeEndpointConfig", {"EndpointConfigName": endpoint["EndpointConfigName"]}
            )
            usd = _compute_usd(region, variants, configuration["ProductionVariants"])
            if usd:
                yield endpoint | {"usd": usd}

    def _list_endpoints(self, account: str, region: str) -> Iterator[Fields]:
        request: Fields = {"MaxResults": 100}
        while True:
            page = self._call(account, region, "ListEndpoints", request)
            yield from page["Endpoints"]
            if not page.get("NextToken"):
                return
            request["NextToken"] = page["NextToken"]


class ComputeOptimizerOperations(_CostOperations):
    """Enrollment in Compute Optimizer, and its recommendations for idle endpoints."""

    service = signing_name = "compute-optimizer"

    @emulated_operation
    def get_enrollment_status(self, request: ServiceRequest) -> Fields:
        """Return the enrollment of the account."""
        enrollment = self._get_enrollment(request.account)
        return {"status": enrollment["status"], "memberAccountsEnrolled": False} | _format_update_time(enrollment)

    @emulated_operation
    def update_enrollment_status(self, request: ServiceRequest) -> Fields:
        """Enroll the account, or end its enrollment."""
        self._set_enrollment(request)
        return {"status": request.parameters["status"]}

    @emulated_operation
    def get_idle_recommendations(self, request: ServiceRequest) -> Fields:
        """Return the idle endpoints of the Region. Raises ApiError."""
        if self._get_enrollment(request.account)["status"] != "Active":
            raise ApiError("The account is not opted in to AWS Compute Optimizer.", code="OptInRequiredException")
        filters = {one["name"]: one["values"] for one in request.parameters.get("filters") or ()}
        is_selected = _KIND in filters.get("ResourceType", [_KIND]) and "Idle" in filters.get("Finding", ["Idle"])
        arns = request.parameters.get("resourceArns")
        endpoints = self._find_idle(request.account, request.region) if is_selected else ()
        recommendations = [
            self._describe(request.account, endpoint)
            for endpoint in endpoints
            if arns is None or endpoint["EndpointArn"] in arns
        ]
        return {"idleRecommendations": recommendations, "errors": []}

    def _describe(self, account: str, endpoint: Fields) -> Fields:
        savings = {
            "savingsOpportunityPercentage": 100.0,
            "estimatedMonthlySavings": {"currency": "USD", "value": endpoint["usd"]},
        }
        return {
            "resourceArn": endpoint["EndpointArn"],
            "resourceId": endpoint["EndpointName"],
            "resourceType": _KIND,
            "accountId": account,
            "finding": "Idle",
            "findingDescription": "The endpoint had no invocations.",
            "savingsOpportunity": savings,
            "savingsOpportunityAfterDiscounts": savings,
            "utilizationMetrics": [{"name": "Invocations", "statistic": "Maximum", "value": 0.0}],
            "lookBackPeriodInDays": float(LOOKBACK_DAYS),
            "lastRefreshTimestamp": self._clock.now().timestamp(),
        }


class CostOptimizationHubOperations(_CostOperations):
    """Enrollment in Cost Optimization Hub, and its recommendations from Compute Optimizer.

    `list_regions` returns the Regions in which an account has resources.
    """

    service = signing_name = "cost-optimization-hub"

    def __init__(self, call: CallSageMaker, clock: Clock, list_regions: Callable[[str], list[str]]) -> None:
        super().__init__(call, clock)
        self._list_regions = list_regions

    @emulated_operation
    def list_enrollment_statuses(self, request: ServiceRequest) -> Fields:
        """Return the enrollment of the account."""
        enrollment = self._get_enrollment(request.account)
        return {
            "items": [{"accountId": request.account, "status": enrollment["status"]} | _format_update_time(enrollment)]
        }

    @emulated_operation
    def update_enrollment_status(self, request: ServiceRequest) -> Fields:
        """Enroll the account, or end its enrollment."""
        self._set_enrollment(request)
        return {"status": request.parameters["status"]}

    @emulated_operation
    def list_recommendations(self, request: ServiceRequest) -> Fields:
        """Return the recommendations of all Regions that match the filter. Raises ApiError without an enrollment."""
        account = request.account
        if self._get_enrollment(account)["status"] != "Active":
            raise ApiError("The account is not enrolled in Cost Optimization Hub.", code="AccessDeniedException")
        if self._get_enrollment(account, ComputeOptimizerOperations.service)["status"] != "Active":
            return {"items": []}
        selection = request.parameters.get("filter") or {}
        items = [
            self._describe(account, region, endpoint)
            for region in self._list_regions(account)
            for endpoint in self._find_idle(account, region)
        ]
        members = {
            "accountIds": "accountId",
            "regions": "region",
            "resourceTypes": "currentResourceType",
            "actionTypes": "actionType",
        }
        return {
            "items": [
                item
                for item in items
                if all(item[member] in selection.get(name, [item[member]]) for name, member in members.items())
            ]
        }

    def _describe(self, account: str, region: str, endpoint: Fields) -> Fields:
        return {
            "recommendationId": f"{account}_{region}_{endpoint['EndpointName']}",
            "accountId": account,
            "region": region,
            "resourceId": endpoint["EndpointName"],
            "resourceArn": endpoint["EndpointArn"],
            "currentResourceType": _KIND,
            "recommendedResourceType": _KIND,
            "estimatedMonthlySavings": endpoint["usd"],
            "estimatedSavingsPercentage": 100.0,
            "estimatedMonthlyCost": endpoint["usd"],
            "currencyCode": "USD",
            "implementationEffort": "VeryLow",
            "restartNeeded": False,
            "actionType": "Delete",
            "rollbackPossible": False,
            "currentResourceSummary": endpoint["EndpointName"],
            "recommendedResourceSummary": "",
            "lastRefreshTimestamp": self._clock.now().timestamp(),
            "recommendationLookbackPeriodInDays": LOOKBACK_DAYS,
            "source": "ComputeOptimizer",
        }


def _format_update_time(enrollment: Fields) -> Fields:
    return {"lastUpdatedTimestamp": enrollment["at"]} if "at" in enrollment else {}


def _has_requests(account: str, region: str, endpoint: str, variant: str, since: datetime) -> bool:
    store, begin = metrics.get_store(account, region), metrics.to_seconds(since)
    dimensions = (("EndpointName", endpoint), ("VariantName", variant))
    recent = set(store.list_recent(begin))
    return any(("AWS/SageMaker", name, dimensions) in recent for name in _REQUEST_METRICS)


def _compute_usd(region: str, variants: list[Fields], configurations: list[Fields]) -> float:
    """Return the cost of the running instances in a month. Types without a known price count as 0."""
    types = {one["VariantName"]: one.get("InstanceType", "") for one in configurations}
    total = 0.0
    for variant in variants:
        name = types.get(variant["VariantName"], "")
        price = prices.find(name) if name else None
        if price is not None:
            factor = prices.find_regional_price(region, instances.parse_family(name)).factor[1]
            total += price.usd_per_hour[1] * factor * HOURS_PER_MONTH * int(variant.get("CurrentInstanceCount") or 0)
    return total
