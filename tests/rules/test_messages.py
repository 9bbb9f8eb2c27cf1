"""Messages of findings describe this resource."""

from collections.abc import Mapping

import pytest

from sustainable_mlops.rules import BY_ID, evaluate
from tests.rules import plan_builder
from tests.rules.endpoints import REQUESTS, asynchronous, following, scaled, serverless


@pytest.mark.parametrize(
    ("rule", "resources", "message"),
    [
        (
            "SUS_ASYNC_SCALES_ON_INVOCATIONS",
            following(scaled(asynchronous(), least=0), **REQUESTS),
            "an asynchronous endpoint never publishes SageMakerVariantInvocationsPerInstance, so it never scales",
        ),
        (
            "SUS_ENDPOINT_FITS_SLO",
            serverless(endpoint={"tags": {"latency_slo": "200 ms"}}),
            "the SLO is milliseconds, but a response of a serverless endpoint may take a cold start",
        ),
    ],
)
def test_a_finding_describes_its_resource(
    rule: str, resources: Mapping[str, plan_builder.Values], message: str
) -> None:
    assert [finding.message for finding in evaluate(plan_builder.plan(resources), [BY_ID[rule]])] == [message]
