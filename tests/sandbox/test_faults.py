"""What is asked to go wrong does, as often as was asked, in AWS's form, and nothing else does."""

import json
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore import xform_name
from botocore.exceptions import ClientError

from sagemaker_sandbox import Sandbox
from sagemaker_sandbox.client import make_client
from sustainable_mlops.errors import UserError
from tests.sandbox.support import IMAGE, ROLE, make_role, reset, until
from tests.sandbox.test_endpoints import build_variant, make_model
from tests.sandbox.test_training_jobs import build_quick_request
from tests.sandbox.test_training_jobs import job as job

pytestmark = pytest.mark.slow

Fresh = Callable[[str], str]

JSON_TYPE = "application/json"


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """One of their own: what goes wrong is to meet no other test, and what others do is not to meet it."""
    with Sandbox.start(log=tmp_path_factory.mktemp("sandbox") / "log") as own:
        make_role(own)
        yield own


@pytest.fixture(scope="module")
def sagemaker(sandbox: Sandbox) -> Any:
    """As everywhere here, with requests that go out unchecked."""
    return make_client("sagemaker", "eu-north-1", sandbox.endpoint, parameter_validation=False)


@pytest.fixture(scope="module")
def s3(sandbox: Sandbox) -> Any:
    return sandbox.client("s3")


@pytest.fixture(autouse=True)
def none_left(sandbox: Sandbox) -> Iterator[None]:
    yield
    sandbox.clear_faults()


def patient(sandbox: Sandbox, service: str, attempts: int) -> Any:
    """A client that asks so often."""
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
def test_a_request_is_refused_once_in_the_form_of_its_protocol(
    sandbox: Sandbox, operation: str, error: str, status: int, request_: Any
) -> None:
    armed = sandbox.fault(operation, error=error, message="Not now <please> & wait")
    with pytest.raises(ClientError) as refused:
        method(patient(sandbox, armed.service, 1), armed.operation_name)(**request_)
    answer = refused.value.response
    assert answer["Error"]["Code"] == error
    assert answer["Error"]["Message"] == "Not now <please> & wait"
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == status
    assert refused.value.operation_name == armed.operation_name
    assert sandbox.faults() == []


@pytest.mark.parametrize("version", ["s3", "s3v4"])
def test_a_request_that_was_signed_before_meets_faults(sandbox: Sandbox, bucket: str, version: str) -> None:
    s3 = make_client("s3", "eu-north-1", sandbox.endpoint, signature_version=version)
    address = urlsplit(s3.generate_presigned_url("put_object", {"Bucket": bucket, "Key": "k"}))
    sandbox.fault("s3:PutObject", error="SlowDown", resource=bucket)
    answers = []
    for _ in range(2):
        connection = HTTPConnection(address.netloc, timeout=60)
        connection.request("PUT", f"{address.path}?{address.query}", body=b"x")
        answer = connection.getresponse()
        answers.append((answer.status, b"<Code>SlowDown</Code>" in answer.read()))
        connection.close()
    assert answers == [(503, True), (200, False)]


def method(client: Any, operation: str) -> Any:
    return getattr(client, xform_name(operation))


def test_each_retry_of_a_client_meets_a_fault_of_its_own(sandbox: Sandbox, bucket: str) -> None:
    sandbox.fault("s3:PutObject", error="SlowDown", times=2, resource=bucket)
    done = patient(sandbox, "s3", 3).put_object(Bucket=bucket, Key="key", Body=b"")
    assert done["ResponseMetadata"]["RetryAttempts"] == 2
    assert sandbox.faults() == []


def test_a_fault_meets_the_operation_and_the_resource_that_it_names_alone(sandbox: Sandbox, bucket: str) -> None:
    s3 = patient(sandbox, "s3", 1)
    sandbox.fault("s3:PutObject", error="SlowDown", resource="reports/")
    s3.put_object(Bucket=bucket, Key="data/1", Body=b"")
    s3.list_objects_v2(Bucket=bucket, Prefix="reports/")
    with pytest.raises(ClientError, match="SlowDown"):
        s3.put_object(Bucket=bucket, Key="reports/1", Body=b"")

    sandbox.fault("DescribeModel", error="ThrottlingException", resource="slow")
    sagemaker = patient(sandbox, "sagemaker", 1)
    with pytest.raises(ClientError, match="Could not find model"):
        sagemaker.describe_model(ModelName="quick")
    with pytest.raises(ClientError, match="ThrottlingException"):
        sagemaker.describe_model(ModelName="too-slow")


