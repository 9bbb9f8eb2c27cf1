"""Training jobs of all kinds: runtime limits, hardware, distribution and ended services.

The rules on pre-trained models and on Trainium apply only to accelerated jobs, because nobody fine-tunes a
gradient-boosted tree. The rules on managed spot are in spot.py.
"""

import re
from collections.abc import Mapping
from typing import Any

from sustainable_mlops.base.lazy_pattern import LazyPattern
from sustainable_mlops.plan import UNKNOWN, Unknown
from sustainable_mlops.plan.values import Block
from sustainable_mlops.rules.attributes import CreateRequest
from sustainable_mlops.rules.jobs import TRAINING_TYPES, check_trainings
from sustainable_mlops.rules.rule import RuleResult, RuleResults, Severity, rule, success

#: SageMaker's maximum runtime of a training job: 28 days.
MAX_TRAINING_SECONDS = 28 * 24 * 3600
#: Instance types with GPUs: `ml.g4dn`, `ml.p5` and so on.
_GPU = LazyPattern(r"ml\.[gp]\d\w*(-\w+)?\.")
_NEURON = LazyPattern(r"ml\.(trn|inf)\d\w*\.")
_ACCELERATED = LazyPattern(f"{_GPU.pattern}|{_NEURON.pattern}")
_ARM = LazyPattern(r"ml\.[a-z]+\d+g[a-z]*\.")
#: Registries of AWS Deep Learning Containers in the commercial and the Chinese Regions.
_DEEP_LEARNING_CONTAINERS = ("763104351884.", "727897471807.")
#: Hyperparameters with which the SageMaker SDK configures the distribution of a job.
_DISTRIBUTION = LazyPattern(r"sagemaker_(torch_distributed|mpi|distributed|parameter_server|multi_worker)")


#: Request paths of the instance types: one type, or lists of groups, preferences and configurations.
_TYPE_PATHS = ("resource_config.instance_type", "hyper_parameter_tuning_resource_config.instance_type")
_TYPE_LIST_PATHS = (
    "resource_config.instance_groups",
    "resource_config.instance_preferences",
    "hyper_parameter_tuning_resource_config.instance_configs",
)


def list_instance_types(training: CreateRequest) -> list[str | Unknown] | Unknown:
    """Return the instance types of a training. The result is empty if SageMaker chooses them."""
    types = [kind for path in _TYPE_PATHS if (kind := training.text(path)) is not None]
    for path in _TYPE_LIST_PATHS:
        blocks = training.blocks(path)
        if blocks is UNKNOWN:
            return UNKNOWN
        types += [kind for block in blocks if (kind := _read_type(block)) is not None]
    return types


def locate_types(training: CreateRequest) -> str:
    """Return the request path of the instance types."""
    return next(
        (path for path in (*_TYPE_PATHS, *_TYPE_LIST_PATHS) if training.get(path) not in (None, [])), _TYPE_PATHS[0]
    )


def _read_type(block: Block) -> str | Unknown | None:
    in_terraform = block.text("instance_type")
    return in_terraform if in_terraform is not None else block.text("InstanceType")


def _matches_family(pattern: LazyPattern, types: list[str | Unknown] | Unknown) -> bool | Unknown:
    """Return whether any instance type belongs to the family of `pattern`."""
    if types is UNKNOWN:
        return UNKNOWN
    if any(isinstance(kind, str) and pattern.match(kind) for kind in types):
        return True
    return UNKNOWN if UNKNOWN in types else False


@rule(
    id="SUS_TRAINING_RUNTIME_CAP",
    severity=Severity.WARN,
    title="A training job should have its own runtime limit",
    problem="A training job does not set a runtime limit",
    practices=("26",),
    fix="Set the stopping condition's max_runtime_in_seconds to the longest time that the job may need.",
    types=TRAINING_TYPES,
)
@check_trainings
def runtime_limit(training: CreateRequest) -> RuleResults:
    """Check for an explicit limit below the 28 days that SageMaker allows at most."""
    path = "stopping_condition.max_runtime_in_seconds"
    limit = training.number(path)
    yield training.check_value(
        limit,
        path,
        lambda seconds: seconds is not None and seconds < MAX_TRAINING_SECONDS,
        "there is no runtime limit, so a job that hangs runs for SageMaker's default of a day"
        if limit is None
        else "the runtime limit is SageMaker's maximum of 28 days, so a job that hangs runs that long",
    )


