"""`sagemaker-sandbox unused`: the grants that no request used."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from typer.testing import CliRunner

from sagemaker_sandbox import Sandbox, command
from sagemaker_sandbox.base.client import make_client
from sustainable_mlops.base.errors import UserError
from tests.provider import SANDBOX_LOGS
from tests.sandbox.support import catch_error

pytestmark = pytest.mark.slow

ACCOUNT, REGION = "123456789012", "eu-north-1"
DATA, MODELS = "arn:aws:s3:::unused-data", "arn:aws:s3:::unused-models"
READER: dict[str, list[dict[str, Any]]] = {
    "read": [
        {
            "Sid": "ReadData",
            "Effect": "Allow",
            "Action": ["s3:GetObject", "s3:DeleteObject"],
            "Resource": [f"{DATA}/*", f"{MODELS}/*"],
        },
        {"Sid": "List", "Effect": "Allow", "Action": "s3:List*", "Resource": "*"},
        {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "arn:aws:sqs:eu-north-1:123456789012:own"},
        {"Effect": "Deny", "Action": "s3:PutObject", "Resource": "*"},
    ],
    "own": [
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": DATA + "/${aws:PrincipalTag/team}/*"},
        {"Sid": "Logs", "Effect": "Allow", "Action": ["logs:PutLogEvents", "logs:DescribeLogGroups"], "Resource": "*"},
    ],
}


@pytest.fixture(scope="module")
def enforcing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """Yield a sandbox in which the role `reader` read one object, and the role `idle` did nothing."""
    log = tmp_path_factory.mktemp("unused") / "log"
    SANDBOX_LOGS.append(log)
    with Sandbox.start(log=log, enforce_iam=True) as sandbox:
        iam, s3 = sandbox.client("iam"), sandbox.client("s3")
        for arn in (DATA, MODELS):
            s3.create_bucket(Bucket=arn.rpartition(":")[2], CreateBucketConfiguration={"LocationConstraint": REGION})
        s3.put_object(Bucket="unused-data", Key="blue/x", Body=b"1")
        trust = build_document({"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"})
        for role in ("reader", "idle"):
            tags = [{"Key": "team", "Value": "blue"}]
            iam.create_role(RoleName=role, AssumeRolePolicyDocument=trust, Tags=tags)
            for name, statements in READER.items():
                iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=build_document(*statements))
        s3 = assume(sandbox, "reader")("s3")
        s3.get_object(Bucket="unused-data", Key="blue/x")
        s3.list_objects_v2(Bucket="unused-data")
        assert catch_error(s3.put_object, Bucket="unused-models", Key="m", Body=b"")[0] == "AccessDenied"
        yield sandbox


def build_document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def assume(sandbox: Sandbox, role: str) -> Callable[[str], Any]:
    """Return a function that creates clients with the credentials of a role."""
    arn = f"arn:aws:iam::{ACCOUNT}:role/{role}"
    credentials = sandbox.client("sts").assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]

    def create_client(service: str) -> Any:
        client = make_client(service, REGION, sandbox.endpoint)
        own = client._request_signer._credentials
        own.access_key, own.secret_key = credentials["AccessKeyId"], credentials["SecretAccessKey"]
        own.token = credentials["SessionToken"]
        return client

    return create_client


def test_statements_actions_and_resources_without_requests_are_listed(enforcing: Sandbox) -> None:
    report = enforcing.list_unused_grants()
    assert [arn.rpartition("/")[2] for arn in report["active"]] == ["reader"]
    assert [arn.rpartition("/")[2] for arn in report["idle"]] == ["idle"]
    rows = [
        (grant["policy"], grant["statement"], grant["kind"], grant["actions"], grant["resources"])
        for grant in report["grants"]
        if grant["kind"] != "wildcard"
    ]
    both = [f"{DATA}/*", f"{MODELS}/*"]
    queue, logs = "arn:aws:sqs:eu-north-1:123456789012:own", ["logs:PutLogEvents", "logs:DescribeLogGroups"]
    assert rows == [
        ("read", "ReadData", "action", ["s3:DeleteObject"], both),
        ("read", "ReadData", "resource", ["s3:GetObject", "s3:DeleteObject"], [f"{MODELS}/*"]),
        ("read", "statement 3", "statement", ["sqs:SendMessage"], [queue]),
        ("own", "Logs", "statement", logs, ["*"]),
    ], "the statement with a variable was used, and a Deny is no grant"
    assert report["grants"][-1]["unchecked_actions"] == ["logs:PutLogEvents"]
    assert "does not check" in " ".join(report["limits"])


def test_a_wildcard_is_listed_with_the_actions_that_requests_used(enforcing: Sandbox) -> None:
    (wildcard,) = (grant for grant in enforcing.list_unused_grants()["grants"] if grant["kind"] == "wildcard")
    assert (wildcard["actions"], wildcard["used_actions"]) == (["s3:List*"], ["s3:ListBucket"])


def test_a_changed_statement_is_new_and_a_refused_request_uses_nothing(enforcing: Sandbox) -> None:
    iam = enforcing.client("iam")
    trust = iam.get_role(RoleName="reader")["Role"]["AssumeRolePolicyDocument"]
    iam.create_role(RoleName="writer", AssumeRolePolicyDocument=json.dumps(trust))
    statement = {"Effect": "Allow", "Action": "s3:PutObject", "Resource": f"{MODELS}/*"}
    iam.put_role_policy(RoleName="writer", PolicyName="write", PolicyDocument=build_document(statement))
    s3 = assume(enforcing, "writer")("s3")

    def list_kinds() -> list[str]:
        return [grant["kind"] for grant in enforcing.list_unused_grants("writer")["grants"]]

    write = {"Bucket": "unused-models", "Key": "m", "Body": b"m"}
    assert catch_error(s3.put_object, ACL="public-read", **write)[0] == "AccessDenied"
    assert enforcing.list_unused_grants("writer")["active"] == []
    s3.put_object(**write)
    assert list_kinds() == []
    changed = {**statement, "Resource": f"{MODELS}/n*"}
    iam.put_role_policy(RoleName="writer", PolicyName="write", PolicyDocument=build_document(changed))
    assert list_kinds() == ["statement"]


def test_the_command_prints_a_table_with_the_limits_or_json(
    enforcing: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "_get_running_sandbox", lambda: enforcing)
    monkeypatch.setenv("COLUMNS", "200")
    app = command.create_app()
    text = CliRunner().invoke(app, ["unused", "--role", "reader"], catch_exceptions=False).output
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert lines[0] == "Role Policy Statement Kind Not used Used"
    assert "reader read ReadData action s3:DeleteObject" in lines
    assert "reader read List wildcard s3:List* s3:ListBucket" in lines
    assert "reader own Logs statement logs:PutLogEvents (unchecked), logs:DescribeLogGroups on *" in lines
    assert "5 grants of 1 role with requests." in lines
    assert "Limits:" in lines
    report = json.loads(CliRunner().invoke(app, ["unused", "--json", "--role", "idle"]).output)
    assert (report["grants"], len(report["idle"])) == ([], 1)


def test_a_sandbox_without_enforcement_refuses_the_report(sandbox: Sandbox) -> None:
    with pytest.raises(UserError, match="start the sandbox with --enforce-iam"):
        sandbox.list_unused_grants()


def test_grants_of_a_role_that_a_service_uses_count(enforcing: Sandbox) -> None:
    iam = enforcing.client("iam")
    queue = enforcing.client("sqs").create_queue(QueueName="deliveries")["QueueUrl"]
    arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:deliveries"
    trust = {"Effect": "Allow", "Principal": {"Service": "scheduler.amazonaws.com"}, "Action": "sts:AssumeRole"}
    role = iam.create_role(RoleName="delivers", AssumeRolePolicyDocument=build_document(trust))["Role"]["Arn"]
    send = {"Effect": "Allow", "Action": ["sqs:SendMessage", "sqs:PurgeQueue"], "Resource": arn}
    iam.put_role_policy(RoleName="delivers", PolicyName="send", PolicyDocument=build_document(send))
    enforcing.client("scheduler").create_schedule(
        Name="hourly",
        ScheduleExpression="rate(1 hour)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": arn, "RoleArn": role, "Input": "{}"},
    )
    enforcing.advance(7200)
    assert enforcing.client("sqs").receive_message(QueueUrl=queue, WaitTimeSeconds=20)["Messages"]
    (grant,) = enforcing.list_unused_grants("delivers")["grants"]
    assert (grant["kind"], grant["actions"]) == ("action", ["sqs:PurgeQueue"])
