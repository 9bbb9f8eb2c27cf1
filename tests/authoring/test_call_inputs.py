"""Functions of a module's inputs also work with the inputs of a call."""

from typing import Any

import pytest

from sustainable_mlops.authoring import Field, ModuleInputs, bind_inputs
from sustainable_mlops.authoring.expressions import is_expression
from sustainable_mlops.authoring.expressions.functions import name_expression
from sustainable_mlops.base.errors import UserError


class Topic(ModuleInputs):
    key: str = Field(description="Key.")
    days: int = Field(3, description="Days.")


class Inputs(ModuleInputs):
    name: str = Field(description="Name.")
    role: str = Field(description="Role.")
    topic: Topic | None = Field(None, description="Topic.")
    topics: dict[str, Topic] = Field({}, description="Topics.")


def test_bound_inputs_combine_values_expressions_and_defaults() -> None:
    key: Any = name_expression("module.storage.key", str)
    inputs = bind_inputs(Inputs, name="shop", topic={"key": key}, topics={"a": {"key": "k", "days": 5}})
    assert (inputs.name, inputs.topics["a"].days) == ("shop", 5)
    assert inputs.topic is not None
    assert (is_expression(inputs.topic.key), inputs.topic.days) == (True, 3)


def test_omitted_inputs_have_defaults_or_raise_when_read() -> None:
    inputs = bind_inputs(Inputs, name="shop")
    assert inputs.topic is None
    with pytest.raises(UserError, match=r"test_call_inputs.py:\d+: .role. is read here, but the call of"):
        inputs.role  # noqa: B018  it is read


def test_unknown_inputs_are_rejected() -> None:
    with pytest.raises(UserError, match="has no input 'nam'; did you mean 'name'"):
        bind_inputs(Inputs, nam="shop")
    with pytest.raises(UserError, match="has no input 'kee'; did you mean 'key'"):
        bind_inputs(Inputs, name="shop", topic={"kee": "k"})
