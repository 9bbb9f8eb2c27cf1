"""Where an endpoint writes and by which key: looked for when it is made or updated, not with its configuration.

A topic that is not there, or that the model's role may not publish to, lets the endpoint fail, in the words here. That
buckets do so too where they are not there, and keys at once, is assumed.
"""

from collections.abc import Iterator

from sustainable_mlops.aws.s3 import S3Uri
from sagemaker_sandbox import roles
from sagemaker_sandbox.errors import ValidationError
from sagemaker_sandbox.parts.region import AccountRegion
from sagemaker_sandbox.parts.resources import Fields
from sagemaker_sandbox.policies import Decision
from sagemaker_sandbox.sagemaker import resource_lookup


def check_key(region: AccountRegion, config: Fields) -> None:
    """Raise ValidationError where the key for the volumes of a configuration's instances does not exist."""
    key = config.get("KmsKeyId")
    if key and not resource_lookup.has_key(region, key):
        raise ValidationError(f"The KMS key {key} does not exist or is not accessible.")


def unreachable(config: Fields, role: str) -> str | None:
    """Why an endpoint of a configuration fails: what is not there that it writes to; `role` is its model's."""
    for topic in _topics(config):
        if not resource_lookup.has_topic(topic) or not _may(role, "sns:Publish", topic):
            return _invalid(role, "sns:Publish", f'topic "{topic}"')
    for uri in _addresses(config):
        address = S3Uri.of_url(uri)
        if address is None or not resource_lookup.has_bucket(address.bucket):
            return _invalid(role, "s3:PutObject", f'"{uri}"')
    return None


def _may(role: str, action: str, resource: str) -> bool:
    return roles.decide_action(role.split(":")[4], role, action, resource) is Decision.ALLOWED


def _topics(config: Fields) -> Iterator[str]:
    notices = config.get("AsyncInferenceConfig", {}).get("OutputConfig", {}).get("NotificationConfig", {})
    yield from (notices[member] for member in ("SuccessTopic", "ErrorTopic") if member in notices)


def _addresses(config: Fields) -> Iterator[str]:
    capture = config.get("DataCaptureConfig", {})
    if capture.get("EnableCapture"):
        yield capture["DestinationS3Uri"]
    output = config.get("AsyncInferenceConfig", {}).get("OutputConfig", {})
    yield from (output[member] for member in ("S3OutputPath", "S3FailurePath") if member in output)
    for variant in config["ProductionVariants"]:
        if "CoreDumpConfig" in variant:
            yield variant["CoreDumpConfig"]["DestinationS3Uri"]


def _invalid(role: str, action: str, what: str) -> str:
    return (
        f"The provided role '{role}' is invalid. Please ensure the role exists, that its trust relationship policy "
        f'allows the action "sts:AssumeRole" for the service principal "sagemaker.amazonaws.com", and has "{action}" '
        f"permissions for {what}."
    )
