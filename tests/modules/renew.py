"""Write anew what tests expect of modules: `.venv/bin/python -m tests.modules.renew storage storage-full`.

A module's name adds its new addresses to those it has had; an example's name counts its resources, and what else its
inventory speaks of is written as it is now. Without a name, print the names.
"""

import sys
import tempfile
from pathlib import Path

import yaml

from sagemaker_sandbox import Sandbox
from sustainable_mlops import synth
from sustainable_mlops.terraform import Terraform
from tests.modules.examples import Example, addresses, addresses_file, examples, renewed, summary

_HEAD = "# Every managed resource. A lost address destroys what it names at a user's next apply: rename by `moved`.\n"


def main(names: list[str]) -> None:
    modules, known = synth.list_names()[0], {str(example): example for example in examples()}
    if unknown := set(names) - {*modules, *known}:
        sys.exit(f"no module is named {', '.join(sorted(unknown))}; there are: {', '.join([*modules, *known])}")
    if not names:
        print("\n".join([*modules, *known]))
        return
    for module in (name for name in names if name in modules):
        _add_addresses(module)
    if chosen := [known[name] for name in names if name in known]:
        with Sandbox.start() as sandbox:
            for example in chosen:
                _write(example, sandbox)


def _add_addresses(module: str) -> None:
    file = addresses_file(module)
    had = yaml.safe_load(file.read_text()) if file.exists() else []
    file.parent.mkdir(exist_ok=True)
    file.write_text(_HEAD + yaml.safe_dump(sorted({*had, *addresses(synth.load_module_json()[module])})))
    print(file)


def _write(example: Example, sandbox: Sandbox) -> None:
    with tempfile.TemporaryDirectory() as folder:
        example.write(Path(folder))
        terraform = Terraform(Path(folder), sandbox.environment)
        terraform.init()
        found = summary(terraform.plan(Path(folder) / "tfplan"))
    old = yaml.safe_load(example.inventory.read_text()) if example.inventory.exists() else {}
    example.inventory.parent.mkdir(exist_ok=True)
    new = {**renewed(old, found), "counts": dict(sorted(found["counts"].items()))}
    example.inventory.write_text(yaml.safe_dump(new, sort_keys=False))
    print(example.inventory)


if __name__ == "__main__":
    main(sys.argv[1:])
