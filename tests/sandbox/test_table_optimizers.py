"""Optimizers of the Iceberg table of a feature group: defaults, changes, and requests that Glue refuses."""

import json
from typing import Any

import pytest

from sagemaker_sandbox import Sandbox
from tests.cases import check_cases
from tests.sandbox.support import ROLE, TRUST, catch_error, make_service_role

pytestmark = pytest.mark.slow

DATABASE = "sagemaker_featurestore"
POWERLESS = "arn:aws:iam::123456789012:role/glue-without-rights"
CONDITIONAL = "arn:aws:iam::123456789012:role/glue-for-an-account-that-glue-does-not-send"
KINDS = ("compaction", "retention", "orphan_file_deletion")


@pytest.fixture(scope="session")
def glue(sandbox: Sandbox) -> Any:
    return sandbox.client("glue")


@pytest.fixture(scope="session")
def role(sandbox: Sandbox) -> str:
    """Return a role that may read tables. Create one that may not, and one that Glue may not assume."""
    trust, iam = (
        json.loads(json.dumps(TRUST).replace("sagemaker.amazonaws.com", "glue.amazonaws.com")),
        sandbox.client("iam"),
    )
    iam.create_role(RoleName=POWERLESS.rpartition("/")[2], AssumeRolePolicyDocument=json.dumps(trust))
    trust["Statement"][0]["Condition"] = {"StringEquals": {"aws:SourceAccount": "123456789012"}}
    iam.create_role(RoleName=CONDITIONAL.rpartition("/")[2], AssumeRolePolicyDocument=json.dumps(trust))
    return make_service_role(sandbox, "glue.amazonaws.com", "glue:GetTable")


@pytest.fixture(scope="session")
def tables(sandbox: Sandbox) -> dict[str, dict[str, str]]:
    """Return the location of the table of a new feature group by its format."""
    sagemaker, locations = sandbox.client("sagemaker"), {}
    for table_format in ("Iceberg", "Glue"):
        name = f"optimized-{table_format.lower()}"
        sagemaker.create_feature_group(
            FeatureGroupName=name,
            RecordIdentifierFeatureName="id",
            EventTimeFeatureName="at",
            FeatureDefinitions=[{"FeatureName": one, "FeatureType": "String"} for one in ("id", "at")],
            OfflineStoreConfig={"S3StorageConfig": {"S3Uri": "s3://store/features"}, "TableFormat": table_format},
            RoleArn=ROLE,
        )
        group = sagemaker.describe_feature_group(FeatureGroupName=name)
        table = group["OfflineStoreConfig"]["DataCatalogConfig"]["TableName"]
        locations[table_format] = {"CatalogId": "123456789012", "DatabaseName": DATABASE, "TableName": table}
    return locations


def configure(role: str, **more: Any) -> dict[str, Any]:
    return {"roleArn": role, "enabled": True, **more}


def test_an_optimizer_has_the_defaults_of_glue_and_is_changed_and_deleted(
    glue: Any, role: str, tables: dict[str, dict[str, str]]
) -> None:
    table_identity = tables["Iceberg"]
    configuration = configure(role)
    for kind in KINDS:
        optimizer = {**table_identity, "Type": kind}
        assert catch_error(glue.get_table_optimizer, **optimizer)[0] == "EntityNotFoundException"
        glue.create_table_optimizer(**optimizer, TableOptimizerConfiguration=configuration)
        error = catch_error(glue.create_table_optimizer, **optimizer, TableOptimizerConfiguration=configuration)
        assert error[0] == "AlreadyExistsException"
    table = {
        "catalogId": table_identity["CatalogId"],
        "databaseName": DATABASE,
        "tableName": table_identity["TableName"],
    }
    absent = {**table, "tableName": "absent", "type": KINDS[0]}
    response = glue.batch_get_table_optimizer(Entries=[*({**table, "type": kind} for kind in KINDS), absent])
    settings = [
        block["icebergConfiguration"]
        for one in response["TableOptimizers"]
        for block in one["tableOptimizer"]["configuration"].values()
        if isinstance(block, dict)
    ]
    assert settings == [
        {"strategy": "binpack"},
        {
            "snapshotRetentionPeriodInDays": 5,
            "numberOfSnapshotsToRetain": 1,
            "cleanExpiredFiles": False,
            "runRateInHours": 24,
        },
        {"orphanFileRetentionPeriodInDays": 3, "runRateInHours": 24},
    ]
    assert [one["error"]["ErrorCode"] for one in response["Failures"]] == ["EntityNotFoundException"]

    retention = {**table_identity, "Type": "retention"}
    days = {"retentionConfiguration": {"icebergConfiguration": {"snapshotRetentionPeriodInDays": 9}}}
    glue.update_table_optimizer(**retention, TableOptimizerConfiguration=configure(role, **days))
    changed = glue.get_table_optimizer(**retention)["TableOptimizer"]["configuration"]["retentionConfiguration"]
    assert changed["icebergConfiguration"]["snapshotRetentionPeriodInDays"] == 9
    assert glue.list_table_optimizer_runs(**retention)["TableOptimizerRuns"] == []
    glue.delete_table_optimizer(**retention)
    for refused in (glue.get_table_optimizer, glue.delete_table_optimizer, glue.list_table_optimizer_runs):
        assert catch_error(refused, **retention)[0] == "EntityNotFoundException"


@check_cases(
    ("table_format", "configuration", "error"),
    [
        ("Glue", {}, "is not an Iceberg table"),
        ("Iceberg", {"compactionConfiguration": {}}, "compactionConfiguration cannot be specified"),
        (
            "Iceberg",
            {"retentionConfiguration": {"icebergConfiguration": {"runRateInHours": 2}}},
            "must be between 3 and 168",
        ),
        ("Iceberg", {"roleArn": ROLE}, "does not have the correct trust policies"),
        ("Iceberg", {"roleArn": POWERLESS}, "proper IAM permissions"),
        ("Iceberg", {"roleArn": CONDITIONAL}, "does not have the correct trust policies"),
    ],
)
def test_glue_refuses_other_tables_settings_and_roles(
    table_format: str,
    configuration: dict[str, Any],
    error: str,
    glue: Any,
    role: str,
    tables: dict[str, dict[str, str]],
) -> None:
    code, message = catch_error(
        glue.create_table_optimizer,
        **tables[table_format],
        Type="retention",
        TableOptimizerConfiguration=configure(role) | configuration,
    )
    assert error in message, (code, message)
