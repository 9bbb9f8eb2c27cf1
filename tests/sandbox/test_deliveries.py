"""Events reach the targets of the rules that match them, once, if all that AWS asks for allows it."""

import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, NamedTuple

import pytest

from sagemaker_sandbox import Sandbox
from tests.sandbox.pipelines_support import pipeline
from tests.sandbox.support import ROLE, catch_error, make_queue, make_service_role, subscribe_queue, wait_until

pytestmark = pytest.mark.slow

Fresh = Callable[[str], str]
EVENTS = "events.amazonaws.com"
START = "sagemaker:StartPipelineExecution"


@pytest.fixture
def event_bucket(s3: Any, bucket: str) -> str:
    """Return a bucket that sends events of its objects to EventBridge."""
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={"EventBridgeConfiguration": {}})
    return bucket


@pytest.fixture
def received(sandbox: Sandbox) -> Callable[[str], list[dict[str, Any]]]:
    """Return a function that receives and deletes the messages of a queue: body as JSON, and attributes."""

    def receive(url: str) -> list[dict[str, Any]]:
        sqs, results = sandbox.client("sqs"), []
        while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]).get(
            "Messages"
        ):
            for message in messages:
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                attributes = message.get("MessageAttributes", {})
                values = {name: value["StringValue"] for name, value in attributes.items()}
                results.append({"body": json.loads(message["Body"]), "attributes": values})
        return results

    return receive


@pytest.fixture
def echo(sagemaker: Any, fresh: Fresh) -> str:
    """Create a pipeline that fails at once with the key of its parameter."""
    name = fresh("echo")
    fail = {"Name": "Tell", "Type": "Fail", "Arguments": {"ErrorMessage": {"Get": "Parameters.InputKey"}}}
    definition = pipeline(fail, Parameters=[{"Name": "InputKey", "Type": "String", "DefaultValue": "none"}])
    sagemaker.create_pipeline(
        PipelineName=name, PipelineDefinition=definition, RoleArn=ROLE, ClientRequestToken=32 * "t"
    )
    return name


def executions(sagemaker: Any, name: str) -> list[str]:
    """Return the keys of the pipeline's executions, the first one first."""
    results = sagemaker.list_pipeline_executions(PipelineName=name, SortOrder="Ascending")["PipelineExecutionSummaries"]
    return [
        sagemaker.list_pipeline_parameters_for_execution(PipelineExecutionArn=one["PipelineExecutionArn"])[
            "PipelineParameters"
        ][0]["Value"]
        for one in results
    ]


def created(bucket: str, **key: Any) -> dict[str, Any]:
    """Return the event pattern of new objects in a bucket."""
    detail = {"bucket": {"name": [bucket]}} | ({"object": {"key": [key]}} if key else {})
    return {"source": ["aws.s3"], "detail-type": ["Object Created"], "detail": detail}


def start(sandbox: Sandbox, rule: str, pattern: Mapping[str, Any], name: str, **target: Any) -> None:
    """Create a rule that starts a pipeline with the key of the object."""
    events = sandbox.client("events")
    events.put_rule(Name=rule, EventPattern=json.dumps(pattern))
    key = {"Name": "InputKey", "Value": "$.detail.object.key"}
    arn = f"arn:aws:sagemaker:eu-north-1:123456789012:pipeline/{name}"
    parameters = {"PipelineParameterList": [key]}
    events.put_targets(Rule=rule, Targets=[{"Id": "p", "Arn": arn, "SageMakerPipelineParameters": parameters} | target])


