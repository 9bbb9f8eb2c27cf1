"""The list of moto's failing tests is complete, and each has a reason and AWS's page about it."""

from pathlib import Path
from typing import Any

import pytest

from sagemaker_sandbox import Sandbox
from sustainable_mlops.base.terraform import ROOT
from tests.sandbox.moto_suite import suite, world
from tools import sandbox_coverage

#: Reasons of failing tests. The head of failing.yaml explains them.
REASONS = {"lax", "wording", "moto_differs"}
GROUPS: list[dict[str, Any]] = [
    group for groups in sandbox_coverage.load_moto_tests()["failing"].values() for group in groups
]


@pytest.mark.release
@pytest.mark.slow
def test_only_listed_tests_of_moto_fail() -> None:
    with Sandbox.start() as sandbox:
        results = suite.run_all_tests(sandbox.endpoint)
    failed = {test: result.message for test, result in results.items() if not result.passed}
    assert {test: message for test, message in failed.items() if test not in suite.list_failing()} == {}
    assert sorted(set(suite.list_failing()) - set(failed)) == [], "these pass now: take them out of failing.yaml"
    assert sandbox_coverage.count_moto_tests() == suite.count_passed(results), "number of the page"


#: Tests in the style of moto's. The first one fails.
SMALL_SUITE = """
import boto3
from moto import mock_aws

@mock_aws
def test_an_unknown_model_is_described():
    boto3.client("sagemaker", "us-east-1").describe_model(ModelName="unknown")

@mock_aws
def test_roles_and_buckets_exist():
    roles = boto3.client("iam", "us-east-1").list_roles()["Roles"]
    assert {role["RoleName"] for role in roles} == set(ROLES)
    s3 = boto3.client("s3", "us-east-1")
    assert {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]} == set(BUCKETS)
    for bucket in BUCKETS:
        s3.head_object(Bucket=bucket, Key="model.tar.gz")
"""


@pytest.mark.slow
def test_a_failed_test_leaves_the_mocks_of_later_tests_intact(tmp_path: Path) -> None:
    roles = [name for names in world.ROLES.values() for name in names]
    addresses = [f"s3://{bucket}/model.tar.gz" for bucket in world.BUCKETS]
    write_suite(tmp_path, f"# {addresses}\nROLES = {roles}\nBUCKETS = {list(world.BUCKETS)}\n{SMALL_SUITE}")
    with Sandbox.start() as sandbox:
        results = suite.run_tests(sandbox.endpoint, ["test_small.py"], tmp_path)
    assert {test.partition("::")[2]: result.passed for test, result in results.items()} == {
        "test_an_unknown_model_is_described": False,
        "test_roles_and_buckets_exist": True,
    }, results
    assert suite.count_passed(results) == "1 of 2 pass"


@pytest.mark.slow
def test_a_mock_that_stays_active_stops_the_run(tmp_path: Path) -> None:
    write_suite(tmp_path, "from moto import mock_aws\ndef test_start(): mock_aws().start()\ndef test_later(): pass\n")
    with Sandbox.start() as sandbox, pytest.raises(RuntimeError, match="test_start: the mock is still active"):
        suite.run_tests(sandbox.endpoint, ["test_small.py"], tmp_path)


def write_suite(folder: Path, text: str) -> None:
    (folder / "tests").mkdir()
    (folder / "tests" / "test_small.py").write_text(text)


def test_every_listed_failure_has_one_reason_and_a_page_of_aws() -> None:
    assert len(set(suite.list_failing())) == len(suite.list_failing())
    for group in GROUPS:
        assert set(group) == {"reason", "why", "aws", "tests"}, group
        assert group["reason"] in REASONS, group
        assert group["aws"].startswith("https://docs.aws.amazon.com/"), group


def test_the_archive_has_the_version_of_moto_in_use() -> None:
    (pinned,) = (line for line in (ROOT / "constraints.txt").read_text().splitlines() if line.startswith("moto=="))
    assert pinned in (ROOT / "tests" / "sandbox" / "moto_suite" / "archive.txt").read_text()
