"""What other endpoints take and a serverless one does not.

They are inputs all the same, so that whoever carries one over from another endpoint is told why it cannot be, in
`settings.yaml` as in plain HCL, and not merely that the name is unknown.
"""

from typing import Any

from pydantic import ValidationInfo, field_validator

from sustainable_mlops.authoring import Field, ModuleInputs


class Refused(ModuleInputs):
    """Inputs that must be left out.

    Source: "Feature exclusions" in https://docs.aws.amazon.com/sagemaker/latest/dg/serverless-endpoints.html
    """

    data_capture_config: Any | None = Field(
        None,
        description="Refused: a serverless endpoint captures no requests; leave it out, or use a real-time endpoint.",
    )
    enable_network_isolation: Any | None = Field(
        None,
        description="Refused: a serverless endpoint takes no network isolation; leave it out, or use a real-time "
        "endpoint.",
    )
    instance_type: Any | None = Field(
        None,
        description="Refused: a serverless endpoint has neither instances nor a GPU; set memory_mb, or use a "
        "real-time endpoint.",
    )
    production_variants: Any | None = Field(
        None,
        description="Refused: a serverless endpoint has exactly one variant; leave it out, or use a real-time "
        "endpoint.",
    )
    vpc_config: Any | None = Field(
        None,
        description="Refused: a serverless endpoint cannot join a VPC; leave it out, or use a real-time endpoint.",
    )

    @field_validator("*")
    @classmethod
    def _refuse(cls, value: Any, info: ValidationInfo) -> Any:
        if value is not None and info.field_name in REASONS:
            raise ValueError(REASONS[info.field_name])
        return value


REASONS = {name: (field.description or "").removeprefix("Refused: ") for name, field in Refused.model_fields.items()}


def preconditions() -> list[dict[str, str]]:
    """The same for Terraform."""
    return [
        {"condition": f"${{var.{name} == null}}", "error_message": f"{name}: {reason}"}
        for name, reason in REASONS.items()
    ]
