"""SageMaker pipelines: the resource and the steps in its definition.

Findings about steps have the pipeline's address and the path `Steps.<name>`. A plan may not contain the definition: it
is unknown until apply, or in S3 and not uploaded by this plan. Then every rule for steps has the outcome unknown.
"""

from collections.abc import Iterator
from typing import Any

from sustainable_mlops.plan import UNKNOWN, PipelineStep, Plan, PlannedPipeline, Resource, Unknown
from sustainable_mlops.rules.attributes import check_value, list_texts
from sustainable_mlops.rules.jobs import PIPELINE, TRAINING_STEPS, check_steps, find_pipeline, locate_step
from sustainable_mlops.rules.rule import RuleResult, RuleResults, Severity, failure, rule, success, unknown_result

#: Steps that SageMaker can cache.
CACHEABLE = ("Processing", "Training", "Tuning", "AutoML", "Transform", "ClarifyCheck", "QualityCheck", "EMR")
#: Steps that release a model.
_RELEASE_STEPS = ("RegisterModel", "Endpoint")
#: SageMaker's maximum runtime of a processing job: 9 days.
MAX_PROCESSING_SECONDS = 777_600
#: Maximum number of instances of a processing step. A choice of this project; SageMaker allows 100.
MAX_INSTANCES = 20


@rule(
    id="SUS_PIPELINE_VERSION",
    severity=Severity.WARN,
    title="A pipeline definition in S3 should be referenced with its version",
    problem="A pipeline definition in S3 is referenced without its version",
    practices=("7", "47"),
    fix="Set pipeline_definition_s3_location.version_id, or declare the definition inline.",
    types=(PIPELINE,),
)
def definition_has_a_version(_: Plan, pipeline: Resource) -> RuleResults:
    """Check the version. Without it, another definition than the reviewed one may run, and an update is not visible.

    An unknown version counts as one.
    """
    location = pipeline.block("pipeline_definition_s3_location")
    if location is None:
        return
    path = "pipeline_definition_s3_location.0.version_id"
    if location is UNKNOWN or location.values is UNKNOWN:
        yield unknown_result("the location of the definition is not known until apply", path)
    elif location.get("version_id") is None:
        yield failure("without a version, the object in S3 can change between review and run", path)
    else:
        yield success()


@rule(
    id="SUS_PIPELINE_FROM_S3",
    severity=Severity.WARN,
    title="A pipeline definition should be inline",
    problem="A pipeline definition is not inline",
    practices=("7", "47"),
    fix="Declare the definition inline, as pipeline_definition = file(…) or jsonencode(…).",
    types=(PIPELINE,),
)
def definition_is_inline(_: Plan, pipeline: Resource) -> RuleResults:
    """Check that the definition is inline.

    For a definition in S3, the provider reads the definition back, does not find it in the configuration and plans to
    remove it. Its own validation of the request then refuses that (planned with 5.100; issue 38259 of the provider,
    open).
    """
    path = "pipeline_definition_s3_location"
    blocks = pipeline.blocks(path)
    if blocks is UNKNOWN:
        yield unknown_result("the location of the definition is not known until apply", path)
    elif blocks:
        yield failure("every later plan wants to update the pipeline, and the provider refuses the update", path)
    else:
        yield success()


@rule(
    id="SUS_PIPELINE_PARALLELISM",
    severity=Severity.INFO,
    title="A pipeline should limit the number of parallel steps",
    problem="A pipeline does not limit the number of parallel steps",
    practices=("7",),
    fix="Set parallelism_configuration.max_parallel_execution_steps.",
    types=(PIPELINE,),
)
def pipeline_parallelism(plan: Plan, pipeline: Resource) -> RuleResults:
    """Check pipelines with at least three steps, which may run several in parallel."""
    definition = find_pipeline(plan, pipeline)
    if definition is not None and definition.steps is not UNKNOWN and len(definition.steps) < 3:
        return
    path = "parallelism_configuration.0.max_parallel_execution_steps"
    maximum = pipeline.number(path)
    if maximum is None and (definition is None or definition.steps is UNKNOWN):
        yield unknown_result(
            definition.unreadable_reason if definition else "it has no definition", "pipeline_definition"
        )
    else:
        yield check_value(
            maximum, path, lambda number: number is not None, "the number of parallel steps is not limited"
        )


