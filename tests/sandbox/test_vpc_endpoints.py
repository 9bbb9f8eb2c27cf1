"""Policies of VPC endpoints decide about the requests of jobs and endpoints in a VPC."""

import json
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest

from sagemaker_sandbox import Sandbox
from sagemaker_sandbox.base.client import make_client
from tests.provider import SANDBOX_LOGS
from tests.sandbox.hosting_support import EndpointDeployer
from tests.sandbox.support import IMAGE, ROLE, create_tar, make_role, wait_until

pytestmark = pytest.mark.slow

OWNER, ACCOUNT, REGION = "210987654321", "123456789012", "eu-north-1"
OWN, FOREIGN = "vpce-own", "vpce-models-of-dev"
MODEL = "def model_fn(folder): return 1\ndef predict_fn(values, model): return 1\n"
READ = f"import boto3; boto3.client('s3').get_object(Bucket='{FOREIGN}', Key='models/model.tar.gz')"
#: A program of one line that writes its error where SageMaker takes the exit message from.
REPORT = "import sys; sys.excepthook = lambda *error: open('/opt/ml/output/message', 'w').write(str(error[1])); "
OWN_BUCKETS = {
    "Effect": "Allow",
    "Principal": "*",
    "Action": "s3:*",
    "Resource": "*",
    "Condition": {"StringEquals": {"aws:PrincipalAccount": ACCOUNT, "aws:ResourceAccount": [ACCOUNT]}},
}
MODELS_OF_DEV = {
    "Effect": "Allow",
    "Principal": "*",
    "Action": ["s3:GetObject", "s3:ListBucket"],
    "Resource": [f"arn:aws:s3:::{FOREIGN}", f"arn:aws:s3:::{FOREIGN}/*"],
}


class Network(NamedTuple):
    """A sandbox that enforces IAM, the network of its jobs, and its gateway endpoint for S3."""

    sandbox: Sandbox
    vpc_config: dict[str, list[str]]
    gateway: str

    def set_policy(self, *statements: dict[str, Any]) -> None:
        """Give the gateway endpoint a policy of these statements."""
        policy = build_document(*statements)
        self.sandbox.client("ec2").modify_vpc_endpoint(VpcEndpointId=self.gateway, PolicyDocument=policy)

    def process(self, name: str, network: dict[str, Any], program: str, **members: Any) -> dict[str, Any]:
        """Run a processing job and return its description."""
        sagemaker = self.sandbox.client("sagemaker")
        sagemaker.create_processing_job(
            ProcessingJobName=name,
            RoleArn=ROLE,
            AppSpecification={"ImageUri": IMAGE, "ContainerEntrypoint": ["python3", "-c", program]},
            ProcessingResources={
                "ClusterConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}
            },
            NetworkConfig=network,
            **members,
        )

        def find_ended() -> dict[str, Any] | None:
            job: dict[str, Any] = sagemaker.describe_processing_job(ProcessingJobName=name)
            return None if job["ProcessingJobStatus"] == "InProgress" else job

        ended: dict[str, Any] = wait_until(find_ended)
        return ended


