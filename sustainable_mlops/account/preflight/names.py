"""Checks that the names of buckets, the key alias and log groups are free before the first apply."""

from collections.abc import Iterator
from functools import partial

from sustainable_mlops.account.preflight.account import Account
from sustainable_mlops.account.preflight.finding import PreflightFinding
from sustainable_mlops.account.preflight.target import PreflightTarget
from sustainable_mlops.base.log_groups import SETTING, edit_setting


def is_applied(target: PreflightTarget, account: Account) -> bool:
    """Return whether the environment was applied before and so owns its names."""
    ssm = account.client("ssm")
    call = partial(ssm.get_parameter, Name=target.platform_parameter)
    return account.read("ssm:GetParameter", call, absent=("ParameterNotFound",)) is not None


def check_buckets(target: PreflightTarget, account: Account) -> Iterator[PreflightFinding]:
    """Check if the names of the buckets are free; all AWS accounts share them."""
    s3 = account.client("s3")
    existing = []
    for bucket in target.buckets:
        call = partial(s3.head_bucket, Bucket=bucket)
        # S3 answers 403 both for a bucket of another account and where s3:ListBucket is denied.
        if account.read("s3:ListBucket", call, absent=("404", "NoSuchBucket")) is not None:
            existing.append(bucket)
    for bucket in existing:
        yield PreflightFinding(
            "stop",
            "bucket names",
            f"{bucket} exists; adopt it if it is this environment's, or change name_prefix",
            _format_import_command(
                target, f"module.storage.aws_s3_bucket.{_format_bucket_resource_name(target, bucket)}", bucket
            ),
        )
    if not existing:
        yield PreflightFinding(
            "ok", "bucket names", f"{len(target.buckets)} names are free: {', '.join(target.buckets)}"
        )


def _format_bucket_resource_name(target: PreflightTarget, bucket: str) -> str:
    """Return the last part of the bucket's Terraform address."""
    purpose = bucket.removeprefix(f"{target.name_prefix}-").removesuffix(f"-{target.account_id}-{target.region}")
    return "logs" if purpose == "logs" else f'this["{purpose}"]'


def check_alias(target: PreflightTarget, account: Account) -> Iterator[PreflightFinding]:
    """Check if the alias of the environment's own key is free."""
    if target.key_alias is None:
        return
    kms = account.client("kms")
    pages = account.read("kms:ListAliases", lambda: list(kms.get_paginator("list_aliases").paginate()))
    names = {alias["AliasName"] for page in pages for alias in page["Aliases"]}
    if target.key_alias in names:
        address = 'module.storage.aws_kms_alias.this["own"]'
        yield PreflightFinding(
            "stop",
            "key alias",
            f"{target.key_alias} exists; adopt it, or change name_prefix",
            _format_import_command(target, address, target.key_alias),
        )
    else:
        yield PreflightFinding("ok", "key alias", f"{target.key_alias} is free")


def check_log_groups(target: PreflightTarget, account: Account) -> Iterator[PreflightFinding]:
    """Check for log groups that SageMaker created before Terraform."""
    logs = account.client("logs")
    pager = logs.get_paginator("describe_log_groups")
    pages = account.read("logs:DescribeLogGroups", lambda: list(pager.paginate(logGroupNamePrefix="/aws/sagemaker/")))
    existing = {group["logGroupName"] for page in pages for group in page["logGroups"]}
    yield from _check_shared_log_groups(target, existing)
    missing = [name for name in target.log_groups if name in existing and name not in target.adopted_log_groups]
    if not missing:
        yield PreflightFinding("ok", "log groups", f"{len(target.log_groups)} names are free or in existing_log_groups")
        return
    settings = target.folder / "settings.yaml"
    edit = edit_setting(settings, sorted({*target.adopted_log_groups, *missing}))
    synth = f"smlops synth {target.environment}"
    yield PreflightFinding(
        "stop",
        "log groups",
        f"{', '.join(missing)} {'exists' if len(missing) == 1 else 'exist'}: the first apply would end with "
        "ResourceAlreadyExistsException; let it adopt the existing groups"
        + ("" if edit else f": add the names to the list {SETTING} in {settings}, then"),
        f"{edit} && {synth}" if edit else synth,
    )


def _check_shared_log_groups(target: PreflightTarget, existing: set[str]) -> Iterator[PreflightFinding]:
    """Check if the owner of shared log groups has created them."""
    if absent := [name for name in target.shared_log_groups if name not in existing]:
        yield PreflightFinding(
            "look",
            "log groups",
            f"account_log_groups is shared, and {', '.join(absent)} {'does' if len(absent) == 1 else 'do'} not exist; "
            "apply the environment that owns them first, or jobs create them without a retention time",
        )


def _format_import_command(target: PreflightTarget, address: str, identifier: str) -> str:
    return f"terraform -chdir={target.folder} import '{address}' {identifier}"
