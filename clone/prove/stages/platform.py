"""Stages of the modules of an account: network, images, studio, footprint and bootstrap."""

import gzip
import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from clone.prove import costs, hcl, models
from clone.prove.context import ProofError
from clone.prove.costs import CostItem, EndpointCost
from clone.prove.inventory import BILLING_REGION
from clone.prove.stage import Stage
from clone.prove.stages.environment import read_deployer_policies
from sustainable_mlops import aws
from sustainable_mlops.account import studio_apps

#: Issuer of the tokens of GitHub Actions. An account has one identity provider for each URL.
_ISSUER = "token.actions.githubusercontent.com"
_DOCKER = "application/vnd.docker.distribution.manifest.v2+json"
_DOCKER_CONFIG, _DOCKER_LAYER = (
    "application/vnd.docker.container.image.v1+json",
    "application/vnd.docker.image.rootfs.diff.tar.gzip",
)
#: Interface endpoints of the network: those of `studio`, in one Availability Zone.
_INTERFACES = 5


class NetworkStage(Stage):
    """The stage of `network`, in a VPC of its own, with roles that may use the VPC."""

    module = "network"
    suffix = "network"
    outputs = ("endpoint_ids", "security_group_id", "vpc_config")

    def build_inputs(self) -> Mapping[str, Any]:
        """Return the inputs: the endpoints of a VPC-only Studio, in one zone."""
        return {
            **self.get_common_inputs(),
            "vpc_id": hcl.Raw("aws_vpc.this.id"),
            "subnet_ids": hcl.Raw("aws_subnet.this[*].id"),
            "route_table_ids": [hcl.Raw("aws_route_table.this.id")],
            "purposes": ["studio"],
            "endpoint_subnet_ids": [hcl.Raw("aws_subnet.this[0].id")],
        }

    def render_parts(self) -> Iterator[str]:
        """Return the VPC, and a call of `access` whose roles may use it."""
        yield f"""data "aws_availability_zones" "available" {{
  state = "available"
}}

resource "aws_vpc" "this" {{
  cidr_block           = "10.0.0.0/24"
  enable_dns_hostnames = true

  tags = {{ Name = {hcl.render_literal(self.prefix)} }}
}}

resource "aws_subnet" "this" {{
  count = 2

  vpc_id            = aws_vpc.this.id
  cidr_block        = cidrsubnet(aws_vpc.this.cidr_block, 1, count.index)
  availability_zone = data.aws_availability_zones.available.names[count.index]
}}

resource "aws_route_table" "this" {{
  vpc_id = aws_vpc.this.id
}}

resource "aws_route_table_association" "this" {{
  count = 2

  subnet_id      = aws_subnet.this[count.index].id
  route_table_id = aws_route_table.this.id
}}
"""
        vpc = {
            "subnet_ids": hcl.Raw("module.network.vpc_config.subnets"),
            "security_group_ids": hcl.Raw("module.network.vpc_config.security_group_ids"),
        }
        inputs = {
            **self.get_common_inputs(),
            "kms_key_arn": self.run.key,
            "buckets": self.run.base["buckets"],
            "vpc": vpc,
        }
        yield hcl.render_call("access", "access", inputs)
        yield hcl.render_output("role_arns", "module.access.role_arns")
        yield hcl.render_output("vpc_id", "aws_vpc.this.id")

    def use_resources(self) -> str:
        """Run a processing job in the VPC, which reads and writes S3 through the gateway endpoint."""
        with self.run.processing:
            self._run_job()
        return "a job in the VPC read and wrote S3"

    def _run_job(self) -> None:
        sagemaker, job = self.run.get_client("sagemaker"), f"{self.prefix}-job"
        folder = "/opt/ml/processing"
        key = f"runs/{self.run.name}/network"
        data = {
            "InputName": "raw",
            "S3Input": {
                "S3Uri": f"s3://{self.run.get_bucket_name('data')}/raw/",
                "LocalPath": f"{folder}/input",
                "S3DataType": "S3Prefix",
                "S3InputMode": "File",
            },
        }
        output = {
            "OutputName": "copy",
            "S3Output": {
                "S3Uri": f"s3://{self.run.get_bucket_name('artifacts')}/{key}",
                "LocalPath": f"{folder}/output",
                "S3UploadMode": "EndOfJob",
            },
        }
        vpc = self.published["vpc_config"]
        sagemaker.create_processing_job(
            ProcessingJobName=job,
            RoleArn=self.published["role_arns"]["data_preparation"],
            AppSpecification={
                "ImageUri": models.find_image(self.run.settings.region, "ml.m5.large"),
                "ContainerEntrypoint": ["sh", "-c", f"cp {folder}/input/proof.txt {folder}/output/copy.txt"],
            },
            ProcessingInputs=[data],
            ProcessingOutputConfig={"KmsKeyId": self.run.key, "Outputs": [output]},
            ProcessingResources={
                "ClusterConfig": {
                    "InstanceCount": 1,
                    "InstanceType": costs.choose_job_type(self.run.settings.region),
                    "VolumeSizeInGB": 5,
                    "VolumeKmsKeyId": self.run.key,
                }
            },
            NetworkConfig={"VpcConfig": {"Subnets": vpc["subnets"], "SecurityGroupIds": vpc["security_group_ids"]}},
            StoppingCondition={"MaxRuntimeInSeconds": 600},
        )

        def describe_end() -> Any:
            described = sagemaker.describe_processing_job(ProcessingJobName=job)
            return described if described["ProcessingJobStatus"] not in ("InProgress", "Stopping") else None

        described = self.run.wait(f"the end of {job}", describe_end, 30)
        if described["ProcessingJobStatus"] != "Completed":
            raise ProofError(f"{job} is {described['ProcessingJobStatus']}: {described.get('FailureReason', '')}")
        bucket = self.run.get_bucket_name("artifacts")
        self.run.get_client("s3").head_object(Bucket=bucket, Key=f"{key}/copy.txt")

    def change(self) -> str:
        """Admit the clients of the VPC."""
        self.changes["client_cidr_blocks"] = ["10.0.0.0/24"]
        return "client_cidr_blocks = 10.0.0.0/24"

    @classmethod
    def list_cost_items(cls, region: str) -> Iterator[CostItem | EndpointCost]:
        """Return the lines of the estimate."""
        yield EndpointCost("network: interface endpoints", _INTERFACES, 2)
        yield CostItem("network: a processing job", costs.choose_job_type(region), 1, 0.2)


