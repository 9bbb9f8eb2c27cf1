"""Cases of rules/serving/hardware.py."""

from typing import Any

from tests.rules.case_tables import CaseTable
from tests.rules.endpoints import UNKNOWN, Resources, build_real_time, build_serverless
from tests.rules.jobs import build_pipeline, build_step

NEURON = {"primary_container": {"image": "r/pytorch-inference-neuronx:2.7-neuronx-py310"}}
UNSURE = {"a type known after apply": build_real_time(variant={"instance_type": UNKNOWN})}
WITHOUT = {"a serverless one": build_serverless()}


def on(kind: str, **more: Any) -> Resources:
    """Return a real-time endpoint on instances of this type."""
    return build_real_time(variant={"instance_type": kind}, **more)


def keyed(kind: str, key: str | None = "arn:aws:kms:eu-north-1:123456789012:key/k") -> Resources:
    """Return such an endpoint with a volume key."""
    return on(kind, configuration={"kms_key_arn": key})


CASES: CaseTable = {
    "SUS_ENDPOINT_X86": {
        "pass": {"Graviton": on("ml.c7g.xlarge")},
        "fail": {"Intel": on("ml.m5.large")},
        "unknown": {**UNSURE, "a type that nobody knows": on("ml.z9.huge")},
        "not_applicable": {**WITHOUT, "a GPU": on("ml.g5.xlarge")},
    },
    "SUS_ENDPOINT_GPU": {
        "pass": {"Inferentia 2": on("ml.inf2.xlarge")},
        "fail": {"a GPU": on("ml.g5.xlarge"), "a large one": on("ml.p4d.24xlarge")},
        "unknown": UNSURE,
        "not_applicable": {**WITHOUT, "no accelerator": on("ml.c7g.xlarge")},
    },
    "SUS_INFERENTIA_IMAGE": {
        "pass": {"an image for Neuron": on("ml.inf2.xlarge", model=NEURON)},
        "fail": {"an image that is not": on("ml.inf2.xlarge")},
        "unknown": {
            **UNSURE,
            "a model package brings it": on("ml.inf2.xlarge", model={"primary_container": {"model_package_name": "p"}}),
        },
        "not_applicable": {**WITHOUT, "no accelerator": on("ml.c7g.xlarge")},
    },
    "SUS_GRAVITON_NOT_HOSTED": {
        "pass": {"hosted": on("ml.m8g.large")},
        "fail": {
            "not hosted": on("ml.m7g.large"),
            "in a step": build_pipeline(
                build_step("EndpointConfig", {"ProductionVariants": [{"InstanceType": "ml.m7g.large"}]})
            ),
        },
        "unknown": UNSURE,
        "not_applicable": {**WITHOUT, "x86": on("ml.c7i.large"), "a GPU": on("ml.g5.xlarge")},
    },
    "SUS_ENDPOINT_KMS_ON_LOCAL_DISK": {
        "pass": {"no local disk": keyed("ml.c7g.xlarge")},
        "fail": {
            "a local disk": keyed("ml.m5d.large"),
            "a key of the same plan": {**keyed("ml.m5d.large", "${aws_kms_key.k.arn}"), "aws_kms_key.k": {}},
        },
        "unknown": {
            "a type known after apply": keyed(UNKNOWN),
            "a type that nobody knows": keyed("ml.z9.huge"),
            "a key known after apply": keyed("ml.m5d.large", UNKNOWN),
        },
        "not_applicable": {**WITHOUT, "no key": keyed("ml.m5d.large", None)},
    },
}
