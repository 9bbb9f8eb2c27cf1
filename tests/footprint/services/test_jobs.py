"""Jobs: hours of ml.m5.xlarge; a quarter of a runtime limit of one hour is a quarter of an hour."""

import json
import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from sustainable_mlops.footprint import PlanFootprint
from tests.cases import check_cases
from tests.footprint.support import (
    M5_IDLE_W,
    M5_JOB_W,
    REGION,
    compute_hours,
    get_kwh,
    join_reasons,
    list_part_names,
    make_footprint,
    make_usage,
)
from tests.plan.plan_builder import build_change

PIPELINE = "aws_sagemaker_pipeline.p"
ARN = f"arn:aws:sagemaker:{REGION}:111122223333:pipeline/p"


def training(name: str = "Train", cap: int = 3600, **cluster: Any) -> dict[str, Any]:
    resources = {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1, **cluster}
    arguments = {"ResourceConfig": resources, "StoppingCondition": {"MaxRuntimeInSeconds": cap}}
    return {"Name": name, "Type": "Training", "Arguments": arguments}


def pipeline(*steps: dict[str, Any], parameters: tuple[dict[str, Any], ...] = ()) -> dict[str, Any]:
    definition = {"Version": "2020-12-01", "Parameters": list(parameters), "Steps": list(steps)}
    return {"pipeline_name": "p", "region": REGION, "pipeline_definition": json.dumps(definition)}


def count_runs(result: PlanFootprint, side: str = "after") -> float:
    """Return the number of runs of a quarter of an hour."""
    return compute_hours(result, M5_JOB_W, side) / 0.25


def test_a_schedule_determines_the_runs_of_a_pipeline(tmp_path: Path) -> None:
    hourly = {"name": "s", "schedule_expression": "rate(1 hour)", "target": [{"arn": ARN}]}
    entries = [build_change(PIPELINE, pipeline(training())), build_change("aws_scheduler_schedule.s", hourly)]
    result = make_footprint(*entries)
    assert count_runs(result) == pytest.approx(730)
    energy = result.after.get("energy")
    assert energy is not None
    assert not any("runs a month" in text for text in result.after.assumptions)
    # A file that says so knows better; a default does not.
    assert count_runs(
        make_footprint(*entries, used=make_usage(tmp_path, {PIPELINE: {"runs_per_month": 8}}))
    ) == pytest.approx(8)
    assert count_runs(make_footprint(*entries, used=make_usage(tmp_path, runs_per_month=8))) == pytest.approx(730)


def test_an_unknown_schedule_leaves_the_default_and_events_add_to_it() -> None:
    values = {"name": "s", "schedule_expression": "rate(1 hour)", "target": [{"arn": ARN}]}
    later = build_change("aws_scheduler_schedule.s", values, unknown={"schedule_expression": True})
    assert count_runs(make_footprint(build_change(PIPELINE, pipeline(training())), later)) == pytest.approx(4)
    events = [
        build_change("aws_cloudwatch_event_rule.r", {"name": "r", "event_pattern": "{}"}),
        build_change("aws_cloudwatch_event_target.t", {"rule": "r", "arn": ARN}),
        build_change("aws_scheduler_schedule.s", values),
    ]
    assert count_runs(make_footprint(build_change(PIPELINE, pipeline(training())), *events)) == pytest.approx(734)


def test_a_new_schedule_is_a_change() -> None:
    same = pipeline(training())
    daily = {"name": "s", "schedule_expression": "rate(1 day)", "target": [{"arn": ARN}]}
    result = make_footprint(build_change(PIPELINE, same, before=same), build_change("aws_scheduler_schedule.s", daily))
    assert count_runs(result, "delta") == pytest.approx(730 / 24 - 4)


DEFINITION = "aws_sagemaker_data_quality_job_definition.d"
SCHEDULE = "aws_sagemaker_monitoring_schedule.s"
CLUSTER = [{"instance_type": "ml.m5.xlarge", "instance_count": 1, "volume_size_in_gb": 0}]
STOP = [{"max_runtime_in_seconds": 3600}]


def make_definition(**more: Any) -> dict[str, Any]:
    resources = [{"cluster_config": CLUSTER}]
    return {"name": "d", "region": REGION, "job_resources": resources, "stopping_condition": STOP, **more}


def make_schedule(expression: str | None = "cron(0 * ? * * *)", **config: Any) -> dict[str, Any]:
    config = config or {"monitoring_job_definition_name": "d"}
    when = [{"schedule_expression": expression}] if expression else []
    return {"name": "s", "region": REGION, "monitoring_schedule_config": [{**config, "schedule_config": when}]}


