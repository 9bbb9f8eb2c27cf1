"""Rules are declared once and hold in settings and Terraform, with the same messages."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from modules.access.inputs import Inputs as Access
from modules.async_endpoint.inputs import Inputs as AsyncEndpoint
from modules.feature_store.inputs import Inputs as FeatureStore
from modules.realtime_endpoint.inputs import Inputs as RealtimeEndpoint
from modules.serverless_endpoint.inputs import Inputs as ServerlessEndpoint
from modules.storage.inputs import Inputs as Storage
from sustainable_mlops.authoring import Field, ModuleInputs, hcl, rule
from sustainable_mlops.authoring.expressions import contains, get, is_null, length, local_table
from sustainable_mlops.authoring.expressions.rendering import render
from sustainable_mlops.authoring.expressions.scopes import input_expressions
from sustainable_mlops.authoring.inputs import list_variables
from sustainable_mlops.authoring.rules import InputRule, list_tables, list_validations
from tests.authoring.terraform_values import plan_outputs, render_variable


class Window(ModuleInputs):
    start: int = Field(description="Start.")
    end: int | None = Field(None, description="End.")
    tags: dict[str, str] = Field({}, description="Tags.")

    rules: ClassVar[tuple[InputRule, ...]] = (
        rule("end", lambda v: is_null(v.end) | (v.end > v.start), lambda v: f"must be after {v.start}"),
        rule("tags", lambda v: length(v.tags) < 2, "may hold one tag"),
    )


class Windows(ModuleInputs):
    one: Window | None = Field(None, description="One.")
    by_name: dict[str, Window] = Field({}, description="By name.")
    lists: dict[str, list[Window]] = Field({}, description="Lists by name.")
    most: int = Field(3, description="Most.")

    rules = (rule("by_name", lambda v: length(v.by_name) <= v.most, lambda v: f"may hold {v.most}"),)


def render_validation(name: str) -> str:
    return next(variable for variable in list_variables(Windows) if variable.name == name).render_hcl()


def test_rules_of_an_object_become_validations_of_its_variable() -> None:
    assert (
        "condition = try(var.one == null ? true : (var.one.end == null ? true : var.one.end > var.one.start), true)\n"
        # Terraform evaluates the message even if the condition holds.
        'error_message = try(var.one == null ? "" : "one.end: must be after ${var.one.start}", "")'
    ) in render_validation("one")


FAMILIES = local_table("offered", {"north": ["c7g", "m6g"], "south": ["c7g"]})


class FamilyInputs(ModuleInputs):
    region: str = Field("north", description="Where.")
    family: str = Field("c7g", description="What.")

    rules = (rule("family", lambda v: contains(get(FAMILIES, v.region, []), v.family), lambda v: f"not in {v.region}"),)


def test_tables_of_rules_are_terraform_locals_and_python_values() -> None:
    family = next(one for one in list_variables(FamilyInputs) if one.name == "family")
    assert family.validations == (
        ("contains(lookup(local.offered, var.region, []), var.family)", "family: not in ${var.region}"),
    )
    assert list_tables(FamilyInputs) == {"offered": {"north": ["c7g", "m6g"], "south": ["c7g"]}}
    assert FamilyInputs(region="north", family="m6g")
    with pytest.raises(ValidationError, match="not in south"):
        FamilyInputs(region="south", family="m6g")


def test_rules_of_maps_name_the_violating_keys() -> None:
    assert (
        "try(alltrue([for key, item in var.by_name : length(item.tags) < 2]), true)\n"
        'error_message = try(join("; ", [for key, item in var.by_name : "by_name.${key}.tags: may hold one tag" '
        'if !(length(item.tags) < 2)]), "")'
    ) in render_validation("by_name")


def test_rules_apply_inside_maps_and_lists_and_across_variables() -> None:
    assert '"lists.${key}.${key2}.tags: may hold one tag"' in render_validation("lists")
    assert "condition = length(var.by_name) <= var.most" in render_validation("by_name")


def test_settings_report_each_violated_rule_with_its_location() -> None:
    with pytest.raises(ValidationError) as error_info:
        Windows.model_validate({"by_name": {"a": {"start": 3, "end": 2, "tags": {"x": "", "y": ""}}}})
    messages = {".".join(map(str, error["loc"])): error["msg"] for error in error_info.value.errors()}
    assert messages == {
        "by_name.a.end": "Value error, must be after 3",
        "by_name.a.tags": "Value error, may hold one tag",
    }


def test_rules_are_inherited() -> None:
    class More(Window):
        rules = (rule("start", lambda v: v.start > 0, "must be more than 0"),)

    with pytest.raises(ValidationError, match="must be more than 0") as error_info:
        More(start=-1, end=-2)
    assert error_info.value.error_count() == 2


# The rules of the modules, with values that only rules reject.

KEY = "arn:aws:kms:eu-north-1:123456789012:key/1"
ROLE = "arn:aws:iam::123456789012:role/x"
NAMED = {"name_prefix": st.sampled_from(["abc", "a-prefix-of-all-its-24-c0"[:24]])}
LOCATED = {**NAMED, "account_id": st.just("123456789012"), "region": st.sampled_from(["eu-north-1", "eu-west-1"])}
DAYS = st.integers(30, 33)
PHASE = st.fixed_dictionaries(
    {"read": st.lists(st.sampled_from(["data/raw/", "lake/", "artifacts/x/"]), min_size=1, max_size=2)},
    optional={"write": st.lists(st.sampled_from(["data/", "nowhere/a/"]), max_size=1)},
)
FEATURE = st.sampled_from(["Integral", "Fractional", "String"]).map(lambda kind: {"type": kind})
NAMES = st.sampled_from(["id", "at", "amount", "write_time", "is_deleted"])
GROUP = st.fixed_dictionaries(
    {"record_identifier": NAMES, "event_time": NAMES, "features": st.dictionaries(NAMES, FEATURE, max_size=4)}
)
HARDWARE = {
    "silicon": st.sampled_from(["graviton", "gpu", "inferentia2", "x86"]),
    "instance_type": st.sampled_from(
        [
            "ml.c7g.large",
            "ml.c8g.large",
            "ml.g5.xlarge",
            "ml.g6e.xlarge",
            "ml.inf1.xlarge",
            "ml.inf2.xlarge",
            "ml.m6i.large",
        ]
    ),
    "aws_provider": st.sampled_from([5, 6]),
}
CHALLENGER = st.fixed_dictionaries(
    {
        "image_uri": st.sampled_from(
            [
                None,
                *(f"123456789012.dkr.ecr.eu-north-1.amazonaws.com/x:{tag}" for tag in ("arm64", "gpu-py3", "neuronx")),
            ]
        ),
        "weight": st.just(50),
    }
)
UNSUPPORTED = st.none() | st.sampled_from(["x", 1, True, {}, []])
INPUTS: dict[type[ModuleInputs], st.SearchStrategy[dict[str, Any]]] = {
    ServerlessEndpoint: st.fixed_dictionaries(
        {
            **NAMED,
            "kms_key_arn": st.just(KEY),
            "role_arn": st.just(ROLE),
            "max_concurrency": st.integers(1, 3),
            "image_uri": st.sampled_from(
                [None, *(f"123456789012.dkr.ecr.eu-north-1.amazonaws.com/x:{tag}" for tag in ("1", "1-gpu-py3"))]
            ),
            "model_data_url": st.sampled_from([None, "s3://b/model.tar.gz"]),
            "model_package_arn": st.sampled_from([None, "arn:aws:sagemaker:eu-north-1:123456789012:model-package/x/1"]),
            "provisioned_concurrency": st.none()
            | st.fixed_dictionaries({"min": st.integers(1, 3), "max": st.integers(1, 3)}),
        },
        optional=dict.fromkeys(["vpc_config", "instance_type", "data_capture_config"], UNSUPPORTED),
    ),
    AsyncEndpoint: st.fixed_dictionaries(
        {
            **LOCATED,
            "kms_key_arn": st.just(KEY),
            "role_arn": st.just(ROLE),
            "s3_uri": st.just("s3://bucket/async"),
            "image_uri": st.sampled_from(
                [
                    f"123456789012.dkr.ecr.eu-north-1.amazonaws.com/{image}"
                    for image in (
                        "x:1-gpu-py3",
                        "x:1-neuronx",
                        "x:arm64",
                        "x-inference:1-cpu-py3",
                        "sagemaker-xgboost:3",
                    )
                ]
            ),
            **HARDWARE,
            "min_instances": st.integers(0, 3),
        }
    ),
    RealtimeEndpoint: st.fixed_dictionaries(
        {
            **LOCATED,
            "kms_key_arn": st.just(KEY),
            "role_arn": st.just(ROLE),
            "latency_slo_ms": st.just(100),
            "image_uri": st.sampled_from([None, "123456789012.dkr.ecr.eu-north-1.amazonaws.com/x:arm64"]),
            "min_instances": st.integers(1, 5),
            "deployment": st.fixed_dictionaries(
                {
                    "strategy": st.sampled_from(["rolling", "canary", "linear", "all_at_once"]),
                    "step_percent": st.sampled_from([5, 10, 25, 50]),
                    "error_percent": st.sampled_from([0, 5, 30]),
                }
            ),
        },
        optional={
            **HARDWARE,
            "one_instance_because": st.just("It may be gone for a while."),
            "models_s3_uri": st.just("s3://bucket/models/"),
            "challengers": st.dictionaries(st.sampled_from(["main", "b", "c", "d", "e"]), CHALLENGER, max_size=5),
            "shadow": CHALLENGER.map(
                lambda challenger: {name: challenger[name] for name in challenger if name != "weight"}
            ),
            "off_hours": st.fixed_dictionaries(
                {
                    "begin": st.just("cron(0 20 ? * MON-FRI *)"),
                    "end": st.just("cron(0 6 ? * MON-FRI *)"),
                    "timezone": st.sampled_from(["UTC", "Europe/Stockholm", "Europe/Stokholm"]),
                    "instances": st.integers(1, 3),
                }
            ),
        },
    ),
    Storage: st.fixed_dictionaries(
        {
            **LOCATED,
            "extra_buckets": st.dictionaries(
                st.sampled_from(["lake", "logs", "data", "a-purpose-of-many-words"]), st.just({}), max_size=2
            ),
            "lifecycle_days": st.fixed_dictionaries(
                {}, optional={"recreatable": DAYS, "recreatable_to_one_zone": DAYS}
            ),
        }
    ),
    FeatureStore: st.fixed_dictionaries(
        {
            **NAMED,
            "kms_key_arn": st.just(KEY),
            "role_arn": st.just(ROLE),
            "offline_store_s3_uri": st.just("s3://bucket"),
            "feature_groups": st.dictionaries(st.sampled_from(["orders", "visits"]), GROUP, max_size=2),
        }
    ),
    Access: st.fixed_dictionaries(
        {
            **LOCATED,
            "kms_key_arn": st.just(KEY),
            "buckets": st.sampled_from([[], ["data"], ["data", "artifacts"]]).map(
                lambda names: {name: {"arn": f"arn:aws:s3:::{name}"} for name in names}
            ),
            "existing_role_arns": st.dictionaries(
                st.sampled_from(["training", "pipeline", "inference", "data_preparation"]), st.just(ROLE)
            ),
            "image_repository_arns": st.sampled_from([[], ["arn:aws:ecr:eu-north-1:123456789012:repository/x"]]),
            "s3_paths": st.fixed_dictionaries({}, optional={"training": PHASE, "inference": PHASE}),
        }
    ),
    Windows: st.fixed_dictionaries(
        {},
        optional={
            "one": (
                window := st.none()
                | st.fixed_dictionaries(
                    {"start": st.integers(0, 3)},
                    optional={
                        "end": st.none() | st.integers(0, 3),
                        "tags": st.dictionaries(st.sampled_from("abc"), st.just("")),
                    },
                )
            ),
            "by_name": st.dictionaries(st.sampled_from("abcd"), window.filter(bool), max_size=4),
            "lists": st.dictionaries(st.sampled_from("ab"), st.lists(window.filter(bool), max_size=2), max_size=2),
            "most": st.integers(0, 3),
        },
    ),
}
CASES = st.one_of(*(st.tuples(st.just(model), values) for model, values in INPUTS.items()))


@pytest.mark.plan
@settings(max_examples=3, phases=[Phase.generate], deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(CASES, min_size=60, max_size=90))
def test_settings_and_terraform_reject_the_same_values_with_the_same_messages(
    tmp_path_factory: pytest.TempPathFactory, each_engine: Path, cases: list[tuple[type[ModuleInputs], dict[str, Any]]]
) -> None:
    del each_engine
    known = {name: value for model in INPUTS for name, value in list_tables(model).items()}
    text = hcl.render_block("locals", known) + "".join(
        render_variable(f"v{index}", model, values)
        + f'output "o{index}" {{\nvalue = [{render_messages(model, f"var.v{index}")}]\n}}\n'
        for index, (model, values) in enumerate(cases)
    )
    outputs = plan_outputs(tmp_path_factory.mktemp("rules"), text)
    differences = []
    for index, (model, values) in enumerate(cases):
        in_python = list(list_messages(model, values))
        in_terraform = [message for message in outputs[f"o{index}"] if message]
        if bool(in_python) != bool(in_terraform) or any(
            message not in "; ".join(in_terraform) for message in in_python
        ):
            differences.append(
                f"{model.__module__} {json.dumps(values)}: {in_python} in Python, {in_terraform} in Terraform"
            )
    assert not differences, "\n".join(differences)


def render_messages(model: type[ModuleInputs], name: str) -> str:
    """Render an expression for each rule: its message if violated, else empty."""
    var = input_expressions(model, name)
    return ", ".join(
        f'({render(condition)}) ? "" : {hcl.render_string(message)}'
        for field, declared in model.model_fields.items()
        for condition, message in list_validations(field, declared.annotation, model, var)
    )


def list_messages(model: type[ModuleInputs], values: dict[str, Any]) -> Iterator[str]:
    try:
        model.model_validate(values)
    except ValidationError as validation_error:
        for one in validation_error.errors(include_url=False):
            assert one["type"] == "value_error", one
            yield f"{'.'.join(map(str, one['loc']))}: {one['ctx']['error']}"
