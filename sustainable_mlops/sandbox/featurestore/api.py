"""Feature Store Runtime's REST interface."""

import json
import re
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from werkzeug import Request

from sustainable_mlops.aws.service_model import service_model
from sustainable_mlops.sandbox.errors import ApiError, NotEmulatedError, ValidationError
from sustainable_mlops.sandbox.featurestore.records import RecordError
from sustainable_mlops.sandbox.featurestore.store import FeatureStore
from sustainable_mlops.sandbox.validation import validate

Fields = dict[str, Any]

_ROUTE = re.compile(r"/FeatureGroup/(?P<group>.+?)(?P<rest>/ListRecords|/Record)?|/(?P<batch>Batch(Get|Write)Record)")
_OPERATIONS = {"PUT": "PutRecord", "GET": "GetRecord", "DELETE": "DeleteRecord"}
#: Query parameters that may be repeated.
_LISTS = ("TargetStores", "FeatureName")


def respond(store: FeatureStore, request: Request) -> Fields:
    """The answer to one request, as JSON values."""
    route = _ROUTE.fullmatch(request.path)
    if route is None:
        raise RecordError(f"{request.method} {request.path} is no operation of SageMaker.")
    operation = route["batch"] or (route["rest"] or "").strip("/") or _OPERATIONS.get(request.method, request.method)
    handler = {
        "PutRecord": _put_record,
        "GetRecord": _get_record,
        "DeleteRecord": _delete_record,
        "BatchGetRecord": _batch_get_record,
        "BatchWriteRecord": _batch_write_record,
    }.get(operation)
    if handler is None:
        raise NotEmulatedError(operation)
    arguments = _arguments(request, route)
    shape = service_model("sagemaker-featurestore-runtime").operation_model(operation).input_shape
    assert shape is not None
    try:
        validate(arguments, shape)
    except ValidationError as error:
        raise RecordError(error.message) from None
    return handler(store, arguments)


def _arguments(request: Request, route: re.Match[str]) -> Fields:
    arguments: Fields = json.loads(request.get_data() or b"{}")
    for name in request.args:
        arguments[name] = request.args.getlist(name) if name in _LISTS else request.args[name]
    if "FeatureName" in arguments:
        arguments["FeatureNames"] = arguments.pop("FeatureName")
    if route["group"]:
        arguments["FeatureGroupName"] = unquote(route["group"])
    return arguments


def _put_record(store: FeatureStore, request: Fields) -> Fields:
    store.put(request["FeatureGroupName"], request["Record"], request.get("TargetStores"), request.get("TtlDuration"))
    return {}


def _get_record(store: FeatureStore, request: Fields) -> Fields:
    identifier = request["RecordIdentifierValueAsString"]
    record, expires_at = store.get(request["FeatureGroupName"], identifier, request.get("FeatureNames"))
    answer: Fields = {"Record": record} if record else {}
    return answer | _expiry(request, expires_at)


def _delete_record(store: FeatureStore, request: Fields) -> Fields:
    store.delete(
        request["FeatureGroupName"],
        request["RecordIdentifierValueAsString"],
        request["EventTime"],
        request.get("TargetStores"),
        hard=request.get("DeletionMode") == "HardDelete",
    )
    return {}


def _batch_get_record(store: FeatureStore, request: Fields) -> Fields:
    """Records that do not exist are left out; a group that does not is an error of its own in the answer."""
    records, errors = [], []
    for wanted in request["Identifiers"]:
        group = wanted["FeatureGroupName"]
        for identifier in wanted["RecordIdentifiersValueAsString"]:
            where = {"FeatureGroupName": group, "RecordIdentifierValueAsString": identifier}
            try:
                record, expires_at = store.get(group, identifier, wanted.get("FeatureNames"))
            except ApiError as error:
                errors.append(where | {"ErrorCode": error.code, "ErrorMessage": error.message})
                continue
            if record:
                records.append(where | {"Record": record} | _expiry(request, expires_at))
    return {"Records": records, "Errors": errors, "UnprocessedIdentifiers": []}


def _batch_write_record(store: FeatureStore, request: Fields) -> Fields:
    """Each entry is written by itself; one that is refused is an error of its own in the answer."""
    errors = []
    for entry in request["Entries"]:
        ttl = entry.get("TtlDuration") or request.get("TtlDuration")
        try:
            store.put(entry["FeatureGroupName"], entry["Record"], entry.get("TargetStores"), ttl)
        except ApiError as error:
            errors.append({"Entry": entry, "ErrorCode": error.code, "ErrorMessage": error.message})
    return {"Errors": errors, "UnprocessedEntries": []}


def _expiry(request: Fields, expires_at: datetime | None) -> Fields:
    if expires_at is None or request.get("ExpirationTimeResponse") != "Enabled":
        return {}
    return {"ExpiresAt": f"{expires_at:%Y-%m-%dT%H:%M:%S}.{expires_at.microsecond // 1000:03d}Z"}
