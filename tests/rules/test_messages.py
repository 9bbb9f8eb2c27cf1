"""Messages of findings describe this resource."""

from collections.abc import Mapping

import pytest

from sustainable_mlops.rules import BY_ID, evaluate
from tests.rules import plan_builder
from tests.rules.endpoints import REQUESTS, add_target, add_tracking_policy, build_asynchronous, build_serverless
from tests.rules.jobs import build_pipeline, build_step


@pytest.mark.parametrize(
    ("rule", "resources", "message"),
    [
        (
            "SUS_ASYNC_SCALES_ON_INVOCATIONS",
            add_tracking_policy(add_target(build_asynchronous(), minimum=0), **REQUESTS),
            "an asynchronous endpoint never publishes SageMakerVariantInvocationsPerInstance, so it never scales",
        ),
        (
            "SUS_ENDPOINT_FITS_SLO",
            build_serverless(endpoint={"tags": {"latency_slo": "200 ms"}}),
            "the SLO is milliseconds, but a response of a serverless endpoint may take a cold start",
        ),
        (
            "SUS_MONITOR_CHECK_STEP",
            build_pipeline(build_step("ClarifyCheck", {}, "Bias")),
            "a ClarifyCheck step runs Clarify, which closed to new customers on 2026-06-30",
        ),
        (
            "SUS_MONITOR_CHECK_STEP",
            build_pipeline(build_step("QualityCheck", {}, "Quality")),
            "a QualityCheck step runs Model Monitor, which closed to new customers on 2026-07-30",
        ),
    ],
)
def test_a_finding_describes_its_resource(
    rule: str, resources: Mapping[str, plan_builder.Values], message: str
) -> None:
    assert [finding.message for finding in evaluate(plan_builder.build_plan(resources), [BY_ID[rule]])] == [message]
