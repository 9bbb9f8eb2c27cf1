"""Promotion and rollback of a package: the gate, then one change of the environment's packages file."""

import shlex
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from clone import synth
from clone.deploy.entry import read_packages, write_package
from clone.promotion.gate import GateCondition, PromotionRequest, evaluate_gate
from clone.promotion.history import find_previous_package
from clone.promotion.package import PackageAddress
from envs.promotion_target import PromotionTarget
from sustainable_mlops import aws
from sustainable_mlops.aws import AccountClients, Client
from sustainable_mlops.base.errors import UserError, did_you_mean
from sustainable_mlops.base.terraform import ROOT
from sustainable_mlops.jobs.register import APPROVED


@dataclass(frozen=True)
class Promotion:
    """A package that an environment is about to pin, with the result of the gate."""

    request: PromotionRequest
    conditions: tuple[GateCondition, ...]

    @property
    def refusal(self) -> str | None:
        """Reason why the gate refuses the package, in one line; None if it accepts it."""
        unmet = [one for one in self.conditions if not one.is_met]
        if not unmet:
            return None
        others = f" (also not met: {', '.join(one.name for one in unmet[1:])})" if unmet[1:] else ""
        target = self.request.target
        return (
            f"envs/{target.environment} does not accept {self.request.address.arn}: {unmet[0].name}: {unmet[0].text}"
            f"{others}; nothing was written"
        )

    @property
    def is_pinned(self) -> bool:
        """True if the environment has the package already."""
        return self.request.pinned == self.request.address

    @property
    def file(self) -> Path:
        """The packages file."""
        return self.request.target.folder / synth.PACKAGES

    def write(self) -> bool:
        """Pin the package; return True if the file changed. Raises UserError if the gate refuses it."""
        if self.refusal is not None:
            raise UserError(self.refusal)
        return write_package(self.request.target.folder, self.request.target.model, self.request.address.arn)

    def list_commands(self) -> list[str]:
        """Return the commands that come next: plan, review, pull request."""
        target = self.request.target
        verb, start = ("Roll back", "rollback") if self.request.is_rollback else ("Promote", "promote")
        folder, plan = f"envs/{target.environment}", "plan.json"
        addresses = target.list_addresses(is_first=self.request.pinned is None)
        only = " ".join(f"--only {shlex.quote(address)}" for address in addresses)
        file, label = f"{folder}/{synth.PACKAGES}", self.request.address.label
        branch = f"{start}-{target.environment}-{label.replace('/', '-')}"
        return [
            f"terraform -chdir={folder} plan -out plan.tfplan",
            f"terraform -chdir={folder} show -json plan.tfplan > {plan}",
            f"smlops review {plan} {only}",
            f"git switch -c {branch} && git commit -m {shlex.quote(f'{verb} {label} in {target.environment}')} {file}",
            f"git push -u origin {branch}    # then open a pull request",
        ]


def read_target(model: str, environment: str, option: str) -> PromotionTarget:
    """Return a model in an environment. Raises UserError if either does not exist; `option` names the environment."""
    folders = list_environments()
    if environment not in folders:
        raise UserError(f"{option}: there is no environment {environment}{did_you_mean(environment, folders)}")
    targets = read_targets(folders[environment])
    if model not in targets:
        raise UserError(f"{model}: envs/{environment} has no such model{did_you_mean(model, targets)}")
    return targets[model]


def list_environments() -> dict[str, Path]:
    """Return the folders of all environments by name."""
    return {name: ROOT / "envs" / name for name in synth.list_names()[1]}


def read_targets(folder: Path) -> dict[str, PromotionTarget]:
    """Return the models of an environment. Raises UserError for invalid settings."""
    from envs import promotion

    return promotion.read_targets(folder)


def read_pinned(target: PromotionTarget) -> PackageAddress | None:
    """Return the package that an environment pins for its model; None without one. Raises UserError."""
    arn = read_packages(target.folder).get("model_packages", {}).get(target.model)
    return PackageAddress.parse(arn, f"{target.folder / synth.PACKAGES}: {target.model}") if arn is not None else None


def prepare_promotion(
    target: PromotionTarget, source: PromotionTarget | None, arn: str | None, accepted_metrics: Collection[str]
) -> Promotion:
    """Check a package for an environment.

    The package is the one of the ARN, else the pinned one of `source`, else the newest approved one of its own group.
    Raises UserError if there is no such package.
    """
    account, pinned = target.make_account(), read_pinned(target)
    if arn is not None:
        address = PackageAddress.parse(arn, "--package")
    elif source is not None:
        source_package = read_pinned(source)
        if source_package is None:
            raise UserError(
                f"--from: envs/{source.environment}/{synth.PACKAGES} pins no package of {source.model}; deploy the "
                "model there first, or pass --package ARN"
            )
        address = source_package
    else:
        account.check()
        address = _find_newest(target, account)
    return _evaluate_request(PromotionRequest(target, address, pinned, accepted_metrics), account)


def prepare_rollback(target: PromotionTarget, arn: str | None, accepted_metrics: Collection[str]) -> Promotion:
    """Check the previous package of the environment, or the package of the ARN. Raises UserError if there is none."""
    address = PackageAddress.parse(arn or find_previous_package(target.folder, target.model), "--package")
    request = PromotionRequest(target, address, read_pinned(target), accepted_metrics, is_rollback=True)
    return _evaluate_request(request, target.make_account())


def _evaluate_request(request: PromotionRequest, account: AccountClients) -> Promotion:
    """Evaluate the gate. Raises UserError if the credentials are of another account than the environment."""
    account.check()
    return Promotion(request, tuple(evaluate_gate(request, account.connect())))


def _find_newest(target: PromotionTarget, account: AccountClients) -> PackageAddress:
    own = replace(target, groups={target.account_id: target.groups[target.account_id]})
    approved = list_approved(own, account.client("sagemaker"))
    if not approved:
        raise UserError(
            f"{target.groups[target.account_id]}: has no approved package; approve one, or pass --from ENVIRONMENT or "
            "--package ARN"
        )
    return approved[0].address


@dataclass(frozen=True)
class ApprovedPackage:
    """An approved package, and the time of its registration."""

    address: PackageAddress
    created_at: datetime


def list_approved(target: PromotionTarget, sagemaker: Client) -> list[ApprovedPackage]:
    """Return the approved packages of all registries of an environment, the newest first. Raises UserError.

    The ARN names the account of each group. A name would mean a group in the account of the credentials.
    """
    summaries = []
    for account, name in target.groups.items():
        group = f"arn:{target.partition}:sagemaker:{target.region}:{account}:model-package-group/{name}"
        with aws.translate_aws_errors(f"model package group {group}"):
            pages = sagemaker.get_paginator("list_model_packages").paginate(
                ModelPackageGroupName=group, ModelApprovalStatus=APPROVED
            )
            summaries += [one for page in pages for one in page["ModelPackageSummaryList"]]
    packages = [
        ApprovedPackage(PackageAddress.parse(one["ModelPackageArn"], "package"), one["CreationTime"])
        for one in summaries
    ]
    return sorted(packages, key=lambda one: (one.created_at, one.address.version), reverse=True)
