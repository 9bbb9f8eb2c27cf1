"""The steps. Each looks at what is there, so that the same command goes on wherever one ended."""

import importlib
import json
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sustainable_mlops import aws, synth
from sustainable_mlops.aws import Clients
from sustainable_mlops.errors import UserError
from sustainable_mlops.files import write_whole
from sustainable_mlops.jobs.platform import read_platform
from sustainable_mlops.operations import teardown
from sustainable_mlops.operations.deploy import entry
from sustainable_mlops.operations.deploy.choice import Choice
from sustainable_mlops.recommendation import subject
from sustainable_mlops.settings import did_you_mean
from sustainable_mlops.steps import Steps
from sustainable_mlops.terraform import ROOT, changes

if TYPE_CHECKING:
    from sustainable_mlops.review import Review

APPROVED = "Approved"
#: Where the plan and its review are left.
OUT = ROOT / "out" / "deploy"


@dataclass(frozen=True)
class Target:
    """A model of an environment."""

    model: str
    environment: str

    def __post_init__(self) -> None:
        """Raises UserError where there is no such model or environment."""
        _, environments = synth.names()
        if self.environment not in environments:
            hint = did_you_mean(self.environment, environments)
            raise UserError(f"--environment: no environment is called {self.environment}{hint}")
        if not self.entry.is_file():
            models = [path.stem for path in self.entry.parent.glob("*.yaml")]
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
        return ROOT / "envs" / "catalogue" / "models" / f"{self.model}.yaml"

    def settings(self) -> Any:
        """The environment's settings."""
        synth.import_from_here()
        return importlib.import_module("envs.settings").load(self.folder)


def find_package(target: Target, settings: Any, clients: Clients, given: str | None) -> subject.Subject:
    """The package given, else the newest approved of the model's group. Raises UserError where there is none."""
    if given is not None:
        found = subject.read(given, clients)
        if not found.is_package:
            raise UserError(f"--package: {given} is no ARN of a model package")
        return found
    parameter = f"/sustainable-mlops/{target.environment}/platform"
    with aws.told(parameter):
        platform = read_platform(parameter, aws.client("ssm", settings.region))
    group = platform.model_package_groups.get(target.model)
    if group is None:
        raise UserError(f"{parameter}: has no group of {target.model}: apply the environment with it first")
    with aws.told(f"model package group {group}"):
        listed = clients.sagemaker.list_model_packages(
            ModelPackageGroupName=group,
            ModelApprovalStatus=APPROVED,
            SortBy="CreationTime",
            SortOrder="Descending",
            MaxResults=1,
        )["ModelPackageSummaryList"]
    if not listed:
        raise UserError(f"{group}: has no approved package; smlops register --approve makes one, or give --package")
    return subject.read(listed[0]["ModelPackageArn"], clients)


class Deployment:
    """The steps, and what they hand on."""

    def __init__(self, target: Target, steps: Steps) -> None:
        self._target = target
        self._step = steps.step
        self._terraform = teardown.environment(target.folder)
        self._plan = OUT / f"{target.environment}.tfplan"

    def write(self, package: str, choice: Choice) -> None:
        """Settings, package and the Terraform that follows, as they were where the settings are refused."""
        target = self._target
        kept = {path: path.read_bytes() for path in (target.entry, target.folder / synth.PACKAGES) if path.is_file()}
        with self._step("Write the settings") as this:
            this.result = f"{choice.module} of {target.model}: {choice.because}"
            wrote = entry.write(target.entry, choice)
            served = entry.serve(target.folder, target.model, package)
            if not wrote and not served:
                this.result = f"they say so already: {choice.module} of {target.model}"
        with self._step("Write their Terraform") as this:
            try:
                written = synth.synthesize((), this.now)
            except UserError:
                for path, before in kept.items():
                    path.write_bytes(before)
                raise
            synth.write(written)
            synth.remember()
            this.result = f"{len(written)} files written"

    def plan(self) -> "tuple[Review, dict[str, list[str]]]":
        """The review of the plan, and what it changes."""
        from sustainable_mlops.plan import load
        from sustainable_mlops.review import review
        from sustainable_mlops.review.formats import render

        OUT.mkdir(parents=True, exist_ok=True)
        with self._step("Plan") as this:
            document = self._terraform.plan(self._plan)
            changed = changes(document)
            this.result = f"{len(changed)} changes"
        with self._step("Review the plan") as this:
            name = f"envs/{self._target.environment}"
            found = review(load(json.dumps(document).encode(), name))
            page = OUT / f"{self._target.environment}.md"
            write_whole(page, render([found], "markdown"))
            this.result = f"{found.verdict}: {page.relative_to(ROOT)}"
        return found, changed

    def apply(self, total: int) -> None:
        """Apply the plan that was reviewed."""
        with self._step("Apply the plan") as this:

            def progress(at: Any) -> None:
                this.now(f"{at.done} of {total} changes, {at.address}")

            done = self._terraform.apply(str(self._plan.resolve()), progress=progress)
            this.result = f"{done.done} changes"

    def keep(self) -> list[str]:
        """The commands that keep what was being made when an apply was interrupted; Terraform would replace it."""
        made = self._terraform.tainted()
        return [f"{self._terraform.typed} untaint {shlex.quote(address)}" for address in made]

    def endpoint(self, choice: Choice) -> str:
        """The name of the endpoint that answers."""
        with self._step("Look at the endpoint") as this:
            name = self._terraform.outputs().get(f"{choice.module}s", {}).get(self._target.model)
            if name is None:
                raise UserError(f"envs/{self._target.environment} has no {choice.module} of {self._target.model}")
            this.result = f"{name} answers"
        return str(name)
