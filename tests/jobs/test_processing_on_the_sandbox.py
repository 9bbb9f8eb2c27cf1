"""`smlops process` on the sandbox: real scripts on one instance and on several."""

import csv
import io
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.jobs.bench import Bench

pytestmark = pytest.mark.slow

#: Script that counts the flights of each airport per object, and names its output after the object.
SCRIPT = """
import argparse, csv, os, pathlib, sys
from names import NAMES

parser = argparse.ArgumentParser()
parser.add_argument("--least", type=int)
options = parser.parse_args()
inputs, outputs = pathlib.Path(os.environ["INPUT_DIR"]), pathlib.Path(os.environ["OUTPUT_DIR"])
for file in sorted((inputs / "flights").glob("*.csv")):
    with file.open() as opened:
        rows = [row for row in csv.DictReader(opened) if int(row["delay"]) >= options.least]
    with (outputs / "late" / file.name).open("w", newline="") as opened:
        writer = csv.writer(opened)
        writer.writerows([row["origin"], NAMES[row["origin"]], row["delay"]] for row in rows)
shares = outputs / "report" / f"{'_'.join(sorted(file.stem for file in (inputs / 'flights').glob('*.csv')))}.txt"
shares.write_text((inputs / "note" / "note.txt").read_text())
"""
JOB: dict[str, Any] = {
    "source": {"entry_point": "count.py", "include": ["count.py", "names.py"]},
    "image": "123456789012.dkr.ecr.eu-north-1.amazonaws.com/scikit-learn:1.4-2",
    "compute": {"instance_type": "ml.m5.large"},
    "limits": {"max_runtime_minutes": 10},
    "inputs": {"flights": {"data": "raw/flights/", "sharding": "by_key"}, "note": {"data": "raw/note.txt"}},
    "arguments": {"least": 15},
    "outputs": {"late": "re-creatable", "report": "runs"},
}


@pytest.fixture(autouse=True)
def flights(bench: Bench) -> None:
    """Write five objects of flights, and the script."""
    (bench.folder / "count.py").write_text(SCRIPT)
    (bench.folder / "names.py").write_text("NAMES = {'EWR': 'Newark', 'JFK': 'Kennedy'}\n")
    for month in range(5):
        list_rows = "".join(f"{('EWR', 'JFK')[day % 2]},{(day * 7 + month) % 40}\n" for day in range(30))
        bench.put(f"raw/flights/{month}.csv", f"origin,delay\n{list_rows}".encode())
    bench.put("raw/note.txt", b"for all")


def list_rows(bench: Bench, record: dict[str, Any]) -> list[list[str]]:
    files = bench.read_objects(record["outputs"]["late"]).values()
    return sorted(row for content in files for row in csv.reader(io.StringIO(content.decode())))


def test_one_two_and_four_shards_give_equal_rows_and_no_run_is_repeated(bench: Bench) -> None:
    records = {}
    for shards in (1, 2, 4):
        bench.write_file("prepare.yaml", JOB, compute={"instance_count": shards})
        answer = bench.launch("process", "prepare.yaml")
        assert (answer["outcome"], answer["record"]["status"]) == ("processed", "Completed")
        records[shards] = answer["record"]
        reports = bench.read_objects(answer["record"]["outputs"]["report"])
        assert (len(reports), set(reports.values())) == (shards, {b"for all"})
    assert len(list_rows(bench, records[1])) > 50
    assert list_rows(bench, records[1]) == list_rows(bench, records[2]) == list_rows(bench, records[4])
    seconds = records[4]["figures"]
    assert seconds["instance_seconds"]["value"] == pytest.approx(4 * seconds["processing_seconds"]["value"])

    repeated = bench.launch("process", "prepare.yaml")
    assert (repeated["outcome"], repeated["record"]["job_name"]) == ("done", records[4]["job_name"])
    forced = bench.launch("process", "prepare.yaml", "--force")["record"]
    assert forced["outputs"]["late"] != records[4]["outputs"]["late"]
    assert list_rows(bench, forced) == list_rows(bench, records[4])

    bench.put("raw/note.txt", b"for nobody")
    assert bench.launch("process", "prepare.yaml")["outcome"] == "processed"
    names = bench.sandbox.client("sagemaker").list_processing_jobs(NameContains=bench.name)["ProcessingJobSummaries"]
    assert len(names) == 5


