"""S3: nothing is kept longer, or in a dearer class, than somebody needs it.

Buckets are only looked at where there is evidence that they serve machine learning (see relation.py). A bucket without
any lifecycle is told so once; what its rules lack is only asked of those that have some.
"""

import re
from collections.abc import Iterator

from sustainable_mlops.aws.s3 import S3Uri, bucket_of
from sustainable_mlops.plan import UNKNOWN, Plan, Resource, Unknown
from sustainable_mlops.plan.values import Readers
from sustainable_mlops.rules import relation
from sustainable_mlops.rules.data import lifecycles
from sustainable_mlops.rules.data.lifecycles import GLACIER, Lifecycle, LifecycleRule
from sustainable_mlops.rules.jobs import PIPELINE, TRAINS, on_trainings, pipeline_of
from sustainable_mlops.rules.reading import Request, judge
from sustainable_mlops.rules.relation import BUCKET
from sustainable_mlops.rules.rule import Severity, Verdict, Verdicts, failed, passed, rule, unknown

MODEL = "aws_sagemaker_model"
ENDPOINT_CONFIGURATION = "aws_sagemaker_endpoint_configuration"

#: Uploads that never ended are aborted after a week at most.
_LONGEST_UPLOAD = 7
_RECREATABLE = re.compile(r"re-?creatable|scratch|(^|[/_-])te?mp([/_-]|$)|intermediate|(^|/)cache")
_SCRATCH = ("checkpoints", "debugger output", "profiler output", "captured traffic", "responses", "failures")


def _lifecycle(plan: Plan, bucket: Resource) -> Lifecycle | None:
    """The lifecycle of a bucket that serves machine learning and has one."""
    if not relation.is_ml(plan, bucket):
        return None
    found = lifecycles.of_bucket(plan, bucket)
    return None if found.enabled() is False else found


def _any(rules: Lifecycle, kept: Iterator[bool | Unknown]) -> bool | Unknown:
    answers = list(kept)
    if any(answer is True for answer in answers):
        return True
    return UNKNOWN if UNKNOWN in answers or not rules.whole else False


@rule(
    id="SUS_BUCKET_LIFECYCLE",
    severity=Severity.WARN,
    title="A bucket of machine learning has a lifecycle",
    practices=("17",),
    fix="Add an aws_s3_bucket_lifecycle_configuration: expiry or a cheaper class by prefix, noncurrent versions, "
    "incomplete uploads.",
    types=(BUCKET,),
)
def has_a_lifecycle(plan: Plan, bucket: Resource) -> Verdicts:
    """At least one enabled rule."""
    if relation.is_ml(plan, bucket):
        enabled = lifecycles.of_bucket(plan, bucket).enabled()
        yield judge(enabled, "lifecycle", lambda there: there, "whatever is written is kept for ever")


@rule(
    id="SUS_ABORT_UPLOADS",
    severity=Severity.WARN,
    title="Uploads that never ended are aborted within a week",
    practices=("17",),
    fix="Add abort_incomplete_multipart_upload with at most 7 days in a rule of the whole bucket.",
    types=(BUCKET,),
)
def uploads_are_aborted(plan: Plan, bucket: Resource) -> Verdicts:
    """Their parts are billed, and no listing shows them."""
    lifecycle = _lifecycle(plan, bucket)
    if lifecycle is not None:
        aborts = _any(lifecycle, (_aborts(r) for r in lifecycle.rules))
        yield judge(aborts, "lifecycle", lambda kept: kept, "parts of uploads that never ended are kept for ever")


def _aborts(found: LifecycleRule) -> bool | Unknown:
    covers = found.covers("")
    if covers is False or found.abort_days is None:
        return False
    if covers is UNKNOWN or found.abort_days is UNKNOWN:
        return UNKNOWN
    return found.abort_days <= _LONGEST_UPLOAD


@rule(
    id="SUS_NONCURRENT_EXPIRY",
    severity=Severity.WARN,
    title="A versioned bucket deletes old versions",
    practices=("17", "47"),
    fix="Add noncurrent_version_expiration in a rule of the whole bucket.",
    types=(BUCKET,),
)
def old_versions_go(plan: Plan, bucket: Resource) -> Verdicts:
    """Versioning and little storage go together only this way."""
    lifecycle = _lifecycle(plan, bucket)
    if lifecycle is None:
        return
    kept = lifecycles.versioned(plan, bucket)
    if kept is False:
        return
    expire = _any(lifecycle, (_expires_versions(r) for r in lifecycle.rules))
    yield judge(
        UNKNOWN if kept is UNKNOWN and expire is not True else expire,
        "lifecycle",
        lambda there: there,
        "every version that was ever written is kept for ever",
    )


def _expires_versions(found: LifecycleRule) -> bool | Unknown:
    # A number of days that is not known yet is one.
    return False if found.noncurrent_days is None else found.covers("")


