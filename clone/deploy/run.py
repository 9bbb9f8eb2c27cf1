"""Steps of a deployment. Each checks the current state, so that the same command continues after an error."""

import json
import os
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import unified_diff
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from rich.console import Group
from rich.text import Text

from clone import synth
from clone.deploy import entry, load, unmanaged_endpoints
from clone.deploy.choice import MODULES, Choice, check_images, describe_option
from sustainable_mlops import aws
from sustainable_mlops.account import applied_environment, transition
from sustainable_mlops.advice import ServingOption, ServingRequirements
from sustainable_mlops.advice.recommendation import model_under_test
from sustainable_mlops.aws import AccountClients, Clients
from sustainable_mlops.aws.parameters import get_platform_parameter
from sustainable_mlops.base.documents import read_mapping
from sustainable_mlops.base.errors import UserError, did_you_mean
from sustainable_mlops.base.files import write_file
from sustainable_mlops.base.steps import Steps
from sustainable_mlops.base.terraform import ROOT, Progress, list_changes
from sustainable_mlops.catalogue.quotas import find_serverless_concurrency
from sustainable_mlops.footprint import format_number
from sustainable_mlops.jobs.display import align_rows
from sustainable_mlops.jobs.platform import read_platform

if TYPE_CHECKING:
    from sustainable_mlops.footprint.usage import ResourceUsage
    from sustainable_mlops.review import Review
    from sustainable_mlops.review.acceptances import Acceptance
    from sustainable_mlops.review.budgets import Budget

APPROVED = "Approved"
#: Folder of the plan and its review.
OUT = ROOT / "out" / "deploy"
#: Folder of the models' entries in the catalogue.
MODELS = ROOT / "envs" / "catalogue" / "models"


@dataclass(frozen=True)
class DeploymentTarget:
    """Model in an environment."""

    model: str
    environment: str

    def __post_init__(self) -> None:
        """Raise UserError if the model or the environment does not exist."""
        _, environments = synth.list_names()
        if self.environment not in environments:
            hint = did_you_mean(self.environment, environments)
            raise UserError(f"--environment: there is no environment {self.environment}{hint}")
        models = [path.stem for path in MODELS.glob("*.yaml")]
        if self.model not in models:
            raise UserError(
                f"{self.model}: there is no such model{did_you_mean(self.model, models)} (or declare it in "
                f"{self.entry.relative_to(ROOT)})"
            )

    @property
    def folder(self) -> Path:
        """Folder of the environment's root module."""
        return ROOT / "envs" / self.environment

    @property
    def entry(self) -> Path:
        """File of the model in the catalogue."""
        return MODELS / f"{self.model}.yaml"

    def load_settings(self) -> Any:
        """Return the settings of the environment."""
        return _load_settings(self.folder)

    def find_quota_note(self) -> str | None:
        """Return a note if serverless endpoints need a higher quota than the default of a new account."""
        served = [getattr(model, "serverless_endpoint", None) for model in self.load_settings().models.values()]
        total, quota = sum(one.max_concurrency for one in served if one is not None), find_serverless_concurrency()
        if quota.default is None or total <= quota.default:
            return None
        return (
            f"envs/{self.environment}: its serverless endpoints need a concurrency of {total}, and a new account has "
            f"{quota.default} in a Region: request an increase of the SageMaker quota {quota.code} ({quota.name})"
        )

    def read_own_endpoint(self) -> tuple[str | None, dict[str, Any]]:
        """Return the kind of endpoint that a person declares for this environment, and the values of that person."""
        module, values = entry.find_own_endpoint(self.entry.read_text(encoding="utf-8"))
        own = next((name for name in MODULES.values() if self.read_overrides(name)), module)
        return own, {**values, **(self.read_overrides(own) if own is not None else {})}

    def read_overrides(self, module: str) -> dict[str, Any]:
        """Return the inputs of the model's endpoint in the environment's settings, which override the catalogue."""
        return dict(self._read_own_settings().get(module) or {})

    def locate_latency_slo(self) -> str:
        """Return the file and the field with the model's latency SLO in this environment."""
        if "latency_slo" in self._read_own_settings():
            return f"envs/{self.environment}/settings.yaml: models.{self.model}.latency_slo"
        return f"{self.entry.relative_to(ROOT)}: latency_slo"

    def _read_own_settings(self) -> dict[str, Any]:
        """Return the settings of the model in the environment, without the catalogue."""
        settings = read_mapping(self.folder / "settings.yaml")
        models = settings.get("models") or {}
        return dict(models.get(self.model) or {})

    def check_settings(self, module: str) -> None:
        """Raise UserError if an environment would have another kind of endpoint, or a second one."""
        for name in synth.list_names()[1]:
            model = _load_settings(ROOT / "envs" / name).models.get(self.model)
            where, here = f"envs/{name}/settings.yaml: models.{self.model}", name == self.environment
            kinds = [kind for kind in MODULES.values() if getattr(model, kind, None) is not None]
            if here and module not in kinds:
                raise UserError(f"{where}: removes {module}, which the catalogue would declare; delete that line first")
            if len(kinds) > 1:
                own = " and ".join(kind for kind in kinds if kind != module)
                raise UserError(
                    f"{where}: declares {own}, and the catalogue would add {module}; delete that declaration first"
                )


