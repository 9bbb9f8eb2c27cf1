"""Endpoints with their configuration, models and scaling."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from sustainable_mlops.account.adopt.adoption import AdoptedObject, ExcludedObject, ExclusionError, ImportedResource
from sustainable_mlops.account.adopt.fields import Fields, Nested, add_tags, convert, make_layout
from sustainable_mlops.account.adopt.reader import Candidate, Reader
from sustainable_mlops.account.adopt.secrets import may_be_secret

KIND = "endpoint"
ACTIONS = (
    "sagemaker:ListEndpoints",
    "sagemaker:DescribeEndpoint",
    "sagemaker:DescribeEndpointConfig",
    "sagemaker:DescribeModel",
    "sagemaker:ListTags",
    "application-autoscaling:DescribeScalableTargets",
    "application-autoscaling:DescribeScalingPolicies",
    "application-autoscaling:DescribeScheduledActions",
    "application-autoscaling:ListTagsForResource",
)
TYPES = (
    "aws_appautoscaling_policy",
    "aws_appautoscaling_target",
    "aws_sagemaker_endpoint",
    "aws_sagemaker_endpoint_configuration",
    "aws_sagemaker_model",
)
_CONTAINER: Fields = {
    "ContainerHostname": "container_hostname",
    "Image": "image",
    "ModelDataUrl": "model_data_url",
    "Environment": "environment",
    "Mode": "mode",
    "ModelPackageName": "model_package_name",
    "InferenceSpecificationName": "inference_specification_name",
    "ImageConfig": Nested(
        "image_config",
        {
            "RepositoryAccessMode": "repository_access_mode",
            "RepositoryAuthConfig": Nested(
                "repository_auth_config",
                {"RepositoryCredentialsProviderArn": "repository_credentials_provider_arn"},
            ),
        },
    ),
    "ModelDataSource": Nested(
        "model_data_source",
        {
            "S3DataSource": Nested(
                "s3_data_source",
                {
                    "ETag": None,
                    "ManifestEtag": None,
                    "S3Uri": "s3_uri",
                    "S3DataType": "s3_data_type",
                    "CompressionType": "compression_type",
                    "ModelAccessConfig": Nested("model_access_config", {"AcceptEula": "accept_eula"}),
                },
            )
        },
    ),
    "MultiModelConfig": Nested("multi_model_config", {"ModelCacheSetting": "model_cache_setting"}),
}
_MODEL: Fields = {
    "ModelArn": None,
    "CreationTime": None,
    "DeploymentRecommendation": None,
    "ModelName": "name",
    "ExecutionRoleArn": "execution_role_arn",
    "EnableNetworkIsolation": "enable_network_isolation",
    "PrimaryContainer": Nested("primary_container", _CONTAINER),
    "Containers": Nested("container", _CONTAINER),
    "InferenceExecutionConfig": Nested("inference_execution_config", {"Mode": "mode"}),
    "VpcConfig": Nested("vpc_config", {"SecurityGroupIds": "security_group_ids", "Subnets": "subnets"}),
}
_VARIANT: Fields = {
    "VariantName": "variant_name",
    "ModelName": "model_name",
    "InitialInstanceCount": "initial_instance_count",
    "InitialVariantWeight": "initial_variant_weight",
    "InstanceType": "instance_type",
    "AcceleratorType": "accelerator_type",
    "VolumeSizeInGB": "volume_size_in_gb",
    "ModelDataDownloadTimeoutInSeconds": "model_data_download_timeout_in_seconds",
    "ContainerStartupHealthCheckTimeoutInSeconds": "container_startup_health_check_timeout_in_seconds",
    "EnableSSMAccess": "enable_ssm_access",
    "InferenceAmiVersion": "inference_ami_version",
    "CoreDumpConfig": Nested("core_dump_config", {"DestinationS3Uri": "destination_s3_uri", "KmsKeyId": "kms_key_id"}),
    "ServerlessConfig": Nested(
        "serverless_config",
        {
            "MemorySizeInMB": "memory_size_in_mb",
            "MaxConcurrency": "max_concurrency",
            "ProvisionedConcurrency": "provisioned_concurrency",
        },
    ),
    "RoutingConfig": Nested("routing_config", {"RoutingStrategy": "routing_strategy"}),
    "ManagedInstanceScaling": Nested(
        "managed_instance_scaling",
        {"Status": "status", "MinInstanceCount": "min_instance_count", "MaxInstanceCount": "max_instance_count"},
    ),
}
_CONFIGURATION: Fields = {
    "EndpointConfigArn": None,
    "CreationTime": None,
    "EndpointConfigName": "name",
    "KmsKeyId": "kms_key_arn",
    "ProductionVariants": Nested("production_variants", _VARIANT),
    "ShadowProductionVariants": Nested("shadow_production_variants", _VARIANT),
    "AsyncInferenceConfig": Nested(
        "async_inference_config",
        {
            "ClientConfig": Nested(
                "client_config",
                {"MaxConcurrentInvocationsPerInstance": "max_concurrent_invocations_per_instance"},
            ),
            "OutputConfig": Nested(
                "output_config",
                {
                    "KmsKeyId": "kms_key_id",
                    "S3OutputPath": "s3_output_path",
                    "S3FailurePath": "s3_failure_path",
                    "NotificationConfig": Nested(
                        "notification_config",
                        {
                            "SuccessTopic": "success_topic",
                            "ErrorTopic": "error_topic",
                            "IncludeInferenceResponseIn": "include_inference_response_in",
                        },
                    ),
                },
            ),
        },
    ),
    "DataCaptureConfig": Nested(
        "data_capture_config",
        {
            "EnableCapture": "enable_capture",
            "InitialSamplingPercentage": "initial_sampling_percentage",
            "DestinationS3Uri": "destination_s3_uri",
            "KmsKeyId": "kms_key_id",
            "CaptureOptions": Nested("capture_options", {"CaptureMode": "capture_mode"}),
            "CaptureContentTypeHeader": Nested(
                "capture_content_type_header",
                {"CsvContentTypes": "csv_content_types", "JsonContentTypes": "json_content_types"},
            ),
        },
    ),
}
_SIZE: Fields = {"Type": "type", "Value": "value"}
_DEPLOYMENT: Fields = {
    "AutoRollbackConfiguration": Nested(
        "auto_rollback_configuration", {"Alarms": Nested("alarms", {"AlarmName": "alarm_name"})}
    ),
    "BlueGreenUpdatePolicy": Nested(
        "blue_green_update_policy",
        {
            "MaximumExecutionTimeoutInSeconds": "maximum_execution_timeout_in_seconds",
            "TerminationWaitInSeconds": "termination_wait_in_seconds",
            "TrafficRoutingConfiguration": Nested(
                "traffic_routing_configuration",
                {
                    "Type": "type",
                    "WaitIntervalInSeconds": "wait_interval_in_seconds",
                    "CanarySize": Nested("canary_size", _SIZE),
                    "LinearStepSize": Nested("linear_step_size", _SIZE),
                },
            ),
        },
    ),
    "RollingUpdatePolicy": Nested(
        "rolling_update_policy",
        {
            "MaximumExecutionTimeoutInSeconds": "maximum_execution_timeout_in_seconds",
            "WaitIntervalInSeconds": "wait_interval_in_seconds",
            "MaximumBatchSize": Nested("maximum_batch_size", _SIZE),
            "RollbackMaximumBatchSize": Nested("rollback_maximum_batch_size", _SIZE),
        },
    ),
}
_ENDPOINT: Fields = {
    "EndpointName": "name",
    "EndpointConfigName": "endpoint_config_name",
    "LastDeploymentConfig": Nested("deployment_config", _DEPLOYMENT),
}
_SCALING_KEYS: Fields = {
    "ServiceNamespace": "service_namespace",
    "ResourceId": "resource_id",
    "ScalableDimension": "scalable_dimension",
}
_TARGET: Fields = {
    **_SCALING_KEYS,
    "MinCapacity": "min_capacity",
    "MaxCapacity": "max_capacity",
    "RoleARN": None,
    "CreationTime": None,
    "ScalableTargetARN": None,
    "PredictedCapacity": None,
    "SuspendedState": Nested(
        "suspended_state",
        {
            "DynamicScalingInSuspended": "dynamic_scaling_in_suspended",
            "DynamicScalingOutSuspended": "dynamic_scaling_out_suspended",
            "ScheduledScalingSuspended": "scheduled_scaling_suspended",
        },
    ),
}
_DIMENSION: Fields = {"Name": "name", "Value": "value"}
_POLICY: Fields = {
    **_SCALING_KEYS,
    "PolicyARN": None,
    "Alarms": None,
    "CreationTime": None,
    "PolicyName": "name",
    "PolicyType": "policy_type",
    "StepScalingPolicyConfiguration": Nested(
        "step_scaling_policy_configuration",
        {
            "AdjustmentType": "adjustment_type",
            "Cooldown": "cooldown",
            "MetricAggregationType": "metric_aggregation_type",
            "MinAdjustmentMagnitude": "min_adjustment_magnitude",
            "StepAdjustments": Nested(
                "step_adjustment",
                {
                    "MetricIntervalLowerBound": "metric_interval_lower_bound",
                    "MetricIntervalUpperBound": "metric_interval_upper_bound",
                    "ScalingAdjustment": "scaling_adjustment",
                },
            ),
        },
    ),
    "TargetTrackingScalingPolicyConfiguration": Nested(
        "target_tracking_scaling_policy_configuration",
        {
            "TargetValue": "target_value",
            "DisableScaleIn": "disable_scale_in",
            "ScaleInCooldown": "scale_in_cooldown",
            "ScaleOutCooldown": "scale_out_cooldown",
            "PredefinedMetricSpecification": Nested(
                "predefined_metric_specification",
                {"PredefinedMetricType": "predefined_metric_type", "ResourceLabel": "resource_label"},
            ),
            "CustomizedMetricSpecification": Nested(
                "customized_metric_specification",
                {
                    "MetricName": "metric_name",
                    "Namespace": "namespace",
                    "Statistic": "statistic",
                    "Unit": "unit",
                    "Dimensions": Nested("dimensions", _DIMENSION),
                },
            ),
        },
    ),
}


def read_endpoints(reader: Reader) -> Iterator[AdoptedObject | ExcludedObject]:
    """Yield the selected endpoints. A model or a configuration belongs to the first endpoint that uses it."""
    addresses: set[str] = set()
    for result in reader.read_each(KIND, _list_candidates(reader)):
        if isinstance(result, AdoptedObject):
            new = tuple(one for one in result.resources if one.address not in addresses)
            addresses |= {one.address for one in new}
            result = AdoptedObject(result.kind, result.name, new, notes=result.notes)
        yield result


def _list_candidates(reader: Reader) -> Iterator[Candidate]:
    for endpoint in reader.account.list_all("sagemaker", "list_endpoints", "Endpoints"):
        name, arn = endpoint["EndpointName"], endpoint["EndpointArn"]
        if reader.check_selection(KIND, name, identifiers=[arn], tags=partial(reader.read_sagemaker_tags, arn)):
            yield name, partial(_read_endpoint, reader, name)


def _read_endpoint(reader: Reader, name: str) -> AdoptedObject:
    """Return one endpoint with everything that it uses. Raises ExclusionError unless it is in service."""
    endpoint = reader.describe("describe_endpoint", EndpointName=name)
    if endpoint["EndpointStatus"] != "InService":
        raise ExclusionError(f"its status is {endpoint['EndpointStatus']}; wait until it is InService, and run again")
    configuration = reader.describe("describe_endpoint_config", EndpointConfigName=endpoint["EndpointConfigName"])
    variants = configuration["ProductionVariants"] + configuration.get("ShadowProductionVariants", [])
    if any("ModelName" not in variant for variant in variants):
        raise ExclusionError("it serves inference components, which the AWS provider does not support")
    resources, notes = [], []
    for model in dict.fromkeys(variant["ModelName"] for variant in variants):
        resource, model_notes = _read_model(reader, model)
        resources.append(resource)
        notes += model_notes
    resources.append(_make_configuration(reader, configuration))
    body = convert({member: endpoint[member] for member in _ENDPOINT if member in endpoint}, _ENDPOINT)
    body["endpoint_config_name"] = f"${{{resources[-1].address}.name}}"
    resources.append(_make_resource(reader, "aws_sagemaker_endpoint", name, body, _ENDPOINT, endpoint["EndpointArn"]))
    scaling, scaling_notes = _read_scaling(reader, name, variants, resources[-1].address)
    return AdoptedObject(KIND, name, (*resources, *scaling), notes=(*notes, *scaling_notes))


def _make_resource(
    reader: Reader, resource_type: str, name: str, body: dict[str, Any], fields: Fields, arn: str
) -> ImportedResource:
    tagged = add_tags(body, reader.read_sagemaker_tags(arn))
    return ImportedResource(resource_type, reader.choose_label(resource_type, name), name, tagged, make_layout(fields))


def _read_model(reader: Reader, name: str) -> tuple[ImportedResource, list[str]]:
    """Return a model and its notes. Values that may be secrets stay in AWS only."""
    model = reader.describe("describe_model", ModelName=name)
    body, notes, ignored_paths = convert(model, _MODEL), [], []
    for block in ("primary_container", "container"):
        for index, container in enumerate(body.get(block, [])):
            if "model_data_url" in container:  # AWS returns the same archive as a data source, too
                container.pop("model_data_source", None)
            if "mode" not in container:  # the provider has a default, and would replace the model
                ignored_paths.append(f"{block}[{index}].mode")
            variables = container.get("environment", {})
            if secrets := sorted(key for key, text in variables.items() if may_be_secret(key, text)):
                container["environment"] = {key: text for key, text in variables.items() if key not in secrets}
                ignored_paths.append(f"{block}[{index}].environment")
                names = ", ".join(secrets)
                notes.append(
                    f"model {name}: {names}: not written, because it may be a secret; Terraform ignores the environment"
                )
    if ignored_paths:
        body["lifecycle"] = {"ignore_changes": ignored_paths}
    return _make_resource(reader, "aws_sagemaker_model", name, body, _MODEL, model["ModelArn"]), notes


def _make_configuration(reader: Reader, configuration: Mapping[str, Any]) -> ImportedResource:
    metrics = configuration.get("MetricsConfig", {})
    without_defaults = {member: value for member, value in configuration.items() if member != "MetricsConfig"}
    body = convert(configuration if metrics.get("EnableEnhancedMetrics") else without_defaults, _CONFIGURATION)
    for block in ("production_variants", "shadow_production_variants"):
        for variant in body.get(block, []):
            label = reader.choose_label("aws_sagemaker_model", variant["model_name"])
            variant["model_name"] = f"${{aws_sagemaker_model.{label}.name}}"
    resource_type, name = "aws_sagemaker_endpoint_configuration", configuration["EndpointConfigName"]
    return _make_resource(reader, resource_type, name, body, _CONFIGURATION, configuration["EndpointConfigArn"])


def _read_scaling(
    reader: Reader, endpoint: str, variants: list[Mapping[str, Any]], address: str
) -> tuple[list[ImportedResource], list[str]]:
    """Return the scaling targets and policies of an endpoint, and a note on each scheduled action."""
    resources, notes = [], []
    for variant in variants:
        key = f"{endpoint}-{variant['VariantName']}"
        resource_id = f"endpoint/{endpoint}/variant/{variant['VariantName']}"
        list_all = partial(_list_scaling, reader, ServiceNamespace="sagemaker")
        targets = [
            _make_target(reader, key, target, address)
            for target in list_all("describe_scalable_targets", "ScalableTargets", ResourceIds=[resource_id])
        ]
        parents = [target.address for target in targets] or [address]
        policies = list_all("describe_scaling_policies", "ScalingPolicies", ResourceId=resource_id)
        actions = list_all("describe_scheduled_actions", "ScheduledActions", ResourceId=resource_id)
        resources += targets + [_make_policy(reader, key, policy, parents) for policy in policies]
        notes += [
            f"scheduled action {action['ScheduledActionName']} is excluded, because Terraform cannot import it"
            for action in actions
        ]
    return resources, notes


def _list_scaling(reader: Reader, operation: str, member: str, **arguments: Any) -> list[Any]:
    return reader.account.list_all("application-autoscaling", operation, member, **arguments)


def _make_target(reader: Reader, key: str, target: Mapping[str, Any], address: str) -> ImportedResource:
    resource_type = "aws_appautoscaling_target"
    import_id = f"sagemaker/{target['ResourceId']}/{target['ScalableDimension']}"
    body = convert(target, _TARGET)
    suspended = body.get("suspended_state", [{}])[0]
    if not any(suspended.values()):  # the default, which AWS always returns
        body.pop("suspended_state", None)
    if arn := target.get("ScalableTargetARN"):
        response = reader.account.call("application-autoscaling", "list_tags_for_resource", ResourceARN=arn)
        body = add_tags(body, response.get("Tags", {}))
    body["depends_on"] = [f"${{{address}}}"]
    return ImportedResource(
        resource_type, reader.choose_label(resource_type, key), import_id, body, make_layout(_TARGET)
    )


def _make_policy(reader: Reader, key: str, policy: Mapping[str, Any], parents: list[str]) -> ImportedResource:
    resource_type, name = "aws_appautoscaling_policy", policy["PolicyName"]
    import_id = f"sagemaker/{policy['ResourceId']}/{policy['ScalableDimension']}/{name}"
    body = convert(policy, _POLICY)
    for configuration in body.get("step_scaling_policy_configuration", []):
        for step in configuration.get("step_adjustment", []):
            for bound in ("metric_interval_lower_bound", "metric_interval_upper_bound"):
                if bound in step:
                    step[bound] = f"{step[bound]:g}"
    body["depends_on"] = [f"${{{parent}}}" for parent in parents]
    return ImportedResource(
        resource_type, reader.choose_label(resource_type, f"{key}-{name}"), import_id, body, make_layout(_POLICY)
    )
