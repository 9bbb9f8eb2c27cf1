"""Each service responds in the same way in each protocol that an SDK uses."""

import gzip
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.parsers import create_parser
from werkzeug import Request, Response
from werkzeug.datastructures import Headers
from werkzeug.test import EnvironBuilder

from sagemaker_sandbox import Sandbox
from sagemaker_sandbox.connections import rpc_v2_cbor
from sustainable_mlops.aws.service_model import load_service_model
from tests.cases import check_cases
from tests.provider import SANDBOX_LOGS
from tests.sandbox.protocol_requests import CBOR, ProtocolResponse, call, comparable, send

Fresh = Callable[[str], str]

BUCKET = "no-such-bucket-anywhere"
#: For each service: an operation that succeeds, one that fails, and the error code.
CALLS: dict[str, tuple[tuple[str, dict[str, Any]], tuple[str, dict[str, Any]], str]] = {
    "application-autoscaling": (
        ("DescribeScalableTargets", {"ServiceNamespace": "sagemaker"}),
        ("DescribeScalableTargets", {"ServiceNamespace": "nothing"}),
        "ValidationException",
    ),
    "cloudformation": (("ListStacks", {}), ("GetTemplate", {"StackName": "none"}), "ValidationError"),
    "cloudwatch": (
        ("DescribeAlarms", {}),
        ("DescribeAlarms", {"AlarmNames": ["a"], "AlarmNamePrefix": "a"}),
        "InvalidParameterCombination",
    ),
    "dynamodb": (("ListTables", {}), ("DescribeTable", {"TableName": "none"}), "ResourceNotFoundException"),
    "ec2": (("DescribeVpcs", {}), ("DescribeVpcs", {"VpcIds": ["vpc-0"]}), "InvalidVpcID.NotFound"),
    "ecr": (
        ("DescribeRepositories", {}),
        ("DescribeRepositories", {"repositoryNames": ["none"]}),
        "RepositoryNotFoundException",
    ),
    "events": (("ListRules", {}), ("DescribeRule", {"Name": "none"}), "ResourceNotFoundException"),
    "glue": (("GetDatabases", {}), ("GetDatabase", {"Name": "none"}), "EntityNotFoundException"),
    "iam": (("ListRoles", {}), ("GetRole", {"RoleName": "none"}), "NoSuchEntity"),
    "kms": (("ListKeys", {}), ("DescribeKey", {"KeyId": "alias/none"}), "NotFoundException"),
    "lambda": (("ListFunctions", {}), ("GetFunction", {"FunctionName": "none"}), "ResourceNotFoundException"),
    "logs": (("DescribeLogGroups", {}), ("DescribeLogStreams", {"logGroupName": "none"}), "ResourceNotFoundException"),
    "resourcegroupstaggingapi": (
        ("GetResources", {}),
        ("GetResources", {"TagsPerPage": 1}),
        "InvalidParameterException",
    ),
    "s3": (("ListBuckets", {}), ("GetBucketTagging", {"Bucket": BUCKET}), "NoSuchBucket"),
    "sagemaker": (("ListModels", {}), ("DescribeModel", {"ModelName": "none"}), "ValidationException"),
    "scheduler": (("ListSchedules", {}), ("GetSchedule", {"Name": "none"}), "ResourceNotFoundException"),
    "secretsmanager": (("ListSecrets", {}), ("DescribeSecret", {"SecretId": "none"}), "ResourceNotFoundException"),
    "servicecatalog": (
        ("ListPortfolios", {}),
        ("DescribeProduct", {"Id": "prod-none"}),
        "ResourceNotFoundException",
    ),
    "sns": (
        ("ListTopics", {}),
        ("GetTopicAttributes", {"TopicArn": "arn:aws:sns:eu-north-1:123456789012:none"}),
        "NotFound",
    ),
    "sqs": (("ListQueues", {}), ("GetQueueUrl", {"QueueName": "none"}), "AWS.SimpleQueueService.NonExistentQueue"),
    "ssm": (("DescribeParameters", {}), ("GetParameter", {"Name": "none"}), "ParameterNotFound"),
    "stepfunctions": (
        ("ListStateMachines", {}),
        ("DescribeStateMachine", {"stateMachineArn": "arn:aws:states:eu-north-1:123456789012:stateMachine:none"}),
        "StateMachineDoesNotExist",
    ),
    "sts": (
        ("GetCallerIdentity", {}),
        ("AssumeRole", {"RoleArn": "arn:aws:iam::123456789012:role/r", "RoleSessionName": "s" * 65}),
        "ValidationError",
    ),
}


