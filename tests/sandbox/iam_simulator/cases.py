"""Random requests with the policies that apply to them. A seed determines the cases.

The policies are derived from the request, so that many statements apply: patterns replace parts of its action and its
resource, and conditions compare its keys with similar values.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sagemaker_sandbox.iam.evaluation import (
    AccessRequest,
    Delegation,
    Policy,
    Principal,
    PrincipalPolicies,
    ResourcePolicy,
    evaluate,
)

ACCOUNT, OTHER = "111122223333", "444455556666"
USER = Principal(ACCOUNT, f"arn:aws:iam::{ACCOUNT}:user/ana")
SESSION = Principal(ACCOUNT, f"arn:aws:iam::{ACCOUNT}:role/jobs", f"arn:aws:sts::{ACCOUNT}:assumed-role/jobs/night")
#: A session of a role with a path, which the ARN of the session lacks.
PATH_SESSION = Principal(ACCOUNT, f"arn:aws:iam::{ACCOUNT}:role/red/b", f"arn:aws:sts::{ACCOUNT}:assumed-role/b/night")
SERVICE = Principal(ACCOUNT, "sagemaker.amazonaws.com")
PRINCIPALS = (USER, SESSION, PATH_SESSION, SERVICE)

Document = dict[str, Any]


class Key(NamedTuple):
    """A condition key: the type of its operators, its values, and whether a request may have several of them."""

    type: str
    values: tuple[str, ...]
    is_multivalued: bool = False


KEYS = {
    "aws:CalledVia": Key("String", ("athena.amazonaws.com", "cloudformation.amazonaws.com"), True),
    "aws:CurrentTime": Key("Date", ("2026-03-01T12:00:00Z", "2026-03-01T13:00:00+01:00", "2026-03-02")),
    "aws:EpochTime": Key("Date", ("1772366400", "1772370000", "2026-03-01T12:00:00Z")),
    "aws:MultiFactorAuthAge": Key("Numeric", ("0", "300", "300.0", "3600.5")),
    "aws:MultiFactorAuthPresent": Key("Bool", ("true", "false", "True")),
    "aws:PrincipalOrgPaths": Key("String", ("o-1/r-1/ou-red/", "o-1/r-1/ou-blue/"), True),
    "aws:PrincipalTag/team": Key("String", ("red", "Red", "blue", "r*d")),
    "aws:RequestedRegion": Key("String", ("eu-north-1", "eu-west-1", "us-east-1")),
    "aws:ResourceTag/team": Key("String", ("red", "blue")),
    "aws:SecureTransport": Key("Bool", ("true", "false")),
    "aws:SourceAccount": Key("String", (ACCOUNT, OTHER)),
    "aws:SourceArn": Key("Arn", (f"arn:aws:sagemaker:eu-north-1:{ACCOUNT}:pipeline/red", f"arn:aws:sns:::{OTHER}")),
    "aws:SourceIp": Key("IpAddress", ("10.1.2.3", "10.1.200.4", "192.0.2.7", "2001:db8::7", "2001:DB8:0:0:0:0:0:7")),
    "aws:TagKeys": Key("String", ("team", "stage", "owner"), True),
    "aws:username": Key("String", ("ana", "bob")),
    "iam:PassedToService": Key("String", ("sagemaker.amazonaws.com", "ec2.amazonaws.com")),
    "kms:EncryptionContextKeys": Key("String", ("team", "aws:s3:arn"), True),
    "kms:ViaService": Key("String", ("s3.eu-north-1.amazonaws.com", "sagemaker.eu-north-1.amazonaws.com")),
    "s3:max-keys": Key("Numeric", ("10", "100", "1000")),
    "s3:prefix": Key("String", ("", "raw/", "raw/red/", "home/ana/")),
    "sagemaker:InstanceTypes": Key("String", ("ml.m5.large", "ml.m5.xlarge", "ml.p4d.24xlarge"), True),
    "sagemaker:MaxRuntimeInSeconds": Key("Numeric", ("600", "3600", "86400")),
    "sagemaker:VolumeKmsKeyArn": Key("Arn", tuple(f"arn:aws:kms:eu-north-1:{one}:key/red" for one in (ACCOUNT, OTHER))),
}
_GLOBAL_KEYS = [key for key in KEYS if key.startswith("aws:") and key not in ("aws:ResourceTag/team", "aws:TagKeys")]
_NETWORKS = ("10.1.0.0/16", "10.1.2.0/24", "192.0.2.0/24", "0.0.0.0/0", "2001:db8::/32", "::/0")


class Target(NamedTuple):
    """Actions on a kind of resource, with the condition keys of their service. `{owner}` is the owner's account."""

    actions: tuple[str, ...]
    resources: tuple[str, ...]
    keys: tuple[str, ...] = ()


