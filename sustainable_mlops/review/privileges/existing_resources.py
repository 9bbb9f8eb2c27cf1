"""Existing resources that another resource of the plan exposes or overwrites, and new services for everyone."""

from collections.abc import Callable, Iterator

from sustainable_mlops.plan import UNKNOWN, Block, Unknown
from sustainable_mlops.plan.iam import derive_text
from sustainable_mlops.review.comparison import Comparison, ResourcePair
from sustainable_mlops.review.privileges.ports import list_texts
from sustainable_mlops.review.risk import UNKNOWN_IDS, WEAKER_IDS, Level, Risk, RiskArea, build_privilege_risk

#: Types that change a resource by its ID: the attributes with the ID, and the effect.
_EFFECTS = {
    "aws_eip": (("instance", "network_interface"), "gets a public address", RiskArea.PRIVILEGES),
    "aws_eip_association": (("instance_id", "network_interface_id"), "gets a public address", RiskArea.PRIVILEGES),
    "aws_efs_replication_configuration": (
        ("destination.0.file_system_id",), "is overwritten by the replication", RiskArea.DATA,
    ),
}  # fmt: skip


def find_effect_risks(pair: ResourcePair, after: Block, comparison: Comparison) -> Iterator[Risk]:
    """Yield a risk for each existing resource that `pair` newly exposes or overwrites."""
    names, effect, area = _EFFECTS.get(pair.type, ((), "", RiskArea.PRIVILEGES))
    for name in names:
        target = after.text(name)
        if target is UNKNOWN and comparison.reads_existing_resource(pair, name):
            description = f"an existing resource, whose ID is unknown until apply, {effect}"
            yield Risk(UNKNOWN_IDS[area], area, Level.LOOK, pair.address, description, is_known=False)
        is_new = pair.before is None or pair.before.get(name) != target
        if isinstance(target, str) and target and is_new and not _is_computed(pair, name, comparison):
            yield Risk(WEAKER_IDS[area], area, Level.LOOK, pair.address, f"{target} {effect}")
    if pair.is_new and pair.type in _OPENERS:
        yield from _find_opened_resources(pair, after, comparison)
    if pair.is_new and pair.type == "aws_vpc_endpoint_service":
        yield from _find_open_service(pair, after, comparison)


def list_effect_paths(type_: str) -> frozenset[str]:
    """Return the attributes of a type that name the changed resource."""
    return frozenset(_EFFECTS.get(type_, ((),))[0])


def _is_computed(pair: ResourcePair, name: str, comparison: Comparison) -> bool:
    """Return whether the provider computes the ID in a resource that exists before the plan.

    For example, the network interface of an `aws_eip` that a NAT gateway uses appears as drift.
    """
    if pair.before is None or pair.new is None or comparison.plan.is_refresh_only:
        return False
    return comparison.plan.is_configured(pair.new, name.partition(".")[0]) is False


def _find_opened_resources(pair: ResourcePair, after: Block, comparison: Comparison) -> Iterator[Risk]:
    """Yield a risk if a new resource opens an existing one, whose default is stricter."""
    attribute, type_, is_open, description = _OPENERS[pair.type]
    if is_open(after) and not comparison.names_new_resource(pair, attribute, type_, if_unknown=True):
        yield build_privilege_risk("PRIVILEGES_EXPOSED", Level.LOOK, pair.address, description)


def _find_open_service(pair: ResourcePair, after: Block, comparison: Comparison) -> Iterator[Risk]:
    """Yield a risk if everyone may connect to a new endpoint service without approval by the owner."""
    principals, is_accepted = list_texts(after, "allowed_principals"), after.flag("acceptance_required")
    if is_accepted is False and "*" in principals:
        description = "anyone may connect: allowed_principals contains *, and acceptance_required is false"
        yield build_privilege_risk("PRIVILEGES_EXPOSED", Level.LOOK, pair.address, description)
    elif is_accepted in (False, UNKNOWN) and ("*" in principals or _may_contain_everyone(pair, principals, comparison)):
        description = (
            "allowed_principals or acceptance_required is unknown until apply: check that not everyone can connect"
        )
        yield build_privilege_risk("PRIVILEGES_UNKNOWN", Level.LOOK, pair.address, description, is_known=False)


def _may_contain_everyone(pair: ResourcePair, principals: list[str | Unknown], comparison: Comparison) -> bool:
    """Return whether an unknown principal may be `*`: not if it comes only from resources of the plan."""
    if UNKNOWN not in principals or pair.new is None:
        return False
    if comparison.plan.is_configured(pair.new, "allowed_principals") is False:
        return False
    return derive_text(comparison.joins_after.find_references(pair.new, "allowed_principals")) is UNKNOWN


def _allows_access_lists(after: Block) -> bool:
    return after.get("rule.0.object_ownership") in ("BucketOwnerPreferred", "ObjectWriter")


def _gives_root_access(after: Block) -> bool:
    """Return whether an access point acts as root on the whole file system."""
    is_root = after.text("root_directory.0.path") in (None, UNKNOWN, "", "/")
    return is_root and after.get("posix_user.0.uid") in (0, "0")


#: Types that open a resource: the attribute that names it, its type, a test and the description.
_OPENERS: dict[str, tuple[str, str, Callable[[Block], bool], str]] = {
    "aws_s3_bucket_ownership_controls": (
        "bucket", "aws_s3_bucket", _allows_access_lists, "access control lists apply to an existing bucket",
    ),
    "aws_efs_access_point": (
        "file_system_id", "aws_efs_file_system", _gives_root_access,
        "clients are root (uid 0) on the whole of an existing file system",
    ),
}  # fmt: skip
