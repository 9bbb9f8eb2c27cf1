"""Training jobs, wherever they are declared: runtime caps, silicon, distribution, closed services.

Whether a job learns from a pre-trained model and whether its silicon suits it is only asked of accelerated jobs: nobody
fine-tunes a gradient-boosted tree. What is spoken of managed spot is in spot.py.
"""

import re
from collections.abc import Mapping
from typing import Any

from sustainable_mlops.plan import UNKNOWN, Unknown
from sustainable_mlops.plan.values import Block
from sustainable_mlops.rules.jobs import TRAINS, on_trainings
from sustainable_mlops.rules.reading import Request
from sustainable_mlops.rules.rule import Severity, Verdict, Verdicts, passed, rule

#: The longest that SageMaker lets a training job run: 28 days.
LONGEST_TRAINING = 28 * 24 * 3600
#: Families of GPUs; what SageMaker offers as `ml.g4dn`, `ml.p5` and so on.
_GPU = re.compile(r"ml\.[gp]\d\w*(-\w+)?\.")
_NEURON = re.compile(r"ml\.(trn|inf)\d\w*\.")
_ACCELERATED = re.compile(f"{_GPU.pattern}|{_NEURON.pattern}")
_ARM = re.compile(r"ml\.[a-z]+\d+g[a-z]*\.")
#: AWS Deep Learning Containers are in registries of these accounts (of the commercial and the Chinese Regions).
_DEEP_LEARNING_CONTAINERS = ("763104351884.", "727897471807.")
#: Hyperparameters by which the SageMaker SDK hands over how a job is distributed.
_DISTRIBUTION = re.compile(r"sagemaker_(torch_distributed|mpi|distributed|parameter_server|multi_worker)")


#: Where a training says on what it runs: one type, or lists of groups, of preferences and of configurations.
_ONE_TYPE = ("resource_config.instance_type", "hyper_parameter_tuning_resource_config.instance_type")
_TYPES = (
    "resource_config.instance_groups",
    "resource_config.instance_preferences",
    "hyper_parameter_tuning_resource_config.instance_configs",
)


def instance_types(training: Request) -> list[str | Unknown] | Unknown:
    """The instance types that a training may run on; empty where it leaves them to SageMaker."""
    found = [kind for path in _ONE_TYPE if (kind := training.text(path)) is not None]
    for path in _TYPES:
        listed = training.blocks(path)
        if listed is UNKNOWN:
            return UNKNOWN
        found += [kind for block in listed if (kind := _type(block)) is not None]
    return found


def types_place(training: Request) -> str:
    """Where the instance types are said, as a path of the request."""
    return next((path for path in (*_ONE_TYPE, *_TYPES) if training.get(path) not in (None, [])), _ONE_TYPE[0])


def _type(block: Block) -> str | Unknown | None:
    in_terraform = block.text("instance_type")
    return in_terraform if in_terraform is not None else block.text("InstanceType")


def _is_a(pattern: re.Pattern[str], types: list[str | Unknown] | Unknown) -> bool | Unknown:
    """Whether any of the types is of a family that `pattern` knows."""
    if types is UNKNOWN:
        return UNKNOWN
    if any(isinstance(kind, str) and pattern.match(kind) for kind in types):
        return True
    return UNKNOWN if UNKNOWN in types else False


@rule(
    id="SUS_TRAINING_RUNTIME_CAP",
    severity=Severity.WARN,
    title="A training job has a runtime cap of its own",
    practices=("26",),
    fix="Set the stopping condition's max_runtime_in_seconds to what the job may need at most.",
    types=TRAINS,
)
@on_trainings
def runtime_cap(training: Request) -> Verdicts:
    """Explicit, and below the 28 days that SageMaker allows at most: a cap that cannot bite is none."""
    path = "stopping_condition.max_runtime_in_seconds"
    limit = training.number(path)
    yield training.judge(
        limit,
        path,
        lambda seconds: seconds is not None and seconds < LONGEST_TRAINING,
        "there is no runtime cap: a job that hangs runs for SageMaker's default of a day"
        if limit is None
        else "the runtime cap is the longest that SageMaker allows, 28 days: a job that hangs runs as long",
    )


