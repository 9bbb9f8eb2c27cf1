"""What the sandbox's tests keep doing."""

import io
import json
import math
import re
import tarfile
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest
from botocore.exceptions import ClientError

from sagemaker_sandbox import Sandbox
from sagemaker_sandbox.client import make_client
from sustainable_mlops.catalogue.images import is_registry_of_aws

ROLE = "arn:aws:iam::123456789012:role/test"
IMAGE = "662702820516.dkr.ecr.eu-north-1.amazonaws.com/sagemaker-xgboost:3.0-5"


_IMAGE_ADDRESS = re.compile(r"(\d{12})\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com/([\w./-]+):([\w.-]+)")
_MANIFEST = '{"schemaVersion": 2, "mediaType": "application/vnd.docker.distribution.manifest.v2+json"}'
EPOCH = datetime.fromtimestamp(0, UTC)
TRUST: dict[str, Any] = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


def make_role(sandbox: Sandbox, name: str = "test") -> str:
    """A role that SageMaker may assume, and its ARN; `ROLE` is that of the default name."""
    iam = sandbox.client("iam")
    with suppress(iam.exceptions.EntityAlreadyExistsException):
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))
    return str(iam.get_role(RoleName=name)["Role"]["Arn"])


def push_images(sandbox: Sandbox, text: str) -> None:
    """Each image in ECR that the text names and that is in no registry of AWS's."""
    for account, region, repository, tag in sorted(set(_IMAGE_ADDRESS.findall(text))):
        if is_registry_of_aws(account):
            continue
        ecr = make_client("ecr", region, sandbox.endpoint, account)
        with suppress(ecr.exceptions.RepositoryAlreadyExistsException):
            ecr.create_repository(repositoryName=repository)
        with suppress(ecr.exceptions.ImageAlreadyExistsException):
            ecr.put_image(repositoryName=repository, imageManifest=_MANIFEST, imageTag=tag)


def let_be_called(sandbox: Sandbox, service: str, *actions: str) -> str:
    """The ARN of a role that this service may assume, and that may do this to anything."""
    iam, name = sandbox.client("iam"), f"for-{service.partition('.')[0]}"
    trust = json.dumps(TRUST).replace("sagemaker.amazonaws.com", service)
    allowed = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]}
    with suppress(iam.exceptions.EntityAlreadyExistsException):
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)
    iam.put_role_policy(RoleName=name, PolicyName="allowed", PolicyDocument=json.dumps(allowed))
    return str(iam.get_role(RoleName=name)["Role"]["Arn"])


def make_queue(sandbox: Sandbox, name: str, service: str = "events.amazonaws.com") -> tuple[str, str]:
    """URL and ARN of a queue that takes what this service sends."""
    sqs = sandbox.client("sqs")
    url = str(sqs.create_queue(QueueName=name)["QueueUrl"])
    arn = str(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"])
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sqs:SendMessage", "Resource": arn}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    return url, arn


def hear(sandbox: Sandbox, name: str, pattern: dict[str, Any]) -> str:
    """The URL of a queue that receives the events of this pattern, by a rule of the same name."""
    events = sandbox.client("events")
    url, arn = make_queue(sandbox, name)
    events.put_rule(Name=name, EventPattern=json.dumps(pattern))
    events.put_targets(Rule=name, Targets=[{"Id": "queue", "Arn": arn}])
    return url


def reset(sandbox: Sandbox) -> None:
    """As moto's reset: nothing is left."""
    where = urlsplit(sandbox.endpoint)
    connection = HTTPConnection(where.hostname or "", where.port, timeout=120)
    connection.request("POST", "/moto-api/reset")
    assert connection.getresponse().status == 200
    connection.close()


#: How long `until` waits at most, in seconds, whatever it is told: less where what is waited for is not to come.
patience = math.inf


def until(look: Callable[[], Any], *, seconds: float = 120.0) -> Any:
    """What `look` answers, once that is true. It may take as long as that on a slow machine that others use, too."""
    deadline = time.monotonic() + min(seconds, patience)
    while not (answer := look()):
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.05)
    return answer


def next_minute(sandbox: Sandbox) -> datetime:
    """Move the time to the beginning of the next minute: what a test does then falls into one, on any machine."""
    return sandbox.advance(60 - sandbox.advance(0).timestamp() % 60)


def alive(pid: int) -> bool:
    """Whether a process runs; a zombie that nobody has reaped yet does not."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def refusal(call: Callable[..., Any], **request: Any) -> tuple[str, str]:
    """The code and the message with which a request is refused."""
    with pytest.raises(ClientError) as refused:
        call(**request)
    assert 400 <= refused.value.response["ResponseMetadata"]["HTTPStatusCode"] < 500
    return refused.value.response["Error"]["Code"], refused.value.response["Error"]["Message"]


def tar(**files: str) -> bytes:
    """A .tar.gz; `code__inference_py` stands for code/inference.py."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        for name, text in files.items():
            member = tarfile.TarInfo(name.replace("__", "/").replace("_py", ".py"))
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))
    return content.getvalue()