class ImagesStage(Stage):
    """The stage of `images`, without replication, which is a setting of the whole registry."""

    module = "images"
    suffix = "images"
    outputs = ("repositories",)

    def build_inputs(self) -> Mapping[str, Any]:
        """Return the inputs: one repository."""
        return {
            **self.get_common_inputs(),
            "deletion_protection": False,
            "kms_key_arn": self.run.key,
            "repositories": {"orders": {"expire_untagged_after_days": self._days}},
        }

    _days = 7

    def use_resources(self) -> str:
        """Push an image, and push another one with the same tag, which ECR must refuse."""
        self._push(b"first", "1")
        try:
            self._push(b"second", "1")
        except ClientError as error:
            if aws.read_error_code(error) != "ImageTagAlreadyExistsException":
                raise
            return "an image was pushed; another image with its tag was refused"
        raise ProofError("another image with the same tag was accepted, so tags are not immutable")

    def _push(self, content: bytes, tag: str) -> None:
        """Push an image of one layer."""
        layer, config = gzip.compress(content, mtime=0), json.dumps({"architecture": "arm64", "os": "linux"}).encode()
        described = [
            {"mediaType": kind, "size": len(blob), "digest": self._upload(blob)}
            for kind, blob in ((_DOCKER_CONFIG, config), (_DOCKER_LAYER, layer))
        ]
        manifest = {"schemaVersion": 2, "mediaType": _DOCKER, "config": described[0], "layers": described[1:]}
        self.run.get_client("ecr").put_image(
            repositoryName=self._repository, imageManifest=json.dumps(manifest), imageTag=tag
        )

    def _upload(self, blob: bytes) -> str:
        """Upload a layer, unless the repository has it, and return its digest."""
        ecr, digest = self.run.get_client("ecr"), f"sha256:{hashlib.sha256(blob).hexdigest()}"
        known = ecr.batch_check_layer_availability(repositoryName=self._repository, layerDigests=[digest])["layers"]
        if any(layer["layerAvailability"] == "AVAILABLE" for layer in known):
            return digest
        upload = ecr.initiate_layer_upload(repositoryName=self._repository)["uploadId"]
        ecr.upload_layer_part(
            repositoryName=self._repository,
            uploadId=upload,
            partFirstByte=0,
            partLastByte=len(blob) - 1,
            layerPartBlob=blob,
        )
        ecr.complete_layer_upload(repositoryName=self._repository, uploadId=upload, layerDigests=[digest])
        return digest

    @property
    def _repository(self) -> str:
        return str(self.published["repositories"]["orders"]["name"])

    def change(self) -> str:
        """Keep images without a tag for longer."""
        self._days = 14
        return "expire_untagged_after_days = 14"


