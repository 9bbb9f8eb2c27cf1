"""The instances of an endpoint, and which images cannot run on them."""

from typing import Any, ClassVar

from sustainable_mlops.authoring import Field, ModuleInputs, must, rule
from sustainable_mlops.authoring.expressions import contains, cut, holds, is_null
from sustainable_mlops.authoring.rules import Rule
from sustainable_mlops.catalogue.instances import everything

_HOSTED = [instance for instance in everything().values() if "hosting" in instance.uses]
#: Families whose storage is a disk of their own, which encrypts itself.
LOCAL_DISK = sorted({instance.family for instance in _HOSTED if instance.local_ssd_gb})
#: Starts of the types whose CPU is of the Arm architecture, such as `ml.c7g`; and of AWS's deep learning chips.
_ARM = sorted({instance.name[: len("ml.c7g")] for instance in _HOSTED if instance.arm})
_NEURON = ["ml.inf", "ml.trn"]
_GPU = ["ml.g", "ml.p"]


def _starts(v: Any, starts: list[str]) -> bool:
    return contains(starts, cut(v.instance_type, len(starts[0])))


def _says(v: Any, word: str) -> bool:
    return holds(v.image_uri, word)


def _is_for_x86(v: Any) -> Any:
    """AWS's own images, which say arm64 or graviton where they are for Arm."""
    of_framework = _says(v, "/sagemaker-xgboost:") | _says(v, "/sagemaker-scikit-learn:")
    deep_learning = _says(v, "-inference:") & _says(v, "-cpu-py")
    return ~_says(v, "arm64") & (of_framework | deep_learning)


class OnInstances(ModuleInputs):
    """Inputs of an endpoint on instances. What an image is for can be told where its name says it."""

    image_uri: str | None
    instance_type: str = Field(
        "ml.c7g.xlarge",
        description="Type of the instances; those with a local disk encrypt that themselves, without kms_key_arn.",
        pattern=r"^ml\.[a-z0-9-]+\.[a-z0-9]+$",
        json_schema_extra=must("be an instance type such as ml.c7g.xlarge"),
    )

    rules: ClassVar[tuple[Rule, ...]] = (
        rule(
            "image_uri",
            lambda v: is_null(v.image_uri) | ~_says(v, "-gpu-") | _starts(v, _GPU),
            lambda v: f"this image is for GPU, which {v.instance_type} does not have; use the image for CPU.",
        ),
        rule(
            "image_uri",
            lambda v: is_null(v.image_uri) | (_says(v, "neuron") == _starts(v, _NEURON)),
            lambda v: f"{v.instance_type} and this image do not fit: Inferentia and Trainium run Neuron images alone.",
        ),
        rule(
            "image_uri",
            lambda v: is_null(v.image_uri) | ~(_says(v, "graviton") | _says(v, "arm64")) | _starts(v, _ARM),
            lambda v: f"this image is for Arm, and {v.instance_type} is not; use ml.c7g, ml.m6g or ml.r6g.",
        ),
        rule(
            "image_uri",
            lambda v: is_null(v.image_uri) | ~_starts(v, _ARM) | ~_is_for_x86(v),
            lambda v: (
                f"{v.instance_type} is Arm, and this image is for x86; use one for arm64, or an x86 type such as "
                "ml.c7i.xlarge."
            ),
        ),
    )
