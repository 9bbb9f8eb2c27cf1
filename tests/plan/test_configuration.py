"""References through modules and `for_each`. They are followed, but never guessed."""

from typing import Any

from sustainable_mlops.plan import UNKNOWN, Plan, Resource, load
from tests.plan.plan_builder import build_change, build_configuration, build_plan
from tests.plan.test_load import FIXTURES

NAME = {"name": True}


def list_references(plan: Plan, position: int = 0, path: str = "role") -> list[str]:
    return [resource.address for resource in plan.find_references(plan.resources[position], path).resources]


def build_roles(**calls: Any) -> Plan:
    """Return a plan with a user of `role` in the root module, and two modules `a` and `b` with a role each."""
    module = {
        "resources": [build_configuration("aws_iam_role.this")],
        "outputs": {"arn": {"expression": {"references": ["aws_iam_role.this.arn", "aws_iam_role.this"]}}},
    }
    return build_plan(
        build_change("aws_x.user", {"id": "x"}, unknown={"role": True}),
        build_change("module.a.aws_iam_role.this", {"path": "/"}, unknown=NAME),
        build_change("module.b.aws_iam_role.this", {"path": "/"}, unknown=NAME),
        root={
            "resources": [build_configuration("aws_x.user", **calls)],
            "module_calls": {"a": {"module": module}, "b": {"module": module}},
        },
    )


def test_a_reference_goes_through_the_output_of_a_module() -> None:
    assert list_references(build_roles(role=["module.b.arn", "module.b"])) == ["module.b.aws_iam_role.this"]


def test_an_unresolved_reference_is_reported() -> None:
    plan = build_roles(role=["local.role", "module.a.other", "module.a"])
    references = plan.find_references(plan.resources[0], "role")
    assert references.resources == ()
    assert set(references.unresolved) == {"local.role", "module.a.other"}


def test_a_reference_goes_through_the_input_of_a_module() -> None:
    plan = load(FIXTURES / "platform.json")
    model = plan.find_resource("module.async.aws_sagemaker_model.this")
    assert model is not None
    assert [r.address for r in plan.find_references(model, "execution_role_arn").resources] == [
        "aws_iam_role.inference"
    ]


def test_an_instance_refers_to_the_instance_of_the_same_key() -> None:
    plan = load(FIXTURES / "change.json")
    versioning = plan.find_resource('aws_s3_bucket_versioning.this["models"]')
    assert versioning is not None
    assert [r.address for r in plan.find_references(versioning, "bucket").resources] == ['aws_s3_bucket.this["models"]']


def test_a_literal_index_selects_one_instance() -> None:
    plan = build_plan(
        build_change("aws_x.user", {"id": "x"}, unknown={"role": True}),
        build_change("aws_iam_role.r", {"path": "/"}, unknown=NAME, index="a.b[0]"),
        build_change("aws_iam_role.r", {"path": "/"}, unknown=NAME, index="c"),
        root={
            "resources": [
                build_configuration(
                    "aws_x.user", role=['aws_iam_role.r["a.b[0]"].arn', 'aws_iam_role.r["a.b[0]"]', "aws_iam_role.r"]
                )
            ]
        },
    )
    assert list_references(plan) == ['aws_iam_role.r["a.b[0]"]']


def test_a_reference_without_an_index_includes_every_instance_of_a_repeated_module() -> None:
    module = {"outputs": {"arn": {"expression": {"references": ["aws_iam_role.this.arn"]}}}}
    call = {"module": module, "for_each_expression": {"references": ["var.keys"]}}
    entries = [build_change("module.a.aws_iam_role.this", {"path": "/"}, unknown=NAME) for _ in range(2)]
    for key, entry in zip("xy", entries, strict=True):
        entry["module_address"] = f'module.a["{key}"]'
        entry["address"] = f'module.a["{key}"].aws_iam_role.this'
    user = build_change("aws_x.user", {"id": "x"}, unknown={"role": True})
    root = {"resources": [build_configuration("aws_x.user", role=["module.a.arn"])], "module_calls": {"a": call}}
    assert len(list_references(build_plan(user, *entries, root=root))) == 2
    user = build_change("aws_x.user", {"id": "x"}, unknown={"role": True}, index="y")
    assert list_references(build_plan(user, *entries, root=root)) == ['module.a["y"].aws_iam_role.this']


def test_circular_references_end() -> None:
    call: dict[str, Any] = {"expressions": {"role": {"references": ["module.a.role"]}}}
    call["module"] = {"outputs": {"role": {"expression": {"references": ["var.role"]}}}}
    plan = build_plan(
        build_change("aws_x.user", {"id": "x"}, unknown={"role": True}),
        root={"resources": [build_configuration("aws_x.user", role=["module.a.role"])], "module_calls": {"a": call}},
    )
    assert list_references(plan) == []


def test_a_computed_attribute_differs_from_a_configured_one() -> None:
    plan = load(FIXTURES / "platform.json")
    role, model = plan.find_resource("aws_iam_role.inference"), plan.find_resource("aws_sagemaker_model.gpu")
    assert isinstance(role, Resource)
    assert isinstance(model, Resource)
    assert role.get("managed_policy_arns") is UNKNOWN
    assert plan.is_configured(role, "managed_policy_arns") is False
    assert plan.is_configured(model, "execution_role_arn") is True
    assert plan.is_configured(build_plan(build_change("aws_x.y", {"a": 1})).resources[0], "a") is UNKNOWN
    empty = {"address": "aws_x.y", "mode": "managed", "type": "aws_x", "name": "y"}
    bare = build_plan(build_change("aws_x.y", {"a": 1}), root={"resources": [empty]})
    assert bare.is_configured(bare.resources[0], "a") is False


def test_an_old_configuration_without_resources_refers_to_nothing() -> None:
    assert list_references(build_plan(build_change("aws_x.user", {"id": "x"}), configuration={})) == []
