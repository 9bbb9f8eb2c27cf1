"""Cases of rules/data/storage_lifecycle.py and rules/data/storage_lens.py."""

from collections.abc import Mapping
from typing import Any

from tests.rules.jobs import HIDDEN, UNKNOWN, Resources, build_job, build_training_pipeline

_BUCKET = "aws_s3_bucket.b"
_LIFECYCLE = "aws_s3_bucket_lifecycle_configuration.l"


def _bucket(**settings: Any) -> Resources:
    return {_BUCKET: {"bucket": "sagemaker-data", **settings}}


def _rule(prefix: str = "", **action: Any) -> dict[str, Any]:
    return {"id": "r", "status": "Enabled", "filter": {"prefix": prefix}, **action}


def _lifecycle(*rules: Mapping[str, Any]) -> Resources:
    return {_LIFECYCLE: {"bucket": "${aws_s3_bucket.b.bucket}", "rule": list(rules)}}


def _build_lifecycle_bucket(*rules: Mapping[str, Any], **settings: Any) -> Resources:
    """Return a bucket for machine learning with these lifecycle rules."""
    return {**_bucket(**settings), **_lifecycle(*rules)}


def _versioning(status: str = "Enabled") -> Resources:
    return {"aws_s3_bucket_versioning.v": {"bucket": "sagemaker-data", "versioning_configuration": {"status": status}}}


def _model(url: str = "s3://sagemaker-data/models/delay/model.tar.gz") -> Resources:
    return {"aws_sagemaker_model.m": {"name": "delay", "primary_container": {"image": "i", "model_data_url": url}}}


def _capture(url: str) -> Resources:
    capture = {"enable_capture": True, "destination_s3_uri": url, "initial_sampling_percentage": 10}
    return {"aws_sagemaker_endpoint_configuration.c": {"name": "c", "data_capture_config": capture}}


_EXPIRE: dict[str, Any] = {"expiration": {"days": 30}}
_ABORT: dict[str, Any] = {"abort_incomplete_multipart_upload": {"days_after_initiation": 7}}
_NONCURRENT: dict[str, Any] = {"noncurrent_version_expiration": {"noncurrent_days": 30}}
_IT: dict[str, Any] = {"transition": {"days": 0, "storage_class": "INTELLIGENT_TIERING"}}
_GLACIER_IR: dict[str, Any] = {"transition": {"days": 90, "storage_class": "GLACIER_IR"}}
_DEEP: dict[str, Any] = {"transition": {"days": 90, "storage_class": "DEEP_ARCHIVE"}}

_OTHERS = {"another workload's bucket": {_BUCKET: {"bucket": "invoices"}}}
_NO_RULES = {"no lifecycle, which another rule reports": _bucket(), **_OTHERS}
_NOT_KNOWN = {"unknown rules": {**_bucket(), _LIFECYCLE: {"bucket": "sagemaker-data", "rule": UNKNOWN}}}

_CHECKPOINTS = "s3://sagemaker-data/checkpoints/delay"
_TRUST = {
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}]
}
_READS = {"Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::invoices/*"}]}

