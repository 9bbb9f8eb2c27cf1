"""Networks and accounts that get access to a resource."""

from collections.abc import Iterator, Mapping, Sequence
from string import Formatter

from sustainable_mlops.plan import UNKNOWN, Block, Resource, Unknown
from sustainable_mlops.plan.iam import derive_text
from sustainable_mlops.plan.values import Sensitive
from sustainable_mlops.review.accounts import assess_foreign_accounts
from sustainable_mlops.review.attributes.rows.access import PUBLIC_ACCESS_BLOCKS, SHARED_OUTSIDE
from sustainable_mlops.review.attributes.table import list_rows
from sustainable_mlops.review.comparison import Comparison, ResourcePair
from sustainable_mlops.review.privileges.access_lists import find_access_list_risks
from sustainable_mlops.review.privileges.existing_resources import find_effect_risks, list_effect_paths
from sustainable_mlops.review.privileges.lambda_permissions import (
    LAMBDA_ATTRIBUTES,
    LAMBDA_PERMISSION,
    find_lambda_permission_risks,
)
from sustainable_mlops.review.privileges.ports import find_port_risks, list_texts
from sustainable_mlops.review.privileges.routes import ASSOCIATIONS, find_route_risks
from sustainable_mlops.review.risk import (
    UNKNOWN_IDS,
    WEAKER_IDS,
    Level,
    Risk,
    build_privilege_risk,
    format_path,
    pick_worst,
)

#: Types of one call of an API: the attributes with its authorization and its API, and the type of the API.
_CALL_TYPES = {
    "aws_api_gateway_method": ("authorization", "rest_api_id", "aws_api_gateway_rest_api"),
    "aws_apigatewayv2_route": ("authorization_type", "api_id", "aws_apigatewayv2_api"),
}

#: Types that give access by their existence, with a text made of their attributes; grantees come first.
_GRANT_TEXTS = {
    "aws_s3control_access_grant": (
        "gives {grantee.0.grantee_identifier} {permission} access to the S3 access grants location "
        "{access_grants_location_id}"
    ),
    "aws_s3control_access_grants_location": (
        "S3 access grants can give access to {location_scope} through the role {iam_role_arn}"
    ),
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
    "aws_iam_service_specific_credential": "{user_name} gets a password or an API key for {service_name}",
    "aws_iam_user_ssh_key": "{username} gets an SSH key",
    "aws_iam_signing_certificate": "{user_name} gets a signing certificate",
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
    "aws_ssm_activation": "servers with its activation code run as {iam_role}",
    "aws_ecr_pull_through_cache_rule": "images of {upstream_registry_url} can be pulled as {ecr_repository_prefix}",
    "aws_route53_vpc_association_authorization": "lets {vpc_id} resolve names of {zone_id}",
    "aws_vpc_peering_connection_accepter": "accepts the connection {vpc_peering_connection_id} of another network",
    **{
        f"aws_ec2_transit_gateway_{kind}_attachment_accepter": (
            "accepts the attachment {transit_gateway_attachment_id}, which connects another network"
        )
        for kind in ("vpc", "peering")
    },
    "aws_networkmanager_attachment_accepter": (
        "accepts the attachment {attachment_id}, which connects another network"
    ),
    "aws_vpc_endpoint_connection_accepter": "lets {vpc_endpoint_id} connect to {vpc_endpoint_service_id}",
    "aws_opensearch_inbound_connection_accepter": (
        "another domain can search this domain through the connection {connection_id}"
    ),
    **{
        f"aws_dx_hosted_{kind}_virtual_interface_accepter": (
            "accepts the virtual interface {virtual_interface_id}, which connects another network"
        )
        for kind in ("private", "transit")
    },
}
#: Connections that accepters accept: the attribute that names one, and its type. A connection of the same plan is
#: reviewed there.
_ACCEPTED = {
    "aws_vpc_peering_connection_accepter": ("vpc_peering_connection_id", "aws_vpc_peering_connection"),
    "aws_ec2_transit_gateway_vpc_attachment_accepter": (
        "transit_gateway_attachment_id", "aws_ec2_transit_gateway_vpc_attachment",
    ),
    "aws_ec2_transit_gateway_peering_attachment_accepter": (
        "transit_gateway_attachment_id", "aws_ec2_transit_gateway_peering_attachment",
    ),
    "aws_networkmanager_attachment_accepter": ("attachment_id", "aws_networkmanager_vpc_attachment"),
    "aws_vpc_endpoint_connection_accepter": ("vpc_endpoint_id", "aws_vpc_endpoint"),
    "aws_opensearch_inbound_connection_accepter": ("connection_id", "aws_opensearch_outbound_connection"),
}  # fmt: skip
_IDENTITIES = ("origin_access_control_id", "s3_origin_config.0.origin_access_identity")
_POLICY = "custom_origin_config.0.origin_protocol_policy"
#: Values of the policy for connections to an origin, from the weakest.
_POLICIES = ("http-only", "match-viewer", "https-only")
_OLD_PROTOCOLS = frozenset({"SSLv3", "TLSv1", "TLSv1.1"})
#: The attributes of an origin that `_find_open_origins` compares, and those that open nothing.
_ORIGIN_PATHS = (
    "origin_id", "origin_path", "custom_origin_config", *_IDENTITIES,
    "connection_attempts", "custom_header", "origin_shield",
)  # fmt: skip
_OTHER_PATHS = {
    "aws_cloudfront_distribution": frozenset({f"origin.{name}" for name in _ORIGIN_PATHS}),
    LAMBDA_PERMISSION: LAMBDA_ATTRIBUTES,
    "aws_s3_bucket_acl": frozenset({"access_control_policy.grant"}),
    # The kind of the grantees that the text names.
    "aws_directory_service_shared_directory": frozenset({"target.type"}),
    "aws_s3control_access_grant": frozenset({"grantee.grantee_type"}),
    "aws_ssm_document": frozenset({"permissions.type"}),
    **dict.fromkeys(ASSOCIATIONS, frozenset({"route_table_id"})),
}
_FIX = "Give access only to the networks or accounts that need it, or accept the risk."
_ANYBODY_VALUES = ("*", "all", "All", "NONE")
_IAM_AUTHORIZATION = "AWS_IAM"  # callers need a permission, which is compared at its own resource


