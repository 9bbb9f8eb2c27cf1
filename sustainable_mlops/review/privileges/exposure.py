"""Networks and accounts that get access to a resource."""

from collections.abc import Iterator, Mapping, Sequence
from string import Formatter

from sustainable_mlops.plan import UNKNOWN, Block, Resource, Unknown
from sustainable_mlops.plan.iam import derive_text
from sustainable_mlops.plan.values import Sensitive
from sustainable_mlops.review.accounts import assess_foreign_accounts
from sustainable_mlops.review.comparison import Comparison, ResourcePair
from sustainable_mlops.review.privileges.lambda_permissions import (
    LAMBDA_ATTRIBUTES,
    LAMBDA_PERMISSION,
    find_lambda_permission_risks,
)
from sustainable_mlops.review.privileges.ports import find_port_risks, list_texts
from sustainable_mlops.review.protections.protection import evaluate_weakening
from sustainable_mlops.review.protections.table import (
    PUBLIC_ACCESS_BLOCKS,
    SHARED_OUTSIDE,
    list_protections,
)
from sustainable_mlops.review.risk import UNKNOWN_IDS, WEAKER_IDS, Level, Risk, RiskArea, format_path, pick_worst

_EVERYBODY = {f"http://acs.amazonaws.com/groups/global/{name}" for name in ("AllUsers", "AuthenticatedUsers")}
_PUBLIC = ("public-read", "public-read-write", "authenticated-read")
_ACL_TYPES = ("aws_s3_bucket_acl", "aws_s3_bucket", "aws_s3_object", "aws_s3_bucket_object", "aws_s3_object_copy")

#: Types of one call of an API: the attributes with its authorization and its API, and the type of the API.
_CALL_TYPES = {
    "aws_api_gateway_method": ("authorization", "rest_api_id", "aws_api_gateway_rest_api"),
    "aws_apigatewayv2_route": ("authorization_type", "api_id", "aws_apigatewayv2_api"),
}
_ROUTES = ("aws_route", "aws_route_table", "aws_default_route_table")
_ROUTE_NETWORKS = ("destination_cidr_block", "destination_ipv6_cidr_block", "cidr_block", "ipv6_cidr_block")

