"""Checks of the credentials, the Region and the state bucket."""

from collections.abc import Iterator

from sustainable_mlops.account.preflight.account import Account, DeniedError
from sustainable_mlops.account.preflight.bootstrap import BOOTSTRAP, format_bootstrap_command
from sustainable_mlops.account.preflight.finding import PreflightFinding, build_unknown_finding
from sustainable_mlops.account.preflight.target import PreflightTarget


def check_credentials(target: PreflightTarget, account: Account) -> Iterator[PreflightFinding]:
    """Compare the account of the credentials with the account in the settings. Raises UserError without credentials.

    GetCallerIdentity needs no permission: where it fails, the credentials are of no use, or no network reaches AWS.
    """
    try:
        identity = account.read(
            "sts:GetCallerIdentity", lambda: account.client("sts", account.home_region).get_caller_identity()
        )
    except DeniedError as error:
        text = (
            f"AWS does not accept the credentials, or does not answer: {error.reason}; "
            "sign in again, or check the network"
        )
        yield PreflightFinding("stop", "credentials", text, "aws sso login")
        return
    if identity["Account"] == target.account_id:
        yield PreflightFinding("ok", "credentials", f"account {target.account_id}, as {identity['Arn']}")
        return
    yield PreflightFinding(
        "stop",
        "credentials",
        f"account {identity['Account']}, but settings.yaml has account_id {target.account_id}: use a profile of "
        f"account {target.account_id}",
        "aws configure list-profiles",
    )


def check_region(target: PreflightTarget, account: Account) -> Iterator[PreflightFinding]:
    """Check if the account has enabled the Region."""
    ec2 = account.client("ec2", account.home_region)
    try:
        response = account.read("ec2:DescribeRegions", lambda: ec2.describe_regions(AllRegions=True))
    except DeniedError as error:
        yield _call_sts(target, account, error)
        return
    regions = response["Regions"]
    status = next((one["OptInStatus"] for one in regions if one["RegionName"] == target.region), None)
    if status in ("opted-in", "opt-in-not-required"):
        yield PreflightFinding("ok", "Region", f"{target.region} is enabled")
    elif status is None:
        yield PreflightFinding(
            "stop", "Region", f"AWS has no Region {target.region} in this partition; change region in settings.yaml"
        )
    else:
        yield _build_disabled_finding(target, status)


def _call_sts(target: PreflightTarget, account: Account, denied: DeniedError) -> PreflightFinding:
    """Check the Region by a call of STS, which answers only in enabled Regions and needs no permission."""
    sts = account.client("sts")
    try:
        identity = account.read("sts:GetCallerIdentity", sts.get_caller_identity, absent=("InvalidClientTokenId",))
    except DeniedError:
        return build_unknown_finding("Region", denied.reason, denied.action)
    if identity is None:
        return _build_disabled_finding(target, "STS refuses the credentials there")
    return PreflightFinding("ok", "Region", f"{target.region} is enabled: STS answers there ({denied.reason})")


def _build_disabled_finding(target: PreflightTarget, status: str) -> PreflightFinding:
    return PreflightFinding(
        "stop",
        "Region",
        f"{target.region} is not enabled ({status}); enabling takes minutes to hours",
        f"aws account enable-region --region-name {target.region}",
    )


def check_state_bucket(target: PreflightTarget, account: Account) -> Iterator[PreflightFinding]:
    """Check that the state bucket exists in the Region and has versioning enabled."""
    s3, bucket = account.client("s3"), target.state_bucket
    response = account.read("s3:ListBucket", lambda: s3.head_bucket(Bucket=bucket), absent=("404", "NoSuchBucket"))
    if response is None:
        yield PreflightFinding(
            "stop", "state bucket", f"{bucket} does not exist; {BOOTSTRAP}", format_bootstrap_command(target)
        )
        return
    located = account.read("s3:GetBucketLocation", lambda: s3.get_bucket_location(Bucket=bucket))
    region = located["LocationConstraint"] or "us-east-1"
    if region != target.region:
        yield PreflightFinding(
            "stop",
            "state bucket",
            f"{bucket} is in {region}, but the backend uses {target.region}: set another state.bucket in "
            "settings.yaml, then run",
            "smlops synth",
        )
        return
    status = account.read("s3:GetBucketVersioning", lambda: s3.get_bucket_versioning(Bucket=bucket)).get("Status")
    if status == "Enabled":
        yield PreflightFinding("ok", "state bucket", f"{bucket} exists in {region} with versioning enabled")
    else:
        yield PreflightFinding(
            "look",
            "state bucket",
            f"{bucket} has no versioning, so a lost state cannot be restored; {BOOTSTRAP}",
            format_bootstrap_command(target),
        )
