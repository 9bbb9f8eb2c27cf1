"""An account with resources that Terraform did not create. The settings of each one vary with the seed."""

import json
from random import Random
from typing import Any

from sagemaker_sandbox import Sandbox
from tests.sandbox.support import IMAGE, ROLE, make_role, wait_until

REGION, ACCOUNT = "eu-north-1", "123456789012"
PREFIX = "acme"
#: Value that no file and no message may contain.
SECRET = "hunter2"  # noqa: S105  of no account
#: Metadata of a definition, which AWS accepts and stores as text.
PIPELINE = {
    "Version": "2020-12-01",
    "Parameters": [{"Name": "Threshold", "Type": "Float", "DefaultValue": 0.5}],
    "Steps": [{"Name": "Stop", "Type": "Fail", "Arguments": {"ErrorMessage": "costs ${money} and 5 %{percent}"}}],
}
#: A pipeline whose parameter has a secret as its default.
PIPELINE_WITH_SECRET = PIPELINE | {"Parameters": [{"Name": "DbPassword", "Type": "String", "DefaultValue": SECRET}]}


class SeededAccount:
    """An account with the resources of a team, and the same resources of another team beside them."""

    def __init__(self, sandbox: Sandbox, seed: int) -> None:
        self.sandbox, self.random = sandbox, Random(seed)  # noqa: S311  not for secrets
        names = ("sagemaker", "s3", "kms", "logs", "application-autoscaling")
        self.sagemaker, self.s3, self.kms, self.logs, self.scaling = map(sandbox.client, names)
        make_role(sandbox)
        allowed = {"Effect": "Allow", "Action": ["kms:*", "s3:*"], "Resource": "*"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
        sandbox.client("iam").put_role_policy(RoleName="test", PolicyName="data", PolicyDocument=policy)

    def seed(self) -> None:
        """Create everything and wait until the endpoints and feature groups are in use."""
        key = self.add_keys()
        for team in (PREFIX, "other"):
            self.add_buckets(team, key)
            self.add_feature_groups(team, key)
            self.add_package_groups(team)
            self.add_log_groups(team, key)
            self.add_endpoints(team, key)
            self.add_pipelines(team)
        wait_until(self.is_ready)

    def flip(self) -> bool:
        """Return True or False."""
        return self.random.random() < 0.5

    def choose_tags(self, team: str) -> list[dict[str, str]]:
        """Return no tags, or tags with spaces and signs."""
        return [{"Key": "team", "Value": team}, {"Key": "note", "Value": "a = b + @c"}] if self.flip() else []

    def add_keys(self) -> str:
        """Create keys with and without rotation, and one that is about to be deleted. Return the ARN of the first."""
        arns = []
        for name in ("main", "second", "leaving"):
            tags = [{"TagKey": tag["Key"], "TagValue": tag["Value"]} for tag in self.choose_tags(PREFIX)]
            key = self.kms.create_key(Description=f"Data of {name}" if self.flip() else "", Tags=tags)["KeyMetadata"]
            self.kms.create_alias(AliasName=f"alias/{PREFIX}-{name}", TargetKeyId=key["KeyId"])
            if self.flip():
                self.kms.enable_key_rotation(KeyId=key["KeyId"])
            arns.append(key["Arn"])
        self.kms.create_alias(AliasName=f"alias/{PREFIX}/main-again", TargetKeyId=arns[0])
        root = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
        account = {"Sid": "Account", "Effect": "Allow", "Principal": root, "Action": "kms:*", "Resource": "*"}
        logs = {"Service": f"logs.{REGION}.amazonaws.com"}
        group = {
            "Sid": "Logs",
            "Effect": "Allow",
            "Principal": logs,
            "Action": ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"],
            "Resource": "*",
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [account, group]})
        self.kms.put_key_policy(KeyId=arns[0], PolicyName="default", Policy=policy)
        self.kms.schedule_key_deletion(KeyId=arns[2].rpartition("/")[2], PendingWindowInDays=7)
        return str(arns[0])

    def add_buckets(self, team: str, key: str) -> None:
        """Create a bucket without settings, one for logs, and one with most settings. Each has an object."""
        for name in (f"{team}-plain", f"{team}-logs", f"{team}-data"):
            self.s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
            self.s3.put_object(Bucket=name, Key="raw/one.csv", Body=b"1,2")
        if tags := self.choose_tags(team):
            self.s3.put_bucket_tagging(Bucket=f"{team}-plain", Tagging={"TagSet": tags})
        bucket = {"Bucket": f"{team}-data"}
        status = "Enabled" if self.flip() else "Suspended"
        self.s3.put_bucket_versioning(**bucket, VersioningConfiguration={"Status": status})
        default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key} if self.flip() else {"SSEAlgorithm": "AES256"}
        rule = {"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": self.flip()}
        self.s3.put_bucket_encryption(**bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})
        switches = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
        blocked = {switch: True if switch == "BlockPublicAcls" else self.flip() for switch in switches}
        self.s3.put_public_access_block(**bucket, PublicAccessBlockConfiguration=blocked)
        owner = "BucketOwnerEnforced" if self.flip() else "BucketOwnerPreferred"
        self.s3.put_bucket_ownership_controls(**bucket, OwnershipControls={"Rules": [{"ObjectOwnership": owner}]})
        self.put_bucket_policy(team)
        rules = self.random.sample(_LIFECYCLE_RULES, self.random.randint(1, len(_LIFECYCLE_RULES)))
        self.s3.put_bucket_lifecycle_configuration(**bucket, LifecycleConfiguration={"Rules": rules})
        if self.flip():
            events: dict[str, Any] = {"EventBridgeConfiguration": {}}
            self.s3.put_bucket_notification_configuration(**bucket, NotificationConfiguration=events)
        if self.flip():
            cors = {"AllowedMethods": ["GET"], "AllowedOrigins": ["https://example.com"], "MaxAgeSeconds": 60}
            self.s3.put_bucket_cors(**bucket, CORSConfiguration={"CORSRules": [cors]})

    def put_bucket_policy(self, team: str) -> None:
        """Put a policy with a variable of IAM, whose form is that of a template of Terraform."""
        statement = {
            "Sid": "OwnFolder",
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
            "Action": ["s3:GetObject", "s3:PutObject"],
            "Resource": f"arn:aws:s3:::{team}-data/home/${{aws:username}}/*",
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self.s3.put_bucket_policy(Bucket=f"{team}-data", Policy=policy)

    def add_feature_groups(self, team: str, key: str) -> None:
        """Create groups with an online store, an offline store, or both, and write a record to the first."""
        features = [
            {"FeatureName": "id", "FeatureType": "String"},
            {"FeatureName": "at", "FeatureType": "Fractional"},
            {"FeatureName": "zeta", "FeatureType": "Integral"},
            {"FeatureName": "alpha", "FeatureType": "Fractional"},
        ]
        ttl: dict[str, Any] = {"TtlDuration": {"Unit": "Days", "Value": self.random.randint(1, 30)}}
        online: dict[str, Any] = {"EnableOnlineStore": True, **(ttl if self.flip() else {})}
        if self.flip():
            online["SecurityConfig"] = {"KmsKeyId": key}
        storage = {"S3Uri": f"s3://{team}-data/features", **({"KmsKeyId": key} if self.flip() else {})}
        offline: dict[str, Any] = {"S3StorageConfig": storage}
        if self.flip():
            offline["TableFormat"] = self.random.choice(["Glue", "Iceberg"])
        stores = {"online": {"OnlineStoreConfig": online}, "offline": {"OfflineStoreConfig": offline}}
        for name, config in (stores | {"both": stores["online"] | stores["offline"]}).items():
            self.sagemaker.create_feature_group(
                FeatureGroupName=f"{team}-{name}",
                RecordIdentifierFeatureName="id",
                EventTimeFeatureName="at",
                FeatureDefinitions=features,
                RoleArn=ROLE,
                Tags=self.choose_tags(team),
                **({"Description": "Customers\nof ${all} stores"} if self.flip() else {}),
                **config,
            )

    def add_package_groups(self, team: str) -> None:
        """Create groups with and without a policy, and a package in the first."""
        for name in (f"{team}-churn", f"{team}-fraud"):
            description = {"ModelPackageGroupDescription": "Is it?"} if self.flip() else {}
            self.sagemaker.create_model_package_group(
                ModelPackageGroupName=name, Tags=self.choose_tags(team), **description
            )
        container = {"Image": IMAGE, "ModelDataUrl": f"s3://{team}-data/model.tar.gz"}
        self.s3.put_object(Bucket=f"{team}-data", Key="model.tar.gz", Body=b"")
        self.sagemaker.create_model_package(
            ModelPackageGroupName=f"{team}-churn",
            InferenceSpecification={
                "Containers": [container],
                "SupportedContentTypes": ["text/csv"],
                "SupportedResponseMIMETypes": ["text/csv"],
            },
        )
        statement = {
            "Sid": "Read",
            "Effect": "Allow",
            "Principal": {"AWS": "arn:aws:iam::210987654321:root"},
            "Action": "sagemaker:DescribeModelPackageGroup",
            "Resource": f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:model-package-group/{team}-fraud",
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self.sagemaker.put_model_package_group_policy(ModelPackageGroupName=f"{team}-fraud", ResourcePolicy=policy)

    def add_log_groups(self, team: str, key: str) -> None:
        """Create log groups with and without retention and key, and write an event to each."""
        for name in (f"/{team}/jobs", f"/aws/sagemaker/Endpoints/{team}-web"):
            tags = {tag["Key"]: tag["Value"] for tag in self.choose_tags(team)}
            self.logs.create_log_group(
                logGroupName=name, **({"kmsKeyId": key} if self.flip() else {}), **({"tags": tags} if tags else {})
            )
            if self.flip():
                self.logs.put_retention_policy(logGroupName=name, retentionInDays=self.random.choice([1, 30, 365]))
            self.logs.create_log_stream(logGroupName=name, logStreamName="one")

    def add_endpoints(self, team: str, key: str) -> None:
        """Create a serverless, an instance-based and an asynchronous endpoint. The second one scales."""
        instances = {"InstanceType": "ml.m5.large", "InitialInstanceCount": 1, "InitialVariantWeight": 1}
        kinds: dict[str, dict[str, Any]] = {
            "serverless": {"ServerlessConfig": {"MemorySizeInMB": 1024, "MaxConcurrency": 1}},
            "web": instances,
            "async": instances,
        }
        output = {"AsyncInferenceConfig": {"OutputConfig": {"S3OutputPath": f"s3://{team}-data/results"}}}
        for kind, variant in kinds.items():
            name, secret = f"{team}-{kind}", {"HF_API_TOKEN": SECRET} if self.flip() else {}
            variables = {"SAGEMAKER_PROGRAM": "a ${b}", **secret} if self.flip() else {}
            container = {"Image": IMAGE, "Environment": {"DB_PASS": SECRET} if kind == "async" else variables}
            self.sagemaker.create_model(
                ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer=container, Tags=self.choose_tags(team)
            )
            self.sagemaker.create_endpoint_config(
                EndpointConfigName=name,
                ProductionVariants=[{"VariantName": "AllTraffic", "ModelName": name, **variant}],
                **(output if kind == "async" else {}),
                **({"KmsKeyId": key} if self.flip() else {}),
                Tags=self.choose_tags(team),
            )
            self.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name, Tags=self.choose_tags(team))

    def add_scaling(self) -> None:
        """Let one endpoint scale by its invocations."""
        name = {
            "ServiceNamespace": "sagemaker",
            "ResourceId": f"endpoint/{PREFIX}-web/variant/AllTraffic",
            "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
        }
        self.scaling.register_scalable_target(**name, MinCapacity=1, MaxCapacity=2)
        metric = {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"}
        self.scaling.put_scaling_policy(
            **name,
            PolicyName="requests",
            PolicyType="TargetTrackingScaling",
            TargetTrackingScalingPolicyConfiguration={"TargetValue": 70.0, "PredefinedMetricSpecification": metric},
        )

    def add_pipelines(self, team: str) -> None:
        """Create a pipeline whose definition has text that is a template in Terraform, and one with a secret."""
        self.sagemaker.create_pipeline(
            PipelineName=f"{team}-secret",
            PipelineDefinition=json.dumps(PIPELINE_WITH_SECRET),
            RoleArn=ROLE,
            ClientRequestToken="1" * 32,
        )
        parallel = {"ParallelismConfiguration": {"MaxParallelExecutionSteps": 3}} if self.flip() else {}
        self.sagemaker.create_pipeline(
            PipelineName=f"{team}-train",
            PipelineDefinition=json.dumps(PIPELINE),
            RoleArn=ROLE,
            ClientRequestToken="0" * 32,
            Tags=self.choose_tags(team),
            **({"PipelineDescription": "Trains"} if self.flip() else {}),
            **parallel,
        )

    def is_ready(self) -> bool:
        """Return True once all endpoints are in service and all feature groups created."""
        endpoints = self.sagemaker.list_endpoints()["Endpoints"]
        groups = self.sagemaker.list_feature_groups()["FeatureGroupSummaries"]
        return {one["EndpointStatus"] for one in endpoints} == {"InService"} and {
            one["FeatureGroupStatus"] for one in groups
        } == {"Created"}


_LIFECYCLE_RULES: list[dict[str, Any]] = [
    {
        "ID": "old",
        "Status": "Enabled",
        "Filter": {"Prefix": "raw/"},
        "Transitions": [{"Days": 30, "StorageClass": "STANDARD_IA"}],
        "Expiration": {"Days": 365},
    },
    {"ID": "off", "Status": "Disabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 1}},
    {
        "ID": "tagged",
        "Status": "Enabled",
        "Filter": {"And": {"Prefix": "tmp/", "Tags": [{"Key": "keep", "Value": "no"}]}},
        "NoncurrentVersionExpiration": {"NoncurrentDays": 7},
    },
    {
        "ID": "uploads",
        "Status": "Enabled",
        "Filter": {"Prefix": ""},
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
    },
]
