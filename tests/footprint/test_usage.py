import json
from pathlib import Path
from typing import Any

import pytest

from sustainable_mlops.base.errors import UserError
from sustainable_mlops.footprint import read_usage
from sustainable_mlops.footprint.usage import KEYS, KEYS_BY_TYPE
from tests.cases import check_cases
from tests.footprint.support import make_footprint, make_usage
from tests.plan.plan_builder import build_change, build_configuration

ENDPOINT = 'module.a["x"].aws_sagemaker_endpoint.this'


def write_usage(folder: Path, text: str, name: str = "usage.yaml") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_a_number_is_exact_and_a_range_is_not(tmp_path: Path) -> None:
    usage = read_usage(
        write_usage(
            tmp_path,
            f"""
resources:
  '{ENDPOINT}':
    requests_per_month: 2_000_000
    duration_seconds: {{low: 0.02, expected: 0.05, high: 0.2}}
""",
        )
    )
    keys = usage.find_keys(ENDPOINT)
    requests, duration = keys.get("requests_per_month"), keys.get("duration_seconds")
    assert requests is not None
    assert (requests.central, requests.is_exact, requests.grade) == (2_000_000, True, "A")
    assert duration is not None
    assert (duration.low, duration.central, duration.high) == (0.02, 0.05, 0.2)
    assert keys.get("duty") is None


def test_more_specific_entries_override(tmp_path: Path) -> None:
    usage = read_usage(
        write_usage(
            tmp_path,
            """
{"defaults": {"duty": 0.1, "instances": 1},
 "resources": {"module.a[*].aws_sagemaker_endpoint.*": {"duty": 0.2, "instances": 2},
               "module.a[\\"x\\"].aws_sagemaker_endpoint.this": {"duty": 0.3}}}
""",
            "usage.json",
        )
    )

    def keys_of(address: str) -> list[float]:
        keys = usage.find_keys(address)
        return [quantity.central for key in ("duty", "instances") if (quantity := keys.get(key)) is not None]

    assert keys_of(ENDPOINT) == [0.3, 2]
    assert keys_of('module.a["y"].aws_sagemaker_endpoint.this') == [0.2, 2]
    assert keys_of("aws_sagemaker_endpoint.this") == [0.1, 1]


def test_storage_is_a_number_a_range_or_a_mapping_by_class(tmp_path: Path) -> None:
    usage = read_usage(
        write_usage(
            tmp_path,
            """
resources:
  aws_s3_bucket.a: {storage_gb: 100}
  aws_s3_bucket.b: {storage_gb: {low: 1, expected: 2, high: 3}}
  aws_s3_bucket.c: {storage_gb: {STANDARD: 5, GLACIER_IR: 7}}
""",
        )
    )
    result = {}
    for name in "abc":
        storage = usage.find_keys(f"aws_s3_bucket.{name}").get_storage()
        assert storage is not None
        result[name] = {kind: gb.central for kind, gb in storage.items()}
    assert result == {"a": {"STANDARD": 100}, "b": {"STANDARD": 2}, "c": {"STANDARD": 5, "GLACIER_IR": 7}}


@check_cases(
    ("text", "message"),
    [
        ("resources: [1]", "resources: must be a mapping"),
        ("resource: {}", "unknown key resource; use one of defaults, resources"),
        ("resources: {a.b: {request: 1}}", "resources.a.b: unknown key request"),
        ("resources: {a.b: {duty: 1.5}}", "resources.a.b.duty: must be a number from 0 to 1"),
        ("resources: {a.b: {duty: .nan}}", "resources.a.b.duty: must be a number"),
        ("resources: {a.b: {duty: true}}", "resources.a.b.duty: must be a number"),
        ("resources: {a.b: {duty: '0.5'}}", "resources.a.b.duty: must be a number"),
        ("resources: {a.b: {duty: {low: 0.1, high: 0.2}}}", "resources.a.b.duty: write low, expected and high"),
        ("resources: {a.b: {duty: {low: 0.3, expected: 0.2, high: 0.4}}}", "must be in ascending order"),
        ("resources: {a.b: {storage_gb: {COLD: 1}}}", "resources.a.b.storage_gb: unknown key COLD"),
        ("resources: {a.b: {storage_gb: {STANDARD: -1}}}", "resources.a.b.storage_gb.STANDARD: must be a number"),
        ("resources: {a.b: {duty: 0.1, duty: 0.2}}", "the key 'duty' appears twice"),
        (
            "resources: {aws_s3_bucket.b: {duty: 0.1}}",
            "b.duty: does not apply to aws_s3_bucket; use one of storage_gb, transfer_gb_per_month",
        ),
        (
            "resources: {'module.m[*].aws_s3_bucket.*': {duty: 0.1}}",
            "does not apply to aws_s3_bucket; use one of storage_gb, transfer_gb_per_month",
        ),
        (
            "resources: {'aws_sagemaker_pipeline.p[\"k\"]#Train': {online_gb: 1}}",
            "does not apply to aws_sagemaker_pipeline; use one of runs",
        ),
        (
            "resources: {aws_sagemaker_endpont.e: {duty: 0.1}}",
            "does not apply to aws_sagemaker_endpont; remove the entry",
        ),
        ("a: [", "line 1, column 5: not valid YAML"),
        ("- 1", "must be a mapping (key: value), but is a list"),
        ("resources: {a.b: }", "resources.a.b: must be a mapping (key: value), but is empty"),
        ("resources: {a.b: high}", "must be a mapping (key: value), but is a text"),
        ("resources: {a.b: 0.5}", "must be a mapping (key: value), but is a number"),
        ("resources: {a.b: 2026-01-01}", "must be a mapping (key: value), but is a date"),
    ],
)
def test_an_invalid_entry_is_refused_with_its_location(tmp_path: Path, text: str, message: str) -> None:
    path = write_usage(tmp_path, text)
    with pytest.raises(UserError) as error:
        read_usage(path)
    assert str(path) in str(error.value)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_a_duplicate_key_in_json_is_refused(tmp_path: Path) -> None:
    path = write_usage(tmp_path, '{"resources": {"a.b": {"duty": 0.1}, "a.b": {}}}', "usage.json")
    with pytest.raises(UserError, match=r"the key 'a\.b' appears twice"):
        read_usage(path)