_OBJECTS = ("raw/red/a.csv", "raw/blue/a.csv", "home/ana/notes", "home/bob/notes")
_TRAINING_JOBS = tuple(
    f"arn:aws:sagemaker:{region}:{{owner}}:training-job/{name}"
    for region, name in (("eu-north-1", "red-1"), ("eu-west-1", "a"))
)
_ROLES = ("arn:aws:iam::{owner}:role/jobs", "arn:aws:iam::{owner}:role/red/b")
TARGETS = (
    Target(
        ("s3:GetObject", "s3:PutObject", "s3:DeleteObject"),
        tuple(f"arn:aws:s3:::data-{team}/{name}" for team in ("red", "blue") for name in _OBJECTS),
    ),
    Target(("s3:ListBucket",), ("arn:aws:s3:::data-red", "arn:aws:s3:::data-blue"), ("s3:prefix", "s3:max-keys")),
    Target(("s3:ListAllMyBuckets",), ("*",)),
    Target(
        ("kms:Decrypt", "kms:GenerateDataKey"),
        ("arn:aws:kms:eu-north-1:{owner}:key/red", "arn:aws:kms:eu-west-1:{owner}:key/blue"),
        ("kms:ViaService", "kms:EncryptionContextKeys", "aws:ResourceTag/team"),
    ),
    Target(
        ("sagemaker:CreateTrainingJob",),
        _TRAINING_JOBS,
        ("sagemaker:InstanceTypes", "sagemaker:MaxRuntimeInSeconds", "sagemaker:VolumeKmsKeyArn", "aws:TagKeys"),
    ),
    Target(
        ("sagemaker:DescribeTrainingJob", "sagemaker:StopTrainingJob"),
        _TRAINING_JOBS,
        ("aws:ResourceTag/team",),
    ),
    Target(("iam:PassRole",), _ROLES, ("iam:PassedToService",)),
    Target(("sts:AssumeRole",), _ROLES),
)


@dataclass(frozen=True)
class Case:
    """A request and all policies that apply to it. None stands for a policy that does not exist."""

    seed: int
    request: AccessRequest
    identity: Sequence[Document]
    boundary: Document | None
    session: Document | None
    #: One list for the root and one for the account; empty if no organization limits the principal.
    service_control: Sequence[Sequence[Document]]
    resource_policy: Document | None

    def evaluate(self) -> str:
        """Return the decision of the sandbox's evaluator, in the simulator's words."""
        policies = PrincipalPolicies(
            identity=[Policy.parse(document) for document in self.identity],
            boundary=Policy.parse(self.boundary) if self.boundary is not None else None,
            session=[Policy.parse(self.session)] if self.session is not None else None,
            service_control=[[Policy.parse(one) for one in level] for level in self.service_control] or None,
        )
        decision = evaluate(self.request, policies, self.build_resource_policy())
        return "Allowed" if decision.allowed else "ExplicitlyDenied" if decision.explicit else "ImplicitlyDenied"

    def build_resource_policy(self) -> ResourcePolicy | None:
        """Return the policy of the resource, or None."""
        if self.resource_policy is None:
            return None
        service = self.request.action.split(":")[0]
        delegation = Delegation.REQUIRED if service in ("kms", "sts") else Delegation.OPTIONAL
        return ResourcePolicy(Policy.parse(self.resource_policy), delegation, names_resources=service != "sts")

    def describe(self) -> Document:
        """Return the case as input of the simulator."""
        request = self.request
        return {
            "request": {
                "principal": request.principal.label,
                "action": request.action,
                "resource": {"resource": request.resource, "accountId": request.resource_account},
                "contextVariables": dict(request.keys),
            },
            "identityPolicies": _name_policies(self.identity),
            "serviceControlPolicies": [
                {"orgIdentifier": f"level-{number}", "policies": _name_policies(level)}
                for number, level in enumerate(self.service_control)
            ],
            "resourceControlPolicies": [],
            **({"sessionPolicy": self.session} if self.session is not None else {}),
            **({"resourcePolicy": self.resource_policy} if self.resource_policy is not None else {}),
            **({"permissionBoundaryPolicies": _name_policies([self.boundary])} if self.boundary is not None else {}),
        }


