"""SageMaker Asynchronous Inference: requests wait in a queue, and no instance runs without requests."""

from typing import Any

from cdktn_provider_aws.cloudwatch_metric_alarm import CloudwatchMetricAlarm
from cdktn_provider_aws.sns_topic import SnsTopic

from modules.async_endpoint import iam_statements
from modules.async_endpoint.inputs import Inputs
from modules.endpoints import alarms, hardware, hosting, rollback, scaling
from modules.endpoints.inputs import get_endpoint_name
from modules.endpoints.network import build_network_arguments, build_network_value
from modules.iam_statements import build_statements_output
from modules.location_check import check_location
from sustainable_mlops.authoring.expressions import (
    Dynamic,
    concat,
    each_of,
    map_of,
    merge,
    optional,
    set_of,
    when,
)
from sustainable_mlops.authoring.resources import Module, Output, Outputs

#: Minutes without a request before instances are removed, as with target tracking.
IDLE_MINUTES = 15


class AsyncEndpointModule(Module[Inputs]):
    """Endpoint with a request queue. It scales to zero without requests, and the first request starts an instance."""

    def build(self, var: Inputs) -> Outputs:
        name = self.local("name", get_endpoint_name(var), why="The name may be longer than name_prefix.")
        folder = self.local("folder", f"{var.s3_uri}/{name}", why="Folder of requests, responses and failures.")
        notice = each_of(set_of(iam_statements.NOTIFICATIONS))
        topics = self.add(
            SnsTopic,
            "this",
            why="Callers get their responses later. One topic notifies of responses, the other of failures.",
            for_each=notice,
            name=f"{name}-{notice.key}",
            kms_master_key_id=var.kms_key_arn,
            tags=var.tags,
        )
        failures = alarms.add_alarm(
            self,
            "failures",
            iam_statements.format_failure_alarm_name(name),
            f"Requests of {name} fail.",
            why="Created before the endpoint, which names it from its first apply. Adding it later would replace the "
            "endpoint.",
            metric_name="InvocationFailures",
            dimensions={"EndpointName": name, "VariantName": var.variant_name},
            statistic="Sum",
            evaluation_periods=5,
            threshold=var.rollback_failures,
        )
        kind = hardware.add_instance_type_trigger(self)
        changed = hosting.add_deployment_trigger(
            self,
            merge(
                {"bake_seconds": var.bake_seconds, "more_rollback_alarms": set_of(var.more_rollback_alarms)},
                # Absent without a network, so that the resource of such an endpoint does not change.
                map_of(optional(var.vpc_config), build_network_value, key=lambda _vpc_config: "vpc_config"),
            ),
        )
        endpoint, outputs = hosting.add_single_container_endpoint(
            self,
            var,
            name,
            # SageMaker cannot update a model, and provider versions before 6.25 plan an update that has no effect.
            model={"triggers": [changed], **build_network_arguments(var)},
            variant={
                "instance_type": var.instance_type,
                "initial_instance_count": when(var.min_instances > 1, var.min_instances, 1),
                "inference_ami_version": hardware.add_driver_version(self),
            },
            configuration={
                "triggers": [changed],
                "skips": hardware.SKIP_NO_KEY,
                "kms_key_arn": hardware.select_volume_key(var),
                "async_inference_config": {
                    # Not a block of null: the provider crashes on that.
                    "client_config": Dynamic(
                        optional(var.requests_per_instance),
                        lambda at_once: {"max_concurrent_invocations_per_instance": at_once.value},
                    ),
                    "output_config": {
                        "s3_output_path": f"{folder}/{iam_statements.ANSWERS}",
                        "s3_failure_path": f"{folder}/{iam_statements.FAILURES}",
                        "kms_key_id": var.kms_key_arn,
                        "notification_config": {
                            "error_topic": topics["error"].arn,
                            "success_topic": topics["success"].arn,
                        },
                    },
                },
            },
            endpoint={
                "after": [kind],
                "deployment_config": {
                    "blue_green_update_policy": {
                        "traffic_routing_configuration": {"type": "ALL_AT_ONCE", "wait_interval_in_seconds": 0},
                        "termination_wait_in_seconds": var.bake_seconds,
                    },
                    "auto_rollback_configuration": rollback.build_rollback_block(
                        concat([failures.alarm_name], var.more_rollback_alarms)
                    ),
                },
            },
        )
        self._scale(var, endpoint, kind)
        hardware.add_tables(self, hardware.MULTI_CONTAINER_TABLE)
        check_location(self)
        return {
            **outputs,
            "answers_s3_uri": Output(f"{folder}/{iam_statements.ANSWERS}", "S3 prefix of responses."),
            "failures_s3_uri": Output(
                f"{folder}/{iam_statements.FAILURES}", "S3 prefix of the reasons of failed requests."
            ),
            "requests_s3_uri": Output(
                f"{folder}/{iam_statements.REQUESTS}", "S3 prefix of requests. The role can read no other prefix."
            ),
            "role_statements": build_statements_output(iam_statements.build_statements(var)),
            "topic_arns": Output(
                map_of(topics, lambda topic: topic.arn), "Topics to subscribe to, by result: error, success."
            ),
        }

    def _scale(self, var: Inputs, endpoint: Any, kind: Any) -> None:
        target = scaling.add_target(
            self,
            "instances",
            endpoint,
            var.variant_name,
            dimension=scaling.INSTANCES,
            between=(var.min_instances, var.max_instances),
            triggers=[kind],
        )
        of_endpoint = {"EndpointName": endpoint.name}
        scaling.add_policy(
            self,
            "backlog",
            target,
            "backlog-per-instance",
            why="Scales by the backlog, because an asynchronous endpoint publishes no invocation metric. It "
            "only adds instances: SageMaker does not document that scale-in spares busy instances.",
            target_tracking_scaling_policy_configuration={
                "target_value": var.target_backlog_per_instance,
                "disable_scale_in": ~var.scale_in_while_busy,
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
        wake = scaling.add_policy(
            self,
            "wake",
            target,
            "wake-from-zero",
            why="Without an instance there is no backlog per instance. Without this policy, the first requests would "
            "wait.",
            is_target_tracking=False,
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
            alarm_description="Requests wait and no instance runs: starts an instance.",
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
        self._shrink_when_idle(var, endpoint, target)

    def _shrink_when_idle(self, var: Inputs, endpoint: Any, target: Any) -> None:
        """Remove instances when no request waits or runs."""
        rest = scaling.add_policy(
            self,
            "rest",
            target,
            "rest-without-backlog",
            is_target_tracking=False,
            step_scaling_policy_configuration={
                "adjustment_type": "ChangeInCapacity",
                "metric_aggregation_type": "Maximum",
                "cooldown": var.scale_in_cooldown_seconds,
                "step_adjustment": [{"metric_interval_upper_bound": "0", "scaling_adjustment": 0 - var.max_instances}],
            },
            notes={"step_scaling_policy_configuration": "Removes all instances down to min_instances; all are idle."},
        )
        self.add(
            CloudwatchMetricAlarm,
            "rest",
            why="ApproximateBacklogSize counts waiting and running requests. A minute without a datapoint counts as "
            "busy, so that a late metric removes no instance.",
            alarm_name=f"{endpoint.name}-has-no-backlog",
            alarm_description="No request waits or runs: removes the instances.",
            namespace="AWS/SageMaker",
            metric_name="ApproximateBacklogSize",
            dimensions={"EndpointName": endpoint.name},
            statistic="Maximum",
            period=60,
            evaluation_periods=IDLE_MINUTES,
            datapoints_to_alarm=IDLE_MINUTES,
            comparison_operator="LessThanThreshold",
            threshold=1,
            treat_missing_data="notBreaching",
            alarm_actions=[rest.arn],
            tags=var.tags,
        )
