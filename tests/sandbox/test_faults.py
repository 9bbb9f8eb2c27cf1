"""Injected faults occur as many times as requested, in AWS's form, and affect nothing else."""

import json
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore import xform_name
from botocore.exceptions import ClientError, ConnectionClosedError

from sagemaker_sandbox import Sandbox
from sagemaker_sandbox.base.client import make_client
from sustainable_mlops.base.errors import UserError
from tests.sandbox.support import IMAGE, ROLE, make_role, reset_sandbox, wait_until
from tests.sandbox.test_endpoints import build_variant, make_model
from tests.sandbox.test_training_jobs import build_quick_request
from tests.sandbox.test_training_jobs import job as job

pytestmark = pytest.mark.slow

Fresh = Callable[[str], str]

JSON_TYPE = "application/json"


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """Yield a separate sandbox, so that the faults do not affect other tests."""
    with Sandbox.start(log=tmp_path_factory.mktemp("sandbox") / "log") as separate_sandbox:
        make_role(separate_sandbox)
        yield separate_sandbox


@pytest.fixture(scope="module")
def sagemaker(sandbox: Sandbox) -> Any:
    """Return a client that does not validate requests."""
    return make_client("sagemaker", "eu-north-1", sandbox.endpoint, parameter_validation=False)


@pytest.fixture(scope="module")
def s3(sandbox: Sandbox) -> Any:
    return sandbox.client("s3")


@pytest.fixture(autouse=True)
def clear_faults(sandbox: Sandbox) -> Iterator[None]:
    yield
    sandbox.clear_faults()


def make_retrying_client(sandbox: Sandbox, service: str, attempts: int) -> Any:
    """Return a client with this number of attempts."""
    return make_client(service, "eu-north-1", sandbox.endpoint, retries={"total_max_attempts": attempts})