def test_a_schedule_determines_the_runs_of_monitoring() -> None:
    result = make_footprint(build_change(DEFINITION, make_definition()), build_change(SCHEDULE, make_schedule()))
    assert [one.address for one in result.resources] == [SCHEDULE]
    assert count_runs(result) == pytest.approx(730)
    assert count_runs(
        make_footprint(build_change(DEFINITION, make_definition()), build_change(SCHEDULE, make_schedule(None)))
    ) == pytest.approx(4)


def test_a_new_schedule_of_a_definition_adds_runs() -> None:
    result = make_footprint(
        build_change(DEFINITION, make_definition(), before=make_definition()), build_change(SCHEDULE, make_schedule())
    )
    assert count_runs(result, "delta") == pytest.approx(730)
    assert not result.unknowns
    alone = make_footprint(build_change(DEFINITION, make_definition()))
    assert alone.after.get("energy") is None
    assert "no schedule" in join_reasons(alone)


def test_a_schedule_may_contain_its_definition() -> None:
    inline = [{"monitoring_resources": [{"cluster_config": CLUSTER}], "stopping_condition": STOP}]
    daily = make_schedule("cron(0 0 ? * * *)", monitoring_job_definition=inline)
    assert count_runs(make_footprint(build_change(SCHEDULE, daily))) == pytest.approx(365 / 12)


def test_a_run_without_a_cap_ends_before_the_next_run() -> None:
    result = make_footprint(
        build_change(DEFINITION, make_definition(stopping_condition=[])), build_change(SCHEDULE, make_schedule())
    )
    energy = result.after.get("energy")
    assert energy is not None
    assert compute_hours(result, M5_JOB_W) == pytest.approx(730)  # an hour each, and not the 24 of a job without a cap
    assert energy.high < 2 * energy.central


BRANCH = {"Name": "If", "Type": "Condition", "Arguments": {"IfSteps": [training("In")], "ElseSteps": []}}
LOOP = {"Name": "For", "Type": "ForEach", "Arguments": {"ForEachBody": [training("Each")]}}


@pytest.mark.parametrize("pattern", [PIPELINE, "aws_sagemaker_pipeline.*", "*", None])
def test_runs_of_a_pipeline_are_not_runs_of_its_branches_and_loops(tmp_path: Path, pattern: str | None) -> None:
    used = (
        make_usage(tmp_path, {pattern: {"runs_per_month": 10}}) if pattern else make_usage(tmp_path, runs_per_month=10)
    )
    result = make_footprint(build_change(PIPELINE, pipeline(training(), BRANCH, LOOP)), used=used)
    assert count_runs(result) == pytest.approx(10 + 10 / 2)
    assert "once per item" in join_reasons(result)


@pytest.mark.parametrize("step", [f"{PIPELINE}#Each", "*#Each"])
def test_runs_of_a_step_in_a_loop_are_used(tmp_path: Path, step: str) -> None:
    used = make_usage(tmp_path, {PIPELINE: {"runs_per_month": 10, "hours_per_run": 0.5}, step: {"runs_per_month": 30}})
    result = make_footprint(build_change(PIPELINE, pipeline(training(), LOOP)), used=used)
    assert compute_hours(result, M5_JOB_W) == pytest.approx((10 + 30) * 0.5)  # hours_per_run is of every step
    assert not result.unknowns
    assert not used.unused_entries


@check_cases("kind", ["Endpoint", "InferenceComponent", "Job", "NotInventedYet"])
def test_a_step_that_may_run_instances_is_unknown(kind: str) -> None:
    result = make_footprint(
        build_change(PIPELINE, pipeline(training(), {"Name": "Other", "Type": kind, "Arguments": {}}))
    )
    assert list_part_names(result) == ["step Train", "step Other"]
    assert [one.subject for _, one in result.unknowns] == ["step Other"]


def list_sdk_step_types() -> list[str]:
    """Return the types of `StepTypeEnum` in the SageMaker SDK.

    The file is parsed and not imported, because the import takes seconds and needs a Region.
    """
    result = find_spec("sagemaker")
    assert result is not None
    places = [Path(place) / "mlops" / "workflow" / "steps.py" for place in result.submodule_search_locations or ()]
    text = next(path for path in places if path.exists()).read_text()
    types = re.findall(
        r'^    [A-Z_]+ = "(\w+)"$', text.partition("class StepTypeEnum")[2].partition("\nclass ")[0], re.M
    )
    assert len(types) > 20
    return types


