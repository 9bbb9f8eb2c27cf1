"""Trust outside policy documents: identity providers, members, authorizers, sign-in."""

import json
from typing import Any

from sustainable_mlops.plan.values import split_path
from sustainable_mlops.review.attributes.row import list_values
from sustainable_mlops.review.attributes.rows.trust import TRUST_ROWS
from sustainable_mlops.review.review import review
from sustainable_mlops.review.risk import Level
from tests.cases import check_cases
from tests.plan.plan_builder import build_change, build_configuration, build_plan

KEPT = build_change("aws_sns_topic.kept", {"arn": "arn:aws:sns:eu-north-1:123456789012:t"}, actions=["no-op"],
                    before={"arn": "arn:aws:sns:eu-north-1:123456789012:t"})  # fmt: skip


def list_risks(kind: str, before: Any, after: Any, **more: Any) -> list[tuple[str, Level]]:
    change = build_change(f"aws_{kind}.this", after, before=before, **more)
    return [(assessment.risk.id, assessment.risk.level) for assessment in review(build_plan(KEPT, change)).risks]


def nest(path: str, value: Any) -> Any:
    """Return nested values: `a.*.b` becomes `{"a": [{"b": value}]}`."""
    for step in reversed(path.split(".")):
        value = [value] if step == "*" or step.isdecimal() else {step: value}
    return value


def write_policy(*effects: str) -> str:
    """Return a policy with a statement of each effect."""
    return json.dumps({"Statement": [{"Effect": effect, "Action": "s3:*", "Resource": "*"} for effect in effects]})


#: A change that trusts more, by type: the attribute, the values before and after, and the level.
CHANGES = [
    ("iam_saml_provider", "saml_metadata_document", "<a/>", "<b/>", "look"),
    ("iam_openid_connect_provider", "client_id_list", ["sts"], ["sts", "other"], "look"),
    ("iam_openid_connect_provider", "thumbprint_list", ["a"], ["a", "b"], "look"),
    ("iam_group_membership", "users", ["ann"], ["ann", "bob"], "look"),
    ("iam_user_group_membership", "groups", ["dev"], ["dev", "admin"], "look"),
    ("rolesanywhere_trust_anchor", "source.*.source_data.*.x509_certificate_data", "a", "b", "look"),
    ("rolesanywhere_profile", "session_policy", "{}", None, "look"),
    ("lakeformation_data_lake_settings", "admins", ["a"], ["a", "b"], "look"),
    ("lakeformation_data_lake_settings", "allow_external_data_filtering", False, True, "look"),
    ("lakeformation_data_cells_filter", "table_data.*.column_wildcard.*.excluded_column_names", ["email", "phone"],
     ["phone"], "look"),
    ("lakeformation_permissions", "table_with_columns.*.excluded_column_names", ["email"], None, "look"),
    ("lakeformation_data_lake_settings", "create_table_default_permissions.*.principal", None,
     "IAM_ALLOWED_PRINCIPALS", "look"),
    ("cognito_user_pool", "admin_create_user_config.0.allow_admin_create_user_only", True, False, "look"),
    ("cognito_user_pool", "mfa_configuration", "ON", "OPTIONAL", "look"),
    ("cognito_user_pool_client", "callback_urls", ["https://a"], ["https://a", "https://b"], "look"),
    ("cognito_user_pool_client", "allowed_oauth_flows", ["code"], ["code", "implicit"], "look"),
    ("cognito_identity_pool", "cognito_identity_providers.*.client_id", None, "c", "look"),
    ("cognito_identity_pool", "saml_provider_arns", [], ["arn:aws:iam::123456789012:saml-provider/x"], "look"),
    ("api_gateway_method", "authorization", "AWS_IAM", "NONE", "stop"),
    ("api_gateway_method", "authorization_scopes", ["read", "write"], ["read"], "look"),
    ("apigatewayv2_route", "authorization_type", "JWT", "NONE", "stop"),
    ("apigatewayv2_authorizer", "jwt_configuration.*.audience", ["a"], ["a", "b"], "look"),
    ("appsync_graphql_api", "authentication_type", "AWS_IAM", "API_KEY", "look"),
    ("vpclattice_service", "auth_type", "AWS_IAM", "NONE", "stop"),
    ("lambda_function_url", "authorization_type", "AWS_IAM", "NONE", "stop"),
    ("lb_listener_rule", "action.*.type", "authenticate-oidc", "forward", "stop"),
    ("lb_listener", "mutual_authentication.0.mode", "verify", "off", "look"),
    ("cloudfront_distribution", "default_cache_behavior.0.trusted_key_groups", ["k"], None, "stop"),
    ("msk_cluster", "client_authentication.0.unauthenticated", False, True, "stop"),
    ("elasticache_user_group", "user_ids", ["a"], ["a", "b"], "look"),
    ("transfer_server", "endpoint_type", "VPC", "PUBLIC", "stop"),
    ("eks_access_policy_association", "access_scope.0.type", "namespace", "cluster", "look"),
    ("eks_access_entry", "kubernetes_groups", ["view"], ["view", "ops"], "look"),
    ("ec2_client_vpn_authorization_rule", "authorize_all_groups", None, True, "look"),
    ("codebuild_webhook", "filter_group", [{"filter": [{"type": "EVENT", "pattern": "PUSH"}]}], [], "look"),
]  # fmt: skip
#: Attributes without a stronger and a weaker value: every other value is a replacement.
REPLACED = {"saml_metadata_document", "x509_certificate_data"}


