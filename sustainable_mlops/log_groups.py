"""Remedies for Terraform errors about log groups that already exist or no longer exist.

The module uses the standard library only, like `terraform.py`.
"""

import re
from pathlib import Path

#: The setting of an environment that names the log groups to adopt; see envs/log_groups.py.
SETTING = "existing_log_groups"
_EXISTS = re.compile(r"Log Group \((?P<name>[^)\s]+)\): (?:(?!Log Group \().)*?ResourceAlreadyExistsException")
_MISSING = re.compile(
    r'existing object to \\?"(?P<address>\S*\baws_cloudwatch_log_group\.\S*?)\\?", the provider detected that no object'
)


def explain_error(reason: str, folder: Path) -> str | None:
    """Return the remedy for Terraform's error `reason` in the root module `folder`; None for other errors."""
    text = " ".join(reason.split())
    settings = folder / "settings.yaml"
    if names := list(dict.fromkeys(match["name"] for match in _EXISTS.finditer(text))):
        listed = ", ".join(names)
        if not settings.is_file():
            return f"these log groups already exist: {listed}; adopt each with an `import` block, then apply again"
        return (
            f"these log groups already exist: {listed}; add them to {SETTING} in {settings}, run "
            f"`smlops synth {folder.resolve().name}`, then apply again to adopt them"
        )
    if addresses := list(dict.fromkeys(match["address"] for match in _MISSING.finditer(text))):
        listed = ", ".join(address.replace("\\", "") for address in addresses)
        where = f"{SETTING} in {settings}" if settings.is_file() else "the `import` blocks"
        return f"this log group no longer exists: {listed}; remove it from {where}, then apply again"
    return None
