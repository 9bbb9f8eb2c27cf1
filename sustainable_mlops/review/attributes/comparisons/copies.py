"""Comparison of replication rules, backup plans and selections, and snapshot schedules."""

from collections.abc import Iterator, Mapping
from itertools import chain
from math import inf
from typing import Any, NamedTuple

from sustainable_mlops.plan.schedules import count_runs_per_month
from sustainable_mlops.plan.values import UNKNOWN
from sustainable_mlops.review.attributes.blocks import get_blocks, get_first_block, get_number, get_scalar
from sustainable_mlops.review.attributes.weakening import (
    gains_items,
    is_drastic_cut,
    is_lowered,
    is_turned_off,
    loses_items,
)
from sustainable_mlops.review.patterns import covers

#: A schedule with at least this part of the former runs does not count as less frequent.
_MIN_RATE_RATIO = 0.99


class ReplicationRule(NamedTuple):
    """A rule that copies the objects under `prefix` with `tags` to `bucket`."""

    bucket: str
    account: str
    prefix: str
    tags: frozenset[tuple[str, str]]
    #: True if deletions reach the copy.
    copies_deletions: bool
    #: Optional features of the rule, such as the replication of encrypted objects.
    features: frozenset[str]

    def copies_all_of(self, other: "ReplicationRule") -> bool:
        """Return whether this rule makes all copies that `other` makes."""
        return (
            (self.bucket, self.account) == (other.bucket, other.account)
            and other.prefix.startswith(self.prefix)
            and self.tags <= other.tags
            and self.features >= other.features
        )

    def shares_objects(self, other: "ReplicationRule") -> bool:
        """Return whether both rules copy some objects to the same bucket."""
        is_nested = self.prefix.startswith(other.prefix) or other.prefix.startswith(self.prefix)
        return self.bucket == other.bucket and is_nested


def replicates_less(old: Any, new: Any) -> bool:
    """Return whether some objects are no longer copied, or are copied to another bucket."""
    after = [*_list_replication_rules(new)]
    return not all(any(rule.copies_all_of(former) for rule in after) for former in _list_replication_rules(old))


def replicates_nothing(old: Any, new: Any) -> bool:
    """Return whether all copies stop."""
    return any(_list_replication_rules(old)) and not any(_list_replication_rules(new))


def newly_replicates_deletions(old: Any, new: Any) -> bool:
    """Return whether deletions now reach a copy that they did not reach before."""
    before = [*_list_replication_rules(old)]
    former = [rule for rule in before if rule.copies_deletions]
    without_deletions = [rule for rule in before if not any(other.shares_objects(rule) for other in former)]
    return any(
        rule.copies_deletions and any(rule.shares_objects(other) for other in without_deletions)
        for rule in _list_replication_rules(new)
    )


def _list_replication_rules(value: Any) -> Iterator[ReplicationRule]:
    for rule in get_blocks(value):
        if rule.get("status") == "Enabled":
            yield _parse_replication_rule(rule)


def _parse_replication_rule(rule: Mapping[str, Any]) -> ReplicationRule:
    """Return a rule of the first version of the format, or of the second, which has a filter.

    A rule without a filter also copies deletions.
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-add-config.html
    """
    selection, destination = get_first_block(rule, "filter"), get_first_block(rule, "destination")
    both = get_first_block(selection, "and")
    tag = get_first_block(selection, "tag")
    maps = [block.get("tags") for block in (selection, both)]
    tags = dict(chain.from_iterable(tags.items() for tags in maps if isinstance(tags, dict)))
    tags |= {tag["key"]: tag.get("value")} if tag.get("key") else {}
    prefixes = (get_scalar(block, "prefix") for block in (rule, selection, both))
    markers = get_first_block(rule, "delete_marker_replication").get("status")
    markers = markers or rule.get("delete_marker_replication_status")
    criteria = get_first_block(rule, "source_selection_criteria")
    settings = {
        **{name: get_first_block(criteria, name) for name in ("replica_modifications", "sse_kms_encrypted_objects")},
        "existing_object_replication": get_first_block(rule, "existing_object_replication"),
        "replication_time": get_first_block(destination, "replication_time"),
    }
    features = {
        name for name, block in settings.items() if block.get("status") == "Enabled" or block.get("enabled") is True
    }
    if get_first_block(destination, "access_control_translation"):
        features.add("access_control_translation")
    return ReplicationRule(
        str(get_scalar(destination, "bucket")),
        str(get_scalar(destination, "account") or get_scalar(destination, "account_id")),
        str(next(filter(None, prefixes), "")),
        frozenset((str(key), str(text)) for key, text in tags.items()),
        markers == "Enabled" or (not markers and not get_blocks(rule.get("filter"))),
        frozenset(features),
    )


def replicates_fewer_images(old: Any, new: Any) -> bool:
    """Return whether a registry copies fewer images, or to fewer registries."""
    return not set(_list_image_copies(old)) <= set(_list_image_copies(new))


def _list_image_copies(rules: Any) -> Iterator[tuple[object, ...]]:
    for rule in get_blocks(rules):
        filters = [get_scalar(block, "filter") for block in get_blocks(rule.get("repository_filter"))] or [""]
        for destination in get_blocks(rule.get("destination")):
            registry = get_scalar(destination, "region"), get_scalar(destination, "registry_id")
            yield from ((*registry, name) for name in filters)