def test_an_answer_comes_late_and_is_the_right_one(sandbox: Sandbox, bucket: str) -> None:
    s3 = patient(sandbox, "s3", 1)
    sandbox.fault("s3:ListObjectsV2", delay=1.5)
    began = time.monotonic()
    s3.put_object(Bucket=bucket, Key="key", Body=b"")
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 1
    assert time.monotonic() - began >= 1.5


def test_the_earliest_that_matches_is_used_and_they_can_be_seen_and_cleared(sandbox: Sandbox) -> None:
    sagemaker = patient(sandbox, "sagemaker", 1)
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
        reset(sandbox)
        assert sandbox.faults() == []


@pytest.mark.parametrize(
    ("operation", "how", "why"),
    [
        ("CreateTrainingJobs", {"error": "ThrottlingException"}, "did you mean 'CreateTrainingJob'?"),
        ("s3:PutObjekt", {"error": "SlowDown"}, "s3 has no operation PutObjekt; did you mean 'PutObject'?"),
        ("PutObject", {"error": "SlowDown"}, "another service's is said as s3:PutObject"),
        ("sagemakr:CreateModel", {"delay": 1}, "botocore knows no service sagemakr; did you mean 'sagemaker'?"),
        ("CreateModel", {"error": "ThrotlingException"}, "did you mean 'ThrottlingException'?"),
        ("s3:PutObject", {"error": "ThrottlingException"}, "has no error ThrottlingException; known: AccessDenied"),
        ("CreateModel", {}, "what is to go wrong?"),
        ("CreateModel", {"status_delay": 5}, "nothing stays under way here"),
        ("CreateEndpoint", {"error": "Failed", "status_delay": 5}, "one at a time"),
        ("CreateEndpoint", {"error": "Failed", "after_checkpoints": 1}, "checkpoints are waited for by"),
        ("CreateModel", {"error": "ThrottlingException", "times": 0}, "times: Input should be greater than or equal"),
        ("CreateModel", {"error": "ThrottlingException", "tmes": 1}, "tmes: Extra inputs are not permitted"),
    ],
)
def test_what_cannot_go_wrong_is_refused_in_one_line(sandbox: Sandbox, operation: str, how: Any, why: str) -> None:
    with pytest.raises(UserError) as refused:
        sandbox.fault(operation, **how)
    assert why in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1
    assert sandbox.faults() == []


def feature_group(name: str) -> dict[str, Any]:
    features = [{"FeatureName": "id", "FeatureType": "String"}, {"FeatureName": "time", "FeatureType": "String"}]
    return {
        "FeatureGroupName": name,
        "RecordIdentifierFeatureName": "id",
        "EventTimeFeatureName": "time",
        "FeatureDefinitions": features,
        "OnlineStoreConfig": {"EnableOnlineStore": True},
    }


def endpoint(sagemaker: Any, fresh: Fresh) -> Callable[[], str]:
    model = make_model(sagemaker, fresh("fault"))
    config = fresh("fault")
    sagemaker.create_endpoint_config(EndpointConfigName=config, ProductionVariants=[build_variant(model)])

    def create() -> str:
        name = fresh("fault")
        sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=config)
        return name

    return create


def test_an_endpoint_fails_with_its_reason(sandbox: Sandbox, sagemaker: Any, fresh: Fresh) -> None:
    create = endpoint(sagemaker, fresh)
    sandbox.fault("CreateEndpoint", error="Failed", message="The model does not fit.")
    failed, well = create(), create()
    at_rest(sagemaker, well, "InService")
    assert at_rest(sagemaker, failed, "Failed")["FailureReason"] == "The model does not fit."
    sagemaker.delete_endpoint(EndpointName=failed)


