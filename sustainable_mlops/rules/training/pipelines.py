"""SageMaker pipelines: the resource itself and the steps inside its definition.

Steps are reported at the pipeline's address with `Steps.<name>` as the path. A definition that the plan does not hold
(unknown until apply, or in S3 and not uploaded by this plan) makes every rule on steps answer unknown.
"""

from collections.abc import Iterator
from typing import Any

from sustainable_mlops.plan import UNKNOWN, Pipeline, Plan, Resource, Step, Unknown
from sustainable_mlops.rules.jobs import PIPELINE, TRAINING_STEPS, on_steps, pipeline_of, place
from sustainable_mlops.rules.reading import judge, texts_in
from sustainable_mlops.rules.rule import Severity, Verdict, Verdicts, failed, passed, rule, unknown

#: Steps that SageMaker can cache.
CACHEABLE = ("Processing", "Training", "Tuning", "AutoML", "Transform", "ClarifyCheck", "QualityCheck", "EMR")
#: Steps that let a model out.
_RELEASES = ("RegisterModel", "Endpoint")
#: The longest that SageMaker lets a processing job run: 9 days.
LONGEST_PROCESSING = 777_600
#: A choice of this project; SageMaker allows 100.
MOST_INSTANCES = 20


@rule(
    id="SUS_PIPELINE_VERSION",
    severity=Severity.WARN,
    title="A pipeline's definition in S3 is named with its version",
    practices=("7", "47"),
    fix="Set pipeline_definition_s3_location.version_id, or give the definition inline.",
    types=(PIPELINE,),
)
def definition_has_a_version(_: Plan, pipeline: Resource) -> Verdicts:
    """Without it, what runs is not what was reviewed, and an update does not show. An unknown version is one."""
    location = pipeline.block("pipeline_definition_s3_location")
    if location is None:
        return
    path = "pipeline_definition_s3_location.0.version_id"
    if location is UNKNOWN or location.values is UNKNOWN:
        yield unknown("where the definition is is not known until apply", path)
    elif location.get("version_id") is None:
        yield failed("whatever lies at the key when the pipeline runs is its definition", path)
    else:
        yield passed()


@rule(
    id="SUS_PIPELINE_FROM_S3",
    severity=Severity.WARN,
    title="A pipeline's definition is given inline",
    practices=("7", "47"),
    fix="Give the definition inline, as pipeline_definition = file(…) or jsonencode(…).",
    types=(PIPELINE,),
)
def definition_is_inline(_: Plan, pipeline: Resource) -> Verdicts:
    """The provider reads the definition back, does not find it in the configuration and plans to remove it, which its
    own check of the request then refuses (planned with 5.100; issue 38259 of the provider, open)."""
    path = "pipeline_definition_s3_location"
    found = pipeline.blocks(path)
    if found is UNKNOWN:
        yield unknown("where the definition is is not known until apply", path)
    elif found:
        yield failed("every plan after the first wants to update it, and the update is refused", path)
    else:
        yield passed()


@rule(
    id="SUS_PIPELINE_PARALLELISM",
    severity=Severity.INFO,
    title="A pipeline caps the steps that run at once",
    practices=("7",),
    fix="Set parallelism_configuration.max_parallel_execution_steps.",
    types=(PIPELINE,),
)
def caps_parallel_steps(plan: Plan, pipeline: Resource) -> Verdicts:
    """Only of pipelines that may run more than one step at once: those with at least three."""
    found = pipeline_of(plan, pipeline)
    if found is not None and found.steps is not UNKNOWN and len(found.steps) < 3:
        return
    path = "parallelism_configuration.0.max_parallel_execution_steps"
    most = pipeline.number(path)
    if most is None and (found is None or found.steps is UNKNOWN):
        yield unknown(found.unknown if found else "there is no definition", "pipeline_definition")
    else:
        yield judge(most, path, lambda number: number is not None, "steps that run at once are not capped")


