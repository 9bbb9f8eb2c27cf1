"""The steps. Each looks at what is there, so that the same command goes on wherever one ended."""

import importlib
import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sustainable_mlops import aws, synth
from sustainable_mlops.aws import AccountClients, Clients
from sustainable_mlops.catalogue.quotas import find_serverless_concurrency
from sustainable_mlops.errors import UserError, did_you_mean
from sustainable_mlops.files import write_file
from sustainable_mlops.jobs.platform import read_platform
from sustainable_mlops.operations import teardown
from sustainable_mlops.operations.deploy import entry, leftovers, transition
from sustainable_mlops.operations.deploy.choice import MODULES, Choice
from sustainable_mlops.recommendation import served_model
from sustainable_mlops.steps import Steps
from sustainable_mlops.terraform import ROOT, list_changes

if TYPE_CHECKING:
    from sustainable_mlops.review import Review
    from sustainable_mlops.review.acceptances import Acceptance

APPROVED = "Approved"
#: Where the plan and its review are left.
OUT = ROOT / "out" / "deploy"
#: What the catalogue says of each model.
MODELS = ROOT / "envs" / "catalogue" / "models"


@dataclass(frozen=True)
class Target:
    """A model of an environment."""

    model: str
    environment: str

    def __post_init__(self) -> None:
        """Raises UserError where there is no such model or environment."""
        _, environments = synth.list_names()
        if self.environment not in environments:
            hint = did_you_mean(self.environment, environments)
            raise UserError(f"--environment: no environment is called {self.environment}{hint}")
        models = [path.stem for path in MODELS.glob("*.yaml")]
        if self.model not in models:
            raise UserError(
                f"{self.model}: no model is called so{did_you_mean(self.model, models)}; describe it in "
                f"{self.entry.relative_to(ROOT)}"
            )

    @property
    def folder(self) -> Path:
        """The environment's root module."""
        return ROOT / "envs" / self.environment

    @property
    def entry(self) -> Path:
        """The model's file in the catalogue."""
        return MODELS / f"{self.model}.yaml"

    def settings(self) -> Any:
        """The environment's settings."""
        return _load(self.folder)

    def quota_note(self) -> str | None:
        """Return a note if serverless endpoints need a higher quota than the default of a new account."""
        served = [getattr(model, "serverless_endpoint", None) for model in self.settings().models.values()]
        total, quota = sum(one.max_concurrency for one in served if one is not None), find_serverless_concurrency()
        if quota.default is None or total <= quota.default:
            return None
        return (
            f"envs/{self.environment}: its serverless endpoints need a concurrency of {total}, and a new account has "
            f"{quota.default} in a Region: request an increase of the SageMaker quota {quota.code} ({quota.name})"
        )

    def check(self, choice: Choice) -> str:
        """What the environment's own settings keep of their inputs, in words, where the catalogue says this choice.

        Raises UserError where an environment would have another kind of endpoint, or a second one.
        """
        for name in synth.list_names()[1]:
            said = _load(ROOT / "envs" / name).models.get(self.model)
            where, here = f"envs/{name}/settings.yaml: models.{self.model}", name == self.environment
            kinds = [kind for kind in MODULES.values() if getattr(said, kind, None) is not None]
            if here and choice.module not in kinds:
                raise UserError(
                    f"{where}: leaves out what the catalogue is to say, {choice.module}; take that away first"
                )
            if len(kinds) > 1:
                own = " and ".join(kind for kind in kinds if kind != choice.module)
                raise UserError(
                    f"{where}: says {own} itself, so that it would have that beside {choice.module}, which the "
                    "catalogue is to say; take it out there first"
                )
        inputs = getattr(self.settings().models[self.model], choice.module).model_dump(mode="json", exclude_unset=True)
        kept = [f"{name}: {inputs.get(name)}" for name, value in choice.inputs.items() if inputs.get(name) != value]
        return f"; envs/{self.environment}/settings.yaml keeps its {', '.join(kept)}" if kept else ""


def _load(folder: Path) -> Any:
    synth.use_this_checkout()
    return importlib.import_module("envs.settings").load(folder)


def _also(written: Sequence[synth.FileChange], environment: str) -> str:
    """The other environments whose files follow the catalogue too."""
    others = {change.path.parent.name for change in written if change.path.parent.parent == ROOT / "envs"}
    return f", also of {' and '.join(sorted(others - {environment}))}" if others - {environment} else ""


def find_package(target: Target, account: AccountClients, given: str | None) -> served_model.Subject:
    """Return the package given, else the newest approved of the model's group. Raises UserError where there is none."""
    clients = account.connect()
    if given is not None:
        if ":model-package/" not in given:
            raise UserError(f"--package: {given} is no ARN of a model package")
        found = served_model.read(given, clients)
        with aws.translate_aws_errors(f"model package {given}"):
            described = clients.sagemaker.describe_model_package(ModelPackageName=given)
        if (status := described.get("ModelApprovalStatus", APPROVED)) != APPROVED:
            raise UserError(f"--package: {given} is {status}; only what somebody has approved is served")
        return found
    parameter = f"/sustainable-mlops/{target.environment}/platform"
    with aws.translate_aws_errors(parameter):
        platform = read_platform(parameter, account.client("ssm"))
    group = platform.model_package_groups.get(target.model)
    if group is None:
        raise UserError(f"{parameter}: has no group of {target.model}: apply the environment with it first")
    with aws.translate_aws_errors(f"model package group {group}"):
        listed = clients.sagemaker.list_model_packages(
            ModelPackageGroupName=group,
            ModelApprovalStatus=APPROVED,
            SortBy="CreationTime",
            SortOrder="Descending",
            MaxResults=1,
        )["ModelPackageSummaryList"]
    if not listed:
        raise UserError(f"{group}: has no approved package; smlops register --approve makes one, or give --package")
    return served_model.read(listed[0]["ModelPackageArn"], clients)


