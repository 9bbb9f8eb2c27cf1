"""Instances of a job file, for jobs outside the environment's pipelines."""

from pathlib import Path

from sustainable_mlops.catalogue.quotas import Use
from sustainable_mlops.footprint.mapping_file import read_mapping
from sustainable_mlops.jobs.spec_files import load_spec
from sustainable_mlops.jobs.specs.processing import Processing
from sustainable_mlops.jobs.specs.training import Training
from sustainable_mlops.jobs.specs.transform import Transform
from sustainable_mlops.jobs.specs.tuning import Tuning
from sustainable_mlops.operations.preflight.target import JobDemand


def read_job(path: Path) -> JobDemand:
    """Return the demand of a job file. Raises UserError if the file is not a job file."""
    keys = read_mapping(path).keys()
    if "training" in keys:
        return _tuning(path)
    if "inputs" in keys:
        machines = load_spec(path, Processing).compute
        return JobDemand("processing", machines.instance_type, machines.instance_count, str(path))
    if "input" in keys:
        transform = load_spec(path, Transform).compute
        return JobDemand("transform", transform.instance_type, transform.instance_count, str(path))
    return _training(load_spec(path, Training), str(path))


def _tuning(path: Path) -> JobDemand:
    tuning = load_spec(path, Tuning)
    named = tuning.training
    training = load_spec(path.parent / named, Training) if isinstance(named, str) else named
    return _training(training, str(path), at_once=tuning.limits.max_parallel or 1)


def _training(training: Training, source: str, at_once: int = 1) -> JobDemand:
    machines = training.compute
    use: Use = "spot_training" if machines.spot else "training"
    return JobDemand(use, machines.instance_type, machines.instance_count * at_once, source)
