"""Checks of the modules for data and models."""

import re
import time
from typing import Any

from botocore.exceptions import ClientError

from clone.prove import costs, models
from clone.prove.checks.registry import Answer, register_check
from clone.prove.context import ProofError
from clone.prove.settings import TAG
from clone.prove.stages.base import AccessStage
from clone.prove.stages.data import EVENT_MINUTES, FeatureStoreStage, ModelRegistryStage, PipelineStage
from sustainable_mlops import aws
from sustainable_mlops.jobs.pipelines.versions import promote

#: Minutes in which a second event would have come: EventBridge takes seconds.
_QUIET_MINUTES = 1.0
_MOST_EVENTS = 5
#: Minutes until a schedule of two minutes, with a window of one, has started something.
_SCHEDULE_MINUTES = 12
#: Error of a job that could not write into the bucket.
_IS_REFUSED_WRITE = re.compile(r"access ?denied|forbidden|403|checkpoint|\bkms\b", re.IGNORECASE)


@register_check(
    "feature-store-kms-via-service",
    "feature_store",
    "applied",
    answers_for_apply=True,
    # IAM names who lacks the permission: only a role of the run is an answer.
    refusal=r"assumed-role/prove-.*not authorized to perform: kms:|^(?!.*not authorized to perform).*\bkms\b",
)
def feature_store_kms_via_service(stage: FeatureStoreStage) -> Answer:
    """Can a feature group with an offline store be created with the role and the key of the modules?

    The role may generate data keys without a condition on `kms:ViaService`, which CreateFeatureGroup refuses.

    Documentation: Amazon SageMaker Developer Guide, Security and access control for Feature Store, "Using KMS
    permissions for Amazon SageMaker Feature Store"; AWS KMS Developer Guide, condition key kms:ViaService.
    """
    group = stage.group
    store = group["OfflineStoreConfig"]["S3StorageConfig"]
    yes = group["FeatureGroupStatus"] == "Created" and store.get("KmsKeyId") == stage.run.key
    return Answer(yes, f"the group is {group['FeatureGroupStatus']}, its offline store uses {store.get('KmsKeyId')}")


@register_check(
    "feature-store-trust-source-account",
    "feature_store",
    "used",
    answers_for_apply=True,
    refusal=r"\bassume\b|AssumeRole|trust (policy|relationship)",
)
def feature_store_trust_source_account(stage: FeatureStoreStage) -> Answer:
    """Does Feature Store write the offline store with the role, whose trust policy checks `aws:SourceAccount`?

    Documentation: Amazon SageMaker Developer Guide, Cross-service confused deputy prevention: which features send
    aws:SourceArn, and that Feature Store takes aws:SourceAccount.
    """
    try:
        keys = stage.wait_for_offline_objects()
    except ProofError:
        status = stage.group.get("OfflineStoreStatus", {})
        if status.get("Status") != "Blocked":
            raise
        return Answer(False, f"the offline store is Blocked: {status.get('BlockedReason', '')}")
    status = stage.group.get("OfflineStoreStatus", {}).get("Status", "unknown")
    return Answer(status == "Active", f"the offline store is {status} and holds {len(keys)} file(s)")


@register_check("lake-formation-grants", "feature_store", "used")
def lake_formation_grants(stage: FeatureStoreStage) -> Answer:
    """Does the group have a table in the Glue catalog that can be read without grants of Lake Formation?

    Documentation: AWS Lake Formation Developer Guide, Changing the default settings for your data lake
    (IAMAllowedPrincipals); Amazon SageMaker Developer Guide, Feature Store, "Use AWS Lake Formation".
    """
    catalog = stage.group["OfflineStoreConfig"].get("DataCatalogConfig") or {}
    if not catalog:
        return Answer(False, "SageMaker names no table for the group")
    database, table = catalog["Database"], catalog["TableName"]
    try:
        table_description = stage.run.get_client("glue").get_table(DatabaseName=database, Name=table)["Table"]
    except ClientError as error:
        # Any other refusal, such as one by IAM, does not concern Lake Formation.
        if "Lake Formation" not in str(error) and aws.read_error_code(error) != "EntityNotFoundException":
            raise
        return Answer(False, f"{database}.{table}: {aws.read_error_code(error)}: {error}; {_describe_defaults(stage)}")
    return Answer(True, f"{database}.{table_description['Name']} can be read; {_describe_defaults(stage)}")