class Deployment:
    """The steps, and what they hand on."""

    def __init__(self, target: Target, steps: Steps) -> None:
        self._target = target
        self._step = steps.step
        self._terraform = teardown.environment(target.folder)
        self._plan = OUT / f"{target.environment}.tfplan"
        self._document: dict[str, Any] = {}

    def write(self, package: str, choice: Choice) -> None:
        """Settings, package and the Terraform that follows; all of it, or none."""
        target = self._target
        with entry.or_as_before(target.entry, target.folder / synth.PACKAGES):
            with self._step("Write the settings") as this:
                this.result = f"{choice.module} of {target.model}: {choice.because}"
                wrote = entry.write(target.entry, choice)
                served = entry.serve(target.folder, target.model, package)
                if not wrote and not served:
                    this.result = f"they say so already: {choice.module} of {target.model}"
                this.result += target.check(choice)
            with self._step("Write their Terraform") as this:
                written = synth.synthesize((), this.show)
                synth.write(written)
                synth.save_digests()
                this.result = f"{len(written)} files written{_also(written, target.environment)}"

    def wait_until_settled(self, clients: Clients) -> None:
        """Block until no change of the model's endpoints is under way, such as one that an interruption left."""
        outputs, model = self._terraform.read_outputs(), self._target.model
        names = filter(None, (outputs.get(f"{module}s", {}).get(model) for module in MODULES.values()))
        for name in names:
            if transition.is_in_transition(clients.sagemaker, name):
                with self._step("Wait for the endpoint") as this:
                    this.result = f"{name} is {transition.wait_until_settled(clients.sagemaker, name)}"

    def plan(self, accepted: "Sequence[Acceptance]" = ()) -> "tuple[Review, dict[str, list[str]]]":
        """The review of the plan, in which these risks are accepted, and what it changes."""
        from sustainable_mlops.plan import load
        from sustainable_mlops.review import review
        from sustainable_mlops.review.formats import render

        OUT.mkdir(parents=True, exist_ok=True)
        with self._step("Plan") as this:
            self._terraform.run("get")  # another kind of endpoint is another module
            document = self._document = self._terraform.plan(self._plan)
            changed = list_changes(document)
            this.result = f"{len(changed)} changes"
        with self._step("Review the plan") as this:
            name = f"envs/{self._target.environment}"
            found = review(load(json.dumps(document).encode(), name), accepted=accepted)
            page = OUT / f"{self._target.environment}.md"
            write_file(page, render([found], "markdown"))
            this.result = f"{found.verdict}: {page.relative_to(ROOT)}"
        return found, changed

    def find_failed_endpoints(self, clients: Clients) -> list[leftovers.Leftover]:
        """Return the failed endpoints outside the state that the plan would create again.

        Raises UserError where such an endpoint is not Failed.
        """
        found = leftovers.find_leftovers(self._document, clients.sagemaker)
        leftovers.check_leftovers(found, self._terraform.command)
        return found

    def delete_failed_endpoints(self, failed: Sequence[leftovers.Leftover], clients: Clients) -> None:
        """Delete these failed endpoints, so that the plan can create them."""
        names = ", ".join(leftover.name for leftover in failed)
        with self._step("Delete the failed endpoint") as this:
            leftovers.delete_failed_endpoints(failed, clients.sagemaker)
            this.result = f"{names}: the first creation failed, and the state does not have it"

    def apply(self, changed: Mapping[str, Sequence[str]]) -> None:
        """Apply the plan that was reviewed, which changes these."""
        total = sum(map(len, changed.values()))  # what is replaced is deleted and created
        with self._step("Apply the plan") as this:

            def progress(at: Any) -> None:
                this.show(f"{at.done} of {total} done, {at.address}")

            self._terraform.apply(str(self._plan.resolve()), progress=progress)
            this.result = f"{len(changed)} changes"

    def keep(self) -> list[str]:
        """The commands that keep what was being made when an apply was interrupted; Terraform would replace it."""
        made = self._terraform.list_tainted()
        return [f"{self._terraform.command} untaint {shlex.quote(address)}" for address in made]

    def endpoint(self, choice: Choice, clients: Clients) -> str:
        """The name of the endpoint that answers."""
        with self._step("Look at the endpoint") as this:
            name = self._terraform.read_outputs().get(f"{choice.module}s", {}).get(self._target.model)
            if name is None:
                raise UserError(f"envs/{self._target.environment} has no {choice.module} of {self._target.model}")
            with aws.translate_aws_errors(f"endpoint {name}"):
                status = clients.sagemaker.describe_endpoint(EndpointName=name)["EndpointStatus"]
            if status != "InService":
                raise UserError(f"endpoint {name}: is {status}")
            this.result = f"{name} is {status}"
        return str(name)