@check_cases("number", ["1e6", "1E+6", "1.0e6", "1_000_000", "1000000"])
def test_numbers_may_have_exponents_and_underscores(tmp_path: Path, number: str) -> None:
    requests = read_usage(write_usage(tmp_path, f"defaults: {{requests_per_month: {number}}}")).find_keys("a.b").get
    result = requests("requests_per_month")
    assert result is not None
    assert result.central == 1_000_000


def test_unused_entries_are_listed(tmp_path: Path) -> None:
    entries = {
        "aws_sagemaker_pipeline.p": {"runs_per_month": 1},
        "aws_sagemaker_pipeline.p#Train": {"runs_per_month": 1},
        "aws_sagemaker_pipeline.p#Trian": {"runs_per_month": 1},
        "aws_sagemaker_pipeline.q*": {"runs_per_month": 1},
        "*.p": {"runs_per_month": 1},
    }
    used = make_usage(tmp_path, entries)
    step = {"Name": "Train", "Type": "Training", "Arguments": {}}
    values = {"region": "us-east-1", "pipeline_definition": json.dumps({"Steps": [step]})}
    make_footprint(build_change("aws_sagemaker_pipeline.p", values), used=used)
    assert used.unused_entries == ["aws_sagemaker_pipeline.p#Trian", "aws_sagemaker_pipeline.q*"]


def test_a_step_has_its_own_keys_and_those_of_its_pipeline(tmp_path: Path) -> None:
    entries = {
        "aws_sagemaker_pipeline.*": {"runs_per_month": 1, "duty": 0.1, "instances": 1},
        'aws_sagemaker_pipeline.p["a#b"]': {"duty": 0.2, "instances": 2},
        "*#Train": {"instances": 3},
    }
    used = make_usage(tmp_path, entries, hours_per_run=4)
    keys = used.find_keys('aws_sagemaker_pipeline.p["a#b"]#Train')
    values = {key: result.central for key in KEYS if (result := keys.get(key)) is not None}
    assert values == {"runs_per_month": 1, "duty": 0.2, "instances": 3, "hours_per_run": 4}
    assert [key for key in KEYS if keys.get_own(key) is not None] == ["instances"]


SERVERLESS = ("requests_per_month", "duration_seconds", "provisioned_concurrency")


