"""What people hear and see of an environment: alarms, events, and a dashboard of health beside use, carbon and cost."""

from cdktn_provider_aws.cloudwatch_log_group import CloudwatchLogGroup

from modules.observability import alarms, dashboard, factors, stopping, tables, telling, topics
from modules.observability.inputs import Inputs
from sustainable_mlops.authoring.expressions import each_of, list_of, map_of, one, set_of
from sustainable_mlops.authoring.resources import Module, Output, Outputs


class Observability(Module[Inputs]):
    """Alarms by kind of endpoint, one of health that is quiet during deployments, events, logs and a dashboard."""

    def files(self) -> dict[str, str]:
        """The factors of the dashboard's math lie beside the HCL, as tables."""
        return super().files() | factors.files()

    def build(self, var: Inputs) -> Outputs:
        told = topics.add(self)
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
        health = alarms.add(self, told["alarms"], told["events"], publisher)
        telling.add(self, told["alarms"], told["events"], publisher)
        dashboards = dashboard.add(self)
        stopping.add(self, told["alarms"])
        return {
            "alarm_names": Output(
                map_of(health, lambda alarm: alarm.alarm_name),
                "The alarm of each endpoint's health: it tells the topic, but not during a deployment.",
            ),
            "alarm_topic_arn": Output(told["alarms"].arn, "Topic of alarms: whoever subscribes should act."),
            "dashboard_name": Output(
                one(list_of(dashboards, lambda made: made.dashboard_name)), "Dashboard; null without endpoints."
            ),
            "event_topic_arn": Output(told["events"].arn, "Topic of events, of which most need nobody to act."),
            "log_group_names": Output(map_of(groups, lambda made: made.name), "Log groups, by name."),
        }
