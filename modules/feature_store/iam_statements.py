"""What feature groups need of the roles that write, store and read their records."""

from collections.abc import Iterable
from typing import Any

from modules.feature_store.inputs import Inputs
from modules.needs import Needs, Phase, Place, equals, statement, through
from sustainable_mlops.authoring.expressions import list_of, match, replace

READ = ["sagemaker:BatchGetRecord", "sagemaker:DescribeFeatureGroup", "sagemaker:GetRecord"]
WRITE = ["sagemaker:DeleteRecord", "sagemaker:PutRecord"]
#: What each phase does with records: data preparation writes them; training and inference read the same ones.
ACTIONS: dict[Phase, list[str]] = {"data_preparation": sorted(READ + WRITE), "training": READ, "inference": READ}


def statements(var: Inputs, at: Place) -> Needs:
    """The statements by phase; `var` is read but for its role."""
    bucket = f"arn:{at.partition}:s3:::{match('[^/]+', replace(var.offline_store_s3_uri, 's3://', ''))}"
    store = f"arn:{at.partition}:s3:::{replace(var.offline_store_s3_uri, 's3://', '')}"
    objects = f"{store}/*"
    names = list_of(var.feature_groups, lambda key, _group: group_name(var, key))
    needs: Needs = {phase: [records(actions, names, at)] for phase, actions in ACTIONS.items()}
    needs["data_preparation"] += [
        statement("StoreRecords", ["s3:PutObject"], [objects]),
        statement("ReadIcebergMetadata", ["s3:GetObject"], [f"{store}/*/metadata/*"]),
        statement("ReadEncryptedMetadata", ["kms:Decrypt"], [var.kms_key_arn], through(at, "s3")),
        *offline_store([bucket], [objects], var.kms_key_arn, at),
    ]
    return needs


def group_name(var: Inputs, key: str) -> str:
    """The name of the feature group of a key."""
    return f"{var.name_prefix}-{replace(key, '_', '-')}"


def records(actions: list[str], names: Iterable[str], at: Place) -> dict[str, Any]:
    """Actions on the records of the feature groups of these names."""
    groups = f"arn:{at.partition}:sagemaker:{at.region}:{at.account_id}:feature-group"
    return statement("Records", actions, list_of(names, lambda name: f"{groups}/{name}"))


def offline_store(buckets: Iterable[str], objects: Iterable[str], key_arn: str, at: Place) -> list[dict[str, Any]]:
    """What Feature Store does as its role, besides writing objects: it looks at the bucket's ACL, hands each object to
    the bucket's owner, encrypts with the key, and keeps the Glue table current.

    CreateFeatureGroup fails where a condition on kms:ViaService bounds the use of the key for the offline store.
    Source: SageMaker developer guide, "Authorizing use of a customer managed key for your offline store".
    """
    glue = f"arn:{at.partition}:glue:{at.region}:{at.account_id}"
    return [
        statement("ReadBucketAcl", ["s3:GetBucketAcl"], buckets),
        statement("HandOver", ["s3:PutObjectAcl"], objects, equals("s3:x-amz-acl", "bucket-owner-full-control")),
        statement("EncryptOfflineStore", ["kms:GenerateDataKey"], [key_arn]),
        statement(
            "Table",
            ["glue:GetTable", "glue:UpdateTable"],
            [
                f"{glue}:catalog",
                f"{glue}:database/sagemaker_featurestore",
                f"{glue}:table/sagemaker_featurestore/*",
            ],
        ),
    ]
