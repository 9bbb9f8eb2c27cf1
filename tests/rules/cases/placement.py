"""Cases of rules/account/region.py, rules/data/data_locality.py and rules/account/carbon_data.py."""

from typing import Any

from tests.rules.case_tables import RuleCase
from tests.rules.jobs import UNKNOWN, Resources

_ENDPOINT: Resources = {"aws_sagemaker_endpoint.e": {"name": "delay", "endpoint_config_name": "c"}}


def _model(bucket_region: str) -> Resources:
    return {
        "aws_s3_bucket.b": {"bucket": "data", "region": bucket_region},
        "aws_sagemaker_model.m": {"primary_container": {"image": "i", "model_data_url": "s3://data/model.tar.gz"}},
    }


def _replication(source: str, copy_region: str, status: str = "Enabled") -> Resources:
    rule = {"id": "r", "status": status, "destination": {"bucket": "arn:aws:s3:::copy"}}
    return {
        "aws_s3_bucket.b": {"bucket": source},
        "aws_s3_bucket.c": {"bucket": "copy", "region": copy_region},
        "aws_s3_bucket_replication_configuration.r": {"bucket": "${aws_s3_bucket.b.bucket}", "role": "x", "rule": rule},
    }


def _vpc(**endpoint: Any) -> Resources:
    return {
        "aws_vpc.v": {"cidr_block": "10.0.0.0/16"},
        "aws_subnet.s": {"vpc_id": "${aws_vpc.v.id}"},
        "aws_sagemaker_notebook_instance.n": {"name": "n", "subnet_id": "${aws_subnet.s.id}"},
        **({"aws_vpc_endpoint.e": {"vpc_id": "${aws_vpc.v.id}", **endpoint}} if endpoint else {}),
    }


def _export(query: str, **output: str) -> Resources:
    settings = {"compression": "PARQUET", "format": "PARQUET", "output_type": "CUSTOM", "overwrite": "OVERWRITE_REPORT"}
    destination = {"s3_destination": {"s3_output_configurations": {**settings, **output}}}
    return {
        "aws_bcmdataexports_export.e": {
            "export": {"data_query": {"query_statement": query}, "destination_configurations": destination}
        }
    }


_S3 = "com.amazonaws.eu-north-1.s3"
_CARBON = "SELECT * FROM CARBON_EMISSIONS"

CASES = {
    "SUS_REGION_CARBON": {
        "pass": {"Stockholm": _ENDPOINT},
        "fail": {
            "Mumbai": RuleCase(_ENDPOINT, region="ap-south-1"),
            "a resource with its own Region": {"aws_sagemaker_endpoint.e": {"name": "e", "region": "ap-southeast-2"}},
        },
        "unknown": {
            "unknown": {
                "aws_sagemaker_endpoint.e": {"name": "e", "region": "${aws_ssm_parameter.p.value}"},
                "aws_ssm_parameter.p": {},
            },
            "a Region with an unknown grid": RuleCase(_ENDPOINT, region="xx-nowhere-1"),
        },
        "not_applicable": {"no instance": {"aws_sagemaker_model.m": {}}},
    },
    "SUS_ONE_REGION": {
        "pass": {"together": _model("eu-north-1")},
        "fail": {"apart": _model("us-east-1")},
        "unknown": {
            "unknown Region of the bucket": {**_model("${aws_ssm_parameter.p.value}"), "aws_ssm_parameter.p": {}}
        },
        "not_applicable": {
            "a bucket outside the plan": {"aws_sagemaker_model.m": {"primary_container": {"image": "i"}}}
        },
    },
    "SUS_REPLICATION_ONE_REGION": {
        "pass": {"nearby": _replication("sagemaker-data", "eu-north-1")},
        "fail": {"far away": _replication("sagemaker-data", "us-east-1")},
        "unknown": {
            "a destination outside the plan": {
                "aws_s3_bucket.b": {"bucket": "sagemaker-data"},
                "aws_s3_bucket_replication_configuration.r": {
                    "bucket": "sagemaker-data",
                    "rule": {"status": "Enabled", "destination": {"bucket": "arn:aws:s3:::elsewhere"}},
                },
            },
            "unknown status": _replication("sagemaker-data", "us-east-1", UNKNOWN),
        },
        "not_applicable": {
            "another workload": _replication("invoices", "us-east-1"),
            "disabled": _replication("sagemaker-data", "us-east-1", "Disabled"),
        },
    },
    "SUS_S3_GATEWAY_ENDPOINT": {
        "pass": {
            "by default": _vpc(service_name=_S3),
            "configured": _vpc(service_name=_S3, vpc_endpoint_type="Gateway"),
        },
        "fail": {
            "none": _vpc(),
            "another service": _vpc(service_name="com.amazonaws.eu-north-1.dynamodb"),
            "an interface endpoint": _vpc(service_name=_S3, vpc_endpoint_type="Interface"),
        },
        "unknown": {
            "unknown service": _vpc(service_name=UNKNOWN),
            "unknown type": _vpc(service_name=_S3, vpc_endpoint_type=UNKNOWN),
        },
        "not_applicable": {"no SageMaker in the VPC": {"aws_vpc.v": {"cidr_block": "10.0.0.0/16"}}},
    },
    "SUS_CARBON_EXPORT": {
        "pass": {"Parquet": _export(_CARBON)},
        "fail": {
            "CSV": _export(_CARBON, format="TEXT_OR_CSV"),
            "previous exports are kept": _export(_CARBON, overwrite="CREATE_NEW_REPORT"),
        },
        "unknown": {"unknown": _export(_CARBON, format=UNKNOWN)},
        "not_applicable": {"cost and usage": _export("SELECT * FROM COST_AND_USAGE_REPORT", format="TEXT_OR_CSV")},
    },
}
