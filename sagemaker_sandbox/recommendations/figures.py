"""The figures of a benchmark: what was measured on this machine, at what the catalogue says that AWS charges.

Nothing is scaled to the instance type that a benchmark is about: invocations, latency and CPU are this machine's,
whatever the type. Of the type are its price, and the memory that MemoryUtilization is a share of. Several instances
are taken to answer as many times the requests of the one that was measured.
"""

import math

from sustainable_mlops.catalogue import instances, prices, tables
from sagemaker_sandbox.parts.resources import Fields
from sagemaker_sandbox.recommendations.load import Window
from sagemaker_sandbox.recommendations.stopping import Conditions

_GIBIBYTE = 2.0**30


def count(window: Window, conditions: Conditions) -> int:
    """How many instances answer the requests a minute that are expected."""
    return max(math.ceil((conditions.most or 0) / invocations(window)), 1)


def invocations(window: Window) -> int:
    """Requests a minute, at least one where any was answered."""
    return max(int(window.per_minute), 1)


def milliseconds(seconds: float) -> int:
    """Rounded, and not to nothing."""
    return max(round(seconds * 1000), 1)


def of_instances(window: Window, conditions: Conditions, kind: str, region: str) -> Fields:
    """Metrics of so many instances of a type; what the catalogue does not know is left out."""
    number = count(window, conditions)
    found: Fields = {
        "MaxInvocations": number * invocations(window),
        "ModelLatency": milliseconds(window.latency(conditions.percentile)),
        "CpuUtilization": round(window.cpu, 1),
    }
    if (known := instances.find(kind)) is not None:
        found["MemoryUtilization"] = round(100 * window.resident / (known.memory_gib * _GIBIBYTE), 2)
    if (price := usd_per_hour(kind, region)) is not None:
        found["CostPerHour"] = price * number
        found["CostPerInference"] = price * number / (60 * found["MaxInvocations"])
    return found


def usd_per_hour(kind: str, region: str) -> float | None:
    """The catalogue's central price of an instance type in a Region."""
    price = prices.find(kind)
    if price is None:
        return None
    return price.usd_per_hour[1] * prices.elsewhere(region, instances.family(kind)).factor[1]


def of_serverless(window: Window, conditions: Conditions, settings: Fields, region: str, setup: float) -> Fields:
    """Metrics of a serverless variant, which costs by the time that it answers; by the hour it costs nothing.

    `setup` is how long its first worker took to start, in seconds. The price of provisioned concurrency is not in the
    catalogue: with it nothing is said of cost.
    """
    memory = settings["MemorySizeInMB"]
    found: Fields = {
        "MaxInvocations": invocations(window),
        "ModelLatency": milliseconds(window.latency(conditions.percentile)),
        "ModelSetupTime": milliseconds(setup),
        # Each worker has the whole of it.
        "MemoryUtilization": round(100 * window.largest / (memory * 2.0**20), 2),
    }
    if "ProvisionedConcurrency" not in settings:
        usd = _usd_per_gb_second() * prices.elsewhere(region, "serverless inference").factor[1]
        found["CostPerInference"] = usd * memory / 1024 * sum(window.model) / len(window.model)
    return found


def of_endpoint(window: Window, conditions: Conditions) -> Fields:
    """Metrics of an endpoint that was there before."""
    return {
        "MaxInvocations": invocations(window),
        "ModelLatency": milliseconds(window.latency(conditions.percentile)),
    }


def _usd_per_gb_second() -> float:
    return next(float(row["value"]) for row in tables.rows("coefficients") if row["key"] == "serverless_usd_per_gb_s")