@rule(
    id="SUS_JOB_GRAVITON",
    severity=Severity.FAIL,
    title="A training job must use an instance type that SageMaker offers for training",
    problem="A training job uses an instance type that SageMaker does not offer for training",
    practices=("59", "32"),
    fix="Choose an x86, GPU or Trainium instance. SageMaker offers Graviton for hosting and notebooks only.",
    types=TRAINING_TYPES,
)
@check_trainings
def graviton_does_not_train(training: CreateRequest) -> RuleResults:
    """Check the instance types: TrainingInstanceType has no Arm family (service model of botocore 1.44.8)."""
    types = list_instance_types(training)
    if types == []:
        return
    yield training.check_value(
        _matches_family(_ARM, types),
        locate_types(training),
        lambda arm: not arm,
        "SageMaker has no training on Graviton and refuses the job",
    )


@rule(
    id="SUS_TRAINING_TRAINIUM",
    severity=Severity.INFO,
    title="Deep learning should train on Trainium if its framework supports it",
    problem="Deep learning trains on GPUs, although Trainium may support its framework",
    practices=("32",),
    fix="Try ml.trn1 or ml.trn2 with a Neuron image (PyTorch, JAX). Keep the GPU if an operator is missing.",
    types=TRAINING_TYPES,
)
@check_trainings
def trains_on_trainium(training: CreateRequest) -> RuleResults:
    """Check GPU jobs. This is advice, because not all code runs on Trainium.

    AWS reports 25 % less energy for BERT-Large.
    """
    path, types = locate_types(training), list_instance_types(training)
    gpu, neuron = _matches_family(_GPU, types), _matches_family(_NEURON, types)
    if gpu is UNKNOWN or neuron is UNKNOWN:
        yield training.unknown_result(path)
    elif gpu:
        yield training.failure(path, "the job trains on GPUs")
    elif neuron:
        yield success()


@rule(
    id="SUS_NEURON_IMAGE",
    severity=Severity.WARN,
    title="A job on Trainium should use an image with the Neuron SDK",
    problem="A job on Trainium uses an image without the Neuron SDK",
    practices=("32",),
    fix="Use the framework's Neuron image (the name of its repository ends in neuronx).",
    types=TRAINING_TYPES,
)
@check_trainings
def neuron_image(training: CreateRequest) -> RuleResults:
    """Check AWS Deep Learning Containers, whose name tells the SDK. Custom images are not checked."""
    path = "algorithm_specification.training_image"
    neuron, image = _matches_family(_NEURON, list_instance_types(training)), training.text(path)
    if neuron is False:
        return
    if neuron is UNKNOWN or image is UNKNOWN:
        yield training.unknown_result(path if image is UNKNOWN else locate_types(training))
    elif image is not None and image.startswith(_DEEP_LEARNING_CONTAINERS):
        yield training.check_value(
            image,
            path,
            lambda uri: "neuron" in uri,
            "without the Neuron SDK the CPU trains and the accelerators stay idle",
        )


@rule(
    id="SUS_PRETRAINED_MODEL",
    severity=Severity.INFO,
    title="An accelerated job should start from a pre-trained model, or declare that it trains from scratch",
    problem="An accelerated job neither starts from a pre-trained model nor declares that it trains from scratch",
    practices=("3",),
    fix=(
        "Fine-tune a pre-trained model (JumpStart, PEFT), or tag the job `model-origin` with the origin of its weights."
    ),
    types=TRAINING_TYPES,
)
@check_trainings
def pretrained_model(training: CreateRequest) -> RuleResults:
    """Check the origin of the weights.

    A fine-tuning job declares it with serverless_job_config, other jobs with the tag or hyperparameter model-origin.
    """
    serverless = training.count_blocks("serverless_job_config")
    accelerated = _matches_family(_ACCELERATED, list_instance_types(training))
    if accelerated is UNKNOWN or serverless is UNKNOWN:
        yield training.unknown_result("serverless_job_config" if serverless is UNKNOWN else locate_types(training))
    elif serverless > 0:
        yield success()
    elif accelerated:
        yield _check_origin(training)


def _check_origin(training: CreateRequest) -> RuleResult:
    tags, parameters = training.read_tags(), _read_parameters(training)
    if tags is UNKNOWN or parameters is UNKNOWN:
        return training.unknown_result("tags")
    if "model-origin" in parameters or _has_origin_tag(tags):
        return success()
    return training.failure("tags", "no tag or hyperparameter states the origin of the weights")


def _has_origin_tag(tags: object) -> bool:
    """Return whether the tags have an origin. Tags are a map in Terraform and a list of Key and Value in a request."""
    if isinstance(tags, list):
        return any(isinstance(tag, dict) and tag.get("Key") == "model-origin" for tag in tags)
    return isinstance(tags, dict) and "model-origin" in tags


