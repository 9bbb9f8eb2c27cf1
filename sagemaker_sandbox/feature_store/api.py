"""Feature Store Runtime: its operations, and their form as REST requests."""

import json
import re
from datetime import datetime
from typing import Any, ClassVar
from urllib.parse import unquote

from werkzeug import Request

from sagemaker_sandbox.base.errors import ApiError
from sagemaker_sandbox.feature_store.records import RecordError
from sagemaker_sandbox.feature_store.store import RecordStores
from sagemaker_sandbox.resources.handlers import emulated_operation
from sagemaker_sandbox.resources.region import AccountRegion
from sagemaker_sandbox.resources.resources import Fields, ServicePart

_ROUTE = re.compile(r"/FeatureGroup/(?P<group>.+?)(?P<rest>/ListRecords|/Record)?|/(?P<batch>Batch(Get|Write)Record)")
_OPERATIONS = {"PUT": "PutRecord", "GET": "GetRecord", "DELETE": "DeleteRecord"}
#: Operations of POST, by the end of the path.
_POST_OPERATIONS = {"/Record": "UpdateRecord", "/ListRecords": "ListRecords"}
#: Query parameters that a request can repeat.
_LISTS = ("TargetStores", "FeatureName")


def parse_request(request: Request) -> tuple[str, Fields]:
    """Return the operation and the arguments of a REST request. Raises RecordError for an unknown operation."""
    route = _ROUTE.fullmatch(request.path)
    if route is None:
        raise RecordError(f"{request.method} {request.path} is not an operation of SageMaker.")
    operation = (
        route["batch"] or _POST_OPERATIONS.get(route["rest"] or "") or _OPERATIONS.get(request.method, request.method)
    )
    try:
        arguments: Any = json.loads(request.get_data() or b"{}")
    except (ValueError, RecursionError) as error:
        raise RecordError(f"The request is not JSON: {type(error).__name__}: {error}") from None
    if not isinstance(arguments, dict):
        raise RecordError("The request is not a JSON object.")
    for name in request.args:
        arguments[name] = request.args.getlist(name) if name in _LISTS else request.args[name]
    if "FeatureName" in arguments:
        arguments["FeatureNames"] = arguments.pop("FeatureName")
    if route["group"]:
        arguments["FeatureGroupName"] = unquote(route["group"])
    return operation, arguments


class FeatureRecords(ServicePart):
    """Handlers of the operations on one record, and on batches of records."""

    service = "sagemaker-featurestore-runtime"
    refused_operations: ClassVar = {"ListRecords": "Not implemented. Read the offline store, or use an AWS account."}

    def __init__(self, region: AccountRegion, store: RecordStores) -> None:
        super().__init__(region)
        self._store = store

    @emulated_operation
    def put_record(self, request: Fields) -> Fields:
        """Write one record to the named stores, or to all stores of the group."""
        self._store.put(
            request["FeatureGroupName"], request["Record"], request.get("TargetStores"), request.get("TtlDuration")
        )
        return {}

    @emulated_operation
    def update_record(self, request: Fields) -> Fields:
        """Change features of one existing record. The other features keep their values."""
        self._store.update(
            request["FeatureGroupName"],
            request["RecordIdentifierValueAsString"],
            request["Features"],
            request.get("TargetStores"),
            request.get("TtlDuration"),
        )
        return {}

    @emulated_operation
    def get_record(self, request: Fields) -> Fields:
        """Return the latest version of one record. The response has no Record if there is none."""
        identifier = request["RecordIdentifierValueAsString"]
        record, expires_at = self._store.get(request["FeatureGroupName"], identifier, request.get("FeatureNames"))
        response: Fields = {"Record": record} if record else {}
        return response | _format_expiry(request, expires_at)

    @emulated_operation
    def delete_record(self, request: Fields) -> Fields:
        """Delete the values of a record (soft), or every trace of it (hard)."""
        self._store.delete(
            request["FeatureGroupName"],
            request["RecordIdentifierValueAsString"],
            request["EventTime"],
            request.get("TargetStores"),
            hard=request.get("DeletionMode") == "HardDelete",
        )
        return {}

    @emulated_operation
    def batch_get_record(self, request: Fields) -> Fields:
        """Return the records that exist. A missing record is left out; a missing group is an entry of Errors."""
        records, errors = [], []
        for identifiers in request["Identifiers"]:
            group = identifiers["FeatureGroupName"]
            for identifier in identifiers["RecordIdentifiersValueAsString"]:
                identity = {"FeatureGroupName": group, "RecordIdentifierValueAsString": identifier}
                try:
                    record, expires_at = self._store.get(group, identifier, identifiers.get("FeatureNames"))
                except ApiError as error:
                    errors.append(identity | {"ErrorCode": error.code, "ErrorMessage": error.message})
                    continue
                if record:
                    records.append(identity | {"Record": record} | _format_expiry(request, expires_at))
        return {"Records": records, "Errors": errors, "UnprocessedIdentifiers": []}

    @emulated_operation
    def batch_write_record(self, request: Fields) -> Fields:
        """Write each entry by itself. A refused entry is listed in Errors."""
        errors = []
        for entry in request["Entries"]:
            ttl = entry.get("TtlDuration") or request.get("TtlDuration")
            try:
                self._store.put(entry["FeatureGroupName"], entry["Record"], entry.get("TargetStores"), ttl)
            except ApiError as error:
                errors.append({"Entry": entry, "ErrorCode": error.code, "ErrorMessage": error.message})
        return {"Errors": errors, "UnprocessedEntries": []}


def _format_expiry(request: Fields, expires_at: datetime | None) -> Fields:
    if expires_at is None or request.get("ExpirationTimeResponse") != "Enabled":
        return {}
    return {"ExpiresAt": f"{expires_at:%Y-%m-%dT%H:%M:%S}.{expires_at.microsecond // 1000:03d}Z"}
