"""Access that a resource gives by its existence, and existing resources that another one exposes."""

from typing import Any

from sustainable_mlops.review import review
from sustainable_mlops.review.risk import Level
from tests.cases import check_cases
from tests.plan.plan_builder import build_change, build_configuration, build_plan

OWN, OTHER = "123456789012", "999999999999"
_CALLER = build_change("data.aws_caller_identity.me", {"account_id": OWN}, actions=["read"])


def list_risks(*changes: dict[str, Any], **more: Any) -> list[tuple[Level, str]]:
    """Return the risks that need a look, and the coverage gaps."""
    result = review(build_plan(_CALLER, *changes, **more))
    risks: list[tuple[Level, str]] = [
        (one.level, one.risk.description) for one in result.risks if one.level is not Level.NOTE
    ]
    return risks + [(Level(gap.level), gap.description) for gap in result.coverage_gaps if gap.level is not Level.NOTE]


def grant(account: str, permission: str = "READ", prefix: str = "*") -> dict[str, Any]:
    """Return the values of an access grant to a role of an account."""
    return {
        "access_grants_location_id": "default",
        "access_grants_location_configuration": [{"s3_sub_prefix": prefix}],
        "grantee": [{"grantee_type": "IAM", "grantee_identifier": f"arn:aws:iam::{account}:role/x"}],
        "permission": permission,
    }


def test_an_access_grant_is_stopped_for_another_account_and_needs_a_look_for_ones_own() -> None:
    address = "aws_s3control_access_grant.g"
    text = f"gives arn:aws:iam::{OWN}:role/x READ access to the S3 access grants location default"
    assert list_risks(build_change(address, grant(OWN))) == [(Level.LOOK, text)]
    assert [level for level, _ in list_risks(build_change(address, grant(OTHER)))] == [Level.STOP]
    wider = build_change(address, grant(OWN, "READWRITE"), before=grant(OWN))
    assert [level for level, _ in list_risks(wider)] == [Level.LOOK]
    longer = build_change(address, grant(OWN, prefix="b/*"), before=grant(OWN))
    assert [level for level, _ in list_risks(longer)] == [Level.LOOK]
    tagged = build_change(address, {**grant(OWN), "tags": {"a": "b"}}, before={**grant(OWN), "tags": {}})
    assert list_risks(tagged) == []
    assert list_risks(build_change(address, before=grant(OTHER))) == []


def test_a_location_of_access_grants_needs_a_look() -> None:
    values = {"location_scope": "s3://", "iam_role_arn": f"arn:aws:iam::{OWN}:role/grants"}
    ((level, description),) = list_risks(build_change("aws_s3control_access_grants_location.l", values))
    role = f"arn:aws:iam::{OWN}:role/grants"
    assert (level, description) == (Level.LOOK, f"S3 access grants can give access to s3:// through the role {role}")


@check_cases(
    ("type_", "values", "description"),
    [
        ("iam_service_specific_credential", {"user_name": "u", "service_name": "bedrock.amazonaws.com"},
         "u gets a password or an API key for bedrock.amazonaws.com"),
        ("iam_user_ssh_key", {"username": "u", "encoding": "SSH", "public_key": "k"}, "u gets an SSH key"),
        ("iam_signing_certificate", {"user_name": "u", "certificate_body": "c"}, "u gets a signing certificate"),
    ],
)  # fmt: skip
def test_a_new_credential_of_a_user_needs_a_look(type_: str, values: dict[str, Any], description: str) -> None:
    address = f"aws_{type_}.c"
    assert list_risks(build_change(address, values)) == [(Level.LOOK, description)]
    assert list_risks(build_change(address, before=values)) == []


ACCEPTERS = {
    "vpc_peering_connection_accepter": ("vpc_peering_connection_id", "vpc_peering_connection"),
    "ec2_transit_gateway_vpc_attachment_accepter": (
        "transit_gateway_attachment_id", "ec2_transit_gateway_vpc_attachment"),
    "ec2_transit_gateway_peering_attachment_accepter": (
        "transit_gateway_attachment_id", "ec2_transit_gateway_peering_attachment"),
    "vpc_endpoint_connection_accepter": ("vpc_endpoint_id", "vpc_endpoint"),
}  # fmt: skip