def test_each_way_to_create_an_object_sends_one_event(
    sandbox: Sandbox, s3: Any, event_bucket: str, fresh: Fresh, received: Callable[[str], list[dict[str, Any]]]
) -> None:
    url = subscribe_queue(sandbox, fresh("created"), created(event_bucket))
    s3.put_object(Bucket=event_bucket, Key="a b/ü.csv", Body=b"1,2")
    s3.copy_object(Bucket=event_bucket, Key="copy", CopySource={"Bucket": event_bucket, "Key": "a b/ü.csv"})
    upload = s3.create_multipart_upload(Bucket=event_bucket, Key="parts")["UploadId"]
    part = s3.upload_part(Bucket=event_bucket, Key="parts", UploadId=upload, PartNumber=1, Body=b"whole")["ETag"]
    s3.complete_multipart_upload(
        Bucket=event_bucket, Key="parts", UploadId=upload, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part}]}
    )
    results: list[dict[str, Any]] = []
    while len(results) < 3:
        results += wait_until(lambda: received(url))
    details = {one["body"]["detail"]["object"]["key"]: one["body"]["detail"] for one in results}
    assert {key: detail["reason"] for key, detail in details.items()} == {
        "a b/ü.csv": "PutObject",
        "copy": "CopyObject",
        "parts": "CompleteMultipartUpload",
    }
    assert len(results) == 3
    put = details["a b/ü.csv"]
    assert put["object"]["size"] == 3
    assert put["object"]["etag"] == s3.head_object(Bucket=event_bucket, Key="a b/ü.csv")["ETag"].strip('"')
    assert put["bucket"] == {"name": event_bucket}
    assert sorted(details, key=lambda key: details[key]["object"]["sequencer"]) == ["a b/ü.csv", "copy", "parts"]


def test_a_bucket_without_eventbridge_sends_no_event(
    sandbox: Sandbox,
    s3: Any,
    event_bucket: str,
    fresh: Fresh,
    received: Callable[[str], list[dict[str, Any]]],
) -> None:
    silent = fresh("silent")
    s3.create_bucket(Bucket=silent, CreateBucketConfiguration={"LocationConstraint": "eu-north-1"})
    pattern = created(event_bucket)
    pattern["detail"]["bucket"]["name"].append(silent)
    url = subscribe_queue(sandbox, fresh("rule"), pattern)
    s3.put_object(Bucket=silent, Key="unheard", Body=b"")
    s3.put_object(Bucket=event_bucket, Key="heard", Body=b"")
    assert [one["body"]["detail"]["object"]["key"] for one in wait_until(lambda: received(url))] == ["heard"]


def test_new_data_starts_the_pipeline_with_its_key(
    sandbox: Sandbox, s3: Any, event_bucket: str, sagemaker: Any, echo: str, fresh: Fresh
) -> None:
    role = make_service_role(sandbox, EVENTS, START)
    start(sandbox, fresh("arrives"), created(event_bucket, prefix="raw/"), echo, RoleArn=role)
    s3.put_object(Bucket=event_bucket, Key="other/flights.csv", Body=b"1")
    s3.put_object(Bucket=event_bucket, Key="raw/flights.csv", Body=b"1")
    wait_until(lambda: executions(sagemaker, echo))
    s3.put_object(Bucket=event_bucket, Key="raw/flights.csv", Body=b"1")
    assert wait_until(lambda: (results := executions(sagemaker, echo))[1:] and results) == 2 * ["raw/flights.csv"]


def test_a_disabled_rule_sends_nothing(
    sandbox: Sandbox, s3: Any, event_bucket: str, fresh: Fresh, received: Callable[[str], list[dict[str, Any]]]
) -> None:
    rule = fresh("rule")
    url, events = subscribe_queue(sandbox, rule, created(event_bucket)), sandbox.client("events")
    events.disable_rule(Name=rule)
    s3.put_object(Bucket=event_bucket, Key="unheard", Body=b"")
    events.enable_rule(Name=rule)
    s3.put_object(Bucket=event_bucket, Key="heard", Body=b"")
    assert [one["body"]["detail"]["object"]["key"] for one in wait_until(lambda: received(url))] == ["heard"]


