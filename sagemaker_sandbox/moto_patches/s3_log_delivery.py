"""S3 access logs: moto fails for a log bucket's policy with `Principal: "*"`.

It accepts a grant to log delivery only for the exact resource, not for a prefix above it.
"""

from moto.s3.models import LOGGING_SERVICE_PRINCIPAL, FakeBucket

from sagemaker_sandbox.iam.partial_requests import allows_service


def apply() -> None:
    """Allow the delivery of logs if the bucket's policy allows the service to write any object of the target."""

    def is_delivery_allowed(target_bucket: FakeBucket, target_prefix: str | None) -> bool:
        log = f"arn:{target_bucket.partition}:s3:::{target_bucket.name}/{target_prefix or ''}log"
        policy = (target_bucket.policy or b"{}").decode()
        return allows_service(policy, LOGGING_SERVICE_PRINCIPAL, "s3:PutObject", log)

    FakeBucket._log_permissions_enabled_policy = staticmethod(is_delivery_allowed)
