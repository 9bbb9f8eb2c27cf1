"""Buckets, feature groups and what goes to another Region."""

from sustainable_mlops.footprint.activities import Storage, Transfer
from sustainable_mlops.footprint.figures import Lack, Unknown
from sustainable_mlops.footprint.resource_parts import Part, known, unknown
from sustainable_mlops.footprint.services.plan_side import Side, known_number, never_set, says
from sustainable_mlops.plan import UNKNOWN, Resource

_SIZE = "a plan does not say how much it holds; give {} in the usage file"
_LIFECYCLE = "aws_s3_bucket_lifecycle_configuration"


def of_bucket(resource: Resource, side: Side) -> list[Part]:
    """A bucket's bytes, by storage class, and what the bucket's own settings replicate."""
    # The setting is computed too: where the bucket does not give it, it repeats that of a resource of its own.
    own = side.joins.configured(resource, "replication_configuration") is True
    replicated = _replicated(resource, "replication_configuration.0.rules", resource, side) if own else []
    held = side.usage(resource.address).storage()
    if held is None:
        return [unknown("objects", "storage", _SIZE.format("storage_gb"), lack=Lack.USE), *replicated]
    region, left_out = side.region(resource), _lifecycle(resource, set(held), side)
    return [*(known(name, "storage", Storage(name, region, gb), left_out) for name, gb in held.items()), *replicated]


def _lifecycle(bucket: Resource, classes: set[str], side: Side) -> tuple[Unknown, ...]:
    """What the plan does to a bucket's lifecycle, and what one does to bytes that are given as all in STANDARD."""
    found = side.joins.of_bucket(bucket, _LIFECYCLE).sure
    if all(one.action == "no-op" for one in found) and (not found or classes != {"STANDARD"}):
        return ()
    return (Unknown("lifecycle", "what it moves or deletes is not counted; give storage_gb by class, as it will be"),)


def of_feature_group(resource: Resource, side: Side) -> list[Part]:
    """A feature group's stores. The offline store is in a bucket: where its bytes are counted, they count once."""
    values, keys, region = side.values(resource), side.usage(resource.address), side.region(resource)
    parts = []
    enabled = values.flag("online_store_config.0.enable_online_store")
    if enabled is UNKNOWN:
        parts.append(unknown("online store", "storage", says(enabled, "enable_online_store"), lack=Lack.USE))
    elif enabled:
        gb = keys.get("online_gb")
        in_memory = values.text("online_store_config.0.storage_type") == "InMemory"
        kept = "feature_store_online_in_memory" if in_memory else "feature_store_online_standard"
        reason = _SIZE.format("online_gb")
        parts.append(
            known("online store", "storage", Storage(kept, region, gb))
            if gb is not None
            else unknown("online store", "storage", reason, lack=Lack.USE)
        )
    if values.blocks("offline_store_config") != [] and not _in_counted_bucket(resource, side):
        gb = keys.get("offline_gb")
        parts.append(
            known("offline store", "storage", Storage("STANDARD", region, gb))
            if gb is not None
            else unknown("offline store", "storage", _SIZE.format("offline_gb"), lack=Lack.USE)
        )
    return parts + _provisioned(resource, side)


def _provisioned(resource: Resource, side: Side) -> list[Part]:
    """Throughput that is paid for whether it is used or not; no price of it is known."""
    values, mode, units = (
        side.values(resource),
        "throughput_config.0.throughput_mode",
        "throughput_config.0.provisioned",
    )
    if values.text(mode) != "Provisioned" and (values.text(mode) is not UNKNOWN or never_set(resource, mode, side)):
        return []
    read, write = (values.number(f"{units}_{way}_capacity_units") for way in ("read", "write"))
    return _throughput(read, write)


def _throughput(read: object, write: object) -> list[Part]:
    told = " and ".join(
        f"{known_number(units):,.0f} {way} units"
        for units, way in ((read, "read"), (write, "write"))
        if known_number(units) is not None
    )
    reason = f"its provisioned throughput ({told or 'units that are not known until apply'}) is not counted"
    return [unknown("throughput", "throughput", reason)]


def of_table(resource: Resource, side: Side) -> list[Part]:
    """A DynamoDB table: what it holds, and the throughput that it has all the time unless it is paid by request."""
    values = side.values(resource)
    held = unknown("items", "storage", "a plan does not say how much it holds", lack=Lack.USE)
    if values.text("billing_mode") == "PAY_PER_REQUEST":
        return [held]
    return [held, *_throughput(values.number("read_capacity"), values.number("write_capacity"))]


def _in_counted_bucket(resource: Resource, side: Side) -> bool:
    bucket = side.joins.bucket(resource, "offline_store_config.0.s3_storage_config.0.s3_uri")
    return isinstance(bucket, Resource) and side.usage(bucket.address).storage() is not None


def of_replication(resource: Resource, side: Side) -> list[Part]:
    """What a bucket sends to another Region."""
    return _replicated(resource, "rule", side.joins.bucket(resource, "bucket"), side)


def _replicated(resource: Resource, path: str, source: object, side: Side) -> list[Part]:
    """What the rules at `path` of `resource` send from the bucket `source` to another Region."""
    values = side.values(resource)
    rules = values.blocks(path)
    if rules is UNKNOWN:
        return [unknown("replication", "transfer", says(UNKNOWN, path.rpartition(".")[2]), lack=Lack.USE)]
    home = side.region(source) if isinstance(source, Resource) else side.region(resource)
    away = False
    for rule in rules:
        if rule.text("status") == "Disabled":
            continue
        target = side.joins.bucket(resource, f"{rule.path}.destination.0.bucket")
        region = side.region(target) if isinstance(target, Resource) else None
        away = away or region is None or region != home
    if not away:
        return []
    gb = side.usage(resource.address).get("transfer_gb_per_month")
    if gb is None:
        reason = "a plan does not say how much is replicated; give transfer_gb_per_month in the usage file"
        return [unknown("replication", "transfer", reason, lack=Lack.USE)]
    return [known("replication", "transfer", Transfer(home, gb))]
