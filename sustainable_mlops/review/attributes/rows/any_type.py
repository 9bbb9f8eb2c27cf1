"""Attributes of any type, by path or by a pattern of names, and the changes that weaken them."""

from typing import Any

from sustainable_mlops.base.lazy_pattern import LazyPattern
from sustainable_mlops.review.attributes.row import AttributeRow, keep, limit
from sustainable_mlops.review.attributes.rows.access import NO_OWN_KEY
from sustainable_mlops.review.attributes.weakening import (
    WeakeningTest,
    drops_below_tenth,
    in_pairs,
    is_emptied,
    is_lowered,
    is_removed,
    is_retention_cut,
    is_shortened,
    is_turned_off,
    is_turned_on,
    lifts_limit,
    loses_values,
)
from sustainable_mlops.review.attributes.words import (
    admits_networks,
    allows_new_major_version,
    allows_older_tls,
    becomes_public,
    changes_groups,
    downgrades_protocol,
    drops_authorization,
    encrypts_less,
    is_network,
    is_shortened_or_unset,
    raises_threshold,
    uses_other_image,
)
from sustainable_mlops.review.risk import Level, RiskArea

STOP, LOOK = Level.STOP, Level.LOOK
_OLDER_DELETED = "older data will be deleted"


def _by_name(
    names: str,
    is_weaker: WeakeningTest,
    consequence: str,
    level: Level = LOOK,
    area: RiskArea = RiskArea.PRIVILEGES,
    **options: Any,
) -> AttributeRow:
    """Return the row of the attributes whose last name matches a pattern, at any path."""
    pattern = LazyPattern(rf"(?:.*\.)?(?:{names.replace('.*', '[^.]*')})")
    return AttributeRow((), "", is_weaker, consequence, level, area, names=pattern, **options)


