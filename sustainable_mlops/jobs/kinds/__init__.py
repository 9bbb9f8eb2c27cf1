"""Job kinds: the requests to SageMaker and its responses. Code outside this package does not depend on a kind."""

from typing import Any

from sustainable_mlops.jobs.kinds.kind import JobKind
from sustainable_mlops.jobs.kinds.processing import PROCESSING
from sustainable_mlops.jobs.kinds.training import TRAINING
from sustainable_mlops.jobs.kinds.transform import TRANSFORM
from sustainable_mlops.jobs.kinds.tuning import TUNING

#: Job kinds by name, as in a record's `kind`.
KINDS: dict[str, JobKind[Any]] = {kind.name: kind for kind in (TRAINING, PROCESSING, TRANSFORM, TUNING)}

__all__ = ["KINDS", "PROCESSING", "TRAINING", "TRANSFORM", "TUNING", "JobKind"]