def build_document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    """Yield a network whose subnet has a route to S3, and a bucket of another account that shares its objects."""
    log = tmp_path_factory.mktemp("vpc_endpoints") / "log"
    SANDBOX_LOGS.append(log)
    with Sandbox.start(log=log, enforce_iam=True) as sandbox:
        make_role(sandbox)
        everything = build_document({"Effect": "Allow", "Action": "*", "Resource": "*"})
        sandbox.client("iam").put_role_policy(RoleName="test", PolicyName="all", PolicyDocument=everything)
        location = {"LocationConstraint": REGION}
        sandbox.client("s3").create_bucket(Bucket=OWN, CreateBucketConfiguration=location)
        other = make_client("s3", REGION, sandbox.endpoint, OWNER)
        other.create_bucket(Bucket=FOREIGN, CreateBucketConfiguration=location)
        other.put_object(Bucket=FOREIGN, Key="models/model.tar.gz", Body=create_tar(code__inference_py=MODEL))
        share = {**MODELS_OF_DEV, "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}}
        other.put_bucket_policy(Bucket=FOREIGN, Policy=build_document(share))
        ec2 = sandbox.client("ec2")
        vpc = ec2.create_vpc(CidrBlock="10.2.0.0/16")["Vpc"]["VpcId"]
        subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.2.0.0/24")["Subnet"]["SubnetId"]
        table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
        ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
        group = ec2.create_security_group(VpcId=vpc, GroupName="jobs", Description="Jobs.")["GroupId"]
        gateway = ec2.create_vpc_endpoint(
            VpcId=vpc,
            ServiceName=f"com.amazonaws.{REGION}.s3",
            VpcEndpointType="Gateway",
            RouteTableIds=[table],
            PolicyDocument=build_document(OWN_BUCKETS),
        )["VpcEndpoint"]["VpcEndpointId"]
        yield Network(sandbox, {"Subnets": [subnet], "SecurityGroupIds": [group]}, gateway)


@pytest.mark.parametrize("isolated", [False, True])
def test_a_promoted_model_starts_in_a_vpc_only_if_the_gateway_allows_its_bucket(
    network: Network, fresh: Callable[[str], str], isolated: bool
) -> None:
    deployer = EndpointDeployer(network.sandbox, OWN, fresh)
    container = {"Image": IMAGE, "ModelDataUrl": f"s3://{FOREIGN}/models/model.tar.gz"}
    options: dict[str, Any] = {"VpcConfig": network.vpc_config, "EnableNetworkIsolation": isolated}
    network.set_policy(OWN_BUCKETS)
    refused = deployer.wait_until_settled(deployer.start_deployment(container, **options))
    assert refused["EndpointStatus"] == "Failed"
    assert refused["FailureReason"].startswith("Failed to download model data for container")
    assert FOREIGN in refused["FailureReason"]

    deployer.deploy(container)  # outside the VPC

    network.set_policy(OWN_BUCKETS, MODELS_OF_DEV)
    deployer.deploy(container, **options)


def test_jobs_and_their_programs_read_other_accounts_only_through_an_endpoint_that_allows_it(
    network: Network, fresh: Callable[[str], str]
) -> None:
    source = {"S3Uri": f"s3://{FOREIGN}/models/", "LocalPath": "/opt/ml/processing/input", "S3DataType": "S3Prefix"}
    inputs = [{"InputName": "models", "S3Input": {**source, "S3InputMode": "File"}}]
    inside: dict[str, Any] = {"VpcConfig": network.vpc_config}
    network.set_policy(OWN_BUCKETS)
    job = network.process(fresh("input"), inside, "pass", ProcessingInputs=inputs)
    assert job["ProcessingJobStatus"] == "Failed"
    assert "because no VPC endpoint policy allows the s3:" in job["FailureReason"]
    job = network.process(fresh("program"), inside, REPORT + READ)
    assert job["ProcessingJobStatus"] == "Failed"
    assert "because no VPC endpoint policy allows the s3:GetObject action" in job["ExitMessage"]
    job = network.process(fresh("outside"), {}, REPORT + READ, ProcessingInputs=inputs)
    assert job["ProcessingJobStatus"] == "Completed", job

    network.set_policy(OWN_BUCKETS, MODELS_OF_DEV)
    job = network.process(fresh("allowed"), inside, REPORT + READ, ProcessingInputs=inputs)
    assert job["ProcessingJobStatus"] == "Completed", job
    network.set_policy(OWN_BUCKETS, MODELS_OF_DEV, {**MODELS_OF_DEV, "Effect": "Deny", "Resource": "*"})
    job = network.process(fresh("denied"), inside, REPORT + READ)
    assert "with an explicit deny in a VPC endpoint policy" in job["ExitMessage"]


def test_an_interface_endpoint_decides_about_the_requests_to_its_service(
    network: Network, fresh: Callable[[str], str]
) -> None:
    ec2, subnets = network.sandbox.client("ec2"), network.vpc_config["Subnets"]
    (vpc,) = {subnet["VpcId"] for subnet in ec2.describe_subnets(SubnetIds=subnets)["Subnets"]}
    deny = {"Effect": "Deny", "Principal": "*", "Action": "sagemaker:ListModels", "Resource": "*"}
    allow = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}
    endpoint = ec2.create_vpc_endpoint(
        VpcId=vpc,
        ServiceName=f"com.amazonaws.{REGION}.sagemaker.api",
        VpcEndpointType="Interface",
        SubnetIds=subnets,
        PrivateDnsEnabled=True,
        PolicyDocument=build_document(allow, deny),
    )["VpcEndpoint"]["VpcEndpointId"]
    program = REPORT + "import boto3; boto3.client('sagemaker').list_models()"
    inside: dict[str, Any] = {"VpcConfig": network.vpc_config}
    job = network.process(fresh("denied"), inside, program)
    assert "sagemaker:ListModels" in job["ExitMessage"]
    assert "with an explicit deny in a VPC endpoint policy" in job["ExitMessage"]
    ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint])
    job = network.process(fresh("deleted"), inside, program)
    assert job["ProcessingJobStatus"] == "Completed", job
