"""Models and endpoint configurations that SageMaker refuses: contradictions and missing resources."""

import functools
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sagemaker_sandbox import Sandbox
from sagemaker_sandbox.base.client import make_client
from tests.sandbox.support import IMAGE, ROLE, catch_error, make_service_role, push_images, wait_until

Fresh = Callable[[str], str]
#: A model of that name with these members beside what every one has.
Make = Callable[..., str]

OWN = "123456789012.dkr.ecr.eu-north-1.amazonaws.com"
SERVERLESS = {"MemorySizeInMB": 2048, "MaxConcurrency": 5}
ON_INSTANCES = {"InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
ASYNCHRONOUS = {"OutputConfig": {"S3OutputPath": "s3://out/put"}}
POOL = {"InstanceType": "ml.m5.large", "Priority": 1}
PLAN = "training-plan/p5"
CAPTURE = {
    "EnableCapture": True,
    "InitialSamplingPercentage": 100,
    "DestinationS3Uri": "s3://captures",
    "CaptureOptions": [{"CaptureMode": "Input"}],
}
MANIFEST = '{"schemaVersion": 2, "mediaType": "application/vnd.docker.distribution.manifest.v2+json"}'
PREFIX = {"S3DataType": "S3Prefix", "CompressionType": "None"}


@pytest.fixture
def model(sagemaker: Any, fresh: Fresh) -> Make:
    def make(**members: Any) -> str:
        name = fresh("model")
        defaults = {} if "Containers" in members else {"PrimaryContainer": {"Image": IMAGE}}
        sagemaker.create_model(ModelName=name, **({"ExecutionRoleArn": ROLE} | defaults | members))
        return name

    return make


@pytest.fixture
def data(s3: Any, bucket: str) -> str:
    """Return the address of a model's archive."""
    s3.put_object(Bucket=bucket, Key="model.tar.gz", Body=b"archive")
    return f"s3://{bucket}/model.tar.gz"


def variant(model: str, name: str = "main", **members: Any) -> dict[str, Any]:
    settings = {} if "ServerlessConfig" in members else ON_INSTANCES
    all_members = {"VariantName": name, "ModelName": model, **settings, **members}
    return {member: value for member, value in all_members.items() if value is not None}


def configuration(fresh: Fresh, *variants: dict[str, Any], **members: Any) -> dict[str, Any]:
    return {"EndpointConfigName": fresh("config"), "ProductionVariants": list(variants), **members}


MULTI = {"Image": IMAGE, "Mode": "MultiModel", "ModelDataUrl": "DATA"}


@pytest.mark.parametrize(
    ("members", "why"),
    [
        ({"PrimaryContainer": {"Image": IMAGE}, "Containers": [{"Image": IMAGE}]}, "but not both"),
        ({"Containers": []}, "You must provide either PrimaryContainer or Containers"),
        ({"Containers": [{"Image": IMAGE}] * 16}, "Member must have length less than or equal to 15"),
        ({"PrimaryContainer": {}}, "Specify one of either Image and Model Data URL or ModelPackageName"),
        ({"PrimaryContainer": {"Image": IMAGE, "ModelPackageName": "p"}}, "Specify one of either Image and Model"),
        ({"PrimaryContainer": {"Image": IMAGE, "MultiModelConfig": {}}}, "MultiModelConfig can only be specified"),
        ({"PrimaryContainer": {"Image": IMAGE, "Mode": "MultiModel"}}, "ModelDataUrl must be specified"),
        ({"Containers": [MULTI, MULTI]}, "can have one container in MultiModel mode"),
        ({"PrimaryContainer": {"Image": "model:1"}}, 'Using non-ECR image "model:1" without Vpc repository access'),
        (
            {"PrimaryContainer": {"Image": "model:1", "ImageConfig": {"RepositoryAccessMode": "Vpc"}}},
            "requires VpcConfig",
        ),
        (
            {"Containers": [{"Image": IMAGE, "ContainerHostname": "one"}, {"Image": IMAGE}]},
            "ContainerHostname must be specified for every container or for none",
        ),
        ({"Containers": [{"Image": IMAGE, "ContainerHostname": "one"}] * 2}, "ContainerHostname must be unique"),
        (
            {"Containers": [{"Image": IMAGE}, {"Image": IMAGE}], "InferenceExecutionConfig": {"Mode": "Direct"}},
            "ContainerHostname must be specified for every container in Direct",
        ),
        ({"InferenceExecutionConfig": {"Mode": "Serial"}}, "can only be specified with Containers"),
    ],
)
def test_containers_that_contradict_each_other_are_refused(model: Make, data: str, members: Any, why: str) -> None:
    code, message = catch_error(model, **_insert_address(data, members))
    assert (code, why in message) == ("ValidationException", True), message


def _insert_address(data: str, members: Any) -> Any:
    """Return `members` with this address in place of DATA."""
    if isinstance(members, dict):
        return {name: _insert_address(data, value) for name, value in members.items()}
    if isinstance(members, list):
        return [_insert_address(data, value) for value in members]
    return data if members == "DATA" else members


def test_an_image_must_be_in_its_registry(sandbox: Sandbox, model: Make, fresh: Fresh) -> None:
    ecr, repository = sandbox.client("ecr"), fresh("repository")
    image = f"{OWN}/{repository}"

    def get_message(image: str) -> str:
        code, message = catch_error(model, PrimaryContainer={"Image": image})
        assert code == "ValidationException"
        return message

    assert get_message(f"{image}:1") == (
        f"Role {ROLE} cannot pull {image}:1. Ensure that the role exists and the image was granted pull permission."
    )
    assert "cannot pull" in get_message(f"{image}:1".replace("123456789012", "210987654321"))
    ecr.create_repository(repositoryName=repository)
    assert get_message(f"{image}:1") == f"Requested image {image}:1 not found."
    put = ecr.put_image(repositoryName=repository, imageManifest=MANIFEST, imageTag="1")
    model(PrimaryContainer={"Image": f"{image}:1"})
    model(PrimaryContainer={"Image": f"{image}@{put['image']['imageId']['imageDigest']}"})
    assert get_message(image) == f"Requested image {image} not found."  # no tag stands for latest


def test_a_serverless_endpoint_needs_an_image_of_its_account_or_of_aws(
    sandbox: Sandbox, sagemaker: Any, model: Make, fresh: Fresh
) -> None:
    group, own = fresh("group"), f"{OWN}/{fresh('repository')}:1"
    other = own.replace("123456789012", "210987654321")
    push_images(sandbox, f"{own} {other}")
    sagemaker.create_model_package_group(ModelPackageGroupName=group)
    package = sagemaker.create_model_package(
        ModelPackageGroupName=group, InferenceSpecification={"Containers": [{"Image": other}]}
    )["ModelPackageArn"]

    def configure(container: Any, **members: Any) -> dict[str, Any]:
        return configuration(fresh, variant(model(PrimaryContainer=container), **members))

    for container in ({"Image": other}, {"ModelPackageName": package}):
        request = configure(container, ServerlessConfig=SERVERLESS)
        code, message = catch_error(sagemaker.create_endpoint_config, **request)
        assert code == "ValidationException"
        assert "does not reside in an Amazon ECR repository within the same AWS account" in message
    for image in (own, IMAGE):
        sagemaker.create_endpoint_config(**configure({"Image": image}, ServerlessConfig=SERVERLESS))
    sagemaker.create_endpoint_config(**configure({"Image": other}))


def test_model_data_must_be_in_a_bucket_of_the_region(
    sandbox: Sandbox, model: Make, s3: Any, data: str, bucket: str, fresh: Fresh
) -> None:
    def get_message(uri: str, **members: Any) -> str:
        container = {"Image": IMAGE, "ModelDataUrl": uri, **members}
        return catch_error(model, PrimaryContainer=container)[1]

    def source(key: str, **members: Any) -> dict[str, Any]:
        return {"S3DataSource": {"S3Uri": f"s3://{bucket}/{key}", **PREFIX, **members}}

    other_bucket = fresh("elsewhere")
    make_client("s3", "eu-west-1", sandbox.endpoint).create_bucket(
        Bucket=other_bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    assert get_message(f"{data}.not") == f"Could not find model data at {data}.not."
    for uri in ("s3://no-such-bucket/model.tar.gz", f"s3://{other_bucket}/model.tar.gz", "https://example.com/model"):
        message = get_message(uri)
        assert message.startswith(f'Could not access model data at {uri}. Please ensure that the role "{ROLE}" exists')
        assert "the object is located in eu-north-1" in message
    for uri in (
        f"https://{bucket}.s3.eu-north-1.amazonaws.com/model.tar.gz",
        f"https://s3.eu-north-1.amazonaws.com/{bucket}/model.tar.gz",
    ):
        model(PrimaryContainer={"Image": IMAGE, "ModelDataUrl": uri})
        assert "Could not find" in get_message(f"{uri}.not")
    assert "either ModelDataUrl or ModelDataSource" in get_message(data, ModelDataSource=source("model.tar.gz"))
    for data_source, why in (
        (source("none/"), f"Could not find model data at s3://{bucket}/none/."),
        (source("model"), "must end with a forward slash"),
        (source("", CompressionType="Gzip"), "CompressionType Gzip is not supported for S3DataType S3Prefix"),
    ):
        assert why in catch_error(model, PrimaryContainer={"Image": IMAGE, "ModelDataSource": data_source})[1]
    s3.put_object(Bucket=bucket, Key="parts/weights", Body=b"")
    model(PrimaryContainer={"Image": IMAGE, "ModelDataSource": source("parts/")})
    model(PrimaryContainer={"Image": IMAGE, "Mode": "MultiModel", "ModelDataUrl": f"s3://{bucket}/later/"})


def test_subnets_and_security_groups_must_exist_in_one_vpc(sandbox: Sandbox, model: Make) -> None:
    ec2, sagemaker = sandbox.client("ec2"), sandbox.client("sagemaker")
    machine = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}
    train = functools.partial(
        sagemaker.create_training_job,
        TrainingJobName="in-vpc",
        RoleArn=ROLE,
        AlgorithmSpecification={"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        OutputDataConfig={"S3OutputPath": "s3://code/out"},
        ResourceConfig=machine,
        StoppingCondition={"MaxRuntimeInSeconds": 60},
    )
    process = functools.partial(
        sagemaker.create_processing_job,
        ProcessingJobName="in-vpc",
        RoleArn=ROLE,
        AppSpecification={"ImageUri": IMAGE},
        ProcessingResources={"ClusterConfig": machine},
    )

    def network(number: int) -> tuple[str, str]:
        vpc = ec2.create_vpc(CidrBlock=f"10.{number}.0.0/16")["Vpc"]["VpcId"]
        subnet = ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.{number}.0.0/24")["Subnet"]["SubnetId"]
        return subnet, ec2.create_security_group(GroupName="g", Description="d", VpcId=vpc)["GroupId"]

    (subnet, group), (another, _) = network(1), network(2)
    for subnets, groups, why in (
        (["subnet-1"], [group], "The subnet ID 'subnet-1' does not exist."),
        ([subnet], ["sg-1"], "The security group 'sg-1' does not exist."),
        ([subnet, another], [group], "must be in one VPC"),
    ):
        vpc_config = {"Subnets": subnets, "SecurityGroupIds": groups}
        for refused in (
            catch_error(model, VpcConfig=vpc_config),
            catch_error(train, VpcConfig=vpc_config),
            catch_error(process, NetworkConfig={"VpcConfig": vpc_config}),
        ):
            assert (refused[0], why in refused[1]) == ("ValidationException", True), refused
    model(VpcConfig={"Subnets": [subnet], "SecurityGroupIds": [group]})


@pytest.mark.parametrize(
    ("members", "code", "why"),
    [
        ({"InstanceType": "ml.t2.medium"}, "ValidationException", "enum value set: [ml."),
        ({"InstanceType": None}, "ValidationException", "InstanceType must be specified"),
        ({"InitialInstanceCount": None}, "ValidationException", "InitialInstanceCount must be specified"),
        ({"InitialInstanceCount": 0}, "ValidationException", "greater than or equal to 1"),
        (
            {"InstanceType": "ml.g4dn.xlarge", "VolumeSizeInGB": 50},
            "ValidationException",
            "VolumeSizeInGB parameter is not allowed for the selected Instance type ml.g4dn.xlarge",
        ),
        (
            {"InferenceAmiVersion": "al2-ami-sagemaker-inference-gpu-3-1"},
            "ValidationException",
            "is not supported for the selected Instance type ml.m5.large",
        ),
        ({"ModelName": None}, "UnsupportedOperationException", "inference components"),
        ({"ModelName": "no-such-model"}, "ValidationException", 'Could not find model "arn:'),
        ({"RoutingConfig": {"RoutingStrategy": "KV_AWARE"}}, "UnsupportedOperationException", "RoutingStrategy KV"),
        ({"VariantName": "v" * 64}, "ValidationException", "length less than or equal to 63"),
        ({"CoreDumpConfig": {}}, "ValidationException", "coreDumpConfig.destinationS3Uri"),
        ({"InstancePools": [POOL]}, "ValidationException", "InstanceType and InstancePools cannot both be specified"),
        ({"InstanceType": None, "InstancePools": []}, "ValidationException", "greater than or equal to 1"),
        ({"InstanceType": None, "InstancePools": [POOL] * 6}, "ValidationException", "less than or equal to 5"),
        (
            {"InstanceType": None, "InstancePools": [POOL | {"Priority": 6}]},
            "ValidationException",
            "less than or equal to 5",
        ),
        ({"InstanceType": None, "InstancePools": [{"InstanceType": "ml.m5.large"}]}, "ValidationException", "priority"),
        (
            {"InstanceType": None, "InstancePools": [POOL, POOL | {"InstanceType": "ml.t2.medium"}]},
            "ValidationException",
            "'productionVariants.1.member.instancePools.2.member.instanceType'",
        ),
        (
            {"InstanceType": None, "InitialInstanceCount": None, "InstancePools": [POOL]},
            "ValidationException",
            "InitialInstanceCount must be specified",
        ),
        (
            {"InstanceType": None, "InstancePools": [POOL, POOL | {"Priority": 2, "ModelNameOverride": "other"}]},
            "ValidationException",
            'Could not find model "arn:',
        ),
        (
            {"InstanceType": None, "InstancePools": [POOL | {"ModelNameOverride": "other"}]},
            "UnsupportedOperationException",
            "ModelNameOverride of the first instance pool",
        ),
        ({"VariantInstanceProvisionTimeoutInSeconds": 60}, "ValidationException", "greater than or equal to 300"),
        (
            {"AcceleratorPartitionLayouts": [{"AcceleratorPartitionTypes": ["mig-3g.40gb"]}]},
            "UnsupportedOperationException",
            "GPU partitions",
        ),
        (
            {"CapacityReservationConfig": {"MlReservationArn": f"arn:aws:sagemaker:eu-north-1:123456789012:{PLAN}"}},
            "UnsupportedOperationException",
            "Capacity cannot be reserved",
        ),
    ],
)
def test_impossible_members_of_a_variant_on_instances_are_refused(
    sagemaker: Any, model: Make, fresh: Fresh, members: Any, code: str, why: str
) -> None:
    request = configuration(fresh, variant(model(), **members))
    refused = catch_error(sagemaker.create_endpoint_config, **request)
    assert (refused[0], why in refused[1]) == (code, True), refused


def test_instance_types_of_the_region_are_accepted(sagemaker: Any, model: Make, fresh: Fresh) -> None:
    settings: dict[str, Any] = {
        "InstanceType": "ml.g4dn.xlarge",
        "InferenceAmiVersion": "al2-ami-sagemaker-inference-gpu-3-1",
        "RoutingConfig": {"RoutingStrategy": "LEAST_OUTSTANDING_REQUESTS"},
        "EnableSSMAccess": True,
        "CoreDumpConfig": {"DestinationS3Uri": "s3://dumps"},
    }
    sagemaker.create_endpoint_config(**configuration(fresh, variant(model(), **settings), ExecutionRoleArn=ROLE))
    refused = catch_error(
        sagemaker.create_endpoint_config, **configuration(fresh, variant(model(), InstanceType="ml.t2.medium"))
    )
    assert "'productionVariants.1.member.instanceType'" in refused[1]
    assert "ml.g4dn.xlarge, " in refused[1]
    assert "ml.t2." not in refused[1].partition("set: ")[2]


def test_five_instance_pools_of_the_region_are_accepted(sagemaker: Any, model: Make, fresh: Fresh) -> None:
    types = ("ml.m5.large", "ml.m5.xlarge", "ml.c5.large", "ml.c6i.large", "ml.r5.large")
    pools = [{"InstanceType": kind, "Priority": number} for number, kind in enumerate(types, start=1)]
    pools[1]["ModelNameOverride"] = model()
    request = configuration(fresh, variant(model(), InstanceType=None, InstancePools=pools))
    sagemaker.create_endpoint_config(**request)
    described = sagemaker.describe_endpoint_config(EndpointConfigName=request["EndpointConfigName"])
    assert described["ProductionVariants"][0]["InstancePools"] == pools


@pytest.mark.parametrize(("seconds", "is_accepted"), [(10, True), (300, True), (15, False), (0, False)])
def test_metrics_have_the_intervals_of_the_api_reference(
    sagemaker: Any, model: Make, fresh: Fresh, seconds: int, is_accepted: bool
) -> None:
    metrics = {"EnableEnhancedMetrics": True, "MetricPublishFrequencyInSeconds": seconds}
    request = configuration(fresh, variant(model()), MetricsConfig=metrics)
    if is_accepted:
        sagemaker.create_endpoint_config(**request)
    else:
        refused = catch_error(sagemaker.create_endpoint_config, **request)
        assert (refused[0], "MetricPublishFrequencyInSeconds" in refused[1]) == ("ValidationException", True)


@pytest.mark.parametrize(
    ("members", "why"),
    [
        ({"InstanceType": "ml.m5.large"}, "InstanceType cannot be specified together with ServerlessConfig"),
        ({"InitialInstanceCount": 1}, "InitialInstanceCount cannot be specified together with ServerlessConfig"),
        ({"AcceleratorType": "ml.eia2.medium"}, "AcceleratorType cannot be specified"),
        ({"EnableSSMAccess": True}, "EnableSSMAccess cannot be specified"),
        ({"VolumeSizeInGB": 10}, "VolumeSizeInGB cannot be specified"),
        ({"ServerlessConfig": {"MemorySizeInMB": 2000, "MaxConcurrency": 1}}, "enum value set: [1024, 2048"),
        ({"ServerlessConfig": SERVERLESS | {"ProvisionedConcurrency": 6}}, "less than or equal to MaxConcurrency"),
    ],
)
def test_impossible_serverless_settings_are_refused(
    sagemaker: Any, model: Make, fresh: Fresh, members: Any, why: str
) -> None:
    request = configuration(fresh, variant(model(), **({"ServerlessConfig": SERVERLESS} | members)))
    assert why in catch_error(sagemaker.create_endpoint_config, **request)[1]


@pytest.fixture
def network(sandbox: Sandbox) -> dict[str, list[str]]:
    """Return the default VPC's subnets and security groups."""
    ec2 = sandbox.client("ec2")
    subnet = ec2.describe_subnets()["Subnets"][0]
    groups = ec2.describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [subnet["VpcId"]]}])["SecurityGroups"]
    return {"Subnets": [subnet["SubnetId"]], "SecurityGroupIds": [groups[0]["GroupId"]]}


