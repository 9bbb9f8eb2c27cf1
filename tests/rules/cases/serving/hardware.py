"""Cases of rules/serving/hardware.py."""

from typing import Any

from tests.rules.case_tables import CaseTable
from tests.rules.endpoints import UNKNOWN, Resources, build_real_time, build_serverless
from tests.rules.jobs import build_pipeline, build_step

NEURON = {"primary_container": {"image": "r/pytorch-inference-neuronx:2.7-neuronx-py310"}}
UNSURE = {"a type known after apply": build_real_time(variant={"instance_type": UNKNOWN})}
WITHOUT = {"a serverless endpoint": build_serverless()}


def build_on_type(kind: str, **more: Any) -> Resources:
    """Return a real-time endpoint on instances of this type."""
    return build_real_time(variant={"instance_type": kind}, **more)


def build_on_pools(*types: str, **override: Any) -> Resources:
    """Return a real-time endpoint with an instance pool of each type; `override` extends the last pool."""
    pools = [{"instance_type": kind, "priority": number} for number, kind in enumerate(types, start=1)]
    return build_real_time(variant={"instance_type": None, "instance_pools": [*pools[:-1], {**pools[-1], **override}]})


def build_with_key(kind: str, key: str | None = "arn:aws:kms:eu-north-1:123456789012:key/k") -> Resources:
    """Return such an endpoint with a volume key."""
    return build_on_type(kind, configuration={"kms_key_arn": key})


CASES: CaseTable = {
    "SUS_ENDPOINT_X86": {
        "pass": {"Graviton": build_on_type("ml.c7g.xlarge")},
        "fail": {
            "Intel": build_on_type("ml.m5.large"),
            "Intel in the second pool": build_on_pools("ml.c7g.xlarge", "ml.m5.large"),
        },
        "unknown": {**UNSURE, "an unknown instance type": build_on_type("ml.z9.huge")},
        "not_applicable": {**WITHOUT, "a GPU": build_on_type("ml.g5.xlarge")},
    },
    "SUS_ENDPOINT_GPU": {
        "pass": {"Inferentia 2": build_on_type("ml.inf2.xlarge")},
        "fail": {
            "a GPU": build_on_type("ml.g5.xlarge"),
            "a GPU in the second pool": build_on_pools("ml.inf2.xlarge", "ml.g5.xlarge"),
            "a large GPU instance": build_on_type("ml.p4d.24xlarge"),
        },
        "unknown": UNSURE,
        "not_applicable": {**WITHOUT, "no accelerator": build_on_type("ml.c7g.xlarge")},
    },
    "SUS_INFERENTIA_IMAGE": {
        "pass": {
            "an image for Neuron": build_on_type("ml.inf2.xlarge", model=NEURON),
            "the model of a pool": {
                **build_on_pools("ml.g5.xlarge", "ml.inf2.xlarge", model_name_override="neuron"),
                "aws_sagemaker_model.n": {"name": "neuron", **NEURON},
            },
        },
        "fail": {
            "another image": build_on_type("ml.inf2.xlarge"),
            "in the second pool": build_on_pools("ml.g5.xlarge", "ml.inf2.xlarge"),
        },
        "unknown": {
            **UNSURE,
            "an image of a model package": build_on_type(
                "ml.inf2.xlarge", model={"primary_container": {"model_package_name": "p"}}
            ),
        },
        "not_applicable": {**WITHOUT, "no accelerator": build_on_type("ml.c7g.xlarge")},
    },
    "SUS_GRAVITON_NOT_HOSTED": {
        "pass": {"hosted": build_on_type("ml.m8g.large")},
        "fail": {
            "not hosted": build_on_type("ml.m7g.large"),
            "not hosted in the second pool": build_on_pools("ml.m6g.large", "ml.m7g.large"),
            "in a step": build_pipeline(
                build_step("EndpointConfig", {"ProductionVariants": [{"InstanceType": "ml.m7g.large"}]})
            ),
        },
        "unknown": UNSURE,
        "not_applicable": {**WITHOUT, "x86": build_on_type("ml.c7i.large"), "a GPU": build_on_type("ml.g5.xlarge")},
    },
    "SUS_ENDPOINT_KMS_ON_LOCAL_DISK": {
        "pass": {"no local disk": build_with_key("ml.c7g.xlarge")},
        "fail": {
            "a local disk": build_with_key("ml.m5d.large"),
            "a key of the same plan": {**build_with_key("ml.m5d.large", "${aws_kms_key.k.arn}"), "aws_kms_key.k": {}},
        },
        "unknown": {
            "a type known after apply": build_with_key(UNKNOWN),
            "an unknown instance type": build_with_key("ml.z9.huge"),
            "a key known after apply": build_with_key("ml.m5d.large", UNKNOWN),
        },
        "not_applicable": {**WITHOUT, "no key": build_with_key("ml.m5d.large", None)},
    },
}
