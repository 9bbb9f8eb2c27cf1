"""Runs in MLflow, where a tracking server is configured. What the server does is never a reason for a job to fail."""

import logging
import os
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from sustainable_mlops.jobs.record import RunRecord

if TYPE_CHECKING:
    from mlflow import MlflowClient

VARIABLE = "MLFLOW_TRACKING_URI"
_STATUS = {"Completed": "FINISHED", "Failed": "FAILED", "Stopped": "KILLED"}
#: By what a job's run is found again.
_JOB = "smlops.job_name"
#: Longest texts that MLflow's stores take.
_PARAMETER, _TAG = 6000, 5000
#: A launcher waits a moment for a server that is away, not the client's minutes; and tells nobody else of its use.
_CLIENT = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_DISABLE_TELEMETRY": "true",
}


def track(record: RunRecord, platform: str | None) -> list[str]:
    """Write the run to the tracking server of the environment, else of the `platform`; to none where there is none.

    A server is an MLflow tracking URI or a SageMaker ARN. A job has one MLflow run, in an experiment of the workload's
    name; written again, it is the same. Returns what went wrong, in one line, or nothing.
    """
    address = os.environ.get(VARIABLE) or platform
    if not address:
        return []
    for name, value in _CLIENT.items():
        os.environ.setdefault(name, value)
    try:
        from mlflow import MlflowClient
    except ImportError:
        return ["MLflow's client is not installed, so the run is not there: pip install 'sustainable-mlops[tracking]'"]
    logging.getLogger("mlflow").setLevel(logging.ERROR)  # what matters is told below, in one line
    try:
        _write(record, MlflowClient(tracking_uri=address))
    except Exception as error:  # whatever a server, a plugin or a network comes up with
        told = f"the run is not in MLflow at {address}: {' '.join(str(error).split())[:300]}"
        return [re.sub(r"//[^/@\s]+@", "//", told)]  # an address may hold a password
    return []


def _write(record: RunRecord, client: "MlflowClient") -> None:
    from mlflow.entities import Metric, Param, RunTag

    experiment = client.get_experiment_by_name(record.workload)
    number = experiment.experiment_id if experiment else client.create_experiment(record.workload)
    found = client.search_runs([number], f"tags.`{_JOB}` = '{record.job_name}'", max_results=1)
    started = _milliseconds(record.started_at or record.launched_at)
    run = found[0] if found else client.create_run(number, start_time=started, run_name=record.job_name)
    at = _milliseconds(record.ended_at or record.launched_at)
    client.log_batch(
        run.info.run_id,
        metrics=[Metric(_name(name), value, at, 0) for name, value in _metrics(record)],
        params=[Param(_name(name), str(value)[:_PARAMETER]) for name, value in record.hyperparameters.items()],
        tags=[RunTag(_name(name), value[:_TAG]) for name, value in tags(record).items()],
    )
    if record.ended:
        client.set_terminated(run.info.run_id, _STATUS[record.status], at)


def tags(record: RunRecord) -> dict[str, str]:
    """A run's tags, as MLflow takes them."""
    own = {
        _JOB: record.job_name,
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


def _metrics(record: RunRecord) -> Iterator[tuple[str, float]]:
    """The job's metrics, its footprint with its ranges, and what was measured."""
    yield from record.metrics.items()
    for name, figure in record.figures.items():
        for suffix, value in (("", figure.value), ("_low", figure.low), ("_high", figure.high)):
            if value is not None:
                yield f"footprint/{name}{suffix}", value
    for name, figure in record.measured.figures.items() if record.measured else ():
        yield f"measured/{name}", figure.value


def _name(text: str) -> str:
    """A name that MLflow takes."""
    return re.sub(r"[^\w\-. :/]", "_", text)[:250]


def _milliseconds(moment: Any) -> int:
    return int(moment.timestamp() * 1000)
