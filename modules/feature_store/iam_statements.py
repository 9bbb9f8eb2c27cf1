"""IAM statements that feature groups need in the roles that write, store and read their records."""

from collections.abc import Iterable
from typing import Any

from modules.feature_store.inputs import Inputs
from modules.iam_statements import ArnLocation, Phase, StatementsByPhase, build_statement, build_via_condition, equals
from sustainable_mlops.authoring.expressions import concat, list_of, match, replace

READ = ["sagemaker:BatchGetRecord", "sagemaker:DescribeFeatureGroup", "sagemaker:GetRecord"]
WRITE = ["sagemaker:DeleteRecord", "sagemaker:PutRecord"]
#: Glue database of Feature Store.
GLUE_DATABASE = "sagemaker_featurestore"
#: Actions of each phase on records: data preparation writes, training and inference read.
ACTIONS: dict[Phase, list[str]] = {"data_preparation": sorted(READ + WRITE), "training": READ, "inference": READ}


def build_statements(var: Inputs, at: ArnLocation) -> StatementsByPhase:
    """Return the statements by phase. Reads all inputs except the role."""
    bucket = f"arn:{at.partition}:s3:::{match('[^/]+', replace(var.offline_store_s3_uri, 's3://', ''))}"
    store = f"arn:{at.partition}:s3:::{replace(var.offline_store_s3_uri, 's3://', '')}"
    objects = f"{store}/*"
    names = list_of(var.feature_groups, lambda key, _group: group_name(var, key))
    statements_by_phase: StatementsByPhase = {
        phase: [use_records(actions, names, at)] for phase, actions in ACTIONS.items()
    }
    statements_by_phase["data_preparation"] += [
        build_statement("StoreRecords", ["s3:PutObject"], [objects]),
        build_statement("ReadIcebergMetadata", ["s3:GetObject"], [f"{store}/*/metadata/*"]),
        build_statement("ReadEncryptedMetadata", ["kms:Decrypt"], [var.kms_key_arn], build_via_condition(at, "s3")),
        *write_offline_store([bucket], [objects], var.kms_key_arn, at),
    ]
    return statements_by_phase


def group_name(var: Inputs, key: str) -> str:
    """Return the name of the feature group of a key."""
    return f"{var.name_prefix}-{replace(key, '_', '-')}"


def use_records(actions: list[str], names: Iterable[str], at: ArnLocation) -> dict[str, Any]:
    """Return the statement for actions on the records of these feature groups."""
    groups = f"arn:{at.partition}:sagemaker:{at.region}:{at.account_id}:feature-group"
    return build_statement("Records", actions, list_of(names, lambda name: f"{groups}/{name}"))


def write_offline_store(
    buckets: Iterable[str], objects: Iterable[str], key_arn: str, at: ArnLocation
) -> list[dict[str, Any]]:
    """Return the statements that Feature Store needs in addition to writing objects.

    It reads the bucket's ACL, gives each object to the bucket's owner, encrypts with the key, and updates the Glue
    table. CreateFeatureGroup fails if a condition on kms:ViaService limits the key of the offline store.
    Source: SageMaker developer guide, "Authorizing use of a customer managed key for your offline store".
    """
    glue = f"arn:{at.partition}:glue:{at.region}:{at.account_id}"
    return [
        build_statement("ReadBucketAcl", ["s3:GetBucketAcl"], buckets),
        build_statement("HandOver", ["s3:PutObjectAcl"], objects, equals("s3:x-amz-acl", "bucket-owner-full-control")),
        build_statement("EncryptOfflineStore", ["kms:GenerateDataKey"], [key_arn]),
        build_statement(
            "Table",
            ["glue:GetTable", "glue:UpdateTable"],
            [
                f"{glue}:catalog",
                f"{glue}:database/{GLUE_DATABASE}",
                f"{glue}:table/{GLUE_DATABASE}/*",
            ],
        ),
    ]


def optimize_tables(var: Inputs, at: ArnLocation, tables: dict[str, str]) -> list[dict[str, Any]]:
    """Return the statements of the role that Glue optimizes the tables of the groups with.

    `tables` has the table of each group, by key. Feature Store chooses the names, so the first plan knows only their
    number.

    Source: Glue developer guide, "Table optimization prerequisites".
    """
    path = replace(var.offline_store_s3_uri, "s3://", "")
    glue = f"arn:{at.partition}:glue:{at.region}:{at.account_id}"
    logs = f"arn:{at.partition}:logs:{at.region}:{at.account_id}:log-group:/aws-glue"
    return [
        build_statement(
            "RewriteFiles",
            ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"],
            [f"arn:{at.partition}:s3:::{path}/*"],
        ),
        build_statement("ListFiles", ["s3:ListBucket"], [f"arn:{at.partition}:s3:::{match('[^/]+', path)}"]),
        build_statement(
            "UseKey", ["kms:Decrypt", "kms:GenerateDataKey"], [var.kms_key_arn], build_via_condition(at, "s3")
        ),
        build_statement(
            "UpdateTables",
            ["glue:GetTable", "glue:UpdateTable"],
            concat(
                [f"{glue}:catalog", f"{glue}:database/{GLUE_DATABASE}"],
                list_of(tables, lambda _key, table: f"{glue}:table/{GLUE_DATABASE}/{table}"),
            ),
        ),
        build_statement(
            "Log",
            ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
            [f"{logs}/iceberg-{kind}/logs:*" for kind in ("compaction", "orphan-file-deletion", "retention")],
        ),
    ]
