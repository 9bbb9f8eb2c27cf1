"""Acts that roles must not do, as calls of AWS: the roles of `access`, and those of CI.

The fast test decides them by the policies of a plan, and `iam_table` sends them to a sandbox that enforces IAM.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any, NamedTuple

import yaml

#: Account of somebody else.
OTHER_ACCOUNT = "999988887777"
#: Alias of somebody else's key.
OTHER_ALIAS = "alias/other-team"
#: Phases of `access`.
PHASES = ("data_preparation", "training", "pipeline", "inference")
#: Sets of acts by subject, in order.
_TABLE = yaml.safe_load(Path(__file__).with_name("forbidden_acts.yaml").read_text(encoding="utf-8"))
#: Sets that concern every role except apply.
_COMMON_SETS = ("shares", "other accounts", "logs", "escalations")
#: Prefix in the data bucket that a phase does not read.
_OTHER_PREFIX = {"data_preparation": "captures/", "training": "raw/", "pipeline": "raw/", "inference": "raw/"}


@dataclass(frozen=True)
class Names:
    """Names of an environment, and of resources that it must not touch."""

    environment: str
    name_prefix: str
    account_id: str
    region: str
    state_bucket: str
    kms_key_arn: str
    #: Key of somebody else. It has the alias `OTHER_ALIAS` and no tag.
    other_key_arn: str
    role_arns: dict[str, str]

    @property
    def data(self) -> str:
        """Bucket of data."""
        return f"{self.name_prefix}-data-{self.account_id}-{self.region}"

    @property
    def artifacts(self) -> str:
        """Bucket of artifacts."""
        return f"{self.name_prefix}-artifacts-{self.account_id}-{self.region}"

    @property
    def foreign_bucket(self) -> str:
        """Bucket of another account."""
        return f"foreign-{OTHER_ACCOUNT}"

    @property
    def foreign_role_arn(self) -> str:
        """Role of another account."""
        return f"arn:aws:iam::{OTHER_ACCOUNT}:role/admin"

    @property
    def other_role_arn(self) -> str:
        """Role of the account outside the environment."""
        return f"arn:aws:iam::{self.account_id}:role/other-team"


class Act(NamedTuple):
    """A call that must be denied. `service` is botocore's name, and `call` the method of its client."""

    group: str
    service: str
    call: str
    parameters: dict[str, Any]
    #: The role may send this request. Only S3 Block Public Access of the account refuses it.
    is_blocked: bool = False

    @property
    def operation(self) -> str:
        """Name of the operation."""
        special = {"list_objects_v2": "ListObjectsV2", "put_object_acl": "PutObjectAcl"}
        return special.get(self.call) or "".join(word.capitalize() for word in self.call.split("_"))

    def __str__(self) -> str:
        return f"{self.group}: {self.service} {self.operation}"


#: State of an environment that does not exist, and that of `bootstrap`.
_OTHER_STATES = ("bootstrap/terraform.tfstate", "another/terraform.tfstate")


def list_objects(names: Names) -> list[tuple[str, str]]:
    """Return the buckets and keys of the objects that acts read. A missing object would hide a missing permission."""
    data = [(names.data, f"{prefix}x") for prefix in sorted(set(_OTHER_PREFIX.values()))]
    return [*data, *((names.state_bucket, key) for key in _OTHER_STATES), (names.foreign_bucket, "x")]


def list_acts(role: str, names: Names) -> list[Act]:
    """Return the forbidden acts of a role: a phase of `access`, or plan, apply or promote."""
    if role in PHASES:
        sets = ["data of others", "roles of others", *(["role of inference in a job"] if role == "pipeline" else [])]
        sets += ["deletions", *_COMMON_SETS]
    elif role == "apply":
        sets = ["data", "apply", "deletions", "logs", "other accounts"]
    else:
        sets = ["data", "changes", "state", "deletions", *_COMMON_SETS]
    return [act for each in sets for act in _read_set(each, _get_values(role, names))]


def _read_set(name: str, values: Mapping[str, Any]) -> Iterator[Act]:
    for subject, requests in _TABLE[name].items():
        for request in requests:
            (call, parameters), *_ = request.items()
            service, _, method = call.partition(".")
            yield Act(subject, service, method, _fill(parameters, values), "blocked" in request)


def _fill(value: Any, values: Mapping[str, Any]) -> Any:
    """Return a value of the table with the names of an environment."""
    if isinstance(value, dict):
        return {key: _fill(each, values) for key, each in value.items()}
    if isinstance(value, list):
        return [_fill(each, values) for each in value]
    return Template(value).substitute(values) if isinstance(value, str) else value


def _get_values(role: str, names: Names) -> dict[str, Any]:
    account = f"{names.region}:{names.account_id}"
    foreign_arn = f"arn:aws:s3:::{names.foreign_bucket}"
    return {
        **{name: getattr(names, name) for name in dir(names) if not name.startswith("_")},
        "prefix": names.name_prefix,
        "other_prefix": _OTHER_PREFIX.get(role, ""),
        "undirected_key_arn": names.other_key_arn if role == "data_preparation" else names.kms_key_arn,
        "inference_role_arn": names.role_arns["inference"],
        "training_role": names.role_arns["training"].rpartition("/")[2],
        "package_arn": f"arn:aws:sagemaker:{account}:model-package/{names.name_prefix}-flight-delay/1",
        "trail_arn": f"arn:aws:cloudtrail:{account}:trail/organization",
        "shared_key_policy": _share_with_another_account(names, "kms"),
        "shared_bucket_policy": _share_with_another_account(names, "s3", foreign_arn, f"{foreign_arn}/*"),
        "public_data_policy": _share_with_everyone(names.data),
        "public_artifacts_policy": _share_with_everyone(names.artifacts),
    }


def _share_with_another_account(names: Names, service: str, *resources: str) -> str:
    """Return a policy that gives both accounts the actions of a service. It stays valid for the acts that follow."""
    accounts = {"AWS": [names.account_id, OTHER_ACCOUNT]}
    statement = {"Effect": "Allow", "Principal": accounts, "Action": f"{service}:*", "Resource": resources or "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _share_with_everyone(bucket: str) -> str:
    """Return a policy that allows everyone to read the objects of a bucket."""
    statement = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