@rule(
    id="SUS_JOB_GRAVITON",
    severity=Severity.FAIL,
    title="A training job's instances are of a kind that trains",
    practices=("59", "32"),
    fix="Choose an x86, GPU or Trainium instance: SageMaker offers Graviton for hosting and notebooks only.",
    types=TRAINS,
)
@on_trainings
def graviton_does_not_train(training: Request) -> Verdicts:
    """SageMaker's TrainingInstanceType has no Arm family (service model of botocore 1.44.8)."""
    types = instance_types(training)
    if types == []:
        return
    yield training.judge(
        _is_a(_ARM, types),
        types_place(training),
        lambda arm: not arm,
        "SageMaker has no training on Graviton: the job is refused",
    )


@rule(
    id="SUS_TRAINING_TRAINIUM",
    severity=Severity.INFO,
    title="Deep learning trains on Trainium where its framework allows",
    practices=("32",),
    fix="Try ml.trn1 or ml.trn2 with a Neuron image (PyTorch, JAX); keep the GPU where an operator is missing.",
    types=TRAINS,
)
@on_trainings
def trains_on_trainium(training: Request) -> Verdicts:
    """Advice on GPU jobs: AWS says 25 % less energy for BERT-Large; whether the code runs there must be tried."""
    path, types = types_place(training), instance_types(training)
    gpu, neuron = _is_a(_GPU, types), _is_a(_NEURON, types)
    if gpu is UNKNOWN or neuron is UNKNOWN:
        yield training.unknown(path)
    elif gpu:
        yield training.failed(path, "the job trains on GPUs")
    elif neuron:
        yield passed()


@rule(
    id="SUS_NEURON_IMAGE",
    severity=Severity.WARN,
    title="A job on Trainium runs an image with the Neuron SDK",
    practices=("32",),
    fix="Take the framework's Neuron image (its repository's name ends in neuronx).",
    types=TRAINS,
)
@on_trainings
def neuron_image(training: Request) -> Verdicts:
    """Only of AWS Deep Learning Containers, whose name says it; nothing is known of an image of one's own."""
    path = "algorithm_specification.training_image"
    neuron, image = _is_a(_NEURON, instance_types(training)), training.text(path)
    if neuron is False:
        return
    if neuron is UNKNOWN or image is UNKNOWN:
        yield training.unknown(path if image is UNKNOWN else types_place(training))
    elif image is not None and image.startswith(_DEEP_LEARNING_CONTAINERS):
        yield training.judge(
            image, path, lambda uri: "neuron" in uri, "without the Neuron SDK the chips stand idle and the CPU trains"
        )


@rule(
    id="SUS_PRETRAINED_MODEL",
    severity=Severity.INFO,
    title="An accelerated job starts from a pre-trained model, or says that it trains from scratch",
    practices=("3",),
    fix="Fine-tune a pre-trained model (JumpStart, PEFT), or tag the job `model-origin` with where its weights begin.",
    types=TRAINS,
)
@on_trainings
def pretrained_model(training: Request) -> Verdicts:
    """A fine-tuning job says so itself (serverless_job_config); any other by the tag or hyperparameter model-origin."""
    serverless = training.listed("serverless_job_config")
    accelerated = _is_a(_ACCELERATED, instance_types(training))
    if accelerated is UNKNOWN or serverless is UNKNOWN:
        yield training.unknown("serverless_job_config" if serverless is UNKNOWN else types_place(training))
    elif serverless > 0:
        yield passed()
    elif accelerated:
        yield _origin(training)


def _origin(training: Request) -> Verdict:
    tags, parameters = training.tags(), _parameters(training)
    if tags is UNKNOWN or parameters is UNKNOWN:
        return training.unknown("tags")
    if "model-origin" in parameters or _says_origin(tags):
        return passed()
    return training.failed("tags", "nothing says that the job starts from a pre-trained model")


