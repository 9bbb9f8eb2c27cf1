"""Services that AWS has ended or closed to new customers, and their replacements (as of December 2026).

Sources: SageMaker developer guide, "Clarify availability change" and "Model Monitor availability change". The
list of end-of-life dates in awslabs/aws-service-eol-data contains versions of other services only.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from sustainable_mlops.plan import UNKNOWN, PipelineStep, Plan, PlannedPipeline, Resource, Unknown
from sustainable_mlops.rules import ml_evidence
from sustainable_mlops.rules.attributes import CreateRequest
from sustainable_mlops.rules.jobs import PIPELINE, TRAINING_TYPES, check_steps, check_trainings, locate_step
from sustainable_mlops.rules.rule import RuleResults, Severity, failure, rule, success, unknown_result
from sustainable_mlops.rules.serving.variants import CONFIGURATION, check_variants, list_requested_types

_COMPILER = "sagemaker_training_compiler_enabled"
#: Day on which a service closed to new customers.
CLOSED_ON = {"Clarify": "2026-06-30", "Model Monitor": "2026-07-30"}
_CLASSIC_APPS = frozenset({"JupyterServer", "KernelGateway"})


@rule(
    id="SUS_EDGE_MANAGER",
    severity=Severity.FAIL,
    title="No resource may use SageMaker Edge Manager, which ended on 2024-04-26",
    problem="A resource uses SageMaker Edge Manager, which ended on 2024-04-26",
    practices=("68",),
    fix="Use AWS IoT Greengrass v2 with ONNX Runtime.",
    types=("aws_sagemaker_device", "aws_sagemaker_device_fleet"),
)
def edge_manager(_: Plan, device: Resource) -> RuleResults:
    yield failure(f"{device.type} belongs to Edge Manager, which ended on 2024-04-26")


@rule(
    id="SUS_ELASTIC_INFERENCE",
    severity=Severity.FAIL,
    title="No variant may use Elastic Inference, which is no longer available",
    problem="A variant uses Elastic Inference, which is no longer available",
    practices=("60",),
    fix="Remove accelerator_type. Use ml.inf2, or Graviton for small models.",
    types=(CONFIGURATION, PIPELINE),
)
@check_variants()
def elastic_inference(_: CreateRequest, variant: CreateRequest) -> RuleResults:
    accelerator = variant.text("accelerator_type")
    message = f"{accelerator} belongs to Elastic Inference, which is no longer available"
    yield variant.check_value(accelerator, "accelerator_type", lambda it: not it, message)


@rule(
    id="SUS_ELASTIC_INFERENCE_NOTEBOOK",
    severity=Severity.FAIL,
    title="No notebook instance may use Elastic Inference, which is no longer available",
    problem="A notebook instance uses Elastic Inference, which is no longer available",
    practices=("60",),
    fix="Remove accelerator_types.",
    types=("aws_sagemaker_notebook_instance",),
)
def elastic_inference_notebook(_: Plan, notebook: Resource) -> RuleResults:
    accelerators = notebook.new.texts("accelerator_types")
    if accelerators is UNKNOWN:
        yield unknown_result("its accelerator_types are not known until apply", "accelerator_types")
    elif accelerators:
        yield failure("Elastic Inference is no longer available", "accelerator_types")
    else:
        yield success()


@rule(
    id="SUS_INF1",
    severity=Severity.FAIL,
    title="No endpoint may run on Inferentia 1, which current frameworks and drivers no longer support",
    problem="An endpoint runs on Inferentia 1, which current frameworks and drivers no longer support",
    practices=("60",),
    fix="Use ml.inf2 and compile the model again with Neuron.",
    types=(CONFIGURATION, PIPELINE),
)
@check_variants()
def inf1(_: CreateRequest, variant: CreateRequest) -> RuleResults:
    """Check the instance type. Serverless variants have none."""
    for one, kind in list_requested_types(variant):
        if kind is UNKNOWN or kind:
            message = f"{kind} supports only an old driver and PyTorch 1"
            yield one.check_value(kind, "instance_type", lambda it: not it.startswith("ml.inf1."), message)


@rule(
    id="SUS_TRAINING_COMPILER",
    severity=Severity.FAIL,
    title="No training job may use Training Compiler, which receives no releases and no patches",
    problem="A training job uses Training Compiler, which receives no releases and no patches",
    practices=("38",),
    fix="Use torch.compile, or Trainium with Neuron.",
    types=TRAINING_TYPES,
)
@check_trainings
def training_compiler(training: CreateRequest) -> RuleResults:
    """Check the settings and the image; an image of Training Compiler has `-trcomp-training` in its name."""
    states: dict[str, bool | Unknown] = {}
    for path in ("hyper_parameters", "static_hyper_parameters", "environment"):
        settings = training.read_map(path)
        states[path] = settings if settings is UNKNOWN else _enables_compiler(settings)
    image = training.text("algorithm_specification.training_image")
    states["algorithm_specification.training_image"] = (
        image if image is UNKNOWN else "-trcomp-training" in (image or "")
    )
    for path, state in states.items():
        if state is True:
            yield training.failure(path, "Training Compiler receives no releases and no patches")
            return
    unknown_paths = [path for path, state in states.items() if state is UNKNOWN]
    yield training.unknown_result(unknown_paths[0]) if unknown_paths else success()


def _enables_compiler(settings: Mapping[str, Any]) -> bool | Unknown:
    """Return whether hyperparameters or variables turn Training Compiler on."""
    for name, value in settings.items():
        if name.lower().removeprefix("sm_hp_") == _COMPILER:
            return UNKNOWN if value is UNKNOWN else str(value).strip('"').lower() in ("true", "1")
    return False


@rule(
    id="SUS_DEBUGGER_ACTION",
    severity=Severity.FAIL,
    title="A Debugger rule must not have an action that cannot stop the job",
    problem="A Debugger rule has an action that cannot stop the job",
    practices=("35", "36"),
    fix="Remove action_json from the rule, and stop early in the training code.",
    types=TRAINING_TYPES,
)
@check_trainings
def debugger_action(training: CreateRequest) -> RuleResults:
    """Check rules with actions. A profiler rule has none; a debug rule needs a job without isolation, VPC, spot."""
    for path in ("profiler_rule_configurations", "debug_rule_configurations"):
        rules = training.blocks(path)
        if rules is UNKNOWN:
            yield training.unknown_result(path)
            return
        acting = [_has_action(block.get("rule_parameters", block.get("RuleParameters", {}))) for block in rules]
        if True not in acting:
            if UNKNOWN in acting:
                yield training.unknown_result(path)
                return
            continue
        if path == "profiler_rule_configurations":
            yield training.failure(path, "a profiler rule cannot take an action")
            return
        yield from _check_conflicts(training, path)
        return


def _has_action(parameters: object) -> bool | Unknown:
    return "action_json" in parameters if isinstance(parameters, dict) else UNKNOWN


def _check_conflicts(training: CreateRequest, path: str) -> RuleResults:
    networks = training.count_blocks("vpc_config")
    states = {
        "enable_network_isolation": ("network isolation", training.flag("enable_network_isolation")),
        "enable_managed_spot_training": ("managed spot", training.flag("enable_managed_spot_training")),
        "vpc_config": ("a VPC", networks if networks is UNKNOWN else networks > 0),
    }
    names = [name for name, state in states.values() if state is True]
    unknown_paths = [location for location, (_, state) in states.items() if state is UNKNOWN]
    if names:
        yield training.failure(path, f"the rule's action does not work with {' and '.join(names)}")
    else:
        yield training.unknown_result(unknown_paths[0]) if unknown_paths else success()


@rule(
    id="SUS_MODEL_MONITOR",
    severity=Severity.WARN,
    title=f"New workloads should not use Model Monitor, which closed to new customers on {CLOSED_ON['Model Monitor']}",
    problem=f"A new workload uses Model Monitor, which closed to new customers on {CLOSED_ON['Model Monitor']}",
    practices=("73", "74"),
    fix="Compute drift in a processing step, and alarm on its metric. Existing customers may waive this rule.",
    types=("aws_sagemaker_data_quality_job_definition", "aws_sagemaker_monitoring_schedule"),
)
def model_monitor(_: Plan, monitor: Resource) -> RuleResults:
    yield failure(
        f"{monitor.type} belongs to Model Monitor, which closed to new customers on {CLOSED_ON['Model Monitor']}"
    )


@rule(
    id="SUS_MONITOR_CHECK_STEP",
    severity=Severity.WARN,
    title="New pipelines should not use Model Monitor or Clarify, which closed to new customers in 2026",
    problem="A new pipeline uses Model Monitor or Clarify, which closed to new customers in 2026",
    practices=("73", "74"),
    fix="Compare data in a processing step (scipy, shap, custom metrics). Existing customers may waive this rule.",
    types=(PIPELINE,),
)
@check_steps("QualityCheck", "ClarifyCheck")
def monitor_check_step(_: PlannedPipeline, step: PipelineStep) -> RuleResults:
    service = "Model Monitor" if step.type == "QualityCheck" else "Clarify"
    yield failure(
        f"a {step.type} step runs {service}, which closed to new customers on {CLOSED_ON[service]}", locate_step(step)
    )


@rule(
    id="SUS_STUDIO_CLASSIC_APP",
    severity=Severity.FAIL,
    title="No plan may create an app of Studio Classic, which SageMaker refuses",
    problem="The plan creates an app of Studio Classic, which SageMaker refuses",
    practices=("46",),
    fix="Use app_type JupyterLab or CodeEditor with a space.",
    types=("aws_sagemaker_app",),
)
def studio_classic_app(_: Plan, app: Resource) -> RuleResults:
    if app.action not in ("create", "replace"):
        return
    kind = app.new.text("app_type")
    if kind is UNKNOWN:
        yield unknown_result("its app_type is not known until apply", "app_type")
    elif kind in _CLASSIC_APPS:
        yield failure(f"{kind} belongs to Studio Classic, which accepts no new apps", "app_type")
    else:
        yield success()


#: Blocks in which domains, profiles and spaces configure apps of Studio Classic.
_CLASSIC_SETTINGS: Mapping[str, Iterable[str]] = {
    "aws_sagemaker_domain": ("default_user_settings", "default_space_settings"),
    "aws_sagemaker_user_profile": ("user_settings",),
    "aws_sagemaker_space": ("space_settings",),
}


@rule(
    id="SUS_STUDIO_CLASSIC_SETTINGS",
    severity=Severity.WARN,
    title="Domains, profiles and spaces should not configure Studio Classic, which supports existing workloads only",
    problem="A domain, profile or space configures Studio Classic, which supports existing workloads only",
    practices=("46", "24"),
    fix="Use jupyter_lab_app_settings and code_editor_app_settings.",
    types=tuple(_CLASSIC_SETTINGS),
)
def studio_classic_settings(_: Plan, resource: Resource) -> RuleResults:
    for outer in _CLASSIC_SETTINGS[resource.type]:
        for inner in ("jupyter_server_app_settings", "kernel_gateway_app_settings"):
            path = f"{outer}.0.{inner}"
            blocks = resource.new.blocks(path)
            if blocks is UNKNOWN:
                yield unknown_result(f"it is not known until apply whether it has {inner}", path)
                return
            if blocks:
                yield failure(f"{inner} belongs to Studio Classic, which supports existing workloads only", path)
                return
    yield success()


@rule(
    id="SUS_GLUE_RAY",
    severity=Severity.WARN,
    title="A Glue job should not use Ray, which closed to new customers on 2026-04-30",
    problem="A Glue job uses Ray, which closed to new customers on 2026-04-30",
    practices=("9",),
    fix="Use a Glue Spark job, or Ray in a SageMaker processing job. Existing customers may waive this rule.",
    types=("aws_glue_job",),
)
def glue_ray(plan: Plan, job: Resource) -> RuleResults:
    if not ml_evidence.uses_ml(plan, job):
        return
    command = job.new.text("command.0.name")
    if command is UNKNOWN:
        yield unknown_result("its command is not known until apply", "command.0.name")
    elif command == "glueray":
        yield failure("Glue for Ray has been closed to new customers since 2026-04-30", "command.0.name")
    else:
        yield success()
