"""Inputs of `footprint`."""

from typing import Annotated

from modules.common import KmsKeyArn, LocatedInputs, MapKey, ProtectedInputs, TagKey
from modules.location import require_key_in_region
from modules.storage.inputs import LONGEST_BUCKET_NAME
from modules.subscribers import Subscriber, require_distinct_endpoints
from sustainable_mlops.authoring import Field, ModuleInputs, must, rule
from sustainable_mlops.authoring.expressions import every, length, list_of, optional

#: The name of a budget contains the name of its workload. AWS allows 100 characters, without `:` and `\\`.
WorkloadName = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z0-9_.@+=-]{1,64}$",
        json_schema_extra=must("be 1 to 64 letters, digits and the characters _ . @ + = -, as in the tags"),
    ),
]
EmailAddress = Annotated[
    str,
    Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$", json_schema_extra=must("be an email address")),
]
Percentage = Annotated[int, Field(ge=1, le=1000)]


class ExistingKmsKey(ModuleInputs):
    """Existing KMS key."""

    arn: KmsKeyArn = Field(
        description="ARN of the key. Its policy must let budgets.amazonaws.com and costalerts.amazonaws.com use it."
    )


class CarbonExport(ModuleInputs):
    """Delivery of the carbon figures."""

    expire_after_days: int | None = Field(
        None, ge=1, description="Delete files this number of days after their last delivery. Null keeps them."
    )
    keep_every_delivery: bool = Field(
        False,
        description="Add files at each delivery instead of overwriting them. AWS corrects earlier months, so every "
        "month then has several versions.",
    )


class Budget(ModuleInputs):
    """Monthly budget of a workload."""

    actual_percent: list[Percentage] = Field(
        default_factory=lambda: [80, 100],
        max_length=5,
        description="Notify when the actual cost exceeds these percentages of the limit.",
    )
    forecast_percent: list[Percentage] = Field(
        default_factory=lambda: [100],
        max_length=5,
        description="Notify when the forecast of the month exceeds these percentages of the limit.",
    )
    monthly_limit_usd: float = Field(ge=1, description="Limit of a month in USD.")


class ExistingMonitor(ModuleInputs):
    """Existing monitor of the account's services."""

    arn: Annotated[
        str,
        Field(
            pattern=r"^arn:aws:ce::[0-9]{12}:anomalymonitor/.+$",
            json_schema_extra=must("be the ARN of an anomaly monitor (arn:aws:ce::…:anomalymonitor/…)"),
        ),
    ] = Field(description="ARN of the monitor.")


class AnomalyDetection(ModuleInputs):
    """Detection of unusual costs of each service."""

    existing_monitor: ExistingMonitor | None = Field(
        None,
        description="Existing anomaly monitor of services. An account can have only one. AWS creates it with Cost "
        "Explorer in newer accounts. Default: a new one.",
    )
    minimum_impact_usd: float = Field(10, ge=0, description="Notify of anomalies with at least this impact in USD.")


class Inputs(LocatedInputs, ProtectedInputs):
    anomaly_detection: AnomalyDetection | None = Field(
        None, description="Detect unusual costs of each service of the account. Default: none."
    )
    budgets: dict[WorkloadName, Budget] = Field(
        default_factory=dict, description="Monthly budgets by workload, which is the value of its tag."
    )
    carbon_export: CarbonExport = Field(
        default_factory=CarbonExport, description="Delivery of the account's carbon figures to the bucket."
    )
    cost_allocation_tags: list[TagKey] = Field(
        default_factory=list,
        description="Tag keys to activate for costs. Only the payer account can activate one, once a bill has it.",
    )
    existing_kms_key: ExistingKmsKey | None = Field(
        None,
        description="Encrypt the topic with this key instead of a new one. It is an object, so that the ARN may be "
        "unknown until apply.",
    )
    notify_emails: list[EmailAddress] = Field(
        default_factory=list,
        max_length=10,
        description="Email addresses that AWS notifies directly, in addition to the topic.",
    )
    subscribers: dict[MapKey, Subscriber] = Field(
        default_factory=dict, description="Subscribers of the topic, by a key of your choice. Default: none."
    )
    partition: str = Field(
        "aws",
        description="Partition of the account. AWS reports carbon only in aws.",
        pattern="^aws$",
        json_schema_extra=must("be aws: AWS has no carbon figures of the partitions aws-cn and aws-us-gov"),
    )
    workload_tag_key: Annotated[
        str,
        Field(
            pattern=r"^[A-Za-z0-9_.:/=+@-]{1,128}$",
            json_schema_extra=must("be 1 to 128 letters, digits and the characters _ . : / = + @ -"),
        ),
    ] = Field("workload", description="Key of the tag that names the workload of a resource.")

    rules = (
        rule(
            "budgets",
            lambda v: every(
                v.budgets, lambda budget: length(budget.actual_percent) + length(budget.forecast_percent) > 0
            ),
            "a budget needs at least one of actual_percent and forecast_percent; otherwise it notifies nobody",
        ),
        require_distinct_endpoints("subscribers", lambda v: v.subscribers),
        require_key_in_region(
            "existing_kms_key", lambda v: list_of(optional(v.existing_kms_key), lambda existing: existing.arn)
        ),
        rule(
            "name_prefix",
            lambda v: length(get_bucket_name(v)) <= LONGEST_BUCKET_NAME,
            f"the name of the bucket may have {LONGEST_BUCKET_NAME} characters: shorten name_prefix",
        ),
    )


def get_bucket_name(var: LocatedInputs) -> str:
    """Return the name of the export's bucket."""
    return f"{var.name_prefix}-carbon-{var.account_id}-{var.region}"