@pytest.mark.parametrize(
    ("operation", "error", "status", "request_"),
    [
        ("CreateModel", "ThrottlingException", 400, {"ModelName": "m"}),
        ("CreateModel", "ResourceLimitExceeded", 400, {"ModelName": "m"}),
        ("DescribeModel", "InternalFailure", 500, {"ModelName": "m"}),
        ("ListExperiments", "ServiceUnavailable", 503, {}),
        ("InvokeEndpoint", "ModelNotReadyException", 429, {"EndpointName": "e", "Body": b""}),
        (
            "InvokeEndpoint",
            "InternalFailure",
            500,
            {"EndpointName": "e", "Body": b"", "ContentType": JSON_TYPE},
        ),
        ("GetRecord", "ThrottlingException", 400, {"FeatureGroupName": "g", "RecordIdentifierValueAsString": "1"}),
        ("s3:PutObject", "SlowDown", 503, {"Bucket": "b", "Key": "folder/key", "Body": b"content"}),
        ("s3:ListObjectsV2", "InternalError", 500, {"Bucket": "b"}),
        ("s3:CreateMultipartUpload", "SlowDown", 503, {"Bucket": "b", "Key": "k"}),
        ("iam:GetRole", "Throttling", 400, {"RoleName": "test"}),
        ("ec2:DescribeVpcs", "RequestLimitExceeded", 503, {}),
        ("sqs:ListQueues", "ThrottlingException", 400, {}),
        ("lambda:ListFunctions", "TooManyRequestsException", 429, {}),
        ("dynamodb:ListTables", "InternalServerError", 500, {}),
        ("cloudwatch:ListMetrics", "InternalServiceError", 500, {}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_error_is_returned_once_in_the_form_of_the_protocol(
    sandbox: Sandbox, operation: str, error: str, status: int, request_: Any
) -> None:
    fault = sandbox.fault(operation, error=error, message="Not now <please> & wait")
    with pytest.raises(ClientError) as error_info:
        get_method(make_retrying_client(sandbox, fault.service, 1), fault.operation_name)(**request_)
    response = error_info.value.response
    assert response["Error"]["Code"] == error
    assert response["Error"]["Message"] == "Not now <please> & wait"
    assert response["ResponseMetadata"]["HTTPStatusCode"] == status
    assert error_info.value.operation_name == fault.operation_name
    assert sandbox.faults() == []


@pytest.mark.parametrize("version", ["s3", "s3v4"])
def test_a_presigned_request_meets_faults(sandbox: Sandbox, bucket: str, version: str) -> None:
    s3 = make_client("s3", "eu-north-1", sandbox.endpoint, signature_version=version)
    address = urlsplit(s3.generate_presigned_url("put_object", {"Bucket": bucket, "Key": "k"}))
    sandbox.fault("s3:PutObject", error="SlowDown", resource=bucket)
    results = []
    for _ in range(2):
        connection = HTTPConnection(address.netloc, timeout=60)
        connection.request("PUT", f"{address.path}?{address.query}", body=b"x")
        response = connection.getresponse()
        results.append((response.status, b"<Code>SlowDown</Code>" in response.read()))
        connection.close()
    assert results == [(503, True), (200, False)]


def get_method(client: Any, operation: str) -> Any:
    return getattr(client, xform_name(operation))


def test_each_retry_of_a_client_uses_a_fault(sandbox: Sandbox, bucket: str) -> None:
    sandbox.fault("s3:PutObject", error="SlowDown", times=2, resource=bucket)
    response = make_retrying_client(sandbox, "s3", 3).put_object(Bucket=bucket, Key="key", Body=b"")
    assert response["ResponseMetadata"]["RetryAttempts"] == 2
    assert sandbox.faults() == []


def test_a_fault_affects_only_its_operation_and_resource(sandbox: Sandbox, bucket: str) -> None:
    s3 = make_retrying_client(sandbox, "s3", 1)
    sandbox.fault("s3:PutObject", error="SlowDown", resource="reports/")
    s3.put_object(Bucket=bucket, Key="data/1", Body=b"")
    s3.list_objects_v2(Bucket=bucket, Prefix="reports/")
    with pytest.raises(ClientError, match="SlowDown"):
        s3.put_object(Bucket=bucket, Key="reports/1", Body=b"")

    sandbox.fault("DescribeModel", error="ThrottlingException", resource="slow")
    sagemaker = make_retrying_client(sandbox, "sagemaker", 1)
    with pytest.raises(ClientError, match="Could not find model"):
        sagemaker.describe_model(ModelName="quick")
    with pytest.raises(ClientError, match="ThrottlingException"):
        sagemaker.describe_model(ModelName="too-slow")


def test_a_delayed_response_is_correct(sandbox: Sandbox, bucket: str) -> None:
    s3 = make_retrying_client(sandbox, "s3", 1)
    sandbox.fault("s3:ListObjectsV2", delay=1.5)
    start = time.monotonic()
    s3.put_object(Bucket=bucket, Key="key", Body=b"")
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 1
    assert time.monotonic() - start >= 1.5


def test_the_first_matching_fault_is_used_and_faults_can_be_listed_and_cleared(sandbox: Sandbox) -> None:
    sagemaker = make_retrying_client(sandbox, "sagemaker", 1)
    sandbox.fault("ListModels", error="ThrottlingException", times=2)
    sandbox.fault("ListModels", error="InternalFailure")
    for code in ("ThrottlingException", "ThrottlingException", "InternalFailure"):
        with pytest.raises(ClientError, match=code):
            sagemaker.list_models()
    sandbox.fault("ListModels", error="ThrottlingException", times=2)
    with pytest.raises(ClientError, match="ThrottlingException"):
        sagemaker.list_models()
    assert [(fault.operation, fault.times) for fault in sandbox.faults()] == [("sagemaker:ListModels", 1)]
    sandbox.clear_faults()
    sagemaker.list_models()


def test_a_reset_clears_faults(tmp_path: Any) -> None:
    with Sandbox.start(log=tmp_path / "log") as sandbox:
        sandbox.fault("ListModels", error="ThrottlingException")
        reset_sandbox(sandbox)
        assert sandbox.faults() == []


@pytest.mark.parametrize(
    ("operation", "options", "reason"),
    [
        ("CreateTrainingJobs", {"error": "ThrottlingException"}, "did you mean 'CreateTrainingJob'?"),
        ("s3:PutObjekt", {"error": "SlowDown"}, "s3 has no operation PutObjekt; did you mean 'PutObject'?"),
        ("PutObject", {"error": "SlowDown"}, "write the operation of another service like s3:PutObject"),
        ("sagemakr:CreateModel", {"delay": 1}, "botocore knows no service sagemakr; did you mean 'sagemaker'?"),
        ("CreateModel", {"error": "ThrotlingException"}, "did you mean 'ThrottlingException'?"),
        ("s3:PutObject", {"error": "ThrottlingException"}, "has no error ThrottlingException; known: AccessDenied"),
        ("CreateModel", {}, "the fault has no effect"),
        ("CreateModel", {"status_delay": 5}, "a status delay applies only to"),
        ("CreateEndpoint", {"error": "Failed", "status_delay": 5}, "one at a time"),
        ("CreateEndpoint", {"error": "Failed", "after_checkpoints": 1}, "after_checkpoints applies only to"),
        ("CreateModel", {"error": "ThrottlingException", "times": 0}, "times: Input should be greater than or equal"),
        ("CreateModel", {"error": "ThrottlingException", "tmes": 1}, "tmes: Extra inputs are not permitted"),
    ],
)
def test_an_impossible_fault_is_refused_in_one_line(
    sandbox: Sandbox, operation: str, options: Any, reason: str
) -> None:
    with pytest.raises(UserError) as error_info:
        sandbox.fault(operation, **options)
    assert reason in str(error_info.value)
    assert len(str(error_info.value).splitlines()) == 1
    assert sandbox.faults() == []


def define_feature_group(name: str) -> dict[str, Any]:
    features = [{"FeatureName": "id", "FeatureType": "String"}, {"FeatureName": "time", "FeatureType": "String"}]
    return {
        "FeatureGroupName": name,
        "RecordIdentifierFeatureName": "id",
        "EventTimeFeatureName": "time",
        "FeatureDefinitions": features,
        "OnlineStoreConfig": {"EnableOnlineStore": True},
    }


def prepare_endpoints(sagemaker: Any, fresh: Fresh) -> Callable[[str], str]:
    model = make_model(sagemaker, fresh("fault"))
    config = fresh("fault")
    sagemaker.create_endpoint_config(EndpointConfigName=config, ProductionVariants=[build_variant(model)])

    def create(name: str) -> str:
        sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=config)
        return name

    return create


def test_an_endpoint_fails_with_its_reason(sandbox: Sandbox, sagemaker: Any, fresh: Fresh) -> None:
    create = prepare_endpoints(sagemaker, fresh)
    failed, healthy = fresh("fault"), fresh("fault")
    sandbox.fault("CreateEndpoint", error="Failed", message="The model does not fit.", resource=failed)
    create(failed)
    create(healthy)
    wait_until_settled(sagemaker, healthy, "InService")
    assert wait_until_settled(sagemaker, failed, "Failed")["FailureReason"] == "The model does not fit."
    sagemaker.delete_endpoint(EndpointName=failed)


def test_a_failed_update_keeps_the_old_configuration(sandbox: Sandbox, sagemaker: Any, fresh: Fresh) -> None:
    name = prepare_endpoints(sagemaker, fresh)(fresh("fault"))
    before = wait_until_settled(sagemaker, name, "InService")["EndpointConfigName"]
    sandbox.fault("UpdateEndpoint", error="Failed")
    sagemaker.create_endpoint_config(
        EndpointConfigName=(other := fresh("fault")),
        ProductionVariants=[build_variant(make_model(sagemaker, fresh("fault")))],
    )
    sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=other)
    after = wait_until_settled(sagemaker, name, "InService")
    assert (after["EndpointConfigName"], after["FailureReason"]) == (before, "Request to service failed.")


def wait_until_settled(sagemaker: Any, name: str, status: str) -> Any:
    def find_settled() -> Any:
        endpoint = sagemaker.describe_endpoint(EndpointName=name)
        return None if endpoint["EndpointStatus"] in ("Creating", "Updating") else endpoint

    endpoint = wait_until(find_settled)
    assert endpoint["EndpointStatus"] == status
    return endpoint


def test_a_feature_group_fails_to_be_created(sandbox: Sandbox, sagemaker: Any, fresh: Fresh) -> None:
    name = fresh("fault")
    sandbox.fault("CreateFeatureGroup", error="CreateFailed", message="No such role.", resource=name)
    sagemaker.create_feature_group(**define_feature_group(name))
    group = wait_until(lambda: find_feature_group(sagemaker, name, "CreateFailed"))
    assert group["FailureReason"] == "No such role."
    sagemaker.delete_feature_group(FeatureGroupName=name)


def find_feature_group(sagemaker: Any, name: str, status: str) -> Any:
    group = sagemaker.describe_feature_group(FeatureGroupName=name)
    return group if group["FeatureGroupStatus"] == status else None


def test_a_status_delay_prolongs_a_transition(sandbox: Sandbox, sagemaker: Any, fresh: Fresh) -> None:
    create = prepare_endpoints(sagemaker, fresh)
    endpoints, groups = [fresh("fault"), fresh("fault")], [fresh("fault"), fresh("fault")]
    sandbox.fault("CreateEndpoint", status_delay=600, resource=endpoints[0])
    sandbox.fault("CreateFeatureGroup", status_delay=600, resource=groups[0])
    for endpoint, group in zip(endpoints, groups, strict=True):
        create(endpoint)
        sagemaker.create_feature_group(**define_feature_group(group))
    wait_until_settled(sagemaker, endpoints[1], "InService")
    wait_until(lambda: find_feature_group(sagemaker, groups[1], "Created"))
    assert sagemaker.describe_endpoint(EndpointName=endpoints[0])["EndpointStatus"] == "Creating"
    assert find_feature_group(sagemaker, groups[0], "Creating")


def wait_for_end(sagemaker: Any, name: str) -> Any:
    def find_finished() -> Any:
        job = sagemaker.describe_training_job(TrainingJobName=name)
        return job if job["TrainingJobStatus"] in ("Completed", "Failed", "Stopped") else None

    return wait_until(find_finished)


def list_statuses(job: Any) -> list[str]:
    return [transition["Status"] for transition in job["SecondaryStatusTransitions"]]


class TestTrainingJobs:
    """Faults of training jobs."""

    def test_without_capacity_a_job_fails(self, sandbox: Sandbox, sagemaker: Any, job: Any, fresh: Fresh) -> None:
        sandbox.fault("CreateTrainingJob", error="CapacityError")
        request = build_quick_request(job, fresh) | {"StoppingCondition": {"MaxRuntimeInSeconds": 600}}
        sagemaker.create_training_job(**request)
        failed = wait_for_end(sagemaker, request["TrainingJobName"])
        assert failed["FailureReason"].startswith("CapacityError: Unable to provision requested ML compute capacity.")
        assert list_statuses(failed) == ["Starting", "Failed"]

    def test_a_job_that_may_wait_gets_capacity_later(
        self, sandbox: Sandbox, sagemaker: Any, job: Any, fresh: Fresh
    ) -> None:
        sandbox.fault("CreateTrainingJob", error="CapacityError", times=2)
        request = build_quick_request(job, fresh)
        request["StoppingCondition"] = {"MaxRuntimeInSeconds": 600, "MaxPendingTimeInSeconds": 7200}
        sagemaker.create_training_job(**request)
        job_description = wait_for_end(sagemaker, request["TrainingJobName"])
        assert (job_description["TrainingJobStatus"], list_statuses(job_description)[:3]) == (
            "Completed",
            ["Starting", "Pending", "Downloading"],
        )
        assert sandbox.faults() == []

    def test_an_internal_error_is_retried_by_the_jobs_strategy(
        self, sandbox: Sandbox, sagemaker: Any, job: Any, fresh: Fresh
    ) -> None:
        sandbox.fault("CreateTrainingJob", error="InternalServerError", times=3)
        request = build_quick_request(job, fresh) | {"StoppingCondition": {"MaxRuntimeInSeconds": 600}}
        sagemaker.create_training_job(**request | {"RetryStrategy": {"MaximumRetryAttempts": 2}})
        failed = wait_for_end(sagemaker, request["TrainingJobName"])
        assert failed["FailureReason"].startswith("InternalServerError: We encountered an internal error.")
        assert list_statuses(failed).count("Downloading") == 3

    def test_spot_instances_are_lost_as_often_as_requested(self, sandbox: Sandbox, sagemaker: Any, job: Any) -> None:
        name = job["TrainingJobName"]
        job["HyperParameters"]["interruptions"] = "2"
        sandbox.fault("CreateTrainingJob", error="SpotInterruption", after_checkpoints=1, times=2, resource=name)
        sagemaker.create_training_job(**job)
        job_description = wait_for_end(sagemaker, name)
        assert (job_description["TrainingJobStatus"], list_statuses(job_description).count("Interrupted")) == (
            "Completed",
            2,
        )

    def test_a_job_with_a_status_delay_can_be_stopped(
        self, sandbox: Sandbox, sagemaker: Any, job: Any, fresh: Fresh
    ) -> None:
        sandbox.fault("CreateTrainingJob", status_delay=600)
        slow, fast = (
            build_quick_request(job, fresh) | {"StoppingCondition": {"MaxRuntimeInSeconds": 600}} for _ in range(2)
        )
        for request in (slow, fast):
            sagemaker.create_training_job(**request)
        assert wait_for_end(sagemaker, fast["TrainingJobName"])["TrainingJobStatus"] == "Completed"
        name = slow["TrainingJobName"]
        assert sagemaker.describe_training_job(TrainingJobName=name)["SecondaryStatus"] == "Starting"
        sagemaker.stop_training_job(TrainingJobName=name)
        assert wait_for_end(sagemaker, name)["TrainingJobStatus"] == "Stopped"


def test_a_throttled_pipeline_step_is_retried(sandbox: Sandbox, sagemaker: Any, fresh: Fresh) -> None:
    step = {
        "Name": "make",
        "Type": "Model",
        "Arguments": {"PrimaryContainer": {"Image": IMAGE}, "ExecutionRoleArn": ROLE},
    }
    name = fresh("throttled")
    sagemaker.create_pipeline(
        PipelineName=name,
        PipelineDefinition=json.dumps({"Version": "2020-12-01", "Steps": [step]}),
        ClientRequestToken="t" * 32,
        RoleArn=ROLE,
    )
    sandbox.fault("CreateModel", error="ThrottlingException")
    arn = sagemaker.start_pipeline_execution(PipelineName=name, ClientRequestToken="t" * 32)["PipelineExecutionArn"]

    def is_finished() -> bool:
        status = sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)["PipelineExecutionStatus"]
        return bool(status != "Executing")

    wait_until(is_finished)
    (executed_step,) = sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=arn)["PipelineExecutionSteps"]
    assert (executed_step["StepStatus"], executed_step["AttemptCount"]) == ("Succeeded", 2)
    assert sandbox.faults() == []


