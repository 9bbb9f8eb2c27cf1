"""DNS records that get another target, or that point to a resource that the plan deletes."""

from collections.abc import Iterator

from sustainable_mlops.plan import UNKNOWN, Block
from sustainable_mlops.review.comparison import Comparison, ResourcePair
from sustainable_mlops.review.privileges.destinations import is_derived_from_plan, list_added_texts, list_known_texts
from sustainable_mlops.review.risk import Level, Risk, RiskArea

_RECORD, _ZONE = "aws_route53_record", "aws_route53_zone"
_TARGETS = ("records", "alias.*.name")
#: Attributes with the public DNS names and addresses of a resource.
_PUBLIC_NAMES = (
    "dns_name", "domain_name", "website_endpoint", "website_domain", "bucket_domain_name",
    "bucket_regional_domain_name", "public_ip", "public_dns", "cname", "endpoint", "default_domain",
)  # fmt: skip
#: AWS Certificate Manager validates the ownership of a domain by a record with this target.
_VALIDATION_SUFFIX = ".acm-validations.aws"


def find_record_risks(comparison: Comparison) -> Iterator[Risk]:
    """Yield risks of names that get another target, new delegations, and records without a target."""
    records = comparison.by_type.get(_RECORD)
    if not records:
        return
    for pair in records:
        if pair.after is not None and pair.action not in ("no-op", "read"):
            yield from _find_changed_targets(pair, pair.after, comparison)
    yield from _find_deleted_targets(records, comparison)


def _find_changed_targets(pair: ResourcePair, after: Block, comparison: Comparison) -> Iterator[Risk]:
    kind, name = after.text("type"), after.text("name")
    if pair.before is None and kind != "NS":
        return
    added = [target for path in _TARGETS for target in list_added_texts(pair, after, path)]
    former = () if pair.before is None else _list_targets(pair.before)
    own = {*former, *(_list_own_servers(comparison) if pair.before is None else ())}
    new_targets = [
        target for target in added if target is not UNKNOWN and not _is_expected(_normalize_name(target), kind, own)
    ]
    if new_targets:
        effect = (
            f"other name servers answer for {name}" if kind == "NS" else f"traffic for {name} goes to another target"
        )
        yield _build_risk(pair, f"{effect}: {', '.join(new_targets)}")
    elif UNKNOWN in added and not any(
        is_derived_from_plan(pair, path, comparison) for path in ("records", "alias.0.name") if pair.new is not None
    ):
        description = f"the target of {name} is unknown until apply: it may be another one"
        yield Risk("PRIVILEGES_UNKNOWN", RiskArea.PRIVILEGES, Level.LOOK, pair.address, description, is_known=False)


def _is_expected(target: str, kind: object, own: set[str]) -> bool:
    """Return whether a target is no risk: a former one, a validation of ownership, or a text without a policy."""
    return target in own or target.endswith(_VALIDATION_SUFFIX) or (kind == "TXT" and not target.startswith("v="))


def _list_own_servers(comparison: Comparison) -> Iterator[str]:
    for zone in comparison.joins_after.list_existing(_ZONE):
        yield from map(_normalize_name, list_known_texts(zone.new, "name_servers"))


def _find_deleted_targets(records: list[ResourcePair], comparison: Comparison) -> Iterator[Risk]:
    """Yield a risk for each record that still points to a resource that the plan deletes."""
    deleted: dict[str, str] = {}
    for pair in comparison.changes:
        if pair.action in ("delete", "replace") and pair.before is not None and pair.type != _RECORD:
            names = (pair.before.text(name) for name in _PUBLIC_NAMES)
            deleted |= {_normalize_name(name): pair.address for name in names if isinstance(name, str) and name}
    for pair in records if deleted else ():
        targets = () if pair.after is None else _list_targets(pair.after)
        for target in dict.fromkeys(target for target in targets if target in deleted):
            yield _build_risk(
                pair,
                f"points to {target} of {deleted[target]}, which is deleted; "
                "the next owner of that name receives the traffic",
            )


def _list_targets(values: Block) -> list[str]:
    return [_normalize_name(target) for path in _TARGETS for target in list_known_texts(values, path)]


def _normalize_name(name: str) -> str:
    return name.strip('"').lower().rstrip(".").removeprefix("dualstack.")


def _build_risk(pair: ResourcePair, description: str) -> Risk:
    return Risk("PRIVILEGES_DESTINATION", RiskArea.PRIVILEGES, Level.LOOK, pair.address, description)


def list_record_paths(type_: str) -> tuple[str, ...]:
    """Return the attributes of a type that this module reads."""
    return ("records", "alias", "name", "type") if type_ == _RECORD else ()