#: Types that give access by their existence, with a text made of their attributes; grantees come first.
_GRANT_TEXTS = {
    "aws_kms_grant": "lets {grantee_principal} use {key_id}",
    "aws_lambda_layer_version_permission": "lets {principal} use {layer_name}",
    "aws_lambda_function_url": "lets callers with authorization {authorization_type} call {function_name} by its URL",
    "aws_lakeformation_permissions": "gives {principal} the permission {permissions}",
    "aws_ram_principal_association": "lets {principal} use what {resource_share_arn} shares",
    "aws_ami_launch_permission": ("lets {group}{account_id}{organization_arn}{organizational_unit_arn} use {image_id}"),
    "aws_snapshot_create_volume_permission": "lets {account_id} copy {snapshot_id}",
    **{
        f"aws_{name}": "lets {shared_accounts} restore it"
        for name in ("db_snapshot", "db_snapshot_copy", "db_cluster_snapshot", "rds_cluster_snapshot_copy")
    },
    "aws_cloudwatch_event_permission": "lets {principal} send events to {event_bus_name}",
    "aws_redshift_data_share_authorization": "lets {consumer_identifier} read {data_share_arn}",
    "aws_servicecatalog_portfolio_share": "lets {principal_id} use {portfolio_id}",
    "aws_vpc_endpoint_service_allowed_principal": "lets {principal_arn} reach {vpc_endpoint_service_id}",
    "aws_eks_access_policy_association": "lets {principal_arn} into {cluster_name} with {policy_arn}",
    "aws_eks_access_entry": "lets {principal_arn} into {cluster_name}",
    "aws_iam_user_group_membership": "{user} becomes a member of {groups}",
    "aws_iam_group_membership": "{users} become members of {group}",
    "aws_iam_access_key": "{user} gets an access key",
    "aws_iam_user_login_profile": "{user} gets a password",
    "aws_iam_openid_connect_provider": "{url} may authenticate users",
    "aws_iam_saml_provider": "{name} may authenticate users",
    "aws_ssoadmin_account_assignment": "{principal_id} gets {permission_set_arn} in {target_id}",
    "aws_cognito_identity_pool_roles_attachment": (
        "lets signed-in users assume {roles.authenticated} through {identity_pool_id}"
    ),
    "aws_eks_pod_identity_association": "lets {service_account} of {namespace} in {cluster_name} assume {role_arn}",
    "aws_rolesanywhere_profile": "lets holders of a trusted certificate assume {role_arns} through {name}",
    "aws_rolesanywhere_trust_anchor": "{name} may authenticate users",
    "aws_ssm_document": "lets {permissions.account_ids} use {name}",
    "aws_ram_resource_association": "shares {resource_arn} through {resource_share_arn}",
    "aws_identitystore_group_membership": "{member_id} becomes a member of {group_id}",
    "aws_cognito_user_in_group": "{username} becomes a member of {group_name}",
    "aws_cognito_identity_provider": "users of {provider_name} may sign in to {user_pool_id}",
    "aws_quicksight_group_membership": "{member_name} becomes a member of {group_name}",
    "aws_grafana_role_association": "{user_ids}{group_ids} become {role}",
    "aws_ssoadmin_application_assignment": "lets {principal_id} use {application_arn}",
    "aws_ssoadmin_trusted_token_issuer": "{name} may authenticate users",
    "aws_eks_identity_provider_config": "{oidc.0.issuer_url} may authenticate users of {cluster_name}",
    "aws_lakeformation_data_lake_settings": "{admins} administer the data lake",
    "aws_lakeformation_resource": "lets Lake Formation give access to {arn}",
    "aws_lakeformation_opt_in": "Lake Formation controls the access of {principal.*.data_lake_principal_identifier}",
    **{
        f"aws_lakeformation_resource_lf_{name}": "permissions on the tag {lf_tag.*.key} = {lf_tag.*.value} apply to it"
        for name in ("tag", "tags")
    },
    "aws_organizations_delegated_administrator": "{account_id} administers {service_principal} for the organization",
    **{
        f"aws_{service}_organization_admin_account": f"{{{name}}} administers {title} for the organization"
        for service, name, title in (
            ("guardduty", "admin_account_id", "GuardDuty"),
            ("securityhub", "admin_account_id", "Security Hub"),
            ("macie2", "admin_account_id", "Macie"),
            ("detective", "account_id", "Detective"),
        )
    },
    "aws_inspector2_delegated_admin_account": "{account_id} administers Inspector for the organization",
    "aws_opensearch_authorize_vpc_endpoint_access": "lets {account} connect to {domain_name}",
    "aws_config_aggregate_authorization": "lets {account_id} read the configuration in {region}",
    "aws_route53_resolver_rule": "DNS servers {target_ip.*.ip} resolve {domain_name}",
    "aws_redshift_endpoint_authorization": "lets {account} connect to {cluster_identifier}",
    "aws_directory_service_shared_directory": "lets {target.0.id} use {directory_id}",
    "aws_transfer_user": "lets {user_name} use {server_id}",
    "aws_transfer_ssh_key": "lets a key of {user_name} use {server_id}",
    "aws_ssm_activation": "machines with its activation code run as {iam_role}",
    "aws_ecr_pull_through_cache_rule": "images of {upstream_registry_url} can be pulled as {ecr_repository_prefix}",
    "aws_route53_vpc_association_authorization": "lets {vpc_id} resolve names of {zone_id}",
}
_OTHER_PATHS = {"aws_cloudfront_distribution": frozenset({"origin"}), LAMBDA_PERMISSION: LAMBDA_ATTRIBUTES}
_ANYBODY_VALUES = ("*", "all", "All", "NONE")
_IAM_AUTHORIZATION = "AWS_IAM"  # callers need a permission, which is compared at its own resource


