"""Processors and local disks of endpoint instances."""

from collections.abc import Callable

from sustainable_mlops.catalogue import instances
from sustainable_mlops.plan import UNKNOWN, Plan, Resource, Variant, list_instance_choices
from sustainable_mlops.plan.joins import MODEL
from sustainable_mlops.rules.attributes import CreateRequest
from sustainable_mlops.rules.rule import RuleResults, Severity, failure, rule, success, unknown_result
from sustainable_mlops.rules.serving.variants import (
    ASYNCHRONOUS,
    CONFIGURATION,
    CONFIGURATION_TYPES,
    REAL_TIME,
    check_each_variant,
    check_variants,
    find_model,
    list_images,
    list_requested_types,
)

#: Instance families with AWS Inferentia or Trainium.
_NEURON = ("inf2", "trn1", "trn1n", "trn2")
#: Graviton families that SageMaker hosts (ProductionVariantInstanceType in the service model of botocore 1.44.8).
_HOSTED_GRAVITON = frozenset(
    {"c6g", "c6gd", "c6gn", "c7g", "c8g", "m6g", "m6gd", "m8g", "r6g", "r6gd", "r7gd", "r8g"}
)  # fmt: skip
#: Families whose types AWS provider 5 refuses (`catalogue/refused_instances.csv`).
_REFUSED_BY_5 = frozenset({"c8g", "m8g", "r7gd"})


def _read_family(kind: str) -> str:
    return kind.removeprefix("ml.").split(".")[0]


def _is_graviton_name(family: str) -> bool:
    """Return whether a family is Graviton: `c7g`, `m8gd` and `c6gn` are; `g5`, `c7i` and `inf2` are not."""
    generation = family.lstrip("abcdefghijklmnopqrstuvwxyz").lstrip("0123456789")
    return family[:1] in "cmrtx" and generation.startswith("g")


def _check_each_type(
    plan: Plan, configuration: Resource, check: Callable[[Variant, str, str], RuleResults]
) -> RuleResults:
    """Yield the results of `check` for each instance type of a variant, with its path."""

    def check_variant(variant: Variant) -> RuleResults:
        for choice in list_instance_choices(variant.block):
            if choice.instance_type is UNKNOWN:
                yield unknown_result("its instance type is not known until apply", choice.path)
            elif choice.instance_type is not None:
                yield from check(variant, choice.instance_type, choice.path)

    yield from check_each_variant(plan, configuration, check_variant, REAL_TIME, ASYNCHRONOUS)


@rule(
    id="SUS_ENDPOINT_X86",
    severity=Severity.WARN,
    title="An endpoint without an accelerator should run on Graviton",
    problem="An endpoint without an accelerator does not run on Graviton",
    practices=("59",),
    fix="Use the Graviton type of the same size (ml.c7g, ml.m6g, ml.r8g) with an arm64 image.",
    types=(CONFIGURATION,),
)
def endpoint_x86(plan: Plan, configuration: Resource) -> RuleResults:
    def check(_: Variant, kind: str, path: str) -> RuleResults:
        instance = instances.find(kind)
        if instance is None:
            yield unknown_result(instances.explain_unknown(kind), path)
        elif instance.is_graviton:
            yield success()
        elif instance.accelerator is None:
            yield failure(f"{kind} is x86; Graviton needs less energy for the same work", path)

    yield from _check_each_type(plan, configuration, check)


@rule(
    id="SUS_ENDPOINT_GPU",
    severity=Severity.WARN,
    title="Deep learning models should be served by Inferentia if it supports them",
    problem="A deep learning model is served by GPUs, although Inferentia may support it",
    practices=("60",),
    fix="Compile the model with Neuron and use ml.inf2, or waive this rule with the reason that the model needs a GPU.",
    types=(CONFIGURATION,),
)
def endpoint_gpu(plan: Plan, configuration: Resource) -> RuleResults:
    def check(_: Variant, kind: str, path: str) -> RuleResults:
        if _read_family(kind) in _NEURON:
            yield success()
        elif _read_family(kind)[:1] in "gp":
            yield failure(f"{kind} has GPUs; ml.inf2 needs less power for many models", path)

    yield from _check_each_type(plan, configuration, check)