@pytest.fixture(params=["vpc", "isolated", "pipeline", "multi-model", "source"])
def excluded(request: Any, model: Make, data: str, network: Any) -> tuple[str, str]:
    """Return a model that serverless inference excludes, and the expected message."""
    source = {"S3DataSource": {"S3Uri": data, "S3DataType": "S3Object", "CompressionType": "Gzip"}}
    members, why = {
        "vpc": ({"VpcConfig": network}, "VpcConfig is not supported"),
        "isolated": ({"EnableNetworkIsolation": True}, "network isolation is not supported"),
        "pipeline": ({"Containers": [{"Image": IMAGE}, {"Image": IMAGE}]}, "one container"),
        "multi-model": ({"PrimaryContainer": _insert_address(data, MULTI)}, "multi-model"),
        "source": ({"PrimaryContainer": {"Image": IMAGE, "ModelDataSource": source}}, "ModelDataSource"),
    }[request.param]
    return model(**members), why


UNSUPPORTED = "One or more endpoint features are not supported using this configuration"


def test_models_that_serverless_inference_excludes_are_refused(
    sagemaker: Any, fresh: Fresh, excluded: tuple[str, str]
) -> None:
    name, why = excluded
    request = configuration(fresh, variant(name, ServerlessConfig=SERVERLESS))
    code, message = catch_error(sagemaker.create_endpoint_config, **request)
    assert (code, UNSUPPORTED in message, why in message) == ("ValidationException", True, True), message


