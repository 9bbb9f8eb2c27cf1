"""Systems Manager Automation: documents are taken as AWS takes them, and their steps run as their role."""

import json
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sagemaker_sandbox import Sandbox
from sagemaker_sandbox.services.automation import branch_choices, document, selectors
from sagemaker_sandbox.services.automation.references import ContentError, fill
from tests.cases import check_cases
from tests.sandbox.support import TRUST, catch_error, make_queue, subscribe_queue, wait_until
from tests.sandbox.test_scaling import ON_INSTANCES, build_target, make_endpoint

pytestmark = pytest.mark.slow

Fresh = Callable[[str], str]
Step = dict[str, Any]
SSM, EVENTS = "ssm.amazonaws.com", "events.amazonaws.com"


def sleep(name: str, **more: Any) -> Step:
    return {"name": name, "action": "aws:sleep", "inputs": {"Duration": "PT0S"}, **more}


def asks(name: str, service: str, api: str, **more: Any) -> Step:
    settings: dict[str, Any] = {
        key: more.pop(key) for key in ("outputs", "onFailure", "isEnd", "nextStep", "maxAttempts") if key in more
    }
    return {"name": name, "action": "aws:executeAwsApi", "inputs": {"Service": service, "Api": api, **more}, **settings}


def build_document(*steps: Step, **more: Any) -> dict[str, Any]:
    return {"schemaVersion": "0.3", "mainSteps": list(steps), **more}


