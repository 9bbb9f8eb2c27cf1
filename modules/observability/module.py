"""Observability of an environment: alarms, events, logs, and a dashboard of health, utilization, carbon and cost."""

from cdktn_provider_aws.cloudwatch_log_group import CloudwatchLogGroup

from modules.location_check import check_location
from modules.observability import alarm_catalogue, alarms, dashboard, factors, idle_stop, notifications, tables, topics
from modules.observability.inputs import Inputs
from sustainable_mlops.authoring.expressions import each_of, list_of, map_of, one_or_null, set_of
from sustainable_mlops.authoring.resources import Module, Output, Outputs


class ObservabilityModule(Module[Inputs]):
    """Alarms, events, log groups, a dashboard, and the stop of idle endpoints."""

    def render_files(self) -> dict[str, str]:
        """Return the HCL and the tables of factors for the dashboard."""
        return super().render_files() | factors.render_tables()

    def render_page_parts(self) -> dict[str, str]:
        """Return the table of the alarms."""
        return {"alarms": alarm_catalogue.render_table()}

    def build(self, var: Inputs) -> Outputs:
        topics_by_purpose = topics.add(self)
        target_arguments = topics.add_publisher(self)
        group = each_of(set_of(var.log_groups))
        groups = self.add(
            CloudwatchLogGroup,
            "this",
            why="Without this, SageMaker creates these log groups with the first job and keeps the logs forever.",
            skips={"CKV_AWS_338": "nobody reads a year of job logs; log_retention_days sets the retention"},
            for_each=group,
            name=group.key,
            retention_in_days=var.log_retention_days,
            kms_key_id=var.kms_key_arn,
            tags=var.tags,
        )
        tables.add(self)
        health = alarms.add(self, topics_by_purpose["alarms"], topics_by_purpose["events"], target_arguments)
        notifications.add(self, topics_by_purpose["alarms"], topics_by_purpose["events"], target_arguments)
        dashboards = dashboard.add(self)
        idle_stop.add(self, topics_by_purpose["alarms"])
        alarms.add_dead_letter_alarms(self, topics_by_purpose["alarms"])
        check_location(self)
        return {
            "alarm_names": Output(
                map_of(health, lambda alarm: alarm.alarm_name),
                "Health alarm of each endpoint. It notifies the topic, except during a deployment.",
            ),
            "alarm_topic_arn": Output(topics_by_purpose["alarms"].arn, "Topic of alarms, which require action."),
            "dashboard_name": Output(
                one_or_null(list_of(dashboards, lambda dashboard: dashboard.dashboard_name)),
                "Name of the dashboard; null without endpoints.",
            ),
            "event_topic_arn": Output(
                topics_by_purpose["events"].arn, "Topic of events. Most of them require no action."
            ),
            "log_group_names": Output(map_of(groups, lambda group: group.name), "Log groups, by name."),
        }
