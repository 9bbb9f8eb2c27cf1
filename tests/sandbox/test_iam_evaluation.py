"""IAM's decisions, by the rules and examples of AWS's documentation. No sandbox runs."""

from typing import Any

from sagemaker_sandbox.iam.evaluation import (
    ANONYMOUS,
    AccessDecision,
    AccessRequest,
    Delegation,
    OtherKeys,
    Policy,
    PolicyKind,
    Principal,
    PrincipalPolicies,
    ResourcePolicy,
    evaluate,
)
from tests.cases import check_cases

ACCOUNT, OTHER = "111122223333", "444455556666"
BUCKET, OBJECT = "arn:aws:s3:::amzn-s3-demo-bucket", "arn:aws:s3:::amzn-s3-demo-bucket/home/ana/notes"
ROOT, USER, ROLE = (f"arn:aws:iam::{ACCOUNT}:{name}" for name in ("root", "user/ana", "role/jobs"))
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/jobs/session"
KEY = f"arn:aws:kms:eu-north-1:{ACCOUNT}:key/1234abcd"
BY_USER, BY_ROLE = Principal(ACCOUNT, USER), Principal(ACCOUNT, ROLE, SESSION)
BY_SERVICE = Principal(ACCOUNT, "events.amazonaws.com")
KEYS = {
    "aws:CurrentTime": "2026-03-01T12:00:00Z",
    "aws:EpochTime": "1772366400",
    "aws:PrincipalTag/odd": "*",
    "aws:PrincipalTag/team": "red",
    "aws:SourceAccount": ACCOUNT,
    "aws:SourceArn": f"arn:aws:sns:eu-north-1:{ACCOUNT}:topic",
    "aws:SourceIp": "10.1.2.3",
    "aws:username": "ana",
    "s3:prefix": "home/ana/",
}

ALLOWED = AccessDecision(True)
NO_IDENTITY, NO_RESOURCE, NO_BOUNDARY, NO_SESSION, NO_CONTROL = (
    AccessDecision(False, kind)
    for kind in (
        PolicyKind.IDENTITY,
        PolicyKind.RESOURCE,
        PolicyKind.BOUNDARY,
        PolicyKind.SESSION,
        PolicyKind.SERVICE_CONTROL,
    )
)

Statement = dict[str, Any]


def allow(action: str | list[str] = "s3:GetObject", resource: str | list[str] = "*", **elements: Any) -> Statement:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **elements}


def deny(action: str | list[str] = "s3:GetObject", resource: str | list[str] = "*", **elements: Any) -> Statement:
    return {"Effect": "Deny", "Action": action, "Resource": resource, **elements}


def principals(*arns: str) -> Statement:
    return {"AWS": list(arns)}


def build_policy(*statements: Statement, version: str = "2012-10-17") -> Policy:
    return Policy.parse({"Version": version, "Statement": list(statements)})


def explicit(kind: PolicyKind) -> AccessDecision:
    return AccessDecision(False, kind, explicit=True)


