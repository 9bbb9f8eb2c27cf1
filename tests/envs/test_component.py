"""Settings of all components become one model; errors name the author's line."""

from typing import Any

import pytest
from pydantic import BaseModel

from envs.common import CommonSettings
from envs.component import Component
from envs.settings_models import add_module_options, compose_settings
from modules.common import NamedInputs
from sustainable_mlops.authoring import Field, ModuleInputs
from sustainable_mlops.base.errors import UserError


class Fraud(ModuleInputs):
    fraud: bool = Field(False, description="Is it fraud?")


class Churn(ModuleInputs):
    churn: bool = Field(False, description="Who leaves?")


class FraudSettings(CommonSettings):
    topic: str = Field("news", description="Where to.")
    models: dict[str, Fraud] = Field({}, description="Models.")


class ChurnSettings(CommonSettings):
    models: dict[str, Churn] = Field({}, description="Models.")


class MoreSettings(FraudSettings):
    more: int = Field(1, description="How many.")


class ClashingSettings(CommonSettings):
    topic: int = Field(1, description="Which one.")


def model(*settings: type[CommonSettings]) -> type[BaseModel]:
    components: list[Any] = [type("C", (Component,), {"settings_model": each}) for each in settings]

    @compose_settings(components)
    class Settings(CommonSettings):
        """Settings of all components."""

    return Settings


def test_maps_declared_by_two_components_have_the_fields_of_both() -> None:
    (_, entry) = model(FraudSettings, ChurnSettings).model_fields["models"].annotation.__args__  # type: ignore[union-attr]
    assert set(entry.model_fields) == {"fraud", "churn"}


def test_settings_can_extend_those_of_another_component() -> None:
    fields = set(model(FraudSettings, MoreSettings).model_fields)
    assert fields - set(CommonSettings.model_fields) == {"topic", "models", "more"}


def test_only_maps_can_be_declared_by_two_components() -> None:
    with pytest.raises(UserError) as error:
        model(FraudSettings, ClashingSettings)
    location, _, message = str(error.value).partition(": ")
    assert location.startswith("tests/envs/test_component.py:")
    assert message == "ClashingSettings and FraudSettings both declare 'topic', and only maps can be shared; rename it"


def test_environment_inputs_exist_in_the_modules() -> None:
    with pytest.raises(UserError, match=r"^tests/envs/test_component.py:\d+: .*no input 'name_prefx'; did you mean"):
        add_module_options(NamedInputs, excluded=("name_prefx",))
