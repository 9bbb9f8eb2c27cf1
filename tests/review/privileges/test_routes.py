"""Routes to the internet, and subnets that follow another route table."""

from typing import Any

from sustainable_mlops.review.comparison import Comparison
from sustainable_mlops.review.privileges.routes import find_route_risks
from sustainable_mlops.review.risk import Level
from tests.cases import check_cases
from tests.plan.plan_builder import build_change, build_configuration, build_plan

WORLD = "0.0.0.0/0"
GATEWAY_ROUTE = "a route to an internet gateway: instances with a public address can be reached from the internet"
INTERNET = f"the subnets of the route table get {GATEWAY_ROUTE}"
WAY_OUT = "the subnets of the route table may now connect to the internet through a NAT gateway or another network"
GATEWAY, OTHER_GATEWAY = "igw-0a1b2c3d4e5f60718", "nat-0a1b2c3d4e5f60718"


def list_descriptions(*changes: dict[str, Any], **more: Any) -> list[str]:
    risks = list(find_route_risks(Comparison(build_plan(*changes, **more))))
    assert {risk.level for risk in risks} <= {Level.LOOK}
    return [risk.description for risk in risks]


def route(network: str = WORLD, table: str = "rtb-1", **target: Any) -> dict[str, Any]:
    return {"route_table_id": table, "destination_cidr_block": network, **target}


@check_cases(
    ("values", "description"),
    [
        (route(gateway_id=GATEWAY), INTERNET),
        (route("0.0.0.0/1", gateway_id=GATEWAY), INTERNET),
        (route("", destination_ipv6_cidr_block="::/0", gateway_id=GATEWAY), INTERNET),
        (route(nat_gateway_id=OTHER_GATEWAY), WAY_OUT),
        (route(transit_gateway_id="tgw-0a1b2c3d4e5f60718"), WAY_OUT),
        (route("10.0.0.0/8", gateway_id=GATEWAY), None),
        (route("10.0.0.0/8", transit_gateway_id="tgw-0a1b2c3d4e5f60718"), None),
        (route(gateway_id="local"), None),
    ],
)
def test_a_new_route_for_much_of_the_internet_needs_a_look(values: dict[str, Any], description: str | None) -> None:
    assert list_descriptions(build_change("aws_route.r", values)) == ([description] if description else [])
    assert list_descriptions(build_change("aws_route.r", before=values)) == []


def test_a_route_that_moves_or_reaches_less_is_fine() -> None:
    public, private = route(gateway_id=GATEWAY), route(nat_gateway_id=OTHER_GATEWAY)
    assert list_descriptions(build_change("aws_route.old", before=public), build_change("aws_route.r", public)) == []
    assert list_descriptions(build_change("aws_route.r", private, before=public)) == []
    assert list_descriptions(build_change("aws_route.r", public, before=private)) == [INTERNET]
    table = {"id": "rtb-1", "route": [{"cidr_block": WORLD, "gateway_id": GATEWAY}]}
    empty = {"id": "rtb-1", "route": []}
    assert list_descriptions(build_change("aws_route_table.t", table, before=empty)) == [INTERNET]
    assert list_descriptions(build_change("aws_route_table.t", empty, before=table)) == []


def build_gateway_route(gateway: str, table: dict[str, Any] | None = None) -> list[str]:
    """Return the descriptions for a route to a new gateway, in an existing table or in `table`."""
    expressions: dict[str, Any] = {"gateway_id": [f"{gateway}.g.id", f"{gateway}.g"]}
    unknown = {"gateway_id": True}
    values = route()
    if table is not None:
        expressions["route_table_id"] = ["aws_route_table.t.id", "aws_route_table.t"]
        unknown["route_table_id"] = True
        del values["route_table_id"]
    root = {
        "resources": [
            build_configuration("aws_route.r", **expressions),
            build_configuration("aws_route_table.t", vpc_id={"constant_value": "vpc-1"}),
            build_configuration(f"{gateway}.g", vpc_id={"constant_value": "vpc-1"}),
        ]
    }
    changes = [build_change(f"{gateway}.g", {"vpc_id": "vpc-1"}, unknown={"id": True}),
               build_change("aws_route.r", values, unknown=unknown)]  # fmt: skip
    return list_descriptions(*changes, *([] if table is None else [table]), root=root)


def test_a_route_to_a_new_gateway_needs_a_look_unless_its_table_is_new() -> None:
    assert build_gateway_route("aws_internet_gateway") == [INTERNET]
    assert build_gateway_route("aws_vpn_gateway") == [WAY_OUT]
    created = build_change("aws_route_table.t", {"vpc_id": "vpc-1"}, unknown={"id": True, "route": True})
    assert build_gateway_route("aws_internet_gateway", created) == []
    tagged = build_change("aws_route_table.t", {"id": "rtb-1", "tags": {"a": "b"}}, before={"id": "rtb-1", "tags": {}})
    assert build_gateway_route("aws_internet_gateway", tagged) == [INTERNET]


HIDDEN = "the destinations of the routes are unknown until apply or sensitive"
TABLE = {"id": "rtb-1", "route": []}


