"""Checks of alarms: what CloudWatch refuses, and what the sandbox does not evaluate."""

from collections.abc import Container, Iterator, Sequence

from moto.cloudwatch.exceptions import InvalidParameterCombination, ValidationError

from sagemaker_sandbox.base import validation
from sagemaker_sandbox.base.errors import ApiError
from sagemaker_sandbox.resources.resources import Fields
from sagemaker_sandbox.services.cloudwatch import expressions, queries, rules, statistics
from sagemaker_sandbox.services.cloudwatch.expressions import ExpressionError
from sustainable_mlops.aws.service_model import load_service_model

_MISSING = ("breaching", "notBreaching", "ignore", "missing")
_SINGLE_METRIC_MEMBERS = ("MetricName", "Namespace", "Dimensions", "Period", "Unit", "Statistic", "ExtendedStatistic")
_BAND_OPERATORS = ("LessThanLowerOrGreaterThanUpperThreshold", "LessThanLowerThreshold", "GreaterThanUpperThreshold")
_DAY, _WEEK, _HOUR = 86_400, 604_800, 3600
_MAX_METRICS = 10
#: Members that change the evaluation or the messages of an alarm, and that the sandbox does not emulate.
_NOT_EMULATED = (
    "ThresholdMetricId",
    "EvaluationCriteria",
    "EvaluationInterval",
    "WarmUpConfiguration",
    "ActionConfiguration",
)


def check_metric_alarm(parameters: Fields) -> None:
    """Raise moto's exception for a PutMetricAlarm that AWS refuses or the sandbox does not emulate."""
    check_shape("PutMetricAlarm", parameters)
    _check_emulated(parameters)
    for name in ("ComparisonOperator", "EvaluationPeriods", "Threshold"):
        if parameters.get(name) is None:
            raise ValidationError(f"The parameter {name} is required for alarms based on static thresholds.")
    missing = parameters.get("TreatMissingData")
    if missing not in (None, *_MISSING):
        raise ValidationError(
            f"Option {missing} is not supported. Supported options for parameter TreatMissingData are "
            f"{', '.join(_MISSING)}."
        )
    low = parameters.get("EvaluateLowSampleCountPercentile")
    if low not in (None, "evaluate", "ignore"):
        raise ValidationError(
            f"Option {low} is not supported. Supported options for parameter EvaluateLowSampleCountPercentile are "
            "evaluate and ignore."
        )
    periods = int(parameters["EvaluationPeriods"])
    if int(parameters.get("DatapointsToAlarm") or 1) > periods:
        raise ValidationError("DatapointsToAlarm must be less than or equal to EvaluationPeriods.")
    if parameters.get("Metrics"):
        _check_queries(parameters)
    else:
        _check_single_metric(parameters)
    period = queries.find_period(parameters["Metrics"]) if parameters.get("Metrics") else int(parameters["Period"])
    if period * periods > (_DAY if period < _HOUR else _WEEK):
        longest = "one day (86,400 seconds)" if period < _HOUR else "seven days (604,800 seconds)"
        raise ValidationError(f"Metrics cannot be checked across more than {longest}: EvaluationPeriods * Period.")


def check_composite_alarm(parameters: Fields, alarms: Container[str], prefix: str) -> None:
    """Raise moto's exception for a PutCompositeAlarm that AWS refuses.

    `alarms` holds the names of the existing alarms, `prefix` the beginning of their ARNs.
    """
    check_shape("PutCompositeAlarm", parameters)
    if parameters.get("ActionConfiguration"):
        raise _create_not_emulated_error("ActionConfiguration")
    try:
        children = rules.parse_rule(parameters["AlarmRule"]).children
    except rules.RuleError as error:
        raise ValidationError(f"AlarmRule: {error}.") from None
    missing_names = [name for name in children if name.removeprefix(prefix) not in alarms]
    if missing_names:
        names = ", ".join(missing_names)
        raise ValidationError(f"Could not save the composite alarm as alarms [{names}] in the alarm rule do not exist")
    suppressor = parameters.get("ActionsSuppressor")
    if suppressor and suppressor.removeprefix(prefix) not in alarms:
        raise ValidationError(f"The ActionsSuppressor {suppressor} does not exist")
    for name in ("ActionsSuppressorWaitPeriod", "ActionsSuppressorExtensionPeriod"):
        if (parameters.get(name) is None) is bool(suppressor):
            raise ValidationError(f"{name} is required with ActionsSuppressor, and only then.")


