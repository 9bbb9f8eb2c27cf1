"""Restore the online store of a feature group from an offline store.

The command reads the Parquet files of the offline store, and writes the newest event of each record again. A record
whose newest event is a deletion stays deleted. For an Iceberg table, it reads the current snapshot, so rows that
Athena's `DELETE FROM` removed stay deleted, too. A newer event that the online store already has is kept, so the
command can run again, and while a program writes records. Records expire by the time to live of the group.

Without `--source`, the command reads the group's own offline store, and only the online store is written. For a
group that was created again, `--source` names the files of the old group; then both stores are written.

If the columns of the files differ from the features of the group, the command lists the differences and writes
nothing. `--allow-missing` accepts files without new features of the group. `--dry-run` prints the counts and the
differences.

It needs `sagemaker:DescribeFeatureGroup`, `sagemaker:PutRecord`, `s3:ListBucket`, `s3:GetObject` and the key of the
files. It keeps one event of each record in memory.

Exit codes: 0 restored, 2 invalid input, damaged files, other columns or an error of AWS.

- `smlops restore smlops-dev-flights --dry-run`
- `smlops restore smlops-dev-flights`
- `smlops restore smlops-dev-flights --source s3://bucket/feature-store/123456789012/.../data`
"""

import json
from typing import Annotated, Any

import typer

from sustainable_mlops.base import cli

app = cli.create_app()


@app.command(help=__doc__)
def restore(
    group: Annotated[str, typer.Argument(help="Name of the feature group.")],
    source: Annotated[str | None, typer.Option(help="Folder with the files: s3://bucket/prefix/data.")] = None,
    region: Annotated[str | None, typer.Option(help="Region of the feature group.")] = None,
    allow_missing: Annotated[
        bool, typer.Option("--allow-missing", help="Accept files that lack features of the group.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count the records; write none.")] = False,
    as_json: cli.AsJson = False,
) -> None:
    """Restore a feature group."""
    cli.require("restore", "restore")
    from sustainable_mlops.account.restore import feature_restore
    from sustainable_mlops.aws import make_client
    from sustainable_mlops.aws.s3 import S3Uri

    address = S3Uri.parse(source, "--source") if source else None
    services = ("s3", "sagemaker", "sagemaker-featurestore-runtime")
    clients = feature_restore.RestoreClients(*(make_client(service, region) for service in services))
    with cli.console.status("Reading the offline store") as status:
        stored = feature_restore.read_records(clients, group, address)
        if not dry_run:
            stored.check_columns(allow_missing=allow_missing)
            feature_restore.write_records(clients, stored, lambda count: status.update(f"Restoring: {count} records"))
    if as_json:
        counts: dict[str, Any] = {"records": len(stored.records), "deleted": stored.deleted_count}
        counts |= {"files": stored.file_count, "rows": stored.row_count}
        counts |= {"missing_features": stored.missing_features, "unknown_columns": stored.unknown_columns}
        result = {"group": group, "source": str(stored.source), "stores": stored.targets, "dry_run": dry_run, **counts}
        print(json.dumps(result, indent=2))
    else:
        verb = "would restore" if dry_run else "restored"
        print(
            f"{group}: {verb} {len(stored.records)} records to {' and '.join(stored.targets)} from "
            f"{stored.row_count} rows in {stored.file_count} files; {stored.deleted_count} deleted records stay deleted"
        )
        for title, names in (
            ("features that the files lack", stored.missing_features),
            ("columns that are no features", stored.unknown_columns),
        ):
            if names:
                print(f"{title}: {', '.join(names)}")
    if dry_run:
        stored.check_columns(allow_missing=allow_missing)
