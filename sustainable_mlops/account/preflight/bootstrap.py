"""Check of the roles and the permissions boundary that the module bootstrap creates."""

from collections.abc import Iterator
from functools import partial

from sustainable_mlops.account.preflight.account import Account
from sustainable_mlops.account.preflight.finding import PreflightFinding
from sustainable_mlops.account.preflight.target import PreflightTarget

KINDS = ("plan", "apply", "promote")
BOOTSTRAP = "as an administrator, apply the module bootstrap (modules/bootstrap/README.md#apply-it-the-first-time)"


def format_bootstrap_command(target: PreflightTarget) -> str:
    """Return the command that applies the root module of the account. The repository is a placeholder."""
    folder = f"{target.folder}/bootstrap"
    return f"terraform -chdir={folder} init && terraform -chdir={folder} apply -var repository=OWNER/NAME"


def check_deployer_roles(target: PreflightTarget, account: Account) -> Iterator[PreflightFinding]:
    """Check that the CI roles exist, and that the environment's roles get the boundary of the role that applies."""
    iam, boundary, missing = account.client("iam"), None, []
    for kind in KINDS:
        name = f"deployer-{target.name_prefix}-{kind}"
        response = account.read("iam:GetRole", partial(iam.get_role, RoleName=name), absent=("NoSuchEntity",))
        if response is None:
            missing.append(name)
        elif kind == "apply":
            boundary = response["Role"].get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")
    check = "deployer roles"
    if missing:
        text = f"CI roles do not exist: {', '.join(missing)}; {BOOTSTRAP}"
        yield PreflightFinding("look", check, text, format_bootstrap_command(target))
    elif boundary is None:
        text = (
            f"deployer-{target.name_prefix}-apply has no permissions boundary, so CI can create any role; {BOOTSTRAP}"
        )
        yield PreflightFinding("look", check, text, format_bootstrap_command(target))
    elif boundary != target.permissions_boundary_arn:
        text = (
            f"deployer-{target.name_prefix}-apply can create only roles with its own boundary: set "
            f"access.permissions_boundary_arn to {boundary} in settings.yaml, then run"
        )
        yield PreflightFinding("look", check, text, "smlops synth")
    else:
        yield PreflightFinding("ok", check, f"{', '.join(KINDS)} exist, and roles get the boundary {boundary}")
