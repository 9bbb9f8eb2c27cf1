"""Access to an applied environment: its Terraform, its settings and its account."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sagemaker_sandbox import CREDENTIALS
from sustainable_mlops.aws import AccountClients, Arn
from sustainable_mlops.base.documents import read_mapping
from sustainable_mlops.base.terraform import Terraform


def make_terraform(folder: Path) -> Terraform:
    """Return Terraform for the environment in `folder`. On the sandbox, printed commands run there too."""
    is_sandbox = os.environ.get("AWS_ACCESS_KEY_ID") == CREDENTIALS["aws_access_key_id"]
    return Terraform(folder, before="smlops sandbox exec -- " if is_sandbox else "")


def read_settings(terraform: Terraform) -> dict[str, Any]:
    """Return the content of settings.yaml; empty for an environment that is plain HCL."""
    file = locate_settings_file(terraform.folder)
    return read_mapping(file) if file.is_file() else {}


def locate_settings_file(folder: Path) -> Path:
    """Return the path of settings.yaml, which plain HCL environments do not have."""
    return folder / "settings.yaml"


def find_account(settings: dict[str, Any], platform: dict[str, Any], arns: Sequence[str]) -> AccountClients | None:
    """Return the clients of the environment's account; None if only Terraform deletes something.

    The settings name the account and the role to assume. Without them, the outputs or ARNs in the state name it.
    """
    arn = Arn.parse_or_none(arns[0]) if arns else None
    account_id = settings.get("account_id") or platform.get("account_id") or (arn and arn.account)
    region = settings.get("region") or platform.get("region") or (arn and arn.region)
    if not account_id or not region:
        return None
    return AccountClients(str(region), settings.get("assume_role_arn"), str(account_id))


def find_environment_account(terraform: Terraform) -> AccountClients:
    """Return clients for the account in the settings, in the ARNs of the state, or of the credentials, in this order.

    Raises UserError if the credentials are of another account.
    """
    arns = terraform.read_state().arns
    regional = [text for text in arns if (arn := Arn.parse_or_none(text)) and arn.region and arn.account]
    account = find_account(read_settings(terraform), {}, regional)
    if account is None:
        return AccountClients(os.environ.get("AWS_REGION", ""))
    account.check()
    return account