@dataclass(frozen=True)
class ServingPlan:
    """Planned changes of the files, and the load of the endpoint."""

    target: DeploymentTarget
    package: str
    choice: Choice
    edit: entry.EditedEntry
    #: Inputs of the endpoint from the catalogue, overridden by the environment's settings.
    inputs: Mapping[str, Any]
    requirements: ServingRequirements
    #: Estimate of the endpoint with these inputs and this load; None for an unknown instance type.
    option: ServingOption | None

    @property
    def address(self) -> str:
        """Address of the endpoint in the plan."""
        return load.make_address(self.choice.module, self.target.model)

    @property
    def description(self) -> str:
        """The endpoint with its figures, for people."""
        figures = f": {describe_option(self.option)}" if self.option is not None else ""
        return f"{self.choice.module} of {self.target.model}{figures} ({self.choice.reason})"

    @property
    def kept_values(self) -> list[str]:
        """The values of a person that differ from the advice, one line for each file."""
        overrides = self.target.read_overrides(self.choice.module)
        owners = ((self.target.entry, self.edit.kept_values), (self.target.folder / "settings.yaml", overrides))
        return [
            f"{path.relative_to(ROOT)} keeps {', '.join(texts)}"
            for path, values in owners
            if (texts := list(self._list_differences(values)))
        ]

    def _list_differences(self, values: Mapping[str, Any]) -> Iterator[str]:
        for name, value in values.items():
            if name in self.choice.inputs and value != self.choice.inputs[name]:
                yield f"{name}: {value} (advised: {self.choice.inputs[name]})"

    def write_usage(self) -> "ResourceUsage | None":
        """Write the usage file of the load, and return it for the review."""
        from sustainable_mlops.footprint.usage import read_usage

        if self.option is None:
            return None
        path = OUT / f"{self.target.environment}.usage.yaml"
        usage = load.build_usage(self.address, self.option, self.requirements)
        write_file(path, yaml.safe_dump(usage, sort_keys=False))
        return read_usage(path)


def plan_serving(
    target: DeploymentTarget,
    subject: model_under_test.ModelUnderTest,
    choice: Choice,
    requirements: ServingRequirements,
) -> ServingPlan:
    """Return the planned changes of the files, without writing them. Raises UserError."""
    edit = entry.read_edit(target.entry, choice)
    inputs = {**edit.inputs, **target.read_overrides(choice.module)}
    check_images(subject, replace(choice, inputs=inputs))
    load.check_memory(choice.module, inputs, requirements)
    option = load.estimate_endpoint(choice.module, inputs, requirements)
    return ServingPlan(target, subject.name, choice, edit, inputs, requirements, option)


def format_dry_run(serving: ServingPlan) -> Group:
    """Format the endpoint and the changes of the files, for a dry run."""
    target = serving.target
    packages = target.folder / synth.PACKAGES
    new_packages = entry.edit_packages(target.folder, target.model, serving.package)
    edits = {target.entry: serving.edit.text, **({packages: new_packages} if new_packages is not None else {})}
    rows = [("endpoint", serving.description), *(("kept", text) for text in serving.kept_values)]
    rows.append(
        ("load", f"{serving.requirements.requests_per_day:,g} requests a day of {serving.requirements.duration_s:g} s")
    )
    rows.append(("checked", "the files only; --no-apply also plans and reviews"))
    return Group(align_rows(rows), *(Text("\n".join(_compare_texts(path, text))) for path, text in edits.items()))


def _compare_texts(path: Path, text: str) -> Iterator[str]:
    """Yield the lines of a diff between a file and its new text."""
    before = path.read_text(encoding="utf-8") if path.is_file() else ""
    name = str(path.relative_to(ROOT))
    return unified_diff(before.splitlines(), text.splitlines(), name, name, lineterm="")


def _load_settings(folder: Path) -> Any:
    from envs.settings import load

    return load(folder)


