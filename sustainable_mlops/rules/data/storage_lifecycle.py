"""Retention and storage classes in S3.

The rules check buckets with evidence of machine learning (see relation.py). A bucket without a lifecycle gets one
finding. The other rules apply only to buckets with a lifecycle.
"""

from collections.abc import Iterator, Mapping

from sustainable_mlops.aws.s3 import S3Uri, find_bucket
from sustainable_mlops.base.lazy_pattern import LazyPattern
from sustainable_mlops.plan import UNKNOWN, Plan, Resource, Unknown
from sustainable_mlops.plan.values import AttributeReader
from sustainable_mlops.rules import ml_evidence
from sustainable_mlops.rules.attributes import CreateRequest, check_value
from sustainable_mlops.rules.data import lifecycles
from sustainable_mlops.rules.data.lifecycles import GLACIER, Lifecycle, LifecycleRule
from sustainable_mlops.rules.jobs import PIPELINE, TRAINING_TYPES, check_trainings, find_pipeline
from sustainable_mlops.rules.ml_evidence import BUCKET
from sustainable_mlops.rules.rule import RuleResult, RuleResults, Severity, failure, rule, success, unknown_result

MODEL = "aws_sagemaker_model"
ENDPOINT_CONFIGURATION = "aws_sagemaker_endpoint_configuration"

#: Maximum number of days before incomplete uploads are aborted.
_MAX_UPLOAD_DAYS = 7
_RECREATABLE = LazyPattern(r"re-?creatable|scratch|(^|[/_-])te?mp([/_-]|$)|intermediate|(^|/)cache")
_SCRATCH = ("checkpoints", "debugger output", "profiler output", "captured traffic", "responses", "failures")


def _find_lifecycle(plan: Plan, bucket: Resource) -> Lifecycle | None:
    """Return the lifecycle of a bucket for machine learning, or None if it has none."""
    if not ml_evidence.is_ml(plan, bucket):
        return None
    lifecycle = lifecycles.find_lifecycle(plan, bucket)
    return None if lifecycle.is_enabled() is False else lifecycle


def _is_any_true(rules: Lifecycle, states: Iterator[bool | Unknown]) -> bool | Unknown:
    values = list(states)
    if any(value is True for value in values):
        return True
    return UNKNOWN if UNKNOWN in values or not rules.is_complete else False


@rule(
    id="SUS_BUCKET_LIFECYCLE",
    severity=Severity.WARN,
    title="A bucket for machine learning should have a lifecycle",
    problem="A bucket for machine learning has no lifecycle",
    practices=("17",),
    fix=(
        "Add an aws_s3_bucket_lifecycle_configuration: expiry or a cheaper class by prefix, noncurrent "
        "versions, incomplete uploads."
    ),
    types=(BUCKET,),
)
def has_a_lifecycle(plan: Plan, bucket: Resource) -> RuleResults:
    """Check for at least one enabled rule."""
    if ml_evidence.is_ml(plan, bucket):
        enabled = lifecycles.find_lifecycle(plan, bucket).is_enabled()
        yield check_value(enabled, "lifecycle", lambda is_enabled: is_enabled, "all objects are kept forever")


@rule(
    id="SUS_ABORT_UPLOADS",
    severity=Severity.WARN,
    title="Incomplete uploads should be aborted within a week",
    problem="Incomplete uploads are not aborted within a week",
    practices=("17",),
    fix="Add abort_incomplete_multipart_upload with at most 7 days to a rule for the whole bucket.",
    types=(BUCKET,),
)
def uploads_are_aborted(plan: Plan, bucket: Resource) -> RuleResults:
    """Check for a rule. Parts of incomplete uploads are billed, and no listing shows them."""
    lifecycle = _find_lifecycle(plan, bucket)
    if lifecycle is not None:
        aborts = _is_any_true(lifecycle, (_aborts_uploads(r) for r in lifecycle.rules))
        yield check_value(aborts, "lifecycle", lambda is_true: is_true, "parts of incomplete uploads are kept forever")


def _aborts_uploads(lifecycle_rule: LifecycleRule) -> bool | Unknown:
    covers = lifecycle_rule.covers("")
    if covers is False or lifecycle_rule.abort_days is None:
        return False
    if covers is UNKNOWN or lifecycle_rule.abort_days is UNKNOWN:
        return UNKNOWN
    return lifecycle_rule.abort_days <= _MAX_UPLOAD_DAYS