FREE = {"Callback", "Cleanup", "Condition", "EndpointConfig", "Fail", "ForEach", "Lambda", "Lineage", "Model"}
FREE |= {"RegisterModel"}


@check_cases("kind", list_sdk_step_types())
def test_every_sdk_step_type_is_estimated_unknown_or_free(kind: str) -> None:
    result = make_footprint(build_change(PIPELINE, pipeline({"Name": "One", "Type": kind, "Arguments": {}})))
    assert (kind in FREE) == (not result.resources)
    assert kind in FREE or result.unknowns


def test_a_parameter_without_a_default_is_unknown_until_an_execution() -> None:
    values_with_parameter = pipeline(
        training(InstanceType={"Get": "Parameters.T"}), parameters=({"Name": "T", "Type": "String"},)
    )
    assert (
        join_reasons(make_footprint(build_change(PIPELINE, values_with_parameter)))
        == "its instance type is not known until an execution"
    )


def test_a_warm_pool_is_on_and_idle_after_each_run() -> None:
    result = make_footprint(build_change(PIPELINE, pipeline(training(KeepAlivePeriodInSeconds=1800))))
    assert list_part_names(result) == ["step Train", "step Train, warm pool"]
    assert get_kwh(result) == pytest.approx(4 * (0.25 * M5_JOB_W + 0.5 * M5_IDLE_W) * 1.15 / 1000)
    cost = result.after.get("cost")
    assert cost is not None
    assert cost.central == pytest.approx(4 * 0.75 * 0.23)  # billed as well


def make_training_job() -> dict[str, Any]:
    resources = [{"instance_type": "ml.m5.xlarge", "instance_count": 1, "volume_size_in_gb": 0}]
    return {"region": REGION, "resource_config": resources, "stopping_condition": STOP}


JOB = "aws_sagemaker_training_job.t"


def test_a_terraform_job_runs_once_on_creation() -> None:
    assert count_runs(make_footprint(build_change(JOB, make_training_job()))) == pytest.approx(1)
    replacement = make_footprint(
        build_change(JOB, make_training_job(), before=make_training_job(), actions=["delete", "create"])
    )
    assert count_runs(replacement, "delta") == pytest.approx(1)
    old_jobs = [
        build_change(JOB, make_training_job(), before=make_training_job()),
        build_change("aws_sagemaker_training_job.u", before=make_training_job()),
    ]
    assert make_footprint(*old_jobs).resources == ()


def test_a_default_does_not_apply_to_a_job_that_runs_once(tmp_path: Path) -> None:
    assert count_runs(
        make_footprint(build_change(JOB, make_training_job()), used=make_usage(tmp_path, runs_per_month=10))
    ) == pytest.approx(1)
    monthly = make_usage(tmp_path, {JOB: {"runs_per_month": 10}})
    assert count_runs(
        make_footprint(build_change(JOB, make_training_job(), before=make_training_job()), used=monthly)
    ) == pytest.approx(10)


def test_a_tuning_job_counts_three_quarters_of_its_training_jobs() -> None:
    limits = [{"resource_limits": [{"max_number_of_training_jobs": 10}]}]
    values = {
        "region": REGION,
        "config": limits,
        "training_job_definitions": [make_training_job(), make_training_job()],
    }
    tuning = "aws_sagemaker_hyper_parameter_tuning_job.t"
    result = make_footprint(build_change(tuning, values))
    assert count_runs(result) == pytest.approx(7.5)
    assert list_part_names(result) == ["tuning job, definition 1", "tuning job, definition 2"]
    assert make_footprint(build_change(tuning, values, before=values)).resources == ()


def test_an_algorithm_is_validated_on_creation() -> None:
    values = {"validation_specification": [{"validation_role": "arn:aws:iam::111122223333:role/r"}]}
    assert "validation" in join_reasons(make_footprint(build_change("aws_sagemaker_algorithm.a", values)))
    assert make_footprint(build_change("aws_sagemaker_algorithm.a", values, before=values)).resources == ()


def test_figures_per_run_do_not_depend_on_the_number_of_runs() -> None:
    result = make_footprint(build_change(PIPELINE, pipeline(training()))).to_dict()
    part = result["resources"][0]["parts"][0]
    assert part["per_1000_requests"] is None
    assert part["per_run"]["energy"]["central"] == pytest.approx(result["after"]["energy"]["central"] / 4)
    # The number of runs is not among what makes a run uncertain: a quarter of the cap, from a twentieth to all of it.
    assert part["per_run"]["energy"]["driver"].startswith("hours of a job")


