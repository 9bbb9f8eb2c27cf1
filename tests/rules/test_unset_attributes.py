"""Values that a configuration does not set, and values in `dynamic` blocks, which may be unknown."""

import json
from typing import Any

from sustainable_mlops.plan import load
from sustainable_mlops.rules import BY_ID, Outcome, evaluate
from tests.rules import plan_builder
from tests.rules.endpoints import CONFIGURATION, UNKNOWN, build_real_time

BUDGET = "aws_budgets_budget.b"


def list_outcomes(rule: str, document: dict[str, Any]) -> set[Outcome]:
    return {finding.outcome for finding in evaluate(load(json.dumps(document).encode()), [BY_ID[rule]])}


def find_by_address(entries: list[dict[str, Any]], address: str) -> dict[str, Any]:
    return next(entry for entry in entries if entry["address"] == address)


def test_a_budget_without_a_filter_covers_no_workload() -> None:
    document = plan_builder.build_document({BUDGET: {"name": "b"}, "aws_sagemaker_model.m": {"name": "m"}})
    find_by_address(document["resource_changes"], BUDGET)["change"]["after_unknown"]["cost_filter"] = True
    assert list_outcomes("SUS_BUDGET_BY_WORKLOAD", document) == {Outcome.FAIL}


def test_an_accelerator_in_a_dynamic_block_is_unknown() -> None:
    document = plan_builder.build_document(build_real_time(variant={"accelerator_type": UNKNOWN}))
    configuration = find_by_address(document["configuration"]["root_module"]["resources"], CONFIGURATION)
    del configuration["expressions"]["production_variants"]
    assert list_outcomes("SUS_ELASTIC_INFERENCE", document) == {Outcome.UNKNOWN}


def test_unknown_steps_of_a_pipeline_have_a_reason() -> None:
    document = plan_builder.build_document(
        {"aws_sagemaker_pipeline.p": {"pipeline_name": "p", "pipeline_definition": UNKNOWN}}
    )
    (finding,) = evaluate(load(json.dumps(document).encode()), [BY_ID["SUS_STEP_CACHING"]])
    assert (finding.outcome, finding.message) == (Outcome.UNKNOWN, "the definition is not known until apply")
