"""Checks of Lake Formation and service-linked roles."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from sustainable_mlops.operations.preflight.account import Account
from sustainable_mlops.operations.preflight.finding import PreflightFinding
from sustainable_mlops.operations.preflight.target import PreflightTarget

_DATABASE = "sagemaker_featurestore"
#: Principal of all users and roles that IAM allows.
_EVERYBODY = "IAM_ALLOWED_PRINCIPALS"
SCALING_ROLE = "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"
SCALING_SERVICE = "sagemaker.application-autoscaling.amazonaws.com"


def check_lake_formation(target: PreflightTarget, account: Account) -> Iterator[PreflightFinding]:
    """Check if Lake Formation controls access to new tables, such as those of offline stores."""
    if not target.feature_groups:
        return
    client = account.client("lakeformation")
    settings = account.read("lakeformation:GetDataLakeSettings", client.get_data_lake_settings)["DataLakeSettings"]
    guarded = [
        guard
        for guard, name in (
            ("databases", "CreateDatabaseDefaultPermissions"),
            ("tables", "CreateTableDefaultPermissions"),
        )
        if not _is_open(settings.get(name, []))
    ]
    if not guarded:
        yield PreflightFinding("ok", "Lake Formation", "IAM controls access to new databases and tables")
        return
    guard = f"guards new {' and '.join(guarded)}"
    applier = _find_applier(target, account)
    if not _may_create_tables(account, applier):
        yield PreflightFinding(
            "stop",
            "Lake Formation",
            f"{guard}: CreateFeatureGroup is refused until the data lake administrator grants the database "
            f"{_DATABASE} to the applying role, before the first apply; the commands name {applier}",
            _grant_applier(target, applier),
        )
        return
    yield PreflightFinding(
        "look",
        "Lake Formation",
        f"{guard}, and {applier} may create tables: after the first apply, grant them to the role of feature groups",
        _grant_role(target),
    )


def _is_open(permissions: list[Mapping[str, Any]]) -> bool:
    return any(one["Principal"].get("DataLakePrincipalIdentifier") == _EVERYBODY for one in permissions)


def _find_applier(target: PreflightTarget, account: Account) -> str:
    """Return the ARN of the role that Terraform assumes, or of the credentials."""
    if target.assume_role_arn is not None:
        return target.assume_role_arn
    identity = account.read("sts:GetCallerIdentity", lambda: account.client("sts").get_caller_identity())
    return str(identity["Arn"])


def _may_create_tables(account: Account, applier: str) -> bool:
    """Return whether the applier was granted tables in the database of offline stores."""
    client = account.client("lakeformation")
    call = partial(client.list_permissions, Resource={"Database": {"Name": _DATABASE}}, MaxResults=1000)
    permissions = account.read("lakeformation:ListPermissions", call, absent=("EntityNotFoundException",))
    return any(
        _is_principal(entry["Principal"].get("DataLakePrincipalIdentifier", ""), applier)
        and {"CREATE_TABLE", "ALL"} & set(entry["Permissions"])
        for entry in (permissions or {}).get("PrincipalResourcePermissions", ())
    )


def _is_principal(granted: str, applier: str) -> bool:
    """Return whether a grant to a principal reaches the applier. The ARN of a session has no path of its role."""
    role = _role_of_session(applier)
    is_role = role is not None and ":role/" in granted and granted.endswith(f"/{role}")
    return granted in (applier, _EVERYBODY) or is_role


def _role_of_session(arn: str) -> str | None:
    return arn.split("/")[1] if ":assumed-role/" in arn else None


def _grant_applier(target: PreflightTarget, applier: str) -> str:
    """Return the command with which the administrator lets the applier create the offline stores' tables.

    A grant on a database needs the database, which Feature Store would make with the first group.
    """
    role = _role_of_session(applier)
    principal = f"$(aws iam get-role --role-name {role} --query Role.Arn --output text)" if role else applier
    grant = (
        f"aws lakeformation grant-permissions --region {target.region} "
        f'--principal DataLakePrincipalIdentifier="{principal}" --permissions'
    )
    database = f'--resource \'{{"Database": {{"Name": "{_DATABASE}"}}}}\''
    return (
        f"aws glue get-database --region {target.region} --name {_DATABASE} || "
        f"aws glue create-database --region {target.region} --database-input Name={_DATABASE} && "
        f"{grant} CREATE_DATABASE --resource '{{\"Catalog\": {{}}}}' && {grant} DESCRIBE CREATE_TABLE {database}"
    )


def _grant_role(target: PreflightTarget) -> str:
    """Return the command that lets the role of feature groups describe and alter their tables."""
    role = (
        f"$(aws ssm get-parameter --region {target.region} --name {target.platform_parameter} --query Parameter.Value "
        '--output text | python3 -c \'import json,sys; print(json.load(sys.stdin)["roles"]["data_preparation"])\')'
    )
    return (
        f"aws lakeformation grant-permissions --region {target.region} --permissions DESCRIBE ALTER "
        f'--principal DataLakePrincipalIdentifier="{role}" '
        """--resource '{"Table": {"DatabaseName": "sagemaker_featurestore", "TableWildcard": {}}}'"""
    )


def check_scaling_role(target: PreflightTarget, account: Account) -> Iterator[PreflightFinding]:
    """Check if the service-linked role exists that lets Application Auto Scaling change endpoints."""
    if not target.scales:
        return
    iam = account.client("iam")
    call = partial(iam.get_role, RoleName=SCALING_ROLE)
    if account.read("iam:GetRole", call, absent=("NoSuchEntity",)) is not None:
        yield PreflightFinding("ok", "service-linked role", f"{SCALING_ROLE} exists")
        return
    yield PreflightFinding(
        "look",
        "service-linked role",
        f"{SCALING_ROLE} does not exist: the first apply creates it if the deployer has iam:CreateServiceLinkedRole "
        "(apply-roles.json); or create it now",
        f"aws iam create-service-linked-role --aws-service-name {SCALING_SERVICE}",
    )