class StudioStage(Stage):
    """The stage of `studio`: a VPC-only domain in the network of the stage `network`, with a user and a space."""

    module = "studio"
    suffix = "studio"
    requires = ("network",)
    outputs = ("domain_arn", "domain_id", "user_profile_arns")

    def build_inputs(self) -> Mapping[str, Any]:
        """Return the inputs."""
        network = self.run.published["network"]
        return {
            **self.get_common_inputs(),
            "deletion_protection": False,
            "keep_home_directories": False,
            "kms_key_arn": self.run.key,
            "role_arn": network["role_arns"]["training"],
            "vpc_id": network["vpc_id"],
            "subnet_ids": network["vpc_config"]["subnets"],
            "security_group_ids": [network["security_group_id"]],
            "users": {"prover": {}},
            "spaces": {"lab": {"user": "prover"}},
        }

    def use_resources(self) -> str:
        """Read the domain and the space, and the idle shutdown of the apps."""
        sagemaker, domain = self.run.get_client("sagemaker"), self.published["domain_id"]
        described = sagemaker.describe_domain(DomainId=domain)
        space = sagemaker.describe_space(DomainId=domain, SpaceName="lab")
        if (described["Status"], space["Status"]) != ("InService", "InService"):
            raise ProofError(f"the domain is {described['Status']}, and the space is {space['Status']}")
        apps = described["DefaultUserSettings"]["JupyterLabAppSettings"]["AppLifecycleManagement"]
        idle = apps["IdleSettings"]["LifecycleManagement"]
        if idle != "ENABLED":
            raise ProofError(f"idle shutdown of apps is {idle}")
        return "the domain and a space are in service; idle apps stop"

    def change(self) -> str:
        """Add a space: the provider cannot change a VPC-only domain (modules/studio/README.md)."""
        self.changes["spaces"] = {"lab": {"user": "prover"}, "notes": {"user": "prover"}}
        return "a second space"

    def prepare_destruction(self) -> None:
        """End the apps that a check or a person has started, because SageMaker deletes no domain with apps."""
        if domain := self.published.get("domain_id"):
            studio_apps.DomainCleaner(self.run.get_client("sagemaker"), domain, ("prover",)).clean()


class FootprintStage(Stage):
    """The stage of `footprint`: an export, a budget and a topic.

    It has no anomaly monitor, of which an account has one, and activates no cost allocation tag.
    """

    module = "footprint"
    suffix = "footprint"
    is_independent = True
    outputs = ("budgets", "export", "topic_arn")

    def build_inputs(self) -> Mapping[str, Any]:
        """Return the inputs: one budget."""
        return {
            **self.get_common_inputs(),
            "deletion_protection": False,
            "budgets": {"orders": {"monthly_limit_usd": self._limit}},
        }

    _limit = 20

    def use_resources(self) -> str:
        """Read the export, the budget and its notifications."""
        exports = self.run.get_client("bcm-data-exports", BILLING_REGION)
        status = exports.get_export(ExportArn=self.published["export"]["arn"])["ExportStatus"]["StatusCode"]
        if status != "HEALTHY":
            raise ProofError(f"the export is {status}")
        budget = {"AccountId": self.run.settings.account, "BudgetName": self.published["budgets"]["orders"]}
        budgets = self.run.get_client("budgets", BILLING_REGION)
        budgets.describe_budget(**budget)
        notifications = budgets.describe_notifications_for_budget(**budget)["Notifications"]
        if len(notifications) != 3:
            raise ProofError(f"the budget has {len(notifications)} notifications instead of 3")
        return "the export is healthy; the budget has its notifications"

    def change(self) -> str:
        """Raise the limit of the budget."""
        self._limit = 30
        return "monthly_limit_usd = 30"