@check_cases("type_", ACCEPTERS)
def test_an_accepted_connection_needs_a_look_unless_the_plan_contains_it(type_: str) -> None:
    attribute, connection = ACCEPTERS[type_]
    values = {attribute: "x-1", "auto_accept": True}
    accepter = build_change(f"aws_{type_}.a", values)
    ((level, description),) = list_risks(accepter)
    assert level is Level.LOOK
    assert "x-1" in description
    own = {"id": "x-1", "vpc_id": "vpc-1"}
    assert list_risks(accepter, build_change(f"aws_{connection}.c", own, before=own)) == []


def test_a_peering_that_is_only_adopted_is_fine() -> None:
    values = {"vpc_peering_connection_id": "pcx-1", "auto_accept": False}
    assert list_risks(build_change("aws_vpc_peering_connection_accepter.a", values)) == []


@check_cases(
    ("type_", "attribute", "target", "effect"),
    [
        ("eip", "instance", "i-0a1b2c3d4e5f60718", "gets a public address"),
        ("eip", "network_interface", "eni-0a1b2c3d4e5f60718", "gets a public address"),
        ("eip_association", "instance_id", "i-0a1b2c3d4e5f60718", "gets a public address"),
        ("eip_association", "network_interface_id", "eni-0a1b2c3d4e5f60718", "gets a public address"),
        ("efs_replication_configuration", "destination.0.file_system_id", "fs-0a1b2c3d4e5f60718",
         "is overwritten by the replication"),
    ],
)  # fmt: skip
def test_an_existing_resource_that_another_one_changes_needs_a_look(
    type_: str, attribute: str, target: str, effect: str
) -> None:
    name, _, inner = attribute.partition(".0.")

    def build(value: str | None) -> dict[str, Any]:
        return {name: [{inner: value}] if inner else value, "id": "x"}

    address, expected = f"aws_{type_}.x", [(Level.LOOK, f"{target} {effect}")]
    assert list_risks(build_change(address, build(target))) == expected
    assert list_risks(build_change(address, {**build(target), "tags": {}}, before=build(target))) == []
    new = build_change(address, {"id": "x", name: [{}]} if inner else {"id": "x"},
                       unknown={name: [{inner: True}] if inner else True})  # fmt: skip
    root = {"resources": [build_configuration(address, **{name: [{inner: {}}] if inner else {}})]}
    assert [risk for risk in list_risks(new, root=root) if "address" in risk[1] or "overwritten" in risk[1]] == []


def test_an_address_that_a_gateway_or_an_association_uses_is_no_change() -> None:
    for is_configured in (False, True):
        values = {"id": "eipalloc-1", "domain": "vpc", "network_interface": "eni-0a1b2c3d"}
        address = build_change("aws_eip.e", values, before=values)
        drift = build_change("aws_eip.e", values, before={**values, "network_interface": ""})
        expressions = {"network_interface": ["aws_network_interface.n.id"]} if is_configured else {}
        root = {"resources": [build_configuration("aws_eip.e", domain=["var.domain"], **expressions)]}
        found = list_risks(address, root=root, resource_drift=[drift])
        assert bool(found) is is_configured


def test_the_key_of_a_replication_may_belong_to_another_account() -> None:
    def build(account: str) -> dict[str, Any]:
        key = f"arn:aws:kms:eu-west-2:{account}:key/a"
        return {"source_file_system_id": "fs-1", "destination": [{"kms_key_id": key, "file_system_id": "fs-2"}]}

    change = build_change("aws_efs_replication_configuration.r", build(OTHER), before=build(OWN))
    assert [level for level, text in list_risks(change) if "another account" in text] == [Level.LOOK]


def test_the_claims_that_an_identity_provider_requires_are_no_part_of_its_text() -> None:
    def build(**more: Any) -> dict[str, Any]:
        return {"cluster_name": "c", "oidc": [{"issuer_url": "https://i", "client_id": "a", **more}]}

    address, replace = "aws_eks_identity_provider_config.p", ["delete", "create"]
    change = build_change(address, build(), before=build(required_claims={"group": "ml"}), actions=replace)
    assert any("required_claims" in text for _, text in list_risks(change))


METHOD = {"rest_api_id": "a", "resource_id": "r", "http_method": "GET", "authorization": "NONE"}
OPEN_CALL = "anyone may call this method or route of an existing API"
DEFERRED = build_change("data.aws_api_gateway_rest_api.d", {"name": "a"}, unknown={"id": True}, actions=["read"])


