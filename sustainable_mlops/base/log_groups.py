"""Remedies for Terraform errors about log groups that already exist or no longer exist.

The module uses the standard library only, like `terraform.py`.
"""

import re
import shlex
from collections.abc import Iterable
from pathlib import Path

#: The setting of an environment that names the log groups to adopt; see envs/log_groups.py.
SETTING = "existing_log_groups"
#: Log groups of SageMaker jobs. An account and Region has one of each.
JOB_LOGS = {
    f"/aws/sagemaker/{jobs}"
    for jobs in ("InferenceRecommendationsJobs", "ProcessingJobs", "TrainingJobs", "TransformJobs")
}
_KEY = re.compile(rf"^{SETTING}\s*:", re.MULTILINE)
#: The setting with its whole list on one line.
_ONE_LINE = re.compile(rf"^{SETTING}[ ]*:[ ]*\[[^\]\n]*\][ ]*(#.*)?$", re.MULTILINE)
_EXISTS = re.compile(r"Log Group \((?P<name>[^)\s]+)\): (?:(?!Log Group \().)*?ResourceAlreadyExistsException")
_MISSING = re.compile(
    r'existing object to \\?"(?P<address>\S*\baws_cloudwatch_log_group\.\S*?)\\?", the provider detected that no object'
)


def explain_error(reason: str, folder: Path) -> str | None:
    """Return the remedy for Terraform's error `reason` in the root module `folder`; None for other errors."""
    text = " ".join(reason.split())
    settings = folder / "settings.yaml"
    if names := list(dict.fromkeys(match["name"] for match in _EXISTS.finditer(text))):
        text_of_names = ", ".join(names)
        if not settings.is_file():
            return (
                f"these log groups already exist: {text_of_names}; adopt each with an `import` block, then apply again"
            )
        return (
            f"these log groups already exist: {text_of_names}; add them to {SETTING} in {settings}, run "
            f"`smlops synth {folder.resolve().name}`, then apply again to adopt them"
        )
    if addresses := list(dict.fromkeys(match["address"] for match in _MISSING.finditer(text))):
        listed_addresses = ", ".join(address.replace("\\", "") for address in addresses)
        where = f"{SETTING} in {settings}" if settings.is_file() else "the `import` blocks"
        return f"this log group no longer exists: {listed_addresses}; remove it from {where}, then apply again"
    return None


def edit_setting(settings: Path, names: Iterable[str]) -> str | None:
    """Return the command that makes `names` the setting's list; None if the list has several lines."""
    text = settings.read_text(encoding="utf-8") if settings.is_file() else ""
    file, line = shlex.quote(str(settings)), f"{SETTING}: [{', '.join(names)}]"
    if _ONE_LINE.search(text):
        # `sed -i` differs between Linux and macOS.
        return f"sed -i.bak 's|^{SETTING} *:.*|{line}|' {file} && rm {file}.bak"
    return None if _KEY.search(text) else f"printf '\\n{line}\\n' >> {file}"
