"""The evaluation: quality on unseen flights, and the footprint of making the model."""

import io
import json
import shutil
import tarfile
from pathlib import Path
from typing import Any

import pytest

from sustainable_mlops.footprint import estimate_job
from workloads.flight_delay import drift, evaluate, footprint, inference, job_instance, train
from workloads.flight_delay.features import InputError, list_names

pytestmark = pytest.mark.slow

REGION = "eu-north-1"


@pytest.fixture(scope="module")
def archive(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a training job's model.tar.gz."""
    folder = tmp_path_factory.mktemp("model")
    train.main(
        [
            *(f"--{part}={data / part}" for part in ("train", "validation", "test")),
            f"--model_dir={folder / 'model'}",
            f"--checkpoint_dir={folder / 'checkpoints'}",
            f"--output_data_dir={folder}",
            "--num_round=12",
        ]
    )
    with tarfile.open(folder / "model.tar.gz", "w:gz") as content:
        content.add(folder / "model", arcname=".")
    return folder


@pytest.fixture
def processing_container(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Write the files of SageMaker's processing container."""
    job = {"ProcessingResources": {"ClusterConfig": {"InstanceType": "ml.m7i.large"}}}
    (tmp_path / "processingjobconfig.json").write_text(json.dumps(job))
    (tmp_path / "resourceconfig.json").write_text(json.dumps({"current_host": "algo-1"}))
    monkeypatch.setattr(job_instance, "CONFIGURATION", tmp_path)
    monkeypatch.setenv("AWS_REGION", REGION)


def run_evaluation(archive: Path, data: Path, out: Path, *options: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Run the evaluation; return it with the content of the model card."""
    evaluate.main(["--model", str(archive), "--test", str(data / "test"), "--out", str(out), *options])
    card = json.loads((out / "model_card.json").read_text())["content"]
    return json.loads((out / "evaluation.json").read_text()), json.loads(card)


def test_the_evaluation_has_the_metrics_of_the_training(archive: Path, data: Path, tmp_path: Path) -> None:
    evaluation, _ = run_evaluation(archive, data, tmp_path)
    trained = json.loads((archive / "metrics.json").read_text())["metrics"]
    quality = evaluation["binary_classification_metrics"]
    for name in ("auc", "accuracy", "brier"):
        assert quality[name]["value"] == pytest.approx(trained[f"test:{name}"], abs=1e-5)
    matrix = quality["confusion_matrix"]
    assert sum(matrix[row][column] for row in "01" for column in "01") == evaluation["test_flights"] == 3000


def test_the_digest_of_the_data_depends_on_names_and_content(archive: Path, data: Path, tmp_path: Path) -> None:
    evaluation, _ = run_evaluation(archive, data, tmp_path / "out", "--train", str(data / "train"))
    copies = {part: Path(shutil.copytree(data / part, tmp_path / part)) for part in ("train", "test")}
    assert evaluation["data_digests"] == {part: evaluate.compute_digest(folder) for part, folder in copies.items()}
    before = evaluate.compute_digest(copies["test"])
    file = next(copies["test"].iterdir())
    renamed = file.rename(file.with_name("renamed.parquet"))
    assert evaluate.compute_digest(copies["test"]) != before
    renamed.rename(file).write_bytes(b"other flights")
    assert evaluate.compute_digest(copies["test"]) != before


def test_the_training_flights_do_not_drift_from_their_profile(archive: Path, data: Path, tmp_path: Path) -> None:
    run_evaluation(archive, data, tmp_path, "--train", str(data / "train"))
    profile = drift.read_profile(tmp_path)
    flights, model = train.read_channel("train", data / "train"), evaluate.load_model(archive)
    columns = {name: flights[name] for name in list_names()} | {"prediction": inference.predict(flights, model)}
    report = drift.compare(profile, columns)
    assert (report["drifting"], report["not_compared"]) == ([], [])
    assert report["rows"] == 8000
    shifted = drift.compare(profile, {**columns, "prediction": columns["prediction"] + 0.3})
    assert shifted["drifting"] == ["prediction"]


@pytest.mark.usefixtures("processing_container")
def test_the_footprint_equals_the_footprint_models_estimate(archive: Path, data: Path, tmp_path: Path) -> None:
    """The seconds of every step count; billed seconds decide the cost."""
    job_instance.write_report(tmp_path / "reports", 120.0)
    trained = ["ml.m7i.xlarge", "2", "600", "200"]
    evaluation, card = run_evaluation(
        archive, data, tmp_path / "out", "--prepared", str(tmp_path / "reports"), "--trained", *trained, "--job", "j-1"
    )
    footprint_figures = evaluation["footprint"]
    own_seconds = footprint_figures["instance_seconds"]["evaluate"]
    assert footprint_figures["instance_seconds"] == {"prepare": 120.0, "train": 1200.0, "evaluate": own_seconds}
    assert 0 < own_seconds < 600
    expected = [
        estimate_job("ml.m7i.large", 1, 120 + own_seconds, REGION, billable_seconds=120 + own_seconds, volume_gb=10),
        estimate_job("ml.m7i.xlarge", 2, 600, REGION, billable_seconds=200, volume_gb=10),
    ]
    for name, metric in (("co2e_kg", "total"), ("cost_usd", "cost"), ("energy_kwh", "energy")):
        for key, end in (("low", "low"), ("value", "central"), ("high", "high")):
            total = sum(getattr(estimate.figures[metric], end) for estimate in expected)
            assert footprint_figures[name][key] == pytest.approx(total, rel=2e-3)
    details = card["additional_information"]["custom_details"]
    assert details["Environment: carbon of making this model"].startswith(
        f"{footprint_figures['co2e_kg']['value']:g} kgCO2e"
    )
    assert details["Environment: energy of making this model"].startswith(
        f"{footprint_figures['energy_kwh']['value']:g} kWh"
    )
    assert details["Training job"] == "j-1"
    assert all(isinstance(text, str) for text in details.values())


def test_an_instance_type_without_factors_is_rejected() -> None:
    with pytest.raises(InputError, match=r"has no factors of ml\.p5\.48xlarge in eu-north-1: add the instance type"):
        footprint.estimate_footprint(footprint.parse_training(["ml.p5.48xlarge", "1", "60", "60"]), REGION)


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "model.tar.gz cannot be read"), (b"no archive", "cannot be read"), (b"", "cannot be")],
)
def test_a_damaged_model_is_named(
    content: bytes | None, message: str, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if content is not None:
        (tmp_path / "model.tar.gz").write_bytes(content)
    with pytest.raises(SystemExit) as exit_info:
        run_evaluation(tmp_path, data, tmp_path / "out")
    output = capsys.readouterr()
    assert exit_info.value.code == 2
    assert output.err.count("\n") == 1
    assert message in output.err
    assert not (tmp_path / "out").exists()


def test_a_model_archive_cannot_write_outside_its_folder(archive: Path, tmp_path: Path) -> None:
    """An archive can be from somebody else: only files at its top are extracted."""
    with tarfile.open(tmp_path / "model.tar.gz", "w:gz") as content:
        for name in ("metadata.json", "trees.npz"):
            content.add(archive / "model" / name, arcname=name)
        evil = tarfile.TarInfo("../escaped")
        evil.size = 1
        content.addfile(evil, io.BytesIO(b"x"))
    evaluate.load_model(tmp_path)
    assert not list(tmp_path.parent.glob("escaped"))
