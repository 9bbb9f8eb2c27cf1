"""Shared helpers of the sandbox's tests."""

import io
import json
import math
import random
import re
import socket
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import psutil
import pytest
from botocore.exceptions import ClientError

from sagemaker_sandbox import Sandbox
from sagemaker_sandbox.base.client import make_client
from sagemaker_sandbox.process import sandbox as process
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
    """Create a role that SageMaker may assume, and return its ARN. `ROLE` is the ARN of the default name."""
    iam = sandbox.client("iam")
    with suppress(iam.exceptions.EntityAlreadyExistsException):
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))
    return str(iam.get_role(RoleName=name)["Role"]["Arn"])


def push_images(sandbox: Sandbox, text: str) -> None:
    """Push each image in ECR that the text names, except images in AWS's own registries."""
    for account, region, repository, tag in sorted(set(_IMAGE_ADDRESS.findall(text))):
        if is_registry_of_aws(account):
            continue
        ecr = make_client("ecr", region, sandbox.endpoint, account)
        with suppress(ecr.exceptions.RepositoryAlreadyExistsException):
            ecr.create_repository(repositoryName=repository)
        with suppress(ecr.exceptions.ImageAlreadyExistsException):
            ecr.put_image(repositoryName=repository, imageManifest=_MANIFEST, imageTag=tag)


def make_service_role(sandbox: Sandbox, service: str, *actions: str) -> str:
    """Create a role that the service may assume and that allows the actions on everything. Return its ARN."""
    iam, name = sandbox.client("iam"), f"for-{service.partition('.')[0]}"
    trust = json.dumps(TRUST).replace("sagemaker.amazonaws.com", service)
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]}
    with suppress(iam.exceptions.EntityAlreadyExistsException):
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)
    iam.put_role_policy(RoleName=name, PolicyName="allowed", PolicyDocument=json.dumps(policy))
    return str(iam.get_role(RoleName=name)["Role"]["Arn"])


def make_queue(sandbox: Sandbox, name: str, service: str = "events.amazonaws.com") -> tuple[str, str]:
    """Create a queue that accepts messages of the service, and return its URL and ARN."""
    sqs = sandbox.client("sqs")
    url = str(sqs.create_queue(QueueName=name)["QueueUrl"])
    arn = str(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"])
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sqs:SendMessage", "Resource": arn}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    return url, arn


def subscribe_queue(sandbox: Sandbox, name: str, pattern: dict[str, Any]) -> str:
    """Create a queue that receives the events of a pattern, through a rule of the same name. Return its URL."""
    events = sandbox.client("events")
    url, arn = make_queue(sandbox, name)
    events.put_rule(Name=name, EventPattern=json.dumps(pattern))
    events.put_targets(Rule=name, Targets=[{"Id": "queue", "Arn": arn}])
    return url


def reset_sandbox(sandbox: Sandbox) -> None:
    """Remove all resources, as moto's reset does."""
    url = urlsplit(sandbox.endpoint)
    connection = HTTPConnection(url.hostname or "", url.port, timeout=WAIT_SECONDS)
    connection.request("POST", "/moto-api/reset")
    assert connection.getresponse().status == 200
    connection.close()


#: Scale of a clock that tests advance. The seconds that a test itself takes hardly move the clock.
STILL_CLOCK = 0.001
#: Longest wait of a test, in seconds. Other processes may slow the computer down; only a hang takes as long.
WAIT_SECONDS = 900.0
#: Longest wait of `wait_until`, in seconds. `handler_tests` sets it, because its conditions never become true.
max_wait_seconds = math.inf


def wait_until(condition: Callable[[], Any], *, seconds: float = WAIT_SECONDS) -> Any:
    """Wait until `condition` returns a true value, and return that value."""
    deadline = time.monotonic() + min(seconds, max_wait_seconds)
    while not (result := condition()):
        assert time.monotonic() < deadline, "the condition did not become true in time"
        time.sleep(0.05)
    return result


def advance_to_next_minute(sandbox: Sandbox) -> datetime:
    """Move the time to the beginning of the next minute, so that the rest of a test fits into one minute."""
    return sandbox.advance(60 - sandbox.advance(0).timestamp() % 60)


def advance_to_hour(sandbox: Sandbox, hour: int, *, weekday: int | None = None) -> None:
    """Move the time to five minutes after the next such hour in Stockholm. `weekday` restricts the day; Monday is 0."""
    now = sandbox.advance(0)
    moment = now.astimezone(ZoneInfo("Europe/Stockholm")).replace(hour=hour, minute=5)
    while moment <= now or weekday not in (None, moment.weekday()):
        moment += timedelta(days=1)
    sandbox.advance((moment - now).total_seconds())


#: Runs `smlops sandbox` with the folder in the first argument. `smlops sandbox exec` replaces its process.
_IN_FOLDER = """
import subprocess
import sys
from pathlib import Path
from sagemaker_sandbox.process import sandbox as process
from sustainable_mlops.commands.sandbox import app
from sustainable_mlops.base.program import run

folder = Path(sys.argv.pop(1))
process.FOLDER, process.RECORD, process.LOG = folder, folder / "record", folder / "log"
run(app)
"""


def start_exec(*arguments: str, **options: Any) -> "subprocess.Popen[bytes]":
    """Start `smlops sandbox exec` in a process of its own."""
    words = [sys.executable, "-c", _IN_FOLDER, str(process.FOLDER), "exec", *arguments]
    return subprocess.Popen(words, **options)


def find_free_port() -> int:
    """Return a port that outgoing connections do not use: the system takes their ports from 32768 on."""
    while True:
        port = random.randrange(20_000, 32_000)  # noqa: S311 no secret
        with socket.socket() as free_socket, suppress(OSError):
            free_socket.bind(("127.0.0.1", port))
            return port


def is_alive(pid: int) -> bool:
    """Return whether a process runs. A zombie does not."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def catch_error(call: Callable[..., Any], **request: Any) -> tuple[str, str]:
    """Return code and message of the error with which a request is refused."""
    with pytest.raises(ClientError) as error_info:
        call(**request)
    assert 400 <= error_info.value.response["ResponseMetadata"]["HTTPStatusCode"] < 500
    return error_info.value.response["Error"]["Code"], error_info.value.response["Error"]["Message"]


def create_tar(**files: str) -> bytes:
    """Return a .tar.gz archive. `code__inference_py` stands for code/inference.py."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        for name, text in files.items():
            member = tarfile.TarInfo(name.replace("__", "/").replace("_py", ".py"))
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))
    return content.getvalue()
