"""S3 bucket configurations that moto lacks, or that it changes.

- `lifecycle`: moto rewrites filters and ignores the x-amz-transition-default-minimum-object-size header. The Terraform
  provider waits three minutes for an unchanged configuration, then fails. (55 seconds remain: it waits ten, then needs
  the same response ten times, five seconds apart.)
- `logging`, `notification`: moto ignores the partitioned prefix and EventBridge, so that a second plan is not empty.
- `intelligent-tiering`, `metrics`, `analytics`: moto handles the request as CreateBucket.

Each configuration is one XML document of a bucket (and an id), so one handler stores and returns all of them.
"""

import re
from collections.abc import Callable
from typing import Any

from moto.s3.responses import S3Response

#: Configurations that moto checks, and that are returned unchanged.
_CHECKED_BY_MOTO = ("lifecycle", "logging", "notification")
#: Element of the document by query key, for configurations with an ID.
_WITH_ID = {
    "intelligent-tiering": "IntelligentTieringConfiguration",
    "metrics": "MetricsConfiguration",
    "analytics": "AnalyticsConfiguration",
}
_MINIMUM_SIZE = "x-amz-transition-default-minimum-object-size"
_NAMESPACE = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'

_ABSENT = (
    "<Error><Code>NoSuchConfiguration</Code><Message>The specified configuration does not exist.</Message></Error>"
)

#: Query key and ID.
Key = tuple[str, str]
#: Content of each document, and its response headers.
Documents = dict[Key, tuple[bytes, dict[str, str]]]


def apply() -> None:
    """Handle requests for these documents before moto does."""
    for verb, handle in (("get", _get), ("put", _put), ("delete", _delete)):
        method = f"_bucket_response_{verb}"
        setattr(S3Response, method, _handle_documents(getattr(S3Response, method), handle))


def _handle_documents(moto: Callable[..., Any], handle: Callable[..., Any]) -> Callable[..., Any]:
    def method(response: Any, *arguments: Any) -> Any:
        *_, bucket_name, query = arguments
        for kind in (*_CHECKED_BY_MOTO, *_WITH_ID):
            if kind in query:
                key = (kind, query.get("id", [""])[0])
                # The bucket holds its documents, so that they are deleted with it.
                documents = response.backend.get_bucket(bucket_name).__dict__.setdefault("documents", {})
                return handle(lambda: moto(response, *arguments), response, key, documents)
        return moto(response, *arguments)

    return method


def _get(call_moto: Callable[[], Any], _response: Any, key: Key, documents: Documents) -> Any:
    if key in documents:
        body, headers = documents[key]
        return 200, dict(headers), body
    if key[0] in _CHECKED_BY_MOTO:
        return call_moto()
    if key[1]:
        return 404, {}, _ABSENT
    return 200, {}, _build_list(key[0], documents)


def _put(call_moto: Callable[[], Any], response: Any, key: Key, documents: Documents) -> Any:
    if key[0] in _CHECKED_BY_MOTO:
        call_moto()
    headers = {}
    if key[0] == "lifecycle":
        headers[_MINIMUM_SIZE] = response.headers.get(_MINIMUM_SIZE, "all_storage_classes_128K")
    documents[key] = (response.body, headers)
    return 200, dict(headers), ""


def _delete(call_moto: Callable[[], Any], _response: Any, key: Key, documents: Documents) -> Any:
    removed = documents.pop(key, None)
    if key[0] in _CHECKED_BY_MOTO:
        return call_moto()
    if removed is None:
        return 404, {}, _ABSENT
    return 204, {}, ""


def _build_list(kind: str, documents: Documents) -> str:
    element = _WITH_ID[kind]
    bodies = [body.decode() for (document_kind, _), (body, _) in documents.items() if document_kind == kind]
    items = "".join(re.sub(r"^<\?xml[^>]*\?>\s*", "", body) for body in bodies)
    root = f"List{element}sResult"
    return f"<{root} {_NAMESPACE}><IsTruncated>false</IsTruncated>{items}</{root}>"
