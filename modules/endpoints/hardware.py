"""The instances of an endpoint: of which silicon, what of it there is in a Region, and which images run on it.

The tables are of the catalogue. They stand as locals in a module's main.tf, which the rules read.
"""

import re
from typing import TYPE_CHECKING, Any, ClassVar, Literal, get_args

from sustainable_mlops.authoring import Field, ModuleInputs, must, rule
from sustainable_mlops.authoring.expressions import (
    can,
    concat,
    contains,
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
from sustainable_mlops.catalogue.images import FOR_SILICON, FOR_X86_CPUS
from sustainable_mlops.catalogue.instances import Instance, Silicon, everything, offered, refused
from sustainable_mlops.catalogue.regions import everything as regions

if TYPE_CHECKING:
    from sustainable_mlops.authoring.resources import Module

#: The last major version of the AWS provider that refuses some of the types that SageMaker takes.
OLD_PROVIDER_VERSION = 5
#: How families begin whose variants Application Auto Scaling refuses: t2, but trn1 not.
BURSTABLE = "t[0-9]"
#: The table that only a module of several containers reads.
MULTI_CONTAINER_TABLE = "images_not_beside"
#: What no image's name says.
_NEVER = "^$"
#: Drivers of Inferentia2 and Trainium.
NEURON_DRIVERS = "al2-ami-sagemaker-inference-neuron-2"

#: The Regions of which the catalogue knows what they have.
_REGIONS = sorted(name for name in regions() if offered("ml.m5.large", name) is not None)


def _size(name: str) -> str:
    """`large` of `ml.c7g.large`."""
    return name.split(".")[2]


def _by_family() -> dict[str, list[Instance]]:
    families: dict[str, list[Instance]] = {}
    for instance in everything().values():
        hosts = "hosting" in instance.uses and instance.silicon and not re.match(BURSTABLE, instance.family)
        if hosts and any(offered(instance.name, one) for one in _REGIONS):
            families.setdefault(instance.family, []).append(instance)
    return dict(sorted(families.items()))


_HOSTED = _by_family()
_FAMILIES = {
    silicon: [family for family, types in _HOSTED.items() if types[0].silicon == silicon]
    for silicon in get_args(Silicon)
}
_SIZES = {
    family: [_size(one.name) for one in sorted(types, key=lambda one: (one.vcpu, one.memory_gib))]
    for family, types in _HOSTED.items()
}


def _list_missing_regions() -> dict[str, list[str]]:
    """The Regions that have none of a family, and those that have others of it than a type."""
    regions_without: dict[str, list[str]] = {}
    for family, types in _HOSTED.items():
        available = [region for region in _REGIONS if any(offered(one.name, region) for one in types)]
        regions_without[family] = [region for region in _REGIONS if region not in available]
        regions_without |= {
            one.name: [region for region in available if not offered(one.name, region)] for one in types
        }
    return {name: regions for name, regions in regions_without.items() if regions}


_MISSING_REGIONS = _list_missing_regions()
_REFUSED = {
    family: [one.name for one in types if refused(one.name, "hosting", OLD_PROVIDER_VERSION)]
    for family, types in _HOSTED.items()
}

_REFUSED_ALL = [name for name, types in _REFUSED.items() if len(types) == len(_HOSTED[name])]
_REFUSED_SOME = [one for name, types in _REFUSED.items() if name not in _REFUSED_ALL for one in types]
_IMAGES = dict[str, str]([("amd64", FOR_X86_CPUS), *FOR_SILICON.items()])


def _list_excluded_images(*, in_same_endpoint: bool = False) -> dict[str, str]:
    """By silicon, what the names of images for other say; the CPUs beside an accelerator are x86."""
    extra = {"amd64", "x86"} if in_same_endpoint else {"amd64"}
    compatible = {silicon: {silicon, *(extra if silicon != "graviton" else ())} for silicon in get_args(Silicon)}
    return {
        silicon: "|".join(pattern for silicon_of_image, pattern in _IMAGES.items() if silicon_of_image not in allowed)
        for silicon, allowed in compatible.items()
    }


_LOCAL_DISK = [name for name, types in _HOSTED.items() if types[0].local_ssd_gb]
#: What rules and resources read, by name: the value, and why it is there.
TABLES: dict[str, tuple[Any, str]] = {
    "families": (_FAMILIES, "Families of instances that SageMaker hosts models on, by silicon."),
    "images_for": (_IMAGES, "What the names of images say that are for some silicon; others say nothing of it."),
    MULTI_CONTAINER_TABLE: (
        _list_excluded_images(in_same_endpoint=True),
        "What the names of images say that run beside none on the silicon's instances.",
    ),
    "images_not_for": (
        _list_excluded_images(),
        "What the names of images say that are for other silicon; amd64 is any but Graviton.",
    ),
    "local_disk": (_LOCAL_DISK, "Families whose storage is a disk of their own, which encrypts itself."),
    "not_in_region": (
        _MISSING_REGIONS,
        "Regions that have no instance of a family, or not a type; it is in the others.",
    ),
    f"refused_by_provider_{OLD_PROVIDER_VERSION}": (
        [*_REFUSED_ALL, *_REFUSED_SOME],
        f"Families, and types of others, that version {OLD_PROVIDER_VERSION} of the AWS provider does not know.",
    ),
    "sizes": (_SIZES, "Sizes of the instances of each family that SageMaker hosts models on."),
}
_families, _images, _excluded_neighbours, _excluded_images, _local_disk, _missing_regions, _refused, _sizes = (
    local_table(name, value) for name, (value, _) in TABLES.items()
)


def family(instance_type: str) -> str:
    """`c7g` of `ml.c7g.large`."""
    return _part(instance_type, 1)


def _part(instance_type: str, index: int) -> str:
    """A part of a type's name; no error where it is no type, which its own pattern tells."""
    return concat(split(".", instance_type), ["", ""])[index]


def is_unavailable(instance_type: str, region: str) -> bool:
    """Whether a Region is known not to have a type."""
    return region in [*_MISSING_REGIONS.get(instance_type.split(".")[1], ()), *_MISSING_REGIONS.get(instance_type, ())]


def add_tables(module: "Module[Any]", *but: str) -> None:
    """Add the locals that are read here, but those that a module has no use for."""
    for name, (value, why) in TABLES.items():
        if name not in but:
            module.local(name, value, why=why)


def add_instance_type_trigger(module: "Module[Any]") -> Any:
    """Add what has the scaling go before an endpoint gets another type, and come back after it.

    SageMaker refuses another type to a variant that is scaled. A target is destroyed before this is, this before it is
    made anew, and that before the endpoint, which waits for it, is updated.
    """
    from sustainable_mlops.authoring.cdktn import DataResource

    return module.add(
        DataResource,
        "instance_type",
        why="SageMaker refuses another type to variants that are scaled. This orders it: what scales goes before this "
        "is replaced, then the endpoint is updated, which waits for this, and what scales it comes back.",
        triggers_replace={"instance_type": module.var.instance_type},
    )


def add_driver_version(module: "Module[Any]", others: Any = None) -> Any:
    """Add which drivers the instances start with: Neuron's for Inferentia, or else these."""
    return module.local(
        "inference_ami_version",
        when(module.var.silicon == "inferentia2", NEURON_DRIVERS, others),
        why="SageMaker starts Inferentia2 with Neuron's drivers where they are named.",
    )


def storage_key(var: Any) -> Any:
    """The key of the instances' volumes; none where the storage is a disk of their own."""
    return when(contains(_local_disk, family(var.instance_type)), None, var.kms_key_arn)


#: Why some configurations have no key, for checkov.
SKIP_NO_KEY = {"CKV_AWS_98": "only instances with a local disk have no key: they encrypt it"}


def silicon_named_by(image: str) -> list[str]:
    """What an image says by its name that it is for; nothing where it does not say."""
    return list_of(
        _images, lambda silicon, _pattern: silicon, where=lambda _silicon, pattern: can(match(pattern, image))
    )


def allows_silicon(image: str, silicon: Any) -> Any:
    """Whether an image does not say that it is for other silicon."""
    return ~can(match(get(_excluded_images, silicon, _NEVER), image))


def is_neuron(image: str) -> Any:
    """Whether an image says that it is for Inferentia."""
    return can(match(FOR_SILICON["inferentia2"], image))


def may_run_on(image: Any, silicon: Any) -> Any:
    """Whether an image, where there is one, is not known to be for other silicon."""
    return is_null(image) | (allows_silicon(image, silicon) & ((silicon != "inferentia2") | is_neuron(image)))


def names_other_silicon(image: Any, silicon: Any) -> Any:
    """Whether one of several images on the same instances says that it is for other."""
    return can(match(get(_excluded_neighbours, silicon, _NEVER), image))


class InstanceInputs(ModuleInputs):
    """Inputs of an endpoint on instances."""

    image_uri: str | None
    region: str
    aws_provider: Literal[5, 6] = Field(
        5,
        description="Major version of the AWS provider that is in use, which a module cannot see: 5 refuses newer "
        "types, such as ml.c8g, which 6 takes.",
    )
    instance_type: str = Field(
        "ml.c7g.xlarge",
        description="Type of the instances, of this silicon; one with a local disk encrypts that itself, without "
        "kms_key_arn.",
        pattern=r"^ml\.[a-z0-9-]+\.[a-z0-9]+$",
        json_schema_extra=must("be an instance type such as ml.c7g.xlarge"),
    )
    silicon: Silicon = Field(
        "graviton",
        description="What computes: graviton takes the least energy for most models, inferentia2 for deep learning "
        "that Neuron compiles; gpu and x86 are for what neither runs.",
    )

    rules: ClassVar[tuple[InputRule, ...]] = (
        rule(
            "instance_type",
            lambda v: family(v.instance_type) != "inf1",
            "the first Inferentia takes no deployment guardrails and no Neuron image of today; use ml.inf2.",
        ),
        rule(
            "instance_type",
            lambda v: ~can(match(rf"^ml\.{BURSTABLE}", v.instance_type)),
            "burstable instances are refused by Application Auto Scaling, which makes this as small as its load; use "
            "another family.",
        ),
        rule(
            "instance_type",
            lambda v: contains(get(_families, v.silicon, []), family(v.instance_type)),
            lambda v: (
                f"{v.instance_type} is no {v.silicon} that SageMaker hosts on; its families are "
                f"{join(', ', get(_families, v.silicon, []))}."
            ),
        ),
        rule(
            "instance_type",
            lambda v: (
                ~contains(keys(_sizes), family(v.instance_type))
                | contains(get(_sizes, family(v.instance_type), []), _part(v.instance_type, 2))
            ),
            lambda v: (
                f"SageMaker hosts on no {v.instance_type}; sizes of {family(v.instance_type)} are "
                f"{join(', ', get(_sizes, family(v.instance_type), []))}."
            ),
        ),
        rule(
            "instance_type",
            lambda v: (
                (v.aws_provider > OLD_PROVIDER_VERSION)
                | ~(contains(_refused, family(v.instance_type)) | contains(_refused, v.instance_type))
            ),
            lambda v: (
                f"version {OLD_PROVIDER_VERSION} of the AWS provider refuses {v.instance_type}; use another {v.silicon}, or "
                f"version {OLD_PROVIDER_VERSION + 1} and aws_provider = {OLD_PROVIDER_VERSION + 1}."
            ),
        ),
        rule(
            "instance_type",
            lambda v: (
                ~contains(
                    concat(
                        get(_missing_regions, family(v.instance_type), []), get(_missing_regions, v.instance_type, [])
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
                f"this image is for {join(' and ', silicon_named_by(v.image_uri))}, and {v.instance_type} is {v.silicon}; "
                "use the image for that, or other silicon."
            ),
        ),
        rule(
            "image_uri",
            lambda v: (v.silicon != "inferentia2") | is_null(v.image_uri) | is_neuron(v.image_uri),
            "Inferentia runs Neuron images alone, whose names say neuron; use one, or other silicon.",
        ),
    )
