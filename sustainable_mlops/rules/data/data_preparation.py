"""Data preparation outside SageMaker: Glue, EMR, Kinesis and Firehose.

The rules check resources that use a bucket for machine learning, or that mention machine learning (see relation.py).
"""

from sustainable_mlops.plan import UNKNOWN, Plan, Resource
from sustainable_mlops.rules import ml_evidence
from sustainable_mlops.rules.attributes import ConfiguredAttributes, check_value
from sustainable_mlops.rules.rule import RuleResults, Severity, failure, rule, success, unknown_result

GLUE_JOB = "aws_glue_job"
EMR_SERVERLESS = "aws_emrserverless_application"
EMR = "aws_emr_cluster"
STREAM = "aws_kinesis_stream"
FIREHOSE = "aws_kinesis_firehose_delivery_stream"

_COMMAND = "command.0.name"
#: EMR Serverless's own default.
_MAX_IDLE_MINUTES = 15


@rule(
    id="SUS_GLUE_AUTO_SCALING",
    severity=Severity.WARN,
    title="A Glue job should scale its workers automatically",
    problem="A Glue job does not scale its workers automatically",
    practices=("9",),
    fix='Set default_arguments "--enable-auto-scaling" = "true" (Glue 3.0 and later).',
    types=(GLUE_JOB,),
)
def glue_scales(plan: Plan, job: Resource) -> RuleResults:
    """Check Spark jobs. A Python shell has no workers to scale."""
    command = job.text(_COMMAND)
    if command == "pythonshell" or not ml_evidence.uses_ml(plan, job):
        return
    path = "default_arguments"
    arguments = job.get(path, {})
    value = arguments.get("--enable-auto-scaling") if isinstance(arguments, dict) else UNKNOWN
    if command is UNKNOWN and value != "true":
        yield unknown_result("its command is not known until apply", _COMMAND)
    else:
        yield check_value(value, path, lambda flag: flag == "true", "all workers run for the whole job")


@rule(
    id="SUS_GLUE_TIMEOUT",
    severity=Severity.WARN,
    title="A Glue job should have its own timeout",
    problem="A Glue job does not set a timeout",
    practices=("9",),
    fix="Set timeout, in minutes, to the longest time that the job may need.",
    types=(GLUE_JOB,),
)
def glue_has_a_timeout(plan: Plan, job: Resource) -> RuleResults:
    """Check the timeout; Glue's default is 48 hours. A streaming job runs until it is stopped."""
    command = job.text(_COMMAND)
    if command == "gluestreaming" or not ml_evidence.uses_ml(plan, job):
        return
    timeout = ConfiguredAttributes(plan, job).number("timeout")
    if command is UNKNOWN and timeout in (None, 0):
        yield unknown_result("its command is not known until apply", _COMMAND)
    else:
        yield check_value(
            timeout, "timeout", lambda minutes: bool(minutes), "a job that hangs runs for Glue's default of 48 h"
        )


@rule(
    id="SUS_EMR_SERVERLESS_AUTO_STOP",
    severity=Severity.WARN,
    title="An idle EMR Serverless application should stop",
    problem="An idle EMR Serverless application does not stop",
    practices=("9",),
    fix=("Set auto_stop_configuration { enabled = true, idle_timeout_minutes = 15 }, or omit it: that is the default."),
    types=(EMR_SERVERLESS,),
)
def emr_serverless_stops(plan: Plan, application: Resource) -> RuleResults:
    """Check the idle timeout. Without a setting it is on, with 15 minutes."""
    if not ml_evidence.uses_ml(plan, application):
        return
    settings = ConfiguredAttributes(plan, application)
    enabled = settings.flag("auto_stop_configuration.0.enabled")
    path = "auto_stop_configuration.0.idle_timeout_minutes"
    minutes = settings.number(path)
    if enabled is False:
        yield failure("the application does not stop when it is idle", "auto_stop_configuration.0.enabled")
    elif enabled is UNKNOWN:
        yield unknown_result(
            "it is not known until apply whether it stops when it is idle", "auto_stop_configuration.0.enabled"
        )
    else:
        yield check_value(
            minutes,
            path,
            lambda idle: idle is None or idle <= _MAX_IDLE_MINUTES,
            f"the application stays idle for more than {_MAX_IDLE_MINUTES} min before it stops",
        )


@rule(
    id="SUS_EMR_AUTO_TERMINATION",
    severity=Severity.WARN,
    title="An idle EMR cluster should terminate",
    problem="An idle EMR cluster does not terminate",
    practices=("9",),
    fix="Add auto_termination_policy, or set keep_job_flow_alive_when_no_steps = false.",
    types=(EMR,),
)
def emr_auto_termination(plan: Plan, cluster: Resource) -> RuleResults:
    """Check for automatic termination. A cluster that ends with its last step needs no policy."""
    if not ml_evidence.uses_ml(plan, cluster):
        return
    if cluster.get("auto_termination_policy") not in (None, [], UNKNOWN):
        yield success()
        return
    stays = ConfiguredAttributes(plan, cluster).flag("keep_job_flow_alive_when_no_steps")
    policy = cluster.block("auto_termination_policy")
    yield check_value(
        UNKNOWN if policy is UNKNOWN else stays,
        "auto_termination_policy",
        lambda alive: alive is False,
        "an idle cluster never terminates",
    )


@rule(
    id="SUS_STREAM_ON_DEMAND",
    severity=Severity.WARN,
    title="A stream should use on-demand capacity",
    problem="A stream uses provisioned capacity",
    practices=("10",),
    fix='Set stream_mode_details { stream_mode = "ON_DEMAND" } and remove shard_count.',
    types=(STREAM,),
)
def stream_follows_traffic(plan: Plan, stream: Resource) -> RuleResults:
    """Check the mode; the default is PROVISIONED."""
    if ml_evidence.uses_ml(plan, stream):
        path = "stream_mode_details.0.stream_mode"
        mode = ConfiguredAttributes(plan, stream).text(path)
        yield check_value(mode, path, lambda name: name == "ON_DEMAND", "a fixed number of shards runs all day")


@rule(
    id="SUS_FIREHOSE_COLUMNAR",
    severity=Severity.WARN,
    title="Firehose should write a columnar format",
    problem="Firehose does not write a columnar format",
    practices=("10",),
    fix="Add data_format_conversion_configuration with parquet_ser_de or orc_ser_de.",
    types=(FIREHOSE,),
)
def firehose_writes_columns(plan: Plan, firehose: Resource) -> RuleResults:
    """Check streams to S3. Parquet needs up to 87 % less storage than CSV (ML Lens)."""
    if firehose.text("destination") != "extended_s3" or not ml_evidence.uses_ml(plan, firehose):
        return
    path = "extended_s3_configuration.0.data_format_conversion_configuration"
    conversion = firehose.block(path)
    if conversion is UNKNOWN:
        yield unknown_result("it is not known until apply whether it converts the format", path)
        return
    enabled = False if conversion is None else conversion.flag("enabled")
    yield check_value(enabled, path, lambda flag: flag is not False, "records are stored as text, without conversion")
