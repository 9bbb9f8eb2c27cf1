"""Update the expected values of module tests: `.venv/bin/python -m tests.modules.renew storage storage-full`.

The name of a module adds its new addresses to the recorded ones. The name of an example updates the counts and the
values in its inventory. Without names, print all names.
"""

import sys
import tempfile
from pathlib import Path

import yaml

from sagemaker_sandbox import Sandbox
from sustainable_mlops import synth
from sustainable_mlops.terraform import Terraform
from tests.modules.examples import Example, addresses, addresses_file, examples, summary, update_recorded

_HEAD = (
    "# Addresses of all managed resources. A removed address destroys its resource at the next apply: rename with "
    "`moved`.\n"
)


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
    recorded = yaml.safe_load(file.read_text()) if file.exists() else []
    file.parent.mkdir(exist_ok=True)
    file.write_text(_HEAD + yaml.safe_dump(sorted({*recorded, *addresses(synth.load_module_json()[module])})))
    print(file)


def _write(example: Example, sandbox: Sandbox) -> None:
    with tempfile.TemporaryDirectory() as folder:
        example.write(Path(folder))
        terraform = Terraform(Path(folder), sandbox.environment)
        terraform.init()
        planned = summary(terraform.plan(Path(folder) / "tfplan"))
    old = yaml.safe_load(example.inventory.read_text()) if example.inventory.exists() else {}
    example.inventory.parent.mkdir(exist_ok=True)
    new = {**update_recorded(old, planned), "counts": dict(sorted(planned["counts"].items()))}
    example.inventory.write_text(yaml.safe_dump(new, sort_keys=False))
    print(example.inventory)


if __name__ == "__main__":
    main(sys.argv[1:])
