"""Checks of permissions, and of the first minutes of new roles and keys."""

import re
import time
from typing import Any

from botocore.exceptions import ClientError

from clone.prove import inventory, models
from clone.prove.checks.registry import Answer, register_check
from clone.prove.checks.temporary_role import create_temporary_role, is_denied
from clone.prove.context import ProofError
from clone.prove.settings import TAG
from clone.prove.stages.base import AccessStage
from clone.prove.stages.data import ModelRegistryStage, PipelineStage
from sustainable_mlops import aws

#: Services of the purposes of the module `network`. `{region}` stands for the Region.
ENDPOINT_SERVICES = (
    "aws.sagemaker.{region}.experiments",
    "ecr.api",
    "ecr.dkr",
    "logs",
    "sagemaker.api",
    "sagemaker.featurestore-runtime",
    "sagemaker.metrics",
    "sagemaker.runtime",
    "sts",
)
#: Minutes in which KMS counts a new tag, by its documentation, and a reserve.
_TAG_MINUTES = 6
#: Minutes in which SageMaker accepts a new role.
_ROLE_MINUTES = 3


@register_check("new-key-tag", "access", "changed")
def new_key_tag(stage: AccessStage) -> Answer:
    """Does KMS count the tag of a new key within five minutes?

    Until then, the role `apply` uses the key only through services. If it takes longer, the first apply has to wait.

    Documentation: AWS KMS Developer Guide, "ABAC for AWS KMS": a change of a tag may take up to five minutes.
    """
    run, kms = stage.run, stage.run.get_client("kms")
    tags = [{"TagKey": TAG, "TagValue": run.name}]
    with create_temporary_role(run, "tag") as role:
        tag = {"StringEquals": {f"aws:ResourceTag/{TAG}": run.name}}
        role.replace_policy({"Action": "kms:GenerateDataKey", "Resource": "*", "Condition": tag})
        client = role.get_client("kms")
        generate = client.generate_data_key
        role.wait_until_allowed("a data key of an older key", lambda: generate(KeyId=run.key, KeySpec="AES_256"))
        key = kms.create_key(Description=run.name, Tags=tags)["KeyMetadata"]["Arn"]
        begin = time.monotonic()
        try:
            role.wait_until_allowed(
                "a data key of a new key", lambda: generate(KeyId=key, KeySpec="AES_256"), _TAG_MINUTES
            )
        except ClientError as error:
            if not is_denied(error):
                raise
            return Answer(False, f"the tag did not count within {_TAG_MINUTES} minutes: {error}")
        finally:
            seconds = round(time.monotonic() - begin)
            inventory.delete_resource(run.recorder, inventory.FoundResource("key", key), run.settings.account)
    return Answer(seconds <= 300, f"the tag counted after {seconds} s")


@register_check("missing-model", "access", "changed", refusal=r"AccessDenied|not authorized to perform: sagemaker:")
def missing_model(stage: AccessStage) -> Answer:
    """Does DescribeModel say that a model does not exist, to a role whose permission depends on the model's tag?

    The role `plan` has this permission. Else a model that was deleted outside Terraform would block each plan.

    Documentation: IAM User Guide, "IfExists condition operators"; Amazon SageMaker API Reference, DescribeModel.
    """
    region, account = stage.run.settings.region, stage.run.settings.account
    with create_temporary_role(stage.run, "describe") as role:
        tag = {"StringEqualsIfExists": {f"aws:ResourceTag/{TAG}": stage.run.name}}
        resource = f"arn:aws:sagemaker:{region}:{account}:model/*"
        role.replace_policy({"Action": "sagemaker:DescribeModel", "Resource": resource, "Condition": tag})
        client = role.get_client("sagemaker")
        try:
            role.wait_until_allowed(
                "the description of a missing model", lambda: client.describe_model(ModelName=f"{stage.run.name}-none")
            )
        except ClientError as error:
            if "Could not find model" not in str(error):
                raise
            return Answer(True, str(error))
    return Answer(False, "SageMaker described a model that does not exist")


@register_check("vpc-endpoint-policies", "access", "changed")
def vpc_endpoint_policies(stage: AccessStage) -> Answer:
    """Do the interface endpoints of all services of the module `network` take a policy?

    Documentation: Amazon VPC, AWS PrivateLink, "AWS services that integrate with AWS PrivateLink"; Amazon EC2 API
    Reference, DescribeVpcEndpointServices, VpcEndpointPolicySupported.
    """
    region = stage.run.settings.region
    names = [name.format(region=region) for name in ENDPOINT_SERVICES]
    expected = [name if name.startswith("aws.") else f"com.amazonaws.{region}.{name}" for name in names]
    pages = stage.run.get_client("ec2").get_paginator("describe_vpc_endpoint_services").paginate()
    supported = {
        one["ServiceName"]: one["VpcEndpointPolicySupported"] for page in pages for one in page["ServiceDetails"]
    }
    absent = [name for name in expected if name not in supported]
    without = [name for name in expected if supported.get(name) is False]
    problems = [f"no endpoint: {', '.join(absent)}"] if absent else []
    problems += [f"no policy: {', '.join(without)}"] if without else []
    return Answer(not problems, "; ".join(problems) or f"{len(expected)} services have endpoints with a policy")