def test_a_failed_run_is_published_to_an_encrypted_topic(
    sandbox: Sandbox,
    sagemaker: Any,
    echo: str,
    fresh: Fresh,
    received: Callable[[str], list[dict[str, Any]]],
) -> None:
    events, sns, kms = sandbox.client("events"), sandbox.client("sns"), sandbox.client("kms")
    url, queue = make_queue(sandbox, fresh("queue"), "sns.amazonaws.com")
    dead, dead_arn = make_queue(sandbox, fresh("dead"))
    key = kms.create_key()["KeyMetadata"]
    topic = sns.create_topic(Name=fresh("failed"), Attributes={"KmsMasterKeyId": key["KeyId"]})["TopicArn"]
    statement = {"Effect": "Allow", "Principal": {"Service": EVENTS}, "Action": "sns:Publish", "Resource": topic}
    sns.set_topic_attributes(
        TopicArn=topic, AttributeName="Policy", AttributeValue=json.dumps({"Statement": [statement]})
    )
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)
    rule = fresh("failed")
    pattern = {
        "source": ["aws.sagemaker"],
        "detail-type": ["SageMaker Model Building Pipeline Execution Status Change"],
        "detail": {
            "currentPipelineExecutionStatus": ["Failed"],
            "pipelineArn": [f"arn:aws:sagemaker:eu-north-1:123456789012:pipeline/{echo}"],
        },
    }
    events.put_rule(Name=rule, EventPattern=json.dumps(pattern))
    transformer = {
        "InputPathsMap": {"arn": "$.detail.pipelineExecutionArn", "status": "$.detail.currentPipelineExecutionStatus"},
        "InputTemplate": '{"text": "It has <status>", "arn": <arn>}',
    }
    target = {"Id": "t", "Arn": topic, "InputTransformer": transformer, "DeadLetterConfig": {"Arn": dead_arn}}
    events.put_targets(Rule=rule, Targets=[target])

    first = sagemaker.start_pipeline_execution(PipelineName=echo, ClientRequestToken=32 * "a")
    letter = wait_until(lambda: received(dead))[0]  # the key's policy knows no EventBridge
    assert letter["attributes"]["ERROR_CODE"] == "NO_PERMISSIONS"
    assert "kms:GenerateDataKey" in letter["attributes"]["ERROR_MESSAGE"]
    assert letter["attributes"]["RETRY_ATTEMPTS"] == "0"
    assert letter["body"]["detail"]["pipelineExecutionArn"] == first["PipelineExecutionArn"]

    use = {"Effect": "Allow", "Principal": {"Service": EVENTS}, "Action": ["kms:Decrypt", "kms:GenerateDataKey*"]}
    policy = {"Version": "2012-10-17", "Statement": [use | {"Resource": "*"}]}
    kms.put_key_policy(KeyId=key["KeyId"], PolicyName="default", Policy=json.dumps(policy))
    second = sagemaker.start_pipeline_execution(PipelineName=echo, ClientRequestToken=32 * "b")
    (notice,) = wait_until(lambda: received(url))
    assert json.loads(notice["body"]["Message"]) == {"text": "It has Failed", "arn": second["PipelineExecutionArn"]}


class Topic(NamedTuple):
    """An encrypted topic that a rule publishes to with a role."""

    arn: str
    rule: str
    role: str
    queue: str
    dead_letters: str
    source: str


@pytest.fixture
def topic(sandbox: Sandbox, fresh: Fresh) -> Topic:
    """Return a topic with a role without permissions, a queue of its messages and a dead-letter queue."""
    sns, iam, events = sandbox.client("sns"), sandbox.client("iam"), sandbox.client("events")
    url, queue = make_queue(sandbox, fresh("heard"), "sns.amazonaws.com")
    dead, dead_arn = make_queue(sandbox, fresh("dead"))
    key = sandbox.client("kms").create_key()["KeyMetadata"]["Arn"]
    rule, source, role = fresh("rule"), fresh("source"), fresh("publisher")
    arn = sns.create_topic(Name=fresh("topic"), Attributes={"KmsMasterKeyId": key})["TopicArn"]
    sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=queue, Attributes={"RawMessageDelivery": "true"})
    iam.create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps(trust_of(rule)))
    events.put_rule(Name=rule, EventPattern=json.dumps({"source": [source]}))
    target = {"Id": "t", "Arn": arn, "DeadLetterConfig": {"Arn": dead_arn}}
    events.put_targets(Rule=rule, Targets=[target | {"RoleArn": f"arn:aws:iam::123456789012:role/{role}"}])
    return Topic(arn, rule, role, url, dead, source)


def trust_of(rule: str, **more: str) -> dict[str, Any]:
    """Return the trust policy that lets EventBridge assume a role for this rule."""
    condition = {
        "StringEquals": {"aws:SourceAccount": more.get("account", "123456789012")},
        "ArnLike": {"aws:SourceArn": f"arn:aws:events:eu-north-1:123456789012:rule/{rule}"},
    }
    allow = {"Effect": "Allow", "Principal": {"Service": EVENTS}, "Action": "sts:AssumeRole", "Condition": condition}
    return {"Version": "2012-10-17", "Statement": [allow]}