@check_cases(("kind", "path", "old", "new", "level"), CHANGES, ids=lambda value: str(value)[:40])
def test_wider_trust_is_reported_and_its_reverse_is_fine(kind: str, path: str, old: Any, new: Any, level: str) -> None:
    before, after = ({"user": "u", "group": "g", "principal_arn": "p", **nest(path, value)} for value in (old, new))
    levels = {risk_level for name, risk_level in list_risks(kind, before, after) if name.startswith("PRIVILEGES_")}
    assert Level(level) in levels
    if path.rpartition(".")[2] not in REPLACED:
        assert list_risks(kind, after, before) == []
    assert list_risks(kind, {**before, "tags": {"a": "b"}}, before) == []


@check_cases(
    ("kind", "path", "value"),
    [
        ("apigatewayv2_route", "authorizer_id", "auth01"),
        ("lb_listener", "mutual_authentication.*.trust_store_arn", "arn:aws:elasticloadbalancing:x"),
        ("lb_listener_rule", "action.*.authenticate_oidc.*.issuer", "https://login.example.com"),
        ("codebuild_webhook", "filter_group", [{"filter": [{"type": "EVENT", "pattern": "PUSH"}]}]),
    ],
)
def test_a_first_authorizer_is_fine_and_another_one_needs_a_look(kind: str, path: str, value: Any) -> None:
    other = [*value, {}] if isinstance(value, list) else f"{value}/2"
    assert list_risks(kind, {path.partition(".")[0]: None}, nest(path, value)) == []
    assert list_risks(kind, nest(path, value), nest(path, other)) == [("PRIVILEGES_TRUST", Level.LOOK)]


def test_a_replaced_grant_names_the_attribute_that_differs() -> None:
    before = {"principal": "123456789012", "permissions": ["SELECT"], "table": [{"name": "a"}]}
    change = build_change(
        "aws_lakeformation_permissions.p",
        {**before, "table": [{"name": "b"}]},
        before=before,
        actions=["delete", "create"],
    )
    (assessment,) = review(build_plan(KEPT, change)).risks
    assert "gives 123456789012 the permission SELECT, with another table" in assessment.risk.description


def test_a_message_has_no_wildcard_in_a_path() -> None:
    path = "cognito_identity_providers.*.client_id"
    change = build_change("aws_cognito_identity_pool.this", nest(path, "d"), before=nest(path, "c"))
    (assessment,) = review(build_plan(KEPT, change)).risks
    assert assessment.risk.description.startswith("cognito_identity_providers.client_id:")


def test_the_grantees_of_an_image_are_one_list() -> None:
    change = build_change("aws_ami_launch_permission.p", {"image_id": "ami-1", "group": "all", "account_id": None})
    assert [assessment.risk.description for assessment in review(build_plan(change)).risks] == [
        "lets everyone use ami-1"
    ]


def test_a_weaker_control_policy_is_one_risk_with_the_conditions_of_before_and_after() -> None:
    def deny_outside(*regions: str) -> dict[str, str]:
        condition = {"StringNotEquals": {"aws:RequestedRegion": regions}}
        statement = {"Effect": "Deny", "Action": "s3:*", "Resource": "*", "Condition": condition}
        return {"content": json.dumps({"Statement": [statement]})}

    strict, weak = deny_outside("eu-north-1"), deny_outside("eu-north-1", "us-east-1")
    change = build_change("aws_organizations_policy.this", weak, before=strict)
    (assessment,) = review(build_plan(KEPT, change)).risks
    assert assessment.level is Level.STOP
    assert (
        "if StringNotEquals aws:RequestedRegion eu-north-1; now only if StringNotEquals aws:RequestedRegion eu-north-1,"
        " us-east-1"
    ) in assessment.risk.description
    assert list_risks("organizations_policy", weak, strict) == []