def list_protocols(service: str) -> list[str]:
    """Return the protocols of a service, the first being that of the reference answer."""
    model = load_service_model(service)
    names: list[str] = model.metadata.get("protocols", [model.metadata["protocol"]])
    return sorted(names)


#: Written here, because the model of a service takes time to read.
OF_CLOUDWATCH = ["json", "query", CBOR]


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """Yield a separate sandbox, so that no other test changes it between two responses."""
    SANDBOX_LOGS.append(tmp_path_factory.mktemp("sandbox") / "sandbox.log")
    with Sandbox.start(log=SANDBOX_LOGS[-1]) as running:
        yield running


@pytest.mark.slow
@check_cases("service", CALLS)
def test_a_service_responds_in_each_of_its_protocols(sandbox: Sandbox, service: str) -> None:
    (read, parameters), (failing_operation, wrong_parameters), code = CALLS[service]
    protocols = list_protocols(service)
    expected = call(sandbox, service, protocols[0], read, parameters)
    refused = call(sandbox, service, protocols[0], failing_operation, wrong_parameters)
    for protocol in protocols:
        reply = call(sandbox, service, protocol, read, parameters)
        assert (reply.status, remove_ids(reply)) == (200, remove_ids(expected)), protocol
        reply = call(sandbox, service, protocol, failing_operation, wrong_parameters)
        assert (400 <= reply.status < 500, reply.code) == (True, code), protocol
        assert error(reply) == error(refused), protocol


def remove_ids(reply: ProtocolResponse) -> dict[str, Any]:
    return {name: value for name, value in reply.fields.items() if name not in ("Credentials", "UserId")}


def error(reply: ProtocolResponse) -> tuple[str, str]:
    return reply.code, str(reply.fields["Error"]["Message"])


def test_the_table_has_all_services_with_several_protocols_that_the_provider_uses() -> None:
    several = {name for name in CALLS if len(list_protocols(name)) > 1}
    assert several == {"cloudwatch", "resourcegroupstaggingapi", "servicecatalog"}
    assert all(CBOR in list_protocols(name) for name in several)
    assert list_protocols("cloudwatch") == OF_CLOUDWATCH


@pytest.fixture
def alarm(sandbox: Sandbox, fresh: Fresh, request: pytest.FixtureRequest) -> dict[str, Any]:
    """Create an alarm in each protocol, on a separate metric."""
    name = fresh("alarm")
    definition = {
        "AlarmName": name,
        "Namespace": f"protocols/{name}",
        "MetricName": "latency",
        "Dimensions": [{"Name": "EndpointName", "Value": "flights"}],
        "Statistic": "Average",
        "Period": 60,
        "EvaluationPeriods": 3,
        "DatapointsToAlarm": 2,
        "Threshold": 0.1,
        "ComparisonOperator": "GreaterThanThreshold",
        "Tags": [{"Key": "workload", "Value": "flüge"}],
    }
    response = call(sandbox, "cloudwatch", request.param, "PutMetricAlarm", definition)
    assert response.status == 200
    return definition


@pytest.mark.parametrize("alarm", OF_CLOUDWATCH, indirect=True)
@pytest.mark.parametrize("protocol", OF_CLOUDWATCH)
def test_an_alarm_has_the_same_description_in_each_protocol(
    sandbox: Sandbox, alarm: dict[str, Any], protocol: str
) -> None:
    def send_operation(operation: str, **parameters: Any) -> ProtocolResponse:
        return call(sandbox, "cloudwatch", protocol, operation, parameters)

    (described,) = send_operation("DescribeAlarms", AlarmNames=[alarm["AlarmName"]]).fields["MetricAlarms"]
    assert {name: described[name] for name in alarm if name != "Tags"} == {
        name: value for name, value in alarm.items() if name != "Tags"
    }
    assert abs(described["StateUpdatedTimestamp"] - datetime.now(UTC).timestamp()) < 600
    assert described["ActionsEnabled"] is True
    assert send_operation("ListTagsForResource", ResourceARN=described["AlarmArn"]).fields["Tags"] == alarm["Tags"]
    history = send_operation("DescribeAlarmHistory", AlarmName=alarm["AlarmName"]).fields["AlarmHistoryItems"]
    assert [item["HistoryItemType"] for item in history] == ["ConfigurationUpdate"]
    assert send_operation("DeleteAlarms", AlarmNames=[alarm["AlarmName"]]).status == 200
    assert send_operation("DescribeAlarms", AlarmNames=[alarm["AlarmName"]]).fields["MetricAlarms"] == []


