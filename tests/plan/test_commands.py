"""Commands that a plan runs without showing their effect."""

import json
from typing import Any

import pytest

from sustainable_mlops.base.errors import UserError
from sustainable_mlops.plan import Plan, PlanCommand, load
from tests.cases import check_cases
from tests.plan.plan_builder import build_change, build_configuration, build_document, build_plan


def build_constant(value: Any) -> dict[str, Any]:
    return {"constant_value": value}


def list_commands(entry: dict[str, Any], *provisioners: tuple[str, dict[str, Any]]) -> list[PlanCommand]:
    """Return the commands of a resource with these provisioners, as Terraform 1.11 records them."""
    provisioner_bodies = [{"type": kind, "expressions": expressions} for kind, expressions in provisioners]
    root = {
        "resources": [{**build_configuration(entry["address"].partition("[")[0]), "provisioners": provisioner_bodies}]
    }
    return build_plan(entry, root=root).commands


def list_texts(*provisioners: tuple[str, dict[str, Any]]) -> list[str]:
    return [command.text for command in list_commands(build_change("terraform_data.x", {"id": "x"}), *provisioners)]


ECHO = ("local-exec", {"command": build_constant("echo hello")})
DERIVED = {"references": ["var.token", "self.id", "self"]}


@check_cases(
    ("actions", "when"),
    [
        (["create"], "created"),
        (["delete", "create"], "replaced"),
        (["create", "delete"], "replaced"),
        (["delete"], "destroyed"),
        (["update"], None),
        (["no-op"], None),
        (["forget"], None),
    ],
)
def test_provisioners_run_when_a_resource_is_created_or_destroyed(actions: list[str], when: str | None) -> None:
    before = None if actions == ["create"] else {"id": "x"}
    after = None if actions in (["delete"], ["forget"]) else {"id": "x"}
    commands = list_commands(build_change("terraform_data.x", after, before=before, actions=actions), ECHO)
    assert commands == ([PlanCommand("terraform_data.x", "local-exec", "echo hello", when)] if when else [])


def test_each_instance_runs_its_own_provisioner() -> None:
    (command,) = list_commands(build_change("terraform_data.x", {"id": "x"}, index="a"), ECHO)
    assert command.address == 'terraform_data.x["a"]'


def test_a_provisioner_with_other_references_does_not_run_on_destruction() -> None:
    deletion = build_change("terraform_data.x", before={"id": "x"})
    own = ("local-exec", {"command": {"references": ["self.id", "self"]}})
    assert [command.text for command in list_commands(deletion, own, ("local-exec", {"command": DERIVED}))] == [
        "made of self.id"
    ]


def test_the_constant_part_of_a_command_is_shown() -> None:
    assert list_texts(
        ECHO,
        ("local-exec", {"command": DERIVED}),
        ("local-exec", {"command": build_constant("a\n  b  " + "x" * 200)}),
        ("remote-exec", {"inline": build_constant(["apt update", "apt install"])}),
        ("remote-exec", {"script": build_constant("setup.sh")}),
        ("file", {"source": build_constant("a.conf"), "destination": build_constant("/etc/a.conf")}),
        ("file", {"content": build_constant("password"), "destination": DERIVED}),
        ("chef", {"server_url": build_constant("https://example.org")}),
    ) == [
        "echo hello",
        "made of var.token, self.id",
        "a b " + "x" * 95 + "…",
        "apt update; apt install",
        "setup.sh",
        "a.conf → /etc/a.conf",
        "content → made of var.token, self.id",
        "",
    ]


def test_data_sources_that_run_programs_run_with_every_plan() -> None:
    program = build_change(
        "data.external.e", {"program": ["python", "x.py"]}, actions=["no-op"], before={"program": []}
    )
    hidden = build_change(
        "data.external.s", {"program": ["curl", "s3cret"]}, actions=["read"], sensitive={"program": [False, True]}
    )
    assert build_plan(program, hidden, build_change("data.aws_region.r", {"id": "r"}, actions=["read"])).commands == [
        PlanCommand("data.external.e", "external", "python; x.py", "planned"),
        PlanCommand("data.external.s", "external", "curl; (sensitive)", "read"),
    ]


