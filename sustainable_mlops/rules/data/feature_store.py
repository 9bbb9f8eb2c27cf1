"""Feature groups: one offline store that is small and catalogued, an online store only where somebody reads it."""

from sustainable_mlops.plan import UNKNOWN, Plan, Resource, Unknown
from sustainable_mlops.rules import reading
from sustainable_mlops.rules.reading import Settings, judge
from sustainable_mlops.rules.rule import Severity, Verdicts, failed, passed, rule, unknown

FEATURE_GROUP = "aws_sagemaker_feature_group"
_OPTIMIZER = "aws_glue_catalog_table_optimizer"

_ONLINE = "online_store_config.0"
_OFFLINE = "offline_store_config.0"
_MODE = "throughput_config.0.throughput_mode"


def _is_online(group: Resource) -> bool | Unknown:
    """Whether the group has an online store."""
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
    title="A feature group has an offline store",
    practices=("12",),
    fix="Add offline_store_config: training then reads the same features instead of making them again.",
    types=(FEATURE_GROUP,),
)
def has_an_offline_store(_: Plan, group: Resource) -> Verdicts:
    """Without it no training can read what serving reads, and the features are made twice."""
    yield judge(_is_offline(group), "offline_store_config", lambda offline: offline, "there is no offline store")


@rule(
    id="SUS_ONLINE_STORE_READ",
    severity=Severity.INFO,
    title="An online store is there because something reads it",
    practices=("12",),
    fix="Tag the group `serving=online` where an endpoint reads it; else turn enable_online_store off.",
    types=(FEATURE_GROUP,),
)
def online_store_is_read(plan: Plan, group: Resource) -> Verdicts:
    """Advice: a plan does not show who reads a store, so the tag is where somebody says so."""
    online = _is_online(group)
    if online is False:
        return
    tags = reading.tags(plan, group)
    if online is UNKNOWN or tags is UNKNOWN or tags.get("serving") is UNKNOWN:
        yield unknown("whether there is an online store, or its tag, is not known until apply", _ONLINE)
    elif tags.get("serving") == "online":
        yield passed()
    else:
        yield failed("nothing says that the online store is read", f"{_ONLINE}.enable_online_store")


@rule(
    id="SUS_ONLINE_STORE_TTL",
    severity=Severity.WARN,
    title="Records leave the online store when nobody needs them any more",
    practices=("13",),
    fix="Set online_store_config.ttl_duration; it can be added in place.",
    types=(FEATURE_GROUP,),
)
def online_records_expire(plan: Plan, group: Resource) -> Verdicts:
    """By default they are kept for ever."""
    online = _is_online(group)
    if online is False:
        return
    value = Settings(plan, group).number(f"{_ONLINE}.ttl_duration.0.value")
    path = f"{_ONLINE}.ttl_duration"
    yield judge(
        UNKNOWN if online is UNKNOWN else value, path, lambda count: count is not None, "records are kept for ever"
    )


@rule(
    id="SUS_TTL_WITHOUT_ONLINE_STORE",
    severity=Severity.FAIL,
    title="A time to live belongs to an online store",
    practices=("13",),
    fix="Enable the online store, or drop ttl_duration.",
    types=(FEATURE_GROUP,),
)
def ttl_needs_an_online_store(_: Plan, group: Resource) -> Verdicts:
    """CreateFeatureGroup answers 400."""
    if group.get(f"{_ONLINE}.ttl_duration") in (None, []):
        return
    yield judge(
        _is_online(group),
        f"{_ONLINE}.ttl_duration",
        lambda online: online,
        "there is no online store for the time to live: the group is refused",
    )


@rule(
    id="SUS_FEATURE_GROUP_THROUGHPUT",
    severity=Severity.WARN,
    title="A feature group's throughput follows demand",
    practices=("14",),
    fix='Set throughput_mode = "OnDemand"; AWS takes the change once a day.',
    types=(FEATURE_GROUP,),
)
def throughput_follows_demand(plan: Plan, group: Resource) -> Verdicts:
    """On-demand is the default. Provisioned capacity has no autoscaling and stands idle between peaks."""
    online, mode = _is_online(group), Settings(plan, group).text(_MODE)
    if online is False:
        return
    if online is UNKNOWN and mode == "Provisioned":
        yield unknown("whether there is an online store is not known until apply", f"{_ONLINE}.enable_online_store")
    else:
        yield judge(mode, _MODE, lambda kind: kind != "Provisioned", "capacity is provisioned, without autoscaling")


