"""Stages of the modules for data and models: feature_store, model_registry and pipeline."""

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from clone.prove import activity, costs, inventory, models
from clone.prove.context import ProofError, ProofRun
from clone.prove.costs import CostItem
from clone.prove.settings import TAG
from clone.prove.stage import STATEMENTS, Stage

#: Minutes until a record is in the offline store; AWS says fifteen.
OFFLINE_MINUTES = 25
#: Minutes until an event has come through a topic into a queue.
EVENT_MINUTES = 5


class FeatureStoreStage(Stage):
    """The stage of `feature_store`: one group, online and offline."""

    module = "feature_store"
    suffix = "features"
    outputs = ("feature_groups", STATEMENTS)

    def build_inputs(self) -> Mapping[str, Any]:
        """Return the inputs: a group of three features."""
        features = {"amount": {"type": "Fractional"}, "order_id": {"type": "String"}, "ordered_at": {"type": "String"}}
        group = {
            "record_identifier": "order_id",
            "event_time": "ordered_at",
            "online": {"ttl": {"unit": "Days", "value": 1}},
            "features": features,
        }
        return {
            "name_prefix": self.prefix,
            "deletion_protection": False,
            "kms_key_arn": self.run.key,
            "offline_store_s3_uri": self.run.base["s3_uris"]["features"],
            "role_arn": self.run.get_role_arn("data_preparation"),
            "feature_groups": {"orders": {**group, **self._build_online_change()}},
        }

    def _build_online_change(self) -> dict[str, Any]:
        return {"online": {"ttl": {"unit": "Days", "value": 2}}} if self._longer else {}

    _longer = False

    @property
    def group(self) -> dict[str, Any]:
        """Response of DescribeFeatureGroup."""
        described: dict[str, Any] = self.run.get_client("sagemaker").describe_feature_group(
            FeatureGroupName=f"{self.prefix}-orders"
        )
        return described

    def use_resources(self) -> str:
        """Put a record and get it from the online store."""
        runtime = self.run.get_client("sagemaker-featurestore-runtime")
        values = {"order_id": "1", "ordered_at": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}", "amount": "2.5"}
        record = [{"FeatureName": name, "ValueAsString": value} for name, value in values.items()]
        group = f"{self.prefix}-orders"
        runtime.put_record(FeatureGroupName=group, Record=record)

        def read_record() -> Any:
            response = runtime.get_record(FeatureGroupName=group, RecordIdentifierValueAsString="1")
            return {one["FeatureName"]: one["ValueAsString"] for one in response.get("Record", [])}

        stored_values = self.run.wait("a record in the online store", read_record, 5)
        if stored_values != values:
            raise ProofError(f"the online store returned an unexpected record: {stored_values}")
        return "a record was put and read"

    def wait_for_offline_objects(self) -> list[str]:
        """Return the keys of the group's Parquet files in the offline store, once there are any."""
        uri = self.group["OfflineStoreConfig"]["S3StorageConfig"]["ResolvedOutputS3Uri"]
        bucket, _, prefix = uri.removeprefix("s3://").partition("/")
        s3 = self.run.get_client("s3")

        def list_keys() -> list[str]:
            objects = inventory.list_pages(s3, "list_objects_v2", "Contents", Bucket=bucket, Prefix=prefix)
            return [one["Key"] for one in objects if one["Key"].endswith(".parquet")]

        keys: list[str] = self.run.wait("the record in the offline store", list_keys, OFFLINE_MINUTES)
        return keys

    def change(self) -> str:
        """Set a longer TTL of records in the online store."""
        self._longer = True
        return "a TTL of 2 days"