def make_resources(kind: str, key: str) -> list[dict[str, Any]]:
    """Return changes for a resource `one` of this type whose footprint depends on the key."""
    job_instances = {"instance_type": "ml.m5.xlarge", "instance_count": 1}
    spec = {"default_resource_spec": [{"instance_type": "ml.m5.xlarge"}]}
    variant: dict[str, Any] = {"instance_type": "ml.m5.xlarge", "initial_instance_count": 1}
    if key in SERVERLESS:
        variant = {"serverless_config": [{"memory_size_in_mb": 2048}]}
    cluster = {"resource_config": [job_instances], "enable_managed_spot_training": True}
    step = {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1}
    arguments = {"ResourceConfig": step, "EnableManagedSpotTraining": True}
    config = {"monitoring_job_definition": [{"monitoring_resources": [{"cluster_config": [job_instances]}]}]}
    instance, weights = {"instance_type": "m5.xlarge"}, {"instance_type_configs": [{"instance_type": "m5.xlarge"}]}
    spot = {"instance_market_options": [{"market_type": "spot"}]}
    sizes = {"scaling_config": [{"min_size": 1, "desired_size": 2, "max_size": 4}]}
    values: dict[str, dict[str, Any]] = {
        "aws_autoscaling_group": {
            "min_size": 1,
            "max_size": 4,
            "mixed_instances_policy": [
                {
                    "instances_distribution": [{"on_demand_percentage_above_base_capacity": 0}],
                    "launch_template": [{"override": [instance]}],
                }
            ],
        },
        "aws_batch_compute_environment": {
            "compute_resources": [{"type": "SPOT", "instance_type": ["m5.xlarge"], "max_vcpus": 16}]
        },
        "aws_ec2_capacity_block_reservation": {**instance, "instance_count": 1},
        "aws_ec2_capacity_reservation": {**instance, "instance_count": 1},
        "aws_ec2_fleet": {
            "launch_template_config": [{"override": [instance]}],
            "target_capacity_specification": [{"default_target_capacity_type": "spot", "total_target_capacity": 2}],
        },
        "aws_ec2_host": {"instance_family": "m5"},
        "aws_eks_node_group": {"instance_types": ["m5.xlarge"], "capacity_type": "SPOT", **sizes},
        "aws_emr_cluster": {"master_instance_group": [{**instance, "bid_price": "0.1"}]},
        "aws_emr_instance_fleet": {**weights, "target_spot_capacity": 2},
        "aws_emr_instance_group": {**instance, "bid_price": "0.1", "instance_count": 2},
        "aws_instance": {**instance, **spot},
        "aws_spot_fleet_request": {"target_capacity": 2, "launch_specification": [instance]},
        "aws_spot_instance_request": instance,
        "aws_sagemaker_cluster": {"instance_groups": [job_instances]},
        "aws_s3_bucket": {
            "replication_configuration": [{"rules": [{"destination": [{"bucket": "arn:aws:s3:::away"}]}]}]
        },
        "aws_s3_bucket_replication_configuration": {"rule": [{"destination": [{"bucket": "arn:aws:s3:::away"}]}]},
        "aws_sagemaker_app": {"resource_spec": [{"instance_type": "ml.m5.xlarge"}]},
        "aws_sagemaker_domain": {"default_user_settings": [{"jupyter_lab_app_settings": [spec]}]},
        "aws_sagemaker_endpoint": {"endpoint_config_name": "c"},
        "aws_sagemaker_endpoint_configuration": {"name": "c", "production_variants": [variant]},
        "aws_sagemaker_feature_group": {
            "online_store_config": [{"enable_online_store": True}],
            "offline_store_config": [{"s3_storage_config": [{}]}],
        },
        "aws_sagemaker_hyper_parameter_tuning_job": {
            "config": [{"resource_limits": [{"max_number_of_training_jobs": 4}]}],
            "training_job_definition": [cluster],
        },
        "aws_sagemaker_monitoring_schedule": {"monitoring_schedule_config": [config]},
        "aws_sagemaker_notebook_instance": {"instance_type": "ml.m5.xlarge"},
        "aws_sagemaker_pipeline": {
            "pipeline_definition": json.dumps({"Steps": [{"Name": "T", "Type": "Training", "Arguments": arguments}]})
        },
        "aws_sagemaker_space": {"space_settings": [{"jupyter_lab_app_settings": [spec]}]},
        "aws_sagemaker_training_job": cluster,
    }
    result = [build_change(f"{kind}.one", {"region": "us-east-1", **values[kind]})]
    if kind == "aws_sagemaker_endpoint":
        result += make_resources("aws_sagemaker_endpoint_configuration", key)
    return result


@check_cases(("kind", "key"), [(kind, key) for kind, keys in KEYS_BY_TYPE.items() for key in keys])
def test_each_key_of_a_type_changes_its_footprint(tmp_path: Path, kind: str, key: str) -> None:
    others = {name: 0.5 for name in KEYS_BY_TYPE[kind] if name not in (key, "storage_gb")}

    def figures(value: float) -> dict[str, Any]:
        used = make_usage(tmp_path, {f"{kind}.one": {**others, key: value}})
        own = build_configuration(f"{kind}.one", replication_configuration=["local.replication"])
        return make_footprint(*make_resources(kind, key), used=used, root={"resources": [own]}).after.to_dict()

    assert figures(0.25) != figures(1.0)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"nowhere\.yaml: no such file"):
        read_usage(tmp_path / "nowhere.yaml")


def test_a_pattern_for_a_module_accepts_keys_of_any_type(tmp_path: Path) -> None:
    keys_of = make_usage(tmp_path, {"module.aws_s3_bucket.*": {"duty": 0.1}})
    assert keys_of.find_keys("module.aws_s3_bucket.aws_sagemaker_endpoint.e").get("duty") is not None
