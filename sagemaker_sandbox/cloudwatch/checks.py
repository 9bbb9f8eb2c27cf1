"""What CloudWatch refuses in an alarm, and what is not evaluated here."""

from collections.abc import Container, Iterator, Sequence

from moto.cloudwatch.exceptions import InvalidParameterCombination, ValidationError

from sagemaker_sandbox import validation
from sagemaker_sandbox.cloudwatch import expressions, queries, rules, statistics
from sagemaker_sandbox.cloudwatch.expressions import ExpressionError
from sagemaker_sandbox.errors import ApiError
from sagemaker_sandbox.parts.resources import Fields
from sustainable_mlops.aws.service_model import service_model

_MISSING = ("breaching", "notBreaching", "ignore", "missing")
_OF_ONE_METRIC = ("MetricName", "Namespace", "Dimensions", "Period", "Unit", "Statistic", "ExtendedStatistic")
_OF_BANDS = ("LessThanLowerOrGreaterThanUpperThreshold", "LessThanLowerThreshold", "GreaterThanUpperThreshold")
_DAY, _WEEK, _HOUR = 86_400, 604_800, 3600
_MOST_METRICS = 10
#: Members that change how an alarm is evaluated or what it says, and are not followed here.
_NOT_HERE = (
    "ThresholdMetricId",
    "EvaluationCriteria",
    "EvaluationInterval",
    "WarmUpConfiguration",
    "ActionConfiguration",
)


def metric_alarm(asked: Fields) -> None:
    """Raise moto's exception for a PutMetricAlarm that AWS refuses or that would not be followed."""
    shape("PutMetricAlarm", asked)
    _must_be_followed(asked)
    for name in ("ComparisonOperator", "EvaluationPeriods", "Threshold"):
        if asked.get(name) is None:
            raise ValidationError(f"The parameter {name} is required for alarms based on static thresholds.")
    missing = asked.get("TreatMissingData")
    if missing not in (None, *_MISSING):
        raise ValidationError(
            f"Option {missing} is not supported. Supported options for parameter TreatMissingData are "
            f"{', '.join(_MISSING)}."
        )
    low = asked.get("EvaluateLowSampleCountPercentile")
    if low not in (None, "evaluate", "ignore"):
        raise ValidationError(
            f"Option {low} is not supported. Supported options for parameter EvaluateLowSampleCountPercentile are "
            "evaluate and ignore."
        )
    periods = int(asked["EvaluationPeriods"])
    if int(asked.get("DatapointsToAlarm") or 1) > periods:
        raise ValidationError("DatapointsToAlarm must be less than or equal to EvaluationPeriods.")
    if asked.get("Metrics"):
        _several(asked)
    else:
        _one(asked)
    period = queries.period_of(asked["Metrics"]) if asked.get("Metrics") else int(asked["Period"])
    if period * periods > (_DAY if period < _HOUR else _WEEK):
        longest = "one day (86,400 seconds)" if period < _HOUR else "seven days (604,800 seconds)"
        raise ValidationError(f"Metrics cannot be checked across more than {longest}: EvaluationPeriods * Period.")


def composite_alarm(asked: Fields, alarms: Container[str], place: str) -> None:
    """Raise moto's exception for a PutCompositeAlarm that AWS refuses; `alarms` are those that there are.

    `place` is what the ARN of each begins with.
    """
    shape("PutCompositeAlarm", asked)
    if asked.get("ActionConfiguration"):
        raise _not_here("ActionConfiguration")
    try:
        children = rules.parse(asked["AlarmRule"]).children
    except rules.RuleError as error:
        raise ValidationError(f"AlarmRule: {error}.") from None
    lacking = [name for name in children if name.removeprefix(place) not in alarms]
    if lacking:
        named = ", ".join(lacking)
        raise ValidationError(f"Could not save the composite alarm as alarms [{named}] in the alarm rule do not exist")
    suppressor = asked.get("ActionsSuppressor")
    if suppressor and suppressor.removeprefix(place) not in alarms:
        raise ValidationError(f"The ActionsSuppressor {suppressor} does not exist")
    for name in ("ActionsSuppressorWaitPeriod", "ActionsSuppressorExtensionPeriod"):
        if (asked.get(name) is None) is bool(suppressor):
            raise ValidationError(f"{name} is required with ActionsSuppressor, and only then.")


