"""Service Quotas: moto knows the quotas of VPC alone. Those of the catalogue are added, with increases granted at once.

AWS grants an increase after hours or days, and may refuse it; here RequestServiceQuotaIncrease is granted at once.
"""

import json
from typing import Any

from moto.core.exceptions import JsonRESTError
from moto.servicequotas.exceptions import NoSuchResource
from moto.servicequotas.models import ServiceQuotasBackend
from moto.servicequotas.responses import ServiceQuotasResponse

from sustainable_mlops.catalogue.quotas import Quota, quotas

_PAGE = 100
_GRANTED = "smlops_granted"


def close() -> None:
    """Answer for the services of the catalogue's quotas."""
    list_vpc, get_vpc = ServiceQuotasBackend.list_aws_default_service_quotas, ServiceQuotasBackend.get_service_quota

    def list_defaults(self: Any, service_code: str) -> list[dict[str, Any]]:
        known = _of_service(service_code)
        return [_describe(self, quota) for quota in known] if known else list_vpc(self, service_code)

    def get_service_quota(self: Any, service_code: str, quota_code: str) -> dict[str, Any]:
        quota = _find(service_code, quota_code)
        if quota is not None:
            return _describe(self, quota, _increases(self).get(quota.code))
        of_vpc: dict[str, Any] = get_vpc(self, service_code, quota_code)
        return of_vpc

    ServiceQuotasBackend.list_aws_default_service_quotas = list_defaults
    ServiceQuotasBackend.get_service_quota = get_service_quota
    ServiceQuotasResponse.list_aws_default_service_quotas = _list_aws_default_service_quotas
    ServiceQuotasResponse.list_service_quotas = _list_service_quotas
    ServiceQuotasResponse.get_aws_default_service_quota = _get_aws_default_service_quota
    ServiceQuotasResponse.request_service_quota_increase = _request_service_quota_increase


def _list_aws_default_service_quotas(self: Any) -> str:
    asked = json.loads(self.body)
    return _page(self.backend.list_aws_default_service_quotas(str(asked.get("ServiceCode"))), asked)


def _list_service_quotas(self: Any) -> str:
    asked = json.loads(self.body)
    service = str(asked.get("ServiceCode"))
    defaults = self.backend.list_aws_default_service_quotas(service)
    return _page([self.backend.get_service_quota(service, one["QuotaCode"]) for one in defaults], asked)


def _get_aws_default_service_quota(self: Any) -> str:
    asked = json.loads(self.body)
    quota = _find(str(asked.get("ServiceCode")), str(asked.get("QuotaCode")))
    if quota is None:
        raise NoSuchResource
    return json.dumps({"Quota": _describe(self.backend, quota)})


def _request_service_quota_increase(self: Any) -> str:
    asked = json.loads(self.body)
    service, code, value = str(asked["ServiceCode"]), str(asked["QuotaCode"]), float(asked["DesiredValue"])
    present = self.backend.get_service_quota(service, code)
    if value <= present["Value"]:
        raise JsonRESTError(
            "IllegalArgumentException",
            f"You must provide a quota value greater than or equal to the current quota value: {present['Value']:g}",
        )
    _increases(self.backend)[code] = value
    return json.dumps(
        {
            "RequestedQuota": {
                "Id": f"granted-{code}",
                "ServiceCode": service,
                "QuotaCode": code,
                "QuotaName": present["QuotaName"],
                "DesiredValue": value,
                "Status": "APPROVED",
            }
        }
    )


def _page(found: list[dict[str, Any]], asked: dict[str, Any]) -> str:
    first, size = int(asked.get("NextToken") or 0), min(int(asked.get("MaxResults") or _PAGE), _PAGE)
    answer: dict[str, Any] = {"Quotas": found[first : first + size]}
    if first + size < len(found):
        answer["NextToken"] = str(first + size)
    return json.dumps(answer)


def _of_service(service: str) -> list[Quota]:
    return [one for one in quotas().values() if one.service == service and one.code and one.default is not None]


def _find(service: str, code: str) -> Quota | None:
    return next((one for one in _of_service(service) if one.code == code), None)


def _increases(backend: Any) -> dict[str, float]:
    """Return the increased values by quota code. They are part of moto's state."""
    granted: dict[str, float] = backend.__dict__.setdefault(_GRANTED, {})
    return granted


def _describe(backend: Any, quota: Quota, value: float | None = None) -> dict[str, Any]:
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
