"""Ports that networks, security groups or prefix lists newly reach."""

from collections.abc import Callable, Iterator, Sequence
from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_network
from typing import Any, NamedTuple

from sustainable_mlops.plan import UNKNOWN, Block, Joins, Resource, Unknown
from sustainable_mlops.plan.iam import derive_text
from sustainable_mlops.review.comparison import Comparison, ResourcePair
from sustainable_mlops.review.risk import Level, Risk, RiskArea

Network = IPv4Network | IPv6Network

_GROUP, _LIST = "aws_security_group", "aws_network_acl"
#: Types with rules, and for separate rules the type they belong to and the attribute that names it.
_RULE_TYPES = {
    _GROUP: ("", ""),
    "aws_default_security_group": ("", ""),
    "aws_security_group_rule": (_GROUP, "security_group_id"),
    "aws_vpc_security_group_ingress_rule": (_GROUP, "security_group_id"),
    _LIST: ("", ""),
    "aws_default_network_acl": ("", ""),
    "aws_network_acl_rule": (_LIST, "network_acl_id"),
}
_NETWORK_ATTRIBUTES = ("cidr_ipv4", "cidr_ipv6", "cidr_block", "ipv6_cidr_block", "cidr_blocks", "ipv6_cidr_blocks")
_GROUP_ATTRIBUTES = ("security_groups", "source_security_group_id", "referenced_security_group_id")
_OTHER_SOURCE_ATTRIBUTES = (*_GROUP_ATTRIBUTES, "prefix_list_ids", "prefix_list_id")
_GROUP_TYPES = (_GROUP, "aws_default_security_group")
#: Other types that create a security group; their attributes hold its ID, such as `cluster_security_group_id`.
_GROUP_CREATORS = ("aws_eks_cluster", "aws_elb", "aws_vpc", "aws_default_vpc", "aws_directory_service_directory",
                   "aws_workspaces_directory")  # fmt: skip
_ALL_PORTS = 65535
#: Longest prefix of a network that counts as much of the internet: /7 for IPv4, /15 for IPv6.
_LARGE_PREFIXES = {4: 7, 6: 15}


class PlanGroup(str):
    """The address of a security group in the plan, as a source of connections."""

    __slots__ = ()


Source = Network | str
#: Returns the sources for a text of the attribute at a path, or `UNKNOWN` for an unknown source.
_Resolver = Callable[[str, str | Unknown], Sequence[Source | Unknown]]


class _Opening(NamedTuple):
    """A range of ports that a source may connect to."""

    protocol: str
    first: int
    last: int
    source: Source

    def covers(self, other: "_Opening") -> bool:
        ports = self.protocol == "all" or (
            self.protocol == other.protocol and self.first <= other.first and other.last <= self.last
        )
        return ports and _is_inside(other.source, self.source)

    def __str__(self) -> str:
        if self.protocol == "all":
            return "all ports"
        return f"{self.protocol} {self.first}" + ("" if self.first == self.last else f" to {self.last}")


class _PortGroup:
    """A security group or network ACL with its openings before and after, and the resources that add them."""

    def __init__(self) -> None:
        self.touched = self.new = False
        self.before: list[_Opening] = []
        self.after: list[tuple[ResourcePair, _Opening]] = []


def find_port_risks(comparison: Comparison) -> Iterator[Risk]:
    """Yield newly open ports. A rule that moves to another resource is no change."""
    if not any(pair.type in _RULE_TYPES for pair in comparison.changes):
        return
    groups: dict[str, _PortGroup] = {}
    for pair in (pair for type_ in _RULE_TYPES for pair in comparison.by_type.get(type_, ())):
        changes = pair.action not in ("no-op", "read")
        for resource, values, joins in (
            (pair.old, pair.before, comparison.joins_before),
            (pair.new, pair.after, comparison.joins_after),
        ):
            if resource is None or values is None:
                continue
            group = groups.setdefault(_find_group_key(pair, resource, joins, comparison), _PortGroup())
            group.touched |= changes
            group.new |= pair.type in (_GROUP, _LIST) and pair.is_new
            openings = list(_list_openings(pair.type, values, _build_resolver(resource, joins, comparison)))
            if values is pair.before:
                group.before += [opening for opening in openings if opening is not None]
                continue
            group.after += [(pair, opening) for opening in openings if opening is not None]
            # Rules of a new group without own rules are unknown too; separate resources may add them.
            computed = (
                pair.is_new and not _RULE_TYPES[pair.type][0] and joins.is_configured(resource, "ingress") is False
            )
            if changes and None in openings and _has_source_change(pair) and not computed:
                description = "the sources that may connect are unknown until apply or unreadable"
                yield _build_risk("PRIVILEGES_UNKNOWN", Level.LOOK, pair, description, is_known=False)
    for group in groups.values():
        if group.touched:
            yield from _find_opened_ports(group)


def _find_group_key(pair: ResourcePair, resource: Resource, joins: Joins, comparison: Comparison) -> str:
    kind, attribute = _RULE_TYPES[pair.type]
    if not kind:
        return pair.address
    target = joins.find_target(resource, attribute, kind)
    if isinstance(target, Resource):
        return comparison.pair(target).address
    name = resource.values(before=joins.before).text(attribute)
    return name if isinstance(name, str) else pair.address