PUBLISH = {"Effect": "Allow", "Action": "sns:Publish", "Resource": "*"}
USE_KEY = {"Effect": "Allow", "Action": ["kms:Decrypt", "kms:GenerateDataKey"], "Resource": "*"}


def through(service: str) -> dict[str, Any]:
    """Return the statement that lets a role use keys through this service only."""
    return USE_KEY | {"Condition": {"StringEquals": {"kms:ViaService": f"{service}.eu-north-1.amazonaws.com"}}}


@pytest.mark.parametrize(
    ("statements", "trust", "lacking"),
    [
        ([PUBLISH, through("sns")], {}, ""),
        ([through("sns")], {}, "sns:Publish"),
        ([PUBLISH], {}, "kms:GenerateDataKey"),
        ([PUBLISH, through("s3")], {}, "kms:GenerateDataKey"),
        ([PUBLISH, through("sns")], {"rule": "another"}, "does not trust"),
        ([PUBLISH, through("sns")], {"account": "210987654321"}, "does not trust"),
    ],
)
def test_a_topic_is_published_to_with_the_targets_role(
    statements: list[dict[str, Any]],
    trust: dict[str, str],
    lacking: str,
    sandbox: Sandbox,
    topic: Topic,
    received: Callable[[str], list[dict[str, Any]]],
) -> None:
    iam, events, cloudwatch = (sandbox.client(name) for name in ("iam", "events", "cloudwatch"))
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
    iam.put_role_policy(RoleName=topic.role, PolicyName="p", PolicyDocument=policy)
    if trust:
        changed = trust_of(**{"rule": topic.rule} | trust)
        iam.update_assume_role_policy(RoleName=topic.role, PolicyDocument=json.dumps(changed))
    events.put_events(Entries=[{"Source": topic.source, "DetailType": "t", "Detail": '{"n": 1}'}])

    def failures() -> float:
        now = sandbox.advance(0)
        results = cloudwatch.get_metric_statistics(
            Namespace="AWS/Events",
            MetricName="FailedInvocations",
            Dimensions=[{"Name": "RuleName", "Value": topic.rule}],
            StartTime=now - timedelta(hours=1),
            EndTime=now + timedelta(hours=1),
            Period=7200,
            Statistics=["Sum"],
        )
        return float(sum(point["Sum"] for point in results["Datapoints"]))

    if not lacking:
        (message,) = wait_until(lambda: received(topic.queue))
        assert message["body"]["detail"] == {"n": 1}
        assert failures() == 0
        return
    (letter,) = wait_until(lambda: received(topic.dead_letters))
    assert letter["attributes"]["ERROR_CODE"] == "NO_PERMISSIONS"
    assert lacking in letter["attributes"]["ERROR_MESSAGE"]
    assert received(topic.queue) == []
    assert failures() == 1


def test_a_condition_in_a_topics_policy_refuses_eventbridge(
    sandbox: Sandbox, topic: Topic, received: Callable[[str], list[dict[str, Any]]]
) -> None:
    """AWS: "You can't use Condition blocks in Amazon SNS topic policies for EventBridge"."""
    sns, events = sandbox.client("sns"), sandbox.client("events")
    sns.set_topic_attributes(TopicArn=topic.arn, AttributeName="KmsMasterKeyId", AttributeValue="")
    allow = {"Effect": "Allow", "Principal": {"Service": EVENTS}, "Action": "sns:Publish", "Resource": topic.arn}
    of_account = {"Condition": {"StringEquals": {"aws:SourceAccount": "123456789012"}}}
    target = {"Id": "t", "Arn": topic.arn}
    target["DeadLetterConfig"] = events.list_targets_by_rule(Rule=topic.rule)["Targets"][0]["DeadLetterConfig"]
    events.put_targets(Rule=topic.rule, Targets=[target])

    def publish(number: int, statement: dict[str, Any]) -> None:
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        sns.set_topic_attributes(TopicArn=topic.arn, AttributeName="Policy", AttributeValue=policy)
        detail = json.dumps({"n": number})
        events.put_events(Entries=[{"Source": topic.source, "DetailType": "t", "Detail": detail}])

    publish(1, allow | of_account)
    (letter,) = wait_until(lambda: received(topic.dead_letters))
    assert letter["body"]["detail"] == {"n": 1}
    publish(2, allow)
    (message,) = wait_until(lambda: received(topic.queue))
    assert message["body"]["detail"] == {"n": 2}