_NETWORKS = (
    r"(?:.*_)?(?:cidrs?|cidr_blocks?|cidr_ips?|cidr_list|ip_ranges?|ip_sets?|ip_allow_?lists?|allow_?lists?|"
    r"whitelists?|allowed_ips?|allowed_ip_range|trusted_ips?|source_ips?|source_ranges|addresses|ip_address|"
    r"ip_addresses|(?:.*_)?ip_filter.*|vpc_source_ips?)"
)
#: Attributes that have the same path in every type.
PATH_ROWS = (
    *(
        keep("", name, is_turned_off, "can be deleted", STOP)
        for name in ("deletion_protection", "deletion_protection_enabled", "enable_deletion_protection",
                     "termination_protection", "termination_protection_enabled", "disable_api_termination")
    ),
    keep("", "skip_final_snapshot", is_turned_on, "a destroy will leave no snapshot", STOP),
    keep("", "skip_final_backup", is_turned_on, "a destroy will leave no backup", STOP),
    keep("", "force_destroy", is_turned_on, "a destroy will also delete its content", STOP),
    keep("", "force_delete", is_turned_on, "a destroy will also delete its content", STOP),
    *(
        keep("", name, is_lowered, "backups are kept for less time", STOP, default=0)
        for name in ("backup_retention_period", "automated_snapshot_retention_period", "snapshot_retention_limit",
                     "automatic_backup_retention_days")
    ),
    *(
        keep("", name, is_shortened, _OLDER_DELETED, is_drastic=is_retention_cut)
        for name in ("retention_in_days", "retention_period_in_days", "retention_days")
    ),
    # In days or hours.
    keep("", "retention_period", is_shortened, _OLDER_DELETED, is_drastic=drops_below_tenth),
    *(
        limit("", name, is_removed, NO_OWN_KEY)
        for name in ("kms_key_id", "kms_key_arn", "kms_key", "kms_master_key_id")
    ),
    *(
        limit("", name, is_turned_off, "no longer encrypted")
        for name in ("encrypted", "storage_encrypted", "at_rest_encryption_enabled", "transit_encryption_enabled")
    ),
    limit("", "publicly_accessible", is_turned_on, "reachable from the internet", STOP, level_if_new=LOOK),
)  # fmt: skip
#: Patterns of names; the first that matches decides.
NAME_ROWS = (
    _by_name(
        r"(?:.*_)?(?:deny|denied|blocked|block|excluded?|exclusions?)_?(?:list|ips?|cidrs?|.*ip_range.*)",
        loses_values, "addresses are no longer blocked",
    ),
    _by_name(_NETWORKS, admits_networks, "other networks may connect"),
    _by_name(
        r"(?:.*_)?(?:authorization|authorization_type|authorizer_type|authorizer_id|auth|auth_type|auth_mode|"
        r"auth_scheme|auth_strategy|authentication|authentication_type|authentication_types?|authentication_mode|"
        r"authentication_methods|identity_provider_type|authenticat\w*_enabled|api_key_required|"
        r"on_unauthenticated_request|authorization_scopes|iam_auth\w*|authorizer)",
        drops_authorization, "callers need no authorization, or a different one", STOP,
    ),
    _by_name(
        r"(?:.*_)?passwords?|auth_token|basic_auth_credentials", is_emptied,
        "users need no password", STOP,
    ),
    _by_name(
        r"(?:.*_)?mfa(?:_.*)?|.*multi_factor.*", loses_values, "users sign in without a second factor",
    ),
    _by_name(
        r"(?:.*_)?(?:ssl_policy|security_policy|security_policy_name|minimum_protocol_version|tls_policy|"
        r"tls_security_policy|min\w*_tls\w*|\w*tls_version|\w*ssl_protocols?|ssl_security_protocol)",
        in_pairs(allows_older_tls), "older versions of TLS are accepted",
    ),
    _by_name(
        r"(?:.*_)?(?:protocols?|protocol_policy|client_broker|transit_encryption_mode|security_protocol|ssl_mode|"
        r"tls_mode|protocol_type)",
        in_pairs(downgrades_protocol), "connections may be unencrypted",
    ),
    _by_name(
        r"(?:tls|ssl|https)(?:_enabled)?|(?:enforce|require|force|use)_(?:https|ssl|tls|.*encrypt.*)|"
        r"(?:.*_)?(?:force_ssl|require_secure_transport)",
        loses_values, "connections may be unencrypted",
    ),
    _by_name(
        r".*encrypt.*|(?:.*_)?(?:sse|kms)(?:_.*)?", in_pairs(encrypts_less),
        "data is encrypted less strongly, or not at all",
    ),
    _by_name(
        r"(?!skip_|bypass_)(?:.*_)?(?:block|blocks|restrict|isolat\w*|protect\w*|prevent|require\w*|enforce\w*|"
        r"verify|verification|enhanced_vpc_routing|access_control_max_age_sec|"
        r"validat\w*|mask\w*|redact\w*|mutability|rotation|rotate\w*|versioning|lock|locked|scan|scanning|audit\w*|"
        r"deny|read_?only|readonly|private|internal|secure|secured|tamper\w*|checks?|inspection|guardrail\w*|"
        r"boundary|signing|multi_az|failover)(?:_.*)?",
        loses_values, "a protection is turned off or reduced",
    ),
    _by_name(
        r"override|override_action_none", loses_values, "a protection is turned off or reduced",
    ),
    _by_name(
        r"(?!public_key).*(?:public|internet|anonymous|unauthenticated|external_principal|everyone).*|scheme|"
        r"(?:.*_)?(?:access_type|endpoint_types?|endpoint_type|connectivity|access_mode)|map_public_ip_on_launch|"
        r"endpoint_configuration_types",
        becomes_public, "open to the internet or to everyone", STOP,
    ),
    _by_name(
        r"(?:.*_)?engine_version|allow_major_version_upgrade", in_pairs(allows_new_major_version),
        "a new major version cannot be undone, and existing programs may fail on it", area=RiskArea.DATA,
    ),
    _by_name(
        r"enable_execute_command|enable_http_endpoint|enable_(?:ssm_?access|docker_access|remote_debug)|"
        r"introspection\w*|authorize_all.*|(?:.*_)?action_count|auto_accept.*|skip_.*|bypass_.*|force_.*|"
        r"(?:.*_)?(?:allow|allows|allowed|privileged|permissive|insecure|unsafe|purge|cascade|overwrite|"
        r"hard_delete|delete|deletes|remove|terminate|disable|disabled|disables|suspend|suspended|external|shared|sharing|"
        r"cross_account|root|administrator|debug|trust_all|impersonat\w*)(?:_.*)?",
        in_pairs(is_turned_on), "allows more than before, or deletes something automatically",
    ),
    _by_name(
        r"(?:.*_)?(?:retention|recovery_window|deletion_window|pending_window|keep|kept|expir\w*|backup|backups|"
        r"snapshots?|delete_after|cold_storage|restore|undelete|grace|backtrack|history)(?:_.*)?|.*_in_days|.*_days",
        in_pairs(is_shortened_or_unset), "backups or old data are kept for less time", area=RiskArea.DATA,
    ),
    _by_name(
        # Parameters of PostgreSQL ("When To Log"), which logs statements above the threshold.
        r"log_min_duration_(?:statement|sample)|log_autovacuum_min_duration|log_temp_files",
        raises_threshold, "less is recorded",
    ),
    _by_name(
        r"(?:.*_)?(?:log|logs|logging|access_logs?|audit|trace|tracing|xray|data_capture|monitoring|insights|"
        r"cloudwatch_logs_exports|metrics_enabled|flow_logs?|notifications?|alarms?|alarm_actions|alert\w*)(?:_.*)?",
        loses_values, "less is recorded, or fewer people are notified",
    ),
    _by_name(r"(?:.*_)?(?:image|image_uri)", uses_other_image, "runs another image"),
    _by_name(
        r"(?:.*_)?(?:security_groups?|security_group_ids|security_group_id)",
        changes_groups, "other rules decide who may connect",
    ),
    _by_name(
        r"(?:.*_)?(?:vpc|vpc_ids?|vpc_arn|subnets?|subnet_ids?|subnet_arns?|network_mode|network_configuration)",
        is_emptied, "runs outside the VPC",
    ),
    _by_name(
        r"(?:.*_)?(?:enabled|enable|active|activate|status|state)|enable_.*|is_.*",
        in_pairs(is_turned_off), "is turned off",
    ),
    _by_name(
        r"(?!memory_|hard_|soft_|hop_|.*hop_limit)(?:(?:.*_)?(?:throttl\w*|rate_limit|burst_limit|quota\w*|limit)|"
        r"reserved_concurrent_executions|max_session_duration|bytes_scanned_cutoff_per_query)",
        in_pairs(lifts_limit), "a limit is lifted", area=RiskArea.SAFEGUARDS,
    ),
    # Networks in an attribute of any other name.
    _by_name(".*", admits_networks, "other networks may connect", matches_value=is_network),
)  # fmt: skip
