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


def list_port_risks(*changes: dict[str, Any], **more: Any) -> list[tuple[Level, str]]:
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
    assert list_port_risks(group(before, after)) == [(Level.STOP, description)]
    assert before or list_port_risks(group(None, after)) == [(Level.STOP, description)]


@check_cases(
    ("kind", "values"),
    [
        ("aws_security_group_rule", OWN),
        ("aws_vpc_security_group_ingress_rule", SINGLE),
        ("aws_default_security_group", {"ingress": [rule(WORLD)]}),
    ],
)
def test_any_resource_type_that_opens_a_port_is_stopped(kind: str, values: dict[str, Any]) -> None:
    assert list_port_risks(build_change(f"{kind}.r", values)) == [(Level.STOP, "opens tcp 443 to the whole internet")]


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
    assert list_port_risks(group(before, after)) == []


def test_a_rule_that_moves_to_another_resource_opens_nothing() -> None:
    inline = group([rule(WORLD)], [])
    single = build_change("aws_vpc_security_group_ingress_rule.r", SINGLE)
    assert list_port_risks(inline, single) == []
    assert list_port_risks(build_change("aws_security_group_rule.r", before=OWN), single) == []


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
    assert list_port_risks(entry) == [(Level.LOOK, f"opens tcp 443 to {source}")]
    assert list_port_risks(group(None, []), entry) == []


