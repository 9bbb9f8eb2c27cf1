"""Data preparation outside SageMaker: Glue, EMR, Kinesis and Firehose.

Only what works on a bucket of machine learning, or says that it does, is looked at (see relation.py).
"""

from sustainable_mlops.plan import UNKNOWN, Plan, Resource
from sustainable_mlops.rules import relation
from sustainable_mlops.rules.reading import Settings, judge
from sustainable_mlops.rules.rule import Severity, Verdicts, failed, passed, rule, unknown

GLUE_JOB = "aws_glue_job"
EMR_SERVERLESS = "aws_emrserverless_application"
EMR = "aws_emr_cluster"
STREAM = "aws_kinesis_stream"
FIREHOSE = "aws_kinesis_firehose_delivery_stream"

_COMMAND = "command.0.name"
#: EMR Serverless's own default.
_LONGEST_IDLE_MINUTES = 15


@rule(
    id="SUS_GLUE_AUTO_SCALING",
    severity=Severity.WARN,
    title="A Glue job takes as many workers as it needs",
    practices=("9",),
    fix='Set default_arguments "--enable-auto-scaling" = "true" (Glue 3.0 and later).',
    types=(GLUE_JOB,),
)
def glue_scales(plan: Plan, job: Resource) -> Verdicts:
    """Of Spark jobs: a Python shell has no workers to scale."""
    command = job.text(_COMMAND)
    if command == "pythonshell" or not relation.touches(plan, job):
        return
    path = "default_arguments"
    arguments = job.get(path, {})
    value = arguments.get("--enable-auto-scaling") if isinstance(arguments, dict) else UNKNOWN
    if command is UNKNOWN and value != "true":
        yield unknown("what it runs is not known until apply", _COMMAND)
    else:
        yield judge(value, path, lambda on: on == "true", "all workers run from the first minute to the last")


@rule(
    id="SUS_GLUE_TIMEOUT",
    severity=Severity.WARN,
    title="A Glue job has a timeout of its own",
    practices=("9",),
    fix="Set timeout, in minutes, to what the job may need at most.",
    types=(GLUE_JOB,),
)
def glue_has_a_timeout(plan: Plan, job: Resource) -> Verdicts:
    """Glue's default is 48 hours. A streaming job runs until it is stopped and is not asked."""
    command = job.text(_COMMAND)
    if command == "gluestreaming" or not relation.touches(plan, job):
        return
    timeout = Settings(plan, job).number("timeout")
    if command is UNKNOWN and timeout in (None, 0):
        yield unknown("what it runs is not known until apply", _COMMAND)
    else:
        yield judge(
            timeout, "timeout", lambda minutes: bool(minutes), "a job that hangs runs for Glue's default of 48 h"
        )


@rule(
    id="SUS_EMR_SERVERLESS_AUTO_STOP",
    severity=Severity.WARN,
    title="An EMR Serverless application stops when it has nothing to do",
    practices=("9",),
    fix="Set auto_stop_configuration { enabled = true, idle_timeout_minutes = 15 }, or leave it out: that is the "
    "default.",
    types=(EMR_SERVERLESS,),
)
def emr_serverless_stops(plan: Plan, application: Resource) -> Verdicts:
    """On and 15 minutes by default, so what is not set is right."""
    if not relation.touches(plan, application):
        return
    settings = Settings(plan, application)
    enabled = settings.flag("auto_stop_configuration.0.enabled")
    path = "auto_stop_configuration.0.idle_timeout_minutes"
    minutes = settings.number(path)
    if enabled is False:
        yield failed("the application never stops by itself", "auto_stop_configuration.0.enabled")
    elif enabled is UNKNOWN:
        yield unknown("whether it stops by itself is not known until apply", "auto_stop_configuration.0.enabled")
    else:
        yield judge(
            minutes,
            path,
            lambda idle: idle is None or idle <= _LONGEST_IDLE_MINUTES,
            f"the application stays up for more than {_LONGEST_IDLE_MINUTES} min with nothing to do",
        )


@rule(
    id="SUS_EMR_AUTO_TERMINATION",
    severity=Severity.WARN,
    title="An EMR cluster ends when it has nothing to do",
    practices=("9",),
    fix="Add auto_termination_policy, or set keep_job_flow_alive_when_no_steps = false.",
    types=(EMR,),
)
def emr_ends(plan: Plan, cluster: Resource) -> Verdicts:
    """One that ends with its last step needs no policy."""
    if not relation.touches(plan, cluster):
        return
    if cluster.get("auto_termination_policy") not in (None, [], UNKNOWN):
        yield passed()
        return
    stays = Settings(plan, cluster).flag("keep_job_flow_alive_when_no_steps")
    policy = cluster.block("auto_termination_policy")
    yield judge(
        UNKNOWN if policy is UNKNOWN else stays,
        "auto_termination_policy",
        lambda alive: alive is False,
        "the cluster waits for ever for its next step",
    )


@rule(
    id="SUS_STREAM_ON_DEMAND",
    severity=Severity.WARN,
    title="A stream's capacity follows its traffic",
    practices=("10",),
    fix='Set stream_mode_details { stream_mode = "ON_DEMAND" } and drop shard_count.',
    types=(STREAM,),
)
def stream_follows_traffic(plan: Plan, stream: Resource) -> Verdicts:
    """The mode is PROVISIONED where nothing is said."""
    if relation.touches(plan, stream):
        path = "stream_mode_details.0.stream_mode"
        mode = Settings(plan, stream).text(path)
        yield judge(mode, path, lambda name: name == "ON_DEMAND", "a fixed number of shards runs day and night")


@rule(
    id="SUS_FIREHOSE_COLUMNAR",
    severity=Severity.WARN,
    title="Firehose writes a columnar format",
    practices=("10",),
    fix="Add data_format_conversion_configuration with parquet_ser_de or orc_ser_de.",
    types=(FIREHOSE,),
)
def firehose_writes_columns(plan: Plan, firehose: Resource) -> Verdicts:
    """Of streams to S3: Parquet takes up to 87 % less storage than CSV (ML Lens)."""
    if firehose.text("destination") != "extended_s3" or not relation.touches(plan, firehose):
        return
    path = "extended_s3_configuration.0.data_format_conversion_configuration"
    conversion = firehose.block(path)
    if conversion is UNKNOWN:
        yield unknown("whether it converts is not known until apply", path)
        return
    enabled = False if conversion is None else conversion.flag("enabled")
    yield judge(enabled, path, lambda on: on is not False, "records are kept as they come, as text")