@register_check("register-model-image", "model_registry", "used", refusal=r"not authorized to perform: ecr:|\bECR\b")
def register_model_image(stage: ModelRegistryStage) -> Answer:
    """Can a role with the permissions of `access` and those to read the image register a model?

    The text says whether SageMaker needs them.

    Documentation: Amazon SageMaker API Reference, CreateModelPackage; the Service Authorization Reference names no
    dependent action.
    """
    run = stage.run
    image = models.find_image(run.settings.region, "ml.m5.large")
    container = {"Image": image, "ModelDataUrl": models.format_address(run, "first"), "Environment": models.ENVIRONMENT}
    request: dict[str, Any] = {
        "ModelPackageGroupName": stage.package_group,
        "ModelApprovalStatus": "PendingManualApproval",
        "InferenceSpecification": {
            "Containers": [container],
            "SupportedContentTypes": ["application/json"],
            "SupportedResponseMIMETypes": ["application/json"],
        },
    }
    register = {"Action": ["sagemaker:CreateModelPackage", "sagemaker:ListModelPackages"], "Resource": "*"}
    read = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    with create_temporary_role(run, "register") as role:
        role.replace_policy(register)
        client = role.get_client("sagemaker")
        role.wait_until_allowed(
            "the permissions of a new role",
            lambda: client.list_model_packages(ModelPackageGroupName=stage.package_group),
        )
        try:
            client.create_model_package(**request)
            note = "SageMaker needs no permission to read the image"
        except ClientError as error:
            note = f"without the permission to read the image: {aws.read_error_code(error)}: {error}"
        role.replace_policy(register, {"Action": read, "Resource": "*"})
        # SageMaker itself may refuse the image until IAM knows the new policy everywhere.
        role.wait_until_allowed("a registration", lambda: client.create_model_package(**request), pattern=r"\bECR\b")
    return Answer(True, f"a version was registered; {note}")


@register_check("approval-dead-letter", "model_registry", "used")
def approval_dead_letter(stage: ModelRegistryStage) -> Answer:
    """Is the dead-letter queue of approvals empty after an approval?

    A message in it has the reason why EventBridge could not publish to the encrypted topic.

    Documentation: Amazon EventBridge User Guide, "Using dead-letter queues to process undelivered events".
    """
    sqs = stage.run.get_client("sqs")
    url = sqs.get_queue_url(QueueName=f"{stage.prefix}-model-approvals-undelivered")["QueueUrl"]
    response = sqs.receive_message(QueueUrl=url, MessageAttributeNames=["All"], WaitTimeSeconds=5)
    for message in response.get("Messages", []):
        values = {name: one.get("StringValue", "") for name, one in message.get("MessageAttributes", {}).items()}
        return Answer(False, f"{values.get('ERROR_CODE', '')}: {values.get('ERROR_MESSAGE', '')}")
    return Answer(True, "the queue is empty")


@register_check("new-role-pipeline", "pipeline", "used")
def new_role_pipeline(stage: PipelineStage) -> Answer:
    """Does SageMaker accept a role that is seconds old for a pipeline, at once or after some minutes?

    The provider does not try again, so that a first apply may need a second one. The text has the first error. Only
    errors about the role are tried again.

    Documentation: IAM User Guide, "Troubleshoot IAM", "Changes that I make are not always immediately visible"; AWS
    provider 5.100 to 6, resources aws_sagemaker_pipeline and aws_sagemaker_mlflow_tracking_server.
    """
    run, sagemaker = stage.run, stage.run.get_client("sagemaker")
    name = f"{run.name}-new-role"
    errors: list[str] = []
    definition = (
        '{"Version": "2020-12-01", "Steps": [{"Name": "End", "Type": "Fail", "Arguments": {"ErrorMessage": "x"}}]}'
    )
    with create_temporary_role(run, "new", {"Service": "sagemaker.amazonaws.com"}) as role:
        begin = time.monotonic()

        def create() -> bool:
            try:
                sagemaker.create_pipeline(PipelineName=name, PipelineDefinition=definition, RoleArn=role.arn)
            except ClientError as error:
                if aws.read_error_code(error) != "ValidationException" or not re.search(r"(?i)\brole", str(error)):
                    raise
                errors.append(str(error))
                return False
            return True

        try:
            run.wait("a pipeline with a new role", create, _ROLE_MINUTES)
        except ProofError:
            return Answer(False, f"not created within {_ROLE_MINUTES} minutes; first error: {errors[0]}")
        seconds = round(time.monotonic() - begin)
        sagemaker.delete_pipeline(PipelineName=name)
    return Answer(True, f"created after {seconds} s; first error: {errors[0] if errors else 'none'}")