@check_cases(
    ("before", "after", "names"),
    [
        (["Allow", "Deny"], ["Allow"], ["DENY"]),
        ([], ["Allow"], ["PERMISSION"]),
        (["Deny"], ["Allow", "Deny"], []),  # what is denied stays denied
    ],
)
def test_a_control_policy_that_allows_more_is_stopped(before: list[str], after: list[str], names: list[str]) -> None:
    old, new = ({"content": write_policy(*effects)} for effects in (before, after))
    assert list_risks("organizations_policy", old, new) == [(f"PRIVILEGES_{name}", Level.STOP) for name in names]
    assert list_risks("organizations_policy", new, old) == []


def test_a_changed_control_policy_of_another_kind_is_stopped() -> None:
    old, new = ({"content": json.dumps({"tags": {name: {}}})} for name in ("a", "b"))
    assert list_risks("organizations_policy", old, new) == [("PRIVILEGES_TRUST", Level.STOP)]
    assert list_risks("organizations_policy", None, new) == []


def test_a_removed_login_is_stopped_although_the_target_group_is_unknown() -> None:
    def build_actions(*kinds: str) -> dict[str, Any]:
        return {"default_action": [{"type": kind} for kind in kinds]}

    unknown = {"default_action": [{"target_group_arn": True}]}
    old, new = build_actions("authenticate-oidc", "forward"), build_actions("forward")
    assert list_risks("lb_listener", old, new, unknown=unknown) == [("PRIVILEGES_TRUST", Level.STOP)]
    assert list_risks("lb_listener", new, {**new, "port": 80}, unknown=unknown) == []


@check_cases(
    ("kind", "path"),
    [
        ("apigatewayv2_route", "authorizer_id"),
        ("lb_listener", "default_action.*.authenticate_oidc.*.issuer"),
        ("lb_listener", "mutual_authentication.*.trust_store_arn"),
        ("api_gateway_domain_name", "mutual_tls_authentication.*.truststore_uri"),
    ],
)
def test_an_added_authorizer_is_fine_and_a_replaced_one_needs_a_look(kind: str, path: str) -> None:
    one, other = ({"name": "x", **nest(path, value)} for value in ("one", "other"))
    assert list_risks(kind, {"name": "x"}, one) == []
    assert list_risks(kind, one, other) == [("PRIVILEGES_TRUST", Level.LOOK)]


def test_an_origin_that_cloudfront_reads_without_an_identity_needs_a_look() -> None:
    def build_origin(**values: Any) -> dict[str, Any]:
        return {"origin": [{"origin_id": "o", "domain_name": "d", **values}]}

    control, identity = {"origin_access_control_id": "E"}, {"s3_origin_config": [{"origin_access_identity": "i"}]}
    assert list_risks("cloudfront_distribution", build_origin(**control), build_origin()) == [
        ("PRIVILEGES_EXPOSED", Level.LOOK)
    ]
    assert list_risks("cloudfront_distribution", build_origin(**identity), build_origin(**control)) == []
    assert list_risks("cloudfront_distribution", build_origin(), build_origin(**control)) == []
    assert list_risks("cloudfront_distribution", build_origin(**control), {"origin": []}) == []


@check_cases(
    ("path", "old", "new", "is_weaker"),
    [
        ("custom_origin_config.0.origin_protocol_policy", "https-only", "http-only", True),
        ("custom_origin_config.0.origin_protocol_policy", "https-only", "match-viewer", True),
        ("custom_origin_config.0.origin_protocol_policy", "http-only", "https-only", False),
        ("custom_origin_config.0.origin_ssl_protocols", ["TLSv1.2"], ["TLSv1.2", "TLSv1"], True),
        ("custom_origin_config.0.origin_ssl_protocols", ["TLSv1.2", "TLSv1"], ["TLSv1.2"], False),
        ("origin_path", "/public", "", True),
        ("origin_path", "/releases/1", "/releases/2", False),
        ("connection_attempts", 3, 2, False),
        ("custom_header.0.value", "a", "b", False),
    ],
)
def test_an_origin_with_less_protection_needs_a_look(path: str, old: Any, new: Any, is_weaker: bool) -> None:
    sides = ({"origin": [{"origin_id": "o", "domain_name": "d", **nest(path, value)}]} for value in (old, new))
    assert list_risks("cloudfront_distribution", *sides) == [("PRIVILEGES_EXPOSED", Level.LOOK)] * is_weaker


