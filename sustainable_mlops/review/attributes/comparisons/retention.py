"""Comparison of retention settings of Kafka, the Recycle Bin, Iceberg tables and OpenSearch Serverless."""

import json
from collections.abc import Iterator
from math import inf
from typing import Any

from sustainable_mlops.review.attributes.blocks import get_first_block, get_number, get_scalar
from sustainable_mlops.review.attributes.weakening import drops_below_tenth

#: The properties of a broker that set a retention, the strongest first, with their milliseconds.
#: https://kafka.apache.org/documentation/#brokerconfigs_log.retention.ms
_KAFKA_TIMES = {"log.retention.ms": 1, "log.retention.minutes": 60_000, "log.retention.hours": 3_600_000}
_KAFKA_HOURS = 168
#: Defaults of properties whose decrease makes the loss of records more likely.
#: https://docs.aws.amazon.com/msk/latest/developerguide/msk-default-configuration.html
_KAFKA_NUMBERS = {"min.insync.replicas": 2, "default.replication.factor": 3}
_CLEANUP = "log.cleanup.policy"
_WEEK = 7 * 86_400_000
_DAYS = {"DAYS": 1, "HOURS": 1 / 24, "WEEKS": 7}


def shortens_kafka_retention(old: Any, new: Any) -> bool:
    """Return whether the properties of Kafka brokers delete records sooner, or make fewer copies."""
    before, after = _parse_properties(old), _parse_properties(new)
    return (
        _get_kafka_time(after) < _get_kafka_time(before)
        or _get_kafka_bytes(after) < _get_kafka_bytes(before)
        or any(
            _parse_number(after.get(name), default) < _parse_number(before.get(name), default)
            for name, default in _KAFKA_NUMBERS.items()
        )
        or _is_set(after, "unclean.leader.election.enable") > _is_set(before, "unclean.leader.election.enable")
        or ("delete" in after.get(_CLEANUP, "delete") and "delete" not in before.get(_CLEANUP, "delete"))
    )


def deletes_nearly_all_records(old: Any, new: Any) -> bool:
    """Return whether the properties of Kafka brokers delete nearly all records immediately."""
    before, after = (_get_kafka_time(_parse_properties(properties)) for properties in (old, new))
    return drops_below_tenth(min(before, _WEEK), after)


def _parse_properties(text: Any) -> dict[str, str]:
    lines = text.splitlines() if isinstance(text, str) else []
    pairs = (line.partition("=") for line in lines if not line.lstrip().startswith("#"))
    return {name.strip(): value.strip() for name, sign, value in pairs if sign}


def _get_kafka_time(properties: dict[str, str]) -> float:
    """Return the retention in milliseconds; -1 means for ever."""
    settings = ((properties[name], unit) for name, unit in _KAFKA_TIMES.items() if name in properties)
    value, unit = next(settings, (str(_KAFKA_HOURS), _KAFKA_TIMES["log.retention.hours"]))
    number = _parse_number(value, _KAFKA_HOURS)
    return inf if number < 0 else number * unit


def _get_kafka_bytes(properties: dict[str, str]) -> float:
    number = _parse_number(properties.get("log.retention.bytes"), -1)
    return inf if number < 0 else number


def _is_set(properties: dict[str, str], name: str) -> bool:
    return properties.get(name, "false").lower() == "true"


def _parse_number(text: str | None, default: float) -> float:
    try:
        return default if text is None else float(text)
    except ValueError:
        return default


def shortens_bin_retention(old: Any, new: Any) -> bool:
    """Return whether a rule of the Recycle Bin covers less, or has a shorter retention."""
    return _get_bin_days(new) < _get_bin_days(old) or bool(
        _list_tags(new) and (not _list_tags(old) or not _list_tags(old) <= _list_tags(new))
    )


def _get_bin_days(rule: Any) -> float:
    period = get_first_block(rule, "retention_period")
    return get_number(period, "retention_period_value") * _DAYS.get(str(get_scalar(period, "retention_period_unit")), 1)


def _list_tags(rule: Any) -> set[tuple[object, object]]:
    tags = rule.get("resource_tags")
    return {
        (get_scalar(tag, "resource_tag_key"), get_scalar(tag, "resource_tag_value"))
        for tag in (tags if isinstance(tags, list) else ())
    }


def deletes_more_snapshots_or_files(old: Any, new: Any) -> bool:
    """Return whether an optimizer of Iceberg tables deletes more snapshots or files than before.

    https://docs.aws.amazon.com/glue/latest/webapi/API_IcebergRetentionConfiguration.html
    """
    return _list_retention_settings(new) < _list_retention_settings(old) or any(
        after < before
        for before, after in zip(_list_retention_settings(old), _list_retention_settings(new), strict=True)
    )


def _list_retention_settings(optimizer: Any) -> tuple[float, ...]:
    """Return the retention days and counts of an optimizer; infinite if it deletes nothing."""
    configuration = get_first_block(optimizer, "configuration")
    kind = optimizer.get("type")
    if kind == "compaction" or configuration.get("enabled") is False or not configuration:
        return (inf, inf, inf, 1)
    retention, orphans = (
        get_first_block(get_first_block(configuration, name), "iceberg_configuration")
        for name in ("retention_configuration", "orphan_file_deletion_configuration")
    )
    if kind == "orphan_file_deletion":
        return (get_number(orphans, "orphan_file_retention_period_in_days") or 3, inf, inf, 1)
    return (
        inf,
        get_number(retention, "snapshot_retention_period_in_days") or 5,
        get_number(retention, "number_of_snapshots_to_retain") or 1,
        retention.get("clean_expired_files") is not True,
    )


def shortens_index_retention(old: Any, new: Any) -> bool:
    """Return whether a lifecycle policy of OpenSearch Serverless deletes documents sooner.

    https://docs.aws.amazon.com/opensearch-service/latest/developerguide/serverless-lifecycle.html
    """
    before, after = dict(_list_retentions(old)), dict(_list_retentions(new))
    return any(days < before.get(index, inf) for index, days in after.items())


def _list_retentions(text: Any) -> Iterator[tuple[str, float]]:
    """Yield each index pattern with its retention in days; 0 days for all if the text is not a valid policy."""
    if not text:
        return
    try:
        rules = json.loads(text)["Rules"]
        for rule in rules:
            period = "" if rule.get("NoMinIndexRetention") else str(rule.get("MinIndexRetention", ""))
            days = float(period[:-1]) / (24 if period.endswith("h") else 1) if period else inf
            yield from ((str(name), days) for name in rule["Resource"])
    except (ValueError, TypeError, KeyError, AttributeError):
        yield "", 0.0
