"""Services that AWS has ended or closed to new customers, and what to use instead (state of November 2026)."""

from collections.abc import Iterable, Mapping
from typing import Any

from sustainable_mlops.plan import UNKNOWN, Pipeline, Plan, Resource, Step, Unknown
from sustainable_mlops.rules import relation
from sustainable_mlops.rules.jobs import PIPELINE, TRAINS, on_steps, on_trainings, place
from sustainable_mlops.rules.reading import Request
from sustainable_mlops.rules.rule import Severity, Verdicts, failed, passed, rule, unknown
from sustainable_mlops.rules.serving.variants import CONFIGURATION, on_variants

_COMPILER = "sagemaker_training_compiler_enabled"
_CLASSIC = frozenset({"JupyterServer", "KernelGateway"})


@rule(
    id="SUS_EDGE_MANAGER",
    severity=Severity.FAIL,
    title="Nothing is of SageMaker Edge Manager, which ended on 2024-04-26",
    practices=("68",),
    fix="Use AWS IoT Greengrass v2 with ONNX Runtime.",
    types=("aws_sagemaker_device", "aws_sagemaker_device_fleet"),
)
def edge_manager(_: Plan, device: Resource) -> Verdicts:
    yield failed(f"{device.type} is of Edge Manager, which ended on 2024-04-26")


@rule(
    id="SUS_ELASTIC_INFERENCE",
    severity=Severity.FAIL,
    title="No variant asks for Elastic Inference, which is no longer available",
    practices=("60",),
    fix="Remove accelerator_type; use ml.inf2, or Graviton for small models.",
    types=(CONFIGURATION, PIPELINE),
)
@on_variants()
def elastic_inference(_: Request, variant: Request) -> Verdicts:
    accelerator = variant.text("accelerator_type")
    message = f"{accelerator} is of Elastic Inference, which is no longer available"
    yield variant.judge(accelerator, "accelerator_type", lambda it: not it, message)


@rule(
    id="SUS_ELASTIC_INFERENCE_NOTEBOOK",
    severity=Severity.FAIL,
    title="No notebook instance asks for Elastic Inference, which is no longer available",
    practices=("60",),
    fix="Remove accelerator_types.",
    types=("aws_sagemaker_notebook_instance",),
)
def elastic_inference_notebook(_: Plan, notebook: Resource) -> Verdicts:
    accelerators = notebook.new.texts("accelerator_types")
    if accelerators is UNKNOWN:
        yield unknown("its accelerator_types are not known until apply", "accelerator_types")
    elif accelerators:
        yield failed("Elastic Inference is no longer available", "accelerator_types")
    else:
        yield passed()


@rule(
    id="SUS_INF1",
    severity=Severity.FAIL,
    title="No endpoint runs on Inferentia 1, which current frameworks and drivers have left",
    practices=("60",),
    fix="Use ml.inf2 and compile the model again with Neuron.",
    types=(CONFIGURATION, PIPELINE),
)
@on_variants()
def inf1(_: Request, variant: Request) -> Verdicts:
    """Serverless variants name no instance type."""
    kind = variant.text("instance_type")
    if kind is UNKNOWN or kind:
        message = f"{kind} has a pinned driver and PyTorch 1 only"
        yield variant.judge(kind, "instance_type", lambda it: not it.startswith("ml.inf1."), message)


@rule(
    id="SUS_TRAINING_COMPILER",
    severity=Severity.FAIL,
    title="No training uses Training Compiler, which gets no releases and no patches",
    practices=("38",),
    fix="Use torch.compile, or Trainium with Neuron.",
    types=TRAINS,
)
@on_trainings
def training_compiler(training: Request) -> Verdicts:
    """Asked for by a setting, or by an image whose repository is of it: huggingface-pytorch-trcomp-training."""
    answers: dict[str, bool | Unknown] = {}
    for path in ("hyper_parameters", "static_hyper_parameters", "environment"):
        found = training.map(path)
        answers[path] = found if found is UNKNOWN else _compiler(found)
    image = training.text("algorithm_specification.training_image")
    answers["algorithm_specification.training_image"] = (
        image if image is UNKNOWN else "-trcomp-training" in (image or "")
    )
    for path, answer in answers.items():
        if answer is True:
            yield training.failed(path, "Training Compiler gets no releases, and its images no patches")
            return
    open_places = [path for path, answer in answers.items() if answer is UNKNOWN]
    yield training.unknown(open_places[0]) if open_places else passed()


def _compiler(settings: Mapping[str, Any]) -> bool | Unknown:
    """Whether hyperparameters or variables turn Training Compiler on."""
    for name, value in settings.items():
        if name.lower().removeprefix("sm_hp_") == _COMPILER:
            return UNKNOWN if value is UNKNOWN else str(value).strip('"').lower() in ("true", "1")
    return False


@rule(
    id="SUS_DEBUGGER_ACTION",
    severity=Severity.FAIL,
    title="No action of a Debugger rule stands where it cannot stop the job",
    practices=("35", "36"),
    fix="Remove action_json from the rule, and stop early in the training code.",
    types=TRAINS,
)
@on_trainings
def debugger_action(training: Request) -> Verdicts:
    """Built-in actions work neither with network isolation, a VPC or spot, nor on a ProfilerRule."""
    for path in ("profiler_rule_configurations", "debug_rule_configurations"):
        rules = training.blocks(path)
        if rules is UNKNOWN:
            yield training.unknown(path)
            return
        acting = [_acts(block.get("rule_parameters", block.get("RuleParameters", {}))) for block in rules]
        if True not in acting:
            if UNKNOWN in acting:
                yield training.unknown(path)
                return
            continue
        if path == "profiler_rule_configurations":
            yield training.failed(path, "a profiler rule cannot take an action")
            return
        yield from _in_the_way(training, path)
        return


