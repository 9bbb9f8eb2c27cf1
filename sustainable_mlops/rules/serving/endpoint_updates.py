"""Endpoint updates that have no effect or fail halfway, because of names and order.

An endpoint refers to its configuration by name, and a configuration refers to its model by name. A change replaces
both of them, so a replacement with the same name has no effect on the endpoint.
"""

from sustainable_mlops.plan import UNKNOWN, Plan, Resource
from sustainable_mlops.rules import names
from sustainable_mlops.rules.attributes import ConfiguredAttributes
from sustainable_mlops.rules.rule import RuleResults, Severity, failure, rule, success, unknown_result
from sustainable_mlops.rules.serving.variants import CONFIGURATION, ENDPOINT

_CREATE_FIRST = ("create", "delete")
_REMOVING_ACTIONS = ("replace", "delete")


@rule(
    id="SUS_ENDPOINT_KEEPS_OLD_MODEL",
    severity=Severity.FAIL,
    title="An endpoint must be updated when its configuration or model is replaced",
    problem="An endpoint is not updated although its configuration or model is replaced",
    practices=("66",),
    fix=(
        "Give the configuration name_prefix instead of name, the model no name, and both "
        "lifecycle.create_before_destroy, so that each replacement has a new name."
    ),
    types=(ENDPOINT,),
    is_about_change=True,
)
def keeps_old_model(plan: Plan, endpoint: Resource) -> RuleResults:
    if endpoint.action not in ("no-op", "update"):
        return
    path = "endpoint_config_name"
    configuration = plan.joins.find_configuration(endpoint)
    if configuration is None:
        configuration = plan.joins_before.find_configuration(endpoint)
    name = endpoint.new.text(path)
    if name is UNKNOWN and endpoint.action == "no-op":
        yield unknown_result("the configuration it uses is not known until apply", path)
    elif name != endpoint.old.text(path):
        yield success()
    elif not isinstance(configuration, Resource):
        yield unknown_result("this plan does not show whether its configuration changes", path)
    elif configuration.action in _REMOVING_ACTIONS:
        yield failure(
            f"{configuration.address} is {configuration.action}d, and the endpoint keeps serving the old one", path
        )
    else:
        yield from _check_models(plan, configuration)


def _check_models(plan: Plan, configuration: Resource) -> RuleResults:
    """Check the models of an unchanged configuration: a model may be replaced under the same name."""
    variants = plan.joins.list_variants(configuration)
    models = [] if variants is UNKNOWN else [variant.model for variant in variants]
    replaced = [model for model in models if isinstance(model, Resource) and model.action == "replace"]
    if replaced:
        message = f"{replaced[0].address} is replaced under the same name, and the endpoint keeps serving the old one"
        yield failure(message, "endpoint_config_name")
    elif variants is UNKNOWN or UNKNOWN in models:
        yield unknown_result("the model it serves is not known until apply", "endpoint_config_name")
    else:
        yield success()


@rule(
    id="SUS_REPLACED_BEFORE_ENDPOINT",
    severity=Severity.FAIL,
    title="A new endpoint configuration must be created before the old one is destroyed",
    problem="The old endpoint configuration is destroyed before the new one is created",
    practices=("66",),
    fix="Set lifecycle.create_before_destroy on the configuration.",
    types=(CONFIGURATION,),
    is_about_change=True,
)
def replaced_before_endpoint(plan: Plan, configuration: Resource) -> RuleResults:
    if configuration.action != "replace":
        return
    if configuration.actions == _CREATE_FIRST:
        yield success()
        return
    before, after = plan.joins_before.find_endpoints(configuration), plan.joins.find_endpoints(configuration)
    using = [endpoint for endpoint in before.certain if endpoint.exists() and endpoint.action != "replace"]
    if using:
        message = f"it is destroyed first, and {using[0].address} uses it and cannot be updated without it"
        yield failure(message, "name")
    elif before.possible or after.possible:
        yield unknown_result("this plan does not show which endpoint uses it", "name")


@rule(
    id="SUS_CONFIGURATION_NAME_PREFIX",
    severity=Severity.WARN,
    title="An endpoint configuration should get a new name with each replacement",
    problem="An endpoint configuration keeps its name when it is replaced",
    practices=("66",),
    fix="Use name_prefix instead of name, with lifecycle.create_before_destroy.",
    types=(CONFIGURATION,),
)
def configuration_name_prefix(plan: Plan, configuration: Resource) -> RuleResults:
    has_name = plan.is_configured(configuration, "name")
    prefix = configuration.new.text("name_prefix")
    if has_name is False or (has_name is UNKNOWN and isinstance(prefix, str) and prefix):
        yield success()
    elif configuration.new.text("name") is UNKNOWN or has_name is UNKNOWN:
        yield unknown_result("it is not known until apply whether its name is fixed", "name")
    else:
        yield failure(
            "its name is fixed: an endpoint sees no change, and old and new configuration cannot exist together", "name"
        )


@rule(
    id="SUS_CREATE_BEFORE_DESTROY_NAME",
    severity=Severity.FAIL,
    title="A resource that is created before its predecessor is destroyed must have another name",
    problem="A resource is created before its predecessor of the same name is destroyed",
    practices=("66",),
    fix=(
        "Remove the name or use name_prefix. create_before_destroy also applies to everything that the "
        "resource depends on."
    ),
    types=tuple(names.UNIQUE_NAMES),
    is_about_change=True,
)
def create_before_destroy_name(plan: Plan, resource: Resource) -> RuleResults:
    """Check names. A resource with a prefix, or without a name, gets a new name each time."""
    if resource.actions != _CREATE_FIRST:
        return
    attribute, settings = names.UNIQUE_NAMES[resource.type], ConfiguredAttributes(plan, resource)
    prefix, after = settings.text("name_prefix"), settings.text(attribute)
    before = {path: resource.old.get(path) for path in (attribute, *names.SCOPES)}
    changes = {path: (old, settings.get(path, old)) for path, old in before.items()}
    not_known = [path for path, change in changes.items() if UNKNOWN in change]
    moved = any(None not in change and UNKNOWN not in change and change[0] != change[1] for change in changes.values())
    if (isinstance(prefix, str) and prefix) or after is None or moved:
        yield success()
    elif not_known:
        yield unknown_result(f"its new {not_known[0]} is not known until apply", not_known[0])
    else:
        yield failure(f"the old resource keeps the name {after}, so the new one cannot be created", attribute)
