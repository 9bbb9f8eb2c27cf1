"""Updates that do not reach an endpoint, or that fail half-way, because of names and order.

An endpoint follows the name of its configuration, and a configuration the name of its model: both are replaced to
change them, so what keeps its name is not noticed.
"""

from sustainable_mlops.plan import UNKNOWN, Plan, Resource
from sustainable_mlops.rules import names
from sustainable_mlops.rules.reading import Settings
from sustainable_mlops.rules.rule import Severity, Verdicts, failed, passed, rule, unknown
from sustainable_mlops.rules.serving.variants import CONFIGURATION, ENDPOINT

_CREATED_FIRST = ("create", "delete")
_REPLACED = ("replace", "delete")


@rule(
    id="SUS_ENDPOINT_KEEPS_OLD_MODEL",
    severity=Severity.FAIL,
    title="An endpoint is updated when its configuration or model is replaced",
    practices=("66",),
    fix=(
        "Give the configuration name_prefix instead of name, the model no name, and both "
        "lifecycle.create_before_destroy, so that each new one has a new name."
    ),
    types=(ENDPOINT,),
    of_change=True,
)
def keeps_old_model(plan: Plan, endpoint: Resource) -> Verdicts:
    if endpoint.action not in ("no-op", "update"):
        return
    path = "endpoint_config_name"
    configuration = plan.joins.configuration(endpoint)
    if configuration is None:
        configuration = plan.joins_before.configuration(endpoint)
    name = endpoint.new.text(path)
    if name is UNKNOWN and endpoint.action == "no-op":
        yield unknown("which configuration it follows is not known until apply", path)
    elif name != endpoint.old.text(path):
        yield passed()
    elif not isinstance(configuration, Resource):
        yield unknown("whether its configuration changes is not in this plan", path)
    elif configuration.action in _REPLACED:
        yield failed(
            f"{configuration.address} is {configuration.action}d, and the endpoint keeps serving the old one", path
        )
    else:
        yield from _model_behind(plan, configuration)


def _model_behind(plan: Plan, configuration: Resource) -> Verdicts:
    """A configuration that stays names its models: one of them may be another under the same name."""
    variants = plan.joins.variants(configuration)
    models = [] if variants is UNKNOWN else [variant.model for variant in variants]
    replaced = [model for model in models if isinstance(model, Resource) and model.action == "replace"]
    if replaced:
        message = f"{replaced[0].address} is replaced under the same name, and the endpoint keeps serving the old one"
        yield failed(message, "endpoint_config_name")
    elif variants is UNKNOWN or UNKNOWN in models:
        yield unknown("which model it serves cannot be told until apply", "endpoint_config_name")
    else:
        yield passed()


@rule(
    id="SUS_REPLACED_BEFORE_ENDPOINT",
    severity=Severity.FAIL,
    title="An endpoint's configuration is created anew before the old one is destroyed",
    practices=("66",),
    fix="Set lifecycle.create_before_destroy on the configuration.",
    types=(CONFIGURATION,),
    of_change=True,
)
def replaced_before_endpoint(plan: Plan, configuration: Resource) -> Verdicts:
    if configuration.action != "replace":
        return
    if configuration.actions == _CREATED_FIRST:
        yield passed()
        return
    before, after = plan.joins_before.endpoints(configuration), plan.joins.endpoints(configuration)
    using = [endpoint for endpoint in before.sure if endpoint.exists() and endpoint.action != "replace"]
    if using:
        message = f"it is destroyed first, and {using[0].address}, which runs on it, cannot be updated without it"
        yield failed(message, "name")
    elif before.maybe or after.maybe:
        yield unknown("which endpoint runs on it cannot be told from this plan", "name")


@rule(
    id="SUS_CONFIGURATION_NAME_PREFIX",
    severity=Severity.WARN,
    title="An endpoint configuration has a new name whenever it is replaced",
    practices=("66",),
    fix="Use name_prefix instead of name, with lifecycle.create_before_destroy.",
    types=(CONFIGURATION,),
)
def configuration_name_prefix(plan: Plan, configuration: Resource) -> Verdicts:
    named = plan.configured(configuration, "name")
    prefix = configuration.new.text("name_prefix")
    if named is False or (named is UNKNOWN and isinstance(prefix, str) and prefix):
        yield passed()
    elif configuration.new.text("name") is UNKNOWN or named is UNKNOWN:
        yield unknown("how its name is made is not known until apply", "name")
    else:
        yield failed(
            "its name is fixed: an endpoint sees no change, and the new one cannot stand beside the old", "name"
        )


@rule(
    id="SUS_CREATE_BEFORE_DESTROY_NAME",
    severity=Severity.FAIL,
    title="What is created before its predecessor is destroyed has another name",
    practices=("66",),
    fix="Leave the name out or use name_prefix; create_before_destroy spreads to all that the resource depends on.",
    types=tuple(names.UNIQUE),
    of_change=True,
)
def create_before_destroy_name(plan: Plan, resource: Resource) -> Verdicts:
    """One that gives a prefix, or no name, gets a new name each time."""
    if resource.actions != _CREATED_FIRST:
        return
    attribute, settings = names.UNIQUE[resource.type], Settings(plan, resource)
    prefix, after = settings.text("name_prefix"), settings.text(attribute)
    before = {path: resource.old.get(path) for path in (attribute, *names.WITHIN)}
    changes = {path: (old, settings.get(path, old)) for path, old in before.items()}
    not_known = [path for path, change in changes.items() if UNKNOWN in change]
    moved = any(None not in change and UNKNOWN not in change and change[0] != change[1] for change in changes.values())
    if (isinstance(prefix, str) and prefix) or after is None or moved:
        yield passed()
    elif not_known:
        yield unknown(f"its new {not_known[0]} is not known until apply", not_known[0])
    else:
        yield failed(f"{after} exists until it is destroyed, so the new one cannot be created", attribute)
