"""Checks of the destinations and keys of an endpoint, when it is created or updated.

If a topic does not exist, or the model's role may not publish to it, the endpoint fails with this message. It is
assumed that a missing bucket has the same effect, and that a missing key is refused immediately.
"""

from collections.abc import Iterator

from sagemaker_sandbox.base.errors import ValidationError
from sagemaker_sandbox.iam import roles
from sagemaker_sandbox.resources.region import AccountRegion
from sagemaker_sandbox.resources.resources import Fields
from sagemaker_sandbox.sagemaker import resource_lookup
from sustainable_mlops.aws.arn import Arn
from sustainable_mlops.aws.s3 import S3Uri


def check_key(region: AccountRegion, config: Fields) -> None:
    """Raise ValidationError if the key for the volumes of a configuration's instances does not exist."""
    key = config.get("KmsKeyId")
    if key and not resource_lookup.has_key(region, key):
        raise ValidationError(f"The KMS key {key} does not exist or is not accessible.")


def find_unreachable_destination(config: Fields, role: str) -> str | None:
    """Return the failure reason for a destination that does not exist or is not allowed, or None.

    `role` is the role of the model.
    """
    for topic in _list_topics(config):
        if not resource_lookup.has_topic(topic) or not _is_allowed(role, "sns:Publish", topic):
            return _describe_failure(role, "sns:Publish", f'topic "{topic}"')
    for uri in _list_addresses(config):
        address = S3Uri.parse_url(uri)
        if address is None or not resource_lookup.has_bucket(address.bucket):
            return _describe_failure(role, "s3:PutObject", f'"{uri}"')
    return None


def _is_allowed(role: str, action: str, resource: str) -> bool:
    return roles.decide_action(Arn.parse(role).account, role, action, resource).allowed


def _list_topics(config: Fields) -> Iterator[str]:
    topics = config.get("AsyncInferenceConfig", {}).get("OutputConfig", {}).get("NotificationConfig", {})
    yield from (topics[member] for member in ("SuccessTopic", "ErrorTopic") if member in topics)


def _list_addresses(config: Fields) -> Iterator[str]:
    capture = config.get("DataCaptureConfig", {})
    if capture.get("EnableCapture"):
        yield capture["DestinationS3Uri"]
    output = config.get("AsyncInferenceConfig", {}).get("OutputConfig", {})
    yield from (output[member] for member in ("S3OutputPath", "S3FailurePath") if member in output)
    for variant in config["ProductionVariants"]:
        if "CoreDumpConfig" in variant:
            yield variant["CoreDumpConfig"]["DestinationS3Uri"]


def _describe_failure(role: str, action: str, destination: str) -> str:
    return (
        f"The provided role '{role}' is invalid. Please ensure the role exists, that its trust relationship policy "
        f'allows the action "sts:AssumeRole" for the service principal "sagemaker.amazonaws.com", and has "{action}" '
        f"permissions for {destination}."
    )
