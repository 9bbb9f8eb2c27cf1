"""Feature Store Runtime: its operations, and how REST requests name them."""

import json
import re
from datetime import datetime
from typing import Any, ClassVar
from urllib.parse import unquote

from werkzeug import Request

from sagemaker_sandbox.errors import ApiError
from sagemaker_sandbox.featurestore.records import RecordError
from sagemaker_sandbox.featurestore.store import FeatureStore
from sagemaker_sandbox.parts.operations import behaves
from sagemaker_sandbox.parts.region import Region
from sagemaker_sandbox.parts.resources import Fields, Part

_ROUTE = re.compile(r"/FeatureGroup/(?P<group>.+?)(?P<rest>/ListRecords|/Record)?|/(?P<batch>Batch(Get|Write)Record)")
_OPERATIONS = {"PUT": "PutRecord", "GET": "GetRecord", "DELETE": "DeleteRecord"}
#: Query parameters that may be repeated.
_LISTS = ("TargetStores", "FeatureName")


def read(request: Request) -> tuple[str, Fields]:
    """The operation that a REST request names, and its arguments. Raises RecordError."""
    route = _ROUTE.fullmatch(request.path)
    if route is None:
        raise RecordError(f"{request.method} {request.path} is no operation of SageMaker.")
    operation = route["batch"] or (route["rest"] or "").strip("/") or _OPERATIONS.get(request.method, request.method)
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


class Records(Part):
    """PutRecord, GetRecord, DeleteRecord, and the same in batches."""

    service = "sagemaker-featurestore-runtime"
    refuses: ClassVar = {"ListRecords": "Not built: read the offline store, or use an account."}

    def __init__(self, region: Region, store: FeatureStore) -> None:
        super().__init__(region)
        self._store = store

    @behaves
    def put_record(self, request: Fields) -> Fields:
        """Write one record to the stores named, or to all that the group has."""
        self._store.put(
            request["FeatureGroupName"], request["Record"], request.get("TargetStores"), request.get("TtlDuration")
        )
        return {}

    @behaves
    def get_record(self, request: Fields) -> Fields:
        """The latest version of one record; no Record where there is none."""
        identifier = request["RecordIdentifierValueAsString"]
        record, expires_at = self._store.get(request["FeatureGroupName"], identifier, request.get("FeatureNames"))
        answer: Fields = {"Record": record} if record else {}
        return answer | _expiry(request, expires_at)

    @behaves
    def delete_record(self, request: Fields) -> Fields:
        """Soft: the values go; hard: every trace of the record goes."""
        self._store.delete(
            request["FeatureGroupName"],
            request["RecordIdentifierValueAsString"],
            request["EventTime"],
            request.get("TargetStores"),
            hard=request.get("DeletionMode") == "HardDelete",
        )
        return {}

    @behaves
    def batch_get_record(self, request: Fields) -> Fields:
        """Records that do not exist are left out; a group that does not is an error of its own in the answer."""
        records, errors = [], []
        for wanted in request["Identifiers"]:
            group = wanted["FeatureGroupName"]
            for identifier in wanted["RecordIdentifiersValueAsString"]:
                where = {"FeatureGroupName": group, "RecordIdentifierValueAsString": identifier}
                try:
                    record, expires_at = self._store.get(group, identifier, wanted.get("FeatureNames"))
                except ApiError as error:
                    errors.append(where | {"ErrorCode": error.code, "ErrorMessage": error.message})
                    continue
                if record:
                    records.append(where | {"Record": record} | _expiry(request, expires_at))
        return {"Records": records, "Errors": errors, "UnprocessedIdentifiers": []}

    @behaves
    def batch_write_record(self, request: Fields) -> Fields:
        """Each entry is written by itself; one that is refused is an error of its own in the answer."""
        errors = []
        for entry in request["Entries"]:
            ttl = entry.get("TtlDuration") or request.get("TtlDuration")
            try:
                self._store.put(entry["FeatureGroupName"], entry["Record"], entry.get("TargetStores"), ttl)
            except ApiError as error:
                errors.append({"Entry": entry, "ErrorCode": error.code, "ErrorMessage": error.message})
        return {"Errors": errors, "UnprocessedEntries": []}


def _expiry(request: Fields, expires_at: datetime | None) -> Fields:
    if expires_at is None or request.get("ExpirationTimeResponse") != "Enabled":
        return {}
    return {"ExpiresAt": f"{expires_at:%Y-%m-%dT%H:%M:%S}.{expires_at.microsecond // 1000:03d}Z"}