def test_a_dry_run_shows_the_request_and_leaves_nothing_behind(bench: Bench) -> None:
    bench.write_file("prepare.yaml", JOB)
    completed = bench.run("process", "prepare.yaml", "--dry-run")
    assert completed.returncode == 0, completed.stderr
    assert "ShardedByS3Key" in completed.stdout
    assert re.search(f"output late +s3://{bench.name}-data/re-creatable/", completed.stdout)
    answer = json.loads(bench.run("process", "prepare.yaml", "--dry-run", "--json").stdout)
    assert answer["decision"] == "start"
    assert answer["estimate"]["figures"]["co2e"]["value"] > 0
    assert bench.sandbox.client("s3").list_objects_v2(Bucket=f"{bench.name}-artifacts")["KeyCount"] == 0


def test_the_same_command_follows_a_job_launched_without_waiting(bench: Bench) -> None:
    hold = bench.folder / "hold"
    hold.touch()
    wait = f"import os, time\nwhile os.path.exists({str(hold)!r}):\n    time.sleep(0.05)\n"
    (bench.folder / "count.py").write_text(wait + SCRIPT)
    bench.write_file("prepare.yaml", JOB)
    first, second = (bench.launch("process", "prepare.yaml", "--no-wait") for _ in range(2))
    assert first["record"]["job_name"] == second["record"]["job_name"]
    hold.unlink()
    followed = bench.launch("process", "prepare.yaml")["record"]
    assert (followed["job_name"], followed["status"]) == (first["record"]["job_name"], "Completed")


def test_a_job_that_fails_ends_with_its_reason_and_code_1(bench: Bench) -> None:
    (bench.folder / "count.py").write_text("import sys; sys.exit('no flights today')")
    bench.write_file("prepare.yaml", JOB)
    completed = bench.run("process", "prepare.yaml")
    assert completed.returncode == 1
    last = completed.stderr.splitlines()[-1]
    assert last.startswith(f"error: processing job {bench.name}-")
    assert "Failed: AlgorithmError" in last
    assert "no flights today" in last
    assert "Traceback" not in completed.stderr


def test_the_flights_of_the_workload_are_prepared_as_on_this_computer(bench: Bench, root: Path, tmp_path: Path) -> None:
    """Run the workload's own script with its data set as a processing job."""
    workload = root / "workloads" / "flight_delay"
    code = ("prepare.py", "raw.py", "features.py", "job_instance.py")
    start = "import os, pathlib, subprocess, sys\n" + (
        "here, out = pathlib.Path(__file__).parent, pathlib.Path(os.environ['OUTPUT_DIR']) / 'flights'\n"
        "sys.exit(subprocess.call([sys.executable, str(here / 'prepare.py'), '--out', str(out)]))\n"
    )
    for script in code:
        (bench.folder / script).write_bytes((workload / script).read_bytes())
    (bench.folder / "start.py").write_text(start)
    bench.write_file(
        "flights.yaml",
        JOB,
        source={"entry_point": "start.py", "include": ["start.py", *code]},
        inputs={"flights": {"sharding": "replicated"}},
        arguments=...,
        outputs={"late": ..., "report": ..., "flights": "re-creatable"},
    )
    record = bench.launch("process", "flights.yaml")["record"]
    completed = subprocess.run(
        [sys.executable, str(workload / "prepare.py"), "--out", str(tmp_path / "here")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert completed.returncode == 0, completed.stderr
    local_files = {
        path.relative_to(tmp_path / "here").as_posix(): path.read_bytes()
        for path in (tmp_path / "here").rglob("*.parquet")
    }
    job_files = bench.read_objects(record["outputs"]["flights"])
    assert len(local_files) >= 3
    assert {name: job_files[name] for name in local_files} == local_files