@check_cases(
    ("statements", "action", "resource", "allowed"),
    [
        # IAM JSON policy elements: Effect, Action, NotAction, Resource, NotResource.
        ([], "s3:GetObject", OBJECT, False),
        ([allow()], "s3:GetObject", OBJECT, True),
        ([allow("S3:getobject")], "s3:GetObject", OBJECT, True),
        ([allow("s3:Get*")], "s3:GetObject", OBJECT, True),
        ([allow("s3:?etObject")], "s3:GetObject", OBJECT, True),
        ([allow("s3:Put*")], "s3:GetObject", OBJECT, False),
        ([allow(), deny()], "s3:GetObject", OBJECT, False),
        ([allow("*"), deny("s3:Delete*")], "s3:DeleteObject", OBJECT, False),
        ([{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}], "s3:GetObject", OBJECT, True),
        ([{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}], "iam:PassRole", ROLE, False),
        ([allow(), {"Effect": "Deny", "NotAction": "s3:*", "Resource": "*"}], "s3:GetObject", OBJECT, True),
        ([{"Effect": "Allow", "Action": "*", "NotResource": f"{BUCKET}/*"}], "s3:GetObject", OBJECT, False),
        ([{"Effect": "Allow", "Action": "*", "NotResource": f"{BUCKET}/*"}], "s3:ListBucket", BUCKET, True),
        ([allow(resource=f"{BUCKET}/home/*")], "s3:GetObject", OBJECT, True),
        ([allow(resource=f"{BUCKET}/HOME/*")], "s3:GetObject", OBJECT, False),
        ([allow(resource=BUCKET)], "s3:GetObject", OBJECT, False),
        ([allow("sqs:*", "arn:aws:sqs")], "sqs:SendMessage", f"arn:aws:sqs:eu-north-1:{ACCOUNT}:q", True),
        # `*` at the end of a part may match colons; other wildcards may not.
        ([allow("sqs:*", "arn:aws:sqs:*:q")], "sqs:SendMessage", f"arn:aws:sqs:eu-north-1:{ACCOUNT}:q", True),
        (
            [allow("sqs:*", f"arn:aws:sqs:*{ACCOUNT}:q")],
            "sqs:SendMessage",
            f"arn:aws:sqs:eu-north-1:{ACCOUNT}:q",
            False,
        ),
        ([allow("s3:ListAllMyBuckets", f"{BUCKET}")], "s3:ListAllMyBuckets", "*", False),
        # IAM policy elements: Variables and tags.
        ([allow(resource=f"{BUCKET}/home/${{aws:username}}/*")], "s3:GetObject", OBJECT, True),
        ([allow(resource=f"{BUCKET}/home/${{aws:PrincipalTag/team}}/*")], "s3:GetObject", OBJECT, False),
        ([allow(resource=f"{BUCKET}/home/${{aws:PrincipalTag/none}}/*")], "s3:GetObject", OBJECT, False),
        ([allow(resource=f"{BUCKET}/home/${{aws:PrincipalTag/none, 'ana'}}/*")], "s3:GetObject", OBJECT, True),
        (
            [{"Effect": "Allow", "Action": "*", "NotResource": f"{BUCKET}/${{aws:PrincipalTag/none}}/*"}],
            "s3:GetObject",
            OBJECT,
            False,
        ),
        ([allow(resource=f"{BUCKET}/${{aws:PrincipalTag/odd}}")], "s3:GetObject", OBJECT, False),
        ([allow(resource=f"{BUCKET}/${{*}}")], "s3:GetObject", OBJECT, False),
        ([allow(resource=f"{BUCKET}/${{*}}")], "s3:GetObject", f"{BUCKET}/*", True),
        (
            [allow("s3:ListBucket", Condition={"StringLike": {"s3:prefix": ["", "home/${aws:username}/*"]}})],
            "s3:ListBucket",
            BUCKET,
            True,
        ),
        (
            [allow("s3:ListBucket", Condition={"StringEquals": {"s3:prefix": "home/${aws:PrincipalTag/team}/"}})],
            "s3:ListBucket",
            BUCKET,
            False,
        ),
        ([allow(Condition={"Bool": {"aws:MultiFactorAuthPresent": "true"}})], "s3:GetObject", OBJECT, False),
        ([allow(), deny(Condition={"Bool": {"aws:ViaAWSService": "false"}})], "s3:GetObject", OBJECT, True),
        # Condition operators, and variables in them (see tests/sandbox/iam_simulator/differences.py).
        (
            [allow(Condition={"StringNotEquals": {"aws:username": "${aws:PrincipalTag/none}"}})],
            "s3:GetObject",
            OBJECT,
            True,
        ),
        ([allow(Condition={"StringEquals": {"aws:PrincipalTag/odd": "${*}"}})], "s3:GetObject", OBJECT, True),
        ([allow(Condition={"ForAnyValue:StringEqualsIfExists": {"aws:TagKeys": "a"}})], "s3:GetObject", OBJECT, True),
        (
            [allow(Condition={"ArnEquals": {"aws:SourceArn": "arn:aws:sns:*:${aws:SourceAccount}:topic"}})],
            "s3:GetObject",
            OBJECT,
            True,
        ),
        ([allow(Condition={"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}})], "s3:GetObject", OBJECT, True),
        ([allow(Condition={"NotIpAddress": {"aws:SourceIp": "2001:db8::7"}})], "s3:GetObject", OBJECT, True),
        ([allow(Condition={"NotIpAddress": {"aws:SourceIp": "10.1.2.3"}})], "s3:GetObject", OBJECT, False),
        ([allow(Condition={"DateEquals": {"aws:EpochTime": "2026-03-01T12:00:00Z"}})], "s3:GetObject", OBJECT, True),
        ([allow(Condition={"DateLessThan": {"aws:CurrentTime": "1772366400"}})], "s3:GetObject", OBJECT, False),
    ],
)
def test_identity_policies_decide_by_their_elements(
    statements: list[Statement], action: str, resource: str, allowed: bool
) -> None:
    request = AccessRequest(BY_USER, action, resource, keys=KEYS)
    decision = evaluate(request, PrincipalPolicies([build_policy(*statements)]))
    assert decision.allowed is allowed


def test_a_policy_of_the_first_version_has_no_variables() -> None:
    policy = build_policy(allow(resource=f"{BUCKET}/home/${{aws:username}}/*"), version="2008-10-17")
    assert evaluate(AccessRequest(BY_USER, "s3:GetObject", OBJECT, keys=KEYS), PrincipalPolicies([policy])) == (
        NO_IDENTITY
    )


NOTHING, EVERYTHING = build_policy(), build_policy(allow("*"))
READ, WRITE = build_policy(allow()), build_policy(allow("s3:PutObject"))


def share(*arns: str, **elements: Any) -> ResourcePolicy:
    return ResourcePolicy(build_policy(allow(Principal=principals(*arns), **elements)))


def refuse_others(principal: Statement) -> ResourcePolicy:
    """Return a policy that allows everyone, and denies all but one principal."""
    return ResourcePolicy(build_policy(allow(Principal="*"), deny(NotPrincipal=principal)))


def refuse(**elements: Any) -> ResourcePolicy:
    return ResourcePolicy(build_policy({"Effect": "Deny", "Action": "*", "Resource": "*", **elements}))


@check_cases(
    ("principal", "policies", "resource_policy", "decision"),
    [
        # Policy evaluation for requests within a single account.
        (BY_USER, PrincipalPolicies([READ]), None, ALLOWED),
        (BY_USER, PrincipalPolicies([WRITE, READ]), None, ALLOWED),
        (BY_USER, PrincipalPolicies(), share(USER), ALLOWED),
        (BY_USER, PrincipalPolicies(), share("*"), ALLOWED),
        (BY_USER, PrincipalPolicies(), share(ROOT), NO_IDENTITY),
        (BY_USER, PrincipalPolicies(), share(ACCOUNT), NO_IDENTITY),
        (BY_USER, PrincipalPolicies(), share(ROLE), NO_IDENTITY),
        (BY_USER, PrincipalPolicies([READ]), refuse(Principal="*"), explicit(PolicyKind.RESOURCE)),
        (BY_USER, PrincipalPolicies([READ]), refuse(Principal=principals(ROOT)), explicit(PolicyKind.RESOURCE)),
        (BY_USER, PrincipalPolicies([READ]), refuse(Principal=principals(ROLE)), ALLOWED),
        (BY_USER, PrincipalPolicies([build_policy(deny())]), share(USER), explicit(PolicyKind.IDENTITY)),
        (BY_ROLE, PrincipalPolicies(), share(ROLE), ALLOWED),
        (BY_ROLE, PrincipalPolicies(), share(SESSION), ALLOWED),
        (BY_ROLE, PrincipalPolicies([READ]), refuse(Principal=principals(ROLE)), explicit(PolicyKind.RESOURCE)),
        (BY_ROLE, PrincipalPolicies(), share("*", Condition={"ArnLike": {"aws:PrincipalArn": ROLE}}), ALLOWED),
        (BY_ROLE, PrincipalPolicies(), share("*", Condition={"ArnLike": {"aws:PrincipalArn": USER}}), NO_IDENTITY),
        # NotPrincipal must list account, role and session.
        (BY_USER, PrincipalPolicies([READ]), refuse(NotPrincipal=principals(ROOT, USER)), ALLOWED),
        (BY_USER, PrincipalPolicies([READ]), refuse(NotPrincipal=principals(USER)), explicit(PolicyKind.RESOURCE)),
        (BY_ROLE, PrincipalPolicies([READ]), refuse(NotPrincipal=principals(ROOT, ROLE, SESSION)), ALLOWED),
        (
            BY_ROLE,
            PrincipalPolicies([READ]),
            refuse(NotPrincipal=principals(ROOT, ROLE)),
            explicit(PolicyKind.RESOURCE),
        ),
        # Permissions boundaries for IAM entities.
        (BY_USER, PrincipalPolicies([READ], READ), None, ALLOWED),
        (BY_USER, PrincipalPolicies([READ], WRITE), None, NO_BOUNDARY),
        (BY_USER, PrincipalPolicies([WRITE], READ), None, NO_IDENTITY),
        (BY_USER, PrincipalPolicies([READ], build_policy(deny())), None, explicit(PolicyKind.BOUNDARY)),
        (BY_USER, PrincipalPolicies([], NOTHING), share(USER), ALLOWED),
        (BY_ROLE, PrincipalPolicies([], NOTHING), share(ROLE), NO_BOUNDARY),
        (BY_ROLE, PrincipalPolicies([], NOTHING), share(SESSION), ALLOWED),
        # Session policies.
        (BY_ROLE, PrincipalPolicies([READ], session=[READ]), None, ALLOWED),
        (BY_ROLE, PrincipalPolicies([EVERYTHING], session=[WRITE]), None, NO_SESSION),
        (BY_ROLE, PrincipalPolicies([EVERYTHING], session=[build_policy(deny())]), None, explicit(PolicyKind.SESSION)),
        (BY_ROLE, PrincipalPolicies([], session=[WRITE]), share(ROLE), NO_SESSION),
        (BY_ROLE, PrincipalPolicies([], session=[NOTHING]), share(SESSION), ALLOWED),
        # Service control policies: each level must allow.
        (BY_USER, PrincipalPolicies([READ], service_control=[[EVERYTHING], [READ]]), None, ALLOWED),
        (BY_USER, PrincipalPolicies([READ], service_control=[[EVERYTHING], [WRITE]]), None, NO_CONTROL),
        (BY_USER, PrincipalPolicies([READ], service_control=[[EVERYTHING], [WRITE]]), share(USER), NO_CONTROL),
        (
            BY_USER,
            PrincipalPolicies([READ], service_control=[[EVERYTHING, build_policy(deny())]]),
            None,
            explicit(PolicyKind.SERVICE_CONTROL),
        ),
        # Services have resource policies alone.
        (
            BY_SERVICE,
            PrincipalPolicies(),
            ResourcePolicy(build_policy(allow(Principal={"Service": BY_SERVICE.arn}))),
            ALLOWED,
        ),
        (BY_SERVICE, PrincipalPolicies(), share(ROOT), NO_RESOURCE),
        (BY_SERVICE, PrincipalPolicies(), refuse_others({"Service": BY_SERVICE.arn}), ALLOWED),
        (BY_SERVICE, PrincipalPolicies(), refuse_others(principals(ROOT)), explicit(PolicyKind.RESOURCE)),
        # A request without a signature.
        (ANONYMOUS, PrincipalPolicies(), share("*"), ALLOWED),
        (ANONYMOUS, PrincipalPolicies(), share(ROOT), NO_IDENTITY),
        (ANONYMOUS, PrincipalPolicies(), refuse_others(principals(ROOT)), explicit(PolicyKind.RESOURCE)),
    ],
)
def test_within_an_account_the_kinds_of_policies_combine(
    principal: Principal, policies: PrincipalPolicies, resource_policy: ResourcePolicy | None, decision: AccessDecision
) -> None:
    keys = {"aws:PrincipalArn": principal.arn}
    assert (
        evaluate(AccessRequest(principal, "s3:GetObject", OBJECT, ACCOUNT, keys), policies, resource_policy) == decision
    )


@check_cases(
    ("identity", "resource_policy", "decision"),
    [
        # Policy evaluation for requests across accounts: both sides must allow.
        ([READ], share(ROLE), ALLOWED),
        ([READ], share(ROOT), ALLOWED),
        ([READ], share("*"), ALLOWED),
        ([READ], share(OTHER), NO_RESOURCE),
        ([READ], None, NO_RESOURCE),
        ([], share(ROLE), NO_IDENTITY),
        ([], share("*"), NO_IDENTITY),
        ([READ], refuse(Principal="*"), explicit(PolicyKind.RESOURCE)),
    ],
)
def test_across_accounts_both_sides_must_allow(
    identity: list[Policy], resource_policy: ResourcePolicy | None, decision: AccessDecision
) -> None:
    request = AccessRequest(BY_ROLE, "s3:GetObject", OBJECT, OTHER)
    assert evaluate(request, PrincipalPolicies(identity), resource_policy) == decision


DECRYPT = build_policy(allow("kms:Decrypt"))


def decrypt(principal: str, **elements: Any) -> ResourcePolicy:
    statement = allow("kms:*", Principal=principals(principal), **elements)
    return ResourcePolicy(build_policy(statement), Delegation.REQUIRED)


@check_cases(
    ("identity", "key_policy", "owner", "decision"),
    [
        # KMS developer guide, "Default key policy": the statement for the root lets IAM policies decide.
        ([DECRYPT], decrypt(ROOT), ACCOUNT, ALLOWED),
        ([], decrypt(ROOT), ACCOUNT, NO_IDENTITY),
        ([], decrypt(ROLE), ACCOUNT, ALLOWED),
        ([DECRYPT], decrypt(USER), ACCOUNT, NO_RESOURCE),
        ([DECRYPT], decrypt(ROOT, Condition={"StringEquals": {"kms:ViaService": "s3"}}), ACCOUNT, NO_RESOURCE),
        # "Allowing users in other accounts to use a KMS key".
        ([DECRYPT], decrypt(ROOT), OTHER, ALLOWED),
        ([], decrypt(ROLE), OTHER, NO_IDENTITY),
    ],
)
def test_a_key_policy_decides_and_may_delegate(
    identity: list[Policy], key_policy: ResourcePolicy, owner: str, decision: AccessDecision
) -> None:
    request = AccessRequest(BY_ROLE, "kms:Decrypt", KEY.replace(ACCOUNT, owner), owner)
    assert evaluate(request, PrincipalPolicies(identity), key_policy) == decision


UNKNOWN_KEY = {"StringEquals": {"aws:SourceVpce": "vpce-1"}}
MET, NOT_MET = ({"StringEquals": {"aws:SourceAccount": account}} for account in (ACCOUNT, OTHER))
OF_TEAM, OF_OTHERS = (f"{BUCKET}/{folder}/${{aws:PrincipalTag/unknown}}/*" for folder in ("home", "raw"))


@check_cases(
    ("statements", "decision"),
    [
        # An Allow that may apply suffices.
        ([allow(Condition=UNKNOWN_KEY)], ALLOWED),
        ([allow(Condition=UNKNOWN_KEY | {"StringLike": {"aws:username": "a*"}})], ALLOWED),
        ([allow(Condition=UNKNOWN_KEY | {"StringLike": {"aws:username": "b*"}})], NO_IDENTITY),
        ([allow(resource=OF_TEAM)], ALLOWED),
        ([allow(resource=OF_OTHERS)], NO_IDENTITY),
        ([allow(resource=f"{BUCKET}/home/${{aws:PrincipalTag/unknown, 'bob'}}/*")], ALLOWED),
        ([allow(resource=f"{BUCKET}/home/${{aws:PrincipalTag/none, 'bob'}}/*")], NO_IDENTITY),
        ([allow(Condition={"StringLike": {"aws:username": "${aws:PrincipalTag/unknown}"}})], ALLOWED),
        ([allow(Condition={"StringNotEquals": {"aws:username": "${aws:PrincipalTag/unknown}"}})], ALLOWED),
        ([allow(Condition={"StringNotEquals": {"aws:username": ["ana", "${aws:x}"]}})], NO_IDENTITY),
        ([{"Effect": "Allow", "Action": "*", "NotResource": OF_TEAM}], ALLOWED),
        ([{"Effect": "Allow", "Action": "*", "NotResource": [OF_TEAM, OBJECT]}], NO_IDENTITY),
        # A Deny must apply for certain.
        ([allow(), deny(Condition=UNKNOWN_KEY)], ALLOWED),
        ([allow(), deny(Condition=MET)], explicit(PolicyKind.IDENTITY)),
        ([allow(), deny(Condition=NOT_MET)], ALLOWED),
        ([allow(), deny(resource=OF_TEAM)], ALLOWED),
        ([allow(), deny(resource=[OF_TEAM, OBJECT])], explicit(PolicyKind.IDENTITY)),
        ([allow(), {"Effect": "Deny", "Action": "*", "NotResource": OF_TEAM}], ALLOWED),
        ([allow(), {"Effect": "Deny", "Action": "*", "NotResource": OF_OTHERS}], explicit(PolicyKind.IDENTITY)),
    ],
)
def test_unknown_condition_keys_are_assumed_to_allow(statements: list[Statement], decision: AccessDecision) -> None:
    keys = {"aws:username": "ana", "aws:SourceAccount": ACCOUNT, "aws:PrincipalTag/none": None}
    request = AccessRequest(BY_USER, "s3:GetObject", OBJECT, keys=keys, other_keys=OtherKeys.UNKNOWN)
    assert evaluate(request, PrincipalPolicies([build_policy(*statements)])) == decision


@check_cases(
    ("statements", "decision"),
    [
        ([allow(resource=OBJECT)], ALLOWED),
        ([allow("s3:PutObject")], NO_IDENTITY),
        ([allow(), deny(resource=OBJECT)], ALLOWED),
        ([allow(), deny()], explicit(PolicyKind.IDENTITY)),
    ],
)
def test_an_unknown_resource_is_assumed_to_allow(statements: list[Statement], decision: AccessDecision) -> None:
    request = AccessRequest(BY_USER, "s3:GetObject", None)
    assert evaluate(request, PrincipalPolicies([build_policy(*statements)])) == decision


@check_cases(
    ("principal", "is_sufficient"),
    [(BY_ROLE, True), (BY_USER, True), (Principal("", "events.amazonaws.com"), False), (ANONYMOUS, False)],
)
def test_an_unknown_condition_for_everyone_allows_only_principals_of_accounts(
    principal: Principal, is_sufficient: bool
) -> None:
    request = AccessRequest(principal, "s3:GetObject", OBJECT, other_keys=OtherKeys.UNKNOWN)
    assert evaluate(request, PrincipalPolicies(), share("*", Condition=UNKNOWN_KEY)).allowed is is_sufficient
    assert evaluate(request, PrincipalPolicies(), share("*")).allowed


@check_cases(
    ("decision", "action", "resource", "message"),
    [
        (
            NO_IDENTITY,
            "sagemaker:CreateModel",
            "arn:m",
            f"User: {SESSION} is not authorized to perform: sagemaker:CreateModel on resource: arn:m because no "
            "identity-based policy allows the sagemaker:CreateModel action",
        ),
        (
            explicit(PolicyKind.RESOURCE),
            "s3:GetObject",
            OBJECT,
            f'User: {SESSION} is not authorized to perform: s3:GetObject on resource: "{OBJECT}" with an explicit deny '
            "in a resource-based policy",
        ),
        (
            explicit(PolicyKind.IDENTITY),
            "iam:PassRole",
            ROLE,
            f"User: {SESSION} is not authorized to perform: iam:PassRole on resource: {ROLE} with an explicit deny in "
            "an identity-based policy",
        ),
    ],
)
def test_the_message_names_the_kind_of_policy(
    decision: AccessDecision, action: str, resource: str, message: str
) -> None:
    assert decision.explain(AccessRequest(BY_ROLE, action, resource)) == message


@check_cases("document", ["", "no JSON", "[]", '{"Statement": "x"}', '{"Statement": [1]}'])
def test_a_malformed_document_allows_nothing(document: str) -> None:
    assert evaluate(AccessRequest(BY_USER, "s3:GetObject", OBJECT), PrincipalPolicies([Policy.parse(document)])) == (
        NO_IDENTITY
    )