class BootstrapStage(Stage):
    """The stage of `bootstrap`: a state bucket, and the CI roles of the temporary environment.

    It keeps the account's own identity provider, and its own block of public access: it sets the block only if the
    account has neither a block nor a bucket of its own.
    """

    module = "bootstrap"
    suffix = "bootstrap"
    is_independent = True
    outputs = ("backends", "kms_key_arn", "permissions_boundary_arns", "role_arns")

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._location: dict[str, bool] | None = None

    def build_inputs(self) -> Mapping[str, Any]:
        """Return the inputs: the roles of one environment, for jobs of a repository that does not exist."""
        account = self._read_account()
        policies = read_deployer_policies(self.run)
        jobs = {"repository": "smlops-prove/none"}
        environment = {
            "name_prefix": self.prefix,
            "plan": {"github": [jobs], "policies": policies["plan"]},
            "apply": {"github": [{**jobs, "environments": ["prove"]}], "policies": policies["apply"]},
            "promote": {"github": [{**jobs, "environments": ["promote"]}]},
        }
        return {
            **self.get_common_inputs(),
            "deletion_protection": False,
            "block_public_access": account["block"],
            "github": {"create_provider": account["provider"]},
            "environments": {"proof": environment},
        }

    def _read_account(self) -> dict[str, bool]:
        """Return the settings of the account that the stage may create, as they were before its first apply."""
        if self._location is None:
            self._location = {"provider": not self._has_provider(), "block": self._may_block()}
        return self._location

    def _has_provider(self) -> bool:
        providers = self.run.get_client("iam").list_open_id_connect_providers()["OpenIDConnectProviderList"]
        return any(one["Arn"].endswith(f"oidc-provider/{_ISSUER}") for one in providers)

    def _may_block(self) -> bool:
        """Return whether a block of public access changes nothing for the buckets of others."""
        try:
            self.run.get_client("s3control").get_public_access_block(AccountId=self.run.settings.account)
        except ClientError as error:
            if aws.read_error_code(error) != "NoSuchPublicAccessBlockConfiguration":
                raise
            buckets = self.run.get_client("s3").list_buckets()["Buckets"]
            return all(self.run.name in bucket["Name"] for bucket in buckets)
        return False

    def use_resources(self) -> str:
        """Store a state in the bucket with its backend, and simulate the role of plans in IAM."""
        backend = self.published["backends"]["proof"]
        root = self.run.make_terraform("check-backend")
        arguments = "\n".join(f"    {name} = {hcl.render_literal(value)}" for name, value in backend.items())
        root.folder.mkdir(parents=True, exist_ok=True)
        (root.folder / "main.tf").write_text(
            f'terraform {{\n  backend "s3" {{\n{arguments}\n  }}\n}}\n\noutput "run" {{\n'
            f"  value = {hcl.render_literal(self.run.name)}\n}}\n",
            encoding="utf-8",
        )
        root.init("-reconfigure")
        root.apply()
        if root.read_outputs() != {"run": self.run.name}:
            raise ProofError("the state in the bucket lacks the output of its root module")
        role = self.published["role_arns"]["plan"]["proof"]
        decision = self.run.get_client("iam").simulate_principal_policy(
            PolicySourceArn=role, ActionNames=["iam:CreateUser"], ResourceArns=["*"]
        )["EvaluationResults"][0]["EvalDecision"]
        if decision == "allowed":
            raise ProofError("the role of plans may create users")
        return "a state was stored in the bucket and read; the role of plans may not create users"

    def change(self) -> str:
        """Let old states expire earlier."""
        self.changes["noncurrent_version_days"] = 60
        return "noncurrent_version_days = 60"
