"""SageMaker Asynchronous Inference: requests wait in a queue, and without any, nothing runs."""

from typing import Any

from cdktn_provider_aws.appautoscaling_policy import AppautoscalingPolicy
from cdktn_provider_aws.appautoscaling_target import AppautoscalingTarget
from cdktn_provider_aws.cloudwatch_metric_alarm import CloudwatchMetricAlarm
from cdktn_provider_aws.sns_topic import SnsTopic

from modules.async_endpoint import needs
from modules.async_endpoint.hardware import LOCAL_DISK
from modules.async_endpoint.inputs import Inputs
from modules.endpoints import hosting
from modules.endpoints.inputs import name_of
from modules.needs import ROLE_STATEMENTS
from sustainable_mlops.authoring.expressions import Dynamic, contains, each_of, groups, map_of, optional, set_of, when
from sustainable_mlops.authoring.resources import Module, Output, Outputs


class AsyncEndpoint(Module[Inputs]):
    """An endpoint whose requests wait in a queue: it goes to zero without any, and the first one wakes it."""

    def build(self, var: Inputs) -> Outputs:
        name = self.local("name", name_of(var), why="A name of its own may be longer than a prefix.")
        folder = self.local("folder", f"{var.s3_uri}/{name}", why="Where requests, answers and failures lie.")
        local_disk = self.local(
            "local_disk", LOCAL_DISK, why="Families whose storage is a disk of their own, which encrypts itself."
        )
        notice = each_of(set_of(needs.NOTICES))
        topics = self.add(
            SnsTopic,
            "this",
            why="A caller has its answer later: one topic tells of answers, the other of failures.",
            for_each=notice,
            name=f"{name}-{notice.key}",
            kms_master_key_id=var.kms_key_arn,
            tags=var.tags,
        )
        endpoint, outputs = hosting.add(
            self,
            var,
            name,
            model={"enable_network_isolation": var.enable_network_isolation},
            variant={
                "instance_type": var.instance_type,
                "initial_instance_count": when(var.min_instances > 1, var.min_instances, 1),
            },
            configuration={
                "skips": {"CKV_AWS_98": "only instances with a local disk have no key: they encrypt it"},
                "kms_key_arn": when(
                    contains(local_disk, groups(r"^ml\.([^.]+)", var.instance_type)[0]), None, var.kms_key_arn
                ),
                "async_inference_config": {
                    # Not a block of null: the provider crashes on it.
                    "client_config": Dynamic(
                        optional(var.requests_per_instance),
                        lambda at_once: {"max_concurrent_invocations_per_instance": at_once.value},
                    ),
                    "output_config": {
                        "s3_output_path": f"{folder}/{needs.ANSWERS}",
                        "s3_failure_path": f"{folder}/{needs.FAILURES}",
                        "kms_key_id": var.kms_key_arn,
                        "notification_config": {
                            "error_topic": topics["error"].arn,
                            "success_topic": topics["success"].arn,
                        },
                    },
                },
            },
        )
        self._scale(var, endpoint)
        return {
            **outputs,
            "answers_s3_uri": Output(f"{folder}/{needs.ANSWERS}", "Where answers are written."),
            "failures_s3_uri": Output(
                f"{folder}/{needs.FAILURES}", "Where the reasons of failed requests are written."
            ),
            "requests_s3_uri": Output(
                f"{folder}/{needs.REQUESTS}", "Where requests may lie: the role needs to read no other."
            ),
            "role_statements": Output(needs.statements(var), ROLE_STATEMENTS),
            "topic_arns": Output(
                map_of(topics, lambda topic: topic.arn), "Topics to subscribe to, by what they tell: error, success."
            ),
        }

    def _scale(self, var: Inputs, endpoint: Any) -> None:
        target = self.add(
            AppautoscalingTarget,
            "instances",
            service_namespace="sagemaker",
            scalable_dimension="sagemaker:variant:DesiredInstanceCount",
            resource_id=f"endpoint/{endpoint.name}/variant/{hosting.VARIANT}",
            min_capacity=var.min_instances,
            max_capacity=var.max_instances,
            tags=var.tags,
            **hosting.goes_with_endpoint(endpoint),
        )
        scaled: dict[str, Any] = {
            "service_namespace": target.service_namespace,
            "scalable_dimension": target.scalable_dimension,
            "resource_id": target.resource_id,
            **hosting.goes_with_target(target),
        }
        of_endpoint = {"EndpointName": endpoint.name}
        self.add(
            AppautoscalingPolicy,
            "backlog",
            why="The backlog, since an asynchronous endpoint publishes no invocations to follow.",
            name="backlog-per-instance",
            policy_type="TargetTrackingScaling",
            **scaled,
            target_tracking_scaling_policy_configuration={
                "target_value": var.target_backlog_per_instance,
                "scale_in_cooldown": var.scale_in_cooldown_seconds,
                "scale_out_cooldown": 60,
                "customized_metric_specification": {
                    "namespace": "AWS/SageMaker",
                    "metric_name": "ApproximateBacklogSizePerInstance",
                    "statistic": "Average",
                    "dimensions": [{"name": name, "value": value} for name, value in of_endpoint.items()],
                },
            },
        )
        wake = self.add(
            AppautoscalingPolicy,
            "wake",
            why="Of no instance there is no backlog per instance: without this one, zero stays zero until many wait.",
            name="wake-from-zero",
            policy_type="StepScaling",
            **scaled,
            step_scaling_policy_configuration={
                "adjustment_type": "ChangeInCapacity",
                "metric_aggregation_type": "Average",
                "cooldown": 300,
                "step_adjustment": [{"metric_interval_lower_bound": "0", "scaling_adjustment": 1}],
            },
        )
        self.add(
            CloudwatchMetricAlarm,
            "wake",
            alarm_name=f"{endpoint.name}-has-backlog-without-capacity",
            alarm_description="Requests wait, and no instance runs: starts one.",
            namespace="AWS/SageMaker",
            metric_name="HasBacklogWithoutCapacity",
            dimensions=of_endpoint,
            statistic="Average",
            period=60,
            evaluation_periods=2,
            datapoints_to_alarm=2,
            comparison_operator="GreaterThanOrEqualToThreshold",
            threshold=1,
            treat_missing_data="missing",
            alarm_actions=[wake.arn],
            tags=var.tags,
        )
