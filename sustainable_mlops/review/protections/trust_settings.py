"""Attributes that decide who is trusted: identity providers, members, authorizers, sign-in flows.

Policy documents are compared elsewhere. Names and values of attributes come from the schema of the provider aws 5.100.
"""

from sustainable_mlops.review.protections.protection import Protection
from sustainable_mlops.review.protections.weakening import (
    WeakeningTest,
    adds_any_of,
    changes_to,
    changes_without_statements,
    downgrades_from,
    extends,
    gains_any,
    is_changed,
    is_longer,
    is_lowered,
    is_removed,
    is_turned_off,
    is_turned_on,
    loses_items,
    stops_authenticating,
)
from sustainable_mlops.review.risk import Level, RiskArea

_STOP, _LOOK = Level.STOP, Level.LOOK


def _make_row(
    types: str,
    path: str,
    consequence: str,
    test: WeakeningTest = gains_any,
    level: Level = _LOOK,
    if_new: Level | None = None,
    default: object = None,
) -> Protection:
    """Return the protection by an attribute that decides who is trusted.

    `types` has one or more types without `aws_`. `path` may contain `*` for each block of a list.
    """
    names = tuple(f"aws_{name}" for name in types.split())
    return Protection(
        names, path, test, consequence, level, RiskArea.PRIVILEGES, default, level_if_new=if_new, id="PRIVILEGES_TRUST"
    )


_SIGN_IN = "users of another identity provider can sign in"
_AUTHORIZER = "another authorizer decides who may call it"
_ANYONE_CALLS = "anyone may call it"
_WITHOUT_LOGIN = "users no longer need to sign in"
_CERTIFICATES = "other client certificates are trusted"
_LISTENERS = "lb_listener alb_listener"
_RULES = "lb_listener_rule alb_listener_rule"
_ACTIONS = (f"{_LISTENERS}: default_action", f"{_RULES}: action")
_SESSION = ("scope", "session_cookie_name")
_OIDC_ENDPOINTS = (
    "issuer", "authorization_endpoint", "token_endpoint", "user_info_endpoint", "client_id", "client_secret",
    *_SESSION
)  # fmt: skip
_COGNITO_POOL = ("user_pool_arn", "user_pool_client_id", "user_pool_domain", *_SESSION)

