"""Recovery of an environment after an interrupted apply.

A killed apply leaves the state locked, and new resources that are not in the state. An apply whose credentials expired
leaves the state in the file `errored.tfstate`. Recovery removes the lock, pushes that state to the backend, imports
resources whose names the plan knows, applies, and deletes models and endpoint configurations with generated names,
which hold no data.
"""

import json
import os
import re
import shlex
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sustainable_mlops import aws
from sustainable_mlops.aws import AccountClients, Client
from sustainable_mlops.errors import UserError
from sustainable_mlops.files import write_file
from sustainable_mlops.operations.deploy.transition import wait_until_settled
from sustainable_mlops.operations.teardown import find_account, read_settings
from sustainable_mlops.terraform import Terraform

#: File in which Terraform keeps a state that it could not write to the backend.
ERRORED_STATE = "errored.tfstate"
#: Errors of AWS for a resource that exists.
_EXISTS = re.compile(
    r"already[ _]?(?:exist|own)|AlreadyExists|AlreadyOwned|ResourceInUse|DuplicateRecord", re.IGNORECASE
)
_LOCK = re.compile(
    r"Lock Info:\s+ID:\s+(?P<id>\S+).*?Operation:\s+(?P<operation>\S+)\s+Who:\s+(?P<who>\S+)"
    r".*?Created:\s+(?P<created>\S+ \S+)",
    re.DOTALL,
)
#: Attributes whose values make the ID for an import, if it is not the attribute `name`.
_ID_ATTRIBUTES: Mapping[str, tuple[str, ...]] = {
    "aws_iam_role_policy": ("role", "name"),
    "aws_s3_bucket": ("bucket",),
    "aws_sagemaker_feature_group": ("feature_group_name",),
    "aws_sagemaker_mlflow_tracking_server": ("tracking_server_name",),
    "aws_sagemaker_model_package_group": ("model_package_group_name",),
    "aws_sagemaker_pipeline": ("pipeline_name",),
    "aws_sagemaker_studio_lifecycle_config": ("studio_lifecycle_config_name",),
    "aws_scheduler_schedule": ("group_name", "name"),
}
_SEPARATORS = {"aws_iam_role_policy": ":"}
_ENDPOINT, _BUCKET = "aws_sagemaker_endpoint", "aws_s3_bucket"
#: File with the imports of a recovery, which removes it.
_IMPORTS = "recover_imports.tf.json"
#: ARNs of resources that no apply finds by their names, and that may hold data or be in use.
_GENERATED_ID = re.compile(r":kms:.*:key/|:ec2:.*:(?:security-group|vpc-endpoint)/|:sagemaker:.*:domain/")
_MODEL, _CONFIGURATION = "model", "endpoint-config"
#: Each round imports the resources that stopped the apply before; their dependents follow in the next one.
_MAX_ROUNDS = 20


@dataclass
class Recovery:
    """The changes of a recovery."""

    pushed_state: bool = False
    #: ID of each imported resource by its address.
    imported: dict[str, str] = field(default_factory=dict)
    #: ARNs of the deleted models and endpoint configurations.
    deleted: list[str] = field(default_factory=list)
    #: ARNs of the environment's resources with generated IDs, such as KMS keys, that are not in the state.
    unlisted: list[str] = field(default_factory=list)


def recover(
    terraform: Terraform, account: AccountClients, lock_id: str | None, say: Callable[[str], None] = lambda _: None
) -> Recovery:
    """Complete an interrupted apply, and return the changes.

    `lock_id` is the ID of the lock to remove. Raises UserError if another lock is in place, if a resource of the same
    name belongs to something else, or if the apply fails for another reason.
    """
    result = Recovery()
    if lock_id is not None:
        terraform.run("force-unlock", "-force", lock_id)
        say(f"removed the lock {lock_id}")
    errored = terraform.folder / ERRORED_STATE
    if errored.is_file():
        with _explain_lock(terraform):
            terraform.run("state", "push", ERRORED_STATE)
        errored.unlink()
        result.pushed_state = True
        say(f"wrote {ERRORED_STATE} to the backend, and removed the file")
    _apply_with_imports(terraform, account, result, say)
    _delete_generated(terraform, account, result, say)
    return result


