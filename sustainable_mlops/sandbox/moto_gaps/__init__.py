"""What moto lacks and the Terraform provider or the jobs need, closed one small file a service.

Each module's `close` changes moto in place; each says which gap it closes, so that it can go once moto has it.
"""

from sustainable_mlops.sandbox.moto_gaps import (
    application_autoscaling,
    iam_simulation,
    s3_bucket_documents,
    s3_delete_markers,
    s3_log_delivery,
    s3_policy_conditions,
)

GAPS = (
    application_autoscaling,
    iam_simulation,
    s3_bucket_documents,
    s3_delete_markers,
    s3_log_delivery,
    s3_policy_conditions,
)


def close_all() -> None:
    """Close every gap, once for the process."""
    for gap in GAPS:
        gap.close()