def _acts(parameters: object) -> bool | Unknown:
    return "action_json" in parameters if isinstance(parameters, dict) else UNKNOWN


def _in_the_way(training: Request, path: str) -> Verdicts:
    networks = training.listed("vpc_config")
    answers = {
        "enable_network_isolation": ("network isolation", training.flag("enable_network_isolation")),
        "enable_managed_spot_training": ("managed spot", training.flag("enable_managed_spot_training")),
        "vpc_config": ("a VPC", networks if networks is UNKNOWN else networks > 0),
    }
    names = [name for name, answer in answers.values() if answer is True]
    open_places = [place for place, (_, answer) in answers.items() if answer is UNKNOWN]
    if names:
        yield training.failed(path, f"the rule's action does not work with {' and '.join(names)}")
    else:
        yield training.unknown(open_places[0]) if open_places else passed()


@rule(
    id="SUS_MODEL_MONITOR",
    severity=Severity.WARN,
    title="Nothing new is built on Model Monitor, which is closed to new customers since 2026-07-30",
    practices=("73", "74"),
    fix="Compute drift with Evidently in a processing step and alarm on the metric; existing customers may waive this.",
    types=("aws_sagemaker_data_quality_job_definition", "aws_sagemaker_monitoring_schedule"),
)
def model_monitor(_: Plan, monitor: Resource) -> Verdicts:
    yield failed(f"{monitor.type} is of Model Monitor, which is closed to new customers since 2026-07-30")


@rule(
    id="SUS_MONITOR_CHECK_STEP",
    severity=Severity.WARN,
    title="No pipeline step is of Model Monitor or Clarify, which are closed to new customers since 2026-07-30",
    practices=("73", "74"),
    fix="Compare data in a processing step (Evidently, shap, metrics of your own); existing customers may waive this.",
    types=(PIPELINE,),
)
@on_steps("QualityCheck", "ClarifyCheck")
def monitor_check_step(_: Pipeline, step: Step) -> Verdicts:
    service = "Model Monitor" if step.type == "QualityCheck" else "Clarify"
    yield failed(f"a {step.type} step runs {service}, which is closed to new customers since 2026-07-30", place(step))


@rule(
    id="SUS_STUDIO_CLASSIC_APP",
    severity=Severity.FAIL,
    title="No app of Studio Classic is created, which SageMaker refuses",
    practices=("46",),
    fix="Use app_type JupyterLab or CodeEditor with a space.",
    types=("aws_sagemaker_app",),
)
def studio_classic_app(_: Plan, app: Resource) -> Verdicts:
    if app.action not in ("create", "replace"):
        return
    kind = app.new.text("app_type")
    if kind is UNKNOWN:
        yield unknown("its app_type is not known until apply", "app_type")
    elif kind in _CLASSIC:
        yield failed(f"{kind} is of Studio Classic, which takes no new apps", "app_type")
    else:
        yield passed()


#: Where domains, profiles and spaces set up apps of Studio Classic.
_CLASSIC_SETTINGS: Mapping[str, Iterable[str]] = {
    "aws_sagemaker_domain": ("default_user_settings", "default_space_settings"),
    "aws_sagemaker_user_profile": ("user_settings",),
    "aws_sagemaker_space": ("space_settings",),
}


@rule(
    id="SUS_STUDIO_CLASSIC_SETTINGS",
    severity=Severity.WARN,
    title="Nothing is set up for Studio Classic, which is for existing workloads only",
    practices=("46", "24"),
    fix="Use jupyter_lab_app_settings and code_editor_app_settings.",
    types=tuple(_CLASSIC_SETTINGS),
)
def studio_classic_settings(_: Plan, resource: Resource) -> Verdicts:
    for outer in _CLASSIC_SETTINGS[resource.type]:
        for inner in ("jupyter_server_app_settings", "kernel_gateway_app_settings"):
            path = f"{outer}.0.{inner}"
            found = resource.new.blocks(path)
            if found is UNKNOWN:
                yield unknown(f"whether it has {inner} is not known until apply", path)
                return
            if found:
                yield failed(f"{inner} is of Studio Classic, which is for existing workloads only", path)
                return
    yield passed()


@rule(
    id="SUS_GLUE_RAY",
    severity=Severity.WARN,
    title="No Glue job runs Ray, which is closed to new customers since 2026-04-30",
    practices=("9",),
    fix="Use a Glue Spark job, or Ray in a SageMaker processing job; existing customers may waive this.",
    types=("aws_glue_job",),
)
def glue_ray(plan: Plan, job: Resource) -> Verdicts:
    if not relation.touches(plan, job):
        return
    command = job.new.text("command.0.name")
    if command is UNKNOWN:
        yield unknown("what it runs is not known until apply", "command.0.name")
    elif command == "glueray":
        yield failed("Glue for Ray is closed to new customers since 2026-04-30", "command.0.name")
    else:
        yield passed()
