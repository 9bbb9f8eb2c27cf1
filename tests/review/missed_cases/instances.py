"""Instances outside SageMaker, with and without an estimate."""

import json
from collections.abc import Mapping
from typing import Any

from tests.plan.plan_builder import build_change, build_document
from tests.review.missed_cases.case import Case

_REGION = {"region": "us-east-1"}


def _build_single(address: str, unknown: dict[str, Any] | None = None, **values: Any) -> dict[str, Any]:
    return build_document(build_change(address, {**_REGION, **values}, unknown=unknown))


_OFFLINE = {"s3_uri": "s3://elsewhere/features", "kms_key_id": "arn:aws:kms:us-east-1:123456789012:key/k"}
_TEMPLATE: dict[str, Any] = {"launch_template": [{"id": "lt-0123", "name": "elsewhere", "version": "1"}]}
_ELSEWHERE = "its launch template is not in this plan"

_EMR: dict[str, Any] = {
    "master_instance_group": [{"instance_type": "m5.xlarge"}],
    "core_instance_group": [{"instance_type": "r5.4xlarge", "instance_count": 1}],
}


_TRAINS: dict[str, Any] = {
    "StartAt": "Both",
    "States": {
        "Both": {
            "Type": "Parallel",
            "End": True,
            "Branches": [
                {
                    "StartAt": "Train",
                    "States": {
                        "Train": {
                            "Type": "Task",
                            "Resource": "arn:aws:states:::sagemaker:createTrainingJob.sync",
                            "Parameters": {"ResourceConfig": {"InstanceType": "ml.p5.48xlarge", "InstanceCount": 16}},
                            "End": True,
                        }
                    },
                }
            ],
        }
    },
}
_FLEET = "its fleet is not in the plan"
_SCALED: dict[str, Any] = {
    "service_namespace": "sagemaker",
    "resource_id": "endpoint/e/variant/v",
    "scalable_dimension": "sagemaker:variant:DesiredInstanceCount",
}
_TASKS: dict[str, Any] = {
    "service_namespace": "ecs",
    "resource_id": "service/c/s",
    "scalable_dimension": "ecs:service:DesiredCount",
}


