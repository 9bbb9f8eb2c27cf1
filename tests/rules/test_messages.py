"""What a finding says is what is so of this resource."""

from collections.abc import Mapping

import pytest

from sustainable_mlops.rules import BY_ID, evaluate
from tests.rules import plans
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
            "callers wait for milliseconds, and serverless may take a cold start",
        ),
    ],
)
def test_a_finding_names_what_it_is_about(rule: str, resources: Mapping[str, plans.Values], message: str) -> None:
    assert [finding.message for finding in evaluate(plans.plan(resources), [BY_ID[rule]])] == [message]
