"""Each limit is defined once."""

import pytest

from envs.components.serverless_endpoints import ServerlessEndpointOptions
from modules.serverless_endpoint.inputs import Inputs
from sustainable_mlops.authoring import ModuleInputs
from sustainable_mlops.catalogue.limits import get_limit, list_serverless_memory_mb


@pytest.mark.parametrize("model", [Inputs, ServerlessEndpointOptions])
def test_inputs_of_a_serverless_endpoint_have_the_limits_of_sagemaker(model: type[ModuleInputs]) -> None:
    fields = model.model_fields
    assert model.model_json_schema()["properties"]["memory_mb"]["enum"] == list(list_serverless_memory_mb())
    (most,) = (rule.le for rule in fields["max_concurrency"].metadata if hasattr(rule, "le"))
    assert most == get_limit("serverless_concurrency")