def _list_combinations() -> Iterator[Any]:
    serverless = {"ServerlessConfig": SERVERLESS}
    yield [serverless, serverless], {}, "exactly one production variant"
    yield [serverless], {"ShadowProductionVariants": [{}]}, "exactly one production variant"
    yield [serverless], {"DataCaptureConfig": CAPTURE}, "data capture is not supported"
    yield [serverless], {"AsyncInferenceConfig": ASYNCHRONOUS}, "asynchronous inference is not supported"
    yield [{}], {"ShadowProductionVariants": [{}, {}]}, "one variant for ShadowProductionVariants"
    yield [{}, {}], {"ShadowProductionVariants": [{}]}, "one variant for ProductionVariants"
    yield [{}], {"ShadowProductionVariants": [serverless]}, "exactly one production variant"
    yield [{}], {"ShadowProductionVariants": [{}], "AsyncInferenceConfig": ASYNCHRONOUS}, "shadow variants"
    yield [{}, {}], {"AsyncInferenceConfig": ASYNCHRONOUS}, "exactly one production variant"
    yield [{}] * 11, {}, "Member must have length less than or equal to 10"


@pytest.mark.parametrize(("production", "members", "why"), list(_list_combinations()))
def test_variants_and_features_that_exclude_each_other_are_refused(
    sagemaker: Any, model: Make, fresh: Fresh, production: Any, members: Any, why: str
) -> None:
    name = model()
    variant_list = [variant(name, f"variant-{number}", **settings) for number, settings in enumerate(production)]
    shadows = [
        variant(name, f"shadow-{number}", **settings)
        for number, settings in enumerate(members.get("ShadowProductionVariants", ()))
    ]
    all_members = members | ({"ShadowProductionVariants": shadows} if shadows else {})
    code, message = catch_error(sagemaker.create_endpoint_config, **configuration(fresh, *variant_list, **all_members))
    assert (code, why in message) == ("ValidationException", True), message


