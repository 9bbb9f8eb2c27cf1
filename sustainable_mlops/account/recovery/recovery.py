"""Recovery of an environment after an interrupted apply.

A killed apply leaves the state locked, and new resources that are not in the state. An apply whose credentials expired
leaves the state in the file `errored.tfstate`. Recovery removes the lock, pushes that state to the backend, imports
resources whose names the plan knows, applies checked plans, and deletes unused models and endpoint configurations with
generated names, which hold no data.
"""

import json
import re
import shlex
import tempfile
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sustainable_mlops import aws
from sustainable_mlops.account.idle.account import AccountReader
from sustainable_mlops.account.idle.model_users import list_models, list_transform_models, list_used_configurations
from sustainable_mlops.account.preflight.account import DeniedError
from sustainable_mlops.account.recovery.ownership import EnvironmentIdentity, explain_missing_proof
from sustainable_mlops.account.transition import wait_until_settled
from sustainable_mlops.aws import AccountClients, Client
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.base.files import write_file
from sustainable_mlops.base.terraform import Diagnostic, Terraform
from sustainable_mlops.base.terraform_state import State
from sustainable_mlops.review.stateless_types import is_stateless
from sustainable_mlops.review.stores import STORES

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
#: Attributes whose values make the ID for an import. The plan does not know the IDs of other types, such as ARNs.
_ID_ATTRIBUTES: Mapping[str, tuple[str, ...]] = {
    "aws_cloudwatch_event_api_destination": ("name",),
    "aws_cloudwatch_event_connection": ("name",),
    "aws_cloudwatch_log_group": ("name",),
    "aws_ecr_repository": ("name",),
    "aws_iam_role": ("name",),
    "aws_iam_role_policy": ("role", "name"),
    "aws_kms_alias": ("name",),
    "aws_s3_bucket": ("bucket",),
    "aws_sagemaker_endpoint": ("name",),
    "aws_sagemaker_endpoint_configuration": ("name",),
    "aws_sagemaker_feature_group": ("feature_group_name",),
    "aws_sagemaker_mlflow_tracking_server": ("tracking_server_name",),
    "aws_sagemaker_model": ("name",),
    "aws_sagemaker_model_package_group": ("model_package_group_name",),
    "aws_sagemaker_pipeline": ("pipeline_name",),
    "aws_sagemaker_studio_lifecycle_config": ("studio_lifecycle_config_name",),
    "aws_scheduler_schedule": ("group_name", "name"),
    "aws_scheduler_schedule_group": ("name",),
    "aws_ssm_document": ("name",),
    "aws_ssm_parameter": ("name",),
}
_SEPARATORS = {"aws_iam_role_policy": ":"}
_ENDPOINT = "aws_sagemaker_endpoint"
#: Types without data. Each change creates a new resource before it deletes the old one.
_VERSIONED_TYPES = frozenset({"aws_sagemaker_model", "aws_sagemaker_endpoint_configuration"})
_TAINTED = "replace_because_tainted"
#: File with the imports of a recovery, which removes it at its end, and at its start after a killed recovery.
_IMPORTS = "recover_imports.tf.json"
#: ARNs of resources that no apply finds by their names, and that may hold data or be in use.
_GENERATED_ID = re.compile(r":kms:.*:key/|:ec2:.*:(?:security-group|vpc-endpoint)/|:sagemaker:.*:domain/")
_MODEL, _CONFIGURATION = "model", "endpoint-config"
#: Codes of SageMaker and KMS for a resource that does not exist.
_GONE = ("ValidationException", "NotFoundException")
#: Tag that the resources of an environment must have before recovery deletes any of them.
_ENVIRONMENT_TAG = "environment"
#: Name that the provider generates after a prefix: a time and a counter. Models have no prefix of their own.
_GENERATED_SUFFIX = re.compile(r"\d{18}[0-9a-f]{8}$")
_MODEL_PREFIX = "terraform-"
#: Each round imports the resources that stopped the apply before; their dependents follow in the next one.
_MAX_ROUNDS = 20


@dataclass
class Recovery:
    """The changes of a recovery."""

    #: ID of each imported resource by its address.
    imported: dict[str, str] = field(default_factory=dict)
    #: ARNs of the deleted models and endpoint configurations.
    deleted: list[str] = field(default_factory=list)
    #: ARNs of the environment's resources with generated IDs, such as KMS keys, that are not in the state.
    unlisted: list[str] = field(default_factory=list)


