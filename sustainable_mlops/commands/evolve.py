"""Add newly declared features to existing feature groups, without replacing the groups.

To add a feature, the Terraform provider would replace the feature group. Declare the feature, apply (which changes no
group, and warns), then run this command. It reads the declared features from the outputs of the root module, adds the
missing ones, and waits for SageMaker. It never removes or retypes a feature, because SageMaker cannot.

Examples:

* `smlops evolve --root envs/dev --dry-run`: list the missing features of each group
* `smlops evolve --root envs/dev`: add them
* `smlops evolve flights --root envs/dev --json`: one group, as JSON
* `terraform output -json > declared.json; smlops evolve --declared declared.json`: without access to the state
"""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from sustainable_mlops.base import cli
from sustainable_mlops.base.errors import UserError, describe_missing_file

app = cli.create_app()


@app.command(help=__doc__)
def evolve(
    group: Annotated[
        list[str] | None, typer.Argument(help="Keys of feature groups; the default is all of them.")
    ] = None,
    root: Annotated[Path | None, typer.Option(help="Folder of the root module, after init and apply.")] = None,
    declared: Annotated[
        Path | None, typer.Option(help="Output of `terraform output -json`, instead of --root.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="List the missing features; add nothing.")] = False,
    as_json: cli.AsJson = False,
) -> None:
    """Add declared features."""
    from sustainable_mlops.account import feature_groups
    from sustainable_mlops.aws import make_client

    with cli.console.status("Reading the declared features"):
        outputs, source = _read_outputs(root, declared)
        groups = feature_groups.select_groups(feature_groups.read_declarations(outputs, source), group or [])
    clients = {region: make_client("sagemaker", region) for region in {item.region for item in groups.values()}}
    # Compare all groups before the first change, so that an error leaves nothing half done.
    evolutions = {key: feature_groups.find_missing_features(item, clients[item.region]) for key, item in groups.items()}
    for key, evolution in evolutions.items():
        if evolution.additions and not dry_run:
            with cli.console.status(f"{evolution.group}: adding {len(evolution.additions)} features"):
                feature_groups.add_features(evolution, clients[groups[key].region])
    if as_json:
        result = {key: {"group": item.group, "added": item.additions} for key, item in evolutions.items()}
        print(json.dumps({"dry_run": dry_run, "feature_groups": result}, indent=2))
        return
    for evolution in evolutions.values():
        features = ", ".join(f"{name} ({kind})" for name, kind in sorted(evolution.additions.items()))
        verb = "would add" if dry_run else "added"
        print(f"{evolution.group}: {verb} {features}" if features else f"{evolution.group}: as declared")


def _read_outputs(root: Path | None, declared: Path | None) -> tuple[Any, str]:
    """Return Terraform's outputs and the name of their source."""
    from sustainable_mlops.base.terraform import Terraform

    if (root is None) == (declared is None):
        raise UserError("pass --root FOLDER or --declared FILE")
    if declared is None:
        assert root is not None
        if not root.is_dir():
            raise UserError(f"--root {root}: no such folder; pass the folder of a root module")
        return json.loads(Terraform(root).run("output", "-json")), str(root)
    try:
        outputs = json.loads(declared.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"--declared {describe_missing_file(declared)}") from None
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(
            f"--declared {declared}: is not the output of `terraform output -json`; write it again: {error}"
        ) from None
    if not isinstance(outputs, dict):
        raise UserError(f"--declared {declared}: is not the output of `terraform output -json`; write it again")
    return outputs, str(declared)