def test_a_port_open_to_the_group_of_a_cluster_of_the_plan_is_a_note() -> None:
    name, path = "referenced_security_group_id", "aws_eks_cluster.c.vpc_config[0].cluster_security_group_id"
    cluster = build_change("aws_eks_cluster.c", {"name": "c"}, unknown={"vpc_config": True})
    opening = build_change("aws_vpc_security_group_ingress_rule.r", {**SINGLE, "cidr_ipv4": None}, unknown={name: True})
    references = [path, "aws_eks_cluster.c.vpc_config[0]", "aws_eks_cluster.c.vpc_config", "aws_eks_cluster.c"]
    resources = [
        build_configuration("aws_vpc_security_group_ingress_rule.r", **{name: references}),
        build_configuration("aws_eks_cluster.c", name={"constant_value": "c"}),
    ]
    assert list_port_risks(group([], []), cluster, opening, root={"resources": resources}) == [
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
    assert list_port_risks(own, balancer, separate, root=root) == noted
    assert list_port_risks(inside, balancer, root=root) == noted
    root["resources"][1] = build_configuration("aws_security_group.this", ingress=["local.groups"])
    assert not is_new or [level for level, _ in list_port_risks(inside, balancer, root=root)] == [Level.LOOK]


def test_a_network_acl_is_one_of_two_locks() -> None:
    entry = {"network_acl_id": "acl-1", "rule_action": "allow", "protocol": "-1", "cidr_block": WORLD, "egress": False}
    assert list_port_risks(build_change("aws_network_acl_rule.r", entry)) == [
        (Level.LOOK, "opens all ports to the whole internet")
    ]
    assert list_port_risks(build_change("aws_network_acl_rule.r", {**entry, "rule_action": "deny"})) == []


def build_outgoing(**rules: list[Any]) -> dict[str, Any]:
    """Return the change of a group with these outgoing rules `before` and `after`."""
    sides = {side: {"id": "sg-1", "ingress": [], "egress": outgoing} for side, outgoing in rules.items()}
    return build_change("aws_security_group.this", sides["after"], before=sides.get("before"))


ALL: dict[str, Any] = {"first": 0, "last": 0, "protocol": "-1"}
EGRESS = {"security_group_id": "sg-1", "ip_protocol": "-1", "cidr_ipv4": WORLD}
OUTGOING = [
    ([rule("10.0.0.0/8")], [rule(WORLD, **ALL)], (Level.LOOK, "allows connections to the whole internet: all ports")),
    ([], [rule("0.0.0.0/1")], (Level.LOOK, "allows connections to much of the internet, 0.0.0.0/1: tcp 443")),
    ([], [rule("203.0.113.7/32")], (Level.LOOK, "allows connections to 203.0.113.7/32: tcp 443")),
    ([], [rule(prefix_list_ids=["pl-1"])], (Level.LOOK, "allows connections to pl-1: tcp 443")),
    ([], [rule("10.1.0.0/16")], (Level.NOTE, "allows connections to 10.1.0.0/16: tcp 443")),
    ([], [rule(security_groups=["sg-2"])], (Level.NOTE, "allows connections to sg-2: tcp 443")),
    ([rule(WORLD, **ALL)], [rule("203.0.113.7/32")], None),
    ([rule(WORLD, **ALL)], [rule(WORLD, **ALL), rule(prefix_list_ids=["pl-1"])], None),
    (
        [rule(WORLD, first=80, last=80)],
        [rule(WORLD, first=80, last=80), rule(prefix_list_ids=["pl-1"])],
        (Level.LOOK, "allows connections to pl-1: tcp 443"),
    ),
]


@check_cases(("before", "after", "risk"), OUTGOING)
def test_a_new_way_out_of_an_existing_group_needs_a_look(before: list[Any], after: list[Any], risk: Any) -> None:
    assert list_port_risks(build_outgoing(before=before, after=after)) == ([risk] if risk else [])
    assert list_port_risks(build_outgoing(after=after)) == []


@check_cases(
    ("kind", "values"),
    [
        ("aws_vpc_security_group_egress_rule", EGRESS),
        ("aws_security_group_rule", {"security_group_id": "sg-1", "type": "egress", **rule(WORLD, **ALL)}),
    ],
)
def test_a_rule_for_a_new_way_out_needs_a_look_unless_its_group_is_new(kind: str, values: dict[str, Any]) -> None:
    entry = build_change(f"{kind}.r", values)
    assert list_port_risks(entry) == [(Level.LOOK, "allows connections to the whole internet: all ports")]
    assert list_port_risks(build_outgoing(before=[rule(WORLD, **ALL)], after=[]), entry) == []
    unnamed = {name: value for name, value in values.items() if name != "security_group_id"}
    assert list_port_risks(build_change(f"{kind}.r", unnamed, unknown={"security_group_id": True})) == []


@check_cases(
    ("kind", "egress"),
    [
        ("aws_default_security_group", [rule(WORLD, **ALL)]),
        ("aws_default_network_acl", [{"action": "allow", "rule_no": 100, "protocol": "-1", "cidr_block": WORLD}]),
    ],
)
def test_an_adopted_default_group_already_allows_all_outgoing_connections(kind: str, egress: list[Any]) -> None:
    assert list_port_risks(build_change(f"{kind}.this", {"egress": egress})) == []
    assert list_port_risks(build_change(f"{kind}.this", {"egress": egress}, before={"egress": []})) == [
        (Level.LOOK, "allows connections to the whole internet: all ports")
    ]


def entry(number: int, action: str, network: str = WORLD, protocol: str = "-1", port: int = 0) -> dict[str, Any]:
    """Return a rule inside a network ACL."""
    ports = {"protocol": protocol, "from_port": port, "to_port": port}
    return {"rule_no": number, "action": action, "cidr_block": network, "ipv6_cidr_block": "", **ports}


def build_separate_rule(number: int, *, egress: bool = False, action: str = "deny") -> dict[str, Any]:
    """Return a rule of an existing network ACL, as a resource of its own."""
    more = {"rule_number": number, "rule_action": action, "protocol": "all", "cidr_block": "203.0.113.0/24"}
    return {"network_acl_id": "acl-1", "egress": egress, **more}


ALLOWED, DENIED = entry(100, "allow"), entry(50, "deny", "203.0.113.0/24")
LOST = [
    ("removed", [DENIED, ALLOWED], [ALLOWED]),
    ("behind", [DENIED, ALLOWED], [ALLOWED, {**DENIED, "rule_no": 200}]),
    ("overtaken", [DENIED, ALLOWED], [{**ALLOWED, "rule_no": 10}, DENIED]),
    ("two halves, one behind", [DENIED, ALLOWED],
     [entry(50, "deny", "203.0.113.0/25"), ALLOWED, entry(151, "deny", "203.0.113.128/25")]),
    ("narrower network", [DENIED, ALLOWED], [{**DENIED, "cidr_block": "203.0.113.0/25"}, ALLOWED]),
    ("fewer ports", [DENIED, ALLOWED], [entry(50, "deny", "203.0.113.0/24", "6", 22), ALLOWED]),
    ("now allowed", [DENIED, ALLOWED], [{**DENIED, "action": "allow"}, ALLOWED]),
]  # fmt: skip
STILL_DENIED = [
    ("another number", [DENIED, ALLOWED], [{**DENIED, "rule_no": 60}, ALLOWED]),
    ("a larger network", [DENIED, ALLOWED], [{**DENIED, "cidr_block": "203.0.0.0/16"}, ALLOWED]),
    ("the name of the protocol", [entry(50, "deny", WORLD, "6", 22), ALLOWED],
     [entry(50, "deny", WORLD, "tcp", 22), ALLOWED]),
    ("no effect before", [ALLOWED, {**DENIED, "rule_no": 200}], [ALLOWED]),
    ("denied by default", [DENIED, entry(100, "allow", "10.0.0.0/8")], [entry(100, "allow", "10.0.0.0/8")]),
    ("fewer allowed", [DENIED, ALLOWED], [DENIED]),
    ("two halves", [DENIED, ALLOWED],
     [entry(50, "deny", "203.0.113.0/25"), entry(51, "deny", "203.0.113.128/25"), ALLOWED]),
]  # fmt: skip


@pytest.mark.parametrize("direction", ["ingress", "egress"])
@check_cases(("before", "after"), [case[1:] for case in LOST], ids=[case[0] for case in LOST])
def test_a_lost_denial_of_a_network_acl_needs_a_look(before: list[Any], after: list[Any], direction: str) -> None:
    change = build_change("aws_network_acl.n", {"id": "acl-1", direction: after}, before={direction: before})
    preposition = "to" if direction == "egress" else "from"
    assert list_port_risks(change) == [
        (Level.LOOK, f"no longer denies connections {preposition} 203.0.113.0/24: all ports")
    ]


@check_cases(("before", "after"), [case[1:] for case in STILL_DENIED], ids=[case[0] for case in STILL_DENIED])
def test_a_denial_that_still_applies_or_never_applied_is_fine(before: list[Any], after: list[Any]) -> None:
    assert list_port_risks(build_change("aws_network_acl.n", {"ingress": after}, before={"ingress": before})) == []


@pytest.mark.parametrize("egress", [False, True])
def test_a_denial_of_its_own_resource_is_lost_with_it_or_behind_unknown_rules(egress: bool) -> None:
    address = "aws_network_acl_rule.d"
    network = f"connections {'to' if egress else 'from'} 203.0.113.0/24: all ports"
    lost, old = [(Level.LOOK, f"no longer denies {network}")], build_separate_rule(50, egress=egress)
    assert list_port_risks(build_change(address, before=old)) == lost
    assert list_port_risks(build_change(address, build_separate_rule(500, egress=egress), before=old)) == lost
    assert list_port_risks(build_change(address, build_separate_rule(40, egress=egress), before=old)) == []
    moved = build_change("aws_network_acl_rule.other", build_separate_rule(50, egress=egress))
    assert list_port_risks(build_change(address, before=old), moved) == []
    # The provider repeats the rule in the network ACL.
    repeated = {"id": "acl-1", "egress" if egress else "ingress": [DENIED, ALLOWED]}
    owner = build_change("aws_network_acl.n", repeated, before=repeated)
    root = {"resources": [build_configuration("aws_network_acl.n", vpc_id={"constant_value": "vpc-1"})]}
    assert list_port_risks(build_change(address, before=old), owner, root=root) == lost


def test_the_denials_of_a_deleted_network_acl_are_lost_unless_its_network_is_deleted() -> None:
    values = {"id": "acl-1", "vpc_id": "vpc-1", "ingress": [DENIED, ALLOWED]}
    deleted, network = build_change("aws_network_acl.n", before=values), {"id": "vpc-1", "cidr_block": "10.0.0.0/16"}
    lost = [(Level.LOOK, "no longer denies connections from 203.0.113.0/24: all ports")]
    assert list_port_risks(deleted) == lost
    assert list_port_risks(deleted, build_change("aws_vpc.v", network, before=network)) == lost
    assert list_port_risks(deleted, build_change("aws_vpc.v", before=network)) == []


NETWORKS = {"id": "pl-1", "name": "offices", "entry": []}
USER = {**SINGLE, "cidr_ipv4": None, "prefix_list_id": "pl-1"}
CIDR = {"prefix_list_id": "pl-1", "cidr": WORLD}


def test_an_entry_that_joins_an_existing_prefix_list_is_compared_like_the_list() -> None:
    added = build_change("aws_ec2_managed_prefix_list_entry.e", CIDR)
    user = build_change("aws_vpc_security_group_ingress_rule.r", USER, before=USER)
    stopped = [(Level.STOP, "adds the whole internet to the prefix list")]
    assert list_port_risks(user, added) == stopped
    office = build_change("aws_ec2_managed_prefix_list_entry.e", {**CIDR, "cidr": "192.0.2.0/24"})
    assert list_port_risks(user, office) == [(Level.LOOK, "adds 192.0.2.0/24 to the prefix list")]
    assert list_port_risks(build_change("aws_ec2_managed_prefix_list_entry.old", before=CIDR), added) == []


def test_a_rule_opens_a_port_to_the_networks_of_a_prefix_list_of_the_plan() -> None:
    user = build_change("aws_vpc_security_group_ingress_rule.r", USER)
    offices = {**NETWORKS, "entry": [{"cidr": "192.0.2.0/24"}]}
    kept = build_change("aws_ec2_managed_prefix_list.l", offices, before=offices)
    assert list_port_risks(user, kept) == [(Level.LOOK, "opens tcp 443 to 192.0.2.0/24")]
    assert list_port_risks(group(None, []), user, kept) == []
    references = ["aws_ec2_managed_prefix_list.l.id", "aws_ec2_managed_prefix_list.l"]
    root = {
        "resources": [
            build_configuration("aws_ec2_managed_prefix_list_entry.e", prefix_list_id=references),
            build_configuration("aws_vpc_security_group_ingress_rule.r", prefix_list_id=references),
            build_configuration("aws_ec2_managed_prefix_list.l", name={"constant_value": "offices"}),
        ]
    }
    changes = [
        group(None, []),
        build_change("aws_ec2_managed_prefix_list.l", {"name": "offices"}, unknown={"id": True, "entry": True}),
        build_change("aws_ec2_managed_prefix_list_entry.e", {"cidr": WORLD}, unknown={"prefix_list_id": True}),
        build_change("aws_vpc_security_group_ingress_rule.r", SINGLE | {"cidr_ipv4": None},
                     unknown={"prefix_list_id": True}),
    ]  # fmt: skip
    assert list_port_risks(*changes, root=root) == [(Level.STOP, "opens tcp 443 to the whole internet")]
    assert list_port_risks(*changes[:3], root=root) == []


ENTRY_REFERENCES = ["aws_ec2_managed_prefix_list.l.id", "aws_ec2_managed_prefix_list.l"]
LIST_UNKNOWN = (Level.LOOK, "the networks of the prefix list are unknown until apply or sensitive")
RULE_UNKNOWN = (Level.LOOK, "the sources that may connect are unknown until apply or sensitive")
NEW_LIST = build_change("aws_ec2_managed_prefix_list.l", {"name": "offices"}, unknown={"id": True, "entry": True})
KEPT_LIST = build_change("aws_ec2_managed_prefix_list.l", NETWORKS, before=NETWORKS)
NEW_ENTRY = build_change("aws_ec2_managed_prefix_list_entry.e", {}, unknown={"prefix_list_id": True, "cidr": True})
KNOWN_ENTRY = build_change(
    "aws_ec2_managed_prefix_list_entry.e", {"cidr": "192.0.2.0/24"}, unknown={"prefix_list_id": True}
)
NEW_USER = build_change(
    "aws_vpc_security_group_ingress_rule.r", SINGLE | {"cidr_ipv4": None}, unknown={"prefix_list_id": True}
)
ADDED = build_change("aws_ec2_managed_prefix_list_entry.e", {"prefix_list_id": "pl-1"}, unknown={"cidr": True})
REPLACED = build_change(
    "aws_ec2_managed_prefix_list_entry.e",
    {"prefix_list_id": "pl-1"},
    before={**CIDR, "cidr": "192.0.2.0/24"},
    unknown={"cidr": True},
    actions=["delete", "create"],
)
PARTLY_UNKNOWN = build_change(
    "aws_ec2_managed_prefix_list.l", {"name": "offices", "entry": [{"cidr": "192.0.2.0/24"}, {}]},
    unknown={"id": True, "entry": [{}, {"cidr": True}]},
)  # fmt: skip


@check_cases(
    ("changes", "expected"),
    [
        ([KEPT_LIST, ADDED], [LIST_UNKNOWN]),
        ([ADDED], [LIST_UNKNOWN]),
        ([KEPT_LIST, REPLACED], [LIST_UNKNOWN]),
        ([NEW_LIST, NEW_ENTRY], []),
        ([NEW_LIST, NEW_ENTRY, NEW_USER], [RULE_UNKNOWN]),
        ([NEW_LIST, NEW_USER], [RULE_UNKNOWN]),
        ([PARTLY_UNKNOWN, NEW_USER], [RULE_UNKNOWN, (Level.LOOK, "opens tcp 443 to 192.0.2.0/24")]),
        ([NEW_LIST, KNOWN_ENTRY, NEW_USER], [(Level.LOOK, "opens tcp 443 to 192.0.2.0/24")]),
        ([KEPT_LIST, build_change("aws_vpc_security_group_ingress_rule.r", USER)],
         [(Level.NOTE, "opens tcp 443 to aws_ec2_managed_prefix_list.l")]),
    ],
)  # fmt: skip
def test_unknown_entries_of_a_prefix_list_need_a_look(
    changes: list[dict[str, Any]], expected: list[tuple[Level, str]]
) -> None:
    root = {
        "resources": [
            build_configuration("aws_ec2_managed_prefix_list_entry.e", prefix_list_id=ENTRY_REFERENCES),
            build_configuration("aws_vpc_security_group_ingress_rule.r", prefix_list_id=ENTRY_REFERENCES),
            build_configuration("aws_ec2_managed_prefix_list.l", name={"constant_value": "offices"}),
        ]
    }
    assert list_port_risks(group([], []), *changes, root=root) == expected


@pytest.mark.parametrize("how", ["unknown", "sensitive"])
def test_an_unreadable_source_needs_a_look(how: str) -> None:
    kind, marks = "aws_vpc_security_group_ingress_rule", {"cidr_ipv4": True}
    root = {"resources": [build_configuration(f"{kind}.r", cidr_ipv4=["var.network"])]}
    before = {**SINGLE, "cidr_ipv4": "10.0.0.0/8"}
    after = {key: value for key, value in SINGLE.items() if how == "sensitive" or key != "cidr_ipv4"}
    entry = build_change(f"{kind}.r", after, before=before, **{how: marks})  # type: ignore[arg-type]
    assert [level for level, _ in list_port_risks(entry, root=root)] == [Level.LOOK]


def test_the_rules_of_a_new_group_that_has_none_of_its_own_are_those_of_other_resources() -> None:
    root = {"resources": [build_configuration("aws_security_group.this", name={"constant_value": "x"})]}
    assert (
        list_port_risks(build_change("aws_security_group.this", {"name": "x"}, unknown={"ingress": True}), root=root)
        == []
    )
