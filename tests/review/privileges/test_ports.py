"""Open ports, independent of the rule that opens them."""

from typing import Any

import pytest

from sustainable_mlops.review.comparison import Comparison
from sustainable_mlops.review.privileges.ports import find_port_risks
from sustainable_mlops.review.risk import Level
from tests.cases import check_cases
from tests.plan.plan_builder import build_change, build_configuration, build_plan

WORLD = "0.0.0.0/0"


def rule(*networks: str, first: int = 443, last: int = 443, protocol: str = "tcp", **more: Any) -> dict[str, Any]:
    four, six = [n for n in networks if ":" not in n], [n for n in networks if ":" in n]
    ports = {"protocol": protocol, "from_port": first, "to_port": last}
    return {**ports, "cidr_blocks": four, "ipv6_cidr_blocks": six, "self": False, **more}


def group(before: list[Any] | None, after: list[Any] | None, kind: str = "aws_security_group") -> dict[str, Any]:
    old, new = (None if rules is None else {"id": "sg-1", "ingress": rules} for rules in (before, after))
    return build_change(f"{kind}.this", new, before=old)


def opened(*changes: dict[str, Any], **more: Any) -> list[tuple[Level, str]]:
    return [(risk.level, risk.description) for risk in find_port_risks(Comparison(build_plan(*changes, **more)))]


OWN = {"security_group_id": "sg-1", "type": "ingress", **rule(WORLD)}
SINGLE = {"security_group_id": "sg-1", "ip_protocol": "tcp", "from_port": 443, "to_port": 443, "cidr_ipv4": WORLD}

OPEN = [
    ("a new rule", [], [rule(WORLD)], "opens tcp 443 to the whole internet"),
    ("more ports", [rule(WORLD)], [rule(WORLD, first=0, last=65535)], "opens tcp 0 to 65535 to the whole internet"),
    ("all protocols", [rule(WORLD)], [rule(WORLD, protocol="-1", first=0, last=0)],
     "opens all ports to the whole internet"),
    ("two halves", [], [rule("0.0.0.0/1", "128.0.0.0/1")], "opens tcp 443 to the whole internet"),
    ("the other half", [rule("0.0.0.0/1")], [rule("0.0.0.0/1", "128.0.0.0/1")],
     "opens tcp 443 to much of the internet, 128.0.0.0/1"),
    ("IPv6", [], [rule("0::/0")], "opens tcp 443 to the whole internet"),
    ("every public IPv6 address", [], [rule("2000::/3")], "opens tcp 443 to much of the internet, 2000::/3"),
]  # fmt: skip


@check_cases(("before", "after", "description"), [case[1:] for case in OPEN], ids=[case[0] for case in OPEN])
def test_a_port_open_to_the_internet_is_stopped(before: list[Any], after: list[Any], description: str) -> None:
    assert opened(group(before, after)) == [(Level.STOP, description)]
    assert before or opened(group(None, after)) == [(Level.STOP, description)]


@check_cases(
    ("kind", "values"),
    [
        ("aws_security_group_rule", OWN),
        ("aws_vpc_security_group_ingress_rule", SINGLE),
        ("aws_default_security_group", {"ingress": [rule(WORLD)]}),
    ],
)
def test_any_resource_type_that_opens_a_port_is_stopped(kind: str, values: dict[str, Any]) -> None:
    assert opened(build_change(f"{kind}.r", values)) == [(Level.STOP, "opens tcp 443 to the whole internet")]


NARROWER = [
    ("fewer ports", [rule(WORLD, first=0, last=65535)], [rule(WORLD)]),
    ("one protocol of all", [rule(WORLD, protocol="-1", first=0, last=0)], [rule(WORLD)]),
    ("a smaller network", [rule("10.0.0.0/8")], [rule("10.1.0.0/16")]),
    ("a half of both", [rule("0.0.0.0/1"), rule("128.0.0.0/1")], [rule("64.0.0.0/1")]),
    ("itself alone", [], [rule(self=True)]),
    ("another description", [rule(WORLD)], [rule(WORLD, description="x")]),
]


@check_cases(("before", "after"), [case[1:] for case in NARROWER], ids=[case[0] for case in NARROWER])
def test_a_narrower_rule_is_fine(before: list[Any], after: list[Any]) -> None:
    assert opened(group(before, after)) == []


def test_a_rule_that_moves_to_another_resource_opens_nothing() -> None:
    inline = group([rule(WORLD)], [])
    single = build_change("aws_vpc_security_group_ingress_rule.r", SINGLE)
    assert opened(inline, single) == []
    assert opened(build_change("aws_security_group_rule.r", before=OWN), single) == []