def recover(
    terraform: Terraform,
    account: AccountClients,
    lock_id: str | None,
    say: Callable[[str], None] = lambda _: None,
    *,
    allow_deletes: bool = False,
) -> Recovery:
    """Complete an interrupted apply, and return the changes.

    `lock_id` is the ID of the lock to remove. Raises UserError if another lock is in place, if a resource of the same
    name belongs to something else, if the plan deletes more than the interrupted apply left, or if the apply fails for
    another reason. `allow_deletes` accepts the deletions of the plan.
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
        say(f"wrote {ERRORED_STATE} to the backend, and removed the file")
    _untaint_data_resources(terraform, say)
    _apply_with_imports(terraform, account, result, say, allow_deletes)
    _delete_generated(terraform, account, result, say)
    return result


def _untaint_data_resources(terraform: Terraform, say: Callable[[str], None]) -> None:
    """Untaint resources that may hold data, which the next apply would replace."""
    for address in terraform.read_state().tainted:
        type_ = re.sub(r"\[[^]]*\]", "", address).split(".")[-2]
        if _may_hold_data(type_):
            with _explain_lock(terraform):
                terraform.run("untaint", address)
            say(f"keeping {address}, whose creation was interrupted")


def _may_hold_data(type_: str) -> bool:
    return type_ in STORES or not is_stateless(type_)


def _apply_with_imports(
    terraform: Terraform,
    account: AccountClients,
    result: Recovery,
    say: Callable[[str], None],
    allow_deletes: bool,
) -> None:
    """Apply until nothing is missing in the state, and import the resources that exist already.

    Each round plans, checks the plan, and applies this plan. The imports are blocks in a file. The command
    `terraform import` fails if a `for_each` depends on a resource.
    """
    imports = terraform.folder / _IMPORTS
    imports.unlink(missing_ok=True)  # of a killed recovery, whose imports nothing would check
    ids: dict[str, str] = {}
    try:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "tfplan")
            for _ in range(_MAX_ROUNDS):
                with _explain_lock(terraform):
                    changes = _list_changes(terraform.plan(file))
                _check_imports(terraform, account, changes, result.imported)
                if not allow_deletes:
                    _check_deletions(terraform, changes)
                for address, identifier in ids.items():
                    if re.search(rf"(^|\.){_ENDPOINT}\.", address):
                        wait_until_settled(account.client("sagemaker"), identifier)
                    say(f"importing {address}")
                for change in changes:
                    if change["change"]["actions"] == ["delete"]:
                        say(f"deleting {change['address']}")
                say("applying")
                errors = terraform.list_apply_errors(str(file))
                if not errors:
                    return
                for error in errors:
                    _raise_if_locked(terraform, error.text)
                existing = [one for one in _list_existing(errors, changes) if one not in result.imported]
                if not existing:
                    raise UserError(
                        f"terraform apply in {terraform.folder.name}: {errors[0].text}; correct the cause, and run "
                        "smlops recover again"
                    )
                ids = _find_ids(terraform, changes, existing)
                result.imported |= ids
                blocks = [{"to": address, "id": identifier} for address, identifier in result.imported.items()]
                write_file(imports, json.dumps({"import": blocks}, indent=2))
    finally:
        imports.unlink(missing_ok=True)
    raise UserError(f"{terraform.folder}: still incomplete after {_MAX_ROUNDS} applies; run the command again")


def _list_existing(errors: Iterable[Diagnostic], changes: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the addresses that the plan creates, and that AWS has already.

    The same errors for other changes mean that a resource is busy.
    """
    created = {change["address"] for change in changes if "create" in change["change"]["actions"]}
    return [error.address for error in errors if error.address in created and _EXISTS.search(error.text)]


def _find_ids(terraform: Terraform, changes: Iterable[Mapping[str, Any]], addresses: Sequence[str]) -> dict[str, str]:
    """Return the ID of each address for an import. Raises UserError if the planned attributes do not contain it."""
    planned = {change["address"]: change for change in changes if "create" in change["change"]["actions"]}
    identifiers = {}
    for address in addresses:
        change = planned[address]
        names = _ID_ATTRIBUTES.get(change["type"], ())
        after = change["change"].get("after") or {}
        values = [str(after[name]) for name in names if after.get(name)]
        if not names or len(values) < len(names):
            raise UserError(
                f"{address}: exists in AWS and is not in the state, and the plan does not know its ID; import it, and "
                "run the command again",
                f"{terraform.command} import {shlex.quote(address)} ID",
            )
        identifiers[address] = _SEPARATORS.get(change["type"], "/").join(values)
    return identifiers


