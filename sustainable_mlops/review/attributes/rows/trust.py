"""Attributes that decide who is trusted: identity providers, members, authorizers, sign-in flows.

Policy documents are compared elsewhere. Names and values of attributes come from the schema of the provider aws 5.100.
"""

from sustainable_mlops.review.attributes.row import trust
from sustainable_mlops.review.attributes.weakening import (
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
from sustainable_mlops.review.risk import Level

STOP, LOOK = Level.STOP, Level.LOOK

_SIGN_IN = "users of another identity provider can sign in"
_AUTHORIZER = "another authorizer decides who may call it"
_ANYONE_CALLS = "anyone may call it"
_WITHOUT_LOGIN = "users no longer need to sign in"
_CERTIFICATES = "other client certificates are trusted"
_LISTENERS = "aws_lb_listener aws_alb_listener"
_ACTIONS = ((_LISTENERS, "default_action"), ("aws_lb_listener_rule aws_alb_listener_rule", "action"))
_SESSION = ("scope", "session_cookie_name")
_OIDC_ENDPOINTS = (
    "issuer", "authorization_endpoint", "token_endpoint", "user_info_endpoint", "client_id", "client_secret",
    *_SESSION
)  # fmt: skip
_COGNITO_POOL = ("user_pool_arn", "user_pool_client_id", "user_pool_domain", *_SESSION)

TRUST_ROWS = (
    # Identity providers of the account and of the organization.
    trust("aws_iam_saml_provider", "saml_metadata_document", gains_any,
          "another identity provider may authenticate users"),
    trust("aws_iam_openid_connect_provider", "client_id_list", gains_any, "tokens for another audience are accepted"),
    trust("aws_iam_openid_connect_provider", "thumbprint_list", gains_any,
          "another certificate of the identity provider is trusted"),
    trust("aws_rolesanywhere_trust_anchor", "source.*.source_data.*.x509_certificate_data", gains_any, _CERTIFICATES),
    trust("aws_rolesanywhere_trust_anchor", "source.*.source_data.*.acm_pca_arn", gains_any, _CERTIFICATES),
    trust("aws_rolesanywhere_trust_anchor aws_rolesanywhere_profile", "enabled", is_turned_on, "it issues credentials"),
    trust("aws_rolesanywhere_profile", "session_policy", is_removed, "sessions are no longer limited by it"),
    trust("aws_ssoadmin_trusted_token_issuer",
          "trusted_token_issuer_configuration.*.oidc_jwt_configuration.*.issuer_url", gains_any, _SIGN_IN),
    trust("aws_ssoadmin_trusted_token_issuer",
          "trusted_token_issuer_configuration.*.oidc_jwt_configuration.*.claim_attribute_path", gains_any,
          "another claim of a token identifies the user"),
    trust("aws_ssoadmin_instance_access_control_attributes", "attribute.*.value.*.source.*", gains_any,
          "another user attribute determines access"),
    trust("aws_ssoadmin_permission_set", "session_duration", is_longer, "credentials are valid for longer",
          default="PT1H"),
    trust("aws_organizations_policy", "content", changes_without_statements, "accounts may do what the policy denied",
          STOP),
    trust("aws_quicksight_user", "user_role", changes_to("ADMIN", "ADMIN_PRO"), "the user becomes administrator"),
    trust("aws_grafana_workspace", "authentication_providers", gains_any, _SIGN_IN),
    trust("aws_grafana_workspace_saml_configuration", "idp_metadata_xml", gains_any, _SIGN_IN),
    trust("aws_grafana_workspace_saml_configuration", "idp_metadata_url", gains_any, _SIGN_IN),
    trust("aws_grafana_workspace_saml_configuration", "admin_role_values", gains_any,
          "more users become administrators"),
    trust("aws_opensearch_domain_saml_options", "saml_options.*.idp.*.metadata_content", gains_any, _SIGN_IN),
    trust("aws_opensearch_domain_saml_options", "saml_options.*.master_user_name", gains_any,
          "another user is administrator"),
    trust("aws_opensearch_domain_saml_options", "saml_options.*.master_backend_role", gains_any,
          "another role is administrator"),
    trust("aws_eks_identity_provider_config", "oidc.*.client_id", gains_any, _SIGN_IN),
    trust("aws_eks_access_entry", "kubernetes_groups", gains_any, "the principal becomes a member of another group"),
    trust("aws_eks_access_policy_association", "access_scope.0.type", changes_to("cluster"),
          "the policy applies to the whole cluster"),
    trust("aws_eks_access_policy_association", "access_scope.*.namespaces", gains_any,
          "the policy applies to more namespaces"),
    trust("aws_sagemaker_workforce", "oidc_config.*.issuer", gains_any, _SIGN_IN),
    trust("aws_sagemaker_workforce", "oidc_config.*.jwks_uri", gains_any, _SIGN_IN),
    trust("aws_sagemaker_workforce", "oidc_config.*.token_endpoint", gains_any, _SIGN_IN),
    trust("aws_sagemaker_workforce", "cognito_config.*.user_pool", gains_any, _SIGN_IN),
    trust("aws_sagemaker_workteam", "member_definition.*.cognito_member_definition.*.user_group", gains_any,
          "another group joins"),
    trust("aws_sagemaker_workteam", "member_definition.*.oidc_member_definition.*.groups", gains_any,
          "another group joins"),
    # Keys, certificates and users that become active.
    *(
        trust(f"aws_{type_}", path, is_turned_on, "it gives access again", default=default)
        for type_, path, default in (("iam_access_key", "status", "Active"),
                                     ("iam_service_specific_credential", "status", "Active"),
                                     ("iam_signing_certificate", "status", "Active"),
                                     ("iam_user_ssh_key", "status", "Active"),
                                     ("iot_certificate", "active", None), ("iot_ca_certificate", "active", None),
                                     ("iot_provisioning_template", "enabled", None),
                                     ("api_gateway_api_key", "enabled", True), ("cognito_user", "enabled", True),
                                     ("appstream_user", "enabled", True), ("ssoadmin_application", "status", "ENABLED"))
    ),
    # Lake Formation. IAM_ALLOWED_PRINCIPALS is everyone whom IAM allows.
    trust("aws_lakeformation_data_lake_settings", "read_only_admins", gains_any,
          "another principal may read the whole catalogue of the data lake"),
    *(
        trust("aws_lakeformation_data_lake_settings", f"create_{kind}_default_permissions.*.principal", gains_any,
              f"another principal gets permissions on every new {kind}")
        for kind in ("database", "table")
    ),
    trust("aws_lakeformation_data_lake_settings", "trusted_resource_owners", gains_any, "another account is trusted"),
    trust("aws_lakeformation_data_lake_settings", "external_data_filtering_allow_list", gains_any,
          "another account may filter data"),
    trust("aws_lakeformation_data_lake_settings", "authorized_session_tag_value_list", gains_any,
          "more sessions are trusted"),
    *(
        trust("aws_lakeformation_data_lake_settings", name, is_turned_on, "external query engines may read data")
        for name in ("allow_external_data_filtering", "allow_full_table_external_data_access")
    ),
    trust("aws_lakeformation_resource", "hybrid_access_enabled", is_turned_on, "IAM permissions give access again"),
    trust("aws_lakeformation_resource", "with_federation", is_turned_on, "it includes a federated catalogue"),
    trust("aws_lakeformation_data_cells_filter", "table_data.*.column_names", gains_any, "more columns can be read"),
    trust("aws_lakeformation_data_cells_filter", "table_data.*.row_filter.*.filter_expression", gains_any,
          "other rows can be read"),
    trust("aws_lakeformation_data_cells_filter", "table_data.*.column_wildcard.*.excluded_column_names", loses_items,
          "excluded columns can be read"),
    trust("aws_lakeformation_permissions", "table_with_columns.*.excluded_column_names", loses_items,
          "excluded columns can be read"),
    # Cognito.
    trust("aws_cognito_user_pool", "admin_create_user_config.0.allow_admin_create_user_only", is_turned_off,
          "anyone may sign up"),
    trust("aws_cognito_user_pool", "mfa_configuration", downgrades_from("OPTIONAL", "ON"),
          "users need no second factor"),
    trust("aws_cognito_user_pool", "password_policy.0.minimum_length", is_lowered, "passwords may be shorter"),
    *(
        trust("aws_cognito_user_pool", f"password_policy.0.require_{name}", is_turned_off, "passwords may be simpler")
        for name in ("lowercase", "numbers", "symbols", "uppercase")
    ),
    trust("aws_cognito_user_pool", "user_pool_add_ons.0.advanced_security_mode", downgrades_from("AUDIT", "ENFORCED"),
          "risky sign-ins are no longer blocked"),
    trust("aws_cognito_user_pool_client aws_cognito_managed_user_pool_client", "callback_urls", gains_any,
          "tokens can be sent to another address"),
    trust("aws_cognito_user_pool_client aws_cognito_managed_user_pool_client", "default_redirect_uri", gains_any,
          "tokens can be sent to another address"),
    trust("aws_cognito_user_pool_client aws_cognito_managed_user_pool_client", "allowed_oauth_flows", gains_any,
          "users can sign in by another flow"),
    trust("aws_cognito_user_pool_client aws_cognito_managed_user_pool_client", "explicit_auth_flows", gains_any,
          "users can sign in by another flow"),
    trust("aws_cognito_user_pool_client aws_cognito_managed_user_pool_client", "allowed_oauth_scopes", gains_any,
          "tokens allow more"),
    trust("aws_cognito_user_pool_client aws_cognito_managed_user_pool_client", "supported_identity_providers",
          gains_any, _SIGN_IN),
    trust("aws_cognito_user_pool_client aws_cognito_managed_user_pool_client", "write_attributes", gains_any,
          "users may change more of their own attributes"),
    trust("aws_cognito_user_pool_client aws_cognito_managed_user_pool_client", "enable_token_revocation", is_turned_off,
          "tokens cannot be revoked"),
    trust("aws_cognito_user_pool_client aws_cognito_managed_user_pool_client", "prevent_user_existence_errors",
          downgrades_from("ENABLED"), "errors reveal which users exist"),
    trust("aws_cognito_identity_provider", "provider_details", gains_any, _SIGN_IN),
    trust("aws_cognito_identity_provider", "attribute_mapping", gains_any,
          "the provider sets other attributes of a user"),
    trust("aws_cognito_identity_pool", "cognito_identity_providers.*.client_id", gains_any,
          "users of another client get credentials"),
    trust("aws_cognito_identity_pool", "cognito_identity_providers.*.provider_name", gains_any,
          "users of another pool get credentials"),
    *(
        trust("aws_cognito_identity_pool", name, gains_any, "users of another identity provider get credentials")
        for name in ("openid_connect_provider_arns", "saml_provider_arns", "supported_login_providers",
                     "developer_provider_name")
    ),
    trust("aws_cognito_identity_pool", "allow_classic_flow", is_turned_on, "a client may choose the role"),
    trust("aws_cognito_identity_pool_roles_attachment", "role_mapping.*.type", adds_any_of("Token"),
          "tokens determine the role"),
    # APIs. A new method without authorization is a public API, which is common.
    trust("aws_api_gateway_method", "authorization", changes_to("NONE"), _ANYONE_CALLS, STOP),
    trust("aws_api_gateway_method aws_apigatewayv2_route", "authorizer_id", extends, _AUTHORIZER),
    trust("aws_api_gateway_method aws_apigatewayv2_route", "authorization_scopes", loses_items,
          "tokens need fewer scopes"),
    trust("aws_api_gateway_method aws_apigatewayv2_route", "api_key_required", is_turned_off, "callers need no key"),
    trust("aws_apigatewayv2_route", "authorization_type", changes_to("NONE"), _ANYONE_CALLS, STOP, default="NONE"),
    trust("aws_api_gateway_authorizer aws_apigatewayv2_authorizer", "authorizer_uri", gains_any, _AUTHORIZER),
    trust("aws_api_gateway_authorizer", "provider_arns", gains_any, "users of another pool may call it"),
    trust("aws_api_gateway_authorizer", "type", gains_any, _AUTHORIZER),
    trust("aws_api_gateway_authorizer", "identity_validation_expression", is_removed, "tokens are no longer checked"),
    trust("aws_apigatewayv2_authorizer", "jwt_configuration.*.issuer", gains_any, _SIGN_IN),
    trust("aws_apigatewayv2_authorizer", "jwt_configuration.*.audience", gains_any,
          "tokens for another audience are accepted"),
    trust("aws_api_gateway_domain_name aws_apigatewayv2_domain_name", "mutual_tls_authentication.0.truststore_uri",
          is_removed, "callers need no client certificate"),
    trust("aws_api_gateway_domain_name aws_apigatewayv2_domain_name", "mutual_tls_authentication.*.truststore_uri",
          extends, _CERTIFICATES),
    trust("aws_api_gateway_domain_name aws_apigatewayv2_domain_name", "mutual_tls_authentication.*.truststore_version",
          extends, _CERTIFICATES),
    trust("aws_api_gateway_rest_api aws_apigatewayv2_api", "disable_execute_api_endpoint", is_turned_off,
          "callers reach it without the custom domain"),
    trust("aws_appsync_graphql_api", "authentication_type", changes_to("API_KEY"), "callers need only a shared key"),
    trust("aws_appsync_graphql_api", "additional_authentication_provider.*.authentication_type", gains_any,
          "callers may authenticate in another way"),
    trust("aws_appsync_graphql_api", "visibility", downgrades_from("PRIVATE"), "reachable from the internet", STOP),
    *(
        trust("aws_appsync_graphql_api", f"{prefix}{path}", gains_any, consequence)
        for prefix in ("", "additional_authentication_provider.*.")
        for path, consequence in (("openid_connect_config.*.issuer", _SIGN_IN),
                                  ("openid_connect_config.*.client_id", "tokens of another client are accepted"),
                                  ("user_pool_config.*.user_pool_id", "users of another pool may call it"),
                                  ("lambda_authorizer_config.*.authorizer_uri", _AUTHORIZER))
    ),
    trust("aws_vpclattice_service aws_vpclattice_service_network", "auth_type", downgrades_from("AWS_IAM"),
          _ANYONE_CALLS, STOP, default="NONE"),
    # Load balancers.
    *(
        trust(types, f"{action}.*.type", stops_authenticating, _WITHOUT_LOGIN, STOP)
        for types, action in _ACTIONS
    ),
    *(
        trust(types, f"{action}.*.authenticate_{kind}.*.{name}", extends, _SIGN_IN)
        for types, action in _ACTIONS
        for kind, names in (("oidc", _OIDC_ENDPOINTS), ("cognito", _COGNITO_POOL))
        for name in names
    ),
    *(
        trust(types, f"{action}.*.authenticate_{kind}.*.on_unauthenticated_request", adds_any_of("allow"),
              _WITHOUT_LOGIN, STOP)
        for types, action in _ACTIONS
        for kind in ("oidc", "cognito")
    ),
    trust(_LISTENERS, "mutual_authentication.0.mode", downgrades_from("passthrough", "verify"),
          "callers need no client certificate"),
    trust(_LISTENERS, "mutual_authentication.*.trust_store_arn", extends, _CERTIFICATES),
    trust(_LISTENERS, "mutual_authentication.0.ignore_client_certificate_expiry", is_turned_on,
          "expired certificates are accepted"),
    *(
        trust("aws_lb_trust_store", f"ca_certificates_bundle_s3_{name}", gains_any, _CERTIFICATES)
        for name in ("bucket", "key", "object_version")
    ),
    # CloudFront: signed addresses, and the identity with which it reads its origins.
    *(
        trust("aws_cloudfront_distribution", f"default_cache_behavior.0.{name}", is_removed,
              "anyone may read it without a signature", STOP)
        for name in ("trusted_key_groups", "trusted_signers")
    ),
    *(
        trust("aws_cloudfront_distribution", f"{behavior}.*.{name}", extends, "another key may sign addresses")
        for behavior in ("default_cache_behavior", "ordered_cache_behavior")
        for name in ("trusted_key_groups.*", "trusted_signers.*")
    ),
    *(
        trust("aws_cloudfront_distribution", f"ordered_cache_behavior.*.{name}.*", loses_items,
              "some paths may need no signature")
        for name in ("trusted_key_groups", "trusted_signers")
    ),
    trust("aws_cloudfront_distribution", "origin.*.domain_name", gains_any, "the content comes from another origin"),
    trust("aws_cloudfront_origin_access_control", "signing_behavior", downgrades_from("no-override", "always"),
          "the origin may have to be public"),
    trust("aws_cloudfront_key_group", "items", gains_any, "another key may sign addresses"),
    trust("aws_cloudfront_public_key", "encoded_key", gains_any, "another key may sign addresses"),
    *(
        trust(type_, path, adds_any_of("*"), "pages of every website may call it")
        for type_, path in (("aws_apigatewayv2_api", "cors_configuration.*.allow_origins.*"),
                            ("aws_lambda_function_url", "cors.*.allow_origins.*"),
                            ("aws_s3_bucket_cors_configuration", "cors_rule.*.allowed_origins.*"))
    ),
    # Databases, brokers and clusters.
    trust("aws_opensearch_domain aws_elasticsearch_domain", "advanced_security_options.0.enabled", is_turned_off,
          "fine-grained access control is turned off", STOP),
    trust("aws_opensearch_domain", "advanced_security_options.0.anonymous_auth_enabled", is_turned_on,
          "anyone may sign in", STOP, level_if_new=LOOK),
    trust("aws_opensearch_domain aws_elasticsearch_domain",
          "advanced_security_options.*.master_user_options.*.master_user_arn", extends,
          "another principal is administrator"),
    trust("aws_msk_cluster", "client_authentication.0.unauthenticated", is_turned_on, "clients need not authenticate",
          STOP, level_if_new=LOOK),
    trust("aws_msk_cluster", "client_authentication.*.tls.*.certificate_authority_arns", gains_any, _CERTIFICATES),
    trust("aws_elasticache_user", "no_password_required", is_turned_on, "clients need no password", STOP,
          level_if_new=LOOK),
    trust("aws_elasticache_user aws_memorydb_user", "authentication_mode.0.type",
          changes_to("no-password-required", "no-password"), "clients need no password", STOP, level_if_new=LOOK),
    trust("aws_elasticache_user aws_memorydb_user", "access_string", gains_any, "the user may run other commands"),
    trust("aws_elasticache_user_group", "user_ids", gains_any, "another user gets access"),
    trust("aws_memorydb_acl", "user_names", gains_any, "another user gets access"),
    trust("aws_db_proxy", "auth.*.iam_auth", lambda old, new: "REQUIRED" in old and "DISABLED" in new,
          "clients may connect without IAM"),
    trust("aws_db_instance aws_rds_cluster aws_neptune_cluster", "iam_database_authentication_enabled", is_turned_off,
          "users need a password in the database"),
    # Keys, file servers, builds and networks.
    trust("aws_key_pair", "public_key", gains_any, "another key gives access to the instances"),
    trust("aws_transfer_ssh_key", "body", gains_any, "another key gives access to the file server"),
    trust("aws_transfer_server", "identity_provider_type", gains_any, _SIGN_IN),
    trust("aws_transfer_server", "url", gains_any, _SIGN_IN),
    trust("aws_transfer_server", "function", gains_any, _SIGN_IN),
    trust("aws_transfer_server", "endpoint_type", changes_to("PUBLIC"), "reachable from the internet", STOP),
    trust("aws_ec2_client_vpn_endpoint", "authentication_options.*.root_certificate_chain_arn", gains_any,
          _CERTIFICATES),
    trust("aws_ec2_client_vpn_endpoint", "authentication_options.*.saml_provider_arn", gains_any, _SIGN_IN),
    trust("aws_ec2_client_vpn_authorization_rule", "authorize_all_groups, access_group_id",
          lambda old, new: not old["authorize_all_groups"] and new != old,
          "another group, or every group, may connect"),
    trust("aws_codebuild_webhook", "filter_group", is_changed, "other events start builds"),
    trust("aws_vpc_dhcp_options", "domain_name_servers", gains_any, "other servers resolve names"),
    trust("aws_route53_resolver_rule", "target_ip.*.ip", gains_any, "other servers resolve names"),
    trust("aws_route53domains_registered_domain", "name_server.*.name", gains_any,
          "other servers answer for the domain"),
)  # fmt: skip
