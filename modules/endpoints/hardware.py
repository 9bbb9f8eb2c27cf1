"""Instances of an endpoint: their silicon, their availability by Region, and the images that run on them.

The tables come from the catalogue. They are locals of a module, and the rules read them.
"""

import re
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, get_args

from modules.common import make_instance_type_field
from sustainable_mlops.authoring import Field, ModuleInputs, rule
from sustainable_mlops.authoring.expressions import (
    can,
    concat,
    contains,
    distinct,
    get,
    is_null,
    join,
    keys,
    list_of,
    local_table,
    match,
    split,
    when,
)
from sustainable_mlops.authoring.rules import InputRule
from sustainable_mlops.catalogue.images import IMAGE_PATTERNS, SILICON_PATTERNS, build_exclusion
from sustainable_mlops.catalogue.instances import InstanceType, Silicon, is_offered, is_refused_by_provider, load_all
from sustainable_mlops.catalogue.regions import load_all as regions

if TYPE_CHECKING:
    from sustainable_mlops.authoring.resources import Module

#: Last major version of the AWS provider that refuses some instance types of SageMaker.
OLD_PROVIDER_VERSION = 5
#: Pattern of burstable families, which Application Auto Scaling refuses: t2, but not trn1.
BURSTABLE = "t[0-9]"
#: Table that only a module with several containers reads.
MULTI_CONTAINER_TABLE = "images_not_beside"
#: Pattern that no image matches.
_NEVER = "^$"
#: Drivers of Inferentia2 and Trainium.
NEURON_DRIVERS = "al2-ami-sagemaker-inference-neuron-2"

#: Regions whose instance types the catalogue knows.
_REGIONS = sorted(name for name in regions() if is_offered("ml.m5.large", name) is not None)


def _get_size(name: str) -> str:
    """Return the size of an instance type: `large` for `ml.c7g.large`."""
    return name.split(".")[2]


def _group_by_family() -> dict[str, list[InstanceType]]:
    families: dict[str, list[InstanceType]] = {}
    for instance in load_all().values():
        hosts = "hosting" in instance.uses and instance.silicon and not re.match(BURSTABLE, instance.family)
        if hosts and any(is_offered(instance.name, one) for one in _REGIONS):
            families.setdefault(instance.family, []).append(instance)
    return dict(sorted(families.items()))


_HOSTED = _group_by_family()
_FAMILIES = {
    silicon: [family for family, types in _HOSTED.items() if types[0].silicon == silicon]
    for silicon in get_args(Silicon)
}
_SIZES = {
    family: [_get_size(one.name) for one in sorted(types, key=lambda one: (one.vcpu, one.memory_gib))]
    for family, types in _HOSTED.items()
}


def _list_missing_regions() -> dict[str, list[str]]:
    """Return the Regions without a family, and for each type the Regions that have only other types of its family."""
    regions_without: dict[str, list[str]] = {}
    for family, types in _HOSTED.items():
        available = [region for region in _REGIONS if any(is_offered(one.name, region) for one in types)]
        regions_without[family] = [region for region in _REGIONS if region not in available]
        regions_without |= {
            one.name: [region for region in available if not is_offered(one.name, region)] for one in types
        }
    return {name: regions for name, regions in regions_without.items() if regions}


_MISSING_REGIONS = _list_missing_regions()
_REFUSED = {
    family: [one.name for one in types if is_refused_by_provider(one.name, "hosting", OLD_PROVIDER_VERSION)]
    for family, types in _HOSTED.items()
}

_REFUSED_ALL = [name for name, types in _REFUSED.items() if len(types) == len(_HOSTED[name])]
_REFUSED_SOME = [one for name, types in _REFUSED.items() if name not in _REFUSED_ALL for one in types]


def _list_excluded_images(*, in_same_endpoint: bool = False) -> dict[str, str]:
    """Return by silicon the pattern of images for other silicon."""
    return {one: build_exclusion(one, in_same_endpoint=in_same_endpoint) for one in get_args(Silicon)}


