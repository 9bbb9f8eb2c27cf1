"""Stages: one module each, from apply to destroy."""

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar

from botocore.exceptions import BotoCoreError, ClientError
from rich.markup import escape

from clone.prove import cleanup, hcl
from clone.prove.context import ProofError, ProofRun, say
from clone.prove.costs import CostItem, EndpointCost
from clone.prove.proof import ModuleResult
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.base.steps import Step
from sustainable_mlops.base.terraform import Terraform

#: Errors that end a stage, and not the run.
ERRORS = (UserError, ProofError, ClientError, BotoCoreError)
#: Output of every root module.
STATEMENTS = "role_statements"


class Stage:
    """One module in its own root module. Subclasses define its inputs and its use."""

    #: The module, and the name of its call.
    module: ClassVar[str]
    #: End of the stage's name prefix, such as `registry`. Names of a stage start with `<run>-<suffix>`.
    suffix: str
    #: True if it needs neither storage nor access.
    is_independent: ClassVar[bool] = False
    #: Modules whose resources it needs.
    requires: ClassVar[tuple[str, ...]] = ()
    #: Modules that are proved first if they are part of the run, and destroyed after this one.
    after: ClassVar[tuple[str, ...]] = ()
    #: Outputs of the module that the stage reads.
    outputs: ClassVar[tuple[str, ...]] = ()

    def __init__(self, run: ProofRun) -> None:
        self.run = run
        #: Name in the report and of the root module's folder; the module, except on a stage for one check.
        self.key = self.module
        self.terraform: Terraform = run.make_terraform(self.key)
        #: Inputs that `change` sets.
        self.changes: dict[str, Any] = {}
        self.published: dict[str, Any] = {}

    @property
    def prefix(self) -> str:
        """Start of the names of the stage's resources. No other stage uses it."""
        return f"{self.run.name}-{self.suffix}"

    def get_common_inputs(self) -> dict[str, Any]:
        """Return the inputs that most modules share."""
        return self.run.get_common_inputs(self.prefix)

    def build_inputs(self) -> Mapping[str, Any]:
        """Return the module's inputs before any change."""
        raise NotImplementedError

    def render_parts(self) -> Iterable[str]:
        """Return more HCL of the root module."""
        return ()

    def use_resources(self) -> str:
        """Use the module's resources, and return a summary. Raises ProofError."""
        raise NotImplementedError

    def change(self) -> str:
        """Set inputs in `changes`, and return a description."""
        raise NotImplementedError

    def check_change(self) -> None:
        """Check the effect of the change. Raises ProofError."""

    def roll_back(self) -> str | None:
        """Deploy a bad model and return a summary; None if the module serves no model. Raises ProofError."""
        return None

    def prepare_destruction(self) -> None:
        """Prepare the destruction, such as by the deletion of registered packages."""

    def get_fleet(self) -> tuple[str, int] | None:
        """Return the type and number of instances that run during the stage; None if there are none."""
        return None

    @classmethod
    def list_cost_items(cls, region: str) -> Iterable[CostItem | EndpointCost]:
        """Return the lines of the estimate."""
        del region
        return ()

    def rename(self, key: str, suffix: str) -> None:
        """Make this another stage of the same module, with a root module and names of its own."""
        self.key, self.suffix = key, suffix
        self.terraform = self.run.make_terraform(key)

    def write(self) -> None:
        """Write the root module."""
        call = hcl.render_call(self.module, self.module, {**self.build_inputs(), **self.changes})
        outputs = [hcl.render_output(name, f"module.{self.module}.{name}") for name in self.outputs]
        hcl.write_root(self.terraform.folder, self.run.settings, call, *self.render_parts(), *outputs)

    def apply(self, step: Step) -> None:
        """Write and apply the root module, and read its outputs. Raises UserError."""
        self.write()
        self.terraform.apply(progress=lambda at: step.show(str(at)))
        self.published = self.terraform.read_outputs()
        self.run.published[self.key] = self.published

    def is_up_to_date(self) -> bool:
        """Return whether a plan would change nothing."""
        return self.terraform.is_up_to_date(self.terraform.folder / "second.tfplan")

    def destroy(self, step: Step) -> None:
        """Call `prepare_destruction`, and destroy the resources of the stage. Raises UserError."""
        self.prepare_destruction()
        self.terraform.apply("-destroy", progress=lambda at: step.show(str(at)))


class Prover:
    """Runner of one stage's steps, which records the result."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.run = stage.run
        self._begin = time.monotonic()
        self.result = self.run.proof.modules.setdefault(stage.key, ModuleResult(stage.key))

    @contextmanager
    def _run_step(self, title: str, attribute: str) -> Iterator[Step]:
        """Run one step. Its attribute of the result stays false until the block ends without an error."""
        setattr(self.result, attribute, False)
        with self.run.steps.step(f"{self.stage.key}: {title}") as step:
            yield step
        setattr(self.result, attribute, True)

    def apply(self) -> None:
        """Apply, and plan a second time."""
        stage = self.stage
        self._begin = begin = time.monotonic()
        with self.run.steps.step(f"{stage.key}: apply") as step:
            stage.write()
            stage.terraform.init()
            if fleet := stage.get_fleet():
                self.run.spending.start_instances(stage.key, *fleet)
            stage.apply(step)
        self.result.apply_seconds = round(time.monotonic() - begin, 1)
        self._check_empty_plan("second plan")

    def _check_empty_plan(self, title: str) -> None:
        with self._run_step(title, "second_plan_empty") as step:
            if not self.stage.is_up_to_date():
                raise ProofError(f"{title}: not empty; see `terraform show` of second.tfplan in the run's folder")
            step.result = "empty"

    def use_resources(self) -> None:
        """Use the applied resources."""
        with self._run_step("use", "used") as step:
            text = self.stage.use_resources()
            step.result = escape(text)
        self.result.notes.append(f"used: {text}")

    def change(self) -> None:
        """Change one input, apply, and plan again."""
        with self._run_step("change", "changed") as step:
            text = self.stage.change()
            step.result = escape(text)
            self.stage.apply(step)
            self.stage.check_change()
            if not self.stage.is_up_to_date():
                raise ProofError(f"the plan after the change ({text}) is not empty")
        self.result.notes.append(f"changed: {text}")

    def roll_back(self) -> None:
        """Deploy a bad model, if the module serves models."""
        if type(self.stage).roll_back is Stage.roll_back:
            return
        with self._run_step("bad model rolls back", "rolled_back") as step:
            text = self.stage.roll_back() or ""
            step.result = escape(text)
        self.result.notes.append(f"rolled back: {text}")

    def destroy(self, prefix: str) -> None:
        """Destroy the stage, then delete resources whose names contain `prefix`. Raises ProofError if any remain."""
        with self._run_step("destroy", "destroyed") as step:
            self.stage.destroy(step)
        self.run.spending.stop_instances(self.stage.key)
        with self._run_step("nothing left", "nothing_left") as step:
            cleaning = cleanup.RunCleaner(self.run.settings, self.run.recorder, step.show)
            deleted = cleaning.delete_remaining(prefix, self.run.limits.check)
            if cleaning.left:
                raise ProofError(f"resources are left: {', '.join(cleaning.left)}")
            text = f"nothing, after cleanup of {', '.join(deleted)}" if deleted else "nothing"
            step.result = escape(text)
        self.result.notes.append(f"left: {text}")
        self.result.seconds = round(time.monotonic() - self._begin, 1)

    def fail(self, error: str) -> None:
        """Record the error that ended the stage."""
        self.result.error = self.result.error or error
        say(f"{self.stage.key}: {self.result.error}")
