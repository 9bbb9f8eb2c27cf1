"""Known differences between the sandbox's IAM evaluator and the simulator, each with its reason and AWS's page."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sagemaker_sandbox.iam.elements import fill_variables, make_list
from sagemaker_sandbox.iam.wildcards import Variables
from tests.sandbox.iam_simulator.cases import KEYS, Case, Document

_USER_GUIDE = "https://docs.aws.amazon.com/IAM/latest/UserGuide/"
_VARIABLE = re.compile(r"\$\{[^}]*\}")


@dataclass(frozen=True)
class Difference:
    """A class of differences. `covers` returns whether a statement of a policy of a case causes it."""

    name: str
    reason: str
    page: str
    covers: Callable[[Case, Document, Document], bool]

    def remove(self, case: Case) -> Case:
        """Return the case without the statements that cause the difference."""

        def copy(document: Document) -> Document:
            statements = [
                _build_neutral_statement(one) if self.covers(case, document, one) else one
                for one in document["Statement"]
            ]
            return {**document, "Statement": statements}

        return replace(
            case,
            identity=[copy(document) for document in case.identity],
            boundary=copy(case.boundary) if case.boundary is not None else None,
            session=copy(case.session) if case.session is not None else None,
            service_control=[[copy(document) for document in level] for level in case.service_control],
            resource_policy=copy(case.resource_policy) if case.resource_policy is not None else None,
        )


def _build_neutral_statement(statement: Document) -> Document:
    """Return a statement of the same kind that applies to no case."""
    has_principals = "Principal" in statement or "NotPrincipal" in statement
    neutral = {"Effect": statement["Effect"], "Action": "sts:GetCallerIdentity", "Resource": "*"}
    return neutral | ({"Principal": "*"} if has_principals else {})


def _has_excepted_principals(_case: Case, _document: Document, statement: Document) -> bool:
    return "NotPrincipal" in statement


def _allows_session(case: Case, _document: Document, statement: Document) -> bool:
    """Return whether a resource policy allows a session that a session policy limits."""
    principal = statement.get("Principal")
    names = make_list(principal.get("AWS") if isinstance(principal, Mapping) else principal)
    return (
        case.session is not None
        and statement["Effect"] == "Allow"
        and bool({"*", case.request.principal.session} & {*names})
    )


def _has_literal_variable(_case: Case, document: Document, statement: Document) -> bool:
    return document["Version"] != "2012-10-17" and "${" in str(statement)


def _has_wildcard_type(_case: Case, _document: Document, statement: Document) -> bool:
    """Return whether a pattern has a wildcard in the type of its resource, such as `train*/red`."""
    for arn in _list_resources(statement):
        *parts, name = arn.split(":", 5)
        kind, separator, _ = _VARIABLE.sub("", name).partition("/")
        if len(parts) == 5 and parts[2] != "s3" and separator and ("*" in kind or "?" in kind):
            return True
    return False


def _has_variable_account(_case: Case, _document: Document, statement: Document) -> bool:
    return any(
        "${" in ":".join(str(value).split(":", 5)[:5])
        for operator, _, value in _list_conditions(statement)
        if operator.startswith("Arn")
    )


def _lacks_variable(case: Case, document: Document, statement: Document) -> bool:
    """Return whether an inverted operator compares with a variable that has neither a value nor a default."""
    return any(
        "Not" in operator and _is_unknown(case, document, value) for operator, _, value in _list_conditions(statement)
    )


def _is_unknown(case: Case, document: Document, text: str) -> bool:
    """Return whether a text of a policy has a variable without a value."""
    variables = {key.lower(): value for key, value in case.request.keys.items() if isinstance(value, str)}
    return document["Version"] == "2012-10-17" and not fill_variables([text], Variables(variables))


def _has_optional_any_value(_case: Case, _document: Document, statement: Document) -> bool:
    operators = statement.get("Condition", {})
    return any(name.startswith("ForAnyValue:") and name.endswith("IfExists") for name in operators)


def _has_whole_network(_case: Case, _document: Document, statement: Document) -> bool:
    return any(value == "0.0.0.0/0" for _, _, value in _list_conditions(statement))


def _has_single_address(_case: Case, _document: Document, statement: Document) -> bool:
    return any("IpAddress" in operator and "/" not in value for operator, _, value in _list_conditions(statement))


def _has_mixed_dates(case: Case, _document: Document, statement: Document) -> bool:
    """Return whether a condition compares a date in seconds with a date in another format."""
    values = {key.lower(): value for key, value in case.request.keys.items()}
    return any(
        operator.startswith("Date") and value.isdigit() != str(values.get(key.lower())).isdigit()
        for operator, key, value in _list_conditions(statement)
    )


def _has_escaped_wildcard(_case: Case, _document: Document, statement: Document) -> bool:
    return any("Equals" in operator and "${*}" in value for operator, _, value in _list_conditions(statement))


def _has_incomplete_arn(_case: Case, _document: Document, statement: Document) -> bool:
    return any(arn != "*" and arn.count(":") < 5 for arn in _list_resources(statement))


def _excepts_unknown_resource(case: Case, document: Document, statement: Document) -> bool:
    """Return whether NotResource has a variable that has neither a value nor a default."""
    return any(_is_unknown(case, document, arn) for arn in make_list(statement.get("NotResource")))


def _lacks_set_operator(_case: Case, _document: Document, statement: Document) -> bool:
    """Return whether a condition compares a multivalued key without ForAllValues or ForAnyValue."""
    multivalued = {key.lower() for key, details in KEYS.items() if details.is_multivalued}
    conditions = statement.get("Condition", {}).items()
    return any(
        operator[:3] not in ("For", "Nul") and multivalued & {key.lower() for key in tests}
        for operator, tests in conditions
    )


def _list_conditions(statement: Document) -> Iterator[tuple[str, str, Any]]:
    """Yield each operator without its quantifier, the condition key and a value."""
    for operator, tests in statement.get("Condition", {}).items():
        for key, values in tests.items():
            for value in make_list(values):
                yield operator.split(":")[-1], key, value


def _list_resources(statement: Document) -> list[str]:
    return [*make_list(statement.get("Resource")), *make_list(statement.get("NotResource"))]


DIFFERENCES = (
    Difference(
        "NotPrincipal",
        "AWS may check the account, the role and the session one by one, so the evaluator excepts a principal only if "
        "all are listed. For the simulator, one is enough.",
        f"{_USER_GUIDE}reference_policies_elements_notprincipal.html",
        _has_excepted_principals,
    ),
    Difference(
        "session named by the resource's policy",
        "A session policy does not limit what a resource's policy allows to the session itself. The simulator applies "
        "the session policy to every request.",
        f"{_USER_GUIDE}access_policies.html#policies_session",
        _allows_session,
    ),
    Difference(
        "variable in a policy of version 2008-10-17",
        "Policies before version 2012-10-17 have no variables. The simulator replaces them in each version.",
        f"{_USER_GUIDE}reference_policies_variables.html#policy-vars-intro",
        _has_literal_variable,
    ),
    Difference(
        "wildcard in a resource type",
        "AWS declares a wildcard in the type of a resource invalid, and does not define the result. The evaluator "
        "matches it, and the simulator does not.",
        f"{_USER_GUIDE}reference-arns.html",
        _has_wildcard_type,
    ),
    Difference(
        "variable before the fifth colon of a compared ARN",
        "Operators of ARNs may have variables. The simulator splits the ARN at the colon of the variable's name.",
        f"{_USER_GUIDE}reference_policies_variables.html#policy-vars-conditionelement",
        _has_variable_account,
    ),
    Difference(
        "inverted operator with a variable without value",
        "A variable without value equals nothing, so an inverted operator matches. In the simulator, it does not.",
        f"{_USER_GUIDE}reference_policies_variables.html#policy-vars-no-value",
        _lacks_variable,
    ),
    Difference(
        "ForAnyValue with IfExists",
        "IfExists makes a condition true if the request lacks the key. The simulator ignores it after ForAnyValue.",
        f"{_USER_GUIDE}reference_policies_elements_condition_operators.html#Conditions_IfExists",
        _has_optional_any_value,
    ),
    Difference(
        "network 0.0.0.0/0",
        "The network contains all IPv4 addresses. The simulator computes a mask of 32 bits for it.",
        f"{_USER_GUIDE}reference_policies_elements_condition_operators.html#Conditions_IPAddress",
        _has_whole_network,
    ),
    Difference(
        "IP address without a prefix length",
        "An address stands for itself in each notation, and NotIpAddress matches all others. The simulator compares "
        "the texts, and its NotIpAddress does not match if one is an IPv4 address and the other an IPv6 address.",
        f"{_USER_GUIDE}reference_policies_elements_condition_operators.html#Conditions_IPAddress",
        _has_single_address,
    ),
    Difference(
        "date in seconds since 1970",
        "Dates may be texts or seconds since 1970. The simulator compares these seconds with milliseconds of the text.",
        f"{_USER_GUIDE}reference_policies_elements_condition_operators.html#Conditions_Date",
        _has_mixed_dates,
    ),
    Difference(
        "${*} in a comparison without wildcards",
        "${*} stands for an asterisk in each value that may have variables. The simulator replaces it only in values "
        "that may have wildcards.",
        f"{_USER_GUIDE}reference_policies_variables.html",
        _has_escaped_wildcard,
    ),
    Difference(
        "incomplete ARN",
        "AWS completes an ARN with fewer than six parts by wildcards. The simulator does so only in policies of a "
        "principal.",
        f"{_USER_GUIDE}reference_policies_elements_resource.html",
        _has_incomplete_arn,
    ),
    Difference(
        "NotResource with a variable without value",
        "The evaluator does not apply the statement. The simulator applies it if another part of the ARN differs from "
        "the resource.",
        f"{_USER_GUIDE}reference_policies_variables.html#policy-vars-no-value",
        _excepts_unknown_resource,
    ),
    Difference(
        "multivalued key without a set operator",
        "AWS requires ForAllValues or ForAnyValue, and does not define the result without. The evaluator compares the "
        "values one by one, and in the simulator nothing matches.",
        f"{_USER_GUIDE}reference_policies_condition-single-vs-multi-valued-context-keys.html",
        _lacks_set_operator,
    ),
)