@check_cases("how", ["unknown", "sensitive"])
def test_a_hidden_policy_of_connections_to_an_origin_needs_a_look(how: str) -> None:
    before, after = (
        {"origin": [{"origin_id": "o", "custom_origin_config": [{"origin_protocol_policy": policy}]}]}
        for policy in ("https-only", None if how == "unknown" else "http-only")
    )
    change = build_change("aws_cloudfront_distribution.d", after, before=before)
    change["change"][f"after_{how}"] = {"origin": [{"custom_origin_config": [{"origin_protocol_policy": True}]}]}
    descriptions = [one.risk.description for one in review(build_plan(KEPT, change)).risks]
    assert any("may be unencrypted" in text for text in descriptions)


@check_cases(
    ("how", "old", "is_reported"),
    [("unknown", "/public", True), ("sensitive", "/public", True), ("unknown", "", False)],
)
def test_a_hidden_folder_of_an_origin_needs_a_look(how: str, old: str, is_reported: bool) -> None:
    before, after = (
        {"origin": [{"origin_id": "o", "domain_name": "d", "origin_path": path}]}
        for path in (old, None if how == "unknown" else "/")
    )
    change = build_change("aws_cloudfront_distribution.d", after, before=before)
    change["change"][f"after_{how}"] = {"origin": [{"origin_path": True}]}
    risks = [one.risk for one in review(build_plan(KEPT, change)).risks if "parent folder" in one.risk.description]
    assert [(risk.id, risk.level) for risk in risks] == [("PRIVILEGES_UNKNOWN", Level.LOOK)] * is_reported


def test_a_description_lists_the_added_items() -> None:
    change = build_change("aws_iam_openid_connect_provider.p", {"client_id_list": ["a", "b", "c"]},
                          before={"client_id_list": ["a"]})  # fmt: skip
    descriptions = [assessment.risk.description for assessment in review(build_plan(KEPT, change)).risks]
    assert any("client_id_list: adds b, c: tokens for another audience" in text for text in descriptions)


def test_an_audience_that_is_unknown_until_apply_needs_a_look() -> None:
    change = build_change("aws_iam_openid_connect_provider.p", {"url": "u"}, before={"url": "u", "client_id_list": []},
                          unknown={"client_id_list": True})  # fmt: skip
    root = {"resources": [build_configuration("aws_iam_openid_connect_provider.p", client_id_list=["local.x"])]}
    risks = review(build_plan(KEPT, change, root=root)).risks
    assert ("PRIVILEGES_UNKNOWN", Level.LOOK) in [(assessment.risk.id, assessment.risk.level) for assessment in risks]


def test_wildcards_of_a_path_match_nested_values() -> None:
    values = {"a": [{"b": {"c": "x"}}, {"b": {"c": ["y"]}}, {}], "d": {"e": {"c": "z"}}}
    assert list_values(values, ["a", "*", "b", "c"]) == ["x", ["y"]]
    assert list_values(values, ["**", "c"]) == ["x", ["y"], "z"]
    assert list_values(values, ["a", "1", "b", "c", "*"]) == ["y"]
    assert list_values(values, ["none", "*"]) == []


def test_each_trust_setting_names_a_type_and_a_path() -> None:
    assert all(row.types and "" not in split_path(row.path) for row in TRUST_ROWS)
    assert {row.id for row in TRUST_ROWS} == {"PRIVILEGES_TRUST"}


def test_a_replaced_grant_that_only_loses_a_grantee_is_fine() -> None:
    def build_roles(*names: str) -> dict[str, Any]:
        return {"identity_pool_id": "p", "roles": {name: f"arn:aws:iam::123456789012:role/{name}" for name in names}}

    both, one = build_roles("authenticated", "unauthenticated"), build_roles("authenticated")
    kind, replace = "cognito_identity_pool_roles_attachment", ["delete", "create"]
    assert list_risks(kind, both, one, actions=replace) == []
    assert ("PRIVILEGES_EXPOSED", Level.STOP) in list_risks(kind, one, both, actions=replace)
    wide, narrow = ({"principal": "999999999999", "function_name": "f", "source_arn": arn} for arn in (None, "a"))
    assert list_risks("lambda_permission", narrow, wide, actions=replace)
