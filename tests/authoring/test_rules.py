"""A rule is declared once: settings and Terraform come to one verdict, in one wording."""

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
from tests.authoring.readings import outputs, variable


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


def written(name: str) -> str:
    return next(variable for variable in list_variables(Windows) if variable.name == name).hcl()


def test_a_rule_of_an_object_becomes_the_validation_of_the_variable_that_it_is_in() -> None:
    assert (
        "condition = var.one == null ? true : (var.one.end == null ? true : var.one.end > var.one.start)\n"
        # Which Terraform makes also where the condition holds.
        'error_message = var.one == null ? "" : "one.end: must be after ${var.one.start}"'
    ) in written("one")


OFFERED = local_table("offered", {"north": ["c7g", "m6g"], "south": ["c7g"]})


class Placed(ModuleInputs):
    region: str = Field("north", description="Where.")
    family: str = Field("c7g", description="What.")

    rules = (rule("family", lambda v: contains(get(OFFERED, v.region, []), v.family), lambda v: f"not in {v.region}"),)


def test_a_table_of_a_rule_is_a_local_in_terraform_and_its_value_here() -> None:
    family = next(one for one in list_variables(Placed) if one.name == "family")
    assert family.validations == (
        ("contains(lookup(local.offered, var.region, []), var.family)", "family: not in ${var.region}"),
    )
    assert list_tables(Placed) == {"offered": {"north": ["c7g", "m6g"], "south": ["c7g"]}}
    assert Placed(region="north", family="m6g")
    with pytest.raises(ValidationError, match="not in south"):
        Placed(region="south", family="m6g")


def test_a_rule_of_a_map_names_the_keys_that_break_it() -> None:
    assert (
        "alltrue([for key, item in var.by_name : length(item.tags) < 2])\n"
        'error_message = join("; ", [for key, item in var.by_name : "by_name.${key}.tags: may hold one tag" '
        "if !(length(item.tags) < 2)])"
    ) in written("by_name")


def test_a_rule_reaches_through_maps_and_lists_and_over_variables() -> None:
    assert '"lists.${key}.${key2}.tags: may hold one tag"' in written("lists")
    assert "condition = length(var.by_name) <= var.most" in written("by_name")


def test_settings_are_told_of_every_broken_rule_where_it_is() -> None:
    with pytest.raises(ValidationError) as refused:
        Windows.model_validate({"by_name": {"a": {"start": 3, "end": 2, "tags": {"x": "", "y": ""}}}})
    told = {".".join(map(str, error["loc"])): error["msg"] for error in refused.value.errors()}
    assert told == {
        "by_name.a.end": "Value error, must be after 3",
        "by_name.a.tags": "Value error, may hold one tag",
    }


def test_a_rule_is_inherited() -> None:
    class More(Window):
        rules = (rule("start", lambda v: v.start > 0, "must be more than 0"),)

    with pytest.raises(ValidationError, match="must be more than 0") as refused:
        More(start=-1, end=-2)
    assert refused.value.error_count() == 2


# The rules of the modules, on values that only they refuse.

KEY = "arn:aws:kms:eu-north-1:123456789012:key/1"
ROLE = "arn:aws:iam::123456789012:role/x"
NAMED = {"name_prefix": st.sampled_from(["abc", "a-prefix-of-all-its-24-c0"[:24]])}
LOCATED = {**NAMED, "account_id": st.just("123456789012"), "region": st.sampled_from(["eu-north-1", "xx-west-9"])}
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
REFUSED = st.none() | st.sampled_from(["x", 1, True, {}, []])
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
        optional=dict.fromkeys(["vpc_config", "instance_type", "data_capture_config"], REFUSED),
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
            "shadow": CHALLENGER.map(lambda given: {name: given[name] for name in given if name != "weight"}),
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
def test_settings_and_terraform_refuse_the_same_with_the_same_words(
    tmp_path_factory: pytest.TempPathFactory,
    each_engine: Path,
    cases: list[tuple[type[ModuleInputs], dict[str, Any]]],
) -> None:
    del each_engine
    known = {name: value for model in INPUTS for name, value in list_tables(model).items()}
    text = hcl.render_block("locals", known) + "".join(
        variable(f"v{index}", model, values) + f'output "o{index}" {{\nvalue = [{_told(model, f"var.v{index}")}]\n}}\n'
        for index, (model, values) in enumerate(cases)
    )
    found = outputs(tmp_path_factory.mktemp("rules"), text)
    different = []
    for index, (model, values) in enumerate(cases):
        here, there = list(_refusals(model, values)), [said for said in found[f"o{index}"] if said]
        if bool(here) != bool(there) or any(said not in "; ".join(there) for said in here):
            different.append(f"{model.__module__} {json.dumps(values)}: {here} here, {there} there")
    assert not different, "\n".join(different)


def _told(model: type[ModuleInputs], name: str) -> str:
    """An expression for each rule: its message where it is broken, else empty."""
    var = input_expressions(model, name)
    return ", ".join(
        f'({render(condition)}) ? "" : {hcl.render_string(message)}'
        for field, declared in model.model_fields.items()
        for condition, message in list_validations(field, declared.annotation, model, var)
    )


def _refusals(model: type[ModuleInputs], values: dict[str, Any]) -> Iterator[str]:
    try:
        model.model_validate(values)
    except ValidationError as error:
        for one in error.errors(include_url=False):
            assert one["type"] == "value_error", one
            yield f"{'.'.join(map(str, one['loc']))}: {one['ctx']['error']}"