def find_exposure_risks(comparison: Comparison) -> Iterator[Risk]:
    """Yield risks of open ports, public buckets and objects, and access by other accounts."""
    yield from find_port_risks(comparison)
    for pair in comparison.changes:
        if pair.after is None:
            continue
        if pair.type in _ACL_TYPES:
            yield from _find_public_acls(pair, pair.after, comparison)
        yield from _find_open_paths(pair, pair.after, comparison)
        if pair.is_new and (block := _get_public_access_block(pair.type, pair.after)) is not None:
            yield from _find_unblocked_access(pair, block)
        if pair.is_new and pair.type == "aws_ram_resource_share":
            yield from _find_external_sharing(pair, pair.after)
        if find_grants := _GRANT_READERS.get(pair.type):
            yield from find_grants(pair, pair.after, comparison)
        if pair.type == "aws_cloudfront_distribution" and pair.before is not None:
            yield from _find_open_origins(pair, pair.before, pair.after)
        if pair.is_new:
            yield from _find_initial_exposures(pair, pair.after, comparison)


def _find_open_paths(pair: ResourcePair, after: Block, comparison: Comparison) -> Iterator[Risk]:
    """Yield risks of routes to the internet, and of calls without authorization."""
    if pair.is_new and pair.type in _CALL_TYPES and _is_open_call(pair, after, comparison):
        yield _build_risk("PRIVILEGES_EXPOSED", Level.LOOK, pair, "anybody may call this part of an existing API")
    if pair.type in _ROUTES and _leads_to_internet(after) and not _leads_to_internet(pair.before):
        description = "the subnets of the route table get a route to the internet"
        yield _build_risk("PRIVILEGES_EXPOSED", Level.LOOK, pair, description)


def _is_open_call(pair: ResourcePair, after: Block, comparison: Comparison) -> bool:
    """Return whether a call without authorization joins an API that exists before the plan."""
    attribute, api_attribute, api_type = _CALL_TYPES[pair.type]
    if after.get(attribute, "NONE") != "NONE" or after.get("http_method") == "OPTIONS" or after.get("api_key_required"):
        return False
    api = comparison.joins_after.find_target(pair.new, api_attribute, api_type) if pair.new is not None else None
    if isinstance(api, Resource):
        return not comparison.pair(api).is_new
    return after.text(api_attribute) is not UNKNOWN


def _leads_to_internet(values: Block | None) -> bool:
    """Return whether a route leads all traffic to a known internet gateway."""
    if values is None:
        return False
    routes = values.blocks("route") if values.get("route") else [values]
    return routes is not UNKNOWN and any(
        str(route.get("gateway_id")).startswith("igw-")
        and {str(route.get(name)) for name in _ROUTE_NETWORKS} & {"0.0.0.0/0", "::/0"}
        for route in routes
    )


def _find_public_acls(pair: ResourcePair, after: Block, comparison: Comparison) -> Iterator[Risk]:
    """Yield risks of access control lists that name everybody."""
    for path in ("acl", "grant", "access_control_policy.0.grant"):
        new, old = after.get(path), None if pair.before is None else pair.before.get(path)
        protected_ids = (
            path == "acl" and pair.is_same_object and "object" not in pair.type
        )  # the table of protections covers it
        if protected_ids or (new == old and new is not UNKNOWN):
            continue
        if new is UNKNOWN or isinstance(new, Sensitive):
            set_here = pair.new is not None and comparison.joins_after.is_configured(pair.new, path) is not False
            if set_here and after.get(path.partition(".")[0]) is not None:
                description = f"the grantees of {path} are unknown until apply or unreadable"
                yield _build_risk("PRIVILEGES_UNKNOWN", Level.LOOK, pair, description, is_known=False)
        elif new in _PUBLIC:
            yield _build_risk("PRIVILEGES_EXPOSED", Level.STOP, pair, f"acl: {new}: objects are public")
        blocks = after.blocks(path) if isinstance(new, list) else UNKNOWN
        for block in () if blocks is UNKNOWN else blocks:
            if {str(block.get("uri")), str(block.get("grantee.0.uri"))} & _EVERYBODY:
                yield _build_risk("PRIVILEGES_EXPOSED", Level.STOP, pair, f"{block.path} names everybody")


