"""Add newly declared features to feature groups that exist, without replacing them.

Terraform's provider would destroy a feature group to add a feature. Declare the feature, apply (which changes no
group, and warns), then run this. It reads what is declared from the outputs of the applied root module, adds what the
groups lack and waits until that is done. It never removes or retypes a feature: SageMaker cannot.

Examples:

* `smlops evolve --root envs/dev --dry-run`: what would be added, to which group
* `smlops evolve --root envs/dev`: add it
* `smlops evolve flights --root envs/dev --json`: one group, told in JSON
* `terraform output -json > declared.json; smlops evolve --declared declared.json`: where the state
  cannot be read
"""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from sustainable_mlops import cli
from sustainable_mlops.errors import UserError

app = cli.app()


@app.command(help=__doc__)
def evolve(
    group: Annotated[list[str] | None, typer.Argument(help="Keys of feature groups; all when none is given.")] = None,
    root: Annotated[Path | None, typer.Option(help="Root module's folder, initialised and applied.")] = None,
    declared: Annotated[Path | None, typer.Option(help="What `terraform output -json` printed, instead.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tell what would be added; add nothing.")] = False,
    as_json: cli.AsJson = False,
) -> None:
    """Add declared features."""
    from sustainable_mlops.aws import client
    from sustainable_mlops.operations import feature_groups

    with cli.console.status("Reading what is declared"):
        outputs, source = _outputs(root, declared)
        groups = feature_groups.choose(feature_groups.declared(outputs, source), group or [])
    clients = {region: client("sagemaker", region) for region in {item.region for item in groups.values()}}
    # All are compared before the first is changed: a refusal leaves nothing half done.
    evolutions = {key: feature_groups.compare(item, clients[item.region]) for key, item in groups.items()}
    for key, evolution in evolutions.items():
        if evolution.additions and not dry_run:
            with cli.console.status(f"{evolution.group}: adding {len(evolution.additions)} features"):
                feature_groups.apply(evolution, clients[groups[key].region])
    if as_json:
        answer = {key: {"group": item.group, "added": item.additions} for key, item in evolutions.items()}
        print(json.dumps({"dry_run": dry_run, "feature_groups": answer}, indent=2))
        return
    for evolution in evolutions.values():
        added = ", ".join(f"{name} ({kind})" for name, kind in sorted(evolution.additions.items()))
        doing = "would add" if dry_run else "added"
        print(f"{evolution.group}: {doing} {added}" if added else f"{evolution.group}: as declared")


def _outputs(root: Path | None, declared: Path | None) -> tuple[Any, str]:
    """Terraform's outputs, and where they are from."""
    from sustainable_mlops.terraform import Terraform

    if (root is None) == (declared is None):
        raise UserError("give either --root FOLDER or --declared FILE: where to read what is declared")
    if declared is None:
        assert root is not None
        if not root.is_dir():
            raise UserError(f"--root {root}: no such folder")
        return json.loads(Terraform(root).run("output", "-json")), str(root)
    try:
        outputs = json.loads(declared.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"--declared {declared}: no such file") from None
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"--declared {declared}: is not what `terraform output -json` prints: {error}") from None
    if not isinstance(outputs, dict):
        raise UserError(f"--declared {declared}: is not what `terraform output -json` prints: no outputs by name")
    return outputs, str(declared)