def shape(operation: str, asked: Fields) -> None:
    """Raise moto's ValidationError for what the service model does not allow."""
    found = service_model("cloudwatch").operation_model(operation).input_shape
    assert found is not None
    try:
        validation.validate(asked, found)
    except ApiError as error:
        raise ValidationError(error.message) from None


def _must_be_followed(asked: Fields) -> None:
    if asked.get("ComparisonOperator") in _OF_BANDS:
        raise ValidationError(f"{asked['ComparisonOperator']}: alarms on anomaly detection are not evaluated here.")
    for name in _NOT_HERE:
        if asked.get(name):
            raise _not_here(name)
    if "WallClockWindow" in (asked.get("EvaluationWindow") or {}):
        raise _not_here("EvaluationWindow with WallClockWindow")


def _not_here(what: str) -> ValidationError:
    return ValidationError(f"{what} is not evaluated here.")


def _one(asked: Fields) -> None:
    if not asked.get("MetricName") or not asked.get("Namespace"):
        raise ValidationError("Exactly one element of the metrics list should return data, or MetricName be given.")
    if bool(asked.get("Statistic")) is bool(asked.get("ExtendedStatistic")):
        raise ValidationError("Exactly one of Statistic and ExtendedStatistic must be specified.")
    statistic = asked.get("ExtendedStatistic")
    if statistic and not (statistics.known(statistic) and statistics.value(_ANY, statistic) is not None):
        raise ValidationError(f"The value {statistic} for parameter ExtendedStatistic is not supported.")
    _right_period(asked.get("Period"))


_ANY = statistics.Sample(1.0, 1.0, 1.0, 1.0)


def _right_period(period: object) -> None:
    if not isinstance(period, int) or (period not in (10, 20, 30) and period % 60):
        raise ValidationError("Period must be 10, 20, 30 or a multiple of 60")


def _several(asked: Fields) -> None:
    if any(asked.get(name) for name in _OF_ONE_METRIC):
        raise InvalidParameterCombination("Metrics cannot be specified together with the members of one metric.")
    metrics: Sequence[Fields] = asked["Metrics"]
    watched = [one for one in metrics if one.get("ReturnData", True)]
    if len(watched) != 1:
        raise ValidationError("Exactly one element of the metrics list should return data.")
    for problem in _problems(metrics):
        raise ValidationError(f"Invalid metrics list: {problem}.")
    period = queries.period_of(metrics)
    _right_period(period)
    try:
        value = queries.scope(metrics, [], period, lambda _metric, times: [None for _ in times]).value(watched[0]["Id"])
        queries.one_line(value)
    except ExpressionError as error:
        raise ValidationError(f"Error in expression '{watched[0]['Id']}': {error}.") from None


def _problems(metrics: Sequence[Fields]) -> Iterator[str]:
    ids = [one["Id"] for one in metrics]
    found = [metric for one in metrics if (metric := queries.of_query(one)) is not None]
    if len(set(ids)) < len(ids):
        yield "an Id occurs twice"
    if len(found) > _MOST_METRICS:
        yield f"more than {_MOST_METRICS} metrics"
    if len({metric.period for metric in found}) > 1:
        yield "all metrics must have the same period"
    for metric in found:
        if not statistics.known(metric.statistic):
            yield f"{metric.statistic} is no statistic"
    for one in metrics:
        if bool(one.get("Expression")) is bool(one.get("MetricStat")):
            yield f"{one['Id']} has to have either Expression or MetricStat"
        elif one.get("Expression"):
            yield from _expression_problems(one["Id"], one["Expression"], ids)


def _expression_problems(name: str, expression: str, ids: Sequence[str]) -> Iterator[str]:
    try:
        unknown = expressions.names(expression) - set(ids)
    except ExpressionError as error:
        yield f"{name}: {error}"
    else:
        if unknown:
            yield f"{name} names {', '.join(sorted(unknown))}, which there is not"
