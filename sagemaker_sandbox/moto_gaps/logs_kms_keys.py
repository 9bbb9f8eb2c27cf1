"""CloudWatch Logs: moto has no AssociateKmsKey and DisassociateKmsKey, which change the key of an existing group."""

from typing import Any

from moto.logs.exceptions import ResourceNotFoundException
from moto.logs.responses import LogsResponse


def close() -> None:
    """Add both operations."""
    LogsResponse.associate_kms_key = _associate_kms_key
    LogsResponse.disassociate_kms_key = _disassociate_kms_key


def _associate_kms_key(self: Any) -> str:
    _find_group(self).kms_key_id = self._get_param("kmsKeyId")
    return ""


def _disassociate_kms_key(self: Any) -> str:
    _find_group(self).kms_key_id = None
    return ""


def _find_group(response: Any) -> Any:
    """Return the log group that a request names, by its name or its ARN."""
    name = response._get_param("logGroupName")
    if not name:
        name = (response._get_param("resourceIdentifier") or "").partition(":log-group:")[2].removesuffix(":*")
    group = response.logs_backend.groups.get(name)
    if group is None:
        raise ResourceNotFoundException()
    return group
