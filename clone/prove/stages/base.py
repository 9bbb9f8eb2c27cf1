"""Stages of the shared base: storage and access, in one root module."""

from collections.abc import Mapping
from typing import Any

from clone.prove import hcl
from clone.prove.cleanup import BASE
from clone.prove.context import ProofError, ProofRun
from clone.prove.stage import Stage
from sustainable_mlops.base.steps import Step


class BaseStage(Stage):
    """A stage in the shared root module, whose calls are written one after the other."""

    def __init__(self, run: ProofRun, calls: dict[str, str], outputs: dict[str, str]) -> None:
        super().__init__(run)
        self.terraform = run.make_terraform(BASE)
        self._calls, self._outputs = calls, outputs

    def write(self) -> None:
        """Write the root module with every call so far."""
        self._calls[self.module] = hcl.render_call(self.module, self.module, {**self.build_inputs(), **self.changes})
        self._outputs |= {name: hcl.render_output(name, f"module.{self.module}.{name}") for name in self.outputs}
        hcl.write_root(self.terraform.folder, self.run.settings, *self._calls.values(), *self._outputs.values())

    def apply(self, step: Step) -> None:
        """Apply, and publish the outputs to the other stages."""
        super().apply(step)
        self.run.base = self.published


class StorageStage(BaseStage):
    """The stage of `storage`."""

    module = "storage"
    suffix = "base"
    outputs = ("buckets", "kms_key_arn", "s3_uris")

    def build_inputs(self) -> Mapping[str, Any]:
        """Return the inputs: data that may be deleted."""
        return {**self.get_common_inputs(), "deletion_protection": False}

    def use_resources(self) -> str:
        """Write an object without encryption arguments, and read it."""
        s3, bucket, key = self.run.get_client("s3"), self.run.get_bucket_name("data"), "raw/proof.txt"
        self.run.put("data", key, b"proof")
        response = s3.get_object(Bucket=bucket, Key=key)
        if response["Body"].read() != b"proof":
            raise ProofError(f"s3://{bucket}/{key} has other content than the uploaded object")
        encryption = response.get("ServerSideEncryption"), response.get("SSEKMSKeyId")
        if encryption != ("aws:kms", self.run.key):
            raise ProofError(f"s3://{bucket}/{key} is encrypted with {encryption}, not with the module's key")
        return "an object was put, encrypted with the key, and read"

    def change(self) -> str:
        """Archive raw data that nobody reads."""
        self.changes["intelligent_tiering_archive_days"] = 180
        return "intelligent_tiering_archive_days = 180"


class AccessStage(BaseStage):
    """The stage of `access`."""

    module = "access"
    suffix = "base"
    outputs = ("role_arns", "role_names")

    def __init__(self, run: ProofRun, calls: dict[str, str], outputs: dict[str, str]) -> None:
        super().__init__(run, calls, outputs)
        #: The statements of each other module, by phase.
        self.statements: list[dict[str, list[Any]]] = []

    def build_inputs(self) -> Mapping[str, Any]:
        """Return the inputs, with the IAM statements of the later stages."""
        return {
            **self.get_common_inputs(),
            "kms_key_arn": hcl.Raw("module.storage.kms_key_arn"),
            "buckets": hcl.Raw("module.storage.buckets"),
            "feature_group_names": [f"{self.run.name}-features-orders"],
            "model_package_group_names": [f"{self.run.name}-registry-orders"],
            "role_statements": self.statements,
        }

    def use_resources(self) -> str:
        """Simulate the role of training jobs in IAM: it may read its data and delete nothing."""
        role, bucket = self.run.get_role_arn("training"), self.run.base["buckets"]["artifacts"]["arn"]
        decisions = {
            action: self._simulate_action(role, action, f"{bucket}/{key}")
            for action, key in {"s3:GetObject": "source/code.tar.gz", "s3:DeleteObject": "models/model.tar.gz"}.items()
        }
        if decisions != {"s3:GetObject": "allowed", "s3:DeleteObject": "implicitDeny"}:
            raise ProofError(f"the role of training jobs has unexpected permissions: {decisions}")
        return "the role of training jobs may read its prefixes and delete nothing"

    def _simulate_action(self, role: str, action: str, resource: str) -> str:
        response = self.run.get_client("iam").simulate_principal_policy(
            PolicySourceArn=role, ActionNames=[action], ResourceArns=[resource]
        )
        return str(response["EvaluationResults"][0]["EvalDecision"])

    def change(self) -> str:
        """Let the roles pull an image of the account's own."""
        where = self.run.settings
        self.changes["image_repository_arns"] = [f"arn:aws:ecr:{where.region}:{where.account}:repository/{where.name}"]
        return "image_repository_arns has one repository"
