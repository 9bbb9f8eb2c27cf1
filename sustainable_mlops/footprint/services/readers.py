"""Reader of each resource type that has an estimate. A plan imports only the services that it contains."""

from functools import cache
from importlib import import_module

from sustainable_mlops.footprint.services.plan_side import PartReader

#: File of this folder and function of each resource type.
READERS = {
    "aws_sagemaker_endpoint": "endpoints.read_endpoint",
    "aws_sagemaker_endpoint_configuration": "endpoints.read_configuration",
    "aws_sagemaker_pipeline": "jobs.read_pipeline",
    "aws_sagemaker_training_job": "jobs.read_training_job",
    "aws_sagemaker_hyper_parameter_tuning_job": "jobs.read_tuning_job",
    "aws_sagemaker_data_quality_job_definition": "jobs.read_monitoring_definition",
    "aws_sagemaker_monitoring_schedule": "jobs.read_schedule",
    "aws_sagemaker_algorithm": "jobs.read_algorithm",
    "aws_sagemaker_notebook_instance": "studio.read_notebook",
    "aws_sagemaker_app": "studio.read_app",
    "aws_sagemaker_domain": "studio.read_domain",
    "aws_sagemaker_space": "studio.read_space",
    "aws_sagemaker_mlflow_tracking_server": "tracking_servers.read_tracking_server",
    "aws_s3_bucket": "stores.read_bucket",
    "aws_s3_bucket_replication_configuration": "stores.read_replication",
    "aws_sagemaker_feature_group": "stores.read_feature_group",
    "aws_sagemaker_cluster": "hyperpod.read_cluster",
    "aws_dynamodb_table": "stores.read_table",
    "aws_ebs_volume": "ec2.read_volume_resource",
    "aws_instance": "ec2.read_instance",
    "aws_spot_instance_request": "ec2.read_spot_request",
    "aws_ec2_capacity_reservation": "ec2.read_reservation",
    "aws_ec2_capacity_block_reservation": "ec2.read_capacity_block",
    "aws_ec2_host": "ec2.read_host",
    "aws_autoscaling_group": "autoscaling_groups.read_group",
    "aws_ec2_fleet": "autoscaling_groups.read_fleet",
    "aws_spot_fleet_request": "autoscaling_groups.read_spot_fleet",
    "aws_eks_node_group": "eks.read_node_group",
    "aws_batch_compute_environment": "batch.read_environment",
    "aws_emr_cluster": "emr.read_cluster",
    "aws_emr_instance_group": "emr.read_group",
    "aws_emr_instance_fleet": "emr.read_fleet",
    "aws_sfn_state_machine": "external_triggers.read_state_machine",
    "aws_scheduler_schedule": "external_triggers.read_schedule",
    "aws_cloudwatch_event_target": "external_triggers.read_rule_target",
    "aws_appautoscaling_target": "external_scaling.read_scalable_target",
    "aws_appautoscaling_scheduled_action": "external_scaling.read_scalable_target",
    "aws_autoscaling_schedule": "external_scaling.read_group_schedule",
    "aws_emr_managed_scaling_policy": "external_scaling.read_managed_scaling",
}


@cache
def find_reader(resource_type: str) -> PartReader | None:
    """Return the reader of a resource type; None if it has no estimate."""
    if (name := READERS.get(resource_type)) is None:
        return None
    module, _, function = name.partition(".")
    reader: PartReader = getattr(import_module(f"{__package__}.{module}"), function)
    return reader
