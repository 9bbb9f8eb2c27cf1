"""Kinds of jobs: what SageMaker is asked for each, and what it answers. Nothing outside asks which kind a job is."""

from typing import Any

from sustainable_mlops.jobs.kinds.kind import Kind
from sustainable_mlops.jobs.kinds.processing import PROCESSING
from sustainable_mlops.jobs.kinds.training import TRAINING
from sustainable_mlops.jobs.kinds.transform import TRANSFORM
from sustainable_mlops.jobs.kinds.tuning import TUNING

#: By name, as in a record's `kind`.
KINDS: dict[str, Kind[Any]] = {kind.name: kind for kind in (TRAINING, PROCESSING, TRANSFORM, TUNING)}

__all__ = ["KINDS", "PROCESSING", "TRAINING", "TRANSFORM", "TUNING", "Kind"]