@rule(
    id="SUS_BUCKET_TIERING",
    severity=Severity.INFO,
    title="What a bucket keeps moves to a cheaper class",
    practices=("18",),
    fix='Add transition { days = 0, storage_class = "INTELLIGENT_TIERING" }, or expire what nobody needs.',
    types=(BUCKET,),
)
def objects_move(plan: Plan, bucket: Resource) -> Verdicts:
    """Advice: any transition or expiry of current objects counts, as only people know how often they are read."""
    lifecycle = _lifecycle(plan, bucket)
    if lifecycle is not None:
        moves = _any(lifecycle, (_moves(r) for r in lifecycle.rules))
        yield judge(moves, "lifecycle", lambda kept: kept, "no rule moves or expires the objects that are kept")


def _moves(found: LifecycleRule) -> bool | Unknown:
    if found.enabled is False:
        return False
    if found.transitions or found.expires is True:
        return found.enabled
    return found.expires


@rule(
    id="SUS_RECREATABLE_ONE_ZONE",
    severity=Severity.INFO,
    title="Data that a job can make again lies in one zone, or goes",
    practices=("20",),
    fix="Give the rule an expiration, or a transition to ONEZONE_IA after 30 days or more.",
    types=(lifecycles.CONFIGURATION,),
)
def recreatable_data(plan: Plan, configuration: Resource) -> Verdicts:
    """Rules of a bucket of machine learning whose prefix or tag says re-creatable, scratch, tmp, intermediate or
    cache."""
    bucket = plan.joins.bucket(configuration, "bucket")
    rules = lifecycles.of_configuration(configuration)
    if not isinstance(bucket, Resource) or not relation.is_ml(plan, bucket) or rules is UNKNOWN:
        return
    for found in rules:
        named = isinstance(found.prefix, str) and _RECREATABLE.search(found.prefix)
        if found.enabled is False or not (named or found.tags.get("recreatable") == "true"):
            continue
        if found.expires is True or "ONEZONE_IA" in found.transitions:
            yield passed()
        elif found.expires is UNKNOWN or UNKNOWN in found.transitions:
            yield unknown("what becomes of the data is not known until apply", found.path)
        else:
            yield failed("data that can be made again is kept in several zones for ever", found.path)


@rule(
    id="SUS_BUCKET_VERSIONING",
    severity=Severity.INFO,
    title="A bucket that models or pipelines are read from is versioned",
    practices=("47",),
    fix="Add aws_s3_bucket_versioning, with noncurrent_version_expiration in the lifecycle.",
    types=(BUCKET,),
)
def inputs_are_versioned(plan: Plan, bucket: Resource) -> Verdicts:
    """Only of buckets that a model's artefact or a pipeline's definition is in: those must be there to roll back to."""
    if not _is_read_from(plan, bucket):
        return
    yield judge(
        lifecycles.versioned(plan, bucket), "versioning", lambda on: on, "an overwritten artefact cannot be had back"
    )


def _is_read_from(plan: Plan, bucket: Resource) -> bool:
    definitions = plan.joins.sources(bucket, PIPELINE, "pipeline_definition_s3_location.0.bucket")
    return bool(definitions.sure) or any(plan.joins.sources(bucket, MODEL, path).sure for path in _ARTEFACTS)


#: Where a model names its artefacts.
_ARTEFACTS = tuple(
    f"{container}.0.{path}"
    for container in ("primary_container", "container")
    for path in ("model_data_url", "model_data_source.0.s3_data_source.0.s3_uri")
)


@rule(
    id="SUS_MODELS_ARCHIVED",
    severity=Severity.INFO,
    title="Models that nobody loads any more reach an archive class or go",
    practices=("19",),
    fix='Add a transition to "GLACIER_IR", which still loads at once, for the prefix of the models.',
    types=(BUCKET,),
)
def models_are_archived(plan: Plan, bucket: Resource) -> Verdicts:
    """Of buckets with a lifecycle that a model of this plan is loaded from."""
    lifecycle = _lifecycle(plan, bucket)
    if lifecycle is None:
        return
    for key in _artefact_keys(plan, bucket):
        kept = _any(lifecycle, (_archives(r, key) for r in lifecycle.rules))
        yield judge(
            kept, "lifecycle", lambda there: there, f"old models beside {key or 'the served one'} stay for ever"
        )


def _archives(found: LifecycleRule, key: str) -> bool | Unknown:
    covers = found.covers(key)
    if covers is not True:
        return covers
    if found.expires is True or GLACIER & set(found.transitions):
        return True
    return UNKNOWN if found.expires is UNKNOWN or UNKNOWN in found.transitions else False


@rule(
    id="SUS_SERVED_MODEL_ARCHIVED",
    severity=Severity.WARN,
    title="A model that is served can be loaded at once",
    practices=("19",),
    fix='Move models to "GLACIER_IR" instead, or keep what is served under another prefix.',
    types=(BUCKET,),
)
def served_models_load(plan: Plan, bucket: Resource) -> Verdicts:
    """GLACIER and DEEP_ARCHIVE need a restore first: no endpoint can scale out or come back from there."""
    lifecycle = _lifecycle(plan, bucket)
    if lifecycle is None:
        return
    for key in _artefact_keys(plan, bucket):
        moved = _any(lifecycle, (_moves_away(r, key) for r in lifecycle.rules))
        yield judge(
            moved,
            "lifecycle",
            lambda away: not away,
            f"{key or 'the model'} moves to a class that no endpoint can load from",
        )


