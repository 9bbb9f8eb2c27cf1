"""The pipeline on the sandbox: executed and cached steps, and the model registry."""

import json
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from clone.promotion.package import PackageAddress, RegisteredPackage
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.jobs.pipelines import launch, versions
from sustainable_mlops.jobs.pipelines.data import read_data_folder
from tests.workloads.flight_delay.pipeline_bench import PipelineBench, list_cached, list_executed, write_raw
from workloads.flight_delay import drift, prepare

pytestmark = pytest.mark.slow

ALL = ["Prepare", "Train", "Evaluate"]


@pytest.fixture(scope="module")
def raw_data(flights: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the raw files of a few days."""
    return write_raw(flights, tmp_path_factory.mktemp("raw"))


@pytest.fixture(scope="module")
def bench(sandbox: Any, tmp_path_factory: pytest.TempPathFactory) -> PipelineBench:
    """Return a bench with a new platform."""
    new_bench = PipelineBench(sandbox, tmp_path_factory.mktemp("workload"))
    new_bench.build()
    return new_bench


@pytest.fixture(scope="module")
def first(bench: PipelineBench, raw_data: Path) -> dict[str, Any]:
    """Return the record of the first execution."""
    return bench.run(raw_data)


def test_the_first_execution_registers_a_model_pending_approval(bench: PipelineBench, first: dict[str, Any]) -> None:
    assert first["status"] == "Succeeded"
    assert list_executed(first) == ALL
    package = next(item for item in bench.packages() if item["ModelPackageArn"] == first["model_package"])
    assert package["ModelApprovalStatus"] == "PendingManualApproval"
    assert "within its budget of 0.05 kg" in package["ModelPackageDescription"]
    train = next(step["job"] for step in first["steps"] if step["name"] == "Train")
    assert float(package["CustomerMetadataProperties"]["test:auc"]) == pytest.approx(
        train["metrics"]["test:auc"], abs=1e-4
    )
    registered = RegisteredPackage(PackageAddress.parse(package["ModelPackageArn"], "package"), package)
    job = bench.sandbox.client("sagemaker").describe_training_job(TrainingJobName=registered.metadata["training_job"])
    assert str(registered.source_digest) in json.dumps(job["InputDataConfig"])
    assert set(registered.data_digests) == {"train", "test"}
    card = json.loads(package["ModelCard"]["ModelCardContent"])
    environment = card["additional_information"]["custom_details"]
    assert environment["Environment: Region"] == "eu-north-1"
    assert "kgCO2e, operational and embodied" in environment["Environment: carbon of making this model"]
    assert " kWh (" in environment["Environment: energy of making this model"]


def test_the_record_has_the_figures_of_each_step_and_their_sums(bench: PipelineBench, first: dict[str, Any]) -> None:
    jobs = [step["job"] for step in first["steps"] if step["job"]]
    for name in ("co2e", "cost", "energy"):
        parts = [job["figures"][name] for job in jobs]
        for end in ("low", "value", "high"):
            assert first["figures"][name][end] == pytest.approx(sum(part[end] for part in parts))
        assert first["expected"][name]["low"] < first["expected"][name]["high"]
    assert first["saved"] == {}
    [stored] = [*(bench.folder / "out" / "runs").glob(f"*-{first['execution_arn'].rpartition('/')[2]}.json")]
    assert json.loads(stored.read_text()) == first


def test_a_repeated_start_runs_and_registers_nothing(
    bench: PipelineBench, first: dict[str, Any], raw_data: Path
) -> None:
    before = bench.packages()
    second = bench.run(raw_data)
    assert (list_executed(second), list_cached(second)) == ([], ALL)
    assert second["status"] == "Succeeded"
    assert second["model_package"] is None
    assert bench.packages() == before
    assert second["figures"] == {}
    assert second["saved"]["co2e"]["value"] == pytest.approx(first["figures"]["co2e"]["value"])


def test_two_simultaneous_starts_are_one_execution(
    bench: PipelineBench, first: dict[str, Any], raw_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither start sees the other's execution when it decides."""
    del first
    for name, value in bench.sandbox.environment.items():
        monkeypatch.setenv(name, value)
    file, overrides = bench.folder / "flight_delay" / "pipeline.yaml", {"NumRound": "12", "MinimumAuc": "0.5"}
    prepared = [launch.prepare(file, data=raw_data, overrides=overrides) for _ in range(2)]
    assert [each.running_execution for each in prepared] == [None, None]
    one, other = [launch.start_execution(each) for each in prepared]
    assert one.execution_arn == other.execution_arn
    assert bench.call("watch").returncode == 0
    assert (
        launch.start_execution(launch.prepare(file, data=raw_data, overrides=overrides)).execution_arn
        != one.execution_arn
    )
    assert bench.call("watch").returncode == 0


def test_another_instance_type_reuses_every_result(bench: PipelineBench, first: dict[str, Any], raw_data: Path) -> None:
    del first
    other = ["--set", "TrainingInstanceType=ml.c7i.xlarge", "--set", "ProcessingInstanceType=ml.c7i.large"]
    repeated = bench.run(raw_data, *other)
    assert (list_executed(repeated), list_cached(repeated)) == ([], ALL)


def test_a_changed_hyperparameter_runs_the_dependent_steps(
    bench: PipelineBench, first: dict[str, Any], raw_data: Path
) -> None:
    """`retry` runs a failed step and the steps after it; Ctrl-C leaves the execution running."""
    del first
    bench.sandbox.fault("CreateTrainingJob", error="AccessDeniedException", resource="pipelines-")
    failed = bench.run(raw_data, "--set", "MaxDepth=4", code=1)
    assert (failed["status"], list_executed(failed), list_cached(failed)) == ("Failed", [], ["Prepare"])
    with bench.start("retry") as process:
        assert process.stderr is not None
        assert any("Train: Executing" in line for line in process.stderr)
        process.send_signal(signal.SIGINT)
        output = process.communicate()[1]
    assert process.returncode == 130
    assert "smlops pipeline watch flight_delay/pipeline.yaml --execution" in output
    completed = bench.call("watch", "--json")
    assert completed.returncode == 0, completed.stderr
    repeated = json.loads(completed.stdout)["record"]
    assert repeated["execution_arn"] == failed["execution_arn"]
    assert (list_executed(repeated), list_cached(repeated)) == (["Train", "Evaluate"], ["Prepare"])


def test_changed_data_runs_every_step(
    bench: PipelineBench, first: dict[str, Any], flights: pd.DataFrame, tmp_path: Path
) -> None:
    """A provider marks a delivery as complete with an empty object with the folder's own key."""
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
    completed = bench.call("run", "--input", delivered.key, *settings, "--json")
    assert completed.returncode == 0, completed.stderr
    assert list_executed(json.loads(completed.stdout)["record"]) == ALL
    assert list_cached(bench.run(folder)) == ALL  # the same content is the same data set
    s3.put_object(Bucket=bucket, Key=delivered.key)  # marked as complete once more: the data is the same
    assert bench.call("run", "--input", delivered.key, *settings, "--dry-run").returncode == 0
    s3.put_object(Bucket=bucket, Key=f"{delivered.key}weather.csv", Body=b"other")
    rejected = bench.call("run", "--input", delivered.key, *settings)
    assert (rejected.returncode, rejected.stdout) == (2, "")
    assert f"the data under {delivered.key} has changed since execution" in rejected.stderr


@pytest.mark.parametrize("bound", ["MinimumAuc", "ApprovedAuc"])
def test_a_worse_model_is_not_registered(
    bound: str, bench: PipelineBench, first: dict[str, Any], raw_data: Path
) -> None:
    del first
    before = bench.packages()
    rejected = bench.run(raw_data, "--set", f"{bound}=0.99", code=1)
    assert rejected["status"] == "Failed"
    assert rejected["steps"][-1]["name"] == "NotGoodEnough"
    assert "AUC 0.5" in rejected["steps"][-1]["reason"]
    assert "0.99" in rejected["steps"][-1]["reason"]
    assert bench.packages() == before


def test_a_model_above_its_carbon_budget_is_registered_with_that_reason(
    bench: PipelineBench, first: dict[str, Any], raw_data: Path
) -> None:
    del first
    over_budget = bench.run(raw_data, "--set", "CarbonBudgetKg=0.000000001")
    assert list_executed(over_budget) == ["Evaluate"]  # evaluated again; no other step depends on the budget
    package = next(item for item in bench.packages() if item["ModelPackageArn"] == over_budget["model_package"])
    assert package["ModelApprovalStatus"] == "PendingManualApproval"
    assert "above its budget of 1e-09 kg: look before approving" in package["ModelPackageDescription"]


def test_the_approved_models_metric_is_the_bound_of_the_next_model(
    bench: PipelineBench, first: dict[str, Any], raw_data: Path
) -> None:
    bench.sandbox.client("sagemaker").update_model_package(
        ModelPackageArn=first["model_package"], ModelApprovalStatus="Approved"
    )
    repeated = bench.run(raw_data)
    metric = bench.packages()[0]["CustomerMetadataProperties"]["test:auc"]
    assert (
        0 < float(metric) - float(repeated["parameters"]["ApprovedAuc"]) < 1e-6
    )  # a rounded number may have been less
    assert list_executed(repeated) == []
    # Models of later tests need not be better than this one.
    bench.sandbox.client("sagemaker").update_model_package(
        ModelPackageArn=first["model_package"], ModelApprovalStatus="PendingManualApproval"
    )


def test_a_start_by_drift_prepares_the_data_again_and_records_the_reason(
    bench: PipelineBench, first: dict[str, Any]
) -> None:
    """Start the pipeline as the alarm's event does: with the key of the old data, and the reason."""
    reason = "Threshold Crossed: 1 datapoint [3.0 (01/07/13 03:00:00)] was greater than the threshold (1.0)."
    values = {**first["parameters"], "StartReason": reason}
    bench.sandbox.client("sagemaker").start_pipeline_execution(
        PipelineName=bench.pipeline,
        PipelineParameters=[{"Name": name, "Value": value} for name, value in values.items()],
    )
    completed = bench.call("watch")
    assert completed.returncode == 0, completed.stderr
    assert f"started because  {reason}" in " ".join(completed.stdout.split("\n"))
    [path] = [line.removeprefix("Record: ") for line in completed.stderr.splitlines() if line.startswith("Record: ")]
    record = json.loads((bench.folder / path).read_text())
    assert record["parameters"]["StartReason"] == reason
    assert list_executed(record) == ALL


def test_a_delivered_batch_is_compared_with_the_profile_of_the_evaluation(
    bench: PipelineBench, first: dict[str, Any], flights: pd.DataFrame, weather: pd.DataFrame, tmp_path: Path
) -> None:
    """Compare flights of July with a model that was trained on days of January."""
    artifacts = f"{bench.name}-artifacts"
    execution = first["execution_arn"].rpartition("/")[2]
    [profile] = [
        item["Key"]
        for item in bench.sandbox.client("s3").list_objects_v2(Bucket=artifacts)["Contents"]
        if item["Key"].endswith(f"{execution}/evaluation/profile.json")
    ]
    july = flights[(flights["month"] == 7) & (flights["day"] <= 5)].reset_index(drop=True)
    prepare.build_frame(july, weather).to_parquet(tmp_path / "batch.parquet")
    settings = ["--set", f"Profile=s3://{artifacts}/{profile.removesuffix('/profile.json')}"]
    completed = bench.call("run", "--data", str(tmp_path), *settings, "--json", file="drift_pipeline.yaml")
    assert completed.returncode == 0, completed.stderr
    now = datetime.now(UTC)
    metric = bench.sandbox.client("cloudwatch").get_metric_statistics(
        Namespace=f"{bench.name}/drift",
        MetricName=drift.DRIFTING_COLUMNS,
        Dimensions=[{"Name": "Workload", "Value": "flight-delay"}],
        StartTime=now - timedelta(hours=1),
        EndTime=now + timedelta(hours=1),
        Period=7200,
        Statistics=["Maximum"],
    )
    assert max(point["Maximum"] for point in metric["Datapoints"]) >= 5


def test_the_live_alias_moves_and_all_versions_remain(bench: PipelineBench, first: dict[str, Any]) -> None:
    """Starts by hand and schedules use the version with the alias."""
    del first
    sagemaker = bench.sandbox.client("sagemaker")
    definition = sagemaker.describe_pipeline(PipelineName=bench.pipeline)["PipelineDefinition"]
    changed = definition.replace('"P30D"', '"P20D"')

    def read_live_version() -> tuple[int, bool]:
        """Return the number of the live version, and True if it is the changed one."""
        response = sagemaker.describe_pipeline(PipelineName=bench.pipeline, PipelineVersionAlias="live")
        versions_listed = sagemaker.list_pipeline_versions(PipelineName=bench.pipeline)["PipelineVersionSummaries"]
        assert [version["PipelineVersionId"] for version in versions_listed] == list(range(newest, 0, -1))
        [number] = [
            version["PipelineVersionId"] for version in versions_listed if "live" in version["PipelineVersionAliases"]
        ]
        return number, response["PipelineDefinition"] == changed

    other = definition.replace('"Train"', '"Learn"').replace("Steps.Train.", "Steps.Learn.")
    newest = sagemaker.update_pipeline(PipelineName=bench.pipeline, PipelineDefinition=other)["PipelineVersionId"]
    rejected = bench.call("promote")
    assert rejected.returncode == 2
    assert f"the newest version of {bench.pipeline} has another definition" in rejected.stderr
    newest = sagemaker.update_pipeline(PipelineName=bench.pipeline, PipelineDefinition=changed)["PipelineVersionId"]

    completed = bench.call("promote", "--version", "1", "--json")
    assert json.loads(completed.stdout) == {"outcome": "promote", "pipeline": bench.pipeline, "before": None, "live": 1}
    assert read_live_version() == (1, False)
    assert versions.promote(bench.pipeline, sagemaker) == versions.AliasMove(bench.pipeline, 1, newest)
    assert read_live_version() == (newest, True)
    assert versions.promote(bench.pipeline, sagemaker).before == newest  # once more changes nothing
    assert bench.call("rollback").stdout == (
        f"{bench.pipeline}: version 1 is live; version {newest} was live before and stays.\n"
    )
    assert read_live_version() == (1, False)
    assert versions.roll_back(bench.pipeline, sagemaker).after == newest  # the way back is open, too
    with pytest.raises(UserError, match="has no version 99; it has 1, "):
        versions.promote(bench.pipeline, sagemaker, version=99)
    # Restore the definition for later tests.
    sagemaker.update_pipeline(PipelineName=bench.pipeline, PipelineDefinition=definition)


def test_the_next_run_deploys_the_local_definition(bench: PipelineBench, first: dict[str, Any], raw_data: Path) -> None:
    """This holds for a pipeline of the launcher; the environment's pipeline changes only with the environment."""
    del first
    sagemaker = bench.sandbox.client("sagemaker")
    definition = sagemaker.describe_pipeline(PipelineName=bench.pipeline)["PipelineDefinition"]
    other = definition.replace('"P30D"', '"P10D"').replace('"P20D"', '"P10D"')
    newest = sagemaker.update_pipeline(PipelineName=bench.pipeline, PipelineDefinition=other)["PipelineVersionId"]
    repeated = bench.run(raw_data)
    assert repeated["pipeline_version"] == newest + 1
    assert list_executed(repeated) == []


def test_a_pipeline_of_the_environment_is_started_as_deployed(
    bench: PipelineBench, first: dict[str, Any], raw_data: Path
) -> None:
    """Only applying the environment changes its definition."""
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
        response = json.loads(planned.stdout)
        assert (response["pipeline"], response["change"]) == (name, "none")

        deployed["Steps"][0]["CacheConfig"]["ExpireAfter"] = "P1D"
        sagemaker.update_pipeline(PipelineName=name, PipelineDefinition=json.dumps(deployed))
        rejected = bench.call("run", "--data", str(raw_data), "--dry-run")
        assert (rejected.returncode, rejected.stdout) == (2, "")
        assert f"the environment deploys another definition as {name} (version 2)" in rejected.stderr
    finally:
        ssm.put_parameter(Name=bench.parameter, Value=json.dumps(platform), Type="String", Overwrite=True)
