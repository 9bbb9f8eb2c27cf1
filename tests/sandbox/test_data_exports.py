"""Data Exports: definitions of exports, refused requests, and lists of an account."""

import json
from typing import Any

import pytest

from sagemaker_sandbox import Sandbox
from sagemaker_sandbox.base.client import make_client
from tests.cases import check_cases
from tests.sandbox.support import catch_error

#: An account that no other test uses, because quotas and lists count.
ACCOUNT = "210000000077"
BUCKET = "carbon-exports"
QUERY = "SELECT usage_period_start, total_lbm_emissions_value AS kg FROM CARBON_EMISSIONS"


def build_export(name: str = "carbon", query: str = QUERY, bucket: str = BUCKET, **output: str) -> dict[str, Any]:
    """Return the definition of an export to Parquet files."""
    files = {"OutputType": "CUSTOM", "Format": "PARQUET", "Compression": "PARQUET", "Overwrite": "OVERWRITE_REPORT"}
    destination = {"S3Bucket": bucket, "S3Prefix": "reports", "S3Region": "eu-north-1"}
    return {
        "Name": name,
        "DataQuery": {"QueryStatement": query},
        "DestinationConfigurations": {"S3Destination": destination | {"S3OutputConfigurations": files | output}},
        "RefreshCadence": {"Frequency": "SYNCHRONOUS"},
    }


def make_bucket(sandbox: Sandbox, account: str, name: str = BUCKET) -> None:
    """Create a bucket that Data Exports may write to on behalf of the account."""
    s3 = make_client("s3", "eu-north-1", sandbox.endpoint, account)
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-north-1"})
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": ["bcm-data-exports.amazonaws.com"]},
        "Action": ["s3:PutObject", "s3:GetBucketPolicy"],
        "Resource": [f"arn:aws:s3:::{name}", f"arn:aws:s3:::{name}/*"],
        "Condition": {
            "StringLike": {
                "aws:SourceAccount": account,
                "aws:SourceArn": [f"arn:aws:bcm-data-exports:us-east-1:{account}:export/*"],
            }
        },
    }
    s3.put_bucket_policy(Bucket=name, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))


@pytest.fixture(scope="session")
def exports(sandbox: Sandbox) -> Any:
    """Return a client of Data Exports in an account with a bucket for them."""
    make_bucket(sandbox, ACCOUNT)
    make_client("s3", "us-east-1", sandbox.endpoint, ACCOUNT).create_bucket(Bucket="without-a-policy")
    return make_client("bcm-data-exports", "us-east-1", sandbox.endpoint, ACCOUNT)


def test_an_export_is_created_changed_listed_and_deleted(exports: Any) -> None:
    tables = {table["TableName"] for table in exports.list_tables()["Tables"]}
    columns = {column["Name"] for column in exports.get_table(TableName="CARBON_EMISSIONS")["Schema"]}
    assert tables == {"CARBON_EMISSIONS"}
    assert len(columns) == 23
    assert {"usage_account_id", "region_code", "product_code", "total_scope_3_mbm_emissions_unit"} <= columns

    definition = build_export()
    definition["DataQuery"]["TableConfigurations"] = {"CARBON_EMISSIONS": {}}
    arn = exports.create_export(Export=definition, ResourceTags=[{"Key": "workload", "Value": "a"}])["ExportArn"]
    try:
        response = exports.get_export(ExportArn=arn)
        assert response["Export"] == build_export() | {"ExportArn": arn}  # AWS returns no empty configuration
        assert response["ExportStatus"]["StatusCode"] == "HEALTHY"

        exports.update_export(ExportArn=arn, Export=build_export() | {"Description": "of all Regions"})
        exports.tag_resource(ResourceArn=arn, ResourceTags=[{"Key": "team", "Value": "b"}])
        exports.untag_resource(ResourceArn=arn, ResourceTagKeys=["workload"])
        assert exports.get_export(ExportArn=arn)["Export"]["Description"] == "of all Regions"
        assert exports.list_tags_for_resource(ResourceArn=arn)["ResourceTags"] == [{"Key": "team", "Value": "b"}]

        second = exports.create_export(Export=build_export("second"))["ExportArn"]
        code, message = catch_error(exports.create_export, Export=build_export("third"))
        assert code == "ServiceQuotaExceededException"
        assert message == "Account has reached the resource limit of 2 on CARBON_EMISSIONS table."
        pages = exports.get_paginator("list_exports").paginate(PaginationConfig={"PageSize": 1})
        assert [item["ExportName"] for page in pages for item in page["Exports"]] == ["carbon", "second"]
        exports.delete_export(ExportArn=second)
    finally:
        exports.delete_export(ExportArn=arn)
    assert exports.list_exports()["Exports"] == []
    assert catch_error(exports.get_export, ExportArn=arn)[0] == "ResourceNotFoundException"


@check_cases(
    ("definition", "code", "text"),
    [
        (build_export(query="SELECT region_code FROM CARBON"), "ValidationException", "table CARBON does not exist"),
        (build_export(query="SELECT kg FROM CARBON_EMISSIONS"), "ValidationException", "has no column kg"),
        (build_export(query="DROP TABLE CARBON_EMISSIONS"), "ValidationException", "must be SELECT columns FROM table"),
        (
            build_export(query="SELECT a FROM COST_AND_USAGE_REPORT"),
            "UnsupportedOperationException",
            "CARBON_EMISSIONS",
        ),
        (build_export(query=f"{QUERY} WHERE region_code = 'a'"), "UnsupportedOperationException", "row filter"),
        (build_export(bucket="without-a-policy"), "ValidationException", "S3 bucket permission validation failed"),
        (build_export(bucket="of-nobody"), "ValidationException", "S3 bucket permission validation failed"),
        (build_export(Compression="GZIP"), "ValidationException", "GZIP does not suit format PARQUET"),
        (build_export("a b"), "ValidationException", "a b"),
    ],
)
def test_a_wrong_export_is_refused(exports: Any, definition: dict[str, Any], code: str, text: str) -> None:
    error, message = catch_error(exports.create_export, Export=definition)
    assert (error, text in message) == (code, True), message