def _describe_defaults(stage: FeatureStoreStage) -> str:
    """Return the principals to which new tables are open by default."""
    settings = stage.run.get_client("lakeformation").get_data_lake_settings()["DataLakeSettings"]
    principals = [
        one.get("Principal", {}).get("DataLakePrincipalIdentifier", "")
        for one in settings.get("CreateTableDefaultPermissions", [])
    ]
    return f"new tables are open to {', '.join(principals) or 'no principal by default'}"


@register_check(
    "event-target-role",
    "model_registry",
    "used",
    answers_for_apply=True,
    # A refusal of the caller, who lacks a permission, does not concern the permissions of the target.
    refusal=r"(PutTargets|EventBridge Target)(?!.*(not authorized to perform|LimitExceeded|Throttl))",
)
def event_target_role(stage: ModelRegistryStage) -> Answer:
    """Does an approval reach a topic that is encrypted with the key, by the permissions that the modules give?

    Documentation: Amazon EventBridge User Guide, Using resource-based policies and execution roles for targets; Amazon
    SNS Developer Guide, Enabling compatibility between event sources from AWS services and encrypted topics.
    """
    stage.first_events = stage.receive_approvals(1, EVENT_MINUTES)
    return Answer(bool(stage.first_events), f"{len(stage.first_events)} event(s) arrived through the topic")


@register_check("approval-event-once", "model_registry", "used")
def approval_event_once(stage: ModelRegistryStage) -> Answer:
    """Does an approval send one event, and a metadata edit no event?

    Documentation: Amazon SageMaker Developer Guide, Events that Amazon SageMaker AI sends to EventBridge, "SageMaker
    Model Package State Change", UpdatedModelPackageFields.
    """
    if not stage.first_events:
        raise ProofError("the approval sent no event, so the check is undecided")
    stage.run.get_client("sagemaker").update_model_package(
        ModelPackageArn=stage.package, CustomerMetadataProperties={"reviewed": "yes"}
    )
    later = stage.receive_approvals(_MOST_EVENTS, _QUIET_MINUTES)
    events = [*stage.first_events, *later]
    return Answer(len(events) == 1, f"{len(events)} event(s) of one approval and one edit, {len(later)} after the edit")


@register_check(
    "register-model-jsonget",
    "pipeline",
    "changed",
    needs="model_registry",
    refusal=r"JsonGet|PropertyFile|unable to parse pipeline definition|the execution is Failed:.* Register: ",
)
def register_model_jsonget(stage: PipelineStage) -> Answer:
    """Does a pipeline accept `Std:JsonGet` in the arguments of RegisterModel, and resolve it?

    Documentation: Amazon SageMaker Developer Guide, Pipelines, "Property files and JsonGet"; schema of the pipeline
    definition, aws-sagemaker-mlops.github.io/sagemaker-model-building-pipeline-definition-JSON-schema.
    """
    stage.registers = True
    stage.write()
    stage.terraform.apply()
    stage.execute()
    group = f"{stage.run.name}-{ModelRegistryStage.suffix}-orders"
    sagemaker = stage.run.get_client("sagemaker")
    newest = sagemaker.list_model_packages(
        ModelPackageGroupName=group, SortBy="CreationTime", SortOrder="Descending", MaxResults=1
    )["ModelPackageSummaryList"]
    described = sagemaker.describe_model_package(ModelPackageName=newest[0]["ModelPackageArn"])
    metadata = described.get("CustomerMetadataProperties", {})
    return Answer(metadata.get("auc") == "0.9", f"the registered version has the metadata {metadata}")


@register_check("scheduler-pipeline-version-alias", "pipeline", "changed", refusal="PipelineVersionAlias")
def scheduler_pipeline_version_alias(stage: PipelineStage) -> Answer:
    """Does a schedule start the version of the pipeline that has the alias `live`?

    Documentation: Amazon EventBridge Scheduler User Guide, Using universal targets; Amazon SageMaker API Reference,
    StartPipelineExecution, PipelineVersionAlias.
    """
    sagemaker = stage.run.get_client("sagemaker")
    version = promote(stage.pipeline_name, sagemaker).after
    before = {one["PipelineExecutionArn"] for one in stage.list_executions()}
    stage.changes["schedule"] = {"expression": "rate(2 minutes)", "flexible_window_minutes": 1}
    stage.write()
    stage.terraform.apply()
    try:
        execution_arn = stage.run.wait(
            "an execution by the schedule", lambda: _find_new_execution(stage, before), _SCHEDULE_MINUTES
        )
    except ProofError:
        if refusal := _read_dead_letter(stage):
            return Answer(False, f"the schedule started nothing; its dead-letter queue contains: {refusal}")
        raise
    finally:
        del stage.changes["schedule"]
        stage.write()
        stage.terraform.apply()
    description = sagemaker.describe_pipeline_execution(PipelineExecutionArn=execution_arn)
    started_version = description.get("PipelineVersionId", version)
    return Answer(
        started_version == version, f"the schedule started version {started_version}; `live` is version {version}"
    )


