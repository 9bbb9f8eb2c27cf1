"""Deployer policies of an environment, from the resource types and names in its root module."""

from collections.abc import Mapping
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Any

from clone.deployer import readme
from clone.deployer.documents import ArnNames, DeployerPolicy, make_documents
from sustainable_mlops.catalogue.regions import find_partition

#: Modules by name, in Terraform's JSON syntax.
Modules = Mapping[str, Mapping[str, Any]]
#: Resource types of Terraform itself, which call no API.
_BUILT_IN = {"terraform_data"}


def make_files(root: Mapping[str, Any], modules: Modules, names: ArnNames) -> dict[str, str]:
    """Return the files of `envs/<name>/deployer`.

    Raises UserError for a resource type without a row in the table.
    """
    documents = make_environment_documents(root, modules, names)
    return {f"{one.name}.json": one.text for one in documents} | {"README.md": readme.render_page(documents, names)}


def make_environment_documents(root: Mapping[str, Any], modules: Modules, names: ArnNames) -> list[DeployerPolicy]:
    """Return the documents of an environment."""
    return make_documents(list_resource_types(root, modules), names)


def list_resource_types(root: Mapping[str, Any], modules: Modules) -> set[str]:
    """Return the resource types of a root module and of the modules that it calls."""
    bodies = [root, *(modules[_find_module_name(call)] for call in _list_calls(root))]
    return {kind for body in bodies for kind in body.get("resource", {})} - _BUILT_IN


def read_names(
    root: Mapping[str, Any],
    modules: Modules,
    environment: str,
    name_prefix: str,
    *,
    deletion_protection: bool,
    registries: Mapping[str, str] = MappingProxyType({}),
) -> ArnNames:
    """Return the parts of the ARNs, from the backend, the provider and the module calls of the root module.

    `registries` has the name prefix of each other registry by its account.
    """
    backend = root["terraform"]["backend"]["s3"]
    calls = _list_calls(root)
    key = next((call["existing_kms_key"] for call in calls if call.get("existing_kms_key")), None)
    role_calls = [call for call in calls if "aws_iam_role" in modules[_find_module_name(call)].get("resource", {})]
    boundaries = {call.get("permissions_boundary_arn") for call in role_calls}
    (provider,) = root["provider"]["aws"]
    region = provider["region"]
    return ArnNames(
        partition=find_partition(region),
        region=region,
        account_id=provider["allowed_account_ids"][0],
        environment=environment,
        name_prefix=name_prefix,
        state_bucket=backend["bucket"],
        state_key=backend["key"],
        state_kms_key_arn=backend.get("kms_key_id"),
        existing_kms_key_arn=key["arn"] if key else None,
        role_paths=tuple(sorted({call.get("role_path", "/") for call in role_calls} or {"/"})),
        # One condition cannot cover roles with several boundaries or without one.
        permissions_boundary_arn=boundaries.pop() if len(boundaries) == 1 else None,
        deletion_protection=deletion_protection,
        registries=tuple(sorted(registries.items())),
    )


def _list_calls(root: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return list(root.get("module", {}).values())


def _find_module_name(call: Mapping[str, Any]) -> str:
    return PurePosixPath(call["source"]).name
