"""Run the demo in the sandbox: train a model, serve it from another account, and train it again when the data drift.

`make demo` runs this command.

- `python -m tools.demo`: train, register, promote, serve, find drift, train again, and destroy everything
- `python -m tools.demo --keep`: leave the sandbox up, for Terraform, boto3 and the AWS CLI
"""

import json
import os
import shutil
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from typing import Annotated

import typer

from sagemaker_sandbox import Sandbox
from sustainable_mlops.account import teardown
from sustainable_mlops.base import cli, program
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.base.steps import Steps
from sustainable_mlops.base.terraform import ROOT, find_engine
from sustainable_mlops.review import checkov
from tools.demo.delivery import StagingEnvironment
from tools.demo.demo_run import OUT, PIPELINE, RAW, DemoRun
from tools.demo.development import DevEnvironment
from tools.demo.environments import DEPLOYER, find_folder
from tools.demo.monitoring import Monitoring
from tools.demo.summary import check_plan, print_summary

#: The command in the clone, which works without an activated virtual environment.
SMLOPS = ".venv/bin/smlops"
LIST_BUCKETS = 'import boto3; print(boto3.client("s3").list_buckets()["Buckets"])'

app = cli.create_app()


@app.command(help=__doc__)
def run(
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave the sandbox and its resources up, and print commands to use them.")
    ] = False,
) -> None:
    """Run the demo. Raises UserError if a step fails."""
    cli.require("demo", "sandbox", "pipelines", "workloads", "authoring")
    sys.path[:0] = [str(ROOT)]  # for `workloads`, which is not installed
    OUT.mkdir(exist_ok=True)
    steps = Steps(cli.console)
    with ExitStack() as stack:
        with steps.step("Start the sandbox") as step:
            if keep:
                sandbox = Sandbox.start_in_background()
            else:
                sandbox = stack.enter_context(Sandbox.start(log=OUT / "sandbox.log"))
            step.result = f"AWS at {sandbox.endpoint}"
        os.environ.update(sandbox.environment)
        demo = Demo(DemoRun(sandbox, steps, stack.enter_context(ThreadPoolExecutor())))
        demo.run_chapters()
        if not keep:
            demo.destroy()
        demo.report()
        if keep:
            say(f"\nThe sandbox is up at {sandbox.endpoint}, with dev and staging applied to it.")
            for command, meaning in list_commands().items():
                say(f"\n{meaning}:\n  {command}")


def say(text: str) -> None:
    """Print a text that people copy, without folding and markup."""
    cli.console.print(text, highlight=False, markup=False, soft_wrap=True)


def list_commands() -> dict[str, str]:
    """Return the commands to paste in the top folder while the sandbox is up, in order, with their purposes."""
    execute = f"{SMLOPS} sandbox exec --"
    commands = {
        f"{execute} {find_engine().command} -chdir={find_folder('dev').relative_to(ROOT)} plan": (
            "A plan without changes (15 s)"
        ),
        f"{execute} .venv/bin/python -c '{LIST_BUCKETS}'": "boto3 on the sandbox",
    }
    if shutil.which("aws"):
        commands[f"{execute} aws sagemaker list-pipelines"] = "The AWS CLI on the sandbox"
    return commands | {
        f"{execute} {SMLOPS} pipeline run {PIPELINE.relative_to(ROOT)} --data {RAW.relative_to(ROOT)}": (
            "The pipeline on the same data: no job runs (5 s)"
        ),
        f"{execute} bash": "A shell in which AWS is the sandbox; `exit` leaves it",
        f"{SMLOPS} sandbox status": "The resources in the sandbox",
        f"{SMLOPS} sandbox stop": "Stop the sandbox and remove everything in it",
    }


class Demo:
    """The chapters in order."""

    def __init__(self, demo_run: DemoRun) -> None:
        self._demo_run = demo_run
        self._development = DevEnvironment(demo_run)
        self._delivery = StagingEnvironment(demo_run)
        self._monitoring = Monitoring(demo_run, self._development)
        self._environments: dict[str, DevEnvironment | StagingEnvironment] = {
            "dev": self._development,
            "staging": self._delivery,
        }
        self._plans: dict[str, Future[bool]] = {}
        self._checks: dict[str, Future[str]] = {}

    def run_chapters(self) -> None:
        """Run every chapter, and check that the plans are empty."""
        dev, staging = self._development, self._delivery
        dev.write()
        staging.prepare()
        dev.apply(on_key=staging.allow_key)
        dev.run_pipeline()
        records = self._demo_run.pool.submit(dev.put_records)
        package = dev.approve()
        staging.promote(package)
        staging.serve(dev.held_out)
        self._start_plan("staging")
        with self._demo_run.step("Put flights into the feature group") as this:
            this.result = f"{records.result()}, while staging was applied"
        dev.applied.result()  # with the rules and the alarm that start the pipeline
        dev.deliver_again()
        self._monitoring.check_batch(dev.held_out)
        self._start_plan("dev")
        self._monitoring.train_again()
        with self._demo_run.step("Plan both environments: empty") as this:
            for name, is_up_to_date in self._plans.items():
                if not is_up_to_date.result():
                    raise UserError(f"the plan of {name} is not empty: see terraform show out/{name}.tfplan")
            this.result = "no change"
        self._endpoint_usage = staging.read_endpoint_usage()

    def destroy(self) -> None:
        """Destroy everything. Raises UserError if a resource is left."""
        with self._demo_run.step("Destroy both environments") as this:
            destroyed = [
                self._demo_run.pool.submit(teardown.destroy, environment.terraform, refresh=False, late_seconds=1)
                for environment in self._environments.values()
            ]
            this.result = f"{sum(one.result() for one in destroyed)} resources"
        with self._demo_run.step("Look for resources that are left") as this:
            for name, environment in self._environments.items():
                self._demo_run.delete_state_bucket(name, environment.bucket)
            self._demo_run.client("iam", "staging").delete_role(RoleName=DEPLOYER.rpartition("/")[2])
            left = self._demo_run.sandbox.inventory()
            if left:
                raise UserError(f"left in the sandbox: {json.dumps(left)}")
            this.result = "nothing"

    def _start_plan(self, name: str) -> None:
        """Plan an environment and then run checkov on the plan, in the background."""
        terraform, checks = self._environments[name].terraform, checkov.Checkov()
        plan = self._demo_run.pool.submit(terraform.is_up_to_date, OUT / f"{name}.tfplan")
        self._plans[name] = plan

        def check() -> str:
            plan.result()
            return check_plan(self._demo_run, terraform, checks, name)

        self._checks[name] = self._demo_run.pool.submit(check)

    def report(self) -> None:
        """Print the results of checkov and the summary."""
        with self._demo_run.step("checkov's built-in checks") as this:
            this.result = "; ".join(one.result() for one in self._checks.values())
        print_summary(self._demo_run, self._endpoint_usage)
        say("Artifacts in out/: demo.json, the plans and checkov reports of dev and staging, runs/, raw/")


if __name__ == "__main__":
    program.run(app)
