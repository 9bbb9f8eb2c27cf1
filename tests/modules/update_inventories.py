"""Update the inventories of module tests: `.venv/bin/python -m tests.modules.update_inventories storage-complete`.

The name of an example updates the counts and the values in its inventory. A minimal example also updates cost and
carbon on its page. Without names, print all names.
"""

import sys
import tempfile
from pathlib import Path

import yaml

from sagemaker_sandbox import Sandbox
from sustainable_mlops.base.terraform import Terraform
from tests.modules.examples import Example, examples, summary, update_recorded
from tests.modules.footprint_tables import CASE, write_footprint


def main(names: list[str]) -> None:
    examples_by_name = {str(example): example for example in examples()}
    if unknown := set(names) - examples_by_name.keys():
        sys.exit(f"no example is named {', '.join(sorted(unknown))}; there are: {', '.join(examples_by_name)}")
    if not names:
        print("\n".join(examples_by_name))
        return
    with Sandbox.start() as sandbox:
        for name in names:
            _write(examples_by_name[name], sandbox)


def _write(example: Example, sandbox: Sandbox) -> None:
    with tempfile.TemporaryDirectory() as folder:
        terraform = Terraform(example.copy(Path(folder)), sandbox.environment)
        terraform.init()
        plan = terraform.plan(Path(folder) / "tfplan")
    planned = summary(plan)
    old = yaml.safe_load(example.inventory.read_text()) if example.inventory.exists() else {}
    example.inventory.parent.mkdir(exist_ok=True)
    new = {**update_recorded(old, planned), "counts": dict(sorted(planned["counts"].items()))}
    example.inventory.write_text(yaml.safe_dump(new, sort_keys=False))
    print(example.inventory)
    if example.case == CASE:
        write_footprint(example, plan)


if __name__ == "__main__":
    main(sys.argv[1:])