def test_asynchronous_and_shadow_variants_refuse_several_models(
    sagemaker: Any, model: Make, data: str, fresh: Fresh
) -> None:
    many, pipeline = model(PrimaryContainer=_insert_address(data, MULTI)), model(Containers=[{"Image": IMAGE}] * 2)
    requests = [
        configuration(fresh, variant(many), AsyncInferenceConfig=ASYNCHRONOUS),
        configuration(fresh, variant(many), ShadowProductionVariants=[variant(many, "shadow")]),
        configuration(fresh, variant(pipeline), ShadowProductionVariants=[variant(pipeline, "shadow")]),
    ]
    for request in requests:
        assert UNSUPPORTED in catch_error(sagemaker.create_endpoint_config, **request)[1]


def test_variant_names_are_unique_including_shadow_variants(sagemaker: Any, model: Make, fresh: Fresh) -> None:
    name = model()
    request = configuration(fresh, variant(name), ShadowProductionVariants=[variant(name)])
    assert "must be unique" in catch_error(sagemaker.create_endpoint_config, **request)[1]


def test_an_endpoint_on_a_local_disk_may_have_a_key(
    sandbox: Sandbox, sagemaker: Any, model: Make, fresh: Fresh
) -> None:
    key = sandbox.client("kms").create_key()["KeyMetadata"]["KeyId"]
    request = configuration(fresh, variant(model(), InstanceType="ml.c6gd.large"), KmsKeyId=key)
    sagemaker.create_endpoint_config(**request)
    description = sagemaker.describe_endpoint_config(EndpointConfigName=request["EndpointConfigName"])
    assert description["KmsKeyId"] == key


