"""Recorded load tests: the figures that every inference recommendation job answers with.

No load is generated. `recorded.csv` has the figures of some instance types, of any other instance, and of a serverless
endpoint, each with its source. They do not depend on the model. Costs are the catalogue's prices.
"""

import csv
import functools
import math
from dataclasses import dataclass
from pathlib import Path

from sagemaker_sandbox.resources.resources import Fields
from sustainable_mlops.catalogue import instances, prices, tables

_TABLE = Path(__file__).with_name("recorded.csv")
_ANY_INSTANCE, _SERVERLESS = "instance", "serverless"


@dataclass(frozen=True)
class LoadTest:
    """One row of the table: the figures of one instance, or of a serverless endpoint."""

    max_invocations: int
    model_latency_ms: int
    cpu_percent: float | None
    memory_mib: float | None
    setup_ms: int | None


@functools.cache
def _load_tests() -> dict[str, LoadTest]:
    with _TABLE.open(encoding="utf-8", newline="") as file:
        return {
            row["endpoint"]: LoadTest(
                int(row["max_invocations"]),
                int(row["model_latency_ms"]),
                float(row["cpu_percent"]) if row["cpu_percent"] else None,
                float(row["memory_mib"]) if row["memory_mib"] else None,
                int(row["setup_ms"]) if row["setup_ms"] else None,
            )
            for row in csv.DictReader(file)
        }


def find_load_test(instance_type: str | None) -> LoadTest:
    """Return the recorded figures of an instance type, or of a serverless endpoint for None."""
    table = _load_tests()
    return table[_SERVERLESS] if instance_type is None else table.get(instance_type, table[_ANY_INSTANCE])


def count_instances(test: LoadTest, invocations: int) -> int:
    """Return the number of instances that answer so many requests a minute."""
    return max(math.ceil(invocations / test.max_invocations), 1)


def build_instance_metrics(test: LoadTest, instance_type: str, count: int, region: str) -> Fields:
    """Return Metrics of `count` instances. Metrics that neither the table nor the catalogue knows are absent."""
    metrics: Fields = {"MaxInvocations": count * test.max_invocations, "ModelLatency": test.model_latency_ms}
    if test.cpu_percent is not None:
        metrics["CpuUtilization"] = test.cpu_percent
    if test.memory_mib is not None and (instance := instances.find(instance_type)) is not None:
        metrics["MemoryUtilization"] = round(100 * test.memory_mib / (instance.memory_gib * 1024), 2)
    if (price := prices.find(instance_type)) is not None:
        usd = (
            price.usd_per_hour[1] * prices.find_regional_price(region, instances.parse_family(instance_type)).factor[1]
        )
        metrics["CostPerHour"] = usd * count
        metrics["CostPerInference"] = usd / (60 * test.max_invocations)
    return metrics


def build_serverless_metrics(test: LoadTest, config: Fields, region: str) -> Fields:
    """Return Metrics of a serverless variant. Cost is absent for provisioned concurrency: its price is not known."""
    memory_mb = config["MemorySizeInMB"]
    metrics: Fields = {
        "MaxInvocations": test.max_invocations,
        "ModelLatency": test.model_latency_ms,
        "ModelSetupTime": test.setup_ms,
        "MemoryUtilization": round(100 * (test.memory_mib or 0) / memory_mb, 2),
    }
    if "ProvisionedConcurrency" not in config:
        rows = tables.read_rows("coefficients")
        usd_per_gb_second = next(float(row["value"]) for row in rows if row["key"] == "serverless_usd_per_gb_s")
        factor = prices.find_regional_price(region, "serverless inference").factor[1]
        metrics["CostPerInference"] = usd_per_gb_second * factor * memory_mb / 1024 * test.model_latency_ms / 1000
    return metrics
