"""Kills of a sandbox with a state folder under load, with a check of the restored state.

`python -m tests.sandbox.killed_sandbox --times 10 --seed 7`
"""

import argparse
import math
import os
import random
import signal
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from sagemaker_sandbox import Sandbox
from tests.sandbox.support import IMAGE, make_role, wait_until

#: Largest age of lost writes at the kill, in seconds.
MAX_LOST_SECONDS = 5.0
BUCKET, GROUP, FEATURES = "kept", "kept", "kept"

#: Moment of the response to each numbered write, by writer.
WriteTimes = dict[str, dict[int, float]]


class Load:
    """Threads that write numbered items until the sandbox is gone.

    The rate is low enough for a slow computer: the duration of a save is not part of the promise.
    """

    def __init__(self, sandbox: Sandbox, start: dict[str, int]) -> None:
        self.write_times: WriteTimes = {name: {} for name in WRITERS}
        self._threads = [
            threading.Thread(target=self._run, args=(name, write(sandbox), start[name]))
            for name, write in WRITERS.items()
        ]
        for thread in self._threads:
            thread.start()

    def _run(self, name: str, write: Callable[[int], Any], start: int) -> None:
        with suppress(Exception):  # the sandbox is killed
            for number in range(start + 1, start + 1_000_000):
                write(number)
                self.write_times[name][number] = time.monotonic()
                time.sleep(0.02)

    def join(self) -> None:
        for thread in self._threads:
            thread.join()


def create_object_writer(sandbox: Sandbox) -> Callable[[int], Any]:
    s3 = sandbox.client("s3")
    return lambda number: s3.put_object(Bucket=BUCKET, Key=f"{number:06}", Body=f"body {number}".encode() * 100)


def create_package_writer(sandbox: Sandbox) -> Callable[[int], Any]:
    sagemaker, containers = sandbox.client("sagemaker"), {"Containers": [{"Image": IMAGE}]}
    return lambda _: sagemaker.create_model_package(ModelPackageGroupName=GROUP, InferenceSpecification=containers)


def create_record_writer(sandbox: Sandbox) -> Callable[[int], Any]:
    store = sandbox.client("sagemaker-featurestore-runtime")

    def write(number: int) -> Any:
        values = {"id": str(number), "at": "2026-01-01T00:00:00Z"}
        record = [{"FeatureName": name, "ValueAsString": value} for name, value in values.items()]
        return store.put_record(FeatureGroupName=FEATURES, Record=record)

    return write


WRITERS = {"objects": create_object_writer, "packages": create_package_writer, "records": create_record_writer}


def read_last_numbers(sandbox: Sandbox) -> dict[str, int]:
    """Return the highest number of each writer in the sandbox.

    Every lower number must exist too, with its whole content.
    """
    s3, sagemaker = sandbox.client("s3"), sandbox.client("sagemaker")
    store = sandbox.client("sagemaker-featurestore-runtime")
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
    keys = [entry["Key"] for page in pages for entry in page.get("Contents", [])]
    assert keys == [f"{number:06}" for number in range(1, len(keys) + 1)]
    for key in keys[-50:]:
        assert s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() == f"body {int(key)}".encode() * 100
    pages = sagemaker.get_paginator("list_model_packages").paginate(ModelPackageGroupName=GROUP)
    versions = [entry["ModelPackageVersion"] for page in pages for entry in page["ModelPackageSummaryList"]]
    assert versions == list(range(1, len(versions) + 1))
    last = 0
    while store.get_record(FeatureGroupName=FEATURES, RecordIdentifierValueAsString=str(last + 1)).get("Record"):
        last += 1
    return {"objects": len(keys), "packages": len(versions), "records": last}


def create_targets(sandbox: Sandbox) -> None:
    """Create the bucket, the groups and the features that the writers write to."""
    sandbox.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": sandbox.region})
    sagemaker = sandbox.client("sagemaker")
    sagemaker.create_model_package_group(ModelPackageGroupName=GROUP)
    sagemaker.create_feature_group(
        FeatureGroupName=FEATURES,
        RecordIdentifierFeatureName="id",
        EventTimeFeatureName="at",
        RoleArn=make_role(sandbox),
        FeatureDefinitions=[{"FeatureName": name, "FeatureType": "String"} for name in ("id", "at")],
        OnlineStoreConfig={"EnableOnlineStore": True},
    )
    wait_until(lambda: sagemaker.describe_feature_group(FeatureGroupName=FEATURES)["FeatureGroupStatus"] == "Created")


def wait_for_saved_writes(load: Load, state: Path) -> dict[str, int]:
    """Wait until the first writes are saved, and return the last number of each writer among them."""
    wait_until(lambda: all(load.write_times.values()))
    numbers = {name: max(write_times) for name, write_times in load.write_times.items()}
    for _ in range(2):  # the first save may have begun before these writes
        wait_for_save(state / "state.pickle")
    return numbers


def wait_for_save(file: Path) -> None:
    """Wait until the sandbox replaces the file of its state."""
    saved_at = file.stat().st_mtime_ns
    wait_until(lambda: file.stat().st_mtime_ns != saved_at)


def kill_under_load(state: Path, times: int, seed: int, max_lost_seconds: float = math.inf) -> float:
    """Kill the sandbox `times` times, and return the largest age of a lost write in seconds.

    Raises AssertionError if the age is too large, or if a saved write is lost.
    """
    generator, max_lost = random.Random(seed), 0.0  # noqa: S311 no secret
    with Sandbox.start(state=state) as sandbox:
        create_targets(sandbox)
    for _ in range(times):
        sandbox = Sandbox.start(state=state)
        load = Load(sandbox, read_last_numbers(sandbox))
        saved_numbers = wait_for_saved_writes(load, state)
        time.sleep(generator.uniform(0.0, 4.0))
        kill_time = time.monotonic()
        os.kill(sandbox.pid, signal.SIGKILL)
        sandbox.stop()
        load.join()
        with Sandbox.start(state=state) as sandbox:
            last_numbers = read_last_numbers(sandbox)
        for name, write_times in load.write_times.items():
            lost = [moment for number, moment in write_times.items() if number > last_numbers[name]]
            max_lost = max([max_lost, *(kill_time - moment for moment in lost)])
            assert max_lost <= max_lost_seconds, (seed, name, max_lost, last_numbers)
            assert last_numbers[name] >= saved_numbers[name], (seed, saved_numbers, last_numbers)
    return max_lost


def main() -> None:
    """Print the seed and the losses."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=10)
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))  # noqa: S311 no secret
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        max_lost = kill_under_load(Path(folder), arguments.times, arguments.seed, MAX_LOST_SECONDS)
    print(f"{arguments.times} kills: consistent each time, at most the last {max_lost:.1f} s lost")


if __name__ == "__main__":
    main()
