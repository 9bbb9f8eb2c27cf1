"""Derives `refused_instances.csv`: instance types that SageMaker's API takes and the AWS provider refuses.

`python -m tools.derive_refused_instances` writes the file anew. It needs botocore (SageMaker's names) and
Terraform with the provider, which lists the types that it accepts: `terraform validate` of one resource a type says
which it refuses, without an account.

The provider is the last version of its major: what that refuses, every one before it does.
"""

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sustainable_mlops.catalogue.tables import CATALOGUE_DIRECTORY
from sustainable_mlops.errors import UserError
from sustainable_mlops.terraform import Terraform
from tools.derive_instances import sagemaker_types, text

VERSION = "5.100.0"
_ROLE = "arn:aws:iam::123456789012:role/r"


def refused() -> Iterator[tuple[str, ...]]:
    """The rows of `refused_instances.csv`, its head first."""
    yield "instance", "provider", "uses", "source"
    asked = {kind: [use for use in uses if use in _RESOURCES] for kind, uses in sorted(sagemaker_types().items())}
    complaints = _complaints({kind: uses for kind, uses in asked.items() if uses})
    for kind, uses in asked.items():
        found = [use for use in uses if (_RESOURCES[use][0], _label(kind)) in complaints]
        if found:
            yield kind, VERSION.split(".")[0], " ".join(found), f"terraform validate with hashicorp/aws {VERSION}"


def _complaints(asked: dict[str, list[str]]) -> set[tuple[str, str]]:
    """The type and label of each resource whose instance type the provider refuses. Raises UserError on any other."""
    resources: dict[str, dict[str, Any]] = {}
    for kind, uses in asked.items():
        for use in uses:
            resource, body = _RESOURCES[use]
            resources.setdefault(resource, {})[_label(kind)] = json.loads(json.dumps(body).replace("TYPE", kind))
    pinned = {"required_providers": {"aws": {"source": "hashicorp/aws", "version": VERSION}}}
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "main.tf.json").write_text(json.dumps({"terraform": pinned, "resource": resources}))
        terraform = Terraform(Path(folder))
        terraform.init()
        diagnostics = terraform.validate()
    for one in diagnostics:
        if not one["summary"].startswith("expected instance_type to be one of"):
            raise UserError(f"terraform validate: {one['summary']}: {one.get('detail', '')}")
    return {tuple(one["address"].split(".", 1)) for one in diagnostics}


def _label(kind: str) -> str:
    return kind.replace(".", "-")


#: A resource that asks for an instance for each use, with `TYPE` in the place of the instance type.
_RESOURCES: dict[str, tuple[str, dict[str, Any]]] = {
    "hosting": (
        "aws_sagemaker_endpoint_configuration",
        {"production_variants": [{"model_name": "m", "instance_type": "TYPE", "initial_instance_count": 1}]},
    ),
    "notebook": ("aws_sagemaker_notebook_instance", {"name": "n", "role_arn": _ROLE, "instance_type": "TYPE"}),
    "app": (
        "aws_sagemaker_app",
        {
            "domain_id": "d-1",
            "space_name": "s",
            "app_name": "a",
            "app_type": "JupyterLab",
            "resource_spec": [{"instance_type": "TYPE"}],
        },
    ),
}


if __name__ == "__main__":
    (CATALOGUE_DIRECTORY / "refused_instances.csv").write_text(text(refused()), encoding="utf-8")
