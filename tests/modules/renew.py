"""Write an example's inventory counts anew: `.venv/bin/python -m tests.modules.renew storage-full`.

Without a name, print the names. What else the inventory says is kept.
"""

import sys
import tempfile
from pathlib import Path

import yaml

from sustainable_mlops.sandbox import Sandbox
from sustainable_mlops.terraform import Terraform
from tests.modules.examples import examples, summary


def main(names: list[str]) -> None:
    known = {str(example): example for example in examples()}
    if not names:
        print("\n".join(known))
        return
    with Sandbox.start() as sandbox:
        for name in names:
            example = known[name]
            with tempfile.TemporaryDirectory() as folder:
                example.write(Path(folder))
                terraform = Terraform(Path(folder), sandbox.environment)
                terraform.init()
                counts = summary(terraform.plan(Path(folder) / "tfplan"))["counts"]
            old = yaml.safe_load(example.inventory.read_text()) if example.inventory.exists() else {}
            example.inventory.parent.mkdir(exist_ok=True)
            new = {**old, "counts": dict(sorted(counts.items()))}
            example.inventory.write_text(yaml.safe_dump(new, sort_keys=False))
            print(example.inventory)


if __name__ == "__main__":
    main(sys.argv[1:])
