"""The gate of a promotion: conditions that a model package must meet before an environment pins it."""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from clone.promotion.images import compare_images
from clone.promotion.package import PackageAddress, RegisteredPackage, read_package
from envs.promotion_target import PromotionTarget
from sustainable_mlops import aws
from sustainable_mlops.aws import Client, Clients
from sustainable_mlops.aws.s3 import S3Uri
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.jobs.register import APPROVED

#: Words in the names of metrics that indicate the goal. A pipeline's gate takes priority.
_MINIMIZED = frozenset(
    ("loss", "logloss", "error", "rmse", "rmsle", "mse", "mae", "mape", "perplexity", "merror", "brier")
)
_MAXIMIZED = frozenset(
    ("auc", "aucpr", "accuracy", "acc", "f1", "r2", "precision", "recall", "ndcg", "spearman", "pearson")
)
#: Start of the names of metrics on the training data, which do not measure new data.
_TRAINING_SPLIT = "train"
_DIGEST_CHARACTERS = 12
_REGISTER = "register the model again with smlops register"
_RECORD_DATA = "use smlops register, or run the pipeline with --data, so that the key of the data contains the digest"


@dataclass(frozen=True)
class GateCondition:
    """One condition of the gate, with its result."""

    name: str
    is_met: bool
    text: str


@dataclass(frozen=True)
class PromotionRequest:
    """A package for an environment, and the decisions of the person who promotes it."""

    target: PromotionTarget
    address: PackageAddress
    pinned: PackageAddress | None
    #: Metrics that may be worse than the metrics of the pinned package.
    accepted_metrics: Collection[str] = ()
    #: True if the package may be older than the pinned one.
    is_rollback: bool = False


def evaluate_gate(request: PromotionRequest, clients: Clients) -> list[GateCondition]:
    """Return all conditions. If the address or the read fails, return the conditions up to that failure."""
    conditions = list(_check_address(request))
    if not all(one.is_met for one in conditions):
        return conditions
    try:
        package = read_package(request.address, clients.sagemaker)
    except UserError as error:
        return [*conditions, GateCondition("package", False, str(error))]
    pinned, missing = None, None
    if request.pinned is not None:
        try:
            pinned = read_package(request.pinned, clients.sagemaker)
        except UserError as error:
            missing = str(error)
    state = package.fields.get("ModelPackageStatus", "Completed")
    return [
        *conditions,
        GateCondition("package", state == "Completed", f"exists, and its registration is {state}"),
        _check_approval(package),
        _check_metrics(request, package, pinned, missing),
        _check_carbon(request.target, package),
        _check_model(package, clients.s3),
        _check_digests(request, package),
        _check_images(request.target, package),
        *([] if request.is_rollback else [_check_age(request, package, pinned)]),
    ]


def _check_address(request: PromotionRequest) -> Iterator[GateCondition]:
    """Yield the conditions on the environment and on the ARN, which need no request to AWS."""
    target, address = request.target, request.address
    where = f"envs/{target.environment}"
    if target.endpoints:
        yield GateCondition("endpoint", True, f"{where} declares {' and '.join(one.kind for one in target.endpoints)}")
    else:
        yield GateCondition("endpoint", False, f"{where} declares no endpoint of {target.model}; add one to the model")
    is_here = address.region == target.region
    yield GateCondition(
        "region",
        is_here,
        address.region
        if is_here
        else f"the package is in {address.region} and {where} in {target.region}, and SageMaker deploys packages "
        f"only in their Region; train or register the model in {target.region}",
    )
    group = target.groups.get(address.account)
    if group is None:
        yield GateCondition(
            "registry",
            False,
            f"promotion.registries of {where} does not contain account {address.account}; add it, or choose a package "
            "of a listed account",
        )
    elif group != address.group:
        yield GateCondition(
            "registry",
            False,
            f"{address.group} is not the package group of {target.model} in account {address.account}; that is {group}",
        )
    else:
        yield GateCondition("registry", True, f"{group} in account {address.account}")


def _check_approval(package: RegisteredPackage) -> GateCondition:
    if package.status == APPROVED:
        return GateCondition("approval", True, package.approval)
    return GateCondition(
        "approval",
        False,
        f"the package is {package.status}; approve it: aws sagemaker update-model-package --model-package-arn "
        f"{package.address.arn} --model-approval-status Approved --region {package.address.region}",
    )


def _check_metrics(
    request: PromotionRequest, package: RegisteredPackage, pinned: RegisteredPackage | None, missing: str | None
) -> GateCondition:
    if not package.metrics:
        return GateCondition("metrics", False, "the package has no metric; train with metrics in the job file")
    gate = request.target.gate
    names = _choose_metrics(package, pinned, gate.metric if gate else None)
    texts, refused = [], []
    for name in names:
        goal = gate.goal if gate is not None and gate.metric == name else _guess_goal(name)
        value, before = package.find_metric(name), pinned.find_metric(name) if pinned else None
        text = f"{name} {'is missing' if value is None else f'{value:g}'}"
        if request.pinned is not None:
            text += f" (pinned: {'unknown' if before is None else f'{before:g}'}, {goal or 'goal unknown'})"
        is_as_good = request.pinned is None or _is_as_good(value, before, goal)
        if not is_as_good and name in request.accepted_metrics:
            text += ", accepted"
        elif not is_as_good:
            refused.append(name)
        texts.append(text)
    if missing is not None:
        texts.append(f"the pinned package cannot be read: {missing}")
    if refused:
        options = " ".join(f"--accept-metric {name}" for name in refused)
        return GateCondition("metrics", False, f"{', '.join(texts)}; to accept: {options}")
    return GateCondition("metrics", True, ", ".join(texts))


