"""Rules inside plain checkov give the same results as a review, and stop plans that checkov alone accepts."""

import json
import os
import shutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sustainable_mlops.review.checkov import PROGRAM
from sustainable_mlops.rules import BY_ID, Finding, Outcome, Severity, evaluate
from tests.plan.cloudformation import FORMS, TWINS, build_changes, build_planned
from tests.rules.case_tables import CaseRow, RuleCase, add_waiver, list_rows
from tests.rules.endpoints import build_serverless

pytestmark = pytest.mark.slow

#: Settings that satisfy checkov's built-in checks, so that they have no findings for the cases.
KEY = "arn:aws:kms:eu-north-1:123456789012:key/k"
HARDENED: Mapping[str, Mapping[str, Any]] = {
    "aws_glue_job": {"security_configuration": "encrypted"},
    "aws_sagemaker_data_quality_job_definition": {
        "data_quality_job_output_config": {"kms_key_id": KEY},
        "job_resources": {"cluster_config": {"volume_kms_key_id": KEY}},
        "network_config": {"enable_inter_container_traffic_encryption": True},
    },
    "aws_sagemaker_endpoint_configuration": {"kms_key_arn": KEY},
    "aws_sagemaker_model": {"enable_network_isolation": True},
    "aws_sagemaker_notebook_instance": {
        "instance_metadata_service_configuration": {"minimum_instance_metadata_service_version": "2"},
        "kms_key_id": KEY,
        "root_access": "Disabled",
        "subnet_id": "subnet-1",
    },
}
IN_A_VPC = build_serverless(model={"vpc_config": {"subnets": ["subnet-1"], "security_group_ids": ["sg-1"]}})


def parse_results(folder: Path, *arguments: str) -> tuple[list[dict[str, Any]], str]:
    """Return checkov's results for every file, and its messages."""
    command = [str(PROGRAM), "--skip-download", "-o", "json", *arguments]
    quiet = {**os.environ, "CHECKOV_RUN_SCA_PACKAGE_SCAN": "false", "ANSI_COLORS_DISABLED": "1"}
    process = subprocess.run(command, capture_output=True, text=True, env=quiet, cwd=folder, check=False)
    output = json.loads(process.stdout)
    reports = output if isinstance(output, list) else [output]
    assert [report["results"]["parsing_errors"] for report in reports] == [[]] * len(reports)
    kinds = ("passed_checks", "failed_checks", "skipped_checks")
    return [record for report in reports for kind in kinds for record in report["results"][kind]], process.stderr


def run_checkov(folder: Path, *arguments: str) -> tuple[dict[tuple[str, str, str], str], str]:
    """Return checkov's results by file, check and address, and its messages."""
    results, messages = parse_results(folder, *arguments)
    keyed = {
        (result["file_path"], result["check_id"], result["resource"]): result["check_result"]["result"]
        for result in results
    }
    return keyed, messages


def policies(root: Path) -> tuple[str, ...]:
    return ("--external-checks-dir", str(root / "policies"), "--check", "SUS_*")


def write(folder: Path, cases: Iterable[RuleCase]) -> dict[str, RuleCase]:
    """Write each case as a plan file. Return the cases by checkov's name for the file."""
    names = {}
    for number, case in enumerate(cases):
        (folder / f"{number:04}.json").write_text(json.dumps(case.document()))
        names[f"/{number:04}.json"] = case
    return names


def translate_outcomes(findings: Iterable[Finding]) -> dict[tuple[str, str], str]:
    """Return the worst outcome of each rule for each resource; checkov does not show unknown outcomes."""
    outcomes_by_key: dict[tuple[str, str], set[Outcome]] = defaultdict(set)
    for finding in findings:
        outcomes_by_key[finding.rule, finding.address].add(finding.outcome)
    words = {Outcome.FAIL: "FAILED", Outcome.UNKNOWN: "", Outcome.WAIVED: "SKIPPED", Outcome.PASS: "PASSED"}
    worst = {
        key: next(word for outcome, word in words.items() if outcome in outcomes)
        for key, outcomes in outcomes_by_key.items()
    }
    return {key: word for key, word in worst.items() if word}


def list_visible_findings(case: RuleCase) -> dict[tuple[str, str], str]:
    """Return the findings of a review without deleted resources, which checkov skips."""
    plan = case.plan()
    findings = [
        f for f in evaluate(plan) if (resource := plan.find_resource(f.address)) is not None and resource.exists()
    ]
    return translate_outcomes(findings)


def choose_row_of_each_rule(kind: str) -> Iterable[CaseRow]:
    return {row.rule: row for row in list_rows(kind)}.values()


def test_checkov_and_review_have_the_same_results(root: Path, tmp_path: Path) -> None:
    cases = [row.case for kind in ("pass", "fail", "unknown") for row in choose_row_of_each_rule(kind)]
    cases += [add_waiver(row, "a reason until 2999-12-31") for row in choose_row_of_each_rule("fail")]
    files = write(tmp_path, cases)
    results, messages = run_checkov(tmp_path, "-d", ".", "--framework", "terraform_plan", *policies(root))
    by_file: dict[str, dict[tuple[str, str], str]] = {name: {} for name in files}
    for (file, check, address), result in results.items():
        by_file[file][check, address] = result
    for name, case in files.items():
        assert by_file[name] == list_visible_findings(case), case
    assert {"FAILED", "PASSED", "SKIPPED"} == set(results.values())
    assert "Cannot load" not in messages


