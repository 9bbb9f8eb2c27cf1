"""Routes that let existing subnets reach the internet, or be reached from it."""

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import NamedTuple

from sustainable_mlops.plan import UNKNOWN, Block, Joins, Resource, Sensitive
from sustainable_mlops.review.comparison import Comparison, ResourcePair
from sustainable_mlops.review.privileges.ports import is_much_of_internet, parse_network
from sustainable_mlops.review.risk import Level, Risk, build_privilege_risk

_TABLES = ("aws_route_table", "aws_default_route_table")
#: Types that contain routes, with the attribute that names their table.
_ROUTE_TYPES = {
    "aws_route_table": "id",
    "aws_default_route_table": "default_route_table_id",
    "aws_route": "route_table_id",
}
#: Types that give a table to a subnet or a VPC, with the attribute that names the subnet or VPC.
ASSOCIATIONS = {"aws_route_table_association": "subnet_id", "aws_main_route_table_association": "vpc_id"}
_NETWORKS = ("destination_cidr_block", "destination_ipv6_cidr_block", "cidr_block", "ipv6_cidr_block")
#: Reach of a table: only networks, a default route such as a NAT gateway, or an internet gateway.
_NONE, _WAY_OUT, _INTERNET = range(3)
_DESCRIPTIONS = {
    _WAY_OUT: "may now connect to the internet through a NAT gateway or another network",
    _INTERNET: "get a route to an internet gateway: instances with a public address can be reached from the internet",
}
_HIDDEN = "are unknown until apply or sensitive"


class _Route(NamedTuple):
    """A route for much of the internet; `version` is the version of IP."""

    pair: ResourcePair
    table: str
    version: int
    reach: int
    #: True if the plan creates the table or the gateway.
    is_new: bool


def find_route_risks(comparison: Comparison) -> Iterator[Risk]:
    """Yield a risk for each route to the internet that existing subnets get."""
    if not any(pair.type in _ROUTE_TYPES or pair.type in ASSOCIATIONS for pair in comparison.changes):
        return
    before, after = (list(_list_routes(comparison, before=is_before)) for is_before in (True, False))
    risks: dict[str, int] = {}
    for route in after:
        former = _get_reach(before, route.table, route.version)
        if route.pair.action not in ("no-op", "read") and route.reach > former and not route.is_new:
            risks[route.pair.address] = max(route.reach, risks.get(route.pair.address, _NONE))
    for address, reach in risks.items():
        yield _build_risk(address, f"the subnets of the route table {_DESCRIPTIONS[reach]}")
    yield from _find_unknown_routes(comparison)
    tables = _list_former_tables(comparison)
    for pair in comparison.changes:
        if pair.type in ASSOCIATIONS and pair.new is not None and pair.after is not None:
            yield from _find_association_risks(pair, pair.new, pair.after, comparison, tables, before, after)


def _get_reach(routes: list[_Route], table: str, version: int | None = None) -> int:
    return max(
        (route.reach for route in routes if route.table == table and version in (None, route.version)), default=_NONE
    )


def _list_routes(comparison: Comparison, *, before: bool) -> Iterator[_Route]:
    """Yield the routes for much of the internet."""
    joins = comparison.joins_before if before else comparison.joins_after
    for pair in (pair for type_ in _ROUTE_TYPES for pair in comparison.by_type.get(type_, ())):
        resource, values = (pair.old, pair.before) if before else (pair.new, pair.after)
        if resource is None or values is None:
            continue
        blocks = [values] if pair.type == "aws_route" else values.blocks("route")
        for block in () if blocks is UNKNOWN else blocks:
            networks = [parse_network(str(block.get(name))) for name in _NETWORKS]
            for network in networks:
                if not isinstance(network, str) and is_much_of_internet(network) and block.get("gateway_id") != "local":
                    table = _find_table(pair, resource, joins, comparison, _ROUTE_TYPES[pair.type])
                    reach = _INTERNET if _leads_to_gateway(block, resource, joins) else _WAY_OUT
                    is_known = str(block.get("gateway_id")).startswith("igw-")
                    is_new = _is_new_table(pair, values, table, comparison) and not is_known
                    yield _Route(pair, table, network.version, reach, is_new)


def _find_unknown_routes(comparison: Comparison) -> Iterator[Risk]:
    """Yield a risk for each existing route table that gets a route whose destination is unknown or sensitive."""
    for pair in comparison.changes:
        if pair.type not in _ROUTE_TYPES or pair.new is None or pair.after is None:
            continue
        table = _find_table(pair, pair.new, comparison.joins_after, comparison, _ROUTE_TYPES[pair.type])
        if _is_new_table(pair, pair.after, table, comparison):
            continue
        former = [] if pair.old is None else _list_destinations(pair.old, pair.before, comparison.joins_before)
        destinations = _list_destinations(pair.new, pair.after, comparison.joins_after)
        if any(one not in former and any(map(_is_hidden, one)) for one in destinations):
            yield _build_unknown_risk(pair.address, f"the destinations of the routes {_HIDDEN}")