@pytest.mark.parametrize("writes", OF_CLOUDWATCH)
def test_data_is_the_same_in_each_protocol(sandbox: Sandbox, fresh: Fresh, writes: str) -> None:
    namespace, moment = fresh("data"), datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(minutes=10)
    metric = {"MetricName": "kg", "Dimensions": [{"Name": "Job", "Value": "a"}]}
    data = [
        metric | {"Timestamp": moment, "Values": [0.1, 2.5e-9, -3.0], "Counts": [1.0, 2.0, 1.0], "Unit": "Kilobytes"},
        metric | {"Timestamp": moment + timedelta(minutes=1), "Value": 1e100, "Unit": "Kilobytes"},
    ]
    assert (
        call(sandbox, "cloudwatch", writes, "PutMetricData", {"Namespace": namespace, "MetricData": data}).status == 200
    )
    when = {"StartTime": moment, "EndTime": moment + timedelta(minutes=5)}
    stat = {"Metric": metric | {"Namespace": namespace}, "Period": 60, "Stat": "Sum"}
    for reads in OF_CLOUDWATCH:
        queries = [{"Id": "kg", "MetricStat": stat}]
        fields = call(sandbox, "cloudwatch", reads, "GetMetricData", {"MetricDataQueries": queries, **when}).fields
        (result,) = fields["MetricDataResults"]
        assert result["Timestamps"] == [(moment + timedelta(minutes=1)).timestamp(), moment.timestamp()]
        assert result["Values"] == [1e100, pytest.approx(-2.899999995)]
        statistics = {**metric, **when, "Namespace": namespace, "Period": 60, "Statistics": ["Minimum", "SampleCount"]}
        points = call(sandbox, "cloudwatch", reads, "GetMetricStatistics", statistics).fields["Datapoints"]
        first = min(points, key=lambda point: point["Timestamp"])
        assert (first["Minimum"], first["SampleCount"]) == (-3.0, 4.0)


@check_cases("protocol", OF_CLOUDWATCH)
@check_cases("value", [float("nan"), float("inf"), float("-inf"), 2.0**361])
@check_cases("member", ["Value", "Values", "StatisticValues"])
def test_invalid_metric_values_are_refused(sandbox: Sandbox, protocol: str, value: float, member: str) -> None:
    statistics = {"Sum": value, "Minimum": 1.0, "Maximum": 1.0, "SampleCount": 1.0}
    data = [
        {"MetricName": "kg", member: {"Value": value, "Values": [1.0, value], "StatisticValues": statistics}[member]}
    ]
    reply = call(sandbox, "cloudwatch", protocol, "PutMetricData", {"Namespace": "protocols", "MetricData": data})
    assert (reply.status, reply.code) == (400, "InvalidParameterValue")


@pytest.mark.parametrize("writes", OF_CLOUDWATCH)
@pytest.mark.parametrize("value", ["nan", "inf", "-inf"])
def test_special_numbers_have_the_form_of_each_protocol(
    sandbox: Sandbox, fresh: Fresh, writes: str, value: str
) -> None:
    name = fresh("special")
    alarm = {"AlarmName": name, "Namespace": name, "MetricName": "m", "Statistic": "Sum", "Period": 60}
    alarm |= {"EvaluationPeriods": 1, "ComparisonOperator": "GreaterThanThreshold", "Threshold": float(value)}
    assert call(sandbox, "cloudwatch", writes, "PutMetricAlarm", alarm).status == 200
    for reads in OF_CLOUDWATCH:
        reply = call(sandbox, "cloudwatch", reads, "DescribeAlarms", {"AlarmNames": [name]})
        assert str(float(reply.fields["MetricAlarms"][0]["Threshold"])) == value
        if reads == "json":
            json.loads(reply.body, parse_constant=pytest.fail)
    call(sandbox, "cloudwatch", writes, "DeleteAlarms", {"AlarmNames": [name]})


@check_cases("protocol", OF_CLOUDWATCH)
def test_a_missing_dashboard_has_the_error_code_of_query(sandbox: Sandbox, protocol: str) -> None:
    reply = call(sandbox, "cloudwatch", protocol, "GetDashboard", {"DashboardName": "none"})
    assert (reply.status, reply.code) == (404, "ResourceNotFound")
    if protocol != "query":
        assert reply.headers["x-amzn-query-error"] == "ResourceNotFound;Sender"


@check_cases("protocol", OF_CLOUDWATCH)
def test_a_presigned_request_reaches_its_service(sandbox: Sandbox, protocol: str) -> None:
    signed, presigned = (
        call(sandbox, "cloudwatch", protocol, "DescribeAlarms", {"AlarmNames": ["none"]}, presigned=how)
        for how in (False, True)
    )
    assert (presigned.status, presigned.fields) == (200, signed.fields)