def check_shape(operation: str, parameters: Fields) -> None:
    """Raise moto's ValidationError for a request that the service model does not allow."""
    input_shape = load_service_model("cloudwatch").operation_model(operation).input_shape
    assert input_shape is not None
    try:
        validation.validate(parameters, input_shape)
    except ApiError as error:
        raise ValidationError(error.message) from None


def _check_emulated(parameters: Fields) -> None:
    if parameters.get("ComparisonOperator") in _BAND_OPERATORS:
        raise ValidationError(
            f"{parameters['ComparisonOperator']}: the sandbox does not evaluate alarms on anomaly detection."
        )
    for name in _NOT_EMULATED:
        if parameters.get(name):
            raise _create_not_emulated_error(name)
    if "WallClockWindow" in (parameters.get("EvaluationWindow") or {}):
        raise _create_not_emulated_error("EvaluationWindow with WallClockWindow")


def _create_not_emulated_error(feature: str) -> ValidationError:
    return ValidationError(f"{feature} is not evaluated by the sandbox.")


def _check_single_metric(parameters: Fields) -> None:
    if not parameters.get("MetricName") or not parameters.get("Namespace"):
        raise ValidationError("Exactly one element of the metrics list should return data, or MetricName be given.")
    if bool(parameters.get("Statistic")) is bool(parameters.get("ExtendedStatistic")):
        raise ValidationError("Exactly one of Statistic and ExtendedStatistic must be specified.")
    statistic = parameters.get("ExtendedStatistic")
    if statistic and not (statistics.is_statistic(statistic) and statistics.compute(_SAMPLE, statistic) is not None):
        raise ValidationError(f"The value {statistic} for parameter ExtendedStatistic is not supported.")
    _check_period(parameters.get("Period"))


_SAMPLE = statistics.Sample(1.0, 1.0, 1.0, 1.0)


def _check_period(period: object) -> None:
    if not isinstance(period, int) or (period not in (10, 20, 30) and period % 60):
        raise ValidationError("Period must be 10, 20, 30 or a multiple of 60")


def _check_queries(parameters: Fields) -> None:
    if any(parameters.get(name) for name in _SINGLE_METRIC_MEMBERS):
        raise InvalidParameterCombination("Metrics cannot be specified together with the members of one metric.")
    metrics: Sequence[Fields] = parameters["Metrics"]
    results = [query for query in metrics if query.get("ReturnData", True)]
    if len(results) != 1:
        raise ValidationError("Exactly one element of the metrics list should return data.")
    for problem in _list_problems(metrics):
        raise ValidationError(f"Invalid metrics list: {problem}.")
    period = queries.find_period(metrics)
    _check_period(period)
    try:
        scope = queries.create_scope(metrics, [], period, lambda _metric, times: [None for _ in times])
        value = scope.get_value(results[0]["Id"])
        queries.require_line(value)
    except ExpressionError as error:
        raise ValidationError(f"Error in expression '{results[0]['Id']}': {error}.") from None


def _list_problems(metrics: Sequence[Fields]) -> Iterator[str]:
    ids = [query["Id"] for query in metrics]
    sources = [metric for query in metrics if (metric := queries.parse_query(query)) is not None]
    if len(set(ids)) < len(ids):
        yield "an Id occurs twice"
    if len(sources) > _MAX_METRICS:
        yield f"more than {_MAX_METRICS} metrics"
    if len({metric.period for metric in sources}) > 1:
        yield "all metrics must have the same period"
    for metric in sources:
        if not statistics.is_statistic(metric.statistic):
            yield f"{metric.statistic} is not a statistic"
    for query in metrics:
        if bool(query.get("Expression")) is bool(query.get("MetricStat")):
            yield f"{query['Id']} must have either Expression or MetricStat"
        elif query.get("Expression"):
            yield from _list_expression_problems(query["Id"], query["Expression"], ids)


def _list_expression_problems(name: str, expression: str, ids: Sequence[str]) -> Iterator[str]:
    try:
        unknown = expressions.list_names(expression) - set(ids)
    except ExpressionError as error:
        yield f"{name}: {error}"
    else:
        if unknown:
            yield f"{name} names {', '.join(sorted(unknown))}, which does not exist"
