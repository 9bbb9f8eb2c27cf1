"""Training that leaves its instances idle, and what hears of it.

The metrics of a job have its name in them (dimension Host), so no alarm that is made beforehand can be on those of the
next job. What can: a function that each job's start calls, an alarm on a query over all jobs, a metric of one's own.
"""

import re
from functools import lru_cache

from sustainable_mlops.plan import UNKNOWN, Plan, Resource, Unknown
from sustainable_mlops.plan.joins import ALARM
from sustainable_mlops.plan.schedules import EVENT_RULE, EVENT_TARGET
from sustainable_mlops.rules.jobs import PIPELINE, TRAINING_STEPS, TRAINS, pipeline_of
from sustainable_mlops.rules.rule import Severity, Verdicts, failed, passed, rule, unknown

FUNCTION = "aws_lambda_function"

_EVENT = "SageMaker Training Job State Change"
_OF_JOBS = "/aws/sagemaker/TrainingJobs"
_UTILIZATION = re.compile("utili[sz]ation", re.IGNORECASE)


@rule(
    id="SUS_TRAINING_UTILIZATION",
    severity=Severity.INFO,
    title="Something hears of a training that leaves its instances idle",
    practices=("37",),
    fix=f'Let the event "{_EVENT}" call a function that watches utilisation and stops the job, or alarm on a Metrics '
    f"Insights query over {_OF_JOBS}.",
    types=TRAINS,
)
def hears_of_idle_training(plan: Plan, resource: Resource) -> Verdicts:
    """Advice: what does so may be elsewhere."""
    pipeline = pipeline_of(plan, resource)
    trains = resource.type != PIPELINE or (pipeline is not None and bool(pipeline.of_type(*TRAINING_STEPS)))
    hidden = pipeline is not None and pipeline.steps is UNKNOWN
    if not trains and not hidden:
        return
    watched = _watched(plan)
    if watched is True:
        yield passed()
    elif watched is UNKNOWN:
        yield unknown("what hears of its utilisation is not known until apply")
    elif hidden:
        yield unknown(pipeline.unknown if pipeline else "", "pipeline_definition")
    else:
        yield failed("nothing of this plan hears of jobs that leave their instances idle")


@lru_cache(maxsize=2)
def _watched(plan: Plan) -> bool | Unknown:
    """Whether anything of the plan is about the utilisation of whichever job trains."""
    answers = [_calls_a_function(plan, starter) for starter in plan.joins.all(EVENT_RULE)]
    answers += [_is_of_any_job(alarm) for alarm in plan.joins.all(ALARM)]
    return True if True in answers else UNKNOWN if UNKNOWN in answers else False


def _calls_a_function(plan: Plan, starter: Resource) -> bool | Unknown:
    pattern = starter.text("event_pattern")
    if pattern is None or (isinstance(pattern, str) and _EVENT not in pattern):
        return False
    targets = plan.joins.sources(starter, EVENT_TARGET, "rule")
    functions = [_is_function(plan, target) for target in targets.sure]
    if True in functions:
        return UNKNOWN if pattern is UNKNOWN else True
    return UNKNOWN if UNKNOWN in functions or targets.maybe else False


def _is_function(plan: Plan, target: Resource) -> bool | Unknown:
    arn = target.text("arn")
    if isinstance(arn, str):
        return ":lambda:" in arn
    return True if isinstance(plan.joins.target(target, "arn", FUNCTION), Resource) else UNKNOWN


def _is_of_any_job(alarm: Resource) -> bool | Unknown:
    """Whether an alarm is on a query over the metrics of all jobs, or on a utilisation that somebody publishes."""
    queries = alarm.blocks("metric_query")
    if queries is UNKNOWN:
        return UNKNOWN
    expressions = [query.text("expression") for query in queries]
    if any(isinstance(text, str) and _OF_JOBS in text for text in expressions):
        return True
    namespace, metric = alarm.text("namespace"), alarm.text("metric_name")
    own = namespace if namespace is UNKNOWN else not re.match("/?aws/", namespace or "aws/", re.IGNORECASE)
    utilization = metric if metric is UNKNOWN else bool(_UTILIZATION.search(metric or ""))
    answers = (own, utilization)
    if False not in answers:
        return UNKNOWN if UNKNOWN in answers else True
    return UNKNOWN if UNKNOWN in expressions else False
