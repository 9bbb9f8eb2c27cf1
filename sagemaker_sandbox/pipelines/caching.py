"""Whether the result of an earlier run of a step can be used again.

Only the arguments that AWS names count, only for types of step that AWS caches, and their values as they are: what an
S3 address holds is not looked at. Scope: the steps of one pipeline. Source: "Caching pipeline steps" in the SageMaker
AI developer guide.
"""

import hashlib
import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sagemaker_sandbox.pipelines.definition import Step
from sagemaker_sandbox.pipelines.durations import duration
from sagemaker_sandbox.pipelines.execution import Execution, StepRecord
from sagemaker_sandbox.pipelines.outside import Fields
from sustainable_mlops.aws import step_cache


def key(step: Step, arguments: Fields) -> str | None:
    """What two runs of a step must share; None for types that are not cached."""
    if step.type not in step_cache.CACHE_KEY_ARGUMENTS:
        return None
    counts = {member: arguments[member] for member in step_cache.CACHE_KEY_ARGUMENTS[step.type] if member in arguments}
    if "TrainingJobDefinition" in counts:
        definition = counts["TrainingJobDefinition"]
        counts["TrainingJobDefinition"] = {
            member: definition[member]
            for member in step_cache.CACHE_KEY_FIELDS_OF_TRAINING_DEFINITION
            if member in definition
        }
    content: list[Any] = [step.type, step.name, counts]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def find(
    step: Step, wanted: str, executions: Iterable[Execution], now: datetime
) -> tuple[Execution, StepRecord] | None:
    """The latest run with that key that succeeded and is not too old, if the step asks for it."""
    config = step.cache_config
    if not config.enabled or config.expire_after is None:
        return None
    oldest = now - duration(config.expire_after)
    found = [
        (execution, record)
        for execution in executions
        for record in list(execution.records.values())
        if record.cache_key == wanted
        and record.status == "Succeeded"
        and record.cache_source is None
        and record.reused_from is None
        and record.ended is not None
        and record.ended >= oldest
    ]
    return max(found, key=lambda one: one[1].ended or now, default=None)
