"""Generator of `refused_instances.csv`: instance types that the SageMaker API accepts and the AWS provider refuses.

`python -m tools.derive_refused_instances` rewrites the file. It needs botocore (names in SageMaker) and Terraform with
the provider. `terraform validate` of one resource per type shows which types the provider refuses, without an account.

The provider is the last version of its major version: earlier versions refuse the same types.
"""

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sustainable_mlops.catalogue.tables import CATALOGUE_DIRECTORY
from sustainable_mlops.errors import UserError
from sustainable_mlops.terraform import Terraform
from tools.derive_instances import format_table, list_sagemaker_types

VERSION = "5.100.0"
_ROLE = "arn:aws:iam::123456789012:role/r"


def make_refused_instances() -> Iterator[tuple[str, ...]]:
    """Yield the rows of `refused_instances.csv`, the header first."""
    yield "instance", "provider", "uses", "source"
    uses_by_type = {
        kind: [use for use in uses if use in _RESOURCES] for kind, uses in sorted(list_sagemaker_types().items())
    }
    refused_resources = _find_refused({kind: uses for kind, uses in uses_by_type.items() if uses})
    for kind, uses in uses_by_type.items():
        refused_uses = [use for use in uses if (_RESOURCES[use][0], _make_label(kind)) in refused_resources]
        if refused_uses:
            yield (
                kind,
                VERSION.split(".")[0],
                " ".join(refused_uses),
                f"terraform validate with hashicorp/aws {VERSION}",
            )


def _find_refused(uses_by_type: dict[str, list[str]]) -> set[tuple[str, str]]:
    """Return the type and label of each resource whose instance type the provider refuses.

    Raises UserError for any other error.
    """
    resources: dict[str, dict[str, Any]] = {}
    for kind, uses in uses_by_type.items():
        for use in uses:
            resource, body = _RESOURCES[use]
            resources.setdefault(resource, {})[_make_label(kind)] = json.loads(json.dumps(body).replace("TYPE", kind))
    terraform_block = {"required_providers": {"aws": {"source": "hashicorp/aws", "version": VERSION}}}
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "main.tf.json").write_text(json.dumps({"terraform": terraform_block, "resource": resources}))
        terraform = Terraform(Path(folder))
        terraform.init()
        diagnostics = terraform.validate()
    for one in diagnostics:
        if not one["summary"].startswith("expected instance_type to be one of"):
            raise UserError(f"terraform validate: {one['summary']}: {one.get('detail', '')}")
    return {tuple(one["address"].split(".", 1)) for one in diagnostics}


def _make_label(kind: str) -> str:
    return kind.replace(".", "-")


#: Resource with an instance for each use; `TYPE` stands for the instance type.
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
    (CATALOGUE_DIRECTORY / "refused_instances.csv").write_text(format_table(make_refused_instances()), encoding="utf-8")
