"""Parameter Store: moto accepts values of any length in any tier, and stores Intelligent-Tiering as a tier.

Source: Systems Manager user guide, "Managing parameter tiers". The message for standard parameters is AWS's, quoted in
https://github.com/aws/aws-sdk-net/issues/3157.
"""

from typing import Any

from moto.ssm.exceptions import ValidationException
from moto.ssm.models import SimpleSystemManagerBackend

_STANDARD, _ADVANCED, _INTELLIGENT = "Standard", "Advanced", "Intelligent-Tiering"
_MAX_CHARACTERS = {_STANDARD: 4096, _ADVANCED: 8192}
_GUIDE = "https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html"


def apply() -> None:
    """Choose and check the tier when a parameter is put."""
    put_parameter = SimpleSystemManagerBackend.put_parameter

    def put_parameter_with_tier(self: Any, name: str, *arguments: Any, **options: Any) -> Any:
        value = options["value"] if "value" in options else arguments[1]
        versions = self._parameters[name] if name in self._parameters else []  # noqa: SIM401  get() does not normalize names
        previous_tier = versions[-1].tier if versions else None
        options["tier"] = _choose_tier(options.get("tier"), previous_tier, value or "")
        return put_parameter(self, name, *arguments, **options)

    SimpleSystemManagerBackend.put_parameter = put_parameter_with_tier


def _choose_tier(requested: str | None, previous: str | None, value: str) -> str:
    """Return the new tier of a parameter. Raises ValidationException for a request that AWS refuses."""
    tier = requested or previous or _STANDARD
    if tier == _INTELLIGENT:
        is_large = len(value) > _MAX_CHARACTERS[_STANDARD]
        tier = _ADVANCED if is_large or previous == _ADVANCED else _STANDARD
    if previous == _ADVANCED and tier == _STANDARD:
        raise ValidationException(
            "This parameter uses the advanced-parameter tier. You can't downgrade a parameter from the "
            "advanced-parameter tier to the standard-parameter tier. If necessary, you can delete the advanced "
            "parameter and recreate it as a standard parameter."
        )
    if len(value) > _MAX_CHARACTERS[tier]:
        hint = (
            " To create a larger parameter value, upgrade the parameter to use the advanced-parameter tier. For more "
            f"information, see {_GUIDE}"
        )
        raise ValidationException(
            f"{tier} tier parameters support a maximum parameter value of {_MAX_CHARACTERS[tier]} characters."
            f"{hint if tier == _STANDARD else ''}"
        )
    return tier
