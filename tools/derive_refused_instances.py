"""Generator of `refused_instances.csv`: instance types that the SageMaker API accepts and the AWS provider refuses.

`python -m tools.derive_refused_instances` rewrites the rows of the provider that set-up locked: once with 5.100.0, and
once with `SMLOPS_AWS_PROVIDER=6.47.1`. It needs botocore (names in SageMaker) and Terraform. `terraform validate` of
one resource per type shows which types the provider refuses, without an account.

Version 5.100.0 is the last of its major version: earlier versions refuse the same types. A newer version 6 may accept
more.
"""

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sustainable_mlops.base.errors import UserError
from sustainable_mlops.base.terraform import Terraform, get_provider_version
from sustainable_mlops.catalogue.tables import CATALOGUE_DIRECTORY, read_rows
from tools.derive_instances import format_table, list_sagemaker_types

#: The versions of the rows.
VERSIONS = ("5.100.0", "6.47.1")
_ROLE = "arn:aws:iam::123456789012:role/r"


def make_table(version: str) -> str:
    """Return `refused_instances.csv` with new rows for a version of the provider."""
    major = version.split(".")[0]
    other_rows = (tuple(row.values()) for row in read_rows("refused_instances") if row["provider"] != major)
    rows = sorted([*other_rows, *_make_refused_instances(version)])
    return format_table([("instance", "provider", "uses", "source"), *rows])


def _make_refused_instances(version: str) -> Iterator[tuple[str, ...]]:
    uses_by_type = {
        kind: [use for use in uses if use in _RESOURCES] for kind, uses in sorted(list_sagemaker_types().items())
    }
    refused_resources = _find_refused({kind: uses for kind, uses in uses_by_type.items() if uses}, version)
    for kind, uses in uses_by_type.items():
        refused_uses = [use for use in uses if (_RESOURCES[use][0], _make_label(kind)) in refused_resources]
        if refused_uses:
            yield (
                kind,
                version.split(".")[0],
                " ".join(refused_uses),
                f"terraform validate with hashicorp/aws {version}",
            )


def _find_refused(uses_by_type: dict[str, list[str]], version: str) -> set[tuple[str, str]]:
    """Return the type and label of each resource whose instance type the provider refuses.

    Raises UserError for any other error.
    """
    resources: dict[str, dict[str, Any]] = {}
    for kind, uses in uses_by_type.items():
        for use in uses:
            resource, body = _RESOURCES[use]
            resources.setdefault(resource, {})[_make_label(kind)] = json.loads(json.dumps(body).replace("TYPE", kind))
    terraform_block = {"required_providers": {"aws": {"source": "hashicorp/aws", "version": version}}}
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
    (CATALOGUE_DIRECTORY / "refused_instances.csv").write_text(make_table(get_provider_version()), encoding="utf-8")
