"""Buckets, feature groups and what goes to another Region."""

from sustainable_mlops.footprint.activities import StorageActivity, TransferActivity
from sustainable_mlops.footprint.figures import UnknownItem, UnknownKind
from sustainable_mlops.footprint.resource_parts import ResourcePart, make_part, make_unknown_part
from sustainable_mlops.footprint.services.plan_side import PlanSide, explain_missing, is_never_set, to_known_number
from sustainable_mlops.plan import UNKNOWN, Resource

_UNKNOWN_SIZE = "a plan does not say how much it holds; give {} in the usage file"
_LIFECYCLE = "aws_s3_bucket_lifecycle_configuration"


def read_bucket(resource: Resource, side: PlanSide) -> list[ResourcePart]:
    """A bucket's bytes, by storage class, and what the bucket's own settings replicate."""
    # The setting is computed too: where the bucket does not give it, it repeats that of a resource of its own.
    own = side.joins.is_configured(resource, "replication_configuration") is True
    replicated = _read_replication_rules(resource, "replication_configuration.0.rules", resource, side) if own else []
    held = side.get_usage(resource.address).get_storage()
    if held is None:
        return [
            make_unknown_part("objects", "storage", _UNKNOWN_SIZE.format("storage_gb"), unknown_kind=UnknownKind.USAGE),
            *replicated,
        ]
    region, left_out = side.find_region(resource), _report_lifecycle(resource, set(held), side)
    return [
        *(make_part(name, "storage", StorageActivity(name, region, gb), left_out) for name, gb in held.items()),
        *replicated,
    ]


def _report_lifecycle(bucket: Resource, classes: set[str], side: PlanSide) -> tuple[UnknownItem, ...]:
    """What the plan does to a bucket's lifecycle, and what one does to bytes that are given as all in STANDARD."""
    found = side.joins.find_bucket_resources(bucket, _LIFECYCLE).certain
    if all(one.action == "no-op" for one in found) and (not found or classes != {"STANDARD"}):
        return ()
    return (
        UnknownItem("lifecycle", "what it moves or deletes is not counted; give storage_gb by class, as it will be"),
    )


def read_feature_group(resource: Resource, side: PlanSide) -> list[ResourcePart]:
    """A feature group's stores. The offline store is in a bucket: where its bytes are counted, they count once."""
    values, keys, region = side.get_values(resource), side.get_usage(resource.address), side.find_region(resource)
    parts = []
    enabled = values.flag("online_store_config.0.enable_online_store")
    if enabled is UNKNOWN:
        parts.append(
            make_unknown_part(
                "online store",
                "storage",
                explain_missing(enabled, "enable_online_store"),
                unknown_kind=UnknownKind.USAGE,
            )
        )
    elif enabled:
        gb = keys.get("online_gb")
        in_memory = values.text("online_store_config.0.storage_type") == "InMemory"
        kept = "feature_store_online_in_memory" if in_memory else "feature_store_online_standard"
        reason = _UNKNOWN_SIZE.format("online_gb")
        parts.append(
            make_part("online store", "storage", StorageActivity(kept, region, gb))
            if gb is not None
            else make_unknown_part("online store", "storage", reason, unknown_kind=UnknownKind.USAGE)
        )
    if values.blocks("offline_store_config") != [] and not _is_in_counted_bucket(resource, side):
        gb = keys.get("offline_gb")
        parts.append(
            make_part("offline store", "storage", StorageActivity("STANDARD", region, gb))
            if gb is not None
            else make_unknown_part(
                "offline store", "storage", _UNKNOWN_SIZE.format("offline_gb"), unknown_kind=UnknownKind.USAGE
            )
        )
    return parts + _read_throughput(resource, side)


def _read_throughput(resource: Resource, side: PlanSide) -> list[ResourcePart]:
    """Throughput that is paid for whether it is used or not; no price of it is known."""
    values, mode, units = (
        side.get_values(resource),
        "throughput_config.0.throughput_mode",
        "throughput_config.0.provisioned",
    )
    if values.text(mode) != "Provisioned" and (values.text(mode) is not UNKNOWN or is_never_set(resource, mode, side)):
        return []
    read, write = (values.number(f"{units}_{way}_capacity_units") for way in ("read", "write"))
    return _make_throughput(read, write)


def _make_throughput(read: object, write: object) -> list[ResourcePart]:
    told = " and ".join(
        f"{to_known_number(units):,.0f} {way} units"
        for units, way in ((read, "read"), (write, "write"))
        if to_known_number(units) is not None
    )
    reason = f"its provisioned throughput ({told or 'units that are not known until apply'}) is not counted"
    return [make_unknown_part("throughput", "throughput", reason)]


def read_table(resource: Resource, side: PlanSide) -> list[ResourcePart]:
    """A DynamoDB table: what it holds, and the throughput that it has all the time unless it is paid by request."""
    values = side.get_values(resource)
    held = make_unknown_part(
        "items", "storage", "a plan does not say how much it holds", unknown_kind=UnknownKind.USAGE
    )
    if values.text("billing_mode") == "PAY_PER_REQUEST":
        return [held]
    return [held, *_make_throughput(values.number("read_capacity"), values.number("write_capacity"))]


def _is_in_counted_bucket(resource: Resource, side: PlanSide) -> bool:
    bucket = side.joins.find_bucket(resource, "offline_store_config.0.s3_storage_config.0.s3_uri")
    return isinstance(bucket, Resource) and side.get_usage(bucket.address).get_storage() is not None


def read_replication(resource: Resource, side: PlanSide) -> list[ResourcePart]:
    """What a bucket sends to another Region."""
    return _read_replication_rules(resource, "rule", side.joins.find_bucket(resource, "bucket"), side)


def _read_replication_rules(resource: Resource, path: str, source: object, side: PlanSide) -> list[ResourcePart]:
    """What the rules at `path` of `resource` send from the bucket `source` to another Region."""
    values = side.get_values(resource)
    rules = values.blocks(path)
    if rules is UNKNOWN:
        return [
            make_unknown_part(
                "replication",
                "transfer",
                explain_missing(UNKNOWN, path.rpartition(".")[2]),
                unknown_kind=UnknownKind.USAGE,
            )
        ]
    home = side.find_region(source) if isinstance(source, Resource) else side.find_region(resource)
    away = False
    for rule in rules:
        if rule.text("status") == "Disabled":
            continue
        target = side.joins.find_bucket(resource, f"{rule.path}.destination.0.bucket")
        region = side.find_region(target) if isinstance(target, Resource) else None
        away = away or region is None or region != home
    if not away:
        return []
    gb = side.get_usage(resource.address).get("transfer_gb_per_month")
    if gb is None:
        reason = "a plan does not say how much is replicated; give transfer_gb_per_month in the usage file"
        return [make_unknown_part("replication", "transfer", reason, unknown_kind=UnknownKind.USAGE)]
    return [make_part("replication", "transfer", TransferActivity(home, gb))]