def _apply_with_imports(
    terraform: Terraform, account: AccountClients, result: Recovery, say: Callable[[str], None]
) -> None:
    """Apply until nothing is missing in the state, and import the resources that exist already.

    The imports are blocks in a file. The command `terraform import` fails if a `for_each` depends on a resource.
    """
    file = terraform.folder / _IMPORTS
    try:
        for _ in range(_MAX_ROUNDS):
            say("applying")
            errors = terraform.list_apply_errors()
            if not errors:
                return
            for error in errors:
                _refuse_lock(terraform, error.text)
            existing = [
                one.address for one in errors if one.address not in result.imported and _EXISTS.search(one.text)
            ]
            if not existing:
                raise UserError(f"terraform apply in {terraform.folder.name}: {errors[0].text}")
            ids = _find_ids(terraform, existing)
            result.imported |= ids
            blocks = [{"to": address, "id": identifier} for address, identifier in result.imported.items()]
            write_file(file, json.dumps({"import": blocks}, indent=2))
            _check_imports(terraform)
            for address, identifier in ids.items():
                if re.search(rf"(^|\.){_ENDPOINT}\.", address):
                    wait_until_settled(account.client("sagemaker"), identifier)
                say(f"importing {address}")
    finally:
        file.unlink(missing_ok=True)
    raise UserError(f"{terraform.folder}: still incomplete after {_MAX_ROUNDS} applies; run the command again")


def _find_ids(terraform: Terraform, addresses: Sequence[str]) -> dict[str, str]:
    """Return the ID of each address for an import. Raises UserError for one that the plan does not know."""
    changes = {change["address"]: change for change in _list_changes(terraform)}
    identifiers = {}
    for address in addresses:
        change = changes.get(address, {"type": "", "change": {}})
        names = _ID_ATTRIBUTES.get(change["type"], ("name",))
        after = change["change"].get("after") or {}
        values = [str(after[name]) for name in names if after.get(name)]
        if len(values) < len(names):
            raise UserError(
                f"{address}: exists in AWS and is not in the state, and the plan does not know its ID; import it, and "
                "run the command again",
                f"{terraform.command} import {shlex.quote(address)} ID",
            )
        identifiers[address] = _SEPARATORS.get(change["type"], "/").join(values)
    return identifiers


def _check_imports(terraform: Terraform) -> None:
    """Raise UserError if a resource to import has other tags than the environment.

    A new bucket gets its tags by a request of its own, so a bucket without tags passes.
    """
    changes = _list_changes(terraform)
    expected = _intersect(
        [change["change"]["after"].get("tags_all") for change in changes if change["change"]["after"]]
    )
    for change in changes:
        tags = (change["change"]["before"] or {}).get("tags_all")
        is_new_bucket = change["type"] == _BUCKET and not tags
        if (
            "importing" in change["change"]
            and tags is not None
            and not is_new_bucket
            and not expected.items() <= tags.items()
        ):
            address, identifier = change["address"], change["change"]["importing"]["id"]
            raise UserError(
                f"{address}: {identifier} exists in AWS with other tags than the environment, so it belongs to "
                "something else; choose another name, or import it yourself",
                f"{terraform.command} import {shlex.quote(address)} {shlex.quote(identifier)}",
            )


def _list_changes(terraform: Terraform) -> list[dict[str, Any]]:
    """Return the planned changes of managed resources."""
    with tempfile.TemporaryDirectory() as folder:
        plan = terraform.plan(Path(folder, "tfplan"))
    changes = plan.get("resource_changes", ())
    return [change for change in changes if change["mode"] == "managed" and change["change"]["actions"] != ["delete"]]


def _intersect(all_tags: Iterable[Mapping[str, str] | None]) -> dict[str, str]:
    """Return the tags that all tagged resources have."""
    tags = [one for one in all_tags if one]
    common = tags[0] if tags else {}
    return {key: value for key, value in common.items() if all(one.get(key) == value for one in tags)}


def _find_common_tags(terraform: Terraform) -> dict[str, str]:
    """Return the tags that are common to all tagged resources of the state: the default tags of the provider."""
    return _intersect(attributes.get("tags_all") for _, attributes in terraform.list_instances())


