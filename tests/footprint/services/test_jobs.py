"""Jobs: hours of ml.m5.xlarge; a quarter of a cap of one hour is a quarter of an hour."""

import json
import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from sustainable_mlops.footprint import PlanFootprint
from tests.footprint.support import M5_IDLE_W, M5_JOB_W, REGION, footprint, hours, kwh, parts, reasons, usage
from tests.plan.plan_builder import build_change

PIPELINE = "aws_sagemaker_pipeline.p"
ARN = f"arn:aws:sagemaker:{REGION}:111122223333:pipeline/p"


def training(name: str = "Train", cap: int = 3600, **cluster: Any) -> dict[str, Any]:
    machines = {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1, **cluster}
    arguments = {"ResourceConfig": machines, "StoppingCondition": {"MaxRuntimeInSeconds": cap}}
    return {"Name": name, "Type": "Training", "Arguments": arguments}


def pipeline(*steps: dict[str, Any], parameters: tuple[dict[str, Any], ...] = ()) -> dict[str, Any]:
    definition = {"Version": "2020-12-01", "Parameters": list(parameters), "Steps": list(steps)}
    return {"pipeline_name": "p", "region": REGION, "pipeline_definition": json.dumps(definition)}


def runs(found: PlanFootprint, side: str = "after") -> float:
    """Runs of a quarter of an hour."""
    return hours(found, M5_JOB_W, side) / 0.25


def test_a_schedule_says_how_often_a_pipeline_runs(tmp_path: Path) -> None:
    hourly = {"name": "s", "schedule_expression": "rate(1 hour)", "target": [{"arn": ARN}]}
    entries = [build_change(PIPELINE, pipeline(training())), build_change("aws_scheduler_schedule.s", hourly)]
    found = footprint(*entries)
    assert runs(found) == pytest.approx(730)
    energy = found.after.get("energy")
    assert energy is not None
    assert not any("runs a month" in text for text in found.after.assumptions)
    # A file that says so knows better; a default does not.
    assert runs(footprint(*entries, used=usage(tmp_path, {PIPELINE: {"runs_per_month": 8}}))) == pytest.approx(8)
    assert runs(footprint(*entries, used=usage(tmp_path, runs_per_month=8))) == pytest.approx(730)


def test_a_schedule_that_is_unknown_leaves_the_default_and_events_come_on_top() -> None:
    values = {"name": "s", "schedule_expression": "rate(1 hour)", "target": [{"arn": ARN}]}
    later = build_change("aws_scheduler_schedule.s", values, unknown={"schedule_expression": True})
    assert runs(footprint(build_change(PIPELINE, pipeline(training())), later)) == pytest.approx(4)
    events = [
        build_change("aws_cloudwatch_event_rule.r", {"name": "r", "event_pattern": "{}"}),
        build_change("aws_cloudwatch_event_target.t", {"rule": "r", "arn": ARN}),
        build_change("aws_scheduler_schedule.s", values),
    ]
    assert runs(footprint(build_change(PIPELINE, pipeline(training())), *events)) == pytest.approx(734)


def test_a_schedule_that_is_new_is_a_change() -> None:
    same = pipeline(training())
    daily = {"name": "s", "schedule_expression": "rate(1 day)", "target": [{"arn": ARN}]}
    found = footprint(build_change(PIPELINE, same, before=same), build_change("aws_scheduler_schedule.s", daily))
    assert runs(found, "delta") == pytest.approx(730 / 24 - 4)


DEFINITION = "aws_sagemaker_data_quality_job_definition.d"
SCHEDULE = "aws_sagemaker_monitoring_schedule.s"
CLUSTER = [{"instance_type": "ml.m5.xlarge", "instance_count": 1, "volume_size_in_gb": 0}]
STOP = [{"max_runtime_in_seconds": 3600}]


def monitored(**more: Any) -> dict[str, Any]:
    resources = [{"cluster_config": CLUSTER}]
    return {"name": "d", "region": REGION, "job_resources": resources, "stopping_condition": STOP, **more}


def monitoring(expression: str | None = "cron(0 * ? * * *)", **config: Any) -> dict[str, Any]:
    config = config or {"monitoring_job_definition_name": "d"}
    when = [{"schedule_expression": expression}] if expression else []
    return {"name": "s", "region": REGION, "monitoring_schedule_config": [{**config, "schedule_config": when}]}


def test_monitoring_runs_as_its_schedule_says() -> None:
    found = footprint(build_change(DEFINITION, monitored()), build_change(SCHEDULE, monitoring()))
    assert [one.address for one in found.resources] == [SCHEDULE]
    assert runs(found) == pytest.approx(730)
    assert runs(
        footprint(build_change(DEFINITION, monitored()), build_change(SCHEDULE, monitoring(None)))
    ) == pytest.approx(4)