TRUST_SETTINGS: tuple[Protection, ...] = (
    # Identity providers of the account and of the organization.
    _make_row("iam_saml_provider", "saml_metadata_document", "another identity provider may authenticate users"),
    _make_row("iam_openid_connect_provider", "client_id_list", "tokens for another audience are accepted"),
    _make_row("iam_openid_connect_provider", "thumbprint_list",
              "another certificate of the identity provider is trusted"),
    _make_row("rolesanywhere_trust_anchor", "source.*.source_data.*.x509_certificate_data", _CERTIFICATES),
    _make_row("rolesanywhere_trust_anchor", "source.*.source_data.*.acm_pca_arn", _CERTIFICATES),
    _make_row("rolesanywhere_trust_anchor rolesanywhere_profile", "enabled", "it issues credentials", is_turned_on),
    _make_row("rolesanywhere_profile", "session_policy", "sessions are no longer limited by it", is_removed),
    _make_row("ssoadmin_trusted_token_issuer",
              "trusted_token_issuer_configuration.*.oidc_jwt_configuration.*.issuer_url", _SIGN_IN),
    _make_row("ssoadmin_trusted_token_issuer",
              "trusted_token_issuer_configuration.*.oidc_jwt_configuration.*.claim_attribute_path",
              "another claim of a token identifies the user"),
    _make_row("ssoadmin_instance_access_control_attributes", "attribute.*.value.*.source.*",
              "another user attribute determines access"),
    _make_row("ssoadmin_permission_set", "session_duration", "credentials are valid for longer", is_longer,
              default="PT1H"),
    _make_row("organizations_policy", "content", "accounts may do what the policy denied", changes_without_statements,
              _STOP),
    _make_row("quicksight_user", "user_role", "the user becomes administrator", changes_to("ADMIN", "ADMIN_PRO")),
    _make_row("grafana_workspace", "authentication_providers", _SIGN_IN),
    _make_row("grafana_workspace_saml_configuration", "idp_metadata_xml", _SIGN_IN),
    _make_row("grafana_workspace_saml_configuration", "idp_metadata_url", _SIGN_IN),
    _make_row("grafana_workspace_saml_configuration", "admin_role_values", "more users become administrators"),
    _make_row("opensearch_domain_saml_options", "saml_options.*.idp.*.metadata_content", _SIGN_IN),
    _make_row("opensearch_domain_saml_options", "saml_options.*.master_user_name", "another user is administrator"),
    _make_row("opensearch_domain_saml_options", "saml_options.*.master_backend_role", "another role is administrator"),
    _make_row("eks_identity_provider_config", "oidc.*.client_id", _SIGN_IN),
    _make_row("eks_access_entry", "kubernetes_groups", "the principal becomes a member of another group"),
    _make_row("eks_access_policy_association", "access_scope.0.type", "the policy applies to the whole cluster",
              changes_to("cluster")),
    _make_row("eks_access_policy_association", "access_scope.*.namespaces", "the policy applies to more namespaces"),
    _make_row("sagemaker_workforce", "oidc_config.*.issuer", _SIGN_IN),
    _make_row("sagemaker_workforce", "oidc_config.*.jwks_uri", _SIGN_IN),
    _make_row("sagemaker_workforce", "oidc_config.*.token_endpoint", _SIGN_IN),
    _make_row("sagemaker_workforce", "cognito_config.*.user_pool", _SIGN_IN),
    _make_row("sagemaker_workteam", "member_definition.*.cognito_member_definition.*.user_group",
              "another group joins"),
    _make_row("sagemaker_workteam", "member_definition.*.oidc_member_definition.*.groups", "another group joins"),
    # Lake Formation. IAM_ALLOWED_PRINCIPALS is everyone whom IAM allows.
    _make_row("lakeformation_data_lake_settings", "read_only_admins",
              "another principal may read the whole catalogue of the data lake"),
    *(
        _make_row("lakeformation_data_lake_settings", f"create_{kind}_default_permissions.*.principal",
                  f"another principal gets permissions on every new {kind}")
        for kind in ("database", "table")
    ),
    _make_row("lakeformation_data_lake_settings", "trusted_resource_owners", "another account is trusted"),
    _make_row("lakeformation_data_lake_settings", "external_data_filtering_allow_list",
              "another account may filter data"),
    _make_row("lakeformation_data_lake_settings", "authorized_session_tag_value_list", "more sessions are trusted"),
    *(
        _make_row("lakeformation_data_lake_settings", name, "external query engines may read data", is_turned_on)
        for name in ("allow_external_data_filtering", "allow_full_table_external_data_access")
    ),
    _make_row("lakeformation_resource", "hybrid_access_enabled", "IAM permissions give access again", is_turned_on),
    _make_row("lakeformation_resource", "with_federation", "it includes a federated catalogue", is_turned_on),
    _make_row("lakeformation_data_cells_filter", "table_data.*.column_names", "more columns can be read"),
    _make_row("lakeformation_data_cells_filter", "table_data.*.row_filter.*.filter_expression",
              "other rows can be read"),
    _make_row("lakeformation_data_cells_filter", "table_data.*.column_wildcard.*.excluded_column_names",
              "excluded columns can be read", loses_items),
    _make_row("lakeformation_permissions", "table_with_columns.*.excluded_column_names", "excluded columns can be read",
              loses_items),
    # Cognito.
    _make_row("cognito_user_pool", "admin_create_user_config.0.allow_admin_create_user_only", "anyone may sign up",
              is_turned_off),
    _make_row("cognito_user_pool", "mfa_configuration", "users need no second factor", downgrades_from("OPTIONAL",
              "ON")),
    _make_row("cognito_user_pool", "password_policy.0.minimum_length", "passwords may be shorter", is_lowered),
    *(
        _make_row("cognito_user_pool", f"password_policy.0.require_{name}", "passwords may be simpler", is_turned_off)
        for name in ("lowercase", "numbers", "symbols", "uppercase")
    ),
    _make_row("cognito_user_pool", "user_pool_add_ons.0.advanced_security_mode", "risky sign-ins are no longer blocked",
              downgrades_from("AUDIT", "ENFORCED")),
    _make_row("cognito_user_pool_client cognito_managed_user_pool_client", "callback_urls",
              "tokens can be sent to another address"),
    _make_row("cognito_user_pool_client cognito_managed_user_pool_client", "default_redirect_uri",
              "tokens can be sent to another address"),
    _make_row("cognito_user_pool_client cognito_managed_user_pool_client", "allowed_oauth_flows",
              "users can sign in by another flow"),
    _make_row("cognito_user_pool_client cognito_managed_user_pool_client", "explicit_auth_flows",
              "users can sign in by another flow"),
    _make_row("cognito_user_pool_client cognito_managed_user_pool_client", "allowed_oauth_scopes", "tokens allow more"),
    _make_row("cognito_user_pool_client cognito_managed_user_pool_client", "supported_identity_providers", _SIGN_IN),
    _make_row("cognito_user_pool_client cognito_managed_user_pool_client", "write_attributes",
              "users may change more of their own attributes"),
    _make_row("cognito_user_pool_client cognito_managed_user_pool_client", "enable_token_revocation",
              "tokens cannot be revoked", is_turned_off),
    _make_row("cognito_user_pool_client cognito_managed_user_pool_client", "prevent_user_existence_errors",
              "errors reveal which users exist", downgrades_from("ENABLED")),
    _make_row("cognito_identity_provider", "provider_details", _SIGN_IN),
    _make_row("cognito_identity_provider", "attribute_mapping", "the provider sets other attributes of a user"),
    _make_row("cognito_identity_pool", "cognito_identity_providers.*.client_id",
              "users of another client get credentials"),
    _make_row("cognito_identity_pool", "cognito_identity_providers.*.provider_name",
              "users of another pool get credentials"),
    *(
        _make_row("cognito_identity_pool", name, "users of another identity provider get credentials")
        for name in ("openid_connect_provider_arns", "saml_provider_arns", "supported_login_providers",
                     "developer_provider_name")
    ),
    _make_row("cognito_identity_pool", "allow_classic_flow", "a client may choose the role", is_turned_on),
    _make_row("cognito_identity_pool_roles_attachment", "role_mapping.*.type", "tokens determine the role",
              adds_any_of("Token")),
    # APIs. A new method without authorization is a public API, which is common.
    _make_row("api_gateway_method", "authorization", _ANYONE_CALLS, changes_to("NONE"), _STOP),
    _make_row("api_gateway_method apigatewayv2_route", "authorizer_id", _AUTHORIZER, extends),
    _make_row("api_gateway_method apigatewayv2_route", "authorization_scopes", "tokens need fewer scopes", loses_items),
    _make_row("api_gateway_method apigatewayv2_route", "api_key_required", "callers need no key", is_turned_off),
    _make_row("apigatewayv2_route", "authorization_type", _ANYONE_CALLS, changes_to("NONE"), _STOP, default="NONE"),
    _make_row("api_gateway_authorizer apigatewayv2_authorizer", "authorizer_uri", _AUTHORIZER),
    _make_row("api_gateway_authorizer", "provider_arns", "users of another pool may call it"),
    _make_row("api_gateway_authorizer", "type", _AUTHORIZER),
    _make_row("api_gateway_authorizer", "identity_validation_expression", "tokens are no longer checked", is_removed),
    _make_row("apigatewayv2_authorizer", "jwt_configuration.*.issuer", _SIGN_IN),
    _make_row("apigatewayv2_authorizer", "jwt_configuration.*.audience", "tokens for another audience are accepted"),
    _make_row("api_gateway_domain_name apigatewayv2_domain_name", "mutual_tls_authentication.0.truststore_uri",
              "callers need no client certificate", is_removed),
    _make_row("api_gateway_domain_name apigatewayv2_domain_name", "mutual_tls_authentication.*.truststore_uri",
              _CERTIFICATES, extends),
    _make_row("api_gateway_domain_name apigatewayv2_domain_name", "mutual_tls_authentication.*.truststore_version",
              _CERTIFICATES, extends),
    _make_row("api_gateway_rest_api apigatewayv2_api", "disable_execute_api_endpoint",
              "callers reach it without the custom domain", is_turned_off),
    _make_row("appsync_graphql_api", "authentication_type", "callers need only a shared key", changes_to("API_KEY")),
    _make_row("appsync_graphql_api", "additional_authentication_provider.*.authentication_type",
              "callers may authenticate in another way"),
    _make_row("appsync_graphql_api", "visibility", "reachable from the internet", downgrades_from("PRIVATE"), _STOP),
    *(
        _make_row("appsync_graphql_api", f"{prefix}{path}", consequence)
        for prefix in ("", "additional_authentication_provider.*.")
        for path, consequence in (
            ("openid_connect_config.*.issuer", _SIGN_IN),
            ("openid_connect_config.*.client_id", "tokens of another client are accepted"),
            ("user_pool_config.*.user_pool_id", "users of another pool may call it"),
            ("lambda_authorizer_config.*.authorizer_uri", _AUTHORIZER),
        )
    ),
    _make_row("vpclattice_service vpclattice_service_network", "auth_type", _ANYONE_CALLS, downgrades_from("AWS_IAM"),
              _STOP, default="NONE"),
    # Load balancers.
    *(
        _make_row(types, f"{action}.*.type", _WITHOUT_LOGIN, stops_authenticating, _STOP)
        for types, action in (entry.split(": ") for entry in _ACTIONS)
    ),
    *(
        _make_row(types, f"{action}.*.authenticate_{kind}.*.{name}", _SIGN_IN, extends)
        for types, action in (entry.split(": ") for entry in _ACTIONS)
        for kind, names in (("oidc", _OIDC_ENDPOINTS), ("cognito", _COGNITO_POOL))
        for name in names
    ),
    *(
        _make_row(types, f"{action}.*.authenticate_{kind}.*.on_unauthenticated_request", _WITHOUT_LOGIN,
                  adds_any_of("allow"), _STOP)
        for types, action in (entry.split(": ") for entry in _ACTIONS)
        for kind in ("oidc", "cognito")
    ),
    _make_row(_LISTENERS, "mutual_authentication.0.mode", "callers need no client certificate",
              downgrades_from("passthrough", "verify")),
    _make_row(_LISTENERS, "mutual_authentication.*.trust_store_arn", _CERTIFICATES, extends),
    _make_row(_LISTENERS, "mutual_authentication.0.ignore_client_certificate_expiry",
              "expired certificates are accepted",
              is_turned_on),
    *(
        _make_row("lb_trust_store", f"ca_certificates_bundle_s3_{name}", _CERTIFICATES)
        for name in ("bucket", "key", "object_version")
    ),
    # CloudFront: signed addresses, and the identity with which it reads its origins.
    *(
        _make_row("cloudfront_distribution", f"default_cache_behavior.0.{name}",
                  "anyone may read it without a signature",
                  is_removed, _STOP)
        for name in ("trusted_key_groups", "trusted_signers")
    ),
    *(
        _make_row("cloudfront_distribution", f"{behavior}.*.{name}", "another key may sign addresses", extends)
        for behavior in ("default_cache_behavior", "ordered_cache_behavior")
        for name in ("trusted_key_groups.*", "trusted_signers.*")
    ),
    *(
        _make_row("cloudfront_distribution", f"ordered_cache_behavior.*.{name}.*", "some paths may need no signature",
                  loses_items)
        for name in ("trusted_key_groups", "trusted_signers")
    ),
    _make_row("cloudfront_distribution", "origin.*.domain_name", "the content comes from another origin"),
    _make_row("cloudfront_origin_access_control", "signing_behavior", "the origin may have to be public",
              downgrades_from("no-override", "always")),
    _make_row("cloudfront_key_group", "items", "another key may sign addresses"),
    _make_row("cloudfront_public_key", "encoded_key", "another key may sign addresses"),
    *(
        _make_row(type_, path, "pages of every website may call it", adds_any_of("*"))
        for type_, path in (
            ("apigatewayv2_api", "cors_configuration.*.allow_origins.*"),
            ("lambda_function_url", "cors.*.allow_origins.*"),
            ("s3_bucket_cors_configuration", "cors_rule.*.allowed_origins.*"),
        )
    ),
    # Databases, brokers and clusters.
    _make_row("opensearch_domain elasticsearch_domain", "advanced_security_options.0.enabled",
              "fine-grained access control is turned off", is_turned_off, _STOP),
    _make_row("opensearch_domain", "advanced_security_options.0.anonymous_auth_enabled", "anyone may sign in",
              is_turned_on, _STOP, _LOOK),
    _make_row("opensearch_domain elasticsearch_domain",
              "advanced_security_options.*.master_user_options.*.master_user_arn", "another principal is administrator",
              extends),
    _make_row("msk_cluster", "client_authentication.0.unauthenticated", "clients need not authenticate", is_turned_on,
              _STOP, _LOOK),
    _make_row("msk_cluster", "client_authentication.*.tls.*.certificate_authority_arns", _CERTIFICATES),
    _make_row("elasticache_user", "no_password_required", "clients need no password", is_turned_on, _STOP, _LOOK),
    _make_row("elasticache_user memorydb_user", "authentication_mode.0.type", "clients need no password",
              changes_to("no-password-required", "no-password"), _STOP, _LOOK),
    _make_row("elasticache_user memorydb_user", "access_string", "the user may run other commands"),
    _make_row("elasticache_user_group", "user_ids", "another user gets access"),
    _make_row("memorydb_acl", "user_names", "another user gets access"),
    _make_row("db_proxy", "auth.*.iam_auth", "clients may connect without IAM",
              lambda old, new: "REQUIRED" in old and "DISABLED" in new),
    _make_row("db_instance rds_cluster neptune_cluster", "iam_database_authentication_enabled",
              "users need a password in the database", is_turned_off),
    # Keys, file servers, builds and networks.
    _make_row("key_pair", "public_key", "another key gives access to the instances"),
    _make_row("transfer_ssh_key", "body", "another key gives access to the file server"),
    _make_row("transfer_server", "identity_provider_type", _SIGN_IN),
    _make_row("transfer_server", "url", _SIGN_IN),
    _make_row("transfer_server", "function", _SIGN_IN),
    _make_row("transfer_server", "endpoint_type", "reachable from the internet", changes_to("PUBLIC"), _STOP),
    _make_row("ec2_client_vpn_endpoint", "authentication_options.*.root_certificate_chain_arn", _CERTIFICATES),
    _make_row("ec2_client_vpn_endpoint", "authentication_options.*.saml_provider_arn", _SIGN_IN),
    _make_row("ec2_client_vpn_authorization_rule", "authorize_all_groups, access_group_id",
              "another group, or every group, may connect",
              lambda old, new: not old["authorize_all_groups"] and new != old),
    _make_row("codebuild_webhook", "filter_group", "other events start builds", is_changed),
    _make_row("vpc_dhcp_options", "domain_name_servers", "other servers resolve names"),
    _make_row("route53_resolver_rule", "target_ip.*.ip", "other servers resolve names"),
    _make_row("route53domains_registered_domain", "name_server.*.name", "other servers answer for the domain"),
)  # fmt: skip