def _delete_generated(
    terraform: Terraform, account: AccountClients, result: Recovery, say: Callable[[str], None]
) -> None:
    """Delete the environment's models and configurations that are not in the state and that no endpoint uses.

    The environment's default tags identify them, so nothing is deleted in an environment without tags.
    """
    tags = _find_common_tags(terraform)
    if not tags:
        return
    known = {str(one["arn"]) for _, one in terraform.list_instances() if one.get("arn")}
    with aws.translate_aws_errors("resources of the environment"):
        unlisted = [arn for arn in _list_tagged(account.client("resourcegroupstaggingapi"), tags) if arn not in known]
        sagemaker = account.client("sagemaker")
        for kind, delete in ((_CONFIGURATION, sagemaker.delete_endpoint_config), (_MODEL, sagemaker.delete_model)):
            in_use = _list_used(sagemaker)
            for arn in unlisted:
                name = arn.rpartition("/")[2]
                if f":{kind}/" in arn and (kind, name) not in in_use:
                    delete(**{"ModelName" if kind == _MODEL else "EndpointConfigName": name})
                    result.deleted.append(arn)
                    say(f"deleted {kind} {name}")
        kms = account.client("kms")
        result.unlisted = [
            arn
            for arn in unlisted
            if _GENERATED_ID.search(arn)
            and (":kms:" not in arn or kms.describe_key(KeyId=arn)["KeyMetadata"]["Enabled"])
        ]


def _list_tagged(tagging: Client, tags: Mapping[str, str]) -> Iterator[str]:
    """Yield the ARN of each resource with all of these tags."""
    filters = [{"Key": key, "Values": [value]} for key, value in tags.items()]
    for page in tagging.get_paginator("get_resources").paginate(TagFilters=filters):
        yield from (one["ResourceARN"] for one in page["ResourceTagMappingList"])


def _list_used(sagemaker: Client) -> set[tuple[str, str]]:
    """Return the configurations and models that endpoints, configurations and running transform jobs use, by kind."""
    used = set()
    for name in _list(sagemaker, "list_endpoints", "Endpoints", "EndpointName"):
        endpoint = sagemaker.describe_endpoint(EndpointName=name)
        for part in (endpoint, endpoint.get("PendingDeploymentSummary", {})):
            used.add((_CONFIGURATION, str(part.get("EndpointConfigName"))))
    for name in _list(sagemaker, "list_endpoint_configs", "EndpointConfigs", "EndpointConfigName"):
        configuration = sagemaker.describe_endpoint_config(EndpointConfigName=name)
        for member in ("ProductionVariants", "ShadowProductionVariants"):
            used |= {
                (_MODEL, variant["ModelName"]) for variant in configuration.get(member, []) if "ModelName" in variant
            }
    running = {"StatusEquals": "InProgress"}
    for name in _list(sagemaker, "list_transform_jobs", "TransformJobSummaries", "TransformJobName", **running):
        used.add((_MODEL, sagemaker.describe_transform_job(TransformJobName=name)["ModelName"]))
    return used


def _list(client: Client, operation: str, member: str, name: str, **request: str) -> Iterable[str]:
    return [one[name] for page in client.get_paginator(operation).paginate(**request) for one in page[member]]


@contextmanager
def _explain_lock(terraform: Terraform) -> Iterator[None]:
    try:
        yield
    except UserError as error:
        _refuse_lock(terraform, str(error))
        raise


def _refuse_lock(terraform: Terraform, text: str) -> None:
    """Raise UserError with the ID and the owner of the lock if a message is about the lock of the state."""
    if "state lock" not in text:
        return
    lock = _LOCK.search(text)
    if lock is None:
        raise UserError(f"{terraform.folder}: the state is locked: {text}")
    raise UserError(
        f"{terraform.folder}: the state is locked by {lock['who']} ({lock['operation']}) since {lock['created']} UTC. "
        "If this run has ended, remove its lock",
        f"smlops recover {shlex.quote(str(terraform.folder))} --unlock {lock['id']}",
    )


def find_environment_account(terraform: Terraform) -> AccountClients:
    """Return clients for the account in the settings, in the ARNs of the state, or of the credentials, in this order.

    Raises UserError if the credentials are of another account.
    """
    arns = [str(one["arn"]) for _, one in terraform.list_instances() if one.get("arn")]
    regional = [arn for arn in arns if all(arn.split(":")[3:5])]
    account = find_account(read_settings(terraform), {}, regional)
    if account is None:
        return AccountClients(os.environ.get("AWS_REGION", ""))
    account.check()
    return account