def test_a_presigned_query_reaches_sts(sandbox: Sandbox) -> None:
    reply = call(sandbox, "sts", "query", "GetCallerIdentity", presigned=True)
    assert reply.fields["Account"] == "123456789012"


def test_a_queue_is_found_by_a_query_of_older_sdks(sandbox: Sandbox, fresh: Fresh) -> None:
    url = sandbox.client("sqs").create_queue(QueueName=fresh("queue"))["QueueUrl"]
    body = {"Action": "GetQueueUrl", "Version": "2012-11-05", "QueueName": url.rpartition("/")[2]}
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    request_head = {"url_path": "/", "query_string": "", "method": "POST", "headers": form}
    response = send(sandbox, "sqs", "query", "GetQueueUrl", {**request_head, "body": body})
    assert f"<GetQueueUrlResult><QueueUrl>{url}</QueueUrl></GetQueueUrlResult>".encode() in response.body
    error_response = send(
        sandbox, "sqs", "query", "GetQueueUrl", {**request_head, "body": body | {"QueueName": "none"}}
    )
    assert (error_response.status, error_response.code) == (400, "AWS.SimpleQueueService.NonExistentQueue")


@pytest.mark.parametrize("protocol", OF_CLOUDWATCH)
def test_a_fault_applies_in_every_protocol(sandbox: Sandbox, fresh: Fresh, protocol: str) -> None:
    name = fresh("dashboard")
    sandbox.fault("cloudwatch:GetDashboard", error="ThrottlingException", message="too fast", resource=name)
    reply = call(sandbox, "cloudwatch", protocol, "GetDashboard", {"DashboardName": name})
    assert (reply.status, reply.code, reply.fields["Error"]["Message"]) == (400, "ThrottlingException", "too fast")
    assert call(sandbox, "cloudwatch", protocol, "GetDashboard", {"DashboardName": name}).code == "ResourceNotFound"


WELL = "/service/GraniteServiceVersion20100801/operation/DescribeAlarms"


def send_cbor(sandbox: Sandbox, body: bytes, path: str = WELL, **headers: str) -> ProtocolResponse:
    cbor = {"smithy-protocol": "rpc-v2-cbor", "Content-Type": "application/cbor"}
    raw = {"url_path": path, "query_string": "", "method": "POST", "headers": cbor | headers, "body": body}
    return send(sandbox, "cloudwatch", CBOR, "DescribeAlarms", raw)


@check_cases("body", [b"", b"\xa0", b"\xbf\xff", b"\xa1\x6aAlarmNames\x9f\x61a\xff", b"\xa1\x61x\xf6"])
def test_bodies_of_every_form_are_read(sandbox: Sandbox, body: bytes) -> None:
    assert (
        send_cbor(sandbox, body).fields["MetricAlarms"]
        == call(
            sandbox, "cloudwatch", "json", "DescribeAlarms", {"AlarmNames": ["a"]} if b"Names" in body else {}
        ).fields["MetricAlarms"]
    )


def test_a_compressed_body_is_read(sandbox: Sandbox) -> None:
    headers = {"Content-Encoding": "gzip"}
    assert send_cbor(sandbox, gzip.compress(b"\xa0"), **headers).status == 200
    assert send_cbor(sandbox, b"\xa0", **headers).code == "SerializationException"


@check_cases(
    "body",
    [
        pytest.param(b"\xa1", id="cut off"),
        pytest.param(b"\xa0\x00", id="bytes after the end"),
        pytest.param(b"\x80", id="a list"),
        pytest.param(b"\xff", id="a break alone"),
        pytest.param(b"\xa1\x01\x02", id="a key that is a number"),
        pytest.param(b"\xa1\x80\x00", id="a key that is a list"),
        pytest.param(b"\x62\xff\xff", id="text that is not UTF-8"),
        pytest.param(b"\xc2\x41\x00", id="an unknown tag"),
        pytest.param(b"\xa1\x61t\xc1\x61x", id="a time that is text"),
        pytest.param(b"\x5b" + b"\xff" * 8, id="a blob longer than any"),
        pytest.param(b"\x5b\x00\x00\x01" + b"\x00" * 5, id="a blob of a terabyte"),
        pytest.param(b"\x81" * 100_000, id="nested too deeply"),
        pytest.param(b"\xa1\x6aAlarmNames\x05", id="a number for a list"),
        pytest.param(b"\xa1\x6aMaxRecords\x61x", id="text for a number"),
        pytest.param(b"{}", id="JSON"),
    ],
)
def test_a_malformed_body_is_refused_in_cbor(sandbox: Sandbox, body: bytes) -> None:
    reply = send_cbor(sandbox, body)
    assert (reply.status, reply.code) == (400, "SerializationException")
    assert reply.headers["smithy-protocol"] == "rpc-v2-cbor"