@rule(
    id="SUS_NONCURRENT_EXPIRY",
    severity=Severity.WARN,
    title="A versioned bucket should delete old versions",
    problem="A versioned bucket keeps old versions",
    practices=("17", "47"),
    fix="Add noncurrent_version_expiration to a rule for the whole bucket.",
    types=(BUCKET,),
)
def noncurrent_expiration(plan: Plan, bucket: Resource) -> RuleResults:
    """Check for a rule. Without it every version is stored forever."""
    lifecycle = _find_lifecycle(plan, bucket)
    if lifecycle is None:
        return
    is_versioned = lifecycles.is_versioned(plan, bucket)
    if is_versioned is False:
        return
    expire = _is_any_true(lifecycle, (_expires_versions(r) for r in lifecycle.rules))
    yield check_value(
        UNKNOWN if is_versioned is UNKNOWN and expire is not True else expire,
        "lifecycle",
        lambda is_true: is_true,
        "every old version is kept forever",
    )


def _expires_versions(lifecycle_rule: LifecycleRule) -> bool | Unknown:
    # An unknown number of days counts.
    return False if lifecycle_rule.noncurrent_days is None else lifecycle_rule.covers("")


@rule(
    id="SUS_BUCKET_TIERING",
    severity=Severity.INFO,
    title="Objects in a bucket should move to a cheaper storage class",
    problem="Objects in a bucket never move to a cheaper storage class",
    practices=("18",),
    fix='Add transition { days = 0, storage_class = "INTELLIGENT_TIERING" }, or expire objects that nobody needs.',
    types=(BUCKET,),
)
def bucket_tiering(plan: Plan, bucket: Resource) -> RuleResults:
    """Check for any transition or expiry of current objects.

    This is advice: a plan does not show how often they are read.
    """
    lifecycle = _find_lifecycle(plan, bucket)
    if lifecycle is not None:
        moves = _is_any_true(lifecycle, (_moves_objects(r) for r in lifecycle.rules))
        yield check_value(moves, "lifecycle", lambda is_true: is_true, "no rule moves or expires current objects")


def _moves_objects(lifecycle_rule: LifecycleRule) -> bool | Unknown:
    if lifecycle_rule.is_enabled is False:
        return False
    if lifecycle_rule.transitions or lifecycle_rule.has_expiration is True:
        return lifecycle_rule.is_enabled
    return lifecycle_rule.has_expiration


@rule(
    id="SUS_RECREATABLE_ONE_ZONE",
    severity=Severity.INFO,
    title="Recreatable data should be stored in one zone, or expire",
    problem="Recreatable data is stored in several zones and never expires",
    practices=("20",),
    fix="Give the rule an expiration, or a transition to ONEZONE_IA after 30 days or more.",
    types=(lifecycles.CONFIGURATION,),
)
def recreatable_data(plan: Plan, configuration: Resource) -> RuleResults:
    """Check rules whose prefix or tag says re-creatable, scratch, tmp, intermediate or cache."""
    bucket = plan.joins.find_bucket(configuration, "bucket")
    rules = lifecycles.list_rules(configuration)
    if not isinstance(bucket, Resource) or not ml_evidence.is_ml(plan, bucket) or rules is UNKNOWN:
        return
    for lifecycle_rule in rules:
        if lifecycle_rule.is_enabled is False or not is_recreatable(lifecycle_rule.prefix, lifecycle_rule.tags):
            continue
        if lifecycle_rule.has_expiration is True or "ONEZONE_IA" in lifecycle_rule.transitions:
            yield success()
        elif lifecycle_rule.has_expiration is UNKNOWN or UNKNOWN in lifecycle_rule.transitions:
            yield unknown_result("the retention of the data is not known until apply", lifecycle_rule.path)
        else:
            yield failure("recreatable data is kept in several zones forever", lifecycle_rule.path)


def is_recreatable(prefix: object, tags: Mapping[str, object]) -> bool:
    """Return whether the prefix or a tag of a lifecycle rule says that its objects are re-creatable."""
    return (isinstance(prefix, str) and _RECREATABLE.search(prefix) is not None) or tags.get("recreatable") == "true"


