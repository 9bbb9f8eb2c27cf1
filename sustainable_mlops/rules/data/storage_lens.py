"""S3 Storage Lens, which shows unused data.

The rule does not require a configuration: an account needs only one, mostly managed elsewhere.
"""

from sustainable_mlops.plan import Plan, Resource
from sustainable_mlops.rules.attributes import check_value
from sustainable_mlops.rules.rule import RuleResults, Severity, rule


@rule(
    id="SUS_STORAGE_LENS",
    severity=Severity.WARN,
    title="A Storage Lens configuration should be enabled",
    problem="A Storage Lens configuration is not enabled",
    practices=("21",),
    fix="Set storage_lens_configuration.enabled = true.",
    types=("aws_s3control_storage_lens_configuration",),
)
def storage_lens_is_on(_: Plan, configuration: Resource) -> RuleResults:
    """Check that an existing configuration is enabled."""
    path = "storage_lens_configuration.0.enabled"
    yield check_value(configuration.flag(path), path, lambda flag: flag is True, "the configuration is disabled")