CASES = {
    "SUS_BUCKET_LIFECYCLE": {
        "pass": {
            "a rule": _build_lifecycle_bucket(_rule(**_EXPIRE)),
            "inline": _bucket(lifecycle_rule=[{"enabled": True, **_EXPIRE}]),
        },
        "fail": {
            "by name": _bucket(),
            "by tag": {_BUCKET: {"bucket": "b", "tags": {"purpose": "SageMaker training"}}},
            "named by a model": {_BUCKET: {"bucket": "plain"}, **_model("s3://plain/model.tar.gz")},
            "referred to by a model": {_BUCKET: {}, **_model("s3://${aws_s3_bucket.b.bucket}/model.tar.gz")},
            "named in a pipeline": {
                _BUCKET: {"bucket": "plain"},
                **build_training_pipeline(CheckpointConfig={"S3Uri": "s3://plain/c"}),
            },
            "read by a role of SageMaker": {
                _BUCKET: {"bucket": "invoices"},
                "aws_iam_role.r": {"name": "r", "assume_role_policy": _TRUST},
                "aws_iam_role_policy.p": {"role": "${aws_iam_role.r.name}", "policy": _READS},
            },
            "no rule enabled": _build_lifecycle_bucket({**_rule(**_EXPIRE), "status": "Disabled"}),
        },
        "unknown": {
            **_NOT_KNOWN,
            "lifecycle of an unknown bucket": {
                **_bucket(),
                _LIFECYCLE: {"bucket": UNKNOWN, "rule": [_rule(**_EXPIRE)]},
            },
        },
        "not_applicable": _OTHERS,
    },
    "SUS_ABORT_UPLOADS": {
        "pass": {"a week": _build_lifecycle_bucket(_rule(**_ABORT))},
        "fail": {
            "never": _build_lifecycle_bucket(_rule(**_EXPIRE)),
            "only below a prefix": _build_lifecycle_bucket(_rule("raw/", **_ABORT)),
            "after a month": _build_lifecycle_bucket(
                _rule(abort_incomplete_multipart_upload={"days_after_initiation": 30})
            ),
        },
        "unknown": {
            "unknown days": _build_lifecycle_bucket(
                _rule(abort_incomplete_multipart_upload={"days_after_initiation": UNKNOWN})
            ),
            **_NOT_KNOWN,
        },
        "not_applicable": _NO_RULES,
    },
    "SUS_NONCURRENT_EXPIRY": {
        "pass": {"whole bucket": {**_build_lifecycle_bucket(_rule(**_NONCURRENT)), **_versioning()}},
        "fail": {
            "never": {**_build_lifecycle_bucket(_rule(**_EXPIRE)), **_versioning()},
            "only below a prefix": {**_build_lifecycle_bucket(_rule("raw/", **_NONCURRENT)), **_versioning()},
        },
        "unknown": {
            "unknown versioning": {**_build_lifecycle_bucket(_rule(**_EXPIRE)), **_versioning(UNKNOWN)},
            "versioning of an unknown bucket": {
                **_build_lifecycle_bucket(_rule(**_EXPIRE)),
                "aws_s3_bucket_versioning.v": {"bucket": UNKNOWN, "versioning_configuration": {"status": "Enabled"}},
            },
            "unknown filter": {
                **_build_lifecycle_bucket({**_rule(**_NONCURRENT), "filter": {"and": UNKNOWN}}),
                **_versioning(),
            },
        },
        "not_applicable": {"not versioned": _build_lifecycle_bucket(_rule(**_EXPIRE)), **_NO_RULES},
    },
    "SUS_BUCKET_TIERING": {
        "pass": {
            "tiering": _build_lifecycle_bucket(_rule(**_IT)),
            "expiry": _build_lifecycle_bucket(_rule("raw/", **_EXPIRE)),
        },
        "fail": {"no tiering and no expiry": _build_lifecycle_bucket(_rule(**_ABORT))},
        "unknown": {"unknown days": _build_lifecycle_bucket(_rule(expiration={"days": UNKNOWN})), **_NOT_KNOWN},
        "not_applicable": _NO_RULES,
    },
    "SUS_RECREATABLE_ONE_ZONE": {
        "pass": {
            "one zone": _build_lifecycle_bucket(
                _rule("re-creatable/", transition={"days": 30, "storage_class": "ONEZONE_IA"})
            ),
            "expiry": _build_lifecycle_bucket(_rule("scratch/", **_EXPIRE)),
        },
        "fail": {
            "several zones": _build_lifecycle_bucket(_rule("tmp/", **_IT)),
            "by tag": _build_lifecycle_bucket(
                {**_rule(**_ABORT), "filter": {"tag": {"key": "recreatable", "value": "true"}}}
            ),
        },
        "unknown": {
            "unknown class": _build_lifecycle_bucket(_rule("tmp/", transition={"days": 30, "storage_class": UNKNOWN}))
        },
        "not_applicable": {
            "other data": _build_lifecycle_bucket(_rule("raw/", **_IT)),
            "a similar prefix": _build_lifecycle_bucket(_rule("temperatures/", **_IT)),
            "another workload": {
                _BUCKET: {"bucket": "invoices"},
                _LIFECYCLE: {"bucket": "invoices", "rule": [_rule("tmp/")]},
            },
        },
    },
    "SUS_BUCKET_VERSIONING": {
        "pass": {
            "versioned": {**_bucket(), **_model(), **_versioning()},
            "inline": {**_bucket(versioning={"enabled": True}), **_model()},
        },
        "fail": {
            "models": {**_bucket(), **_model()},
            "suspended": {**_bucket(), **_model(), **_versioning("Suspended")},
            "pipelines": {
                **_bucket(),
                "aws_sagemaker_pipeline.p": {
                    "pipeline_name": "p",
                    "pipeline_definition_s3_location": {"bucket": "sagemaker-data", "object_key": "p.json"},
                },
            },
        },
        "unknown": {"unknown status": {**_bucket(), **_model(), **_versioning(UNKNOWN)}},
        "not_applicable": {"no model and no pipeline": _bucket()},
    },
    "SUS_MODELS_ARCHIVED": {
        "pass": {"Glacier": {**_build_lifecycle_bucket(_rule("models/", **_GLACIER_IR)), **_model()}},
        "fail": {"no archive": {**_build_lifecycle_bucket(_rule("raw/", **_GLACIER_IR)), **_model()}},
        "unknown": {**{name: {**plan, **_model()} for name, plan in _NOT_KNOWN.items()}},
        "not_applicable": {
            "no model": _build_lifecycle_bucket(_rule(**_EXPIRE)),
            "no lifecycle": {**_bucket(), **_model()},
        },
    },
    "SUS_SERVED_MODEL_ARCHIVED": {
        "pass": {"instant retrieval": {**_build_lifecycle_bucket(_rule("models/", **_GLACIER_IR)), **_model()}},
        "fail": {"deep archive": {**_build_lifecycle_bucket(_rule("models/", **_DEEP)), **_model()}},
        "unknown": {
            "unknown prefix": {
                **_build_lifecycle_bucket({"id": "r", "status": "Enabled", "filter": {"prefix": UNKNOWN}, **_DEEP}),
                **_model(),
            }
        },
        "not_applicable": {"no model": _build_lifecycle_bucket(_rule(**_DEEP))},
    },
    "SUS_SCRATCH_EXPIRES": {
        "pass": {
            "job": {
                **_build_lifecycle_bucket(_rule("checkpoints/", **_EXPIRE)),
                **build_job(checkpoint_config={"s3_uri": _CHECKPOINTS}),
            },
            "step": {
                **_build_lifecycle_bucket(_rule(**_EXPIRE)),
                **build_training_pipeline(CheckpointConfig={"S3Uri": _CHECKPOINTS}),
            },
        },
        "fail": {
            "job": {
                **_build_lifecycle_bucket(_rule("raw/", **_EXPIRE)),
                **build_job(checkpoint_config={"s3_uri": _CHECKPOINTS}),
            },
            "no lifecycle": {
                **_bucket(),
                **build_job(debug_hook_config={"s3_output_path": "s3://sagemaker-data/debug"}),
            },
            "step": {
                **_bucket(),
                **build_training_pipeline(ProfilerConfig={"S3OutputPath": "s3://sagemaker-data/profiler"}),
            },
        },
        "unknown": {
            "unknown address": build_job(checkpoint_config={"s3_uri": UNKNOWN}),
            "unknown days": {
                **_build_lifecycle_bucket(_rule("checkpoints/", expiration={"days": UNKNOWN})),
                **build_job(checkpoint_config={"s3_uri": _CHECKPOINTS}),
            },
            **HIDDEN,
        },
        "not_applicable": {
            "no output": build_job(),
            "a bucket outside the plan": build_job(checkpoint_config={"s3_uri": "s3://elsewhere/checkpoints"}),
            "a step with output outside the plan": build_training_pipeline(
                CheckpointConfig={"S3Uri": "s3://elsewhere/c"}
            ),
        },
    },
    "SUS_ENDPOINT_OUTPUT_EXPIRES": {
        "pass": {
            "captures": {
                **_build_lifecycle_bucket(_rule("captures/", **_EXPIRE)),
                **_capture("s3://sagemaker-data/captures"),
            },
            "an unknown key in a bucket where everything expires": {
                **_build_lifecycle_bucket(_rule(**_EXPIRE)),
                **_capture("s3://${aws_s3_bucket.b.id}/captures"),
            },
        },
        "fail": {
            "captures": {**_bucket(), **_capture("s3://sagemaker-data/captures")},
            "responses": {
                **_build_lifecycle_bucket(_rule("captures/", **_EXPIRE)),
                "aws_sagemaker_endpoint_configuration.c": {
                    "name": "c",
                    "async_inference_config": {"output_config": {"s3_output_path": "s3://sagemaker-data/responses"}},
                },
            },
        },
        "unknown": {
            "unknown address": _capture(UNKNOWN),
            "an unknown key in a bucket where a part expires": {
                **_build_lifecycle_bucket(_rule("captures/", **_EXPIRE)),
                **_capture("s3://${aws_s3_bucket.b.id}/captures"),
            },
        },
        "not_applicable": {
            "no output": {"aws_sagemaker_endpoint_configuration.c": {"name": "c"}},
            "a bucket outside the plan": _capture("s3://elsewhere/captures"),
        },
    },
    "SUS_STORAGE_LENS": {
        "pass": {
            "on": {"aws_s3control_storage_lens_configuration.s": {"storage_lens_configuration": {"enabled": True}}}
        },
        "fail": {
            "off": {"aws_s3control_storage_lens_configuration.s": {"storage_lens_configuration": {"enabled": False}}}
        },
        "unknown": {
            "unknown": {
                "aws_s3control_storage_lens_configuration.s": {"storage_lens_configuration": {"enabled": UNKNOWN}}
            }
        },
        "not_applicable": {"none": _bucket()},
    },
}
