"""Digits: training with and without interruptions, and serving with numpy and with JAX."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from sustainable_mlops.base.settings import load_yaml
from sustainable_mlops.jobs.specs.training import TrainingSpec
from tests.cases import check_cases
from tests.lazy_imports import LazyModule
from tests.workloads.digits.conftest import make_arguments, train_network
from tests.workloads.model_files import read_model_files
from workloads.digits import inference, network, prepare, serve
from workloads.digits.network import InputError

if TYPE_CHECKING:
    from workloads.digits import compare_precision, train
else:  # import JAX
    compare_precision, train = map(LazyModule, ("workloads.digits.compare_precision", "workloads.digits.train"))

pytestmark = pytest.mark.slow


def read_images(data: Path, part: str = "test") -> np.ndarray:
    """Return the images of a part."""
    return train.read_channel(part, data / part).images


def test_the_parts_contain_all_digits_in_order(data: Path) -> None:
    every, labels = prepare.read_images()
    parts = [train.read_channel(part, data / part) for part in prepare.PARTS]
    np.testing.assert_array_equal(np.concatenate([part.images for part in parts]), every)
    np.testing.assert_array_equal(np.concatenate([part.labels for part in parts]), labels)
    assert every.max() == network.WHITE


def test_a_training_killed_after_any_epoch_gives_the_same_model(
    uninterrupted: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class TrainingKilled(BaseException):
        """End of the process, as the code inside it sees it."""

    save = train.CheckpointFile.save
    for last_epoch in (1, 4):

        def kill_after_death(
            self: train.CheckpointFile, state: train.TrainingState, last_epoch: int = last_epoch
        ) -> None:
            if state.epoch > last_epoch:
                raise TrainingKilled
            save(self, state)

        with monkeypatch.context() as patched:
            patched.setattr(train.CheckpointFile, "save", kill_after_death)
            with pytest.raises(TrainingKilled):
                train_network(tmp_path / f"{last_epoch}", data)
        capsys.readouterr()
        assert read_model_files(train_network(tmp_path / f"{last_epoch}", data)) == read_model_files(uninterrupted)
        assert f"resumed_from_epoch={last_epoch};" in capsys.readouterr().out


def test_the_files_of_the_job_file_train_the_same_model_in_a_new_process(
    uninterrupted: Path, data: Path, tmp_path: Path, root: Path
) -> None:
    job = load_yaml(root / "workloads" / "digits" / "job.yaml", TrainingSpec)
    code = tmp_path / "code"
    code.mkdir()
    for name in job.source.include:
        shutil.copy(root / "workloads" / "digits" / name, code)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    subprocess.run(
        [sys.executable, "train.py", *make_arguments(tmp_path, data)],
        cwd=code,
        env=environment,
        check=True,
        timeout=300,
    )
    assert read_model_files(tmp_path) == read_model_files(uninterrupted)


def test_early_stopping_keeps_the_epoch_of_the_lowest_validation_loss(data: Path, tmp_path: Path) -> None:
    train_network(tmp_path, data, epochs=60, patience=2, rate=0.03)
    report = json.loads((tmp_path / "metrics.json").read_text())
    losses = [array_by_name["validation:loss"] for array_by_name in report["history"]]
    assert report["epochs_kept"] == losses.index(min(losses)) + 1
    assert report["epochs"] == report["epochs_kept"] + 2 < 60
    parameters = network.load_parameters(tmp_path / "model")
    validation = train.read_channel("validation", data / "validation")
    assert float(train.measure_network(parameters, *validation)[0]) == pytest.approx(min(losses), rel=1e-5)


def test_sigterm_ends_the_epoch_with_a_checkpoint(
    uninterrupted: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    epoch = train.train_epoch

    def send_sigterm(state: train.TrainingState, *rest: Any) -> train.TrainingState:
        if state.epoch == 2:
            os.kill(os.getpid(), signal.SIGTERM)
        return epoch(state, *rest)

    with monkeypatch.context() as patched:
        patched.setattr("workloads.digits.train.train_epoch", send_sigterm)
        with pytest.raises(SystemExit) as exit_info:
            train_network(tmp_path, data)
    assert exit_info.value.code == 128 + signal.SIGTERM
    assert not (tmp_path / "model").exists()
    assert read_model_files(train_network(tmp_path, data)) == read_model_files(uninterrupted)


def test_the_network_reads_unseen_digits_in_float32_and_int8(uninterrupted: Path, quantized: Path) -> None:
    accuracies = [
        json.loads((folder / "metrics.json").read_text())["metrics"]["test:accuracy"]
        for folder in (uninterrupted, quantized)
    ]
    assert min(accuracies) > 0.85  # seven epochs; the nearest mean of each digit has 0.83
    assert abs(accuracies[0] - accuracies[1]) < 0.03


def test_the_comparison_has_both_precisions(
    data: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workloads.digits.compare_precision.TIMES", 1)
    compare_precision.main([f"--data={data}", "--epochs=2"])
    rows = [line.strip("| ").split(" | ") for line in capsys.readouterr().out.splitlines() if line.startswith("| ")]
    assert [row[0] for row in rows[1:]] == ["float32, numpy", "float32, JAX", "int8, numpy", "int8, JAX"]
    size, accuracy, same_digits, seconds, kg = zip(*(row[1:] for row in rows[1:]), strict=True)
    assert size == ("39.7 kB", "39.7 kB", "10.3 kB", "10.3 kB")
    assert same_digits[:2] == ("1.0000", "1.0000")
    assert accuracy[0] == accuracy[1]
    assert all(float(value) > 0 for value in (*seconds, *kg))


def test_int8_needs_a_quarter_of_the_bytes_and_is_exact(quantized: Path, uninterrupted: Path, data: Path) -> None:
    parameters, full = network.load_parameters(quantized / "model"), network.load_parameters(uninterrupted / "model")
    sizes = [sum(array.nbytes for array in array_by_name.values()) for array_by_name in (parameters, full)]
    assert sizes[0] < 0.27 * sizes[1]

    # Its products are whole: sums of integers give the same bits as the products of float32 matrices that it takes.
    def check_products(name: str, inputs: np.ndarray) -> None:
        whole_inputs = np.clip(np.rint(inputs / parameters[f"{name}.inputs"]), -127, 127).astype(np.int64)
        exact = whole_inputs @ parameters[f"{name}.weights"].astype(np.int64)
        assert np.abs(exact).max() < 2**24
        np.testing.assert_array_equal(
            network._multiply(parameters, name, inputs, np), exact.astype(np.float32) * parameters[f"{name}.scale"]
        )

    network.compute_logits(parameters, read_images(data), observe=check_products)
    for layer, (inputs, _) in network.LAYERS.items():
        assert parameters[f"{layer}.weights"].dtype == np.int8
        assert inputs * network.MAX_INT8**2 < 2**24


@pytest.mark.parametrize("form", ["uninterrupted", "quantized"])
def test_jax_and_numpy_give_the_same_probabilities(form: str, request: pytest.FixtureRequest, data: Path) -> None:
    parameters = network.load_parameters(request.getfixturevalue(form) / "model")
    test_images = read_images(data)[:70]  # two full blocks of the compiled network, and a part of one
    by_numpy, by_jax = (
        network.compute_probabilities(parameters, test_images),
        inference.compile_network(parameters)(test_images),
    )
    assert by_jax.shape == by_numpy.shape == (70, 10)
    np.testing.assert_allclose(by_numpy.sum(1), 1, atol=1e-5)
    # A rounding apart, an int8 input may fall to its other side.
    np.testing.assert_allclose(by_jax, by_numpy, atol=1e-5 if form == "uninterrupted" else 0.02)


def test_every_metric_of_the_job_files_is_found_in_the_log(
    data: Path, tmp_path: Path, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train_network(tmp_path, data, epochs=1)
    log = capsys.readouterr().out
    for path in sorted((root / "workloads" / "digits").glob("job*.yaml")):
        job = load_yaml(path, TrainingSpec)
        for name, expression in job.metrics.items():
            assert re.findall(expression, log), f"{path.name}: {name} is not in the log"


def test_trainium_has_the_hyperparameters_of_the_cpu_and_needs_its_device(
    data: Path, tmp_path: Path, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cpu, trainium = (
        load_yaml(root / "workloads" / "digits" / f"{name}.yaml", TrainingSpec) for name in ("job", "job-trainium")
    )
    assert trainium.hyperparameters == cpu.hyperparameters | {"device": "neuron"}
    assert trainium.source.include == cpu.source.include
    options = train.parse_arguments(make_arguments(tmp_path, data, **cpu.hyperparameters))
    assert {name: getattr(options, name) for name in cpu.hyperparameters} == cpu.hyperparameters
    with pytest.raises(SystemExit) as exit_info:
        train.main(make_arguments(tmp_path, data, **trainium.hyperparameters))
    assert exit_info.value.code == 2
    assert "--device: JAX finds cpu here and not neuron" in capsys.readouterr().err
    assert not (tmp_path / "model").exists()


def read_error(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Return the one line that train.py prints when it exits with code 2."""
    with pytest.raises(SystemExit) as exit_info:
        train.main(list(arguments))
    assert exit_info.value.code == 2
    [line] = capsys.readouterr().err.splitlines()
    return line


