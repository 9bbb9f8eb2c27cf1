"""Cases of rules/training/volume_keys.py."""

from typing import Any

from tests.rules.case_tables import CaseTable
from tests.rules.cases.account.dead_services import NO_TRAINING, UNREAD, job, pipeline, training
from tests.rules.endpoints import UNKNOWN, Resources

KEY = "arn:aws:kms:eu-north-1:123456789012:key/k"


def keyed(kind: str, key: Any = KEY) -> Resources:
    """Return a training job with a volume key."""
    return job(resource_config={"instance_type": kind, "instance_count": 1, "volume_kms_key_id": key})


def step(kind: Any, *, transform: bool = False) -> Resources:
    """Return a step with a volume key."""
    cluster = {"InstanceType": kind, "InstanceCount": 1, "VolumeKmsKeyId": KEY}
    arguments = {"TransformResources": cluster} if transform else {"ProcessingResources": {"ClusterConfig": cluster}}
    return pipeline({"Name": "Work", "Type": "Transform" if transform else "Processing", "Arguments": arguments})


CASES: CaseTable = {
    "SUS_TRAINING_KMS_ON_LOCAL_DISK": {
        "pass": {"no local disk": keyed("ml.m5.large"), "a key of the same plan": keyed("ml.m5.large", UNKNOWN)},
        "fail": {
            "a local disk": keyed("ml.g5.xlarge"),
            "a key known after apply, which is one": keyed("ml.g5.xlarge", UNKNOWN),
            "a step": pipeline(training(ResourceConfig={"InstanceType": "ml.p4d.24xlarge", "VolumeKmsKeyId": KEY})),
        },
        "unknown": {**UNREAD, "a type known after apply": keyed(UNKNOWN), "a type nobody knows": keyed("ml.z9.huge")},
        "not_applicable": {**NO_TRAINING, "no key": keyed("ml.g5.xlarge", None)},
    },
    "SUS_STEP_KMS_ON_LOCAL_DISK": {
        "pass": {"no local disk": step("ml.m5.large")},
        "fail": {"processing": step("ml.g5.xlarge"), "transform": step("ml.g4dn.xlarge", transform=True)},
        "unknown": {**UNREAD, "a type of each execution": step({"Get": "Execution.Type"})},
        "not_applicable": NO_TRAINING,
    },
}
