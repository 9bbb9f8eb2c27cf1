"""Pydantic declarations become Terraform variables."""

from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, ValidationError

from sustainable_mlops.authoring import Field, ModuleInputs, NumberMap, must, one_of, rule
from sustainable_mlops.authoring.inputs import list_variables, render_hcl_type, render_table
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.base.settings import validate
from tests.cases import check_cases


class Schedule(ModuleInputs):
    start: str = Field(description="When it starts.")
    days: int = Field(7, description="How long it runs, in days.", ge=1)


class Inputs(ModuleInputs):
    memory_mb: Literal[1024, 2048] = Field(2048, description="Memory, in MB.")
    name: str = Field(description="Name.", pattern="^[a-z]+$", max_length=9, json_schema_extra=must("be lower case"))
    key_arn: str | None = Field(None, description="Key, or null.", pattern="^arn:")
    schedules: dict[Annotated[str, Field(pattern="^[a-z]+$")], Schedule] = Field({}, description="Schedules.")
    alias: Annotated[str, Field(pattern="^[a-z]+$", json_schema_extra=must("be lower case"))] | None = Field(
        None, description="Alias, or null.", max_length=5
    )
    off_hours: Schedule | None = Field(None, description="Off hours, or null.")
    vcpus: Annotated[int, one_of(range(2, 7, 2))] = Field(2, description="vCPUs.")
    factors: list[float] = Field([], description="Factors.")


def render_variable(name: str) -> str:
    return next(variable for variable in list_variables(Inputs) if variable.name == name).render_hcl()


@check_cases(
    ("annotation", "type_text"),
    [
        (str, "string"),
        (int, "number"),
        (bool, "bool"),
        (str | None, "string"),
        (list[str], "list(string)"),
        (set[str], "set(string)"),
        (dict[str, list[int]], "map(list(number))"),
        (Literal["a", "b"], "string"),
        (Schedule, "object({\nstart = string\ndays = optional(number, 7)\n})"),
    ],
)
def test_annotations_become_type_constraints(annotation: object, type_text: str) -> None:
    assert render_hcl_type(annotation) == type_text


def test_types_without_a_terraform_equivalent_are_rejected() -> None:
    with pytest.raises(TypeError, match="Terraform has no type for"):
        render_hcl_type(int | str)


def test_null_defaults_remain_and_skip_validation() -> None:
    assert render_variable("key_arn") == (
        'variable "key_arn" {\ndescription = "Key, or null."\ntype = string\ndefault = null\n\nvalidation {\n'
        'condition = var.key_arn == null ? true : can(regex("^arn:", var.key_arn))\n'
        'error_message = "key_arn must match ^arn:."\n}\n}\n'
    )


def test_a_named_type_and_its_optional_field_both_have_constraints() -> None:
    condition = 'var.alias == null ? true : can(regex("^[a-z]+$", var.alias)) && length(var.alias) <= 5'
    assert condition in render_variable("alias")
    assert "alias must be lower case and hold at most 5." in render_variable("alias")


def test_required_inputs_have_no_default_and_are_not_nullable() -> None:
    assert render_variable("name") == (
        'variable "name" {\ndescription = "Name."\ntype = string\nnullable = false\n\nvalidation {\n'
        'condition = length(var.name) <= 9 && can(regex("^[a-z]+$", var.name))\n'
        'error_message = "name must be lower case."\n}\n}\n'
    )


def test_choices_become_a_validation_that_lists_them() -> None:
    assert "contains([1024, 2048], var.memory_mb)" in render_variable("memory_mb")
    assert "memory_mb must be one of 1024, 2048." in render_variable("memory_mb")


def test_choices_of_one_of_validate_like_a_literal() -> None:
    assert "type = number" in render_variable("vcpus")
    assert "contains([2, 4, 6], var.vcpus)" in render_variable("vcpus")
    with pytest.raises(UserError, match="vcpus: must be 2, 4 or 6, not 3"):
        validate({"name": "a", "vcpus": 3}, Inputs, "settings.yaml")
    assert Inputs.model_json_schema()["properties"]["vcpus"]["enum"] == [2, 4, 6]


