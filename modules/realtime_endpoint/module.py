"""SageMaker real-time inference: instances that run all the time and scale with the load."""

from typing import Any

from cdktn_provider_aws.appautoscaling_scheduled_action import AppautoscalingScheduledAction
from cdktn_provider_aws.cloudwatch_metric_alarm import CloudwatchMetricAlarm

from modules import schedules
from modules.endpoints import alarms, hardware, hosting, scaling
from modules.endpoints.inputs import get_endpoint_name
from modules.iam_statements import build_statements_output
from modules.location_check import check_location
from modules.realtime_endpoint import deployment, iam_statements, variants
from modules.realtime_endpoint.inputs import Inputs
from sustainable_mlops.authoring.cdktn import DataResource
from sustainable_mlops.authoring.expressions import (
    assume_not_null,
    concat,
    each_of,
    is_omitted,
    join,
    keys,
    list_of,
    map_of,
    merge,
    self_reference,
    set_of,
)
from sustainable_mlops.authoring.resources import Module, Output, Outputs

#: Minutes without a request before an instance is removed, as with target tracking.
IDLE_MINUTES = 15


class RealtimeEndpointModule(Module[Inputs]):
    """Endpoint that responds immediately, scales with its load, and rolls back a bad model."""

    def build(self, var: Inputs) -> Outputs:
        name = self.local("name", get_endpoint_name(var), why="The name may be longer than name_prefix.")
        weights = self.local(
            "weights",
            merge(
                map_of([var.variant_name], lambda _: variants.MAIN_WEIGHT, key=lambda name: name),
                map_of(var.challengers, lambda challenger: challenger.weight),
            ),
            why="Weights of the variants that serve requests. Their names must not change: a deployment matches by "
            "name.",
        )
        alarms = self._add_rollback_alarms(var, name, weights)
        hosting.add_log_group(self, var, name)
        models = variants.add_models(self, var)
        deployment_trigger = hosting.add_deployment_trigger(
            self, deployment.build_trigger_input(var.deployment, var.more_rollback_alarms)
        )
        endpoint_configuration = variants.add_configuration(self, var, name, models, triggers=[deployment_trigger])
        kind = hardware.add_instance_type_trigger(self)
        endpoint = hosting.add_endpoint(
            self,
            var,
            name,
            endpoint_configuration,
            after=[kind],
            deployment_config=deployment.build_deployment_block(
                var.deployment, concat(*map(_list_alarm_names, alarms), var.more_rollback_alarms)
            ),
        )
        self._keep_variants(endpoint, join(", ", keys(weights)))
        self._scale(var, endpoint, set_of(keys(weights)), kind)
        images = self.local(
            "images",
            iam_statements.list_images(var),
            why="Images and archives that the role must read. Model packages have their own.",
        )
        archives = self.local("model_archives", iam_statements.list_archives(var))
        hardware.add_tables(self)
        for table, (value, why) in schedules.AUTO_SCALING_TABLES.items():
            self.local(table, value, why=why)
        check_location(self)
        return {
            **hosting.build_endpoint_outputs(self, endpoint),
            "rollback_alarm_names": Output(
                concat(*map(_list_alarm_names, alarms)),
                "Names of the alarms that roll a deployment back. Each notifies alarm_actions.",
            ),
            "role_statements": build_statements_output(iam_statements.build_statements(var, images, archives)),
            "variant_names": Output(
                keys(weights), "Names of the variants that serve requests, for metrics and autoscaling."
            ),
        }

    def _keep_variants(self, endpoint: Any, variants: str) -> None:
        """Refuse changed variants in the plan, because SageMaker would refuse them during the apply."""
        stored_output: Any = self_reference(DataResource).output
        self.add(
            DataResource,
            "variants",
            why="Variants of the endpoint at its creation. SageMaker cannot rename the variants of an endpoint.",
            input={"names": variants},
            lifecycle={
                "replace_triggered_by": [endpoint.id],
                "ignore_changes": ["input"],
                "postcondition": {
                    "condition": stored_output.names == variants,
                    "error_message": "challengers, variant_name: SageMaker updates an endpoint only with the same "
                    f"variants, which are {stored_output.names} here, and not {variants}. Keep them (with a weight of "
                    "1, a variant gets almost no requests), or create another endpoint with another name.",
                },
            },
        )

    def _add_rollback_alarms(self, var: Inputs, name: str, weights: Any) -> list[Any]:
        """Add the rollback alarms of each variant, on errors and on latency."""
        variant = each_of(set_of(keys(weights)))
        of_variant = {"EndpointName": name, "VariantName": variant.key}
        return [
            alarms.add_alarm(
                self,
                iam_statements.ERRORS,
                iam_statements.format_rollback_alarm_name(name, variant.key, iam_statements.ERRORS),
                f"More than {var.deployment.error_percent} % of the responses of {variant.key} are errors.",
                why="Created before the endpoint, which names them from its first apply. Adding them later would "
                "replace the endpoint.",
                for_each=variant,
                metric_name="Invocation5XXErrors",
                dimensions=of_variant,
                statistic="Average",
                threshold=var.deployment.error_percent / 100,
            ),
            alarms.add_alarm(
                self,
                iam_statements.LATENCY,
                iam_statements.format_rollback_alarm_name(name, variant.key, iam_statements.LATENCY),
                f"One of ten responses of {variant.key} takes more than {var.latency_slo_ms} ms.",
                for_each=variant,
                metric_name="ModelLatency",
                dimensions=of_variant,
                extended_statistic="p90",
                threshold=var.latency_slo_ms * 1000,
                notes={"threshold": "In microseconds."},
            ),
        ]

    def _scale(self, var: Inputs, endpoint: Any, variants: set[str], kind: Any) -> None:
        variant = each_of(variants)
        bounds = self.add(
            DataResource,
            "bounds",
            why="Scaling limits of the inputs. Off hours change the limits of the targets, and a plan at night would "
            "revert that. So a target ignores its limits, and is replaced when these inputs change.",
            input={
                "min_instances": var.min_instances,
                "max_instances": var.max_instances,
                "off_hours": var.off_hours,
            },
        )
        targets = scaling.add_target(
            self,
            "instances",
            endpoint,
            variant.key,
            for_each=variant,
            dimension=scaling.INSTANCES,
            between=(var.min_instances, var.max_instances),
            triggers=[kind, bounds],
            ignored=("max_capacity", "min_capacity"),
        )
        target = each_of(targets)
        scaling.add_policy(
            self,
            "requests",
            targets,
            "requests-per-instance",
            each=target,
            why="Uses the metric without math that fills gaps. A late metric has gaps in the last minutes, and zeros "
            "there would delay the alarm that adds instances.",
            target_tracking_scaling_policy_configuration={
                "target_value": var.requests_per_instance,
                "scale_in_cooldown": var.scale_in_cooldown_seconds,
                "scale_out_cooldown": 60,
                "predefined_metric_specification": {"predefined_metric_type": "SageMakerVariantInvocationsPerInstance"},
            },
        )
        self._shrink_when_idle(var, endpoint, targets)
        self._scale_off_hours(var, targets)

    def _shrink_when_idle(self, var: Inputs, endpoint: Any, targets: Any) -> None:
        """Remove instances without requests, even if SageMaker then publishes no metric."""
        target = each_of(targets)
        policies = scaling.add_policy(
            self,
            "idle",
            targets,
            "one-less-without-requests",
            each=target,
            why="Target tracking does nothing without data. SageMaker's guide is not clear whether a variant without "
            "requests publishes zeros or nothing.",
            is_target_tracking=False,
            step_scaling_policy_configuration={
                "adjustment_type": "ChangeInCapacity",
                "metric_aggregation_type": "Maximum",
                "cooldown": var.scale_in_cooldown_seconds,
                "step_adjustment": [{"metric_interval_upper_bound": "0", "scaling_adjustment": -1}],
            },
        )
        policy = each_of(policies)
        self.add(
            CloudwatchMetricAlarm,
            "idle",
            why="Requires all 15 minutes, so that a late metric removes no instance.",
            for_each=policy,
            alarm_name=f"{endpoint.name}-{policy.key}-has-no-requests",
            alarm_description=f"No request of {policy.key} in {IDLE_MINUTES} minutes: removes an instance.",
            comparison_operator="LessThanThreshold",
            threshold=1,
            evaluation_periods=IDLE_MINUTES,
            datapoints_to_alarm=IDLE_MINUTES,
            alarm_actions=[policy.value.arn],
            tags=var.tags,
            metric_query=[
                {
                    "id": "requests",
                    "metric": {
                        "namespace": "AWS/SageMaker",
                        "metric_name": "Invocations",
                        "dimensions": {"EndpointName": endpoint.name, "VariantName": policy.key},
                        "period": 60,
                        "stat": "Sum",
                    },
                },
                {"id": "requests_or_none", "expression": "FILL(requests, 0)", "return_data": True},
            ],
        )

    def _scale_off_hours(self, var: Inputs, targets: Any) -> None:
        """Add the schedule with fewer instances in off hours."""
        off_hours_input = assume_not_null(var.off_hours)
        scheduled_target = each_of(
            map_of(targets, lambda _variant, target: target, where=lambda _variant, _target: ~is_omitted(var.off_hours))
        )
        for label, why, when, minimum, maximum in (
            (
                "rest",
                "Fewer instances in off hours.",
                off_hours_input.begin,
                off_hours_input.instances,
                off_hours_input.instances,
            ),
            (
                "wake",
                "The normal scaling limits after off hours.",
                off_hours_input.end,
                var.min_instances,
                var.max_instances,
            ),
        ):
            self.add(
                AppautoscalingScheduledAction,
                label,
                why=why,
                for_each=scheduled_target,
                name=f"{label}-by-the-clock",
                **scaling.target_arguments(scheduled_target.value),
                schedule=when,
                timezone=off_hours_input.timezone,
                scalable_target_action={"min_capacity": minimum, "max_capacity": maximum},
                **scaling.replace_with_target(targets[scheduled_target.key]),
            )


def _list_alarm_names(alarms: Any) -> list[str]:
    return list_of(alarms, lambda alarm: alarm.alarm_name)
