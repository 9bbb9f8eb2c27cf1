"""A root module with one endpoint, which tests apply several times while clients send requests."""

import json
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from sagemaker_sandbox import Sandbox
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.base.terraform import ROOT, Terraform, list_changes
from tests.modules.prerequisites import create_prerequisites
from tests.provider import alone
from tests.sandbox.endpoint_client import EndpointClient
from tests.sandbox.support import IMAGE, create_tar, wait_until

KEY = "arn:aws:kms:eu-north-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
ROLE = "arn:aws:iam::123456789012:role/inference"
ANSWER = """
import json
def model_fn(folder):
    return {response!r} or None
def input_fn(body, content_type):
    return json.loads(body)
def predict_fn(values, model):
    return model or 1 / 0
"""
DOES_NOT_LOAD = "def model_fn(folder):\n    raise RuntimeError('does not load')\n"
#: Part of the modules' message for a rolled-back update.
ROLLED_BACK = "was rolled back and serves the old model"


class AppliedEndpoint:
    """An endpoint of one module. Tests that move the time need a sandbox of their own."""

    def __init__(self, sandbox: Sandbox, folder: Path, module: str, **inputs: Any) -> None:
        self.sandbox, self.folder, self.module = sandbox, folder, module
        self.inputs = {"name_prefix": "shop", "kms_key_arn": KEY, "role_arn": ROLE, "image_uri": IMAGE, **inputs}
        self.client = EndpointClient(sandbox)
        self.name = str(self.inputs["name_prefix"])
        create_prerequisites(sandbox, json.dumps(self.inputs))
        self.bucket, s3 = f"models-of-{self.name}", sandbox.client("s3")
        s3.create_bucket(Bucket=self.bucket, CreateBucketConfiguration={"LocationConstraint": "eu-north-1"})
        self._put = s3.put_object
        (folder / "modules").symlink_to(ROOT / "modules")

    @classmethod
    @contextmanager
    def in_own_sandbox(cls, folder: Path, module: str, **inputs: Any) -> Iterator[Self]:
        """Apply an endpoint with the model `first` in `folder` and a sandbox of its own."""
        root = folder / "root"
        root.mkdir()
        with alone(folder / "sandbox.log") as (sandbox, environment):
            endpoint = cls(sandbox, root, module, **inputs)
            endpoint.inputs["model_data_url"] = endpoint.upload_model("first")
            endpoint.initialize(environment)
            endpoint.apply()
            yield endpoint
            endpoint.terraform.run("destroy", "-auto-approve")

    def initialize(self, environment: dict[str, str]) -> None:
        """Write the root module and run `terraform init`."""
        self.terraform = Terraform(self.folder, environment)
        provider, *_ = json.loads(environment["TF_REATTACH_PROVIDERS"]).values()
        self._provider = int(provider["Pid"])
        self.write_root_module()
        self.terraform.init()

    def upload_model(self, response: str, code: str = "") -> str:
        """Upload a model that responds with `response` (fails if empty), or with this code. Return its address."""
        key = f"{self.client.make_name('model')}/model.tar.gz"
        self._put(
            Bucket=self.bucket, Key=key, Body=create_tar(code__inference_py=code or ANSWER.format(response=response))
        )
        return f"s3://{self.bucket}/{key}"

    def write_root_module(self, **more: Any) -> None:
        """Write the root module with additional inputs."""
        values = {**self.inputs, **more}
        arguments = "\n".join(
            f"  {name} = jsondecode({json.dumps(json.dumps(value))})" for name, value in values.items()
        )
        text = f'module "endpoint" {{\n  source = "./modules/{self.module}"\n{arguments}\n}}\n'
        (self.folder / "main.tf").write_text(text)

    def plan_changes(self, *more: str) -> dict[str, list[str]]:
        """Plan and return the changes by address within the module."""
        changes = list_changes(self.terraform.plan(self.folder / "tfplan", *more))
        return {address.removeprefix("module.endpoint."): actions for address, actions in changes.items()}

    def apply(self, **more: Any) -> None:
        """Apply with additional inputs."""
        with self.start_apply(**more) as failed:
            self.pass_time()
        assert failed == [], failed

    @contextmanager
    def start_apply(self, **more: Any) -> Iterator[list[str]]:
        """Apply in a thread; the list has the error after the block, if any."""
        self.write_root_module(**more)
        failed: list[str] = []
        self._applied = threading.Event()

        def apply() -> None:
            try:
                self.terraform.apply()
            except UserError as error:
                failed.append(" ".join(str(error).replace("│", " ").split()))
            finally:
                self._applied.set()

        thread = threading.Thread(target=apply)
        thread.start()
        try:
            yield failed
        finally:
            thread.join()

    def wait_for_update(self) -> bool:
        """Wait for the update of the endpoint or the end of the apply."""
        return bool(wait_until(lambda: self.status() == "Updating" or self._applied.is_set()))

    @contextmanager
    def pause_provider(self) -> Iterator[None]:
        """Pause the provider, so that it sees only the final status of an update.

        It fails if it sees the status RollingBack (tests/sandbox/test_deployments_terraform.py).
        """
        os.kill(self._provider, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self._provider, signal.SIGCONT)

    def wait_for_apply(self, wait: float) -> bool:
        """Wait for the end of the apply; False after `wait` seconds."""
        return self._applied.wait(wait)

    def pass_time(self, seconds: int = 20) -> None:
        """Move the time while the apply waits for the endpoint; not before, because time would scale it."""
        while not self.wait_for_apply(0.2):
            if self.status() not in ("", "InService"):
                self.sandbox.advance(seconds)

    def status(self) -> str:
        """Return the status of the endpoint; empty without an endpoint."""
        changes = self.client.sagemaker.list_endpoints(NameContains=self.name)["Endpoints"]
        return next((str(one["EndpointStatus"]) for one in changes if one["EndpointName"] == self.name), "")

    def serving_configuration(self) -> str:
        """Return the name of the serving configuration, which must exist."""
        name = str(self.client.describe(self.name)["EndpointConfigName"])
        self.client.sagemaker.describe_endpoint_config(EndpointConfigName=name)
        return name

    def invoke(self) -> str:
        """Return the response of the model."""
        return self.client.invoke(self.name)

    def instance_count(self) -> int:
        """Return the number of instances of its variant."""
        (variant,) = self.client.describe(self.name)["ProductionVariants"]
        return int(variant["CurrentInstanceCount"])

    def settled_instances(self) -> int:
        """Return the number of instances after all changes end."""
        return self.client.get_counts(self.name)[0]

    def scaling_bounds(self) -> list[tuple[int, int]]:
        """Return the minimum and maximum number of instances of each scalable target."""
        target_filter = {"ServiceNamespace": "sagemaker", "ResourceIds": [f"endpoint/{self.name}/variant/main"]}
        changes = self.sandbox.client("application-autoscaling").describe_scalable_targets(**target_filter)[
            "ScalableTargets"
        ]
        return [(target["MinCapacity"], target["MaxCapacity"]) for target in changes]

    def single_scaling_bounds(self) -> tuple[int, int]:
        """Return the minimum and maximum number of instances of its only scalable target."""
        (bounds,) = self.scaling_bounds()
        return bounds

    def configuration_in_state(self) -> str:
        """Return the name of the configuration in Terraform's state."""
        state = json.loads(self.terraform.run("show", "-json"))
        (module,) = state["values"]["root_module"]["child_modules"]
        (endpoint,) = (one for one in module["resources"] if one["address"].endswith("aws_sagemaker_endpoint.this"))
        return str(endpoint["values"]["endpoint_config_name"])