def test_a_role_without_permission_starts_no_pipeline(
    sandbox: Sandbox,
    s3: Any,
    event_bucket: str,
    sagemaker: Any,
    echo: str,
    fresh: Fresh,
    received: Callable[[str], list[dict[str, Any]]],
) -> None:
    iam, name = sandbox.client("iam"), fresh("role")
    trust = {"Statement": [{"Effect": "Allow", "Principal": {"Service": EVENTS}, "Action": "sts:AssumeRole"}]}
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    url, dead = make_queue(sandbox, fresh("dead"))
    rule = fresh("arrives")
    start(sandbox, rule, created(event_bucket), echo, RoleArn=role, DeadLetterConfig={"Arn": dead})
    s3.put_object(Bucket=event_bucket, Key="flights.csv", Body=b"1")
    (letter,) = wait_until(lambda: received(url))
    assert letter["attributes"]["ERROR_CODE"] == "NO_PERMISSIONS"
    assert START in letter["attributes"]["ERROR_MESSAGE"]
    assert letter["attributes"]["RULE_ARN"].endswith(f":rule/{rule}")
    assert letter["body"]["detail"]["object"]["key"] == "flights.csv"
    assert executions(sagemaker, echo) == []


def test_a_pipeline_needs_a_role_that_eventbridge_can_assume(sandbox: Sandbox, echo: str, fresh: Fresh) -> None:
    rule = fresh("rule")
    pattern = created("any")
    assert "RoleArn is required" in catch_error(lambda **_: start(sandbox, rule, pattern, echo))[1]
    assert "cannot be assumed" in catch_error(lambda **_: start(sandbox, rule, pattern, echo, RoleArn=ROLE))[1]


def test_a_throttled_target_is_retried_and_starts_once(
    sandbox: Sandbox, s3: Any, event_bucket: str, sagemaker: Any, echo: str, fresh: Fresh
) -> None:
    role = make_service_role(sandbox, EVENTS, START)
    start(sandbox, fresh("arrives"), created(event_bucket), echo, RoleArn=role)
    sandbox.fault("StartPipelineExecution", error="ThrottlingException", times=2, resource=echo)
    s3.put_object(Bucket=event_bucket, Key="flights.csv", Body=b"1")
    assert wait_until(lambda: executions(sagemaker, echo)) == ["flights.csv"]
    assert not [fault for fault in sandbox.faults() if fault.resource == echo]


def test_a_delivery_that_is_throttled_too_long_becomes_a_dead_letter(
    sandbox: Sandbox,
    s3: Any,
    event_bucket: str,
    echo: str,
    fresh: Fresh,
    sagemaker: Any,
    received: Callable[[str], list[dict[str, Any]]],
) -> None:
    role = make_service_role(sandbox, EVENTS, START)
    url, dead = make_queue(sandbox, fresh("dead"))
    retried = {"MaximumRetryAttempts": 1, "MaximumEventAgeInSeconds": 3600}
    start(
        sandbox,
        fresh("rule"),
        created(event_bucket),
        echo,
        RoleArn=role,
        RetryPolicy=retried,
        DeadLetterConfig={"Arn": dead},
    )
    sandbox.fault("StartPipelineExecution", error="ThrottlingException", times=2, resource=echo)
    s3.put_object(Bucket=event_bucket, Key="flights.csv", Body=b"1")
    (letter,) = wait_until(lambda: received(url))
    assert letter["attributes"] | {"ERROR_MESSAGE": "", "RULE_ARN": ""} == {
        "RULE_ARN": "",
        "TARGET_ARN": f"arn:aws:sagemaker:eu-north-1:123456789012:pipeline/{echo}",
        "ERROR_CODE": "THROTTLING",
        "ERROR_MESSAGE": "",
        "EXHAUSTED_RETRY_CONDITION": "MaximumRetryAttempts",
        "RETRY_ATTEMPTS": "1",
    }
    assert executions(sagemaker, echo) == []


