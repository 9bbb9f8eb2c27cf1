"""The scope of a review: a change outside it stops the plan."""

from typing import Any

from sustainable_mlops.plan import Plan
from sustainable_mlops.review import Review, ReviewVerdict, review, review_all
from sustainable_mlops.review.review import ReviewGate
from sustainable_mlops.review.risk import Level
from tests.cases import check_cases
from tests.plan.plan_builder import build_change, build_plan

TAGS = {"workload": "a", "environment": "dev", "owner": "b"}
TOPIC = {"name": "t", "tags_all": TAGS}
OTHER = {"name": "u", "tags_all": TAGS}
#: Resources that a promotion changes, and resources that it does not change.
PROMOTED = build_change("module.delay_endpoint.aws_sns_topic.t", OTHER, before=TOPIC)
STAYS = build_change("aws_sns_topic.stays", TOPIC, before=TOPIC)
ONLY = ("module.*_endpoint*",)


def find_scope_gate(result: Review) -> ReviewGate:
    (gate,) = (gate for gate in result.gates if gate.name == "scope")
    return gate


def promotion(*others: Any, **more: Any) -> Plan:
    return build_plan(PROMOTED, STAYS, *others, **more)


@check_cases("only", [ONLY, ("module.delay_endpoint.aws_sns_topic.t",), ("aws_iam_*", "module.*")])
def test_a_plan_within_its_scope_is_not_stopped(only: tuple[str, ...]) -> None:
    result = review(promotion(), only=only)
    assert find_scope_gate(result).level is None
    assert result.verdict is ReviewVerdict.FINE


@check_cases(
    "other",
    [
        build_change("aws_sns_topic.u", TOPIC),
        build_change("aws_sns_topic.u", OTHER, before=TOPIC),
        build_change("aws_sns_topic.u", OTHER, before=TOPIC, actions=["delete", "create"]),
        build_change("aws_sns_topic.u", before=TOPIC),
        build_change("aws_sns_topic.u", before=TOPIC, actions=["forget"]),
        build_change("aws_sns_topic.u", TOPIC, before=TOPIC, previous_address="aws_sns_topic.old"),
        build_change("aws_sns_topic.u", before=TOPIC, deposed="1a2b3c4d"),
        {
            **(unchanged := build_change("aws_sns_topic.u", TOPIC, before=TOPIC)),
            "change": {**unchanged["change"], "importing": {"id": "u"}},
        },
    ],
    ids=("create", "update", "replace", "delete", "forget", "move", "deposed", "import"),
)
def test_a_change_outside_the_scope_stops_the_plan(other: dict[str, Any]) -> None:
    result = review(promotion(other), only=ONLY, fail_on=frozenset())
    assert result.verdict is ReviewVerdict.STOP
    assert find_scope_gate(result).level is Level.STOP
    assert "aws_sns_topic.u" in find_scope_gate(result).text


def test_a_move_into_the_scope_stops_the_plan() -> None:
    moved = build_change("module.b_endpoint.aws_sns_topic.t", TOPIC, before=TOPIC, previous_address="aws_sns_topic.old")
    assert (
        find_scope_gate(review(promotion(moved), only=ONLY)).text
        == "changes more than module.*_endpoint*: aws_sns_topic.old"
    )


def test_a_data_source_that_is_read_on_apply_is_no_change() -> None:
    loaded = build_change("data.aws_region.r", {"name": "r"}, unknown={"id": True}, actions=["read"])
    assert find_scope_gate(review(promotion(loaded), only=ONLY)).level is None


def test_the_first_few_are_named_and_the_rest_is_counted() -> None:
    result = review(promotion(*(build_change(f"aws_sns_topic.t{n}", TOPIC) for n in range(12))), only=ONLY)
    assert find_scope_gate(result).text.endswith(
        ": " + ", ".join(f"aws_sns_topic.t{n}" for n in range(5)) + " and 7 more"
    )


def test_a_review_without_a_scope_has_no_scope_gate() -> None:
    assert "scope" not in {gate.name for gate in review(promotion()).gates}


def test_a_pattern_with_the_name_of_a_plan_is_for_this_plan_alone() -> None:
    plans = [promotion(), promotion()]
    plans[0].name, plans[1].name = "dev", "prod"
    dev, prod = (find_scope_gate(one) for one in review_all(plans, only=["prod:module.*_endpoint*"]))
    assert (dev.level, dev.text) == (Level.STOP, "changes more than nothing: module.delay_endpoint.aws_sns_topic.t")
    assert (prod.level, prod.text) == (None, "changes only module.*_endpoint*")
    assert find_scope_gate(review(promotion(), only=['module.x["a:b"]'])).text.startswith(
        'changes more than module.x["a:b"]: '
    )