@rule(
    id="SUS_THROUGHPUT_IN_MEMORY",
    severity=Severity.FAIL,
    title="Provisioned throughput is of the Standard storage type",
    practices=("14",),
    fix='Set throughput_mode = "OnDemand", or storage_type = "Standard".',
    types=(FEATURE_GROUP,),
)
def no_provisioned_throughput_in_memory(plan: Plan, group: Resource) -> Verdicts:
    """Feature Store provisions throughput for groups that are offline only, and for its Standard online store."""
    online, mode = _is_online(group), Settings(plan, group).text(_MODE)
    storage = group.text(f"{_ONLINE}.storage_type")
    if online is False or storage is None or storage == "Standard" or mode is None or mode == "OnDemand":
        return
    if UNKNOWN in (online, mode, storage):
        path = f"{_ONLINE}.{'enable_online_store' if online is UNKNOWN else 'storage_type'}"
        yield unknown("whether its throughput can be provisioned is not known until apply", path)
    elif storage == "InMemory":
        yield failed("throughput of an in-memory store cannot be provisioned: the group is refused", _MODE)


@rule(
    id="SUS_OFFLINE_STORE_ICEBERG",
    severity=Severity.WARN,
    title="A new offline store is of Iceberg tables",
    practices=("15",),
    fix='Set offline_store_config.table_format = "Iceberg" before the group exists: it can never be changed.',
    types=(FEATURE_GROUP,),
)
def offline_store_is_iceberg(plan: Plan, group: Resource) -> Verdicts:
    """Only of groups that the plan makes: changing an existing one would replace it and its records."""
    if group.action not in ("create", "replace") or _is_offline(group) is False:
        return
    path = f"{_OFFLINE}.table_format"
    yield judge(
        Settings(plan, group).text(path),
        path,
        lambda table_format: table_format == "Iceberg",
        "many small files that nothing compacts: the table format is not Iceberg",
    )


@rule(
    id="SUS_ICEBERG_COMPACTION",
    severity=Severity.INFO,
    title="Something compacts an Iceberg offline store",
    practices=("15",),
    fix='Add an aws_glue_catalog_table_optimizer of type "compaction" for the table.',
    types=(FEATURE_GROUP,),
)
def iceberg_is_compacted(plan: Plan, group: Resource) -> Verdicts:
    """Only where the group names its table: Feature Store makes up a name else, and nothing can refer to it."""
    table = group.text(f"{_OFFLINE}.data_catalog_config.0.table_name")
    if group.text(f"{_OFFLINE}.table_format") != "Iceberg" or table is None:
        return
    if plan.configured(group, f"{_OFFLINE}.data_catalog_config") is not True:
        return
    optimizers = [o for o in plan.by_type(_OPTIMIZER) if o.exists()]
    told = [(optimizer.text("type"), optimizer.text("table_name")) for optimizer in optimizers]
    where = f"{_OFFLINE}.data_catalog_config"
    if table is not UNKNOWN and ("compaction", table) in told:
        yield passed()
    elif table is UNKNOWN or any({kind, name} <= {UNKNOWN, "compaction", table} for kind, name in told):
        yield unknown("which table is compacted is not known until apply", where)
    else:
        yield failed(f"nothing compacts the table {table}", where)


@rule(
    id="SUS_OFFLINE_STORE_CATALOGUED",
    severity=Severity.INFO,
    title="An offline store is in the Glue Data Catalog",
    practices=("23",),
    fix="Remove disable_glue_table_creation: a dataset that nobody finds is made again.",
    types=(FEATURE_GROUP,),
)
def offline_store_is_catalogued(plan: Plan, group: Resource) -> Verdicts:
    """Advice: the group may be registered by other means."""
    if _is_offline(group) is False:
        return
    path = f"{_OFFLINE}.disable_glue_table_creation"
    yield judge(
        Settings(plan, group).flag(path), path, lambda disabled: not disabled, "the dataset is not in the Data Catalog"
    )


@rule(
    id="SUS_FEATURE_STORE_KMS",
    severity=Severity.WARN,
    title="Both stores of a feature group are under a KMS key",
    practices=("16",),
    fix="Set s3_storage_config.kms_key_id and security_config.kms_key_id to the key's ARN.",
    types=(FEATURE_GROUP,),
)
def stores_are_encrypted(_: Plan, group: Resource) -> Verdicts:
    """With a key of the account's own: AWS's default key cannot be given to a role or taken from it."""
    stores = (
        ("offline", _is_offline(group), f"{_OFFLINE}.s3_storage_config.0.kms_key_id"),
        ("online", _is_online(group), f"{_ONLINE}.security_config.0.kms_key_id"),
    )
    for name, there, path in stores:
        if there is UNKNOWN or group.get(path.removesuffix(".kms_key_id")) is UNKNOWN:
            yield unknown(f"how the {name} store is encrypted is not known until apply", path)
        elif there:
            # A key that is known only after apply is one.
            yield passed() if group.get(path) is not None else failed(f"the {name} store has no KMS key", path)
