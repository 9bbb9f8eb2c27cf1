"""Scope of a scan: an environment or a whole Region, its period, and the tags of its resources."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sustainable_mlops.account.idle.account import AccountReader
from sustainable_mlops.account.idle.finding import UNKNOWN_MANAGER
from sustainable_mlops.base.documents import read_mapping
from sustainable_mlops.base.errors import UserError, describe_missing_file, did_you_mean
from sustainable_mlops.catalogue import regions

#: Services whose resources are scanned, as the tagging API names them.
_TAGGED_SERVICES = ("ec2:vpc-endpoint", "logs", "s3", "sagemaker")
#: Tags of all resources that the Terraform of an environment creates; see TagSettings in envs/common.py.
_PLATFORM_TAGS = {"environment", "workload", "owner", "data_class"}
#: Tag of resources that a launcher creates; see `tags` in jobs/run.py.
_RUN_TAG = "run_key"
#: Names of the tag that holds the managing tool, without hyphens and underscores.
_MANAGER_TAGS = {"managedby", "provisioner", "provisionedby"}
_TOOLS = {"terraform": "Terraform", "opentofu": "OpenTofu", "pulumi": "Pulumi", "cdk": "AWS CDK"}


@dataclass(frozen=True)
class IdleScanTarget:
    """Subject of a scan: an environment, or a whole Region if `environment` is empty."""

    region: str
    environment: str = ""
    name_prefix: str = ""
    account_id: str | None = None
    assume_role_arn: str | None = None


def read_environment(folder: Path) -> IdleScanTarget:
    """Return the target of an environment's folder. Raises UserError if its settings are not usable."""
    if folder.is_file():
        raise UserError(f"--environment: {folder}: is a file; pass its folder: {folder.absolute().parent}")
    file = folder / "settings.yaml"
    if not file.is_file():
        raise UserError(describe_missing_file(file))
    settings = read_mapping(file)
    for name in ("region", "name_prefix", "account_id"):
        if not settings.get(name):
            raise UserError(f"{file}: {name}: is missing; add it, or use --region for the whole Region")
    return IdleScanTarget(
        region=str(settings["region"]),
        environment=str(settings.get("environment") or folder.resolve().name),
        name_prefix=str(settings["name_prefix"]),
        account_id=str(settings["account_id"]),
        assume_role_arn=settings.get("assume_role_arn"),
    )


def choose_target(environment: Path | None, region: str | None) -> IdleScanTarget:
    """Return the target of a command. Raises UserError unless exactly one of the two is given."""
    if (environment is None) == (region is None):
        raise UserError("pass either --environment with the folder of an environment, or --region for a whole Region")
    if environment is not None:
        return read_environment(environment)
    name = region or ""
    if regions.find(name) is None:
        raise UserError(f"--region {name}: is not a Region of the catalogue{did_you_mean(name, regions.load_all())}")
    return IdleScanTarget(name)


def connect_account(target: IdleScanTarget) -> AccountReader:
    """Return the account of a target. Raises UserError if the credentials belong to another account."""
    account = AccountReader(target.region, target.assume_role_arn, target.account_id)
    if target.account_id is not None:
        account.check()
    return account


@dataclass(frozen=True)
class IdleScanScope:
    """Resources and period of a scan. `tags` is None if the account's tags cannot be read."""

    account: AccountReader
    target: IdleScanTarget
    days: float
    moment: datetime
    tags: Mapping[str, Mapping[str, str]] | None

    @property
    def region(self) -> str:
        """Region of the scan."""
        return self.target.region

    @property
    def since(self) -> datetime:
        """Start of the period without use."""
        return self.moment - timedelta(days=self.days)

    @property
    def period(self) -> str:
        """Length of the period, in words."""
        return format_days(self.days)

    def includes(self, name: str, *arns: str) -> bool:
        """Return whether a resource belongs to the scan, by its name or by the tag `environment`."""
        if not self.target.environment:
            return True
        starts = (part.startswith(f"{self.target.name_prefix}-") for part in name.split("/"))
        return any(starts) or any(self._get_tags(arn).get("environment") == self.target.environment for arn in arns)

    def is_older(self, moment: datetime | None) -> bool:
        """Return whether a moment is before the period."""
        return moment is not None and moment <= self.since

    def count_days(self, moment: datetime) -> str:
        """Return the days since a moment, in words."""
        return format_days(int((self.moment - moment).total_seconds() // 86_400))

    def find_manager(self, arn: str) -> str:
        """Return the tool that manages a resource by its tags; empty for none."""
        return UNKNOWN_MANAGER if self.tags is None else find_manager(self._get_tags(arn))

    def _get_tags(self, arn: str) -> Mapping[str, str]:
        return (self.tags or {}).get(arn.removesuffix(":*"), {})


def format_days(days: float) -> str:
    """Return a number of days in words."""
    return f"{days:g} day{'' if days == 1 else 's'}"


def read_tags(account: AccountReader) -> dict[str, dict[str, str]]:
    """Return the tags of the Region's resources by ARN. Raises DeniedError."""
    resources = account.list_all(
        "resourcegroupstaggingapi",
        "get_resources",
        "ResourceTagMappingList",
        ResourceTypeFilters=list(_TAGGED_SERVICES),
    )
    return {one["ResourceARN"]: {tag["Key"]: tag["Value"] for tag in one["Tags"]} for one in resources}


def find_manager(tags: Mapping[str, str]) -> str:
    """Return the tool that manages a resource with these tags; empty for none."""
    if "aws:cloudformation:stack-name" in tags:
        return "CloudFormation"
    for key, value in tags.items():
        name, text = key.lower().replace("-", "").replace("_", ""), value.lower()
        if name in _MANAGER_TAGS and (tool := next((_TOOLS[word] for word in _TOOLS if word in text), "")):
            return tool
        if name == "terraform" and text in ("true", "yes", "1"):
            return "Terraform"
    return "Terraform" if tags.keys() >= _PLATFORM_TAGS and _RUN_TAG not in tags else ""
