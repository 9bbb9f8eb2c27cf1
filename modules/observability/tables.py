"""What the module knows of machines, of places, and by these of each endpoint's variants."""

from modules.observability.inputs import Inputs
from sustainable_mlops.authoring.expressions import length
from sustainable_mlops.authoring.resources import Module


def add(module: Module[Inputs]) -> None:
    """Add the locals that alarms and dashboard go through."""
    _variants(module)
    module.local(
        "machines",
        '${{ for row in csvdecode(file("${path.module}/machines.csv")) : row.type => row }}',
        why="What an hour of each type of instance takes, and of a GB of a serverless worker.",
    )
    module.local(
        "place", '${one([for row in csvdecode(file("${path.module}/regions.csv")) : row if row.region == var.region])}'
    )
    module.local(
        "prices",
        """${{
          for row in csvdecode(file("${path.module}/prices.csv")) :
          row.family => try(tonumber(row[var.region]), null)
        }}""",
        why="What a family costs here, of its price in us-east-1.",
    )
    module.local(
        "machine",
        """${{
          for key, variant in local.variants : key =>
          lookup(local.machines, variant.kind == "serverless" ? "serverless" : variant.instance_type, null)
        }}""",
    )
    module.local("unknown", "${[for key, machine in local.machine : key if machine == null || local.place == null]}")
    module.check(
        "machines_are_known",
        length(module.locals.unknown) == 0,
        'The catalogue does not know the instances of ${join(", ", local.unknown)}, or not ${var.region}: they have no '
        "alarms of CPUs and GPUs, or no kg CO2e and USD.",
    )


def _variants(module: Module[Inputs]) -> None:
    module.local(
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
