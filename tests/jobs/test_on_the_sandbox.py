"""Training commands on the sandbox: real jobs that are interrupted, killed and resumed."""

import json
import os
import re
import signal
import subprocess
import sys

import pytest

from sustainable_mlops.aws.s3 import S3Uri
from tests.jobs.bench import Bench

pytestmark = pytest.mark.slow

#: Training script: each round hashes the result of the round before, so the model shows lost or repeated rounds.
SCRIPT = """
import argparse, hashlib, os, pathlib, time

parser = argparse.ArgumentParser()
parser.add_argument("--rounds", type=int)
parser.add_argument("--pid_file")
parser.add_argument("--hold")  # there, it goes no further than half of its rounds; resuming takes it away
options = parser.parse_args()
if options.pid_file:
    pathlib.Path(options.pid_file).write_text(str(os.getpid()))
checkpoints = pathlib.Path(os.environ["CHECKPOINT_DIR"])
state = b"".join(path.read_bytes() for path in sorted(pathlib.Path(os.environ["SM_CHANNEL_TRAIN"]).iterdir()))
done = max((int(path.stem) for path in checkpoints.glob("*.state")), default=0)
if done:
    state = (checkpoints / f"{done:03}.state").read_bytes()
    if options.hold:
        pathlib.Path(options.hold).unlink(missing_ok=True)
print(f"resumed_from={done}", flush=True)
for number in range(done + 1, options.rounds + 1):
    state = hashlib.sha256(state).digest()
    partial = checkpoints / ".partial"  # by which name nothing is uploaded
    partial.write_bytes(state)
    partial.rename(checkpoints / f"{number:03}.state")
    print(f"round={number}", flush=True)
    time.sleep(0.15)
    while number == options.rounds // 2 and options.hold and os.path.exists(options.hold):
        time.sleep(0.05)
(pathlib.Path(os.environ["SM_MODEL_DIR"]) / "model").write_bytes(state)
"""


@pytest.fixture(autouse=True)
def script(bench: Bench) -> None:
    """Write the script of the jobs."""
    (bench.folder / "train.py").write_text(SCRIPT)


def test_an_interrupted_job_resumes_is_not_trained_twice_and_is_registered_once(bench: Bench) -> None:
    hold = bench.folder / "hold"
    hold.touch()
    bench.write(hyperparameters={"hold": str(hold)})
    bench.sandbox.fault("CreateTrainingJob", error="SpotInterruption", after_checkpoints=3, resource=bench.name)
    first = bench.train()
    record = first["record"]
    assert (first["outcome"], record["status"], record["interruptions"]) == ("trained", "Completed", 1)
    assert 0 < record["metrics"]["resumed_from"] <= 14
    assert record["metrics"]["round"] == 14
    billable, training = (record["figures"][name]["value"] for name in ("billable_seconds", "training_seconds"))
    assert 0 < billable <= training
    stored = json.loads((bench.folder / "out" / "runs" / f"{record['job_name']}.json").read_text())
    assert stored == record

    repeated = bench.train()
    assert (repeated["outcome"], repeated["record"]["job_name"]) == ("done", record["job_name"])

    forced = bench.train("--force")
    assert forced["record"]["metrics"]["resumed_from"] == 0
    assert bench.read_model(forced["record"]) == bench.read_model(record)

    packages = [
        json.loads(bench.run("register", record["job_name"], "--json", *approval).stdout)
        for approval in ([], ["--approve", "--reason", "all rounds done"])
    ]
    assert packages[0]["model_package_arn"] == packages[1]["model_package_arn"]
    assert [(package["created"], package["status"]) for package in packages] == [
        (True, "PendingManualApproval"),
        (False, "Approved"),
    ]

    other = f"{bench.name}-breast-cancer"
    bench.sandbox.client("sagemaker").create_model_package_group(ModelPackageGroupName=other)
    refused = bench.run("register", record["job_name"], "--group", other, "--approve", "--reason", "it is good")
    assert (refused.returncode, len(refused.stderr.splitlines())) == (2, 1)
    assert f"--group: {other} belongs to another workload" in refused.stderr
    packages_of_other = bench.sandbox.client("sagemaker").list_model_packages(ModelPackageGroupName=other)
    assert packages_of_other["ModelPackageSummaryList"] == []


def test_after_sigkill_the_next_launch_resumes_and_gives_the_same_model(bench: Bench) -> None:
    pid_file, hold = bench.folder / "pid", bench.folder / "hold"
    hold.touch()
    bench.write(hyperparameters={"pid_file": str(pid_file), "hold": str(hold), "rounds": 6})
    launched = bench.train("--no-wait")
    assert launched["outcome"] == "launched"
    name, s3, sagemaker = launched["record"]["job_name"], bench.sandbox.client("s3"), bench.sandbox.client("sagemaker")
    bucket, prefix = S3Uri.parse(launched["record"]["checkpoints"])

    def list_uploads() -> list[str]:
        return [item["Key"] for item in s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])]

    bench.wait_until(
        lambda: any(key.endswith("/003.state") for key in list_uploads())
    )  # half of the rounds, where the script waits
    os.kill(int(pid_file.read_text()), signal.SIGKILL)
    hold.unlink()
    bench.wait_until(lambda: sagemaker.describe_training_job(TrainingJobName=name)["TrainingJobStatus"] == "Failed")

    second = bench.train()["record"]
    assert second["run_key"] == launched["record"]["run_key"]
    assert second["metrics"]["resumed_from"] == 3

    bench.write(hyperparameters={"rounds": 6})
    uninterrupted = bench.train()["record"]
    assert uninterrupted["metrics"]["resumed_from"] == 0
    assert bench.read_model(second) == bench.read_model(uninterrupted)


