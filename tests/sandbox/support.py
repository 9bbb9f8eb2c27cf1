"""What the sandbox's tests keep doing."""

import io
import json
import math
import tarfile
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError

from sustainable_mlops.sandbox import Sandbox

ROLE = "arn:aws:iam::123456789012:role/test"
IMAGE = "662702820516.dkr.ecr.eu-north-1.amazonaws.com/sagemaker-xgboost:3.0-5"


EPOCH = datetime.fromtimestamp(0, UTC)
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


def make_role(sandbox: Sandbox, name: str = "test") -> str:
    """A role that SageMaker may assume, and its ARN; `ROLE` is that of the default name."""
    iam = sandbox.client("iam")
    with suppress(iam.exceptions.EntityAlreadyExistsException):
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))
    return str(iam.get_role(RoleName=name)["Role"]["Arn"])


def reset(sandbox: Sandbox) -> None:
    """As moto's reset: nothing is left."""
    where = urlsplit(sandbox.endpoint)
    connection = HTTPConnection(where.hostname or "", where.port, timeout=120)
    connection.request("POST", "/moto-api/reset")
    assert connection.getresponse().status == 200
    connection.close()


#: How long `until` waits at most, in seconds, whatever it is told: less where what is waited for is not to come.
patience = math.inf


def until(look: Callable[[], Any], *, seconds: float = 20.0) -> Any:
    """What `look` answers, once that is true."""
    deadline = time.monotonic() + min(seconds, patience)
    while not (answer := look()):
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.05)
    return answer


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
