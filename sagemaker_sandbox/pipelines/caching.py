"""Step cache: the reuse of an earlier result of a step.

The cache key consists of the arguments that AWS names, for the types of step that AWS caches. The content of S3 objects
does not count. The scope is one pipeline. Source: "Caching pipeline steps" in the SageMaker
AI developer guide.
"""

import hashlib
import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sagemaker_sandbox.pipelines.definition import StepDefinition
from sagemaker_sandbox.pipelines.durations import parse_duration
from sagemaker_sandbox.pipelines.execution import PipelineExecution, StepRecord
from sagemaker_sandbox.pipelines.services import Fields
from sustainable_mlops.aws import step_cache


def build_key(step: StepDefinition, arguments: Fields) -> str | None:
    """Return the cache key of a step, or None for types that are not cached."""
    if step.type not in step_cache.CACHE_KEY_ARGUMENTS:
        return None
    key_arguments = {
        member: arguments[member] for member in step_cache.CACHE_KEY_ARGUMENTS[step.type] if member in arguments
    }
    if "TrainingJobDefinition" in key_arguments:
        definition = key_arguments["TrainingJobDefinition"]
        key_arguments["TrainingJobDefinition"] = {
            member: definition[member]
            for member in step_cache.CACHE_KEY_FIELDS_OF_TRAINING_DEFINITION
            if member in definition
        }
    content: list[Any] = [step.type, step.name, key_arguments]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def find_cached(
    step: StepDefinition, cache_key: str, executions: Iterable[PipelineExecution], now: datetime
) -> tuple[PipelineExecution, StepRecord] | None:
    """Return the latest successful run with that key that has not expired, if the step enables caching.

    `now` is the sandbox's time.
    """
    config = step.cache_config
    if not config.enabled or config.expire_after is None:
        return None
    oldest = now - parse_duration(config.expire_after)
    matches = [
        (execution, record)
        for execution in executions
        for record in list(execution.records.values())
        if record.cache_key == cache_key
        and record.status == "Succeeded"
        and record.cache_source is None
        and record.reused_from is None
        and record.cached_at is not None
        and record.cached_at >= oldest
    ]
    return max(matches, key=lambda pair: pair[1].cached_at or now, default=None)
