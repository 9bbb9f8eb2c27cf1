"""Buckets, feature groups and what goes to another Region."""

from sustainable_mlops.footprint.parts import Part, Side, known, says, unknown
from sustainable_mlops.footprint.things import Storage, Transfer
from sustainable_mlops.plan import UNKNOWN, Resource

_SIZE = "a plan does not say how much it holds; give {} in the usage file"


def of_bucket(resource: Resource, side: Side) -> list[Part]:
    """A bucket's bytes, by storage class."""
    held = side.usage(resource.address).storage()
    if held is None:
        return [unknown("objects", "storage", _SIZE.format("storage_gb"))]
    region = side.region(resource)
    return [known(name, "storage", Storage(name, region, gb)) for name, gb in held.items()]


def of_feature_group(resource: Resource, side: Side) -> list[Part]:
    """A feature group's stores."""
    values, keys, region = side.values(resource), side.usage(resource.address), side.region(resource)
    parts = []
    enabled = values.flag("online_store_config.0.enable_online_store")
    if enabled is UNKNOWN:
        parts.append(unknown("online store", "storage", says(enabled, "enable_online_store")))
    elif enabled:
        gb = keys.get("online_gb")
        in_memory = values.text("online_store_config.0.storage_type") == "InMemory"
        kept = "feature_store_online_in_memory" if in_memory else "feature_store_online_standard"
        reason = _SIZE.format("online_gb")
        parts.append(
            known("online store", "storage", Storage(kept, region, gb))
            if gb is not None
            else unknown("online store", "storage", reason)
        )
    if values.get("offline_store_config") is not None:
        gb = keys.get("offline_gb")
        parts.append(
            known("offline store", "storage", Storage("STANDARD", region, gb))
            if gb is not None
            else unknown("offline store", "storage", _SIZE.format("offline_gb"))
        )
    return parts


def of_replication(resource: Resource, side: Side) -> list[Part]:
    """What a bucket sends to another Region."""
    values = side.values(resource)
    rules = values.blocks("rule")
    if rules is UNKNOWN:
        return [unknown("replication", "transfer", says(UNKNOWN, "rule"))]
    source = side.joins.bucket(resource, "bucket")
    home = side.region(source) if isinstance(source, Resource) else side.region(resource)
    away = False
    for number in range(len(rules)):
        target = side.joins.bucket(resource, f"rule.{number}.destination.0.bucket")
        region = side.region(target) if isinstance(target, Resource) else None
        away = away or region is None or region != home
    if not away:
        return []
    gb = side.usage(resource.address).get("transfer_gb_per_month")
    if gb is None:
        reason = "a plan does not say how much is replicated; give transfer_gb_per_month in the usage file"
        return [unknown("replication", "transfer", reason)]
    return [known("replication", "transfer", Transfer(home, gb))]