#: Actions in the format of Terraform 1.14, made by hand from its source (jsonplan.ActionInvocation).
INVOKED = {
    "address": "action.aws_lambda_invoke.warm",
    "type": "aws_lambda_invoke",
    "name": "warm",
    "config_values": {"function_name": "warm", "payload": "hunter2", "qualifier": None},
    "config_sensitive": {"payload": True},
    "config_unknown": {"log_type": True},
    "provider_name": "registry.terraform.io/hashicorp/aws",
    "lifecycle_action_trigger": {
        "triggering_resource_address": "aws_sagemaker_endpoint.e",
        "action_trigger_event": "AfterUpdate",
        "action_trigger_block_index": 0,
        "actions_list_index": 0,
        "on_failure": "fail",
    },
}


#: A plan with every kind of command, for other tests.
OUTSIDE = build_document(
    build_change("terraform_data.x", {"id": "x"}),
    build_change(
        "data.external.e", {"program": ["python", "hunter2"]}, actions=["read"], sensitive={"program": [False, True]}
    ),
    build_change("aws_cloudformation_stack.s", {"name": "s", "template_body": "{}"}),
    build_change("awscc_lambda_function.f", {"function_name": "f"}),
    root={
        "resources": [
            {
                **build_configuration("terraform_data.x"),
                "provisioners": [
                    {"type": ECHO[0], "expressions": ECHO[1]},
                    {"type": "file", "expressions": {"content": DERIVED, "destination": build_constant("/tmp/x")}},  # noqa: S108
                ],
            }
        ]
    },
    action_invocations=[INVOKED],
    deferred_action_invocations=[{"reason": "deferred_prereq", "action_invocation": INVOKED}],
)


def test_actions_are_listed_with_their_trigger() -> None:
    by_hand = {name: value for name, value in INVOKED.items() if name != "lifecycle_action_trigger"}
    deferred = {"reason": "deferred_prereq", "action_invocation": by_hand}
    plan = build_plan(
        action_invocations=[INVOKED, by_hand | {"invoke_action_trigger": {}}], deferred_action_invocations=[deferred]
    )
    assert [(command.address, command.kind, command.when) for command in plan.commands] == [
        ("action.aws_lambda_invoke.warm", "aws_lambda_invoke", "after the update of aws_sagemaker_endpoint.e"),
        ("action.aws_lambda_invoke.warm", "aws_lambda_invoke", "invoked"),
        ("action.aws_lambda_invoke.warm", "aws_lambda_invoke", "deferred: deferred_prereq"),
    ]
    assert {command.text for command in plan.commands} == {
        "function_name = warm, payload = (sensitive), log_type = (known after apply)"
    }


def test_unreadable_entries_are_listed() -> None:
    plan = build_plan(action_invocations=[None, {}], deferred_action_invocations=[1])
    assert [command.address for command in plan.commands] == [
        "action_invocations[0]", "action_invocations[1]", "deferred_action_invocations[0]"
    ]  # fmt: skip
    root = {"resources": [{**build_configuration("terraform_data.x"), "provisioners": [None, {"type": "local-exec"}]}]}
    commands = build_plan(build_change("terraform_data.x", {"id": "x"}), root=root).commands
    assert [(command.kind, command.text) for command in commands] == [("a provisioner", ""), ("local-exec", "")]


def test_actions_that_are_not_a_list_are_refused() -> None:
    with pytest.raises(UserError, match="action_invocations: must be a list, not an object"):
        load(json.dumps(build_document(action_invocations={})).encode())


def test_a_plan_without_commands_runs_nothing() -> None:
    plan: Plan = build_plan(
        build_change("aws_s3_bucket.b", {"bucket": "b"}), root={"resources": [build_configuration("aws_s3_bucket.b")]}
    )
    assert plan.commands == []
