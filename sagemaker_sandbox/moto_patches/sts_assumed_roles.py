"""STS: moto assumes roles that do not exist, and drops the managed policies and the tags of a session.

An account other than the default has the role that AWS Organizations creates in a member account.
"""

import json
import re
from typing import Any

import moto.core
from moto.core.exceptions import AccessDeniedError
from moto.iam.exceptions import NotFoundException
from moto.iam.models import iam_backends
from moto.sts.models import STSBackend
from moto.sts.responses import TokenResponse

from sagemaker_sandbox import moto_patches
from sagemaker_sandbox.iam import roles

#: Role of a member account, for the management account. Source: Organizations user guide, "Accessing member accounts".
ORGANIZATION_ROLE = "OrganizationAccountAccessRole"
_ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"


def apply() -> None:
    """Refuse roles that do not exist, and keep policies and tags of a session with it."""
    moto_patches.apply("iam")  # policies of AWS
    assume_role = STSBackend.assume_role
    respond = TokenResponse.assume_role

    def assume_existing_role(self: Any, **options: Any) -> Any:
        _check_role(self, options["role_arn"])
        return assume_role(self, **options)

    def assume_role_with_session(self: Any) -> Any:
        result = respond(self)
        session = result.result["Credentials"]
        backend = iam_backends[session.account_id][session.partition]
        arns = [str(item["arn"]) for item in self._get_param("PolicyArns") or []]
        session.session_policies = [_read_document(backend, arn) for arn in arns]
        session.session_tags = {str(tag["Key"]): str(tag["Value"]) for tag in self._get_param("Tags") or []}
        return result

    STSBackend.assume_role = assume_existing_role
    TokenResponse.assume_role = assume_role_with_session


def add_organization_role(arn: str) -> None:
    """Create the role of AWS Organizations if the ARN is that of another account, which lacks it."""
    manager = moto.core.DEFAULT_ACCOUNT_ID
    account = arn.split(":")[4] if arn.endswith(f":role/{ORGANIZATION_ROLE}") else manager
    if account != manager and roles.find_role(account, arn) is None:
        _create_organization_role(iam_backends[account]["aws"], manager)


def _check_role(sts: Any, arn: str) -> None:
    """Raise an error unless the role exists."""
    add_organization_role(arn)
    match = re.fullmatch(r"arn:aws[\w-]*:iam::(\d{12}):role/.+", arn)
    if match is None or roles.find_role(match[1], arn) is None:
        # AWS does not reveal that the role does not exist.
        raise AccessDeniedError(f"arn:aws:iam::{sts.account_id}:root", f"sts:AssumeRole on resource: {arn}")


def _create_organization_role(backend: Any, manager: str) -> None:
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{manager}:root"}, "Action": "sts:AssumeRole"}
        ],
    }
    backend.create_role(
        role_name=ORGANIZATION_ROLE,
        assume_role_policy_document=json.dumps(trust),
        path="/",
        permissions_boundary=None,
        description="",
        tags=[],
        max_session_duration="3600",
    )
    backend.attach_role_policy(_ADMINISTRATOR, ORGANIZATION_ROLE)


def _read_document(backend: Any, arn: str) -> str:
    """Return the document of a managed policy. A policy that does not exist allows nothing."""
    try:
        policy = backend.get_policy(arn)
    except NotFoundException:
        return "{}"
    return str(next(version.document for version in policy.versions if version.is_default))