@check_cases(
    ("change", "descriptions"),
    [
        (build_change("aws_route.r", {"route_table_id": "rtb-1"}, unknown={"destination_cidr_block": True}),
         [HIDDEN]),
        (build_change("aws_route.r", route(), before=route("10.0.0.0/8"), sensitive={"destination_cidr_block": True}),
         [HIDDEN]),
        (build_change("aws_route_table.t", {"id": "rtb-1"}, before=TABLE, unknown={"route": True}), [HIDDEN]),
        (build_change("aws_route_table.t", {"id": "rtb-1", "route": [{}]}, before=TABLE,
                      unknown={"route": [{"cidr_block": True}]}), [HIDDEN]),
        # A new table, and a route of which only another attribute is unknown or changed.
        (build_change("aws_route.r", unknown={"route_table_id": True, "destination_cidr_block": True}, after={}), []),
        (build_change("aws_route_table.t", {"vpc_id": "vpc-1"}, unknown={"id": True, "route": True}), []),
        (build_change("aws_default_route_table.t", {"default_route_table_id": "rtb-1"}, unknown={"route": True}), []),
        (build_change("aws_route_table.t", {"vpc_id": "vpc-2"}, before=TABLE, unknown={"id": True, "route": True},
                      actions=["delete", "create"]), []),
        (build_change("aws_route.r", route("10.0.0.0/8"), unknown={"id": True}), []),
        (build_change("aws_route.r", route(gateway_id="a"), before=route(gateway_id="b"),
                      sensitive={"destination_cidr_block": True}), []),
    ],
)  # fmt: skip
def test_a_route_with_an_unknown_or_sensitive_destination_needs_a_look_unless_its_table_is_new(
    change: dict[str, Any], descriptions: list[str]
) -> None:
    table = build_configuration("aws_default_route_table.t", default_route_table_id=["var.table"])
    root = {"resources": [build_configuration("aws_route_table.t", vpc_id={"constant_value": "vpc-1"}), table]}
    assert list_descriptions(change, root=root) == descriptions


def follow(before: str | None, after: str, subnet: str = "subnet-1") -> dict[str, Any]:
    """Return the change of the route table of a subnet."""
    old, new = ({"subnet_id": subnet, "route_table_id": table} for table in (before, after))
    return build_change("aws_route_table_association.a", new, before=old if before else None)


def build_table(name: str, *routes: dict[str, Any]) -> dict[str, Any]:
    values = {"id": f"rtb-{name}", "route": list(routes)}
    return build_change(f"aws_route_table.{name}", values, before=values)


PUBLIC = build_table("public", {"cidr_block": WORLD, "gateway_id": GATEWAY})
PRIVATE = build_table("private", {"cidr_block": "10.0.0.0/8", "transit_gateway_id": "tgw-1"})
UNSEEN = "the subnet subnet-1 follows another route table, whose routes are not in the plan"
REACHES = f"the subnet subnet-1 gets {GATEWAY_ROUTE}"


@check_cases(
    ("before", "after", "description"),
    [
        ("rtb-private", "rtb-public", REACHES),
        (None, "rtb-public", REACHES),
        ("rtb-elsewhere", "rtb-public", REACHES),
        ("rtb-private", "rtb-elsewhere", UNSEEN),
        (None, "rtb-elsewhere", UNSEEN),
        ("rtb-public", "rtb-private", None),
        (None, "rtb-private", None),
        ("rtb-public", "rtb-public", None),
    ],
)
def test_a_subnet_that_follows_another_route_table_needs_a_look(
    before: str | None, after: str, description: str | None
) -> None:
    expected = [description] if description else []
    change = follow(before, after)
    assert list_descriptions(PUBLIC, PRIVATE, change) == expected
    # The same with associations at two addresses.
    created = build_change("aws_route_table_association.b", change["change"]["after"])
    deleted = [build_change("aws_route_table_association.a", before=old)] if (old := change["change"]["before"]) else []
    assert list_descriptions(PUBLIC, PRIVATE, created, *deleted) == expected


@check_cases(
    ("table", "unknown", "is_hidden"),
    [
        ({"vpc_id": "vpc-1", "route": [{"nat_gateway_id": "nat-1"}]}, {"route": [{"cidr_block": True}]}, True),
        ({"vpc_id": "vpc-1", "route": [{"cidr_block": "10.0.0.0/8"}]}, {"route": [{"nat_gateway_id": True}]}, False),
        ({"vpc_id": "vpc-1"}, {"route": True}, False),
    ],
)
def test_a_subnet_that_follows_a_new_table_with_unknown_destinations_needs_a_look(
    table: dict[str, Any], unknown: dict[str, Any], is_hidden: bool
) -> None:
    references = ["aws_route_table.t.id", "aws_route_table.t"]
    configured = {"route": ["var.routes"]} if "route" in table else {}
    root = {
        "resources": [
            build_configuration("aws_route_table.t", vpc_id={"constant_value": "vpc-1"}, **configured),
            build_configuration("aws_route_table_association.a", route_table_id=references),
        ]
    }
    created = build_change("aws_route_table.t", table, unknown={"id": True, **unknown})
    for before in (None, {"subnet_id": "subnet-1", "route_table_id": "rtb-old"}):
        followed = build_change("aws_route_table_association.a", {"subnet_id": "subnet-1"}, before=before,
                                unknown={"route_table_id": True})  # fmt: skip
        expected = ["the destinations of the routes of the subnet subnet-1 are unknown until apply or sensitive"]
        assert list_descriptions(created, followed, root=root) == expected * is_hidden


def test_a_new_subnet_may_follow_any_route_table() -> None:
    new = build_change("aws_route_table_association.a", {"route_table_id": "rtb-public"}, unknown={"subnet_id": True})
    assert list_descriptions(PUBLIC, new) == []


def test_the_main_route_table_of_an_existing_network_is_compared_too() -> None:
    main = build_change("aws_main_route_table_association.m", {"vpc_id": "vpc-1", "route_table_id": "rtb-public"})
    assert list_descriptions(PUBLIC, main) == [f"the subnets of vpc-1 get {GATEWAY_ROUTE}"]
    new = build_change("aws_main_route_table_association.m", {"route_table_id": "rtb-public"}, unknown={"vpc_id": True})
    assert list_descriptions(PUBLIC, new) == []
