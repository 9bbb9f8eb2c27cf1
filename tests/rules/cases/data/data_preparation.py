"""Cases of rules/data/data_preparation.py."""

from typing import Any

from tests.rules.jobs import UNKNOWN, Resources

_ML_BUCKET: Resources = {"aws_s3_bucket.b": {"bucket": "sagemaker-data"}}


def _glue(name: str = "sagemaker-features", **settings: Any) -> Resources:
    return {"aws_glue_job.g": {"name": name, **settings}}


def _emr_serverless(name: str = "sagemaker-features", **stop: Any) -> Resources:
    more = {"auto_stop_configuration": stop} if stop else {}
    return {"aws_emrserverless_application.a": {"name": name, **more}}


def _emr(name: str = "sagemaker-features", **settings: Any) -> Resources:
    return {"aws_emr_cluster.c": {"name": name, **settings}}


def _stream(name: str = "sagemaker-events", **settings: Any) -> Resources:
    return {"aws_kinesis_stream.s": {"name": name, **settings}}


def _firehose(bucket: str = "${aws_s3_bucket.b.arn}", **conversion: Any) -> Resources:
    s3: dict[str, Any] = {"bucket_arn": bucket}
    if conversion:
        s3["data_format_conversion_configuration"] = conversion
    return {
        **_ML_BUCKET,
        "aws_kinesis_firehose_delivery_stream.f": {
            "name": "f",
            "destination": "extended_s3",
            "extended_s3_configuration": s3,
        },
    }


_PARQUET: dict[str, Any] = {
    "output_format_configuration": {"serializer": {"parquet_ser_de": {"compression": "SNAPPY"}}}
}

CASES = {
    "SUS_GLUE_AUTO_SCALING": {
        "pass": {"on": _glue(default_arguments={"--enable-auto-scaling": "true"})},
        "fail": {
            "not set": _glue(),
            "uses a bucket for machine learning": {
                **_ML_BUCKET,
                **_glue("etl", default_arguments={"--input": "s3://sagemaker-data/raw"}),
            },
        },
        "unknown": {
            "unknown": _glue(default_arguments={"--enable-auto-scaling": UNKNOWN}),
            "unknown command": _glue(command={"name": UNKNOWN}),
        },
        "not_applicable": {
            "another workload": _glue("invoices"),
            "Python shell": _glue(command={"name": "pythonshell"}),
        },
    },
    "SUS_GLUE_TIMEOUT": {
        "pass": {"an hour": _glue(timeout=60)},
        "fail": {"not set": _glue()},
        "unknown": {
            "unknown": _glue(timeout="${aws_ssm_parameter.p.value}") | {"aws_ssm_parameter.p": {}},
            "unknown command": _glue(command={"name": UNKNOWN}),
        },
        "not_applicable": {
            "another workload": _glue("invoices"),
            "streaming": _glue(command={"name": "gluestreaming"}),
        },
    },
    "SUS_EMR_SERVERLESS_AUTO_STOP": {
        "pass": {
            "by default": _emr_serverless(),
            "a short timeout": _emr_serverless(enabled=True, idle_timeout_minutes=5),
        },
        "fail": {
            "off": _emr_serverless(enabled=False),
            "a long timeout": _emr_serverless(enabled=True, idle_timeout_minutes=120),
        },
        "unknown": {"unknown": _emr_serverless(enabled="${aws_ssm_parameter.p.value}") | {"aws_ssm_parameter.p": {}}},
        "not_applicable": {"another workload": _emr_serverless("invoices", enabled=False)},
    },
    "SUS_EMR_AUTO_TERMINATION": {
        "pass": {
            "policy": _emr(auto_termination_policy={"idle_timeout": 900}),
            "terminates after its steps": _emr(keep_job_flow_alive_when_no_steps=False),
        },
        "fail": {"waits by default": _emr(), "configured to wait": _emr(keep_job_flow_alive_when_no_steps=True)},
        "unknown": {"unknown policy": _emr(auto_termination_policy=UNKNOWN)},
        "not_applicable": {"another workload": _emr("invoices")},
    },
    "SUS_STREAM_ON_DEMAND": {
        "pass": {"on demand": _stream(stream_mode_details={"stream_mode": "ON_DEMAND"})},
        "fail": {
            "shards": _stream(shard_count=4),
            "configured": _stream(stream_mode_details={"stream_mode": "PROVISIONED"}),
        },
        "unknown": {
            "unknown": _stream(stream_mode_details={"stream_mode": "${aws_ssm_parameter.p.value}"})
            | {"aws_ssm_parameter.p": {}}
        },
        "not_applicable": {"another workload": _stream("clicks", shard_count=4)},
    },
    "SUS_FIREHOSE_COLUMNAR": {
        "pass": {"Parquet": _firehose(**_PARQUET)},
        "fail": {"no conversion": _firehose(), "disabled": _firehose(enabled=False, **_PARQUET)},
        "unknown": {"unknown": _firehose(enabled=UNKNOWN)},
        "not_applicable": {"another workload": _firehose("arn:aws:s3:::invoices")},
    },
}
