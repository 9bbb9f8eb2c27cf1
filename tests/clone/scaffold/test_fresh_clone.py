"""From a fresh clone, the commands of the pages bootstrap two accounts and apply an environment to each."""

import json
import re
import resource
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cloned_repository import Reader
from tests.docs.blocks import FencedBlock, blocks

pytestmark = [pytest.mark.release, pytest.mark.slow, pytest.mark.apply]

#: Environments with an account and a Region of their own.
ENVIRONMENTS = {"lab": ("321098765432", "eu-west-1"), "shop": ("432109876543", "eu-central-1")}
PAGE, BOOTSTRAP = "docs/environments.md", "modules/bootstrap/README.md"
REPOSITORY = "example/platform"


def list_commands(page: str, test: str) -> list[str]:
    """Return the commands of a page that name a test, in order."""
    return [command for block in find_blocks(page) if block.where == test for command in block.commands]


def find_blocks(page: str) -> Iterator[FencedBlock]:
    yield from (block for block in blocks() if block.file == page and block.language == "console")


class Person:
    """A person who follows the pages on the sandbox, with an environment of their own."""

    def __init__(self, reader: Reader, name: str) -> None:
        self._reader = reader
        self._name = name
        self.folder = reader.folder / "envs" / name

    def run(self, command: str) -> str:
        """Run a command of a page with the own names instead of those of the page."""
        own = re.sub(r"envs/(dev|lab)\b", f"envs/{self._name}", command).replace("acme/platform", REPOSITORY)
        own = re.sub(r"(?<= apply)(?= -var)", " -auto-approve", own)  # nobody types yes here
        own = re.sub(r"(?<= -migrate-state)$", " -force-copy", own)
        return self._reader.paste(f"smlops sandbox exec -- bash -o pipefail -c '{own}'")

    def read_outputs(self) -> Any:
        output = self.run(f"terraform -chdir=envs/{self._name}/bootstrap output -json bootstrap")
        return json.loads(output[output.index("{") : output.rindex("}") + 1])

    def write_backend(self, backend: dict[str, Any]) -> None:
        """Write the backend of the account's root module, as step 3 of the page says."""
        lines = "".join(f"    {name} = {json.dumps(value)}\n" for name, value in backend.items())
        (self.folder / "bootstrap" / "backend.tf").write_text(f'terraform {{\n  backend "s3" {{\n{lines}  }}\n}}\n')

    def copy_outputs(self, outputs: Any) -> None:
        """Copy two outputs into the settings, as step 4 of the page says."""
        settings = self.folder / "settings.yaml"
        text = re.sub(
            r"^state:\n", f"state:\n  kms_key_arn: {outputs['kms_key_arn']}\n", settings.read_text(), flags=re.M
        )
        boundary = outputs["permissions_boundary_arns"][self._name]
        settings.write_text(f"{text}\naccess:\n  permissions_boundary_arn: {boundary}\n")


def test_the_pages_bootstrap_two_accounts_and_apply_an_environment_to_each(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    begin, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    reader = Reader(tmp_path / "clone")
    (new,) = (one for block in find_blocks(PAGE) for one in block.commands if "new environment" in one and "lab" in one)
    apply_account, apply_environment = (
        [
            one
            for one in list_commands(PAGE, "tests/clone/scaffold/test_fresh_clone.py")
            if ("bootstrap" in one) is account
        ]
        for account in (True, False)
    )
    move_state = list_commands(BOOTSTRAP, "tests/clone/scaffold/test_fresh_clone.py")[-2:]
    durations = {}
    for name, (account, region) in ENVIRONMENTS.items():
        start = time.monotonic()
        own = new.replace(" lab ", f" {name} ").replace("321098765432", account).replace("eu-west-1", region)
        reader.paste(f"{own} --disposable")
        person = Person(reader, name)
        reader.paste(f"smlops sandbox start --account {account} --region {region}")
        try:
            for command in apply_account:
                person.run(command)
            outputs = person.read_outputs()
            person.write_backend(outputs["backends"]["bootstrap"])
            migrate, plan_account = move_state
            person.run(migrate)
            assert "No changes" in person.run(plan_account)
            person.copy_outputs(outputs)
            reader.paste(f"smlops synth {name}")
            person.run(apply_account[-1])  # the documents have changed
            printed = [person.run(command) for command in apply_environment]
            assert "ok    deployer roles" in printed[1], printed[1]
            assert "ready: 0 stop" in printed[1]
            assert "No changes" in person.run(f"terraform -chdir=envs/{name} plan")
            roles = outputs["role_arns"]
            assert {kind: list(arns) for kind, arns in roles.items()} == {
                kind: [name] for kind in ("plan", "apply", "promote")
            }
        finally:
            reader.paste("smlops sandbox stop")
        durations[name] = time.monotonic() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    each = ", ".join(f"{name} {seconds:.0f} s" for name, seconds in durations.items())
    with capsys.disabled():
        print(f"\nFrom a fresh clone: {time.monotonic() - begin:.0f} s ({each}), {used:.0f} s of processor time")