@rule(
    id="SUS_STEP_CACHING",
    severity=Severity.WARN,
    title="A pipeline should cache steps, so that unchanged steps do not run again",
    problem="A pipeline does not cache steps, so unchanged steps run again",
    practices=("41", "11", "56"),
    fix='Set CacheConfig = {Enabled: true, ExpireAfter: "P30D"} on the step.',
    types=(PIPELINE,),
)
@check_steps(*CACHEABLE)
def steps_are_cached(_: PlannedPipeline, step: PipelineStep) -> RuleResults:
    """Check caching, which is off by default. If it is on, AWS requires a maximum age of results."""
    path = f"{locate_step(step)}.CacheConfig"
    if step.is_cached is True and step.cache_duration is None:
        yield failure("the step is cached without a maximum age", f"{path}.ExpireAfter")
    else:
        yield check_value(
            step.is_cached, path, lambda cached: cached, "caching is off, so the unchanged step runs again"
        )


@rule(
    id="SUS_PROCESSING_RUNTIME_CAP",
    severity=Severity.WARN,
    title="A processing step should have its own runtime limit",
    problem="A processing step does not set a runtime limit",
    practices=("11", "26"),
    fix="Set the step's StoppingCondition.MaxRuntimeInSeconds to the longest time that it may need.",
    types=(PIPELINE,),
)
@check_steps("Processing")
def processing_is_capped(_: PlannedPipeline, step: PipelineStep) -> RuleResults:
    """Check for an explicit limit below the 9 days that SageMaker allows at most."""
    yield check_value(
        step.number("StoppingCondition.MaxRuntimeInSeconds"),
        f"{locate_step(step)}.StoppingCondition.MaxRuntimeInSeconds",
        lambda seconds: seconds is not None and seconds < MAX_PROCESSING_SECONDS,
        "there is no effective runtime limit, so a step that hangs keeps its instances",
    )


@rule(
    id="SUS_PROCESSING_INSTANCES",
    severity=Severity.WARN,
    title="A processing step should use few instances",
    problem="A processing step uses many instances",
    practices=("11",),
    fix=f"Keep InstanceCount at {MAX_INSTANCES} or less, and distribute the inputs (ShardedByS3Key).",
    types=(PIPELINE,),
)
@check_steps("Processing")
def processing_is_small(_: PlannedPipeline, step: PipelineStep) -> RuleResults:
    """Check the number of instances. A parameter counts with its default."""
    path = "ProcessingResources.ClusterConfig.InstanceCount"
    count = step.number(path)
    if count is not None:
        yield check_value(
            count,
            f"{locate_step(step)}.{path}",
            lambda number: number <= MAX_INSTANCES,
            f"{count} instances start at the same time, and each reads the whole input unless it is distributed",
        )


@rule(
    id="SUS_PROCESSING_GRAVITON",
    severity=Severity.FAIL,
    title="A processing or transform step must use an instance type that SageMaker offers for it",
    problem="A processing or transform step uses an instance type that SageMaker does not offer for it",
    practices=("11", "56", "59"),
    fix="Choose an x86 or GPU instance. SageMaker has no processing and no transform on Graviton.",
    types=(PIPELINE,),
)
@check_steps("Processing", "Transform", "QualityCheck", "ClarifyCheck")
def graviton_does_not_process(_: PlannedPipeline, step: PipelineStep) -> RuleResults:
    """Check the instance type. Check steps are processing jobs.

    SageMaker's ProcessingInstanceType and TransformInstanceType have no Arm family (botocore 1.44.8).
    """
    cluster = "TransformResources" if step.type == "Transform" else "ProcessingResources.ClusterConfig"
    kind = step.text(f"{cluster}.InstanceType")
    if kind is None:
        return
    yield check_value(
        kind,
        f"{locate_step(step)}.{cluster}.InstanceType",
        lambda name: not _is_arm(name),
        f"SageMaker does not offer {kind} for this step and refuses it",
    )


def _is_arm(instance_type: str | None) -> bool:
    """Return whether an instance type is Arm: `ml.c7g.xlarge` is, `ml.g5.xlarge` and `ml.c7i-flex.large` are not."""
    family = (instance_type or "").removeprefix("ml.").split(".")[0]
    return "g" in family.lstrip("abcdefghijklmnopqrstuvwxyz").lstrip("0123456789").split("-")[0]


