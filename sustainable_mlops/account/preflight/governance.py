"""Checks of Lake Formation and service-linked roles."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from sustainable_mlops.account.preflight.account import Account
from sustainable_mlops.account.preflight.finding import PreflightFinding
from sustainable_mlops.account.preflight.target import PreflightTarget

_DATABASE = "sagemaker_featurestore"
#: Principal of all users and roles that IAM allows.
_EVERYONE = "IAM_ALLOWED_PRINCIPALS"
SCALING_ROLE = "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"
SCALING_SERVICE = "sagemaker.application-autoscaling.amazonaws.com"


def check_lake_formation(target: PreflightTarget, account: Account) -> Iterator[PreflightFinding]:
    """Check if Lake Formation controls access to new tables, such as those of offline stores."""
    if not target.feature_groups:
        return
    client = account.client("lakeformation")
    settings = account.read("lakeformation:GetDataLakeSettings", client.get_data_lake_settings)["DataLakeSettings"]
    controlled = [
        kind
        for kind, name in (
            ("databases", "CreateDatabaseDefaultPermissions"),
            ("tables", "CreateTableDefaultPermissions"),
        )
        if not _is_open(settings.get(name, []))
    ]
    if not controlled:
        yield PreflightFinding("ok", "Lake Formation", "IAM controls access to new databases and tables")
        return
    control = f"Lake Formation controls access to new {' and '.join(controlled)}"
    apply_principal = _find_apply_principal(target, account)
    if not _may_create_tables(account, apply_principal):
        yield PreflightFinding(
            "stop",
            "Lake Formation",
            f"{control}. SageMaker cannot create feature groups until the data lake administrator grants the database "
            f"{_DATABASE} to the role that applies, {apply_principal}; run the commands before the first apply",
            _format_apply_grant(target, apply_principal),
        )
        return
    yield PreflightFinding(
        "look",
        "Lake Formation",
        f"{control}, and {apply_principal} may create tables; after the first apply, grant them to the role of "
        "feature groups",
        _format_role_grant(target),
    )


def _is_open(permissions: list[Mapping[str, Any]]) -> bool:
    return any(one["Principal"].get("DataLakePrincipalIdentifier") == _EVERYONE for one in permissions)


def _find_apply_principal(target: PreflightTarget, account: Account) -> str:
    """Return the ARN of the role that Terraform assumes, or of the credentials."""
    if target.assume_role_arn is not None:
        return target.assume_role_arn
    identity = account.read("sts:GetCallerIdentity", lambda: account.client("sts").get_caller_identity())
    return str(identity["Arn"])


def _may_create_tables(account: Account, apply_principal: str) -> bool:
    """Return whether the principal that applies was granted tables in the database of offline stores."""
    client = account.client("lakeformation")
    call = partial(client.list_permissions, Resource={"Database": {"Name": _DATABASE}}, MaxResults=1000)
    permissions = account.read("lakeformation:ListPermissions", call, absent=("EntityNotFoundException",))
    return any(
        _is_principal(entry["Principal"].get("DataLakePrincipalIdentifier", ""), apply_principal)
        and {"CREATE_TABLE", "ALL"} & set(entry["Permissions"])
        for entry in (permissions or {}).get("PrincipalResourcePermissions", ())
    )


def _is_principal(granted: str, apply_principal: str) -> bool:
    """Return whether a grant includes the principal that applies. The ARN of a session omits the path of its role."""
    role = _find_session_role(apply_principal)
    is_role = role is not None and ":role/" in granted and granted.endswith(f"/{role}")
    return granted in (apply_principal, _EVERYONE) or is_role


def _find_session_role(arn: str) -> str | None:
    return arn.split("/")[1] if ":assumed-role/" in arn else None


def _format_apply_grant(target: PreflightTarget, apply_principal: str) -> str:
    """Return the administrator's command that lets the principal create the offline stores' tables.

    A grant on a database needs the database, which Feature Store would make with the first group.
    """
    role = _find_session_role(apply_principal)
    principal = f"$(aws iam get-role --role-name {role} --query Role.Arn --output text)" if role else apply_principal
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


def _format_role_grant(target: PreflightTarget) -> str:
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
        f"{SCALING_ROLE} does not exist: the first apply creates it if its role has iam:CreateServiceLinkedRole "
        "(apply-roles.json); or create it now",
        f"aws iam create-service-linked-role --aws-service-name {SCALING_SERVICE}",
    )
