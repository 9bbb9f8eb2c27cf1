"""Digits: trained whole or interrupted to the same bytes, and served by numpy or by JAX with the same answers."""

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
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sustainable_mlops.jobs.specs.training import TrainingSpec
from sustainable_mlops.settings import load_yaml
from tests.workloads.digits.conftest import arguments, trained
from workloads.digits import compare_precision, inference, network, prepare, serve, train
from workloads.digits.network import InputError

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True, scope="module")
def sigterm() -> Iterator[None]:
    """Training takes SIGTERM over for its process, which here is pytest's."""
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def model_files(folder: Path) -> dict[str, bytes]:
    """All that goes into model.tar.gz."""
    model = folder / "model"
    return {str(path.relative_to(model)): path.read_bytes() for path in model.rglob("*") if path.is_file()}


def images(data: Path, part: str = "test") -> np.ndarray:
    """The images of a part."""
    return train.read_channel(part, data / part).images


def test_the_parts_are_all_the_digits_there_are_in_their_order(data: Path) -> None:
    every, labels = prepare.read_images()
    parts = [train.read_channel(part, data / part) for part in prepare.PARTS]
    np.testing.assert_array_equal(np.concatenate([part.images for part in parts]), every)
    np.testing.assert_array_equal(np.concatenate([part.labels for part in parts]), labels)
    assert every.max() == network.WHITE