@pytest.mark.slow
def test_an_endpoint_with_a_missing_destination_fails(
    sandbox: Sandbox, sagemaker: Any, model: Make, fresh: Fresh, bucket: str
) -> None:
    topic = sandbox.client("sns").create_topic(Name=fresh("topic"))["TopicArn"]
    role, output_uri = make_service_role(sandbox, "sagemaker.amazonaws.com", "sns:Publish"), f"s3://{bucket}/out"
    publishing = model(ExecutionRoleArn=role)

    def wait_for_reason(name: str, **members: Any) -> str:
        """Return the failure reason of an endpoint with this configuration."""
        request, endpoint = configuration(fresh, variant(name), **members), fresh("endpoint")
        sagemaker.create_endpoint_config(**request)
        sagemaker.create_endpoint(EndpointName=endpoint, EndpointConfigName=request["EndpointConfigName"])
        failed = wait_until(lambda: _find_in_status(sagemaker, endpoint, "Failed"))
        sagemaker.delete_endpoint(EndpointName=endpoint)
        return str(failed["FailureReason"])

    def build_async_config(topic: str) -> dict[str, Any]:
        output = {"S3OutputPath": output_uri, "NotificationConfig": {"ErrorTopic": topic}}
        return {"AsyncInferenceConfig": {"OutputConfig": output}}

    def build_message(role: str, action: str, resource: str) -> str:
        return (
            f"The provided role '{role}' is invalid. Please ensure the role exists, that its trust relationship policy "
            'allows the action "sts:AssumeRole" for the service principal "sagemaker.amazonaws.com", and has '
            f'"{action}" permissions for {resource}.'
        )

    assert wait_for_reason(publishing, **build_async_config(f"{topic}-not")) == build_message(
        role, "sns:Publish", f'topic "{topic}-not"'
    )
    assert wait_for_reason(model(), **build_async_config(topic)) == build_message(
        ROLE, "sns:Publish", f'topic "{topic}"'
    )
    missing_uri = "s3://no-such-bucket/out"
    for members in (
        {"AsyncInferenceConfig": {"OutputConfig": {"S3OutputPath": missing_uri}}},
        {"AsyncInferenceConfig": {"OutputConfig": {"S3OutputPath": output_uri, "S3FailurePath": missing_uri}}},
        {"DataCaptureConfig": CAPTURE | {"DestinationS3Uri": missing_uri}},
    ):
        assert wait_for_reason(publishing, **members) == build_message(role, "s3:PutObject", f'"{missing_uri}"')


def test_an_endpoint_with_a_missing_key_is_refused(sagemaker: Any, model: Make, fresh: Fresh) -> None:
    request = configuration(fresh, variant(model()), KmsKeyId=f"alias/{fresh('key')}")
    sagemaker.create_endpoint_config(**request)
    endpoint = {"EndpointName": fresh("endpoint"), "EndpointConfigName": request["EndpointConfigName"]}
    code, message = catch_error(sagemaker.create_endpoint, **endpoint)
    assert (code, request["KmsKeyId"] in message) == ("ValidationException", True)


def _find_in_status(sagemaker: Any, endpoint: str, status: str) -> Any:
    endpoint_description = sagemaker.describe_endpoint(EndpointName=endpoint)
    return endpoint_description["EndpointStatus"] == status and endpoint_description