class ModelRegistryStage(Stage):
    """The stage of `model_registry`, with a queue that receives what the approval topic publishes."""

    module = "model_registry"
    suffix = "registry"
    outputs = ("model_package_groups", "approval_rules", "approval_topic_arn", STATEMENTS)

    def __init__(self, run: ProofRun) -> None:
        super().__init__(run)
        self._queue = ""
        #: The approved version.
        self.package = ""
        #: Approval events that came first.
        self.first_events: list[dict[str, Any]] = []

    def build_inputs(self) -> Mapping[str, Any]:
        """Return the inputs: one group, and a topic that is encrypted with the key of `storage`."""
        return {
            **self.get_common_inputs(),
            "deletion_protection": False,
            "approval_topic": {"kms_key_arn": self.run.key},
            "model_package_groups": {"orders": {}, **self._more_groups},
        }

    @property
    def _more_groups(self) -> dict[str, Any]:
        return {"returns": {}} if self._second_group else {}

    _second_group = False

    def _subscribe(self) -> str:
        """Create a queue that receives what the topic publishes, and return its URL."""
        sqs, topic = self.run.get_client("sqs"), self.published["approval_topic_arn"]
        name = f"{self.prefix}-approvals"
        arn = f"arn:aws:sqs:{self.run.settings.region}:{self.run.settings.account}:{name}"
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": arn,
            "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        url = str(
            sqs.create_queue(QueueName=name, Attributes={"Policy": policy}, tags={TAG: self.run.name})["QueueUrl"]
        )
        self.run.get_client("sns").subscribe(
            TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"}
        )
        return url

    @property
    def package_group(self) -> str:
        """Name of the group that versions are registered in."""
        return f"{self.prefix}-orders"

    def use_resources(self) -> str:
        """Register a version and approve it; a queue receives what the topic publishes."""
        self._queue = self._subscribe()
        sagemaker = self.run.get_client("sagemaker")
        container = {
            "Image": models.find_image(self.run.settings.region, "ml.m5.large"),
            "ModelDataUrl": models.format_address(self.run, "first"),
            "Environment": models.ENVIRONMENT,
        }
        specification = {
            "Containers": [container],
            "SupportedContentTypes": ["application/json"],
            "SupportedResponseMIMETypes": ["application/json"],
        }
        self.package = str(
            sagemaker.create_model_package(
                ModelPackageGroupName=self.package_group,
                InferenceSpecification=specification,
                ModelApprovalStatus="PendingManualApproval",
            )["ModelPackageArn"]
        )
        sagemaker.update_model_package(ModelPackageArn=self.package, ModelApprovalStatus="Approved")
        return "a version was registered and approved"

    def receive_approvals(self, expected: int, minutes: float) -> list[dict[str, Any]]:
        """Return the approval events in the queue, after `expected` events or `minutes` minutes."""
        sqs = self.run.get_client("sqs")
        events: dict[str, dict[str, Any]] = {}

        def poll() -> bool:
            received = sqs.receive_message(QueueUrl=self._queue, MaxNumberOfMessages=10, WaitTimeSeconds=1)
            for message in received.get("Messages", []):
                sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"])
                event = json.loads(message["Body"])
                events[event["id"]] = event
            return len(events) >= expected

        with suppress(ProofError):
            self.run.wait("approval events", poll, minutes)
        return list(events.values())

    def change(self) -> str:
        """Add a group."""
        self._second_group = True
        return "a second group"

    def prepare_destruction(self) -> None:
        """Delete the queue and the versions, because SageMaker deletes only empty groups."""
        inventory.delete_packages(self.run.get_client("sagemaker"), self.package_group)
        if self._queue:
            self.run.get_client("sqs").delete_queue(QueueUrl=self._queue)