@check_cases(
    ("unknown", "is_open"),
    [("api_key_required", True), ("authorization", True), ("http_method", True), ("rest_api_id", False), ("id", True)],
)
def test_a_new_call_with_an_unknown_attribute_needs_a_look_unless_its_api_is_new(unknown: str, is_open: bool) -> None:
    values = {name: value for name, value in METHOD.items() if name != unknown}
    call = build_change("aws_api_gateway_method.m", values, unknown={unknown: True})
    assert any(OPEN_CALL in text for _, text in list_risks(call)) is is_open
    keyed = build_change("aws_api_gateway_method.m", {**values, "api_key_required": True}, unknown={unknown: True})
    assert unknown == "api_key_required" or not any(OPEN_CALL in text for _, text in list_risks(keyed))


def refer_to_data(address: str, attribute: str, source: str, **arguments: Any) -> dict[str, Any]:
    """Return the configuration of a resource that names an object by a data source."""
    name = f"data.{source}"
    data = {**build_configuration(name, **arguments), "mode": "data", "address": name}
    return {"resources": [build_configuration(address, **{attribute: [f"{name}.id", name]}), data]}


@check_cases(
    ("arguments", "is_new"), [({}, False), ({"name": ["aws_vpc.new.id"]}, True), ({"name": ["aws_vpc.old.id"]}, False)]
)
def test_an_object_that_apply_finds_by_a_data_source_may_exist_before(arguments: dict[str, Any], is_new: bool) -> None:
    old = {"id": "vpc-1", "cidr_block": "10.0.0.0/16"}
    networks = [
        build_change("aws_vpc.new", {"cidr_block": "10.0.0.0/16"}, unknown={"id": True}),
        build_change("aws_vpc.old", {**old, "tags": {"a": "b"}}, before={**old, "tags": {}}),
    ]

    def is_reported(address: str, attribute: str, values: dict[str, Any], source: str) -> bool:
        root = refer_to_data(address, attribute, source, **arguments)
        change = build_change(address, values, unknown={attribute: True})
        data = build_change(f"data.{source}", {"name": "d"}, unknown={"id": True}, actions=["read"])
        return bool(list_risks(change, data, *networks, root=root))

    method = {name: value for name, value in METHOD.items() if name != "rest_api_id"}
    egress = {"cidr_ipv4": "0.0.0.0/0", "ip_protocol": "-1"}
    route = {"destination_cidr_block": "0.0.0.0/0", "gateway_id": "igw-0a1b2c3d"}
    reported = [
        is_reported("aws_api_gateway_method.m", "rest_api_id", method, "aws_api_gateway_rest_api.d"),
        is_reported("aws_vpc_security_group_egress_rule.r", "security_group_id", egress, "aws_security_group.d"),
        is_reported("aws_route.r", "route_table_id", {**route, "gateway_id": None}, "aws_route_table.d"),
        is_reported("aws_route_table_association.a", "subnet_id", {"route_table_id": "rtb-1"}, "aws_subnet.d"),
        is_reported("aws_eip_association.e", "instance_id", {"allocation_id": "eipalloc-1"}, "aws_instance.d"),
        is_reported("aws_efs_access_point.p", "file_system_id", {"posix_user": [{"uid": 0}]}, "aws_efs_file_system.d"),
    ]
    assert reported == [not is_new] * len(reported)


ROOT = {"file_system_id": "fs-1", "root_directory": [{"path": "/"}], "posix_user": [{"uid": 0, "gid": 0}]}


@check_cases(
    ("values", "is_open"),
    [
        (ROOT, True),
        ({**ROOT, "root_directory": []}, True),
        ({**ROOT, "root_directory": [{"path": "/app"}]}, False),
        ({**ROOT, "posix_user": [{"uid": 1000, "gid": 1000}]}, False),
        ({**ROOT, "posix_user": []}, False),
    ],
)
def test_an_access_point_as_root_on_an_existing_file_system_needs_a_look(values: dict[str, Any], is_open: bool) -> None:
    point = build_change("aws_efs_access_point.p", values)
    assert bool(list_risks(point)) is is_open
    created = build_change("aws_efs_access_point.p", {key: values[key] for key in values if key != "file_system_id"},
                           unknown={"file_system_id": True})  # fmt: skip
    assert list_risks(created) == []


def test_the_computed_path_of_an_access_point_is_the_root() -> None:
    values = {name: ROOT[name] for name in ("file_system_id", "posix_user")}
    assert list_risks(build_change("aws_efs_access_point.p", values, unknown={"root_directory": True}))


