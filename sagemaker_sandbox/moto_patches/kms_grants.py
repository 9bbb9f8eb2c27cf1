"""KMS: moto fails with an internal error if ListGrants names a missing key."""

from typing import Any

from moto.kms.responses import KmsResponse


def apply() -> None:
    """Check that the key exists before the operation."""
    list_grants = KmsResponse.list_grants

    def list_grants_of_key(self: Any) -> Any:
        self._validate_cmk_id(self._get_param("KeyId"))
        return list_grants(self)

    KmsResponse.list_grants = list_grants_of_key
