"""Budgets and cost allocation tags.

Budgets notify before the money is spent, and tags show whose cost it is. The rules check the budgets of plans with
SageMaker resources. They do not require a budget, because budgets are mostly managed elsewhere.
"""

from sustainable_mlops.base.lazy_pattern import LazyPattern
from sustainable_mlops.plan import UNKNOWN, Block, Plan, Resource
from sustainable_mlops.rules.attributes import ConfiguredAttributes, check_value
from sustainable_mlops.rules.ml_evidence import SAGEMAKER
from sustainable_mlops.rules.rule import RuleResults, Severity, rule

BUDGET = "aws_budgets_budget"
_BY_TAG = "TagKeyValue"
#: Value of a filter by tag. Source: hashicorp/terraform-provider-aws, issue 39850.
_TAG_VALUE = LazyPattern(r"(user|aws):[^$]+\$.*")


def _has_sagemaker(plan: Plan) -> bool:
    return any(resource.type.startswith(SAGEMAKER) for resource in plan.resources)


@rule(
    id="SUS_BUDGET_NOTIFIES",
    severity=Severity.WARN,
    title="A budget should have a subscriber",
    problem="A budget notifies nobody",
    practices=("77",),
    fix="Add a notification with an email address or an SNS topic, preferably on the FORECASTED amount.",
    types=(BUDGET,),
)
def budget_notifies(plan: Plan, budget: Resource) -> RuleResults:
    """Check for a notification. A notification always has a subscriber, so one is enough."""
    if _has_sagemaker(plan):
        notifications = budget.blocks("notification")
        count = UNKNOWN if notifications is UNKNOWN else len(notifications)
        yield check_value(count, "notification", lambda number: number > 0, "the budget notifies nobody")


@rule(
    id="SUS_BUDGET_BY_WORKLOAD",
    severity=Severity.INFO,
    title="A budget should cover one workload",
    problem="A budget does not cover one workload",
    practices=("77",),
    fix='Add cost_filter { name = "TagKeyValue", values = ["user:workload$<name>"] } and activate the tag.',
    types=(BUDGET,),
)
def budget_is_of_a_workload(plan: Plan, budget: Resource) -> RuleResults:
    """Check for a filter by tag. This is advice: an account with one workload needs no filter."""
    if not _has_sagemaker(plan):
        return
    filters = ConfiguredAttributes(plan, budget).blocks("cost_filter")
    names = UNKNOWN if filters is UNKNOWN else [_read_name(block) for block in filters]
    by_tag = UNKNOWN if names is UNKNOWN else _BY_TAG in [name for name in names if name is not UNKNOWN]
    if by_tag is False and names is not UNKNOWN and UNKNOWN in names:
        by_tag = UNKNOWN
    yield check_value(
        by_tag, "cost_filter", lambda tagged: tagged, "the budget covers the whole account, not one workload"
    )


@rule(
    id="SUS_BUDGET_TAG_FORM",
    severity=Severity.WARN,
    title="A budget's filter by tag should have the form that AWS counts",
    problem="A budget counts no costs, because its filter by tag has the wrong form",
    practices=("77",),
    fix="Write each value as user:KEY$VALUE, such as user:workload$delay.",
    types=(BUDGET,),
)
def budget_filter_has_the_form_of_tags(plan: Plan, budget: Resource) -> RuleResults:
    """Check the values of filters by tag. AWS accepts other forms too, but then the budget counts no costs."""
    filters = ConfiguredAttributes(plan, budget).blocks("cost_filter")
    if filters is UNKNOWN:
        return
    for block in filters:
        if block.text("name") != _BY_TAG:
            continue
        values = block.texts("values")
        for value in [values] if values is UNKNOWN else values:
            yield check_value(
                value,
                "cost_filter",
                lambda text: _TAG_VALUE.fullmatch(text) is not None,
                f"the filter {value} does not have the form user:KEY$VALUE, so the budget counts nothing",
            )


@rule(
    id="SUS_COST_ALLOCATION_TAG",
    severity=Severity.WARN,
    title="A cost allocation tag should be active",
    problem="A cost allocation tag is not active",
    practices=("69", "77"),
    fix='Set status = "Active". Costs carry the tag only from then on.',
    types=("aws_ce_cost_allocation_tag",),
)
def allocation_tag_is_active(plan: Plan, tag: Resource) -> RuleResults:
    """Check that an existing cost allocation tag is active. The rule does not require one."""
    if _has_sagemaker(plan):
        yield check_value(
            tag.text("status"),
            "status",
            lambda status: status == "Active",
            "the tag is inactive, so costs do not carry it",
        )


def _read_name(block: Block) -> object:
    return block.text("name")