def _describe_others(file_changes: Sequence[synth.FileChange], environment: str) -> str:
    """Describe the other environments whose files changed with the catalogue."""
    others = {change.path.parent.name for change in file_changes if change.path.parent.parent == ROOT / "envs"}
    return f", also in {' and '.join(sorted(others - {environment}))}" if others - {environment} else ""


def find_package(target: DeploymentTarget, account: AccountClients, arn: str | None) -> model_under_test.ModelUnderTest:
    """Return the package with this ARN, or the newest approved one. Raises UserError if none exists."""
    clients = account.connect()
    if arn is not None:
        if ":model-package/" not in arn:
            raise UserError(
                f"--package: {arn} is not the ARN of a model package; pass an ARN such as "
                "arn:aws:sagemaker:REGION:ACCOUNT:model-package/GROUP/1"
            )
        try:
            model_package = model_under_test.read_model(arn, clients)
        except aws.AwsError:
            raise
        except UserError as error:
            package_group = arn.rpartition(":model-package/")[2].partition("/")[0]
            command = f"aws sagemaker list-model-packages --model-package-group-name {package_group}"
            raise UserError(
                f"--package: {str(error).rstrip('.')}; choose a version that exists: {command} "
                f"--region {clients.sagemaker.meta.region_name}"
            ) from None
        with aws.translate_aws_errors(f"model package {arn}"):
            description = clients.sagemaker.describe_model_package(ModelPackageName=arn)
        # A package outside a group has no status.
        if (status := description.get("ModelApprovalStatus", "without an approval status")) != APPROVED:
            raise UserError(
                f"--package: {arn} is {status}, and only an approved package can be deployed; approve it (aws "
                f"sagemaker update-model-package --model-package-arn {arn} --model-approval-status Approved "
                f"--region {clients.sagemaker.meta.region_name}), or pass another package"
            )
        return model_package
    parameter = get_platform_parameter(target.environment)
    with aws.translate_aws_errors(parameter):
        platform = read_platform(parameter, account.client("ssm"))
    group = platform.model_package_groups.get(target.model)
    if group is None:
        raise UserError(f"{parameter}: has no package group of {target.model}; apply the environment first")
    with aws.translate_aws_errors(f"model package group {group}"):
        # A page of a filtered list may be empty although others follow.
        pages = clients.sagemaker.get_paginator("list_model_packages").paginate(
            ModelPackageGroupName=group, ModelApprovalStatus=APPROVED, SortBy="CreationTime", SortOrder="Descending"
        )
        newest = next((one["ModelPackageArn"] for page in pages for one in page["ModelPackageSummaryList"]), None)
    if newest is None:
        raise UserError(
            f"{group}: has no approved package; approve one with smlops register --approve, or pass --package"
        )
    return model_under_test.read_model(newest, clients)