@rule(
    id="SUS_STEP_CACHING",
    severity=Severity.WARN,
    title="A pipeline does not repeat a step whose inputs are the same",
    practices=("41", "11", "56"),
    fix='Set CacheConfig = {Enabled: true, ExpireAfter: "P30D"} on the step.',
    types=(PIPELINE,),
)
@on_steps(*CACHEABLE)
def steps_are_cached(_: Pipeline, step: Step) -> Verdicts:
    """Caching is off by default. Where it is on, AWS asks for the age at which a result counts no more."""
    path = f"{place(step)}.CacheConfig"
    if step.cached is True and step.cached_for is None:
        yield failed("the step is cached, and nothing says for how long", f"{path}.ExpireAfter")
    else:
        yield judge(
            step.cached, path, lambda cached: cached, "the step runs again though nothing changed: caching is off"
        )


@rule(
    id="SUS_PROCESSING_RUNTIME_CAP",
    severity=Severity.WARN,
    title="A processing step has a runtime cap of its own",
    practices=("11", "26"),
    fix="Set the step's StoppingCondition.MaxRuntimeInSeconds to what it may need at most.",
    types=(PIPELINE,),
)
@on_steps("Processing")
def processing_is_capped(_: Pipeline, step: Step) -> Verdicts:
    """Explicit, and below the 9 days that SageMaker allows at most."""
    yield judge(
        step.number("StoppingCondition.MaxRuntimeInSeconds"),
        f"{place(step)}.StoppingCondition.MaxRuntimeInSeconds",
        lambda seconds: seconds is not None and seconds < LONGEST_PROCESSING,
        "there is no runtime cap that bites: a step that hangs keeps its instances",
    )


@rule(
    id="SUS_PROCESSING_INSTANCES",
    severity=Severity.WARN,
    title="A processing step takes few instances",
    practices=("11",),
    fix=f"Keep InstanceCount at {MOST_INSTANCES} or less, and share the inputs out (ShardedByS3Key).",
    types=(PIPELINE,),
)
@on_steps("Processing")
def processing_is_small(_: Pipeline, step: Step) -> Verdicts:
    """A parameter is judged by its default."""
    path = "ProcessingResources.ClusterConfig.InstanceCount"
    count = step.number(path)
    if count is not None:
        yield judge(
            count,
            f"{place(step)}.{path}",
            lambda number: number <= MOST_INSTANCES,
            f"{count} instances start at once, and each reads all of the input unless that is shared out",
        )


@rule(
    id="SUS_PROCESSING_GRAVITON",
    severity=Severity.FAIL,
    title="A processing or transform step's instances are of a kind that SageMaker offers for it",
    practices=("11", "56", "59"),
    fix="Choose an x86 or GPU instance: there is no processing and no transform on Graviton.",
    types=(PIPELINE,),
)
@on_steps("Processing", "Transform", "QualityCheck", "ClarifyCheck")
def graviton_does_not_process(_: Pipeline, step: Step) -> Verdicts:
    """SageMaker's ProcessingInstanceType and TransformInstanceType have no Arm family (botocore 1.44.8). Checks are
    processing jobs."""
    cluster = "TransformResources" if step.type == "Transform" else "ProcessingResources.ClusterConfig"
    kind = step.text(f"{cluster}.InstanceType")
    if kind is None:
        return
    yield judge(
        kind,
        f"{place(step)}.{cluster}.InstanceType",
        lambda name: not _is_arm(name),
        f"{kind} is not offered here: the step is refused",
    )


def _is_arm(instance_type: str | None) -> bool:
    """`ml.c7g.xlarge` is, `ml.g5.xlarge` and `ml.c7i-flex.large` are not."""
    family = (instance_type or "").removeprefix("ml.").split(".")[0]
    return "g" in family.lstrip("abcdefghijklmnopqrstuvwxyz").lstrip("0123456789").split("-")[0]