def _moves_away(found: LifecycleRule, key: str) -> bool | Unknown:
    if {"GLACIER", "DEEP_ARCHIVE"} & set(found.transitions):
        return found.covers(key)
    return UNKNOWN if UNKNOWN in found.transitions and found.covers(key) is not False else False


def _artefact_keys(plan: Plan, bucket: Resource) -> list[str]:
    """The keys in `bucket` that models of this plan are loaded from; empty texts where a key is not known."""
    addresses = [m.text(path) for path in _ARTEFACTS for m in plan.joins.sources(bucket, MODEL, path).sure]
    return list(dict.fromkeys(_key(address) if isinstance(address, str) else "" for address in addresses))


def _key(address: str) -> str:
    uri = S3Uri.read(address)
    return uri.key if uri else ""


@rule(
    id="SUS_SCRATCH_EXPIRES",
    severity=Severity.WARN,
    title="What training writes beside the model expires",
    practices=("45",),
    fix="Add a rule with an expiration for the prefix to the bucket's lifecycle configuration.",
    types=TRAINS,
)
def training_scratch_expires(plan: Plan, resource: Resource) -> Verdicts:
    """Checkpoints, debugger and profiler output: of buckets in this plan, as no plan shows the lifecycle of others."""

    @on_trainings
    def outputs(training: Request) -> Verdicts:
        for what, path in zip(_SCRATCH, ("checkpoint_config.s3_uri", *_REPORTS), strict=False):
            if training.get(path) is not None:
                yield from _expires_at(plan, resource, training, path, what)

    if resource.type == PIPELINE:
        pipeline = pipeline_of(plan, resource)
        if pipeline is not None and pipeline.steps is UNKNOWN:
            yield unknown(pipeline.unknown, "pipeline_definition")
            return
    yield from outputs(plan, resource)


_REPORTS = ("debug_hook_config.s3_output_path", "profiler_config.s3_output_path")


def _expires_at(plan: Plan, resource: Resource, training: Request, path: str, what: str) -> Iterator[Verdict]:
    where = training.where(path)
    address = training.text(path)
    if resource.type == PIPELINE:
        name = bucket_of(address) if isinstance(address, str) else None
        bucket = plan.joins.names(BUCKET).get(name or "", [None])[0]
    else:
        joined = plan.joins.bucket(resource, where)
        bucket = joined if isinstance(joined, Resource) else None
    yield from _expires_in(plan, bucket, address, where, what)


def _expires_in(
    plan: Plan, bucket: Resource | None, address: str | Unknown | None, where: str, what: str
) -> Iterator[Verdict]:
    """The verdict on what lies at `address` of `bucket`; None where the bucket is not in this plan."""
    if bucket is None:
        if address is UNKNOWN:
            yield unknown(f"the address of the {what} is not known until apply", where)
        return
    lifecycle = lifecycles.of_bucket(plan, bucket)
    key = f"{_key(address).rstrip('/')}/".lstrip("/") if isinstance(address, str) else ""
    kept = _any(lifecycle, (_expires_below(r, key) for r in lifecycle.rules))
    if kept is False and not isinstance(address, str) and lifecycle.enabled() is not False:
        kept = UNKNOWN  # somewhere in this bucket, of which not all expires
    yield judge(kept, where, lambda there: there, f"no lifecycle rule of {bucket.address} deletes the {what}")


def _expires_below(found: LifecycleRule, key: str) -> bool | Unknown:
    covers = found.covers(key)
    if covers is False or found.expires is False:
        return False
    return UNKNOWN if covers is UNKNOWN or found.expires is UNKNOWN else True


@rule(
    id="SUS_ENDPOINT_OUTPUT_EXPIRES",
    severity=Severity.WARN,
    title="What an endpoint writes to S3 expires",
    practices=("45", "54", "73"),
    fix="Add a rule with an expiration for the prefix to the bucket's lifecycle configuration.",
    types=(ENDPOINT_CONFIGURATION,),
)
def endpoint_output_expires(plan: Plan, configuration: Resource) -> Verdicts:
    """Captured traffic and the responses of asynchronous endpoints, in buckets of this plan."""
    places = (
        ("captured traffic", "data_capture_config.0.destination_s3_uri"),
        ("responses", "async_inference_config.0.output_config.0.s3_output_path"),
        ("failures", "async_inference_config.0.output_config.0.s3_failure_path"),
    )
    for what, path in places:
        address = _text(configuration, path)
        if address is None:
            continue
        joined = plan.joins.bucket(configuration, path)
        bucket = joined if isinstance(joined, Resource) else None
        yield from _expires_in(plan, bucket, address, path, what)


def _text(readers: Readers, path: str) -> str | Unknown | None:
    return readers.text(path)
