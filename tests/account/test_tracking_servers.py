"""A teardown waits for tracking servers that are changing, because AWS refuses to delete them."""

from typing import Any

import pytest

from sagemaker_sandbox import Sandbox
from sustainable_mlops.account.teardown.tracking_servers import wait_for_servers
from tests.sandbox.support import ROLE, make_role, wait_until

pytestmark = pytest.mark.slow

SERVER = {"TrackingServerName": "teardown-waits"}


def test_it_waits_for_a_server_that_stops_and_for_none_that_is_absent(sandbox: Sandbox) -> None:
    sagemaker: Any = sandbox.client("sagemaker")
    messages: list[str] = []
    make_role(sandbox)

    def wait() -> str:
        wait_for_servers(sagemaker, [*SERVER.values(), "absent"], messages.append, lambda _: None)
        return str(sagemaker.describe_mlflow_tracking_server(**SERVER)["TrackingServerStatus"])

    sagemaker.create_mlflow_tracking_server(**SERVER, ArtifactStoreUri="s3://runs/mlflow", RoleArn=ROLE)
    assert wait() == "Created"
    sagemaker.stop_mlflow_tracking_server(**SERVER)
    assert wait() == "Stopped"
    assert all("tracking server teardown-waits is " in message for message in messages)
    sagemaker.delete_mlflow_tracking_server(**SERVER)
    wait_until(
        lambda: not sagemaker.list_mlflow_tracking_servers(TrackingServerStatus="Deleting")["TrackingServerSummaries"]
    )
