"""Operations of Service Quotas. moto knows the quotas of VPC alone; those of the catalogue are added.

AWS grants an increase after hours or days, and may refuse it. Here RequestServiceQuotaIncrease is granted immediately.
"""

from typing import Any

from sagemaker_sandbox.base.errors import ApiError
from sagemaker_sandbox.resources.handlers import emulated_operation
from sagemaker_sandbox.resources.resources import Fields
from sagemaker_sandbox.services.registry import ServiceOperations, ServiceRequest
from sustainable_mlops.catalogue.quotas import Quota, load_quotas

_PAGE = 100
#: Attribute of moto's backend that holds the increased values by quota code. It is part of moto's state.
_INCREASES = "smlops_granted"


class QuotaOperations(ServiceOperations):
    """Operations of quotas."""

    service, moto_service, signing_name = "service-quotas", "servicequotas", "servicequotas"

    @emulated_operation
    def list_aws_default_service_quotas(self, request: ServiceRequest) -> Fields:
        """Return a page of default quotas."""
        return _build_page(_list_defaults(_get_backend(request), str(request.parameters.get("ServiceCode"))), request)

    @emulated_operation
    def list_service_quotas(self, request: ServiceRequest) -> Fields:
        """Return a page of quotas, increases included."""
        backend, service = _get_backend(request), str(request.parameters.get("ServiceCode"))
        defaults = _list_defaults(backend, service)
        return _build_page([_get_quota(backend, service, quota["QuotaCode"]) for quota in defaults], request)

    @emulated_operation
    def get_aws_default_service_quota(self, request: ServiceRequest) -> Fields:
        """Return a default quota. Raises NoSuchResource if the catalogue does not have it."""
        from moto.servicequotas.exceptions import NoSuchResource

        quota = _find(str(request.parameters.get("ServiceCode")), str(request.parameters.get("QuotaCode")))
        if quota is None:
            raise NoSuchResource
        return {"Quota": _describe(_get_backend(request), quota)}

    @emulated_operation
    def get_service_quota(self, request: ServiceRequest) -> Fields:
        """Return a quota, with its increase."""
        service, code = str(request.parameters.get("ServiceCode")), str(request.parameters.get("QuotaCode"))
        return {"Quota": _get_quota(_get_backend(request), service, code)}

    @emulated_operation
    def request_service_quota_increase(self, request: ServiceRequest) -> Fields:
        """Grant an increase. Raises ApiError for a value that is not higher."""
        service, code = str(request.parameters["ServiceCode"]), str(request.parameters["QuotaCode"])
        value, backend = float(request.parameters["DesiredValue"]), _get_backend(request)
        present = _get_quota(backend, service, code)
        if value <= present["Value"]:
            raise ApiError(
                "You must provide a quota value greater than or equal to the current quota value: "
                f"{present['Value']:g}",
                code="IllegalArgumentException",
            )
        _get_increases(backend)[code] = value
        return {
            "RequestedQuota": {
                "Id": f"granted-{code}",
                "ServiceCode": service,
                "QuotaCode": code,
                "QuotaName": present["QuotaName"],
                "DesiredValue": value,
                "Status": "APPROVED",
            }
        }


def _get_backend(request: ServiceRequest) -> Any:
    from moto.servicequotas.models import servicequotas_backends

    return servicequotas_backends[request.account][request.region]


def _list_defaults(backend: Any, service: str) -> list[Fields]:
    known = _list_catalogue_quotas(service)
    if known:
        return [_describe(backend, quota) for quota in known]
    defaults: list[Fields] = backend.list_aws_default_service_quotas(service)
    return defaults


def _get_quota(backend: Any, service: str, code: str) -> Fields:
    """Return a quota of the catalogue, or of moto. Raises moto's NoSuchResource."""
    quota = _find(service, code)
    if quota is not None:
        return _describe(backend, quota, _get_increases(backend).get(quota.code))
    vpc_quota: Fields = backend.get_service_quota(service, code)
    return vpc_quota


def _build_page(items: list[Fields], request: ServiceRequest) -> Fields:
    first = int(request.parameters.get("NextToken") or 0)
    size = min(int(request.parameters.get("MaxResults") or _PAGE), _PAGE)
    page: Fields = {"Quotas": items[first : first + size]}
    return page | ({"NextToken": str(first + size)} if first + size < len(items) else {})


def _list_catalogue_quotas(service: str) -> list[Quota]:
    return [
        quota
        for quota in load_quotas().values()
        if quota.service == service and quota.code and quota.default is not None
    ]


def _find(service: str, code: str) -> Quota | None:
    return next((quota for quota in _list_catalogue_quotas(service) if quota.code == code), None)


def _get_increases(backend: Any) -> dict[str, float]:
    increases: dict[str, float] = backend.__dict__.setdefault(_INCREASES, {})
    return increases


def _describe(backend: Any, quota: Quota, value: float | None = None) -> Fields:
    arn = f"arn:aws:servicequotas:{backend.region_name}:{backend.account_id}:{quota.service}/{quota.code}"
    return {
        "ServiceCode": quota.service,
        "QuotaArn": arn,
        "QuotaCode": quota.code,
        "QuotaName": quota.name,
        "Value": float(quota.default or 0) if value is None else value,
        "Unit": "None",
        "Adjustable": True,
        "GlobalQuota": False,
    }