def _read_parameters(training: CreateRequest) -> Mapping[str, Any] | Unknown:
    """Return the hyperparameters, including the static ones of a tuning job."""
    own, static_parameters = training.read_map("hyper_parameters"), training.read_map("static_hyper_parameters")
    return UNKNOWN if own is UNKNOWN or static_parameters is UNKNOWN else {**own, **static_parameters}


@rule(
    id="SUS_TRAINING_DISTRIBUTED",
    severity=Severity.WARN,
    title="A training job on several instances should distribute its work",
    problem="A training job on several instances does not distribute its work",
    practices=("39",),
    fix="Configure the distribution (torchrun, MPI, model parallelism), or train on one instance.",
    types=TRAINING_TYPES,
)
@check_trainings
def training_distribution(training: CreateRequest) -> RuleResults:
    """Check script mode with a deep learning framework. Without a distribution each instance trains the same model.

    Built-in algorithms, XGBoost and custom images distribute their work themselves.
    """
    path = "resource_config.instance_count"
    count, image = training.number(path), training.text("algorithm_specification.training_image")
    parameters = _read_parameters(training)
    if count is UNKNOWN or (count is not None and count > 1 and UNKNOWN in (image, parameters)):
        yield training.unknown_result(path)
        return
    if count is None or count <= 1 or image is None or image is UNKNOWN or parameters is UNKNOWN:
        return
    if "sagemaker_program" in parameters and re.search("pytorch|tensorflow|huggingface|mxnet", image):
        yield training.check_value(
            any(_DISTRIBUTION.match(name) for name in parameters),
            path,
            lambda distributed: distributed,
            f"{count:g} instances run the same script without a distribution of the work",
        )


@rule(
    id="SUS_DEBUGGER_RULES",
    severity=Severity.WARN,
    title="A training job should not use rules of SageMaker Debugger",
    problem="A training job uses rules of SageMaker Debugger",
    practices=("35",),
    fix="Stop early in the training code or by tuning's early stopping, and alarm on the job's CloudWatch metrics.",
    types=TRAINING_TYPES,
)
@check_trainings
def debugger_rules(training: CreateRequest) -> RuleResults:
    """Check for Debugger rules. Existing customers may waive this rule."""
    count = training.count_blocks("debug_rule_configurations")
    if count != 0:
        yield training.check_value(
            count,
            "debug_rule_configurations",
            lambda number: number == 0,
            "SageMaker Debugger has been closed to new customers since 2026-07-30, and each rule runs an instance",
        )


@rule(
    id="SUS_PROFILER_RULES",
    severity=Severity.WARN,
    title="A training job should not start Profiler rules",
    problem="A training job starts Profiler rules",
    practices=("36",),
    fix=(
        "Remove profiler_rule_configurations (SDK v2 adds them by default: disable_profiler=True) and use "
        "CloudWatch metrics."
    ),
    types=TRAINING_TYPES,
)
@check_trainings
def profiler_rules(training: CreateRequest) -> RuleResults:
    """Check for Profiler rules. Each rule is a processing job beside the training; support ends on 2027-06-30."""
    count = training.count_blocks("profiler_rule_configurations")
    if count != 0:
        yield training.check_value(
            count,
            "profiler_rule_configurations",
            lambda number: number == 0,
            "each profiler rule runs a container beside the job, and support of the Profiler ends on 2027-06-30",
        )


@rule(
    id="SUS_INTER_CONTAINER_ENCRYPTION",
    severity=Severity.INFO,
    title="Encryption of inter-container traffic should be on only for jobs with several instances",
    problem="Inter-container traffic is encrypted although the job has one instance",
    practices=("76",),
    fix=("Set enable_inter_container_traffic_encryption only for jobs with several instances and data that needs it."),
    types=TRAINING_TYPES,
)
@check_trainings
def inter_container_encryption(training: CreateRequest) -> RuleResults:
    """Check jobs with encryption, which slows distributed training.

    Source: AWS, "Protect Communications Between ML Compute Instances".
    """
    path = "enable_inter_container_traffic_encryption"
    encrypted, count = training.flag(path), training.number("resource_config.instance_count")
    if encrypted is None or encrypted is False:
        return
    if encrypted is UNKNOWN or count is UNKNOWN:
        yield training.unknown_result(path)
    elif count == 1:
        yield training.failure(path, "a single instance has no traffic between containers")
    elif count is not None:
        yield success()