def test_a_schedule_that_comes_to_a_definition_is_what_adds() -> None:
    found = footprint(build_change(DEFINITION, monitored(), before=monitored()), build_change(SCHEDULE, monitoring()))
    assert runs(found, "delta") == pytest.approx(730)
    assert not found.unknowns
    alone = footprint(build_change(DEFINITION, monitored()))
    assert alone.after.get("energy") is None
    assert "no schedule" in reasons(alone)


def test_a_schedule_may_hold_its_definition() -> None:
    inline = [{"monitoring_resources": [{"cluster_config": CLUSTER}], "stopping_condition": STOP}]
    daily = monitoring("cron(0 0 ? * * *)", monitoring_job_definition=inline)
    assert runs(footprint(build_change(SCHEDULE, daily))) == pytest.approx(365 / 12)


def test_a_run_without_a_cap_ends_before_the_next() -> None:
    found = footprint(build_change(DEFINITION, monitored(stopping_condition=[])), build_change(SCHEDULE, monitoring()))
    energy = found.after.get("energy")
    assert energy is not None
    assert hours(found, M5_JOB_W) == pytest.approx(730)  # an hour each, and not the 24 of a job without a cap
    assert energy.high < 2 * energy.central


BRANCH = {"Name": "If", "Type": "Condition", "Arguments": {"IfSteps": [training("In")], "ElseSteps": []}}
LOOP = {"Name": "For", "Type": "ForEach", "Arguments": {"ForEachBody": [training("Each")]}}


@pytest.mark.parametrize("pattern", [PIPELINE, "aws_sagemaker_pipeline.*", "*", None])
def test_runs_of_a_pipeline_are_no_word_on_its_branches_and_loops(tmp_path: Path, pattern: str | None) -> None:
    used = usage(tmp_path, {pattern: {"runs_per_month": 10}}) if pattern else usage(tmp_path, runs_per_month=10)
    found = footprint(build_change(PIPELINE, pipeline(training(), BRANCH, LOOP)), used=used)
    assert runs(found) == pytest.approx(10 + 10 / 2)
    assert "once for each item" in reasons(found)


@pytest.mark.parametrize("step", [f"{PIPELINE}#Each", "*#Each"])
def test_runs_of_a_step_are(tmp_path: Path, step: str) -> None:
    used = usage(tmp_path, {PIPELINE: {"runs_per_month": 10, "hours_per_run": 0.5}, step: {"runs_per_month": 30}})
    found = footprint(build_change(PIPELINE, pipeline(training(), LOOP)), used=used)
    assert hours(found, M5_JOB_W) == pytest.approx((10 + 30) * 0.5)  # hours_per_run is of every step
    assert not found.unknowns
    assert not used.unused_entries


@pytest.mark.parametrize("kind", ["Endpoint", "InferenceComponent", "Job", "NotInventedYet"])
def test_a_step_that_may_run_machines_is_unknown(kind: str) -> None:
    found = footprint(build_change(PIPELINE, pipeline(training(), {"Name": "Other", "Type": kind, "Arguments": {}})))
    assert parts(found) == ["step Train", "step Other"]
    assert [one.subject for _, one in found.unknowns] == ["step Other"]


def steps_of_the_sdk() -> list[str]:
    """The types in SageMaker SDK's `StepTypeEnum`, read and not imported, as that takes seconds and needs a Region."""
    found = find_spec("sagemaker")
    assert found is not None
    places = [Path(place) / "mlops" / "workflow" / "steps.py" for place in found.submodule_search_locations or ()]
    text = next(path for path in places if path.exists()).read_text()
    types = re.findall(
        r'^    [A-Z_]+ = "(\w+)"$', text.partition("class StepTypeEnum")[2].partition("\nclass ")[0], re.M
    )
    assert len(types) > 20
    return types


FREE = {"Callback", "Cleanup", "Condition", "EndpointConfig", "Fail", "ForEach", "Lambda", "Lineage", "Model"}
FREE |= {"RegisterModel"}


@pytest.mark.parametrize("kind", steps_of_the_sdk())
def test_every_type_of_step_that_the_sdk_writes_is_estimated_unknown_or_known_to_use_nothing(kind: str) -> None:
    found = footprint(build_change(PIPELINE, pipeline({"Name": "One", "Type": kind, "Arguments": {}})))
    assert (kind in FREE) == (not found.resources)
    assert kind in FREE or found.unknowns


