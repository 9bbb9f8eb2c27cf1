"""Cases of rules/serving/endpoint_updates.py."""

from tests.rules.case_tables import CaseTable, RuleCase
from tests.rules.endpoints import CONFIGURATION, ENDPOINT, MODEL, UNKNOWN, build_real_time

#: An endpoint, a configuration and a model with fixed names.
FIXED = {
    MODEL: {**build_real_time()[MODEL], "name": "model"},
    CONFIGURATION: {**build_real_time()[CONFIGURATION], "name": "configuration", "name_prefix": None},
    ENDPOINT: {"name": "delay", "endpoint_config_name": f"${{{CONFIGURATION}.name}}"},
}
PREFIXED = build_real_time()
OLD = {CONFIGURATION: {"name": "delay-1"}, ENDPOINT: {"endpoint_config_name": "delay-1"}}
LOOSE = {**FIXED, ENDPOINT: {"name": "delay", "endpoint_config_name": UNKNOWN}}


def list_actions(configuration: str = "no-op", endpoint: str = "no-op", model: str = "no-op") -> dict[str, str]:
    """Return the resources with the action of each."""
    return {CONFIGURATION: configuration, ENDPOINT: endpoint, MODEL: model}


def build_moved_group(before: str, after: str) -> RuleCase:
    """Return a security group that moves to another VPC and keeps its name."""
    group = "aws_security_group.g"
    return RuleCase(
        {group: {"name": "inference", "vpc_id": after}},
        actions={group: "create-replace"},
        before={group: {"vpc_id": before}},
    )


CASES: CaseTable = {
    "SUS_ENDPOINT_KEEPS_OLD_MODEL": {
        "pass": {
            "nothing changes": RuleCase(FIXED, actions=list_actions()),
            "a new configuration name": RuleCase(
                PREFIXED, actions=list_actions("create-replace", "update"), before=OLD
            ),
        },
        "fail": {
            "a configuration with the same name": RuleCase(FIXED, actions=list_actions("replace")),
            "a model with the same name": RuleCase(FIXED, actions=list_actions(model="replace")),
            "a deleted configuration": RuleCase(FIXED, actions=list_actions("delete")),
        },
        "unknown": {
            "a configuration outside the plan": RuleCase(
                {ENDPOINT: {"name": "delay", "endpoint_config_name": "made-elsewhere"}}, actions={ENDPOINT: "no-op"}
            )
        },
        "not_applicable": {"a new endpoint": FIXED},
    },
    "SUS_REPLACED_BEFORE_ENDPOINT": {
        "pass": {"created first": RuleCase(PREFIXED, actions=list_actions("create-replace", "update"), before=OLD)},
        "fail": {"destroyed first": RuleCase(PREFIXED, actions=list_actions("replace", "update"), before=OLD)},
        "unknown": {
            "an endpoint with an unknown configuration": RuleCase(
                LOOSE, actions=list_actions("replace", "create"), before={CONFIGURATION: {"name": "old"}}
            )
        },
        "not_applicable": {"nothing changes": RuleCase(FIXED, actions=list_actions()), "a new configuration": FIXED},
    },
    "SUS_CONFIGURATION_NAME_PREFIX": {
        "pass": {"a prefix": {MODEL: {}, CONFIGURATION: {**PREFIXED[CONFIGURATION], "name": None}}},
        "fail": {"a name": FIXED},
        "unknown": {"an unknown name": {CONFIGURATION: {"name": "${aws_sagemaker_model.m.id}"}, MODEL: {}}},
        "not_applicable": "every configuration has a name",
    },
    "SUS_CREATE_BEFORE_DESTROY_NAME": {
        "pass": {
            "another name": RuleCase(
                FIXED, actions=list_actions("create-replace"), before={CONFIGURATION: {"name": "old"}}
            ),
            "a prefix": RuleCase(PREFIXED, actions=list_actions("create-replace"), before=OLD),
            "a group in another VPC": build_moved_group("vpc-1", "vpc-2"),
            "a model in another Region": RuleCase(
                {MODEL: {"name": "m", "region": "eu-north-1"}},
                actions={MODEL: "create-replace"},
                before={MODEL: {"region": "us-east-1"}},
            ),
        },
        "fail": {
            "the same configuration name": RuleCase(FIXED, actions=list_actions("create-replace")),
            "a group of the same name in its VPC": build_moved_group("vpc-1", "vpc-1"),
            "the same role name": RuleCase(
                {"aws_iam_role.r": {"name": "r"}}, actions={"aws_iam_role.r": "create-replace"}
            ),
        },
        "unknown": {
            "a name known after apply": RuleCase(
                {**FIXED, CONFIGURATION: {**FIXED[CONFIGURATION], "name": UNKNOWN}},
                actions=list_actions("create-replace"),
                before=OLD,
            ),
            "a VPC known after apply": build_moved_group("vpc-1", UNKNOWN),
        },
        "not_applicable": {"destroyed first": RuleCase(FIXED, actions=list_actions("replace")), "new": FIXED},
    },
}
