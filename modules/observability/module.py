"""What people hear and see of an environment: alarms, events, and a dashboard of health beside use, carbon and cost."""

from cdktn_provider_aws.cloudwatch_log_group import CloudwatchLogGroup

from modules.observability import alarms, dashboard, factors, idle_stop, notifications, tables, topics
from modules.observability.inputs import Inputs
from sustainable_mlops.authoring.expressions import each_of, list_of, map_of, one_or_null, set_of
from sustainable_mlops.authoring.resources import Module, Output, Outputs


class ObservabilityModule(Module[Inputs]):
    """Alarms by kind of endpoint, one of health that is quiet during deployments, events, logs and a dashboard."""

    def files(self) -> dict[str, str]:
        """The factors of the dashboard's math lie beside the HCL, as tables."""
        return super().files() | factors.render_tables()

    def build(self, var: Inputs) -> Outputs:
        topics_by_purpose = topics.add(self)
        publisher = topics.add_publisher(self)
        group = each_of(set_of(var.log_groups))
        groups = self.add(
            CloudwatchLogGroup,
            "this",
            why="SageMaker would create these with the first job, and keep what is in them for ever.",
            skips={"CKV_AWS_338": "a year of job logs is storage that nobody reads; log_retention_days says how long"},
            for_each=group,
            name=group.key,
            retention_in_days=var.log_retention_days,
            kms_key_id=var.kms_key_arn,
            tags=var.tags,
        )
        tables.add(self)
        health = alarms.add(self, topics_by_purpose["alarms"], topics_by_purpose["events"], publisher)
        notifications.add(self, topics_by_purpose["alarms"], topics_by_purpose["events"], publisher)
        dashboards = dashboard.add(self)
        idle_stop.add(self, topics_by_purpose["alarms"])
        return {
            "alarm_names": Output(
                map_of(health, lambda alarm: alarm.alarm_name),
                "The alarm of each endpoint's health: it tells the topic, but not during a deployment.",
            ),
            "alarm_topic_arn": Output(
                topics_by_purpose["alarms"].arn, "Topic of alarms: whoever subscribes should act."
            ),
            "dashboard_name": Output(
                one_or_null(list_of(dashboards, lambda made: made.dashboard_name)), "Dashboard; null without endpoints."
            ),
            "event_topic_arn": Output(
                topics_by_purpose["events"].arn, "Topic of events, of which most need nobody to act."
            ),
            "log_group_names": Output(map_of(groups, lambda made: made.name), "Log groups, by name."),
        }