def _get_public_access_block(kind: str, after: Block) -> Block | None:
    """Return the flags of a public access block, which CloudFormation has inside the bucket."""
    if kind in ("aws_s3_bucket_public_access_block", "aws_s3_account_public_access_block"):
        return after
    inside = after.block("public_access_block_configuration") if kind == "aws_s3_bucket" else None
    return inside if isinstance(inside, Block) else None


def _find_unblocked_access(pair: ResourcePair, after: Block) -> Iterator[Risk]:
    for flag in PUBLIC_ACCESS_BLOCKS:
        value = after.flag(flag)
        if value is UNKNOWN:
            yield _build_risk("PRIVILEGES_UNKNOWN", Level.LOOK, pair, f"{flag} is unknown until apply", is_known=False)
        elif not value:
            yield _build_risk(
                "PRIVILEGES_EXPOSED", Level.LOOK, pair, f"{flag} is not set: public access is not blocked"
            )


def _find_external_sharing(pair: ResourcePair, after: Block) -> Iterator[Risk]:
    allowed = after.flag("allow_external_principals")
    if allowed is UNKNOWN:
        description = "allow_external_principals is unknown until apply"
        yield _build_risk("PRIVILEGES_UNKNOWN", Level.LOOK, pair, description, is_known=False)
    elif allowed:
        yield _build_risk("PRIVILEGES_EXPOSED", Level.LOOK, pair, f"allow_external_principals: {SHARED_OUTSIDE}")


def _find_grants(pair: ResourcePair, after: Block, comparison: Comparison) -> Iterator[Risk]:
    parts = list(Formatter().parse(_GRANT_TEXTS[pair.type]))
    names = [name for _, name, _, _ in parts if name]
    new = {name: _list_grantees(pair, after, name, comparison) for name in names}
    grantees = [grantee for name in names[: len(names) - 1] or names for grantee in new[name]]
    old = None if pair.before is None else {name: _list_attribute_texts(pair.before, name) for name in names}
    if not grantees or grantees == [_IAM_AUTHORIZATION]:
        return
    description = _fill_text([(text, new[name] if name else None) for text, name, _, _ in parts])
    if old is not None and UNKNOWN not in grantees and not _has_more_grantees(old, new):
        others = set(pair.list_changed_attributes()) - list_exposure_paths(pair.type)
        if pair.is_same_object or not others:  # a replacement with another attribute may give more
            return
        description += f", with another {', '.join(sorted(others))}"
    level, reason = assess_foreign_accounts(
        (account for grantee in grantees for account in str(grantee).split(",")), comparison.accounts
    )
    level = Level.STOP if any(grantee in _ANYBODY_VALUES for grantee in grantees) else pick_worst(level, Level.LOOK)
    yield _build_risk(
        "PRIVILEGES_GRANTED",
        level,
        pair,
        f"{description} ({reason})" if reason else description,
        is_known=UNKNOWN not in grantees,
    )


def _has_more_grantees(old: Mapping[str, Sequence[object]], new: Mapping[str, Sequence[object]]) -> bool:
    """Return whether any part of the text is new. A part that only loses items gives nothing."""
    return any(text not in old[name] for name, texts in new.items() for text in texts)


def _fill_text(parts: list[tuple[str, list[str | Unknown] | None]]) -> str:
    """Return a text with the names after each of its parts. Names without a text between them are one list."""
    merged: list[tuple[str, list[str | Unknown] | None]] = []
    for text, names in parts:
        if merged and not text and names is not None:
            merged[-1] = merged[-1][0], [*(merged[-1][1] or ()), *names]
        else:
            merged.append((text, names))
    return "".join(text + ("" if names is None else _join_names(names)) for text, names in merged)


