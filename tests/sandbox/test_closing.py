"""A Region that closes: what runs ends, and what has not begun never does."""

import time
from pathlib import Path

import pytest

from sagemaker_sandbox.context import SandboxContext
from sagemaker_sandbox.errors import ApiError
from sagemaker_sandbox.plane.control_plane import ControlPlane
from sagemaker_sandbox.sagemaker.pipeline_services import PipelineServices

PLACE = ("123456789012", "eu-north-1")


@pytest.fixture
def plane(tmp_path: Path) -> ControlPlane:
    return ControlPlane(SandboxContext(client=lambda *_: None, customer_client=lambda *_: None, folder=tmp_path))


def test_nothing_begins_any_more_and_a_client_tries_again(plane: ControlPlane) -> None:
    group = {"ModelPackageGroupName": "flights"}
    plane.call(*PLACE, "CreateModelPackageGroup", group)
    plane.close()
    with pytest.raises(ApiError) as refused:
        plane.call(*PLACE, "CreateModelPackageGroup", {"ModelPackageGroupName": "late"})
    assert (refused.value.code, refused.value.status) == ("ServiceUnavailable", 503)
    assert plane.call(*PLACE, "DescribeModelPackageGroup", group)["ModelPackageGroupName"] == "flights"
    plane.reset()
    plane.call(*PLACE, "CreateModelPackageGroup", group)


def test_a_function_of_a_pipeline_is_waited_for(plane: ControlPlane) -> None:
    region, ended = plane.get_parts(*PLACE).region, []

    def work() -> None:
        region.closing.wait(60)
        time.sleep(0.2)  # as a process that is ended takes its time
        ended.append("function")

    PipelineServices(region).start("function", work)
    plane.close()
    assert ended == ["function"]


def test_a_reset_leaves_no_files_to_the_next_of_a_name(plane: ControlPlane) -> None:
    output = plane.get_parts(*PLACE).region.folder / "transform-jobs" / "nightly" / "output"
    output.mkdir(parents=True)
    (output / "flights.csv.out").write_text("of the last job of that name")
    plane.reset()
    assert not output.exists()
