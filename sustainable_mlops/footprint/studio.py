"""Notebooks and Studio apps."""

from sustainable_mlops.footprint.coefficients import assumptions
from sustainable_mlops.footprint.parts import Part, Side, default, known, known_number, says, unknown
from sustainable_mlops.footprint.quantities import Quantity
from sustainable_mlops.footprint.things import ALWAYS, ONE, Fleet
from sustainable_mlops.footprint.usage import Keys
from sustainable_mlops.plan import Block, Resource

_APPS = ("jupyter_lab_app_settings", "code_editor_app_settings")


def of_notebook(resource: Resource, side: Side) -> list[Part]:
    """A notebook instance: on all the time, unless a lifecycle configuration may stop it."""
    values, keys = side.values(resource), side.usage(resource.address)
    instance_type = values.text("instance_type")
    if not isinstance(instance_type, str):
        return [unknown("notebook", "notebook", says(instance_type, "instance_type"))]
    stops = values.get("lifecycle_config_name") is not None
    fleet = Fleet(
        instance_type=instance_type,
        region=side.region(resource),
        hours=_hours(keys, stops),
        duty=default(keys, "duty", "notebook_load"),
        volume_gb=known_number(values.number("volume_size")) or 5.0,  # the API's default
    )
    return [known("notebook", "notebook", fleet)]


def _hours(keys: Keys, stops: bool) -> Quantity:
    return keys.get("hours_per_month") or (assumptions()["notebook_hours_with_idle_stop"] if stops else ALWAYS)


def of_app(resource: Resource, side: Side) -> list[Part]:
    """An app that Terraform starts: on until it is deleted, unless its domain stops idle apps."""
    values, keys = side.values(resource), side.usage(resource.address)
    instance_type = values.text("resource_spec.0.instance_type")
    if not isinstance(instance_type, str):
        return [unknown("app", "app", says(instance_type, "resource_spec.instance_type"))]
    domain = side.joins.target(resource, "domain_id", "aws_sagemaker_domain")
    stops = isinstance(domain, Resource) and _stops_idle(side.values(domain))
    fleet = Fleet(
        instance_type=instance_type,
        region=side.region(resource),
        hours=_hours(keys, stops),
        duty=default(keys, "duty", "notebook_load"),
    )
    return [known("app", "app", fleet)]


def _stops_idle(values: Block) -> bool:
    path = "default_user_settings.0.{}.0.app_lifecycle_management.0.idle_settings.0.lifecycle_management"
    return any(values.text(path.format(app)) == "ENABLED" for app in _APPS)


def of_domain(resource: Resource, side: Side) -> list[Part]:
    """The apps that people start in a domain: as the usage file says, as no plan does."""
    return _apps(resource, side, "default_user_settings.0.{}.0.default_resource_spec.0.instance_type")


def of_space(resource: Resource, side: Side) -> list[Part]:
    """The app that someone starts in a space."""
    return _apps(resource, side, "space_settings.0.{}.0.default_resource_spec.0.instance_type")


def _apps(resource: Resource, side: Side, path: str) -> list[Part]:
    values, keys = side.values(resource), side.usage(resource.address)
    hours = keys.get("hours_per_month")
    if hours is None:
        reason = "a plan does not say which apps people start, and for how long; give hours_per_month in the usage file"
        return [unknown("apps", "app", reason)]
    found = [values.text(path.format(app)) for app in _APPS]
    instance_type = next((one for one in found if isinstance(one, str)), None)
    if instance_type is None:
        return [unknown("apps", "app", "default_resource_spec.instance_type is not given")]
    fleet = Fleet(
        instance_type=instance_type,
        region=side.region(resource),
        count=keys.get("instances") or ONE,
        hours=hours,
        duty=default(keys, "duty", "notebook_load"),
    )
    return [known("apps", "app", fleet)]
