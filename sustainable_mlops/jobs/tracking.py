"""Runs in MLflow, if a tracking server is configured. A failing server never fails a job."""

import logging
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sustainable_mlops.jobs.record import RunRecord, TuningTrial

if TYPE_CHECKING:
    from mlflow import MlflowClient

VARIABLE = "MLFLOW_TRACKING_URI"
_STATUS = {"Completed": "FINISHED", "Failed": "FAILED", "Stopped": "KILLED"}
#: Tag that identifies the MLflow run of a job.
_JOB_TAG = "smlops.job_name"
#: Tag by which MLflow nests a run below another one.
_PARENT_TAG = "mlflow.parentRunId"
#: Maximum lengths of texts in MLflow's stores.
_MAX_PARAMETER, _MAX_TAG = 6000, 5000
#: Settings of MLflow's client: a short wait for an unavailable server instead of minutes, and no telemetry.
_CLIENT_SETTINGS = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_DISABLE_TELEMETRY": "true",
}


def track_run(record: RunRecord, platform: str | None) -> list[str]:
    """Write the run to the tracking server of the environment variable, or else of the platform.

    A server is an MLflow tracking URI or a SageMaker ARN. A job has one MLflow run, in an experiment named after the
    workload; a second call updates it. The run of a tuning has a nested run for each training job. Returns one line
    about a failure, or nothing.
    """
    address = os.environ.get(VARIABLE) or platform
    if not address:
        return []
    for name, value in _CLIENT_SETTINGS.items():
        os.environ.setdefault(name, value)
    try:
        from mlflow import MlflowClient
    except ImportError:
        return [
            "MLflow's client is not installed, so the run is not tracked: pip install 'sustainable-mlops[tracking]'"
        ]
    logging.getLogger("mlflow").setLevel(logging.ERROR)  # the code below reports failures in one line
    try:
        _write_run(record, MlflowClient(tracking_uri=address))
    except Exception as error:  # any error of a server, a plugin or a network
        warning = f"the run is not in MLflow at {address}: {' '.join(str(error).split())[:300]}"
        return [re.sub(r"//[^/@\s]+@", "//", warning)]  # an address may contain a password
    return []


@dataclass(frozen=True)
class _TrackedJob:
    """Content of the MLflow run of one job."""

    job_name: str
    status: str
    start_time: int
    end_time: int
    metrics: Mapping[str, float]
    parameters: Mapping[str, Any]
    tags: Mapping[str, str]


def _write_run(record: RunRecord, client: "MlflowClient") -> None:
    experiment = client.get_experiment_by_name(record.workload)
    experiment_id = experiment.experiment_id if experiment else client.create_experiment(record.workload)
    run_id = _write_job(_describe_job(record), experiment_id, client)
    for trial in record.trials:
        _write_job(_describe_trial(trial, record, run_id), experiment_id, client)


def _write_job(job: _TrackedJob, experiment_id: str, client: "MlflowClient") -> str:
    """Create or update the MLflow run of a job, and return its ID. The same job again changes nothing."""
    from mlflow.entities import Metric, Param, RunTag

    runs = client.search_runs([experiment_id], f"tags.`{_JOB_TAG}` = '{job.job_name}'", max_results=1)
    run = runs[0] if runs else client.create_run(experiment_id, start_time=job.start_time, run_name=job.job_name)
    run_id: str = run.info.run_id
    client.log_batch(
        run_id,
        metrics=[Metric(_clean_name(name), value, job.end_time, 0) for name, value in job.metrics.items()],
        params=[Param(_clean_name(name), str(value)[:_MAX_PARAMETER]) for name, value in job.parameters.items()],
        tags=[RunTag(_clean_name(name), value[:_MAX_TAG]) for name, value in job.tags.items()],
    )
    if job.status in _STATUS:
        client.set_terminated(run_id, _STATUS[job.status], job.end_time)
    return run_id


def _describe_job(record: RunRecord) -> _TrackedJob:
    """Return the run of a job. A tuning has the hyperparameters of its best training job."""
    # MLflow refuses a changed parameter, so a running tuning has none of a best job that may change.
    best = next((trial for trial in record.trials if trial.job_name == record.best and record.is_ended), None)
    return _TrackedJob(
        record.job_name,
        record.status,
        _to_milliseconds(record.started_at or record.launched_at),
        _to_milliseconds(record.ended_at or record.launched_at),
        dict(_list_metrics(record)),
        {**record.hyperparameters, **(best.hyperparameters if best else {})},
        build_tags(record),
    )


def _describe_trial(trial: TuningTrial, record: RunRecord, parent_id: str) -> _TrackedJob:
    """Return the nested run of a training job of a tuning.

    The record has no times of the training job: its run starts with the tuning and lasts as long as the job.
    """
    start_time = _to_milliseconds(record.started_at or record.launched_at)
    seconds = {"training_seconds": trial.training_seconds, "billable_seconds": trial.billable_seconds}
    return _TrackedJob(
        trial.job_name,
        trial.status,
        start_time,
        start_time + 1000 * (trial.training_seconds or 0),
        {name: float(value) for name, value in {"objective": trial.objective, **seconds}.items() if value is not None},
        {**record.hyperparameters, **trial.hyperparameters},
        {
            _JOB_TAG: trial.job_name,
            _PARENT_TAG: parent_id,
            "smlops.best": str(trial.job_name == record.best).lower(),
            "mlflow.runName": trial.job_name,
        },
    )


def build_tags(record: RunRecord) -> dict[str, str]:
    """Return a run's tags, as MLflow takes them."""
    own = {
        _JOB_TAG: record.job_name,
        "smlops.kind": record.kind,
        "smlops.run_key": record.run_key,
        "smlops.environment": record.environment,
        "smlops.region": record.region,
        "smlops.image": record.image,
        "smlops.instances": f"{record.instance_count} x {record.instance_type}",
        "smlops.spot": str(record.spot).lower(),
        "mlflow.runName": record.job_name,
        "mlflow.source.name": record.source or record.image,
        "mlflow.source.type": "JOB",
    }
    model = {"smlops.model": record.model} if record.model else {}
    units = {f"smlops.unit.{name}": figure.unit for name, figure in record.figures.items()}
    return {**record.tags, **own, **model, **units}


def _list_metrics(record: RunRecord) -> Iterator[tuple[str, float]]:
    """Yield the job's metrics, its footprint with intervals, and the measurements."""
    yield from record.metrics.items()
    for name, figure in record.figures.items():
        for suffix, value in (("", figure.value), ("_low", figure.low), ("_high", figure.high)):
            if value is not None:
                yield f"footprint/{name}{suffix}", value
    for name, figure in record.measured.figures.items() if record.measured else ():
        yield f"measured/{name}", figure.value


def _clean_name(text: str) -> str:
    """Return the text as a name that MLflow allows."""
    return re.sub(r"[^\w\-. :/]", "_", text)[:250]


def _to_milliseconds(moment: Any) -> int:
    return int(moment.timestamp() * 1000)