def find_exposure_risks(comparison: Comparison) -> Iterator[Risk]:
    """Yield risks of open ports, public buckets and objects, and access by other accounts."""
    yield from find_port_risks(comparison)
    yield from find_route_risks(comparison)
    for pair in comparison.changes:
        if pair.after is None:
            continue
        yield from find_access_list_risks(pair, pair.after, comparison)
        yield from find_effect_risks(pair, pair.after, comparison)
        if pair.is_new and pair.type in _CALL_TYPES:
            yield from _find_open_route(pair, pair.after, comparison)
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


def _find_open_route(pair: ResourcePair, after: Block, comparison: Comparison) -> Iterator[Risk]:
    """Yield a risk if the plan adds a method or route without authorization to an existing API."""
    attribute, api_attribute, api_type = _CALL_TYPES[pair.type]
    authorization = "NONE" if after.get(attribute) is None else after.text(attribute)
    needs_key = after.flag("api_key_required") is True
    if authorization not in ("NONE", UNKNOWN) or after.get("http_method") == "OPTIONS" or needs_key:
        return
    if comparison.names_new_resource(pair, api_attribute, api_type, if_unknown=True):
        return
    description, is_known = "anyone may call this method or route of an existing API", authorization is not UNKNOWN
    if not is_known:
        description += f": {attribute} is unknown until apply or sensitive"
    name = "PRIVILEGES_EXPOSED" if is_known else "PRIVILEGES_UNKNOWN"
    yield build_privilege_risk(name, Level.LOOK, pair.address, description, is_known=is_known)


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
            yield build_privilege_risk(
                "PRIVILEGES_UNKNOWN", Level.LOOK, pair.address, f"{flag} is unknown until apply", is_known=False
            )
        elif not value:
            description = f"{flag} is not set: public access is not blocked"
            yield build_privilege_risk("PRIVILEGES_EXPOSED", Level.LOOK, pair.address, description)


def _find_external_sharing(pair: ResourcePair, after: Block) -> Iterator[Risk]:
    allowed = after.flag("allow_external_principals")
    if allowed is UNKNOWN:
        description = "allow_external_principals is unknown until apply"
        yield build_privilege_risk("PRIVILEGES_UNKNOWN", Level.LOOK, pair.address, description, is_known=False)
    elif allowed:
        yield build_privilege_risk(
            "PRIVILEGES_EXPOSED", Level.LOOK, pair.address, f"allow_external_principals: {SHARED_OUTSIDE}"
        )


def _find_grants(pair: ResourcePair, after: Block, comparison: Comparison) -> Iterator[Risk]:
    if _accepts_nothing(pair, after, comparison):
        return
    parts = list(Formatter().parse(_GRANT_TEXTS[pair.type]))
    names = [name for _, name, _, _ in parts if name]
    new = {name: _list_grantees(pair, after, name, comparison) for name in names}
    grantees = [grantee for name in names[: len(names) - 1] or names for grantee in new[name]]
    old = None if pair.before is None else {name: _list_attribute_texts(pair.before, name) for name in names}
    if not grantees or grantees == [_IAM_AUTHORIZATION]:
        return
    description = _fill_text([(text, new[name] if name else None) for text, name, _, _ in parts])
    if old is not None and UNKNOWN not in grantees and not _has_more_grantees(old, new):
        others = set(pair.list_changed_attributes()) - {name.partition(".")[0] for name in names}
        if pair.is_same_object or not others:  # a replacement with another attribute may give more
            return
        description += f", with another {', '.join(sorted(others))}"
    level, reason = assess_foreign_accounts(
        (account for grantee in grantees for account in str(grantee).split(",")), comparison.accounts
    )
    level = Level.STOP if any(grantee in _ANYBODY_VALUES for grantee in grantees) else pick_worst(level, Level.LOOK)
    yield build_privilege_risk(
        "PRIVILEGES_GRANTED",
        level,
        pair.address,
        f"{description} ({reason})" if reason else description,
        _FIX,
        is_known=UNKNOWN not in grantees,
    )


