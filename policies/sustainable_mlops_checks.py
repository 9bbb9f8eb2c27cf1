"""Every rule of sustainable_mlops as a check of checkov, over Terraform plans.

    checkov -f plan.json --external-checks-dir policies

The answers are those of a review of the same plan: failed, passed and waived (skipped, with the reason). checkov shows
nothing where a rule does not apply or the plan cannot tell, and nothing for Terraform files, which say too little.
"""

import logging
import sys
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from checkov.common.bridgecrew.severities import BcSeverities, Severities
from checkov.common.models.enums import CheckCategories, CheckResult
from checkov.terraform.checks.resource.base_resource_check import BaseResourceCheck

_HERE = Path(__file__).resolve().parent
_ARCHIVE = _HERE / "sustainable_mlops.zip"
# The package stands beside this folder or, where scripts/publish_checks.py published it, in it; nothing needs to be
# installed.
_ROOT = str(_ARCHIVE if _ARCHIVE.is_file() else _HERE.parent)
sys.path.insert(0, _ROOT)
try:
    from sustainable_mlops import plan, rules
    from sustainable_mlops.errors import UserError
    from sustainable_mlops.plan.cloudformation import written
    from sustainable_mlops.rules import Finding, Outcome, Rule, Severity
finally:
    sys.path.remove(_ROOT)

_SEVERITY = {Severity.FAIL: BcSeverities.HIGH, Severity.WARN: BcSeverities.MEDIUM, Severity.INFO: BcSeverities.LOW}
#: The worst answer about a resource is checkov's answer.
_RESULT = {
    Outcome.FAIL: CheckResult.FAILED,
    Outcome.UNKNOWN: CheckResult.UNKNOWN,
    Outcome.WAIVED: CheckResult.SKIPPED,
    Outcome.PASS: CheckResult.PASSED,
}


class PlanCheck(BaseResourceCheck):
    """One rule."""

    def __init__(self, rule: Rule) -> None:
        """Register the rule with checkov."""
        super().__init__(
            name=rule.title,
            id=rule.id,
            categories=[CheckCategories.CONVENTION],
            supported_resources=list(dict.fromkeys(name for kind in rule.types for name in (kind, *written(kind)))),
            guideline=f"{rule.guideline}: {rule.fix}",
        )
        self.severity = Severities[_SEVERITY[rule.severity]]

    def run(
        self,
        scanned_file: str,
        entity_configuration: dict[str, Any],
        entity_name: str,
        entity_type: str,
        skip_info: Any,
    ) -> dict[str, Any]:
        """checkov's entry: only here it says which file it is in."""
        if skip_info:
            return super().run(scanned_file, entity_configuration, entity_name, entity_type, skip_info)
        in_a_plan = "__change_actions__" in entity_configuration
        file = _plan_file(self.graph, scanned_file) if in_a_plan else None
        address = str(entity_configuration.get("__address__"))
        found = _findings(file).get((self.id, address), []) if file else []
        for outcome, result in _RESULT.items():
            worst = [finding for finding in found if finding.outcome is outcome]
            if worst:
                self.details = [finding.message for finding in worst if finding.message]
                self.evaluated_keys = [finding.location for finding in worst if finding.location]
                message = "; ".join(self.details)
                return {"result": result, "evaluated_keys": self.evaluated_keys, "suppress_comment": message}
        return {"result": CheckResult.UNKNOWN, "evaluated_keys": []}

    def scan_resource_conf(self, _conf: dict[str, Any]) -> CheckResult:
        """Nothing can be said without the plan."""
        return CheckResult.UNKNOWN


def _plan_file(graph: Any, scanned_file: str) -> str | None:
    """The file that checkov calls `scanned_file`, as below the folder that it was pointed at.

    The graph that checkov hands to its checks has the whole paths. All are below that folder, so among those that end
    alike the shortest is meant.
    """
    tail = scanned_file
    while tail.startswith("/../"):
        tail = tail[3:]
    return min((file for file in _files(graph) if file.endswith(tail)), key=len, default=None)


@lru_cache(maxsize=1)
def _files(graph: Any) -> frozenset[str]:
    """Every file that checkov's graph has something of; empty where there is no graph."""
    nodes = getattr(graph, "nodes", {})  # networkx: a mapping; rustworkx: a method that lists pairs
    found = nodes.values() if isinstance(nodes, Mapping) else (attributes for _, attributes in nodes())
    return frozenset(str(attributes.get("file_path_")) for attributes in found)


@lru_cache(maxsize=8)
def _findings(file: str) -> dict[tuple[str, str], list[Finding]]:
    """What the rules find in a plan, by rule and address."""
    found: dict[tuple[str, str], list[Finding]] = {}
    try:
        read = plan.load(file)
    except UserError as error:
        logging.getLogger(__name__).warning("no check of SUS_*: %s", error)
        return found
    for finding in rules.evaluate(read):
        found.setdefault((finding.rule, finding.address), []).append(finding)
    return found


for _rule in rules.ALL:
    PlanCheck(_rule)
