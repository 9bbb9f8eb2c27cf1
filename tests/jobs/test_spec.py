"""Validation of job.yaml."""

from typing import Any

import pytest

from sustainable_mlops.base.errors import UserError
from sustainable_mlops.base.settings import load_yaml, render_schema
from sustainable_mlops.jobs.schemas import SPECS, find_schema_file
from sustainable_mlops.jobs.specs.training import TrainingSpec
from tests.cases import check_cases
from tests.jobs.support import WriteJob
from tests.stale_files import suggest_update

INVALID_FILES: dict[str, dict[str, Any]] = {
    "compute.spott: unknown key; did you mean 'spot'?": {"compute": {"spott": True}},
    "compute.instance_count: must be a whole number, not '2'": {"compute": {"instance_count": "2"}},
    "limits.max_runtime_minutes: is missing; add it": {"limits": {"max_runtime_minutes": ..., "max_wait_minutes": 5}},
    "compute.spot needs checkpoints": {"checkpoints": "none"},
    "limits.max_wait_minutes (20) includes the training itself; set it to at least max_runtime_minutes (30)": {
        "limits": {"max_wait_minutes": 20}
    },
    "limits.max_wait_minutes is only for spot": {"compute": {"spot": False}, "limits": {"max_wait_minutes": 40}},
    "compute.keep_alive_minutes: SageMaker keeps no warm pool of spot instances": {
        "compute": {"keep_alive_minutes": 5}
    },
    "source.entry_point: 'src/train.py' does not match": {"source": {"entry_point": "src/train.py"}},
    "image.version: must be text; put it in quotes in the file (YAML reads the number 1.7)": {
        "image": {"framework": "xgboost", "version": 1.7}
    },
    "image.versoin: unknown key; did you mean 'version'?": {
        "image": {"framework": "x", "version": "1", "versoin": "1"}
    },
    "platform.buckets: is missing": {"platform": {"region": "eu-north-1", "roles": {"training": "arn"}}},
    "platform.rgion: unknown key; did you mean 'region'?": {
        "platform": {
            "rgion": "x",
            "region": "eu-north-1",
            "roles": {"training": "a"},
            "buckets": {"data": "d", "artifacts": "a"},
        }
    },
    "the channel 'code' is reserved for the source code": {"data": {"code": "x/"}},
    "channel 'web': https://x/y is not in S3": {"data": {"web": "https://x/y"}},
    "sharding: data has no channel 'trian'": {"sharding": {"trian": "by_key"}},
    "metrics: 'auc' has 0 groups; put only the number in a group (…)": {"metrics": {"auc": "auc=[0-9]"}},
    "metrics: 'auc' is not a regular expression": {"metrics": {"auc": "auc=([0-9"}},
    "hyperparameters: the launcher sets 'sagemaker_program'": {"hyperparameters": {"sagemaker_program": "x"}},
    "hyperparameters.depth: must be text": {"hyperparameters": {"depth": [1]}},
    "hyperparameters: 'sagemaker_training_compiler_enabled': SageMaker Training Compiler gets no new releases; use": {
        "hyperparameters": {"sagemaker_training_compiler_enabled": True}
    },
    "debugger: SageMaker Debugger is closed to new customers; read metrics from the log": {"debugger": {}},
    "profiler: SageMaker Debugger is closed to new customers": {"profiler": True},
    "training_compiler: SageMaker Training Compiler gets no new releases; use torch.compile": {"training_compiler": 1},
    "compute.accelerator_type: Elastic Inference is no longer available; use an ml.inf2 type": {
        "compute": {"accelerator_type": "ml.eia2.medium"}
    },
    "environment: the launcher sets CHECKPOINT_DIR": {"environment": {"CHECKPOINT_DIR": "/x"}},
    "environment: everyone who sees the job can read HF_TOKEN": {"environment": {"HF_TOKEN": "hf_abc"}},
    "environment.X: must be text; put it in quotes in the file (YAML reads the number 1)": {"environment": {"X": 1}},
    "tags: workload is a folder name in S3": {"tags": {"workload": "flight delay"}},
    "name: must have at most 40 characters": {"name": "n" * 41},
}


@pytest.mark.parametrize(("message", "changes"), INVALID_FILES.items(), ids=INVALID_FILES)
def test_an_invalid_file_is_rejected_with_file_field_and_remedy(
    write_job: WriteJob, message: str, changes: dict[str, Any]
) -> None:
    path = write_job(**changes)
    with pytest.raises(UserError) as error:
        load_yaml(path, TrainingSpec)
    assert str(error.value).startswith(f"{path}: ")
    assert message in str(error.value)


def test_a_job_without_spot_needs_no_checkpoints_and_can_have_a_warm_pool(write_job: WriteJob) -> None:
    job = load_yaml(write_job(compute={"spot": False, "keep_alive_minutes": 10}, checkpoints="none"), TrainingSpec)
    assert not job.compute.spot


def test_the_workload_is_the_tag_or_else_the_name(write_job: WriteJob) -> None:
    assert load_yaml(write_job(), TrainingSpec).workload == "flight-delay"
    assert load_yaml(write_job(tags={"workload": "delays"}), TrainingSpec).workload == "delays"


@check_cases("name", SPECS)
def test_the_schema_for_editors_is_current(name: str) -> None:
    stored = find_schema_file(name).read_text(encoding="utf-8")
    assert stored == render_schema(SPECS[name]), suggest_update(".venv/bin/python -m sustainable_mlops.jobs.schemas")