def test_a_parameter_without_a_default_is_known_to_an_execution_and_not_to_apply() -> None:
    given = pipeline(training(InstanceType={"Get": "Parameters.T"}), parameters=({"Name": "T", "Type": "String"},))
    assert reasons(footprint(build_change(PIPELINE, given))) == "its instance type is not known until an execution"


def test_a_warm_pool_is_on_and_idle_after_each_run() -> None:
    found = footprint(build_change(PIPELINE, pipeline(training(KeepAlivePeriodInSeconds=1800))))
    assert parts(found) == ["step Train", "step Train, warm pool"]
    assert kwh(found) == pytest.approx(4 * (0.25 * M5_JOB_W + 0.5 * M5_IDLE_W) * 1.15 / 1000)
    cost = found.after.get("cost")
    assert cost is not None
    assert cost.central == pytest.approx(4 * 0.75 * 0.23)  # billed as well


def terraform(instance_type: str = "ml.m5.xlarge") -> dict[str, Any]:
    machines = [{"instance_type": instance_type, "instance_count": 1, "volume_size_in_gb": 0}]
    return {"region": REGION, "resource_config": machines, "stopping_condition": STOP}


JOB = "aws_sagemaker_training_job.t"


def test_a_job_of_terraform_runs_once_when_it_is_created() -> None:
    assert runs(footprint(build_change(JOB, terraform()))) == pytest.approx(1)
    again = footprint(build_change(JOB, terraform(), before=terraform(), actions=["delete", "create"]))
    assert runs(again, "delta") == pytest.approx(1)
    done = [
        build_change(JOB, terraform(), before=terraform()),
        build_change("aws_sagemaker_training_job.u", before=terraform()),
    ]
    assert footprint(*done).resources == ()


def test_a_default_is_no_word_on_a_job_that_runs_once(tmp_path: Path) -> None:
    assert runs(footprint(build_change(JOB, terraform()), used=usage(tmp_path, runs_per_month=10))) == pytest.approx(1)
    monthly = usage(tmp_path, {JOB: {"runs_per_month": 10}})
    assert runs(footprint(build_change(JOB, terraform(), before=terraform()), used=monthly)) == pytest.approx(10)


def test_a_search_trains_four_fifths_of_its_jobs_and_its_definitions_share_them() -> None:
    limits = [{"resource_limits": [{"max_number_of_training_jobs": 10}]}]
    values = {"region": REGION, "config": limits, "training_job_definitions": [terraform(), terraform()]}
    tuning = "aws_sagemaker_hyper_parameter_tuning_job.t"
    found = footprint(build_change(tuning, values))
    assert runs(found) == pytest.approx(8)
    assert parts(found) == ["tuning job, definition 1", "tuning job, definition 2"]
    assert footprint(build_change(tuning, values, before=values)).resources == ()


def test_an_algorithm_is_validated_when_it_is_created() -> None:
    values = {"validation_specification": [{"validation_role": "arn:aws:iam::111122223333:role/r"}]}
    assert "validate" in reasons(footprint(build_change("aws_sagemaker_algorithm.a", values)))
    assert footprint(build_change("aws_sagemaker_algorithm.a", values, before=values)).resources == ()


def test_a_run_is_what_a_month_has_several_of() -> None:
    found = footprint(build_change(PIPELINE, pipeline(training()))).to_dict()
    part = found["resources"][0]["parts"][0]
    assert part["per_1000_requests"] is None
    assert part["per_run"]["energy"]["central"] == pytest.approx(found["after"]["energy"]["central"] / 4)
    # The number of runs is not among what makes a run uncertain: a quarter of the cap, from a twentieth to all of it.
    assert part["per_run"]["energy"]["driver"].startswith("hours of a job")


def test_a_search_of_unknown_size_says_who_will_know_it() -> None:
    def why(**limits: Any) -> str:
        arguments = {"HyperParameterTuningJobConfig": {"ResourceLimits": limits}, "TrainingJobDefinition": {}}
        step = {"Name": "Search", "Type": "Tuning", "Arguments": arguments}
        return reasons(
            footprint(build_change(PIPELINE, pipeline(step, parameters=({"Name": "N", "Type": "Integer"},))))
        )

    assert why(MaxNumberOfTrainingJobs={"Get": "Parameters.N"}) == (
        "how many jobs it trains is not known until an execution"
    )
    assert why() == "how many jobs it trains is not given"


def test_why_a_pipelines_definition_is_not_read_is_said() -> None:
    hidden = build_change(PIPELINE, {"pipeline_name": "p", "region": REGION}, unknown={"pipeline_definition": True})
    assert reasons(footprint(hidden)) == "the definition is not known until apply"
