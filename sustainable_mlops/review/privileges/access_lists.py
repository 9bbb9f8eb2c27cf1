"""Access control lists of buckets and objects that name everyone or another user."""

from collections.abc import Iterator, Sequence

from sustainable_mlops.plan import UNKNOWN, Block
from sustainable_mlops.plan.values import Sensitive
from sustainable_mlops.review.comparison import Comparison, ResourcePair
from sustainable_mlops.review.privileges.ports import list_texts
from sustainable_mlops.review.risk import Level, Risk, build_privilege_risk

_TYPES = ("aws_s3_bucket_acl", "aws_s3_bucket", "aws_s3_object", "aws_s3_bucket_object", "aws_s3_object_copy")
#: Attributes of a grant that name the grantee, and its permissions.
_USERS = ("id", "grantee.0.id", "grantee.0.email_address", "email")
_GROUPS = ("uri", "grantee.0.uri")
_PERMISSIONS = ("permissions", "permission")
_EVERYONE = {f"http://acs.amazonaws.com/groups/global/{name}" for name in ("AllUsers", "AuthenticatedUsers")}
_PUBLIC = ("public-read", "public-read-write", "authenticated-read")
#: The user that delivers access logs of CloudFront to a bucket:
#: https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/standard-logging-legacy-s3.html
_LOG_DELIVERY = "c4c1ede66af53448b93c283ce9448c4ba468c9432aa01d700d3878632f77d2d0"
_FIX = "Give access only to the users or accounts that need it, or accept the risk."


def find_access_list_risks(pair: ResourcePair, after: Block, comparison: Comparison) -> Iterator[Risk]:
    """Yield risks of an access control list that newly names everyone, or a user who is not the owner."""
    if pair.type not in _TYPES:
        return
    for path in ("acl", "grant", "access_control_policy.0.grant"):
        new, old = after.get(path), None if pair.before is None else pair.before.get(path)
        # The table of protections compares this attribute.
        is_in_table = path == "acl" and pair.is_same_object and "object" not in pair.type
        if is_in_table or (new == old and new is not UNKNOWN):
            continue
        if new is UNKNOWN or isinstance(new, Sensitive):
            set_here = pair.new is not None and comparison.joins_after.is_configured(pair.new, path) is not False
            if set_here and after.get(path.partition(".")[0]) is not None:
                yield _build_unknown_risk(pair, f"the grantees of {path} are")
        elif new in _PUBLIC:
            yield build_privilege_risk(
                "PRIVILEGES_EXPOSED", Level.STOP, pair.address, f"acl: {new}: objects are public", _FIX
            )
        blocks = after.blocks(path) if isinstance(new, list) else []
        if blocks is not UNKNOWN:
            yield from _find_grant_risks(pair, blocks, path, comparison)


def _find_grant_risks(pair: ResourcePair, grants: Sequence[Block], path: str, comparison: Comparison) -> Iterator[Risk]:
    for block in grants:
        if {str(block.get(name)) for name in _GROUPS} & _EVERYONE:
            yield build_privilege_risk(
                "PRIVILEGES_EXPOSED", Level.STOP, pair.address, f"{block.path} names everyone", _FIX
            )
    if _is_refreshed(pair, path, comparison):
        return
    old = None if pair.before is None else pair.before.get(path)
    if any(_is_hidden(block) for block in grants if not isinstance(old, list) or block.values not in old):
        yield _build_unknown_risk(pair, f"a grantee or a permission in {path} is")
    yield from _find_other_users(pair, grants, path, comparison)


def _build_unknown_risk(pair: ResourcePair, subject: str) -> Risk:
    description = f"{subject} unknown until apply or sensitive"
    return build_privilege_risk("PRIVILEGES_UNKNOWN", Level.LOOK, pair.address, description, is_known=False)


def _is_refreshed(pair: ResourcePair, path: str, comparison: Comparison) -> bool:
    """Return whether the provider computes the list, and the plan only accepts its drift."""
    is_drift = path.partition(".")[0] in pair.resource.drift and not comparison.plan.is_refresh_only
    return is_drift and pair.new is not None and comparison.plan.is_configured(pair.new, path) is False


def _is_hidden(grant: Block) -> bool:
    values = [grant.get(name) for name in (*_USERS, *_GROUPS, *_PERMISSIONS)]
    values += [item for value in values if isinstance(value, list) for item in value]
    return any(value is UNKNOWN or isinstance(value, Sensitive) for value in values)


def _find_other_users(pair: ResourcePair, grants: Sequence[Block], path: str, comparison: Comparison) -> Iterator[Risk]:
    """Yield a risk for each grant to a user who is not known as the owner."""
    own = {source.new.text("id") for source in comparison.plan.data_sources if source.type == "aws_canonical_user_id"}
    own |= {values.text("access_control_policy.0.owner.0.id") for values in (pair.before, pair.after) if values}
    old_blocks = pair.before.blocks(path) if pair.before is not None else []
    old_grants = set() if old_blocks is UNKNOWN else {_read_grant(block) for block in old_blocks}
    for user, permissions in dict.fromkeys(map(_read_grant, grants)):
        is_other = isinstance(user, str) and user not in (*own, _LOG_DELIVERY)
        if is_other and (user, permissions) not in old_grants:
            description = f"the access control list gives {permissions} to {user}, who is not the known owner"
            yield build_privilege_risk("PRIVILEGES_GRANTED", Level.LOOK, pair.address, description)


def _read_grant(block: Block) -> tuple[object, str]:
    """Return the user of a grant, by canonical ID or email address, and the permissions. A group is no user."""
    user = next((value for name in _USERS if (value := block.text(name)) not in (None, "")), None)
    permissions = [text for name in _PERMISSIONS for text in list_texts(block, name)]
    return user, ", ".join(sorted(map(str, permissions)))