@rule(
    id="SUS_GATE_BEFORE_REGISTRATION",
    severity=Severity.WARN,
    title="A model is registered or deployed only behind a condition",
    practices=("25",),
    fix="Put the step into the IfSteps of a Condition step that compares accuracy (and carbon) with a threshold.",
    types=(PIPELINE,),
)
@on_steps(*_RELEASES)
def gated(pipeline: Pipeline, step: Step) -> Verdicts:
    """Inside a branch of a condition, or after a condition that ends the pipeline by a Fail step.

    An endpoint is judged where the same pipeline trains. A Model step lets nothing out: an evaluation or a batch run
    by Transform needs one.
    """
    if step.type == "Endpoint" and not pipeline.of_type(*TRAINING_STEPS):
        return
    gate = _gate(pipeline, step)
    if gate is UNKNOWN:
        yield unknown(f"what {step.name} waits for is not known", place(step))
    elif gate is None:
        yield failed("the model is let out whatever its evaluation says", place(step))
    else:
        yield passed()


@rule(
    id="SUS_EVALUATION_BEFORE_GATE",
    severity=Severity.INFO,
    title="The condition before registration reads an evaluation",
    practices=("42",),
    fix="Evaluate in a Processing step on held-out data and let the condition read its property file.",
    types=(PIPELINE,),
)
@on_steps(*_RELEASES)
def evaluated(pipeline: Pipeline, step: Step) -> Verdicts:
    """Advice: a condition on the training's own metric or on a parameter may be right, but mostly is not."""
    gate = _gate(pipeline, step)
    if not isinstance(gate, Step):
        return  # SUS_GATE_BEFORE_REGISTRATION says it
    read = texts_in(gate.arguments.get("Conditions") if isinstance(gate.arguments, dict) else None)
    kinds = (
        {other.type for other in pipeline.steps if isinstance(other.name, str) and _names(other.name, read)}
        if (pipeline.steps is not UNKNOWN)
        else set()
    )
    if kinds & {"Processing", "ClarifyCheck", "QualityCheck", "Lambda", "EMR", "Transform"}:
        yield passed()
    else:
        yield failed("the condition reads no evaluation step", place(gate))


def _names(step: str, texts: list[str]) -> bool:
    """Whether `Steps.<name>` stands in a text, as properties and property files name a step."""
    return any(text == f"Steps.{step}" or text.startswith(f"Steps.{step}.") or text == step for text in texts)


def _gate(pipeline: Pipeline, step: Step) -> Step | Unknown | None:
    """The condition that a step is behind."""
    for outer in _outer(step):
        if outer.type == "Condition":
            return outer
    if pipeline.steps is UNKNOWN:
        return UNKNOWN
    fatal = {s.parent for s in pipeline.of_type("Fail") if s.parent is not None and s.parent.type == "Condition"}
    by_name = {other.name: other for other in pipeline.steps}
    pending, seen = [step, *_outer(step)], set()
    while pending:
        here = pending.pop()
        if here in fatal:
            return here
        waits = here.depends_on
        if waits is UNKNOWN or UNKNOWN in waits:
            return UNKNOWN
        for name in waits:
            if name not in seen and name in by_name:
                seen.add(name)
                pending.append(by_name[name])
    return None


def _outer(step: Step) -> Iterator[Step]:
    while step.parent is not None:
        step = step.parent
        yield step


@rule(
    id="SUS_MODEL_APPROVAL",
    severity=Severity.WARN,
    title="A person approves a model before it is deployed",
    practices=("48",),
    fix='Register with ModelApprovalStatus "PendingManualApproval" and approve in the registry.',
    types=(PIPELINE,),
)
@on_steps("RegisterModel")
def approval_is_manual(_: Pipeline, step: Step) -> Verdicts:
    """Not set means pending. A parameter is judged by its default."""
    path = "ModelApprovalStatus"
    yield _approval(step.text(path), f"{place(step)}.{path}")


def _approval(status: Any, path: str) -> Verdict:
    return judge(status, path, lambda name: name != "Approved", "every model that the pipeline makes is approved")
