"""The pipeline: prepare → train → evaluate → good enough? → within its carbon budget? → register, pending approval.

    python workloads/flight_delay/pipeline.py

writes, from the job files beside it, pipeline.json (the definition: the same bytes on every machine, and made with no
call) and factors.json (what an hour of each machine emits and costs, by Region).
"""

from pathlib import Path

from sustainable_mlops.jobs.pipelines import factors
from sustainable_mlops.jobs.pipelines.flow import Flow
from sustainable_mlops.jobs.pipelines.sdk import (
    ConditionEquals,
    ConditionLessThanOrEqualTo,
    ConditionOr,
    ConditionStep,
    FailStep,
)
from sustainable_mlops.jobs.pipelines.steps import Registration, Value, text

HERE = Path(__file__).resolve().parent
PARTS = ("train", "validation", "test")
#: What may be started with other values, by hyperparameter.
CHOICES = {"num_round": "NumRound", "max_depth": "MaxDepth"}


def definition() -> str:
    """The definition, as JSON."""
    flow = Flow(HERE / "pipeline.yaml")
    minimum, budget = flow.number("MinimumAuc", 0.65), flow.number("CarbonBudgetKg", 0.05)
    approved = flow.number(flow.gate.parameter, 0.0)
    prepare = flow.processing("prepare", {"raw": flow.raw, "shard": text(flow.raw, "flights")})
    parts = {part: prepare.output(part) for part in PARTS}
    # Whichever pipeline.yaml names: a training, or a search for a better one.
    searches = "tune" in flow.spec.steps
    made = flow.tuning("tune", parts) if searches else flow.training("train", parts, CHOICES)
    evaluate = flow.processing(
        "evaluate",
        {"model": made.model, "test": prepare.output("test"), "prepared": prepare.output("report")},
        [
            *("--trained", *made.machines, "--job", made.job),
            # The card tells them; and a model that is judged anew is registered anew.
            *("--minimum_auc", minimum, "--carbon_budget_kg", budget),
        ],
    )
    auc = evaluate.value("evaluation", "evaluation.json", "binary_classification_metrics.auc.value")
    carbon = evaluate.value("evaluation", "evaluation.json", "footprint.co2e_kg.value")
    cost = evaluate.value("evaluation", "evaluation.json", "footprint.cost_usd.value")
    card = evaluate.value("evaluation", "model_card.json", "content")

    def registration(name: str, why: Value) -> Registration:
        quality = {"ContentType": "application/json", "S3Uri": text(evaluate.output("evaluation"), "/evaluation.json")}
        known = {
            "workload": flow.spec.name,
            "training_job": made.job,
            flow.gate.metric: auc,
            "co2e_kg": carbon,
            "cost_usd": cost,
        }
        return flow.registration(
            name,
            made,
            why,
            known,
            ModelMetrics={"ModelQuality": {"Statistics": quality}},
            ModelCard={"ModelCardContent": card, "ModelCardStatus": "PendingReview"},
        )

    taken = ("AUC ", auc, " on held-out flights; making it emitted ", carbon, " kgCO2e")
    frugal = registration("Register", text(*taken, ", within its budget of ", budget, " kg"))
    costly = registration(
        "RegisterAboveBudget", text(*taken, ", above its budget of ", budget, " kg: look before approving")
    )
    within_budget = ConditionStep(
        "WithinCarbonBudget",
        conditions=[ConditionLessThanOrEqualTo(carbon, budget)],
        if_steps=[frugal],
        else_steps=[costly],
    )
    # An execution that found all of it done has nothing to register, unless it is told to.
    new = ConditionStep(
        "NewModel",
        conditions=[
            ConditionOr(
                [
                    ConditionEquals(evaluate.output("evaluation"), evaluate.planned("evaluation")),
                    ConditionEquals(flow.string("Register", "new", one_of=["new", "always"]), "always"),
                ]
            )
        ],
        if_steps=[within_budget],
    )
    worse = FailStep(
        "NotGoodEnough",
        error_message=text("AUC ", auc, " is below the minimum of ", minimum, " or the approved model's ", approved),
    )
    good_enough = ConditionStep(
        "GoodEnough",
        conditions=[flow.no_worse(auc, minimum), flow.no_worse(auc, approved)],
        if_steps=[new],
        else_steps=[worse],
    )
    return flow.definition(prepare, made, evaluate, good_enough)


def main() -> None:
    """Write both files; factors.json first, as it is sent with the code that the definition names."""
    flow = Flow(HERE / "pipeline.yaml")
    factors.write(HERE / "factors.json", flow.spec.instance_types, volume_gb=10)
    (HERE / flow.spec.definition).write_text(definition(), encoding="utf-8")


if __name__ == "__main__":
    main()