def test_an_update_that_fails_leaves_what_served_before(sandbox: Sandbox, sagemaker: Any, fresh: Fresh) -> None:
    name = endpoint(sagemaker, fresh)()
    before = at_rest(sagemaker, name, "InService")["EndpointConfigName"]
    sandbox.fault("UpdateEndpoint", error="Failed")
    sagemaker.create_endpoint_config(
        EndpointConfigName=(other := fresh("fault")),
        ProductionVariants=[build_variant(make_model(sagemaker, fresh("fault")))],
    )
    sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=other)
    after = at_rest(sagemaker, name, "InService")
    assert (after["EndpointConfigName"], after["FailureReason"]) == (before, "Request to service failed.")


def at_rest(sagemaker: Any, name: str, status: str) -> Any:
    def look() -> Any:
        found = sagemaker.describe_endpoint(EndpointName=name)
        return None if found["EndpointStatus"] in ("Creating", "Updating") else found

    found = until(look)
    assert found["EndpointStatus"] == status
    return found


def test_a_feature_group_fails_to_be_created(sandbox: Sandbox, sagemaker: Any, fresh: Fresh) -> None:
    name = fresh("fault")
    sandbox.fault("CreateFeatureGroup", error="CreateFailed", message="No such role.", resource=name)
    sagemaker.create_feature_group(**feature_group(name))
    group = until(lambda: feature_group_in(sagemaker, name, "CreateFailed"))
    assert group["FailureReason"] == "No such role."
    sagemaker.delete_feature_group(FeatureGroupName=name)


def feature_group_in(sagemaker: Any, name: str, status: str) -> Any:
    group = sagemaker.describe_feature_group(FeatureGroupName=name)
    return group if group["FeatureGroupStatus"] == status else None


def test_a_resource_is_under_way_for_longer(sandbox: Sandbox, sagemaker: Any, fresh: Fresh) -> None:
    create = endpoint(sagemaker, fresh)
    for operation in ("CreateEndpoint", "CreateFeatureGroup"):
        sandbox.fault(operation, status_delay=600)
    endpoints, groups = [create(), create()], [fresh("fault"), fresh("fault")]
    for group in groups:
        sagemaker.create_feature_group(**feature_group(group))
    at_rest(sagemaker, endpoints[1], "InService")
    until(lambda: feature_group_in(sagemaker, groups[1], "Created"))
    assert sagemaker.describe_endpoint(EndpointName=endpoints[0])["EndpointStatus"] == "Creating"
    assert feature_group_in(sagemaker, groups[0], "Creating")


def ended(sagemaker: Any, name: str) -> Any:
    def look() -> Any:
        found = sagemaker.describe_training_job(TrainingJobName=name)
        return found if found["TrainingJobStatus"] in ("Completed", "Failed", "Stopped") else None

    return until(look, seconds=240)


def path(job: Any) -> list[str]:
    return [transition["Status"] for transition in job["SecondaryStatusTransitions"]]


