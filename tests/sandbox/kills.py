"""Kill a sandbox that keeps its state, under load, and see what the next start finds.

`python -m tests.sandbox.kills --times 10 --seed 7`
"""

import argparse
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
from tests.sandbox.support import IMAGE, make_role, until

#: What may be lost, in seconds before the kill.
MOST_LOST = 5.0
BUCKET, GROUP, FEATURES = "kept", "kept", "kept"

#: Number to the moment at which its write was answered, for each writer.
Written = dict[str, dict[int, float]]


class Load:
    """Writers of numbered things, each until the sandbox is gone.

    They write as many as a save takes along quickly on a slow machine, too: its length is no part of the promise.
    """

    def __init__(self, sandbox: Sandbox, start: dict[str, int]) -> None:
        self.written: Written = {name: {} for name in WRITERS}
        self._threads = [
            threading.Thread(target=self._run, args=(name, write(sandbox), start[name]))
            for name, write in WRITERS.items()
        ]
        for thread in self._threads:
            thread.start()

    def _run(self, name: str, write: Callable[[int], Any], start: int) -> None:
        with suppress(Exception):  # it is killed
            for number in range(start + 1, start + 1_000_000):
                write(number)
                self.written[name][number] = time.monotonic()
                time.sleep(0.02)

    def join(self) -> None:
        for thread in self._threads:
            thread.join()


def objects(sandbox: Sandbox) -> Callable[[int], Any]:
    s3 = sandbox.client("s3")
    return lambda number: s3.put_object(Bucket=BUCKET, Key=f"{number:06}", Body=f"body {number}".encode() * 100)


def packages(sandbox: Sandbox) -> Callable[[int], Any]:
    sagemaker, containers = sandbox.client("sagemaker"), {"Containers": [{"Image": IMAGE}]}
    return lambda _: sagemaker.create_model_package(ModelPackageGroupName=GROUP, InferenceSpecification=containers)


def records(sandbox: Sandbox) -> Callable[[int], Any]:
    store = sandbox.client("sagemaker-featurestore-runtime")

    def write(number: int) -> Any:
        values = {"id": str(number), "at": "2026-01-01T00:00:00Z"}
        record = [{"FeatureName": name, "ValueAsString": value} for name, value in values.items()]
        return store.put_record(FeatureGroupName=FEATURES, Record=record)

    return write


WRITERS = {"objects": objects, "packages": packages, "records": records}


def found(sandbox: Sandbox) -> dict[str, int]:
    """The highest number of each writer that is there; all below are there, too, and whole."""
    s3, sagemaker = sandbox.client("s3"), sandbox.client("sagemaker")
    store = sandbox.client("sagemaker-featurestore-runtime")
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
    keys = [one["Key"] for page in pages for one in page.get("Contents", [])]
    assert keys == [f"{number:06}" for number in range(1, len(keys) + 1)]
    for key in keys[-50:]:
        assert s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() == f"body {int(key)}".encode() * 100
    pages = sagemaker.get_paginator("list_model_packages").paginate(ModelPackageGroupName=GROUP)
    versions = [one["ModelPackageVersion"] for page in pages for one in page["ModelPackageSummaryList"]]
    assert versions == list(range(1, len(versions) + 1))
    last = 0
    while store.get_record(FeatureGroupName=FEATURES, RecordIdentifierValueAsString=str(last + 1)).get("Record"):
        last += 1
    return {"objects": len(keys), "packages": len(versions), "records": last}


def fill(sandbox: Sandbox) -> None:
    """What the writers write into."""
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
    until(lambda: sagemaker.describe_feature_group(FeatureGroupName=FEATURES)["FeatureGroupStatus"] == "Created")


def kill_under_load(state: Path, times: int, seed: int) -> float:
    """Kill it so often; the longest time in seconds whose writes were lost. AssertionError where that is too much."""
    chance, most = random.Random(seed), 0.0  # noqa: S311 no secret
    with Sandbox.start(state=state) as sandbox:
        fill(sandbox)
    for _ in range(times):
        sandbox = Sandbox.start(state=state)
        load = Load(sandbox, found(sandbox))
        time.sleep(chance.uniform(0.5, 8.0))
        killed = time.monotonic()
        os.kill(sandbox.pid, signal.SIGKILL)
        sandbox.stop()
        load.join()
        with Sandbox.start(state=state) as sandbox:
            kept = found(sandbox)
        for name, written in load.written.items():
            lost = [moment for number, moment in written.items() if number > kept[name]]
            most = max([most, *(killed - moment for moment in lost)])
            assert most <= MOST_LOST, (seed, name, most, kept)
    return most


def main() -> None:
    """Print the seed and what was lost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=10)
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))  # noqa: S311 no secret
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        most = kill_under_load(Path(folder), arguments.times, arguments.seed)
    print(f"{arguments.times} kills: consistent each time, at most the last {most:.1f} s lost")


if __name__ == "__main__":
    main()
