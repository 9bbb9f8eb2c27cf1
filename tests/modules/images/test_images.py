"""Readers, copies and expiry of the repositories of `images`."""

import json
from typing import Any

import pytest

from tests.modules.examples import plan_example

REPOSITORY = "arn:aws:ecr:eu-north-1:123456789012:repository/flights-dev"
READER = "arn:aws:iam::210987654321:root"


@pytest.fixture(scope="module")
def planned_values(tmp_path_factory: pytest.TempPathFactory, terraform_environment: dict[str, str]) -> dict[str, Any]:
    """Return the planned values of the complete example, by address within the module."""
    values = plan_example("images-complete", tmp_path_factory.mktemp("images"), terraform_environment)
    return {address.removeprefix("module.images."): value for address, value in values.items()}


@pytest.mark.plan
def test_readers_pull_and_change_nothing(planned_values: dict[str, Any]) -> None:
    assert [address for address in planned_values if address.startswith("aws_ecr_repository_policy")] == [
        'aws_ecr_repository_policy.readers["flight_delay"]'
    ]
    policy = json.loads(planned_values['aws_ecr_repository_policy.readers["flight_delay"]']["policy"])
    (statement,) = policy["Statement"]
    assert statement["Principal"] == {"AWS": [READER]}
    assert sorted(statement["Action"]) == [
        "ecr:BatchCheckLayerAvailability",
        "ecr:BatchGetImage",
        "ecr:GetDownloadUrlForLayer",
    ]


@pytest.mark.plan
def test_other_accounts_copy_images_only_into_these_repositories_and_create_none(
    planned_values: dict[str, Any],
) -> None:
    (statement,) = json.loads(planned_values['aws_ecr_registry_policy.this["registry"]']["policy"])["Statement"]
    assert (statement["Principal"], statement["Action"]) == ({"AWS": [READER]}, "ecr:ReplicateImage")
    assert statement["Resource"] == [f"{REPOSITORY}/features", f"{REPOSITORY}/flight-delay"]


@pytest.mark.plan
def test_only_images_of_this_prefix_are_copied(planned_values: dict[str, Any]) -> None:
    (configuration,) = planned_values['aws_ecr_replication_configuration.this["registry"]']["replication_configuration"]
    (rule,) = configuration["rule"]
    assert rule["destination"] == [{"region": "eu-north-1", "registry_id": "345678901234"}]
    assert rule["repository_filter"] == [{"filter": "flights-dev/", "filter_type": "PREFIX_MATCH"}]


@pytest.mark.plan
def test_images_without_a_tag_and_of_pull_requests_expire_and_others_stay(planned_values: dict[str, Any]) -> None:
    policy = json.loads(planned_values['aws_ecr_lifecycle_policy.this["flight_delay"]']["policy"])
    assert [(rule["selection"]["tagStatus"], rule["selection"]["countNumber"]) for rule in policy["rules"]] == [
        ("untagged", 7),
        ("tagged", 14),
        ("tagged", 14),
    ]
    # A rule with two prefixes would select only images that have both.
    assert [rule["selection"].get("tagPrefixList") for rule in policy["rules"]] == [None, ["pr-"], ["dev-"]]
    assert [rule["rulePriority"] for rule in policy["rules"]] == [1, 2, 3]