@rule(
    id="SUS_BUCKET_VERSIONING",
    severity=Severity.INFO,
    title="A bucket with models or pipeline definitions should be versioned",
    problem="A bucket with models or pipeline definitions is not versioned",
    practices=("47",),
    fix="Add aws_s3_bucket_versioning, with noncurrent_version_expiration in the lifecycle.",
    types=(BUCKET,),
)
def inputs_are_versioned(plan: Plan, bucket: Resource) -> RuleResults:
    """Check buckets with a model's artifact or a pipeline's definition, which a rollback needs."""
    if not _is_read_from(plan, bucket):
        return
    yield check_value(
        lifecycles.is_versioned(plan, bucket),
        "versioning",
        lambda flag: flag,
        "an overwritten artifact cannot be restored",
    )


def _is_read_from(plan: Plan, bucket: Resource) -> bool:
    definitions = plan.joins.find_sources(bucket, PIPELINE, "pipeline_definition_s3_location.0.bucket")
    return bool(definitions.certain) or any(
        plan.joins.find_sources(bucket, MODEL, path).certain for path in _ARTIFACT_PATHS
    )


#: Attributes of a model with the addresses of its artifacts.
_ARTIFACT_PATHS = tuple(
    f"{container}.0.{path}"
    for container in ("primary_container", "container")
    for path in ("model_data_url", "model_data_source.0.s3_data_source.0.s3_uri")
)


@rule(
    id="SUS_MODELS_ARCHIVED",
    severity=Severity.INFO,
    title="Old models should move to an archive class or expire",
    problem="Old models neither move to an archive class nor expire",
    practices=("19",),
    fix='Add a transition to "GLACIER_IR" for the prefix of the models. Endpoints can still load them immediately.',
    types=(BUCKET,),
)
def models_are_archived(plan: Plan, bucket: Resource) -> RuleResults:
    """Check buckets with a lifecycle that contain a model of this plan."""
    lifecycle = _find_lifecycle(plan, bucket)
    if lifecycle is None:
        return
    for key in _list_artifact_keys(plan, bucket):
        is_archived = _is_any_true(lifecycle, (_archives_models(r, key) for r in lifecycle.rules))
        yield check_value(
            is_archived,
            "lifecycle",
            lambda is_true: is_true,
            f"old models beside {key or 'the served one'} are kept forever",
        )


def _archives_models(lifecycle_rule: LifecycleRule, key: str) -> bool | Unknown:
    covers = lifecycle_rule.covers(key)
    if covers is not True:
        return covers
    if lifecycle_rule.has_expiration is True or GLACIER & set(lifecycle_rule.transitions):
        return True
    return UNKNOWN if lifecycle_rule.has_expiration is UNKNOWN or UNKNOWN in lifecycle_rule.transitions else False


@rule(
    id="SUS_SERVED_MODEL_ARCHIVED",
    severity=Severity.WARN,
    title="A served model should stay in a storage class that endpoints can load from",
    problem="A served model moves to a storage class that endpoints cannot load from",
    practices=("19",),
    fix='Move models to "GLACIER_IR" instead, or keep served models under another prefix.',
    types=(BUCKET,),
)
def served_models_load(plan: Plan, bucket: Resource) -> RuleResults:
    """Check the transitions. GLACIER and DEEP_ARCHIVE need a restore before an endpoint can load the model."""
    lifecycle = _find_lifecycle(plan, bucket)
    if lifecycle is None:
        return
    for key in _list_artifact_keys(plan, bucket):
        moved = _is_any_true(lifecycle, (_moves_away(r, key) for r in lifecycle.rules))
        yield check_value(
            moved,
            "lifecycle",
            lambda away: not away,
            f"{key or 'the model'} moves to a storage class that endpoints cannot load from",
        )


def _moves_away(lifecycle_rule: LifecycleRule, key: str) -> bool | Unknown:
    if {"GLACIER", "DEEP_ARCHIVE"} & set(lifecycle_rule.transitions):
        return lifecycle_rule.covers(key)
    return UNKNOWN if UNKNOWN in lifecycle_rule.transitions and lifecycle_rule.covers(key) is not False else False


def _list_artifact_keys(plan: Plan, bucket: Resource) -> list[str]:
    """Return the keys of this plan's models in `bucket`; an unknown key is an empty text."""
    addresses = [m.text(path) for path in _ARTIFACT_PATHS for m in plan.joins.find_sources(bucket, MODEL, path).certain]
    return list(dict.fromkeys(_read_key(address) if isinstance(address, str) else "" for address in addresses))


def _read_key(address: str) -> str:
    uri = S3Uri.parse_or_none(address)
    return uri.key if uri else ""


