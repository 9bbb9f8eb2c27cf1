"""What moto lacks and the Terraform provider or the jobs need, closed one small file a gap.

Each module's `close` changes moto in place; each says which gap it closes, so that it can go once moto has it.
"""

import functools
import importlib

#: moto's name of a service to what it lacks.
GAPS = {
    "cloudwatch": ("cloudwatch_special_numbers",),
    "events": ("events_test_pattern",),
    "iam": ("iam_service_linked_roles", "iam_simulation"),
    "kms": ("kms_key_ids",),
    "logs": ("logs_kms_keys", "logs_tags"),
    "s3": ("s3_bucket_documents", "s3_bucket_tags", "s3_delete_markers", "s3_log_delivery", "s3_policy_conditions"),
    "scheduler": ("scheduler_tags",),
    "servicequotas": ("service_quotas",),
    "ssm": ("ssm_parameter_tiers",),
}


@functools.cache
def close(service: str) -> None:
    """Close a service's gaps, once for the process: before it answers, or is brought back."""
    for gap in GAPS.get(service, ()):
        importlib.import_module(f"{__name__}.{gap}").close()
