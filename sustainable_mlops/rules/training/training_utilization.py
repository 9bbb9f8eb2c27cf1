"""Utilization of training instances, and alarms on it.

The metrics of a job contain its name (dimension Host), so an alarm in Terraform cannot cover the next job.
Alternatives are a function that each job's start event calls, an alarm on a query over all jobs, and a custom metric.
"""

import re
from functools import lru_cache

from sustainable_mlops.base.lazy_pattern import LazyPattern
from sustainable_mlops.plan import UNKNOWN, Plan, Resource, Unknown
from sustainable_mlops.plan.joins import ALARM
from sustainable_mlops.plan.schedules import EVENT_RULE, EVENT_TARGET
from sustainable_mlops.rules.jobs import PIPELINE, TRAINING_STEPS, TRAINING_TYPES, find_pipeline
from sustainable_mlops.rules.rule import RuleResults, Severity, failure, rule, success, unknown_result

FUNCTION = "aws_lambda_function"

_EVENT = "SageMaker Training Job State Change"
_JOB_NAMESPACE = "/aws/sagemaker/TrainingJobs"
_UTILIZATION = LazyPattern("utili[sz]ation", re.IGNORECASE)


@rule(
    id="SUS_TRAINING_UTILIZATION",
    severity=Severity.INFO,
    title="Low utilization of training instances should raise an alarm",
    problem="Low utilization of training instances raises no alarm",
    practices=("37",),
    fix=(
        f'Let the event "{_EVENT}" call a function that checks utilization and stops the job. Or alarm on a '
        f"Metrics Insights query over {_JOB_NAMESPACE}."
    ),
    types=TRAINING_TYPES,
)
def training_utilization(plan: Plan, resource: Resource) -> RuleResults:
    """Check for such a function or alarm. This is advice: it may be elsewhere."""
    pipeline = find_pipeline(plan, resource)
    trains = resource.type != PIPELINE or (pipeline is not None and bool(pipeline.list_steps(*TRAINING_STEPS)))
    hidden = pipeline is not None and pipeline.steps is UNKNOWN
    if not trains and not hidden:
        return
    is_monitored = _is_monitored(plan)
    if is_monitored is True:
        yield success()
    elif is_monitored is UNKNOWN:
        yield unknown_result("it is not known until apply whether its utilization is monitored")
    elif hidden:
        yield unknown_result(pipeline.unreadable_reason if pipeline else "", "pipeline_definition")
    else:
        yield failure("nothing in this plan monitors the utilization of training jobs")


@lru_cache(maxsize=2)
def _is_monitored(plan: Plan) -> bool | Unknown:
    """Return whether anything in the plan monitors the utilization of all training jobs."""
    matches = [_calls_a_function(plan, trigger) for trigger in plan.joins.list_existing(EVENT_RULE)]
    matches += [_covers_all_jobs(alarm) for alarm in plan.joins.list_existing(ALARM)]
    return True if True in matches else UNKNOWN if UNKNOWN in matches else False


def _calls_a_function(plan: Plan, trigger: Resource) -> bool | Unknown:
    pattern = trigger.text("event_pattern")
    if pattern is None or (isinstance(pattern, str) and _EVENT not in pattern):
        return False
    targets = plan.joins.find_sources(trigger, EVENT_TARGET, "rule")
    functions = [_is_function(plan, target) for target in targets.certain]
    if True in functions:
        return UNKNOWN if pattern is UNKNOWN else True
    return UNKNOWN if UNKNOWN in functions or targets.possible else False


def _is_function(plan: Plan, target: Resource) -> bool | Unknown:
    arn = target.text("arn")
    if isinstance(arn, str):
        return ":lambda:" in arn
    return True if isinstance(plan.joins.find_target(target, "arn", FUNCTION), Resource) else UNKNOWN


def _covers_all_jobs(alarm: Resource) -> bool | Unknown:
    """Return whether an alarm is on a query over the metrics of all jobs, or on a custom utilization metric."""
    queries = alarm.blocks("metric_query")
    if queries is UNKNOWN:
        return UNKNOWN
    expressions = [query.text("expression") for query in queries]
    if any(isinstance(text, str) and _JOB_NAMESPACE in text for text in expressions):
        return True
    namespace, metric = alarm.text("namespace"), alarm.text("metric_name")
    own = namespace if namespace is UNKNOWN else not re.match("/?aws/", namespace or "aws/", re.IGNORECASE)
    utilization = metric if metric is UNKNOWN else bool(_UTILIZATION.search(metric or ""))
    conditions = (own, utilization)
    if False not in conditions:
        return UNKNOWN if UNKNOWN in conditions else True
    return UNKNOWN if UNKNOWN in expressions else False