def _name_policies(documents: Sequence[Document]) -> list[Document]:
    return [{"name": f"policy-{number}", "policy": document} for number, document in enumerate(documents)]


def generate_cases(seed: int, count: int) -> Iterator[Case]:
    """Yield cases. A seed and a position always give the same case."""
    for number in range(count):
        yield _Generator(seed * 1_000_000 + number).build_case()


class _Generator:
    """Generator of one case."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._random = random.Random(seed)  # noqa: S311  no secret
        principal = self._random.choices(PRINCIPALS, (4, 4, 2, 1))[0]
        self._target = self._random.choice(TARGETS)
        is_foreign = principal is not SERVICE and self._is_likely(0.25) and self._target.resources != ("*",)
        owner = OTHER if is_foreign else ACCOUNT
        self._request = AccessRequest(
            principal,
            self._random.choice(self._target.actions),
            self._random.choice(self._target.resources).format(owner=owner),
            owner,
            self._build_keys(principal),
        )

    def build_case(self) -> Case:
        """Return the case."""
        principal, service = self._request.principal, self._request.action.split(":")[0]
        is_service = principal is SERVICE
        has_resource_policy = service in ("kms", "sts") or (
            service == "s3" and self._request.resource != "*" and (is_service or self._is_likely(0.6))
        )
        return Case(
            seed=self._seed,
            request=self._request,
            identity=[] if is_service else [self._build_policy() for _ in range(self._random.choice((0, 1, 1, 1, 2)))],
            boundary=self._build_policy() if not is_service and self._is_likely(0.25) else None,
            session=self._build_policy() if principal.is_role and self._is_likely(0.3) else None,
            service_control=[self._build_level() for _ in range(2)] if not is_service and self._is_likely(0.3) else (),
            resource_policy=self._build_policy(has_principals=True) if has_resource_policy else None,
        )

    def _is_likely(self, probability: float) -> bool:
        return self._random.random() < probability

    def _build_keys(self, principal: Principal) -> dict[str, str | list[str]]:
        keys: dict[str, str | list[str]] = {}
        for key in (*_GLOBAL_KEYS, *self._target.keys):
            if self._is_likely(0.3) or (key == "aws:username" and principal is not USER):
                continue
            values = KEYS[key].values
            count = self._random.randint(0, len(values))
            keys[key] = self._random.sample(values, count) if KEYS[key].is_multivalued else self._random.choice(values)
        return keys | ({"aws:PrincipalArn": principal.arn} if principal is not SERVICE else {})

    def _build_level(self) -> list[Document]:
        """Return the service control policies of the root, an organizational unit or the account."""
        everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
        return [everything] if self._is_likely(0.4) else [self._build_policy(), *[everything] * self._is_likely(0.6)]

    def _build_policy(self, has_principals: bool = False) -> Document:
        version = "2012-10-17" if self._is_likely(0.95) else "2008-10-17"
        count = self._random.choice((1, 1, 2, 3))
        return {"Version": version, "Statement": [self._build_statement(has_principals) for _ in range(count)]}

    def _build_statement(self, has_principals: bool) -> Document:
        effect = "Allow" if self._is_likely(0.75) else "Deny"
        statement: Document = {"Effect": effect}
        if has_principals:
            name = "NotPrincipal" if effect == "Deny" and self._is_likely(0.3) else "Principal"
            statement[name] = self._choose_principals()
        actions = [self._choose_action() for _ in range(self._random.choice((1, 1, 2)))]
        statement["NotAction" if self._is_likely(0.12) else "Action"] = self._unpack(actions)
        if not has_principals or not self._request.action.startswith("sts:"):
            resources = [self._choose_resource() for _ in range(self._random.choice((1, 1, 2)))]
            statement["NotResource" if self._is_likely(0.12) else "Resource"] = self._unpack(resources)
        if self._is_likely(0.45):
            statement["Condition"] = {}
            for _ in range(self._random.choice((1, 1, 2))):
                operator, key, values = self._build_condition()
                statement["Condition"].setdefault(operator, {})[key] = self._unpack(values)
        return statement

    def _unpack(self, values: list[str]) -> str | list[str]:
        """Return one value as itself or as a list: both are valid."""
        return values[0] if len(values) == 1 and self._is_likely(0.7) else values

    def _choose_principals(self) -> Any:
        principal = self._request.principal
        if self._is_likely(0.2):
            return self._random.choice(("*", {"AWS": "*"}))
        names = [principal.label, principal.arn, principal.root, ACCOUNT, OTHER]
        names += [USER.arn, SESSION.arn, PATH_SESSION.arn]
        chosen = self._random.sample(names, self._random.choice((1, 1, 2, 3)))
        arns = [name for name in chosen if name != SERVICE.arn]
        is_service = len(arns) < len(chosen) or self._is_likely(0.05)
        return {"AWS": arns} | ({"Service": SERVICE.arn} if is_service else {}) if arns else {"Service": SERVICE.arn}

    def _choose_action(self) -> str:
        service, name = self._request.action.split(":")
        if self._is_likely(0.25):
            service, name = self._random.choice(self._random.choice(TARGETS).actions).split(":")
        return self._random.choice((f"{service}:{name}", f"{service}:*", f"{service}:{self._blur(name)}", "*"))

    def _choose_resource(self) -> str:
        arn = str(self._request.resource)
        if self._is_likely(0.2):
            other = self._random.choice(self._random.choice(TARGETS).resources)
            arn = other.format(owner=self._request.resource_account)
        if arn == "*" or self._is_likely(0.3):
            return "*"
        if self._is_likely(0.03):
            return arn.rsplit(":", 3)[0]  # without Region, account and name
        return self._blur_arn(arn)

    def _blur_arn(self, arn: str, has_variable_account: bool = False) -> str:
        """Return an ARN whose Region, account and resource may be patterns."""
        parts = arn.split(":", 5)
        for number in (3, 4):
            if parts[number] and self._is_likely(0.2):
                parts[number] = self._blur(parts[number], has_variable_account and number == 4).lower()
        if self._is_likely(0.6):
            parts[5] = self._blur(parts[5], has_variables=True)
        return ":".join(parts)

    def _build_condition(self) -> tuple[str, str, list[str]]:
        """Return an operator, a condition key and the values to compare with."""
        possible_keys = [*_GLOBAL_KEYS, *self._target.keys]
        multivalued = [key for key in possible_keys if KEYS[key].is_multivalued]
        key = self._random.choice([*self._request.keys, *possible_keys, *multivalued * 3])
        known = KEYS.get(key, Key("Arn", (USER.arn, SESSION.arn)))
        name = self._vary_case(key)
        if self._is_likely(0.1):
            return "Null", name, [self._random.choice(("true", "false"))]
        # Operators of text compare values of all types.
        kind = "String" if self._is_likely(0.1) else known.type
        operator = self._choose_operator(kind)
        if known.is_multivalued and self._is_likely(0.9):
            operator = self._random.choice(("ForAnyValue:", "ForAllValues:")) + operator
        if self._is_likely(0.25):
            operator += "IfExists"
        pool = known.values + (_NETWORKS if known.type == "IpAddress" else ())
        values = self._random.sample(pool, self._random.choice((1, 1, 2)))
        if kind == "Arn":
            values = [self._blur_arn(one, has_variable_account=True) for one in values]
        elif kind == "String":
            values = [self._blur(one, has_variables=True) if one else one for one in values]
        return operator, name, values

    def _choose_operator(self, kind: str) -> str:
        comparisons = ("Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals")
        operators = {
            "Arn": ("ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike"),
            "Bool": ("Bool",),
            "IpAddress": ("IpAddress", "NotIpAddress"),
            "String": tuple(
                f"String{negation}{comparison}"
                for negation in ("", "Not")
                for comparison in ("Equals", "EqualsIgnoreCase", "Like")
            ),
        }
        return self._random.choice(operators.get(kind) or tuple(f"{kind}{one}" for one in comparisons))

    def _vary_case(self, text: str) -> str:
        return self._random.choice((text, text, text, text.lower(), text.upper()))

    def _blur(self, text: str, has_variables: bool = False) -> str:
        """Return a pattern that resembles the text: with a wildcard, another case or a policy variable."""
        begin, end = sorted(self._random.choices(range(1, len(text) + 1), k=2))
        patterns = [text, text.swapcase(), text.replace("*", "${*}")]
        patterns += [f"{text[:begin]}*", f"{text[:begin]}*{text[end:]}", f"{text[: end - 1]}?{text[end:]}"]
        if has_variables:
            for name in ("aws:username", "aws:PrincipalTag/team", "aws:SourceAccount"):
                for value in KEYS[name].values:
                    if value in text:
                        default = self._random.choice(("", "", f", '{value}'"))
                        patterns += [text.replace(value, f"${{{self._vary_case(name)}{default}}}", 1)] * 2
        return self._random.choice(patterns)