@check_cases(
    ("ownership", "is_open"), [("ObjectWriter", True), ("BucketOwnerPreferred", True), ("BucketOwnerEnforced", False)]
)
def test_access_control_lists_on_an_existing_bucket_need_a_look(ownership: str, is_open: bool) -> None:
    controls = build_change(
        "aws_s3_bucket_ownership_controls.o", {"bucket": "b", "rule": [{"object_ownership": ownership}]}
    )
    bucket = {"id": "b", "bucket": "b"}
    expected = [(Level.LOOK, "access control lists apply to an existing bucket")] if is_open else []
    assert list_risks(controls) == expected
    assert list_risks(build_change("aws_s3_bucket.b", bucket, before=bucket), controls) == expected
    assert not any(
        "lists" in text for _, text in list_risks(build_change("aws_s3_bucket.b", {"bucket": "b"}), controls)
    )


def access_list(*users: str, permission: str = "READ") -> dict[str, Any]:
    """Return an access control list for these users; the owner is `own`."""
    grants = [{"grantee": [{"id": user, "type": "CanonicalUser"}], "permission": permission} for user in users]
    return {"bucket": "b", "access_control_policy": [{"grant": grants, "owner": [{"id": "own"}]}]}


LOG_DELIVERY = "c4c1ede66af53448b93c283ce9448c4ba468c9432aa01d700d3878632f77d2d0"


@check_cases(
    ("before", "after", "is_open"),
    [
        (None, access_list("other"), True),
        (None, access_list("own", LOG_DELIVERY), False),
        (access_list("own"), access_list("own", "other"), True),
        (access_list("other"), access_list("other", permission="FULL_CONTROL"), True),
        (access_list("other"), access_list("other", "own"), False),
        (access_list("other", "own"), access_list("own"), False),
    ],
)
def test_another_user_of_an_access_control_list_needs_a_look(before: Any, after: Any, is_open: bool) -> None:
    risks = list_risks(build_change("aws_s3_bucket_acl.a", after, before=before))
    assert [level for level, text in risks if "who is not the known owner" in text] == [Level.LOOK] * is_open


GRANTEE = {"grantee": [{"type": "CanonicalUser"}], "permission": "READ"}
HIDDEN = "is unknown until apply or sensitive"


@check_cases("name", ["id", "uri", "email_address"])
@check_cases("how", ["unknown", "sensitive"])
def test_a_hidden_grantee_of_an_access_control_list_needs_a_look(name: str, how: str) -> None:
    before, after = access_list("own"), access_list("own")
    after["access_control_policy"][0]["grant"].append(
        GRANTEE if how == "unknown" else {**GRANTEE, "grantee": [{"type": "CanonicalUser", name: "x"}]}
    )
    for old, actions in ((before, ["update"]), (None, ["create"]), (after, ["update"])):
        change = build_change("aws_s3_bucket_acl.a", {**after, "bucket": "c"}, before=old, actions=actions)
        marks = {"access_control_policy": [{"grant": [{}, {"grantee": [{name: True}]}]}]}
        change["change"][f"after_{how}"] = marks
        change["change"]["before_sensitive"] = marks if how == "sensitive" and old is after else {}
        is_same = how == "sensitive" and old is after
        assert any(HIDDEN in text for _, text in list_risks(change)) is not is_same


@check_cases(("attribute", "value"), [("id", "x"), ("uri", "x"), ("permissions", ["READ"])])
def test_a_hidden_part_of_a_grant_of_a_bucket_needs_a_look(attribute: str, value: Any) -> None:
    grant_of_other = {"type": "CanonicalUser", "permissions": ["READ"], "id": "me", attribute: value}
    change = build_change("aws_s3_bucket.b", {"bucket": "b", "grant": [grant_of_other]}, before={"bucket": "b"})
    change["change"]["after_sensitive"] = {"grant": [{attribute: True}]}
    assert any(HIDDEN in text for _, text in list_risks(change))


def test_a_grant_that_only_a_refresh_shows_is_no_change() -> None:
    values = {"bucket": "b", "id": "b", "grant": [{"id": "me", "permissions": ["FULL_CONTROL"]}]}
    bucket = build_change("aws_s3_bucket.b", values, before=values)
    drift = build_change("aws_s3_bucket.b", values, before={**values, "grant": []})
    root = {"resources": [build_configuration("aws_s3_bucket.b", bucket=["var.bucket"])]}
    assert list_risks(bucket, root=root, resource_drift=[drift]) == []