def test_the_command_injects_lists_and_clears_faults(
    command: Callable[..., tuple[int, str, str]],
) -> None:
    assert command("start")[0] == 0
    throttle = ("--operation", "CreateTrainingJob", "--error", "ThrottlingException", "--times", "3")
    code, out, _ = command("fault", *throttle, "--resource", "flights")
    fault = "sagemaker:CreateTrainingJob, 3 times, if a name contains 'flights', ThrottlingException"
    assert (code, out) == (0, f"Pending: {fault}.\n")
    assert command("fault", "--list")[1] == f"{fault}\n"
    assert command("fault", "--clear")[1] == command("fault", "--list")[1] == "No fault is pending.\n"

    code, out, err = command("fault", "--operation", "CreateTrainingJob", "--error", "ThrotlingException")
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert "did you mean 'ThrottlingException'?" in err
    code, _, err = command("fault", "--list", "--clear")
    assert (code, err) == (2, "error: sandbox fault: use exactly one of --operation, --list and --clear\n")


def test_a_request_with_a_lost_response_took_effect(sandbox: Sandbox) -> None:
    client = make_retrying_client(sandbox, "logs", 1)
    sandbox.fault("logs:CreateLogGroup", after_effect=True)
    with pytest.raises(ConnectionClosedError):
        client.create_log_group(logGroupName="lost")
    sandbox.fault("logs:CreateLogGroup", error="ServiceUnavailableException", after_effect=True)
    with pytest.raises(client.exceptions.ServiceUnavailableException):
        client.create_log_group(logGroupName="unavailable")
    names = {group["logGroupName"] for group in client.describe_log_groups()["logGroups"]}
    assert {"lost", "unavailable"} <= names
    assert sandbox.faults() == []


def test_the_retry_of_a_lost_creation_finds_its_own_resource(sandbox: Sandbox) -> None:
    sandbox.fault("logs:CreateLogGroup", after_effect=True)
    client = make_retrying_client(sandbox, "logs", 3)
    with pytest.raises(client.exceptions.ResourceAlreadyExistsException):
        client.create_log_group(logGroupName="retried")


def test_a_fault_skips_the_requests_before_it(sandbox: Sandbox) -> None:
    client = make_retrying_client(sandbox, "sqs", 1)
    fault = sandbox.fault("sqs:ListQueues", error="ThrottlingException", skip=2)
    assert str(fault) == "sqs:ListQueues, 1 time, after 2 requests, ThrottlingException"
    for _ in range(2):
        client.list_queues()
    with pytest.raises(ClientError):
        client.list_queues()
    client.list_queues()