def _says_origin(tags: object) -> bool:
    """Tags are a map in Terraform and a list of Key and Value in a request."""
    if isinstance(tags, list):
        return any(isinstance(tag, dict) and tag.get("Key") == "model-origin" for tag in tags)
    return isinstance(tags, dict) and "model-origin" in tags


def _parameters(training: Request) -> Mapping[str, Any] | Unknown:
    """The hyperparameters, those that a tuning job holds still included."""
    own, still = training.map("hyper_parameters"), training.map("static_hyper_parameters")
    return UNKNOWN if own is UNKNOWN or still is UNKNOWN else {**own, **still}


@rule(
    id="SUS_TRAINING_DISTRIBUTED",
    severity=Severity.WARN,
    title="A training job on several instances shares the work among them",
    practices=("39",),
    fix="Configure the distribution (torchrun, MPI, model parallelism), or train on one instance.",
    types=TRAINS,
)
@on_trainings
def shares_the_work(training: Request) -> Verdicts:
    """Only of script mode with a deep learning framework: built-in algorithms, XGBoost and images of one's own know
    themselves how many they are. Else each instance would train the same model."""
    path = "resource_config.instance_count"
    count, image = training.number(path), training.text("algorithm_specification.training_image")
    parameters = _parameters(training)
    if count is UNKNOWN or (count is not None and count > 1 and UNKNOWN in (image, parameters)):
        yield training.unknown(path)
        return
    if count is None or count <= 1 or image is None or image is UNKNOWN or parameters is UNKNOWN:
        return
    if "sagemaker_program" in parameters and re.search("pytorch|tensorflow|huggingface|mxnet", image):
        yield training.judge(
            any(_DISTRIBUTION.match(name) for name in parameters),
            path,
            lambda distributed: distributed,
            f"{count:g} instances run the same script and nothing distributes the work",
        )


@rule(
    id="SUS_DEBUGGER_RULES",
    severity=Severity.WARN,
    title="A training job does not rely on SageMaker Debugger's rules",
    practices=("35",),
    fix="Stop early in the training code or by tuning's early stopping; alarm on the job's CloudWatch metrics.",
    types=TRAINS,
)
@on_trainings
def debugger_rules(training: Request) -> Verdicts:
    """Debugger is closed to new customers since 2026-07-30. An account that still has it may waive this."""
    count = training.listed("debug_rule_configurations")
    if count != 0:
        yield training.judge(
            count,
            "debug_rule_configurations",
            lambda found: found == 0,
            "SageMaker Debugger is closed to new customers since 2026-07-30, and each rule runs an instance",
        )


@rule(
    id="SUS_PROFILER_RULES",
    severity=Severity.WARN,
    title="A training job starts no Profiler rule",
    practices=("36",),
    fix="Drop profiler_rule_configurations (SDK v2 adds them by itself: disable_profiler=True) and read CloudWatch.",
    types=TRAINS,
)
@on_trainings
def profiler_rules(training: Request) -> Verdicts:
    """Each rule is a processing job beside the training; support of the Profiler ends on 2027-06-30."""
    count = training.listed("profiler_rule_configurations")
    if count != 0:
        yield training.judge(
            count,
            "profiler_rule_configurations",
            lambda found: found == 0,
            "each profiler rule runs a container beside the job, and support of the Profiler ends on 2027-06-30",
        )


@rule(
    id="SUS_INTER_CONTAINER_ENCRYPTION",
    severity=Severity.INFO,
    title="Traffic between a training's instances is encrypted only where there is any",
    practices=("76",),
    fix="Leave enable_inter_container_traffic_encryption to jobs of several instances with data that needs it.",
    types=TRAINS,
)
@on_trainings
def inter_container_encryption(training: Request) -> Verdicts:
    """It makes distributed training slower (AWS, "Protect Communications Between ML Compute Instances")."""
    path = "enable_inter_container_traffic_encryption"
    encrypted, count = training.flag(path), training.number("resource_config.instance_count")
    if encrypted is None or encrypted is False:
        return
    if encrypted is UNKNOWN or count is UNKNOWN:
        yield training.unknown(path)
    elif count == 1:
        yield training.failed(path, "one instance has no traffic to encrypt")
    elif count is not None:
        yield passed()