def test_killed_after_any_epoch_it_ends_with_the_same_model(
    whole: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Killed(BaseException):
        """The process dies, as far as code can tell within it."""

    save = train.CheckpointFile.save
    for death in (1, 4):

        def dies(self: train.CheckpointFile, state: train.TrainingState, death: int = death) -> None:
            if state.epoch > death:
                raise Killed
            save(self, state)

        with monkeypatch.context() as patched:
            patched.setattr(train.CheckpointFile, "save", dies)
            with pytest.raises(Killed):
                trained(tmp_path / f"{death}", data)
        capsys.readouterr()
        assert model_files(trained(tmp_path / f"{death}", data)) == model_files(whole)
        assert f"resumed_from_epoch={death};" in capsys.readouterr().out


def test_a_new_process_trains_the_same_model_from_what_the_job_file_sends(
    whole: Path, data: Path, tmp_path: Path, root: Path
) -> None:
    job = load_yaml(root / "workloads" / "digits" / "job.yaml", TrainingSpec)
    code = tmp_path / "code"
    code.mkdir()
    for name in job.source.include:
        shutil.copy(root / "workloads" / "digits" / name, code)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    subprocess.run(
        [sys.executable, "train.py", *arguments(tmp_path, data)], cwd=code, env=environment, check=True, timeout=300
    )
    assert model_files(tmp_path) == model_files(whole)


def test_early_stopping_keeps_the_epoch_of_the_lowest_validation_loss(data: Path, tmp_path: Path) -> None:
    trained(tmp_path, data, epochs=60, patience=2, rate=0.03)
    report = json.loads((tmp_path / "metrics.json").read_text())
    losses = [one["validation:loss"] for one in report["history"]]
    assert report["epochs_kept"] == losses.index(min(losses)) + 1
    assert report["epochs"] == report["epochs_kept"] + 2 < 60
    kept = network.load_parameters(tmp_path / "model")
    validation = train.read_channel("validation", data / "validation")
    assert float(train.measure_network(kept, *validation)[0]) == pytest.approx(min(losses), rel=1e-5)


def test_sigterm_ends_the_epoch_and_saves_it(
    whole: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    epoch = train.train_epoch

    def signalled(state: train.TrainingState, *rest: Any) -> train.TrainingState:
        if state.epoch == 2:
            os.kill(os.getpid(), signal.SIGTERM)
        return epoch(state, *rest)

    with monkeypatch.context() as patched:
        patched.setattr(train, "train_epoch", signalled)
        with pytest.raises(SystemExit) as ended:
            trained(tmp_path, data)
    assert ended.value.code == 128 + signal.SIGTERM
    assert not (tmp_path / "model").exists()
    assert model_files(trained(tmp_path, data)) == model_files(whole)


def test_the_network_reads_digits_it_has_not_seen_also_in_int8(whole: Path, small: Path) -> None:
    found = [json.loads((folder / "metrics.json").read_text())["metrics"]["test:accuracy"] for folder in (whole, small)]
    assert min(found) > 0.85  # seven epochs; the nearest mean of each digit has 0.83
    assert abs(found[0] - found[1]) < 0.03


def test_the_comparison_tells_of_both_precisions(
    data: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compare_precision, "TIMES", 1)
    compare_precision.main([f"--data={data}", "--epochs=2"])
    rows = [line.strip("| ").split(" | ") for line in capsys.readouterr().out.splitlines() if line.startswith("| ")]
    assert [row[0] for row in rows[1:]] == ["float32, numpy", "float32, JAX", "int8, numpy", "int8, JAX"]
    size, accuracy, same, taken, kg = zip(*(row[1:] for row in rows[1:]), strict=True)
    assert size == ("39.7 kB", "39.7 kB", "10.3 kB", "10.3 kB")
    assert same[:2] == ("1.0000", "1.0000")
    assert accuracy[0] == accuracy[1]
    assert all(float(value) > 0 for value in (*taken, *kg))


def test_int8_takes_a_quarter_of_the_bytes_and_stays_exact(small: Path, whole: Path, data: Path) -> None:
    parameters, full = network.load_parameters(small / "model"), network.load_parameters(whole / "model")
    sizes = [sum(array.nbytes for array in one.values()) for one in (parameters, full)]
    assert sizes[0] < 0.27 * sizes[1]

    # Its products are whole: sums of integers give the same bits as the products of float32 matrices that it takes.
    def products(name: str, inputs: np.ndarray) -> None:
        whole_inputs = np.clip(np.rint(inputs / parameters[f"{name}.inputs"]), -127, 127).astype(np.int64)
        exact = whole_inputs @ parameters[f"{name}.weights"].astype(np.int64)
        assert np.abs(exact).max() < 2**24
        np.testing.assert_array_equal(
            network._multiply(parameters, name, inputs, np), exact.astype(np.float32) * parameters[f"{name}.scale"]
        )

    network.compute_logits(parameters, images(data), observe=products)
    for layer, (inputs, _) in network.LAYERS.items():
        assert parameters[f"{layer}.weights"].dtype == np.int8
        assert inputs * network.MAX_INT8**2 < 2**24


@pytest.mark.parametrize("form", ["whole", "small"])
def test_jax_and_numpy_answer_alike(form: str, request: pytest.FixtureRequest, data: Path) -> None:
    parameters = network.load_parameters(request.getfixturevalue(form) / "model")
    asked = images(data)[:70]  # two full blocks of the compiled network, and a part of one
    by_numpy, by_jax = network.compute_probabilities(parameters, asked), inference.compile_network(parameters)(asked)
    assert by_jax.shape == by_numpy.shape == (70, 10)
    np.testing.assert_allclose(by_numpy.sum(1), 1, atol=1e-5)
    # A rounding apart, an int8 input may fall to its other side.
    np.testing.assert_allclose(by_jax, by_numpy, atol=1e-5 if form == "whole" else 0.02)


def test_every_metric_of_the_job_files_is_found_in_the_log(
    data: Path, tmp_path: Path, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trained(tmp_path, data, epochs=1)
    log = capsys.readouterr().out
    for path in sorted((root / "workloads" / "digits").glob("job*.yaml")):
        job = load_yaml(path, TrainingSpec)
        for name, expression in job.metrics.items():
            assert re.findall(expression, log), f"{path.name}: {name} is not in the log"


def test_trainium_trains_with_the_hyperparameters_of_the_cpu_and_refuses_to_train_elsewhere(
    data: Path, tmp_path: Path, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cpu, trainium = (
        load_yaml(root / "workloads" / "digits" / f"{name}.yaml", TrainingSpec) for name in ("job", "job-trainium")
    )
    assert trainium.hyperparameters == cpu.hyperparameters | {"device": "neuron"}
    assert trainium.source.include == cpu.source.include
    options = train.parse_arguments(arguments(tmp_path, data, **cpu.hyperparameters))
    assert {name: getattr(options, name) for name in cpu.hyperparameters} == cpu.hyperparameters
    with pytest.raises(SystemExit) as ended:
        train.main(arguments(tmp_path, data, **trainium.hyperparameters))
    assert ended.value.code == 2
    assert "--device: JAX finds cpu here and not neuron" in capsys.readouterr().err
    assert not (tmp_path / "model").exists()


def refusal(capsys: pytest.CaptureFixture[str], *given: str) -> str:
    """The one line that train.py says when it refuses; exit code 2."""
    with pytest.raises(SystemExit) as ended:
        train.main(list(given))
    assert ended.value.code == 2
    [line] = capsys.readouterr().err.splitlines()
    return line


def test_wrong_data_arguments_and_checkpoints_are_named(
    whole: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    given = arguments(tmp_path, data)
    assert "--epochs: 0 is not an integer of at least 1" in refusal(capsys, *given, "--epochs=0")
    assert "channel train: nowhere/digits.npz cannot be read" in refusal(capsys, *given, "--train=nowhere")
    np.savez(tmp_path / "digits.npz", images=np.zeros((2, 9, 9)), labels=np.zeros(2))
    assert "holds no images of 8 x 8 with digits" in refusal(capsys, *given, f"--train={tmp_path}")
    shutil.copytree(whole / "checkpoints", tmp_path / "checkpoints")
    assert "is of another run: rate was 0.01 and is 0.02" in refusal(capsys, *given, "--rate=0.02")
    checkpoint = tmp_path / "checkpoints" / "epoch.npz"
    checkpoint.write_bytes(checkpoint.read_bytes()[:-100])
    assert "is damaged" in refusal(capsys, *given)
    monkeypatch.delenv("SM_CHANNEL_TRAIN", raising=False)
    assert refusal(capsys) == "error: no folder for train: give --train or set SM_CHANNEL_TRAIN"
    assert not (tmp_path / "model").exists()


def test_every_form_of_a_request_gets_the_same_answer(small: Path, data: Path) -> None:
    model = inference.model_fn(str(small / "model"))
    asked = images(data)[:12]

    def ask(body: str | bytes, kind: str = "application/json") -> Any:
        answer, _ = inference.output_fn(inference.predict_fn(inference.input_fn(body, kind), model), "*/*")
        return json.loads(answer)["predictions"]

    expected = ask(json.dumps(asked.tolist()))
    assert [one["digit"] for one in expected] == network.compute_logits(
        network.load_parameters(small / "model"), asked
    ).argmax(1).tolist()
    flat = asked.reshape(len(asked), -1).tolist()
    assert ask(json.dumps({"instances": flat}).encode()) == expected
    assert ask("\n".join(",".join(map(str, row)) for row in flat), "text/csv; charset=utf-8") == expected
    lines, kind = inference.output_fn(model(asked), "text/csv")
    assert (lines.splitlines()[0], kind) == (f"{expected[0]['digit']},{expected[0]['probability']}", "text/csv")


@pytest.mark.parametrize(
    ("body", "kind", "told"),
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
def test_a_wrong_request_is_refused_clearly(body: str | bytes, kind: str, told: str) -> None:
    with pytest.raises(InputError) as refused:
        inference.input_fn(body, kind)
    assert str(refused.value).startswith(told)


def test_a_broken_model_is_refused(whole: Path, tmp_path: Path) -> None:
    content = (whole / "model" / "model.npz").read_bytes()
    (tmp_path / "model.npz").write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError, match=f"no model of digits in {tmp_path}"):
        inference.model_fn(str(tmp_path))


def test_the_model_folder_serves_alone_with_numpy(small: Path, data: Path) -> None:
    script = (
        "import sys; sys.modules.update(dict.fromkeys(['jax', 'sklearn', 'scipy', 'pandas']));"
        "import inference as i; model = i.model_fn(sys.argv[1]);"
        "print(i.output_fn(i.predict_fn(i.input_fn(sys.stdin.read(), 'application/json'), model), 'text/csv')[0])"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script, str(small / "model")],
        cwd=small / "model" / "code",
        input=json.dumps(images(data)[:5].tolist()),
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    expected = network.compute_logits(network.load_parameters(small / "model"), images(data)[:5]).argmax(1)
    assert [int(line.partition(",")[0]) for line in ended.stdout.split()] == expected.tolist()


def test_the_server_of_the_image_keeps_sagemakers_contract(
    small: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", sys.path)
    monkeypatch.setenv("SAGEMAKER_SUBMIT_DIRECTORY", str(small / "model" / "code"))
    monkeypatch.setenv("SAGEMAKER_PROGRAM", "inference.py")
    running = serve.make_server(serve.import_script(), str(small / "model"), 0)
    threading.Thread(target=running.serve_forever, daemon=True).start()

    def ask(path: str, body: bytes | None = None, **headers: str) -> tuple[int, bytes]:
        address = f"http://127.0.0.1:{running.server_port}{path}"
        request = urllib.request.Request(address, body, {"Content-Type": "application/json"} | headers)
        try:
            with urllib.request.urlopen(request, timeout=300) as answer:  # noqa: S310
                return answer.status, answer.read()
        except urllib.error.HTTPError as refused:
            return refused.code, refused.read()

    try:
        assert ask("/ping")[0] == 200
        status, answer = ask("/invocations", json.dumps(images(data)[:3].tolist()).encode())
        assert (status, len(json.loads(answer)["predictions"])) == (200, 3)
        status, answer = ask("/invocations", json.dumps(images(data)[:3].tolist()).encode(), Accept="text/csv")
        assert len(answer.splitlines()) == 3
        assert ask("/invocations", b"[[1]]") == (400, b"image 1 must be 64 numbers, row by row")
        assert ask("/elsewhere", b"[]")[0] == 404
    finally:
        running.shutdown()
        running.server_close()
