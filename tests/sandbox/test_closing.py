"""A closing Region ends what runs, and starts nothing."""

import time
from pathlib import Path

import pytest

from sagemaker_sandbox.base.context import SandboxContext
from sagemaker_sandbox.base.errors import ApiError
from sagemaker_sandbox.control_plane.control_plane import ControlPlane
from sagemaker_sandbox.pipelines.pipeline_services import PipelineServices

PLACE = ("123456789012", "eu-north-1")


@pytest.fixture
def plane(tmp_path: Path) -> ControlPlane:
    return ControlPlane(SandboxContext(client=lambda *_: None, customer_client=lambda *_: None, folder=tmp_path))


def test_a_closed_region_refuses_new_resources_with_a_retryable_error(plane: ControlPlane) -> None:
    group = {"ModelPackageGroupName": "flights"}
    plane.call(*PLACE, "CreateModelPackageGroup", group)
    plane.close()
    with pytest.raises(ApiError) as error_info:
        plane.call(*PLACE, "CreateModelPackageGroup", {"ModelPackageGroupName": "late"})
    assert (error_info.value.code, error_info.value.status) == ("ServiceUnavailable", 503)
    assert plane.call(*PLACE, "DescribeModelPackageGroup", group)["ModelPackageGroupName"] == "flights"
    plane.reset()
    plane.call(*PLACE, "CreateModelPackageGroup", group)


def test_closing_waits_for_a_function_of_a_pipeline(plane: ControlPlane) -> None:
    region, ended_functions = plane.get_parts(*PLACE).region, []

    def work() -> None:
        region.closing.wait(60)
        time.sleep(0.2)  # as a process needs time to end
        ended_functions.append("function")

    PipelineServices(region).start("function", work)
    plane.close()
    assert ended_functions == ["function"]


def test_a_reset_removes_the_files_of_jobs(plane: ControlPlane) -> None:
    output = plane.get_parts(*PLACE).region.folder / "transform-jobs" / "nightly" / "output"
    output.mkdir(parents=True)
    (output / "flights.csv.out").write_text("of the last job of that name")
    plane.reset()
    assert not output.exists()
