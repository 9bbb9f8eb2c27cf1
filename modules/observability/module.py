"""What people hear and see of an environment: alarms, events, and a dashboard of health beside use, carbon and cost."""

from typing import Any

from cdktn_provider_aws.cloudwatch_composite_alarm import CloudwatchCompositeAlarm
from cdktn_provider_aws.cloudwatch_dashboard import CloudwatchDashboard
from cdktn_provider_aws.cloudwatch_event_rule import CloudwatchEventRule
from cdktn_provider_aws.cloudwatch_event_target import CloudwatchEventTarget
from cdktn_provider_aws.cloudwatch_log_group import CloudwatchLogGroup
from cdktn_provider_aws.cloudwatch_metric_alarm import CloudwatchMetricAlarm

from modules.observability import factors, telling, topics, watching
from modules.observability.inputs import Inputs
from sustainable_mlops.authoring.expressions import (
    contains,
    each_of,
    jsonencode,
    length,
    map_of,
    one,
    list_of,
    set_of,
    when,
)
from sustainable_mlops.authoring.resources import Module, Output, Outputs

#: Ends of the names of what is made for each endpoint.
WATCH, DEPLOYING = "watch", "deploying"


class Observability(Module[Inputs]):
    """Alarms by kind of endpoint, a composite one that rests during deployments, events, logs and a dashboard."""

    def files(self) -> dict[str, str]:
        """The factors of the dashboard's math lie beside it as tables."""
        return super().files() | factors.files()

    def build(self, var: Inputs) -> Outputs:
        told = topics.add(self)
        self._log_groups(var)
        self._tables()
        self._alarms(var, told["alarms"])
        deploying = self._deployments(var, told["events"])
        health = self._health(var, deploying, told["alarms"])
        self._events(var, told["events"])
        dashboard = self._dashboard(var)
        self.check(
            "machines_are_known",
            length(self.locals.unknown) == 0,
            "The catalogue does not know the instances of ${join(\", \", local.unknown)}, or not ${var.region}: they have "
            "no alarms of CPUs and GPUs, or no kg CO2e and USD.",
        )
        return {
            "alarm_names": Output(
                map_of(health, lambda alarm: alarm.alarm_name),
                "The alarm of each endpoint's health: it tells the topic, but not during a deployment.",
            ),
            "alarm_topic_arn": Output(told["alarms"].arn, "Topic of alarms: whoever subscribes should act."),
            "dashboard_name": Output(
                one(list_of(dashboard, lambda made: made.dashboard_name)), "Dashboard; null without endpoints."
            ),
            "event_topic_arn": Output(told["events"].arn, "Topic of events, of which most need nobody to act."),
            "log_group_names": Output(
                map_of(self.resources.aws_cloudwatch_log_group.this, lambda group: group.name), "Log groups, by name."
            ),
        }

    def _log_groups(self, var: Inputs) -> None:
        group = each_of(set_of(var.log_groups))
        self.add(
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

    def _tables(self) -> None:
        """What is known of kinds, machines and places, and of each endpoint by it."""
        self.local(
            "variants",
            """${merge([
              for key, endpoint in var.endpoints : {
                for variant in endpoint.variants :
                variant == "main" ? key : "${key}_${replace(variant, "-", "_")}" => merge(endpoint, {
                  endpoint = key
                  variant  = variant
                  title    = variant == "main" ? endpoint.name : "${endpoint.name}-${variant}"
                })
              }
            ]...)}""",
            why="Metrics are of a variant; mostly there is one.",
        )
        self.local("usual", watching.USUAL, why="What an alarm is unless it says otherwise.")
        self.local(
            "alarms",
            watching.alarms(),
            why="What endpoints are watched for, by kind: only metrics that the kind publishes. The threshold is of one "
            "vCPU, GPU, second and so on, where it is said so.",
        )
        self.local(
            "machines",
            '${{ for row in csvdecode(file("${path.module}/machines.csv")) : row.type => row }}',
            why="What an hour of each type of instance takes, and of a GB of a serverless worker.",
        )
        self.local("place", '${one([for row in csvdecode(file("${path.module}/regions.csv")) : row if row.region == var.region])}')
        self.local(
            "prices",
            '${{ for row in csvdecode(file("${path.module}/prices.csv")) : row.family => try(tonumber(row[var.region]), null) }}',
            why="What a family costs here, of its price in us-east-1.",
        )
        self.local(
            "machine",
            '${{ for key, variant in local.variants : key => lookup(local.machines, variant.kind == "serverless" ? "serverless" '
            ": variant.instance_type, null) }}",
        )
        self.local("size", '${{ for key, variant in local.variants : key => coalesce(variant.memory_mb, 1024) / 1024 }}', why="A serverless worker is as many of its GB.")
        self.local("unknown", "${[for key, machine in local.machine : key if machine == null || local.place == null]}")
        self.local(
            "known",
            """${{
              for key, variant in local.variants : key => {
                latency_slo_ms          = variant.latency_slo_ms
                backlog_slo_seconds     = variant.backlog_slo_seconds
                provisioned_concurrency = variant.provisioned_concurrency > 0 ? variant.provisioned_concurrency : null
                vcpus                   = try(tonumber(local.machine[key].vcpus), null)
                busy_vcpus              = try(local.machine[key].busy_by == "cpu" ? tonumber(local.machine[key].vcpus) : null, null)
                gpus                    = try(local.machine[key].gpus > 0 ? tonumber(local.machine[key].gpus) : null, null)
              }
            }}""",
            why="What alarms may need to know of a variant; null where it is not so.",
        )

    def _alarms(self, var: Inputs, topic: Any) -> None:
        self.local(
            "watched",
            """${merge([
              for key, variant in local.variants : {
                for name, alarm in { for name, alarm in local.alarms : name => merge(local.usual, alarm) } :
                "${key}_${name}" => merge(alarm, {
                  endpoint   = variant.endpoint
                  name       = "${variant.title}-watch-${replace(name, "_", "-")}"
                  threshold  = lookup(var.thresholds, name, alarm.threshold) * (alarm.times ? local.known[key][alarm.needs] : 1)
                  dimensions = merge({ EndpointName = variant.name }, alarm.of_variant ? { VariantName = variant.variant } : {})
                })
                if contains(alarm.kinds, variant.kind) && (alarm.needs == null ? true : local.known[key][alarm.needs] != null)
              }
            ]...)}""",
            why="Each variant with each alarm of its endpoint's kind.",
        )
        watched = each_of(self.locals.watched)
        alarm, nobody = watched.value, list[str]()
        self.add(
            CloudwatchMetricAlarm,
            "this",
            why="An endpoint that nobody asks publishes nothing, so that no data is well, but where it is looked for. Of "
            "harm the composite alarms below tell, of waste these do.",
            for_each=watched,
            alarm_name=alarm.name,
            alarm_description=alarm.says,
            namespace=alarm.namespace,
            metric_name=alarm.metric,
            dimensions=alarm.dimensions,
            statistic='${startswith(each.value.statistic, "p") ? null : each.value.statistic}',
            extended_statistic='${startswith(each.value.statistic, "p") ? each.value.statistic : null}',
            comparison_operator=when(alarm.below, "LessThanThreshold", "GreaterThanThreshold"),
            threshold=alarm.threshold,
            period=when(alarm.waste, 3600, alarm.period),
            evaluation_periods=when(alarm.waste, var.waste_hours, alarm.periods),
            treat_missing_data=alarm.missing,
            alarm_actions=when(alarm.waste, [topic.arn], nobody),
            tags=var.tags,
        )
        self._ratio(var, topic)

    def _ratio(self, var: Inputs, topic: Any) -> None:
        """How much of a machine a request takes: what is provisioned, of the work that it does."""
        variants = map_of(self.locals.variants, lambda variant: variant, where=lambda variant: variant.kind == "realtime")
        variant = each_of(variants)
        of_variant = {"EndpointName": variant.value.name, "VariantName": variant.value.variant}
        self.add(
            CloudwatchMetricAlarm,
            "efficiency",
            why="Each instance tells its use of CPU once a minute: as many values as there were minutes of instances.",
            for_each=variant,
            alarm_name=f"{variant.value.title}-{WATCH}-efficiency",
            alarm_description=f"A request takes more than {var.instance_seconds_per_request} seconds of an instance.",
            comparison_operator="GreaterThanThreshold",
            threshold=var.instance_seconds_per_request,
            evaluation_periods=1,
            treat_missing_data="notBreaching",
            alarm_actions=[topic.arn],
            tags=var.tags,
            metric_query=[
                {
                    "id": "seconds_per_request",
                    "expression": "60 * minutes / requests",
                    "label": "Seconds of an instance, by request",
                    "return_data": True,
                },
                *(
                    {
                        "id": name,
                        "metric": {
                            "namespace": namespace,
                            "metric_name": metric,
                            "dimensions": of_variant,
                            "stat": statistic,
                            "period": 86400,
                        },
                    }
                    for name, namespace, metric, statistic in (
                        ("minutes", watching.MACHINES, "CPUUtilization", "SampleCount"),
                        ("requests", watching.REQUESTS, "Invocations", "Sum"),
                    )
                ),
            ],
        )

    def _deployments(self, var: Inputs, topic: Any) -> Any:
        """An alarm for each endpoint that is on while its deployment goes on: what EventBridge counts of its events."""
        endpoint = each_of(var.endpoints)
        name = endpoint.value.name
        rules = self.add(
            CloudwatchEventRule,
            "deployment",
            why="Each step of a deployment is an event. Scaling sends none that is pending; of a serverless endpoint there "
            "is but its state.",
            for_each=endpoint,
            name=name,
            description=f"The endpoint {name} is being given another configuration.",
            event_pattern=when(
                endpoint.value.kind == "serverless",
                jsonencode(telling.pattern(telling.STATE, {"EndpointName": [name], "EndpointStatus": ["UPDATING"]})),
                jsonencode(
                    telling.pattern(
                        telling.DEPLOYMENT,
                        {"EndpointName": [name], "PendingDeploymentSummary": {"EndpointConfigName": [{"exists": True}]}},
                    )
                ),
            ),
            tags=var.tags,
        )
        rule = each_of(rules)
        self.add(
            CloudwatchEventTarget,
            "deployment",
            for_each=rule,
            rule=rule.value.name,
            target_id="topic",
            arn=topic.arn,
        )
        return self.add(
            CloudwatchMetricAlarm,
            DEPLOYING,
            why="EventBridge counts what a rule matches. One event in so many minutes, and the deployment goes on.",
            for_each=rule,
            alarm_name=f"{rule.value.name}-{DEPLOYING}",
            alarm_description="Keeps the alarm of its health quiet.",
            namespace="AWS/Events",
            metric_name="TriggeredRules",
            dimensions={"RuleName": rule.value.name},
            statistic="Sum",
            comparison_operator="GreaterThanThreshold",
            threshold=0,
            period=60,
            evaluation_periods=var.deployment_minutes,
            datapoints_to_alarm=1,
            treat_missing_data="notBreaching",
            tags=var.tags,
        )

    def _health(self, var: Inputs, deploying: Any, topic: Any) -> Any:
        endpoint = each_of(var.endpoints)
        return self.add(
            CloudwatchCompositeAlarm,
            "health",
            why="One voice an endpoint. A deployment has alarms of its own that take it back, so this one is quiet "
            "meanwhile; what is still wrong afterwards, it tells.",
            for_each=endpoint,
            alarm_name=f"{endpoint.value.name}-{WATCH}",
            alarm_description=f"Something is wrong with the endpoint {endpoint.value.name}.",
            alarm_rule='${join(" OR ", [for key, alarm in local.watched : format("ALARM(%q)", aws_cloudwatch_metric_alarm.this[key].alarm_name) if alarm.endpoint == each.key && !alarm.waste])}',
            actions_suppressor={"alarm": deploying[endpoint.key].alarm_name, "wait_period": 120, "extension_period": 60},
            alarm_actions=[topic.arn],
            ok_actions=[topic.arn],
            tags=var.tags,
        )

    def _events(self, var: Inputs, topic: Any) -> None:
        events = self.local(
            "events",
            {name: {"says": says, "pattern": wanted} for name, (says, wanted) in telling.EVENTS.items()},
            why="What SageMaker tells; endpoints' states are in capitals in events.",
        )
        chosen = each_of(map_of(events, lambda name, event: event, where=lambda name, _: contains(var.events, name)))
        rules = self.add(
            CloudwatchEventRule,
            "events",
            for_each=chosen,
            name=f"{var.name_prefix}-${{replace(each.key, \"_\", \"-\")}}",
            description=chosen.value.says,
            event_pattern=jsonencode(chosen.value.pattern),
            tags=var.tags,
        )
        rule = each_of(rules)
        self.add(
            CloudwatchEventTarget, "events", for_each=rule, rule=rule.value.name, target_id="topic", arn=topic.arn
        )

    def _dashboard(self, var: Inputs) -> Any:
        self.local(
            "shown", watching.shown(), why="What the dashboard shows by kind: of each metric its namespace, name, statistic and axis."
        )
        self._factors()
        self._math()
        nothing: set[str] = set()
        return self.add(
            CloudwatchDashboard,
            "this",
            for_each=each_of(when(length(var.endpoints) > 0, set_of(["this"]), set_of(nothing))),
            dashboard_name=var.name_prefix,
            dashboard_body='${templatefile("${path.module}/dashboard.json.tftpl", {'
            """
              alarms   = [for endpoint in var.endpoints : "arn:${var.partition}:cloudwatch:${var.region}:${var.account_id}:alarm:${endpoint.name}-watch"]
              math     = local.math
              prefix   = var.name_prefix
              ranges   = local.ranges
              region   = var.region
              shown    = local.shown
              variants = local.variants
            })}""",
        )

    def _factors(self) -> None:
        self.local(
            "factors",
            """${{
              for key, machine in local.machine : key => {
                grams = [
                  for watts in [machine.watts_at_0, machine.watts_at_10, machine.watts_at_50, machine.watts_at_100] :
                  (watts * local.place.pue * local.place.grid_g_per_kwh / 1000 + machine.embodied_g_per_hour) * local.size[key]
                ]
                usd    = try(machine.usd_per_hour * local.prices[machine.family] * local.size[key], null)
                by      = local.variants[key].provisioned_concurrency > 0 ? "ready" : machine.busy_by
                numbers = { cpu = machine.vcpus, gpu = machine.gpus, ready = local.variants[key].provisioned_concurrency }
              } if !contains(local.unknown, key)
            }}""",
            why="Of an hour of an endpoint's machine: grams CO2e at 0, 10, 50 and 100 % of load, and USD.",
        )

    def _math(self) -> None:
        """The dashboard's expressions, by endpoint, in CloudWatch's metric math."""
        self.local("measured", watching.MEASURED, why="How hours and load follow from metrics, by what tells the load.")
        self.local(
            "math",
            """${{
              for key, factor in local.factors : key => merge(
                { metrics = local.measured[factor.by].metrics },
                {
                  for name in ["hours", "load", "paid"] : name =>
                  replace(replace(local.measured[factor.by][name], "{key}", key), "{number}", lookup(factor.numbers, factor.by, 0))
                },
                {
                  kg = join("", [
                    "hours_${key} / 1000 * IF(load_${key} < 0.1, ",
                    format("%.5f + %.5f * load_${key}, ", factor.grams[0], (factor.grams[1] - factor.grams[0]) / 0.1),
                    "IF(load_${key} < 0.5, ",
                    format("%.5f + %.5f * (load_${key} - 0.1), ", factor.grams[1], (factor.grams[2] - factor.grams[1]) / 0.4),
                    format("%.5f + %.5f * (load_${key} - 0.5)))", factor.grams[2], (factor.grams[3] - factor.grams[2]) / 0.5),
                  ])
                  usd = factor.usd == null ? null : format("paid_${key} * %.6f", factor.usd)
                },
              )
            }}""",
            why="CloudWatch's metric math. Power is straight between the loads at which the factors are.",
        )
        self.local(
            "ranges",
            """${local.place == null ? {} : {
              for what in ["kg", "usd"] : what => format("%s to %s times",
                min([for key, _ in local.math : local.place["${local.variants[key].kind == "serverless" ? "serverless_" : ""}${what}_low"]]...),
                max([for key, _ in local.math : local.place["${local.variants[key].kind == "serverless" ? "serverless_" : ""}${what}_high"]]...),
              ) if length(local.math) > 0
            }}""",
            why="The widest that the footprint model gives for machines as these, here.",
        )
