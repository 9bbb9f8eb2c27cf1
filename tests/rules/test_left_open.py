"""What a configuration leaves to the provider is not set; what stands in a `dynamic` block is, and may be unknown."""

import json
from typing import Any

from sustainable_mlops.plan import load
from sustainable_mlops.rules import BY_ID, Outcome, evaluate
from tests.rules import plans
from tests.rules.endpoints import CONFIGURATION, UNKNOWN, real_time

BUDGET = "aws_budgets_budget.b"


def outcomes(rule: str, document: dict[str, Any]) -> set[Outcome]:
    return {finding.outcome for finding in evaluate(load(json.dumps(document).encode()), [BY_ID[rule]])}


def by_address(entries: list[dict[str, Any]], address: str) -> dict[str, Any]:
    return next(entry for entry in entries if entry["address"] == address)


def test_a_budget_without_a_filter_is_of_no_workload() -> None:
    document = plans.document({BUDGET: {"name": "b"}, "aws_sagemaker_model.m": {"name": "m"}})
    by_address(document["resource_changes"], BUDGET)["change"]["after_unknown"]["cost_filter"] = True
    assert outcomes("SUS_BUDGET_BY_WORKLOAD", document) == {Outcome.FAIL}


def test_an_accelerator_in_a_dynamic_block_is_not_known() -> None:
    document = plans.document(real_time(variant={"accelerator_type": UNKNOWN}))
    configuration = by_address(document["configuration"]["root_module"]["resources"], CONFIGURATION)
    del configuration["expressions"]["production_variants"]
    assert outcomes("SUS_ELASTIC_INFERENCE", document) == {Outcome.UNKNOWN}


def test_why_a_pipelines_steps_cannot_be_judged_is_said() -> None:
    document = plans.document({"aws_sagemaker_pipeline.p": {"pipeline_name": "p", "pipeline_definition": UNKNOWN}})
    (found,) = evaluate(load(json.dumps(document).encode()), [BY_ID["SUS_STEP_CACHING"]])
    assert (found.outcome, found.message) == (Outcome.UNKNOWN, "the definition is not known until apply")