@rule(
    id="SUS_SCRATCH_EXPIRES",
    severity=Severity.WARN,
    title="Temporary training output should expire",
    problem="Temporary training output never expires",
    practices=("45",),
    fix="Add a rule with an expiration for the prefix to the bucket's lifecycle configuration.",
    types=TRAINING_TYPES,
)
def training_scratch_expires(plan: Plan, resource: Resource) -> RuleResults:
    """Check checkpoints, debugger and profiler output in buckets of this plan."""

    @check_trainings
    def check_outputs(training: CreateRequest) -> RuleResults:
        for description, path in zip(_SCRATCH, ("checkpoint_config.s3_uri", *_REPORTS), strict=False):
            if training.get(path) is not None:
                yield from _check_output(plan, resource, training, path, description)

    if resource.type == PIPELINE:
        pipeline = find_pipeline(plan, resource)
        if pipeline is not None and pipeline.steps is UNKNOWN:
            yield unknown_result(pipeline.unreadable_reason, "pipeline_definition")
            return
    yield from check_outputs(plan, resource)


_REPORTS = ("debug_hook_config.s3_output_path", "profiler_config.s3_output_path")


def _check_output(
    plan: Plan, resource: Resource, training: CreateRequest, path: str, description: str
) -> Iterator[RuleResult]:
    where = training.locate(path)
    address = training.text(path)
    if resource.type == PIPELINE:
        name = find_bucket(address) if isinstance(address, str) else None
        bucket = plan.joins.index_by_name(BUCKET).get(name or "", [None])[0]
    else:
        target_bucket = plan.joins.find_bucket(resource, where)
        bucket = target_bucket if isinstance(target_bucket, Resource) else None
    yield from _check_expiration(plan, bucket, address, where, description)


def _check_expiration(
    plan: Plan, bucket: Resource | None, address: str | Unknown | None, where: str, description: str
) -> Iterator[RuleResult]:
    """Check the data at `address` of `bucket`; a bucket of None is not in this plan."""
    if bucket is None:
        if address is UNKNOWN:
            yield unknown_result(f"the address of the {description} is not known until apply", where)
        return
    lifecycle = lifecycles.find_lifecycle(plan, bucket)
    key = f"{_read_key(address).rstrip('/')}/".lstrip("/") if isinstance(address, str) else ""
    has_expiration = _is_any_true(lifecycle, (_expires_below(r, key) for r in lifecycle.rules))
    if has_expiration is False and not isinstance(address, str) and lifecycle.is_enabled() is not False:
        has_expiration = UNKNOWN  # the key is unknown, and only a part of the bucket expires
    yield check_value(
        has_expiration,
        where,
        lambda is_true: is_true,
        f"no lifecycle rule of {bucket.address} deletes the {description}",
    )


def _expires_below(lifecycle_rule: LifecycleRule, key: str) -> bool | Unknown:
    covers = lifecycle_rule.covers(key)
    if covers is False or lifecycle_rule.has_expiration is False:
        return False
    return UNKNOWN if covers is UNKNOWN or lifecycle_rule.has_expiration is UNKNOWN else True


@rule(
    id="SUS_ENDPOINT_OUTPUT_EXPIRES",
    severity=Severity.WARN,
    title="The output that an endpoint writes to S3 should expire",
    problem="The output that an endpoint writes to S3 never expires",
    practices=("45", "54", "73"),
    fix="Add a rule with an expiration for the prefix to the bucket's lifecycle configuration.",
    types=(ENDPOINT_CONFIGURATION,),
)
def endpoint_output_expires(plan: Plan, configuration: Resource) -> RuleResults:
    """Check captured traffic and the responses of asynchronous endpoints, in buckets of this plan."""
    locations = (
        ("captured traffic", "data_capture_config.0.destination_s3_uri"),
        ("responses", "async_inference_config.0.output_config.0.s3_output_path"),
        ("failures", "async_inference_config.0.output_config.0.s3_failure_path"),
    )
    for description, path in locations:
        address = _read_text(configuration, path)
        if address is None:
            continue
        target_bucket = plan.joins.find_bucket(configuration, path)
        bucket = target_bucket if isinstance(target_bucket, Resource) else None
        yield from _check_expiration(plan, bucket, address, path, description)


def _read_text(source: AttributeReader, path: str) -> str | Unknown | None:
    return source.text(path)
