"""Values that may be secrets. An adoption writes and prints none of them.

Any program may choose the name of its environment variables, so a list of secret names is never complete. The value of
an environment variable is written only if its name is in a list of harmless names, or the value is a number, a boolean,
an ARN or an address in S3.
"""

import json
import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

from sustainable_mlops.operations.adopt.adoption import ExclusionError
from sustainable_mlops.rules.account.credentials import find_credentials, is_credential_name, is_literal, mask_name

#: Variables of SageMaker's containers and of common model servers. Their values are settings.
_HARMLESS_NAME = re.compile(
    r"SAGEMAKER_\w+|HF_(TASK|MODEL_ID|MODEL_REVISION|MODEL_QUANTIZE|TRUST_REMOTE_CODE)|SM_(NUM|VP)_\w+|"
    r"(MMS|TS|OMP|MKL|KMP|TF|TORCH|NCCL|NEURON|CUDA|SERVING|OPTION|GUNICORN|NGINX)_\w+|"
    r"(MODEL_SERVER|PYTHON|TOKENIZERS)_?\w*|AWS_(DEFAULT_)?REGION|(MODEL|LOG)_(NAME|LEVEL|FORMAT|DIR)"
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
    is_harmless = _HARMLESS_NAME.fullmatch(name) or not value or _PLAIN_VALUE.fullmatch(value)
    return not is_harmless or bool(find_credentials(value))


def _is_secret_name(name: str) -> bool:
    """Return True if a name has a word such as `PASS` or `KEY`: `API_KEY_V2`, `pgpass`, `signingKey`."""
    words = [word.upper() for word in _WORDS.findall(name)]
    return is_credential_name(name) or bool(_SECRET_WORDS & {*words}) or "".join(words).endswith(_SECRET_ENDINGS)


def _is_boolean(value: str) -> bool:
    return value.lower() in ("", "true", "false")


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
                yield from _find_secrets(argument, option.lstrip("-"), _join(path, mask_name(option.lstrip("-"))))
    elif isinstance(value, str | int) and not isinstance(value, bool):
        named = name and not _HARMLESS_MEMBER.fullmatch(name) and _is_secret_name(name) and _is_literal(str(value))
        if named or find_credentials(str(value)):
            yield path


def _find_secret_members(values: Mapping[str, Any], path: str) -> Iterator[str]:
    """Yield the paths of members that may be secrets. The name of a parameter also names its value."""
    for key, item in values.items():
        inner = _join(path, mask_name(key))
        if key == "Environment" and isinstance(item, Mapping):
            yield from _find_secret_variables(item, inner)
        else:
            yield from _find_secrets(item, str(values.get("Name", "")) if key in _NAMED_VALUES else key, inner)


def _find_secret_variables(variables: Mapping[str, Any], path: str) -> Iterator[str]:
    """Yield the paths of environment variables that may be secrets. References to other values are objects."""
    for name, value in variables.items():
        if not isinstance(value, Mapping) and may_be_secret(name, str(value)):
            yield _join(path, mask_name(name))


def _is_literal(value: str) -> bool:
    """Return True unless a value is empty, a boolean, an ARN or a reference. Addresses may contain a secret."""
    text = value.strip().strip("\"'")
    return is_literal(text) or bool(re.match(r"https?://|\d{4,}$", text))


def _join(path: str, name: str) -> str:
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
