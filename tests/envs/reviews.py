"""Reviews of the plans of the environments: only the findings that a test lists with a reason need a look."""

from collections.abc import Collection, Sequence
from typing import Any

from sustainable_mlops.review import Review
from sustainable_mlops.review.acceptances import Acceptance
from sustainable_mlops.review.risk import Level
from tests.review_checks import check_review

#: Reasons why figures of an environment are incomplete. No plan contains these values.
UNKNOWN_FIGURES = {
    "a plan does not contain its size; set offline_gb in the usage file",
    "a plan does not contain its size; set storage_gb in the usage file",
    "AWS does not publish the capacity that it keeps ready between serverless requests",
    "AWS publishes no water figure for this Region",
    "the price of SageMaker volumes is unknown",
}
#: Start of the reason for services with a known price and an unknown footprint, such as keys and alarms.
ONLY_PRICE = "its fixed price is counted; its carbon is not known"


def check_own_review(plan: dict[str, Any], rules: Collection[str] = (), accepted: Sequence[Acceptance] = ()) -> Review:
    """Return the review of an environment's plan, and check that only `rules` have findings that need a look.

    Without any, the plan must be fine, unless risks are left. Nothing is outside the review, and figures lack nothing
    but `UNKNOWN_FIGURES`.
    """
    review = check_review(plan, accepted)
    rules_with_findings = {
        assessment.finding.rule for assessment in review.findings if assessment.level is not Level.NOTE
    }
    assert rules_with_findings == set(rules)
    assert [gap for gap in review.coverage_gaps if gap.level is not Level.NOTE] == []
    reasons = {unknown.reason for _, unknown in review.footprint.unknowns}
    assert {reason for reason in reasons if not reason.startswith(ONLY_PRICE)} <= UNKNOWN_FIGURES
    if not rules and all(assessment.level is Level.NOTE for assessment in review.risks):
        assert review.verdict == "fine", review.gates
    return review
