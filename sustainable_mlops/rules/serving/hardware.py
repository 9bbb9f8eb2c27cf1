"""The processors that endpoints run on, and their local disks."""

from sustainable_mlops.catalogue import instances
from sustainable_mlops.plan import UNKNOWN, Plan, Resource, Variant
from sustainable_mlops.rules.reading import Request
from sustainable_mlops.rules.rule import Severity, Verdicts, failed, passed, rule, unknown
from sustainable_mlops.rules.serving.variants import (
    ASYNCHRONOUS,
    CONFIGURATION,
    CONFIGURES,
    REAL_TIME,
    each_variant,
    images,
    instance_type,
    model_of,
    on_variants,
)

#: Families of AWS's own processors for deep learning.
_NEURON = ("inf2", "trn1", "trn1n", "trn2")
#: Graviton families that SageMaker hosts (ProductionVariantInstanceType in the service model of botocore 1.44.8).
_HOSTED_GRAVITON = frozenset(
    {"c6g", "c6gd", "c6gn", "c7g", "c8g", "m6g", "m6gd", "m8g", "r6g", "r6gd", "r7gd", "r8g"}
)  # fmt: skip
#: Those of which AWS provider 5 refuses every type (`catalogue/refused_instances.csv`).
_REFUSED_BY_5 = frozenset({"c8g", "m8g", "r7gd"})


def _family(kind: str) -> str:
    return kind.removeprefix("ml.").split(".")[0]


def _is_graviton_name(family: str) -> bool:
    """`c7g`, `m8gd` and `c6gn` are; `g5`, `c7i` and `inf2` are not."""
    generation = family.lstrip("abcdefghijklmnopqrstuvwxyz").lstrip("0123456789")
    return family[:1] in "cmrtx" and generation.startswith("g")


def _unknown_type(variant: Variant) -> Verdicts:
    yield unknown("its instance type is not known until apply", f"{variant.block.path}.instance_type")


@rule(
    id="SUS_ENDPOINT_X86",
    severity=Severity.WARN,
    title="An endpoint that needs no accelerator runs on Graviton",
    practices=("59",),
    fix="Use the Graviton type of the same size (ml.c7g, ml.m6g, ml.r8g) with an arm64 image.",
    types=(CONFIGURATION,),
)
def x86(plan: Plan, configuration: Resource) -> Verdicts:
    def judge(variant: Variant) -> Verdicts:
        kind = instance_type(variant.block)
        path = f"{variant.block.path}.instance_type"
        if kind is None:
            return
        if kind is UNKNOWN:
            yield from _unknown_type(variant)
            return
        found = instances.find(kind)
        if found is None:
            yield unknown(instances.why_unknown(kind), path)
        elif found.graviton:
            yield passed()
        elif found.accelerator is None:
            yield failed(f"{kind} is x86; Graviton needs less energy for the same work", path)

    yield from each_variant(plan, configuration, judge, REAL_TIME, ASYNCHRONOUS)


@rule(
    id="SUS_ENDPOINT_GPU",
    severity=Severity.WARN,
    title="Deep learning is served by Inferentia where the model fits it",
    practices=("60",),
    fix="Compile the model with Neuron and use ml.inf2, or waive this with what keeps the model on a GPU.",
    types=(CONFIGURATION,),
)
def gpu(plan: Plan, configuration: Resource) -> Verdicts:
    def judge(variant: Variant) -> Verdicts:
        kind = instance_type(variant.block)
        if kind is UNKNOWN:
            yield from _unknown_type(variant)
        elif kind and _family(kind) in _NEURON:
            yield passed()
        elif kind and _family(kind)[:1] in "gp":
            yield failed(
                f"{kind} has GPUs; ml.inf2 serves many models with less power", f"{variant.block.path}.instance_type"
            )

    yield from each_variant(plan, configuration, judge, REAL_TIME, ASYNCHRONOUS)


@rule(
    id="SUS_INFERENTIA_IMAGE",
    severity=Severity.WARN,
    title="An endpoint on Inferentia or Trainium runs a Neuron image",
    practices=("60", "61"),
    fix="Use a Neuron image (its name says neuron) with a model compiled for it.",
    types=(CONFIGURATION,),
)
def neuron_image(plan: Plan, configuration: Resource) -> Verdicts:
    def judge(variant: Variant) -> Verdicts:
        kind = instance_type(variant.block)
        if kind is UNKNOWN:
            yield from _unknown_type(variant)
        if not isinstance(kind, str) or _family(kind) not in _NEURON:
            return
        model = model_of(variant)
        if not isinstance(model, Resource):
            yield model
            return
        path = f"{variant.block.path}.model_name"
        for image in images(model):
            if image is UNKNOWN:
                yield unknown(f"the image of {model.address} is not in the plan", path)
            elif "neuron" in image:
                yield passed()
            else:
                yield failed(f"{image} does not say that it is for Neuron, so {kind} would idle", path)

    yield from each_variant(plan, configuration, judge, REAL_TIME, ASYNCHRONOUS)


@rule(
    id="SUS_GRAVITON_NOT_HOSTED",
    severity=Severity.FAIL,
    title="An endpoint's Graviton type is one that SageMaker hosts",
    practices=("59",),
    fix=f"Use one of {', '.join(sorted(_HOSTED_GRAVITON - _REFUSED_BY_5))}.",
    types=CONFIGURES,
)
@on_variants(REAL_TIME, ASYNCHRONOUS)
def graviton_not_hosted(_: Request, variant: Request) -> Verdicts:
    kind = variant.text("instance_type")
    family = _family(kind) if isinstance(kind, str) else ""
    if kind is UNKNOWN or _is_graviton_name(family):
        message = f"SageMaker hosts no {family}"
        yield variant.judge(kind, "instance_type", lambda _: family in _HOSTED_GRAVITON, message)


@rule(
    id="SUS_ENDPOINT_KMS_ON_LOCAL_DISK",
    severity=Severity.WARN,
    title="An endpoint on instances with a local disk has no key for its volume",
    practices=("76",),
    fix="Remove kms_key_arn (the instance encrypts its own disk) and skip CKV_AWS_98 there with that reason.",
    types=(CONFIGURATION,),
)
def kms_on_local_disk(plan: Plan, configuration: Resource) -> Verdicts:
    key = configuration.new.text("kms_key_arn")
    if key in (None, ""):
        return
    hidden = key is UNKNOWN and not plan.references(configuration, "kms_key_arn").resources

    def judge(variant: Variant) -> Verdicts:
        kind = instance_type(variant.block)
        if kind is None:
            return
        if kind is UNKNOWN:
            yield from _unknown_type(variant)
            return
        found = instances.find(kind)
        if found is None:
            yield unknown(instances.why_unknown(kind), f"{variant.block.path}.instance_type")
        elif found.local_ssd_gb and hidden:
            yield unknown("whether it has a key is not known until apply", "kms_key_arn")
        elif found.local_ssd_gb:
            yield failed(
                f"the key does not encrypt the local disk of {kind}, and SageMaker may refuse it", "kms_key_arn"
            )
        else:
            yield passed()

    yield from each_variant(plan, configuration, judge, REAL_TIME, ASYNCHRONOUS)
