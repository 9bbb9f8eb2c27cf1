"""Models in use by inference components, which the sandbox does not have."""

from typing import Any

from sustainable_mlops.account.idle.account import AccountReader
from sustainable_mlops.account.idle.model_users import list_models
from sustainable_mlops.account.recovery import recovery

RESPONSES: dict[str, Any] = {
    "list_endpoints": [{"EndpointName": "lab"}],
    "describe_endpoint": {"EndpointConfigName": "lab-1"},
    "list_endpoint_configs": [{"EndpointConfigName": "lab-1"}],
    "describe_endpoint_config": {"ProductionVariants": [{"VariantName": "all"}]},
    "list_inference_components": [{"InferenceComponentName": "lab"}],
    "describe_inference_component": {"Specification": {"ModelName": "one"}, "Specifications": [{"ModelName": "two"}]},
    "list_transform_jobs": [],
}


class ComponentAccount(AccountReader):
    """An account with an endpoint whose variant names no model, and with an inference component of two models."""

    def __init__(self, **changed: Any) -> None:
        super().__init__("eu-north-1")
        self._changed = changed

    def call(self, service: str, operation: str, **_: Any) -> Any:  # noqa: ARG002
        return (RESPONSES | self._changed)[operation]

    def list_all(self, service: str, operation: str, member: str, **_: Any) -> list[Any]:  # noqa: ARG002
        return list((RESPONSES | self._changed)[operation])


def test_inference_components_use_models() -> None:
    assert recovery._list_used(ComponentAccount()) == {("endpoint-config", "lab-1"), ("model", "one"), ("model", "two")}


def test_an_endpoint_whose_configuration_was_deleted_may_have_components() -> None:
    assert list_models(ComponentAccount(), [], {"lab-1"}) == {"one", "two"}


def test_components_are_read_only_if_an_endpoint_may_have_one() -> None:
    variants = {"ProductionVariants": [{"ModelName": "three"}]}
    account = ComponentAccount(describe_endpoint_config=variants, list_inference_components=None)
    assert list_models(account, ["lab-1"], {"lab-1"}) == {"three"}
