"""Repeated results, and the tags that waive a finding."""

from collections.abc import Callable, Mapping
from datetime import date

import pytest

from sustainable_mlops.rules import BY_ID, Outcome, evaluate
from tests.rules import plan_builder
from tests.rules.endpoints import POLICY, UNKNOWN, Resources, add_target, add_tracking_policy, build_real_time

TODAY = date(2026, 11, 24)


def list_outcomes(rule: str, resources: Mapping[str, plan_builder.Values]) -> list[Outcome]:
    return [finding.outcome for finding in evaluate(plan_builder.build_plan(resources), [BY_ID[rule]], TODAY)]


def build_waiver(rule: str) -> dict[str, str]:
    return {f"sust_waiver:{rule}": "a reason until 2026-11-24"}


def test_an_equal_result_for_every_variant_is_reported_once() -> None:
    variants = [{"variant_name": name, "model_name": "m", "instance_type": "ml.c7g.large"} for name in "ab"]
    resources = build_real_time(configuration={"production_variants": variants})
    assert list_outcomes("SUS_ROLLBACK_ALARMS", resources) == [Outcome.FAIL]
    assert list_outcomes("SUS_ENDPOINT_RIGHT_SIZED", resources) == [Outcome.FAIL]
    assert list_outcomes("SUS_REALTIME_SCALES", resources) == [Outcome.FAIL, Outcome.FAIL], (
        "each variant has its own instances"
    )
    both = [{**variant, "instance_type": "ml.m5.large"} for variant in variants]
    x86 = build_real_time(configuration={"production_variants": both})
    paths = [finding.path for finding in evaluate(plan_builder.build_plan(x86), [BY_ID["SUS_ENDPOINT_X86"]])]
    assert paths == [f"production_variants.{number}.instance_type" for number in range(2)]


def test_a_waiver_is_valid_beside_an_unknown_tag() -> None:
    tags = {**build_waiver("SUS_ROLLBACK_ALARMS"), "commit": UNKNOWN}
    assert list_outcomes("SUS_ROLLBACK_ALARMS", build_real_time(endpoint={"tags": tags, "tags_all": UNKNOWN})) == [
        Outcome.WAIVED
    ]


def build_policy_by_name(rule: str) -> Resources:
    """Return a scaling policy that names its endpoint and refers to nothing."""
    resources = add_tracking_policy(
        add_target(build_real_time(endpoint={"tags": build_waiver(rule)})), disable_scale_in=True
    )
    return {**resources, POLICY: {**resources[POLICY], "resource_id": "endpoint/delay/variant/main"}}


def build_bucket_by_name(rule: str) -> Resources:
    """Return a lifecycle that names its bucket and refers to nothing."""
    move = {"filter": {"prefix": "tmp/"}, "transition": {"days": 30, "storage_class": "INTELLIGENT_TIERING"}}
    return {
        "aws_s3_bucket.b": {"bucket": "sagemaker-runs", "tags": build_waiver(rule)},
        "aws_s3_bucket_lifecycle_configuration.l": {
            "bucket": "sagemaker-runs",
            "rule": {"id": "a", "status": "Enabled", **move},
        },
    }


@pytest.mark.parametrize(
    ("rule", "by_name"), [("SUS_SCALES_IN", build_policy_by_name), ("SUS_RECREATABLE_ONE_ZONE", build_bucket_by_name)]
)
def test_a_resource_without_tags_is_waived_by_the_tags_of_the_resource_it_names(
    rule: str, by_name: Callable[[str], Resources]
) -> None:
    assert list_outcomes(rule, by_name(rule)) == [Outcome.WAIVED]
    assert list_outcomes(rule, by_name("SUS_TAGS")) == [Outcome.FAIL]
