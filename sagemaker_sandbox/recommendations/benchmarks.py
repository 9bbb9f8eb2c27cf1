"""Benchmarks of a job: one for each endpoint configuration and each combination of environment variables."""

import itertools
import secrets
import uuid
from collections.abc import Iterator

from sagemaker_sandbox.recommendations import recorded
from sagemaker_sandbox.resources.resources import Fields
from sagemaker_sandbox.sagemaker.model_facts import ModelFacts

#: Maximum of benchmarks in a job: DescribeInferenceRecommendationsJob returns at most ten.
_MAX_BENCHMARKS = 10


def plan_steps(request: Fields, facts: ModelFacts, region: str) -> list[Fields]:
    """Return the steps of a job as they are once the job is over, at most as many as ResourceLimit allows."""
    config = request["InputConfig"]
    configurations = config.get("EndpointConfigurations")
    if configurations is None:
        configurations = [] if "Endpoints" in config else list(facts.list_configurations())
    variants = [variant for configuration in configurations for variant in _list_combinations(configuration)]
    limit = min(config.get("ResourceLimit", {}).get("MaxNumberOfTests", _MAX_BENCHMARKS), _MAX_BENCHMARKS)
    return [_complete_step(request, *variant, region) for variant in variants[:limit]]


def build_existing_endpoint_step(job_name: str, endpoint: str, variant: Fields) -> Fields:
    """Return the step of an endpoint that exists already."""
    test = recorded.find_load_test(variant.get("InstanceType"))
    configuration = {"EndpointName": endpoint, "VariantName": variant["VariantName"]}
    metrics = {"MaxInvocations": test.max_invocations, "ModelLatency": test.model_latency_ms}
    return _build_step(job_name, "COMPLETED", {"EndpointConfiguration": configuration, "EndpointMetrics": metrics}) | {
        "instance_type": variant.get("InstanceType")
    }


def _list_combinations(configuration: Fields) -> Iterator[tuple[Fields, dict[str, str]]]:
    ranges = configuration.get("EnvironmentParameterRanges", {}).get("CategoricalParameterRanges", [])
    for values in itertools.product(*(parameter["Value"] for parameter in ranges)):
        names = [parameter["Name"] for parameter in ranges]
        yield configuration, dict(zip(names, values, strict=True))


def _complete_step(request: Fields, configuration: Fields, environment: dict[str, str], region: str) -> Fields:
    conditions = request.get("StoppingConditions", {})
    instance_type = configuration.get("InstanceType")
    test = recorded.find_load_test(instance_type)
    name = f"sm-epc-{uuid.uuid4()}"
    endpoint: Fields = {"EndpointName": name, "VariantName": name}
    if instance_type is None:
        endpoint["ServerlessConfig"] = configuration["ServerlessConfig"]
        metrics = recorded.build_serverless_metrics(test, configuration["ServerlessConfig"], region)
    else:
        count = recorded.count_instances(test, conditions.get("MaxInvocations") or 0)
        endpoint |= {"InstanceType": instance_type, "InitialInstanceCount": count}
        metrics = recorded.build_instance_metrics(test, instance_type, count, region)
    parameters = [{"Key": key, "ValueType": "String", "Value": value} for key, value in sorted(environment.items())]
    benchmark: Fields = {
        "EndpointConfiguration": endpoint,
        "ModelConfiguration": {
            "InferenceSpecificationName": configuration.get("InferenceSpecificationName"),
            "EnvironmentParameters": parameters or None,
        },
    }
    threshold = (conditions.get("ModelLatencyThresholds") or [{}])[0]
    limit = threshold.get("ValueInMilliseconds")
    is_too_slow = limit is not None and test.model_latency_ms > limit
    if is_too_slow:
        benchmark["FailureReason"] = (
            f"Benchmark failed: the {threshold.get('Percentile', 'P95')} model latency of {test.model_latency_ms} ms "
            f"exceeded ModelLatencyThresholds of {limit} ms at all loads"
        )
    else:
        benchmark["Metrics"] = metrics
    return _build_step(request["JobName"], "FAILED" if is_too_slow else "COMPLETED", benchmark) | {
        "instance_type": instance_type
    }


def _build_step(job_name: str, status: str, benchmark: Fields) -> Fields:
    return {
        "StepType": "BENCHMARK",
        "JobName": job_name,
        "Status": status,
        "InferenceBenchmark": benchmark,
        "id": f"{job_name}/{secrets.token_hex(4)}",
    }
