"""Existing resources that another resource of the plan exposes or overwrites, and new services for everyone."""

from collections.abc import Callable, Iterator

from sustainable_mlops.plan import UNKNOWN, Block
from sustainable_mlops.review.comparison import Comparison, ResourcePair
from sustainable_mlops.review.risk import WEAKER_IDS, Level, Risk, RiskArea, build_privilege_risk

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
        target = after.text(name)  # known, because the resource exists
        if isinstance(target, str) and target and (pair.before is None or pair.before.get(name) != target):
            yield Risk(WEAKER_IDS[area], area, Level.LOOK, pair.address, f"{target} {effect}")
    if pair.is_new and pair.type in _OPENERS:
        yield from _find_opened_resources(pair, after, comparison)
    if pair.is_new and pair.type == "aws_vpc_endpoint_service" and _admits_everyone(after):
        description = "anyone may connect: allowed_principals contains *, and acceptance_required is false"
        yield build_privilege_risk("PRIVILEGES_EXPOSED", Level.LOOK, pair.address, description)


def list_effect_paths(type_: str) -> frozenset[str]:
    """Return the attributes of a type that name the changed resource, each by the first part of its path."""
    return frozenset(name.partition(".")[0] for name in _EFFECTS.get(type_, ((),))[0])


def _find_opened_resources(pair: ResourcePair, after: Block, comparison: Comparison) -> Iterator[Risk]:
    """Yield a risk if a new resource opens an existing one, whose default is stricter."""
    attribute, type_, is_open, description = _OPENERS[pair.type]
    if is_open(after) and not comparison.names_new_resource(pair, attribute, type_, if_unknown=True):
        yield build_privilege_risk("PRIVILEGES_EXPOSED", Level.LOOK, pair.address, description)


def _admits_everyone(after: Block) -> bool:
    principals = after.texts("allowed_principals")
    return after.flag("acceptance_required") is False and principals is not UNKNOWN and "*" in principals


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