def test_wrong_data_arguments_and_checkpoints_are_named(
    uninterrupted: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = make_arguments(tmp_path, data)
    assert "--epochs: 0 is not an integer of at least 1" in read_error(capsys, *arguments, "--epochs=0")
    assert "channel train: nowhere/digits.npz cannot be read" in read_error(capsys, *arguments, "--train=nowhere")
    np.savez(tmp_path / "digits.npz", images=np.zeros((2, 9, 9)), labels=np.zeros(2))
    assert "holds no images of 8 x 8 with digits" in read_error(capsys, *arguments, f"--train={tmp_path}")
    shutil.copytree(uninterrupted / "checkpoints", tmp_path / "checkpoints")
    assert "is of another run: rate was 0.01 and is 0.02" in read_error(capsys, *arguments, "--rate=0.02")
    checkpoint = tmp_path / "checkpoints" / "epoch.npz"
    checkpoint.write_bytes(checkpoint.read_bytes()[:-100])
    assert "is damaged" in read_error(capsys, *arguments)
    monkeypatch.delenv("SM_CHANNEL_TRAIN", raising=False)
    assert read_error(capsys) == "error: no folder for train: give --train or set SM_CHANNEL_TRAIN"
    assert not (tmp_path / "model").exists()


def test_every_form_of_a_request_gets_the_same_response(quantized: Path, data: Path) -> None:
    model = inference.model_fn(str(quantized / "model"))
    test_images = read_images(data)[:12]

    def send_request(body: str | bytes, kind: str = "application/json") -> Any:
        response, _ = inference.output_fn(inference.predict_fn(inference.input_fn(body, kind), model), "*/*")
        return json.loads(response)["predictions"]

    expected = send_request(json.dumps(test_images.tolist()))
    assert [array_by_name["digit"] for array_by_name in expected] == network.compute_logits(
        network.load_parameters(quantized / "model"), test_images
    ).argmax(1).tolist()
    flat = test_images.reshape(len(test_images), -1).tolist()
    assert send_request(json.dumps({"instances": flat}).encode()) == expected
    assert send_request("\n".join(",".join(map(str, row)) for row in flat), "text/csv; charset=utf-8") == expected
    lines, kind = inference.output_fn(model(test_images), "text/csv")
    assert (lines.splitlines()[0], kind) == (f"{expected[0]['digit']},{expected[0]['probability']}", "text/csv")


@check_cases(
    ("body", "kind", "message"),
    [
        ("[]", "application/json", "the request holds no image"),
        ("{", "application/json", "the request is not JSON"),
        ('{"images": []}', "application/json", "the request must be a list of images or"),
        ("[[1, 2]]", "application/json", "image 1 must be 64 numbers"),
        (json.dumps([[0] * 64, [17] * 64]), "application/json", "image 2: a pixel must be a whole number from 0 to 16"),
        (json.dumps([[0.5] * 64]), "application/json", "image 1: a pixel must be a whole number"),
        (json.dumps([["x"] * 64]), "application/json", "image 1 must be 64 numbers"),
        (b"\xff", "text/csv", "the request is not UTF-8 text"),
        ("[]", "application/x-npy", "content type application/x-npy is not served"),
    ],
)
def test_an_invalid_request_is_rejected_with_the_reason(body: str | bytes, kind: str, message: str) -> None:
    with pytest.raises(InputError) as error:
        inference.input_fn(body, kind)
    assert str(error.value).startswith(message)


def test_a_damaged_model_is_rejected(uninterrupted: Path, tmp_path: Path) -> None:
    content = (uninterrupted / "model" / "model.npz").read_bytes()
    (tmp_path / "model.npz").write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError, match=f"no model of digits in {tmp_path}"):
        inference.model_fn(str(tmp_path))


