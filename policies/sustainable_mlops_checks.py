"""External checks for checkov: every rule of sustainable_mlops, for Terraform plans.

    checkov -f plan.json --external-checks-dir policies

The results equal those of a review of the same plan: failed, passed and waived (skipped, with the reason). checkov
shows nothing for rules that do not apply or are unknown, and nothing for Terraform files, which contain too little.
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
# The package is beside this folder, or inside it after `python -m tools.publish_checks`. It needs no installation.
_ROOT = str(_ARCHIVE if _ARCHIVE.is_file() else _HERE.parent)
sys.path.insert(0, _ROOT)
try:
    from sustainable_mlops import plan, rules
    from sustainable_mlops.base.errors import UserError
    from sustainable_mlops.plan.cloudformation import list_source_types
    from sustainable_mlops.rules import Finding, Outcome, Rule, Severity
finally:
    sys.path.remove(_ROOT)

_SEVERITY = {Severity.FAIL: BcSeverities.HIGH, Severity.WARN: BcSeverities.MEDIUM, Severity.INFO: BcSeverities.LOW}
#: checkov's result for each outcome, the worst outcome first.
_RESULT = {
    Outcome.FAIL: CheckResult.FAILED,
    Outcome.UNKNOWN: CheckResult.UNKNOWN,
    Outcome.WAIVED: CheckResult.SKIPPED,
    Outcome.PASS: CheckResult.PASSED,
}


class PlanCheck(BaseResourceCheck):
    """A check of checkov for one rule."""

    def __init__(self, rule: Rule) -> None:
        """Register the rule with checkov."""
        super().__init__(
            name=rule.title,
            id=rule.id,
            categories=[CheckCategories.CONVENTION],
            supported_resources=list(
                dict.fromkeys(name for kind in rule.types for name in (kind, *list_source_types(kind)))
            ),
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
        """Return checkov's result for one resource. checkov passes the file name only to this method."""
        if skip_info:
            return super().run(scanned_file, entity_configuration, entity_name, entity_type, skip_info)
        in_a_plan = "__change_actions__" in entity_configuration
        file = _find_plan_file(self.graph, scanned_file) if in_a_plan else None
        address = str(entity_configuration.get("__address__"))
        findings = _list_findings(file).get((self.id, address), []) if file else []
        for outcome, result in _RESULT.items():
            worst = [finding for finding in findings if finding.outcome is outcome]
            if worst:
                self.details = [finding.message for finding in worst if finding.message]
                self.evaluated_keys = [finding.path for finding in worst if finding.path]
                message = "; ".join(self.details)
                return {"result": result, "evaluated_keys": self.evaluated_keys, "suppress_comment": message}
        return {"result": CheckResult.UNKNOWN, "evaluated_keys": []}

    def scan_resource_conf(self, _conf: dict[str, Any]) -> CheckResult:
        """Return unknown: this method has no access to the plan."""
        return CheckResult.UNKNOWN


def _find_plan_file(graph: Any, scanned_file: str) -> str | None:
    """Return the path of the file that checkov calls `scanned_file`, relative to its start folder.

    checkov's graph has the full paths, all below that folder. So the shortest path with this end is the right one.
    """
    tail = scanned_file
    while tail.startswith("/../"):
        tail = tail[3:]
    return min((file for file in _list_files(graph) if file.endswith(tail)), key=len, default=None)


@lru_cache(maxsize=1)
def _list_files(graph: Any) -> frozenset[str]:
    """Return every file in checkov's graph; the result is empty without a graph."""
    nodes = getattr(graph, "nodes", {})  # networkx: a mapping; rustworkx: a method that lists pairs
    attributes_list = nodes.values() if isinstance(nodes, Mapping) else (attributes for _, attributes in nodes())
    return frozenset(str(attributes.get("file_path_")) for attributes in attributes_list)


@lru_cache(maxsize=8)
def _list_findings(file: str) -> dict[tuple[str, str], list[Finding]]:
    """Return the findings of the rules for a plan, by rule and address."""
    findings: dict[tuple[str, str], list[Finding]] = {}
    try:
        loaded_plan = plan.load(file)
    except UserError as error:
        logging.getLogger(__name__).warning("no check of SUS_*: %s", error)
        return findings
    for finding in rules.evaluate(loaded_plan):
        findings.setdefault((finding.rule, finding.address), []).append(finding)
    return findings


for _rule in rules.ALL:
    PlanCheck(_rule)