def _group(*others: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return a plan with a small Auto Scaling group named `g` and other resources."""
    override = [{"instance_type": "m5.large"}]
    mixed = [{"launch_template": [{"override": override}]}]
    values = {"name": "g", "min_size": 1, "max_size": 1, "desired_capacity": 1, "mixed_instances_policy": mixed}
    return build_document(build_change("aws_autoscaling_group.g", {**_REGION, **values, **more}), *others)


def _build_scaling_resource(address: str, unknown: dict[str, Any] | None = None, **values: Any) -> dict[str, Any]:
    return build_change(address, {**_REGION, "autoscaling_group_name": "g", **values}, unknown=unknown)


CASES = {
    "a Glue job of fifty workers": Case(
        _build_single("aws_glue_job.g", worker_type="G.2X", number_of_workers=50),
        "look",
        "AWS does not publish the hardware",
    ),
    "a service of ECS on Fargate": Case(
        _build_single("aws_ecs_service.s", launch_type="FARGATE", desired_count=20),
        "look",
        "AWS does not publish the hardware",
    ),
    "pods of EKS on Fargate": Case(_build_single("aws_eks_fargate_profile.p", cluster_name="c"), "look", "no estimate"),
    "Batch on Fargate": Case(
        _build_single("aws_batch_compute_environment.b", compute_resources=[{"type": "FARGATE", "max_vcpus": 256}]),
        "look",
        "AWS does not publish the hardware of Fargate",
    ),
    "a Batch environment whose size is known after apply": Case(
        _build_single(
            "aws_batch_compute_environment.b",
            {"compute_resources": [{"max_vcpus": True}]},
            compute_resources=[{"type": "EC2", "instance_type": ["p4d"]}],
        ),
        "look",
        "the number of vCPUs is not known until apply",
    ),
    "EMR without servers": Case(_build_single("aws_emrserverless_application.e", type="spark"), "look", "no estimate"),
    "an EMR cluster of a type that nobody knows": Case(
        _build_single("aws_emr_cluster.e", master_instance_group=[{"instance_type": "f2.6xlarge"}]),
        "look",
        "the power of its FPGAs is not in the catalogue",
    ),
    "eight instances of a launch template that is elsewhere": Case(
        build_document(*(build_change("aws_instance.gpu", {**_REGION, **_TEMPLATE}, index=n) for n in range(8))),
        "look",
        _ELSEWHERE,
    ),
    "an Auto Scaling group of a launch template that is elsewhere": Case(
        _build_single("aws_autoscaling_group.g", min_size=8, max_size=64, **_TEMPLATE), "look", _ELSEWHERE
    ),
    "a node group of EKS whose size is known after apply": Case(
        _build_single(
            "aws_eks_node_group.n",
            {"scaling_config": [{"desired_size": True}]},
            instance_types=["p4d.24xlarge"],
            scaling_config=[{"min_size": 0, "max_size": 64}],
        ),
        "look",
        "the number of nodes is not known until apply",
    ),
    "a reserved block of capacity, whose instances its offering names": Case(
        _build_single(
            "aws_ec2_capacity_block_reservation.b",
            {"instance_type": True, "instance_count": True},
            capacity_block_offering_id="cb-0123",
        ),
        "look",
        "instance_type is not known until apply",
    ),
    "eight instances without a price": Case(
        build_document(
            *(
                build_change("aws_instance.hpc", {**_REGION, "instance_type": "hpc7a.96xlarge"}, index=n)
                for n in range(8)
            )
        ),
        "look",
        "the price of this instance type is unknown",
    ),
    "throughput of a feature store that is paid for used or not": Case(
        _build_single(
            "aws_sagemaker_feature_group.f",
            tags_all={"workload": "w", "environment": "e", "owner": "o"},
            offline_store_config=[{"table_format": "Iceberg", "s3_storage_config": [_OFFLINE]}],
            throughput_config=[{"throughput_mode": "Provisioned", "provisioned_write_capacity_units": 9000}],
        ),
        "look",
        "its provisioned throughput (9,000 write units) is not counted",
    ),
    "a database, a cache and a search cluster": Case(
        build_document(
            build_change("aws_db_instance.d", {"instance_class": "db.r6g.16xlarge"}),
            build_change("aws_elasticache_cluster.c", {"node_type": "cache.r6g.16xlarge"}),
            build_change("aws_opensearch_domain.o", {"domain_name": "o"}),
        ),
        "look",
        "no price known",
    ),
    "a warm pool that runs": Case(
        _group(warm_pool=[{"pool_state": "Running", "min_size": 16}]), "look", "its running instances are not counted"
    ),
    "an action that raises the least of a group each morning": Case(
        _group(
            _build_scaling_resource(
                "aws_autoscaling_schedule.s", recurrence="0 8 * * *", min_size=6, desired_capacity=-1
            )
        ),
        "look",
        "the duration of aws_autoscaling_schedule.s (0 8 * * *) is not counted",
    ),
    "an action to a size that is known after apply": Case(
        _group(
            _build_scaling_resource(
                "aws_autoscaling_schedule.s", {"desired_capacity": True}, start_time="2030-01-01T00:00:00Z"
            )
        ),
        "look",
        "the duration of aws_autoscaling_schedule.s is not counted",
    ),
    "a policy that may be of this group": Case(
        _group(build_change("aws_autoscaling_policy.p", {**_REGION}, unknown={"autoscaling_group_name": True})),
        "look",
        "it is not known until apply whether aws_autoscaling_policy.p scales it",
    ),
    "managed scaling of EMR up to a size that is known after apply": Case(
        build_document(
            build_change("aws_emr_cluster.e", {**_REGION, **_EMR, "id": "j-1"}),
            build_change(
                "aws_emr_managed_scaling_policy.p",
                {**_REGION, "cluster_id": "j-1", "compute_limits": [{"minimum_capacity_units": 1}]},
                unknown={"compute_limits": [{"maximum_capacity_units": True}]},
            ),
        ),
        "look",
        "the limits of aws_emr_managed_scaling_policy.p are unknown",
    ),
    "task nodes of EMR whose scaling is known after apply": Case(
        _build_single(
            "aws_emr_instance_group.t", {"autoscaling_policy": True}, instance_type="m5.xlarge", instance_count=1
        ),
        "look",
        "the limits of autoscaling_policy are unknown",
    ),
    "a volume whose size is known after apply": Case(
        _build_single("aws_ebs_volume.v", {"size": True}, type="gp3", encrypted=True),
        "look",
        "its size is not known until apply",
    ),
    "a state machine that trains on sixteen instances": Case(
        _build_single("aws_sfn_state_machine.s", definition=json.dumps(_TRAINS)),
        "look",
        "it starts sagemaker:createTrainingJob; the instances that it starts are not estimated",
    ),
    "a state machine that is known after apply": Case(
        _build_single("aws_sfn_state_machine.s", {"definition": True}), "look", "the instances that it starts"
    ),
    "a schedule that trains": Case(
        _build_single(
            "aws_scheduler_schedule.s",
            flexible_time_window=[{"mode": "FLEXIBLE", "maximum_window_in_minutes": 240}],
            target=[{"arn": "arn:aws:scheduler:::aws-sdk:sagemaker:createTrainingJob"}],
        ),
        "look",
        "it starts sagemaker:createTrainingJob; the instances that it starts are not estimated",
    ),
    "a rule that runs fifty tasks": Case(
        _build_single(
            "aws_cloudwatch_event_target.t",
            arn="arn:aws:ecs:us-east-1:123456789012:cluster/c",
            ecs_target=[{"task_count": 50}],
        ),
        "look",
        "it starts tasks or jobs; the instances that it starts are not estimated",
    ),
    "a limit of an endpoint that is elsewhere": Case(
        _build_single(
            "aws_appautoscaling_scheduled_action.a", **_SCALED, scalable_target_action=[{"max_capacity": 50}]
        ),
        "look",
        _FLEET,
    ),
    "a target of a service of ECS": Case(
        _build_single("aws_appautoscaling_target.t", **_TASKS, min_capacity=500, max_capacity=900),
        "look",
        "the size of the fleet that it scales is not estimated",
    ),
    "a scheduled size of a group that is elsewhere": Case(
        build_document(_build_scaling_resource("aws_autoscaling_schedule.s", desired_capacity=50)), "look", _FLEET
    ),
    "managed scaling of a cluster that is elsewhere": Case(
        _build_single(
            "aws_emr_managed_scaling_policy.p", cluster_id="j-1", compute_limits=[{"maximum_capacity_units": 50}]
        ),
        "look",
        _FLEET,
    ),
}

_MIXED: dict[str, Any] = {
    "min_size": 8,
    "max_size": 8,
    "desired_capacity": 8,
    "mixed_instances_policy": [{"launch_template": [{"override": [{"instance_type": "p4d.24xlarge"}]}]}],
}

#: Changes that were fine without a figure, and their USD a month.
COUNTED: dict[str, tuple[Mapping[str, Any], float]] = {
    "eight p4d.24xlarge": (
        build_document(
            *(build_change("aws_instance.gpu", {**_REGION, "instance_type": "p4d.24xlarge"}, index=n) for n in range(8))
        ),
        8 * 730 * 21.957642,
    ),
    "an Auto Scaling group of eight": (_build_single("aws_autoscaling_group.g", **_MIXED), 8 * 730 * 21.957642),
    "a node group of EKS": (
        _build_single(
            "aws_eks_node_group.n",
            instance_types=["g5.12xlarge"],
            scaling_config=[{"min_size": 4, "desired_size": 4, "max_size": 4}],
        ),
        4 * (730 * 5.672 + 20 * 0.08),
    ),
    "an EMR cluster": (
        _build_single(
            "aws_emr_cluster.e",
            master_instance_group=[{"instance_type": "m5.xlarge"}],
            core_instance_group=[{"instance_type": "r5.4xlarge", "instance_count": 10}],
        ),
        730 * (0.192 + 10 * 1.008),
    ),
    "a Batch environment that is never empty": (
        _build_single(
            "aws_batch_compute_environment.b",
            compute_resources=[{"type": "EC2", "instance_type": ["p3.2xlarge"], "min_vcpus": 64, "max_vcpus": 64}],
        ),
        8 * 730 * 3.06,
    ),
    "reserved capacity": (
        _build_single("aws_ec2_capacity_reservation.r", instance_type="p5.48xlarge", instance_count=4),
        4 * 730 * 55.04,
    ),
    "a HyperPod cluster": (
        _build_single(
            "aws_sagemaker_cluster.c", instance_groups=[{"instance_type": "ml.g5.xlarge", "instance_count": 16}]
        ),
        16 * 730 * 1.4084,
    ),
}