def _list_destinations(resource: Resource, values: Block | None, joins: Joins) -> list[tuple[object, ...]]:
    """Return the destination of each route, as the values of its attributes."""
    if values is None:
        return []
    blocks = [values] if resource.type == "aws_route" else values.blocks("route")
    if blocks is UNKNOWN:
        # The provider computes the routes of a new table that sets none.
        is_new = resource.action == "replace" or not resource.exists(before=True)
        is_computed = is_new and joins.is_configured(resource, "route") is False
        return [] if is_computed else [(values.get("route"),)]
    return [tuple(block.get(name) for name in _NETWORKS) for block in blocks]


def _is_hidden(value: object) -> bool:
    return value is UNKNOWN or isinstance(value, Sensitive)


def _leads_to_gateway(block: Block, resource: Resource, joins: Joins) -> bool:
    """Return whether a route leads to an internet gateway; another kind of gateway has another prefix."""
    gateway = block.text("gateway_id")
    if gateway is not UNKNOWN:
        return str(gateway).startswith("igw-")
    path = f"{block.path}.gateway_id" if block.path else "gateway_id"
    if joins.is_configured(resource, path) is False:
        return False
    return not joins.list_referenced(resource, path, "aws_vpn_gateway")


def _find_table(pair: ResourcePair, resource: Resource, joins: Joins, comparison: Comparison, attribute: str) -> str:
    """Return the address of the route table if it is in the plan, else its ID, else the address of the pair."""
    if pair.type in _TABLES:
        return pair.address
    for type_ in _TABLES:
        target = joins.find_target(resource, attribute, type_)
        if isinstance(target, Resource):
            return comparison.pair(target).address
    name = resource.get_values(before=joins.before).text(attribute)
    return name if isinstance(name, str) else pair.address


def _is_new_table(pair: ResourcePair, values: Block, table: str, comparison: Comparison) -> bool:
    """Return whether the plan creates the table.

    The ID of an existing one is known, unless a data source reads it during apply.
    """
    owner = _find_owner(table, comparison)
    if owner is not None and owner.type == "aws_route_table":
        return owner.is_new
    attribute = _ROUTE_TYPES[pair.type]
    return values.text(attribute) is UNKNOWN and not comparison.reads_existing_resource(pair, attribute)


def _find_owner(table: str, comparison: Comparison) -> ResourcePair | None:
    """Return the route table with this address; None if it is not in the plan."""
    pairs = (pair for type_ in _TABLES for pair in comparison.by_type.get(type_, ()))
    return next((pair for pair in pairs if pair.address == table), None)


def _list_former_tables(comparison: Comparison) -> dict[str, str]:
    """Return the route table that each subnet or VPC follows before the plan, as far as the plan shows it."""
    return {
        network: _find_table(pair, pair.old, comparison.joins_before, comparison, "route_table_id")
        for type_, attribute in ASSOCIATIONS.items()
        for pair in comparison.by_type.get(type_, ())
        if pair.old is not None and pair.before is not None and isinstance(network := pair.before.text(attribute), str)
    }


def _find_association_risks(
    pair: ResourcePair,
    new: Resource,
    values: Block,
    comparison: Comparison,
    former_tables: Mapping[str, str],
    before: list[_Route],
    after: list[_Route],
) -> Iterator[Risk]:
    """Yield a risk if an existing subnet or VPC follows another route table that reaches more."""
    attribute = ASSOCIATIONS[pair.type]
    network = values.text(attribute)
    if network in (None, "") or (network is UNKNOWN and not comparison.reads_existing_resource(pair, attribute)):
        return  # the table of a gateway, or a new subnet
    table = _find_table(pair, new, comparison.joins_after, comparison, "route_table_id")
    former = None if network is UNKNOWN else former_tables.get(network)
    if table == former:
        return
    reach = _get_reach(after, table)
    subject = f"the subnets of {network}" if attribute == "vpc_id" else f"the subnet {network}"
    if reach > (_NONE if former is None else _get_reach(before, former)):
        verb = _DESCRIPTIONS[reach] if attribute == "vpc_id" else _DESCRIPTIONS[reach].replace("get ", "gets ", 1)
        yield _build_risk(pair.address, f"{subject} {verb}")
    elif _find_owner(table, comparison) is None:
        verb = "follow" if attribute == "vpc_id" else "follows"
        yield _build_risk(pair.address, f"{subject} {verb} another route table, whose routes are not in the plan")
    elif _has_hidden_destination(table, comparison):
        yield _build_unknown_risk(pair.address, f"the destinations of the routes of {subject} {_HIDDEN}")


def _has_hidden_destination(table: str, comparison: Comparison) -> bool:
    """Return whether the table has a route whose destination is unknown or sensitive."""
    joins = comparison.joins_after
    return any(
        _find_table(pair, pair.new, joins, comparison, attribute) == table
        and any(map(_is_hidden, chain.from_iterable(_list_destinations(pair.new, pair.after, joins))))
        for type_, attribute in _ROUTE_TYPES.items()
        for pair in comparison.by_type.get(type_, ())
        if pair.new is not None
    )


def _build_unknown_risk(address: str, description: str) -> Risk:
    return build_privilege_risk("PRIVILEGES_UNKNOWN", Level.LOOK, address, description, is_known=False)


def _build_risk(address: str, description: str) -> Risk:
    return build_privilege_risk("PRIVILEGES_EXPOSED", Level.LOOK, address, description)