def test_cloudformation_types_have_the_results_of_their_mapped_types(root: Path, tmp_path: Path) -> None:
    for way in FORMS:
        (tmp_path / f"{way}.json").write_text(json.dumps(build_planned(build_changes(*TWINS, form=way))))
    results, _ = run_checkov(tmp_path, "-d", ".", "--framework", "terraform_plan", *policies(root))
    expected = {
        way: {
            (check, address.partition(".")[2]): result
            for (file, check, address), result in results.items()
            if way in file
        }
        for way in ("/aws.", "/awscc.", "/cloudcontrol.")
    }
    assert len(expected["/aws."]) > 20
    assert expected["/awscc."] == expected["/cloudcontrol."] == expected["/aws."]


def harden(row: CaseRow) -> RuleCase:
    """Return the case with the settings that checkov's built-in checks require."""
    resources = {}
    for address, values in row.case.resources.items():
        settings = HARDENED.get(address.split(".")[0], {})
        unchanged = {
            key: {**values[key], **more} if isinstance(more, dict) and key in values else more
            for key, more in settings.items()
        }
        resources[address] = {**values, **unchanged}
    return replace(row.case, resources=resources)


def find_stops(rule: str, case: RuleCase) -> bool:
    return any(finding.outcome is Outcome.FAIL for finding in evaluate(case.plan(), [BY_ID[rule]]))


def test_every_fail_rule_stops_a_plan_that_checkov_alone_accepts(tmp_path: Path) -> None:
    fail_rows = [row for row in list_rows("fail") if BY_ID[row.rule].severity is Severity.FAIL]
    stopped = [(row.rule, harden(row)) for row in fail_rows if find_stops(row.rule, harden(row))]
    files = write(tmp_path, [case for _, case in stopped])
    results, _ = run_checkov(tmp_path, "-d", ".", "--framework", "terraform_plan")
    refused = {file for (file, _, _), result in results.items() if result == "FAILED"}
    let_pass = {rule for (rule, _), file in zip(stopped, files, strict=True) if file not in refused}
    assert let_pass == {rule.id for rule in BY_ID.values() if rule.severity is Severity.FAIL}


def test_no_module_fails_and_skipped_checks_have_reasons(root: Path) -> None:
    # The examples are left out, because they call the same modules again.
    every = ("--framework", "terraform", "-d", ".", "--skip-path", "/examples/")
    results, messages = parse_results(root / "modules", *every, "--external-checks-dir", str(root / "policies"))
    assert "Cannot load" not in messages
    assert [
        (result["check_id"], result["resource"]) for result in results if result["check_result"]["result"] == "FAILED"
    ] == []
    passed = {result["file_path"].split("/")[1] for result in results if result["check_result"]["result"] == "PASSED"}
    hcl = list((root / "modules").glob("*/*.tf"))
    assert {file.parent.name for file in hcl} - passed == set(), "checkov did not read these modules"
    skipped = [result for result in results if result["check_result"]["result"] == "SKIPPED"]
    skips = sum(file.read_text().count("# checkov:skip=") for file in hcl)
    reasons = {(result["file_path"], result["check_id"], result["resource"].partition("[")[0]) for result in skipped}
    assert len(reasons) == skips, "one of the skips has no effect"
    assert all(len(result["check_result"]["suppress_comment"].split()) > 3 for result in skipped)


def test_terraform_files_and_plans_with_one_name_are_distinguished(root: Path, tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "plan.json").write_text(json.dumps(RuleCase(build_serverless()).document()))
    (tmp_path / "inner" / "plan.json").write_text(json.dumps(RuleCase(IN_A_VPC).document()))
    torn = RuleCase(IN_A_VPC).document()
    del torn["resource_changes"][1]
    (tmp_path / "torn.json").write_text(json.dumps(torn))
    (tmp_path / "main.tf").write_text(
        'resource "aws_sagemaker_device_fleet" "f" {\n  device_fleet_name = "f"\n  role_arn = "r"\n}\n'
    )
    results, messages = run_checkov(tmp_path, "-d", ".", "--framework", "terraform_plan", "terraform", *policies(root))
    vpc = {file: result for (file, check, _), result in results.items() if check == "SUS_SERVERLESS_VPC"}
    assert vpc == {"/plan.json": "PASSED", "/inner/plan.json": "FAILED"}
    assert {file for file, _, _ in results} == {"/plan.json", "/inner/plan.json"}
    assert "torn.json" in messages
    assert "Traceback" not in messages


def test_published_checks_are_the_same_and_run_nothing_else(root: Path, tmp_path: Path) -> None:
    repository = tmp_path / "repository"
    for folder in ("policies", "sustainable_mlops"):
        shutil.copytree(root / folder, repository / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(root / "LICENSE", repository)
    git = ["git", "-C", str(repository), "-c", "user.name=t", "-c", "user.email=t@example.org"]
    for arguments in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "all"]):
        subprocess.run([*git, *arguments], check=True)
    publish = [sys.executable, str(root / "tools" / "publish_checks.py"), "--repository", str(repository)]
    names = {f"GIT_{who}_{part}": "t@example.org" for who in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")}
    subprocess.run(publish, check=True, env=os.environ | names)
    work = tmp_path / "work"
    work.mkdir()
    (work / "plan.json").write_text(json.dumps(RuleCase(IN_A_VPC).document()))
    source = ("--external-checks-git", f"{repository.as_uri()}?ref=heads/checks", "--check", "SUS_*")
    results, messages = run_checkov(work, "-f", "plan.json", "--framework", "terraform_plan", *source)
    assert {(check, address): result for (_, check, address), result in results.items()} == list_visible_findings(
        RuleCase(IN_A_VPC)
    )
    assert "Cannot load" not in messages