def _check_imports(
    terraform: Terraform,
    account: AccountClients,
    changes: Sequence[Mapping[str, Any]],
    addresses: Collection[str],
) -> None:
    """Raise UserError if a resource to import may belong to something else, or if the plan replaces it."""
    imports = [change for change in changes if change["address"] in addresses and "importing" in change["change"]]
    if not imports:
        return
    tags = _intersect_tags(
        [change["change"]["after"].get("tags_all") for change in changes if change["change"].get("after")]
    )
    if not tags:
        names = ", ".join(change["address"] for change in imports)
        raise UserError(
            f"{names}: exists in AWS, but nothing proves that it belongs to {terraform.folder.name}, because the "
            f"resources of {terraform.folder.name} share no tag; set default_tags of the provider, or import the "
            "resource yourself"
        )
    environment = EnvironmentIdentity(terraform.read_state(), tags, account)
    for change in imports:
        address, identifier = change["address"], change["change"]["importing"]["id"]
        doubt = explain_missing_proof(change, environment)
        if doubt is not None:
            raise UserError(
                f"{address}: {identifier} exists in AWS and may belong to something else: {doubt}; choose another "
                "name, or import it yourself",
                f"{terraform.command} import {shlex.quote(address)} {shlex.quote(identifier)}",
            )
        if "delete" in change["change"]["actions"]:
            raise UserError(
                f"{address}: {identifier} exists in AWS with other settings, and the plan would replace it; change the "
                "configuration, or delete the resource yourself"
            )


def _check_deletions(terraform: Terraform, changes: Iterable[Mapping[str, Any]]) -> None:
    """Raise UserError if the plan deletes a resource, unless an interrupted apply must have left the deletion.

    These deletions hold no data: old models and configurations after their replacement, and partly created or
    already replaced resources.
    """
    deletions = [
        change["address"]
        for change in changes
        if "delete" in change["change"]["actions"] and not _is_left_by_apply(change)
    ]
    if deletions:
        raise UserError(
            f"{terraform.folder}: the plan deletes {', '.join(deletions)}; nothing was applied. Restore the "
            "configuration, or allow the deletions",
            f"smlops recover {shlex.quote(str(terraform.folder))} --allow-deletes",
        )


def _is_left_by_apply(change: Mapping[str, Any]) -> bool:
    """Return whether a deletion replaces a resource without data, or completes its interrupted replacement."""
    if _may_hold_data(change["type"]):
        return False
    is_replaced = change["type"] in _VERSIONED_TYPES and change["change"]["actions"] == ["create", "delete"]
    return is_replaced or "deposed" in change or change.get("action_reason") == _TAINTED


