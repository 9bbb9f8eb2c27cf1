"""Checks of Lake Formation and service-linked roles."""

from collections.abc import Iterator, Mapping
from typing import Any

from sustainable_mlops.operations.preflight.account import Account
from sustainable_mlops.operations.preflight.finding import Finding
from sustainable_mlops.operations.preflight.target import Target

#: Principal that stands for every identity that IAM allows.
_EVERYBODY = "IAM_ALLOWED_PRINCIPALS"
SCALING_ROLE = "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"
SCALING_SERVICE = "sagemaker.application-autoscaling.amazonaws.com"


def check_lake_formation(target: Target, account: Account) -> Iterator[Finding]:
    """Check if Lake Formation controls access to new tables, such as those of offline stores."""
    if not target.feature_groups:
        return
    client = account.client("lakeformation")
    settings = account.read("lakeformation:GetDataLakeSettings", client.get_data_lake_settings)["DataLakeSettings"]
    guarded = [
        what
        for what, name in (
            ("databases", "CreateDatabaseDefaultPermissions"),
            ("tables", "CreateTableDefaultPermissions"),
        )
        if not _is_open(settings.get(name, []))
    ]
    if not guarded:
        yield Finding("ok", "Lake Formation", "IAM controls access to new databases and tables")
        return
    yield Finding(
        "look",
        "Lake Formation",
        f"controls access to new {' and '.join(guarded)}: after the first apply, grant the role of feature groups "
        "access to the tables of the offline stores",
        _grant(target),
    )


def _is_open(permissions: list[Mapping[str, Any]]) -> bool:
    return any(one["Principal"].get("DataLakePrincipalIdentifier") == _EVERYBODY for one in permissions)


def _grant(target: Target) -> str:
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


def check_scaling_role(target: Target, account: Account) -> Iterator[Finding]:
    """Check if the service-linked role exists that lets Application Auto Scaling change endpoints."""
    if not target.scales:
        return
    iam = account.client("iam")
    call = lambda: iam.get_role(RoleName=SCALING_ROLE)  # noqa: E731
    if account.read("iam:GetRole", call, absent=("NoSuchEntity",)) is not None:
        yield Finding("ok", "service-linked role", f"{SCALING_ROLE} exists")
        return
    yield Finding(
        "look",
        "service-linked role",
        f"{SCALING_ROLE} does not exist: the first apply creates it if the deployer has iam:CreateServiceLinkedRole "
        "(apply-roles.json); or create it now",
        f"aws iam create-service-linked-role --aws-service-name {SCALING_SERVICE}",
    )