_LOCAL_DISK = [name for name, types in _HOSTED.items() if types[0].local_ssd_gb]
#: Tables that rules and resources read, by name: the value and its comment.
TABLES: dict[str, tuple[Any, str]] = {
    "families": (_FAMILIES, "Instance families for SageMaker hosting, by silicon."),
    "images_for": (IMAGE_PATTERNS, "Patterns of images for one silicon. Images that match none may run on any."),
    MULTI_CONTAINER_TABLE: (
        _list_excluded_images(in_same_endpoint=True),
        "Patterns of images that cannot run next to others on this silicon.",
    ),
    "images_not_for": (
        _list_excluded_images(),
        "Patterns of images for other silicon; amd64 is every silicon except Graviton.",
    ),
    "local_disk": (_LOCAL_DISK, "Families with a local disk, which encrypts itself."),
    "not_in_region": (
        _MISSING_REGIONS,
        "Regions without a family or a type. All other Regions have it.",
    ),
    f"refused_by_provider_{OLD_PROVIDER_VERSION}": (
        [*_REFUSED_ALL, *_REFUSED_SOME],
        f"Families, and single types, that version {OLD_PROVIDER_VERSION} of the AWS provider refuses.",
    ),
    "sizes": (_SIZES, "Instance sizes of each family for SageMaker hosting."),
}
_families, _images, _excluded_neighbours, _excluded_images, _local_disk, _missing_regions, _refused, _sizes = (
    local_table(name, value) for name, (value, _) in TABLES.items()
)


def get_family(instance_type: str) -> str:
    """Return the family of an instance type: `c7g` for `ml.c7g.large`."""
    return _get_part(instance_type, 1)


def _get_part(instance_type: str, index: int) -> str:
    """Return a part of a type's name. It never fails; the input's pattern reports invalid types."""
    return concat(split(".", instance_type), ["", ""])[index]


def is_unavailable(instance_type: str, region: str) -> bool:
    """Return whether the catalogue knows that a Region does not have a type."""
    return region in [*_MISSING_REGIONS.get(instance_type.split(".")[1], ()), *_MISSING_REGIONS.get(instance_type, ())]


def add_tables(module: "Module[Any]", *but: str) -> None:
    """Add the tables as locals, except those in `but`."""
    for name, (value, why) in TABLES.items():
        if name not in but:
            module.local(name, value, why=why)


def add_instance_type_trigger(module: "Module[Any]") -> Any:
    """Add a trigger that removes the scaling before an endpoint changes its instance type, and restores it after.

    SageMaker refuses a new instance type for a variant with scaling. Terraform destroys the scalable target before this
    trigger, replaces the trigger, updates the endpoint (which depends on the trigger), and then creates the target.
    """
    from sustainable_mlops.authoring.cdktn import DataResource

    return module.add(
        DataResource,
        "instance_type",
        why="SageMaker refuses a new instance type for variants with scaling. This resource sets the order: the "
        "scaling is destroyed first, then this is replaced, then the endpoint is updated, and then the scaling is "
        "created.",
        triggers_replace={"instance_type": module.var.instance_type},
    )


def add_driver_version(module: "Module[Any]", others: Any = None) -> Any:
    """Add the driver version of the instances: Neuron for Inferentia, or `others`."""
    return module.local(
        "inference_ami_version",
        when(module.var.silicon == "inferentia2", NEURON_DRIVERS, others),
        why="SageMaker starts Inferentia2 with Neuron drivers only if they are set.",
    )


def select_volume_key(var: Any) -> Any:
    """Return the KMS key of the instances' volumes; null for instances with a local disk."""
    return when(contains(_local_disk, get_family(var.instance_type)), None, var.kms_key_arn)


#: Checkov suppression for configurations without a KMS key.
SKIP_NO_KEY = {"CKV_AWS_98": "only instances with a local disk have no key: the disk encrypts itself"}


def list_silicon(image: str) -> list[str]:
    """Return the silicon that an image's name shows; empty if it shows none."""
    return distinct(
        list_of(
            _images,
            lambda silicon, _pattern: when(silicon == "amd64", "x86", silicon),
            where=lambda _silicon, pattern: can(match(pattern, image)),
        )
    )


def allows_silicon(image: str, silicon: Any) -> Any:
    """Return the condition that an image's name does not show other silicon."""
    return ~can(match(get(_excluded_images, silicon, _NEVER), image))