def _find_opened_ports(group: _PortGroup) -> Iterator[Risk]:
    before = list(_merge_openings(group.before))
    new_openings = [
        (pair, candidate) for pair, candidate in group.after if not any(old.covers(candidate) for old in before)
    ]
    for opening in _merge_openings([candidate for _, candidate in new_openings]):
        pair = next(pair for pair, candidate in new_openings if opening.covers(candidate))
        is_much_of_internet = (
            not isinstance(opening.source, str) and opening.source.prefixlen <= _LARGE_PREFIXES[opening.source.version]
        )
        level = Level.STOP if is_much_of_internet and "_acl" not in pair.type else Level.LOOK
        level = Level.NOTE if isinstance(opening.source, PlanGroup) else level
        if group.new and level is not Level.STOP:
            continue
        source = str(opening.source)
        if is_much_of_internet:
            source = "the whole internet" if source in ("0.0.0.0/0", "::/0") else f"much of the internet, {source}"
        yield _build_risk("PRIVILEGES_EXPOSED", level, pair, f"opens {opening} to {source}")


def _merge_openings(openings: Sequence[_Opening]) -> Iterator[_Opening]:
    """Yield the openings with adjacent networks merged: two halves of the internet are the whole internet."""
    by_ports: dict[tuple[str, int, int], list[Source]] = {}
    for protocol, first, last, source in openings:
        by_ports.setdefault((protocol, first, last), []).append(source)
    for ports_, sources in by_ports.items():
        yield from (_Opening(*ports_, source) for source in dict.fromkeys(sources) if isinstance(source, str))
        for version in (IPv4Network, IPv6Network):
            networks: Any = [source for source in sources if isinstance(source, version)]
            yield from (_Opening(*ports_, network) for network in collapse_addresses(networks))


def _has_source_change(pair: ResourcePair) -> bool:
    """Return whether the allowed sources change, also if they are sensitive."""
    names = (
        "ingress",
        "protocol",
        "ip_protocol",
        "from_port",
        "to_port",
        *_NETWORK_ATTRIBUTES,
        *_OTHER_SOURCE_ATTRIBUTES,
    )
    before, after = pair.before, pair.after
    return (
        before is None or after is None or any(before.get(n) != after.get(n) or after.get(n) is UNKNOWN for n in names)
    )


def _build_resolver(resource: Resource, joins: Joins, comparison: Comparison) -> _Resolver:
    """Return a function that finds the sources which an attribute of a rule names."""

    def list_groups(path: str, text: str | Unknown) -> list[Resource]:
        if text is not UNKNOWN:
            return [group for type_ in _GROUP_TYPES for group in joins.index_by_name(type_).get(str(text), ())][:1]
        derived = derive_text(joins.find_references(resource, path))
        groups = () if derived is UNKNOWN else derived.resources
        return list(groups) if all(group.type in (*_GROUP_TYPES, *_GROUP_CREATORS) for group in groups) else []

    def resolve(path: str, text: str | Unknown) -> Sequence[Source | Unknown]:
        groups = list_groups(path, text) if path.rpartition(".")[2] in _GROUP_ATTRIBUTES else []
        if groups:
            return [PlanGroup(comparison.pair(group).address) for group in groups]
        return [UNKNOWN if text is UNKNOWN else _parse_network(str(text))]

    return resolve


def _list_openings(type_: str, values: Block, resolve: _Resolver) -> Iterator[_Opening | None]:
    """Yield the openings of a resource, or None for an unknown one."""
    if _RULE_TYPES[type_][0]:
        yield from _parse_block(values, resolve)
        return
    blocks = values.blocks("ingress")
    if blocks is UNKNOWN:
        yield None
        return
    for block in blocks:
        yield from _parse_block(block, resolve)


def _parse_block(block: Block, resolve: _Resolver) -> Iterator[_Opening | None]:
    outwards = block.get("type") == "egress" or block.get("egress") is True
    if outwards or block.get("rule_action", block.get("action")) == "deny":
        return
    protocol = block.text("ip_protocol" if block.get("ip_protocol") is not None else "protocol")
    first, last = block.number("from_port"), block.number("to_port")
    for source in (
        source
        for name in (*_NETWORK_ATTRIBUTES, *_OTHER_SOURCE_ATTRIBUTES)
        for text in list_texts(block, name)
        for source in resolve(f"{block.path}.{name}" if block.path else name, text)
    ):
        if source is UNKNOWN or protocol is UNKNOWN or (protocol not in ("-1", "all") and UNKNOWN in (first, last)):
            yield None
        elif protocol in ("-1", "all"):
            yield _Opening("all", 0, _ALL_PORTS, source)
        else:
            yield _Opening(str(protocol), int(first or 0), int(last or 0), source)


def list_texts(block: Block, name: str) -> list[str | Unknown]:
    """Return the texts at `name`, which is a list, a single text or unset."""
    if not isinstance(block.get(name), list):
        text = block.text(name)
        return [] if text is None else [text]
    texts = block.texts(name)
    return [UNKNOWN] if texts is UNKNOWN else texts


def _parse_network(text: str) -> Source:
    try:
        return ip_network(text, strict=False)
    except ValueError:
        return text


def _is_inside(inner: Source, outer: Source) -> bool:
    if isinstance(inner, IPv4Network) and isinstance(outer, IPv4Network):
        return inner.subnet_of(outer)
    if isinstance(inner, IPv6Network) and isinstance(outer, IPv6Network):
        return inner.subnet_of(outer)
    return inner == outer


def _build_risk(name: str, level: Level, pair: ResourcePair, description: str, *, is_known: bool = True) -> Risk:
    fix = "Name the networks that need it, or accept the risk." if level is Level.STOP else ""
    return Risk(name, RiskArea.PRIVILEGES, level, pair.address, description, fix, is_known)