def test_constraints_inside_maps_and_objects_are_validated() -> None:
    assert "try(alltrue([for item in var.schedules : item.days >= 1]), true)" in render_variable("schedules")
    assert 'alltrue([for key in keys(var.schedules) : can(regex("^[a-z]+$", key))])' in render_variable("schedules")
    assert "alltrue([for item in var.schedules : item != null])" in render_variable("schedules")
    assert "var.off_hours == null ? true : try(var.off_hours.days >= 1, true)" in render_variable("off_hours")


def test_number_maps_reject_undeclared_keys() -> None:
    class Days(NumberMap):
        kept: int = Field(7, ge=1, description="Kept.")
        warm: int = Field(3, ge=1, description="Warm.")

    class Kept(ModuleInputs):
        days: Days = Field(Days(), description="Days.")
        rules = (rule("days", lambda v: v.days.warm <= v.days.kept, "warm must be at most kept"),)

    (variable,) = list_variables(Kept)
    assert (variable.type, variable.default) == ("map(number)", {})
    assert [condition for condition, _ in variable.validations] == [
        "alltrue([for item in var.days : item != null])",
        'try(length(setsubtract(keys(var.days), ["kept", "warm"])) == 0, true)',
        'try(lookup(var.days, "kept", 7) >= 1, true)',
        'try(lookup(var.days, "warm", 3) >= 1, true)',
        'lookup(var.days, "warm", 3) <= lookup(var.days, "kept", 7)',
    ]
    with pytest.raises(ValidationError, match="extra_forbidden"):
        Kept.model_validate({"days": {"keep": 3}})


def test_descriptions_must_be_sentences() -> None:
    class Sloppy(BaseModel):
        name: str = Field(description="No period")

    with pytest.raises(UserError, match="input name: the description must be a sentence"):
        list_variables(Sloppy)


def test_a_constraint_beside_a_type_needs_a_message_that_names_it() -> None:
    word = Annotated[str, Field(pattern="^a", json_schema_extra=must("be a word"))]
    with pytest.raises(UserError, match="short: the error message would not name each constraint; add must"):

        class Silent(ModuleInputs):
            short: word = Field(description="Word.", max_length=5)

    class Named(ModuleInputs):
        plain: word = Field(description="Word.")
        short: word = Field(description="Word.", max_length=5, json_schema_extra=must("be a short word"))

    messages = [message for variable in list_variables(Named) for _, message in variable.validations]
    assert messages == ["plain must be a word.", "short must be a short word."]


def test_the_readme_table_shows_required_inputs_and_object_fields() -> None:
    rows = render_table(Inputs).splitlines()
    assert "| **name** | Name. | string | required | lower case |" in rows
    assert "| memory_mb | Memory, in MB. | number | `2048` | one of 1024, 2048 |" in rows
    assert '| &nbsp;&nbsp;`schedules["…"].days` | How long it runs, in days. | number | `7` | at least 1 |' in rows


@check_cases(
    ("annotation", "field", "allowed_values"),
    [
        (Annotated[str, Field(pattern="^a", json_schema_extra=must("be a word"))] | None, Field(None), "a word"),
        (
            Annotated[str, Field(pattern="^a", json_schema_extra=must("be a word"))] | None,
            Field(None, max_length=9),
            "a word and hold at most 9",
        ),
        (int, Field(ge=1, le=200), "1 to 200"),
        (float, Field(ge=0.1), "at least 0.1"),
        (int | None, Field(None, le=7), "at most 7"),
        (list[str], Field(min_length=1), "at least 1 item"),
        (list[str], Field(min_length=1, max_length=10), "1 to 10 items"),
        (dict[str, Annotated[str, Field(max_length=256)]], Field(), "each value: at most 256 characters"),
        (str, Field(pattern="^(a|b)", max_length=9), "match ^(a\\|b) and at most 9 characters"),
    ],
)
def test_allowed_values_describe_the_constraints_of_a_field(annotation: Any, field: Any, allowed_values: str) -> None:
    class Model(ModuleInputs):
        value: annotation = field

    Model.model_fields["value"].description = "Value."
    assert render_table(Model).splitlines()[2].endswith(f"| {allowed_values} |")
