"""An AWS account of a sandbox with IAM enforced: its administrator applies `bootstrap`, and its CI the environment."""

import json
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from clone import synth
from clone.deployer import environment as deployer
from envs.settings import EnvironmentSettings
from sagemaker_sandbox import Sandbox
from sustainable_mlops.base.terraform import ROOT, Terraform, find_lock_file
from tests.provider import serving
from tests.sandbox.web_identity import assume_administrator, create_token, exchange_token

REPOSITORY = "acme/platform"
#: Subjects of GitHub's tokens by the role that trusts them.
SUBJECTS = {
    "plan": f"repo:{REPOSITORY}:pull_request",
    "apply": f"repo:{REPOSITORY}:environment:{{environment}}",
    "promote": f"repo:{REPOSITORY}:environment:promote",
}


@dataclass
class Duration:
    """Seconds of wall clock and of processor time, of this process and of ended child processes."""

    wall: float = 0
    processor: float = 0

    @contextmanager
    def measure(self) -> Iterator[None]:
        """Add the time of a block."""
        wall, processor = time.monotonic(), sum(os.times()[:4])
        yield
        self.wall += time.monotonic() - wall
        self.processor += sum(os.times()[:4]) - processor


@dataclass
class CiAccount:
    """One account with an environment. All files are below `repository`, which has links to the modules."""

    sandbox: Sandbox
    repository: Path
    settings: EnvironmentSettings
    modules: Mapping[str, Any]
    duration: Duration = field(default_factory=Duration)
    role_arns: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in synth.CALLED_FOLDERS:
            if not (self.repository / name).exists():
                (self.repository / name).symlink_to(ROOT / name)
        self.folder.mkdir(parents=True)

    @property
    def name(self) -> str:
        """Name of the environment."""
        return self.settings.environment

    @property
    def folder(self) -> Path:
        """Root module of the environment."""
        return self.repository / "envs" / self.name

    def get_administrator(self) -> dict[str, str]:
        """Return the credentials of an administrator. The default account has the sandbox's own."""
        if self.settings.account_id == self.sandbox.client("sts").get_caller_identity()["Account"]:
            return {}
        return assume_administrator(self.sandbox, self.settings.account_id, self.settings.region)

    def get_ci(self, kind: str) -> dict[str, str]:
        """Return the credentials of a CI role, for a token of GitHub."""
        token = create_token(SUBJECTS[kind].format(environment=self.name))
        return exchange_token(self.sandbox, self.role_arns[kind], token, self.settings.region)

    @contextmanager
    def run_terraform(self, folder: Path, credentials: Mapping[str, str], *options: str) -> Iterator[Terraform]:
        """Yield Terraform in a folder with these credentials, initialized."""
        region = {"AWS_REGION": self.settings.region, "AWS_DEFAULT_REGION": self.settings.region}
        variables = {**self.sandbox.environment, **region, **credentials}
        with serving({**self.sandbox.process_environment(), **region, **credentials}) as provider:
            engine = Terraform(folder, variables | {"TF_REATTACH_PROVIDERS": provider})
            shutil.copy(find_lock_file(), folder)
            engine.init("-input=false", *options)
            yield engine

    def write_environment(self, **changed: Any) -> dict[str, dict[str, str]]:
        """Write the root module with changed settings, and return the documents of its roles by kind and name."""
        from envs.environment import COMPONENTS
        from envs.root import EnvironmentRoot

        values = self.settings.model_dump(exclude_unset=True) | changed
        self.settings = EnvironmentSettings.model_validate(values)
        body = EnvironmentRoot(self.settings, self.modules, COMPONENTS).synthesize().to_json()
        (self.folder / "main.tf.json").write_text(json.dumps(body))
        bodies = {name: module.to_json() for name, module in self.modules.items()}
        settings: Any = self.settings
        names = deployer.read_names(
            body,
            bodies,
            self.name,
            settings.name_prefix,
            deletion_protection=settings.deletion_protection,
            registries=settings.promotion.registries,
        )
        documents: dict[str, dict[str, str]] = {"plan": {}, "apply": {}}
        for one in deployer.make_environment_documents(body, bodies, names):
            documents[one.name.partition("-")[0]][one.name] = one.text
        return documents

    def apply_bootstrap(self, documents: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
        """Apply `bootstrap` as the administrator, and return its outputs."""
        folder = self.repository / f"bootstrap-{self.name}"
        folder.mkdir(exist_ok=True)
        trusted: dict[str, Any] = {
            "plan": {"repository": REPOSITORY},
            "apply": {"repository": REPOSITORY, "environments": [self.name]},
            "promote": {"repository": REPOSITORY, "environments": ["promote"]},
        }
        roles: dict[str, Any] = {
            kind: {"github": [jobs]} | ({"policies": documents[kind]} if kind in documents else {})
            for kind, jobs in trusted.items()
        }
        settings: Any = self.settings
        roles["promote"]["registries"] = settings.promotion.registries
        call = {
            "source": "../modules/bootstrap",
            "name_prefix": self.settings.name_prefix,
            "account_id": self.settings.account_id,
            "region": self.settings.region,
            "deletion_protection": False,
            "environments": {self.name: {"name_prefix": self.settings.name_prefix, **roles}},
        }
        body = {
            "provider": {"aws": [{"region": self.settings.region, "allowed_account_ids": [self.settings.account_id]}]},
            "module": {"bootstrap": call},
            "output": {"bootstrap": {"value": "${module.bootstrap}"}},
        }
        (folder / "main.tf.json").write_text(escape_templates(json.dumps(body)))
        with self.run_terraform(folder, self.get_administrator()) as engine:
            engine.apply()
            outputs: dict[str, Any] = engine.read_outputs()["bootstrap"]
        self.role_arns = {kind: arns[self.name] for kind, arns in outputs["role_arns"].items()}
        return outputs

    def prepare(self, **options: Any) -> None:
        """Apply `bootstrap`, copy its key and boundary to the settings, and apply it again, as its page says."""
        outputs = self.apply_bootstrap(self.write_environment(**options))
        state = {"bucket": outputs["backends"][self.name]["bucket"], "kms_key_arn": outputs["kms_key_arn"]}
        access = self.settings.model_dump(exclude_unset=True).get("access", {})
        boundary = {"permissions_boundary_arn": outputs["permissions_boundary_arns"][self.name]}
        self.apply_bootstrap(self.write_environment(**options | {"state": state, "access": access | boundary}))


def escape_templates(text: str) -> str:
    """Escape the policy variables of documents, such as ${aws:PrincipalTag/x}, for Terraform."""
    return text.replace("${aws:", "$${aws:")