def _accepts_nothing(pair: ResourcePair, after: Block, comparison: Comparison) -> bool:
    """Return whether an accepter accepts nothing, or a connection of the same plan."""
    if pair.type not in _ACCEPTED or pair.new is None:
        return False
    if pair.type == "aws_vpc_peering_connection_accepter" and after.get("auto_accept") in (None, False):
        return True
    return isinstance(comparison.joins_after.find_target(pair.new, *_ACCEPTED[pair.type]), Resource)


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
    """Return the names for a sentence: `everyone` for wildcards, and `it` without any name."""
    return ", ".join("everyone" if name in ("*", "all", "All") else str(name) for name in names) or "it"


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
    """Yield a risk for each origin that CloudFront reads without identity or encryption, or from a parent folder."""
    old, new = before.blocks("origin"), after.blocks("origin")
    former = {} if old is UNKNOWN else {str(block.get("origin_id")): block for block in old}
    for block in () if new is UNKNOWN else new:
        name = str(block.get("origin_id"))
        for reason, is_known in _list_weaker_settings(former[name], block) if name in former else ():
            rule = "PRIVILEGES_EXPOSED" if is_known else "PRIVILEGES_UNKNOWN"
            yield build_privilege_risk(rule, Level.LOOK, pair.address, f"{name}: {reason}", is_known=is_known)


def _list_weaker_settings(old: Block, new: Block) -> Iterator[tuple[str, bool]]:
    """Yield the reasons why an origin is less protected, each with False if its value is hidden."""
    if _has_identity(old) and not _has_identity(new):
        yield (
            "CloudFront reads this origin without an origin access control or identity; "
            "check that the origin is not public",
            True,
        )
    former, policy = (
        _POLICIES.index(name) if (name := side.get(_POLICY)) in _POLICIES else None for side in (old, new)
    )
    is_hidden = policy is None and new.get(_POLICY) is not None
    if former and (is_hidden or (policy is not None and policy < former)):
        yield f"connections to the origin may be unencrypted ({old.get(_POLICY)} → {new.get(_POLICY)})", not is_hidden
    protocols = [set(list_texts(side, "custom_origin_config.0.origin_ssl_protocols")) for side in (old, new)]
    if protocols[0] and (added := (protocols[1] - protocols[0]) & {*_OLD_PROTOCOLS, UNKNOWN}):
        yield f"connections to the origin may use {', '.join(sorted(map(str, added)))}", UNKNOWN not in added
    folders = [side.get("origin_path", "") for side in (old, new)]
    if folders[0] in ("", folders[1]):
        return
    if any(folder is UNKNOWN or isinstance(folder, Sensitive) for folder in folders):
        yield f"CloudFront may serve a parent folder of the old `origin_path` ({folders[0]} → {folders[1]})", False
    elif str(folders[0]).startswith(str(folders[1])):
        yield f"CloudFront serves a parent folder of the old `origin_path` ({folders[0]} → {folders[1] or '/'})", True


def _has_identity(origin: Block) -> bool:
    return any(origin.get(name) not in (None, "") for name in _IDENTITIES)


def _find_initial_exposures(pair: ResourcePair, after: Block, comparison: Comparison) -> Iterator[Risk]:
    """Yield risks of attributes that expose a new resource from the start."""
    for row in list_rows(pair.type):
        if row.level_if_new is None or pair.new is None:
            continue
        new = row.read(after)
        if new is UNKNOWN and comparison.plan.is_configured(pair.new, row.path) is False:
            continue
        is_weaker = row.evaluate(row.old_if_new, new)
        if is_weaker is True:
            name = row.id or WEAKER_IDS[row.area]
            description = f"{format_path(row.path)}: {row.consequence}"
            yield Risk(name, row.area, row.level_if_new, pair.address, description)
        elif is_weaker is UNKNOWN:
            description = row.unknown_description
            name = UNKNOWN_IDS[row.area]
            yield Risk(name, row.area, Level.LOOK, pair.address, description, is_known=False)


_GRANT_READERS = {LAMBDA_PERMISSION: find_lambda_permission_risks, **dict.fromkeys(_GRANT_TEXTS, _find_grants)}


def list_exposure_paths(type_: str) -> frozenset[str]:
    """Return the attributes of a type that the checks of access read."""
    names = (name for _, name, _, _ in Formatter().parse(_GRANT_TEXTS.get(type_, "")) if name)
    return frozenset(names) | _OTHER_PATHS.get(type_, frozenset()) | list_effect_paths(type_)
