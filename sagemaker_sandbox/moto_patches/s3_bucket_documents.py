"""S3 bucket configurations that moto lacks, or does not give back as they were put.

- `lifecycle`: moto rewrites filters and drops the x-amz-transition-default-minimum-object-size header; the Terraform
  provider waits three minutes for what it put to come back, then fails. (The 55 seconds that remain are its own: it
  waits ten, then wants the same answer ten times, five seconds apart.)
- `logging`, `notification`: moto drops the partitioned prefix and EventBridge, so that a second plan is not empty.
- `intelligent-tiering`, `metrics`, `analytics`: moto takes the request for CreateBucket.

Each is one XML document of a bucket (and an id), so all are kept and answered alike.
"""

import re
from collections.abc import Callable
from typing import Any

from moto.s3.responses import S3Response

#: Checked by moto, then given back word for word.
_CHECKED_BY_MOTO = ("lifecycle", "logging", "notification")
#: Query key to the document's element, of which a bucket has many by id.
_MANY = {
    "intelligent-tiering": "IntelligentTieringConfiguration",
    "metrics": "MetricsConfiguration",
    "analytics": "AnalyticsConfiguration",
}
_MINIMUM_SIZE = "x-amz-transition-default-minimum-object-size"
_NAMESPACE = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'

_ABSENT = (
    "<Error><Code>NoSuchConfiguration</Code><Message>The specified configuration does not exist.</Message></Error>"
)

#: Query key and id.
Key = tuple[str, str]
#: Each document's bytes, and the headers that go with it.
Documents = dict[Key, tuple[bytes, dict[str, str]]]


def apply() -> None:
    """Answer requests for these documents before moto does; all others go on to it."""
    for verb, answer in (("get", _get), ("put", _put), ("delete", _delete)):
        method = f"_bucket_response_{verb}"
        setattr(S3Response, method, _in_front_of(getattr(S3Response, method), answer))


def _in_front_of(moto: Callable[..., Any], answer: Callable[..., Any]) -> Callable[..., Any]:
    def method(response: Any, *arguments: Any) -> Any:
        *_, bucket_name, query = arguments
        for kind in (*_CHECKED_BY_MOTO, *_MANY):
            if kind in query:
                key = (kind, query.get("id", [""])[0])
                # A bucket's documents live on the bucket, and go with it.
                documents = response.backend.get_bucket(bucket_name).__dict__.setdefault("documents", {})
                return answer(lambda: moto(response, *arguments), response, key, documents)
        return moto(response, *arguments)

    return method


def _get(ask_moto: Callable[[], Any], _response: Any, key: Key, documents: Documents) -> Any:
    if key in documents:
        body, headers = documents[key]
        return 200, dict(headers), body
    if key[0] in _CHECKED_BY_MOTO:
        return ask_moto()
    if key[1]:
        return 404, {}, _ABSENT
    return 200, {}, _listing(key[0], documents)


def _put(ask_moto: Callable[[], Any], response: Any, key: Key, documents: Documents) -> Any:
    if key[0] in _CHECKED_BY_MOTO:
        ask_moto()
    headers = {}
    if key[0] == "lifecycle":
        headers[_MINIMUM_SIZE] = response.headers.get(_MINIMUM_SIZE, "all_storage_classes_128K")
    documents[key] = (response.body, headers)
    return 200, dict(headers), ""


def _delete(ask_moto: Callable[[], Any], _response: Any, key: Key, documents: Documents) -> Any:
    removed = documents.pop(key, None)
    if key[0] in _CHECKED_BY_MOTO:
        return ask_moto()
    if removed is None:
        return 404, {}, _ABSENT
    return 204, {}, ""


def _listing(kind: str, documents: Documents) -> str:
    element = _MANY[kind]
    bodies = [body.decode() for (of, _), (body, _) in documents.items() if of == kind]
    items = "".join(re.sub(r"^<\?xml[^>]*\?>\s*", "", body) for body in bodies)
    root = f"List{element}sResult"
    return f"<{root} {_NAMESPACE}><IsTruncated>false</IsTruncated>{items}</{root}>"
