"""Cases of rules/training/volume_keys.py."""

from typing import Any

from tests.rules.case_tables import CaseTable
from tests.rules.cases.account.discontinued_services import (
    NO_TRAINING,
    UNREAD,
    build_old_job,
    build_old_pipeline,
    build_training_step,
)
from tests.rules.endpoints import UNKNOWN, Resources

KEY = "arn:aws:kms:eu-north-1:123456789012:key/k"


def build_keyed_job(kind: str, key: Any = KEY) -> Resources:
    """Return a training job with a volume key."""
    return build_old_job(resource_config={"instance_type": kind, "instance_count": 1, "volume_kms_key_id": key})


def build_keyed_step(kind: Any, *, transform: bool = False) -> Resources:
    """Return a step with a volume key."""
    cluster = {"InstanceType": kind, "InstanceCount": 1, "VolumeKmsKeyId": KEY}
    arguments = {"TransformResources": cluster} if transform else {"ProcessingResources": {"ClusterConfig": cluster}}
    return build_old_pipeline(
        {"Name": "Work", "Type": "Transform" if transform else "Processing", "Arguments": arguments}
    )


CASES: CaseTable = {
    "SUS_TRAINING_KMS_ON_LOCAL_DISK": {
        "pass": {
            "no local disk": build_keyed_job("ml.m5.large"),
            "a key of the same plan": build_keyed_job("ml.m5.large", UNKNOWN),
        },
        "fail": {
            "a local disk": build_keyed_job("ml.g5.xlarge"),
            "a key known after apply": build_keyed_job("ml.g5.xlarge", UNKNOWN),
            "a step": build_old_pipeline(
                build_training_step(ResourceConfig={"InstanceType": "ml.p4d.24xlarge", "VolumeKmsKeyId": KEY})
            ),
        },
        "unknown": {
            **UNREAD,
            "a type known after apply": build_keyed_job(UNKNOWN),
            "an unknown instance type": build_keyed_job("ml.z9.huge"),
        },
        "not_applicable": {**NO_TRAINING, "no key": build_keyed_job("ml.g5.xlarge", None)},
    },
    "SUS_STEP_KMS_ON_LOCAL_DISK": {
        "pass": {"no local disk": build_keyed_step("ml.m5.large")},
        "fail": {
            "processing": build_keyed_step("ml.g5.xlarge"),
            "transform": build_keyed_step("ml.g4dn.xlarge", transform=True),
        },
        "unknown": {**UNREAD, "a type from a parameter": build_keyed_step({"Get": "Execution.Type"})},
        "not_applicable": NO_TRAINING,
    },
}
