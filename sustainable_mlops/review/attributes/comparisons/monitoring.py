"""Comparison of monitoring settings: logs, alarms, budgets, guardrails, scans and data protection policies."""

import json
from collections.abc import Mapping
from typing import Any

from sustainable_mlops.review.attributes.blocks import get_blocks, get_first_block, get_scalar, parse_number
from sustainable_mlops.review.attributes.weakening import gains_items, is_lowered, is_raised, is_turned_off, loses_items
from sustainable_mlops.review.patterns import Tristate

#: Services whose events a selector may exclude.
#: https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_EventSelector.html
_EXCLUDABLE = ("kms.amazonaws.com", "rdsdata.amazonaws.com")
#: A limit that changes by at most this factor counts as adjusted, which is no risk.
_MAX_ADJUSTMENT_FACTOR = 1.2
#: An alarm with a delay of up to this factor counts as equal.
_MAX_DELAY_FACTOR = 10
#: Percentiles of the named statistics of an alarm. The average is near the median.
_PERCENTILES = {"Minimum": 0, "Average": 50, "Maximum": 100}
_KINDS: dict[str, tuple[str, ...]] = {"ReadOnly": ("read",), "WriteOnly": ("write",)}
_STRENGTHS = {"NONE": 0, "LOW": 1, "MEDIUM": 2, "HIGH": 3}
_ACTIONS = {"NONE": 0, "ANONYMIZE": 1, "BLOCK": 2}
#: Lists of a guardrail: their location, the attributes that identify an item, and those whose rank counts.
_FILTERS: tuple[tuple[str, tuple[str, str, tuple[str, ...]]], ...] = (
    ("content_policy_config", ("filters_config", "type", ("input_strength", "output_strength"))),
    ("contextual_grounding_policy_config", ("filters_config", "type", ("threshold",))),
    ("sensitive_information_policy_config", ("pii_entities_config", "type", ("action",))),
    ("sensitive_information_policy_config", ("regexes_config", "pattern", ("action",))),
    ("topic_policy_config", ("topics_config", "name", ())),
    ("word_policy_config", ("managed_word_lists_config", "type", ())),
    ("word_policy_config", ("words_config", "text", ())),
)


def stops_logging(old: Any, new: Any) -> bool:
    """Return whether a block that sends logs is removed or turned off."""
    return _is_logging(old) and not _is_logging(new)


def _is_logging(value: Any) -> bool:
    blocks = get_blocks(value)
    return bool(blocks) and blocks[0].get("enabled") is not False


def records_less_traffic(old: Any, new: Any) -> bool:
    """Return whether a flow log records another part of the traffic, but not all traffic."""
    return bool(old) and new not in (old, "ALL")


def records_fewer_resources(old: Any, new: Any) -> Tristate:
    """Return whether a recorder of AWS Config covers fewer types of resources."""
    before, after = (value[0] if (value := get_blocks(group)) else {} for group in (old, new))
    if not before:  # an unset group records all types
        return bool(after) and not _records_everything(after)
    if _records_everything(after):
        return is_turned_off(before.get("include_global_resource_types"), after.get("include_global_resource_types"))
    if _records_everything(before):
        return True
    former, excluded = (
        get_first_block(group, "exclusion_by_resource_types").get("resource_types") for group in (before, after)
    )
    if not excluded:
        return bool(former) or loses_items(before.get("resource_types"), after.get("resource_types"))
    if former:
        return gains_items(former, excluded)
    recorded = before.get("resource_types")
    return isinstance(recorded, list) and isinstance(excluded, list) and any(kind in excluded for kind in recorded)


def _records_everything(group: Mapping[str, Any]) -> bool:
    return not group or (group.get("all_supported") is not False and not group.get("exclusion_by_resource_types"))


def records_fewer_events(old: Any, new: Any) -> bool:
    """Return whether the event selectors of a trail select fewer events.

    Without selectors, a trail records all management events.
    """
    return not _list_events(old) <= _list_events(new)


def _list_events(selectors: Any) -> set[str]:
    basic, advanced = (get_blocks(selectors.get(name)) for name in ("event_selector", "advanced_event_selector"))
    if not basic and not advanced:
        return _list_management_events("read", "write")
    events = {event for selector in advanced for event in _list_advanced_events(selector)}
    for selector in basic:
        kinds = _KINDS.get(str(selector.get("read_write_type")), ("read", "write"))
        if selector.get("include_management_events") is not False:
            events |= _list_management_events(*kinds, excluded=selector.get("exclude_management_event_sources"))
        for data in get_blocks(selector.get("data_resource")):
            values = data.get("values")
            names = values if isinstance(values, list) else []
            events |= {f"{kind} {get_scalar(data, 'type')} {name}" for name in names for kind in kinds}
    return events


