"""Values that may be secrets. An adoption writes and prints none of them.

Any program may choose the name of its environment variables, so a list of secret names is never complete. The value of
an environment variable is written only if it is a number, a boolean, an ARN or an address in S3, or if a serving
container documents the name and the value does not look like a secret.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from typing import Any

from sustainable_mlops.account.adopt.adoption import ExclusionError, ImportedResource
from sustainable_mlops.account.adopt.container_settings import CONTAINER_SETTINGS, REVISIONS
from sustainable_mlops.rules.account.credentials import (
    find_credentials,
    is_credential_name,
    is_literal,
    mask_name,
    may_be_secret_name,
)

_SECRET_WORDS = frozenset(
    {
        *("AUTH", "AUTHORIZATION", "COOKIE", "CRED", "CREDENTIAL", "CREDENTIALS", "CREDS", "DSN", "KEY", "KEYS"),
        *("PASS", "PASSPHRASE", "PASSWD", "PASSWORD", "PIN", "PWD", "SALT", "SECRET", "SECRETS", "SIGNATURE", "TOKEN"),
        "WEBHOOK",
    }
)
_SECRET_ENDINGS = ("CONNECTIONSTRING", "CONNSTR", "KEY", "PASS", "PWD", "SECRET", "TOKEN")
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_PLAIN_VALUE = re.compile(
    r"[-+]?\d{1,9}(\.\d{1,9})?(e[-+]?\d{1,3})?|true|false|yes|no|on|off|none|null|arn:aws[\w-]*:\S+|s3://[^\s?@]+",
    re.IGNORECASE,
)
#: A web address with a user, a path or a query. Webhooks and presigned addresses contain a secret there.
_WEB_ADDRESS = re.compile(r"(?:https?|wss?)://[^\s/?#]*(?:@|/\S|[?#])", re.IGNORECASE)
_AUTHORIZATION = re.compile(r"\b(?:Bearer|Basic)\s+\S", re.IGNORECASE)
#: The same in any text, such as a description: long enough to be a token, and a signed address.
_AUTHORIZATION_IN_TEXT = re.compile(r"\b(?:Bearer|Basic)\s+[\w.~+/=-]{16,}", re.IGNORECASE)
_SIGNED_ADDRESS = re.compile(
    r"https?://\S+[?&](?:X-Amz-(?:Signature|Credential|Security-Token)|Signature|sig)=", re.IGNORECASE
)
#: Letters and digits without a separator that no name has, and UUIDs.
_RANDOM_TEXT = re.compile(
    r"(?=[A-Za-z]*[0-9])(?=[0-9]*[A-Za-z])[A-Za-z0-9+=]{20,}|[A-Za-z0-9+=]{32,}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    re.IGNORECASE,
)
_COMMIT = re.compile(r"[0-9a-f]{40}")
#: Members of the API that have a name such as `Key`, but never a secret.
_HARMLESS_MEMBER = re.compile(r"Key|\w*KmsKey(Id|Arn)?|\w*KmsKeys|CacheKey|S3\w*Key\w*")
#: Members beside a `Name` that have its value.
_NAMED_VALUES = frozenset({"DefaultValue", "Value"})
#: Attributes whose values a difference does not show.
_HIDDEN_ATTRIBUTES = frozenset({"environment", "pipeline_definition"})
_HIDDEN = "(hidden)"


def may_be_secret(name: str, value: str) -> bool:
    """Return True unless the value of an environment variable is certainly not a secret."""
    if _is_secret_name(name) and not _is_boolean(value) and not value.startswith("arn:"):
        return True
    if find_credentials(value):
        return True
    if not value or _PLAIN_VALUE.fullmatch(value) or (name in REVISIONS and _COMMIT.fullmatch(value)):
        return False
    return name not in CONTAINER_SETTINGS or _looks_secret(value)


def _looks_secret(value: str) -> bool:
    """Return True for a web address that may contain a secret, an authorization, or random text."""
    return any(pattern.search(value) for pattern in (_WEB_ADDRESS, _AUTHORIZATION, _RANDOM_TEXT))


def _is_secret_name(name: str) -> bool:
    """Return whether a name has a word such as `PASS` or `KEY`: `API_KEY_V2`, `pgpass`, `signingKey`."""
    words = [word.upper() for word in _WORDS.findall(name)]
    return is_credential_name(name) or bool(_SECRET_WORDS & {*words}) or "".join(words).endswith(_SECRET_ENDINGS)


def _is_boolean(value: str) -> bool:
    return value.lower() in ("", "true", "false")


def check_texts(resources: Iterable[ImportedResource]) -> None:
    """Raise ExclusionError if a tag or a description may contain a secret."""
    for resource in resources:
        for location in _find_secret_texts(resource.body):
            raise ExclusionError(
                f"{location} of {resource.type} may be a secret; move it to Secrets Manager, and run again"
            )


def _find_secret_texts(body: Any) -> Iterator[str]:
    """Yield the tags and the descriptions below `body` that may contain a secret."""
    if isinstance(body, list):
        for item in body:
            yield from _find_secret_texts(item)
    elif isinstance(body, Mapping):
        for name, value in body.items():
            if name == "tags" and isinstance(value, Mapping):
                yield from (f"the tag {mask_name(tag)}" for tag, text in value.items() if _is_secret_text(tag, text))
            elif isinstance(value, str) and name.endswith("description") and _is_secret_text("", value):
                yield name
            else:
                yield from _find_secret_texts(value)


def _is_secret_text(name: str, text: str) -> bool:
    has_secret_name = name and is_credential_name(name) and is_literal(text) and not may_be_secret_name(name, text)
    return bool(has_secret_name or find_credentials(text)) or _has_authorization(text)


def list_secrets(definition: str) -> list[str]:
    """Return the locations of values in a definition of a pipeline that may be secrets. Raises ExclusionError."""
    try:
        document = json.loads(definition)
    except ValueError:
        raise ExclusionError("its definition is not JSON, so a search for secrets is not possible") from None
    return list(dict.fromkeys(_find_secrets(document, "", "")))


def _find_secrets(value: Any, name: str, path: str) -> Iterator[str]:
    """Yield the paths of values below `value` that may be secrets."""
    if isinstance(value, Mapping):
        yield from _find_secret_members(value, path)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            label = item.get("Name") if isinstance(item, Mapping) else None
            yield from _find_secrets(item, "", f"{path}[{mask_name(label) if isinstance(label, str) else index}]")
        for option, argument in pairwise(value):
            if isinstance(option, str) and option.startswith("-") and isinstance(argument, str):
                yield from _find_secrets(argument, option.lstrip("-"), _join_path(path, mask_name(option.lstrip("-"))))
    elif isinstance(value, str | int) and not isinstance(value, bool):
        has_secret_name = (
            name and not _HARMLESS_MEMBER.fullmatch(name) and _is_secret_name(name) and _is_literal(str(value))
        )
        if has_secret_name or find_credentials(str(value)) or _has_authorization(str(value)):
            yield path


def _has_authorization(text: str) -> bool:
    """Return whether a text contains a bearer token or a signed address."""
    return bool(_AUTHORIZATION_IN_TEXT.search(text) or _SIGNED_ADDRESS.search(text))


def _find_secret_members(values: Mapping[str, Any], path: str) -> Iterator[str]:
    """Yield the paths of members that may be secrets. The name of a parameter also names its value."""
    for key, item in values.items():
        inner = _join_path(path, mask_name(key))
        if key == "Environment" and isinstance(item, Mapping):
            yield from _find_secret_variables(item, inner)
        else:
            yield from _find_secrets(item, str(values.get("Name", "")) if key in _NAMED_VALUES else key, inner)


def _find_secret_variables(variables: Mapping[str, Any], path: str) -> Iterator[str]:
    """Yield the paths of environment variables that may be secrets. References to other values are objects."""
    for name, value in variables.items():
        if not isinstance(value, Mapping) and may_be_secret(name, str(value)):
            yield _join_path(path, mask_name(name))


def _is_literal(value: str) -> bool:
    """Return True unless a value is empty, a boolean, an ARN or a reference. Addresses may contain a secret."""
    text = value.strip().strip("\"'")
    return is_literal(text) or bool(re.match(r"https?://|\d{4,}$", text))


def _join_path(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def hide_values(name: str, value: Any) -> Any:
    """Return the value of an attribute for a message. Values of environments and definitions are hidden."""
    if name in _HIDDEN_ATTRIBUTES and value:
        return dict.fromkeys(sorted(value), _HIDDEN) if isinstance(value, Mapping) else _HIDDEN
    if isinstance(value, Mapping):
        return {key: hide_values(key, item) for key, item in value.items()}
    if isinstance(value, list):
        return [hide_values(name, item) for item in value]
    return value