class Deployment:
    """Steps of one deployment, and the values that later steps need."""

    def __init__(self, serving: ServingPlan, steps: Steps) -> None:
        self._serving = serving
        self._target = target = serving.target
        self._step = steps.step
        self._terraform = applied_environment.make_terraform(target.folder)
        self._plan = OUT / f"{target.environment}.{os.getpid()}.tfplan"  # another process has its own
        self._document: dict[str, Any] = {}

    def close(self) -> None:
        """Delete the plan file, because it contains the values of the resources."""
        self._plan.unlink(missing_ok=True)

    def write(self) -> None:
        """Write the settings, the package and the HCL: all of them, or none."""
        target, serving = self._target, self._serving
        with entry.restore_on_error(target.entry, target.folder / synth.PACKAGES):
            with self._step("Write the settings") as this:
                has_new_entry = entry.write_entry(target.entry, serving.edit)
                has_new_package = entry.write_package(target.folder, target.model, serving.package)
                unchanged = "" if has_new_entry or has_new_package else "no change: "
                this.result = "; ".join([f"{unchanged}{serving.description}", *serving.kept_values])
                target.check_settings(serving.choice.module)
            with self._step("Write the HCL") as this:
                file_changes = synth.synthesize((), this.show)
                with entry.restore_on_error(*(change.path for change in file_changes)):
                    synth.write(file_changes)
                    synth.save_digests()
                this.result = f"{len(file_changes)} files written{_describe_others(file_changes, target.environment)}"

    def wait_until_settled(self, clients: Clients) -> None:
        """Block until no endpoint of the model is in transition, such as after an interruption."""
        outputs, model = self._terraform.read_outputs(), self._target.model
        names = filter(None, (outputs.get(f"{module}s", {}).get(model) for module in MODULES.values()))
        for name in names:
            if transition.is_in_transition(clients.sagemaker, name):
                with self._step("Wait for the endpoint") as this:
                    this.result = f"{name} is {transition.wait_until_settled(clients.sagemaker, name)}"

    def plan(
        self, accepted: "Sequence[Acceptance]" = (), budgets: "Sequence[Budget]" = ()
    ) -> "tuple[Review, dict[str, list[str]]]":
        """Return the review of the plan under its load, with these risks accepted, and the changed resources."""
        from sustainable_mlops import plan as plans
        from sustainable_mlops.review import review
        from sustainable_mlops.review.formats import render

        OUT.mkdir(parents=True, exist_ok=True)
        with self._step("Plan") as this:
            self._terraform.run("get")  # another kind of endpoint needs another module
            document = self._document = self._terraform.plan(self._plan)
            changed_resources = list_changes(document)
            this.result = f"{len(changed_resources)} changes"
        with self._step("Review the plan") as this:
            plan = plans.load(json.dumps(document).encode(), self._target.environment)
            usage = self._serving.write_usage()
            result = review(plan, usage=usage, accepted=accepted, budgets=budgets)
            page = OUT / f"{self._target.environment}.md"
            write_file(page, render([result], "markdown"))
            figures = self._describe_figures(result)
            this.result = "; ".join(filter(None, [str(result.verdict), figures, str(page.relative_to(ROOT))]))
        return result, changed_resources

    def _describe_figures(self, review: "Review") -> str:
        """Return the carbon and the cost of the endpoint after the plan, as the review computes them."""
        resources = [one for one in review.footprint.resources if one.address == self._serving.address]
        figures = [figure for one in resources for name in ("total", "cost") if (figure := one.after.get(name))]
        texts = [f"{format_number(figure.central)} {figure.unit}" for figure in figures]
        return f"the endpoint: {' and '.join(texts)} a month" if texts else ""

    def find_failed_endpoints(self, clients: Clients) -> list[unmanaged_endpoints.UnmanagedEndpoint]:
        """Return the failed endpoints outside the state that the plan would create again.

        Raises UserError if such an endpoint is not Failed.
        """
        failed = unmanaged_endpoints.find_unmanaged_endpoints(self._document, clients.sagemaker)
        unmanaged_endpoints.check_unmanaged_endpoints(failed, self._terraform.command)
        return failed

    def delete_failed_endpoints(
        self, failed: Sequence[unmanaged_endpoints.UnmanagedEndpoint], clients: Clients
    ) -> None:
        """Delete these failed endpoints, so that the plan can create them."""
        names = ", ".join(endpoint.name for endpoint in failed)
        with self._step("Delete the failed endpoint") as this:
            unmanaged_endpoints.delete_failed_endpoints(failed, clients.sagemaker)
            this.result = f"{names}: the first creation failed, and the state does not have it"

    def apply(self, changed_resources: Mapping[str, Sequence[str]]) -> None:
        """Apply the reviewed plan."""
        total = sum(map(len, changed_resources.values()))  # a replacement is a deletion and a creation
        with self._step("Apply the plan") as this:

            def progress(at: Progress) -> None:
                this.show(f"{at.changes_done} of {total} done, {at.address}")

            self._terraform.apply(str(self._plan.resolve()), progress=progress)
            this.result = f"{len(changed_resources)} changes"

    def list_untaint_commands(self) -> list[str]:
        """Return the commands that keep partly created resources, which the next apply would replace."""
        addresses = self._terraform.read_state().tainted
        return [f"{self._terraform.command} untaint {shlex.quote(address)}" for address in addresses]

    def find_endpoint(self, clients: Clients) -> str:
        """Return the name of the endpoint. Raises UserError if it is not in service."""
        choice = self._serving.choice
        with self._step("Check the endpoint") as this:
            name = self._terraform.read_outputs().get(f"{choice.module}s", {}).get(self._target.model)
            if name is None:
                raise UserError(
                    f"envs/{self._target.environment}: the outputs contain no {choice.module} of {self._target.model}; "
                    "apply the environment, and deploy again"
                )
            with aws.translate_aws_errors(f"endpoint {name}"):
                status = clients.sagemaker.describe_endpoint(EndpointName=name)["EndpointStatus"]
            if status != "InService":
                raise UserError(
                    f"endpoint {name}: is {status}; read FailureReason of aws sagemaker describe-endpoint "
                    f"--endpoint-name {name} --region {clients.sagemaker.meta.region_name}, and deploy again"
                )
            this.result = f"{name} is {status}"
        return str(name)
