"""A module of an endpoint as a person's root module, applied again and again while its callers go on asking."""

import json
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from sagemaker_sandbox import Sandbox
from sustainable_mlops.errors import UserError
from sustainable_mlops.terraform import ROOT, Terraform, list_changes
from tests.modules.given import furnish
from tests.provider import alone
from tests.sandbox.endpoint_client import EndpointClient
from tests.sandbox.support import IMAGE, create_tar, wait_until

KEY = "arn:aws:kms:eu-north-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
ROLE = "arn:aws:iam::123456789012:role/inference"
ANSWER = """
def model_fn(folder):
    return {says!r} or None
def predict_fn(values, model):
    return model or 1 / 0
"""
DOES_NOT_LOAD = "def model_fn(folder):\n    raise RuntimeError('does not load')\n"
#: What the modules say where an update was taken back.
GONE_BACK = "was rolled back and serves the old model"


class Serving:
    """One module's endpoint; who moves the time does so in a sandbox of the test's own."""

    def __init__(self, sandbox: Sandbox, folder: Path, module: str, **given: Any) -> None:
        self.sandbox, self.folder, self.module = sandbox, folder, module
        self.given = {"name_prefix": "shop", "kms_key_arn": KEY, "role_arn": ROLE, "image_uri": IMAGE, **given}
        self.own = EndpointClient(sandbox)
        self.name = str(self.given["name_prefix"])
        furnish(sandbox, json.dumps(self.given))
        self.bucket, s3 = f"models-of-{self.name}", sandbox.client("s3")
        s3.create_bucket(Bucket=self.bucket, CreateBucketConfiguration={"LocationConstraint": "eu-north-1"})
        self._put = s3.put_object
        (folder / "modules").symlink_to(ROOT / "modules")

    @classmethod
    @contextmanager
    def alone(cls, folder: Path, module: str, **given: Any) -> Iterator[Self]:
        """One that serves the model `first` in a sandbox of its own, applied in `folder`."""
        root = folder / "root"
        root.mkdir()
        with alone(folder / "sandbox.log") as (sandbox, environment):
            made = cls(sandbox, root, module, **given)
            made.given["model_data_url"] = made.model("first")
            made.begin(environment)
            made.apply()
            yield made
            made.terraform.run("destroy", "-auto-approve")

    def begin(self, environment: dict[str, str]) -> None:
        """Have Terraform ready."""
        self.terraform = Terraform(self.folder, environment)
        provider, *_ = json.loads(environment["TF_REATTACH_PROVIDERS"]).values()
        self._provider = int(provider["Pid"])
        self.write()
        self.terraform.init()

    def model(self, says: str, code: str = "") -> str:
        """The address of a model that answers so, fails where that is nothing, or is this code."""
        key = f"{self.own.make_name('model')}/model.tar.gz"
        self._put(Bucket=self.bucket, Key=key, Body=create_tar(code__inference_py=code or ANSWER.format(says=says)))
        return f"s3://{self.bucket}/{key}"

    def write(self, **more: Any) -> None:
        """The root module, with these inputs besides."""
        said = {**self.given, **more}
        arguments = "\n".join(f"  {name} = jsondecode({json.dumps(json.dumps(value))})" for name, value in said.items())
        text = f'module "endpoint" {{\n  source = "./modules/{self.module}"\n{arguments}\n}}\n'
        (self.folder / "main.tf").write_text(text)

    def plan(self, *more: str) -> dict[str, list[str]]:
        """What a plan would change, within the module."""
        found = list_changes(self.terraform.plan(self.folder / "tfplan", *more))
        return {address.removeprefix("module.endpoint."): actions for address, actions in found.items()}

    def apply(self, **more: Any) -> None:
        """Apply with these inputs."""
        with self.applying(**more) as failed:
            self.pass_()
        assert failed == [], failed

    @contextmanager
    def applying(self, **more: Any) -> Iterator[list[str]]:
        """An apply under way, and afterwards what it failed with."""
        self.write(**more)
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

    def begun(self) -> bool:
        """Whether the apply under way has come to update the endpoint; waits for it."""
        return bool(wait_until(lambda: self.status() == "Updating" or self._applied.is_set(), seconds=300))

    @contextmanager
    def unseen(self) -> Iterator[None]:
        """What happens meanwhile the provider does not see, which holds still: it finds what has come of it.

        A look at an endpoint that is just going back is an error to it (tests/sandbox/test_deployments_terraform.py).
        """
        os.kill(self._provider, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self._provider, signal.SIGCONT)

    def applied(self, wait: float) -> bool:
        """Whether the apply is over, within so many seconds."""
        return self._applied.wait(wait)

    def pass_(self, seconds: int = 20) -> None:
        """Time while the apply under way waits for the endpoint; none before, in which it would be scaled."""
        while not self.applied(0.2):
            if self.status() not in ("", "InService"):
                self.sandbox.advance(seconds)

    def status(self) -> str:
        """The endpoint's; empty where there is none yet."""
        found = self.own.sagemaker.list_endpoints(NameContains=self.name)["Endpoints"]
        return next((str(one["EndpointStatus"]) for one in found if one["EndpointName"] == self.name), "")

    def following(self) -> str:
        """The configuration that serves, which is there."""
        name = str(self.own.describe(self.name)["EndpointConfigName"])
        self.own.sagemaker.describe_endpoint_config(EndpointConfigName=name)
        return name

    def ask(self) -> str:
        """Who answers."""
        return self.own.invoke(self.name)

    def instances(self) -> int:
        """How many instances its variant has."""
        (variant,) = self.own.describe(self.name)["ProductionVariants"]
        return int(variant["CurrentInstanceCount"])

    def settled(self) -> int:
        """How many, once nothing happens to it any more."""
        return self.own.get_counts(self.name)[0]

    def scaled(self) -> list[tuple[int, int]]:
        """Between how many what scales it goes; empty where nothing does."""
        asked = {"ServiceNamespace": "sagemaker", "ResourceIds": [f"endpoint/{self.name}/variant/main"]}
        found = self.sandbox.client("application-autoscaling").describe_scalable_targets(**asked)["ScalableTargets"]
        return [(target["MinCapacity"], target["MaxCapacity"]) for target in found]

    def bounds(self) -> tuple[int, int]:
        """Between how many its scaling goes."""
        (bounds,) = self.scaled()
        return bounds

    def in_state(self) -> str:
        """The configuration that Terraform's state has for the endpoint."""
        shown = json.loads(self.terraform.run("show", "-json"))
        (module,) = shown["values"]["root_module"]["child_modules"]
        (endpoint,) = (one for one in module["resources"] if one["address"].endswith("aws_sagemaker_endpoint.this"))
        return str(endpoint["values"]["endpoint_config_name"])