def _list_management_events(*kinds: str, excluded: Any = None) -> set[str]:
    """Return the kinds of management events. Services that a selector can exclude have their own events."""
    sources = {"", *_EXCLUDABLE} - set(excluded if isinstance(excluded, list) else ())
    return {f"{kind} {source}" for kind in kinds for source in sources}


def _list_advanced_events(selector: Mapping[str, Any]) -> set[str]:
    """Return the events of an advanced selector; a selector with conditions is a separate kind of event."""
    fields = get_blocks(selector.get("field_selector"))
    conditions = {str(get_scalar(field, "field")): field.get("equals") for field in fields}
    if conditions.pop("eventCategory", None) == ["Management"] and not {*conditions} - {"readOnly"}:
        read_only = conditions.get("readOnly")
        return _list_management_events(
            *(("read", "write") if not read_only else ("read",) if read_only == ["true"] else ("write",))
        )
    set_fields = [{name: value for name, value in field.items() if value} for field in fields]
    return {"; ".join(sorted(json.dumps(field, sort_keys=True, default=str) for field in set_fields))}


def weakens_notifications(old: Any, new: Any) -> bool:
    """Return whether a budget loses a notification, or a notification comes later or has fewer recipients."""
    after = get_blocks(new)
    return not all(any(_replaces_notification(other, block) for other in after) for block in get_blocks(old))


def _replaces_notification(new: Mapping[str, Any], old: Mapping[str, Any]) -> bool:
    thresholds = parse_number(new.get("threshold")), parse_number(old.get("threshold"))
    return (
        all(new.get(name) == old.get(name) for name in ("comparison_operator", "notification_type", "threshold_type"))
        and not is_raised(thresholds[1], thresholds[0])
        and not any(
            loses_items(old.get(name), new.get(name))
            for name in ("subscriber_email_addresses", "subscriber_sns_topic_arns")
        )
    )


def raises_budget(old: Any, new: Any) -> Tristate:
    """Return whether the amount of a budget, a number or text, becomes much greater or unset."""
    before, after = parse_number(old), parse_number(new)
    if (before is None and old) or (after is None and new):
        return None
    return before is not None and (after is None or after > before * _MAX_ADJUSTMENT_FACTOR)


def covers_fewer_costs(old: Any, new: Any) -> bool:
    """Return whether the filters of a budget cover fewer costs than before.

    A cost must match each filter, and one value of it.
    """
    before, after = _list_cost_filters(old), _list_cost_filters(new)
    return any(name not in before or not before[name] <= values for name, values in after.items())


def _list_cost_filters(blocks: Any) -> dict[Any, set[str]]:
    """Return the values of each filter."""
    values: dict[Any, set[str]] = {}
    for block in get_blocks(blocks):
        items = block.get("values")
        values.setdefault(get_scalar(block, "name"), set()).update(map(str, items if isinstance(items, list) else ()))
    return values


def alerts_later(old: Any, new: Any) -> bool:
    """Return whether an alarm needs a larger or a much longer deviation than before."""
    former, operator = (str(alarm.get("comparison_operator")) for alarm in (old, new))
    if operator not in (former, former.replace("Than", "ThanOrEqualTo")):
        return True
    limits = parse_number(old.get("threshold")), parse_number(new.get("threshold"))
    is_stricter = (is_lowered(*limits) if operator.startswith("Less") else is_raised(*limits)) is True
    return (
        (is_stricter and "UpperThreshold" not in operator and not _is_adjusted(*limits))
        or _observes_less(old, new, operator)
        or _get_delay(new) > _get_delay(old) * _MAX_DELAY_FACTOR
        or (old.get("treat_missing_data") == "breaching" != new.get("treat_missing_data"))
    )


def _observes_less(old: Mapping[str, Any], new: Mapping[str, Any], operator: str) -> bool:
    """Return whether another statistic crosses the threshold later, such as the minimum instead of the maximum.

    Statistics of another kind, such as a sum instead of an average, cannot be compared and count as later.
    """
    before, after = (str(alarm.get("extended_statistic") or alarm.get("statistic") or "") for alarm in (old, new))
    if not before or not after or before == after:  # an alarm on a metric query has no statistic
        return False
    ranks = _rank_statistic(before), _rank_statistic(after)
    if None in ranks:
        return True
    is_later = (is_raised(*ranks) if operator.startswith("Less") else is_lowered(*ranks)) is True
    return is_later and not (0 not in ranks and _is_adjusted(*ranks))


