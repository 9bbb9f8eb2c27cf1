"""Export, budgets and permissions of `footprint`."""

import json
from pathlib import Path
from typing import Any

import pytest

from sagemaker_sandbox import Sandbox
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.base.terraform import ROOT, Terraform
from tests.lazy_imports import LazyModule
from tests.modules.examples import plan_example

ACCOUNT = "123456789012"
#: Loaded lazily, because it imports cdktn, which starts jsii.
module = LazyModule("modules.footprint.module")


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory, terraform_environment: dict[str, str]) -> dict[str, Any]:
    """Return the planned values of the complete example, by address within the module."""
    values = plan_example("footprint-complete", tmp_path_factory.mktemp("footprint"), terraform_environment)
    return {address.removeprefix("module.footprint."): value for address, value in values.items()}


@pytest.mark.slow
def test_the_export_has_all_columns_of_the_table_and_those_that_reconcile_reads() -> None:
    from sagemaker_sandbox.services.dataexports.tables import CARBON_EMISSIONS, TABLES
    from sustainable_mlops.account.reconcile import reports

    assert set(module.COLUMNS) == {column.name for column in TABLES[CARBON_EMISSIONS].columns}
    assert set(module.COLUMNS) >= {*reports._COLUMNS, *reports._OPTIONAL_COLUMNS}


@pytest.mark.plan
def test_the_export_overwrites_parquet_files_of_the_bucket(planned: dict[str, Any]) -> None:
    (export,) = planned["aws_bcmdataexports_export.carbon"]["export"]
    (destination,) = export["destination_configurations"][0]["s3_destination"]
    (output,) = destination["s3_output_configurations"]
    assert (output["format"], output["compression"], output["overwrite"]) == ("PARQUET", "PARQUET", "OVERWRITE_REPORT")
    assert destination["s3_region"] == "eu-north-1"
    # Data Exports writes to this folder of the bucket, which is the output s3_uri.
    assert f"{destination['s3_prefix']}/{export['name']}" == "carbon/flights-carbon"
    outputs = (ROOT / "modules" / "footprint" / "outputs.tf").read_text()
    assert "s3://${aws_s3_bucket.carbon.bucket}/carbon/${var.name_prefix}-carbon" in outputs


@pytest.mark.plan
def test_a_budget_counts_one_workload_and_notifies_before_and_after_the_limit(planned: dict[str, Any]) -> None:
    budget = planned['aws_budgets_budget.workloads["flight_delay"]']
    assert budget["cost_filter"] == [{"name": "TagKeyValue", "values": ["user:workload$flight_delay"]}]
    notifications = budget["notification"]
    assert sorted((one["notification_type"], one["threshold"]) for one in notifications) == [
        ("ACTUAL", 50),
        ("ACTUAL", 80),
        ("ACTUAL", 100),
        ("FORECASTED", 90),
        ("FORECASTED", 100),
    ]
    assert all(one["subscriber_email_addresses"] == ["ml-platform@example.org"] for one in notifications)


@pytest.mark.plan
def test_only_billing_services_of_this_account_publish_and_use_the_key(planned: dict[str, Any]) -> None:
    for address, actions in (
        ("aws_sns_topic_policy.costs", "sns:Publish"),
        ('aws_kms_key.this["own"]', ["kms:Decrypt", "kms:GenerateDataKey*"]),
    ):
        statements = {one["Sid"]: one for one in json.loads(planned[address]["policy"])["Statement"]}
        for sid, service in (("Budgets", "budgets.amazonaws.com"), ("CostAnomalies", "costalerts.amazonaws.com")):
            assert statements[sid]["Principal"] == {"Service": service}
            assert statements[sid]["Action"] == actions
            assert statements[sid]["Condition"]["StringEquals"] == {"aws:SourceAccount": ACCOUNT}


@pytest.mark.plan
def test_only_exports_of_this_account_are_written_to_the_bucket(planned: dict[str, Any]) -> None:
    statements = json.loads(planned["aws_s3_bucket_policy.carbon"]["policy"])["Statement"]
    (delivery,) = [one for one in statements if one["Effect"] == "Allow"]
    assert delivery["Principal"] == {"Service": "bcm-data-exports.amazonaws.com"}
    assert delivery["Action"] == "s3:PutObject"
    assert delivery["Condition"] == {
        "StringEquals": {"aws:SourceAccount": ACCOUNT},
        "ArnLike": {"aws:SourceArn": f"arn:aws:bcm-data-exports:us-east-1:{ACCOUNT}:export/*"},
    }


@pytest.mark.plan
def test_single_anomalies_go_to_the_topic_and_daily_summaries_to_the_addresses(planned: dict[str, Any]) -> None:
    topic, emails = (planned[f'aws_ce_anomaly_subscription.{name}["services"]'] for name in ("topic", "emails"))
    assert (topic["frequency"], [one["type"] for one in topic["subscriber"]]) == ("IMMEDIATE", ["SNS"])
    assert (emails["frequency"], emails["subscriber"]) == (
        "DAILY",
        [{"type": "EMAIL", "address": "ml-platform@example.org"}],
    )
    assert topic["threshold_expression"][0]["dimension"][0]["values"] == ["20"]


@pytest.mark.apply
def test_a_tag_becomes_active_in_the_first_apply_after_a_bill_has_it(
    tmp_path: Path, sandbox: Sandbox, terraform_environment: dict[str, str]
) -> None:
    """Check the second apply that the page of the module describes."""
    (tmp_path / "main.tf").write_text(
        'resource "aws_ce_cost_allocation_tag" "this" {\n  tag_key = "cost-centre"\n  status  = "Active"\n}\n'
    )
    terraform = Terraform(tmp_path, terraform_environment)
    terraform.init()
    with pytest.raises(UserError, match="empty result"):
        terraform.apply()
    queues = sandbox.client("sqs")
    queue = queues.create_queue(QueueName="billed-later", tags={"cost-centre": "42"})["QueueUrl"]
    try:
        terraform.apply()
        assert terraform.is_up_to_date(tmp_path / "tfplan")
        terraform.apply("-destroy")
    finally:
        queues.delete_queue(QueueUrl=queue)
    costs = sandbox.client("ce")
    assert costs.list_cost_allocation_tags(TagKeys=["cost-centre"])["CostAllocationTags"][0]["Status"] == "Inactive"