def test_the_model_folder_serves_with_numpy_only(quantized: Path, data: Path) -> None:
    script = (
        "import sys; sys.modules.update(dict.fromkeys(['jax', 'sklearn', 'scipy', 'pandas']));"
        "import inference as i; model = i.model_fn(sys.argv[1]);"
        "print(i.output_fn(i.predict_fn(i.input_fn(sys.stdin.read(), 'application/json'), model), 'text/csv')[0])"
    )
    exit_info = subprocess.run(
        [sys.executable, "-c", script, str(quantized / "model")],
        cwd=quantized / "model" / "code",
        input=json.dumps(read_images(data)[:5].tolist()),
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    expected = network.compute_logits(network.load_parameters(quantized / "model"), read_images(data)[:5]).argmax(1)
    assert [int(line.partition(",")[0]) for line in exit_info.stdout.split()] == expected.tolist()


def test_the_server_of_the_image_implements_sagemakers_contract(
    quantized: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", sys.path)
    monkeypatch.setenv("SAGEMAKER_SUBMIT_DIRECTORY", str(quantized / "model" / "code"))
    monkeypatch.setenv("SAGEMAKER_PROGRAM", "inference.py")
    server = serve.make_server(serve.import_script(), str(quantized / "model"), 0)
    threading.Thread(target=server.serve_forever, daemon=True).start()

    def send_request(path: str, body: bytes | None = None, **headers: str) -> tuple[int, bytes]:
        address = f"http://127.0.0.1:{server.server_port}{path}"
        request = urllib.request.Request(address, body, {"Content-Type": "application/json"} | headers)
        try:
            with urllib.request.urlopen(request, timeout=300) as response:  # noqa: S310
                return response.status, response.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    try:
        assert send_request("/ping")[0] == 200
        status, response = send_request("/invocations", json.dumps(read_images(data)[:3].tolist()).encode())
        assert (status, len(json.loads(response)["predictions"])) == (200, 3)
        status, response = send_request(
            "/invocations", json.dumps(read_images(data)[:3].tolist()).encode(), Accept="text/csv"
        )
        assert len(response.splitlines()) == 3
        assert send_request("/invocations", b"[[1]]") == (400, b"image 1 must be 64 numbers, row by row")
        assert send_request("/elsewhere", b"[]")[0] == 404
    finally:
        server.shutdown()
        server.server_close()