def make_role(sandbox: Sandbox, name: str, service: str, *allowed: tuple[str, str]) -> str:
    """Create a role that a service can assume, with these actions on their resources."""
    iam = sandbox.client("iam")
    trust = json.dumps(TRUST).replace("sagemaker.amazonaws.com", service)
    arn = str(iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"])
    statements = [{"Effect": "Allow", "Action": action, "Resource": resource} for action, resource in allowed]
    if statements:
        policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
        iam.put_role_policy(RoleName=name, PolicyName="allowed", PolicyDocument=policy)
    return arn


class Runs:
    """Documents of a sandbox, and what comes of them."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.ssm = sandbox.client("ssm")

    def make(self, name: str, content: dict[str, Any]) -> str:
        self.ssm.create_document(Name=name, DocumentType="Automation", Content=json.dumps(content))
        return name

    def start(self, name: str, **parameters: str) -> str:
        more = {"Parameters": {key: [value] for key, value in parameters.items()}} if parameters else {}
        return str(self.ssm.start_automation_execution(DocumentName=name, **more)["AutomationExecutionId"])

    def look(self, execution: str) -> dict[str, Any]:
        details: dict[str, Any] = self.ssm.get_automation_execution(AutomationExecutionId=execution)[
            "AutomationExecution"
        ]
        return details

    def end(self, execution: str) -> dict[str, Any]:
        """Wait for the end and return the execution."""
        details: dict[str, Any] = wait_until(
            lambda: (one := self.look(execution))["AutomationExecutionStatus"] != "InProgress" and one
        )
        return details


@pytest.fixture
def runs(sandbox: Sandbox) -> Runs:
    return Runs(sandbox)


def steps(execution: dict[str, Any]) -> dict[str, str]:
    """Return the status of each step."""
    return {one["StepName"]: one["StepStatus"] for one in execution["StepExecutions"]}


def test_a_steps_output_is_the_next_ones_input_and_a_parameter_chooses_the_way(
    sandbox: Sandbox, runs: Runs, fresh: Fresh
) -> None:
    queue = fresh("asked")
    url, _ = make_queue(sandbox, queue)
    address = {"Name": "Url", "Selector": "$.QueueUrl", "Type": "String"}
    branch = {"NextStep": "say", "Variable": "{{ Loud }}", "BooleanEquals": True}
    name = runs.make(
        fresh("says"),
        build_document(
            asks("find", "sqs", "get_queue_url", QueueName="{{ Queue }}", outputs=[address]),
            {"name": "whether", "action": "aws:branch", "inputs": {"Choices": [branch]}, "isEnd": True},
            asks("say", "sqs", "SendMessage", QueueUrl="{{ find.Url }}", MessageBody="{{ Queue }}, {{global:REGION}}"),
            parameters={"Queue": {"type": "String"}, "Loud": {"type": "Boolean", "default": False}},
            outputs=["find.Url"],
        ),
    )
    quiet, loud = runs.start(name, Queue=queue), runs.start(name, Queue=queue, Loud="true")
    assert steps(runs.end(quiet)) == {"find": "Success", "whether": "Success", "say": "Pending"}
    ended = runs.end(loud)
    assert (ended["AutomationExecutionStatus"], ended["Outputs"]) == ("Success", {"find.Url": [url]})
    [message] = sandbox.client("sqs").receive_message(QueueUrl=url)["Messages"]
    assert message["Body"] == f"{queue}, eu-north-1"
    by_name = [{"Key": "DocumentNamePrefix", "Values": [name]}]
    summaries = runs.ssm.describe_automation_executions(Filters=by_name)["AutomationExecutionMetadataList"]
    assert [one["AutomationExecutionId"] for one in summaries] == [loud, quiet]


@pytest.mark.parametrize(
    ("failing", "status", "statuses"),
    [
        ({}, "Failed", {"ask": "Failed", "then": "Pending", "rescue": "Pending"}),
        ({"onFailure": "Continue"}, "Success", {"ask": "Failed", "then": "Success", "rescue": "Success"}),
        ({"onFailure": "step:rescue"}, "Failed", {"ask": "Failed", "then": "Pending", "rescue": "Success"}),
    ],
)
def test_a_failure_continues_with_the_step_of_on_failure(
    runs: Runs, fresh: Fresh, failing: dict[str, Any], status: str, statuses: dict[str, str]
) -> None:
    ask = asks("ask", "sagemaker", "DescribeEndpoint", EndpointName="not-there", **failing)
    ended = runs.end(runs.start(runs.make(fresh("fails"), build_document(ask, sleep("then"), sleep("rescue")))))
    assert (ended["AutomationExecutionStatus"], steps(ended)) == (status, statuses)
    assert "Could not find endpoint" in ended["StepExecutions"][0]["FailureMessage"]


def test_an_invalid_comparison_fails_its_step(runs: Runs, fresh: Fresh) -> None:
    choice = {"NextStep": "then", "Variable": "{{ Words }}", "NumericEquals": 1}
    branch = {"name": "whether", "action": "aws:branch", "inputs": {"Choices": [choice]}}
    content = build_document(branch, sleep("then"), parameters={"Words": {"type": "StringList"}})
    ended = runs.end(runs.start(runs.make(fresh("chooses"), content), Words="a"))
    assert (ended["AutomationExecutionStatus"], steps(ended)["whether"]) == ("Failed", "Failed")


def test_a_wait_ends_with_the_value_or_after_the_timeout(sandbox: Sandbox, runs: Runs, fresh: Fresh) -> None:
    parameter = fresh("level")
    sandbox.client("ssm").put_parameter(Name=parameter, Value="low", Type="String")
    wait = {
        "name": "wait",
        "action": "aws:waitForAwsResourceProperty",
        "timeoutSeconds": 1,
        "inputs": {
            "Service": "ssm",
            "Api": "GetParameter",
            "Name": parameter,
            "PropertySelector": "$.Parameter.Value",
            "DesiredValues": ["{{ Wanted }}"],
        },
    }
    name = runs.make(fresh("waits"), build_document(wait, parameters={"Wanted": {"type": "String"}}))
    assert runs.end(runs.start(name, Wanted="low"))["AutomationExecutionStatus"] == "Success"
    assert runs.end(runs.start(name, Wanted="high"))["AutomationExecutionStatus"] == "TimedOut"


def test_steps_have_the_permissions_of_their_role(sandbox: Sandbox, runs: Runs, fresh: Fresh) -> None:
    topics = [sandbox.client("sns").create_topic(Name=fresh("topic"))["TopicArn"] for _ in range(2)]
    role = make_role(sandbox, fresh("tells"), SSM, ("sns:Publish", topics[0]))
    content = build_document(
        asks("tell", "sns", "Publish", TopicArn="{{ Topic }}", Message="hello"),
        parameters={"Topic": {"type": "String"}},
        assumeRole=role,
    )
    name = runs.make(fresh("tells"), content)
    ends = [runs.end(runs.start(name, Topic=topic)) for topic in topics]
    assert [one["AutomationExecutionStatus"] for one in ends] == ["Success", "Failed"]
    assert f"is not allowed sns:Publish on {topics[1]}" in ends[1]["FailureMessage"]

    key = sandbox.client("kms").create_key()["KeyMetadata"]["Arn"]
    encrypted = {"TopicArn": topics[0], "AttributeName": "KmsMasterKeyId", "AttributeValue": key}
    sandbox.client("sns").set_topic_attributes(**encrypted)
    refused = runs.end(runs.start(name, Topic=topics[0]))
    assert f"is not allowed kms:GenerateDataKey on {key}" in refused["FailureMessage"]

    distrusting = make_role(sandbox, fresh("distrusts"), EVENTS)
    other = runs.make(fresh("distrusted"), build_document(sleep("one"), assumeRole=distrusting))
    assert catch_error(runs.ssm.start_automation_execution, DocumentName=other) == (
        "InvalidAutomationExecutionParametersException",
        "The defined assume role is unable to be assumed.",
    )


@pytest.mark.parametrize("lacks_permission", [True, False])
def test_a_scaled_endpoint_is_deleted_only_by_a_role_that_may_deregister_its_targets(
    sandbox: Sandbox, runs: Runs, fresh: Fresh, lacks_permission: bool
) -> None:
    endpoint = make_endpoint(sandbox, fresh("scaled-and-idle"), ON_INSTANCES)
    scaling = sandbox.client("application-autoscaling")
    scaling.register_scalable_target(**build_target(endpoint), MinCapacity=1, MaxCapacity=1)
    allowed = [("sagemaker:DeleteEndpoint", "*")]
    if not lacks_permission:
        of_any_id = "arn:aws:application-autoscaling:eu-north-1:123456789012:scalable-target/*"
        allowed.append(("application-autoscaling:DeregisterScalableTarget", of_any_id))
    role = make_role(sandbox, fresh("deletes"), SSM, *allowed)
    step = asks("delete", "sagemaker", "DeleteEndpoint", EndpointName=endpoint)
    execution = runs.end(runs.start(runs.make(fresh("deletes"), build_document(step, assumeRole=role))))
    if lacks_permission:
        assert execution["AutomationExecutionStatus"] == "Failed"
        assert "does not have application-autoscaling:DeregisterScalableTarget" in execution["FailureMessage"]
        scaling.deregister_scalable_target(**build_target(endpoint))
        execution = runs.end(runs.start(execution["DocumentName"]))
    assert execution["AutomationExecutionStatus"] == "Success"
    assert (
        scaling.describe_scalable_targets(
            ServiceNamespace="sagemaker", ResourceIds=[build_target(endpoint)["ResourceId"]]
        )["ScalableTargets"]
        == []
    )


@pytest.mark.parametrize("lacking", ["", "ssm:StartAutomationExecution", "iam:PassRole"])
def test_a_rule_starts_an_automation_if_its_role_can_start_it_and_pass_the_role(
    sandbox: Sandbox, runs: Runs, fresh: Fresh, lacking: str
) -> None:
    role = make_role(sandbox, fresh("does"), SSM)
    declared = {"Word": {"type": "String"}}
    name = runs.make(fresh("started"), build_document(sleep("one"), assumeRole=role, parameters=declared))
    definition = f"arn:aws:ssm:eu-north-1:123456789012:automation-definition/{name}:$DEFAULT"
    may = {"ssm:StartAutomationExecution": definition, "iam:PassRole": role}
    starter = make_role(
        sandbox, fresh("starts"), EVENTS, *((one, may[one] if one != lacking else "arn:aws:s3:::other") for one in may)
    )
    url, dead = make_queue(sandbox, fresh("dead"))
    events, rule = sandbox.client("events"), fresh("rule")
    events.put_rule(Name=rule, EventPattern=json.dumps({"source": [rule]}))
    target = {
        "Id": "automation",
        "Arn": definition,
        "RoleArn": starter,
        "Input": json.dumps({"Word": ["hello"]}),
        "DeadLetterConfig": {"Arn": dead},
    }
    events.put_targets(Rule=rule, Targets=[target])
    events.put_events(Entries=[{"Source": rule, "DetailType": "any", "Detail": "{}"}])

    def list_started() -> list[dict[str, Any]]:
        filters = [{"Key": "DocumentNamePrefix", "Values": [name]}]
        summaries: list[dict[str, Any]] = runs.ssm.describe_automation_executions(Filters=filters)[
            "AutomationExecutionMetadataList"
        ]
        return summaries

    if not lacking:
        [one] = wait_until(list_started)
        assert runs.end(one["AutomationExecutionId"])["Parameters"] == {"Word": ["hello"]}
        return
    request = {"QueueUrl": url, "MessageAttributeNames": ["All"]}
    [letter] = wait_until(lambda: sandbox.client("sqs").receive_message(**request).get("Messages"))
    assert lacking in letter["MessageAttributes"]["ERROR_MESSAGE"]["StringValue"]
    assert list_started() == []


def test_eventbridge_gets_the_events_of_composite_alarms(sandbox: Sandbox, fresh: Fresh) -> None:
    cloudwatch, child, parent = sandbox.client("cloudwatch"), fresh("child"), fresh("parent")
    cloudwatch.put_metric_alarm(
        AlarmName=child,
        Namespace="own",
        MetricName=child,
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="ignore",
    )
    cloudwatch.put_composite_alarm(AlarmName=parent, AlarmRule=f'ALARM("{child}")')
    arn = f"arn:aws:cloudwatch:eu-north-1:123456789012:alarm:{parent}"
    of_alarm = {"source": ["aws.cloudwatch"], "detail-type": ["CloudWatch Alarm State Change"], "resources": [arn]}
    url = subscribe_queue(sandbox, fresh("hears"), of_alarm | {"detail": {"state": {"value": ["ALARM"]}}})
    cloudwatch.set_alarm_state(AlarmName=child, StateValue="ALARM", StateReason="a test")
    [event] = wait_until(lambda: sandbox.client("sqs").receive_message(QueueUrl=url).get("Messages"))
    detail = json.loads(event["Body"])["detail"]
    assert (detail["alarmName"], detail["previousState"]["value"]) == (parent, "OK")
    assert detail["configuration"]["alarmRule"] == f'ALARM("{child}")'


def test_an_execution_stops_once_and_a_token_starts_one_execution(runs: Runs, fresh: Fresh) -> None:
    name = runs.make(fresh("long"), build_document(sleep("one") | {"inputs": {"Duration": "PT1H"}}))
    same = str(uuid.uuid4())
    [one] = {
        runs.ssm.start_automation_execution(DocumentName=name, ClientToken=same)["AutomationExecutionId"]
        for _ in range(2)
    }
    wait_until(lambda: steps(runs.look(one)) == {"one": "InProgress"})
    runs.ssm.stop_automation_execution(AutomationExecutionId=one)
    stopped = runs.look(one)
    assert (stopped["AutomationExecutionStatus"], steps(stopped)) == ("Cancelled", {"one": "Cancelled"})
    refused = catch_error(runs.ssm.stop_automation_execution, AutomationExecutionId=one)
    assert refused[0] == "InvalidAutomationStatusUpdateException"


@pytest.mark.slow
def test_an_execution_continues_after_a_restart(tmp_path: Path) -> None:
    with Sandbox.start(state=tmp_path / "state", log=tmp_path / "log") as sandbox:
        runs = Runs(sandbox)
        execution_id = runs.start(
            runs.make("long", build_document(sleep("one") | {"inputs": {"Duration": "PT1H"}}, sleep("two")))
        )
        wait_until(lambda: steps(runs.look(execution_id))["one"] == "InProgress")
    with Sandbox.start(state=tmp_path / "state", log=tmp_path / "log") as sandbox:
        runs = Runs(sandbox)
        assert runs.look(execution_id)["AutomationExecutionStatus"] == "InProgress"
        sandbox.advance(3600)
        assert steps(runs.end(execution_id)) == {"one": "Success", "two": "Success"}


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({"DocumentName": "not-there"}, "AutomationDefinitionNotFoundException"),
        ({"DocumentVersion": "7"}, "AutomationDefinitionVersionNotFoundException"),
        ({}, "InvalidAutomationExecutionParametersException"),
        ({"Parameters": {"Word": ["maybe"]}}, "InvalidAutomationExecutionParametersException"),
        ({"Parameters": {"Word": ["yes", "no"]}}, "InvalidAutomationExecutionParametersException"),
        ({"Parameters": {"Word": ["yes"], "More": ["x"]}}, "InvalidAutomationExecutionParametersException"),
        ({"Parameters": {"Word": ["yes"]}, "Mode": "Interactive"}, "UnsupportedOperationException"),
    ],
)
def test_invalid_starts_are_refused(runs: Runs, fresh: Fresh, parameters: dict[str, Any], code: str) -> None:
    declared = {"Word": {"type": "String", "allowedValues": ["yes", "no"]}}
    name = runs.make(fresh("strict"), build_document(sleep("one"), parameters=declared))
    assert catch_error(runs.ssm.start_automation_execution, **({"DocumentName": name} | parameters))[0] == code


def test_unsupported_documents_can_be_created_and_not_started(runs: Runs, fresh: Fresh) -> None:
    script = {"name": "one", "action": "aws:executeScript", "inputs": {"Runtime": "python3.11"}}
    refused = catch_error(
        runs.ssm.start_automation_execution, DocumentName=runs.make(fresh("script"), build_document(script))
    )
    assert refused[0] == "UnsupportedOperationException"
    assert "the action aws:executeScript is not emulated by the sandbox" in refused[1]


@pytest.mark.parametrize(
    ("content", "message_part"),
    [
        ({"schemaVersion": "2.2", "mainSteps": []}, "schemaVersion must be 0.3"),
        (build_document(), "mainSteps must have at least one step"),
        (build_document(sleep("a b")), "letters, digits and underscores: a b"),
        (build_document(sleep("one"), sleep("one")), "must be unique"),
        (build_document({**sleep("one"), "action": "aws:snooze"}), "the action aws:snooze does not exist"),
        (build_document(sleep("one", nextStep="two")), "leads to two, which does not exist"),
        (build_document(sleep("one", onFailure="Retry")), "onFailure is Abort, Continue or step:step_name"),
        (build_document(sleep("one"), sleep("two", nextStep="one")), "form a cycle: one -> two -> one"),
        (build_document(sleep("one", isend=True)), "Step one has no isend"),
        (
            build_document(asks("one", "sns", "Publish", Message="{{ Word }}")),
            "refers to {{ Word }}, which does not exist",
        ),
        (build_document(sleep("one"), assumeRole="{{ Role }}"), "assumeRole refers to {{ Role }}"),
        (build_document(sleep("one"), parameters={"Word": {"type": "Text"}}), "has an unknown type: Text"),
        (
            build_document({"name": "one", "action": "aws:branch", "inputs": {"Choices": [{"NextStep": "one"}]}}),
            "a condition has a Variable and one operation",
        ),
    ],
)
def test_invalid_documents_are_refused(runs: Runs, fresh: Fresh, content: dict[str, Any], message_part: str) -> None:
    request = {"Name": fresh("bad"), "DocumentType": "Automation", "Content": json.dumps(content)}
    code, message = catch_error(runs.ssm.create_document, **request)
    assert code == "InvalidDocumentContent"
    assert message_part in message


#: The answer and the selections of the user guide's "Using JSONPath in runbooks".
DISKS = [
    {"Ebs": {"DeleteOnTermination": True, "Status": "attached", "VolumeId": f"vol-{digit * 12}"}} for digit in "01"
]
ANSWER = {
    "Reservations": [
        {"Instances": [{"ImageId": "ami-1", "BlockDeviceMappings": [disk], "State": {"Code": code, "Name": state}}]}
        for disk, code, state in zip(DISKS, (16, 80), ("running", "stopped"), strict=True)
    ]
}


@check_cases(
    ("selector", "value"),
    [
        ("$.Reservations[0].Instances[0].ImageId", "ami-1"),
        ("$.Reservations[0].Instances[0].BlockDeviceMappings[0].Ebs.DeleteOnTermination", True),
        ("$.Reservations[0].Instances[0].State.Code", 16),
        ("$.Reservations..BlockDeviceMappings..VolumeId", ["vol-000000000000", "vol-111111111111"]),
        ("$.Reservations[0].Instances[0].BlockDeviceMappings[0]", DISKS[0]),
        ("$.Reservations..Instances..State", [{"Code": 16, "Name": "running"}, {"Code": 80, "Name": "stopped"}]),
    ],
)
def test_selectors_select_as_in_the_user_guide(selector: str, value: Any) -> None:
    assert selectors.select(selector, ANSWER) == value


def test_invalid_selectors_are_refused() -> None:
    with pytest.raises(LookupError):
        selectors.select("$.Reservations[2]", ANSWER)
    filtered = build_document(
        asks("one", "ec2", "X", outputs=[{"Name": "a", "Selector": "$.A[?(@.b)]", "Type": "String"}])
    )
    assert document.parse_document(filtered).unsupported == (
        "the selector $.A[?(@.b)] is not made of .child, ..child and [index]",
    )


@check_cases(
    ("condition", "values"),
    [
        ({"StringEquals": "linux"}, ("linux", "Linux")),
        ({"EqualsIgnoreCase": "linux"}, ("LINUX", "windows")),
        ({"StartsWith": "li"}, ("linux", "alin")),
        ({"EndsWith": "ux"}, ("linux", "uxo")),
        ({"Contains": "nu"}, ("linux", "unix")),
        ({"NumericEquals": 3}, ("3.0", 4)),
        ({"NumericGreater": 3}, (4, "3")),
        ({"NumericLesser": 3}, ("2", 3)),
        ({"NumericGreaterOrEquals": 3}, (3, 2)),
        ({"NumericLesserOrEquals": 3}, ("3", 4)),
        ({"BooleanEquals": True}, (True, "false")),
    ],
)
def test_a_choice_compares_by_its_operation(condition: dict[str, Any], values: tuple[Any, Any]) -> None:
    for value, holds in zip(values, (True, False), strict=True):
        comparison = {"Variable": value, **condition}
        for combined, expected in (
            (comparison, holds),
            ({"Not": comparison}, not holds),
            ({"And": [comparison, comparison]}, holds),
            ({"Or": [{"Not": comparison}, comparison]}, True),
        ):
            step = branch_choices.choose_step({"Choices": [{"NextStep": "yes", **combined}], "Default": "no"})
            assert step == ("yes" if expected else "no")


def test_one_reference_alone_keeps_its_type() -> None:
    known = {"n": 3, "words": ["a"]}
    assert fill({"a": "{{ n }}", "b": "n is {{n}}", "c": ["{{words}}"]}, known) == {
        "a": 3,
        "b": "n is 3",
        "c": [["a"]],
    }
    with pytest.raises(ContentError):
        document.parse_document({})
