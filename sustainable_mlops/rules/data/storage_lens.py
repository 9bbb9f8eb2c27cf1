"""S3 Storage Lens, which shows what nobody reads any more.

That an account has one is not asked of every plan: one is enough, and it mostly is elsewhere.
"""

from sustainable_mlops.plan import Plan, Resource
from sustainable_mlops.rules.reading import judge
from sustainable_mlops.rules.rule import Severity, Verdicts, rule


@rule(
    id="SUS_STORAGE_LENS",
    severity=Severity.WARN,
    title="A Storage Lens configuration is at work",
    practices=("21",),
    fix="Set storage_lens_configuration.enabled = true.",
    types=("aws_s3control_storage_lens_configuration",),
)
def storage_lens_is_on(_: Plan, configuration: Resource) -> Verdicts:
    """One that is there, but off."""
    path = "storage_lens_configuration.0.enabled"
    yield judge(configuration.flag(path), path, lambda on: on is True, "the configuration is there but off")
