"""Buckets, feature groups, tables, and transfer to another Region."""

from sustainable_mlops.footprint.activities import StorageActivity, TransferActivity
from sustainable_mlops.footprint.figures import UnknownItem, UnknownKind
from sustainable_mlops.footprint.quantities import make_exact
from sustainable_mlops.footprint.resource_parts import ResourcePart, make_part, make_unknown_part
from sustainable_mlops.footprint.services.fixed_prices import make_service_part
from sustainable_mlops.footprint.services.plan_side import PlanSide, explain_missing, is_never_set, to_known_number
from sustainable_mlops.plan import UNKNOWN, Block, Resource

_UNKNOWN_SIZE = "a plan does not contain its size; set {} in the usage file"
_LIFECYCLE = "aws_s3_bucket_lifecycle_configuration"


def read_bucket(resource: Resource, side: PlanSide) -> list[ResourcePart]:
    """Return the bytes of a bucket by storage class, and the replication of its own settings."""
    # The attribute is computed as well: without a value here it repeats that of a separate resource.
    has_own_rules = side.joins.is_configured(resource, "replication_configuration") is True
    replication = (
        _read_replication_rules(resource, "replication_configuration.0.rules", resource, side) if has_own_rules else []
    )
    sizes = side.get_usage(resource.address).get_storage()
    if sizes is None:
        return [
            make_unknown_part("objects", "storage", _UNKNOWN_SIZE.format("storage_gb"), unknown_kind=UnknownKind.USAGE),
            *replication,
        ]
    region, left_out = side.find_region(resource), _report_lifecycle(resource, set(sizes), side)
    return [
        *(make_part(name, "storage", StorageActivity(name, region, gb), left_out) for name, gb in sizes.items()),
        *replication,
    ]


def _report_lifecycle(bucket: Resource, classes: set[str], side: PlanSide) -> tuple[UnknownItem, ...]:
    """Return a note if the plan changes lifecycle rules, or if these may move bytes that are given as STANDARD."""
    lifecycles = side.joins.find_bucket_resources(bucket, _LIFECYCLE).certain
    if all(one.action == "no-op" for one in lifecycles) and (not lifecycles or classes != {"STANDARD"}):
        return ()
    return (
        UnknownItem(
            "lifecycle", "the effect of its rules is not counted; set the expected storage_gb by storage class"
        ),
    )


def read_feature_group(resource: Resource, side: PlanSide) -> list[ResourcePart]:
    """Return the stores of a feature group; bytes of the offline store count only once if its bucket counts them."""
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
        store = "feature_store_online_in_memory" if in_memory else "feature_store_online_standard"
        reason = _UNKNOWN_SIZE.format("online_gb")
        parts.append(
            make_part("online store", "storage", StorageActivity(store, region, gb))
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
    """Return the provisioned throughput, which costs money without usage; its price is unknown."""
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
    units_text = " and ".join(
        f"{to_known_number(units):,.0f} {way} units"
        for units, way in ((read, "read"), (write, "write"))
        if to_known_number(units) is not None
    )
    reason = f"its provisioned throughput ({units_text or 'units that are not known until apply'}) is not counted"
    return [make_unknown_part("throughput", "throughput", reason)]


def read_table(resource: Resource, side: PlanSide) -> list[ResourcePart]:
    """Return the size of a DynamoDB table, and its permanent throughput unless requests pay for it."""
    values = side.get_values(resource)
    provisioned = [values, *_list_indexes(values)]
    items = make_unknown_part("items", "storage", "a plan does not contain its size", unknown_kind=UnknownKind.USAGE)
    if values.text("billing_mode") == "PAY_PER_REQUEST":
        return [items]
    units = {way: [to_known_number(one.number(f"{way}_capacity")) for one in provisioned] for way in ("read", "write")}
    if values.text("table_class") not in (None, "", "STANDARD") or any(None in numbers for numbers in units.values()):
        return [items, *_make_throughput(values.number("read_capacity"), values.number("write_capacity"))]
    region = side.find_region(resource)
    return [
        items,
        *(
            make_service_part(f"{way} capacity unit", region, make_exact(sum(filter(None, numbers))))
            for way, numbers in units.items()
        ),
    ]


def _list_indexes(table: Block) -> list[Block]:
    """Return the global secondary indexes, which have their own throughput; one unknown block if they are unknown."""
    indexes = table.blocks("global_secondary_index")
    return [Block(UNKNOWN)] if indexes is UNKNOWN else indexes


def _is_in_counted_bucket(resource: Resource, side: PlanSide) -> bool:
    bucket = side.joins.find_bucket(resource, "offline_store_config.0.s3_storage_config.0.s3_uri")
    return isinstance(bucket, Resource) and side.get_usage(bucket.address).get_storage() is not None


def read_replication(resource: Resource, side: PlanSide) -> list[ResourcePart]:
    """Return the bytes that a bucket sends to another Region."""
    return _read_replication_rules(resource, "rule", side.joins.find_bucket(resource, "bucket"), side)


def _read_replication_rules(resource: Resource, path: str, source: object, side: PlanSide) -> list[ResourcePart]:
    """Return the bytes that the rules at `path` of `resource` send from the bucket `source` to another Region."""
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
    leaves_region = False
    for rule in rules:
        if rule.text("status") == "Disabled":
            continue
        target = side.joins.find_bucket(resource, f"{rule.path}.destination.0.bucket")
        region = side.find_region(target) if isinstance(target, Resource) else None
        leaves_region = leaves_region or region is None or region != home
    if not leaves_region:
        return []
    gb = side.get_usage(resource.address).get("transfer_gb_per_month")
    if gb is None:
        reason = "a plan does not contain the replicated bytes; set transfer_gb_per_month in the usage file"
        return [make_unknown_part("replication", "transfer", reason, unknown_kind=UnknownKind.USAGE)]
    return [make_part("replication", "transfer", TransferActivity(home, gb))]