@rule(
    id="SUS_INFERENTIA_IMAGE",
    severity=Severity.WARN,
    title="An endpoint on Inferentia or Trainium should use a Neuron image",
    problem="An endpoint on Inferentia or Trainium does not use a Neuron image",
    practices=("60", "61"),
    fix="Use a Neuron image (its name contains neuron) with a model compiled for it.",
    types=(CONFIGURATION,),
)
def neuron_image(plan: Plan, configuration: Resource) -> RuleResults:
    def check(variant: Variant, kind: str, type_path: str) -> RuleResults:
        if _read_family(kind) not in _NEURON:
            return
        path = f"{type_path.removesuffix('instance_type')}model_name_override"
        if configuration.new.text(path) in (None, ""):
            path, model = f"{variant.block.path}.model_name", find_model(variant)
        else:
            model = find_model(variant._replace(model=plan.joins.find_target(configuration, path, MODEL)))
        if not isinstance(model, Resource):
            yield model
            return
        for image in list_images(model):
            if image is UNKNOWN:
                yield unknown_result(f"the plan does not show the image of {model.address}", path)
            elif "neuron" in image:
                yield success()
            else:
                yield failure(f"{image} is not a Neuron image, so the accelerators of {kind} would be idle", path)

    yield from _check_each_type(plan, configuration, check)


@rule(
    id="SUS_GRAVITON_NOT_HOSTED",
    severity=Severity.FAIL,
    title="An endpoint's Graviton instance type must be one that SageMaker hosts",
    problem="An endpoint uses a Graviton instance type that SageMaker does not host",
    practices=("59",),
    fix=f"Use one of {', '.join(sorted(_HOSTED_GRAVITON - _REFUSED_BY_5))}.",
    types=CONFIGURATION_TYPES,
)
@check_variants(REAL_TIME, ASYNCHRONOUS)
def graviton_not_hosted(_: CreateRequest, variant: CreateRequest) -> RuleResults:
    for one, kind in list_requested_types(variant):
        if kind is None:
            continue
        family = "" if kind is UNKNOWN else _read_family(kind)
        if kind is UNKNOWN or _is_graviton_name(family):
            message = f"SageMaker does not host {family}"
            yield one.check_value(kind, "instance_type", lambda it: _read_family(it) in _HOSTED_GRAVITON, message)


@rule(
    id="SUS_ENDPOINT_KMS_ON_LOCAL_DISK",
    severity=Severity.WARN,
    title="An endpoint on instances with a local disk should not have a volume key",
    problem="An endpoint on instances with a local disk has a volume key",
    practices=("76",),
    fix="Remove kms_key_arn (the instance encrypts its own disk) and skip CKV_AWS_98 there with that reason.",
    types=(CONFIGURATION,),
)
def kms_on_local_disk(plan: Plan, configuration: Resource) -> RuleResults:
    key = configuration.new.text("kms_key_arn")
    if key in (None, ""):
        return
    hidden = key is UNKNOWN and not plan.find_references(configuration, "kms_key_arn").resources

    def check(_: Variant, kind: str, path: str) -> RuleResults:
        instance = instances.find(kind)
        if instance is None:
            yield unknown_result(instances.explain_unknown(kind), path)
        elif instance.local_ssd_gb and hidden:
            yield unknown_result("it is not known until apply whether it has a key", "kms_key_arn")
        elif instance.local_ssd_gb:
            yield failure(
                f"the key does not encrypt the local disk of {kind}, and SageMaker may refuse it", "kms_key_arn"
            )
        else:
            yield success()

    yield from _check_each_type(plan, configuration, check)
