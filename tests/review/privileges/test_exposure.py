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
