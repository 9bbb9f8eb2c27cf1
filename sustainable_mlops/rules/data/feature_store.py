"""Feature groups: a compact and catalogued offline store, and an online store only if something reads it."""

from sustainable_mlops.plan import UNKNOWN, Plan, Resource, Unknown
from sustainable_mlops.rules import attributes
from sustainable_mlops.rules.attributes import ConfiguredAttributes, check_value
from sustainable_mlops.rules.rule import RuleResults, Severity, failure, rule, success, unknown_result

FEATURE_GROUP = "aws_sagemaker_feature_group"
_OPTIMIZER = "aws_glue_catalog_table_optimizer"

_ONLINE = "online_store_config.0"
_OFFLINE = "offline_store_config.0"
_MODE = "throughput_config.0.throughput_mode"


def _is_online(group: Resource) -> bool | Unknown:
    """Return whether the group has an online store."""
    block = group.block("online_store_config")
    if block is None or block is UNKNOWN:
        return UNKNOWN if block is UNKNOWN else False
    enabled = block.flag("enable_online_store")
    return UNKNOWN if enabled is UNKNOWN else bool(enabled)


def _is_offline(group: Resource) -> bool | Unknown:
    block = group.block("offline_store_config")
    return UNKNOWN if block is UNKNOWN else block is not None


@rule(
    id="SUS_FEATURE_GROUP_OFFLINE",
    severity=Severity.WARN,
    title="A feature group should have an offline store",
    problem="A feature group has no offline store",
    practices=("12",),
    fix="Add offline_store_config, so that training reads the same features instead of computing them again.",
    types=(FEATURE_GROUP,),
)
def has_an_offline_store(_: Plan, group: Resource) -> RuleResults:
    """Check for an offline store. Without it training cannot read the features of serving and computes them again."""
    yield check_value(
        _is_offline(group), "offline_store_config", lambda offline: offline, "the group has no offline store"
    )


@rule(
    id="SUS_ONLINE_STORE_READ",
    severity=Severity.INFO,
    title="A feature group should have an online store only if an endpoint reads it",
    problem="A feature group has an online store that no endpoint reads",
    practices=("12",),
    fix="Tag the group `serving=online` if an endpoint reads it. Otherwise turn enable_online_store off.",
    types=(FEATURE_GROUP,),
)
def online_store_is_read(plan: Plan, group: Resource) -> RuleResults:
    """Check for the tag `serving`. This is advice: a plan does not show the readers of a store."""
    online = _is_online(group)
    if online is False:
        return
    tags = attributes.read_tags(plan, group)
    if online is UNKNOWN or tags is UNKNOWN or tags.get("serving") is UNKNOWN:
        yield unknown_result("the online store or its tag is not known until apply", _ONLINE)
    elif tags.get("serving") == "online":
        yield success()
    else:
        yield failure("no tag declares a reader of the online store", f"{_ONLINE}.enable_online_store")


@rule(
    id="SUS_ONLINE_STORE_TTL",
    severity=Severity.WARN,
    title="Records in an online store should expire",
    problem="Records in an online store never expire",
    practices=("13",),
    fix="Set online_store_config.ttl_duration. It can be added without replacing the group.",
    types=(FEATURE_GROUP,),
)
def online_records_expire(plan: Plan, group: Resource) -> RuleResults:
    """Check for a time to live; the default keeps records forever."""
    online = _is_online(group)
    if online is False:
        return
    value = ConfiguredAttributes(plan, group).number(f"{_ONLINE}.ttl_duration.0.value")
    path = f"{_ONLINE}.ttl_duration"
    yield check_value(
        UNKNOWN if online is UNKNOWN else value, path, lambda count: count is not None, "records are kept forever"
    )


@rule(
    id="SUS_TTL_WITHOUT_ONLINE_STORE",
    severity=Severity.FAIL,
    title="A time to live must belong to an online store",
    problem="A feature group has a time to live but no online store",
    practices=("13",),
    fix="Enable the online store, or remove ttl_duration.",
    types=(FEATURE_GROUP,),
)
def ttl_needs_an_online_store(_: Plan, group: Resource) -> RuleResults:
    """Check the combination, which CreateFeatureGroup refuses."""
    if group.get(f"{_ONLINE}.ttl_duration") in (None, []):
        return
    yield check_value(
        _is_online(group),
        f"{_ONLINE}.ttl_duration",
        lambda online: online,
        "the group has a time to live but no online store: SageMaker refuses it",
    )


@rule(
    id="SUS_FEATURE_GROUP_THROUGHPUT",
    severity=Severity.WARN,
    title="A feature group should use on-demand throughput",
    problem="A feature group uses provisioned throughput",
    practices=("14",),
    fix='Set throughput_mode = "OnDemand". AWS accepts the change once a day.',
    types=(FEATURE_GROUP,),
)
def throughput_follows_demand(plan: Plan, group: Resource) -> RuleResults:
    """Check the mode; the default is on-demand. Provisioned capacity has no autoscaling."""
    online, mode = _is_online(group), ConfiguredAttributes(plan, group).text(_MODE)
    if online is False:
        return
    if online is UNKNOWN and mode == "Provisioned":
        yield unknown_result(
            "it is not known until apply whether there is an online store", f"{_ONLINE}.enable_online_store"
        )
    else:
        yield check_value(
            mode, _MODE, lambda kind: kind != "Provisioned", "capacity is provisioned, without autoscaling"
        )


