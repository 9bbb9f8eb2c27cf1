"""What moto lacks and the Terraform provider or the jobs need, closed one small file a gap.

Each module's `close` changes moto in place; each says which gap it closes, so that it can go once moto has it.
"""

import functools
import importlib

#: moto's name of a service to what it lacks.
GAPS = {
    "applicationautoscaling": ("application_autoscaling",),
    "events": ("events_test_pattern",),
    "iam": ("iam_simulation",),
    "s3": ("s3_bucket_documents", "s3_delete_markers", "s3_log_delivery", "s3_policy_conditions"),
}


@functools.cache
def close(service: str) -> None:
    """Close a service's gaps, once for the process: before it answers, or is brought back.

    Not all at the start: what Application Auto Scaling is made of takes as long to load as the rest of the sandbox.
    """
    for gap in GAPS.get(service, ()):
        importlib.import_module(f"{__name__}.{gap}").close()