def test_a_job_that_fails_ends_with_its_reason_and_code_1(bench: Bench) -> None:
    (bench.folder / "train.py").write_text("raise SystemExit('no flights today')")
    bench.write()
    completed = bench.run("train", "job.yaml")
    assert completed.returncode == 1
    assert "Failed: AlgorithmError" in completed.stderr
    assert "no flights today" in completed.stderr.splitlines()[-1]
    assert "Traceback" not in completed.stderr


def test_a_launch_retries_throttling_and_reports_a_failure_of_the_service(bench: Bench) -> None:
    bench.write()
    bench.sandbox.fault("CreateTrainingJob", error="ThrottlingException", resource=bench.name)
    bench.sandbox.fault("CreateTrainingJob", error="InternalServerError", message="Try again.", resource=bench.name)
    completed = bench.run("train", "job.yaml")
    assert [fault for fault in bench.sandbox.faults() if fault.resource == bench.name] == []
    assert completed.returncode == 1
    assert "Failed: InternalServerError: Try again." in completed.stderr
    assert bench.train()["record"]["status"] == "Completed"


def test_ctrl_c_leaves_the_job_running_and_the_same_command_follows_it(bench: Bench) -> None:
    hold = bench.folder / "hold"
    hold.touch()
    bench.write(hyperparameters={"rounds": 2, "hold": str(hold)})

    def start_following() -> "subprocess.Popen[str]":
        """Start the command and return it when it reports the running job."""
        process = subprocess.Popen(
            [sys.executable, str(bench.root / "scripts" / "smlops.py"), "train", "job.yaml"],
            cwd=bench.folder,
            env=bench.sandbox.process_environment(),
            stderr=subprocess.PIPE,
            text=True,
            # A shell makes its background processes ignore Ctrl-C, and these tests may run in the background.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        assert process.stderr is not None
        assert any("InProgress" in line for line in process.stderr)
        return process

    first = start_following()
    first.send_signal(signal.SIGINT)
    messages = first.communicate()[1]
    assert first.returncode == 130
    assert "continues" in messages
    assert "aws sagemaker stop-training-job --training-job-name" in messages
    second = start_following()
    hold.unlink()
    second.communicate()
    assert second.returncode == 0
    (record,) = bench.folder.glob("out/runs/*.json")
    assert json.loads(record.read_text())["status"] == "Completed"
    assert (
        len(bench.sandbox.client("sagemaker").list_training_jobs(NameContains=bench.name)["TrainingJobSummaries"]) == 1
    )


def test_a_dry_run_shows_the_request_and_leaves_nothing_behind(bench: Bench) -> None:
    bench.write()
    completed = bench.run("train", "job.yaml", "--dry-run")
    assert completed.returncode == 0, completed.stderr
    assert "EnableManagedSpotTraining" in completed.stdout
    answer = json.loads(bench.run("train", "job.yaml", "--dry-run", "--json").stdout)
    assert (answer["decision"], answer["request"]["EnableNetworkIsolation"]) == ("start", True)
    assert answer["estimate"]["duration"]["source"].startswith("from a start of 4.0 s, 7 bytes of data, 14 rounds")
    assert answer["estimate"]["figures"]["co2e"]["unit"] == "kgCO2e"
    assert re.search(r"co2e +[0-9.]+ m?gCO2e \([0-9.]+ to [0-9.]+\), estimated", completed.stdout)
    artifacts = bench.sandbox.client("s3").list_objects_v2(Bucket=f"{bench.name}-artifacts")
    assert artifacts["KeyCount"] == 0
    jobs = bench.sandbox.client("sagemaker").list_training_jobs(NameContains=bench.name)
    assert jobs["TrainingJobSummaries"] == []


def test_a_launch_prints_its_estimate_first_and_the_next_estimate_uses_its_record(bench: Bench) -> None:
    bench.write(hyperparameters={"rounds": 2})
    # Keep the job InProgress long enough for the launcher to read that status.
    bench.sandbox.fault("CreateTrainingJob", status_delay=15, resource=bench.name)
    completed = bench.run("train", "job.yaml")
    assert completed.returncode == 0, completed.stderr
    assert completed.stderr.index("assumed: from a start of 4.0 s") < completed.stderr.index("InProgress")
    (record,) = (bench.folder / "out" / "runs").iterdir()
    repeated = bench.train("--force")
    assert repeated["estimate"]["duration"]["basis"] == "estimated"
    assert record.stem in repeated["estimate"]["duration"]["source"]
    assert bench.train()["estimate"] is None


def test_a_probe_measures_a_tenth_of_the_rounds_and_estimates_the_whole_job(bench: Bench) -> None:
    bench.write(hyperparameters={"rounds": 30})
    answer = bench.train("--probe")
    probe, duration = answer["record"], answer["estimate"]["duration"]
    assert (answer["outcome"], probe["status"], probe["hyperparameters"]) == ("probed", "Completed", {"rounds": 3})
    assert (duration["basis"], probe["job_name"] in duration["source"]) == ("estimated", True)
    assert duration["value"] >= probe["figures"]["training_seconds"]["value"]
    jobs = bench.sandbox.client("sagemaker").list_training_jobs(NameContains=bench.name)["TrainingJobSummaries"]
    assert [job["TrainingJobName"] for job in jobs] == [probe["job_name"]], "the whole job does not run"
    text = bench.run("train", "job.yaml", "--probe")
    assert f"expected after the probe {probe['job_name']}:" in text.stdout, text.stderr
    refused = bench.run("train", "job.yaml", "--probe", "--no-wait")
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)

    refused = bench.run("train", "job.yaml", "--force", "--out", "job.yaml")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr == "error: --out: job.yaml/runs cannot be created: Not a directory; pass another folder\n"