@check_cases("path", ["/", WELL + "Not", WELL.replace("Granite", "Marble"), "/service/TrentService/operation/ListKeys"])
def test_an_unknown_operation_is_refused_in_cbor(sandbox: Sandbox, path: str) -> None:
    reply = send_cbor(sandbox, b"\xa0", path)
    assert (reply.status, reply.code) == (400, "UnknownOperationException")
    assert reply.headers["Content-Type"] == "application/cbor"


def test_a_service_without_cbor_refuses_it(sandbox: Sandbox) -> None:
    raw = {
        "url_path": "/service/TrentService/operation/ListKeys",
        "query_string": "",
        "method": "POST",
        "body": b"\xa0",
    }
    reply = send(sandbox, "kms", CBOR, "ListKeys", raw | {"headers": {"smithy-protocol": "rpc-v2-cbor"}})
    assert (reply.status, reply.code) == (400, "UnknownOperationException")


@pytest.mark.parametrize("protocol", ["json", "query"])
def test_cloudwatch_refuses_malformed_requests_with_codes(sandbox: Sandbox, protocol: str) -> None:
    requests: dict[str, dict[str, Any]] = {
        "json": {
            "headers": {
                "X-Amz-Target": "GraniteServiceVersion20100801.DescribeAlarms",
                "Content-Type": "application/x-amz-json-1.0",
            },
            "body": b'{"MaxRecords": "x"}',
        },
        "query": {
            "headers": {"Content-Type": "application/x-www-form-urlencoded"},
            "body": {"Action": "DescribeAlarms", "MaxRecords": "x"},
        },
    }
    request_head: dict[str, Any] = {"url_path": "/", "query_string": "", "method": "POST"}
    reply = send(sandbox, "cloudwatch", protocol, "DescribeAlarms", request_head | requests[protocol])
    code = {"json": "SerializationException", "query": "MalformedInput"}[protocol]
    assert (reply.status, reply.code) == (400, code)


def translate(operation: str, response: dict[str, Any], status: int = 200) -> tuple[dict[str, Any], bytes]:
    """Return the fields that a client reads from a response, and its body, after a translation to CBOR and back."""

    def respond(_: Request) -> Response:
        return Response(json.dumps(response), status)

    scope = "AWS4-HMAC-SHA256 Credential=k/20260101/eu-north-1/monitoring/aws4_request"
    builder = EnvironBuilder(
        path=WELL.replace("DescribeAlarms", operation),
        method="POST",
        headers=Headers({"smithy-protocol": "rpc-v2-cbor", "Authorization": scope}),
    )
    answer = rpc_v2_cbor.handle_request(builder.get_request(Request), respond)
    raw = {"body": answer.get_data(), "headers": dict(answer.headers), "status_code": answer.status_code}
    model = load_service_model("cloudwatch")
    shape: Any = model.operation_model(operation).output_shape
    if status >= 300:
        shape = model.shape_for(response["__type"])
    fields = create_parser(CBOR).parse(raw, shape)
    fields.pop("ResponseMetadata", None)
    return comparable(fields), answer.get_data()


def test_blobs_times_and_numbers_survive_the_translation_of_a_response() -> None:
    fields, body = translate("GetMetricWidgetImage", {"MetricWidgetImage": "AP8Q"})
    assert fields == {"MetricWidgetImage": b"\x00\xff\x10"}
    assert b"AP8Q" not in body
    alarm = {"AlarmName": "a", "Threshold": "-Infinity", "StateUpdatedTimestamp": 1795880961.424, "Period": 60}
    fields, _ = translate("DescribeAlarms", {"MetricAlarms": [alarm]})
    assert fields == {"MetricAlarms": [alarm | {"Threshold": float("-inf")}]}
    fields, _ = translate("DescribeAlarms", {"MetricAlarms": [{"Threshold": "NaN"}]})
    assert str(fields["MetricAlarms"][0]["Threshold"]) == "nan"


def test_members_of_an_error_survive_the_translation() -> None:
    error = {
        "__type": "DashboardInvalidInputError",
        "message": "no",
        "dashboardValidationMessages": [{"DataPath": "/widgets/0", "Message": "unknown"}],
    }
    fields, _ = translate("PutDashboard", error, 400)
    assert fields["dashboardValidationMessages"] == error["dashboardValidationMessages"]


def test_a_response_without_output_has_no_body() -> None:
    assert translate("PutMetricAlarm", {})[1] == b""