def _rank_statistic(name: str) -> float | None:
    """Return the percentile of a statistic, roughly for the average; None for sums, counts and trimmed statistics."""
    percentile = name[1:] if name.startswith("p") else _PERCENTILES.get(name)
    return parse_number(percentile)


def _is_adjusted(old: float | None, new: float | None) -> bool:
    """Return whether a threshold changes by at most the allowed factor."""
    return (
        old is not None
        and new is not None
        and max(abs(old), abs(new)) <= min(abs(old), abs(new)) * _MAX_ADJUSTMENT_FACTOR
    )


def _get_delay(alarm: Mapping[str, Any]) -> float:
    """Return the number of seconds for which a metric must deviate."""
    count = parse_number(alarm.get("datapoints_to_alarm")) or parse_number(alarm.get("evaluation_periods")) or 1
    return count * (parse_number(alarm.get("period")) or 60)


def allows_weaker_passwords(old: Any, new: Any) -> bool:
    """Return whether a password policy requires less, or lets a password last longer."""
    minimums = ("minimum_password_length", "password_reuse_prevention")
    age = [parse_number(policy.get("max_password_age")) or 0 for policy in (old, new)]
    return (
        any((parse_number(new.get(name)) or 0) < (parse_number(old.get(name)) or 0) for name in minimums)
        or any(is_turned_off(old.get(name), new.get(name)) for name in old if name.startswith("require_"))
        or is_turned_off(old.get("hard_expiry"), new.get("hard_expiry"))
        or (age[0] > 0 and not 0 < age[1] <= age[0])
    )


def filters_less(old: Any, new: Any) -> bool:
    """Return whether a guardrail filters less: a filter is removed or weakened."""
    return any(_has_weaker_filter(old.get(group), new.get(group), *rest) for group, rest in _FILTERS)


def _has_weaker_filter(old: Any, new: Any, name: str, key: str, ranks: tuple[str, ...]) -> bool:
    before, after = (
        {get_scalar(item, key): item for block in get_blocks(value) for item in get_blocks(block.get(name))}
        for value in (old, new)
    )
    return any(
        identity not in after or any(_rank(after[identity].get(rank)) < _rank(item.get(rank)) for rank in ranks)
        for identity, item in before.items()
    )


def _rank(value: Any) -> float:
    if isinstance(value, str) and value in (ranks := _STRENGTHS | _ACTIONS):
        return ranks[value]
    return parse_number(value) or 0


def scans_less(old: Any, new: Any) -> bool:
    """Return whether a registry scans fewer repositories, or scans them less thoroughly."""
    if new.get("scan_type") != "ENHANCED" == old.get("scan_type"):
        return True
    ranks = {"MANUAL": 0, "SCAN_ON_PUSH": 1, "CONTINUOUS_SCAN": 2}
    scans = [
        {
            get_scalar(item, "filter"): ranks.get(str(get_scalar(rule, "scan_frequency")), 0)
            for rule in get_blocks(value.get("rule"))
            for item in get_blocks(rule.get("repository_filter"))
        }
        for value in (old, new)
    ]
    return any(scans[1].get(name, scans[1].get("*", -1)) < rank for name, rank in scans[0].items())


def turns_off_setting(old: Any, new: Any) -> bool:
    """Return whether a setting of a map is turned off."""
    return isinstance(old, dict) and any(
        is_turned_off(value, new.get(name) if isinstance(new, dict) else None) for name, value in old.items()
    )


def masks_less(old: Any, new: Any) -> bool:
    """Return whether a data protection policy masks or detects fewer kinds of data.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch-logs-data-protection-policies.html
    """
    after = _list_operations(new)
    return after is None or not (_list_operations(old) or set()) <= after


def _list_operations(text: Any) -> set[tuple[str, str]] | None:
    """Return each operation with each kind of data, or None if the text is not a data protection policy."""
    try:
        return {
            (operation, str(kind))
            for statement in json.loads(text)["Statement"]
            for operation in statement["Operation"]
            for kind in statement["DataIdentifier"]
        }
    except (ValueError, TypeError, KeyError):
        return None
