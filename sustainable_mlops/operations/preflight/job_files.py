"""Instances of a job file, for jobs outside the environment's pipelines."""

from pathlib import Path

from sustainable_mlops.catalogue.quotas import QuotaUse
from sustainable_mlops.footprint.mapping_file import read_mapping
from sustainable_mlops.jobs.spec_files import load_spec_file
from sustainable_mlops.jobs.specs.processing import ProcessingSpec
from sustainable_mlops.jobs.specs.training import TrainingSpec
from sustainable_mlops.jobs.specs.transform import TransformSpec
from sustainable_mlops.jobs.specs.tuning import TuningSpec
from sustainable_mlops.operations.preflight.target import JobDemand


def read_job(path: Path) -> JobDemand:
    """Return the demand of a job file. Raises UserError if the file is not a job file."""
    keys = read_mapping(path).keys()
    if "training" in keys:
        return _tuning(path)
    if "inputs" in keys:
        machines = load_spec_file(path, ProcessingSpec).compute
        return JobDemand("processing", machines.instance_type, machines.instance_count, str(path))
    if "input" in keys:
        transform = load_spec_file(path, TransformSpec).compute
        return JobDemand("transform", transform.instance_type, transform.instance_count, str(path))
    return _training(load_spec_file(path, TrainingSpec), str(path))


def _tuning(path: Path) -> JobDemand:
    tuning = load_spec_file(path, TuningSpec)
    training_setting = tuning.training
    training = (
        load_spec_file(path.parent / training_setting, TrainingSpec)
        if isinstance(training_setting, str)
        else training_setting
    )
    return _training(training, str(path), at_once=tuning.limits.max_parallel or 1)


def _training(training: TrainingSpec, source: str, at_once: int = 1) -> JobDemand:
    machines = training.compute
    use: QuotaUse = "spot_training" if machines.spot else "training"
    return JobDemand(use, machines.instance_type, machines.instance_count * at_once, source)
