"""Instances of a job file, for jobs outside the environment's pipelines."""

from pathlib import Path

from sustainable_mlops.account.preflight.target import JobDemand
from sustainable_mlops.base.documents import read_mapping
from sustainable_mlops.catalogue.quotas import QuotaUse
from sustainable_mlops.jobs.spec_files import load_spec_file
from sustainable_mlops.jobs.specs.processing import ProcessingSpec
from sustainable_mlops.jobs.specs.training import TrainingSpec
from sustainable_mlops.jobs.specs.transform import TransformSpec
from sustainable_mlops.jobs.specs.tuning import TuningSpec


def read_job(path: Path) -> JobDemand:
    """Return the demand of a job file. Raises UserError if the file is not a job file."""
    keys = read_mapping(path).keys()
    if "training" in keys:
        return _read_tuning(path)
    if "inputs" in keys:
        compute = load_spec_file(path, ProcessingSpec).compute
        return JobDemand("processing", compute.instance_type, compute.instance_count, str(path))
    if "input" in keys:
        transform = load_spec_file(path, TransformSpec).compute
        return JobDemand("transform", transform.instance_type, transform.instance_count, str(path))
    return _build_training_demand(load_spec_file(path, TrainingSpec), str(path))


def _read_tuning(path: Path) -> JobDemand:
    tuning = load_spec_file(path, TuningSpec)
    training_setting = tuning.training
    training = (
        load_spec_file(path.parent / training_setting, TrainingSpec)
        if isinstance(training_setting, str)
        else training_setting
    )
    return _build_training_demand(training, str(path), parallel_jobs=tuning.limits.max_parallel or 1)


def _build_training_demand(training: TrainingSpec, source: str, parallel_jobs: int = 1) -> JobDemand:
    compute = training.compute
    use: QuotaUse = "spot_training" if compute.spot else "training"
    return JobDemand(use, compute.instance_type, compute.instance_count * parallel_jobs, source)