@pytest.mark.parametrize(
    ("matcher", "matching", "other"),
    [
        ({"prefix": "raw/"}, "raw/a.csv", "out/a.csv"),
        ({"suffix": ".csv"}, "raw/a.csv", "raw/a.json"),
        ({"prefix": {"equals-ignore-case": "RAW/"}}, "raw/a", "out/a"),
        ({"wildcard": "raw/*.csv"}, "raw/2026/a.csv", "raw/a.json"),
        ({"anything-but": {"prefix": "out/"}}, "raw/a", "out/a"),
        ({"anything-but": ["out/a", "out/b"]}, "raw/a", "out/b"),
        ({"anything-but": {"suffix": [".json", ".txt"]}}, "a.csv", "a.txt"),
        ({"equals-ignore-case": "RAW/A"}, "raw/a", "raw/b"),
        ({"exists": True}, "raw/a", None),
        ({"exists": False}, None, "raw/a"),
        ({"numeric": [">", 0, "<=", 5]}, 5, 0),
        ({"numeric": ["=", 3.0]}, 3, 4),
        ({"cidr": "10.0.0.0/24"}, "10.0.0.255", "10.0.1.0"),
        ("raw/a", "raw/a", "raw/A"),
        (None, None, "null"),
    ],
)
def test_patterns_match_as_documented(
    matcher: Any,
    matching: Any,
    other: Any,
    sandbox: Sandbox,
    fresh: Fresh,
    received: Callable[[str], list[dict[str, Any]]],
) -> None:
    source, events = fresh("source"), sandbox.client("events")
    url = subscribe_queue(sandbox, fresh("pattern"), {"source": [source], "detail": {"key": [matcher]}})
    absent = isinstance(matcher, dict) and "exists" in matcher
    for name, value in (("other", other), ("matching", matching)):
        detail = {"which": name} | ({} if value is None and absent else {"key": value})
        events.put_events(Entries=[{"Source": source, "DetailType": "t", "Detail": json.dumps(detail)}])
    (message,) = wait_until(lambda: received(url))
    assert message["body"]["detail"]["which"] == "matching"
    pattern = json.dumps({"detail": {"key": [matcher]}})
    event: dict[str, Any] = dict.fromkeys(("id", "account", "source", "time", "region", "detail-type"), "x")
    event["resources"] = []
    for value, expected in ((matching, True), (other, False)):
        detail = {} if value is None and absent else {"key": value}
        text = json.dumps(event | {"detail": detail})
        assert events.test_event_pattern(EventPattern=pattern, Event=text)["Result"] is expected
    assert set(message["body"]) == {
        *("version", "id", "detail-type", "source", "account", "time", "region", "resources", "detail")
    }


def test_an_api_destination_needs_https_and_a_connection_whose_secret_nobody_reads(
    sandbox: Sandbox, fresh: Fresh
) -> None:
    events, name = sandbox.client("events"), fresh("github")
    key = {"ApiKeyName": "Authorization", "ApiKeyValue": "secret"}
    arn = events.create_connection(
        Name=name, AuthorizationType="API_KEY", AuthParameters={"ApiKeyAuthParameters": key}
    )["ConnectionArn"]
    connection = events.describe_connection(Name=name)
    assert connection["AuthParameters"] == {"ApiKeyAuthParameters": {"ApiKeyName": "Authorization"}}
    destination = {"Name": name, "ConnectionArn": arn, "HttpMethod": "POST"}
    url = "https://api.github.com/"
    code, message = catch_error(
        events.create_api_destination, **destination, InvocationEndpoint="http://api.github.com/"
    )
    assert (code, "InvocationEndpoint" in message) == ("ValidationException", True)
    unknown = {**destination, "ConnectionArn": f"{arn}0"}
    assert (
        catch_error(events.create_api_destination, **unknown, InvocationEndpoint=url)[0] == "ResourceNotFoundException"
    )
    assert events.create_api_destination(**destination, InvocationEndpoint=url)["ApiDestinationState"] == "ACTIVE"
    target = {"Id": "t", "Arn": events.describe_api_destination(Name=name)["ApiDestinationArn"]}
    events.put_rule(Name=name, EventPattern=json.dumps({"source": ["none"]}))
    assert catch_error(events.put_targets, Rule=name, Targets=[target])[0] == "ValidationException", "it has no role"
