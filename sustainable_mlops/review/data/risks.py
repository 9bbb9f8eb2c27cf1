"""Data at risk: data that a plan deletes or replaces, or that expires."""

from collections.abc import Callable, Iterator

from sustainable_mlops.plan import Block, Resource
from sustainable_mlops.plan.joins import BUCKET
from sustainable_mlops.review.comparison import Comparison, ResourcePair
from sustainable_mlops.review.data.bucket_lifecycle import Expiry, find_new_expiries, find_new_zone_limits
from sustainable_mlops.review.data.image_lifecycle import ImageExpiry, find_new_image_expiries
from sustainable_mlops.review.risk import Level, Risk, RiskArea
from sustainable_mlops.review.safeguards.table import SAFEGUARDS
from sustainable_mlops.review.stores import DataStore, find_data_store

_Expiries = Callable[[Block | None, Block], Iterator[Expiry | ImageExpiry | None]]

#: Type and name of the deletion guards in the modules of this project, which have `prevent_destroy`.
_GUARD = ("terraform_data", "deletion_protection")
#: Reasons of Terraform for deleting a resource that left the configuration, together with its `prevent_destroy`.
_CONFIGURATION_REMOVED = frozenset({"delete_because_no_resource_config", "delete_because_no_module"})
_FIX = "Keep it (`moved` block for a new address, `ignore_changes` for drift), or back it up and accept the risk."
#: Attributes that name an object; a new name means another object. The name of the type counts too (`queue_name`).
_NAME_ATTRIBUTES = frozenset(
    {"bucket", "name", "identifier", "cluster_identifier", "replication_group_id", "creation_token"}
)
#: Types with expiry rules: the attribute that names the store, the type of the store, and the reader of the rules.
_LIFECYCLE_TYPES: dict[str, tuple[str, str, _Expiries]] = {
    BUCKET: ("", BUCKET, find_new_expiries),
    "aws_s3_bucket_lifecycle_configuration": ("bucket", BUCKET, find_new_expiries),
    "aws_ecr_lifecycle_policy": ("repository", "aws_ecr_repository", find_new_image_expiries),
}


def find_data_risks(comparison: Comparison) -> Iterator[Risk]:
    """Yield risks for data: deletion, replacement and expiry."""
    yield from _find_vanished_stores(comparison)
    for pair in comparison.by_type.get(_GUARD[0], ()):
        yield from _find_removed_guard(pair, comparison)
    for pair in comparison.changes:
        data_store = find_data_store(pair.type) if pair.type not in SAFEGUARDS else None
        if data_store is not None:
            yield from _find_store_loss(pair, data_store)
        if pair.type in _LIFECYCLE_TYPES:
            yield from _find_expiring_data(pair, comparison)


def _find_vanished_stores(comparison: Comparison) -> Iterator[Risk]:
    """Yield a risk for each store deleted outside Terraform, which the plan creates again or drops from its state."""
    for resource in comparison.plan.deleted_outside_terraform:
        data_store = find_data_store(resource.type)
        if data_store is not None:
            description = f"was deleted outside Terraform, together with {data_store.content}"
            fix = "Find out who deleted it and why before you create it again."
            yield Risk("DATA_VANISHED", RiskArea.DATA, Level.LOOK, resource.address, description, fix)


def _find_store_loss(pair: ResourcePair, data_store: DataStore) -> Iterator[Risk]:
    renamed = _list_renaming_attributes(pair)
    if pair.before is None or (pair.action not in ("delete", "replace", "forget") and not renamed):
        return
    effect = _describe_destroy(pair.before, data_store.note)
    if pair.new is not None and "forget" in pair.resource.actions:
        description = (
            f"no longer managed by Terraform: no protection of this configuration applies to {data_store.content}"
        )
        yield Risk("DATA_FORGOTTEN", RiskArea.DATA, Level.LOOK, pair.address, description)
    elif pair.action == "delete":
        old = " (a deposed object of an earlier replacement)" if pair.resource.deposed else ""
        description = f"deleted{old}: {data_store.content} will be lost{effect}"
        yield Risk(
            "DATA_DELETED",
            RiskArea.DATA,
            data_store.level,
            pair.address,
            description,
            _FIX,
        )
    else:
        because = ", ".join(renamed or pair.resource.replacement_paths) or pair.resource.reason
        description = (
            f"replaced (because of {because or 'its configuration'}): {data_store.content} will be deleted{effect}"
        )
        yield Risk(
            "DATA_REPLACED",
            RiskArea.DATA,
            data_store.level,
            pair.address,
            description,
            _FIX,
        )


def _list_renaming_attributes(pair: ResourcePair) -> list[str]:
    """Return the changed attributes that make it another object. A base plan does not show replacements."""
    if pair.action != "update" or pair.old is pair.new:
        return []
    own = pair.type.removeprefix("aws_").replace("sagemaker_", "")
    return [name for name in pair.list_changed_attributes() if name in _NAME_ATTRIBUTES or name in (f"{own}_name", own)]