def selects_fewer_resources(old: Any, new: Any) -> bool:
    """Return whether a backup selection leaves out resources that it covered.

    A resource is selected by its ARN or by one tag, unless it is excluded or does not meet all conditions.
    https://docs.aws.amazon.com/aws-backup/latest/devguide/API_BackupSelection.html
    """
    before, after = (_list_texts(selection, "resources") for selection in (old, new))
    is_dropped = any(all(covers(other, name) is not True for other in after) for name in before)
    tags = [_list_conditions(selection.get("selection_tag")) for selection in (old, new)]
    conditions = [
        {(name, *pair) for block in get_blocks(selection.get("condition")) for name in block for pair in
         _list_conditions(block[name])}
        for selection in (old, new)
    ]  # fmt: skip
    excluded = [_list_texts(selection, "not_resources") for selection in (old, new)]
    return is_dropped or not tags[0] <= tags[1] or not conditions[1] <= conditions[0] or gains_items(*excluded)


def _list_texts(values: Mapping[str, Any], name: str) -> list[str]:
    items = values.get(name)
    return [item for item in items if isinstance(item, str)] if isinstance(items, list) else []


def _list_conditions(blocks: Any) -> set[tuple[object, ...]]:
    names = ("type", "key", "value")
    return {tuple(get_scalar(block, name) for name in names) for block in get_blocks(blocks)}


def loses_backup_rule(old: Any, new: Any) -> bool:
    """Return whether a rule of a backup plan is removed."""
    return any(after is None for _, after in _list_rule_pairs(old, new))


def backs_up_less_often(old: Any, new: Any) -> bool:
    """Return whether a rule of a backup plan runs less often, has less time, or no longer backs up continuously."""
    return any(
        runs_less_often(get_scalar(before, "schedule"), get_scalar(after, "schedule"))
        or is_turned_off(before.get("enable_continuous_backup"), after.get("enable_continuous_backup"))
        or any(is_lowered(before.get(name), after.get(name)) for name in ("start_window", "completion_window"))
        for before, after in _list_rule_pairs(old, new)
        if after is not None
    )


def deletes_backups_sooner(old: Any, new: Any) -> bool:
    """Return whether a rule of a backup plan deletes backups sooner."""
    return any(
        after and _get_retention_days(after) < _get_retention_days(before)
        for before, after in _list_rule_pairs(old, new)
    )


def changes_vault(old: Any, new: Any) -> bool:
    """Return whether a rule of a backup plan uses another vault."""
    return any(
        after and get_scalar(after, "target_vault_name") != get_scalar(before, "target_vault_name")
        for before, after in _list_rule_pairs(old, new)
    )


def copies_backups_less(old: Any, new: Any) -> bool:
    """Return whether a rule of a backup plan no longer copies to a vault, or deletes copies sooner."""
    return any(
        after and any(_list_copies(after).get(vault, -1) < days for vault, days in _list_copies(before).items())
        for before, after in _list_rule_pairs(old, new)
    )


def deletes_nearly_all_copies(old: Any, new: Any) -> bool:
    """Return whether a rule of a backup plan now deletes nearly all copies immediately."""
    return any(
        after
        and any(
            is_drastic_cut(days, _list_copies(after).get(vault, days)) for vault, days in _list_copies(before).items()
        )
        for before, after in _list_rule_pairs(old, new)
    )


def deletes_nearly_all_backups(old: Any, new: Any) -> bool:
    """Return whether a rule of a backup plan now deletes nearly all backups immediately."""
    return any(
        after and is_drastic_cut(_get_retention_days(before), _get_retention_days(after))
        for before, after in _list_rule_pairs(old, new)
    )


def _list_rule_pairs(old: Any, new: Any) -> list[tuple[dict[str, Any], dict[str, Any] | None]]:
    """Return the rules of a backup plan with those of the same name after the change."""
    after = {get_scalar(rule, "rule_name"): rule for rule in get_blocks(new)}
    return [(rule, after.get(name)) for rule in get_blocks(old) if (name := get_scalar(rule, "rule_name"))]


def _list_copies(rule: Any) -> dict[object, float]:
    """Return the days for which a rule of a backup plan keeps copies, by their vault."""
    return {
        get_scalar(copy, "destination_vault_arn"): _get_retention_days(copy)
        for copy in get_blocks(rule.get("copy_action"))
    }


def _get_retention_days(rule: Mapping[str, Any]) -> float:
    return get_number(get_first_block(rule, "lifecycle"), "delete_after") or inf


def runs_less_often(old: Any, new: Any) -> bool:
    """Return whether a schedule runs less often, or cannot be compared with the former one."""
    if old == new or not old:
        return False
    rates = [count_runs_per_month(expression) for expression in (old, new)]
    if rates[0] is UNKNOWN or rates[1] is UNKNOWN:
        return True
    return rates[1] < rates[0] * _MIN_RATE_RATIO


def takes_fewer_snapshots(old: Any, new: Any) -> bool:
    """Return whether the schedules in a list run less often in total."""
    former, new = (value if isinstance(value, list) else [] for value in (old, new))
    rates = [sum(_count_runs(expression) for expression in group) for group in (former, new)]
    return loses_items(former, new) and not rates[1] >= rates[0] * _MIN_RATE_RATIO


def _count_runs(expression: Any) -> float:
    """Return the number of runs per month. Amazon Redshift writes minute, hour and weekday, as `cron(30 12 *)`.

    https://docs.aws.amazon.com/redshift/latest/APIReference/API_CreateSnapshotSchedule.html
    """
    text = str(expression)
    fields = text.removeprefix("cron(").removesuffix(")").split()
    if text.startswith("cron(") and len(fields) == 3:
        text = f"cron({fields[0]} {fields[1]} ? * {fields[2]} *)"
    rate = count_runs_per_month(text)
    return 0.0 if rate is UNKNOWN else rate
