"""Budgets: somebody hears of it before the money, and the energy, is gone. And tags that say whose it was.

That there is one for every workload is not asked of every plan: budgets are mostly made elsewhere. Only those of a plan
that holds SageMaker resources are looked at.
"""

from sustainable_mlops.plan import UNKNOWN, Block, Plan, Resource
from sustainable_mlops.rules.reading import Settings, judge
from sustainable_mlops.rules.relation import SAGEMAKER
from sustainable_mlops.rules.rule import Severity, Verdicts, rule

BUDGET = "aws_budgets_budget"


def _is_ours(plan: Plan) -> bool:
    return any(resource.type.startswith(SAGEMAKER) for resource in plan.resources)


@rule(
    id="SUS_BUDGET_NOTIFIES",
    severity=Severity.WARN,
    title="A budget notifies somebody",
    practices=("77",),
    fix="Add a notification with an e-mail address or an SNS topic, at best on the FORECASTED amount.",
    types=(BUDGET,),
)
def budget_notifies(plan: Plan, budget: Resource) -> Verdicts:
    """A notification without a subscriber cannot be made, so one is enough."""
    if _is_ours(plan):
        found = budget.blocks("notification")
        count = UNKNOWN if found is UNKNOWN else len(found)
        yield judge(count, "notification", lambda number: number > 0, "nobody hears of it when the budget is used up")


@rule(
    id="SUS_BUDGET_BY_WORKLOAD",
    severity=Severity.INFO,
    title="A budget is of one workload",
    practices=("77",),
    fix='Add cost_filter { name = "TagKeyValue", values = ["user:workload$<name>"] } and activate the tag.',
    types=(BUDGET,),
)
def budget_is_of_a_workload(plan: Plan, budget: Resource) -> Verdicts:
    """Advice: an account of one workload needs no filter by tag."""
    if not _is_ours(plan):
        return
    filters = Settings(plan, budget).blocks("cost_filter")
    names = UNKNOWN if filters is UNKNOWN else [_name(block) for block in filters]
    by_tag = UNKNOWN if names is UNKNOWN else "TagKeyValue" in [name for name in names if name is not UNKNOWN]
    if by_tag is False and names is not UNKNOWN and UNKNOWN in names:
        by_tag = UNKNOWN
    yield judge(by_tag, "cost_filter", lambda tagged: tagged, "whose cost it is shows only for the account")


@rule(
    id="SUS_COST_ALLOCATION_TAG",
    severity=Severity.WARN,
    title="A tag that costs are told apart by is active",
    practices=("69", "77"),
    fix='Set status = "Active": only from then on do costs carry the tag.',
    types=("aws_ce_cost_allocation_tag",),
)
def allocation_tag_is_active(plan: Plan, tag: Resource) -> Verdicts:
    """One that is there, but off; that an account has one is not asked of every plan."""
    if _is_ours(plan):
        yield judge(
            tag.text("status"), "status", lambda status: status == "Active", "costs do not carry the tag: it is off"
        )


def _name(block: Block) -> object:
    return block.text("name")