def test_a_search_of_unknown_size_has_a_reason() -> None:
    def why(**limits: Any) -> str:
        arguments = {"HyperParameterTuningJobConfig": {"ResourceLimits": limits}, "TrainingJobDefinition": {}}
        step = {"Name": "Search", "Type": "Tuning", "Arguments": arguments}
        return join_reasons(
            make_footprint(build_change(PIPELINE, pipeline(step, parameters=({"Name": "N", "Type": "Integer"},))))
        )

    assert why(MaxNumberOfTrainingJobs={"Get": "Parameters.N"}) == (
        "the number of its training jobs is not known until an execution"
    )
    assert why() == "the number of its training jobs is not given"


def test_an_unreadable_pipeline_definition_has_a_reason() -> None:
    hidden = build_change(PIPELINE, {"pipeline_name": "p", "region": REGION}, unknown={"pipeline_definition": True})
    assert join_reasons(make_footprint(hidden)) == "the definition is not known until apply"


def test_a_serverless_training_job_is_not_counted() -> None:
    config = {"base_model_arn": "arn:aws:sagemaker:us-east-1:aws:hub-content/h/Model/m", "job_type": "FineTuning"}
    values = {"region": REGION, "serverless_job_config": [config], "stopping_condition": STOP}
    result = make_footprint(build_change(JOB, values))
    assert result.after.get("cost") is None
    assert "SageMaker chooses the instances of a serverless training job" in join_reasons(result)
    assert make_footprint(build_change(JOB, values, before=values)).resources == ()
    step = {"Name": "Tune", "Type": "Training", "Arguments": {"ServerlessJobConfig": {"JobType": "FineTuning"}}}
    assert "SageMaker chooses the instances" in join_reasons(make_footprint(build_change(PIPELINE, pipeline(step))))


def make_preferred_step(*preferences: dict[str, Any], **cluster: Any) -> dict[str, Any]:
    step = training()
    step["Arguments"]["ResourceConfig"] = {"InstancePreferences": list(preferences), **cluster}
    return build_change(PIPELINE, pipeline(step))


def test_figures_span_all_preferred_types() -> None:
    types = ("ml.m5.xlarge", "ml.m5.2xlarge")
    preferences = [{"InstanceType": kind} for kind in types]
    spanned = make_footprint(make_preferred_step(*preferences, InstanceCount=1)).after.get("cost")
    each = [make_footprint(build_change(PIPELINE, pipeline(training(InstanceType=kind)))).after for kind in types]
    costs = [cost for one in each if (cost := one.get("cost")) is not None]
    assert spanned is not None
    assert (spanned.low, spanned.central, spanned.high) == (costs[0].low, costs[0].central, costs[1].high)
    same = make_footprint(make_preferred_step(*({**one, "InstanceCount": 1} for one in preferences)))
    assert same.after.get("cost") == spanned


def test_preferred_types_with_several_numbers_of_instances_are_not_counted() -> None:
    several = [
        {"InstanceType": "ml.m5.xlarge", "InstanceCount": 2},
        {"InstanceType": "ml.m5.2xlarge", "InstanceCount": 1},
    ]
    result = make_footprint(make_preferred_step(*several))
    assert result.after.get("cost") is None
    assert "depends on the type that has capacity" in join_reasons(result)


def test_a_training_plan_has_a_price_of_its_own() -> None:
    arn = "arn:aws:sagemaker:us-east-1:111122223333:training-plan/p"
    planned = make_training_job()
    planned["resource_config"][0]["training_plan_arn"] = arn
    cluster = {"instance_groups": [{"instance_type": "ml.m5.xlarge", "instance_count": 1, "training_plan_arn": arn}]}
    preferred = {"InstanceType": "ml.m5.xlarge", "TrainingPlanArns": [arn]}
    for change in (
        build_change(JOB, planned),
        build_change(PIPELINE, pipeline(training(TrainingPlanArn=arn))),
        make_preferred_step(preferred, InstanceCount=1),
        build_change("aws_sagemaker_cluster.c", {"region": REGION, **cluster}),
    ):
        result = make_footprint(change)
        assert result.after.get("cost") is not None
        assert "its training plan is billed separately" in join_reasons(result)
    assert "price" not in join_reasons(make_footprint(build_change(JOB, make_training_job())))
