"""Each rule with its table of cases, including waivers."""

import re
from datetime import date

from sustainable_mlops.rules import ALL, BY_ID, Finding, Outcome, Severity, evaluate
from tests.cases import check_cases
from tests.rules.case_tables import OUTCOMES, CaseRow, RuleCase, add_waiver, list_rows, load_tables

TODAY = date(2026, 11, 24)


def evaluate_case(row: CaseRow, case: RuleCase | None = None) -> list[Finding]:
    return evaluate((case or row.case).plan(), [BY_ID[row.rule]], TODAY)


def name_row(row: CaseRow) -> str:
    return f"{row.rule}-{row.title}"


@check_cases("row", list_rows("pass"), ids=name_row, group=lambda row: row.concern)
def test_a_rule_passes(row: CaseRow) -> None:
    outcomes = {finding.outcome for finding in evaluate_case(row)}
    assert outcomes == {Outcome.PASS}, evaluate_case(row)


@check_cases("row", list_rows("fail"), ids=name_row, group=lambda row: row.concern)
def test_a_rule_fails_with_a_message(row: CaseRow) -> None:
    findings = evaluate_case(row)
    failures = [finding for finding in findings if finding.outcome is Outcome.FAIL]
    assert failures, findings
    assert Outcome.UNKNOWN not in {finding.outcome for finding in findings}, findings
    assert all(finding.message and "\n" not in finding.message for finding in failures)


@check_cases("row", list_rows("unknown"), ids=name_row, group=lambda row: row.concern)
def test_a_rule_is_unknown_and_does_not_pass(row: CaseRow) -> None:
    outcomes = [finding.outcome for finding in evaluate_case(row)]
    assert Outcome.UNKNOWN in outcomes, evaluate_case(row)
    assert Outcome.FAIL not in outcomes, evaluate_case(row)


@check_cases("row", list_rows("not_applicable"), ids=name_row, group=lambda row: row.concern)
def test_a_rule_does_not_apply(row: CaseRow) -> None:
    assert evaluate_case(row) == []


@check_cases("row", list_rows("fail"), ids=name_row, group=lambda row: row.concern)
def test_a_waiver_with_reason_and_date_accepts_the_failure_until_it_ends(row: CaseRow) -> None:
    waived = evaluate_case(row, add_waiver(row, "load test 42 in progress until 2026-11-24"))
    assert {f.outcome for f in waived} & {Outcome.FAIL, Outcome.WAIVED} == {Outcome.WAIVED}
    assert all("load test 42" in f.message for f in waived if f.outcome is Outcome.WAIVED)
    for bad, reason in [("load test until 2026-11-23", "ended on 2026-11-23"), ("because", "does not have the form")]:
        assert any(f.outcome is Outcome.FAIL and reason in f.message for f in evaluate_case(row, add_waiver(row, bad)))


@check_cases("rule", [rule.id for rule in ALL])
def test_every_rule_has_a_case_for_every_outcome_or_a_reason(rule: str) -> None:
    table = load_tables().get(rule, {})
    assert [outcome for outcome in OUTCOMES if not table.get(outcome)] == []
    assert table.keys() == set(OUTCOMES)
    assert not isinstance(table["fail"], str), "a rule must be able to fail"


def test_every_table_belongs_to_a_rule() -> None:
    assert load_tables().keys() <= BY_ID.keys()


def test_rules_have_complete_descriptions() -> None:
    assert len(BY_ID) == len(ALL), "an ID is used twice"
    for rule in ALL:
        assert re.fullmatch(r"SUS(_[A-Z0-9]+)+", rule.id)
        assert rule.practices, rule.id
        assert rule.fix.endswith("."), rule.id
        assert not rule.title.endswith("."), rule.id
        verbs = (" must ", " may ") if rule.severity is Severity.FAIL else (" should ",)
        assert any(verb in rule.title for verb in verbs), f"{rule.id}: the title must state a requirement"
        words = {"must", "should", "shall"} & set(rule.problem.lower().split())
        assert not words, f"{rule.id}: the problem must state what is wrong, not the requirement"
        assert rule.problem[0].isupper(), rule.id
        assert not rule.problem.endswith("."), rule.id
    assert len({rule.problem for rule in ALL}) == len(ALL), "two rules have the same problem"
