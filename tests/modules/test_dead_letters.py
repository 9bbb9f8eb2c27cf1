"""Dead-letter queues of the modules: every target of EventBridge has one, which keeps the events that were lost."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from sustainable_mlops.base.terraform import ROOT
from tests.modules.examples import apply, plan, terraform
from tests.sandbox.support import IMAGE, wait_until

_TARGET = re.compile(r'^resource "aws_cloudwatch_event_target" "(\w+)" \{\n(.*?)^\}', re.MULTILINE | re.DOTALL)
#: A registry whose topic is encrypted, with a role that may not use the key.
REGISTRY = """
resource "aws_kms_key" "topic" {}

resource "aws_iam_role" "publisher" {
  name = "%(prefix)s-publishes-without-key"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Principal = { Service = "events.amazonaws.com" }, Action = "sts:AssumeRole" }]
  })
}

resource "aws_iam_role_policy" "publisher" {
  name = "publish"
  role = aws_iam_role.publisher.name
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sns:Publish", Resource = "*" }]
  })
}

module "model_registry" {
  source               = "./modules/model_registry"
  name_prefix          = "%(prefix)s"
  account_id           = "123456789012"
  region               = "eu-north-1"
  deletion_protection  = false
  model_package_groups = { churn = {} }
  approval_topic = {
    kms_key_arn   = aws_kms_key.topic.arn
    existing_role = { arn = aws_iam_role.publisher.arn }
  }
}

output "queues" {
  value = module.model_registry.dead_letter_queue_names
}
"""


def test_every_target_of_eventbridge_has_a_dead_letter_queue() -> None:
    targets = {
        f"{file.parent.name}.{name}": "dead_letter_config" in body
        for file in ROOT.glob("modules/*/*.tf")
        for name, body in _TARGET.findall(file.read_text())
    }
    assert {"model_registry.approvals", "observability.events", "observability.idle", "pipeline.failed"} <= set(targets)
    assert [name for name, has_queue in targets.items() if not has_queue] == []


@pytest.mark.apply
def test_a_notification_that_the_topic_refuses_is_in_the_queue_with_the_reason(
    tmp_path: Path, sandbox: Any, terraform_environment: dict[str, str]
) -> None:
    prefix = "undelivered"
    (tmp_path / "modules").symlink_to(ROOT / "modules")
    (tmp_path / "main.tf").write_text(REGISTRY % {"prefix": prefix})
    driver = terraform(tmp_path, terraform_environment)
    plan(driver)
    apply(driver)
    try:
        (name,) = json.loads(driver.execute_command("output", "-json", "queues").out)
        sagemaker, sqs = sandbox.client("sagemaker"), sandbox.client("sqs")
        package = sagemaker.create_model_package(
            ModelPackageGroupName=f"{prefix}-churn",
            ModelApprovalStatus="PendingManualApproval",
            InferenceSpecification={
                "Containers": [{"Image": IMAGE}],
                "SupportedContentTypes": ["text/csv"],
                "SupportedResponseMIMETypes": ["text/csv"],
            },
        )["ModelPackageArn"]
        sagemaker.update_model_package(ModelPackageArn=package, ModelApprovalStatus="Approved")
        queue = sqs.get_queue_url(QueueName=name)["QueueUrl"]

        def receive() -> Any:
            return sqs.receive_message(QueueUrl=queue, MessageAttributeNames=["All"]).get("Messages")

        (letter,) = wait_until(receive)
        assert json.loads(letter["Body"])["detail"]["ModelPackageArn"] == package
        assert letter["MessageAttributes"]["ERROR_CODE"]["StringValue"] == "NO_PERMISSIONS"
        sagemaker.delete_model_package(ModelPackageName=package)
    finally:
        driver.execute_command("destroy", "-auto-approve")