def _find_new_execution(stage: PipelineStage, before: set[str]) -> str:
    """Return an execution that is not in `before`; empty if there is none."""
    return next(
        (one["PipelineExecutionArn"] for one in stage.list_executions() if one["PipelineExecutionArn"] not in before),
        "",
    )


def _read_dead_letter(stage: PipelineStage) -> str:
    """Return the reason why the scheduler could not start the pipeline; empty if there is none."""
    response = stage.run.get_client("sqs").receive_message(
        QueueUrl=stage.published["dead_letter_queue_url"], MessageAttributeNames=["All"], WaitTimeSeconds=5
    )
    for message in response.get("Messages", []):
        attributes = {name: one.get("StringValue", "") for name, one in message.get("MessageAttributes", {}).items()}
        return f"{attributes.get('ERROR_CODE', '')}: {attributes.get('ERROR_MESSAGE', '')}"
    return ""


@register_check("checkpoint-encryption", "access", "changed")
def checkpoint_encryption(stage: AccessStage) -> Answer:
    """Can a training job with checkpoints write into the bucket, whose policy refuses other keys?

    CreateTrainingJob takes no key for checkpoints; only the bucket's default encryption remains.

    Documentation: Amazon SageMaker API Reference, CheckpointConfig (no KmsKeyId); Amazon SageMaker Developer Guide,
    Use checkpoints in Amazon SageMaker AI.
    """
    run = stage.run
    # A name is used once in an account, and a resumed run repeats the check.
    job, bucket = f"{run.name}-checkpoints-{time.time():.0f}", run.get_bucket_name("artifacts")
    _run_training_job(stage, job)
    sagemaker = run.get_client("sagemaker")

    def describe_end() -> Any:
        described = sagemaker.describe_training_job(TrainingJobName=job)
        return described if described["TrainingJobStatus"] not in ("InProgress", "Stopping") else None

    described = run.wait(f"the end of {job}", describe_end, 30)
    if described["TrainingJobStatus"] != "Completed":
        failure = f"{described['TrainingJobStatus']}: {described.get('FailureReason', '')}"
        if not _IS_REFUSED_WRITE.search(failure):
            raise ProofError(f"{job} is {failure}")
        return Answer(False, failure)
    head = run.get_client("s3").head_object(Bucket=bucket, Key=f"checkpoints/{job}/one.txt")
    encryption = head.get("ServerSideEncryption"), head.get("SSEKMSKeyId")
    return Answer(encryption == ("aws:kms", run.key), f"the checkpoint is encrypted with {encryption}")


def _run_training_job(stage: AccessStage, job: str) -> None:
    """Start a training job that writes one checkpoint and one artifact."""
    run = stage.run
    bucket = run.get_bucket_name("artifacts")
    script = "echo one > /opt/ml/checkpoints/one.txt; mkdir -p /opt/ml/model; echo model > /opt/ml/model/model.txt"
    run.get_client("sagemaker").create_training_job(
        TrainingJobName=job,
        RoleArn=run.get_role_arn("training"),
        AlgorithmSpecification={
            "TrainingImage": models.find_image(run.settings.region, "ml.m5.large"),
            "TrainingInputMode": "File",
            "ContainerEntrypoint": ["sh", "-c", script],
        },
        CheckpointConfig={"S3Uri": f"s3://{bucket}/checkpoints/{job}", "LocalPath": "/opt/ml/checkpoints"},
        OutputDataConfig={"S3OutputPath": f"s3://{bucket}/models/{run.name}", "KmsKeyId": run.key},
        ResourceConfig={
            "InstanceType": costs.choose_job_type(run.settings.region),
            "InstanceCount": 1,
            "VolumeSizeInGB": 5,
            "VolumeKmsKeyId": run.key,
        },
        StoppingCondition={"MaxRuntimeInSeconds": 600},
        Tags=[{"Key": TAG, "Value": run.name}],
    )