def is_neuron(image: str) -> Any:
    """Return the condition that an image's name shows Inferentia."""
    return can(match(SILICON_PATTERNS["inferentia2"], image))


def may_run_on(image: Any, silicon: Any) -> Any:
    """Return the condition that an optional image may run on the silicon."""
    return is_null(image) | (allows_silicon(image, silicon) & ((silicon != "inferentia2") | is_neuron(image)))


def shows_other_silicon(image: Any, silicon: Any) -> Any:
    """Return the condition that an image's name shows other silicon, for images that share instances."""
    return can(match(get(_excluded_neighbours, silicon, _NEVER), image))


class InstanceInputs(ModuleInputs):
    """Inputs of an endpoint on instances."""

    image_uri: str | None
    region: str
    aws_provider: Literal[5, 6] = Field(
        5,
        description="Major version of the AWS provider in use, which a module cannot read. Version 5 refuses newer "
        "instance types, such as ml.c8g; version 6 accepts them.",
    )
    instance_type: Annotated[str, make_instance_type_field("ml.c7g.xlarge")] = Field(
        "ml.c7g.xlarge",
        description="Instance type, with this silicon. Types with a local disk encrypt it themselves, without "
        "kms_key_arn.",
    )
    silicon: Silicon = Field(
        "graviton",
        description="Processor of the instances. graviton uses the least energy for most models, inferentia2 for deep "
        "learning that Neuron compiles. Use gpu and x86 for models that run on neither.",
    )

    rules: ClassVar[tuple[InputRule, ...]] = (
        rule(
            "instance_type",
            lambda v: get_family(v.instance_type) != "inf1",
            "the first Inferentia supports neither deployment guardrails nor current Neuron images; use ml.inf2.",
        ),
        rule(
            "instance_type",
            lambda v: ~can(match(rf"^ml\.{BURSTABLE}", v.instance_type)),
            "Application Auto Scaling refuses burstable instances; use another family.",
        ),
        rule(
            "instance_type",
            lambda v: contains(get(_families, v.silicon, []), get_family(v.instance_type)),
            lambda v: (
                f"{v.instance_type} is not of silicon {v.silicon}; the {v.silicon} families for SageMaker hosting are "
                f"{join(', ', get(_families, v.silicon, []))}."
            ),
        ),
        rule(
            "instance_type",
            lambda v: (
                ~contains(keys(_sizes), get_family(v.instance_type))
                | contains(get(_sizes, get_family(v.instance_type), []), _get_part(v.instance_type, 2))
            ),
            lambda v: (
                f"SageMaker hosting has no {v.instance_type}; the sizes of {get_family(v.instance_type)} are "
                f"{join(', ', get(_sizes, get_family(v.instance_type), []))}."
            ),
        ),
        rule(
            "instance_type",
            lambda v: (
                (v.aws_provider > OLD_PROVIDER_VERSION)
                | ~(contains(_refused, get_family(v.instance_type)) | contains(_refused, v.instance_type))
            ),
            lambda v: (
                f"version {OLD_PROVIDER_VERSION} of the AWS provider refuses {v.instance_type}; use another "
                f"{v.silicon} type, or version {OLD_PROVIDER_VERSION + 1} and aws_provider = "
                f"{OLD_PROVIDER_VERSION + 1}."
            ),
        ),
        rule(
            "instance_type",
            lambda v: (
                ~contains(
                    concat(
                        get(_missing_regions, get_family(v.instance_type), []),
                        get(_missing_regions, v.instance_type, []),
                    ),
                    v.region,
                )
            ),
            lambda v: f"{v.region} has no {v.instance_type}; use another type, or another Region.",
        ),
        rule(
            "image_uri",
            lambda v: is_null(v.image_uri) | allows_silicon(v.image_uri, v.silicon),
            lambda v: (
                f"this image is for {join(' and ', list_silicon(v.image_uri))}, and {v.instance_type} is "
                f"{v.silicon}; use an image for it, or other silicon."
            ),
        ),
        rule(
            "image_uri",
            lambda v: (v.silicon != "inferentia2") | is_null(v.image_uri) | is_neuron(v.image_uri),
            "Inferentia runs only Neuron images, whose names contain neuron; use one, or other silicon.",
        ),
    )