class TestTrainingJobs:
    """Faults of jobs."""

    def test_without_capacity_a_job_fails(self, sandbox: Sandbox, sagemaker: Any, job: Any, fresh: Fresh) -> None:
        sandbox.fault("CreateTrainingJob", error="CapacityError")
        request = build_quick_request(job, fresh) | {"StoppingCondition": {"MaxRuntimeInSeconds": 600}}
        sagemaker.create_training_job(**request)
        failed = ended(sagemaker, request["TrainingJobName"])
        assert failed["FailureReason"].startswith("CapacityError: Unable to provision requested ML compute capacity.")
        assert path(failed) == ["Starting", "Failed"]

    def test_a_job_that_may_wait_gets_its_instances_later(
        self, sandbox: Sandbox, sagemaker: Any, job: Any, fresh: Fresh
    ) -> None:
        sandbox.fault("CreateTrainingJob", error="CapacityError", times=2)
        request = build_quick_request(job, fresh)
        request["StoppingCondition"] = {"MaxRuntimeInSeconds": 600, "MaxPendingTimeInSeconds": 7200}
        sagemaker.create_training_job(**request)
        done = ended(sagemaker, request["TrainingJobName"])
        assert (done["TrainingJobStatus"], path(done)[:3]) == ("Completed", ["Starting", "Pending", "Downloading"])
        assert sandbox.faults() == []

    def test_an_internal_error_is_retried_as_often_as_the_job_says(
        self, sandbox: Sandbox, sagemaker: Any, job: Any, fresh: Fresh
    ) -> None:
        sandbox.fault("CreateTrainingJob", error="InternalServerError", times=3)
        request = build_quick_request(job, fresh) | {"StoppingCondition": {"MaxRuntimeInSeconds": 600}}
        sagemaker.create_training_job(**request | {"RetryStrategy": {"MaximumRetryAttempts": 2}})
        failed = ended(sagemaker, request["TrainingJobName"])
        assert failed["FailureReason"].startswith("InternalServerError: We encountered an internal error.")
        assert path(failed).count("Downloading") == 3

    def test_spot_is_lost_as_often_as_was_asked(self, sandbox: Sandbox, sagemaker: Any, job: Any) -> None:
        name = job["TrainingJobName"]
        job["HyperParameters"]["interruptions"] = "2"
        sandbox.fault("CreateTrainingJob", error="SpotInterruption", after_checkpoints=1, times=2, resource=name)
        sagemaker.create_training_job(**job)
        done = ended(sagemaker, name)
        assert (done["TrainingJobStatus"], path(done).count("Interrupted")) == ("Completed", 2)

    def test_a_job_is_starting_for_longer_and_can_be_stopped_meanwhile(
        self, sandbox: Sandbox, sagemaker: Any, job: Any, fresh: Fresh
    ) -> None:
        sandbox.fault("CreateTrainingJob", status_delay=600)
        slow, well = (
            build_quick_request(job, fresh) | {"StoppingCondition": {"MaxRuntimeInSeconds": 600}} for _ in range(2)
        )
        for request in (slow, well):
            sagemaker.create_training_job(**request)
        assert ended(sagemaker, well["TrainingJobName"])["TrainingJobStatus"] == "Completed"
        name = slow["TrainingJobName"]
        assert sagemaker.describe_training_job(TrainingJobName=name)["SecondaryStatus"] == "Starting"
        sagemaker.stop_training_job(TrainingJobName=name)
        assert ended(sagemaker, name)["TrainingJobStatus"] == "Stopped"


def test_a_step_of_a_pipeline_is_throttled_and_tried_again(sandbox: Sandbox, sagemaker: Any, fresh: Fresh) -> None:
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

    def over() -> bool:
        found = sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)["PipelineExecutionStatus"]
        return bool(found != "Executing")

    until(over, seconds=240)
    (made,) = sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=arn)["PipelineExecutionSteps"]
    assert (made["StepStatus"], made["AttemptCount"]) == ("Succeeded", 2)
    assert sandbox.faults() == []


def test_the_command_arms_lists_and_clears_and_says_what_it_does_not_know(
    command: Callable[..., tuple[int, str, str]],
) -> None:
    assert command("start")[0] == 0
    throttle = ("--operation", "CreateTrainingJob", "--error", "ThrottlingException", "--times", "3")
    code, out, _ = command("fault", *throttle, "--resource", "flights")
    waiting = "sagemaker:CreateTrainingJob, 3 times, where a name holds 'flights', ThrottlingException"
    assert (code, out) == (0, f"Waits: {waiting}.\n")
    assert command("fault", "--list")[1] == f"{waiting}\n"
    assert command("fault", "--clear")[1] == command("fault", "--list")[1] == "No fault waits.\n"

    code, out, err = command("fault", "--operation", "CreateTrainingJob", "--error", "ThrotlingException")
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert "did you mean 'ThrottlingException'?" in err
    code, _, err = command("fault", "--list", "--clear")
    assert (code, err) == (2, "error: sandbox fault: say one of --operation, --list and --clear\n")
