"""Newly open ports, for incoming and outgoing connections, and lost denials of network ACLs."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_network
from math import nan
from typing import Any, NamedTuple

from sustainable_mlops.plan import UNKNOWN, Block, Joins, Resource, Unknown
from sustainable_mlops.plan.iam import derive_text
from sustainable_mlops.review.comparison import Comparison, ResourcePair
from sustainable_mlops.review.risk import Level, Risk, build_privilege_risk

Network = IPv4Network | IPv6Network

_GROUP, _LIST, _PREFIX_LIST = "aws_security_group", "aws_network_acl", "aws_ec2_managed_prefix_list"
_ENTRY = "aws_ec2_managed_prefix_list_entry"
#: Types with rules, and for separate rules the type they belong to and the attribute that names it. Prefix lists come
#: first, because rules name them.
_RULE_TYPES = {
    _PREFIX_LIST: ("", ""),
    _ENTRY: (_PREFIX_LIST, "prefix_list_id"),
    _GROUP: ("", ""),
    "aws_default_security_group": ("", ""),
    "aws_security_group_rule": (_GROUP, "security_group_id"),
    "aws_vpc_security_group_ingress_rule": (_GROUP, "security_group_id"),
    "aws_vpc_security_group_egress_rule": (_GROUP, "security_group_id"),
    _LIST: ("", ""),
    "aws_default_network_acl": ("", ""),
    "aws_network_acl_rule": (_LIST, "network_acl_id"),
}
_NETWORK_ATTRIBUTES = ("cidr_ipv4", "cidr_ipv6", "cidr_block", "ipv6_cidr_block", "cidr_blocks", "ipv6_cidr_blocks")
#: The network of an entry of a prefix list.
_ENTRY_ATTRIBUTE = "cidr"
_GROUP_ATTRIBUTES = ("security_groups", "source_security_group_id", "referenced_security_group_id")
_PREFIX_LIST_ATTRIBUTES = ("prefix_list_ids", "prefix_list_id")
_OTHER_SOURCE_ATTRIBUTES = (*_GROUP_ATTRIBUTES, *_PREFIX_LIST_ATTRIBUTES)
_GROUP_TYPES = (_GROUP, "aws_default_security_group")
#: Other types that create a security group; their attributes hold its ID, such as `cluster_security_group_id`.
_GROUP_CREATORS = ("aws_eks_cluster", "aws_elb", "aws_vpc", "aws_default_vpc", "aws_directory_service_directory",
                   "aws_workspaces_directory")  # fmt: skip
_ALL_PORTS = 65535
_FIX = "Allow only the networks that need these connections, or accept the risk."
#: The names of protocols that a network ACL has as numbers.
_PROTOCOLS = {"1": "icmp", "6": "tcp", "17": "udp", "58": "icmpv6"}
#: Longest prefix of a network that counts as much of the internet: /7 for IPv4, /15 for IPv6.
_LARGE_PREFIXES = {4: 7, 6: 15}
_INTERNET = ip_network("0.0.0.0/0")
_PRIVATE_NETWORKS = tuple(
    map(ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"))
)


class PlanGroup(str):
    """The address of a security group or prefix list in the plan, as a source of connections."""

    __slots__ = ()


Source = Network | str
#: Returns the sources for a text of the attribute at a path, or `UNKNOWN` for an unknown source.
_Resolver = Callable[[str, str | Unknown], Sequence[Source | Unknown]]


class _Opening(NamedTuple):
    """A range of ports that a source may connect to, or for outgoing connections a range at the network `source`."""

    protocol: str
    first: int
    last: int
    is_outgoing: bool
    source: Source

    def covers(self, other: "_Opening") -> bool:
        ports = self.protocol == "all" or (
            self.protocol == other.protocol and self.first <= other.first and other.last <= self.last
        )
        # The members of a group or prefix list are part of the internet.
        is_inside = _is_inside(other.source, self.source) or (
            self.is_outgoing and self.source == _INTERNET and isinstance(other.source, str)
        )
        return ports and self.is_outgoing == other.is_outgoing and is_inside

    def overlaps(self, other: "_Opening") -> bool:
        ports = "all" in (self.protocol, other.protocol) or (
            self.protocol == other.protocol and self.first <= other.last and other.first <= self.last
        )
        sources = _is_inside(other.source, self.source) or _is_inside(self.source, other.source)
        return ports and self.is_outgoing == other.is_outgoing and sources

    @property
    def is_much_of_internet(self) -> bool:
        return is_much_of_internet(self.source)

    def __str__(self) -> str:
        if self.protocol == "all":
            return "all ports"
        return f"{self.protocol} {self.first}" + ("" if self.first == self.last else f" to {self.last}")


class _Rule(NamedTuple):
    """A rule of a resource. The opening is None if it is unknown; network ACLs also have denials and numbers."""

    opening: _Opening | None
    is_outgoing: bool
    is_denied: bool = False
    number: float = nan

    def is_before(self, other: "_Rule") -> bool:
        """Return whether a network ACL surely evaluates this rule first."""
        return self.number < other.number


#: A rule whose opening is known, with the resource that contains it.
_OwnedRule = tuple[ResourcePair, _Rule, _Opening]


class _PortGroup:
    """A security group, network ACL or prefix list with its rules before and after."""

    def __init__(self) -> None:
        self.touched = self.new = False
        #: True if the plan contains the group itself, and so all its rules.
        self.is_complete = False
        #: True if the plan creates the group, or adopts a default one, which allows all outgoing connections before.
        self.is_adopted = False
        self.is_deleted = self.is_network_deleted = False
        self.before: list[_OwnedRule] = []
        self.after: list[_OwnedRule] = []
        #: True if a prefix list has entries that are unknown until apply or sensitive, before and after the plan.
        self.has_unknown_before = self.has_unknown_after = False
        #: True if the entries of a prefix list are unknown as a whole, and may be those of separate resources.
        self.is_computed = False

    def list_openings(self, *, before: bool) -> list[tuple[ResourcePair, _Opening]]:
        return [
            (pair, opening) for pair, rule, opening in (self.before if before else self.after) if not rule.is_denied
        ]

    def list_networks(self, *, before: bool) -> list[Source | Unknown]:
        """Return the networks of a prefix list, with `UNKNOWN` if it has unknown ones."""
        has_unknown = self.has_unknown_before if before else self.has_unknown_after
        networks = [opening.source for _, opening in self.list_openings(before=before)]
        return [*networks, UNKNOWN] if has_unknown or (self.is_computed and not networks) else [*networks]


def find_port_risks(comparison: Comparison) -> Iterator[Risk]:
    """Yield newly open ports, and lost denials. A rule that moves to another resource is no change."""
    if not any(pair.type in _RULE_TYPES for pair in comparison.changes):
        return
    groups: dict[str, _PortGroup] = {}
    for pair in (pair for type_ in _RULE_TYPES for pair in comparison.by_type.get(type_, ())):
        for resource, values, joins in (
            (pair.old, pair.before, comparison.joins_before),
            (pair.new, pair.after, comparison.joins_after),
        ):
            if resource is None or values is None:
                continue
            group = groups.setdefault(_find_group_key(pair, resource, joins, comparison), _PortGroup())
            _record_pair(group, pair, values, comparison)
            rules = list(_list_rules(pair.type, values, _build_resolver(resource, joins, comparison, groups)))
            known_rules = [
                (pair, rule, rule.opening)
                for rule in rules
                if rule.opening is not None and not (rule.is_denied and _is_computed(pair, rule, resource, joins))
            ]
            is_computed = pair.type == _PREFIX_LIST and _is_computed_list(resource, values, joins)
            has_unknown = not is_computed and any(rule.opening is None for rule in rules)
            if values is pair.before:
                group.before += known_rules
                group.has_unknown_before |= has_unknown
                continue
            group.after += known_rules
            group.has_unknown_after |= has_unknown
            group.is_computed |= is_computed
            yield from _find_unknown_rules(pair, group, rules, resource, joins)
    for group in groups.values():
        if group.touched:
            yield from _find_opened_ports(group)
            yield from _find_lost_denials(group)


def _record_pair(group: _PortGroup, pair: ResourcePair, values: Block, comparison: Comparison) -> None:
    """Record the action on the group, and whether the plan contains the group itself."""
    group.touched |= pair.action not in ("no-op", "read")
    kind, attribute = _RULE_TYPES[pair.type]
    if kind:
        # The ID of an existing group is known, unless a data source reads it during apply.
        is_unknown = values.text(attribute) is UNKNOWN and not comparison.reads_existing_resource(pair, attribute)
        group.is_adopted |= not group.is_complete and is_unknown
        return
    group.is_complete = True
    group.new |= pair.type in (_GROUP, _LIST, _PREFIX_LIST) and pair.is_new
    group.is_adopted |= pair.is_new
    if pair.after is None and pair.old is not None:
        network = comparison.joins_before.find_target(pair.old, "vpc_id", "aws_vpc")
        group.is_deleted = True
        group.is_network_deleted = isinstance(network, Resource) and comparison.pair(network).after is None


def _find_unknown_rules(
    pair: ResourcePair, group: _PortGroup, rules: Sequence[_Rule], resource: Resource, joins: Joins
) -> Iterator[Risk]:
    for is_outgoing in {rule.is_outgoing: None for rule in rules if rule.opening is None and not rule.is_denied}:
        # Rules of a new group without own rules are unknown too; separate resources may add them.
        is_computed = (pair.is_new or is_outgoing) and _is_computed(pair, _Rule(None, is_outgoing), resource, joins)
        is_expected = (is_outgoing and group.is_adopted) or (pair.type == _ENTRY and group.new)
        is_reported = pair.type != _PREFIX_LIST and not is_expected  # the review of attributes compares its own entries
        is_changed = pair.action not in ("no-op", "read") and _has_source_change(pair, is_outgoing=is_outgoing)
        if is_changed and is_reported and not is_computed:
            subject = "the networks that it may connect to" if is_outgoing else "the sources that may connect"
            subject = "the networks of the prefix list" if pair.type == _ENTRY else subject
            description = f"{subject} are unknown until apply or sensitive"
            yield build_privilege_risk("PRIVILEGES_UNKNOWN", Level.LOOK, pair.address, description, is_known=False)


def _is_computed(pair: ResourcePair, rule: _Rule, resource: Resource, joins: Joins) -> bool:
    """Return whether the provider only repeats the rule in a group, because separate resources contain it."""
    is_separate = bool(_RULE_TYPES[pair.type][0])
    return not is_separate and joins.is_configured(resource, "egress" if rule.is_outgoing else "ingress") is False


def _is_computed_list(resource: Resource, values: Block, joins: Joins) -> bool:
    """Return whether the provider may only repeat the entries of separate resources in a prefix list."""
    return values.get("entry") is UNKNOWN and joins.is_configured(resource, "entry") is False


def _find_group_key(pair: ResourcePair, resource: Resource, joins: Joins, comparison: Comparison) -> str:
    kind, attribute = _RULE_TYPES[pair.type]
    if not kind:
        return pair.address
    target = joins.find_target(resource, attribute, kind)
    if isinstance(target, Resource):
        return comparison.pair(target).address
    name = resource.get_values(before=joins.before).text(attribute)
    return name if isinstance(name, str) else pair.address


def _find_opened_ports(group: _PortGroup) -> Iterator[Risk]:
    before = list(_merge_openings([opening for _, opening in group.list_openings(before=True)]))
    new_openings = [
        (pair, candidate)
        for pair, candidate in group.list_openings(before=False)
        if pair.type != _PREFIX_LIST  # the review of attributes compares its own entries
        and not any(old.covers(candidate) for old in before)
    ]
    for opening in _merge_openings([candidate for _, candidate in new_openings]):
        pair = next(pair for pair, candidate in new_openings if opening.covers(candidate))
        level = _get_level(pair, opening)
        is_usual = level is not Level.STOP or pair.type == _ENTRY  # rules that name the list are compared with it
        if (group.new and is_usual) or (group.is_adopted and opening.is_outgoing):
            continue
        yield build_privilege_risk("PRIVILEGES_EXPOSED", level, pair.address, _describe_opening(pair, opening), _FIX)


def _get_level(pair: ResourcePair, opening: _Opening) -> Level:
    source = opening.source
    if isinstance(source, PlanGroup):
        return Level.NOTE
    if opening.is_outgoing and "_acl" not in pair.type:
        is_inside = any(_is_inside(source, network) for network in _PRIVATE_NETWORKS) or str(source).startswith("sg-")
        return Level.NOTE if is_inside else Level.LOOK
    is_open = opening.is_much_of_internet and not opening.is_outgoing and "_acl" not in pair.type
    return Level.STOP if is_open else Level.LOOK


def _describe_opening(pair: ResourcePair, opening: _Opening) -> str:
    source = _describe_source(opening)
    if pair.type == _ENTRY:
        return f"adds {source} to the prefix list"
    return f"allows connections to {source}: {opening}" if opening.is_outgoing else f"opens {opening} to {source}"


def _describe_source(opening: _Opening) -> str:
    source = str(opening.source)
    if not opening.is_much_of_internet:
        return source
    return "the whole internet" if source in ("0.0.0.0/0", "::/0") else f"much of the internet, {source}"


def _find_lost_denials(group: _PortGroup) -> Iterator[Risk]:
    """Yield a risk for each denial that is removed, narrowed, or evaluated after a rule that allows the connections.

    A network ACL applies the first rule that matches, in the order of the numbers:
    https://docs.aws.amazon.com/vpc/latest/userguide/nacl-rules.html
    """
    if group.is_network_deleted:
        return
    allowed_before, allowed_after = (
        [(rule, opening) for _, rule, opening in rules if not rule.is_denied] for rules in (group.before, group.after)
    )
    merged = list(_merge_openings([opening for _, opening in allowed_before]))
    # A new opening is a risk of its own.
    unchanged_rules = [(rule, opening) for rule, opening in allowed_after if any(old.covers(opening) for old in merged)]
    for pair, denial, denied in group.before:
        if not denial.is_denied or any(
            rule.is_before(denial) and opening.covers(denied) for rule, opening in allowed_before
        ):
            continue  # a rule before it already allows the connections
        opposing = [
            rule
            for rule, opening in unchanged_rules
            if opening.overlaps(denied)
            and not any(old.is_before(denial) and former.covers(opening) for old, former in allowed_before)
        ]
        remaining = [
            opening
            for _, rule, opening in group.after
            if rule.is_denied
            and opening.overlaps(denied)
            and (group.is_complete or rule.number <= denial.number)
            and not any(one.is_before(rule) for one in opposing)
        ]
        is_denied = any(opening.covers(denied) for opening in _merge_openings(remaining))
        is_denied_by_default = group.is_complete and not group.is_deleted and not opposing
        if not is_denied and not is_denied_by_default:
            direction = "connections to" if denied.is_outgoing else "connections from"
            description = f"no longer denies {direction} {_describe_source(denied)}: {denied}"
            yield build_privilege_risk("PRIVILEGES_EXPOSED", Level.LOOK, pair.address, description)


def _merge_openings(openings: Sequence[_Opening]) -> Iterator[_Opening]:
    """Yield the openings with adjacent networks merged: two halves of the internet are the whole internet."""
    by_ports: dict[tuple[str, int, int, bool], list[Source]] = {}
    for protocol, first, last, is_outgoing, source in openings:
        by_ports.setdefault((protocol, first, last, is_outgoing), []).append(source)
    for ports_, sources in by_ports.items():
        yield from (_Opening(*ports_, source) for source in dict.fromkeys(sources) if isinstance(source, str))
        for version in (IPv4Network, IPv6Network):
            networks: Any = [source for source in sources if isinstance(source, version)]
            yield from (_Opening(*ports_, network) for network in collapse_addresses(networks))


def _has_source_change(pair: ResourcePair, *, is_outgoing: bool) -> bool:
    """Return whether the allowed sources change, also if they are sensitive."""
    names = (
        "egress" if is_outgoing else "ingress",
        "protocol",
        "ip_protocol",
        "from_port",
        "to_port",
        _ENTRY_ATTRIBUTE,
        *_NETWORK_ATTRIBUTES,
        *_OTHER_SOURCE_ATTRIBUTES,
    )
    before, after = pair.before, pair.after
    return (
        before is None or after is None or any(before.get(n) != after.get(n) or after.get(n) is UNKNOWN for n in names)
    )


def _build_resolver(
    resource: Resource, joins: Joins, comparison: Comparison, groups: Mapping[str, _PortGroup]
) -> _Resolver:
    """Return a function that finds the sources which an attribute of a rule names."""

    def list_named(path: str, text: str | Unknown, types: Sequence[str], creators: Sequence[str]) -> list[Resource]:
        if text is not UNKNOWN:
            return [target for type_ in types for target in joins.index_by_name(type_).get(str(text), ())][:1]
        derived = derive_text(joins.find_references(resource, path))
        targets = () if derived is UNKNOWN else derived.resources
        return list(targets) if all(target.type in (*types, *creators) for target in targets) else []

    def resolve(path: str, text: str | Unknown) -> Sequence[Source | Unknown]:
        name = path.rpartition(".")[2]
        targets: list[Resource] = []
        if name in _GROUP_ATTRIBUTES:
            targets = list_named(path, text, _GROUP_TYPES, _GROUP_CREATORS)
        elif name in _PREFIX_LIST_ATTRIBUTES:
            targets = list_named(path, text, (_PREFIX_LIST,), ())
        if not targets:
            return [UNKNOWN if text is UNKNOWN else parse_network(str(text))]
        addresses = [comparison.pair(target).address for target in targets]
        networks = [
            network
            for address in addresses
            if name in _PREFIX_LIST_ATTRIBUTES and address in groups
            for network in groups[address].list_networks(before=joins.before)
        ]
        return networks or list(map(PlanGroup, addresses))

    return resolve


def _list_rules(type_: str, values: Block, resolve: _Resolver) -> Iterator[_Rule]:
    """Yield the rules of a resource."""
    if _RULE_TYPES[type_][0]:
        is_outgoing = "_egress_" in type_ or values.get("type") == "egress" or values.get("egress") is True
        yield from _parse_block(values, resolve, is_outgoing=is_outgoing)
        return
    for name in ("entry",) if type_ == _PREFIX_LIST else ("ingress", "egress"):
        blocks = values.blocks(name)
        if blocks is UNKNOWN:
            yield _Rule(None, name == "egress")
            continue
        for block in blocks:
            yield from _parse_block(block, resolve, is_outgoing=name == "egress")


def _parse_block(block: Block, resolve: _Resolver, *, is_outgoing: bool) -> Iterator[_Rule]:
    protocol = block.text("ip_protocol" if block.get("ip_protocol") is not None else "protocol")
    names: tuple[str, ...] = (*_NETWORK_ATTRIBUTES, *_OTHER_SOURCE_ATTRIBUTES)
    if block.get(_ENTRY_ATTRIBUTE) is not None:
        protocol, names = "all", (_ENTRY_ATTRIBUTE,)
    first, last = block.number("from_port"), block.number("to_port")
    is_denied = block.get("rule_action", block.get("action")) == "deny"
    number = block.number("rule_number" if block.get("rule_number") is not None else "rule_no")
    order = float(number) if isinstance(number, int | float) else nan
    for source in (
        source
        for name in names
        for text in list_texts(block, name)
        if text != ""
        for source in resolve(f"{block.path}.{name}" if block.path else name, text)
    ):
        opening = None
        if protocol in ("-1", "all") and source is not UNKNOWN:
            opening = _Opening("all", 0, _ALL_PORTS, is_outgoing, source)
        elif source is not UNKNOWN and UNKNOWN not in (protocol, first, last):
            name = _PROTOCOLS.get(str(protocol), str(protocol))
            opening = _Opening(name, int(first or 0), int(last or 0), is_outgoing, source)
        yield _Rule(opening, is_outgoing, is_denied, order)


def list_texts(block: Block, name: str) -> list[str | Unknown]:
    """Return the texts at `name`, which is a list, a single text or unset."""
    if not isinstance(block.get(name), list):
        text = block.text(name)
        return [] if text is None else [text]
    texts = block.texts(name)
    return [UNKNOWN] if texts is UNKNOWN else texts


def parse_network(text: str) -> Source:
    """Return the network in CIDR notation, or the text itself if it is the ID of a group or list."""
    try:
        return ip_network(text, strict=False)
    except ValueError:
        return text


def is_much_of_internet(network: Source) -> bool:
    """Return whether the network is so large that it is a large part of the internet, such as one half."""
    return not isinstance(network, str) and network.prefixlen <= _LARGE_PREFIXES[network.version]


def _is_inside(inner: Source, outer: Source) -> bool:
    if isinstance(inner, IPv4Network) and isinstance(outer, IPv4Network):
        return inner.subnet_of(outer)
    if isinstance(inner, IPv6Network) and isinstance(outer, IPv6Network):
        return inner.subnet_of(outer)
    return inner == outer