@check_cases(
    ("more", "source"),
    [
        ({"cidr_ipv4": "10.0.0.0/8"}, "10.0.0.0/8"),
        ({"referenced_security_group_id": "sg-2"}, "sg-2"),
        ({"prefix_list_id": "pl-1"}, "pl-1"),
    ],
)
def test_a_port_open_to_other_sources_needs_a_look_unless_the_group_is_new(more: dict[str, Any], source: str) -> None:
    opening = {**SINGLE, "cidr_ipv4": None, **more}
    entry = build_change("aws_vpc_security_group_ingress_rule.r", opening)
    assert opened(entry) == [(Level.LOOK, f"opens tcp 443 to {source}")]
    assert opened(group(None, []), entry) == []


def test_a_port_open_to_the_group_of_a_cluster_of_the_plan_is_a_note() -> None:
    name, path = "referenced_security_group_id", "aws_eks_cluster.c.vpc_config[0].cluster_security_group_id"
    cluster = build_change("aws_eks_cluster.c", {"name": "c"}, unknown={"vpc_config": True})
    opening = build_change("aws_vpc_security_group_ingress_rule.r", {**SINGLE, "cidr_ipv4": None}, unknown={name: True})
    references = [path, "aws_eks_cluster.c.vpc_config[0]", "aws_eks_cluster.c.vpc_config", "aws_eks_cluster.c"]
    resources = [
        build_configuration("aws_vpc_security_group_ingress_rule.r", **{name: references}),
        build_configuration("aws_eks_cluster.c", name={"constant_value": "c"}),
    ]
    assert opened(group([], []), cluster, opening, root={"resources": resources}) == [
        (Level.NOTE, "opens tcp 443 to aws_eks_cluster.c")
    ]


LOAD_BALANCER = {"id": "sg-2", "name": "balancer"}


@pytest.mark.parametrize(
    "balancer",
    [
        build_change("aws_security_group.balancer", LOAD_BALANCER, before=LOAD_BALANCER),
        build_change("aws_security_group.balancer", {"name": "balancer"}, unknown={"id": True, "ingress": True}),
    ],
    ids=["existing", "new"],
)
def test_a_port_open_to_a_group_of_the_plan_is_a_note(balancer: dict[str, Any]) -> None:
    references = ["aws_security_group.balancer.id"]
    is_new = balancer["change"]["before"] is None
    single, name = {**SINGLE, "cidr_ipv4": None}, "referenced_security_group_id"
    marks: dict[str, Any] = {name: True} if is_new else {}
    separate = build_change(
        "aws_vpc_security_group_ingress_rule.r", single | ({} if is_new else {name: "sg-2"}), unknown=marks
    )
    inside = group([], [rule(security_groups=[] if is_new else ["sg-2"])])
    inside["change"]["after_unknown"] = {"ingress": [{"security_groups": True}]} if is_new else {}
    root = {
        "resources": [
            build_configuration("aws_vpc_security_group_ingress_rule.r", **{name: references}),
            build_configuration("aws_security_group.this", ingress=references),
            build_configuration("aws_security_group.balancer", name={"constant_value": "balancer"}),
        ]
    }
    own = group([], [])
    noted = [(Level.NOTE, "opens tcp 443 to aws_security_group.balancer")]
    assert opened(own, balancer, separate, root=root) == noted
    assert opened(inside, balancer, root=root) == noted
    root["resources"][1] = build_configuration("aws_security_group.this", ingress=["local.groups"])
    assert not is_new or [level for level, _ in opened(inside, balancer, root=root)] == [Level.LOOK]


def test_a_network_acl_is_one_of_two_locks() -> None:
    entry = {"network_acl_id": "acl-1", "rule_action": "allow", "protocol": "-1", "cidr_block": WORLD, "egress": False}
    assert opened(build_change("aws_network_acl_rule.r", entry)) == [
        (Level.LOOK, "opens all ports to the whole internet")
    ]
    assert opened(build_change("aws_network_acl_rule.r", {**entry, "rule_action": "deny"})) == []


@pytest.mark.parametrize("how", ["unknown", "sensitive"])
def test_an_unreadable_source_needs_a_look(how: str) -> None:
    kind, marks = "aws_vpc_security_group_ingress_rule", {"cidr_ipv4": True}
    root = {"resources": [build_configuration(f"{kind}.r", cidr_ipv4=["var.network"])]}
    before = {**SINGLE, "cidr_ipv4": "10.0.0.0/8"}
    after = {key: value for key, value in SINGLE.items() if how == "sensitive" or key != "cidr_ipv4"}
    entry = build_change(f"{kind}.r", after, before=before, **{how: marks})  # type: ignore[arg-type]
    assert [level for level, _ in opened(entry, root=root)] == [Level.LOOK]


def test_the_rules_of_a_new_group_that_has_none_of_its_own_are_those_of_other_resources() -> None:
    root = {"resources": [build_configuration("aws_security_group.this", name={"constant_value": "x"})]}
    assert opened(build_change("aws_security_group.this", {"name": "x"}, unknown={"ingress": True}), root=root) == []