@rule(
    id="SUS_GATE_BEFORE_REGISTRATION",
    severity=Severity.WARN,
    title="A pipeline should register or deploy a model only after a condition",
    problem="A pipeline registers or deploys a model without a condition",
    practices=("25",),
    fix="Put the step into the IfSteps of a Condition step that compares accuracy (and carbon) with a threshold.",
    types=(PIPELINE,),
)
@check_steps(*_RELEASE_STEPS)
def registration_gate(pipeline: PlannedPipeline, step: PipelineStep) -> RuleResults:
    """Check that the step is in a branch of a condition, or after a condition that ends the pipeline with a Fail step.

    An endpoint is checked only if the same pipeline trains. A Model step releases nothing: an evaluation or a batch
    transform needs one.
    """
    if step.type == "Endpoint" and not pipeline.list_steps(*TRAINING_STEPS):
        return
    gate = _find_gate(pipeline, step)
    if gate is UNKNOWN:
        yield unknown_result(f"the dependencies of {step.name} are not known", locate_step(step))
    elif gate is None:
        yield failure("the model is released without a condition on its evaluation", locate_step(step))
    else:
        yield success()


@rule(
    id="SUS_EVALUATION_BEFORE_GATE",
    severity=Severity.INFO,
    title="The condition before registration should read an evaluation",
    problem="The condition before registration reads no evaluation",
    practices=("42",),
    fix="Evaluate in a Processing step on held-out data, and let the condition read its property file.",
    types=(PIPELINE,),
)
@check_steps(*_RELEASE_STEPS)
def evaluation_before_gate(pipeline: PlannedPipeline, step: PipelineStep) -> RuleResults:
    """Check that the condition reads an evaluation step.

    This is advice: a condition on a training metric or a parameter is right only in rare cases.
    """
    gate = _find_gate(pipeline, step)
    if not isinstance(gate, PipelineStep):
        return  # SUS_GATE_BEFORE_REGISTRATION reports it
    condition_texts = list_texts(gate.arguments.get("Conditions") if isinstance(gate.arguments, dict) else None)
    kinds = (
        {
            other_step.type
            for other_step in pipeline.steps
            if isinstance(other_step.name, str) and _mentions_step(other_step.name, condition_texts)
        }
        if (pipeline.steps is not UNKNOWN)
        else set()
    )
    if kinds & {"Processing", "ClarifyCheck", "QualityCheck", "Lambda", "EMR", "Transform"}:
        yield success()
    else:
        yield failure("the condition reads no evaluation step", locate_step(gate))


def _mentions_step(step: str, texts: list[str]) -> bool:
    """Return whether a text contains `Steps.<name>`, the form in which properties and property files name a step."""
    return any(text == f"Steps.{step}" or text.startswith(f"Steps.{step}.") or text == step for text in texts)


def _find_gate(pipeline: PlannedPipeline, step: PipelineStep) -> PipelineStep | Unknown | None:
    """Return the condition before a step."""
    for outer in _list_parents(step):
        if outer.type == "Condition":
            return outer
    if pipeline.steps is UNKNOWN:
        return UNKNOWN
    fatal = {s.parent for s in pipeline.list_steps("Fail") if s.parent is not None and s.parent.type == "Condition"}
    by_name = {other_step.name: other_step for other_step in pipeline.steps}
    pending, visited = [step, *_list_parents(step)], set()
    while pending:
        node = pending.pop()
        if node in fatal:
            return node
        waits = node.depends_on
        if waits is UNKNOWN or UNKNOWN in waits:
            return UNKNOWN
        for name in waits:
            if name not in visited and name in by_name:
                visited.add(name)
                pending.append(by_name[name])
    return None


def _list_parents(step: PipelineStep) -> Iterator[PipelineStep]:
    while step.parent is not None:
        step = step.parent
        yield step


@rule(
    id="SUS_MODEL_APPROVAL",
    severity=Severity.WARN,
    title="A person should approve a model before it is deployed",
    problem="A model is deployed without approval by a person",
    practices=("48",),
    fix='Register with ModelApprovalStatus "PendingManualApproval" and approve in the registry.',
    types=(PIPELINE,),
)
@check_steps("RegisterModel")
def approval_is_manual(_: PlannedPipeline, step: PipelineStep) -> RuleResults:
    """Check the approval status; the default is pending. A parameter counts with its default."""
    path = "ModelApprovalStatus"
    yield _check_approval(step.text(path), f"{locate_step(step)}.{path}")


def _check_approval(status: Any, path: str) -> RuleResult:
    return check_value(
        status, path, lambda name: name != "Approved", "every model of the pipeline is approved automatically"
    )