#: The effect of each setting before the plan on a destroy.
_DESTROY_SETTINGS = {
    ("force_destroy", True): "force_destroy is true, so Terraform empties it first",
    ("force_destroy", False): "AWS refuses while it is not empty, because force_destroy is false",
    ("force_delete", True): "force_delete is true, so AWS deletes it with its content",
    ("force_delete", False): "AWS refuses while it is not empty, because force_delete is false",
    ("skip_final_snapshot", True): "no final snapshot is taken, because skip_final_snapshot is true",
    ("skip_final_snapshot", False): "a final snapshot is taken, because skip_final_snapshot is false",
}


def _describe_destroy(before: Block, note: str) -> str:
    """Return the effect of the settings before the plan, or the note of the store if it has no such setting."""
    texts = [text for (name, value), text in _DESTROY_SETTINGS.items() if before.get(name) is value]
    texts = texts or ([note] if note else [])
    window = before.get("deletion_window_in_days")
    if isinstance(window, int):
        texts.append(f"the deletion window is {window} days")
    return "".join(f"; {text}" for text in texts)


def _find_removed_guard(pair: ResourcePair, comparison: Comparison) -> Iterator[Risk]:
    previous = pair.resource.previous_address or ""
    if pair.resource.name != _GUARD[1] and ".".join(_GUARD) in previous:
        description = f"was the deletion guard {previous}; a plan does not show whether it still has prevent_destroy"
        fix = "Check that its lifecycle block sets prevent_destroy."
        yield Risk("DATA_GUARD_REMOVED", RiskArea.DATA, Level.LOOK, pair.address, description, fix)
    if pair.resource.name != _GUARD[1]:
        return
    if pair.action in ("delete", "replace", "forget") and pair.before is not None:
        trigger = pair.before.text("triggers_replace")
        guarded = trigger if isinstance(trigger, str) else "the protected resource"
        if (
            pair.action == "delete"
            and pair.resource.reason in _CONFIGURATION_REMOVED
            and _deletes_data(pair, comparison)
        ):
            description = (
                f"the plan deletes the deletion guard of {guarded} and the data: the module call was removed or "
                "renamed. The removed configuration had prevent_destroy, so Terraform deletes the data although "
                "deletion_protection was on"
            )
            fix = (
                "Restore the call; a renamed call needs a `moved` block. To delete the data permanently, follow the "
                "module's README: set deletion_protection = false, remove the guards from the state, apply."
            )
            yield Risk("DATA_GUARD_UNCONFIGURED", RiskArea.DATA, Level.STOP, pair.address, description, fix)
            return
        description = f"the deletion guard of {guarded} is removed"
        fix = "Keep deletion_protection on, or accept the risk."
        yield Risk("DATA_GUARD_REMOVED", RiskArea.DATA, Level.STOP, pair.address, description, fix)


def _deletes_data(guard: ResourcePair, comparison: Comparison) -> bool:
    """Return whether the plan deletes a resource with data in the module of the guard."""
    module = guard.resource.module
    return any(
        pair.action == "delete" and pair.resource.module == module and find_data_store(pair.type) is not None
        for pair in comparison.changes
    )


def _find_expiring_data(pair: ResourcePair, comparison: Comparison) -> Iterator[Risk]:
    if pair.after is None or pair.new is None or (pair.type == BUCKET and not pair.is_same_object):
        return
    attribute, kind, find_expiries = _LIFECYCLE_TYPES[pair.type]
    before = pair.before
    if pair.type != BUCKET:
        owner = comparison.joins_after.find_target(pair.new, attribute, kind)
        if isinstance(owner, Resource) and not comparison.pair(owner).is_same_object:
            return  # a new store has no data
        before = before or _find_former_rules(owner, pair, comparison)
    for expiry in find_expiries(before, pair.after):
        if expiry is None:
            description = "the lifecycle rules are unknown until apply or sensitive, so they may delete data"
            yield Risk("DATA_UNKNOWN", RiskArea.DATA, Level.LOOK, pair.address, description, is_known=False)
        else:
            fix = "Check that nobody needs these objects, then accept the risk."
            yield Risk("DATA_EXPIRES", RiskArea.DATA, expiry.level, pair.address, expiry.describe(), fix)
    for limit in find_new_zone_limits(before, pair.after) if kind == BUCKET else ():
        if limit is None:
            description = "the storage class of a lifecycle rule is unknown until apply or sensitive"
            yield Risk("DATA_UNKNOWN", RiskArea.DATA, Level.LOOK, pair.address, description, is_known=False)
        else:
            yield Risk("DATA_WEAKER", RiskArea.DATA, Level.LOOK, pair.address, limit)


def _find_former_rules(owner: object, pair: ResourcePair, comparison: Comparison) -> Block | None:
    """Return the rules that another resource had for the same bucket or repository."""
    old = comparison.pair(owner).old if isinstance(owner, Resource) else None
    resources = (
        comparison.joins_before.find_sources(old, pair.type, _LIFECYCLE_TYPES[pair.type][0]).certain
        if old is not None
        else ()
    )
    return comparison.pair(resources[0]).before if resources else None
