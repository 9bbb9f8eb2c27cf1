"""From pydantic declarations to Terraform variables."""

from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, ValidationError

from sustainable_mlops.authoring import Field, ModuleInputs, NumberMap, must, one_of, rule
from sustainable_mlops.authoring.inputs import hcl_type, list_variables, render_table
from sustainable_mlops.errors import UserError
from sustainable_mlops.settings import validate


class Schedule(ModuleInputs):
    start: str = Field(description="When it starts.")
    days: int = Field(7, description="How long it runs, in days.", ge=1)


class Inputs(ModuleInputs):
    memory_mb: Literal[1024, 2048] = Field(2048, description="Memory, in MB.")
    name: str = Field(description="Name.", pattern="^[a-z]+$", max_length=9, json_schema_extra=must("be lower case"))
    key_arn: str | None = Field(None, description="Key, or null.", pattern="^arn:")
    schedules: dict[Annotated[str, Field(pattern="^[a-z]+$")], Schedule] = Field({}, description="Schedules.")
    off_hours: Schedule | None = Field(None, description="Off hours, or null.")
    vcpus: Annotated[int, one_of(range(2, 7, 2))] = Field(2, description="vCPUs.")
    factors: list[float] = Field([], description="Factors.")


def by_name(name: str) -> str:
    return next(variable for variable in list_variables(Inputs) if variable.name == name).hcl()


@pytest.mark.parametrize(
    ("annotation", "written"),
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
def test_an_annotation_becomes_a_type_constraint(annotation: object, written: str) -> None:
    assert hcl_type(annotation) == written


def test_a_type_that_terraform_lacks_is_refused() -> None:
    with pytest.raises(TypeError, match="Terraform has no type for"):
        hcl_type(int | str)


def test_a_default_of_null_keeps_null_and_skips_validation_of_it() -> None:
    assert by_name("key_arn") == (
        'variable "key_arn" {\ndescription = "Key, or null."\ntype = string\ndefault = null\n\nvalidation {\n'
        'condition = var.key_arn == null ? true : can(regex("^arn:", var.key_arn))\n'
        'error_message = "key_arn must match ^arn:."\n}\n}\n'
    )


def test_a_required_input_has_no_default_and_is_not_nullable() -> None:
    assert by_name("name") == (
        'variable "name" {\ndescription = "Name."\ntype = string\nnullable = false\n\nvalidation {\n'
        'condition = length(var.name) <= 9 && can(regex("^[a-z]+$", var.name))\n'
        'error_message = "name must be lower case."\n}\n}\n'
    )


def test_choices_become_a_validation_that_names_them() -> None:
    assert "contains([1024, 2048], var.memory_mb)" in by_name("memory_mb")
    assert "memory_mb must be one of 1024, 2048." in by_name("memory_mb")


def test_choices_that_stand_elsewhere_hold_as_a_literal_does() -> None:
    assert "type = number" in by_name("vcpus")
    assert "contains([2, 4, 6], var.vcpus)" in by_name("vcpus")
    with pytest.raises(UserError, match="vcpus: must be 2, 4 or 6, not 3"):
        validate({"name": "a", "vcpus": 3}, Inputs, "settings.yaml")
    assert Inputs.model_json_schema()["properties"]["vcpus"]["enum"] == [2, 4, 6]


def test_constraints_inside_maps_and_objects_are_validated_too() -> None:
    assert "alltrue([for item in var.schedules : item.days >= 1])" in by_name("schedules")
    assert 'alltrue([for key in keys(var.schedules) : can(regex("^[a-z]+$", key))])' in by_name("schedules")
    assert "var.off_hours == null ? true : var.off_hours.days >= 1" in by_name("off_hours")


def test_numbers_with_declared_keys_are_a_map_that_refuses_others() -> None:
    class Days(NumberMap):
        kept: int = Field(7, ge=1, description="Kept.")
        warm: int = Field(3, ge=1, description="Warm.")

    class Kept(ModuleInputs):
        days: Days = Field(Days(), description="Days.")
        rules = (rule("days", lambda v: v.days.warm <= v.days.kept, "warm must be at most kept"),)

    (variable,) = list_variables(Kept)
    assert (variable.type, variable.default) == ("map(number)", {})
    assert [condition for condition, _ in variable.validations] == [
        'length(setsubtract(keys(var.days), ["kept", "warm"])) == 0',
        'lookup(var.days, "kept", 7) >= 1',
        'lookup(var.days, "warm", 3) >= 1',
        'lookup(var.days, "warm", 3) <= lookup(var.days, "kept", 7)',
    ]
    with pytest.raises(ValidationError, match="extra_forbidden"):
        Kept.model_validate({"days": {"keep": 3}})


def test_a_description_must_be_a_sentence() -> None:
    class Sloppy(BaseModel):
        name: str = Field(description="No period")

    with pytest.raises(UserError, match="input name: the description must be a sentence"):
        list_variables(Sloppy)


def test_the_readme_table_shows_what_is_required_and_what_objects_hold() -> None:
    rows = render_table(Inputs).splitlines()
    assert "| **name** | Name. | string | required |" in rows
    assert "| memory_mb | Memory, in MB. | number | `2048` |" in rows
    assert '| &nbsp;&nbsp;`schedules["…"].days` | How long it runs, in days. | number | `7` |' in rows