def _join_names(names: list[str | Unknown]) -> str:
    """Return the names for a sentence: `everybody` for wildcards, and `it` without any name."""
    return ", ".join("everybody" if name in ("*", "all", "All") else str(name) for name in names) or "it"


def _list_grantees(pair: ResourcePair, after: Block, name: str, comparison: Comparison) -> list[str | Unknown]:
    """Return the texts at `name`. A reference to a resource of the plan replaces an unknown value."""
    texts = _list_attribute_texts(after, name)
    if UNKNOWN not in texts or pair.new is None:
        return texts
    if comparison.plan.is_configured(pair.new, name.partition(".")[0]) is False:
        return []  # the provider computes it, within the own account
    of_plan = derive_text(comparison.joins_after.find_references(pair.new, name.partition(".*")[0]))
    return [of_plan if text is UNKNOWN else text for text in texts]


def _list_attribute_texts(block: Block, path: str) -> list[str | Unknown]:
    """Return the texts at `path`, in which `*` matches each block of a list."""
    outer, has_star, inner = path.partition(".*.")
    if not has_star:
        return list_texts(block, path)
    blocks = block.blocks(outer)
    return [UNKNOWN] if blocks is UNKNOWN else [text for block_item in blocks for text in list_texts(block_item, inner)]


def _find_open_origins(pair: ResourcePair, before: Block, after: Block) -> Iterator[Risk]:
    """Yield a risk for each origin that CloudFront no longer reads with its own identity."""
    old, new = before.blocks("origin"), after.blocks("origin")
    protected_ids = set() if old is UNKNOWN else {block.get("origin_id") for block in old if _has_identity(block)}
    for block in () if new is UNKNOWN else new:
        if block.get("origin_id") in protected_ids and not _has_identity(block):
            description = f"{block.get('origin_id')}: read without an identity, so the origin may have to be public"
            yield _build_risk("PRIVILEGES_EXPOSED", Level.LOOK, pair, description)


def _has_identity(origin: Block) -> bool:
    names = ("origin_access_control_id", "s3_origin_config.0.origin_access_identity")
    return any(origin.get(name) not in (None, "") for name in names)


def _find_initial_exposures(pair: ResourcePair, after: Block, comparison: Comparison) -> Iterator[Risk]:
    """Yield risks of attributes that expose a new resource from the start."""
    for protection in list_protections(pair.type):
        if protection.level_if_new is None or pair.new is None:
            continue
        new = protection.read(after)
        if new is UNKNOWN and comparison.plan.is_configured(pair.new, protection.path) is False:
            continue
        is_weaker = evaluate_weakening(protection, None, new)
        if is_weaker:
            name = protection.id or WEAKER_IDS[protection.area]
            description = f"{format_path(protection.path)}: {protection.consequence}"
            yield Risk(name, protection.area, protection.level_if_new, pair.address, description)
        elif is_weaker is None:
            description = protection.unknown_description
            name = UNKNOWN_IDS[protection.area]
            yield Risk(name, protection.area, Level.LOOK, pair.address, description, is_known=False)


def _build_risk(name: str, level: Level, pair: ResourcePair, description: str, *, is_known: bool = True) -> Risk:
    fix = "Name the networks or accounts that need it, or accept the risk." if level is Level.STOP else ""
    return Risk(name, RiskArea.PRIVILEGES, level, pair.address, description, fix, is_known)


_GRANT_READERS = {LAMBDA_PERMISSION: find_lambda_permission_risks, **dict.fromkeys(_GRANT_TEXTS, _find_grants)}


def list_exposure_paths(type_: str) -> frozenset[str]:
    """Return the attributes of a type that this module reads, each by the first part of its path."""
    names = (name for _, name, _, _ in Formatter().parse(_GRANT_TEXTS.get(type_, "")) if name)
    return frozenset(name.partition(".")[0] for name in names) | _OTHER_PATHS.get(type_, frozenset())
