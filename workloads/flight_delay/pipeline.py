"""The pipeline: prepare → train → evaluate → good enough? → within its carbon budget? → register, pending approval.

    python workloads/flight_delay/pipeline.py

writes two files from the job files beside it: pipeline.json (the definition, the same bytes on every computer, written
without any call) and factors.json (kWh, kgCO2e and USD of an instance hour, by Region).
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
from sustainable_mlops.jobs.pipelines.steps import RegistrationStep, Value, join_values
from sustainable_mlops.jobs.register import DATA_DIGEST

HERE = Path(__file__).resolve().parent
PARTS = ("train", "validation", "test")
#: Hyperparameters that an execution may change, with their parameter.
CHOICES = {"num_round": "NumRound", "max_depth": "MaxDepth"}


def build_definition() -> str:
    """Return the definition as JSON."""
    flow = Flow(HERE / "pipeline.yaml")
    minimum, budget = flow.add_number("MinimumAuc", 0.65), flow.add_number("CarbonBudgetKg", 0.05)
    approved = flow.add_number(flow.gate.parameter, 0.0)
    prepare = flow.add_processing(
        "prepare",
        {"raw": flow.raw, "shard": join_values(flow.raw, "flights")},
        # An alarm on drift trains again, also if the data is at the same address.
        ["--start_reason", flow.start_reason],
    )
    parts = {part: prepare.get_output(part) for part in PARTS}
    # pipeline.yaml names a training, or a search for a better one.
    has_search = "tune" in flow.spec.steps
    model_step = flow.add_tuning("tune", parts) if has_search else flow.add_training("train", parts, CHOICES)
    evaluate = flow.add_processing(
        "evaluate",
        {
            "model": model_step.model,
            "test": parts["test"],
            "train": parts["train"],
            "prepared": prepare.get_output("report"),
        },
        [
            *("--trained", *model_step.instances, "--job", model_step.job),
            # The card shows these limits. A changed limit evaluates the model again and registers it again.
            *("--minimum_auc", minimum, "--carbon_budget_kg", budget),
        ],
    )
    auc = evaluate.get_value("evaluation", "evaluation.json", "binary_classification_metrics.auc.value")
    carbon = evaluate.get_value("evaluation", "evaluation.json", "footprint.co2e_kg.value")
    cost = evaluate.get_value("evaluation", "evaluation.json", "footprint.cost_usd.value")
    digests = {
        f"{DATA_DIGEST}{part}": evaluate.get_value("evaluation", "evaluation.json", f"data_digests.{part}")
        for part in ("train", "test")
    }
    card = evaluate.get_value("evaluation", "model_card.json", "content")

    def make_registration(name: str, description: Value) -> RegistrationStep:
        quality = {
            "ContentType": "application/json",
            "S3Uri": join_values(evaluate.get_output("evaluation"), "/evaluation.json"),
        }
        metadata = {
            "workload": flow.spec.name,
            "training_job": model_step.job,
            flow.gate.metric: auc,
            "co2e_kg": carbon,
            "cost_usd": cost,
            **digests,
        }
        return flow.make_registration(
            name,
            model_step,
            description,
            metadata,
            ModelMetrics={"ModelQuality": {"Statistics": quality}},
            ModelCard={"ModelCardContent": card, "ModelCardStatus": "PendingReview"},
        )

    summary = ("AUC ", auc, " on held-out flights; making it emitted ", carbon, " kgCO2e")
    register_within_budget = make_registration(
        "Register", join_values(*summary, ", within its budget of ", budget, " kg")
    )
    register_above_budget = make_registration(
        "RegisterAboveBudget", join_values(*summary, ", above its budget of ", budget, " kg: look before approving")
    )
    within_budget = ConditionStep(
        "WithinCarbonBudget",
        conditions=[ConditionLessThanOrEqualTo(carbon, budget)],
        if_steps=[register_within_budget],
        else_steps=[register_above_budget],
    )
    # An execution that reused every result has nothing to register, unless a parameter asks for it.
    new_model = ConditionStep(
        "NewModel",
        conditions=[
            ConditionOr(
                [
                    ConditionEquals(evaluate.get_output("evaluation"), evaluate.get_planned_output("evaluation")),
                    ConditionEquals(flow.add_string("Register", "new", one_of=["new", "always"]), "always"),
                ]
            )
        ],
        if_steps=[within_budget],
    )
    fail_step = FailStep(
        "NotGoodEnough",
        error_message=join_values(
            "AUC ", auc, " is below the minimum of ", minimum, " or the approved model's ", approved
        ),
    )
    good_enough = ConditionStep(
        "GoodEnough",
        conditions=[flow.compare_with_bound(auc, minimum), flow.compare_with_bound(auc, approved)],
        if_steps=[new_model],
        else_steps=[fail_step],
    )
    return flow.build_definition(prepare, model_step, evaluate, good_enough)


def main() -> None:
    """Write both files; factors.json first, as it is part of the code that the definition names."""
    flow = Flow(HERE / "pipeline.yaml")
    factors.write_factors(HERE / "factors.json", flow.spec.instance_types, volume_gb=10)
    (HERE / flow.spec.definition).write_text(build_definition(), encoding="utf-8")


if __name__ == "__main__":
    main()