def _list_changes(plan: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the planned changes of managed resources."""
    return [change for change in plan.get("resource_changes", ()) if change["mode"] == "managed"]


def _intersect_tags(all_tags: Iterable[Mapping[str, str] | None]) -> dict[str, str]:
    """Return the tags that are common to all non-empty sets of tags."""
    tags = [one for one in all_tags if one]
    common = tags[0] if tags else {}
    return {key: value for key, value in common.items() if all(one.get(key) == value for one in tags)}


def _find_common_tags(state: State) -> dict[str, str]:
    """Return the tags that are common to all tagged resources of the state: the default tags of the provider."""
    return _intersect_tags(attributes.get("tags_all") for _, attributes in state.instances)


def _delete_generated(
    terraform: Terraform, account: AccountClients, result: Recovery, say: Callable[[str], None]
) -> None:
    """Delete models and endpoint configurations of lost states that nothing uses.

    They have the common tags of the environment, a name that the provider generated, and the prefix or the role of a
    resource in the state. So models of `smlops transform` and of other root modules stay. Nothing is deleted in an
    environment without the tag `environment`.
    """
    state = terraform.read_state()
    tags = _find_common_tags(state)
    if _ENVIRONMENT_TAG not in tags:
        return
    known = set(state.arns)
    roles = {str(one["execution_role_arn"]) for one in state.list_attributes("aws_sagemaker_model")}
    configurations = state.list_attributes("aws_sagemaker_endpoint_configuration")
    prefixes = {
        _CONFIGURATION: {str(one["name_prefix"]) for one in configurations if one.get("name_prefix")},
        _MODEL: {_MODEL_PREFIX},
    }
    with aws.translate_aws_errors("resources of the environment"):
        unlisted = [arn for arn in _list_tagged(account.client("resourcegroupstaggingapi"), tags) if arn not in known]
        sagemaker = account.client("sagemaker")
        for kind in (_CONFIGURATION, _MODEL):
            generated = [
                arn for arn in unlisted if f":{kind}/" in arn and _is_generated(_read_name(arn), prefixes[kind])
            ]
            # A new account for each kind, because it sends a request only once.
            in_use = _list_used(AccountReader(account.region, account.role_arn)) if generated else set()
            for arn in generated:
                name = _read_name(arn)
                if (kind, name) not in in_use and _delete(sagemaker, kind, name, roles):
                    result.deleted.append(arn)
                    say(f"deleted {kind} {name}")
        kms = account.client("kms")
        result.unlisted = [
            arn for arn in unlisted if _GENERATED_ID.search(arn) and (":kms:" not in arn or _is_enabled(kms, arn))
        ]


def _delete(sagemaker: Client, kind: str, name: str, roles: Collection[str]) -> bool:
    """Delete a configuration, or a model with one of the roles. Return False if it stays, or is gone already."""
    if kind == _CONFIGURATION:
        return _call_unless_gone(lambda: sagemaker.delete_endpoint_config(EndpointConfigName=name)) is not None
    model = _call_unless_gone(lambda: sagemaker.describe_model(ModelName=name))
    if model is None or model.get("ExecutionRoleArn") not in roles:
        return False
    return _call_unless_gone(lambda: sagemaker.delete_model(ModelName=name)) is not None


def _is_enabled(kms: Client, arn: str) -> bool:
    """Return whether a KMS key exists and is enabled."""
    key = _call_unless_gone(lambda: kms.describe_key(KeyId=arn))
    return key is not None and bool(key["KeyMetadata"]["Enabled"])


def _call_unless_gone(request: Callable[[], Any]) -> Any:
    """Return the response, or None if the resource is gone. The tagging API lists deleted resources for some time."""
    from botocore.exceptions import ClientError

    try:
        return request()
    except ClientError as error:
        if aws.read_error_code(error) not in _GONE:
            raise
        return None


def _read_name(arn: str) -> str:
    return arn.rpartition("/")[2]


def _is_generated(name: str, prefixes: Iterable[str]) -> bool:
    """Return whether the provider generated a name after one of the prefixes."""
    return any(name.startswith(one) and _GENERATED_SUFFIX.match(name, len(one)) for one in prefixes)


def _list_tagged(tagging: Client, tags: Mapping[str, str]) -> Iterator[str]:
    """Yield the ARN of each resource with all of these tags."""
    filters = [{"Key": key, "Values": [value]} for key, value in tags.items()]
    for page in tagging.get_paginator("get_resources").paginate(TagFilters=filters):
        yield from (one["ResourceARN"] for one in page["ResourceTagMappingList"])


def _list_used(account: AccountReader) -> set[tuple[str, str]]:
    """Return the configurations and models in use, by kind. Raises UserError if a read is denied.

    Their users are endpoints, configurations, inference components and running transform jobs.
    """
    try:
        used = list_used_configurations(account)
        summaries = account.list_all("sagemaker", "list_endpoint_configs", "EndpointConfigs")
        models = list_models(account, [one["EndpointConfigName"] for one in summaries], used)
        models |= list_transform_models(account, StatusEquals="InProgress")
    except DeniedError as error:
        raise UserError(f"{error.reason}; allow it, and run the command again") from None
    return {(_CONFIGURATION, name) for name in used} | {(_MODEL, name) for name in models}


@contextmanager
def _explain_lock(terraform: Terraform) -> Iterator[None]:
    try:
        yield
    except UserError as error:
        _raise_if_locked(terraform, str(error))
        raise


def _raise_if_locked(terraform: Terraform, text: str) -> None:
    """Raise UserError with the ID and the owner of the lock if a message is about the lock of the state."""
    if "state lock" not in text:
        return
    lock = _LOCK.search(text)
    if lock is None:
        raise UserError(f"{terraform.folder}: the state is locked: {text}; wait for the end of the other operation")
    raise UserError(
        f"{terraform.folder}: the state is locked by {lock['who']} ({lock['operation']}) since {lock['created']} UTC. "
        "If this run has ended, remove its lock",
        f"smlops recover {shlex.quote(str(terraform.folder))} --unlock {lock['id']}",
    )
