"""Deletion protection of an environment, and the commands that turn it off."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

from sustainable_mlops.account.applied_environment import locate_settings_file
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.base.terraform import Terraform
from sustainable_mlops.base.terraform_state import State

#: Address of a deletion guard; see `protect` in modules/.
_GUARD = re.compile(r"(?P<address>.*?\bterraform_data\.deletion_protection)\[")
_SETTING = re.compile(r"^deletion_protection\s*:\s*(?P<value>\w+)", re.MULTILINE)


def check_unprotected(terraform: Terraform, state: State) -> None:
    """Raise UserError with the remaining commands if the environment is protected."""
    matches = (_GUARD.match(address) for address, _ in state.instances)
    if guards := sorted({match["address"] for match in matches if match}):
        preparation = (
            ""
            if locate_settings_file(terraform.folder).is_file()
            else "set deletion_protection = false in its modules, and "
        )
        raise UserError(
            f"{terraform.folder}: deletion_protection is on, so nothing was deleted. Turn off both the setting and "
            f"the deletion guards in the state. To delete the data for good, {preparation}run",
            *_list_unlock_commands(terraform, guards),
        )


def _list_unlock_commands(terraform: Terraform, guards: list[str]) -> Iterator[str]:
    """Yield the commands that turn off the protection and remove the environment."""
    folder = terraform.folder
    if (settings := locate_settings_file(folder)).is_file():
        yield from list_setting_commands(settings)
        yield f"smlops synth {shlex.quote(folder.resolve().name)}"
    yield f"{terraform.command} state rm {shlex.join(guards)}"
    # The apply writes force_destroy of buckets and the shorter deletion window of keys before the destruction.
    yield f"{terraform.command} apply"
    yield f"{terraform.command_prefix}smlops teardown {shlex.quote(str(folder))}"


def list_setting_commands(settings: Path) -> Iterator[str]:
    """Yield the command that sets `deletion_protection: false`, if needed. `sed -i` differs between Linux and macOS."""
    file, match = shlex.quote(str(settings)), _SETTING.search(settings.read_text(encoding="utf-8"))
    if match is None:
        yield f"printf '\\ndeletion_protection: false\\n' >> {file}"
    elif match["value"] != "false":
        yield f"sed -i.bak 's/^deletion_protection *:.*/deletion_protection: false/' {file} && rm {file}.bak"