class PipelineStage(Stage):
    """The stage of `pipeline`: a processing step that measures, and after the change a step that registers."""

    module = "pipeline"
    suffix = "pipeline"
    outputs = ("name", "arn", "dead_letter_queue_url", STATEMENTS)
    after = ("model_registry",)

    registers = False

    def build_inputs(self) -> Mapping[str, Any]:
        """Return the inputs."""
        return {
            **self.get_common_inputs(),
            "name": "orders",
            "role_arn": self.run.get_role_arn("pipeline"),
            "definition": json.dumps(self.build_definition(), sort_keys=True),
        }

    @property
    def pipeline_name(self) -> str:
        """Name of the pipeline."""
        return f"{self.prefix}-orders"

    def build_definition(self) -> dict[str, Any]:
        """Return the definition: a processing step, and with `registers` a step that registers a model."""
        steps = [self._build_measure_step(), *([self._build_register_step()] if self.registers else [])]
        return {"Version": "2020-12-01", "Steps": steps}

    def _build_measure_step(self) -> dict[str, Any]:
        folder = "/opt/ml/processing"
        script = f'echo \'{{"metrics": {{"auc": "0.9"}}}}\' > {folder}/output/measured.json'
        output = {
            "OutputName": "measured",
            "S3Output": {
                "S3Uri": f"s3://{self.run.get_bucket_name('artifacts')}/runs/{self.run.name}/measured",
                "LocalPath": f"{folder}/output",
                "S3UploadMode": "EndOfJob",
            },
        }
        data = {
            "InputName": "raw",
            "S3Input": {
                "S3Uri": f"s3://{self.run.get_bucket_name('data')}/raw/",
                "LocalPath": f"{folder}/input",
                "S3DataType": "S3Prefix",
                "S3InputMode": "File",
            },
        }
        cluster = {
            "InstanceCount": 1,
            "InstanceType": costs.choose_job_type(self.run.settings.region),
            "VolumeSizeInGB": 5,
            "VolumeKmsKeyId": self.run.key,
        }
        return {
            "Name": "Measure",
            "Type": "Processing",
            "CacheConfig": {"Enabled": True, "ExpireAfter": "P1D"},
            "PropertyFiles": [{"PropertyFileName": "measured", "OutputName": "measured", "FilePath": "measured.json"}],
            "Arguments": {
                "RoleArn": self.run.get_role_arn("data_preparation"),
                "StoppingCondition": {"MaxRuntimeInSeconds": 600},
                "AppSpecification": {
                    "ImageUri": models.find_image(self.run.settings.region, "ml.m5.large"),
                    "ContainerEntrypoint": ["sh", "-c", script],
                },
                "ProcessingInputs": [data],
                "ProcessingOutputConfig": {"KmsKeyId": self.run.key, "Outputs": [output]},
                "ProcessingResources": {"ClusterConfig": cluster},
            },
        }

    def _build_register_step(self) -> dict[str, Any]:
        auc = {"Std:JsonGet": {"PropertyFile": {"Get": "Steps.Measure.PropertyFiles.measured"}, "Path": "metrics.auc"}}
        container = {
            "Image": models.find_image(self.run.settings.region, "ml.m5.large"),
            "ModelDataUrl": models.format_address(self.run, "first"),
            "Environment": models.ENVIRONMENT,
        }
        return {
            "Name": "Register",
            "Type": "RegisterModel",
            "DependsOn": ["Measure"],
            "Arguments": {
                "ModelPackageGroupName": f"{self.run.name}-{ModelRegistryStage.suffix}-orders",
                "ModelApprovalStatus": "PendingManualApproval",
                "CustomerMetadataProperties": {"auc": {"Std:Join": {"On": "", "Values": [auc]}}},
                "InferenceSpecification": {
                    "Containers": [container],
                    "SupportedContentTypes": ["application/json"],
                    "SupportedResponseMIMETypes": ["application/json"],
                },
            },
        }

    def execute(self) -> str:
        """Start an execution, wait for its end and return its ARN. Raises ProofError if it failed."""
        with self.run.processing:
            return self._execute()

    def _execute(self) -> str:
        sagemaker = self.run.get_client("sagemaker")
        arn = str(sagemaker.start_pipeline_execution(PipelineName=self.pipeline_name)["PipelineExecutionArn"])

        def describe_end() -> Any:
            described = sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
            return described if described["PipelineExecutionStatus"] not in activity.EXECUTION_STATUSES else None

        described = self.run.wait("the execution's end", describe_end, 30)
        if described["PipelineExecutionStatus"] != "Succeeded":
            steps = inventory.list_pages(
                sagemaker, "list_pipeline_execution_steps", "PipelineExecutionSteps", PipelineExecutionArn=arn
            )
            reasons = [f"{one['StepName']}: {one['FailureReason']}" for one in steps if one.get("FailureReason")]
            failure = described.get("FailureReason", "")
            raise ProofError(f"the execution is {described['PipelineExecutionStatus']}: {failure} {'; '.join(reasons)}")
        return arn

    def use_resources(self) -> str:
        """Start an execution and wait until it has succeeded."""
        self.execute()
        return "an execution succeeded"

    def change(self) -> str:
        """Run more steps in parallel."""
        self.changes["max_parallel_steps"] = 3
        return "max_parallel_steps = 3"

    def list_executions(self) -> list[dict[str, Any]]:
        """Return the executions, the newest first."""
        return list(
            inventory.list_pages(
                self.run.get_client("sagemaker"),
                "list_pipeline_executions",
                "PipelineExecutionSummaries",
                PipelineName=self.pipeline_name,
            )
        )

    def prepare_destruction(self) -> None:
        """Wait for the end of all executions, because SageMaker deletes no pipeline that runs."""

        def check_end() -> bool:
            return not [
                one for one in self.list_executions() if one["PipelineExecutionStatus"] in activity.EXECUTION_STATUSES
            ]

        self.run.wait("the executions' end", check_end, 30)

    @classmethod
    def list_cost_items(cls, region: str) -> Iterator[CostItem]:
        """Return the lines of the estimate."""
        yield CostItem("pipeline: a processing job", costs.choose_job_type(region), 1, 0.2)