@check_cases(
    ("type_", "values", "remedy"),
    [
        (
            "aws_s3_object",
            {"bucket": "b", "key": "k", "acl": "public-read"},
            "Give access only to the users or accounts",
        ),
        ("aws_cloudwatch_event_permission", {"principal": "*"}, "Give access only to the networks or accounts"),
        ("aws_cloudwatch_event_permission", {"principal": OWN}, ""),
    ],
)
def test_a_stopped_risk_has_a_remedy_of_its_own(type_: str, values: dict[str, Any], remedy: str) -> None:
    risks = [one.risk for one in review(build_plan(_CALLER, build_change(f"{type_}.x", values))).risks]
    assert [risk.fix.partition(" that need it")[0] for risk in risks if risk.level is not Level.NOTE] == [remedy]


def test_the_user_of_the_own_account_is_known_by_its_data_source() -> None:
    values = {"bucket": "b", "grant": [{"id": "me", "type": "CanonicalUser", "permissions": ["FULL_CONTROL"]}]}
    bucket = build_change("aws_s3_bucket.b", values)
    me = build_change("data.aws_canonical_user_id.me", {"id": "me"}, actions=["read"])
    assert any("FULL_CONTROL to me" in text for _, text in list_risks(bucket))
    assert not any("FULL_CONTROL to me" in text for _, text in list_risks(bucket, me))


NOTEBOOK = {"name": "n", "instance_type": "ml.t3.medium", "role_arn": f"arn:aws:iam::{OWN}:role/r"}
BLOCK = dict.fromkeys(
    ("block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets"), True
)


@check_cases(
    ("values", "unknown", "references", "is_open"),
    [
        ({"acceptance_required": False}, "allowed_principals", ["var.principals"], True),
        ({"allowed_principals": ["*"]}, "acceptance_required", ["var.principals"], True),
        ({"acceptance_required": True}, "allowed_principals", ["var.principals"], False),
        ({"allowed_principals": [f"arn:aws:iam::{OWN}:root"]}, "acceptance_required", ["var.principals"], False),
        ({"acceptance_required": False}, "allowed_principals", ["aws_iam_role.r.arn", "aws_iam_role.r"], False),
        ({"acceptance_required": False}, "allowed_principals", None, False),
    ],
)
def test_a_new_endpoint_service_whose_users_are_unknown_needs_a_look(
    values: dict[str, Any], unknown: str, references: list[str] | None, is_open: bool
) -> None:
    service = build_change("aws_vpc_endpoint_service.s", values, unknown={unknown: True})
    role = build_change("aws_iam_role.r", {"name": "r"}, unknown={"arn": True})
    expressions = {} if references is None else {"allowed_principals": references}
    root = {"resources": [build_configuration("aws_vpc_endpoint_service.s", tags=["var.tags"], **expressions)]}
    found = [text for _, text in list_risks(service, role, root=root) if "check that not everyone can connect" in text]
    assert bool(found) is is_open


@check_cases(
    ("type_", "closed", "opened", "words"),
    [
        ("sagemaker_notebook_instance", {**NOTEBOOK, "direct_internet_access": "Disabled"},
         {**NOTEBOOK, "direct_internet_access": "Enabled"}, "reaches the internet directly"),
        ("s3control_multi_region_access_point", {"details": [{"name": "m", "public_access_block": []}]},
         {"details": [{"name": "m", "public_access_block": [{**BLOCK, "block_public_policy": False}]}]},
         "public access is not blocked"),
        ("vpc_endpoint_service", {"acceptance_required": True, "allowed_principals": ["*"]},
         {"acceptance_required": False, "allowed_principals": ["*"]}, "anyone may connect"),
        ("vpc_endpoint_service", {"acceptance_required": False, "allowed_principals": [f"arn:aws:iam::{OWN}:root"]},
         {"acceptance_required": False, "allowed_principals": ["*"]}, "anyone may connect"),
    ],
)  # fmt: skip
def test_a_resource_that_is_exposed_from_the_start_needs_a_look(
    type_: str, closed: dict[str, Any], opened: dict[str, Any], words: str
) -> None:
    levels = {
        name: [level for level, text in list_risks(build_change(f"aws_{type_}.x", values)) if words in text]
        for name, values in (("closed", closed), ("opened", opened))
    }
    assert levels == {"closed": [], "opened": [Level.LOOK]}
