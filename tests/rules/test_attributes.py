"""Difference between unknown and unset attributes. Real plans of the AWS provider have both."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from sustainable_mlops.plan import UNKNOWN, Plan, Resource, load
from sustainable_mlops.rules.attributes import ConfiguredAttributes, read_tags
from tests.rules import plan_builder

ADDRESS = "aws_sagemaker_feature_group.f"


def build_resource(values: Mapping[str, Any], provider: Mapping[str, Any] | None = None) -> tuple[Plan, Resource]:
    document = plan_builder.build_document({ADDRESS: values})
    document["configuration"]["provider_config"]["aws"]["expressions"] |= provider or {}
    plan = load(json.dumps(document).encode())
    resource = plan.find_resource(ADDRESS)
    assert resource is not None
    return plan, resource


def build_attributes(
    values: Mapping[str, Any], after: Mapping[str, Any], unknown: Mapping[str, Any]
) -> ConfiguredAttributes:
    """Return the attributes of a plan that has more values than `values` configures."""
    document = plan_builder.build_document({ADDRESS: values})
    change = document["resource_changes"][0]["change"]
    change["after"] |= after
    change["after_unknown"] |= unknown
    plan = load(json.dumps(document).encode())
    resource = plan.find_resource(ADDRESS)
    assert resource is not None
    return ConfiguredAttributes(plan, resource)


def test_tags_that_the_provider_leaves_unknown_are_empty() -> None:
    assert read_tags(*build_resource({"tags_all": str(UNKNOWN)})) == {}


@pytest.mark.parametrize(
    ("values", "provider"),
    [
        ({"tags": {"owner": str(UNKNOWN)}, "tags_all": str(UNKNOWN)}, {}),
        ({"tags_all": str(UNKNOWN)}, {"default_tags": [{"tags": {"references": ["var.tags"]}}]}),
    ],
    ids=["a tag is not known", "default tags are not known"],
)
def test_unknown_tags_stay_unknown(values: dict[str, Any], provider: dict[str, Any]) -> None:
    assert read_tags(*build_resource(values, provider)) is UNKNOWN


def test_an_attribute_that_the_provider_computes_reads_as_not_set() -> None:
    assert build_attributes({}, {}, {"timeout": True}).number("timeout") is None


def test_a_block_that_the_provider_computes_reads_as_not_set() -> None:
    settings = build_attributes({}, {}, {"throughput_config": True})
    assert settings.text("throughput_config.0.throughput_mode") is None


def test_a_value_inside_a_dynamic_block_stays_unknown() -> None:
    settings = build_attributes({}, {"throughput_config": [{}]}, {"throughput_config": [{"throughput_mode": True}]})
    assert settings.text("throughput_config.0.throughput_mode") is UNKNOWN


def test_a_value_inside_a_dynamic_block_of_another_stays_unknown() -> None:
    settings = build_attributes(
        {"online_store_config": {"storage_type": "Standard"}},
        {"online_store_config": [{"storage_type": "Standard", "ttl_duration": [{}]}]},
        {"online_store_config": [{"ttl_duration": [{"value": True}]}]},
    )
    assert settings.number("online_store_config.0.ttl_duration.0.value") is UNKNOWN


def test_a_configured_value_stays_unknown() -> None:
    plan, resource = build_resource({"throughput_config": {"throughput_mode": str(UNKNOWN)}})
    assert ConfiguredAttributes(plan, resource).text("throughput_config.0.throughput_mode") is UNKNOWN