def _is_as_good(value: float | None, before: float | None, goal: str | None) -> bool:
    """Return whether both values are known and equal, or the goal is known too and the new value is no worse."""
    if value is None or before is None:
        return False
    if goal is None:
        return value == before
    return value >= before if goal == "maximize" else value <= before


def _choose_metrics(package: RegisteredPackage, pinned: RegisteredPackage | None, preferred: str | None) -> list[str]:
    """Return the metrics to compare: the metric of the pipeline's gate, else all that the pinned package has.

    Metrics of the training data are left out if there are others.
    """
    if preferred and any(one is not None and one.find_metric(preferred) is not None for one in (package, pinned)):
        return [preferred]
    names = sorted(pinned.metrics if pinned is not None and pinned.metrics else package.metrics)
    return [name for name in names if not name.startswith(_TRAINING_SPLIT)] or names


def _guess_goal(metric: str) -> str | None:
    """Return the goal that the words of a metric's name indicate; None if there is none."""
    words = set(re.split(r"[^a-z0-9]+", metric.lower()))
    return "minimize" if words & _MINIMIZED else "maximize" if words & _MAXIMIZED else None


def _check_carbon(target: PromotionTarget, package: RegisteredPackage) -> GateCondition:
    carbon, limit = package.training_kg_co2e, target.max_training_kg_co2e
    text = "not recorded" if carbon is None else f"{carbon:.3g} kgCO2e of training"
    if limit is None:
        return GateCondition("carbon", True, f"{text}; no limit in the settings")
    is_within = carbon is not None and carbon <= limit
    text += f"; the limit (promotion.max_training_kg_co2e) is {limit:g} kg"
    if not is_within:
        text += "; choose another package, or raise the limit"
    return GateCondition("carbon", is_within, text)


def _check_model(package: RegisteredPackage, s3: Client) -> GateCondition:
    """Compare the model in S3 with the registration.

    Without a recorded ETag, no object of the model may be newer than the package.
    """
    models = package.models
    problems, texts = [], []
    if not models:
        problems.append("the package has no model in S3 that could be compared with the registration")
    if len(models) > 1:
        problems.append(f"the package has several models: {', '.join(models)}; register a package with one model")
    for address, etags in models.items():
        location = S3Uri.parse_url(address)
        if location is None:
            problems.append(f"{address} is not the address of an object in S3; {_REGISTER}")
            continue
        try:
            with aws.translate_aws_errors(address):
                head = _read_head(location, s3)
        except UserError as error:
            problems.append(f"the model cannot be read: {error}")
            continue
        is_by_etag = etags and head is not None and "ETag" in head
        if head is None:
            problems.append(f"the model {address} {aws.ABSENT_OBJECT}; {_REGISTER}")
        elif is_by_etag and {etag.strip('"') for etag in etags} - {head["ETag"].strip('"')}:
            problems.append(
                f"{address} is not the registered model: its ETag differs from the recorded one; {_REGISTER}"
            )
        elif not is_by_etag and head["LastModified"] > package.created_at:
            problems.append(f"{address} is not the registered model: it was written later; {_REGISTER}")
        else:
            texts.append(
                f"model unchanged since its registration{'' if is_by_etag else ' (by its date; no ETag recorded)'}"
            )
    return GateCondition("model", not problems, "; ".join(problems or texts))


def _check_digests(request: PromotionRequest, package: RegisteredPackage) -> GateCondition:
    recorded = {**({"source": package.source_digest} if package.source_digest else {}), **package.data_digests}
    text = ", ".join(f"{name} {digest[:_DIGEST_CHARACTERS]}" for name, digest in recorded.items())
    missing = [
        name for name, digest in (("source", package.source_digest), ("data", package.data_digests)) if not digest
    ]
    if not missing:
        return GateCondition("digests", True, text)
    text = "; ".join([*([text] if text else []), f"no digest of {' and '.join(missing)} recorded"])
    if not request.target.require_digests:
        return GateCondition("digests", True, f"{text}; promotion.require_digests is false")
    if request.is_rollback:
        return GateCondition("digests", True, f"{text}; a rollback does not need them")
    remedy = _REGISTER if package.data_digests else _RECORD_DATA
    return GateCondition("digests", False, f"{text}; promotion.require_digests needs them: {remedy}")


def _check_images(target: PromotionTarget, package: RegisteredPackage) -> GateCondition:
    problems, texts = compare_images(target, package)
    return GateCondition("image", not problems, "; ".join(problems or texts))


def _read_head(location: S3Uri, s3: Client) -> dict[str, Any] | None:
    """Return the ETag and the last change of a model. A prefix of several objects has no ETag. None if it is absent."""
    if not location.key.endswith("/"):
        return aws.read_object_head(s3, str(location))
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=location.bucket, Prefix=location.key)
    times = [one["LastModified"] for page in pages for one in page.get("Contents", []) if not one["Key"].endswith("/")]
    return {"LastModified": max(times)} if times else None


def _check_age(
    request: PromotionRequest, package: RegisteredPackage, pinned: RegisteredPackage | None
) -> GateCondition:
    if request.pinned is None:
        return GateCondition("age", True, "the first package of the model in this environment")
    is_same_group = (request.pinned.account, request.pinned.group) == (package.address.account, package.address.group)
    if is_same_group:
        is_older = package.address.version < request.pinned.version
    elif pinned is not None:
        is_older = package.created_at < pinned.created_at
    else:
        return GateCondition("age", True, f"unknown, because {request.pinned.label} cannot be read")
    if is_older:
        return GateCondition(
            "age",
            False,
            f"the package is older than the pinned {request.pinned.label}; use smlops rollback {request.target.model} "
            f"--environment {request.target.environment} --package {package.address.arn}",
        )
    return GateCondition("age", True, f"registered {package.created_at:%Y-%m-%d}, not before {request.pinned.label}")
