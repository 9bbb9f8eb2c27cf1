"""Networks and accounts that can reach what they could not reach before."""

from collections.abc import Iterator
from typing import NamedTuple

from sustainable_mlops.plan import UNKNOWN, Block
from sustainable_mlops.review.comparison import Comparison, Pair
from sustainable_mlops.review.risk import Level, Risk, Section

_WORLD = ("0.0.0.0/0", "::/0")
_GROUP, _RULE, _INGRESS = "aws_security_group", "aws_security_group_rule", "aws_vpc_security_group_ingress_rule"
_EVERYBODY = {f"http://acs.amazonaws.com/groups/global/{name}" for name in ("AllUsers", "AuthenticatedUsers")}
_FLAGS = ("block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets")


class _Opening(NamedTuple):
    """Ports that a source may connect to."""

    protocol: str
    first: str
    last: str
    source: str

    def __str__(self) -> str:
        if self.protocol in ("-1", "all"):
            return "all ports"
        return f"{self.protocol} {self.first}" + ("" if self.first == self.last else f" to {self.last}")


def exposure(comparison: Comparison) -> Iterator[Risk]:
    """Ports opened, buckets made public, functions and keys opened to others."""
    yield from _ports(comparison)
    for pair in comparison.changes:
        if pair.after is None:
            continue
        if pair.type == "aws_s3_bucket_acl" or pair.type == "aws_s3_bucket":
            yield from _public_list(pair, pair.after)
        if pair.is_new and pair.type in ("aws_s3_bucket_public_access_block", "aws_s3_account_public_access_block"):
            yield from _not_blocking(pair, pair.after)
        if pair.type in ("aws_kms_grant", "aws_lambda_permission") and not pair.stays:
            yield from _granted(pair, pair.after)


def _ports(comparison: Comparison) -> Iterator[Risk]:
    for pair in comparison.changes:
        if pair.type not in (_GROUP, _RULE, _INGRESS) or pair.after is None:
            continue
        before = set() if pair.before is None else set(_openings(pair.type, pair.before))
        for opening in dict.fromkeys(_openings(pair.type, pair.after)):
            if opening in before:
                continue
            if opening is None:
                what = "who may connect is known only after apply"
                yield _risk("PRIVILEGES_UNKNOWN", Level.LOOK, pair, what, known=False)
            elif opening.source in _WORLD:
                yield _risk("PRIVILEGES_EXPOSED", Level.STOP, pair, f"opens {opening} to the whole internet")
            elif pair.type != _GROUP or pair.before is not None:
                yield _risk("PRIVILEGES_EXPOSED", Level.LOOK, pair, f"opens {opening} to {opening.source}")


def _openings(type_: str, values: Block) -> Iterator[_Opening | None]:
    if type_ == _RULE:
        if values.get("type") != "egress":
            yield from _of_block(values, "protocol")
    elif type_ == _INGRESS:
        yield from _of_block(values, "ip_protocol")
    else:
        blocks = values.blocks("ingress")
        if blocks is UNKNOWN:
            yield None
            return
        for block in blocks:
            yield from _of_block(block, "protocol")


def _of_block(block: Block, protocol: str) -> Iterator[_Opening | None]:
    ports = block.get(protocol, ""), block.get("from_port", ""), block.get("to_port", "")
    sources: list[object] = [block.get("cidr_ipv4"), block.get("cidr_ipv6")]
    for name in ("cidr_blocks", "ipv6_cidr_blocks"):
        listed = block.texts(name)
        sources += [UNKNOWN] if listed is UNKNOWN else listed
    for source in sources:
        if source is UNKNOWN or (source is not None and any(port is UNKNOWN for port in ports)):
            yield None
        elif source is not None:
            protocol_name, first, last = map(str, ports)
            yield _Opening(protocol_name, first, last, str(source))


def _public_list(pair: Pair, after: Block) -> Iterator[Risk]:
    """Access control lists that name everybody."""
    acl = after.get("acl")
    if not pair.stays and acl in ("public-read", "public-read-write", "authenticated-read"):
        yield _risk("PRIVILEGES_EXPOSED", Level.STOP, pair, f"acl: {acl}: objects are public")
    for path in ("grant", "access_control_policy.0.grant"):
        found = after.blocks(path)
        for block in [] if found is UNKNOWN else found:
            uris = {str(block.get("uri")), str(block.get("grantee.0.uri"))}
            old = pair.before.get(path) if pair.before is not None else None
            if uris & _EVERYBODY and old != after.get(path):
                yield _risk("PRIVILEGES_EXPOSED", Level.STOP, pair, f"{block.path} names everybody")


def _not_blocking(pair: Pair, after: Block) -> Iterator[Risk]:
    for flag in _FLAGS:
        value = after.flag(flag)
        if value is UNKNOWN:
            yield _risk("PRIVILEGES_UNKNOWN", Level.LOOK, pair, f"{flag} is known only after apply", known=False)
        elif not value:
            yield _risk("PRIVILEGES_EXPOSED", Level.LOOK, pair, f"{flag} is not set: public access is not blocked")


def _granted(pair: Pair, after: Block) -> Iterator[Risk]:
    grant = pair.type == "aws_kms_grant"
    who = after.text("grantee_principal" if grant else "principal")
    what = f"lets {who} use {after.text('key_id' if grant else 'function_name')}"
    level = Level.STOP if who == "*" else Level.LOOK
    yield _risk("PRIVILEGES_GRANTED", level, pair, what, known=isinstance(who, str))


def _risk(name: str, level: Level, pair: Pair, what: str, *, known: bool = True) -> Risk:
    fix = "Name the networks or accounts that need it, or accept the risk." if level is Level.STOP else ""
    return Risk(name, Section.PRIVILEGES, level, pair.address, what, fix, known)
