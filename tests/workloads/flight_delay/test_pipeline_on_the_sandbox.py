"""The pipeline at work: what runs, what need not, and what reaches the registry."""

import json
import signal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from sustainable_mlops.errors import UserError
from sustainable_mlops.jobs.pipelines import launch, versions
from sustainable_mlops.jobs.pipelines.data import read_data_folder
from tests.workloads.flight_delay.pipeline_bench import Bench, executed, found, write_raw

pytestmark = pytest.mark.slow

ALL = ["Prepare", "Train", "Evaluate"]


@pytest.fixture(scope="module")
def raw_data(flights: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The raw files of a few days."""
    return write_raw(flights, tmp_path_factory.mktemp("raw"))


@pytest.fixture(scope="module")
def bench(sandbox: Any, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """A platform of its own."""
    made = Bench(sandbox, tmp_path_factory.mktemp("workload"))
    made.build()
    return made


@pytest.fixture(scope="module")
def first(bench: Bench, raw_data: Path) -> dict[str, Any]:
    """The record of the first execution."""
    return bench.run(raw_data)


def test_the_first_execution_registers_a_model_for_a_person_to_approve(bench: Bench, first: dict[str, Any]) -> None:
    assert first["status"] == "Succeeded"
    assert executed(first) == ALL
    package = next(one for one in bench.packages() if one["ModelPackageArn"] == first["model_package"])
    assert package["ModelApprovalStatus"] == "PendingManualApproval"
    assert "within its budget of 0.05 kg" in package["ModelPackageDescription"]
    train = next(step["job"] for step in first["steps"] if step["name"] == "Train")
    assert float(package["CustomerMetadataProperties"]["test:auc"]) == pytest.approx(
        train["metrics"]["test:auc"], abs=1e-4
    )
    card = json.loads(package["ModelCard"]["ModelCardContent"])
    environment = card["additional_information"]["custom_details"]
    assert environment["Environment: Region"] == "eu-north-1"
    assert "kgCO2e, operational and embodied" in environment["Environment: carbon of making this model"]


def test_the_record_tells_what_each_step_took_and_all_together(bench: Bench, first: dict[str, Any]) -> None:
    jobs = [step["job"] for step in first["steps"] if step["job"]]
    for name in ("co2e", "cost", "energy"):
        parts = [job["figures"][name] for job in jobs]
        for end in ("low", "value", "high"):
            assert first["figures"][name][end] == pytest.approx(sum(part[end] for part in parts))
        assert first["expected"][name]["low"] < first["expected"][name]["high"]
    assert first["saved"] == {}
    [stored] = [*(bench.folder / "out" / "runs").glob(f"*-{first['execution_arn'].rpartition('/')[2]}.json")]
    assert json.loads(stored.read_text()) == first


def test_the_same_again_runs_nothing_and_registers_nothing(bench: Bench, first: dict[str, Any], raw_data: Path) -> None:
    before = bench.packages()
    second = bench.run(raw_data)
    assert (executed(second), found(second)) == ([], ALL)
    assert second["status"] == "Succeeded"
    assert second["model_package"] is None
    assert bench.packages() == before
    assert second["figures"] == {}
    assert second["saved"]["co2e"]["value"] == pytest.approx(first["figures"]["co2e"]["value"])


def test_two_starts_at_the_same_moment_are_one_execution(
    bench: Bench, first: dict[str, Any], raw_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither has seen the other's when it decides."""
    del first
    for name, value in bench.sandbox.environment.items():
        monkeypatch.setenv(name, value)
    file, given = bench.folder / "flight_delay" / "pipeline.yaml", {"NumRound": "12", "MinimumAuc": "0.5"}
    prepared = [launch.prepare(file, data=raw_data, overrides=given) for _ in range(2)]
    assert [one.running for one in prepared] == [None, None]
    one, other = [launch.start_execution(each) for each in prepared]
    assert one.execution_arn == other.execution_arn
    assert bench.call("watch").returncode == 0
    assert (
        launch.start_execution(launch.prepare(file, data=raw_data, overrides=given)).execution_arn != one.execution_arn
    )
    assert bench.call("watch").returncode == 0


def test_another_instance_type_runs_nothing(bench: Bench, first: dict[str, Any], raw_data: Path) -> None:
    del first
    other = ["--set", "TrainingInstanceType=ml.c7i.xlarge", "--set", "ProcessingInstanceType=ml.c7i.large"]
    again = bench.run(raw_data, *other)
    assert (executed(again), found(again)) == ([], ALL)


def test_a_changed_hyperparameter_runs_what_depends_on_it(bench: Bench, first: dict[str, Any], raw_data: Path) -> None:
    """A step that failed is run again by `retry`, with what comes after it alone; Ctrl-C leaves it running."""
    del first
    bench.sandbox.fault("CreateTrainingJob", error="AccessDeniedException", resource="pipelines-")
    failed = bench.run(raw_data, "--set", "MaxDepth=4", code=1)
    assert (failed["status"], executed(failed), found(failed)) == ("Failed", [], ["Prepare"])
    with bench.start("retry") as process:
        assert process.stderr is not None
        assert any("Train: Executing" in line for line in process.stderr)
        process.send_signal(signal.SIGINT)
        said = process.communicate()[1]
    assert process.returncode == 130
    assert "pipeline.py watch flight_delay/pipeline.yaml --execution" in said
    done = bench.call("watch", "--json")
    assert done.returncode == 0, done.stderr
    again = json.loads(done.stdout)["record"]
    assert again["execution_arn"] == failed["execution_arn"]
    assert (executed(again), found(again)) == (["Train", "Evaluate"], ["Prepare"])


def test_changed_data_runs_everything_however_it_came(
    bench: Bench, first: dict[str, Any], flights: pd.DataFrame, tmp_path: Path
) -> None:
    """Delivered by somebody else, who tells that it is complete by an empty object with the folder's own key."""
    folder = write_raw(flights[flights["day"] != 3], tmp_path)
    delivered, bucket, s3 = (
        read_data_folder(folder, "raw/flight_delay/"),
        f"{bench.name}-data",
        bench.sandbox.client("s3"),
    )
    assert delivered.key != first["parameters"]["InputKey"]
    assert delivered.upload(bucket, s3) == 4
    s3.put_object(Bucket=bucket, Key=delivered.key)
    settings = ["--set", "NumRound=12", "--set", "MinimumAuc=0.5"]
    done = bench.call("run", "--input", delivered.key, *settings, "--json")
    assert done.returncode == 0, done.stderr
    assert executed(json.loads(done.stdout)["record"]) == ALL
    assert found(bench.run(folder)) == ALL  # the same content is the same data set
    s3.put_object(Bucket=bucket, Key=delivered.key)  # told to be complete once more, it is the same
    assert bench.call("run", "--input", delivered.key, *settings, "--dry-run").returncode == 0
    s3.put_object(Bucket=bucket, Key=f"{delivered.key}weather.csv", Body=b"other")
    refused = bench.call("run", "--input", delivered.key, *settings)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert f"the data under {delivered.key} has changed since execution" in refused.stderr


@pytest.mark.parametrize("bound", ["MinimumAuc", "ApprovedAuc"])
def test_a_worse_model_reaches_the_registry_in_no_way(
    bound: str, bench: Bench, first: dict[str, Any], raw_data: Path
) -> None:
    del first
    before = bench.packages()
    refused = bench.run(raw_data, "--set", f"{bound}=0.99", code=1)
    assert refused["status"] == "Failed"
    assert refused["steps"][-1]["name"] == "NotGoodEnough"
    assert "AUC 0.5" in refused["steps"][-1]["reason"]
    assert "0.99" in refused["steps"][-1]["reason"]
    assert bench.packages() == before


def test_a_model_above_its_carbon_budget_is_pending_and_says_so(
    bench: Bench, first: dict[str, Any], raw_data: Path
) -> None:
    del first
    costly = bench.run(raw_data, "--set", "CarbonBudgetKg=0.000000001")
    assert executed(costly) == ["Evaluate"]  # it is judged anew; nothing else depends on the budget
    package = next(one for one in bench.packages() if one["ModelPackageArn"] == costly["model_package"])
    assert package["ModelApprovalStatus"] == "PendingManualApproval"
    assert "above its budget of 1e-09 kg: look before approving" in package["ModelPackageDescription"]


def test_what_is_approved_is_the_least_that_the_next_must_be(
    bench: Bench, first: dict[str, Any], raw_data: Path
) -> None:
    bench.sandbox.client("sagemaker").update_model_package(
        ModelPackageArn=first["model_package"], ModelApprovalStatus="Approved"
    )
    again = bench.run(raw_data)
    told = bench.packages()[0]["CustomerMetadataProperties"]["test:auc"]
    assert 0 < float(told) - float(again["parameters"]["ApprovedAuc"]) < 1e-6  # a rounded number may have been less
    assert executed(again) == []
    # Whichever test comes next, nothing of what it trains has to be better than this.
    bench.sandbox.client("sagemaker").update_model_package(
        ModelPackageArn=first["model_package"], ModelApprovalStatus="PendingManualApproval"
    )


def test_live_moves_between_versions_and_no_version_goes(bench: Bench, first: dict[str, Any]) -> None:
    """What a start by hand and a schedule take is the version with the alias."""
    del first
    sagemaker = bench.sandbox.client("sagemaker")
    definition = sagemaker.describe_pipeline(PipelineName=bench.pipeline)["PipelineDefinition"]
    changed = definition.replace('"P30D"', '"P20D"')

    def live() -> tuple[int, bool]:
        """Its number, and whether it is the changed one."""
        answer = sagemaker.describe_pipeline(PipelineName=bench.pipeline, PipelineVersionAlias="live")
        known = sagemaker.list_pipeline_versions(PipelineName=bench.pipeline)["PipelineVersionSummaries"]
        assert [one["PipelineVersionId"] for one in known] == list(range(newest, 0, -1))
        [number] = [one["PipelineVersionId"] for one in known if "live" in one["PipelineVersionAliases"]]
        return number, answer["PipelineDefinition"] == changed

    other = definition.replace('"Train"', '"Learn"').replace("Steps.Train.", "Steps.Learn.")
    newest = sagemaker.update_pipeline(PipelineName=bench.pipeline, PipelineDefinition=other)["PipelineVersionId"]
    refused = bench.call("promote")
    assert refused.returncode == 2
    assert f"the newest version of {bench.pipeline} has another definition" in refused.stderr
    newest = sagemaker.update_pipeline(PipelineName=bench.pipeline, PipelineDefinition=changed)["PipelineVersionId"]

    done = bench.call("promote", "--version", "1", "--json")
    assert json.loads(done.stdout) == {"outcome": "promote", "pipeline": bench.pipeline, "before": None, "live": 1}
    assert live() == (1, False)
    assert versions.promote(bench.pipeline, sagemaker) == versions.AliasMove(bench.pipeline, 1, newest)
    assert live() == (newest, True)
    assert versions.promote(bench.pipeline, sagemaker).before == newest  # once more changes nothing
    assert bench.call("rollback").stdout == (
        f"{bench.pipeline}: version 1 is live; it was version {newest}, which stays.\n"
    )
    assert live() == (1, False)
    assert versions.rollback(bench.pipeline, sagemaker).after == newest  # the way back is open, too
    with pytest.raises(UserError, match="has no version 99; it has 1, "):
        versions.promote(bench.pipeline, sagemaker, version=99)
    # Whichever test comes next finds the definition as it was.
    sagemaker.update_pipeline(PipelineName=bench.pipeline, PipelineDefinition=definition)


def test_the_next_run_deploys_the_definition_that_is_here(bench: Bench, first: dict[str, Any], raw_data: Path) -> None:
    """Of a pipeline of one's own; the environment's is changed by applying the environment."""
    del first
    sagemaker = bench.sandbox.client("sagemaker")
    definition = sagemaker.describe_pipeline(PipelineName=bench.pipeline)["PipelineDefinition"]
    other = definition.replace('"P30D"', '"P10D"').replace('"P20D"', '"P10D"')
    newest = sagemaker.update_pipeline(PipelineName=bench.pipeline, PipelineDefinition=other)["PipelineVersionId"]
    again = bench.run(raw_data)
    assert again["pipeline_version"] == newest + 1
    assert executed(again) == []


def test_a_pipeline_of_the_environment_is_started_as_it_is_deployed(
    bench: Bench, first: dict[str, Any], raw_data: Path
) -> None:
    """Its definition is changed by applying the environment, and by nothing else."""
    del first
    sagemaker, ssm = bench.sandbox.client("sagemaker"), bench.sandbox.client("ssm")
    deployed = json.loads(sagemaker.describe_pipeline(PipelineName=bench.pipeline)["PipelineDefinition"])
    platform = json.loads(ssm.get_parameter(Name=bench.parameter)["Parameter"]["Value"])
    name = f"{bench.name}-of-terraform"
    request = {"PipelineName": name, "RoleArn": platform["roles"]["pipeline"]}
    sagemaker.create_pipeline(**request, PipelineDefinition=json.dumps(deployed), ClientRequestToken="0" * 32)
    whole = json.dumps(platform | {"pipelines": {"flight_delay": name}})
    ssm.put_parameter(Name=bench.parameter, Value=whole, Type="String", Overwrite=True)
    try:
        planned = bench.call("run", "--data", str(raw_data), "--dry-run", "--json")
        assert planned.returncode == 0, planned.stderr
        answer = json.loads(planned.stdout)
        assert (answer["pipeline"], answer["change"]) == (name, "none")

        deployed["Steps"][0]["CacheConfig"]["ExpireAfter"] = "P1D"
        sagemaker.update_pipeline(PipelineName=name, PipelineDefinition=json.dumps(deployed))
        refused = bench.call("run", "--data", str(raw_data), "--dry-run")
        assert (refused.returncode, refused.stdout) == (2, "")
        assert f"the environment deploys another definition as {name} (version 2)" in refused.stderr
    finally:
        ssm.put_parameter(Name=bench.parameter, Value=json.dumps(platform), Type="String", Overwrite=True)