@rule(
    id="SUS_THROUGHPUT_IN_MEMORY",
    severity=Severity.FAIL,
    title="Provisioned throughput must use the Standard storage type",
    problem="Provisioned throughput uses another storage type than Standard",
    practices=("14",),
    fix='Set throughput_mode = "OnDemand", or storage_type = "Standard".',
    types=(FEATURE_GROUP,),
)
def no_provisioned_throughput_in_memory(plan: Plan, group: Resource) -> RuleResults:
    """Check the combination.

    Feature Store provisions throughput for offline groups and for the Standard online store only.
    """
    online, mode = _is_online(group), ConfiguredAttributes(plan, group).text(_MODE)
    storage = group.text(f"{_ONLINE}.storage_type")
    if online is False or storage is None or storage == "Standard" or mode is None or mode == "OnDemand":
        return
    if UNKNOWN in (online, mode, storage):
        path = f"{_ONLINE}.{'enable_online_store' if online is UNKNOWN else 'storage_type'}"
        yield unknown_result("it is not known until apply whether its throughput can be provisioned", path)
    elif storage == "InMemory":
        yield failure("an in-memory store cannot have provisioned throughput: SageMaker refuses the group", _MODE)


@rule(
    id="SUS_OFFLINE_STORE_ICEBERG",
    severity=Severity.WARN,
    title="A new offline store should use Iceberg tables",
    problem="A new offline store does not use Iceberg tables",
    practices=("15",),
    fix='Set offline_store_config.table_format = "Iceberg" before the group exists. It can never be changed.',
    types=(FEATURE_GROUP,),
)
def offline_store_is_iceberg(plan: Plan, group: Resource) -> RuleResults:
    """Check groups that the plan creates. A change of an existing group would replace it and its records."""
    if group.action not in ("create", "replace") or _is_offline(group) is False:
        return
    path = f"{_OFFLINE}.table_format"
    yield check_value(
        ConfiguredAttributes(plan, group).text(path),
        path,
        lambda table_format: table_format == "Iceberg",
        "the table format is not Iceberg, so small files are not compacted",
    )


@rule(
    id="SUS_ICEBERG_COMPACTION",
    severity=Severity.INFO,
    title="An Iceberg offline store should be compacted",
    problem="An Iceberg offline store is not compacted",
    practices=("15",),
    fix='Add an aws_glue_catalog_table_optimizer of type "compaction" for the table.',
    types=(FEATURE_GROUP,),
)
def iceberg_is_compacted(plan: Plan, group: Resource) -> RuleResults:
    """Check groups that name their table. Otherwise Feature Store generates a name that nothing can refer to."""
    table = group.text(f"{_OFFLINE}.data_catalog_config.0.table_name")
    if group.text(f"{_OFFLINE}.table_format") != "Iceberg" or table is None:
        return
    if plan.is_configured(group, f"{_OFFLINE}.data_catalog_config") is not True:
        return
    optimizers = [o for o in plan.list_by_type(_OPTIMIZER) if o.exists()]
    optimized_tables = [(optimizer.text("type"), optimizer.text("table_name")) for optimizer in optimizers]
    where = f"{_OFFLINE}.data_catalog_config"
    if table is not UNKNOWN and ("compaction", table) in optimized_tables:
        yield success()
    elif table is UNKNOWN or any({kind, name} <= {UNKNOWN, "compaction", table} for kind, name in optimized_tables):
        yield unknown_result("the compacted table is not known until apply", where)
    else:
        yield failure(f"nothing compacts the table {table}", where)


@rule(
    id="SUS_OFFLINE_STORE_CATALOGUED",
    severity=Severity.INFO,
    title="An offline store should be in the Glue Data Catalog",
    problem="An offline store is not in the Glue Data Catalog",
    practices=("23",),
    fix="Remove disable_glue_table_creation. A dataset that nobody can find is computed again.",
    types=(FEATURE_GROUP,),
)
def offline_store_is_catalogued(plan: Plan, group: Resource) -> RuleResults:
    """Check the setting. This is advice: the group may be registered by other means."""
    if _is_offline(group) is False:
        return
    path = f"{_OFFLINE}.disable_glue_table_creation"
    yield check_value(
        ConfiguredAttributes(plan, group).flag(path),
        path,
        lambda disabled: not disabled,
        "the dataset is not in the Data Catalog",
    )


@rule(
    id="SUS_FEATURE_STORE_KMS",
    severity=Severity.WARN,
    title="Both stores of a feature group should be encrypted with a KMS key",
    problem="A store of a feature group is not encrypted with a KMS key",
    practices=("16",),
    fix="Set s3_storage_config.kms_key_id and security_config.kms_key_id to the key's ARN.",
    types=(FEATURE_GROUP,),
)
def stores_are_encrypted(_: Plan, group: Resource) -> RuleResults:
    """Check for a customer key. Access to AWS's default key cannot be granted or revoked."""
    stores = (
        ("offline", _is_offline(group), f"{_OFFLINE}.s3_storage_config.0.kms_key_id"),
        ("online", _is_online(group), f"{_ONLINE}.security_config.0.kms_key_id"),
    )
    for name, exists, path in stores:
        if exists is UNKNOWN or group.get(path.removesuffix(".kms_key_id")) is UNKNOWN:
            yield unknown_result(f"the encryption of the {name} store is not known until apply", path)
        elif exists:
            # A key that is known only after apply counts.
            yield success() if group.get(path) is not None else failure(f"the {name} store has no KMS key", path)
