"""The schedules stop the tracking server in off hours and start it again, and plans ignore its status."""

from pathlib import Path
from typing import Any

import pytest

from sustainable_mlops.base.terraform import Terraform, list_changes
from tests.modules.examples import examples
from tests.modules.prerequisites import provided_prerequisites
from tests.sandbox.support import advance_to_hour, wait_until

pytestmark = pytest.mark.apply

NAME = "flights-dev-tracking"
MONDAY = 0


def test_the_server_stops_in_off_hours_and_a_plan_does_not_start_it(
    own: tuple[Any, dict[str, str]], tmp_path: Path
) -> None:
    sandbox, environment = own
    sagemaker = sandbox.client("sagemaker")
    (example,) = (one for one in examples() if str(one) == "studio-complete")
    folder = tmp_path / "root"
    example.write(folder)
    terraform = Terraform(folder, environment)

    def wait_for_status(status: str) -> None:
        wait_until(
            lambda: sagemaker.describe_mlflow_tracking_server(TrackingServerName=NAME)["TrackingServerStatus"] == status
        )

    with provided_prerequisites(sandbox, example.text):
        advance_to_hour(sandbox, 12, weekday=MONDAY)  # no schedule is due while Terraform creates the server
        terraform.init()
        terraform.run("apply", "-auto-approve")
        wait_for_status("Created")
        for hour, status in ((19, "Stopped"), (8, "Started"), (19, "Stopped")):
            advance_to_hour(sandbox, hour, weekday=MONDAY)
            wait_for_status(status)
            assert list_changes(terraform.plan(folder / "tfplan")) == {}
        terraform.run("destroy", "-auto-approve")
        assert sagemaker.list_mlflow_tracking_servers()["TrackingServerSummaries"] == []
