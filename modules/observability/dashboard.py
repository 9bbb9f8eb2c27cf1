"""The dashboard: health beside use, and carbon and cost by metric math over what SageMaker publishes."""

from typing import Any

from cdktn_provider_aws.cloudwatch_dashboard import CloudwatchDashboard

from modules.observability import watching
from modules.observability.inputs import Inputs
from sustainable_mlops.authoring.expressions import each_of, length, set_of, when
from sustainable_mlops.authoring.resources import Module


def add(module: Module[Inputs]) -> Any:
    """Add it where there are endpoints; returns the dashboards: one or none."""
    var, nothing = module.var, set[str]()
    module.local(
        "shown",
        watching.shown(),
        why="What the dashboard shows by kind: of each metric its namespace, name, statistic and axis.",
    )
    _factors(module)
    _math(module)
    return module.add(
        CloudwatchDashboard,
        "this",
        for_each=each_of(when(length(var.endpoints) > 0, set_of(["this"]), set_of(nothing))),
        dashboard_name=var.name_prefix,
        dashboard_body="""${templatefile("${path.module}/dashboard.json.tftpl", {
          alarms = [
            for endpoint in var.endpoints :
            "arn:${var.partition}:cloudwatch:${var.region}:${var.account_id}:alarm:${endpoint.name}-watch"
          ]
          math     = local.math
          prefix   = var.name_prefix
          ranges   = local.ranges
          region   = var.region
          shown    = local.shown
          variants = local.variants
        })}""",
    )


def _factors(module: Module[Inputs]) -> None:
    module.local(
        "factors",
        """${{
          for key, machine in local.machine : key => {
            size = coalesce(local.variants[key].memory_mb, 1024) / 1024
            grams = [
              for watts in [machine.watts_at_0, machine.watts_at_10, machine.watts_at_50, machine.watts_at_100] :
              watts * local.place.pue * local.place.grid_g_per_kwh / 1000 + machine.embodied_g_per_hour
            ]
            usd     = try(machine.usd_per_hour * local.prices[machine.family], null)
            by      = local.known[key].provisioned_concurrency == null ? machine.busy_by : "ready"
            numbers = {
              cpu   = machine.vcpus
              gpu   = machine.gpus
              ready = local.variants[key].provisioned_concurrency
            }
          } if !contains(local.unknown, key)
        }}""",
        why="Of an hour of a machine: grams CO2e at 0, 10, 50 and 100 % of load, and USD; a serverless worker "
        "is as many of these as it has GB.",
    )
    module.local(
        "ranges",
        """${{
          for what in ["kg", "usd"] : what => format("%s to %s times",
            min([for kind in local.spans : local.place["${kind}${what}_low"]]...),
            max([for kind in local.spans : local.place["${kind}${what}_high"]]...)
          ) if length(local.spans) > 0
        }}""",
        why="The widest that the footprint model gives for machines as these, here.",
    )
    module.local(
        "spans",
        """${distinct([
          for key, _ in local.factors : local.variants[key].kind == "serverless" ? "serverless_" : ""
        ])}""",
    )


def _math(module: Module[Inputs]) -> None:
    module.local("measured", watching.MEASURED, why="How hours and load follow from metrics, by what tells the load.")
    module.local(
        "math",
        """${{
          for key, factor in local.factors : key => merge(
            {
              for name in ["hours", "load", "paid"] : name => replace(
                replace(local.measured[factor.by][name], "{key}", key),
                "{number}", lookup(factor.numbers, factor.by, 0)
              )
            },
            {
              metrics = local.measured[factor.by].metrics
              kg = join("", [
                "hours_${key} * ${factor.size} / 1000 * IF(load_${key} < 0.1, ",
                format("%.5f + %.5f * load_${key}, ", factor.grams[0], 10 * (factor.grams[1] - factor.grams[0])),
                "IF(load_${key} < 0.5, ",
                format("%.5f + %.5f", factor.grams[1], 2.5 * (factor.grams[2] - factor.grams[1])),
                " * (load_${key} - 0.1), ",
                format("%.5f + %.5f", factor.grams[2], 2 * (factor.grams[3] - factor.grams[2])),
                " * (load_${key} - 0.5)))",
              ])
              usd = factor.usd == null ? null : format("paid_${key} * ${factor.size} * %.6f", factor.usd)
            },
          )
        }}""",
        why="CloudWatch's metric math. Power is straight between the loads at which the factors are.",
    )
